"""An attack detector that has seen phantoms, their prints, screens and masks only."""

from __future__ import annotations

from typing import Any

from ..cards import Backend
from . import _phantom

CARD = _phantom.card(
    "phantom-attacks", "attack-detection", 64, "float32 (n,): logit, higher is more attack",
    notes="It sees whole pictures averaged down to 64 pixels, not chips: fine rasters are gone.",
)  # fmt: skip


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The model; a path names weights that were trained again."""
    return _phantom.reader(CARD, ("attack",), path, device, backend)
