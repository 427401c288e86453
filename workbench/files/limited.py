"""A function in a process of its own, with limits on memory, time and file size."""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from .. import core
from ..core import RunError, StoreError, WorkbenchError
from .pack import pack, unpack

_TAIL = 4096
_START = "from workbench.files.limited import main; main()"


def run_limited(
    function: Callable[..., Any],
    *arguments: Any,
    memory: int | None = None,
    seconds: float = 60.0,
    file_size: int | None = None,
) -> Any:
    """``function(*arguments)`` in a fresh interpreter and process group; nothing of the group outlives the call.

    Args:
        function: importable by module and name.
        *arguments: what suits `pack`.
        memory: limit on the child's address space in bytes.
        seconds: wall-clock limit.
        file_size: limit on any file that it writes, in bytes.

    Returns:
        What the function returned; it must suit `pack`.

    Raises:
        RunError: it died, ran out of time or memory, or raised something foreign; the message says which.
        WorkbenchError: what it raised itself.
    """
    order = pack([f"{function.__module__}:{function.__qualname__}", arguments, memory, file_size, seconds])
    late = threading.Event()
    # What it prints goes to a file: a grandchild that kept a pipe open would be waited for.
    with tempfile.TemporaryFile() as printed:
        child = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        clock = threading.Timer(seconds, _end, (child, late))
        clock.start()
        try:
            reply, _ = child.communicate(order)
        finally:
            clock.cancel()
            _end(child, None)
        printed.seek(max(0, printed.seek(0, os.SEEK_END) - _TAIL))
        said = printed.read().decode("utf-8", "replace")
    if late.is_set():
        raise RunError("a limited task took too long", given=f"over {seconds} s", do="allow it more seconds")
    return _answer(reply, child.returncode, said)


def main() -> None:
    """The child's side: read the order, set the limits, answer on the standard output."""
    order = sys.stdin.buffer.read()
    # What the function prints must not run into the answer.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    name, arguments, memory, file_size, seconds = unpack(order)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds * (os.cpu_count() or 1)) + 2, resource.RLIM_INFINITY))
    _reply(answer, _try(name, arguments))


def _try(name: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
    module, _, qualname = name.partition(":")
    try:
        function: Any = importlib.import_module(module)
        for part in qualname.split("."):
            function = getattr(function, part)
        return {"value": function(*arguments)}
    except WorkbenchError as error:
        parts = (error.what, error.given, error.expected, error.do)
        return {"kind": type(error).__name__, "parts": [p if p is None else str(p) for p in parts]}
    except MemoryError:
        return {"failed": "out of memory"}
    except (ValueError, TypeError, OSError, RuntimeError, ArithmeticError, LookupError, AttributeError,
            ImportError, AssertionError) as error:  # fmt: skip
        return {"failed": f"{type(error).__name__}: {error}"}


def _reply(answer: BinaryIO, reply: dict[str, Any]) -> None:
    try:
        data = pack(reply)
    except core.ShapeError as error:
        data = pack({"failed": f"it returned what cannot be sent back: {error}"})
    except MemoryError:
        data = pack({"failed": "out of memory"})
    with answer:
        answer.write(data)


def _answer(reply: bytes, code: int, said: str) -> Any:
    try:
        got = unpack(reply)
    except StoreError as error:
        last = said.strip().splitlines()[-1:] or [""]
        raise RunError(
            "a limited task died", given=f"{_cause(code)} {last[0][:200]}".strip(), do="allow it more memory or time"
        ) from error
    if "kind" in got:
        kind = getattr(core, got["kind"], RunError)
        what, given, expected, do = got["parts"]
        raise kind(what, given=given, expected=expected, do=do)
    if "failed" in got:
        raise RunError("a limited task failed", given=got["failed"])
    return got["value"]


def _end(child: subprocess.Popen[bytes], late: threading.Event | None) -> None:
    """Kill the child's whole group, grandchildren included."""
    if late is not None:
        late.set()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"
