"""Steps that need not be computed again.

This run did it before it was interrupted, another run of the study did it, or the same notebook a moment ago.
"""

from __future__ import annotations

import json
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import files
from ..core import ShapeError, StoreError

IDENTITY = "identity.json"
# Bytes of a live notebook's steps together.
LIMIT = 2**30


@dataclass(frozen=True)
class Found:
    """A step's value from before.

    Attributes:
        value: equal to what the step gave.
        run: the other run that computed it, or "".
    """

    value: Any
    run: str = ""


class InFolder:
    """Steps in the folder of a run, and in those of other runs that differ from it in parameters alone.

    Such runs share study, code, data, weights, packages and kind of machine, by their written identities: there a step
    with equal arguments gave an equal value.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, label: str, key: str) -> Found | None:
        """The value of a step; one of this run that is damaged is deleted.

        Args:
            label: of the step.
            key: of all that its value depends on.
        """
        own = _place(self._folder, label, key)
        if own.is_file():
            try:
                return Found(files.unpack(files.read_bytes(own)))
            except StoreError:
                own.unlink()
        for other in self._others:
            try:
                return Found(files.unpack(files.read_bytes(_place(other, label, key))), other.name)
            except StoreError:
                # It has none, or a damaged one, which is for its own run to mend.
                continue
        return None

    def keep(self, label: str, key: str, value: object) -> None:
        """Write a value down.

        Raises:
            ShapeError: it cannot be stored.
        """
        files.commit_bytes(_place(self._folder, label, key), files.pack(value))

    @cached_property
    def _others(self) -> list[Path]:
        own = _facts(self._folder)
        if own is None:
            return []
        return [p for p in sorted(self._folder.parent.iterdir()) if p != self._folder and _facts(p) == own]


def _place(folder: Path, label: str, key: str) -> Path:
    return folder / "steps" / f"{label.replace('/', '-')}-{key[:16]}.zip"


def _facts(folder: Path) -> dict[str, object] | None:
    try:
        written = json.loads(files.read_text(folder / IDENTITY))
        return {name: value for name, value in written.items() if name != "parameters"}
    except (StoreError, ValueError, AttributeError):
        # Not started by the runner, or damaged: nobody knows what it is.
        return None


class InMemory:
    """Steps of a live notebook, as bytes: who changes an array in place changes no copy of it.

    What was longest not asked for goes first.

    Args:
        limit: bytes of all together.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._values: OrderedDict[str, bytes] = OrderedDict()
        self._code = ""
        self._edited = False

    def begin(self, code: str) -> InMemory:
        """A run begins, and its code has this digest.

        Once code was edited under a living kernel nobody knows which of it is loaded: from then on nothing is kept.
        """
        self._edited = self._edited or code != (self._code or code)
        self._code = code
        if self._edited:
            self._values.clear()
        return self

    def find(self, label: str, key: str) -> Found | None:
        """As `InFolder.find`; the label does not matter."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        try:
            return Found(files.unpack(self._values[key]))
        except StoreError:
            # It holds a class of the notebook's own, which is none of an installed study.
            return None

    def keep(self, label: str, key: str, value: object) -> None:
        """Keep a value, unless it cannot be stored."""
        try:
            packed = files.pack(value)
        except ShapeError:
            return
        if self._edited or len(packed) > self.limit:
            return
        self._values[key] = packed
        while sum(map(len, self._values.values())) > self.limit:
            self._values.popitem(last=False)


# Of this process's notebooks, by study.
_MEMORIES: defaultdict[str, InMemory] = defaultdict(InMemory)


def store(folder: Path | None, slug: str, code: str, *, given: bool) -> InFolder | InMemory | None:
    """Where a run finds and keeps its steps: its folder, or without one this process.

    Args:
        folder: of the run, or None.
        slug: of the study.
        code: digest of its code.
        given: whether it reads files of the user: without a run's identity nobody notices that they were changed.
    """
    if folder is not None:
        return InFolder(folder)
    return None if given else _MEMORIES[slug].begin(code)
