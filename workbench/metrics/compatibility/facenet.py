"""FaceNet's validation rate at a false accept rate (``calculate_val``, also in arcface_torch), for old tables only.

The threshold is interpolated between the steps of a grid. Where several steps have the same false accept rate the
interpolation is not defined: the published call (``interp1d`` of kind ``"slinear"``) refuses them in recent SciPy. Here
the line runs from the last step at or below the target to the first above it, as ``interp1d`` of kind ``"linear"`` has
it, which is also the only reading where the target lies strictly between two attained rates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core import ShapeError
from .folded import Floats, FoldedRates, Mask, check_pairs, folds_of


def facenet_validation_rate(
    distances: Floats, mated: Mask, far: float = 1e-3, *, folds: int | NDArray[np.int64] = 10, step: float = 0.001
) -> tuple[FoldedRates, float]:
    """Share of mated pairs accepted in each fold at the threshold interpolated on the others, and the mean FAR reached.

    Args:
        distances: ``(n,)`` squared distances, see `arcface_torch.arcface_torch_distances`.
        mated: ``bool (n,)``; both kinds in every fold.
        far: target.
        folds: of each pair, or how many contiguous ones.
        step: of the grid from 0 to below 4.

    Returns:
        The threshold is 0, so that nothing is accepted, where the target is above the largest rate on the grid.
    """
    check_pairs(distances, mated)
    grid = np.arange(0, 4, step)
    rates, reached, chosen = [], [], []
    for test in folds_of(mated, folds):
        train = np.sort(distances[~test & ~mated])
        if not len(train) or not (test & mated).any() or not (test & ~mated).any():
            raise ShapeError("a fold lacks pairs of one kind", expected="mated and non-mated pairs in every fold")
        threshold = _interpolated(np.searchsorted(train, grid, side="left") / len(train), grid, far)
        chosen.append(threshold)
        rates.append(np.mean(distances[test & mated] < threshold))
        reached.append(np.mean(distances[test & ~mated] < threshold))
    rule = (
        f"FaceNet's habit: accept when squared distance < T, T interpolated at FAR {far:g} on steps of {step:g} of the "
        f"other folds; spread is the population standard deviation over {len(rates)} folds"
    )
    found = FoldedRates(float(np.mean(rates)), float(np.std(rates)), np.array(rates), np.array(chosen), rule)
    return found, float(np.mean(reached))


def _interpolated(far: Floats, grid: Floats, target: float) -> float:
    """Threshold on the line through the steps around the target; ``far`` rises from 0."""
    return float(np.interp(target, far, grid)) if far[-1] >= target else 0.0
