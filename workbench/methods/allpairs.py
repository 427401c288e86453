"""Every reference against every probe, in bounded memory: tiles are scored, what decides at low FMR is kept.

A tile is one matrix product. Of its scores only those above the running floor are looked at further; the rest is
counted. Mated comparisons are scored by themselves, all of them. The numbers do not depend on the tiles' size, nor
on how many workers share them, except for the last bit of a matrix product (scores agree within 1e-6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError
from ..metrics.tail import Tail, allowed_matches
from ..metrics.tail_intervals import cross_totals, of_tail
from ..metrics.tally import Tally

# A tile of scores should stay in the cache until it has been looked at.
ROWS, COLUMNS, SEGMENT = 2048, 2048, 128
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Side:
    """Embeddings on one side of a comparison.

    Attributes:
        embeddings: ``float32 (n, d)`` of unit length; may be a memory map. Rows not acquired are ignored.
        subjects: ``int64 (n,)`` codes of capture subjects, from 0; the same on both sides.
        acquired: ``bool (n,)``, or None where all were.
    """

    embeddings: NDArray[np.float32]
    subjects: NDArray[np.int64]
    acquired: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        n = len(self.subjects)
        if self.embeddings.ndim != 2 or len(self.embeddings) != n or self.embeddings.dtype != np.float32:
            raise ShapeError(
                "embeddings do not fit their subjects",
                given=f"{self.embeddings.dtype} {self.embeddings.shape} for {n} subjects",
                expected=f"float32 ({n}, d)",
            )
        if self.acquired is not None and self.acquired.shape != (n,):
            raise ShapeError("acquired does not fit the embeddings", given=self.acquired.shape, expected=(n,))
        if n and (self.subjects.min() < 0 or self.subjects.dtype.kind not in "iu"):
            raise ShapeError("capture subjects are codes from 0", do="use numpy.unique(names, return_inverse=True)[1]")

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def present(self) -> NDArray[np.int64]:
        """Indices of what was acquired."""
        return np.arange(len(self)) if self.acquired is None else np.flatnonzero(self.acquired)


@dataclass(frozen=True)
class Plan:
    """What is compared with what, and how much of it is kept.

    Attributes:
        references: one side.
        probes: the other; None compares the references among themselves, each two once.
        fmr: the largest FMR that will be asked for.
        spare: how many times more scores are kept than that needs, so that resampled people do not reach beyond.
    """

    references: Side
    probes: Side | None = None
    fmr: float = 1e-3
    spare: float = 3.0

    def __post_init__(self) -> None:
        if self.probes is not None and self.probes.embeddings.shape[1] != self.references.embeddings.shape[1]:
            raise ShapeError(
                "references and probes have embeddings of different length",
                given=(self.references.embeddings.shape[1], self.probes.embeddings.shape[1]),
                do="embed both with the same model",
            )

    @property
    def other(self) -> Side:
        """The probes, or the references again."""
        return self.references if self.probes is None else self.probes

    @cached_property
    def people(self) -> int:
        """One more than the highest code of a capture subject."""
        return int(max((int(s.subjects.max()) + 1 for s in (self.references, self.other) if len(s)), default=0))

    @cached_property
    def per_subject(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many references and probes show each subject, acquired or not."""
        return tuple(np.bincount(s.subjects, minlength=self.people) for s in (self.references, self.other))  # type: ignore[return-value]

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Which codes occur."""
        one, other = self.per_subject
        seen: NDArray[np.bool_] = one + other > 0
        return seen

    @cached_property
    def nonmated(self) -> int:
        """How many comparisons of different people there are, failures to acquire included."""
        one, other = self.per_subject
        both = int(one.sum()) * int(other.sum()) - int(one @ other)
        return both // 2 if self.probes is None else both

    @property
    def keep(self) -> int:
        """How many non-mated scores are kept."""
        return max(1, min(self.nonmated, int(self.spare * (allowed_matches(self.fmr, self.nonmated) + 1)) + 1000))


@dataclass(frozen=True)
class AllPairs:
    """The low end of the error rates of all comparisons.

    Attributes:
        plan: what was compared.
        tail: its scores; subjects included.
        places: ``int64 (k, 2)`` reference and probe of each kept non-mated score: who is taken for whom.
    """

    plan: Plan
    tail: Tail
    places: NDArray[np.int64]

    def fnmr_at_fmr(self, fmr: float, *, resamples: int = 1000, level: float = 0.95, seed: int = 0) -> Estimate:
        """FNMR at the largest attained FMR not above ``fmr``, with its interval over capture subjects."""
        one, other = (counts[self.plan.seen] for counts in self.plan.per_subject)
        cross = cross_totals(one, other)
        # Within one set each two pictures meet once, not in both orders.
        times = 0.5 if self.plan.probes is None else 1.0
        return of_tail(
            self.tail, fmr, lambda drawn: times * cross(drawn), len(one), resamples=resamples, level=level, seed=seed
        )

    def threshold_at_fmr(self, fmr: float) -> Number:
        """The lowest score threshold whose FMR is not above ``fmr``."""
        return self.tail.threshold_at_fmr(fmr)


def strips(plan: Plan, rows: int = ROWS) -> list[tuple[int, int]]:
    """Ranges of acquired references: the parts that a resumable or a distributed job divides the work into."""
    n = len(plan.references.present)
    return [(start, min(start + rows, n)) for start in range(0, n, rows)]


def score_strip(plan: Plan, strip: tuple[int, int], *, device: str = "cpu", columns: int = COLUMNS) -> Tally:
    """The highest non-mated scores of some references against all probes.

    Args:
        plan: what is compared.
        strip: one of `strips`.
        device: resolved name of a torch device.
        columns: probes scored at a time.
    """
    tally = Tally(plan.keep)
    _score_into(tally, plan, strip, device, columns)
    return tally


def _score_into(tally: Tally, plan: Plan, strip: tuple[int, int], device: str, columns: int) -> None:
    import torch

    rows, probes = plan.references.present[slice(*strip)], plan.other.present
    left = torch.from_numpy(finite_rows(plan.references.embeddings, rows)).to(device)
    first = strip[0] if plan.probes is None else 0
    out = torch.empty(len(rows), columns, device=device)
    for start in range(first, len(probes), columns):
        part = probes[start : start + columns]
        right = torch.from_numpy(finite_rows(plan.other.embeddings, part)).to(device)
        scores = torch.mm(left, right.T, out=out if len(part) == columns else None)
        if plan.probes is None and start < strip[1]:
            # Above the diagonal each two pictures meet once.
            scores.masked_fill_(torch.ones_like(scores, dtype=torch.bool).tril(strip[0] - start), -torch.inf)
        floor = tally.floor if np.isfinite(tally.floor) else _likely_floor(scores, tally.keep)
        found = _nonmated(plan, scores, rows, part, floor)
        if len(found[0]) < tally.keep and floor > tally.floor:
            found = _nonmated(plan, scores, rows, part, tally.floor)
        tally.add(*found)


def _nonmated(
    plan: Plan, scores: Any, rows: NDArray[np.int64], part: NDArray[np.int64], floor: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scores of different people at or above the floor, and their places."""
    values, at = _above(scores, floor)
    one, other = rows[at // len(part)], part[at % len(part)]
    different = plan.references.subjects[one] != plan.other.subjects[other]
    return values[different], (one * len(plan.other) + other)[different]


def _likely_floor(scores: Any, keep: int) -> float:
    """A score that about twice ``keep`` of a tile's scores reach, from a sample; minus infinity if it has not so many.

    Before there is a floor a whole tile would have to be kept. A floor that proves too high is not used.
    """
    import torch

    share = 2 * keep / scores.numel()
    if share > 0.25:
        return -float("inf")
    flat = scores.reshape(-1)
    sample = flat[:: max(1, len(flat) // 200_000)]
    return float(torch.topk(sample, max(1, int(share * len(sample)))).values[-1])


def finite_rows(embeddings: NDArray[np.float32], index: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Some embeddings in memory of their own, looked at: a NaN would be lost among the scores below the floor."""
    part = np.ascontiguousarray(embeddings if index is None else embeddings[index])
    if not np.all(np.isfinite(part)):
        bad = int(np.argmin(np.isfinite(part).all(axis=1)))
        row = bad if index is None else int(index[bad])
        raise ShapeError("an embedding is not finite", given=f"row {row}", do="say acquired=False where nothing was")
    return part


def _above(scores: Any, floor: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scores at or above the floor, and where they lie in the tile.

    The maximum of each segment is found at the speed of memory; few segments are looked at more closely.
    """
    import torch

    # Minus infinity marks what is not to be compared.
    least = max(floor, -3.0e38)
    width = SEGMENT if scores.shape[1] % SEGMENT == 0 else scores.shape[1]
    segments = scores.reshape(-1, width)
    hot = torch.nonzero(segments.amax(dim=1) >= least)[:, 0]
    near = segments[hot].cpu().numpy()
    at = np.flatnonzero(near >= least)
    return near.reshape(-1)[at], hot.cpu().numpy()[at // width] * width + at % width


def spans(low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every place from ``low[i]`` up to ``high[i]``, and the ``i`` that it belongs to."""
    many = high - low
    owner = np.repeat(np.arange(len(many)), many)
    return owner, low[owner] + np.arange(len(owner)) - (np.cumsum(many) - many)[owner]


def mated_pairs(plan: Plan, block: int = 1_000_000) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """References and probes of the same capture subject, in blocks of about so many."""
    order = np.argsort(plan.other.subjects, kind="stable")
    ranked = plan.other.subjects[order]
    low, high = (np.searchsorted(ranked, plan.references.subjects, side=s) for s in ("left", "right"))
    reached = np.cumsum(high - low)
    start = 0
    while start < len(reached):
        before = reached[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(reached, before + block, side="right")))
        one, place = spans(low[start:end], high[start:end])
        one, other = one + start, order[place]
        if plan.probes is None:
            once = other > one
            one, other = one[once], other[once]
        if len(one):
            yield one, other
        start = end


def pair_scores(one: Side, rows: NDArray[np.int64], other: Side, others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores of listed pairs, each summed by itself in double precision: equal embeddings get equal scores."""
    scores = np.empty(len(rows))
    # A piece at a time: gathered rows are copies.
    for start in range(0, len(rows), 50_000):
        part = slice(start, start + 50_000)
        sides = (side.embeddings[i[part]].astype(np.float64) for side, i in ((one, rows), (other, others)))
        scores[part] = np.einsum("nd,nd->n", *sides)
    return scores


def _mated(plan: Plan) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """All mated scores, rising, and their subjects; minus infinity for a failure to acquire."""
    values: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
    subjects: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for one, other in mated_pairs(plan):
        acquired = np.ones(len(one), bool)
        for side, index in ((plan.references, one), (plan.other, other)):
            if side.acquired is not None:
                acquired &= side.acquired[index]
        found = np.full(len(one), -np.inf, np.float32)
        there = np.flatnonzero(acquired)
        found[there] = pair_scores(plan.references, one[there], plan.other, other[there])
        values.append(found)
        subjects.append(plan.references.subjects[one])
    scores, people = np.concatenate(values), np.concatenate(subjects)
    order = np.argsort(scores, kind="stable")
    return scores[order], people[order]


def gather(plan: Plan, tally: Tally) -> AllPairs:
    """The result, once every strip is in the tally."""
    values, places = tally.highest()
    pairs = np.c_[places // max(1, len(plan.other)), places % max(1, len(plan.other))]
    subjects = np.c_[plan.references.subjects[pairs[:, 0]], plan.other.subjects[pairs[:, 1]]]
    mated, people = _mated(plan)
    # Only people who are there are drawn.
    rank = np.cumsum(plan.seen) - 1
    return AllPairs(plan, Tail(values, plan.nonmated, mated, rank[subjects], rank[people]), pairs)


def compare_all(
    plan: Plan, *, device: str = "auto", rows: int = ROWS, columns: int = COLUMNS, progress: Progress | None = None
) -> AllPairs:
    """Score all comparisons of a plan on this machine.

    Args:
        plan: what is compared.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:<n>"``.
        rows: references scored at a time.
        columns: probes scored at a time; a GPU likes more.
        progress: called with how many references are done and how many there are.

    Raises:
        DeviceError: the device is not there.
    """
    from ..models import devices

    place = devices.resolve(device)
    tally = Tally(plan.keep)
    for strip in strips(plan, rows):
        _score_into(tally, plan, strip, place, columns)
        if progress:
            progress(strip[1], len(plan.references.present))
    return gather(plan, tally)
