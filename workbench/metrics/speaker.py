"""Spoofing of automatic speaker verification (ASV): EER and detection costs of a countermeasure and of the tandem.

- t-DCF: Kinnunen et al. 2018 (arXiv 1804.09618) in the form of the ASVspoof 2019 evaluation plan ("legacy", two
  systems' costs), and revised by Kinnunen et al. 2020 (arXiv 2007.05979, ASVspoof 2021), with one set of
  costs for the tandem.
- a-DCF: Shim et al. 2024 (arXiv 2403.01355): one score decides over targets, non-targets and spoofs alike.
- minDCF and actual DCF of a countermeasure: ASVspoof 5 evaluation plan (track 1).

Scores are higher for bona fide; accepted when score >= T; ties merged. ASVspoof's own code steps once per trial,
through ties (`asvspoof`): minimal costs agree, thresholds and EERs may not. A minimal cost knows the labels that it is
judged on. Spoofs of all attacks are pooled, as in the challenges; for one attack take ``cm.of_species(name)`` and the
ASV errors of that attack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ParameterError, ShapeError, Undefined
from .attack_curves import TIES, AttackCurve, d_eer
from .presentations import Presentations, Terms, Threshold
from .resampling import of_ratios, of_units
from .steps import Floats, Steps, shares

SPOOFING = Terms("P_fa of spoofs", "P_miss of bona fide", "spoofed utterances", "bona fide utterances", "attack")


def _check(costs: Any, *priors: str) -> None:
    """Priors must be a distribution, costs not negative."""
    values = {name: getattr(costs, name) for name in costs.__dataclass_fields__}
    bad = {k: v for k, v in values.items() if not (np.isfinite(v) and v >= 0)}
    if bad:
        raise ParameterError("a prior or cost is negative or not finite", given=bad, expected="numbers of at least 0")
    if priors and abs(sum(values[p] for p in priors) - 1) > 1e-10:
        raise ParameterError("priors do not sum to 1", given={p: values[p] for p in priors}, expected="a sum of 1")


@dataclass(frozen=True)
class TandemCosts:
    """Priors and costs of the revised t-DCF; the defaults are ASVspoof 2021's."""

    p_target: float = 0.9405
    p_nontarget: float = 0.0095
    p_spoof: float = 0.05
    c_miss: float = 1.0
    c_fa: float = 10.0
    c_fa_spoof: float = 10.0

    def __post_init__(self) -> None:
        _check(self, "p_target", "p_nontarget", "p_spoof")


@dataclass(frozen=True)
class LegacyTandemCosts:
    """Priors and costs of the ASVspoof 2019 plan, costs of the two systems apart."""

    p_target: float = 0.9405
    p_nontarget: float = 0.0095
    p_spoof: float = 0.05
    c_miss_asv: float = 1.0
    c_fa_asv: float = 10.0
    c_miss_cm: float = 1.0
    c_fa_cm: float = 10.0

    def __post_init__(self) -> None:
        _check(self, "p_target", "p_nontarget", "p_spoof")


@dataclass(frozen=True)
class DetectionCosts:
    """Prior and costs of a countermeasure alone; the defaults are ASVspoof 5's."""

    p_spoof: float = 0.05
    c_miss: float = 1.0
    c_fa: float = 10.0

    def __post_init__(self) -> None:
        _check(self)
        if not 0 < self.p_spoof < 1:
            raise ParameterError(
                "the prior of a spoof is a probability", given=self.p_spoof, expected="0 < p_spoof < 1"
            )


@dataclass(frozen=True)
class ArchitectureCosts:
    """Priors and costs of the a-DCF; the defaults are those of its code."""

    p_target: float = 0.9
    p_nontarget: float = 0.05
    p_spoof: float = 0.05
    c_miss: float = 1.0
    c_fa_nontarget: float = 10.0
    c_fa_spoof: float = 20.0

    def __post_init__(self) -> None:
        _check(self, "p_target", "p_nontarget", "p_spoof")


@dataclass(frozen=True)
class AsvErrors:
    """Errors of the speaker verification system at its fixed threshold.

    Attributes:
        p_miss: share of target trials below the threshold.
        p_fa: share of non-target trials at or above it.
        p_fa_spoof: share of spoofed trials at or above it.
        rule: threshold and its origin, in words.
    """

    p_miss: float
    p_fa: float
    p_fa_spoof: float
    rule: str = "given"

    def __post_init__(self) -> None:
        rates = (self.p_miss, self.p_fa, self.p_fa_spoof)
        if not all(0 <= r <= 1 for r in rates):
            raise ShapeError("a rate is a fraction", given=rates, expected="0 <= rate <= 1")


def asv_errors(
    target: Floats, nontarget: Floats, spoof: Floats, threshold: float, *, origin: str = "given"
) -> AsvErrors | Undefined:
    """Errors of a speaker verification system at a threshold, accepted when score >= T.

    Args:
        target: ``(n,)`` scores of target trials.
        nontarget: ``(m,)`` of non-target trials.
        spoof: ``(k,)`` of spoofed trials.
        threshold: fixed beforehand, e.g. at the EER of targets and non-targets.
        origin: where it comes from.
    """
    kinds = {"target": target, "nontarget": nontarget, "spoof": spoof}
    counts = {k: len(v) for k, v in kinds.items()}
    for name, scores in kinds.items():
        if not np.isfinite(scores).all():
            raise ShapeError(f"{name} scores are not finite", given=int(np.sum(~np.isfinite(scores))))
        if not len(scores):
            return Undefined(f"no {name} trials", counts)
    miss, alarm, spoofed = np.mean(target < threshold), np.mean(nontarget >= threshold), np.mean(spoof >= threshold)
    rule = f"ASV accepts when s >= {threshold:.6g} ({origin})"
    return AsvErrors(float(miss), float(alarm), float(spoofed), rule)


def weights_of(asv: AsvErrors, costs: TandemCosts | LegacyTandemCosts) -> tuple[float, float, float, float] | Undefined:
    """``C0``, ``C1``, ``C2`` of ``t-DCF = C0 + C1 P_miss_cm + C2 P_fa_cm``, and what it is divided by.

    Revised: ``C0 = p_tar c_miss P_miss_asv + p_non c_fa P_fa_asv``, ``C1 = p_tar c_miss - C0``,
    ``C2 = p_spoof c_fa_spoof P_fa_spoof_asv``, divided by ``C0 + min(C1, C2)``: 1 is no countermeasure worth having.
    Legacy: ``C0 = 0``, ``C1 = p_tar (c_miss_cm - c_miss_asv P_miss_asv) - p_non c_fa_asv P_fa_asv``,
    ``C2 = c_fa_cm p_spoof P_fa_spoof_asv``, divided by ``min(C1, C2)``.
    """
    if isinstance(costs, TandemCosts):
        c0 = costs.p_target * costs.c_miss * asv.p_miss + costs.p_nontarget * costs.c_fa * asv.p_fa
        c1 = costs.p_target * costs.c_miss - c0
        c2 = costs.p_spoof * costs.c_fa_spoof * asv.p_fa_spoof
    else:
        c0 = 0.0
        c1 = costs.p_target * (costs.c_miss_cm - costs.c_miss_asv * asv.p_miss)
        c1 -= costs.p_nontarget * costs.c_fa_asv * asv.p_fa
        c2 = costs.c_fa_cm * costs.p_spoof * asv.p_fa_spoof
    if c1 < 0 or c2 < 0:
        return Undefined(f"the verification system errs so much that a weight is negative (C1 {c1:.4g}, C2 {c2:.4g})")
    floor = c0 + min(c1, c2)
    if floor <= 0:
        return Undefined(f"the cost to compare with is 0 (C0 {c0:.4g}, C1 {c1:.4g}, C2 {c2:.4g})")
    return c0, c1, c2, floor


@dataclass(frozen=True)
class MinimalCost:
    """A minimal cost and where it is reached.

    Attributes:
        cost: with its interval.
        threshold: the lowest that reaches it; infinity where accepting nothing is best.
    """

    cost: Estimate
    threshold: Number


def spoof_eer(cm: Presentations, **options: Any) -> Estimate:
    """EER of a countermeasure, all attacks pooled: mean of both errors at their smallest gap.

    Args:
        cm: countermeasure scores; ``species`` is the attack, ``subjects`` the speakers.
        **options: of `attack_curves.d_eer` (``across="worst"`` goes by the hardest attack).
    """
    return d_eer(cm, **{"across": "pooled", "terms": SPOOFING, **options})


def _minimum(
    cm: Presentations, c0: float, c1: float, c2: float, floor: float, rule: str, **options: Any
) -> MinimalCost:
    """Least ``(c0 + c1 P_miss + c2 P_fa) / floor`` over all thresholds."""
    pooled = Presentations(
        cm.name, cm.values, cm.bonafide, np.where(cm.bonafide, "", "spoof"), cm.subjects, cm.acquired
    )
    curve = AttackCurve(pooled, "pooled")

    def costs(weights: Floats | None) -> Floats | Undefined:
        rates = curve.rates(weights)
        return rates if isinstance(rates, Undefined) else (c0 + c1 * rates[1] + c2 * rates[0]) / floor

    def statistic(weights: Floats | None) -> Number:
        found = costs(weights)
        return found if isinstance(found, Undefined) else float(found.min())

    found = costs(None)
    at = found if isinstance(found, Undefined) else float(curve.steps.thresholds[int(np.argmin(found))])
    counts = cm.counts
    rule = f"{rule}, least over all thresholds of the judged data; {TIES}"
    if counts["nonresponses"]:
        rule += f"; {counts['nonresponses']} non-responses left out"
    over = options.pop("over", "speakers")
    return MinimalCost(of_units(statistic, curve.subjects, rule, counts, unit="", over=over, **options), at)


def _tandem_rule(asv: AsvErrors, costs: TandemCosts | LegacyTandemCosts) -> str:
    form = "revised form (ASVspoof 2021)" if isinstance(costs, TandemCosts) else "form of the ASVspoof 2019 plan"
    given = ", ".join(f"{k} {getattr(costs, k):g}" for k in costs.__dataclass_fields__)
    rates = f"P_miss {asv.p_miss:.4g}, P_fa {asv.p_fa:.4g}, P_fa spoof {asv.p_fa_spoof:.4g}"
    return f"normalised t-DCF, {form}, {given}; {asv.rule}: {rates}, taken as fixed"


def min_tdcf(
    cm: Presentations, asv: AsvErrors, costs: TandemCosts | LegacyTandemCosts | None = None, **options: Any
) -> MinimalCost:
    """Minimal normalised tandem detection cost of a countermeasure before a fixed speaker verification system.

    Args:
        cm: countermeasure scores.
        asv: errors of the verification system.
        costs: `TandemCosts` (the default) or `LegacyTandemCosts`.
        **options: ``resamples``, ``level``, ``seed`` of the bootstrap over speakers.

    Returns:
        0 is perfect, 1 is no better than letting all through or nothing; undefined where a weight is negative.
    """
    costs = TandemCosts() if costs is None else costs
    weights = weights_of(asv, costs)
    rule = _tandem_rule(asv, costs)
    if isinstance(weights, Undefined):
        return MinimalCost(Estimate(weights, rule=rule, counts=cm.counts), weights)
    return _minimum(cm, *weights, rule, **options)


def _at(
    cm: Presentations, c0: float, c1: float, c2: float, floor: float, rule: str, threshold: float, **options: Any
) -> Estimate:
    """``(c0 + c1 P_miss + c2 P_fa) / floor`` at a threshold."""
    there = cm.responded
    accepted = cm.values[there] >= threshold
    errors = np.where(cm.bonafide[there], ~accepted, accepted)

    def combine(wrong: Floats, tried: Floats) -> Floats:
        rates = shares(wrong, tried)
        return (c0 + c1 * rates[..., 0] + c2 * rates[..., 1]) / floor

    column = (~cm.bonafide[there]).astype(np.int64)
    over = options.pop("over", "speakers")
    return of_ratios(errors, column, 2, combine, cm.subjects[there], rule, cm.counts, unit="", over=over, **options)


def tdcf_at(
    cm: Presentations, asv: AsvErrors, threshold: Threshold, costs: TandemCosts | LegacyTandemCosts | None = None,
    **options: Any,
) -> Estimate:  # fmt: skip
    """Normalised tandem detection cost at a threshold set elsewhere; arguments as in `min_tdcf`."""
    costs = TandemCosts() if costs is None else costs
    weights = weights_of(asv, costs)
    rule = f"{_tandem_rule(asv, costs)}; {threshold.rule(cm.name)}"
    if isinstance(weights, Undefined):
        return Estimate(weights, rule=rule, counts=cm.counts)
    if isinstance(threshold.value, Undefined):
        return Estimate(threshold.value, rule=rule, counts=cm.counts)
    return _at(cm, *weights, rule, threshold.value, **options)


def _detection(costs: DetectionCosts) -> tuple[float, float, float]:
    miss, alarm = costs.c_miss * (1 - costs.p_spoof), costs.c_fa * costs.p_spoof
    if min(miss, alarm) <= 0:
        raise ParameterError("a detection cost needs both costs", given=costs, expected="c_miss > 0 and c_fa > 0")
    return miss, alarm, min(miss, alarm)


def min_dcf(cm: Presentations, costs: DetectionCosts | None = None, **options: Any) -> MinimalCost:
    """Minimal normalised detection cost of a countermeasure alone.

    ``min_T [c_miss (1 - p_spoof) P_miss + c_fa p_spoof P_fa] / min(c_miss (1 - p_spoof), c_fa p_spoof)``. Arguments as
    in `min_tdcf`.
    """
    costs = DetectionCosts() if costs is None else costs
    rule = f"normalised DCF, p_spoof {costs.p_spoof:g}, c_miss {costs.c_miss:g}, c_fa {costs.c_fa:g}"
    return _minimum(cm, 0.0, *_detection(costs), rule, **options)


def bayes_threshold(costs: DetectionCosts) -> float:
    """The threshold that the costs imply for log-likelihood ratios: ``-log(c_miss (1 - p_spoof) / (c_fa p_spoof))``."""
    miss, alarm, _ = _detection(costs)
    return float(-np.log(miss / alarm))


def actual_dcf(cm: Presentations, costs: DetectionCosts | None = None, **options: Any) -> Estimate:
    """Normalised detection cost at `bayes_threshold`: scores are taken for log-likelihood ratios of bona fide to spoof.

    Arguments as in `min_dcf`.
    """
    costs = DetectionCosts() if costs is None else costs
    threshold = bayes_threshold(costs)
    rule = f"normalised DCF, p_spoof {costs.p_spoof:g}, c_miss {costs.c_miss:g}, c_fa {costs.c_fa:g}, accept when "
    rule += f"s >= {threshold:.6g}, implied by the costs for log-likelihood ratios"
    return _at(cm, 0.0, *_detection(costs), rule, threshold, **options)


def a_dcf(
    target: Floats, nontarget: Floats, spoof: Floats, costs: ArchitectureCosts | None = None, *,
    speakers: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None = None, **options: Any,
) -> MinimalCost:  # fmt: skip
    """Minimal normalised architecture-agnostic detection cost.

    ``min_T [c_miss p_tar P_miss + c_fa_non p_non P_fa_non + c_fa_spoof p_spoof P_fa_spoof]`` over the cheaper of
    accepting all and rejecting all.

    Args:
        target: ``(n,)`` scores of target trials.
        nontarget: ``(m,)`` of non-target trials.
        spoof: ``(k,)`` of spoofed trials.
        costs: `ArchitectureCosts`.
        speakers: of each trial of the three kinds, for the bootstrap; no interval if not given.
        **options: ``resamples``, ``level``, ``seed``.
    """
    c = ArchitectureCosts() if costs is None else costs
    kinds = (target, nontarget, spoof)
    counts = dict(zip(("target", "nontarget", "spoof"), map(len, kinds), strict=True))
    kind = np.repeat(np.arange(3), [len(k) for k in kinds])
    steps = Steps(np.concatenate(kinds).astype(np.float64), kind, 3)
    miss, alarms = c.c_miss * c.p_target, np.array([c.c_fa_nontarget * c.p_nontarget, c.c_fa_spoof * c.p_spoof])
    floor = min(miss, float(alarms.sum()))
    rule = f"normalised a-DCF, {', '.join(f'{k} {getattr(c, k):g}' for k in c.__dataclass_fields__)}, least over all "
    rule += f"thresholds of the judged data; {TIES}"

    def curve(weights: Floats | None) -> Floats | Undefined:
        accepted, whole = steps.masses(weights)
        if whole.min() <= 0 or floor <= 0:
            return Undefined("no trials of one kind" if floor > 0 else "the cost to compare with is 0", counts)
        rates = accepted / whole[:, None]
        costs: Floats = (miss * (whole[0] - accepted[0]) / whole[0] + alarms @ rates[1:]) / floor
        return costs

    def statistic(weights: Floats | None) -> Number:
        found = curve(weights)
        return found if isinstance(found, Undefined) else float(found.min())

    found = curve(None)
    at = found if isinstance(found, Undefined) else float(steps.thresholds[int(np.argmin(found))])
    people = np.arange(len(kind)) if speakers is None else np.concatenate(speakers)
    if people.shape != kind.shape:
        raise ShapeError("speakers do not fit the trials", given=people.shape, expected=kind.shape)
    if speakers is None:
        options["resamples"] = 0
    return MinimalCost(of_units(statistic, people, rule, counts, unit="", over="speakers", **options), at)
