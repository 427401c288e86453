"""The habits of pyeer (0.5.6): the nearest attained FMR, and the EER as a range after FVC2000 (Maio et al. 2002)."""

from __future__ import annotations

import numpy as np

from .folded import Floats, Mask, check_pairs


def pyeer_rates(scores: Floats, mated: Mask) -> tuple[Floats, Floats, Floats]:
    """Distinct scores as thresholds, rising, with FMR (``s >= T``) and FNMR (``s < T``); none above all scores."""
    check_pairs(scores, mated, both_kinds=True)
    thresholds = np.unique(scores)
    ranked = [np.sort(scores[kind]) for kind in (mated, ~mated)]
    below = [np.searchsorted(r, thresholds, side="left") for r in ranked]
    return thresholds, (len(ranked[1]) - below[1]) / len(ranked[1]), below[0] / len(ranked[0])


def pyeer_fnmr_at_fmr(scores: Floats, mated: Mask, fmr: float) -> tuple[float, float, float]:
    """Threshold, FMR and FNMR where FMR is nearest to the target (``get_fmr_op``), of equally near ones the lowest."""
    thresholds, false, missed = pyeer_rates(scores, mated)
    at = int(np.argmin(np.abs(false - fmr)))
    return float(thresholds[at]), float(false[at]), float(missed[at])


def pyeer_eer(scores: Floats, mated: Mask) -> tuple[float, float, float]:
    """EER, and the ends of its range: the rates on the side of the crossing where their sum is smaller.

    Where FMR stays above FNMR at every score the EER is 1.
    """
    _, false, missed = pyeer_rates(scores, mated)
    crossed = np.flatnonzero(false <= missed)
    if not len(crossed):
        return 1.0, 1.0, 1.0
    after = int(crossed[0])
    before = after - 1 if false[after] != missed[after] and after else after
    at = before if false[before] + missed[before] <= false[after] + missed[after] else after
    low, high = sorted((float(false[at]), float(missed[at])))
    return (low + high) / 2, low, high
