"""What the published ten-fold accuracies share: contiguous folds, and a result that keeps its parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core import ShapeError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FoldedRates:
    """One rate per fold, and the two numbers that are printed.

    Attributes:
        mean: over folds.
        spread: as printed; ``rule`` says whether it is a standard deviation or a standard error.
        rates: ``(folds,)``.
        thresholds: ``(folds,)`` found on the other folds.
        rule: in words.
    """

    mean: float
    spread: float
    rates: Floats
    thresholds: Floats
    rule: str


def folds_of(mated: Mask, folds: int | NDArray[np.int64]) -> list[Mask]:
    """Which pairs each fold tests.

    Args:
        mated: ``bool (n,)``.
        folds: fold of each pair, as in ``Trials.fold``; or how many blocks to cut the pairs into in their order, the
            first ones longer by one where they do not divide evenly (scikit-learn's ``KFold`` without shuffling).
    """
    n = len(mated)
    if isinstance(folds, int):
        if not 2 <= folds <= n:
            raise ShapeError("too few pairs for the folds", given=f"{n} pairs", expected=f"at least {max(folds, 2)}")
        long = n % folds
        numbers = np.repeat(np.arange(folds), np.where(np.arange(folds) < long, n // folds + 1, n // folds))
    else:
        numbers = folds
    if numbers.shape != mated.shape or len(np.unique(numbers)) < 2:
        raise ShapeError("folds do not fit the pairs", given=numbers.shape, expected=f"({n},), two folds or more")
    return [numbers == number for number in np.unique(numbers)]


def check_pairs(values: NDArray[np.floating], mated: Mask, *, both_kinds: bool = False) -> None:
    """Refuse scores or distances that do not fit their labels, or, if asked, that are of one kind only."""
    if values.ndim != 1 or values.shape != mated.shape:
        raise ShapeError("pairs do not fit", given=(values.shape, mated.shape), expected="(n,) and (n,)")
    bad = int(np.sum(~np.isfinite(values)))
    if bad:
        raise ShapeError(f"{bad} pairs have no finite value", do="published codes know no failure: drop them first")
    if both_kinds and (mated.all() or not mated.any()):
        raise ShapeError("pairs of one kind only", given=f"{int(mated.sum())} mated of {len(mated)}", expected="both")
