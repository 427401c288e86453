"""Agreement between raters, people or models: Cohen's and Fleiss' kappa, Krippendorff's alpha, unusable answers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError, Undefined
from .resampling import of_units, proportion

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Weighting = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]


def cohen_kappa(
    one: Codes, other: Codes, classes: int, subjects: NDArray[Any], *, weighting: Weighting = "none", **options: Any
) -> Estimate:
    """Cohen's kappa of two raters (Cohen 1960; weighted, 1968).

    Args:
        one: ``int64 (n,)`` class by one rater, from 0.
        other: ``int64 (n,)`` by the other.
        classes: how many; their order matters for weights.
        subjects: ``(n,)`` of the items.
        weighting: disagreement ``|i - j|`` (linear) or its square.
        **options: ``resamples``, ``level``, ``seed``.
    """
    if weighting not in ("none", "linear", "quadratic"):
        raise ShapeError("unknown weighting", given=weighting, expected="none, linear, quadratic")
    _check(one, other, classes)
    gap = np.abs(np.arange(classes)[:, None] - np.arange(classes)).astype(np.float64)
    cost = (gap > 0).astype(np.float64) if weighting == "none" else gap if weighting == "linear" else gap**2
    counts = {"items": len(one), "classes": len(np.unique(np.r_[one, other]))}

    def statistic(weights: Floats | None) -> Number:
        table = np.bincount(one * classes + other, weights, classes**2).reshape(classes, classes)
        if table.sum() <= 0:
            return Undefined("no items", counts)
        share = table / table.sum()
        expected = float((np.outer(share.sum(axis=1), share.sum(axis=0)) * cost).sum())
        if expected == 0:
            return Undefined("both raters always give one class: there is nothing to agree on", counts)
        return 1 - float((share * cost).sum()) / expected

    rule = f"Cohen's kappa, weights {weighting}"
    return of_units(statistic, subjects, rule, counts, unit="", **options)


def _check(one: Codes, other: Codes, classes: int) -> None:
    if one.shape != other.shape or one.ndim != 1:
        raise ShapeError("ratings do not fit", given=(one.shape, other.shape), expected="(n,) twice")
    both = np.r_[one, other]
    if len(both) and not (both.min() >= 0 and both.max() < classes):
        given = f"{both.min()} to {both.max()}"
        raise ShapeError("a rating is not among the classes", given=given, expected=f"0 to {classes - 1}")


def fleiss_kappa(table: NDArray[np.integer], subjects: NDArray[Any], **options: Any) -> Estimate:
    """Fleiss' kappa of many raters (Fleiss 1971); every item has the same number of ratings, at least two.

    Args:
        table: ``(items, classes)`` how many raters chose each class.
        subjects: ``(items,)``.
        **options: ``resamples``, ``level``, ``seed``.
    """
    raters = table.sum(axis=1) if len(table) else np.zeros(0, np.int64)
    if len(raters) and (np.any(raters != raters[0]) or raters[0] < 2):
        raise ShapeError(
            "Fleiss' kappa needs the same number of raters for every item",
            given=f"{raters.min()} to {raters.max()}",
            expected="one number, at least 2",
            do="use krippendorff_alpha, which takes missing ratings",
        )
    counts = {"items": len(table), "raters": int(raters[0]) if len(raters) else 0}

    def statistic(weights: Floats | None) -> Number:
        weight = np.ones(len(table)) if weights is None else weights
        if weight.sum() <= 0:
            return Undefined("no items", counts)
        n = counts["raters"]
        agreement = ((table**2).sum(axis=1) - n) / (n * (n - 1))
        seen = float(weight @ agreement / weight.sum())
        share = weight @ table / (n * weight.sum())
        expected = float((share**2).sum())
        if expected == 1:
            return Undefined("all raters always give one class: there is nothing to agree on", counts)
        return (seen - expected) / (1 - expected)

    return of_units(statistic, subjects, "Fleiss' kappa", counts, unit="", **options)


def krippendorff_alpha(
    ratings: Floats, subjects: NDArray[Any], *, level: Level = "nominal", **options: Any
) -> Estimate:
    """Krippendorff's alpha: ``1 - observed / expected disagreement``; ratings may be missing.

    Args:
        ratings: ``(raters, items)``; NaN where a rater gave none.
        subjects: ``(items,)``.
        level: of measurement: what two different values are apart.
        **options: ``resamples``, ``level`` is that of measurement here, so the interval's is 95 %; ``seed``.
    """
    if level not in ("nominal", "ordinal", "interval"):
        raise ShapeError("unknown level of measurement", given=level, expected="nominal, ordinal, interval")
    if ratings.ndim != 2 or subjects.shape != (ratings.shape[1],):
        raise ShapeError(
            "ratings do not fit", given=(ratings.shape, subjects.shape), expected="(raters, items), (items,)"
        )
    values = np.unique(ratings[~np.isnan(ratings)])
    table = (
        np.stack([(ratings == v).sum(axis=0) for v in values], axis=1) if len(values) else np.zeros((len(subjects), 0))
    )
    # An item with one rating can be paired with nothing.
    table = np.where(table.sum(axis=1, keepdims=True) > 1, table, 0).astype(np.float64)
    counts = {"items": int((table.sum(axis=1) > 0).sum()), "ratings": int(table.sum()), "values": len(values)}

    def statistic(weights: Floats | None) -> Number:
        weight = np.ones(len(table)) if weights is None else weights
        return _alpha(table, weight, values, level, counts)

    return of_units(statistic, subjects, f"Krippendorff's alpha, {level}", counts, unit="", **options)


def _alpha(table: Floats, weight: Floats, values: Floats, level: Level, counts: dict[str, int]) -> Number:
    """From coincidences: every ordered pair of ratings of an item counts ``1 / (ratings - 1)``."""
    size = table.sum(axis=1)
    scaled = weight / np.maximum(size - 1, 1)
    pairs = (table * scaled[:, None]).T @ table - np.diag(scaled @ table)
    total = pairs.sum(axis=1)
    n = total.sum()
    if n <= 1:
        return Undefined("no item has two ratings", counts)
    apart = _apart(values, total, level)
    expected = float((np.outer(total, total) * apart).sum() / (n - 1))
    if expected == 0:
        return Undefined("all ratings are alike: there is nothing to agree on", counts)
    return 1 - float((pairs * apart).sum()) / expected


def _apart(values: Floats, total: Floats, level: Level) -> Floats:
    """Squared difference of each two values."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        squared: Floats = (values[:, None] - values) ** 2
        return squared
    below = np.cumsum(total) - total / 2
    ranks: Floats = (below[:, None] - below) ** 2
    return ranks


def answer_rates(
    kinds: NDArray[np.str_], subjects: NDArray[Any], *, unusable: tuple[str, ...] = ("refusal", "invalid"),
    **options: Any,
) -> dict[str, Estimate]:  # fmt: skip
    """Share of a model's answers of each unusable kind; for a verdict they are failures to acquire.

    Args:
        kinds: ``(n,)`` what each answer was, e.g. ``"answer"``, ``"refusal"``, ``"invalid"``.
        subjects: ``(n,)`` of the items asked about.
        unusable: the kinds that are counted.
        **options: of `resampling.proportion`; Wilson's interval unless said otherwise.
    """
    counts = {"answers": len(kinds)}
    options = {"interval": "wilson", **options}
    return {k: proportion(kinds == k, subjects, f"share of answers that are {k}", counts, **options) for k in unusable}
