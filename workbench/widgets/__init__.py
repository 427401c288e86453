"""Widgets: the bench in a notebook. Views are thin; every number comes from models and metrics.

Names load when they are first used, so that naming the room loads neither ipywidgets nor torch.
"""

from __future__ import annotations

import importlib
from typing import Any

_LAZY = {
    "AttackSlider": "attack_slider",
    "Attributes": "attributes",
    "Bench": "base",
    "CurveExplorer": "curves",
    "Differentials": "differentials",
    "Face": "finding",
    "FaceInput": "face_input",
    "Identify": "identify",
    "MorphSlider": "morph_slider",
    "PhantomStudio": "phantom_studio",
    "Probe": "probe",
    "SpoofCheck": "spoof_check",
    "StudyView": "study_view",
    "Verify": "verify",
}

__all__ = [*_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
