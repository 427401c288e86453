"""A small run that writes in every way the store knows, to be killed or failed at each of its steps."""

from __future__ import annotations

import time
from pathlib import Path

from workbench import files
from workbench.core import StoreError
from workbench.testing import faults

OLD = {"answer": "old", "n": [1, 2, 3]}
NEW = {"answer": "new", "n": list(range(2000))}


def run(home: Path) -> None:
    """Lock, journal, a result, a folder: what `runs` does, in small; done work is not done again."""
    with files.Lock(home / "lock", wait=5.0):
        files.sweep(home)
        files.append_line(home / "journal", files.to_json({"event": "start"}))
        step = home / "step.npz"
        if not step.exists():
            files.commit_bytes(step, files.pack({"x": [1.5, 2.5]}))
        files.commit_text(home / "result.json", files.to_json(NEW))
        if not (home / "report").exists():
            files.remove_folder(home / "staging")
            files.commit_text(home / "staging" / "a.html", "<p>a</p>")
            files.commit_folder(home / "staging", home / "report")
        files.append_line(home / "journal", files.to_json({"event": "end"}))


def run_and_die(home: str, n: int) -> None:
    """`run`, killed at step ``n``."""
    with faults.die_at(n):
        run(Path(home))


def commit_of(path: str, size: int) -> str:
    """What committing ``size`` bytes says."""
    try:
        files.commit_bytes(path, b"x" * size)
    except StoreError as error:
        return str(error)
    return "written"


def hold(path: str, ready: str, seconds: float) -> None:
    """Hold a lock, and say so by a file."""
    with files.Lock(path):
        files.commit_text(ready, "held")
        time.sleep(seconds)


def count_up(folder: str, rounds: int) -> int:
    """Add to a number in a file under a lock; returns how often a reader saw something torn."""
    torn = 0
    for _ in range(rounds):
        with files.Lock(Path(folder, "lock"), wait=60.0):
            number = int(files.read_text(Path(folder, "number")))
            files.commit_text(Path(folder, "number"), f"{number + 1:08d}")
        torn += len(files.read_text(Path(folder, "number"))) != 8
    return torn
