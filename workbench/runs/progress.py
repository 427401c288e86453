"""How far a run is, told from its journal and its notebook."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import files

_STEPS = ("step-start", "step-done", "step-kept")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        fraction: code cells finished of all, 0 to 1; None before the first.
        cell: the one that runs, counted from 0 with those of text.
        cells: how many there are.
        step: the latest one.
        steps_done: how many are finished.
        line: the latest event in words.
    """

    fraction: float | None = None
    cell: int | None = None
    cells: int | None = None
    step: str | None = None
    steps_done: int = 0
    line: str | None = None


def layout(notebook: Path) -> list[bool]:
    """For each cell of a notebook that papermill executes, whether it is code; the injected one is counted."""
    kinds = []
    for cell in json.loads(files.read_text(notebook))["cells"]:
        kinds.append(cell["cell_type"] == "code")
        if "parameters" in cell["metadata"].get("tags", []):
            kinds.append(True)
    return kinds


def latest(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events since the latest start: an interrupted run goes on in the same journal."""
    starts = [i for i, e in enumerate(events) if e["event"] == "started"]
    return events[starts[-1] :] if starts else events


def progress(events: Iterable[Mapping[str, Any]], code: list[bool]) -> Progress:
    """How far a run with these events is.

    Args:
        events: since its latest start.
        code: see `layout`.
    """
    cell, step, done, line, fraction = None, None, 0, None, None
    for event in events:
        kind = event["event"]
        if kind == "cell":
            cell = int(event["cell"])
            fraction = sum(code[:cell]) / max(1, sum(code))
            line = f"cell {cell + 1} of {len(code)}"
        elif kind in _STEPS:
            step, line = str(event["step"]), str(event["step"])
            done += kind != "step-start"
        elif kind in ("executed", "committed"):
            fraction, line = 1.0, kind
        elif kind == "stopped":
            # A notebook that is being ended may still go through cells.
            break
    return Progress(fraction, cell, len(code) if cell is not None else None, step, done, line)
