"""From evidence to verdicts: paired bootstrap over capture subjects, four answers, nothing rounded up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..core import Answer, Estimate, Evidence, ShapeError, Undefined, UnknownNameError, Verdict
from ..metrics import LEAST_SUBJECTS, auc_of, eer_of, of_mean, trial_weights
from ..metrics.intervals import CONSTANT, alike, multiplicities, of_range, percentile
from ..metrics.rates import Ranked, Statistic, at_most
from ..metrics.resampling import of_resampled
from .claim import Claim, Comparison

Arm = TypeVar("Arm")
# Why, of a mean and of each unit. Between the lowest unit and the highest there is no room for "undecided".
_MEAN = {
    "supported": "the whole interval lies beyond the margin",
    "refuted": "the whole interval lies on the other side of the margin",
    "undecided": "the interval holds the margin",
}
_EACH = {
    "supported": "every unit lies beyond the margin",
    "refuted": "not every unit lies beyond the margin",
}


def judge(
    claims: Sequence[Claim], evidence: Evidence, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[Verdict, ...]:
    """A verdict for every claim.

    A comparison is *supported* when the whole interval of its effect lies beyond the margin, *refuted* when
    the whole interval lies on the other side, else *undecided*; *not testable here* without the data for it.
    A claim is supported when all its comparisons are, refuted when one is, not testable when one is not
    testable, else undecided.

    Args:
        claims: what is claimed.
        evidence: what was measured.
        resamples: of the bootstrap.
        level: confidence level of each comparison.
        seed: of the resampling.
    """
    return tuple(_claim(c, evidence, resamples, level, seed) for c in claims)


def _claim(claim: Claim, evidence: Evidence, resamples: int, level: float, seed: int) -> Verdict:
    parts = tuple(compare(p, evidence, resamples=resamples, level=level, seed=seed) for p in claim.parts)
    answers = {p.answer for p in parts}
    order: tuple[Answer, ...] = ("refuted", "not testable here", "undecided", "supported")
    answer = next(a for a in order if a in answers)
    deciding = next(p for p in parts if p.answer == answer)
    reason = deciding.reason if len(parts) == 1 else f"{deciding.statement}: {deciding.reason}"
    return Verdict(claim.id, claim.statement, answer, deciding.effect, reason, parts)


def compare(
    comparison: Comparison, evidence: Evidence, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> Verdict:
    """The verdict on one comparison; its effect is ``arm - against``.

    Raises:
        UnknownNameError: an arm is not there.
        ShapeError: it speaks of each unit, and the quantity is a statistic of all.
    """
    limit = comparison.margin if comparison.direction == "greater" else 0.0 - comparison.margin
    nothing = Verdict(
        str(comparison.quantity), str(comparison), "not testable here", limit=limit, direction=comparison.direction
    )
    if comparison.quantity in evidence.untestable:
        return replace(nothing, reason=evidence.untestable[comparison.quantity])
    statistic = score_statistic(comparison.quantity)
    if comparison.every and (statistic is not None or comparison.quantity in evidence.statistics):
        raise ShapeError("a statistic of all units says nothing of each", given=str(comparison),
                         expected="measurements", do="leave out every=True")  # fmt: skip
    if statistic is not None:
        effect = _of_scores(comparison, statistic, evidence, resamples, level, seed)
    elif comparison.quantity in evidence.statistics:
        effect = of_resampled(*_arms(comparison, evidence.statistics[comparison.quantity]), level=level)
    else:
        one, other = _arms(comparison, evidence.measurements.get(comparison.quantity, {}))
        if comparison.every:
            effect = of_range(one, against=other)
        else:
            effect = of_mean(one, against=other, resamples=resamples, level=level, seed=seed)
    return _decide(nothing, comparison, effect)


def _arms(comparison: Comparison, arms: Mapping[str, Arm]) -> tuple[Arm, Arm | float]:
    """The arm and what it is compared with."""
    for name in (comparison.arm, comparison.against):
        if isinstance(name, str) and name not in arms:
            raise UnknownNameError(f"arm of {comparison.quantity!r}", name, arms)
    against = comparison.against
    return arms[comparison.arm], arms[against] if isinstance(against, str) else float(against)


def _decide(verdict: Verdict, comparison: Comparison, effect: Estimate) -> Verdict:
    if not (effect.defined and isinstance(effect.low, float) and isinstance(effect.high, float)):
        unknown = next(v for v in (effect.value, effect.low, effect.high) if isinstance(v, Undefined))
        return replace(verdict, effect=effect, reason=str(unknown))
    # Turned so that a positive advantage favours the claim.
    ends = (effect.low, effect.high) if comparison.direction == "greater" else (-effect.high, -effect.low)
    low, high = (e - comparison.margin for e in ends)
    answer: Answer = "supported" if low > 0 else "refuted" if high < 0 or comparison.every else "undecided"
    where = (_EACH if comparison.every else _MEAN)[answer]
    # "A rate above 0.3: effect 0.14" would look like a contradiction.
    less = "" if isinstance(comparison.against, str) or not comparison.against else f" (less {comparison.against:g})"
    return replace(
        verdict,
        answer=answer,
        effect=effect,
        reason=f"effect {effect}{less}, margin {comparison.margin:g}: {where}",
    )


def score_statistic(name: str) -> Statistic | None:
    """The statistic of comparison scores that a quantity names, or None if it names measurements."""
    if name == "eer":
        return eer_of
    if name == "auc":
        return auc_of
    match = re.fullmatch(r"fnmr_at_fmr\(([0-9.eE+-]+)\)", name)
    if match:
        fmr = float(match[1])
        return lambda rates: float(rates.fnmr[at_most(rates, fmr)])
    return None


def _of_scores(
    comparison: Comparison, statistic: Statistic, evidence: Evidence, resamples: int, level: float, seed: int
) -> Estimate:
    names = [n for n in (comparison.arm, comparison.against) if isinstance(n, str)]
    for name in names:
        if name not in evidence.scores:
            raise UnknownNameError("arm", name, evidence.scores)
    arms = [Ranked(evidence.scores[n]) for n in names]
    constant = 0.0 if isinstance(comparison.against, str) else float(comparison.against)
    trials = evidence.scores[names[0]].trials
    subjects, position = np.unique(trials.subjects, return_inverse=True)
    value = _difference(arms, statistic, None) if len(trials) else Undefined("no trials")
    if isinstance(value, Undefined) or len(subjects) < LEAST_SUBJECTS:
        few = Undefined(f"fewer than {LEAST_SUBJECTS} capture subjects", arms[0].counts)
        return Estimate(value if isinstance(value, Undefined) else few, counts=arms[0].counts, level=level)
    position = position.reshape(trials.subjects.shape)
    drawn = []
    for multiplicity in multiplicities(len(subjects), resamples, seed):
        again = _difference(arms, statistic, trial_weights(position, multiplicity))
        if not isinstance(again, Undefined):
            drawn.append(again - constant)
    if alike(drawn, level):
        none = Undefined(CONSTANT, arms[0].counts)
        return Estimate(value - constant, none, none, comparison.quantity, arms[0].counts, "fraction", level)
    low, high = percentile(drawn, level)
    rule = f"{comparison.quantity}, difference of arms; paired {level:.0%} bootstrap over capture subjects"
    return Estimate(value - constant, low, high, rule, arms[0].counts, "fraction", level)


def _difference(arms: list[Ranked], statistic: Statistic, weights: np.ndarray | None) -> float | Undefined:
    values = []
    for arm in arms:
        rates = arm.rates(weights)
        number = rates if isinstance(rates, Undefined) else statistic(rates)
        if isinstance(number, Undefined):
            return number
        values.append(float(number))
    return values[0] - (values[1] if len(values) > 1 else 0.0)
