"""RELIABILITY F2 and F5 in small: a limited child is stopped in time, with all that it started."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import tasks

from workbench import files
from workbench.core import DataError, RunError


def gone(pid: int) -> bool:
    """Whether a process has ended; one that waits to be reaped has."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_values_go_there_and_back() -> None:
    thing = {"a": np.arange(3), "b": b"bytes", "t": (1, "x", None)}
    first, second = files.run_limited(tasks.double, thing)
    assert np.array_equal(first["a"], thing["a"])
    assert second["b"] == b"bytes"
    assert first["t"] == (1, "x", None)


def test_a_task_that_hangs_ends_with_all_its_children(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(RunError, match=r"took too long\n  given: over 2\.0 s"):
        files.run_limited(tasks.spin, str(tmp_path / "pids"), seconds=2.0)
    assert time.monotonic() - begin < 10
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_nothing_is_left_behind_by_a_task_that_ends(tmp_path: Path) -> None:
    assert files.run_limited(tasks.leave_behind, str(tmp_path / "pid"), seconds=20) == "done"
    assert gone(int((tmp_path / "pid").read_text()))


def test_memory_is_limited_in_the_child_alone() -> None:
    with pytest.raises(RunError, match="out of memory"):
        files.run_limited(tasks.fill, 2, memory=1 << 30)
    assert files.run_limited(tasks.fill, 1, memory=3 << 30) == 1 << 30


@pytest.mark.parametrize(("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV")])
def test_the_cause_of_death_is_said(number: int, name: str) -> None:
    with pytest.raises(RunError, match=f"a limited task died\n  given: {name}"):
        files.run_limited(tasks.crash, int(number))
    with pytest.raises(RunError, match="exit status 3"):
        files.run_limited(os._exit, 3)


def test_errors_come_back_as_what_they_were() -> None:
    with pytest.raises(DataError, match=r"the list is wrong\n  given: x\n  expected: y\n  do: z"):
        files.run_limited(tasks.complain)
    with pytest.raises(RunError, match="ZeroDivisionError: division by zero"):
        files.run_limited(tasks.divide)
    with pytest.raises(RunError, match="cannot be sent back"):
        files.run_limited(tasks.object_back)
