"""Intervals and DET bands of many numbers at once: people are drawn once, and every number is taken anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..core import Estimate, Scores, Undefined
from ..metrics.intervals import CONSTANT, LEAST_SUBJECTS, alike, multiplicities, percentile, trial_weights
from ..metrics.rates import ErrorRates, Ranked

GRID = 161
LEVEL = 0.95
NO_SUBJECTS = "the scores do not say which capture subjects were compared"

Statistics = Callable[[ErrorRates], NDArray[np.float64]]


@dataclass(frozen=True)
class Det:
    """A DET curve at fixed FMRs, evenly spaced in normal deviates.

    Attributes:
        target: ``(g,)`` FMRs asked for, rising from one false match to 0.99.
        fmr: ``(g,)`` the largest attained FMR not above each.
        fnmr: ``(g,)`` FNMR there.
        threshold: ``(g,)`` lowest score that is accepted; infinity accepts nothing.
        low, high: ``(g,)`` ends of the pointwise band of FNMR, or why there is none; None where none was asked for.
        rule: in words.
    """

    target: NDArray[np.float64]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]
    threshold: NDArray[np.float64]
    low: NDArray[np.float64] | Undefined | None
    high: NDArray[np.float64] | Undefined | None
    rule: str


@dataclass(frozen=True)
class Drawn:
    """Resampled values of some numbers.

    Attributes:
        values: ``(r, k)`` of ``k`` numbers; resamples without trials of one kind are left out.
        reason: why no interval follows from them; None where one does.
        rule: of the intervals, in words; "" where none was asked for.
    """

    values: NDArray[np.float64]
    reason: Undefined | None
    rule: str

    def spread(self, estimate: Estimate, column: int) -> Estimate:
        """An estimate with the interval of its resampled values, or with the reason why it has none."""
        if not estimate.defined or (self.reason is None and not self.rule):
            return estimate
        values = self.values[:, column].tolist() if self.reason is None else []
        none = self.reason
        if none is None and alike(values, LEVEL):
            none = Undefined(CONSTANT, estimate.counts)
        if none is not None:
            return replace(estimate, low=none, high=none)
        low, high = percentile(values, LEVEL)
        return replace(estimate, low=low, high=high, rule=f"{estimate.rule}; {self.rule}")

    def det(self, rates: ErrorRates, targets: NDArray[np.float64]) -> Det:
        """The curve at ``targets``, with the band of the last ``len(targets)`` columns."""
        at = positions(rates.fmr, targets)
        rule = f"FNMR at the largest attained FMR not above each target; {rates.rule}"
        points = (targets, rates.fmr[at], rates.fnmr[at], rates.thresholds[at])
        if self.reason is not None or not self.rule:
            return Det(*points, self.reason, self.reason, rule)
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(self.values[:, -len(targets) :], [tail, 1 - tail], axis=0)
        return Det(*points, low, high, f"{rule}; pointwise {self.rule}")


def resample(
    ranked: Ranked, scores: Scores, statistics: Statistics, *, subjects_known: bool, resamples: int, seed: int
) -> Drawn:
    """Numbers under people drawn with replacement: each resample's rates are computed once for all of them.

    Args:
        ranked: the scores, sorted.
        scores: the same.
        statistics: rates to ``(k,)`` numbers.
        subjects_known: False where the trials' subject codes only tell mated from non-mated.
        resamples: how many; 0 asks for none.
        seed: of the drawing; with the same seed `metrics.of_scores` draws the same people.
    """
    counts = counted(ranked.counts, subjects_known)
    people, position = np.unique(scores.trials.subjects, return_inverse=True)
    position = position.reshape(scores.trials.subjects.shape)
    none = np.empty((0, 0))
    if resamples == 0:
        return Drawn(none, None, "")
    if not subjects_known or len(people) < LEAST_SUBJECTS:
        said = f"fewer than {LEAST_SUBJECTS} capture subjects" if subjects_known else NO_SUBJECTS
        return Drawn(none, Undefined(said, counts), "")
    rows = []
    for multiplicity in multiplicities(len(people), resamples, seed):
        again = ranked.rates(trial_weights(position, multiplicity))
        if not isinstance(again, Undefined):
            rows.append(statistics(again))
    few = len(rows) < resamples / 2
    reason = Undefined("most resamples have no trials of one kind", counts) if few else None
    rule = f"{LEVEL:.0%} percentile bootstrap over {len(people)} capture subjects, {resamples} resamples"
    return Drawn(np.array(rows), reason, rule)


def counted(counts: Mapping[str, int], subjects_known: bool) -> dict[str, int]:
    """Counts without those of subjects that nobody knows."""
    return {k: v for k, v in counts.items() if subjects_known or k != "subjects"}


def grid(nonmated: int) -> NDArray[np.float64]:
    """``(161,)`` FMRs from one false match to 0.99, evenly spaced in normal deviates."""
    first = 1 / max(nonmated, 2)
    low, high = (float(stats.norm.ppf(p)) for p in (first, 0.99))
    spaced: NDArray[Any] = stats.norm.cdf(np.linspace(low, high, GRID))
    # The first is one false match and not, by rounding, a little less.
    return np.concatenate([[first], spaced[1:]])


def positions(fmr: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.int64]:
    """Place of the lowest threshold whose FMR is not above each target; ``fmr`` falls."""
    return np.searchsorted(-fmr, -targets, side="left").astype(np.int64)
