"""Why a committed run is not what the same parameters would give today, without opening data or weights.

`index.state` answers the same question by making the whole identity anew, which hashes the user's data. Here what
is code, packages and machine is compared, and of data and weights whether they are still there and were written to
since: fit for a list of all studies that is drawn again and again.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from .. import data as datasets
from .. import files, models, studies
from ..core import WorkbenchError
from . import identity

_Mark = tuple[int, int]
# Of a folder of data: so many files are looked at, not more often than so many seconds. LFW has 13,233.
MOST_FILES = 20_000
LOOK_SECONDS = 60.0


class Staleness:
    """Compares identities that were written down with today's; what was read of a file is kept until it changes.

    Threads may share one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tree: tuple[object, ...] = ()
        self._codes: dict[str, str] = {}
        self._imports: dict[Path, list[Path]] = {}
        self._named: dict[Path, tuple[_Mark, list[list[str]]]] = {}
        self._digests: dict[Path, tuple[_Mark, str]] = {}
        self._packages: dict[str, str] | None = None
        self._written: dict[Path, tuple[float, float]] = {}

    def look(self) -> None:
        """See whether a file of the package changed; called once before many questions."""
        tree = tuple(_tree(studies.PACKAGE))
        with self._lock:
            if tree != self._tree:
                self._tree = tree
                self._codes.clear()
                self._imports.clear()

    def reasons(
        self, place: studies.Place, version: str, kept: Mapping[str, Any], order: Mapping[str, Any], began: float
    ) -> list[str]:
        """Why a run is stale, as sentences; none where it is current.

        Args:
            place: of its study today.
            version: of its study today.
            kept: the identity that the run was given.
            order: the parameters that it was started with.
            began: when it was started, in seconds since 1970.
        """
        found = []
        if kept.get("version") != version:
            found.append(f"the study is {version} now; this is of {kept.get('version')}")
        try:
            if kept.get("code") != self._code(place):
                found.append("the code of the study or below it has changed")
        except WorkbenchError as error:
            found.append(f"its code cannot be read: {error.what}")
        found += _changed(kept.get("packages") or {}, self._installed())
        if kept.get("machine") != platform.machine():
            found.append(f"it ran on {kept.get('machine')}; this is {platform.machine()}")
        for name, room in (("data", datasets), ("model", models)):
            places = [Path(where) for spec in room.several(str(order.get(name, ""))) if (where := room.split(spec)[1])]
            what = "data" if name == "data" else "weights"
            if not all(where.exists() for where in places):
                found.append(f"its {what} are no longer where they were")
            elif any(self._last_written(where) > began for where in places):
                found.append(f"its {what} were written to after it began")
        return found

    def _last_written(self, where: Path) -> float:
        """When a file, or anything in a folder, was last written, in seconds since 1970; looked up now and then."""
        looked, last = self._written.get(where, (-LOOK_SECONDS, 0.0))
        if time.monotonic() - looked >= LOOK_SECONDS:
            last = max(islice(_written(str(where)), MOST_FILES), default=0.0)
            self._written[where] = (time.monotonic(), last)
        return last

    def _installed(self) -> dict[str, str]:
        if self._packages is None:
            self._packages = identity.packages()
        return self._packages

    def _code(self, place: studies.Place) -> str:
        with self._lock:
            outside = not place.module.is_relative_to(studies.PACKAGE)
            key = f"{place.slug} {_mark(place.module) if outside else ''} {_mark(place.notebook)}"
            if key not in self._codes:
                self._codes[key] = identity.code_digest(
                    place.module, place.notebook, imports=self._imported, digest=self._digest
                )
            return self._codes[key]

    def _imported(self, file: Path) -> list[Path]:
        if file not in self._imports:
            mark = _mark(file)
            if self._named.get(file, (None,))[0] != mark:
                self._named[file] = (mark, identity.named(file))
            self._imports[file] = [f for parts in self._named[file][1] for f in identity.files_of(parts)]
        return self._imports[file]

    def _digest(self, file: Path) -> str:
        mark = _mark(file)
        if self._digests.get(file, (None,))[0] != mark:
            self._digests[file] = (mark, files.sha256_file(file))
        return self._digests[file][1]


def _written(place: str) -> Iterator[float]:
    """Times of a file, or of a folder and all below it; links are not followed beyond the first."""
    try:
        yield Path(place).stat().st_mtime
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _written(entry.path)
                else:
                    yield entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        # A file is no folder; what may not be read, or has just gone, says nothing.
        return


def _mark(file: Path) -> _Mark:
    try:
        state = file.stat()
    except OSError:
        return (0, -1)
    return (state.st_mtime_ns, state.st_size)


def _tree(folder: Path) -> list[tuple[str, int, int]]:
    """Names, times and sizes of the modules below a folder."""
    found = []
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            found += _tree(Path(entry.path)) if entry.name != "__pycache__" else []
        elif entry.name.endswith(".py"):
            state = entry.stat()
            found.append((entry.path, state.st_mtime_ns, state.st_size))
    return sorted(found)


def _changed(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    differs = [n for n in sorted({*then, *now}) if then.get(n) != now.get(n)]
    return [f"{n} was {then.get(n, 'not installed')} and is {now.get(n, 'not installed')}" for n in differs]
