"""What a process prints, kept beside its result: opened for adding, read from any place under a limit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from .paths import _regular, _unreadable
from .store import failed


def open_log(path: str | Path) -> BinaryIO:
    """A file that a child process may print into; only its owner reads it.

    Raises:
        StoreError: it cannot be written.
    """
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        return os.fdopen(descriptor, "ab", buffering=0)
    except OSError as error:
        raise failed(file, 0, error) from error


def read_part(path: str | Path, start: int | None, limit: int) -> tuple[bytes, int, int]:
    """At most ``limit`` bytes of a file that may still grow.

    Args:
        path: of the file.
        start: offset of the first byte; None: so that the end is read.
        limit: in bytes.

    Returns:
        The bytes, the offset of the first one, and the size of the file.

    Raises:
        StoreError: the file is absent or unreadable.
    """
    try:
        with _regular(Path(path)) as stream:
            size = os.fstat(stream.fileno()).st_size
            first = max(0, size - limit) if start is None else min(start, size)
            stream.seek(first)
            return stream.read(min(limit, size - first)), first, size
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
