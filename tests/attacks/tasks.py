"""Functions that misbehave in a limited child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from workbench.core import DataError


def double(value: object) -> tuple[object, object]:
    """Give back twice, and talk on the standard output."""
    print("talking", flush=True)
    os.write(1, b"more talk\n")
    return value, value


def spin(pids: str) -> None:
    """Never end, ignore interrupts, and leave a grandchild that does the same."""
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"
    grandchild = subprocess.Popen([sys.executable, "-c", code])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(pids).write_text(f"{os.getpid()} {grandchild.pid}")
    while True:
        time.sleep(0.01)


def leave_behind(pids: str) -> str:
    """End at once, but leave a grandchild running."""
    grandchild = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    Path(pids).write_text(str(grandchild.pid))
    return "done"


def fill(gigabytes: int) -> int:
    """Take memory and use it."""
    return int(np.ones(gigabytes << 27).nbytes)


def crash(number: int) -> None:
    """Die of a signal."""
    os.kill(os.getpid(), number)


def complain() -> None:
    """Raise one of our errors."""
    raise DataError("the list is wrong", given="x", expected="y", do="z")


def divide() -> float:
    """Raise a foreign error."""
    return 1 / 0


def object_back() -> object:
    """Return what cannot be packed."""
    return object()
