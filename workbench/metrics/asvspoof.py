"""The habit of ASVspoof's published code: one step per trial, to reproduce its EERs, costs and thresholds.

Scores of both kinds are sorted, bona fide before spoof where equal, and the rates change at every trial: at a trial's
score that trial itself is already rejected. So the printed threshold lies one step below the house's, points inside
a tie exist that no threshold can reach, and the EER may lie on one. Source: ``compute_det_curve``, ``compute_eer`` and
``compute_a_det_curve`` of the ASVspoof 5 evaluation package (MIT), described here anew.
"""

from __future__ import annotations

import numpy as np

from ..core import ShapeError, Undefined
from .speaker import ArchitectureCosts, AsvErrors, DetectionCosts, LegacyTandemCosts, TandemCosts, weights_of
from .steps import Floats


def per_trial(*kinds: Floats, below: float = 0.001) -> tuple[list[Floats], Floats]:
    """Share of each kind already rejected, and the threshold that is printed, after each trial.

    Args:
        *kinds: scores of each kind; among equal scores the earlier kind is rejected first.
        below: how far under the lowest score the first threshold lies.

    Returns:
        Rejected shares ``(n + 1,)`` of each kind, from 0 to 1, and thresholds ``(n + 1,)``.
    """
    if any(len(k) == 0 for k in kinds):
        raise ShapeError("a kind has no scores", given=[len(k) for k in kinds], expected="at least one of each")
    scores = np.concatenate(kinds)
    if not np.isfinite(scores).all():
        raise ShapeError("scores are not finite", given=int(np.sum(~np.isfinite(scores))), expected="finite scores")
    order = np.argsort(scores, kind="stable")
    kind = np.repeat(np.arange(len(kinds)), [len(k) for k in kinds])[order]
    rejected = [np.r_[0, np.cumsum(kind == k)] / len(scores_of) for k, scores_of in enumerate(kinds)]
    return rejected, np.r_[scores[order[0]] - below, scores[order]]


def asvspoof_eer(bonafide: Floats, spoof: Floats) -> tuple[float, float]:
    """EER and threshold as ASVspoof prints them: mean of both rates at their first smallest gap, per trial.

    Args:
        bonafide: ``(n,)`` scores, or those of target trials.
        spoof: ``(m,)`` scores, or those of non-target trials.
    """
    (miss, rejected), thresholds = per_trial(bonafide, spoof)
    alarm = _remaining(rejected, len(spoof))
    at = int(np.argmin(np.abs(miss - alarm)))
    return float((miss[at] + alarm[at]) / 2), float(thresholds[at])


def _remaining(rejected: Floats, n: int) -> Floats:
    """Share not rejected, from whole counts, so that rounding makes no gap."""
    left: Floats = (n - np.rint(rejected * n)) / n
    return left


def _least(cost: Floats, thresholds: Floats) -> tuple[float, float]:
    at = int(np.argmin(cost))
    return float(cost[at]), float(thresholds[at])


def asvspoof_min_tdcf(
    bonafide: Floats, spoof: Floats, asv: AsvErrors, costs: TandemCosts | LegacyTandemCosts
) -> tuple[float, float] | Undefined:
    """Minimal t-DCF and threshold, per trial; the cost is that of `speaker.min_tdcf`, the threshold one step below."""
    weights = weights_of(asv, costs)
    if isinstance(weights, Undefined):
        return weights
    c0, c1, c2, floor = weights
    (miss, rejected), thresholds = per_trial(bonafide, spoof)
    return _least((c0 + c1 * miss + c2 * _remaining(rejected, len(spoof))) / floor, thresholds)


def asvspoof_min_dcf(bonafide: Floats, spoof: Floats, costs: DetectionCosts) -> tuple[float, float]:
    """Minimal DCF of a countermeasure and threshold, per trial."""
    (miss, rejected), thresholds = per_trial(bonafide, spoof)
    c1, c2 = costs.c_miss * (1 - costs.p_spoof), costs.c_fa * costs.p_spoof
    return _least((c1 * miss + c2 * _remaining(rejected, len(spoof))) / min(c1, c2), thresholds)


def asvspoof_a_dcf(target: Floats, nontarget: Floats, spoof: Floats, costs: ArchitectureCosts) -> tuple[float, float]:
    """Minimal a-DCF and threshold, per trial."""
    (miss, non, fake), thresholds = per_trial(target, nontarget, spoof, below=1e-8)
    c = costs
    alarms = (c.c_fa_nontarget * c.p_nontarget, c.c_fa_spoof * c.p_spoof)
    cost = c.c_miss * c.p_target * miss + alarms[0] * _remaining(non, len(nontarget))
    cost = (cost + alarms[1] * _remaining(fake, len(spoof))) / min(sum(alarms), c.c_miss * c.p_target)
    return _least(cost, thresholds)
