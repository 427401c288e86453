"""From answers to units that claims compare: right or wrong, chance-corrected agreement, the gap between classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Undefined
from ..metrics.attributes import confusion
from ..metrics.resampling import of_units
from .tiny_vlm_words import INVALID

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


def with_invalid(predicted: Codes, classes: int) -> Codes:
    """The same answers with one more class, the last, for those that are invalid: it is nobody's truth."""
    return np.where(predicted == INVALID, classes, predicted).astype(np.int64)


def right(predicted: Codes, true: Codes) -> Floats:
    """1 where an answer is the truth, 0 where it is another class or invalid."""
    return np.asarray(predicted == true, np.float64)


def macro_f1(predicted: Codes, true: Codes, classes: int, subjects: NDArray[Any], **options: Any) -> Estimate:
    """Mean F1 over the classes that occur as truth or as answer; an invalid answer is a miss of its true class.

    Args:
        predicted: ``int64 (n,)`` codes from 0, or -1 for invalid answers.
        true: ``int64 (n,)``.
        classes: how many.
        subjects: ``(n,)``.
        **options: ``resamples``, ``level``, ``seed``.
    """
    said = with_invalid(predicted, classes)
    counts = {"samples": len(true), "invalid": int((predicted == INVALID).sum())}

    def statistic(weights: Floats | None) -> Number:
        table = confusion(said, true, classes + 1, weights)
        whole = (table.sum(0) + table.sum(1))[:classes]
        there = whole > 0
        return (
            float((2 * np.diag(table)[:classes][there] / whole[there]).mean())
            if there.any()
            else Undefined("no samples")
        )

    return of_units(statistic, subjects, "macro-F1: mean over classes; invalid answers are misses", counts, **options)


def chance(predicted: Codes, true: Codes) -> float:
    """Cohen's expected agreement: what answers with these frequencies hit blindly."""
    shared = np.unique(true)
    return float(sum((predicted == c).mean() * (true == c).mean() for c in shared))


def above_chance(predicted: Codes, true: Codes) -> Floats:
    """Right or wrong, less the expected agreement: the mean is accuracy above chance."""
    return right(predicted, true) - chance(predicted, true)


def kappa_units(predicted: Codes, true: Codes) -> Floats:
    """``(right - chance) / (1 - chance)``: the mean is Cohen's kappa. Chance is that of all units, in resamples too."""
    expected = chance(predicted, true)
    if expected == 1:
        return np.full(len(true), np.nan)
    return (right(predicted, true) - expected) / (1 - expected)


def recall_gap(predicted: Codes, true: Codes, subjects: Codes) -> Floats:
    """Units whose mean is the recall of the best class minus that of the worst, without the luck of choosing them.

    Best and worst are chosen on one half of the people and measured on the other, both ways round; the plain
    difference of largest and smallest is above 0 even where all classes are alike. Values are the difference and each
    unit's influence on it, so that resampling people gives the interval of a difference of two means. NaN where a
    half lacks one of the classes.
    """
    hit, units = right(predicted, true), np.full(len(true), np.nan)
    half = np.unique(subjects, return_inverse=True)[1] % 2
    for chosen_on, measured_on in ((half == 0, half == 1), (half == 1, half == 0)):
        recalls = {int(c): hit[chosen_on & (true == c)].mean() for c in np.unique(true[chosen_on])}
        if len(recalls) < 2:
            continue
        ends = (max(recalls, key=recalls.__getitem__), min(recalls, key=recalls.__getitem__))
        masks = [measured_on & (true == c) for c in ends]
        if all(m.any() for m in masks):
            means = [float(hit[m].mean()) for m in masks]
            units[measured_on] = means[0] - means[1]
            for sign, mask, mean in zip((1, -1), masks, means, strict=True):
                units[mask] += sign * (hit[mask] - mean) * measured_on.sum() / mask.sum()
    return units


def recalls(predicted: Codes, true: Codes, classes: int) -> Floats:
    """Recall of every class, ``(classes,)``; NaN where it does not occur."""
    table = confusion(with_invalid(predicted, classes), true, classes + 1)[:classes]
    whole = table.sum(1)
    found: Floats = np.divide(np.diag(table[:, :classes]), whole, out=np.full(classes, np.nan), where=whole > 0)
    return found
