"""The habits of DeepfakeBench's ``get_test_metrics`` (Yan et al. 2023, arXiv 2307.01426), to reproduce its tables.

They are not the house's measures: the video key is the parent folder's name only, a mixed video counts as bona fide,
the EER is the false positive rate where the gap to the false negative rate is smallest, on a ROC curve from which
scikit-learn has dropped points in between, and the accuracy cuts at 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, ShapeError, Undefined
from .forgery import Forgeries, forgery_accuracy, forgery_ap, forgery_auc, video_keys
from .steps import Floats


def corners(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """False and true positive rates as scikit-learn's ``roc_curve`` gives them by default.

    One point per distinct score, highest first, less those where neither count's second difference changes, after
    (0, 0). The dropped points never lie beside the curve, but the smallest gap may have lain on one of them.

    Args:
        scores: ``(n,)``, higher is more positive.
        positive: ``bool (n,)``, both kinds there.
    """
    order = np.argsort(scores, kind="stable")[::-1]
    ends = np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]
    hits = np.cumsum(positive[order])[ends]
    alarms = 1 + ends - hits
    if len(ends) > 2:
        keep = np.r_[True, (np.diff(alarms, 2) != 0) | (np.diff(hits, 2) != 0), True]
        hits, alarms = hits[keep], alarms[keep]
    return np.r_[0, alarms] / alarms[-1], np.r_[0, hits] / hits[-1]


def deepfakebench_eer(scores: Floats, forged: NDArray[np.bool_]) -> float:
    """False positive rate at the first smallest gap to the false negative rate."""
    false, true = corners(scores, forged)
    return float(false[np.argmin(np.abs((1 - true) - false))])


def deepfakebench_videos(
    scores: NDArray[np.floating], forged: NDArray[np.bool_], paths: Sequence[str]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean score and label of every video, keyed by its parent folder's name, in order of first appearance.

    A video is forged only where all its frames are. Scores pass through text, as there, so that a 32-bit score is
    averaged as its shortest decimal.
    """
    keys = video_keys(paths, key="parent")
    names, first, video = np.unique(keys, return_index=True, return_inverse=True)
    seen = np.argsort(first, kind="stable")
    values = np.array([float(str(s)) for s in scores], np.float64)
    total, size = np.zeros(len(names)), np.bincount(video, minlength=len(names))
    # One after the other, as Python's sum runs there: a pairwise sum may differ in the last digit.
    np.add.at(total, video, values)
    return (total / size)[seen], (np.bincount(video, forged, len(names)) == size)[seen]


def deepfakebench_metrics(
    scores: NDArray[np.floating], forged: NDArray[np.bool_], paths: Sequence[str]
) -> dict[str, Estimate]:
    """``acc``, ``auc``, ``eer``, ``ap``, ``video_auc`` and ``video_eer`` as DeepfakeBench prints them.

    Args:
        scores: ``(n,)`` frame scores, probability of forged.
        forged: ``bool (n,)``.
        paths: ``n`` frame files in a folder per video.

    Returns:
        Estimates without intervals; the rule names the habit.
    """
    if not len(scores) == len(forged) == len(paths):
        given = (len(scores), len(forged), len(paths))
        raise ShapeError("scores, labels and paths differ in length", given=given, expected="one of each per frame")
    wide = np.asarray(scores, np.float64)
    frames = Forgeries("DeepfakeBench", wide, forged, np.arange(len(wide)))
    means, video_forged = deepfakebench_videos(scores, forged, paths)
    videos = Forgeries("DeepfakeBench", means, video_forged, np.arange(len(means)), items="videos")
    habit = "DeepfakeBench's habit"
    key = f"{habit}: mean of frames by parent folder name, {len(means)} videos"
    found = {
        "acc": (forgery_accuracy(frames, 0.5, interval="none"), f"accuracy, forged when s > 0.5, {habit}"),
        "auc": (forgery_auc(frames, resamples=0), "area under ROC of frames, ties half"),
        "eer": (_eer(frames), f"{habit}: FPR at the smallest gap of FNR and FPR, intermediate points dropped"),
        "ap": (forgery_ap(frames, resamples=0), "average precision of frames, not interpolated"),
        "video_auc": (forgery_auc(videos, resamples=0), f"area under ROC of videos, {key}"),
        "video_eer": (_eer(videos), f"FPR at the smallest gap of videos, {key}"),
    }
    return {name: Estimate(e.value, rule=rule, counts=e.counts, unit="fraction") for name, (e, rule) in found.items()}


def _eer(found: Forgeries) -> Estimate:
    if found.forged.all() or not found.forged.any():
        return Estimate(Undefined("items of one kind only", found.counts), counts=found.counts)
    return Estimate(deepfakebench_eer(found.values, found.forged), counts=found.counts)
