"""Demographic differentials (ISO/IEC 19795-10): error rates of groups at one common threshold, and their summaries.

FDR: Pereira and Marcel 2021 (arXiv 2011.02395). IR: NIST's inequity ratio (Grother 2022). GARBE: Howard et al.
(arXiv 2203.05051). The text of the standard is not free; the formulas are those of the papers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Scores, ShapeError, Undefined
from .operating import Operating, Point
from .resampling import of_units, positions

Floats = NDArray[np.float64]
Names = NDArray[np.str_]
# Below so many errors a rate says little: with none among n, it may still be 3 / n (rule of three).
FEW_ERRORS = 3


@dataclass(frozen=True)
class Groups:
    """Scores with the group of every side.

    Attributes:
        scores: one arm's.
        reference, probe: ``str (n,)`` group of each trial's reference and probe; "" where it is not known.
        threshold: one for all groups.
        origin: where the threshold comes from, in words.
    """

    scores: Scores
    reference: Names
    probe: Names
    threshold: float
    origin: str = "given"

    def __post_init__(self) -> None:
        n = len(self.scores.trials)
        for what in ("reference", "probe"):
            if getattr(self, what).shape != (n,):
                raise ShapeError(f"{what} groups do not fit the trials", given=getattr(self, what).shape, expected=(n,))
        mated = self.scores.trials.mated
        apart = int(np.sum(self.reference[mated] != self.probe[mated]))
        if apart:
            raise ShapeError(
                "a mated trial shows two groups",
                given=f"{apart} trials",
                expected="one group per capture subject",
                do="group by a property of the person; a property of the picture makes pairs of groups",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Groups that occur, sorted."""
        return tuple(str(n) for n in np.unique(np.r_[self.reference, self.probe]) if n != "")

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """``(n,)`` accepted at the threshold; a failure to acquire is not."""
        scores = self.scores
        return scores.acquired & (np.where(scores.acquired, scores.values, -np.inf) >= self.threshold)

    @property
    def rule(self) -> str:
        """Decision in words."""
        return f"s >= T, T = {self.threshold:.6g} for all groups ({self.origin}); failures to acquire are rejections"


def fnmr_by_group(groups: Groups, **options: Any) -> dict[str, Estimate]:
    """FNMR of every group; a group without mated trials is undefined.

    Args:
        groups: scores with groups.
        **options: ``resamples``, ``level``, ``seed``.
    """
    mated = groups.scores.trials.mated
    return {g: _rate(groups, mated & (groups.reference == g), False, f"FNMR of {g}", **options) for g in groups.names}


def fmr_by_group(groups: Groups, **options: Any) -> dict[str, Estimate]:
    """FMR of every group: both sides of the non-mated trials belong to it."""
    between = fmr_between_groups(groups, **options)
    return {g: between[g, g] for g in groups.names}


def fmr_between_groups(groups: Groups, **options: Any) -> dict[tuple[str, str], Estimate]:
    """FMR of every pair of groups, whichever side shows which; pairs in the order of names."""
    swap = groups.reference > groups.probe
    one, other = (np.where(swap, b, a) for a, b in ((groups.reference, groups.probe), (groups.probe, groups.reference)))
    found = {}
    for i, a in enumerate(groups.names):
        for b in groups.names[i:]:
            trials = ~groups.scores.trials.mated & (one == a) & (other == b)
            found[a, b] = _rate(
                groups, trials, True, f"FMR of {a}" if a == b else f"FMR between {a} and {b}", **options
            )
    return found


def _rate(groups: Groups, trials: NDArray[np.bool_], accepting: bool, what: str, **options: Any) -> Estimate:
    errors = (groups.accepted == accepting)[trials]
    subjects = groups.scores.trials.subjects[trials]
    n, wrong = len(errors), int(errors.sum())
    counts = {"trials": n, "errors": wrong, "subjects": len(np.unique(subjects))}
    small = f"; small: {wrong} errors among {n}" if n and wrong < FEW_ERRORS else ""

    def statistic(weights: Floats | None) -> Number:
        if not n:
            return Undefined("no trials of this group", counts)
        if weights is None:
            return wrong / n
        whole = weights.sum()
        return float(weights @ errors / whole) if whole > 0 else Undefined("a resample without trials", counts)

    return of_units(statistic, subjects, f"{what}: {groups.rule}{small}", counts, **options)


def gini(values: Floats) -> Number:
    """``n / (n - 1) sum_ij |x_i - x_j| / (2 n^2 mean(x))``: 0 where all are alike, 1 where one has all."""
    n = len(values)
    if n < 2:
        return Undefined("fewer than two groups", {"groups": n})
    if values.mean() == 0:
        return 0.0
    spread = np.abs(values[:, None] - values).sum()
    return float(n / (n - 1) * spread / (2 * n * n * values.mean()))


def fdr(fmr: Floats, fnmr: Floats, alpha: float = 0.5) -> Number:
    """Fairness discrepancy rate: 1 minus the weighted largest gaps; 1 is alike. Blind to ratios of small rates."""
    if min(len(fmr), len(fnmr)) < 2:
        return Undefined("fewer than two groups", {"groups": min(len(fmr), len(fnmr))})
    return float(1 - (alpha * np.ptp(fmr) + (1 - alpha) * np.ptp(fnmr)))


def max_over_min(values: Floats) -> Number:
    """Largest over smallest rate; undefined where the smallest is 0."""
    reason = _no_ratio(values)
    return float(values.max() / values.min()) if reason is None else reason


def max_over_geometric_mean(values: Floats) -> Number:
    """Largest rate over the geometric mean of all; undefined where one is 0."""
    reason = _no_ratio(values)
    return float(values.max() / np.exp(np.log(values).mean())) if reason is None else reason


def _no_ratio(values: Floats) -> Undefined | None:
    """Why rates have no ratio, or None."""
    counts = {"groups": len(values)}
    if len(values) < 2:
        return Undefined("fewer than two groups", counts)
    return Undefined("a group has no error", counts) if values.min() <= 0 else None


def inequity_rate(fmr: Floats, fnmr: Floats, alpha: float = 0.5) -> Number:
    """``(max FMR / min FMR)^alpha (max FNMR / min FNMR)^(1 - alpha)``; 1 is alike."""
    one, other = max_over_min(fmr), max_over_min(fnmr)
    if isinstance(one, Undefined) or isinstance(other, Undefined):
        return one if isinstance(one, Undefined) else other
    return float(one**alpha * other ** (1 - alpha))


def garbe(fmr: Floats, fnmr: Floats, alpha: float = 0.5) -> Number:
    """``alpha G(FMR) + (1 - alpha) G(FNMR)``; 0 is alike."""
    one, other = gini(fmr), gini(fnmr)
    if isinstance(one, Undefined) or isinstance(other, Undefined):
        return one if isinstance(one, Undefined) else other
    return float(alpha * one + (1 - alpha) * other)


SUMMARIES: dict[str, Callable[[Floats, Floats], Number]] = {
    "FDR": fdr,
    "IR": inequity_rate,
    "GARBE": garbe,
    "FMR max/min": lambda fmr, _: max_over_min(fmr),
    "FNMR max/min": lambda _, fnmr: max_over_min(fnmr),
    "FMR max/geometric mean": lambda fmr, _: max_over_geometric_mean(fmr),
    "FNMR max/geometric mean": lambda _, fnmr: max_over_geometric_mean(fnmr),
}
Summary = Literal["FDR", "IR", "GARBE", "FMR max/min", "FNMR max/min", "FMR max/geometric mean",
                  "FNMR max/geometric mean"]  # fmt: skip


def within_groups(groups: Groups) -> dict[str, Operating]:
    """Every group's trials, both sides of which belong to it, sorted for a threshold that moves."""
    found = {}
    for name in groups.names:
        which = (groups.reference == name) & (groups.probe == name)
        scores = groups.scores
        found[name] = Operating(
            Scores(scores.arm, scores.trials.subset(which), scores.values[which], scores.acquired[which])
        )
    return found


def summaries_at(points: Mapping[str, Point]) -> dict[str, Number]:
    """Every summary over the groups that have mated and non-mated trials; `summary` adds intervals."""
    complete = [p for p in points.values() if p.mated and p.nonmated]
    if len(complete) < 2:
        return dict.fromkeys(SUMMARIES, Undefined("fewer than two groups with mated and non-mated trials"))
    fmr, fnmr = (
        np.array([float(v) for v in rates]) for rates in zip(*((p.fmr, p.fnmr) for p in complete), strict=True)
    )
    return {name: take(fmr, fnmr) for name, take in SUMMARIES.items()}


def summary(groups: Groups, name: Summary, **options: Any) -> Estimate:
    """One summary over all groups that have mated and non-mated trials, with its interval over capture subjects.

    Args:
        groups: scores with groups.
        name: of `SUMMARIES`; alpha is 0.5.
        **options: ``resamples``, ``level``, ``seed``.

    Returns:
        Noise makes groups differ that are alike: even then GARBE and the ratios lie above their ideal.
    """
    if name not in SUMMARIES:
        raise ShapeError("unknown summary", given=name, expected=", ".join(SUMMARIES))
    trials = groups.scores.trials
    within = (groups.reference == groups.probe) & (groups.reference != "")
    _, code = np.unique(groups.reference[within], return_inverse=True)
    k = int(code.max()) + 1 if len(code) else 0
    mated, accepted = trials.mated[within], groups.accepted[within]
    wrong = np.where(mated, ~accepted, accepted)
    cell = code + k * mated
    counts = {"groups": k, "trials": int(within.sum())}

    def statistic(weights: Floats | None) -> Number:
        weight = np.ones(len(cell)) if weights is None else weights
        whole = np.bincount(cell, weight, 2 * k)
        errors = np.bincount(cell, weight * wrong, 2 * k)
        complete = (whole[:k] > 0) & (whole[k:] > 0)
        if complete.sum() < 2:
            return Undefined("fewer than two groups with mated and non-mated trials", counts)
        fmr, fnmr = (errors[part][complete] / whole[part][complete] for part in (slice(0, k), slice(k, None)))
        return SUMMARIES[name](fmr, fnmr)

    subjects, _ = positions(trials.subjects[within])
    return of_units(statistic, subjects, f"{name} over groups; {groups.rule}", counts, unit="", **options)
