"""Age, gender axis, melanin, head pose and facial movements, read off by a network that has seen phantoms only."""

from __future__ import annotations

from typing import Any

from ..cards import Backend
from . import _phantom

COLUMNS = ("age", "gender", "melanin", "yaw", "pitch", *_phantom.MOVEMENTS)
CARD = _phantom.card(
    "phantom-attributes", "attributes", 64, f"float32 (n, {len(COLUMNS)}): age / 50 - 1 in years, gender -1 to 1, "
    "melanin 0 to 1, yaw and pitch / 45 in degrees, facial movements 0 to 1",
    notes="Phantoms' factors, not people's: what it says of photographs is not to be relied on.",
)  # fmt: skip


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The model; a path names weights that were trained again."""
    return _phantom.reader(CARD, COLUMNS, path, device, backend)
