"""The thresholds of bob.measure, edge cases included, and three of its measures.

All accept when ``s >= T``. They differ from the house's at the edges: a target that no score attains gives the next
number beyond the scores, the threshold of the equal error rate lies halfway between two scores, the one for a false
rejection rate counts the last of several equal scores, and the minimal Cllr takes equal scores of both kinds apart.
"""

from __future__ import annotations

import numpy as np

from ...core import ShapeError
from ..calibration import cllr_of, pav_llrs
from .folded import Floats

EPSILON = np.finfo(np.float64).eps


def _two(scores: Floats, rate: float) -> Floats:
    if not 0.0 <= rate <= 1.0:
        raise ShapeError("a rate is a fraction", given=rate, expected="0 <= rate <= 1")
    if len(scores) < 2:
        raise ShapeError("bob.measure needs two scores", given=len(scores), expected="at least 2")
    return np.sort(np.asarray(scores, np.float64))


def bob_far_threshold(negatives: Floats, far: float) -> float:
    """The lowest negative score at which the share of negatives at or above it is at most ``far``.

    Just above the highest where there is none; just below the lowest where ``far`` is 1 or within rounding of it.
    """
    ranked = _two(negatives, far)
    if far >= 1 - EPSILON:
        return float(np.nextafter(ranked[0], -np.inf))
    distinct, first = np.unique(ranked, return_index=True)
    good = distinct[(len(ranked) - first) / len(ranked) <= far]
    return float(good[0]) if len(good) else float(np.nextafter(ranked[-1], np.inf))


def bob_frr_threshold(positives: Floats, frr: float) -> float:
    """The highest positive score whose last place among the sorted ones, from 0, is at most a share ``frr`` of all.

    Among equal scores that is stricter than the share below it. Just above the lowest score where there is none; just
    above the highest where ``frr`` is 1 or within rounding of it.
    """
    ranked = _two(positives, frr)
    if frr >= 1 - EPSILON:
        return float(np.nextafter(ranked[-1], np.inf))
    distinct = np.unique(ranked)
    last = np.searchsorted(ranked, distinct, side="right") - 1
    good = distinct[last / len(ranked) <= frr]
    return float(good[-1]) if len(good) else float(np.nextafter(ranked[0], np.inf))


def bob_eer_threshold(negatives: Floats, positives: Floats) -> float:
    """Threshold of the smallest gap of both rates: the lowest score, then halfway between neighbouring scores.

    Of equal gaps the last counts, until one kind is used up. Rates are stepped up and down one score at a time, so that
    rounding decides between gaps that are equal on paper, as it does there.
    """
    if not len(negatives) or not len(positives):
        raise ShapeError("a kind has no scores", given=(len(negatives), len(positives)), expected="both kinds")
    kinds = [np.sort(np.asarray(s, np.float64)) for s in (negatives, positives)]
    values = np.unique(np.concatenate(kinds))
    passed = [np.searchsorted(ranked, values, side="right") for ranked in kinds]
    falling = np.subtract.accumulate(np.r_[1.0, np.full(len(kinds[0]), 1.0 / len(kinds[0]))])
    rising = np.add.accumulate(np.r_[0.0, np.full(len(kinds[1]), 1.0 / len(kinds[1]))])
    gaps = np.abs(np.r_[falling[0] - rising[0], falling[passed[0]] - rising[passed[1]]])
    thresholds = np.r_[values[0], (values[:-1] + values[1:]) / 2, values[-1]]
    used_up = 1 + int(np.flatnonzero((passed[0] == len(kinds[0])) | (passed[1] == len(kinds[1])))[0])
    open_gaps = gaps[:used_up]
    at = used_up - 1 - int(np.argmin(open_gaps[::-1]))
    least, threshold = float(open_gaps[at]), float(thresholds[at])
    if gaps[used_up] < least:
        threshold = float(thresholds[used_up])
    return threshold


def bob_farfrr(negatives: Floats, positives: Floats, threshold: float) -> tuple[float, float]:
    """Share of negatives at or above the threshold, and of positives below it."""
    return float(np.mean(negatives >= threshold)), float(np.mean(positives < threshold))


def bob_roc_auc_score(negatives: Floats, positives: Floats, *, points: int = 2000, log_scale: bool = False) -> float:
    """Area under a sampled curve: thresholds for rates that rise evenly on a logarithmic scale from 1e-8 to 1.

    Args:
        negatives: ``(n,)``.
        positives: ``(m,)``.
        points: half of them for false rejection rates, half for false acceptance rates.
        log_scale: integrate over the decimal logarithm of the false acceptance rate where it is not 0.
    """
    half = points // 2
    sampled = [bob_frr_threshold(positives, rate) for rate in _log_rates(half)]
    sampled += [bob_far_threshold(negatives, rate) for rate in _log_rates(points - half)]
    thresholds = np.sort(sampled)
    ranked = [np.sort(np.asarray(s, np.float64)) for s in (negatives, positives)]
    false = (len(ranked[0]) - np.searchsorted(ranked[0], thresholds, side="left")) / len(ranked[0])
    missed = np.searchsorted(ranked[1], thresholds, side="left") / len(ranked[1])
    if log_scale:
        seen = false > 0
        false, missed = np.log10(false[seen]), missed[seen]
    return float(-np.trapezoid(1 - missed, false))


def _log_rates(points: int) -> Floats:
    rates: Floats = 10 ** (np.arange(1 - points, 1) / int(points / 8))
    return rates


def bob_min_cllr(negatives: Floats, positives: Floats) -> float:
    """Minimal Cllr with equal scores taken apart, negatives first: below the house's wherever kinds tie."""
    scores = np.concatenate([negatives, positives]).astype(np.float64)
    mated = np.arange(len(scores)) >= len(negatives)
    order = np.lexsort((mated, scores))
    llrs = pav_llrs(np.arange(len(scores), dtype=np.float64), mated[order])
    return cllr_of(llrs[mated[order]], llrs[~mated[order]])
