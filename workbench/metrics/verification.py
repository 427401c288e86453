"""Measures of verification, each with its definition, interval and undefined case.

ISO/IEC 19795-1 terms; the rules that differ between published codes are stated in every estimate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..core import Estimate, Number, Scores, ShapeError, Undefined
from .intervals import bootstrap_rule
from .rates import ErrorRates, Fta, at_most, error_rates
from .resampling import of_scores
from .tail_intervals import of_tail, tail_of_scores


def eer_of(rates: ErrorRates) -> Number:
    """Mean of FMR and FNMR where they differ least; of several such thresholds, the lowest."""
    at = int(np.argmin(np.abs(rates.fmr - rates.fnmr)))
    return float((rates.fmr[at] + rates.fnmr[at]) / 2)


def eer(scores: Scores, **options: Any) -> Estimate:
    """Equal error rate: mean of FMR and FNMR at the attained threshold where they differ least.

    Ties are merged and nothing is interpolated, so both rates are attainable; on small data other
    definitions give other numbers.

    Args:
        scores: one arm's scores.
        **options: of `of_scores` (``resamples``, ``level``, ``seed``, ``fta``).
    """
    return of_scores(scores, eer_of, "EER: mean of FMR and FNMR at their smallest gap", **options)


def eer_threshold(scores: Scores) -> Number:
    """Threshold of `eer`; finite unless every score lies on one side."""
    rates = error_rates(scores)
    if isinstance(rates, Undefined):
        return rates
    return float(rates.thresholds[int(np.argmin(np.abs(rates.fmr - rates.fnmr)))])


def _check_rate(fmr: float) -> float:
    if not 0.0 <= fmr <= 1.0:
        raise ShapeError("a rate is a fraction", given=fmr, expected="0 <= FMR <= 1; per cent are divided by 100")
    return fmr


def fnmr_at_fmr(
    scores: Scores, fmr: float, *, fta: Fta = "reject", resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Estimate:
    """FNMR at the largest attained FMR that is not above ``fmr``.

    Args:
        scores: one arm's scores.
        fmr: operating point, a fraction.
        fta: what a failure to acquire counts as.
        resamples: of capture subjects; 0 gives no interval.
        level: confidence level.
        seed: of the resampling.

    Returns:
        Its counts say how many non-mated trials there were: below ``1 / nonmated`` the point is FMR 0.
    """
    _check_rate(fmr)
    rule = f"FNMR at the largest attained FMR <= {fmr:g}"

    def statistic(rates: ErrorRates) -> Number:
        return float(rates.fnmr[at_most(rates, fmr)])

    fast = tail_of_scores(scores, fmr) if resamples and (fta == "reject" or not scores.failures) else None
    if fast is not None:
        tail, totals, people = fast
        sampled = of_tail(tail, fmr, totals, people, resamples=resamples, level=level, seed=seed)
        # Where a rare draw reaches beyond the kept scores all are weighed, below.
        if isinstance(sampled.low, float):
            point = of_scores(scores, statistic, rule, fta=fta, resamples=0)
            said = f"{point.rule}; {bootstrap_rule(level, people, resamples)}"
            return replace(point, low=sampled.low, high=sampled.high, rule=said, level=level)
    return of_scores(scores, statistic, rule, fta=fta, resamples=resamples, level=level, seed=seed)


def threshold_at_fmr(scores: Scores, fmr: float) -> Number:
    """The lowest score threshold whose FMR is not above ``fmr``.

    When even the highest score is too many false matches, the next representable number above it.
    """
    _check_rate(fmr)
    rates = error_rates(scores)
    if isinstance(rates, Undefined):
        return rates
    threshold = float(rates.thresholds[at_most(rates, fmr)])
    return threshold if np.isfinite(threshold) else float(np.nextafter(rates.thresholds[-2], np.inf))


def fmr_fnmr_at(scores: Scores, threshold: float) -> tuple[Number, Number]:
    """FMR and FNMR when comparisons at or above ``threshold`` are accepted."""
    accepted = scores.acquired & (np.where(scores.acquired, scores.values, -np.inf) >= threshold)
    mated = scores.trials.mated
    counts = {"mated": int(mated.sum()), "nonmated": int((~mated).sum())}
    fmr = float(accepted[~mated].mean()) if counts["nonmated"] else Undefined("no non-mated trials", counts)
    fnmr = float((~accepted[mated]).mean()) if counts["mated"] else Undefined("no mated trials", counts)
    return fmr, fnmr


def det(scores: Scores) -> ErrorRates | Undefined:
    """Points of the DET curve: FMR against FNMR; axes in normal deviates are the figure's matter."""
    return error_rates(scores)


def roc(scores: Scores) -> tuple[NDArray[np.float64], NDArray[np.float64]] | Undefined:
    """Points of the ROC curve: FMR and true match rate ``1 - FNMR``, FMR rising."""
    rates = error_rates(scores)
    if isinstance(rates, Undefined):
        return rates
    return rates.fmr[::-1], 1.0 - rates.fnmr[::-1]


def auc_of(rates: ErrorRates) -> Number:
    """Area under the ROC curve by trapezoids between attained points: ties count half."""
    return float(np.trapezoid(1.0 - rates.fnmr[::-1], rates.fmr[::-1]) + _below_first(rates))


def _below_first(rates: ErrorRates) -> float:
    """The area right of the lowest threshold, which is there when failures to acquire keep FMR below 1."""
    left = 1.0 - rates.fmr[0]
    return float(left * ((1.0 - rates.fnmr[0]) + 1.0) / 2)


def auc(scores: Scores, **options: Any) -> Estimate:
    """Probability that a mated score exceeds a non-mated one, ties counted half (Mann-Whitney)."""
    return of_scores(scores, auc_of, "area under ROC, ties half", **options)


def d_prime(scores: Scores) -> Estimate:
    """Distance of the two score means in pooled standard deviations (n - 1), failures left out.

    ``(mean mated - mean non-mated) / sqrt((var mated + var non-mated) / 2)``.
    """
    values = [scores.values[scores.acquired & kind] for kind in (scores.trials.mated, ~scores.trials.mated)]
    counts = {"mated": len(values[0]), "nonmated": len(values[1]), "failures": scores.failures}
    rule = "difference of means over root mean variance (n - 1), failures to acquire left out"
    if min(len(v) for v in values) < 2:
        return Estimate(Undefined("fewer than two scores of one kind", counts), rule=rule, counts=counts)
    spread = float(np.sqrt(sum(v.var(ddof=1) for v in values) / 2))
    if spread == 0:
        return Estimate(Undefined("all scores of each kind are equal", counts), rule=rule, counts=counts)
    return Estimate(float((values[0].mean() - values[1].mean()) / spread), rule=rule, counts=counts)


def fold_accuracy(scores: Scores, folds: NDArray[np.int64] | None = None) -> Estimate:
    """Accuracy as LFW prescribes: each fold is judged at the threshold that is best on the others.

    Candidates are all scores of the other folds and infinity; of equally good ones the lowest is taken. A
    failure to acquire is a rejection.

    Args:
        scores: one arm's scores.
        folds: fold of each trial; the protocol's own if not given.

    Returns:
        Mean over folds; the interval is Student's over folds from the standard error (n - 1), as LFW reports.
    """
    fold = scores.trials.fold if folds is None else folds
    counts = {"trials": len(scores.trials), "failures": scores.failures}
    if fold is None or len(np.unique(fold)) < 2:
        return Estimate(Undefined("the protocol has no folds", counts), counts=counts, unit="fraction")
    values = np.where(scores.acquired, scores.values, -np.inf)
    mated = scores.trials.mated
    accuracies = []
    for number in np.unique(fold):
        test = fold == number
        threshold = best_threshold(values[~test], mated[~test])
        accuracies.append(float(np.mean((values[test] >= threshold) == mated[test])))
    n = len(accuracies)
    mean, error = float(np.mean(accuracies)), float(np.std(accuracies, ddof=1) / np.sqrt(n))
    half = float(stats.t.ppf(0.975, n - 1)) * error
    rule = (
        f"mean accuracy over {n} folds, each at the threshold best on the other {n - 1} (lowest of equals); "
        f"standard error {error:.4f}; failures to acquire are rejections"
    )
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half), rule, counts | {"folds": n}, "fraction")


def best_threshold(values: NDArray[np.float64], mated: NDArray[np.bool_]) -> float:
    """The lowest of the thresholds with the highest accuracy: a score, or infinity to accept nothing."""
    order = np.argsort(values, kind="stable")
    ranked, kind = values[order], mated[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] > ranked[:-1]])
    rejected_mated = np.r_[0, np.cumsum(kind)]
    rejected_nonmated = np.r_[0, np.cumsum(~kind)]
    cut = np.r_[first, len(ranked)]
    right = rejected_nonmated[cut] + kind.sum() - rejected_mated[cut]
    finite = np.r_[np.isfinite(ranked[first]), True]
    best = int(np.argmax(np.where(finite, right, -1)))
    return float(np.r_[ranked[first], np.inf][best])
