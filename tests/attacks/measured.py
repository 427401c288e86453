"""What reading hostile files costs, measured in the process that reads them."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from workbench import files
from workbench.core import WorkbenchError


def cost_of_weights(folder: str) -> dict[str, tuple[str, float, float]]:
    """Read every weights file of a folder.

    Returns:
        By file name: what was said, the growth of peak memory in MB, the seconds.
    """
    import safetensors.numpy  # noqa: F401
    import torch  # noqa: F401

    return {path.name: _cost(path) for path in sorted(Path(folder).iterdir())}


def _cost(path: Path) -> tuple[str, float, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.monotonic()
    try:
        said = f"loaded {sorted(files.read_weights(path).tensors)}"
    except WorkbenchError as error:
        said = str(error)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return said, grown / 1024, time.monotonic() - begin
