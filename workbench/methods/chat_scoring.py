"""From replies to what claims compare: units, differences of groups, rates, and breakdowns by group.

A refusal is not "different person" and not a wrong class: it has a state of its own. Over *all* things asked, what was
not answered counts as not right; over the *answered* ones it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Measurements, Undefined
from ..metrics.agreement import answer_rates, cohen_kappa
from ..metrics.attributes import age_mae
from ..metrics.confidence import brier, expected_calibration_error, interval_score
from ..metrics.resampling import FEW, of_means, proportion
from .asked import NO_PICTURE, NO_REPLY, NOT_ASKED, REFUSAL, UNDECIDED, VALUE, Replies

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Masks = NDArray[np.bool_]
_PLURAL = {REFUSAL: "refusals"}
UNUSABLE = (REFUSAL, UNDECIDED, NO_REPLY, NO_PICTURE)


def accepted(replies: Replies, attempt: int | None = None) -> Floats:
    """1 "same person", 0 "different people", NaN not answered: what was first said, or what one attempt said."""
    return (replies.decided if attempt is None else replies.values[attempt])[:, 0]


def right(said: Floats, true: NDArray[Any], *, over_all: bool) -> Floats:
    """1 where what was said is true, 0 where not; without an answer 0 over all, NaN over the answered."""
    hit = np.where(said == true, 1.0, 0.0)
    return hit if over_all else np.where(np.isnan(said), np.nan, hit)


def inside(ranges: Floats, age: NDArray[Any], *, over_all: bool) -> Floats:
    """1 where the true age lies in the range, ends included; without a range 0 over all, NaN over the answered.

    Args:
        ranges: ``(n, 2)`` in years.
        age: ``(n,)`` completed years.
        over_all: what no answer counts as.
    """
    hit = np.where((ranges[:, 0] <= age) & (age <= ranges[:, 1]), 1.0, 0.0)
    return hit if over_all else np.where(np.isnan(ranges[:, 0]), np.nan, hit)


def refused(replies: Replies, attempt: int = 0) -> Floats:
    """1 where the answer was refused at one time of asking, NaN where there was no reply or no question."""
    row = replies.outcomes[attempt]
    return np.where(np.isin(row, (NOT_ASKED, NO_REPLY, NO_PICTURE)), np.nan, (row == REFUSAL).astype(np.float64))


def decided_by(replies: Replies, attempt: int) -> Floats:
    """1 where one of the attempts up to this one gave a value."""
    return np.asarray((replies.first >= 0) & (replies.first <= attempt), np.float64)


def repeated(replies: Replies) -> tuple[Floats, Floats]:
    """The first and the second value that the same question got, ``(n,)`` each; NaN where there are no two."""
    there = replies.outcomes == VALUE
    rank = np.cumsum(there, axis=0)
    found = []
    for wanted in (1, 2):
        at = there & (rank == wanted)
        value = replies.values[at.argmax(0), np.arange(len(replies)), 0]
        found.append(np.where(at.any(0), value, np.nan))
    both = ~np.isnan(found[1])
    return np.where(both, found[0], np.nan), found[1]


def kappa_units(one: Floats, other: Floats) -> Floats:
    """``(agree - chance) / (1 - chance)`` of two yes-or-no answers: the mean is Cohen's kappa.

    Chance is that of all units, in resamples too. NaN where either is missing, and where both always say the same
    one thing.
    """
    both, chance = _chance(one, other)
    units = np.full(len(one), np.nan)
    if chance < 1:
        units[both] = ((one[both] == other[both]) - chance) / (1 - chance)
    return units


def _chance(one: Floats, other: Floats) -> tuple[Masks, float]:
    """Where both answered, and how often two such answerers agree by chance; 1 where nobody did."""
    both = ~(np.isnan(one) | np.isnan(other))
    if not both.any():
        return both, 1.0
    a, b = float(one[both].mean()), float(other[both].mean())
    return both, a * b + (1 - a) * (1 - b)


def kappa_measured(arm: str, one: Floats, other: Floats, subjects: NDArray[np.int64]) -> Measurements:
    """`kappa_units` between the value that a disagreement would have and 1.

    Args:
        arm: who answered.
        one: ``(n,)`` 0 or 1, NaN without an answer.
        other: the second time.
        subjects: ``int64 (n, k)``.
    """
    chance = _chance(one, other)[1]
    bounds = (-chance / (1 - chance), 1.0) if chance < 1 else None
    return Measurements(arm, kappa_units(one, other), subjects, bounds)


def difference_units(values: Floats, one: Masks, other: Masks) -> Floats:
    """Units whose mean is the mean of one group minus the mean of another; resampling them gives its interval.

    Each unit holds the difference and its own influence on it. NaN everywhere where a group has no value, and for units
    of neither group or without a value.

    Args:
        values: ``(n,)``, NaN without a value.
        one: ``bool (n,)`` a group.
        other: ``bool (n,)`` another, which shares no unit with it.
    """
    there = np.isfinite(values)
    masks = [one & there, other & there]
    units = np.full(len(values), np.nan)
    if not all(m.any() for m in masks):
        return units
    means = [float(values[m].mean()) for m in masks]
    units[masks[0] | masks[1]] = means[0] - means[1]
    whole = int(masks[0].sum() + masks[1].sum())
    for sign, mask, mean in zip((1, -1), masks, means, strict=True):
        units[mask] += sign * (values[mask] - mean) * whole / mask.sum()
    return units


def rate(hits: Floats, subjects: NDArray[Any], rule: str) -> Estimate:
    """Share of 1 among units that have a value, with the bootstrap over their one or two subjects.

    Clopper and Pearson's interval where fewer than ten units are 1, or fewer than ten are 0.
    """
    good = np.isfinite(hits)
    values, who = hits[good], subjects[good]
    counts = {"units": int(good.sum()), "left out": int((~good).sum())}
    if who.ndim == 1 or min((values == 1).sum(), (values != 1).sum()) < FEW:
        return proportion(values == 1, _one(who), rule, counts)
    return of_means(values, who, rule, counts)


def binomial(hits: Floats, rule: str) -> Estimate:
    """Share of 1 among units that have a value, with Clopper and Pearson's interval for independent units."""
    good = np.isfinite(hits)
    counts = {"units": int(good.sum()), "left out": int((~good).sum())}
    return proportion(hits[good] == 1, np.arange(good.sum()), rule, counts, interval="clopper-pearson")


def outcomes(replies: Replies, subjects: NDArray[Any], name: str) -> dict[str, Estimate]:
    """Refusals, undecided answers and calls without a reply: at the first time of asking, and in the end."""
    found: dict[str, Estimate] = {}
    for when, kinds in (("at the first asking", replies.outcomes[0]), ("in the end", replies.state)):
        asked = kinds != NOT_ASKED
        rates = answer_rates(kinds[asked], _one(subjects)[asked], unusable=UNUSABLE)
        for kind in UNUSABLE:
            found[f"{_PLURAL.get(kind, kind)}, {when}: {name}"] = rates[kind]
    found[f"calls: {name}"] = calls([replies])
    return found


def calls(replies: Sequence[Replies]) -> Estimate:
    """What asking took."""
    return Estimate(float(sum(r.calls for r in replies)), rule="requests, failed ones and those of earlier runs too")


def _one(subjects: NDArray[Any]) -> NDArray[Any]:
    """Something to count people by; Wilson's interval does not resample."""
    return subjects if subjects.ndim == 1 else subjects[:, 0]


def operating_point(said: Floats, mated: Masks, subjects: Codes, arm: str) -> dict[str, Estimate]:
    """TMR and FMR of decisions: over all, where what is not answered is not accepted, and over the answered."""
    found = {}
    for label, kind in (("TMR", mated), ("FMR", ~mated)):
        share = "mated" if label == "TMR" else "non-mated"
        for over, values in (("all", np.nan_to_num(said, nan=0.0)), ("answered", said)):
            rule = f"share of {share} pairs that are accepted, over {over}"
            found[f"{label} over {over}: {arm}"] = rate(values[kind], subjects[kind], rule)
    return found


def trust(replies: Replies, hits: Floats, subjects: NDArray[Any], arm: str) -> dict[str, Estimate]:
    """Brier score and calibration error of the confidence that goes with decisions."""
    sure = replies.decided[:, 1]
    good = np.isfinite(sure) & np.isfinite(hits)
    given = (sure[good], hits[good] == 1, subjects[good])
    return {
        f"Brier score of the confidence: {arm}": brier(*given),
        f"expected calibration error: {arm}": expected_calibration_error(*given),
    }


def age_numbers(ranges: Floats, age: NDArray[Any], subjects: NDArray[Any], arm: str) -> dict[str, Estimate]:
    """Width, interval score and the error of the middle, over the answered."""
    good = np.isfinite(ranges[:, 0])
    low, high, true, who = ranges[good, 0], ranges[good, 1], age[good].astype(np.float64), subjects[good]
    counts = {"answered": int(good.sum()), "asked": len(good)}
    return {
        f"mean width of the age range: {arm}": of_means(high - low, who, "mean of b - a", counts, unit="years"),
        f"interval score, alpha 0.2: {arm}": interval_score(low, high, true, who, alpha=0.2),
        f"age MAE, middle of the range: {arm}": age_mae((low + high) / 2, true, who),
    }


def agreement(one: Floats, other: Floats, subjects: NDArray[Any], name: str) -> dict[str, Estimate]:
    """How often two yes-or-no answers to the same thing agree, and Cohen's kappa, where both were given."""
    both = ~(np.isnan(one) | np.isnan(other))
    a, b, who = one[both].astype(np.int64), other[both].astype(np.int64), subjects[both]
    rule = "share of things on which both answers agree"
    share = rate(np.where(both, (one == other).astype(np.float64), np.nan), _one(subjects), rule)
    return {f"agreement, {name}": share, f"kappa, {name}": cohen_kappa(a, b, 2, who)}


def breakdown(hits: Floats, groups: Mapping[str, tuple[tuple[str, ...], Codes]], subjects: NDArray[Any],
              what: str) -> dict[str, Estimate]:  # fmt: skip
    """A rate in every group of every grouping; a group without a unit is undefined.

    Args:
        hits: ``(n,)`` 1, 0 or NaN.
        groups: grouping -> names of its groups, and ``int64 (n,)`` the group of each unit, -1 for none.
        subjects: ``(n,)``.
        what: the rate in words.
    """
    found = {}
    for grouping, (names, group) in groups.items():
        for code, name in enumerate(names):
            inside_ = group == code
            key = f"{what}, {grouping} {name}"
            if np.isfinite(hits[inside_]).any():
                found[key] = rate(hits[inside_], subjects[inside_], what)
            else:
                found[key] = Estimate(Undefined("nobody in this group was answered about"), unit="fraction")
    return found


def mean_by_group(
    values: Floats, grouping: tuple[tuple[str, ...], Codes], subjects: NDArray[Any], what: str, unit: str
) -> dict[str, Estimate]:
    """A mean in every group, over the units that have a value."""
    found = {}
    for code, name in enumerate(grouping[0]):
        here = (grouping[1] == code) & np.isfinite(values)
        counts = {"answered": int(here.sum())}
        found[f"{what} {name}"] = of_means(values[here], subjects[here], f"mean {what}", counts, unit=unit)
    return found
