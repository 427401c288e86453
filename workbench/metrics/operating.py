"""Error rates at one threshold after another: scores sorted once, then a threshold costs two binary searches.

The rates are those of `verification.fmr_fnmr_at`; the intervals those of the bootstrap over capture subjects with
the same seed, faster: people are drawn once, and at a threshold only the trials that err are weighed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Scores, Undefined
from .intervals import LEAST_SUBJECTS, multiplicities
from .rates import RULE
from .resampling import FEW, exact, positions, spread

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """What a threshold does.

    Attributes:
        threshold: accept when score >= threshold.
        false_matches, nonmated: accepted non-mated trials, of how many.
        false_nonmatches, mated: rejected mated trials, of how many; failures to acquire are rejections.
    """

    threshold: float
    false_matches: int
    nonmated: int
    false_nonmatches: int
    mated: int

    @property
    def fmr(self) -> Number:
        """Share of non-mated trials that are accepted."""
        return self.false_matches / self.nonmated if self.nonmated else Undefined("no non-mated trials")

    @property
    def fnmr(self) -> Number:
        """Share of mated trials that are rejected."""
        return self.false_nonmatches / self.mated if self.mated else Undefined("no mated trials")


class Operating:
    """One arm's scores, sorted by kind.

    Attributes:
        scores: as given.
        thresholds: lowest and highest score, or None where no trial has one.
    """

    def __init__(self, scores: Scores) -> None:
        self.scores = scores
        self._order: dict[bool, Indices] = {}
        self._values: dict[bool, NDArray[np.float64]] = {}
        self._whole: dict[bool, int] = {}
        for mated in (False, True):
            of_kind = scores.trials.mated == mated
            there = np.flatnonzero(of_kind & scores.acquired)
            order = there[np.argsort(scores.values[there], kind="stable")]
            self._order[mated], self._values[mated] = order, scores.values[order]
            self._whole[mated] = int(of_kind.sum())
        ends = [v for values in self._values.values() for v in (*values[:1], *values[-1:])]
        self.thresholds = (float(min(ends)), float(max(ends))) if ends else None

    def at(self, threshold: float) -> Point:
        """The errors at a threshold."""
        accepted = {kind: len(v) - int(np.searchsorted(v, threshold)) for kind, v in self._values.items()}
        return Point(
            threshold, accepted[False], self._whole[False], self._whole[True] - accepted[True], self._whole[True]
        )

    def nearest(self, threshold: float, *, mated: bool, accepted: bool, most: int) -> Indices:
        """At most ``most`` trials of a kind on one side of a threshold, the nearest score first."""
        order = self._order[mated]
        cut = int(np.searchsorted(self._values[mated], threshold))
        return order[cut : cut + most] if accepted else order[max(0, cut - most) : cut][::-1]

    def parted(self, threshold: float, *, mated: bool) -> tuple[Indices, Indices]:
        """Trials of a kind that are rejected, and those that are accepted; failures to acquire are in neither."""
        order = self._order[mated]
        cut = int(np.searchsorted(self._values[mated], threshold))
        return order[:cut], order[cut:]


class Redrawn:
    """People drawn again and again, for intervals at any threshold.

    Args:
        operating: the scores.
        resamples: how many; not 0.
        level: confidence level.
        seed: of the draw.
        going: called between resamples; it may raise to end the work.
    """

    def __init__(
        self, operating: Operating, *, resamples: int = 200, level: float = 0.95, seed: int = 0,
        going: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        self._operating, self._resamples, self._level = operating, resamples, level
        trials = operating.scores.trials
        self._people, count = positions(trials.subjects)
        self.subjects = count
        draws = multiplicities(count, resamples, seed) if count >= LEAST_SUBJECTS else iter(())
        self._times = [d.astype(np.uint16) for d in draws]
        self._whole = {
            mated: self._weigh(np.flatnonzero(trials.mated == mated), mated, going) for mated in (False, True)
        }

    def at(self, threshold: float, going: Callable[[], object] = lambda: None) -> tuple[Estimate, Estimate]:
        """FMR and FNMR with their intervals.

        Where fewer than ten trials err or fewer than ten do not, or fewer than five people are there, the interval is
        Clopper and Pearson's: resampling cannot show what was hardly seen.
        """
        point = self._operating.at(threshold)
        return self._rate(point, False, going), self._rate(point, True, going)

    def _rate(self, point: Point, mated: bool, going: Callable[[], object]) -> Estimate:
        name, wrong, n, value = (
            ("FNMR", point.false_nonmatches, point.mated, point.fnmr)
            if mated
            else ("FMR", point.false_matches, point.nonmated, point.fmr)
        )
        rule = f"{name} at T = {point.threshold:.6g}; {RULE}"
        counts = {"trials": n, "errors": wrong, "subjects": self.subjects}
        if not n or min(wrong, n - wrong) < FEW or not self._times:
            return exact(wrong, n, rule, counts, interval="clopper-pearson", level=self._level)
        rejected, accepted = self._operating.parted(point.threshold, mated=mated)
        # The smaller side is weighed; failures to acquire are in neither, so what is accepted tells what is not.
        scored = len(rejected) + len(accepted) == n
        by_rejected = scored and len(rejected) < len(accepted)
        part, whole = self._weigh(rejected if by_rejected else accepted, mated, going), self._whole[mated]
        errors = part if by_rejected != (not mated) else whole - part
        there = whole > 0
        drawn = (errors[there] / whole[there]).tolist()
        return spread(value, drawn, rule, counts, subjects=self.subjects, resamples=self._resamples,
                      level=self._level, unit="fraction")  # fmt: skip

    def _weigh(self, trials: Indices, mated: bool, going: Callable[[], object]) -> NDArray[np.float64]:
        """Weight of trials of one kind in every resample: the product of the multiplicities of the people they show."""
        one, other = (np.ascontiguousarray(side) for side in self._people[trials].T)
        shown = np.bincount(one, minlength=self.subjects)
        sums = []
        for drawn in self._times:
            going()
            times = drawn.astype(np.float64)
            # A mated trial shows one person, a non-mated one two.
            sums.append(float(times @ shown if mated else times[one] @ times[other]))
        return np.array(sums)
