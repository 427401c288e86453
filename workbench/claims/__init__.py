"""A paper's claims as objects that every run tests.

The judge brings SciPy, which takes most of a second; it is loaded when it is first named.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .claim import PILLARS, SCALES, Claim, Comparison, Study

if TYPE_CHECKING:
    from .verdict import compare, judge

__all__ = ["PILLARS", "SCALES", "Claim", "Comparison", "Study", "compare", "judge"]


def __getattr__(name: str) -> Any:
    if name in ("compare", "judge"):
        return getattr(importlib.import_module(".verdict", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
