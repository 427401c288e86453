"""The state of every study, read from what lies in the home folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .. import files, studies
from ..core import Result, WorkbenchError
from . import identity, journal
from .home import home
from .process import RESULT, load


@dataclass(frozen=True)
class State:
    """Where a study stands.

    Attributes:
        slug: of the study.
        status: never run, running, done, stale, failed, died or stopped.
        folder: of its latest run, or None.
        result: of its latest committed run, or None.
        at: time of the latest event in seconds since 1970, or 0.
    """

    slug: str
    status: str
    folder: Path | None = None
    result: Result | None = None
    at: float = 0.0


def state(slug: str) -> State:
    """The state of one study, by its latest run."""
    place = home() / "runs" / slug.replace("/", "--")
    folders = [f for f in place.iterdir() if journal.read(f)] if place.is_dir() else []
    if not folders:
        return State(slug, "never run")
    latest = max(folders, key=lambda f: float(journal.read(f)[-1]["at"]))
    last = journal.read(latest)[-1]
    at = float(last["at"])
    if (latest / RESULT).is_file():
        return State(slug, "stale" if _stale(slug, latest) else "done", latest, load(latest), at)
    if files.owner(latest / "lock"):
        return State(slug, "running", latest, None, at)
    status = last["event"] if last["event"] in ("failed", "stopped") else "died"
    return State(slug, status, latest, None, at)


def _stale(slug: str, folder: Path) -> bool:
    """Whether the same parameters would be another run today: code, data, weights or packages changed."""
    values = json.loads(files.read_text(folder / "order.json"))["parameters"]
    try:
        return identity.identify(slug, values).id != folder.name
    except WorkbenchError:
        # The data or weights are no longer where they were.
        return True


def board() -> list[State]:
    """The state of every study."""
    return [state(slug) for slug in studies.names()]
