"""The ten folds of insightface's ``arcface_torch`` (``eval/verification.py``, after FaceNet), to reproduce LFW tables.

Habits that differ from the house's: a squared distance on a grid of 400 thresholds instead of every score, a pair is
accepted when its distance is **below** the threshold, of equally good thresholds the first, that is the strictest, and
the printed spread is the standard deviation of the population of folds, not the standard error of the mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..templates import unit_length
from .folded import Floats, FoldedRates, Mask, check_pairs, folds_of


def arcface_torch_distances(
    first: NDArray[np.floating], second: NDArray[np.floating], *, flipped: tuple[Floats, Floats] | None = None
) -> Floats:
    """Squared Euclidean distances of unit vectors, in double precision.

    Args:
        first: ``(n, d)`` embeddings of one side.
        second: ``(n, d)`` of the other.
        flipped: those of the mirror images of both sides, added before the vectors are made unit length.
    """
    sides = [np.asarray(side, np.float64) for side in (first, second)]
    if flipped is not None:
        sides = [side + mirror for side, mirror in zip(sides, flipped, strict=True)]
    difference = unit_length(sides[0]) - unit_length(sides[1])
    distances: Floats = np.sum(np.square(difference), axis=1)
    return distances


def arcface_torch_lfw(
    distances: Floats, mated: Mask, *, folds: int | NDArray[np.int64] = 10, step: float = 0.01
) -> FoldedRates:
    """Accuracy of each fold at the first best of the thresholds 0, ``step``, ... below 4 on the other folds.

    Args:
        distances: ``(n,)`` of `arcface_torch_distances`.
        mated: ``bool (n,)``.
        folds: of each pair, or how many contiguous ones.
        step: of the grid; 0.01 is published.
    """
    check_pairs(distances, mated)
    thresholds = np.arange(0, 4, step)
    rates, chosen = [], []
    for test in folds_of(mated, folds):
        best = thresholds[np.argmax(_right(distances[~test], mated[~test], thresholds))]
        chosen.append(best)
        rates.append(np.mean((distances[test] < best) == mated[test]))
    rule = (
        f"arcface_torch's habit: accept when squared distance < T, T the first best of {len(thresholds)} steps of "
        f"{step:g} on the other folds; spread is the population standard deviation over {len(rates)} folds"
    )
    return FoldedRates(float(np.mean(rates)), float(np.std(rates)), np.array(rates), np.array(chosen), rule)


def _right(distances: Floats, mated: Mask, thresholds: Floats) -> NDArray[np.int64]:
    """How many pairs each threshold decides rightly."""
    accepted = [np.searchsorted(np.sort(distances[kind]), thresholds, side="left") for kind in (mated, ~mated)]
    right: NDArray[np.int64] = accepted[0] + int((~mated).sum()) - accepted[1]
    return right
