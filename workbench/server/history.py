"""What was run, read from the home folder and kept in memory until it changes."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .. import files
from ..core import BusyError, DataError, Result, StoreError, UnknownNameError, WorkbenchError
from ..runs import journal
from ..runs.home import home
from ..runs.index import ENDS, Record, ordered, record
from ..runs.process import RESULT, load
from ..runs.progress import Progress, latest, layout, progress
from ..runs.queue import Queue
from .shapes import name_of


@dataclass(frozen=True)
class Past:
    """One run, with what lists say about it.

    Attributes:
        record: see `runs.Record`.
        verdicts: claims and answers, of a committed run.
        identity, order: what it is, and the parameters that it was started with.
        fresh: no step of it was taken over from an interrupted run.
        problem: why it failed, in parts, or None.
        progress: how far it is or was.
        owner: who runs it, or "".
        timings: seconds by step so far.
    """

    record: Record
    verdicts: tuple[tuple[str, str], ...]
    identity: Mapping[str, Any]
    order: Mapping[str, Any]
    fresh: bool
    problem: Mapping[str, str] | None
    progress: Progress
    owner: str
    timings: Mapping[str, float]

    @property
    def key(self) -> str:
        """Study and run, as `Queue.latest_of_runs` has them."""
        return f"{self.record.slug}/{self.record.id}"

    def result(self) -> Result | None:
        """What it found, read now; None where nothing was committed.

        Raises:
            StoreError: what was committed cannot be read.
        """
        return load(self.record.folder) if self.record.status == "done" else None


class History:
    """All runs of the home folder. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[object, Past]] = {}

    def all(self, slug: str = "") -> list[Past]:
        """All runs, or those of one study; the latest first."""
        root = home() / "runs"
        places = [root / name_of(slug)] if slug else sorted(root.iterdir()) if root.is_dir() else []
        folders = [f for place in places if place.is_dir() for f in place.iterdir() if f.is_dir()]
        found = [past for folder in folders if (past := self._past(folder)) is not None]
        return sorted(found, key=lambda p: p.record.ended, reverse=True)

    def one(self, name: str, run: str) -> Past:
        """A run by the name of its study and its own id.

        Raises:
            UnknownNameError: it is not there, or it would lie elsewhere.
        """
        unknown = UnknownNameError("run", f"{name}/{run}", (), do="`workbench runs` lists them")
        try:
            folder = files.inside(home() / "runs", f"{name}/{run}")
        except DataError:
            raise unknown from None
        past = self._past(folder) if folder.is_dir() else None
        if past is None or folder.parent.name != name or folder.name != run:
            raise unknown
        return past

    def seconds(self, slug: str, runs: list[Past]) -> dict[str, float | None]:
        """Median of what fresh runs took, by scale."""
        taken: dict[str, list[float]] = {"smoke": [], "demo": [], "paper": []}
        for past in runs:
            if past.record.slug == slug and past.record.status == "done" and past.fresh:
                taken.setdefault(past.record.scale, []).append(past.record.ended - past.record.started)
        return {scale: round(median(values), 1) if values else None for scale, values in taken.items()}

    def purge(self, queue: Queue, name: str, run: str) -> tuple[int, list[int]]:
        """Remove a run: results, notebook, report, steps, and the entries and logs of its jobs.

        Returns:
            Bytes that were freed, and the jobs.

        Raises:
            UnknownNameError: it is not there.
            BusyError: it is running.
            StoreError: something is left.
        """
        past = self.one(name, run)
        folder = past.record.folder
        trash = home() / "purged" / uuid.uuid4().hex
        try:
            with files.Lock(folder / "lock"):
                jobs = queue.forget(past.record.slug, run)
                size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
                trash.parent.mkdir(parents=True, exist_ok=True)
                folder.rename(trash)
        except StoreError as error:
            raise BusyError("this run cannot be purged", given=error.given, do="cancel it first") from error
        files.remove_folder(trash)
        if trash.exists():
            raise StoreError(
                "a purged run could not be deleted", given=trash.name, do="delete purged/ in the home folder"
            )
        with self._lock:
            self._known.pop(folder, None)
        return size, jobs

    def _past(self, folder: Path) -> Past | None:
        result = folder / RESULT
        done = _mark(result)
        owner = "" if done else files.owner(folder / "lock")
        mark = (_mark(folder / journal.NAME), done, owner)
        with self._lock:
            kept = self._known.get(folder)
        if kept is not None and kept[0] == mark:
            return kept[1]
        past = _read(folder, owner)
        if past is not None:
            with self._lock:
                self._known[folder] = (mark, past)
        return past


def _mark(file: Path) -> tuple[int, int] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return (state.st_mtime_ns, state.st_size)


def _read(folder: Path, owner: str) -> Past | None:
    slug = folder.parent.name.replace("--", "/")
    try:
        found = record(slug, folder)
        if found is None:
            return None
        events = latest(journal.read(folder))
        verdicts = tuple((v.claim, str(v.answer)) for v in load(folder).verdicts) if found.status == "done" else ()
        code = layout(folder / "input.ipynb") if (folder / "input.ipynb").is_file() else []
    except (WorkbenchError, ValueError, KeyError, TypeError):
        # A damaged folder spoils its own row, not the table: it shows as a run that died.
        found, events, verdicts = Record(slug, folder.name, "died", "", 0.0, 0.0, folder), [], ()
        code = []
    end = next((e for e in reversed(events) if e["event"] == found.status), {"event": found.status})
    problem = _problem(end) if found.status in ENDS else None
    timings = {str(e["step"]): float(e["seconds"]) for e in events if e["event"] in ("step-done", "step-kept")}
    return Past(
        found, verdicts, _json(folder / "identity.json"), ordered(folder),
        not any(e["event"] == "step-kept" for e in events), problem, progress(events, code), owner, timings,
    )  # fmt: skip


def _problem(event: Mapping[str, Any]) -> dict[str, str]:
    cell = event.get("cell", -1)
    where = f" in cell {cell}" if isinstance(cell, int) and cell >= 0 else ""
    return {"what": f"{event['event']}{where}", "given": str(event.get("why", "")),
            "do": "run it again; finished steps are kept"}  # fmt: skip


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(files.read_text(file))
    except (WorkbenchError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
