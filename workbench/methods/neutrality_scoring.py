"""Statistics of neutrality scores under weights: errors in unseen sets, areas of discarding, rank correlation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..core import Number, Resampled, Scores, Trials, Undefined
from ..metrics.quality import DiscardArea, Ties
from ..metrics.resampling import combined, resampled
from ..metrics.two_class import TwoClass
from .expression_faces import Faces

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
# Share of comparisons that are discarded at most.
LIMIT = 0.2


class AcrossSets:
    """The mean over sets of each set's equal error rate.

    Attributes:
        subjects: of all faces of the sets that are used, set after set.
        counts: neutral and other samples that count, sets.
    """

    def __init__(self, scores: Sequence[Floats], sets: Sequence[Faces], used: Sequence[Flags] | None = None) -> None:
        """Sort.

        Args:
            scores: of each set, ``(n,)``, higher is more neutral.
            sets: the faces.
            used: of each set, which faces count; all if not given. A set without any is left out.
        """
        keep = [np.ones(len(f), bool) for f in sets] if used is None else list(used)
        rows = [(s, f, k) for s, f, k in zip(scores, sets, keep, strict=True) if k.any()]
        self._curves = [TwoClass(s[k], f.neutral[k], f.subjects[k]) for s, f, k in rows]
        # Faces that do not count keep their people in the draw, so that other choices of faces have the same draws.
        ends = np.cumsum([0, *(len(s) for s, _, _ in rows)])
        self._places = [start + np.flatnonzero(k) for start, (_, _, k) in zip(ends, rows, strict=False)]
        self.subjects = np.concatenate([f.subjects for _, f, _ in rows]) if rows else np.zeros(0, np.int64)
        neutral = sum(c.counts["positive"] for c in self._curves)
        others = sum(c.counts["negative"] for c in self._curves)
        self.counts = {"neutral": neutral, "non-neutral": others, "sets": len(rows)}

    def __call__(self, weights: Floats | None = None) -> Number:
        """The mean; undefined where a set lacks a class."""
        if not self._curves:
            return Undefined("no set has what is asked", self.counts)
        found = []
        for curve, places in zip(self._curves, self._places, strict=True):
            rate = curve.eer(None if weights is None else weights[places])
            if isinstance(rate, Undefined):
                return rate
            found.append(rate)
        return float(np.mean(found))

    def miss_at(self, limit: float) -> Number:
        """Mean over sets of the false non-neutral rate where at most ``limit`` of the others pass for neutral."""
        found = [curve.miss_at(limit)(None) for curve in self._curves]
        undefined = next((f for f in found if isinstance(f, Undefined)), None)
        if undefined is not None or not found:
            return undefined or Undefined("no set has what is asked", self.counts)
        return float(np.mean([float(f) for f in found]))


def unseen(
    arm: str, scores: Sequence[Floats], sets: Sequence[Faces], used: Sequence[Flags] | None = None, *,
    resamples: int, seed: int,
) -> Resampled:  # fmt: skip
    """Mean equal error rate over sets, with its resamples. Arguments as in `AcrossSets`."""
    errors = AcrossSets(scores, sets, used)
    return resampled(arm, errors, errors.subjects, errors.counts, resamples=resamples, seed=seed)


def by_intensity(sets: Sequence[Faces], low: float, high: float) -> tuple[list[Flags], list[Flags]]:
    """Neutral faces with subtle expressions, and with strong ones, of the sets that have all three.

    Args:
        sets: the faces, with known intensities.
        low: below it an expression is subtle.
        high: above it, strong.
    """
    both: tuple[list[Flags], list[Flags]] = ([], [])
    for faces in sets:
        parts = [~faces.neutral & (faces.intensity < low), ~faces.neutral & (faces.intensity > high)]
        there = faces.neutral.any() and all(p.any() for p in parts)
        for flags, part in zip(both, parts, strict=True):
            flags.append((faces.neutral | part) & there)
    return both


def mated_scores(values: Floats, reference: NDArray[np.int64], subjects: NDArray[np.int64]) -> Scores:
    """Mated comparisons as scores of one arm.

    Args:
        values: ``(n,)`` similarities.
        reference: ``int64 (n,)`` places of the references.
        subjects: ``int64 (n,)``.
    """
    n = len(values)
    pairs = np.stack([subjects, subjects], 1)
    trials = Trials(reference, np.arange(n), np.ones(n, bool), pairs, name="mated")
    return Scores("recogniser", trials, values, np.ones(n, bool))


def threshold_at_fnmr(values: Floats, fnmr: float) -> float:
    """The threshold that rejects a share of mated scores: the nearest number of them, fewer only where scores tie.

    Args:
        values: ``(n,)`` mated similarities; accepted when at or above the threshold.
        fnmr: the share.
    """
    rejected = min(round(fnmr * len(values)), len(values) - 1)
    return float(np.sort(values)[rejected])


def utility(
    arm: str, scores: Scores, quality: Floats, threshold: float, *, ties: Ties, resamples: int, seed: int
) -> Resampled:
    """Partial area of error versus discard less the best order's, over `LIMIT`: a mean FNMR in excess.

    Args:
        arm: name of the quality measure.
        scores: mated comparisons.
        quality: ``(n,)`` of each.
        threshold: fixed beforehand.
        ties: as in `quality.error_versus_discard`.
        resamples: how many.
        seed: of the resampling.
    """
    area = DiscardArea(scores, quality, threshold, limit=LIMIT, minus_best=True, ties=ties)

    def mean(weights: Floats | None) -> Number:
        found = area(weights)
        return found if isinstance(found, Undefined) else float(found) / LIMIT

    return resampled(arm, mean, area.subjects, area.counts, resamples=resamples, seed=seed)


def rank_correlation(arm: str, errors: Sequence[Resampled], areas: Sequence[Resampled]) -> Resampled:
    """Spearman's correlation of ``1 - EER`` and ``-pAUC`` over classifiers and features, draw by draw.

    Args:
        arm: name of the result.
        errors: equal error rates.
        areas: of the same arms, in their order.
    """

    def correlation(values: Floats) -> Floats:
        ranks = [stats.rankdata(half, axis=0) for half in (-values[: len(errors)], -values[len(errors) :])]
        one, other = (r - r.mean(0) for r in ranks)
        norm = np.sqrt((one**2).sum(0) * (other**2).sum(0))
        found = np.divide((one * other).sum(0), norm, out=np.full(norm.shape, np.nan), where=norm > 0)
        return np.where(np.isnan(values).any(0), np.nan, found)

    return combined(arm, correlation, [*errors, *areas])


def contrast(arm: str, error: Resampled, base_error: Resampled, area: Resampled, base_area: Resampled) -> Resampled:
    """``log(EER / base EER) - log(pAUC / base pAUC)``: below 0, an arm gains in classification what utility denies it.

    Args:
        arm: name of the result.
        error: equal error rate of the arm.
        base_error: of the one that it is compared with.
        area: area of discarding of the arm.
        base_area: of the other.
    """

    def gap(values: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.where(values > 0, values, np.nan))
        found: Floats = (logs[0] - logs[1]) - (logs[2] - logs[3])
        return found

    return combined(arm, gap, [error, base_error, area, base_area])


def mean_of(arm: str, parts: Sequence[Resampled]) -> Resampled:
    """The mean of several statistics of the same people."""
    return combined(arm, lambda values: np.asarray(values.mean(0), np.float64), parts)
