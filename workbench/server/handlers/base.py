"""What all handlers share: problem documents, strict JSON, work off the event loop."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from ... import files
from ...core import BusyError, FullError, ParameterError, PluginError, UnknownNameError, WorkbenchError
from ..desk import Misfits
from ..shapes import problem_parts, scrub

if TYPE_CHECKING:
    from ..app import WorkbenchExtension

T = TypeVar("T")
PROBLEM = "application/problem+json"
_TITLES = {400: "The request does not fit", 403: "Forbidden", 404: "Not found", 405: "Not a verb of this address",
           409: "Not now", 413: "Too large", 429: "The queue is full", 500: "Something broke"}  # fmt: skip
_ABSENT = "there is no such thing here"


class Handler(APIHandler):
    """A handler of ours; every verb of it carries ``authenticated`` and ``authorized``."""

    auth_resource = "workbench"

    @property
    def extension(self) -> WorkbenchExtension:
        """The extension that the handler belongs to."""
        found: WorkbenchExtension = self.settings["workbench"]
        return found

    async def prepare(self) -> None:  # type: ignore[override]
        """Authentication and origin as Jupyter has them; then the size of the body."""
        await super().prepare()
        limit = self.extension.body_limit
        if self.current_user and len(self.request.body) > limit:
            raise HTTPError(413, f"a request holds at most {limit} bytes")

    async def work(self, function: Callable[..., T], *arguments: Any) -> T:
        """A function's value, computed in a thread: whatever reads a disk or waits goes there."""
        return await asyncio.get_running_loop().run_in_executor(self.extension.pool, function, *arguments)

    def body(self, known: tuple[str, ...]) -> dict[str, Any]:
        """The request's JSON object.

        Args:
            known: names that it may have; others are refused.

        Raises:
            HTTPError: 400, it is no strict JSON object or has other names.
        """
        try:
            found = json.loads(self.request.body.decode("utf-8") or "{}", parse_constant=_refused, parse_float=_finite)
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            raise HTTPError(
                400, "the body is not strict JSON in UTF-8: no NaN, no infinity, no half characters"
            ) from error
        if not isinstance(found, dict):
            raise HTTPError(400, f"the body is an object, not {type(found).__name__}")
        others = [name[:100] for name in found if name not in known]
        if others:
            raise HTTPError(400, f"unknown name {others[0]!r} in the body; known are: {', '.join(known) or 'none'}")
        return found

    def parameters(self, body: dict[str, Any]) -> dict[str, Any]:
        """Its ``parameters``, an object of plain values.

        Raises:
            HTTPError: 400, they are something else.
        """
        found = body.get("parameters", {})
        if not isinstance(found, dict) or len(found) > 100:
            raise HTTPError(400, "parameters are an object of at most 100 names")
        return found

    def number(self, name: str, default: int | None, low: int, high: int) -> int | None:
        """A whole number of the query, clamped at ``high``.

        Raises:
            HTTPError: 400, it is no number or too small.
        """
        text = self.get_query_argument(name, None)
        if text is None:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 15 or int(text) < low:
            raise HTTPError(400, f"{name} is a whole number from {low}")
        return min(int(text), high)

    def word(self, name: str, allowed: tuple[str, ...] = ()) -> str:
        """A word of the query, empty where it is not given.

        Raises:
            HTTPError: 400, it is none of those allowed or too long.
        """
        text: str = self.get_query_argument(name, "")
        if len(text) > 128 or (text and allowed and text not in allowed):
            raise HTTPError(400, f"{name} is one of: {', '.join(allowed)}" if allowed else f"{name} is too long")
        return text

    def answer(self, thing: object, status: int = 200) -> None:
        """Finish with JSON.

        Raises:
            HTTPError: 413, it is larger than an answer may be.
        """
        text = files.to_json(thing).encode("utf-8")
        if len(text) > self.extension.response_limit:
            raise HTTPError(413, f"the answer has {len(text)} bytes; ask for less with limit and offset")
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(text)

    def content(self, data: bytes, kind: str) -> None:
        """Finish with something that is not JSON."""
        self.set_header("Cache-Control", "no-store")
        self.finish(data, set_content_type=kind)

    def send_error(self, status_code: int = 500, **options: Any) -> None:
        """Errors of the workbench get the status that says what they mean."""
        error = options.get("exc_info", (None, None, None))[1]
        super().send_error(_status(error) if isinstance(error, WorkbenchError) else status_code, **options)

    def log_exception(self, *about: Any) -> None:
        """A refusal is a line, not a traceback; what the request carried is not logged."""
        error = about[1]
        if isinstance(error, WorkbenchError):
            self.log.info("workbench: %s %s: %s", self.request.method, type(error).__name__, error.what)
        else:
            super().log_exception(*about)

    def write_error(self, status_code: int, **options: Any) -> None:
        """A problem document (RFC 9457), never a traceback."""
        error = options.get("exc_info", (None, None, None))[1]
        problem: dict[str, Any] = {
            "type": "about:blank", "title": _TITLES.get(status_code, self._reason), "status": status_code,
            "detail": _detail(error, status_code),
        }  # fmt: skip
        if isinstance(error, WorkbenchError) and status_code != 404:
            parts = {"given": error.given, "expected": error.expected, "do": error.do}
            problem |= {k: v for k, v in problem_parts(parts).items() if v and k != "what"}
        if isinstance(error, Misfits):
            problem["errors"] = error.wrong
        self.finish(files.to_json(problem), set_content_type=PROBLEM)


def _status(error: WorkbenchError) -> int:
    if isinstance(error, UnknownNameError):
        return 404
    if isinstance(error, ParameterError):
        return 400
    if isinstance(error, FullError):
        return 429
    return 409 if isinstance(error, BusyError | PluginError) else 500


def _detail(error: BaseException | None, status: int) -> str:
    """What happened, in words; of what is absent nothing is said that would tell it from what is forbidden."""
    if status == 404:
        return _ABSENT
    if isinstance(error, WorkbenchError):
        return scrub(error.what)
    if isinstance(error, HTTPError) and error.log_message:
        return scrub(error.log_message % error.args if error.args else error.log_message)
    return "the server's log says more" if status >= 500 else _TITLES.get(status, "the request was refused")


def _refused(text: str) -> None:
    raise ValueError(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
