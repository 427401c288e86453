"""Morphing: how often a morph matches its contributing subjects, and how well morphs are detected.

- MinMax-MMPMR and ProdAvg-MMPMR, RMMR: Scherhag et al. 2017, "Biometric systems under morphing attacks: assessment of
  morphing techniques and vulnerability reporting" (BIOSIG), equations for one and for several probes per subject.
- FMMPMR: Venkatesh et al. 2020, "On the influence of ageing on face morph attacks: vulnerability and detection": every
  attempt counts, and succeeds when all contributing subjects match. Attempt i is read as probe i of each subject.
- Morphing attack potential MAP[r, c]: Ferrara, Franco, Maltoni and Busch 2022 (arXiv 2204.13374), ISO/IEC 20059.
- MACER and BSCER: ISO/IEC 20059, the two errors of a morphing attack detector. The texts of ISO standards are not
  free; definitions follow public descriptions.

House sign: a probe matches when score >= T. ``accept=">"`` is the strict sign of dasec/mvr, by which its published
numbers are reproduced. An attempt that failed to acquire does not match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError, Undefined, UnknownNameError
from .attack_curves import AttackRates, apcer_at_bpcer, attack_rates, bpcer_at_apcer, d_eer
from .attacks import apcer, apcer_by_species, bpcer
from .domains import weighted_sum
from .intervals import LEAST_SUBJECTS, multiplicities, trial_weights
from .presentations import Presentations, Terms, Threshold
from .resampling import of_units, positions
from .steps import Floats

Accept = Literal[">=", ">"]
DETECTION = Terms("MACER", "BSCER", "morphs", "bona fide samples", "morphing method")


@dataclass(frozen=True)
class Morphs:
    """Comparison scores of morphs with probes of the subjects that contributed to them.

    Attributes:
        values: ``float64 (systems, morphs, subjects, probes)``, higher is more similar; NaN where no score exists.
        contributors: ``(morphs, subjects)`` codes or names of the contributing subjects, for the bootstrap.
        systems: name of each recognition system.
        thresholds: of each system, at its own operating point.
        origin: where the thresholds come from, e.g. ``"FMR 0.001 on LFW"``.
        attempted: ``bool``, shaped like ``values``: whether that probe exists. True with a NaN score is a failure to
            acquire. None: wherever there is a score.
    """

    values: Floats
    contributors: NDArray[Any]
    systems: tuple[str, ...]
    thresholds: tuple[float, ...]
    origin: str = "given"
    attempted: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 4:
            raise ShapeError(
                "morph scores have the wrong shape",
                given=self.values.shape,
                expected="(systems, morphs, subjects, probes)",
            )
        systems, morphs, subjects, _ = self.values.shape
        if self.contributors.shape != (morphs, subjects):
            raise ShapeError("contributors do not fit", given=self.contributors.shape, expected=(morphs, subjects))
        if len(self.systems) != systems or len(self.thresholds) != systems:
            given = (len(self.systems), len(self.thresholds))
            raise ShapeError("a name and a threshold for every system", given=given, expected=(systems, systems))
        if self.attempted is not None and self.attempted.shape != self.values.shape:
            raise ShapeError("attempted has the wrong shape", given=self.attempted.shape, expected=self.values.shape)
        if np.isinf(self.values).any() or (
            self.attempted is not None and np.any(~self.attempted & ~np.isnan(self.values))
        ):
            raise ShapeError(
                "a score is infinite, or stands where nothing was attempted", expected="finite scores or NaN"
            )

    @property
    def tried(self) -> NDArray[np.bool_]:
        """Which attempts were made, shaped like ``values``."""
        return ~np.isnan(self.values) if self.attempted is None else self.attempted

    @property
    def usable(self) -> NDArray[np.bool_]:
        """``(morphs,)`` whether every subject was tried at least once with every system."""
        return np.asarray(np.all(np.any(self.tried, axis=3), axis=(0, 2)))

    def system(self, name: str | None) -> int:
        """Position of a system; the name may be left out where there is one."""
        if name is None and len(self.systems) == 1:
            return 0
        if name not in self.systems:
            raise UnknownNameError("recognition system", str(name), self.systems)
        return self.systems.index(name)

    def matches(self, accept: Accept) -> NDArray[np.bool_]:
        """Which attempts match, shaped like ``values``."""
        if accept not in (">=", ">"):
            raise ShapeError("unknown sign", given=accept, expected="'>=' (house) or '>' (dasec/mvr)")
        limit = np.array(self.thresholds).reshape(-1, 1, 1, 1)
        found = self.values >= limit if accept == ">=" else self.values > limit
        return np.asarray(found)


def _rate(
    morphs: Morphs, system: str | None, accept: Accept, what: str, part: NDArray[Any], whole: NDArray[Any],
    **options: Any,
) -> Estimate:  # fmt: skip
    """Sum over morphs of a part, over the sum of its whole; a morph whose whole is 0 cannot be judged."""
    at = morphs.system(system)
    tried = morphs.tried[at]
    counts = {
        "morphs": int(np.sum(whole > 0)),
        "without probes": int(np.sum(whole == 0)),
        "subjects": len(np.unique(morphs.contributors)),
        "attempts": int(tried.sum()),
        "failures": int((tried & np.isnan(morphs.values[at])).sum()),
    }
    rule = f"{what}; a probe matches when s {accept} T, T = {morphs.thresholds[at]:.6g} of {morphs.systems[at]!r}"
    rule += f" ({morphs.origin}); a failure to acquire does not match"

    def statistic(weights: Floats | None) -> Number:
        w = np.ones(len(whole)) if weights is None else weights
        below = float(w @ whole)
        if below <= 0:
            return Undefined("no morph has probes of all its subjects", counts)
        return float(w @ part) / below

    return of_units(statistic, morphs.contributors, rule, counts, over="contributing subjects", **options)


def _judged(morphs: Morphs, at: int) -> NDArray[np.float64]:
    """1 for morphs where every subject has a probe, 0 for others."""
    return np.asarray(np.all(np.any(morphs.tried[at], axis=2), axis=1), dtype=np.float64)


def mmpmr(morphs: Morphs, *, system: str | None = None, accept: Accept = ">=", **options: Any) -> Estimate:
    """MinMax-MMPMR: share of morphs that match every contributing subject in at least one probe.

    ``(1/M) sum_m [min_n (max_i s(m, n, i)) accepted]``.

    Args:
        morphs: scores.
        system: name of the recognition system; may be left out where there is one.
        accept: the sign.
        **options: ``resamples``, ``level``, ``seed`` of `resampling.of_units`.
    """
    at = morphs.system(system)
    success = morphs.matches(accept)[at].any(axis=2).all(axis=1)
    what = "MinMax-MMPMR: share of morphs that match every subject in at least one probe"
    judged = _judged(morphs, at)
    return _rate(morphs, system, accept, what, success * judged, judged, **options)


def mmpmr_prodavg(morphs: Morphs, *, system: str | None = None, accept: Accept = ">=", **options: Any) -> Estimate:
    """ProdAvg-MMPMR: mean over morphs of the product over subjects of the share of their probes that match.

    The chance that one probe of each subject, drawn at random, matches. Arguments as in `mmpmr`.
    """
    at = morphs.system(system)
    matched, tried = morphs.matches(accept)[at].sum(axis=2), morphs.tried[at].sum(axis=2)
    product = np.prod(matched / np.maximum(tried, 1), axis=1)
    what = "ProdAvg-MMPMR: mean over morphs of the product over subjects of the share of probes that match"
    judged = _judged(morphs, at)
    return _rate(morphs, system, accept, what, product * judged, judged, **options)


def fmmpmr(morphs: Morphs, *, system: str | None = None, accept: Accept = ">=", **options: Any) -> Estimate:
    """FMMPMR: share of attempts, over all morphs, in which every contributing subject matches.

    Attempt i takes probe i of every subject; attempts that lack a subject's probe are not made. Arguments as in
    `mmpmr`. Morphs with more attempts weigh more.
    """
    at = morphs.system(system)
    made = morphs.tried[at].all(axis=1)
    success = morphs.matches(accept)[at].all(axis=1) & made
    what = "FMMPMR: share of attempts (probe i of every subject) that match all subjects"
    return _rate(morphs, system, accept, what, success.sum(axis=1), made.sum(axis=1), **options)


def rmmr(rate: Estimate, fnmr: Estimate) -> Estimate:
    """RMMR ``= 1 + (MMPMR - (1 - FNMR)) = MMPMR + FNMR``: rejecting everything is no merit; may exceed 1.

    Args:
        rate: `mmpmr` or a relative of it.
        fnmr: at the same threshold, by the same sign.
    """
    rule = f"RMMR = 1 + (MMPMR - (1 - FNMR)); MMPMR: {rate.rule}; FNMR: {fnmr.rule}"
    return weighted_sum([rate, fnmr], [1.0, 1.0], rule)


def rmnmr(rate: Estimate, fnmr: Estimate) -> Estimate:
    """RMNMR ``= (1 - FNMR) - MMPMR``, true match rate less MMPMR as dasec/mvr has it. Arguments as in `rmmr`."""
    rule = f"RMNMR = (1 - FNMR) - MMPMR; MMPMR: {rate.rule}; FNMR: {fnmr.rule}"
    return weighted_sum([rate, fnmr], [-1.0, -1.0], rule, constant=1.0)


@dataclass(frozen=True)
class AttackPotential:
    """Morphing attack potential.

    Attributes:
        values: ``float64 (r, c)``, ``values[r - 1, c - 1]`` = MAP[r, c].
        low, high: ends of the interval of each cell, ``(r, c)``; None without one.
        counts: morphs, left out, systems, subjects.
        rule: in words.
    """

    values: Floats
    low: Floats | None
    high: Floats | None
    counts: dict[str, int]
    rule: str


def morphing_attack_potential(
    morphs: Morphs, *, accept: Accept = ">=", resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> AttackPotential | Undefined:
    """MAP[r, c]: share of morphs by which at least ``c`` systems are each fooled by all subjects in ``r`` attempts.

    A system is fooled when every contributing subject matches it in at least ``r`` probes, at the system's own
    threshold. MAP[1, 1] of one system is MinMax-MMPMR.

    Args:
        morphs: scores of all systems on the same probes.
        accept: the sign.
        resamples: bootstrap over contributing subjects; 0 gives no intervals.
        level: confidence level of each cell.
        seed: of the resampling.
    """
    usable = morphs.usable
    systems, _, _, probes = morphs.values.shape
    codes, people = positions(morphs.contributors)
    counts = {
        "morphs": int(usable.sum()),
        "without probes": int((~usable).sum()),
        "systems": systems,
        "subjects": people,
    }
    if not usable.any():
        return Undefined("no morph has probes of all its subjects with all systems", counts)
    successes = morphs.matches(accept)[:, usable].sum(axis=3).min(axis=2)
    fooled = (successes[None] >= np.arange(1, probes + 1)[:, None, None]).sum(axis=1)
    cells = (fooled[:, None] >= np.arange(1, systems + 1)[None, :, None]).astype(np.float64)
    named = ", ".join(f"{n} {t:.6g}" for n, t in zip(morphs.systems, morphs.thresholds, strict=True))
    rule = "MAP[r, c]: share of morphs with at least c systems fooled by all subjects in at least r probes; a probe "
    rule += f"matches when s {accept} T, T = {named} ({morphs.origin}); a failure to acquire does not match"
    values = cells.mean(axis=2)
    if resamples == 0 or people < LEAST_SUBJECTS:
        return AttackPotential(values, None, None, counts, rule)
    weights = np.stack([trial_weights(codes[usable], drawn) for drawn in multiplicities(people, resamples, seed)])
    weights = weights[weights.sum(axis=1) > 0]
    drawn = np.einsum("bm,rcm->brc", weights, cells) / weights.sum(axis=1)[:, None, None]
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    rule += f"; {level:.0%} percentile bootstrap over {people} contributing subjects, {resamples} resamples"
    return AttackPotential(values, low, high, counts, rule)


def macer(samples: Presentations, threshold: Threshold, **options: Any) -> Estimate:
    """MACER: share of morphs that a detector takes for bona fide samples, of the worst morphing method.

    Args:
        samples: detector scores, higher is more bona fide; ``species`` is the morphing method.
        threshold: and its origin.
        **options: of `attacks.apcer` (``across="pooled"`` ignores methods).
    """
    return apcer(samples, threshold, terms=DETECTION, **options)


def macer_by_method(samples: Presentations, threshold: Threshold, **options: Any) -> dict[str, Estimate]:
    """MACER of every morphing method; arguments as in `macer`."""
    return apcer_by_species(samples, threshold, terms=DETECTION, **options)


def bscer(samples: Presentations, threshold: Threshold, **options: Any) -> Estimate:
    """BSCER: share of bona fide samples that a detector takes for morphs; arguments as in `macer`."""
    return bpcer(samples, threshold, terms=DETECTION, **options)


def bscer_at_macer(samples: Presentations, limit: float, **options: Any) -> Estimate:
    """BSCER at the lowest threshold whose MACER is at most ``limit``; options of `attack_curves.bpcer_at_apcer`."""
    return bpcer_at_apcer(samples, limit, terms=DETECTION, **options)


def macer_at_bscer(samples: Presentations, limit: float, **options: Any) -> Estimate:
    """MACER at the highest threshold whose BSCER is at most ``limit``; options of `attack_curves.apcer_at_bpcer`."""
    return apcer_at_bpcer(samples, limit, terms=DETECTION, **options)


def morph_detection_eer(samples: Presentations, **options: Any) -> Estimate:
    """Mean of MACER and BSCER at their smallest gap; options of `attack_curves.d_eer`."""
    return d_eer(samples, terms=DETECTION, **options)


def morph_detection_curve(samples: Presentations, **options: Any) -> AttackRates | Undefined:
    """MACER (``apcer``) against BSCER (``bpcer``) at every threshold; options of `attack_curves.attack_rates`."""
    return attack_rates(samples, **options)
