"""The state of every study, read from what lies in the home folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import files, studies
from ..core import DataError, Result, StoreError, WorkbenchError
from . import identity, journal
from .child import OUT_OF_MEMORY
from .home import home
from .process import RESULT, load
from .progress import latest

ENDS = ("failed", "died", "stopped", OUT_OF_MEMORY)


@dataclass(frozen=True)
class State:
    """Where a study stands.

    Attributes:
        slug: of the study.
        status: never run, running, done, stale, failed, out of memory, died or stopped.
        folder: of its latest run, or None.
        result: of its latest run, None where that has committed nothing (yet).
        at: time of the latest event in seconds since 1970, or 0.
    """

    slug: str
    status: str
    folder: Path | None = None
    result: Result | None = None
    at: float = 0.0


@dataclass(frozen=True)
class Record:
    """One run that was started.

    Attributes:
        slug, id: of the study and of the run.
        status: as in `State`, but for staleness: what is recorded does not age.
        scale: of its parameters.
        started, ended: seconds since 1970; ``ended`` is the latest event.
        folder: where it lies.
    """

    slug: str
    id: str
    status: str
    scale: str
    started: float
    ended: float
    folder: Path

    @property
    def result(self) -> Result | None:
        """What it found, read when asked for; None where nothing was committed."""
        return load(self.folder) if self.status == "done" else None


def record(slug: str, folder: Path) -> Record | None:
    """What a run folder says of itself; None where no run was started in it."""
    events = journal.read(folder)
    if not events:
        return None
    last = events[-1]
    ends = [e["event"] for e in latest(events) if e["event"] in ENDS]
    starts = [e for e in events if e["event"] == "started"] or events[:1]
    if (folder / RESULT).is_file():
        status = "done"
    elif files.owner(folder / "lock"):
        status = "running"
    else:
        # What a stopped run still wrote while it was being ended is not how it ended.
        status = "stopped" if "stopped" in ends else ends[-1] if ends else "died"
    scale = str(ordered(folder).get("scale", ""))
    return Record(slug, folder.name, status, scale, float(starts[-1]["at"]), float(last["at"]), folder)


def ordered(folder: Path) -> dict[str, Any]:
    """The parameters that a run was started with; empty where that cannot be read: one damaged run spoils no list."""
    try:
        found = json.loads(files.read_text(folder / "order.json"))["parameters"]
    except (StoreError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def history(slug: str | None = None) -> list[Record]:
    """All runs, or those of one study, the latest first; also those of studies that are no longer there."""
    root = home() / "runs"
    places = [root / slug.replace("/", "--")] if slug else sorted(root.iterdir()) if root.is_dir() else []
    known = [
        found
        for place in places
        if place.is_dir()
        for folder in place.iterdir()
        if (found := record(place.name.replace("--", "/"), folder)) is not None
    ]
    return sorted(known, key=lambda r: r.ended, reverse=True)


def committed(slug: str) -> Record | None:
    """The latest run of a study that committed a result."""
    return next((r for r in history(slug) if r.status == "done"), None)


def state(slug: str) -> State:
    """The state of one study, by its latest run."""
    runs = history(slug)
    if not runs:
        return State(slug, "never run")
    latest = runs[0]
    status = "stale" if latest.status == "done" and _stale(slug, latest.folder) else latest.status
    return State(slug, status, latest.folder, latest.result, latest.ended)


def look(folder: Path) -> State:
    """The state of one run by its folder, wherever it lies.

    Raises:
        DataError: it is no run's folder.
    """
    order = folder / "identity.json"
    slug = json.loads(files.read_text(order)).get("study", "") if order.is_file() else ""
    slug = slug or folder.parent.name.replace("--", "/")
    found = record(slug, folder) if folder.is_dir() else None
    if found is None:
        raise DataError(
            "this is no run's folder", given=folder, expected="a folder with a journal, as `workbench runs` lists them"
        )
    stale = found.status == "done" and slug in studies.names() and _stale(slug, folder)
    return State(slug, "stale" if stale else found.status, folder, found.result, found.ended)


def _stale(slug: str, folder: Path) -> bool:
    """Whether the same parameters would be another run today: code, data, weights or packages changed."""
    try:
        return identity.identify(slug, ordered(folder)).id != folder.name
    except WorkbenchError:
        # The data or weights are no longer where they were.
        return True


def board() -> list[State]:
    """The state of every study; where its latest run committed nothing, with the result of the latest that did.

    A failed attempt at another scale takes no verdict off the board.
    """
    return [_with_result(state(slug)) for slug in studies.names()]


def _with_result(found: State) -> State:
    if found.result is not None or found.folder is None:
        return found
    earlier = committed(found.slug)
    return replace(found, result=earlier.result if earlier else None)
