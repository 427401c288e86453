"""A recogniser at 112 pixels that has seen phantom faces only."""

from __future__ import annotations

from typing import Any

from ..cards import Backend
from . import _phantom

CARD = _phantom.card("phantom-recogniser-112", "embedding", 112, "float32 (n, 128)", dimension=128)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The embedder; a path names weights that were trained again."""
    return _phantom.embedder(CARD, path, device, backend)
