"""One writer at a time: a lock file that names its owner and does not outlive it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ..core import StoreError
from ._steps import step


class Lock:
    """Hold ``path`` while the block runs.

    The operating system drops the lock when its owner dies, so a dead owner never blocks anybody; the
    text inside only serves to name the owner.

    Args:
        path: lock file; it stays behind, empty of meaning when nobody holds it.
        wait: seconds to wait for another owner; 0 refuses at once.
    """

    def __init__(self, path: str | Path, *, wait: float = 0.0) -> None:
        self.path = Path(path)
        self.wait = wait
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        # `owner` holds a free lock for a moment, to see that it is free: one refusal is not yet an answer.
        deadline = time.monotonic() + max(self.wait, 0.1)
        try:
            step("lock", self.path)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            while (descriptor := _locked(self.path)) is None:
                if time.monotonic() >= deadline:
                    raise StoreError(
                        f"{self.path.parent.name} is in use",
                        given=f"held by {owner(self.path) or 'another process'}",
                        do="wait until it has finished, or stop that process",
                    )
                time.sleep(0.02)
            self._descriptor = descriptor
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        except StoreError:
            raise
        except OSError as error:
            self._release()
            raise StoreError(
                f"could not lock {self.path}",
                given=error.strerror or error,
                expected="a writable folder",
                do="free space or choose another folder",
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            # Closing alone would leave the lock with a child that was forked meanwhile.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None


def owner(path: str | Path) -> str:
    """Who holds a lock file, as ``"process 12 on host"``; empty when nobody does."""
    file = Path(path)
    if not file.exists():
        return ""
    descriptor = os.open(file, os.O_RDWR)
    try:
        if _try(descriptor):
            return ""
        text = os.pread(descriptor, 4096, 0).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    try:
        who = json.loads(text)
        return f"process {who['pid']} on {who['host']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has not yet written its name"


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock, or None while somebody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    held = _try(descriptor)
    # The folder may have been removed and made again: a lock on a file that is gone excludes nobody.
    if held and _same(descriptor, path):
        return descriptor
    os.close(descriptor)
    return None


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
