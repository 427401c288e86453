"""A whole folder of new files: there with all of them, or not there."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core import StoreError
from ._steps import step
from .paths import inside
from .store import commit_folder, failed, remove_folder


@dataclass(frozen=True)
class NewFolder:
    """Files on their way into a folder; they are made durable together, by `new_folder`.

    Attributes:
        root: where they lie meanwhile.
    """

    root: Path

    def add(self, name: str, data: bytes) -> None:
        """Write one file.

        Raises:
            DataError: the name leads out of the folder.
            StoreError: two files would have one name, or it could not be written.
        """
        path = inside(self.root, name)
        try:
            step("create", path)
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as stream:
                step("write", path)
                stream.write(data)
        except FileExistsError as error:
            raise StoreError("two files would have one name", given=name, expected="a name for each") from error
        except (OSError, ValueError) as error:
            raise failed(path, len(data), error) from error


@contextlib.contextmanager
def new_folder(final: str | Path, *, mark: str, replace: bool = False) -> Iterator[NewFolder]:
    """A folder that appears, with all files added to it, when the ``with`` block ends well.

    Args:
        final: where; absent or empty, unless ``replace``.
        mark: name of a file that the block adds, by which a folder of ours is known again.
        replace: put it in the place of an older one that carries the mark; any other folder is left alone.

    A process that is killed between the two renames of a replacement leaves the older folder beside its place, named
    ``.<name>.partial-...-old``.

    Raises:
        StoreError: something is there that may not be replaced, or writing failed; what was there is then whole.
    """
    target = Path(final)
    _check(target, mark, replace)
    staging = target.with_name(f".{target.name[:40]}.partial-{uuid.uuid4().hex}")
    try:
        try:
            staging.mkdir(parents=True)
        except OSError as error:
            raise failed(target, 0, error) from error
        yield NewFolder(staging)
        if not (staging / mark).is_file():
            raise StoreError(f"{target} has no mark", given="a folder without it", expected=mark)
        _swap(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check(target: Path, mark: str, replace: bool) -> None:
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise StoreError(f"{target} is there and is no folder", expected="a new folder", do="choose another place")
    inner = sum(1 for _ in target.iterdir())
    if inner and not replace:
        raise StoreError(
            f"{target} is not empty",
            given=f"{inner} entries",
            expected="a new or empty folder",
            do="choose another folder, or pass replace=True",
        )
    if inner and not (target / mark).is_file():
        raise StoreError(
            f"{target} was not written by the workbench and is not replaced",
            given=f"{inner} entries, no {mark}",
            expected=f"a folder with {mark}",
            do="choose another folder, or remove it yourself",
        )


def _swap(staging: Path, target: Path) -> None:
    aside = target.with_name(f"{staging.name}-old")
    if target.exists():
        try:
            step("rename", aside)
            target.rename(aside)
        except OSError as error:
            raise failed(target, 0, error) from error
    try:
        commit_folder(staging, target)
    finally:
        if target.exists():
            remove_folder(aside)
        elif aside.exists():
            aside.rename(target)
