"""Facial movements after the Facial Action Coding System, and expressions as combinations of them.

P. Ekman and W. V. Friesen, Facial Action Coding System, 1978; the combinations follow EMFACS.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...core import ParameterError, UnknownNameError

# Each from 0 to 1; action unit numbers behind.
MOVEMENTS = (
    "inner_brow_raise",  # 1
    "outer_brow_raise",  # 2
    "frown",  # 4
    "lids_wide",  # 5
    "cheek_raise",  # 6
    "lids_tight",  # 7
    "nose_wrinkle",  # 9
    "upper_lip_raise",  # 10
    "smile",  # 12, lip corners up and out
    "corners_down",  # 15
    "chin_raise",  # 17
    "pucker",  # 18
    "lip_stretch",  # 20
    "lip_press",  # 24
    "lips_part",  # 25
    "jaw_open",  # 26 and 27
    "blink",  # 45
)
EXPRESSIONS: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "happy": {"smile": 1.0, "cheek_raise": 0.8, "lips_part": 0.8, "jaw_open": 0.1},
    "sad": {"inner_brow_raise": 0.9, "frown": 0.4, "corners_down": 1.0, "chin_raise": 0.5, "blink": 0.15},
    "angry": {"frown": 1.0, "lids_wide": 0.4, "lids_tight": 0.7, "lip_press": 0.9, "chin_raise": 0.3},
    "fearful": {"inner_brow_raise": 1.0, "outer_brow_raise": 0.6, "frown": 0.5, "lids_wide": 0.9, "lip_stretch": 0.9,
                "jaw_open": 0.35, "lips_part": 0.5},
    "disgusted": {"nose_wrinkle": 1.0, "upper_lip_raise": 0.8, "corners_down": 0.4, "chin_raise": 0.4,
                  "lids_tight": 0.6, "cheek_raise": 0.3},
    "surprised": {"inner_brow_raise": 1.0, "outer_brow_raise": 1.0, "lids_wide": 0.9, "jaw_open": 0.85},
}  # fmt: skip


def expression(name: str, intensity: float = 1.0) -> NDArray[np.float32]:
    """Movements of a basic expression, ``float32 (len(MOVEMENTS),)``.

    Args:
        name: one of `EXPRESSIONS`.
        intensity: 0 to 1.
    """
    if name not in EXPRESSIONS:
        raise UnknownNameError("expression", name, EXPRESSIONS)
    if not 0 <= intensity <= 1:
        raise ParameterError("intensity is out of range", given=intensity, expected="0 to 1")
    return movements(**{m: intensity * v for m, v in EXPRESSIONS[name].items()})


def movements(**amounts: float) -> NDArray[np.float32]:
    """Movements by name, ``float32 (len(MOVEMENTS),)``; those not named are at rest."""
    for name in amounts:
        if name not in MOVEMENTS:
            raise UnknownNameError("facial movement", name, MOVEMENTS)
    return np.array([amounts.get(m, 0.0) for m in MOVEMENTS], np.float32)
