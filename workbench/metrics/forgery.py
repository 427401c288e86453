"""Forged media on frames and videos: AUC, EER, AP, accuracy, with the aggregation and the video's key declared.

Scores follow the field: higher is more forged, and forged is said when score > threshold. That is the house rule
(accept as bona fide when s >= T) for the negated scores, so ties fall on the bona fide side. The habits of
DeepfakeBench (Yan et al. 2023, arXiv 2307.01426) stand under their own name in `deepfakebench`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError, Undefined
from .attack_curves import d_eer
from .presentations import Presentations, Terms
from .resampling import of_units, proportion
from .steps import Floats, Steps

Aggregate = Literal["mean", "median", "max", "share"]
AGGREGATES = ("mean", "median", "max", "share")
FORGERY = Terms(
    "share of forged items missed", "share of bona fide items flagged", "forged items", "bona fide items", "method"
)


@dataclass(frozen=True)
class Forgeries:
    """A detector's scores of ``n`` frames or videos; higher is more forged.

    Attributes:
        name: data and subset.
        values: ``float64 (n,)``, finite where ``acquired``.
        forged: ``bool (n,)``.
        subjects: ``(n,)`` codes or names of capture subjects, or of source videos; what the bootstrap resamples.
        videos: ``str (n,)`` key of the video that each frame belongs to; None where the items are no frames.
        acquired: ``bool (n,)``, False where the detector gave no score (no face found); None: everywhere one.
        items: ``"frames"``, or ``"videos"`` with the way they were made.
    """

    name: str
    values: Floats
    forged: NDArray[np.bool_]
    subjects: NDArray[Any]
    videos: NDArray[np.str_] | None = None
    acquired: NDArray[np.bool_] | None = None
    items: str = "frames"

    def __post_init__(self) -> None:
        for what in ("values", "forged", "subjects", "videos", "acquired"):
            array = getattr(self, what)
            if array is not None and array.shape != (len(self.values),):
                given, expected = array.shape, (len(self.values),)
                raise ShapeError(f"{self.name!r}: {what} has the wrong shape", given=given, expected=expected)
        if self.forged.dtype != bool:
            raise ShapeError(f"{self.name!r}: forged is not boolean", given=self.forged.dtype, expected="bool")
        bad = int(np.sum(~np.isfinite(self.values[self.scored])))
        if bad:
            raise ShapeError(
                f"scores of {self.name!r} are not finite on {bad} items", expected="finite scores, or acquired=False"
            )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """``bool (n,)``, False where there is no score."""
        return np.ones(len(self.values), bool) if self.acquired is None else self.acquired

    @property
    def counts(self) -> dict[str, int]:
        """Forged, bona fide, subjects, items without a score."""
        return {
            "forged": int(np.sum(self.forged & self.scored)),
            "bonafide": int(np.sum(~self.forged & self.scored)),
            "subjects": len(np.unique(self.subjects)),
            "failures": int(np.sum(~self.scored)),
        }

    @property
    def rule(self) -> str:
        """What is judged, and what became of items without a score."""
        missing = self.counts["failures"]
        return f"on {self.items}" + (f", {missing} without a score left out" if missing else "")

    def presentations(self) -> Presentations:
        """The same as presentations with negated scores, for the measures of attack detection."""
        return Presentations.of_attack_scores(
            self.name, self.values, self.forged, "forged", self.subjects, self.acquired
        )  # fmt: skip


def video_keys(paths: Sequence[str], *, key: Literal["full", "parent"] = "full") -> NDArray[np.str_]:
    """The video that each frame belongs to, from its path.

    Args:
        paths: ``n`` frame files in one folder per video, slashes or backslashes between folders.
        key: ``"full"`` is the whole path of the folder. ``"parent"`` is the folder's own name, the habit of
            DeepfakeBench: equal names in several sets or manipulations (FaceForensics++ has one per pair of persons in
            each of its four) then become one video.
    """
    if key not in ("full", "parent"):
        raise ShapeError("unknown video key", given=key, expected="'full' or 'parent'")
    split = [path.split("\\" if "\\" in path else "/") for path in paths]
    short = [path for path, parts in zip(paths, split, strict=True) if len(parts) < 2]
    if short:
        raise ShapeError("a frame's path names no folder", given=short[0], expected="<video folder>/<frame file>")
    return np.array([parts[-2] if key == "parent" else "/".join(parts[:-1]) for parts in split], dtype=np.str_)


def to_videos(
    frames: Forgeries, aggregate: Aggregate, *, threshold: float | None = None, label: Literal["same", "any"] = "same"
) -> Forgeries:
    """One score per video out of its frames'.

    Args:
        frames: with ``videos``; frames without a score are left out, a video without any has none.
        aggregate: ``"mean"``, ``"median"``, ``"max"``, or ``"share"`` of frames with score > ``threshold``.
        threshold: of ``"share"``.
        label: ``"same"`` demands that all frames of a video are forged or none; ``"any"`` calls a video forged when
            one frame is.

    Returns:
        Videos in the order of their keys; each takes the subject of its first frame.
    """
    if frames.videos is None:
        raise ShapeError("the frames name no videos", do="give videos=video_keys(paths)")
    if aggregate not in AGGREGATES:
        raise ShapeError("unknown aggregation", given=aggregate, expected=" or ".join(AGGREGATES))
    if (threshold is None) == (aggregate == "share"):
        raise ShapeError("a threshold belongs to 'share' and to nothing else", given=(aggregate, threshold))
    keys, first, video = np.unique(frames.videos, return_index=True, return_inverse=True)
    forged = np.bincount(video, frames.forged, len(keys))
    size = np.bincount(video, minlength=len(keys))
    mixed = np.flatnonzero((forged > 0) & (forged < size))
    if label == "same" and len(mixed):
        raise ShapeError(
            f"{len(mixed)} videos hold forged and bona fide frames", given=str(keys[mixed[0]]),
            expected="one label per video", do="check the key, or say label='any' for partly forged videos",
        )  # fmt: skip
    values = np.full(len(keys), np.nan)
    scored = np.flatnonzero(frames.scored)
    for members in np.split(scored[np.argsort(video[scored], kind="stable")], _borders(video[scored], len(keys))):
        if len(members):
            values[video[members[0]]] = _aggregated(frames.values[members], aggregate, threshold)
    said = f"share of frames with s > {threshold:g}" if aggregate == "share" else f"{aggregate} of frame scores"
    items = f"videos ({said}; forged where {'all frames are' if label == 'same' else 'any frame is'})"
    acquired = ~np.isnan(values)
    return Forgeries(frames.name, values, forged > 0, frames.subjects[first], None, acquired, items)


def _borders(video: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    return np.asarray(np.cumsum(np.bincount(video, minlength=count))[:-1])


def _aggregated(scores: Floats, aggregate: Aggregate, threshold: float | None) -> float:
    if threshold is not None:
        return float(np.mean(scores > threshold))
    if aggregate == "median":
        return float(np.median(scores))
    return float(np.max(scores) if aggregate == "max" else np.mean(scores))


class _Ranking:
    """Forged and bona fide scores sorted once; counts above every threshold under any weights."""

    def __init__(self, found: Forgeries) -> None:
        scored = found.scored
        self.subjects = found.subjects[scored]
        self.steps = Steps(found.values[scored], found.forged[scored].astype(np.int64), 2)
        self.counts = found.counts

    def masses(self, weights: Floats | None) -> tuple[Floats, Floats] | Undefined:
        """Bona fide and forged weight at or above every distinct score, highest first, starting with none."""
        accepted, whole = self.steps.masses(weights)
        if whole.min() <= 0:
            return Undefined(f"no {'bona fide' if whole[0] <= 0 else 'forged'} items", self.counts)
        return accepted[0][::-1], accepted[1][::-1]


def forgery_auc(found: Forgeries, **options: Any) -> Estimate:
    """Area under the ROC curve: chance that a forged item scores above a bona fide one, ties half.

    Args:
        found: frames, or videos by `to_videos`.
        **options: ``resamples``, ``level``, ``seed`` of the bootstrap over subjects.
    """
    ranking = _Ranking(found)

    def statistic(weights: Floats | None) -> Number:
        masses = ranking.masses(weights)
        if isinstance(masses, Undefined):
            return masses
        bonafide, forged = masses
        return float(np.trapezoid(forged / forged[-1], bonafide / bonafide[-1]))

    return of_units(statistic, ranking.subjects, f"area under ROC, ties half; {found.rule}", found.counts, **options)


def forgery_ap(found: Forgeries, **options: Any) -> Estimate:
    """Average precision of the forged class: ``sum_k (R_k - R_{k-1}) P_k`` over distinct scores, not interpolated.

    Precision hangs on the share of forged items, which the counts state. Arguments as in `forgery_auc`.
    """
    ranking = _Ranking(found)

    def statistic(weights: Floats | None) -> Number:
        masses = ranking.masses(weights)
        if isinstance(masses, Undefined):
            return masses
        bonafide, forged = masses
        flagged = bonafide + forged
        precision = np.divide(forged, flagged, out=np.zeros_like(forged), where=flagged > 0)
        return float(np.sum(np.diff(forged) * precision[1:]) / forged[-1])

    rule = f"average precision of forged items, sum of recall steps times precision, ties merged; {found.rule}"
    return of_units(statistic, ranking.subjects, rule, found.counts, **options)


def forgery_eer(found: Forgeries, **options: Any) -> Estimate:
    """Equal error rate: mean of both errors at the attained threshold where they differ least.

    Arguments as in `forgery_auc`.
    """
    estimate = d_eer(found.presentations(), terms=FORGERY, across="pooled", **options)
    rule = f"{estimate.rule}; {found.rule}; scores negated"
    return Estimate(estimate.value, estimate.low, estimate.high, rule, found.counts, estimate.unit, estimate.level)


def forgery_accuracy(found: Forgeries, threshold: float, *, origin: str = "given", **options: Any) -> Estimate:
    """Share of items that are judged right when ``score > threshold`` says forged.

    Args:
        found: frames or videos.
        threshold: on the detector's score.
        origin: where it comes from, e.g. ``"0.5 by habit"`` or ``"EER threshold on ff++/val"``.
        **options: ``interval``, ``resamples``, ``level``, ``seed`` of `resampling.proportion`.
    """
    scored = found.scored
    right = (found.values[scored] > threshold) == found.forged[scored]
    rule = f"accuracy, forged when s > {threshold:g} ({origin}); {found.rule}"
    counts = found.counts
    if not counts["forged"] or not counts["bonafide"]:
        return Estimate(Undefined("items of one kind only", counts), rule=rule, counts=counts, unit="fraction")
    return proportion(right, found.subjects[scored], rule, counts, **options)
