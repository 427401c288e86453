"""Where files may lie, and what they contain: containment, digests, reading under limits."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from ..core import DataError, StoreError

TEXT_LIMIT = 64 << 20
BYTES_LIMIT = 4 << 30
_CHUNK = 1 << 20


def inside(root: str | Path, name: str | Path) -> Path:
    """The file ``name`` below ``root``, after links are followed.

    Args:
        root: folder that must contain the file.
        name: relative path from an untrusted list.

    Raises:
        DataError: the name is absolute, climbs out, or leads out through a link.
    """
    text = str(name)
    base = Path(root).resolve()
    bad = "\0" in text or text.startswith(("~", "/", "\\")) or len(text) > 4096 or Path(text).is_absolute()
    try:
        target = base if bad else (base / text).resolve()
    except (OSError, RuntimeError, ValueError):
        # A link to itself, a part longer than the file system has, a text that is no file name.
        bad, target = True, base
    if bad or not target.is_relative_to(base):
        raise DataError(
            "a file name leads out of its folder",
            given=ascii(text[:200]),
            expected=f"a relative path below {base.name}/",
            do="correct the list that names it",
        )
    return target


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A scratch folder that disappears with the ``with`` block."""
    return tempfile.TemporaryDirectory(prefix="workbench-")


def read_bytes(path: str | Path, *, limit: int = BYTES_LIMIT) -> bytes:
    """All bytes of a file, at most ``limit``.

    Raises:
        StoreError: the file is absent, unreadable, not a file or larger than the limit.
    """
    file = Path(path)
    try:
        with _regular(file) as stream:
            # Never more than is there: reading allocates what it is asked for.
            data = stream.read(min(limit, os.fstat(stream.fileno()).st_size) + 1)
            while len(data) <= limit and (more := stream.read(_CHUNK)):
                data += more
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    if len(data) > limit:
        raise StoreError(f"{file} is too large", given=f"over {limit} bytes", expected=f"at most {limit} bytes")
    return data


def read_text(path: str | Path, *, limit: int = TEXT_LIMIT) -> str:
    """A UTF-8 text file, at most ``limit`` bytes.

    Raises:
        StoreError: as `read_bytes`, or the bytes are not UTF-8.
    """
    try:
        return read_bytes(path, limit=limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise StoreError(f"{path} is not UTF-8 text", given=str(error), do="save it as UTF-8") from error


def sha256_bytes(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: str | Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    try:
        with _regular(Path(path)) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest()


def _regular(path: Path) -> BinaryIO:
    """Open a plain file; a pipe or a device would block for ever or never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(None, "it is not a plain file")
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def _unreadable(path: str | Path, error: Exception) -> StoreError:
    given = error.strerror if isinstance(error, OSError) else error
    return StoreError(f"cannot read {path}", given=given, expected="a readable file", do="check the path")


def digest_tree(paths: Iterable[str | Path], root: str | Path) -> str:
    """One digest over names and contents; the order given does not matter.

    Args:
        paths: files below ``root``.
        root: folder that names are taken relative to, so that moving it changes nothing.
    """
    base = Path(root)
    digest = hashlib.sha256()
    named = sorted((Path(p).relative_to(base).as_posix(), Path(p)) for p in paths)
    for name, file in named:
        digest.update(f"{len(name.encode())}:{name}:{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def free_bytes(path: str | Path) -> int:
    """Bytes that an ordinary user may still write where ``path`` lies."""
    place = Path(path)
    while not place.exists():
        place = place.parent
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize
