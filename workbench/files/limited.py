"""A function in a child process with limits on memory, time and file size."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from ..core import RunError, WorkbenchError
from .pack import pack, unpack


def run_limited(
    function: Callable[..., Any],
    *arguments: Any,
    memory: int | None = None,
    seconds: float = 60.0,
    file_size: int | None = None,
) -> Any:
    """``function(*arguments)`` in a fresh process group.

    Args:
        function: importable by name; what it returns must suit `pack`.
        *arguments: picklable arguments.
        memory: limit on the child's address space in bytes.
        seconds: wall-clock limit.
        file_size: limit on any file that it writes, in bytes.

    Raises:
        RunError: it died or ran out of time; the message says of what.
        WorkbenchError: what it raised itself.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(theirs, memory, file_size, function, arguments), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            raise RunError("a limited task took too long", given=f"over {seconds} s", do="allow it more seconds")
        reply = unpack(ours.recv_bytes())
    except EOFError:
        child.join()
        raise RunError("a limited task died", given=_cause(child.exitcode), do="allow it more memory") from None
    finally:
        if child.is_alive():
            os.killpg(child.pid or 0, signal.SIGKILL)
        child.join()
        ours.close()
    if "error" in reply:
        raise RunError("a limited task failed", given=reply["error"])
    return reply["value"]


def _child(
    pipe: Connection, memory: int | None, file_size: int | None, function: Callable[..., Any], arguments: Any
) -> None:
    os.setsid()
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    try:
        reply = {"value": function(*arguments)}
    except MemoryError:
        reply = {"error": "out of memory"}
    except (
        WorkbenchError,
        ValueError,
        TypeError,
        OSError,
        RuntimeError,
        ArithmeticError,
        LookupError,
    ) as error:
        reply = {"error": f"{type(error).__name__}: {error}"}
    pipe.send_bytes(pack(reply))
    pipe.close()


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit status {code}"
