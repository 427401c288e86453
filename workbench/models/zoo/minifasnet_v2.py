"""MiniFASNetV2 from the user's file: attacks seen on crops of 2.7 face boxes."""

from __future__ import annotations

from typing import Any

from ..cards import Backend
from . import _minifasnet

FACTOR = 2.7
CARD = _minifasnet.card("minifasnet-v2", FACTOR)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The network; a path names its weights."""
    return _minifasnet.load(CARD, "MiniFASNetV2", FACTOR, path, device, backend)
