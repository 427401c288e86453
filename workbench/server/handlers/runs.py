"""Runs: the history, results, reports, pictures, comparison and purge."""

from __future__ import annotations

import re
from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado.web import HTTPError, authenticated

from ... import files
from ...core import UnknownNameError
from ...figures.page import NAME as REPORT
from .. import results
from ..pictures import Picture, picture
from ..shapes import Json
from .base import Handler

_STATUSES = ("running", "done", "failed", "out of memory", "died", "stopped")
_ONE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,127})/([A-Za-z0-9][A-Za-z0-9_-]{0,63})")


class Runs(Handler):
    """All runs."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """The history, a page of it."""
        ask = partial(
            self.extension.desk.runs, study=self.word("study"), status=self.word("status", _STATUSES),
            limit=self.number("limit", 100, 1, 500) or 100, offset=self.number("offset", 0, 0, 2**31) or 0,
        )  # fmt: skip
        self.answer(await self.work(ask))


class Run(Handler):
    """One run."""

    @authenticated
    @authorized
    async def get(self, study: str, run: str) -> None:
        """Its result."""
        self.answer(await self.work(self._read, study, run))

    @authenticated
    @authorized
    async def delete(self, study: str, run: str) -> None:
        """Purge it."""
        self.answer(await self.work(self.extension.desk.purge, study, run))

    def _read(self, study: str, run: str) -> Json:
        desk = self.extension.desk
        past = desk.history.one(study, run)
        entry = desk.catalogue.entries().get(study)
        return results.run_result(past, desk.run_summaries([past])[0], entry)


class _Sandboxed(Handler):
    """Something that a browser shows: it runs nothing, sends nothing and loads nothing from outside."""

    policy = ("default-src 'none'", "img-src data:", "style-src 'unsafe-inline'", "font-src data:",
              "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'", "sandbox")  # fmt: skip

    @property
    def content_security_policy(self) -> str:
        """Its own, in the place of Jupyter's."""
        return "; ".join(self.policy)


class Report(_Sandboxed):
    """The report of a run."""

    @authenticated
    @authorized
    async def get(self, study: str, run: str) -> None:
        """One HTML page."""
        self.set_header("Referrer-Policy", "no-referrer")
        self.content(await self.work(self._read, study, run), "text/html; charset=utf-8")

    def _read(self, study: str, run: str) -> bytes:
        file = self.extension.desk.history.one(study, run).record.folder / REPORT
        if not file.is_file() or file.is_symlink():
            raise UnknownNameError("report", run, ())
        return files.read_bytes(file, limit=self.extension.report_limit)


class Figure(_Sandboxed):
    """A picture of a run."""

    @authenticated
    @authorized
    async def get(self, study: str, run: str, figure: str) -> None:
        """Its bytes."""
        found, data = await self.work(self._read, study, run, figure)
        self.content(data, found.type)

    def _read(self, study: str, run: str, figure: str) -> tuple[Picture, bytes]:
        found = picture(self.extension.desk.history.one(study, run).record.folder, figure)
        return found, found.content()


class Compare(Handler):
    """Runs side by side."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """A table as JSON, CSV or Markdown."""
        kind = self.word("format", ("json", "csv", "markdown")) or "json"
        asked = list(dict.fromkeys(self.get_query_arguments("run")))
        matches = [_ONE.fullmatch(a) for a in asked]
        if not 2 <= len(asked) <= 8 or not all(matches):
            raise HTTPError(400, "compare takes run=STUDY/RUN two to eight times, each another one")
        table = await self.work(self._read, [(m[1], m[2]) for m in matches if m])
        if kind == "json":
            self.answer(table)
            return
        text = results.as_csv(table) if kind == "csv" else results.as_markdown(table)
        self.set_header("Content-Disposition", f'attachment; filename="compare.{"csv" if kind == "csv" else "md"}"')
        self.content(text.encode("utf-8"), f"text/{kind}; charset=utf-8")

    def _read(self, asked: list[tuple[str, str]]) -> Json:
        desk = self.extension.desk
        pasts = [desk.history.one(study, run) for study, run in asked]
        return results.compare(list(zip(pasts, desk.run_summaries(pasts), strict=True)))
