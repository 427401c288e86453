"""Our own record of what happened in a run; the notebook's metadata is never believed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from .. import files

NAME = "journal.jsonl"


def write(folder: Path, event: str, **facts: object) -> None:
    """Append one event with its time."""
    files.append_line(folder / NAME, files.to_json({"event": event, "at": time.time(), **facts}))


def read(folder: Path) -> list[dict[str, Any]]:
    """All events; a last line that was cut by a death is left out."""
    path = folder / NAME
    if not path.is_file():
        return []
    events = []
    for line in files.read_text(path).splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events
