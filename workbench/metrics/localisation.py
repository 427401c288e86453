"""Where an image, or when a video, is forged: IoU and F1 of masks, AP@IoU and AR@N of segments.

Temporal conventions, all stated because they differ:

- ``"activitynet"`` (the ActivityNet evaluation, after PASCAL VOC 2011). AP: proposals in falling score order each take
  the free true segment of highest IoU (of equals the first), if that is >= the limit; one proposal per segment, the
  rest are false alarms; precision is raised to the highest at any larger recall. AR: a segment is found when any
  proposal has IoU >= the limit.
- ``"lav-df"`` (the code of LAV-DF, Cai et al. 2022, arXiv 2204.06228). IoU must be > the limit; each true segment takes
  its first free proposal in falling score order; the area up to the first proposal's recall is left out, so that a
  perfect detector of n segments gets ``1 - 1/n``. AR: a segment is found when any of the N best has IoU > limit.
- ``"one-to-one"`` (the house's AR): the matching of ActivityNet's AP among the N highest proposals of a video, so that
  one long proposal finds one segment, not several.

Proposals of a video with no true segment are false alarms of AP and do not touch AR. Equal scores keep the listed
order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Measurements, Number, ShapeError, Undefined
from .intervals import of_mean
from .resampling import of_units, positions
from .steps import Floats, shares

Convention = Literal["one-to-one", "activitynet", "lav-df"]
LIMITS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))


def mask_overlap(maps: NDArray[Any], masks: NDArray[np.bool_], threshold: float) -> tuple[Floats, Floats, Floats]:
    """True, predicted and common area of each image; a pixel is predicted where its map is >= ``threshold``.

    Args:
        maps: ``(n, h, w)``.
        masks: ``bool (n, h, w)``, True where forged.
        threshold: fixed before looking at results.

    Returns:
        Three ``float64 (n,)`` in pixels.
    """
    if maps.ndim != 3 or maps.shape != masks.shape or masks.dtype != bool:
        given = (maps.shape, masks.shape, masks.dtype)
        raise ShapeError("maps and masks do not fit", given=given, expected="maps (n, h, w), masks bool (n, h, w)")
    if np.issubdtype(maps.dtype, np.floating) and np.isnan(maps).any():
        raise ShapeError("a map is NaN", given=int(np.isnan(maps).sum()), expected="numbers")
    predicted = maps >= threshold
    areas = [a.sum(axis=(1, 2)).astype(np.float64) for a in (masks, predicted, masks & predicted)]
    return areas[0], areas[1], areas[2]


def mask_iou(maps: NDArray[Any], masks: NDArray[np.bool_], threshold: float) -> Floats:
    """Intersection over union of each image, ``(n,)``; NaN where both areas are empty. Arguments: `mask_overlap`."""
    true, predicted, common = mask_overlap(maps, masks, threshold)
    return shares(common, true + predicted - common)


def mask_f1(maps: NDArray[Any], masks: NDArray[np.bool_], threshold: float) -> Floats:
    """F1 (Dice) of each image, ``(n,)``; NaN where both areas are empty. Arguments: `mask_overlap`."""
    true, predicted, common = mask_overlap(maps, masks, threshold)
    return shares(2 * common, true + predicted)


def spatial_localisation(
    maps: NDArray[Any], masks: NDArray[np.bool_], threshold: float, subjects: NDArray[Any], *,
    measure: Literal["iou", "f1"] = "iou", over: Literal["images", "pixels"] = "images", **options: Any,
) -> Estimate:  # fmt: skip
    """IoU or F1 of predicted forged areas.

    Args:
        maps: ``(n, h, w)`` forgery maps.
        masks: ``bool (n, h, w)``.
        threshold: on the maps.
        subjects: ``(n,)`` capture subjects or source videos.
        measure: ``"iou"`` or ``"f1"``.
        over: mean over images, those without any area left out and counted, or one value over all pixels.
        **options: ``resamples``, ``level``, ``seed``.
    """
    if measure not in ("iou", "f1") or over not in ("images", "pixels"):
        raise ShapeError("unknown measure", given=(measure, over), expected="'iou' or 'f1', over 'images' or 'pixels'")
    rule = f"{'IoU' if measure == 'iou' else 'F1'} of forged areas, forged where map >= {threshold:g}"
    if over == "images":
        each = (mask_iou if measure == "iou" else mask_f1)(maps, masks, threshold)
        found = of_mean(Measurements(measure, each, positions(subjects)[0][:, None]), unit="fraction", **options)
        value = found.value if not np.isfinite(each).any() else float(np.nanmean(each))
        ends = (found.low, found.high) if found.defined else (found.value, found.value)
        said = f"{rule}, mean over images, images where nothing is forged nor predicted left out; {found.rule}"
        return Estimate(value, *ends, said, found.counts, "fraction", found.level)
    true, predicted, common = mask_overlap(maps, masks, threshold)
    part, whole = (common, true + predicted - common) if measure == "iou" else (2 * common, true + predicted)
    counts = {"images": len(maps), "pixels": int(masks.size), "forged pixels": int(true.sum())}

    def statistic(weights: Floats | None) -> Number:
        w = np.ones(len(whole)) if weights is None else weights
        below = float(w @ whole)
        return float(w @ part) / below if below > 0 else Undefined("nothing is forged and nothing predicted", counts)

    return of_units(statistic, subjects, f"{rule}, over all pixels of all images", counts, **options)


def segment_iou(one: Floats, other: Floats) -> Floats:
    """IoU of segments ``(p, 2)`` with segments ``(t, 2)``, each start and end: ``(p, t)``; 0 where both are empty."""
    common = np.minimum(one[:, None, 1], other[None, :, 1]) - np.maximum(one[:, None, 0], other[None, :, 0])
    common = np.maximum(common, 0.0)
    union = (one[:, 1] - one[:, 0])[:, None] + (other[:, 1] - other[:, 0])[None, :] - common
    return np.nan_to_num(shares(common, union))


def matched(iou: Floats, limit: float, convention: Convention) -> NDArray[np.bool_]:
    """Which proposals find a true segment of their own.

    Args:
        iou: ``(proposals, segments)``, proposals in falling score order.
        limit: least IoU.
        convention: ``"lav-df"``, or the greedy matching by score of the other two.
    """
    hit = np.zeros(len(iou), bool)
    if convention == "lav-df":
        for segment in range(iou.shape[1]):
            free = np.flatnonzero((iou[:, segment] > limit) & ~hit)
            hit[free[:1]] = True
        return hit
    taken = np.zeros(iou.shape[1], bool)
    for p, row in enumerate(iou):
        open_row = np.where(taken | (row < limit), -1.0, row)
        if len(row) and open_row.max() >= 0:
            taken[int(np.argmax(open_row))] = hit[p] = True
    return hit


class _Videos:
    """True segments and proposals of every video, checked, proposals in falling score order."""

    def __init__(self, truth: Mapping[str, Any], proposals: Mapping[str, Any], subjects: Mapping[str, Any] | None):
        unknown = sorted(set(proposals) - set(truth))
        if unknown:
            raise ShapeError(
                "proposals for videos without annotation", given=unknown[:3],
                expected="every video in truth; an empty list where nothing is forged",
            )  # fmt: skip
        self.names = sorted(truth)
        self.truth = [_table(truth[n], 2, f"truth of {n!r}") for n in self.names]
        found = [_table(proposals.get(n, ()), 3, f"proposals of {n!r}") for n in self.names]
        self.proposals = [p[np.argsort(-p[:, 2], kind="stable")] for p in found]
        self.subjects = np.array([n if subjects is None else subjects[n] for n in self.names])
        self.over = "videos" if subjects is None else "capture subjects"
        self.counts = {
            "videos": len(self.names),
            "segments": sum(len(t) for t in self.truth),
            "proposals": sum(len(p) for p in self.proposals),
        }

    def ious(self) -> list[Floats]:
        return [segment_iou(p[:, :2], t) for p, t in zip(self.proposals, self.truth, strict=True)]


def _table(rows: Any, columns: int, what: str) -> Floats:
    table = np.asarray(rows, np.float64).reshape(-1, columns) if len(rows) == 0 else np.asarray(rows, np.float64)
    if table.ndim != 2 or table.shape[1] != columns or not np.isfinite(table).all():
        names = "(start, end)" if columns == 2 else "(start, end, score)"
        raise ShapeError(f"{what} has the wrong shape or is not finite", given=table.shape, expected=f"rows {names}")
    if np.any(table[:, 1] < table[:, 0]):
        raise ShapeError(f"{what} ends before it starts", given=table[table[:, 1] < table[:, 0]][0].tolist())
    return table


def _check(convention: str, limits: Sequence[float]) -> None:
    if convention not in ("one-to-one", "activitynet", "lav-df"):
        raise ShapeError("unknown convention", given=convention, expected="'one-to-one', 'activitynet' or 'lav-df'")
    if not limits or any(not 0 < limit <= 1 for limit in limits):
        raise ShapeError("an IoU limit is a fraction", given=list(limits), expected="0 < IoU <= 1, at least one")


def temporal_ap(
    truth: Mapping[str, Any], proposals: Mapping[str, Any], iou: float | Sequence[float], *,
    convention: Convention = "activitynet", subjects: Mapping[str, Any] | None = None, **options: Any,
) -> Estimate:  # fmt: skip
    """Average precision of temporal localisation at an IoU limit, or its mean over several.

    Args:
        truth: for every video its forged segments, rows (start, end) in seconds; empty for a bona fide video.
        proposals: for each video rows (start, end, score).
        iou: limit or limits.
        convention: ``"activitynet"`` (the same as ``"one-to-one"`` here) or ``"lav-df"``.
        subjects: what is resampled, of each video; videos themselves if not given.
        **options: ``resamples``, ``level``, ``seed``.
    """
    limits = (iou,) if isinstance(iou, int | float) else tuple(iou)
    _check(convention, limits)
    videos = _Videos(truth, proposals, subjects)
    ious, rows = videos.ious(), np.array([len(t) for t in videos.truth], np.float64)
    video = np.repeat(np.arange(len(rows)), [len(p) for p in videos.proposals])
    scores = np.concatenate([p[:, 2] for p in videos.proposals] or [np.zeros(0)])
    order = np.argsort(-scores, kind="stable")
    hits = [np.concatenate([matched(i, limit, convention) for i in ious] or [np.zeros(0, bool)]) for limit in limits]

    def statistic(weights: Floats | None) -> Number:
        w = np.ones(len(rows)) if weights is None else weights
        segments = float(w @ rows)
        if segments <= 0:
            return Undefined("no forged segments", videos.counts)
        each = w[video][order]
        areas = [_area(each * h[order], each, segments, drop_first=convention == "lav-df") for h in hits]
        return float(np.mean(areas))

    sign = ">" if convention == "lav-df" else ">="
    rule = f"AP at temporal IoU {sign} {', '.join(f'{limit:g}' for limit in limits)}"
    rule += f"{' (mean)' if len(limits) > 1 else ''}, {convention}'s matching and interpolation"
    return of_units(statistic, videos.subjects, rule, videos.counts, over=videos.over, **options)


def _area(hit: Floats, weight: Floats, segments: float, *, drop_first: bool) -> float:
    """Area under the precision-recall curve, precision raised to the highest at any larger recall."""
    found, tried = np.cumsum(hit), np.cumsum(weight)
    if not len(found):
        return 0.0
    precision = np.divide(found, tried, out=np.zeros_like(found), where=tried > 0)
    raised = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.r_[0.0, found]) / segments
    area = float(np.sum(steps * raised))
    if drop_first and weight.any():
        first = int(np.argmax(weight > 0))
        area -= float(hit[first] > 0) * float(raised[first]) / segments
    return area


def temporal_ar(
    truth: Mapping[str, Any], proposals: Mapping[str, Any], count: int, *, iou: Sequence[float] = LIMITS,
    convention: Convention = "one-to-one", subjects: Mapping[str, Any] | None = None, **options: Any,
) -> Estimate:  # fmt: skip
    """Average recall AR@N: share of all forged segments found by the N best proposals of their video, mean over limits.

    N is a number per video, as in LAV-DF and ForgeryNet, not ActivityNet's average number.

    Args:
        truth: as in `temporal_ap`.
        proposals: as in `temporal_ap`.
        count: N, at least 1.
        iou: limits; 0.5, 0.55, ..., 0.95 if not given.
        convention: ``"one-to-one"``, ``"activitynet"`` or ``"lav-df"``.
        subjects: as in `temporal_ap`.
        **options: ``resamples``, ``level``, ``seed``.
    """
    _check(convention, iou)
    if count < 1:
        raise ShapeError("AR@N needs proposals", given=count, expected="N >= 1")
    videos = _Videos(truth, proposals, subjects)
    rows = np.array([len(t) for t in videos.truth], np.float64)
    found = np.array([np.mean([_recalled(i[:count], limit, convention) for limit in iou]) for i in videos.ious()])

    def statistic(weights: Floats | None) -> Number:
        w = np.ones(len(rows)) if weights is None else weights
        segments = float(w @ rows)
        return float(w @ found) / segments if segments > 0 else Undefined("no forged segments", videos.counts)

    sign = ">" if convention == "lav-df" else ">="
    rule = f"AR@{count}: recall of segments by the {count} best proposals of each video, mean over temporal IoU {sign} "
    rule += f"{', '.join(f'{limit:g}' for limit in iou)}, {convention}'s matching"
    return of_units(statistic, videos.subjects, rule, videos.counts, over=videos.over, **options)


def _recalled(iou: Floats, limit: float, convention: Convention) -> int:
    if convention == "one-to-one":
        return int(matched(iou, limit, convention).sum())
    near = iou > limit if convention == "lav-df" else iou >= limit
    return int(near.any(axis=0).sum())
