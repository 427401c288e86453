"""Scores as evidence: how well they are log-likelihood ratios, and the linear map that makes them so.

Brümmer and du Preez, "Application-independent evaluation of speaker detection" (2006); Ramos and Gonzalez-Rodriguez
(2013). Log-likelihood ratios are natural logarithms, costs are in bits: 0 is perfect, 1 is what knowing nothing costs.
A failure to acquire has no likelihood ratio; it is left out and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Scores, Undefined
from .hull import convex_vertices
from .logistic import fit_logistic
from .resampling import of_units
from .steps import Floats

Kind = NDArray[np.bool_]


def cllr_of(
    mated: Floats, nonmated: Floats, mated_weights: Floats | None = None, weights: Floats | None = None
) -> float:
    """Log-likelihood ratio cost: ``(mean log2(1 + e^-llr) + mean log2(1 + e^llr)) / 2`` over mated and non-mated.

    Args:
        mated: ``(n,)`` log-likelihood ratios; may be infinite.
        nonmated: ``(m,)``.
        mated_weights: ``(n,)`` of each.
        weights: ``(m,)`` of each non-mated.
    """
    miss = np.average(np.logaddexp(0.0, -mated), weights=mated_weights)
    alarm = np.average(np.logaddexp(0.0, nonmated), weights=weights)
    return float((miss + alarm) / (2 * np.log(2)))


def pav_llrs(values: Floats, mated: Kind, weights: Floats | None = None) -> Floats:
    """The best log-likelihood ratios that never fall with the score (pool adjacent violators); equal scores get equal.

    Args:
        values: ``(n,)`` scores.
        mated: ``bool (n,)``, both kinds there.
        weights: ``(n,)``; all 1 if not given.

    Returns:
        ``(n,)``; infinite where only one kind lies beyond.
    """
    weight = np.ones(len(values)) if weights is None else weights
    distinct, group = np.unique(values, return_inverse=True)
    sums = [np.r_[0.0, np.cumsum(np.bincount(group, weight * kind, len(distinct)))] for kind in (~mated, mated)]
    at = convex_vertices(sums[0], sums[1])
    ratios = _ratios(*(np.diff(s[at]) / s[-1] for s in sums))
    # The last vertex is the last point that weighs anything: what follows weighs nothing and goes with it.
    found: Floats = ratios[(np.searchsorted(at, group, side="right") - 1).clip(0, len(ratios) - 1)]
    return found


def _ratios(nonmated: Floats, mated: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(mated) - np.log(nonmated)
    return logs


def _estimate(scores: Scores, cost: Callable[[Floats, Kind, Floats], float], rule: str, **options: Any) -> Estimate:
    """A cost with its interval over capture subjects; ``cost`` takes scores, kinds and weights, all positive."""
    used = scores.acquired
    values, mated = scores.values[used], scores.trials.mated[used]
    counts = {"mated": int(mated.sum()), "nonmated": int((~mated).sum()), "failures": scores.failures}

    def statistic(weights: Floats | None) -> Number:
        weight = np.ones(len(values)) if weights is None else weights
        there = weight > 0
        kind = mated[there]
        if not kind.any() or kind.all():
            return Undefined(f"no {'non-mated' if kind.any() else 'mated'} trials with a score", counts)
        return cost(values[there], kind, weight[there])

    if scores.failures:
        rule += f"; {scores.failures} failures to acquire left out"
    return of_units(statistic, scores.trials.subjects[used], rule, counts, unit="bits", **options)


def _cllr(values: Floats, mated: Kind, weights: Floats) -> float:
    return cllr_of(values[mated], values[~mated], weights[mated], weights[~mated])


def _least(values: Floats, mated: Kind, weights: Floats) -> float:
    return _cllr(pav_llrs(values, mated, weights), mated, weights)


def cllr(scores: Scores, **options: Any) -> Estimate:
    """Cost of the scores as they are, read as natural-logarithm likelihood ratios, in bits.

    Args:
        scores: one arm's scores.
        **options: ``resamples``, ``level``, ``seed`` of `resampling.of_units`.
    """
    return _estimate(scores, _cllr, "Cllr in bits, scores read as natural-log likelihood ratios", **options)


def min_cllr(scores: Scores, **options: Any) -> Estimate:
    """Cost after the best map that never falls, fitted on these very scores: what discrimination alone costs.

    Equal scores are never separated. bob.measure takes them apart, non-mated first, which makes its value too small
    where kinds tie (`compatibility.bob_min_cllr`).

    Args:
        scores: one arm's scores.
        **options: of `resampling.of_units`; the map is fitted anew in each resample.
    """
    return _estimate(scores, _least, "minimal Cllr in bits after PAV on the same scores, ties merged", **options)


def calibration_loss(scores: Scores, **options: Any) -> Estimate:
    """`cllr` less `min_cllr`: what the scores lose for not being likelihood ratios; never negative.

    Args:
        scores: one arm's scores.
        **options: of `resampling.of_units`.
    """

    def loss(values: Floats, mated: Kind, weights: Floats) -> float:
        return max(0.0, _cllr(values, mated, weights) - _least(values, mated, weights))

    return _estimate(scores, loss, "Cllr less minimal Cllr (PAV on the same scores, ties merged), in bits", **options)


@dataclass(frozen=True)
class LinearCalibration:
    """``llr = slope * score + offset``, and where it comes from.

    Attributes:
        slope: in units of 1 / score; negative where the arm ranks the wrong way.
        offset: natural logarithm.
        prior: of mated, at which the fit was weighted.
        origin: arm and protocol that it was fitted on.
        counts: mated and non-mated scores behind it.
    """

    slope: float
    offset: float
    prior: float
    origin: str
    counts: dict[str, int]

    def apply(self, scores: Scores) -> Scores:
        """The same trials with log-likelihood ratios for scores; failures to acquire stay failures."""
        values = np.where(scores.acquired, self.slope * scores.values + self.offset, np.nan)
        return Scores(f"{scores.arm}, calibrated on {self.origin}", scores.trials, values, scores.acquired)


def linear_calibration(scores: Scores, *, prior: float = 0.5) -> LinearCalibration | Undefined:
    """Logistic regression on one arm's scores; fit it on other people than those that it is then judged on.

    Args:
        scores: to fit on; failures to acquire are left out.
        prior: of mated; the fit is best near log-likelihood ratios of ``-logit(prior)``.

    Returns:
        Undefined where no finite slope is best, see `logistic.fit_logistic`.
    """
    used = scores.acquired
    mated = scores.trials.mated[used]
    fitted = fit_logistic(scores.values[used][:, None], mated, prior)
    if isinstance(fitted, Undefined):
        return fitted
    counts = {"mated": int(mated.sum()), "nonmated": int((~mated).sum())}
    origin = f"{scores.arm} on {scores.trials.name or 'unnamed trials'}"
    return LinearCalibration(float(fitted[0][0]), fitted[1], prior, origin, counts)
