"""The protocol served on this machine, by the responder or a model: in a thread of its own, or until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from ...core import ParameterError
from . import phrases
from .answer import Answerer, Answers
from .counters import Counters, Counts
from .eyes import Eyes
from .handlers import Missing, Service, routes
from .misbehave import Misbehave
from .phrases import NAME
from .request import BODY_LIMIT

HOSTS = ("127.0.0.1", "localhost")
_WORKERS = 2
# Seconds in which open connections are to end when the server stops.
_GOODBYE = 1.0
# A larger body is cut off; up to this one it is read to its end, so that the client sees why it is refused.
_READ_LIMIT = 4 * BODY_LIMIT


class ChatServer:
    """Serves the OpenAI protocol on this machine from whatever answers; a context manager.

    Args:
        answerer: what answers; called from two threads.
        name: of the model.
        host: 127.0.0.1 or localhost; nothing else is bound.
        port: 0 takes a free one.
        api_key: that clients must send, if given.
        misbehave: faults and limits.
        clock: seconds, for the rate limit.
        title: what it says that it is.

    Raises:
        ParameterError: a host that others can reach, or a port out of range.
        OSError: on entering, where the port is taken.
    """

    def __init__(
        self, answerer: Answers, *, name: str, host: str = "127.0.0.1", port: int = 0, api_key: str | None = None,
        misbehave: Misbehave | None = None, clock: Callable[[], float] = time.monotonic, title: str = "",
    ) -> None:  # fmt: skip
        if host not in HOSTS:
            raise ParameterError(
                "the responder serves this machine only", given=host, expected=" or ".join(HOSTS),
                do="leave the host out",
            )  # fmt: skip
        if not 0 <= port < 65536:
            raise ParameterError("there is no such port", given=port, expected="0 to 65535")
        if api_key == "":
            raise ParameterError("an empty key guards nothing", do="leave the key out, or give one")
        self.title = title or name
        self._counters = Counters()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="responder-work")
        self._service = Service(answerer, self._counters, misbehave or Misbehave(), self._pool, api_key, name, clock)
        self._port = port
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None

    @property
    def root(self) -> str:
        """Address of the server, without a path."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """What an OpenAI client takes for its ``base_url``."""
        return f"{self.root}/v1"

    @property
    def counters(self) -> Counts:
        """What it has seen and done until now."""
        return self._counters.counts()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="responder", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()
            self._pool.shutdown(cancel_futures=True)

    async def _serve(self) -> None:
        # No access log: a request's headers hold a key.
        app = Application(
            routes(self._service), default_handler_class=Missing, default_handler_args={"service": self._service},
            log_function=lambda handler: None,
        )  # fmt: skip
        server = HTTPServer(app, max_body_size=_READ_LIMIT, max_buffer_size=_READ_LIMIT)
        sockets = bind_sockets(self._port, "127.0.0.1", backlog=1024)
        self._port = sockets[0].getsockname()[1]
        server.add_sockets(sockets)
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        self._ready.set()
        await stopped.wait()
        server.stop()
        # Whoever still does not end is not waited for: leaving the loop cancels it.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.close_all_connections(), _GOODBYE)


class Responder(ChatServer):
    """A chat model's stand-in that looks at pictures.

    ``with Responder(BlankEyes()) as r: AsyncOpenAI(base_url=r.url, api_key="none")``

    Args:
        eyes: what it sees with; called from threads.
        refuse_direct: probability that a question about a person is refused.
        refuse_generated: the same where the words say that the person was generated.
        undecided: probability that an answer in words that is not refused does not commit itself.
        seed: of refusals and indecision.
        **more: of `ChatServer`.

    Raises:
        ParameterError: a probability out of range, and as `ChatServer`.
    """

    def __init__(
        self, eyes: Eyes, *, refuse_direct: float = 0.0, refuse_generated: float = 0.0, undecided: float = 0.0,
        seed: int = 0, **more: Any,
    ) -> None:  # fmt: skip
        answerer = Answerer(
            eyes, refuse_direct=refuse_direct, refuse_generated=refuse_generated, undecided=undecided, seed=seed
        )
        super().__init__(answerer, name=NAME, title=phrases.NOTE, **more)


def serve(server: ChatServer, *, say: Callable[[str], object] = print) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        server: not started yet.
        say: told the address once it can be reached.

    Raises:
        ParameterError: the port is taken, or may not be bound.
    """
    here = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if here else None
    try:
        with server:
            say(f"{server.title}: {server.url}")
            threading.Event().wait()
    except KeyboardInterrupt:
        say("stopped")
    except OSError as error:
        raise ParameterError(
            "nothing can be served at this address", given=f"{server.root}: {error.strerror or error}",
            do="give another --port, or 0 for a free one",
        ) from None  # fmt: skip
    finally:
        if here:
            signal.signal(signal.SIGTERM, before)
