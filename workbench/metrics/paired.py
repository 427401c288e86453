"""Decisions without scores: McNemar's test of two systems on the same trials, and the mean over folds.

McNemar, "Note on the sampling error of the difference between correlated proportions or percentages" (1947); Fagerland,
Lydersen and Laake, "The McNemar test for binary matched-pairs data" (2013), for the mid-p value.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..core import Estimate, ShapeError, Undefined

Variant = Literal["exact", "mid-p"]


def mcnemar(one: NDArray[np.bool_], other: NDArray[np.bool_], *, variant: Variant = "exact") -> Estimate:
    """Two-sided p-value that two systems are right equally often, from the trials on which only one of them is right.

    Under the null hypothesis the number of trials that only the first gets right is binomial with 1/2 among those that
    exactly one gets right. ``"exact"`` is the chance of a split at least as uneven; ``"mid-p"`` counts splits that are
    just as uneven by half, and is less conservative. Trials are taken as independent; where people are in several of
    them, the bootstrap over people is the stricter test.

    Args:
        one: ``bool (n,)`` whether the first is right.
        other: ``bool (n,)`` the second, on the same trials.
        variant: of the p-value.

    Raises:
        ShapeError: they were not decided on the same trials, or the variant is unknown.
    """
    if one.shape != other.shape or one.ndim != 1 or one.dtype != bool or other.dtype != bool:
        raise ShapeError("decisions do not fit", given=(one.shape, other.shape), expected="bool (n,) twice")
    if variant not in ("exact", "mid-p"):
        raise ShapeError("unknown variant", given=variant, expected="exact or mid-p")
    first, second = int((one & ~other).sum()), int((~one & other).sum())
    counts = {"trials": len(one), "only the first right": first, "only the second right": second}
    rule = f"McNemar's test, {variant}, two-sided, trials taken as independent"
    n, least = first + second, min(first, second)
    if n == 0:
        nothing = Undefined("no trial on which exactly one of them is right", counts)
        return Estimate(nothing, rule=rule, counts=counts, unit="p-value")
    binomial = stats.binom(n, 0.5)
    tails = 1.0 if first == second else 2 * float(binomial.cdf(least))
    # An even split is one outcome, any other one has its mirror image.
    same = float(binomial.pmf(least)) * (1 if first == second else 2)
    p = tails if variant == "exact" else tails - same / 2
    return Estimate(min(1.0, p), rule=rule, counts=counts, unit="p-value")


def over_folds(values: NDArray[np.float64], folds: NDArray[Any]) -> Estimate:
    """Mean over folds of the mean in each, with Student's interval from the folds' standard deviation (n - 1).

    Args:
        values: ``(n,)`` of each trial in [0, 1], e.g. 1 where it was decided rightly; NaN is left out.
        folds: ``(n,)`` its fold.

    Returns:
        Undefined with fewer than two folds that have a value.
    """
    if values.shape != folds.shape or values.ndim != 1:
        raise ShapeError("values and folds do not fit", given=(values.shape, folds.shape), expected="(n,) twice")
    good = np.isfinite(values)
    means = np.array([values[good & (folds == f)].mean() for f in np.unique(folds[good])])
    counts = {"trials": int(good.sum()), "folds": len(means)}
    if len(means) < 2:
        return Estimate(Undefined("fewer than two folds", counts), counts=counts, unit="fraction")
    spread = float(means.std(ddof=1))
    half = float(stats.t.ppf(0.975, len(means) - 1)) * spread / np.sqrt(len(means))
    rule = f"mean over {len(means)} folds, their standard deviation {spread:.4f}; Student's interval over folds"
    mean = float(means.mean())
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half), rule, counts, "fraction")
