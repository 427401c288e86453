"""How far a model's own confidence and its ranges can be trusted.

Brier, "Verification of forecasts expressed in terms of probability" (1950); Naeini, Cooper and Hauskrecht (AAAI 2015)
for the expected calibration error; Gneiting and Raftery, "Strictly proper scoring rules" (2007), section 6.2, for the
interval score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError, Undefined
from .resampling import of_units
from .steps import Floats


def brier(confidence: Floats, right: NDArray[np.bool_], subjects: NDArray[Any], **options: Any) -> Estimate:
    """Mean squared difference of a confidence and what came true: 0 is perfect, 0.25 is what "50 %" always costs.

    Args:
        confidence: ``(n,)`` in [0, 1] that the answer is right.
        right: ``(n,)`` whether it was.
        subjects: ``(n,)`` or ``(n, k)`` that the items show.
        **options: of `of_units`.
    """
    _check(confidence, right)
    squared = (confidence - right) ** 2
    return _mean(squared, subjects, "mean squared difference of confidence and correctness", options)


def expected_calibration_error(
    confidence: Floats, right: NDArray[np.bool_], subjects: NDArray[Any], *, bins: int = 10, **options: Any
) -> Estimate:
    """Mean distance of confidence and accuracy over bins of equal width, weighted by what is in them.

    A confidence on a bin's upper border belongs to that bin; 0 belongs to the first.

    Args:
        confidence: ``(n,)`` in [0, 1].
        right: ``(n,)``.
        subjects: as in `brier`.
        bins: how many.
        **options: of `of_units`.
    """
    bin_of = _bins(confidence, right, bins)
    gap = confidence - right

    def error(weights: Floats | None) -> Number:
        weight = np.ones(len(gap)) if weights is None else weights
        total = weight.sum()
        if total <= 0:
            return Undefined("no answer has a confidence", {"answers": len(gap)})
        return float(np.abs(np.bincount(bin_of, weight * gap, bins)).sum() / total)

    rule = f"expected calibration error, {bins} bins of equal width"
    return of_units(error, subjects, rule, {"answers": len(gap)}, **options)


@dataclass(frozen=True)
class Bin:
    """Answers of about one confidence.

    Attributes:
        low, high: borders; the upper one is inside.
        answers: how many.
        confidence: their mean confidence.
        accuracy: share of them that is right.
    """

    low: float
    high: float
    answers: int
    confidence: Number
    accuracy: Number


def reliability(confidence: Floats, right: NDArray[np.bool_], *, bins: int = 10) -> tuple[Bin, ...]:
    """Confidence beside accuracy, by the bins of `expected_calibration_error`: the points of a reliability diagram.

    Args:
        confidence: ``(n,)`` in [0, 1].
        right: ``(n,)``.
        bins: how many, of equal width; empty ones are undefined.
    """
    bin_of = _bins(confidence, right, bins)
    found = []
    for k in range(bins):
        inside = bin_of == k
        none = Undefined("no answer is in this bin")
        means = [float(v[inside].mean()) if inside.any() else none for v in (confidence, right)]
        found.append(Bin(k / bins, (k + 1) / bins, int(inside.sum()), *means))
    return tuple(found)


def interval_score(
    low: Floats, high: Floats, true: Floats, subjects: NDArray[Any], *, alpha: float = 0.2, **options: Any
) -> Estimate:
    """Mean of ``(b - a) + (2/alpha) max(a - y, 0) + (2/alpha) max(y - b, 0)``: wide ranges are not free.

    Args:
        low: ``(n,)`` where the ranges begin, in years.
        high: ``(n,)`` where they end.
        true: ``(n,)``.
        subjects: as in `brier`.
        alpha: share of truths that a range may miss, in (0, 1).
        **options: of `of_units`.

    Raises:
        ShapeError: lengths differ, a range is reversed or alpha is out of range.
    """
    if not len(low) == len(high) == len(true):
        raise ShapeError("ranges and truths differ in number", given=f"{len(low)}, {len(high)}, {len(true)}")
    if not 0 < alpha < 1:
        raise ShapeError("alpha is a share", given=alpha, expected="between 0 and 1")
    if np.any(high < low):
        raise ShapeError("a range ends before it begins", given=int(np.argmax(high < low)), expected="low <= high")
    cost = (high - low) + (2 / alpha) * (np.maximum(low - true, 0) + np.maximum(true - high, 0))
    return _mean(cost, subjects, f"mean interval score, alpha {alpha:g}", {"unit": "years", **options})


def _bins(confidence: Floats, right: NDArray[np.bool_], bins: int) -> NDArray[np.int64]:
    _check(confidence, right)
    if bins < 1:
        raise ShapeError("there is at least one bin", given=bins, expected="1 or more")
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def _check(confidence: Floats, right: NDArray[np.bool_]) -> None:
    if len(confidence) != len(right):
        raise ShapeError("confidences and answers differ in number", given=f"{len(confidence)}, {len(right)}")
    if np.any(~((confidence >= 0) & (confidence <= 1))):
        raise ShapeError("a confidence is a share", given=f"{np.min(confidence)} to {np.max(confidence)}",
                         expected="0 to 1; leave out answers without one")  # fmt: skip


def _mean(values: Floats, subjects: NDArray[Any], rule: str, options: dict[str, Any]) -> Estimate:
    def mean(weights: Floats | None) -> Number:
        weight = np.ones(len(values)) if weights is None else weights
        total = weight.sum()
        return (
            float(weight @ values / total) if total > 0 else Undefined("there is no answer", {"answers": len(values)})
        )

    return of_units(mean, subjects, rule, {"answers": len(values)}, **options)
