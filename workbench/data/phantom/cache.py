"""Populations that were drawn before are found again: by what was asked for and by the code that draws."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ... import files
from ...core import StoreError, WeightsError

Arrays = dict[str, NDArray[Any]]


@functools.cache
def generator_digest() -> str:
    """Over the modules that draw phantoms, and torch's version: other code may draw other bits."""
    folder = Path(__file__).parent
    return files.sha256_bytes((files.digest_tree(folder.rglob("*.py"), folder) + torch.__version__).encode())


def found_or_drawn(folder: str | Path, asked: dict[str, Any], draw: Callable[[], Arrays]) -> Arrays:
    """Arrays from a folder, or drawn and stored there.

    A file that is damaged or does not hold what its name says is drawn anew. Without a folder nothing is stored.

    Args:
        folder: of the cache, or "".
        asked: everything that the arrays depend on besides the code.
        draw: makes them.
    """
    if not folder:
        return draw()
    key = files.sha256_bytes(files.to_json(asked | {"generator": generator_digest()}).encode())
    path = Path(folder) / f"phantom-{key[:24]}.safetensors"
    stored = _read(path)
    if stored is not None:
        return stored
    drawn = draw()
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_tensors(path, drawn | {"digest": _digest(drawn)})
    return drawn


def _read(path: Path) -> Arrays | None:
    if not path.is_file():
        return None
    try:
        stored = dict(files.read_weights(path).tensors)
    except (WeightsError, StoreError):
        return None
    said = stored.pop("digest", None)
    return stored if said is not None and np.array_equal(said, _digest(stored)) else None


def _digest(arrays: Arrays) -> NDArray[np.uint8]:
    """SHA-256 over names and bytes, ``uint8 (32,)``."""
    parts = [
        files.sha256_bytes(name.encode() + np.ascontiguousarray(a).tobytes()) for name, a in sorted(arrays.items())
    ]
    return np.frombuffer(bytes.fromhex(files.sha256_bytes("".join(parts).encode())), np.uint8)
