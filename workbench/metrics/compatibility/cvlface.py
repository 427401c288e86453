"""The rank rule of CVLface (after Probabilistic Face Embeddings) and its open-set identification ``DIR_FAR``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core import ShapeError
from .folded import Floats, Mask


def cvlface_thresholds(nonmated: Floats, fars: Floats, *, epsilon: float = 1e-5) -> Floats:
    """``find_thresholds_by_FAR``: the k-th highest non-mated score, ``k = round(N far)``; accept when ``s >= T``.

    A half is rounded to the even number. For ``k = 0`` the highest score plus ``epsilon``. Scores equal to the k-th are
    accepted with it, so that the rate reached may be above the target.

    Args:
        nonmated: ``(n,)``.
        fars: ``(f,)`` targets.
        epsilon: 1e-5 in CVLface, 1e-8 in the code that it follows.
    """
    if not len(nonmated):
        raise ShapeError("no non-mated scores", expected="at least one")
    falling = np.sort(nonmated)[::-1]
    ranks = np.round(len(falling) * np.asarray(fars, np.float64)).astype(np.int64)
    thresholds: Floats = np.where(ranks == 0, falling[0] + epsilon, falling[ranks - 1])
    return thresholds


@dataclass(frozen=True)
class CvlfaceSearch:
    """Detection and identification rates.

    Attributes:
        dirs: ``(f, r)`` at each target and rank.
        fars: ``(f,)`` share of non-mated probes whose best score is at or above the threshold; 0 without such probes.
        thresholds: ``(f,)``.
    """

    dirs: Floats
    fars: Floats
    thresholds: Floats


def cvlface_dir_far(
    scores: Floats, same: Mask, *, ranks: tuple[int, ...] = (1,), fars: tuple[float, ...] = (1.0,)
) -> CvlfaceSearch:
    """``DIR_FAR``: mated probes whose mate is among the first ranks, and at or above the threshold in an open set.

    Among equal scores NumPy's sort decides, read from its end: a mate may win or lose by its place.

    Args:
        scores: ``(probes, gallery)``.
        same: ``bool``, same shape; for an open set at most one mate for each probe.
        ranks: lengths of the candidate list.
        fars: targets; ``(1.0,)`` alone means a closed set.
    """
    if scores.ndim != 2 or scores.shape != same.shape:
        raise ShapeError("scores and mates do not fit", given=(scores.shape, same.shape), expected="(p, g) twice")
    mated = same.any(axis=1)
    if not mated.any():
        raise ShapeError("no mated probes", expected="at least one row of mates")
    best = scores[~mated].max(axis=1) if (~mated).any() else np.zeros(0)
    open_set = not (len(fars) == 1 and fars[0] >= 1.0)
    if open_set and np.any(same[mated].sum(axis=1) != 1):
        raise ShapeError("an open set needs one mate per probe", given=int(same.sum(axis=1).max()), expected=1)
    thresholds = cvlface_thresholds(best, np.array(fars)) if open_set else np.array([scores.min() - 1e-10])
    order = np.argsort(scores[mated], axis=1)[:, ::-1]
    ranked = np.take_along_axis(same[mated], order, axis=1)
    within = np.stack([ranked[:, :rank].any(axis=1) for rank in ranks])
    above = _above(scores[mated], same[mated], thresholds) if open_set else np.ones((1, int(mated.sum())), bool)
    dirs = (above[:, None] & within[None]).mean(axis=2)
    reached = np.array([np.mean(best >= t) if len(best) else 0.0 for t in thresholds])
    return CvlfaceSearch(dirs, reached, thresholds)


def _above(scores: Floats, same: Mask, thresholds: Floats) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = scores[same] >= thresholds[:, None]
    return found
