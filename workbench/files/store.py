"""Writing that is whole or absent: write, flush, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from pathlib import Path

from ..core import StoreError
from ._steps import step

_MARK = ".partial-"


def commit_bytes(path: str | Path, data: bytes) -> Path:
    """Replace ``path`` by ``data`` in one step; a reader sees the old or the new file, never half.

    Raises:
        StoreError: it could not be written; what was there before is whole, and nothing is left over.
    """
    final = Path(path)
    # Not longer than the name itself may be.
    scratch = final.with_name(f".{final.name[:40]}{_MARK}{uuid.uuid4().hex}")
    try:
        step("create", final)
        final.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as stream:
            step("write", final)
            stream.write(data)
            step("flush", final)
            stream.flush()
            step("fsync", final)
            os.fsync(stream.fileno())
        step("rename", final)
        scratch.replace(final)
        step("fsync-folder", final.parent)
        _fsync(final.parent)
    except (OSError, ValueError) as error:
        raise failed(final, len(data), error) from error
    finally:
        # A name that could not be made cannot be removed either; its own error is already on the way.
        with contextlib.suppress(OSError, ValueError):
            scratch.unlink(missing_ok=True)
    return final


def commit_text(path: str | Path, text: str) -> Path:
    """`commit_bytes` of UTF-8 text."""
    return commit_bytes(path, text.encode("utf-8"))


def commit_folder(staging: str | Path, final: str | Path) -> Path:
    """Move a finished folder to its place in one step.

    Raises:
        StoreError: ``final`` is there already, or the move failed; ``staging`` is then still whole.
    """
    source, target = Path(staging), Path(final)
    if target.exists():
        raise StoreError(f"{target} is already there", expected="a new place", do="remove it or choose another")
    try:
        inner = sorted(source.rglob("*"))
        for file in (p for p in inner if p.is_file()):
            step("fsync", file)
            _fsync(file)
        for folder in (source, *(p for p in inner if p.is_dir())):
            step("fsync-folder", folder)
            _fsync(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        step("rename", target)
        source.rename(target)
        step("fsync-folder", target.parent)
        _fsync(target.parent)
    except (OSError, ValueError) as error:
        raise failed(target, 0, error) from error
    return target


def append_line(path: str | Path, text: str) -> None:
    """Add one line to a journal: a single write to the end, then fsync.

    A piece of a line that a killed or failed writer left at the end stays a line of its own.

    Raises:
        StoreError: it could not be written.
    """
    file = Path(path)
    line = text.replace("\n", "\\n").encode("utf-8", "backslashreplace") + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        step("append", file)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            if os.write(descriptor, line) != len(line):
                raise OSError(None, "only a part of the line was written")
            step("fsync", file)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if not size:
            step("fsync-folder", file.parent)
            _fsync(file.parent)
    except (OSError, ValueError) as error:
        raise failed(file, len(line), error) from error


def sweep(folder: str | Path) -> int:
    """Remove what killed writers left behind in ``folder``; returns how many files."""
    left = list(Path(folder).glob(f".*{_MARK}*"))
    for file in left:
        file.unlink(missing_ok=True)
    return len(left)


def remove_folder(path: str | Path) -> None:
    """Delete a folder of ours with all that is in it; absent is fine."""
    shutil.rmtree(path, ignore_errors=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def failed(path: Path, size: int, error: Exception) -> StoreError:
    """The one way in which writing is said to have failed."""
    why = error.strerror if isinstance(error, OSError) else None
    return StoreError(
        f"could not write {path}",
        given=why or str(error),
        expected=f"a writable place with {size} bytes free",
        do="free space or choose another folder; what lies there is whole: the old or the new",
    )
