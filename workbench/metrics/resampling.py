"""Bootstrap over capture subjects for any statistic, with a fast path for rates that are sums per subject.

Subjects are drawn with replacement (Bolle, Ratha and Pankanti 2004; Poh, Martin and Bengio 2007), by weights, as
in `intervals`. When every unit shows one subject and the statistic is made of rates at a fixed threshold, a
resample needs only each subject's counts: all resamples are one matrix product, however many units there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Resampled, Scores, ShapeError, Undefined
from .intervals import (
    CONSTANT,
    LEAST_SUBJECTS,
    alike,
    bootstrap_rule,
    clopper_pearson,
    multiplicities,
    percentile,
    trial_weights,
    wilson,
)
from .rates import Fta, Ranked, Statistic
from .steps import Floats, shares

Interval = Literal["auto", "bootstrap", "wilson", "clopper-pearson", "none"]
INTERVALS = ("auto", "bootstrap", "wilson", "clopper-pearson", "none")
FEW = 10
BLOCK = 64


def positions(subjects: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Codes from 0 for subjects ``(n,)`` or ``(n, k)`` named by any sortable values, and how many there are."""
    names, position = np.unique(subjects, return_inverse=True)
    return position.reshape(subjects.shape).astype(np.int64), len(names)


def spread(
    value: Number, drawn: list[float], rule: str, counts: Mapping[str, int], *, subjects: int, resamples: int,
    level: float, unit: str, over: str = "capture subjects",
) -> Estimate:  # fmt: skip
    """An estimate with the percentile interval of resampled values, or the reason why it has none."""
    if isinstance(value, Undefined) or resamples == 0:
        return Estimate(value, rule=rule, counts=counts, unit=unit, level=level)
    reason = None
    if subjects < LEAST_SUBJECTS:
        reason = f"fewer than {LEAST_SUBJECTS} {over}"
    elif len(drawn) < resamples / 2:
        reason = "the measure is undefined in most resamples"
    elif alike(drawn, level):
        reason = CONSTANT
    if reason is not None:
        none = Undefined(reason, counts)
        return Estimate(value, none, none, rule, counts, unit, level)
    low, high = percentile(drawn, level)
    rule += f"; {bootstrap_rule(level, subjects, resamples, over)}"
    return Estimate(value, low, high, rule, counts, unit, level)


def of_units(
    statistic: Callable[[Floats | None], Number], subjects: NDArray[Any], rule: str, counts: Mapping[str, int], *,
    unit: str = "fraction", over: str = "capture subjects", resamples: int = 1000, level: float = 0.95,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """A statistic with its interval over subjects; it is computed anew under each resample's weights.

    Args:
        statistic: takes a weight for each unit, or None for all alike; gives a number or `Undefined`.
        subjects: ``(n,)`` or ``(n, k)`` subjects that each unit shows; a unit weighs as often as the product of the
            multiplicities of its distinct subjects.
        rule: the statistic in words.
        counts: what it rests on.
        unit: of the value.
        over: what is resampled, in words.
        resamples: how many; 0 gives no interval.
        level: confidence level.
        seed: of the resampling.
    """
    value = statistic(None)
    if isinstance(value, Undefined) or resamples == 0:
        return Estimate(value, rule=rule, counts=counts, unit=unit, level=level)
    people = len(np.unique(subjects))
    some = (n for n in again(statistic, subjects, resamples, seed) if not isinstance(n, Undefined))
    drawn = [float(n) for n in some] if people >= LEAST_SUBJECTS else []
    return spread(
        value, drawn, rule, counts, subjects=people, resamples=resamples, level=level, unit=unit, over=over
    )  # fmt: skip


def again(
    statistic: Callable[[Floats | None], Number], subjects: NDArray[Any], resamples: int, seed: int
) -> Iterator[Number]:
    """The statistic of every resample of the subjects. Arguments as in `of_units`."""
    position, people = positions(subjects)
    for multiplicity in multiplicities(people, resamples, seed):
        yield statistic(trial_weights(position, multiplicity) if position.ndim == 2 else multiplicity[position])


def resampled(
    arm: str, statistic: Callable[[Floats | None], Number], subjects: NDArray[Any], counts: Mapping[str, int], *,
    over: str = "capture subjects", resamples: int = 1000, seed: int = 0,
) -> Resampled:  # fmt: skip
    """A statistic with its resamples, to be paired with other arms' on the same units. Arguments as in `of_units`."""
    value = statistic(None)
    drawn = [np.nan if isinstance(n, Undefined) else float(n) for n in again(statistic, subjects, resamples, seed)]
    people = len(np.unique(subjects))
    draw = draw_words(people, resamples, seed, over)
    return Resampled(arm, value, np.array(drawn, np.float64), draw, {**counts, "subjects": people}, over)


def draw_words(people: int, resamples: int, seed: int, over: str = "capture subjects") -> str:
    """What was drawn: arms of the same words are paired."""
    return f"{people} {over}, {resamples} resamples, seed {seed}"


def combined(arm: str, function: Callable[[Floats], Floats], parts: Sequence[Resampled]) -> Resampled:
    """A function of several statistics: its value, and draw by draw its resamples.

    Args:
        arm: name of the result.
        function: takes ``(parts, m)``, gives ``(m,)``; a NaN among its parts makes a NaN.
        parts: of the same people, or each of people of their own: those are then drawn independently.

    Raises:
        ShapeError: no parts, or parts of different numbers of resamples.
    """
    if len({len(p.drawn) for p in parts}) != 1:
        raise ShapeError(
            "statistics do not fit together", given=[len(p.drawn) for p in parts], expected="equal numbers"
        )
    value: Number | None = next((p.value for p in parts if isinstance(p.value, Undefined)), None)
    if value is None:
        number = float(function(np.array([[float(p.value)] for p in parts]))[0])
        value = Undefined("it is not defined for these statistics") if np.isnan(number) else number
    draws = list(dict.fromkeys(p.draw for p in parts))
    people = min(p.counts["subjects"] for p in parts)
    over = " and ".join(dict.fromkeys(p.over for p in parts))
    return Resampled(
        arm, value, function(np.stack([p.drawn for p in parts])), " and ".join(draws), {"subjects": people}, over
    )


def of_resampled(one: Resampled, against: Resampled | float = 0.0, *, level: float = 0.95, unit: str = "") -> Estimate:
    """A resampled statistic, or its paired difference from another arm's, with the percentile interval.

    Args:
        one: an arm.
        against: another arm of the same draws, or a constant.
        level: confidence level.
        unit: of the value.
    """
    other, drawn = (against.value, against.drawn) if isinstance(against, Resampled) else (against, np.float64(against))
    gaps = one.drawn - drawn
    missing = next((v for v in (one.value, other) if isinstance(v, Undefined)), None)
    value = float(one.value) - float(other) if missing is None else missing
    rule = f"paired over {one.draw}" if isinstance(against, Resampled) else f"over {one.draw}"
    counts = dict(one.counts)
    if one.over != "capture subjects":
        counts[one.over] = counts.pop("subjects")
    return spread(
        value, gaps[np.isfinite(gaps)].tolist(), rule, counts, subjects=one.counts["subjects"],
        resamples=len(gaps), level=level, unit=unit, over=one.over,
    )  # fmt: skip


def of_scores(
    scores: Scores, statistic: Statistic, rule: str, *, unit: str = "fraction",
    fta: Fta = "reject", resamples: int = 1000, level: float = 0.95, seed: int = 0,
) -> Estimate:  # fmt: skip
    """A statistic of the error rates with its interval over capture subjects.

    Args:
        scores: one arm's scores.
        statistic: takes `rates.ErrorRates`, gives a number or `Undefined`.
        rule: its definition in words.
        unit: of the value.
        fta: what a failure to acquire counts as.
        resamples: how many; 0 gives no interval.
        level: confidence level.
        seed: of the resampling.
    """
    ranked = Ranked(scores, fta)

    def of_rates(weights: Floats | None) -> Number:
        rates = ranked.rates(weights)
        return rates if isinstance(rates, Undefined) else statistic(rates)

    return of_units(
        of_rates, scores.trials.subjects, f"{rule}; {ranked.rule}", ranked.counts, unit=unit, resamples=resamples,
        level=level, seed=seed,
    )  # fmt: skip


def of_means(values: Floats, subjects: NDArray[Any], rule: str, counts: Mapping[str, int], **options: Any) -> Estimate:
    """The mean over units with its interval over subjects.

    Args:
        values: ``(n,)``, finite.
        subjects: ``(n,)`` or ``(n, k)``.
        rule: the quantity in words.
        counts: what it rests on.
        **options: of `of_units`.
    """

    def mean(weights: Floats | None) -> Number:
        if not len(values):
            return Undefined("no units", counts)
        if weights is None:
            return float(values.mean())
        whole = weights.sum()
        return float(weights @ values / whole) if whole > 0 else Undefined("a resample has no units", counts)

    return of_units(mean, subjects, rule, counts, **options)


def of_ratios(
    errors: NDArray[np.bool_], column: NDArray[np.int64], columns: int, combine: Callable[[Floats, Floats], Floats],
    subjects: NDArray[Any], rule: str, counts: Mapping[str, int], *, unit: str = "fraction",
    over: str = "capture subjects", resamples: int = 1000, level: float = 0.95, seed: int = 0,
) -> Estimate:  # fmt: skip
    """A function of error rates at a fixed threshold, with its interval over subjects by one matrix product.

    The same numbers as `of_units` gives with the same seed.

    Args:
        errors: ``(n,)`` whether a unit is an error.
        column: ``(n,)`` which rate the unit belongs to, from 0.
        columns: how many rates there are.
        combine: takes errors ``(..., columns)`` and trials ``(..., columns)``, gives ``(...)``, NaN where undefined.
        subjects: ``(n,)`` the one subject of each unit.
        rule: the measure in words.
        counts: what it rests on.
        unit: of the value.
        over: what is resampled, in words.
        resamples: how many; 0 gives no interval.
        level: confidence level.
        seed: of the resampling.
    """
    position, people = positions(subjects)
    cell = position * columns + column
    tables = [np.bincount(cell, w, people * columns).reshape(people, columns) for w in (errors.astype(float), None)]
    wrong, tried = (t.astype(np.float64) for t in tables)
    whole = float(combine(wrong.sum(axis=0), tried.sum(axis=0)))
    value: Number = Undefined("no trials of a kind that the measure needs", counts) if np.isnan(whole) else whole
    drawn: list[float] = []
    if resamples and people >= LEAST_SUBJECTS and not isinstance(value, Undefined):
        stream = multiplicities(people, resamples, seed)
        while block := list(islice(stream, BLOCK)):
            times = np.stack(block)
            numbers = combine(times @ wrong, times @ tried)
            drawn += numbers[np.isfinite(numbers)].tolist()
    return spread(
        value, drawn, rule, counts, subjects=people, resamples=resamples, level=level, unit=unit, over=over
    )  # fmt: skip


def check_interval(interval: str) -> None:
    """Refuse an interval method that does not exist."""
    if interval not in INTERVALS:
        raise ShapeError("unknown interval method", given=interval, expected=" or ".join(INTERVALS))


def exact(
    errors: int, n: int, rule: str, counts: Mapping[str, int], *, interval: Interval, level: float = 0.95
) -> Estimate:
    """A proportion with an interval for independent trials: Wilson's, or Clopper and Pearson's."""
    if n == 0:
        return Estimate(Undefined("no trials", counts), rule=rule, counts=counts, unit="fraction", level=level)
    name, ends = ("Wilson", wilson) if interval == "wilson" else ("Clopper-Pearson", clopper_pearson)
    low, high = ends(errors, n, level=level)
    rule += f"; {level:.0%} {name} interval, trials taken as independent"
    return Estimate(errors / n, low, high, rule, counts, "fraction", level)


def proportion(
    errors: NDArray[np.bool_], subjects: NDArray[Any], rule: str, counts: Mapping[str, int], *,
    interval: Interval = "auto", **options: Any,
) -> Estimate:  # fmt: skip
    """Share of units that are errors.

    Args:
        errors: ``(n,)``.
        subjects: ``(n,)`` the subject of each.
        rule: the measure in words.
        counts: what it rests on.
        interval: ``"auto"`` takes the bootstrap over subjects, but Clopper and Pearson's where fewer than ten units
            are errors, fewer than ten are not, or there are fewer than five subjects: resampling cannot show what
            was hardly seen.
        **options: ``resamples``, ``level``, ``seed`` of `of_ratios`.
    """
    check_interval(interval)
    n, wrong = len(errors), int(np.sum(errors))
    if n == 0:
        return exact(0, 0, rule, counts, interval="clopper-pearson")
    if interval == "auto":
        few = min(wrong, n - wrong) < FEW or len(np.unique(subjects)) < LEAST_SUBJECTS
        interval = "clopper-pearson" if few else "bootstrap"
    if interval in ("wilson", "clopper-pearson"):
        return exact(wrong, n, rule, counts, interval=interval, level=options.get("level", 0.95))
    if interval == "none":
        options["resamples"] = 0
    return of_ratios(
        errors, np.zeros(n, np.int64), 1, lambda e, t: shares(e, t)[..., 0], subjects, rule, counts, **options
    )  # fmt: skip
