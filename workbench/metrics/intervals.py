"""Intervals: exact ones for counts, and the bootstrap over capture subjects.

Trials that share a person are not independent, so people are drawn, not trials: in a resample a mated trial
weighs as often as its subject was drawn, a non-mated one as the product over its two subjects. This is the
two-sample bootstrap of Bolle, Ratha and Pankanti (2004) and Poh, Martin and Bengio (2007), by weights instead
of copies. Ends are percentiles of the resampled values.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..core import Estimate, Measurements, ShapeError, Undefined, seeds

LEAST_SUBJECTS = 5
_ROUNDING = 1e-12
CONSTANT = "nearly every resample gives the same value: the bootstrap cannot see the uncertainty"


def clopper_pearson(errors: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval for independent trials.

    Args:
        errors: how many of ``n`` failed.
        n: how many there were, at least 1.
        level: confidence level.
    """
    if n < 1 or not 0 <= errors <= n:
        raise ShapeError("errors out of n do not fit", given=f"{errors} of {n}", expected="0 <= errors <= n, n >= 1")
    tail = (1 - level) / 2
    low = 0.0 if errors == 0 else float(stats.beta.ppf(tail, errors, n - errors + 1))
    high = 1.0 if errors == n else float(stats.beta.ppf(1 - tail, errors + 1, n - errors))
    return low, high


def wilson(errors: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for independent trials (Wilson 1927)."""
    if n < 1 or not 0 <= errors <= n:
        raise ShapeError("errors out of n do not fit", given=f"{errors} of {n}", expected="0 <= errors <= n, n >= 1")
    z = float(stats.norm.ppf((1 + level) / 2))
    p = errors / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def rule_of_three(n: int) -> float:
    """Upper 95 % end for a rate when none of ``n`` independent trials failed: ``3 / n``."""
    if n < 1:
        raise ShapeError("no trials", given=n, expected="n >= 1")
    return 3.0 / n


def multiplicities(subjects: int, resamples: int, *names: str | int) -> Iterator[NDArray[np.float64]]:
    """How often each of ``subjects`` people is drawn, for every resample."""
    rng = seeds.rng("bootstrap", *names)
    for _ in range(resamples):
        yield np.bincount(rng.integers(0, subjects, subjects), minlength=subjects).astype(np.float64)


def trial_weights(subjects: NDArray[np.int64], drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each unit: the product of the multiplicities of the distinct subjects that it shows.

    Args:
        subjects: ``int64 (n, k)`` positions into ``drawn``.
        drawn: multiplicity of each subject.
    """
    ordered = np.sort(subjects, axis=1)
    weight = drawn[ordered[:, 0]]
    for column in range(1, ordered.shape[1]):
        again = ordered[:, column] == ordered[:, column - 1]
        weight = weight * np.where(again, 1.0, drawn[ordered[:, column]])
    return weight


def percentile(values: list[float], level: float) -> tuple[float, float]:
    """Ends of the percentile interval."""
    tail = (1 - level) / 2
    low, high = np.quantile(np.asarray(values), [tail, 1 - tail])
    return float(low), float(high)


def alike(values: list[float], level: float) -> bool:
    """Whether the percentile interval of resampled values would have no width, rounding aside."""
    low, high = percentile(values, level)
    return high - low <= _ROUNDING * max(1.0, abs(low))


def bootstrap_rule(level: float, people: int, resamples: int, over: str = "capture subjects") -> str:
    """How an interval over people came about, in words."""
    return f"{level:.0%} percentile bootstrap over {people} {over}, {resamples} resamples"


def of_mean(
    units: Measurements, *, against: Measurements | float = 0.0, resamples: int = 2000, level: float = 0.95,
    seed: int = 0, unit: str = "",
) -> Estimate:  # fmt: skip
    """Mean of a quantity, or of its paired difference from another arm, with its interval over subjects.

    Args:
        units: one arm's measurements.
        against: another arm's on the same units, or a constant.
        resamples: how many.
        level: confidence level.
        seed: of the resampling.
        unit: of the quantity.

    Returns:
        Undefined without units or with fewer than five capture subjects; units undefined in either arm are dropped from
        both and counted. Where all resamples are alike the interval is `of_alike`'s, and without bounds there is none.
    """
    other = against.values if isinstance(against, Measurements) else np.full(len(units), float(against))
    difference = units.values - other
    good = np.isfinite(difference)
    subjects = units.subjects[good]
    names, position = np.unique(subjects, return_inverse=True)
    counts = {"units": int(good.sum()), "undefined": int((~good).sum()), "subjects": len(names)}
    if len(names) < LEAST_SUBJECTS:
        reason = "no unit has a value" if not good.any() else f"fewer than {LEAST_SUBJECTS} capture subjects"
        return Estimate(Undefined(reason, counts), counts=counts, unit=unit, level=level)
    values, position = difference[good], position.reshape(subjects.shape)
    drawn = []
    for multiplicity in multiplicities(len(names), resamples, seed):
        weight = trial_weights(position, multiplicity)
        if weight.sum() > 0:
            drawn.append(float(weight @ values / weight.sum()))
    mean = float(values.mean())
    if alike(drawn, level):
        edges = _edges(units, against)
        if edges is None:
            none = Undefined(CONSTANT, counts)
            return Estimate(mean, none, none, "mean over units", counts, unit, level)
        low, high = of_alike(values, subjects, edges, level=level)
        rule = f"mean over units; all but a few alike: Clopper and Pearson's {level:.0%} bound on who is not, "
        return Estimate(mean, low, high, rule + f"within {edges[0]:g} to {edges[1]:g}", counts, unit, level)
    low, high = percentile(drawn, level)
    rule = f"mean over units; {level:.0%} percentile bootstrap over capture subjects, {resamples} resamples"
    return Estimate(mean, low, high, rule, counts, unit, level)


def of_range(units: Measurements, *, against: Measurements | float = 0.0) -> Estimate:
    """Mean of a quantity, or of its paired difference from another arm, from the lowest to the highest unit.

    Args:
        units: one arm's measurements.
        against: another arm's on the same units, or a constant.

    Returns:
        Undefined without units; units undefined in either arm are dropped from both and counted.
    """
    difference = units.values - (against.values if isinstance(against, Measurements) else float(against))
    good = np.isfinite(difference)
    people = len(np.unique(units.subjects[good]))
    counts = {"units": int(good.sum()), "undefined": int((~good).sum()), "subjects": people}
    if not good.any():
        return Estimate(Undefined("no unit has a value", counts), counts=counts)
    values = difference[good]
    ends = float(values.min()), float(values.max())
    return Estimate(float(values.mean()), *ends, "mean, from the lowest to the highest unit", counts)


def _edges(units: Measurements, against: Measurements | float) -> tuple[float, float] | None:
    """Between what a unit's difference lies, where that is known."""
    if units.bounds is None:
        return None
    other = against.bounds if isinstance(against, Measurements) else (float(against), float(against))
    return None if other is None else (units.bounds[0] - other[1], units.bounds[1] - other[0])


def of_alike(
    values: NDArray[np.float64], subjects: NDArray[np.int64], edges: tuple[float, float], *, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the mean of units that all, or nearly all, have one value.

    Of ``n`` people ``k`` show another value; by Clopper and Pearson at most a share ``u`` of all people does. Such a
    unit lies within the edges, so the mean lies within ``u`` times the way to either edge.

    Args:
        values: ``float64 (m,)``.
        subjects: ``int64 (m, k)`` who is shown; units of several people count as so many fewer of them.
        edges: between what a unit lies.
        level: confidence level.

    Returns:
        Its ends.
    """
    common = float(np.median(values))
    other = np.abs(values - common) > _ROUNDING * max(1.0, abs(common))
    n = max(1, len(np.unique(subjects)) // subjects.shape[1])
    share = clopper_pearson(min(n, len(np.unique(subjects[other]))), n, level=level)[1]
    return common - share * (common - edges[0]), common + share * (edges[1] - common)
