"""Points of scikit-learn's ``roc_curve`` by default, and the nearest of them, as most IJB tables take it.

``roc_curve`` drops points that lie on a line between their neighbours; the nearest point to a target may be among them.
"""

from __future__ import annotations

import numpy as np

from ..deepfakebench import corners
from .folded import Floats, Mask, check_pairs


def roc_points(scores: Floats, mated: Mask) -> tuple[Floats, Floats, Floats]:
    """False and true positive rates, rising, and their thresholds; accept when ``s >= T``, the first T is infinite."""
    check_pairs(scores, mated, both_kinds=True)
    false, true = corners(scores, mated)
    accepted = np.rint(false * np.sum(~mated) + true * np.sum(mated)).astype(np.int64)
    falling = np.sort(scores)[::-1]
    return false, true, np.where(accepted > 0, falling[accepted - 1], np.inf)


def nearest_point(scores: Floats, mated: Mask, far: float) -> tuple[float, float, float]:
    """Threshold, false and true positive rate of the kept point whose false positive rate is nearest to ``far``.

    Of equally near ones that with the lowest threshold. The rate reached may be above the target.
    """
    false, true, thresholds = (points[::-1] for points in roc_points(scores, mated))
    at = int(np.argmin(np.abs(false - far)))
    return float(thresholds[at]), float(false[at]), float(true[at])
