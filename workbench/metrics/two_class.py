"""Telling one class of samples from all others by a score: both errors at every threshold, EER, one at the other.

The positive class is the one that scores should be high for, e.g. neutral faces. A *false positive* is a sample of
another class that is accepted (for neutrality: a false neutral), a *false negative* a positive sample that is rejected
(a false non-neutral). These are errors of classification; nobody is compared with anybody, so they are not match rates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError, Undefined
from .resampling import of_units
from .steps import Floats, Steps

RULE = "accept as positive when s >= T, ties merged, nothing interpolated"
Statistic = Callable[[Floats | None], Number]


@dataclass(frozen=True)
class ClassRates:
    """Both errors at every threshold that makes a difference, lowest first.

    Attributes:
        thresholds: ``float64 (m,)`` distinct scores, then infinity (accept nothing).
        false_positive: ``(m,)`` share of the other samples at or above the threshold; falls to 0.
        false_negative: ``(m,)`` share of the positive samples below it; rises to 1.
    """

    thresholds: Floats
    false_positive: Floats
    false_negative: Floats


class TwoClass:
    """Scores sorted once, so that errors under any weights cost one pass.

    Attributes:
        subjects: ``(n,)`` of the samples.
        counts: positive and negative samples, subjects.
    """

    def __init__(self, scores: Floats, positive: NDArray[np.bool_], subjects: NDArray[Any]) -> None:
        """Sort.

        Args:
            scores: ``(n,)`` finite; higher is more of the positive class.
            positive: ``bool (n,)``.
            subjects: ``(n,)`` what the bootstrap resamples.
        """
        if not scores.shape == positive.shape == subjects.shape or scores.ndim != 1:
            raise ShapeError(
                "scores, classes and subjects do not fit", given=(scores.shape, positive.shape, subjects.shape),
                expected="(n,) each",
            )  # fmt: skip
        if not np.isfinite(scores).all():
            raise ShapeError("scores are not finite", given=int((~np.isfinite(scores)).sum()))
        self._steps = Steps(scores, positive.astype(np.int64), 2)
        self.subjects = subjects
        self.counts = {
            "positive": int(positive.sum()), "negative": int((~positive).sum()), "subjects": len(np.unique(subjects)),
        }  # fmt: skip

    def rates(self, weights: Floats | None = None) -> ClassRates | Undefined:
        """Errors under a weight for every sample; all 1 if not given."""
        accepted, whole = self._steps.masses(weights)
        if whole.min() <= 0:
            return Undefined(f"no {'positive' if whole[1] <= 0 else 'negative'} samples", self.counts)
        return ClassRates(self._steps.thresholds, accepted[0] / whole[0], (whole[1] - accepted[1]) / whole[1])

    def eer(self, weights: Floats | None = None) -> Number:
        """Mean of both errors at the lowest threshold where they differ least."""
        rates = self.rates(weights)
        if isinstance(rates, Undefined):
            return rates
        at = int(np.argmin(np.abs(rates.false_positive - rates.false_negative)))
        return float(rates.false_positive[at] + rates.false_negative[at]) / 2

    def auc(self, weights: Floats | None = None) -> Number:
        """Share of pairs of a positive and another sample that are in order; ties count half."""
        rates = self.rates(weights)
        if isinstance(rates, Undefined):
            return rates
        return float(np.trapezoid(1 - rates.false_negative[::-1], rates.false_positive[::-1]))

    def miss_at(self, limit: float) -> Statistic:
        """The false negative rate at the lowest threshold whose false positive rate is at most ``limit``."""
        if not 0 <= limit <= 1:
            raise ShapeError("a rate is a fraction", given=limit, expected="0 to 1; per cent are divided by 100")

        def statistic(weights: Floats | None) -> Number:
            rates = self.rates(weights)
            if isinstance(rates, Undefined):
                return rates
            return float(rates.false_negative[int(np.argmax(rates.false_positive <= limit))])

        return statistic


def class_eer(scores: Floats, positive: NDArray[np.bool_], subjects: NDArray[Any], **options: Any) -> Estimate:
    """Equal error rate of telling the positive class from the others.

    Args:
        scores: ``(n,)``; higher is more of the positive class.
        positive: ``bool (n,)``.
        subjects: ``(n,)``.
        **options: of `resampling.of_units`.
    """
    curve = TwoClass(scores, positive, subjects)
    rule = f"EER: mean of false positive and false negative rate at their smallest gap; {RULE}"
    return of_units(curve.eer, subjects, rule, curve.counts, **options)


def false_negative_at(
    scores: Floats, positive: NDArray[np.bool_], subjects: NDArray[Any], limit: float, **options: Any
) -> Estimate:
    """False negative rate at the largest attained false positive rate that is not above ``limit``.

    Args:
        scores: ``(n,)``.
        positive: ``bool (n,)``.
        subjects: ``(n,)``.
        limit: of the false positive rate, a fraction.
        **options: of `resampling.of_units`.
    """
    curve = TwoClass(scores, positive, subjects)
    rule = f"false negative rate at the largest attained false positive rate <= {limit:g}; {RULE}"
    return of_units(curve.miss_at(limit), subjects, rule, curve.counts, **options)
