"""The responder's routes, and its faults on the wire."""

from __future__ import annotations

import asyncio
import hmac
import itertools
import math
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from typing import Any

from tornado.iostream import IOStream, StreamClosedError
from tornado.web import RequestHandler, stream_request_body

from .answer import Answers, Reply
from .counters import Counters
from .misbehave import Bucket, Misbehave
from .phrases import NAME
from .request import BODY_LIMIT, BadRequest, Request, error_body, read_request
from .wire import completion, events, spoiled

_HOSTS = {"127.0.0.1", "localhost"}
_PIECE = 64 << 10
# Bodies up to this size are read on the loop: handing them to a thread would take longer.
_SMALL = 64 << 10
_BUSY = ("Rate limit reached, slow down", "rate_limit_error", "rate_limit_exceeded")


@dataclass
class Service:
    """What all handlers share."""

    answerer: Answers
    counters: Counters
    misbehave: Misbehave
    pool: Executor
    api_key: str | None = field(default=None, repr=False)
    name: str = NAME
    clock: Callable[[], float] = time.monotonic
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.bucket = Bucket(self.misbehave.rate)


class _Handler(RequestHandler):
    """Errors in OpenAI's shape, the key, and a guard against pages that name this machine as their own host."""

    service: Service
    gone: asyncio.Event

    def initialize(self, service: Service) -> None:
        self.service = service
        self.gone = asyncio.Event()

    def prepare(self) -> None:
        if self.request.host_name not in _HOSTS:
            self.refuse(403, "this server answers to 127.0.0.1 and localhost only", "invalid_request_error")

    def on_connection_close(self) -> None:
        self.gone.set()

    def set_default_headers(self) -> None:
        self.set_header("Server", NAME)

    def refuse(
        self, status: int, message: str, type: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        self.set_status(status)
        self.finish(error_body(message, type=type, param=param, code=code))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        kind = "server_error" if status_code >= 500 else "invalid_request_error"
        self.refuse(status_code, self._reason, kind)

    def allowed(self) -> bool:
        """Whether the key is right; otherwise 401 is said."""
        key = self.service.api_key
        given = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key is None or hmac.compare_digest(given.encode(), key.encode()):
            return True
        self.refuse(401, "Incorrect API key provided", "invalid_request_error", code="invalid_api_key")
        return False


class Health(_Handler):
    """``GET /health``."""

    def get(self) -> None:
        """It is there."""
        self.finish({"status": "ok", "model": self.service.name})


class Models(_Handler):
    """``GET /v1/models``."""

    def get(self) -> None:
        """The only one."""
        if self.allowed():
            one = {"id": self.service.name, "object": "model", "created": 0, "owned_by": "face-workbench"}
            self.finish({"object": "list", "data": [one]})


class Counted(_Handler):
    """``GET /counters``."""

    def get(self) -> None:
        """All counts, digests sorted."""
        if self.allowed():
            counts = asdict(self.service.counters.counts())
            self.finish({**counts, "digests": sorted(counts["digests"])})


class Missing(_Handler):
    """Any other address."""

    def prepare(self) -> None:
        """There is nothing."""
        super().prepare()
        if not self._finished:
            self.refuse(404, "Unknown request URL", "invalid_request_error", code="unknown_url")


@stream_request_body
class Chat(_Handler):
    """``POST /v1/chat/completions``."""

    def initialize(self, service: Service) -> None:
        """Nothing is read yet."""
        super().initialize(service)
        self.parts: list[bytes] = []
        self.size = 0

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body; what is too much is dropped."""
        self.size += len(chunk)
        if self.size <= BODY_LIMIT:
            self.parts.append(chunk)
        else:
            self.parts.clear()

    async def post(self) -> None:
        """Answer, or fail as asked."""
        service, counters = self.service, self.service.counters
        counters.count("requests")
        number = next(service.numbers)
        if self.size > BODY_LIMIT:
            counters.failed("body")
            self.refuse(413, f"a request may hold at most {BODY_LIMIT} bytes", "invalid_request_error")
            return
        asked = await self._read()
        if not self.allowed():
            counters.failed("unauthorised")
        elif service.misbehave.rate and (wait := service.bucket.take(service.clock())):
            counters.failed("rate")
            self.set_header("retry-after-ms", str(math.ceil(wait * 1000)))
            self._busy(str(math.ceil(wait)))
        else:
            await self._answer(asked, number)

    async def _read(self) -> Request | BadRequest:
        def read() -> Request | BadRequest:
            try:
                return read_request(b"".join(self.parts), self.service.counters.received)
            except BadRequest as error:
                return error

        return read() if self.size <= _SMALL else await self._in_thread(read)

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.service.pool, work)

    async def _answer(self, asked: Request | BadRequest, number: int) -> None:
        service, counters = self.service, self.service.counters
        if await self._left(service.misbehave.wait(number)):
            return
        fault = service.misbehave.fault(number)
        if fault:
            counters.failed(fault)
        if fault and await self._fails_before(fault):
            return
        try:
            if isinstance(asked, BadRequest):
                raise asked
            reply: Reply = await self._in_thread(lambda: service.answerer.answer(asked))
        except BadRequest as error:
            counters.failed("bad request")
            self.refuse(error.status, error.what, error.type, param=error.param, code=error.code)
            return
        except Exception as error:
            # Whatever goes wrong in the eyes is told to the client, as a server's error.
            counters.failed("error")
            self.refuse(500, f"{type(error).__name__}: {error}", "server_error")
            return
        if not fault:
            counters.count("refused" if reply.refused else "answered")
        await self._send(spoiled(reply, fault), asked, number, fault)

    async def _send(self, reply: Reply, asked: Request, number: int, fault: str) -> None:
        created = int(time.time())
        if asked.stream:
            kind, pieces = "text/event-stream", events(reply, number, created, include_usage=asked.include_usage)
        else:
            kind, pieces = "application/json", [completion(reply, number, created)]
        if fault in ("reset", "drip", "cut"):
            await self._send_badly(kind, b"".join(pieces), fault)
            return
        self.set_header("Content-Type", kind)
        try:
            for piece in pieces:
                self.write(piece)
                if asked.stream:
                    await self.flush()
            await self.finish()
        except StreamClosedError:
            self.gone.set()

    async def _left(self, seconds: float) -> bool:
        """Wait; whether the client left meanwhile."""
        if seconds <= 0:
            return self.gone.is_set()
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _busy(self, retry_after: str | None) -> None:
        if retry_after is not None:
            self.set_header("Retry-After", retry_after)
        message, kind, code = _BUSY
        self.refuse(429, message, kind, code=code)

    async def _fails_before(self, fault: str) -> bool:
        """A fault that needs no answer; whether this was one."""
        how = self.service.misbehave
        after = {
            "429": str(how.retry_after), "429-date": formatdate(time.time() + how.retry_after, usegmt=True),
            "429-zero": "0", "429-negative": "-5", "429-huge": str(10**9), "429-bare": None,
        }  # fmt: skip
        if fault in after:
            self._busy(after[fault])
        elif fault in ("500", "503"):
            self.refuse(int(fault), "The server had an error while processing your request", "server_error")
        elif fault == "hang":
            await self._left(how.hang_limit)
            self._stream().close()
        elif fault == "redirect":
            self.set_status(307)
            self.set_header("Location", how.redirect_to)
            self.finish()
        elif fault == "html":
            self.set_header("Content-Type", "text/html; charset=UTF-8")
            self.finish("<!DOCTYPE html><html><body><h1>Sign in to the hotel's network</h1></body></html>")
        elif fault == "error-body":
            self.finish(error_body("The model is overloaded", type="server_error", code="overloaded"))
        elif fault == "huge":
            await self._huge(how.huge_size)
        else:
            return False
        return True

    async def _huge(self, size: int) -> None:
        self.set_header("Content-Type", "application/json")
        head, tail = b'{"padding": "', b'"}'
        left = max(0, size - len(head) - len(tail))
        try:
            self.write(head)
            while left:
                self.write(b"a" * min(left, _PIECE))
                left -= min(left, _PIECE)
                await self.flush()
            await self.finish(tail)
        except StreamClosedError:
            self.gone.set()

    async def _send_badly(self, kind: str, body: bytes, fault: str) -> None:
        half = body[: len(body) // 2]
        stated = half if fault == "cut" else body
        stream = self._stream()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(stated)}\r\nConnection: close\r\n\r\n"
        try:
            await stream.write(head.encode("ascii"))
            if fault == "drip":
                await self._drip(stream, body)
            else:
                await stream.write(half)
            if fault == "reset":
                # Closing with a linger of zero seconds sends a reset instead of an end.
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except StreamClosedError:
            self.gone.set()
        finally:
            stream.close()

    async def _drip(self, stream: IOStream, body: bytes) -> None:
        # A detached stream no longer tells the handler that the client left.
        stream.set_close_callback(self.gone.set)
        for at in range(len(body)):
            await stream.write(body[at : at + 1])
            if await self._left(self.service.misbehave.drip_seconds):
                return

    def _stream(self) -> IOStream:
        """The connection itself, for bytes that no proper server would send."""
        stream = self.detach()
        assert isinstance(stream, IOStream)
        return stream


def routes(service: Service) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """All addresses."""
    shared = {"service": service}
    return [
        ("/health", Health, shared),
        ("/counters", Counted, shared),
        ("/v1/models", Models, shared),
        ("/v1/chat/completions", Chat, shared),
    ]
