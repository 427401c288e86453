"""One set of scores under every published rule for "FNMR at FMR", and for the equal error rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...core import Number, Scores, ShapeError, Undefined
from ..asvspoof import asvspoof_eer
from ..deepfakebench import deepfakebench_eer
from ..hull import rocch_eer_of
from ..rates import ErrorRates, at_most, error_rates
from ..verification import eer_of, threshold_at_fmr
from .bob_measure import bob_eer_threshold, bob_far_threshold, bob_farfrr
from .cvlface import cvlface_thresholds
from .folded import Floats, Mask
from .ijb_evals import ijb_1n_threshold, ijb_evals_threshold
from .pyeer import pyeer_eer, pyeer_fnmr_at_fmr
from .scikit_learn import nearest_point


@dataclass(frozen=True)
class OtherRule:
    """What one rule makes of the scores.

    Attributes:
        name: of the rule.
        threshold: on the score; undefined where the rule has none, infinite where it is printed so.
        fmr: reached, which may be above the target.
        fnmr: at the same place.
        words: the rule.
    """

    name: str
    threshold: Number
    fmr: Number
    fnmr: Number
    words: str


Numbers = tuple[Number, Number, Number]


@dataclass(frozen=True)
class _Rule:
    name: str
    words: str
    apply: Callable[[Scores, ErrorRates, float], Numbers]


def _workbench(scores: Scores, rates: ErrorRates, fmr: float) -> Numbers:
    at = at_most(rates, fmr)
    return threshold_at_fmr(scores, fmr), float(rates.fmr[at]), float(rates.fnmr[at])


def _interpolated(scores: Scores, rates: ErrorRates, fmr: float) -> Numbers:
    none = Undefined("between two thresholds")
    return none, fmr, float(np.interp(fmr, rates.fmr[::-1], rates.fnmr[::-1]))


def _counted(
    threshold_of: Callable[[Floats, Mask, float], float], *, strict: bool = False, least: int = 1
) -> Callable[[Scores, ErrorRates, float], Numbers]:
    """A rule that finds a threshold from scores and kinds, and the rates there."""

    def apply(scores: Scores, rates: ErrorRates, fmr: float) -> Numbers:
        if rates.counts["nonmated"] < least:
            few = Undefined(f"the rule needs {least} non-mated scores", rates.counts)
            return few, few, few
        mated = scores.trials.mated
        threshold = threshold_of(_filled(scores), mated, fmr)
        values = np.where(scores.acquired, scores.values, -np.inf)
        accepted = scores.acquired & (values > threshold if strict else values >= threshold)
        return threshold, float(accepted[~mated].mean()), float((~accepted[mated]).mean())

    return apply


RULES = (
    _Rule("workbench", "largest attained FMR not above the target; s >= T", _workbench),
    _Rule(
        "bob.measure", "far_threshold: lowest non-mated score with FMR not above the target; s >= T",
        _counted(lambda s, mated, fmr: bob_far_threshold(s[~mated], fmr), least=2),
    ),
    _Rule(
        "eval_ijbc", "nearest point of scikit-learn's roc_curve, points on a line dropped; s >= T; also CVLface's IJB",
        _counted(lambda s, mated, fmr: nearest_point(s, mated, fmr)[0]),
    ),
    _Rule(
        "pyeer", "nearest attained FMR (get_fmr_op); s >= T",
        _counted(lambda s, mated, fmr: pyeer_fnmr_at_fmr(s, mated, fmr)[0]),
    ),
    _Rule("interpolated", "straight line between attained points of the ROC; no threshold reaches it", _interpolated),
    _Rule(
        "CVLface", "find_thresholds_by_FAR: non-mated score of rank round(N FMR); s >= T",
        _counted(lambda s, mated, fmr: float(cvlface_thresholds(s[~mated], np.array([fmr]))[0])),
    ),
    _Rule(
        "numpy.quantile", "linear quantile 1 - FMR of the non-mated scores; s >= T",
        _counted(lambda s, mated, fmr: float(np.quantile(s[~mated], 1 - fmr))),
    ),
    _Rule(
        "ijb_evals", "non-mated score of rank int(N FMR), at least 1; s > T",
        _counted(lambda s, mated, fmr: ijb_evals_threshold(s[~mated], fmr), strict=True),
    ),
    _Rule(
        "ijb_1n", "non-mated score of rank ceil(N FMR); s > T",
        _counted(lambda s, mated, fmr: ijb_1n_threshold(s[~mated], fmr), strict=True),
    ),
)  # fmt: skip


def other_rules(scores: Scores, fmr: float) -> tuple[OtherRule, ...]:
    """The same scores under the other rules: FNMR at one FMR, the house's rule first.

    Args:
        scores: one arm's scores. A failure to acquire is a rejection under every rule; the published codes know none
            and are given a score below all others in its place.
        fmr: target, a fraction.

    Returns:
        One entry for each rule; undefined with the reason where the scores cannot answer.
    """
    if not 0.0 <= fmr <= 1.0:
        raise ShapeError("a rate is a fraction", given=fmr, expected="0 <= FMR <= 1; per cent are divided by 100")
    rates = error_rates(scores)
    if isinstance(rates, Undefined):
        return tuple(OtherRule(rule.name, rates, rates, rates, rule.words) for rule in RULES)
    return tuple(OtherRule(rule.name, *rule.apply(scores, rates, fmr), rule.words) for rule in RULES)


def _filled(scores: Scores) -> Floats:
    """Scores with a finite one below all others where a sample failed to acquire."""
    lowest = scores.values[scores.acquired].min(initial=0.0)
    return np.where(scores.acquired, scores.values, np.nextafter(lowest, -np.inf))


def other_equal_error_rates(scores: Scores) -> tuple[OtherRule, ...]:
    """The same scores under the other definitions of the equal error rate, the house's first.

    Where a definition gives one number both rates are that number; where it has a threshold, it is given.
    """
    rates = error_rates(scores)
    words = {
        "workbench": "mean of FMR and FNMR at their smallest gap, ties merged",
        "pyeer": "ends of the range on the side of the crossing with the smaller sum; the EER is their mean",
        "bob.measure": "eer_threshold, halfway between two scores, then both rates; s >= T",
        "ASVspoof": "mean of both rates at their first smallest gap, one step per trial",
        "DeepfakeBench": "FMR at the smallest gap of scikit-learn's roc_curve",
        "Bosaris": "convex hull of the ROC curve",
    }
    if isinstance(rates, Undefined):
        return tuple(OtherRule(name, rates, rates, rates, said) for name, said in words.items())
    values, mated = _filled(scores), scores.trials.mated
    none = Undefined("the definition gives no threshold")
    house = float(rates.thresholds[int(np.argmin(np.abs(rates.fmr - rates.fnmr)))])
    middle = bob_eer_threshold(values[~mated], values[mated])
    asv, asv_threshold = asvspoof_eer(values[mated], values[~mated])
    deepfake = deepfakebench_eer(values, mated)
    found: dict[str, Numbers] = {
        "workbench": (house, eer_of(rates), eer_of(rates)),
        "pyeer": (none, *pyeer_eer(values, mated)[1:]),
        "bob.measure": (middle, *bob_farfrr(values[~mated], values[mated], middle)),
        "ASVspoof": (asv_threshold, asv, asv),
        "DeepfakeBench": (none, deepfake, deepfake),
        "Bosaris": (none, rocch_eer_of(rates), rocch_eer_of(rates)),
    }
    return tuple(OtherRule(name, *found[name], said) for name, said in words.items())
