"""An image folder of the user's: ``<capture subject>/<picture>``, any number of each.

Pairs are drawn by a named seed: as many mated as non-mated trials.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from .. import files
from ..core import DataError, ParameterError, Samples, Trials
from .protocols import balanced

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".pgm", ".ppm", ".tif", ".tiff", ".gif"}


class Named(Protocol):
    """What has protocols."""

    @property
    def name(self) -> str:
        """As it is opened."""

    @property
    def protocols(self) -> tuple[str, ...]:
        """Names; the first is the default."""


@dataclass(frozen=True)
class Folder:
    """Pictures in one folder per capture subject."""

    root: Path
    entries: tuple[tuple[str, str], ...]
    seed: int = 0
    name: str = "folder"
    licence: str = "that of the user's pictures"
    real: bool = True
    protocols: tuple[str, ...] = ("verification",)

    @cached_property
    def digest(self) -> str:
        """Over names and contents, wherever the folder lies."""
        return files.digest_tree([self.root / path for _, path in self.entries], self.root)

    def samples(self, protocol: str = "") -> Samples:
        """All pictures, in the order of their names."""
        check_protocol(self, protocol)
        return Samples(
            f"{self.name}/{self.root.name}",
            tuple(path for _, path in self.entries),
            np.array([subject for subject, _ in self.entries]),
            files.ImageFiles(str(self.root), tuple(path for _, path in self.entries)),
            licence=self.licence,
            real=self.real,
            digest=self.digest,
        )

    def trials(self, protocol: str = "") -> Trials:
        """Balanced trials, drawn by a named seed."""
        check_protocol(self, protocol)
        return balanced(np.array([s for s, _ in self.entries]), "folder", self.seed)


def check_protocol(dataset: Named, protocol: str) -> None:
    """Raise `ParameterError` for a protocol that a data set does not have."""
    if protocol and protocol not in dataset.protocols:
        raise ParameterError(
            f"{dataset.name} has no protocol {protocol!r}",
            given=protocol,
            expected=", ".join(dataset.protocols),
        )


def open(path: str = "", *, seed: int = 0) -> Folder:
    """The folder at ``path``.

    Raises:
        DataError: no such folder, no pictures in it, or a link that leads out of it.
    """
    root = Path(path)
    if not path or not root.is_dir():
        raise DataError(
            "there is no such folder",
            given=path or "no path",
            expected="folder:PATH with PATH/<capture subject>/<picture>",
            do="check the path",
        )
    entries = sorted(_entries(root))
    if not entries:
        raise DataError(
            f"{root.name} holds no pictures",
            given=f"{sum(1 for _ in root.iterdir())} entries",
            expected=f"<capture subject>/<picture> with one of {', '.join(sorted(SUFFIXES))}",
            do="put each person's pictures into a folder of their own",
        )
    return Folder(root, tuple(entries), seed)


def _entries(root: Path) -> list[tuple[str, str]]:
    found = []
    for person in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")):
        for picture in sorted(person.iterdir()):
            if picture.suffix.lower() in SUFFIXES:
                relative = f"{person.name}/{picture.name}"
                _check_name(relative)
                files.inside(root, relative)
                found.append((person.name, relative))
    return found


def _check_name(name: str) -> None:
    try:
        os.fsencode(name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError("a file's name is not UTF-8", given=repr(name), do="rename the file") from error
