"""What a run's folder holds besides its result: steps done, figures drawn, comparison scores, the latest trouble."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import files
from ..core import Scores, StoreError
from . import journal
from .child import EXECUTED
from .session import SCORES

_NOTES = {"step-start": "going on", "step-done": "done", "step-kept": "kept from before"}


@dataclass(frozen=True)
class Step:
    """A step of a run.

    Attributes:
        name: as the notebook names it.
        status: going on, done, or kept from before.
        seconds: it took, 0 while it goes on.
        processor: seconds that all its threads computed; None where it goes on or was not noted.
    """

    name: str
    status: str
    seconds: float
    processor: float | None = None


@dataclass(frozen=True)
class Figure:
    """A figure that a run's notebook drew.

    Attributes:
        png: as a file.
        after: the heading above it.
    """

    png: bytes
    after: str


def steps(folder: Path) -> list[Step]:
    """The steps since the run was last started, in order."""
    found: dict[str, Step] = {}
    for event in journal.read(folder):
        if event["event"] == "started":
            found.clear()
        elif event["event"] in _NOTES:
            found[event["step"]] = Step(
                event["step"], _NOTES[event["event"]], float(event["seconds"]), event.get("processor")
            )
    return list(found.values())


def trouble(folder: Path) -> str:
    """Why the latest attempt came to no end, in the words of its journal; "" where it did."""
    events = journal.read(folder)
    if not events or "why" not in events[-1]:
        return ""
    cell = events[-1].get("cell", -1)
    return f"{events[-1]['why']}{f' (cell {cell})' if cell >= 0 else ''}"


def scores(folder: Path) -> dict[str, Scores]:
    """The comparison scores of a run's arms; empty where it compared nobody.

    Raises:
        StoreError: the file is damaged.
    """
    path = folder / SCORES
    return files.unpack(files.read_bytes(path)) if path.is_file() else {}


def executed(folder: Path) -> Path | None:
    """The executed notebook, if there is one."""
    path = folder / EXECUTED
    return path if path.is_file() else None


def figures(folder: Path) -> list[Figure]:
    """All figures of the executed notebook, in order.

    Raises:
        StoreError: the notebook is none.
    """
    path = executed(folder)
    if path is None:
        return []
    found, heading = [], ""
    try:
        for cell in json.loads(files.read_text(path))["cells"]:
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                headings = [line for line in text.splitlines() if line.startswith("#")]
                heading = headings[-1].lstrip("# ") if headings else heading
            found += [Figure(png, heading) for png in map(_png, cell.get("outputs", [])) if png]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise StoreError("the executed notebook cannot be read", given=f"{path.name}: {error}") from error
    return found


def _png(output: dict[str, Any]) -> bytes:
    data = output.get("data", {}).get("image/png", "")
    return base64.b64decode("".join(data), validate=False) if data else b""
