"""Jobs: queue, watch, cancel, restart, and read what they print."""

from __future__ import annotations

from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado.web import HTTPError, authenticated

from ... import files
from ...runs.queue import STATES
from ..shapes import Json
from .base import Handler

_MOST = 500


class Jobs(Handler):
    """All jobs."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them, or those that changed since a cursor."""
        ask = partial(
            self.extension.desk.jobs, since=self.number("since", None, 0, 2**62), state=self.word("state", STATES),
            study=self.word("study"), limit=self.number("limit", 100, 1, _MOST) or 100,
            poll=self.extension.poll_seconds,
        )  # fmt: skip
        self.answer(await self.work(ask))

    @authenticated
    @authorized
    async def post(self) -> None:
        """Queue a run."""
        body = self.body(("study", "parameters"))
        study = body.get("study")
        if not isinstance(study, str) or not 0 < len(study) <= 128:
            raise HTTPError(400, "study is the slug of a study")
        job = await self.work(self.extension.desk.add, study, self.parameters(body))
        self.extension.wake()
        self.answer(job, 202)


class Job(Handler):
    """One job."""

    @authenticated
    @authorized
    async def get(self, job: str) -> None:
        """Where it stands."""
        self.answer(await self.work(self.extension.desk.job, int(job)))

    @authenticated
    @authorized
    async def delete(self, job: str) -> None:
        """Cancel it."""
        found = await self.work(self.extension.desk.cancel, int(job))
        self.extension.wake()
        self.answer(found, 202)


class Restart(Handler):
    """An ended job once more."""

    @authenticated
    @authorized
    async def post(self, job: str) -> None:
        """Queue it again."""
        found = await self.work(self.extension.desk.restart, int(job))
        self.extension.wake()
        self.answer(found, 202)


class Log(Handler):
    """What a job prints."""

    @authenticated
    @authorized
    async def get(self, job: str) -> None:
        """The end of it, or what follows an offset."""
        most = self.extension.log_tail
        start, limit = self.number("start", None, 0, 2**62), self.number("limit", most, 1, most) or most
        self.answer(await self.work(self._read, int(job), start, limit))

    def _read(self, number: int, start: int | None, limit: int) -> Json:
        queue = self.extension.desk.queue
        path = queue.log(queue.get(number).id)
        data, first, size = files.read_part(path, start, limit) if path.is_file() else (b"", 0, 0)
        text = data.decode("utf-8", "replace")
        return {"job": number, "text": text, "start": first, "end": first + len(data), "size": size}
