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
    """All events, up to the first line that is none: a death cuts the last one, a disk may damage any."""
    path = folder / NAME
    if not path.is_file():
        return []
    events = []
    for line in files.read_text(path).splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            break
        if not (isinstance(event, dict) and "event" in event and isinstance(event.get("at"), int | float)):
            break
        events.append(event)
    return events
