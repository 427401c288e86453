"""What this machine has and lacks, line by line."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from . import files, models
from .core import WorkbenchError
from .models import devices
from .runs.home import home
from .runs.identity import packages

Line = tuple[str, str, str]


def checks() -> Iterator[Line]:
    """``(level, what, advice)`` with the level ok, warn or fail."""
    yield ("ok", f"Python {platform.python_version()} at {sys.prefix}", "")
    for name, version in packages().items():
        yield ("ok", f"{name} {version}", "")
    flags = devices.cpu_flags() & {"amx_bf16", "avx512_bf16", "avx512f", "avx2"}
    yield ("ok", f"CPU: {os.cpu_count()} cores, {', '.join(sorted(flags)) or 'no known extensions'}", "")
    device = devices.resolve("auto")
    yield ("ok", f"device {device}: bfloat16 is {'fast' if devices.fast_bf16(device) else 'not native'}", "")
    yield from _weights()
    place = home()
    free = files.free_bytes(place) / 1e9
    level = "ok" if free > 1 else "warn"
    yield (level, f"runs are kept in {place}; {free:.1f} GB free", "" if free > 1 else "free some space")
    probe = place / "writable"
    try:
        files.commit_text(probe, "yes")
        Path(probe).unlink()
        yield ("ok", "the folder can be written", "")
    except WorkbenchError as error:
        yield ("fail", str(error.what), "set WORKBENCH_HOME to a folder of yours")


def _weights() -> Iterator[Line]:
    for name in models.names():
        if name.startswith("faceapi"):
            try:
                models.load(name, device="cpu", backend="torch")
                yield ("ok", f"model {name}: weights are whole", "")
            except WorkbenchError as error:
                yield ("fail", f"model {name}: {error.what}", error.do or "install face-workbench again")
