"""Identification: closed-set ranks and open-set FPIR and FNIR (ISO/IEC 19795-1, NIST FRTE 1:N).

A search compares one probe with all enrolled references. Whatever its size, all measures here need no more of it
than a row of `Searches`: the mate's score and rank, and the best score of anybody else. Ties lose: another person's
reference with the mate's own score stands before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError, Undefined
from .resampling import of_units, proportion
from .tail import allowed_matches

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Searches:
    """What ``n`` searches of one gallery found.

    Attributes:
        mated: ``bool (n,)``, True where the probe's capture subject is enrolled.
        mate: ``(n,)`` score of the subject's best reference; minus infinity in non-mated searches, and where the
            probe or every reference of the subject failed to acquire.
        rank: ``int64 (n,)`` 1 + the number of other subjects' references at or above ``mate``; 0 in non-mated
            searches and where there is no mate score.
        rival: ``(n,)`` best score of another subject's reference, minus infinity if there is none.
        subjects: ``int64 (n,)`` capture subject of each probe.
        gallery: how many references are enrolled.
    """

    mated: NDArray[np.bool_]
    mate: Floats
    rank: NDArray[np.int64]
    rival: Floats
    subjects: NDArray[np.int64]
    gallery: int

    def __post_init__(self) -> None:
        n = len(self.mated)
        for name in ("mate", "rank", "rival", "subjects"):
            if getattr(self, name).shape != (n,):
                raise ShapeError(
                    f"searches: {name} has the wrong shape", given=getattr(self, name).shape, expected=(n,)
                )
        if np.isnan(self.mate).any() or np.isnan(self.rival).any():
            raise ShapeError("a search score is NaN", do="say a failure to acquire by minus infinity")

    def __len__(self) -> int:
        return len(self.mated)

    @property
    def failures(self) -> int:
        """Mated searches without a score for the mate."""
        return int(np.sum(self.mated & np.isneginf(self.mate)))

    @property
    def counts(self) -> dict[str, int]:
        """Searches, gallery, failures to acquire."""
        mated = int(self.mated.sum())
        return {
            "mated": mated,
            "nonmated": len(self) - mated,
            "gallery": self.gallery,
            "failures": self.failures,
            "subjects": len(np.unique(self.subjects)),
        }


def searches_of_matrix(
    scores: Floats, probe_subjects: NDArray[np.int64], reference_subjects: NDArray[np.int64]
) -> Searches:
    """Searches from a whole matrix of scores.

    Args:
        scores: ``(n, gallery)``, probes in rows; minus infinity where a sample failed to acquire.
        probe_subjects: ``int64 (n,)``.
        reference_subjects: ``int64 (gallery,)``.
    """
    if scores.shape != (len(probe_subjects), len(reference_subjects)):
        raise ShapeError(
            "scores do not fit the subjects",
            given=scores.shape,
            expected=(len(probe_subjects), len(reference_subjects)),
        )
    if np.isnan(scores).any():
        raise ShapeError("a search score is NaN", do="say a failure to acquire by minus infinity")
    same = probe_subjects[:, None] == reference_subjects
    mate = np.where(same, scores, -np.inf).max(axis=1, initial=-np.inf)
    others = np.where(same, -np.inf, scores)
    rank = 1 + ((others >= mate[:, None]) & ~same).sum(axis=1)
    mated = same.any(axis=1)
    found = mated & ~np.isneginf(mate)
    rival = others.max(axis=1, initial=-np.inf)
    return Searches(mated, mate, np.where(found, rank, 0), rival, probe_subjects, len(reference_subjects))


def _said(searches: Searches) -> str:
    failed = f", {searches.failures} mated failures to acquire counted as misses" if searches.failures else ""
    return f"gallery of {searches.gallery}, a tie in rank loses{failed}"


def rank_rate(searches: Searches, rank: int, **options: Any) -> Estimate:
    """Closed-set identification rate: share of mated searches whose mate stands among the first ``rank``.

    Args:
        searches: non-mated ones are left out.
        rank: at least 1.
        **options: of `resampling.proportion`.
    """
    if rank < 1:
        raise ShapeError("ranks count from 1", given=rank, expected="rank >= 1")
    mated = searches.mated
    hit = (searches.rank >= 1) & (searches.rank <= rank)
    rule = f"share of mated searches with the mate at rank <= {rank}; {_said(searches)}"
    return proportion(hit[mated], searches.subjects[mated], rule, searches.counts, **options)


def cmc(searches: Searches, ranks: int) -> Floats | Undefined:
    """Cumulative match characteristic: `rank_rate` at 1 to ``ranks``, ``(ranks,)``."""
    mated = searches.mated
    if not mated.any():
        return Undefined("no mated searches", searches.counts)
    found = searches.rank[mated & (searches.rank >= 1)]
    hits = np.bincount(np.minimum(found, ranks + 1), minlength=ranks + 2)[1 : ranks + 1]
    curve: Floats = np.cumsum(hits) / mated.sum()
    return curve


def fpir(searches: Searches, threshold: float, **options: Any) -> Estimate:
    """FPIR: share of non-mated searches with a candidate at or above the threshold.

    Args:
        searches: mated ones are left out; their wrong candidates are no false positives.
        threshold: on the score.
        **options: of `resampling.proportion`.
    """
    alone = ~searches.mated
    rule = f"FPIR: share of non-mated searches with a candidate s >= T, T = {threshold:.6g}; {_said(searches)}"
    return proportion(searches.rival[alone] >= threshold, searches.subjects[alone], rule, searches.counts, **options)


def fnir(searches: Searches, threshold: float, *, rank: int | None = None, **options: Any) -> Estimate:
    """FNIR: share of mated searches whose mate is below the threshold or, if asked, beyond a rank.

    Args:
        searches: non-mated ones are left out.
        threshold: on the score.
        rank: length of the candidate list; None: as long as need be.
        **options: of `resampling.proportion`.
    """
    mated = searches.mated
    missed = (searches.mate < threshold) | np.isneginf(searches.mate) | ~_within(searches, rank)
    place = "" if rank is None else f" or beyond rank {rank}"
    rule = f"FNIR: share of mated searches with the mate at s < T{place}, T = {threshold:.6g}; {_said(searches)}"
    return proportion(missed[mated], searches.subjects[mated], rule, searches.counts, **options)


def _within(searches: Searches, rank: int | None) -> NDArray[np.bool_]:
    if rank is None:
        return np.ones(len(searches), bool)
    return (searches.rank >= 1) & (searches.rank <= rank)


def threshold_at_fpir(searches: Searches, target: float) -> Number:
    """The lowest threshold, among the scores, whose FPIR is not above ``target``; else just above the highest."""
    if not 0.0 <= target <= 1.0:
        raise ShapeError("a rate is a fraction", given=target, expected="0 <= FPIR <= 1; per cent are divided by 100")
    rivals = np.sort(searches.rival[~searches.mated])
    if not len(rivals):
        return Undefined("no non-mated searches", searches.counts)
    allowed = allowed_matches(target, len(rivals))
    bound = -np.inf if allowed >= len(rivals) else float(rivals[len(rivals) - 1 - allowed])
    attained = np.concatenate([rivals, searches.mate[searches.mated]])
    above = attained[(attained > bound) & np.isfinite(attained)]
    return float(above.min()) if len(above) else float(np.nextafter(bound, np.inf))


def fnir_at_fpir(
    searches: Searches, target: float, *, rank: int | None = None, resamples: int = 1000, level: float = 0.95,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """FNIR at the largest attained FPIR not above ``target``; the threshold is set anew in each resample.

    Args:
        searches: mated and non-mated.
        target: FPIR.
        rank: see `fnir`.
        resamples: of the probes' capture subjects; 0 gives no interval.
        level: confidence level.
        seed: of the resampling.
    """
    threshold_at_fpir(searches, target)
    alone = np.flatnonzero(~searches.mated)
    alone = alone[np.argsort(searches.rival[alone], kind="stable")][::-1]
    rival = searches.rival[alone]
    ends = np.flatnonzero(np.r_[rival[1:] < rival[:-1], True]) if len(rival) else np.zeros(0, np.int64)
    mated = np.flatnonzero(searches.mated)
    mate = np.where(_within(searches, rank), searches.mate, -np.inf)[mated]

    def statistic(weights: Floats | None) -> Number:
        weight = np.ones(len(searches)) if weights is None else weights
        tried, whole = weight[mated], weight[alone].sum()
        if whole <= 0 or tried.sum() <= 0:
            return Undefined(f"no {'non-mated' if whole <= 0 else 'mated'} searches", searches.counts)
        share = np.cumsum(weight[alone])[ends] / whole
        over = np.flatnonzero(share > target)
        bound = rival[ends[over[0]]] if len(over) else -np.inf
        return float(tried[mate <= bound].sum() / tried.sum())

    place = "" if rank is None else f", rank <= {rank}"
    rule = f"FNIR at the largest attained FPIR <= {target:g}{place}, s >= T; {_said(searches)}"
    return of_units(
        statistic, searches.subjects, rule, searches.counts, resamples=resamples, level=level, seed=seed
    )  # fmt: skip


def selectivity(
    scores: Floats, probe_subjects: NDArray[np.int64], reference_subjects: NDArray[np.int64], threshold: float
) -> Number:
    """Mean number of candidates at or above the threshold in a non-mated search."""
    alone = ~np.isin(probe_subjects, reference_subjects)
    if not alone.any():
        return Undefined("no non-mated searches", {"probes": len(probe_subjects)})
    return float((scores[alone] >= threshold).sum() / alone.sum())


def joined(*galleries: Searches) -> Searches:
    """Searches of several galleries as one list: the IJB-B/C protocol "1:N mixed", which searches two of them.

    A probe is mated in the gallery that holds its subject and non-mated in the other. Thresholds are then common to
    both; to have one for each gallery, and the mean of the rates, take each gallery by itself.

    Args:
        *galleries: searches of the same probes, one per gallery.
    """
    if len({g.gallery for g in galleries}) == 0:
        raise ShapeError("no galleries to join", expected="searches of at least one gallery")
    arrays = {
        name: np.concatenate([getattr(g, name) for g in galleries])
        for name in ("mated", "mate", "rank", "rival", "subjects")
    }
    return Searches(**arrays, gallery=sum(g.gallery for g in galleries))


def with_distractors(searches: Searches, distractors: Floats) -> Searches:
    """The same searches after the enrolment of people whom no probe shows (the MegaFace protocol).

    Args:
        searches: against the gallery so far.
        distractors: ``(n, k)`` scores of each probe with ``k`` further references.
    """
    if distractors.ndim != 2 or len(distractors) != len(searches):
        raise ShapeError("distractors do not fit", given=distractors.shape, expected=f"({len(searches)}, k)")
    before = (distractors >= searches.mate[:, None]).sum(axis=1)
    rival = np.maximum(searches.rival, distractors.max(axis=1, initial=-np.inf))
    rank = np.where(searches.rank > 0, searches.rank + before, 0)
    gallery = searches.gallery + distractors.shape[1]
    return Searches(searches.mated, searches.mate, rank, rival, searches.subjects, gallery)
