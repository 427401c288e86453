"""The LFW accuracy of FaceX-Zoo (``test_protocol/lfw/lfw_evaluator.py``), to reproduce its tables.

Habits that differ from the house's: 1,000 thresholds spread evenly over the scores of the other folds, the one with the
largest difference of true and false positive rates, and a tie with it is an error on both sides: a mated pair needs
``s > T``, a non-mated one ``s < T``. The printed spread is the standard error of the mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core import ShapeError
from .folded import Floats, FoldedRates, Mask, check_pairs, folds_of


def facex_zoo_lfw(
    scores: NDArray[np.floating], mated: Mask, *, folds: int | NDArray[np.int64] = 10, steps: int = 1000
) -> FoldedRates:
    """Accuracy of each fold at the threshold of largest ``TPR - FPR`` on the other folds.

    Args:
        scores: ``(n,)`` similarities; rounded to single precision as there, thresholds and comparisons are in double.
        mated: ``bool (n,)``; both kinds among every nine folds.
        folds: of each pair, or how many contiguous ones (published: blocks of 600).
        steps: how many thresholds, from one step above the lowest score to the highest.
    """
    check_pairs(scores, mated)
    single = scores.astype(np.float32)
    rates, chosen = [], []
    for test in folds_of(mated, folds):
        threshold = _threshold(single[~test], mated[~test], steps)
        right = np.where(mated[test], single[test] > threshold, single[test] < threshold)
        chosen.append(threshold)
        rates.append(np.mean(right))
    error = np.std(rates, ddof=1) / np.sqrt(len(rates))
    rule = (
        f"FaceX-Zoo's habit: a pair is right when s > T if mated, s < T if not, T the first of {steps} steps with the "
        f"largest TPR - FPR on the other folds; spread is the standard error over {len(rates)} folds"
    )
    return FoldedRates(float(np.mean(rates)), float(error), np.array(rates), np.array(chosen), rule)


def _threshold(scores: NDArray[np.float32], mated: Mask, steps: int) -> np.float64:
    if mated.all() or not mated.any():
        raise ShapeError("the training folds lack pairs of one kind", expected="mated and non-mated pairs")
    step = np.float64(scores.max() - scores.min()) / steps
    thresholds: Floats = np.float64(scores.min()) + step * np.arange(1, steps + 1)
    above = []
    for kind in (mated, ~mated):
        ranked = np.sort(scores[kind]).astype(np.float64)
        above.append((len(ranked) - np.searchsorted(ranked, thresholds, side="right")) / len(ranked))
    best: np.float64 = thresholds[np.argmax(above[0] - above[1])]
    return best
