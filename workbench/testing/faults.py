"""Make the n-th step of writing fail, or die there; the step counter of the files room drives it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files import _steps


@contextmanager
def fail_at(n: int, error: OSError, *, persist: bool = False) -> Iterator[list[int]]:
    """Raise ``error`` at step ``n`` (from 1), and at every later one with ``persist``.

    Yields:
        A list whose only entry counts the steps seen; a loop over n ends when it stays below n.
    """
    seen = [0]

    def hook(kind: str, path: Path) -> None:
        seen[0] += 1
        if seen[0] == n or (persist and seen[0] > n):
            raise error

    end = _steps.watch(hook)
    try:
        yield seen
    finally:
        end()


@contextmanager
def die_at(n: int) -> Iterator[None]:
    """Kill this process, without any clean-up, at step ``n`` (from 1)."""
    seen = 0

    def hook(kind: str, path: Path) -> None:
        nonlocal seen
        seen += 1
        if seen == n:
            os.kill(os.getpid(), signal.SIGKILL)

    end = _steps.watch(hook)
    try:
        yield
    finally:
        end()


@contextmanager
def record() -> Iterator[list[tuple[str, str]]]:
    """Collect ``(kind, file name)`` of every step, in order."""
    steps: list[tuple[str, str]] = []
    end = _steps.watch(lambda kind, path: steps.append((kind, path.name)))
    try:
        yield steps
    finally:
        end()
