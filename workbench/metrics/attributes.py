"""Attributes: age errors, classes and binary labels, each with its interval over capture subjects."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError, Undefined
from .resampling import of_means, of_units, proportion
from .steps import Steps

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def _same(what: str, *arrays: NDArray[Any]) -> None:
    if len({a.shape for a in arrays}) != 1 or arrays[0].ndim != 1:
        raise ShapeError(f"{what} do not fit together", given=tuple(a.shape for a in arrays), expected="(n,) each")


def _age_errors(estimated: Floats, true: Floats) -> Floats:
    _same("ages", estimated, true)
    errors: Floats = np.abs(estimated - true).astype(np.float64)
    if not np.all(np.isfinite(errors)):
        raise ShapeError("an age is not finite", do="leave out failures to acquire and count them")
    return errors


def age_mae(estimated: Floats, true: Floats, subjects: NDArray[Any], **options: Any) -> Estimate:
    """Mean absolute error of age in years.

    Args:
        estimated: ``(n,)`` years.
        true: ``(n,)`` years.
        subjects: ``(n,)``.
        **options: ``resamples``, ``level``, ``seed``.
    """
    errors = _age_errors(estimated, true)
    counts = {"samples": len(errors), "subjects": len(np.unique(subjects))}
    return of_means(errors, subjects, "mean absolute error of age", counts, unit="year", **options)


def cumulative_score(
    estimated: Floats, true: Floats, subjects: NDArray[Any], years: float = 5, **options: Any
) -> Estimate:
    """CS(n): share of samples whose age error is at most ``years``, itself included.

    Args:
        estimated: ``(n,)`` years.
        true: ``(n,)`` years.
        subjects: ``(n,)``.
        years: largest error that counts as right.
        **options: of `resampling.proportion`.
    """
    right = _age_errors(estimated, true) <= years
    counts = {"samples": len(right), "subjects": len(np.unique(subjects))}
    return proportion(right, subjects, f"CS({years:g}): share with |error| <= {years:g} years", counts, **options)


def confusion(predicted: Codes, true: Codes, classes: int, weights: Floats | None = None) -> Floats:
    """How often each true class (row) was called each class (column), ``(classes, classes)``."""
    _same("classes", predicted, true)
    both = np.concatenate([predicted, true])
    if len(both) and not (both.min() >= 0 and both.max() < classes):
        given = f"{both.min()} to {both.max()}"
        raise ShapeError("a class is not among the classes", given=given, expected=f"0 to {classes - 1}")
    cells = np.bincount(true * classes + predicted, weights, classes**2)
    table: Floats = cells.reshape(classes, classes).astype(np.float64)
    return table


def accuracy_of(table: Floats) -> Number:
    """Share on the diagonal."""
    return float(np.trace(table) / table.sum()) if table.sum() > 0 else Undefined("no samples")


def balanced_accuracy_of(table: Floats) -> Number:
    """Mean recall of the classes that occur."""
    there = table.sum(axis=1) > 0
    if not there.any():
        return Undefined("no samples")
    return float((np.diag(table)[there] / table.sum(axis=1)[there]).mean())


def macro_f1_of(table: Floats) -> Number:
    """Mean of ``2 TP / (2 TP + FP + FN)`` over classes that occur as truth or as answer."""
    whole = table.sum(axis=0) + table.sum(axis=1)
    there = whole > 0
    return float((2 * np.diag(table)[there] / whole[there]).mean()) if there.any() else Undefined("no samples")


RULES = {
    "accuracy": (accuracy_of, "share of samples called by their class"),
    "balanced accuracy": (balanced_accuracy_of, "mean recall over the classes that occur"),
    "macro-F1": (macro_f1_of, "mean F1 over classes that occur as truth or as answer"),
}


def of_classes(
    name: str, predicted: Codes, true: Codes, classes: int, subjects: NDArray[Any], **options: Any
) -> Estimate:
    """A measure of a classifier with its interval over capture subjects.

    Args:
        name: ``"accuracy"``, ``"balanced accuracy"`` or ``"macro-F1"``.
        predicted: ``int64 (n,)`` codes from 0.
        true: ``int64 (n,)``.
        classes: how many there are.
        subjects: ``(n,)``.
        **options: ``resamples``, ``level``, ``seed``.
    """
    if name not in RULES:
        raise ShapeError("unknown measure of classes", given=name, expected=", ".join(RULES))
    measure, rule = RULES[name]
    counts = {"samples": len(true), "classes": len(np.unique(true)), "subjects": len(np.unique(subjects))}

    def statistic(weights: Floats | None) -> Number:
        found = measure(confusion(predicted, true, classes, weights))
        return Undefined(found.reason, counts) if isinstance(found, Undefined) else found

    return of_units(statistic, subjects, f"{name}: {rule}", counts, **options)


def _precision_area(steps: Steps, weights: Floats | None) -> float | None:
    """``sum (R_k - R_k-1) P_k``, or None where the label is nowhere present."""
    accepted, whole = steps.masses(weights)
    if whole[1] <= 0:
        return None
    absent, hits = accepted[:, ::-1]
    called = absent + hits
    precision = np.divide(hits, called, out=np.ones_like(hits), where=called > 0)
    return float(np.diff(hits / whole[1]) @ precision[1:])


def average_precision(scores: Floats, present: NDArray[np.bool_], subjects: NDArray[Any], **options: Any) -> Estimate:
    """Mean over labels of the average precision: ``sum (R_k - R_k-1) P_k`` over distinct scores, nothing interpolated.

    Args:
        scores: ``(n, labels)``, or ``(n,)`` of one label; higher is more likely present.
        present: ``bool``, likewise.
        subjects: ``(n,)``.
        **options: ``resamples``, ``level``, ``seed``.
    """
    if scores.shape != present.shape or scores.ndim not in (1, 2):
        raise ShapeError(
            "scores and labels do not fit", given=(scores.shape, present.shape), expected="(n,) or (n, labels) twice"
        )
    values, labels = scores.reshape(len(scores), -1), present.reshape(len(present), -1)
    there = labels.any(axis=0)
    parts = [Steps(values[:, k].astype(np.float64), labels[:, k].astype(np.int64), 2) for k in np.flatnonzero(there)]
    counts = {"labels": len(parts), "labels left out": int((~there).sum()), "samples": len(values)}

    def statistic(weights: Floats | None) -> Number:
        found = [a for a in (_precision_area(steps, weights) for steps in parts) if a is not None]
        return float(np.mean(found)) if found else Undefined("the label is nowhere present", counts)

    rule = "average precision, steps between distinct scores; mean over labels that are present somewhere"
    return of_units(statistic, subjects, rule, counts, **options)
