"""Bootstrap intervals at low false match rates, fast enough to be on by default.

Drawing people gives every comparison a weight: the product of how often its two subjects were drawn. At a low
FMR only the highest non-mated scores decide, so only they are weighed one by one; the weight of all the others
is a quadratic form in the draws, ``m' A m`` with ``A`` the number of comparisons between each two subjects. All
weights are whole numbers, so the result equals that of weighing every comparison, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..core import Estimate, Number, Resampled, Scores, ShapeError, Undefined, seeds
from .intervals import LEAST_SUBJECTS, multiplicities, percentile
from .rates import Ranked, at_most
from .resampling import draw_words, resampled, spread
from .tail import Codes, Tail, allowed_matches

Draws = NDArray[np.float64]
Totals = Callable[[Draws], NDArray[np.float64]]

# Numbers weighed at a time: resamples times kept scores.
_BLOCK = 8_000_000
_DENSE = 3000


def pair_totals(subjects: Codes, people: int) -> Totals:
    """The weight of all listed non-mated comparisons in each resample.

    Args:
        subjects: ``int64 (n, 2)`` positions of the two subjects of every comparison; they differ.
        people: how many subjects there are.

    Returns:
        Takes multiplicities ``(b, people)``, gives ``(b,)``.
    """
    flat = subjects[:, 0] * people + subjects[:, 1]
    if people <= _DENSE:
        between: NDArray[np.float64] = np.bincount(flat, minlength=people**2).reshape(people, people).astype(np.float64)
        return lambda drawn: np.asarray(((drawn @ between) * drawn).sum(axis=1))
    cells, often = np.unique(flat, return_counts=True)
    place = (cells // people, cells % people)
    table = sparse.csr_array((often.astype(np.float64), place), shape=(people, people))
    return lambda drawn: np.asarray(((drawn @ table) * drawn).sum(axis=1))


def cross_totals(references: Codes, probes: Codes) -> Totals:
    """Likewise where every reference was compared with every probe of another subject.

    Args:
        references: ``int64 (people,)`` how many references show each subject.
        probes: ``int64 (people,)`` how many probes do.
    """
    one, other = references.astype(np.float64), probes.astype(np.float64)
    return lambda drawn: (drawn @ one) * (drawn @ other) - (drawn**2) @ (one * other)


def of_tail(
    tail: Tail, fmr: float, totals: Totals, people: int, *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Estimate:
    """FNMR at an FMR with its interval over capture subjects.

    Args:
        tail: with ``subjects`` as positions below ``people``.
        fmr: operating point.
        totals: the weight of all non-mated comparisons.
        people: how many subjects there are.
        resamples: how many.
        level: confidence level.
        seed: of the resampling.

    Returns:
        Its interval is undefined with fewer than five capture subjects, or where the kept scores do not reach
        ``fmr`` in a resample.
    """
    found = tail.estimate(fmr)
    drawn: list[float] = []
    if resamples and found.defined and people >= LEAST_SUBJECTS:
        short = _shortened(tail, fmr)
        drawn = list(_resampled(short, fmr, totals, people, resamples, seed))
        if np.isposinf(drawn).any() and short is not tail:
            drawn = list(_resampled(tail, fmr, totals, people, resamples, seed))
        if np.isposinf(drawn).any():
            reach = Undefined("a resample reaches beyond the kept scores", found.counts)
            return replace(found, low=reach, high=reach, level=level)
    numbers = [d for d in drawn if not np.isnan(d)]
    return spread(
        found.value, numbers, found.rule, found.counts, subjects=people, resamples=resamples, level=level,
        unit=found.unit,
    )  # fmt: skip


def _shortened(tail: Tail, fmr: float, spare: int = 4) -> Tail:
    """Only as many of the kept scores as ``fmr`` needs, ``spare`` times over: most draws reach no further."""
    keep = spare * allowed_matches(fmr, tail.nonmated) + 1000
    if tail.subjects is None or keep >= len(tail.highest):
        return tail
    return replace(tail, highest=tail.highest[-keep:], subjects=tail.subjects[-keep:])


def _resampled(tail: Tail, fmr: float, totals: Totals, people: int, resamples: int, seed: int) -> Iterator[float]:
    """FNMR in each resample; NaN without trials of one kind, infinity where the kept scores do not suffice."""
    if tail.subjects is None or tail.mated_subjects is None:
        raise ShapeError("a tail without capture subjects cannot be resampled", do="keep the subjects of every score")
    one, other = tail.subjects[::-1].T
    # Where a tie group of equal scores ends, counted from the highest.
    falling = tail.highest[::-1]
    ends = np.flatnonzero(np.r_[falling[1:] < falling[:-1], True]) if len(falling) else np.zeros(0, int)
    block = max(1, _BLOCK // max(len(falling), len(tail.mated), people, 1))
    for drawn in _blocks(multiplicities(people, resamples, seed), block):
        whole = totals(drawn)
        # Whole numbers below 2**31 add up exactly, in half the memory.
        times = drawn.astype(np.int32)
        matches = np.cumsum(times[:, one] * times[:, other], axis=1, dtype=np.int32)[:, ends]
        mated = np.zeros((len(drawn), len(tail.mated) + 1), np.int32)
        np.cumsum(times[:, tail.mated_subjects], axis=1, dtype=np.int32, out=mated[:, 1:])
        for total, accepted, below in zip(whole, matches, mated, strict=True):
            if total <= 0 or below[-1] <= 0:
                yield np.nan
                continue
            beyond = int(np.argmax(accepted / total > fmr)) if len(accepted) else 0
            if len(accepted) and accepted[beyond] / total > fmr:
                bound = falling[ends[beyond]]
            elif len(falling) == tail.nonmated:
                bound = -np.inf
            else:
                yield np.inf
                continue
            yield float(below[np.searchsorted(tail.mated, bound, side="right")] / below[-1])


def _blocks(draws: Iterator[NDArray[np.float64]], size: int) -> Iterator[Draws]:
    waiting: list[NDArray[np.float64]] = []
    for one in draws:
        waiting.append(one)
        if len(waiting) == size:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)


def tail_of_scores(scores: Scores, fmr: float, *, spare: int = 20) -> tuple[Tail, Totals, int] | None:
    """The tail of listed trials with their subjects, the weight of all of them, and how many subjects there are.

    Args:
        scores: failures to acquire count as rejections.
        fmr: operating point.
        spare: how many times more scores are kept than ``fmr`` needs: draws of people spread the share of each.

    Returns:
        None where the tail would hold most of the scores.
    """
    mated = scores.trials.mated
    n = int((~mated).sum())
    keep = min(spare * allowed_matches(fmr, n) + 1000, int((scores.acquired & ~mated).sum()))
    if allowed_matches(fmr, n) * 16 + 4000 > n or keep == 0:
        return None
    reached = np.where(scores.acquired, scores.values, -np.inf)
    names, position = np.unique(scores.trials.subjects, return_inverse=True)
    position = position.reshape(scores.trials.subjects.shape).astype(np.int64)
    pairs, values = position[~mated], reached[~mated]
    top = np.argpartition(values, n - keep)[n - keep :]
    top = top[np.argsort(values[top], kind="stable")]
    order = np.argsort(reached[mated], kind="stable")
    ranked = reached[mated][order]
    tail = Tail(values[top], n, ranked, subjects=pairs[top], mated_subjects=position[mated][order, 0])
    return tail, pair_totals(pairs, len(names)), len(names)


def resampled_at_fmr(arm: str, scores: Scores, fmr: float, *, resamples: int = 1000, seed: int = 0) -> Resampled:
    """FNMR at an FMR with its resamples, to be paired with other arms' on the same trials.

    The same numbers as weighing every comparison gives, see `of_tail`; that is done where the highest scores do not
    suffice.

    Args:
        arm: name of the result.
        scores: failures to acquire count as rejections.
        fmr: operating point.
        resamples: how many.
        seed: of the resampling.
    """
    fast = tail_of_scores(scores, fmr)
    if fast is not None:
        tail, totals, people = fast
        found = tail.estimate(fmr)
        drawn = np.array(list(_resampled(tail, fmr, totals, people, resamples, seed)))
        if found.defined and not np.isposinf(drawn).any():
            draw = draw_words(people, resamples, seed)
            return Resampled(arm, found.value, drawn, draw, {**found.counts, "subjects": people})
    ranked = Ranked(scores)

    def fnmr(weights: NDArray[np.float64] | None) -> Number:
        rates = ranked.rates(weights)
        return rates if isinstance(rates, Undefined) else float(rates.fnmr[at_most(rates, fmr)])

    return resampled(arm, fnmr, scores.trials.subjects, ranked.counts, resamples=resamples, seed=seed)


def of_independent(tail: Tail, fmr: float, *, resamples: int = 1000, level: float = 0.95, seed: int = 0) -> Estimate:
    """The interval as if comparisons were independent of one another: too narrow where they share people.

    For comparison with other software only. Of ``n`` draws with replacement, a binomial number falls among the
    kept scores; the others need no drawing.
    """
    found = tail.estimate(fmr)
    if not found.defined or resamples == 0:
        return found
    rng = seeds.rng("bootstrap", "independent", seed)
    kept, n, m = len(tail.highest), tail.nonmated, len(tail.mated)
    allowed = allowed_matches(fmr, n)
    values = []
    for _ in range(resamples):
        hits = rng.binomial(n, kept / n) if kept else 0
        if hits <= allowed and kept < n:
            reach = Undefined("a resample reaches beyond the kept scores", found.counts)
            return replace(found, low=reach, high=reach, level=level)
        ranks = rng.integers(0, kept, hits)
        bound = (
            -np.inf if hits <= allowed else tail.highest[np.partition(ranks, hits - 1 - allowed)[hits - 1 - allowed]]
        )
        rejected = np.searchsorted(tail.mated, bound, side="right") / m
        values.append(rng.binomial(m, rejected) / m)
    low, high = percentile(values, level)
    rule = f"{found.rule}; {level:.0%} percentile bootstrap over comparisons as if independent, {resamples} resamples"
    return replace(found, low=low, high=high, rule=rule, level=level)
