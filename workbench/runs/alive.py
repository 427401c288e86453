"""Whether a process that was written down is still that process: its number alone comes back in another."""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterable

import psutil

from .. import files
from ..core import StoreError

HOST = socket.gethostname()
# A job's processes carry it in their environment, so that they are found when their parents are gone.
MARK = "WORKBENCH_JOB"


def birth(pid: int) -> str:
    """What no other process of this number has: the boot and the time of its start; empty when it has ended.

    On Linux the time is counted in ticks since the boot, which setting the clock does not move.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        if platform.system() != "Linux":
            return f"{process.create_time():.2f}"
        fields = files.read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
        return f"{files.read_text('/proc/sys/kernel/random/boot_id').strip()}:{fields[19]}"
    except (psutil.Error, StoreError, IndexError):
        return ""


def same(pid: int | None, born: str | None) -> bool:
    """Whether the process that was written down with its birth still lives."""
    return bool(pid and born) and birth(pid or 0) == born


def marked(mark: str) -> list[psutil.Process]:
    """The user's processes whose environment carries a job's mark: runner, kernel and whatever they started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(processes: Iterable[psutil.Process]) -> None:
    """End processes at once; psutil does not touch a number that has gone to somebody else."""
    for process in processes:
        try:
            process.kill()
        except psutil.Error:
            continue
