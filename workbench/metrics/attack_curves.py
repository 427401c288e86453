"""Presentation attack detection over all thresholds: curves, operating points, equal error rates, thresholds.

House rules: at most (BPCER at APCER <= x is taken at the lowest threshold whose APCER is not above x), ties merged,
nothing interpolated. The APCER of a threshold is that of its worst species unless ``across`` says otherwise: pooling
lets a large easy species hide a small hard one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..core import Estimate, Number, ShapeError, Undefined
from .attacks import OVER
from .presentations import PAD, Across, NonResponse, Presentations, Terms, Threshold, across_species, coded, rejoin
from .resampling import FEW, exact, of_units
from .steps import Floats, Steps, shares

TIES = "accept as bona fide when s >= T, ties merged"


@dataclass(frozen=True)
class AttackRates:
    """Errors at every threshold that makes a difference, lowest first.

    Attributes:
        thresholds: ``float64 (m,)`` distinct scores, then infinity (accept nothing).
        apcer: ``(m,)`` attack error across species; falls to 0.
        bpcer: ``(m,)`` bona fide error; rises to 1.
        by_species: ``(m,)`` attack error of each species.
        counts: bona fide, attacks, species, subjects, non-responses.
        rule: in words.
    """

    thresholds: Floats
    apcer: Floats
    bpcer: Floats
    by_species: dict[str, Floats]
    counts: dict[str, int]
    rule: str


class Found(NamedTuple):
    """Where a search ended, and the errors at any position."""

    at: int
    errors: Callable[[int], tuple[float, float]]


class AttackCurve:
    """Presentations sorted once; errors at every threshold under any weights."""

    def __init__(self, presentations: Presentations, across: Across = "worst", nonresponse: NonResponse = "exclude"):
        values, column, self.subjects, self.names, said = coded(presentations, nonresponse)
        self.steps = Steps(values, column, 1 + len(self.names))
        self.across: Across = across
        self.counts = presentations.counts
        self.name = presentations.name
        self.rule = rejoin(f"attack error {OVER.get(across, across)}", TIES, said)
        across_species(np.zeros(1), np.zeros(1), across)

    def rates(self, weights: Floats | None = None) -> tuple[Floats, Floats] | Undefined:
        """Attack error and bona fide error at every threshold, both ``(m,)``."""
        accepted, whole = self.steps.masses(weights)
        if whole[0] <= 0 or whole[1:].sum() <= 0:
            missing = "bona fide" if whole[0] <= 0 else "attack"
            return Undefined(f"no {missing} presentations", self.counts)
        return across_species(accepted[1:].T, whole[1:], self.across), (whole[0] - accepted[0]) / whole[0]

    def search(self, weights: Floats | None, done: Callable[[float, float], bool]) -> Found | Undefined:
        """The first threshold where ``done(attack error, bona fide error)``, by halving.

        Args:
            weights: of the presentations, or None.
            done: false below some threshold and true from there on; never true gives the position after the last.
        """
        runs = self.steps.runs(weights)
        bona = runs.whole(0)
        wholes = [runs.whole(k) for k in range(1, 1 + len(self.names))]
        there = [k for k, whole in enumerate(wholes, 1) if whole > 0]
        if bona <= 0 or not there:
            return Undefined(f"no {'bona fide' if bona <= 0 else 'attack'} presentations", self.counts)

        def errors(at: int) -> tuple[float, float]:
            if self.across == "pooled":
                attack = sum(runs.accepted(k, at) for k in there) / sum(wholes)
            else:
                rates = [runs.accepted(k, at) / wholes[k - 1] for k in there]
                attack = max(rates) if self.across == "worst" else sum(rates) / len(rates)
            return attack, runs.rejected(0, at) / bona

        low, high = 0, len(self.steps.thresholds)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if done(*errors(middle)) else (middle + 1, high)
        return Found(low, errors)

    def eer(self, weights: Floats | None = None) -> Number:
        """Mean of both errors at the attained threshold where they differ least."""
        found = self.search(weights, lambda attack, bona: attack <= bona)
        if isinstance(found, Undefined):
            return found
        near = [found.errors(at) for at in (found.at - 1, found.at) if at >= 0]
        attack, bona = min(near, key=lambda pair: abs(pair[0] - pair[1]))
        return (attack + bona) / 2

    def threshold(self, at: int) -> float:
        """Threshold of a position; infinity becomes the next number above the highest score."""
        thresholds = self.steps.thresholds
        if np.isfinite(thresholds[at]) or len(thresholds) == 1:
            return float(thresholds[at])
        return float(np.nextafter(thresholds[-2], np.inf))


def attack_rates(
    presentations: Presentations, *, across: Across = "worst", nonresponse: NonResponse = "exclude"
) -> AttackRates | Undefined:
    """Points of the DET curve of attack detection; undefined without attacks or without bona fide presentations."""
    curve = AttackCurve(presentations, across, nonresponse)
    rates = curve.rates()
    if isinstance(rates, Undefined):
        return rates
    accepted, whole = curve.steps.masses()
    per = {name: shares(accepted[k], whole[k : k + 1]) for k, name in enumerate(curve.names, 1)}
    return AttackRates(curve.steps.thresholds, *rates, per, curve.counts, curve.rule)


def _check(rate: float) -> None:
    if not 0.0 <= rate <= 1.0:
        raise ShapeError("a rate is a fraction", given=rate, expected="0 <= rate <= 1; per cent are divided by 100")


def _at_apcer(rates: tuple[Floats, Floats], limit: float) -> int:
    return int(np.argmax(rates[0] <= limit))


def _at_bpcer(rates: tuple[Floats, Floats], limit: float) -> int | None:
    low = np.flatnonzero(rates[1] <= limit)
    return int(low[-1]) if len(low) else None


def _at_eer(rates: tuple[Floats, Floats]) -> int:
    return int(np.argmin(np.abs(rates[0] - rates[1])))


def bpcer_at_apcer(
    presentations: Presentations, apcer: float, *, across: Across = "worst", nonresponse: NonResponse = "exclude",
    terms: Terms = PAD, level: float = 0.95, **options: Any,
) -> Estimate:  # fmt: skip
    """BPCER at the lowest threshold where the worst species' APCER is at most ``apcer``.

    0.1, 0.05 and 0.01 give what is called BPCER10, BPCER20 and BPCER100.

    Args:
        presentations: scores of one detector; the threshold is chosen on the same data.
        apcer: the limit, a fraction.
        across: the species' largest rate (the standard), their mean, or all pooled.
        nonresponse: ``"exclude"`` or ``"attack"``.
        terms: the errors' names.
        level: confidence level.
        **options: ``resamples``, ``seed`` of the bootstrap. With fewer than ten bona fide errors or non-errors the
            interval is Clopper and Pearson's at the threshold found, which is then taken as fixed.
    """
    _check(apcer)
    curve = AttackCurve(presentations, across, nonresponse)
    short = f" ({terms.bonafide_error}{round(1 / apcer)})" if apcer and abs(1 / apcer - round(1 / apcer)) < 1e-9 else ""
    rule = f"{terms.bonafide_error} at the largest attained {terms.attack_error} <= {apcer:g}{short}; {curve.rule}"

    def statistic(weights: Floats | None) -> Number:
        found = curve.search(weights, lambda attack, _: attack <= apcer)
        return found if isinstance(found, Undefined) else found.errors(found.at)[1]

    return _point(curve, statistic, 0, rule, level, options)


def apcer_at_bpcer(
    presentations: Presentations, bpcer: float, *, across: Across = "worst", nonresponse: NonResponse = "exclude",
    terms: Terms = PAD, level: float = 0.95, **options: Any,
) -> Estimate:  # fmt: skip
    """APCER at the highest threshold where BPCER is at most ``bpcer``; arguments as in `bpcer_at_apcer`."""
    _check(bpcer)
    curve = AttackCurve(presentations, across, nonresponse)
    rule = f"{terms.attack_error} at the largest attained {terms.bonafide_error} <= {bpcer:g}; {curve.rule}"

    def statistic(weights: Floats | None) -> Number:
        found = curve.search(weights, lambda _, bona: bona > bpcer)
        if isinstance(found, Undefined) or found.at > 0:
            return found if isinstance(found, Undefined) else found.errors(found.at - 1)[0]
        return Undefined(f"no threshold reaches {terms.bonafide_error} <= {bpcer:g}", curve.counts)

    return _point(curve, statistic, None, rule, level, options)


def _point(
    curve: AttackCurve, statistic: Any, kind: int | None, rule: str, level: float, options: dict[str, Any]
) -> Estimate:
    """The estimate of an operating point: exact interval for few errors of ``kind``, bootstrap otherwise."""
    value = statistic(None)
    if kind is not None and not isinstance(value, Undefined) and options.get("resamples", 1) > 0:
        whole = int(curve.steps.masses()[1][kind])
        wrong = round(value * whole)
        if min(wrong, whole - wrong) < FEW:
            note = f"{rule}; the threshold found is taken as fixed"
            return exact(wrong, whole, note, curve.counts, interval="clopper-pearson", level=level)
    return of_units(statistic, curve.subjects, rule, curve.counts, level=level, **options)


def d_eer(
    presentations: Presentations, *, across: Across = "worst", nonresponse: NonResponse = "exclude",
    terms: Terms = PAD, **options: Any,
) -> Estimate:  # fmt: skip
    """Detection equal error rate: mean of both errors at the attained threshold where they differ least.

    Args:
        presentations: scores of one detector; the threshold is chosen on the same data.
        across: against the worst species at each threshold, or all pooled (what most papers print).
        nonresponse: ``"exclude"`` or ``"attack"``.
        terms: the errors' names.
        **options: ``resamples``, ``level``, ``seed`` of the bootstrap.
    """
    curve = AttackCurve(presentations, across, nonresponse)
    rule = f"D-EER: mean of {terms.attack_error} and {terms.bonafide_error} at their smallest gap; {curve.rule}"
    return of_units(curve.eer, curve.subjects, rule, curve.counts, **options)


def threshold_at_eer(
    validation: Presentations, *, across: Across = "worst", nonresponse: NonResponse = "exclude"
) -> Threshold:
    """The threshold of `d_eer` on validation data, the lowest of several; it remembers the data's name."""
    curve = AttackCurve(validation, across, nonresponse)
    rates = curve.rates()
    value = rates if isinstance(rates, Undefined) else curve.threshold(_at_eer(rates))
    return Threshold(value, f"EER threshold ({curve.rule})", validation.name)


def threshold_at_apcer(
    validation: Presentations, apcer: float, *, across: Across = "worst", nonresponse: NonResponse = "exclude"
) -> Threshold:
    """The lowest threshold on validation data whose APCER, of the worst species, is at most ``apcer``."""
    _check(apcer)
    curve = AttackCurve(validation, across, nonresponse)
    rates = curve.rates()
    value = rates if isinstance(rates, Undefined) else curve.threshold(_at_apcer(rates, apcer))
    return Threshold(value, f"lowest with APCER <= {apcer:g} ({curve.rule})", validation.name)


def threshold_at_bpcer(validation: Presentations, bpcer: float, *, nonresponse: NonResponse = "exclude") -> Threshold:
    """The highest threshold on validation data whose BPCER is at most ``bpcer``."""
    _check(bpcer)
    curve = AttackCurve(validation, "worst", nonresponse)
    rates = curve.rates()
    if isinstance(rates, Undefined):
        value: Number = rates
    else:
        at = _at_bpcer(rates, bpcer)
        none = Undefined(f"no threshold reaches BPCER <= {bpcer:g}", curve.counts)
        value = none if at is None else curve.threshold(at)
    return Threshold(value, f"highest with BPCER <= {bpcer:g} ({TIES})", validation.name)
