"""MiniFASNetV1SE from the user's file: attacks seen on crops of 4 face boxes."""

from __future__ import annotations

from typing import Any

from ..cards import Backend
from . import _minifasnet

FACTOR = 4.0
CARD = _minifasnet.card("minifasnet-v1se", FACTOR)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The network; a path names its weights."""
    return _minifasnet.load(CARD, "MiniFASNetV1SE", FACTOR, path, device, backend)
