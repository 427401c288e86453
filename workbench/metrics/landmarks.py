"""Landmarks: normalised mean error, failure rate, and the area under the cumulative error distribution."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, ShapeError
from .resampling import of_means, proportion

Floats = NDArray[np.float64]
By = Literal["inter-ocular", "inter-pupil", "box diagonal", "box size"]
# Outer eye corners and the six points of each eye in the 68-point order of iBUG.
OUTER, RIGHT, LEFT = (36, 45), slice(36, 42), slice(42, 48)


def normaliser(true: Floats, by: By, boxes: Floats | None = None) -> Floats:
    """What errors are divided by, in pixels, ``(n,)``.

    Args:
        true: ``(n, 68, 2)`` for the distances of eyes, else ``(n, k, 2)``.
        by: ``"inter-ocular"`` between outer eye corners; ``"inter-pupil"`` between the means of the eyes' points;
            ``"box diagonal"``; ``"box size"`` is the root of width times height.
        boxes: ``(n, 4)`` ``x1 y1 x2 y2``; the tight box of the true points if not given.
    """
    if by in ("inter-ocular", "inter-pupil"):
        if true.shape[1:] != (68, 2):
            raise ShapeError("distances of eyes need 68 points", given=true.shape, expected="(n, 68, 2)")
        ends = (true[:, OUTER[0]], true[:, OUTER[1]])
        if by == "inter-pupil":
            ends = (true[:, RIGHT].mean(axis=1), true[:, LEFT].mean(axis=1))
        distance: Floats = np.linalg.norm(ends[0] - ends[1], axis=1)
        return distance
    if by not in ("box diagonal", "box size"):
        raise ShapeError(
            "unknown normalisation", given=by, expected="inter-ocular, inter-pupil, box diagonal, box size"
        )
    tight = np.concatenate([true.min(axis=1), true.max(axis=1)], axis=1)
    sides = np.diff((tight if boxes is None else boxes).reshape(-1, 2, 2), axis=1)[:, 0]
    size: Floats = np.linalg.norm(sides, axis=1) if by == "box diagonal" else np.sqrt(sides.prod(axis=1))
    return size


def face_errors(found: Floats, true: Floats, scale: Floats, visible: NDArray[np.bool_] | None = None) -> Floats:
    """Mean distance of a face's points over its scale, ``(n,)``.

    Args:
        found: ``(n, k, 2)`` pixels; a face that was not found is infinity.
        true: ``(n, k, 2)``.
        scale: ``(n,)`` of `normaliser`.
        visible: ``bool (n, k)``; hidden points do not count. NaN for a face without visible points.
    """
    if found.shape != true.shape or found.ndim != 3 or found.shape[2] != 2 or scale.shape != (len(true),):
        raise ShapeError(
            "landmarks do not fit", given=(found.shape, true.shape, scale.shape), expected="(n, k, 2), (n,)"
        )
    if np.any(scale <= 0) or np.isnan(found).any():
        raise ShapeError(
            "a scale is not positive, or a landmark is NaN", do="say a face that was not found by infinity"
        )
    distance = np.linalg.norm(found - true, axis=2)
    weight = np.ones(true.shape[:2]) if visible is None else visible.astype(np.float64)
    whole = weight.sum(axis=1)
    summed = np.where(weight > 0, distance, 0.0).sum(axis=1)
    errors: Floats = np.divide(summed, whole, out=np.full(len(true), np.nan), where=whole > 0) / scale
    return errors


def nme(errors: Floats, subjects: NDArray[Any], *, by: str, **options: Any) -> Estimate:
    """Normalised mean error over the faces that were found; the others are counted, and `failure_rate` has them.

    Args:
        errors: ``(n,)`` of `face_errors`.
        subjects: ``(n,)``.
        by: the normalisation, for the rule.
        **options: ``resamples``, ``level``, ``seed``.
    """
    good = np.isfinite(errors)
    counts = {"faces": int(good.sum()), "not found": int(np.isinf(errors).sum()), "hidden": int(np.isnan(errors).sum())}
    return of_means(errors[good], subjects[good], f"mean error over {by}, faces found", counts, unit="", **options)


def failure_rate(errors: Floats, subjects: NDArray[Any], limit: float = 0.08, **options: Any) -> Estimate:
    """Share of faces whose error is above ``limit``, or that were not found; faces without visible points left out."""
    judged = ~np.isnan(errors)
    counts = {"faces": int(judged.sum()), "hidden": int((~judged).sum())}
    rule = f"share of faces with error > {limit:g} or not found"
    return proportion(errors[judged] > limit, subjects[judged], rule, counts, **options)


def ced_area(errors: Floats, subjects: NDArray[Any], limit: float = 0.08, **options: Any) -> Estimate:
    """Area under the cumulative error distribution up to ``limit``, over ``limit``: exact, not sampled.

    The mean over faces of ``max(0, 1 - error / limit)``; a face that was not found counts 0.
    """
    if limit <= 0:
        raise ShapeError("a limit of error is positive", given=limit, expected="> 0")
    judged = ~np.isnan(errors)
    gain = np.clip(1 - errors[judged] / limit, 0, None)
    counts = {"faces": int(judged.sum()), "hidden": int((~judged).sum())}
    rule = f"area under the cumulative error distribution to {limit:g}, over {limit:g}"
    return of_means(gain, subjects[judged], rule, counts, **options)
