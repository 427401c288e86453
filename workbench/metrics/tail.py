"""The low end of the error rates, exactly, from the highest non-mated scores alone.

At a false match rate of 1e-4 one non-mated score in ten thousand decides. So the highest ones are kept, the
others counted: a billion comparisons then need the memory of what is kept. Up to the rate that the kept scores
reach, every number equals that of `error_rates` on all scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, ShapeError, Undefined
from .rates import RULE

Values = NDArray[np.floating]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Tail:
    """What decides at low false match rates.

    Attributes:
        highest: ``(k,)`` highest non-mated scores, rising.
        nonmated: how many non-mated comparisons there were, failures to acquire included.
        mated: ``(m,)`` all mated scores, rising; minus infinity, never accepted, where a sample failed to acquire.
        subjects: ``int64 (k, 2)`` capture subjects of the kept non-mated comparisons, or None.
        mated_subjects: ``int64 (m,)``, or None.
    """

    highest: Values
    nonmated: int
    mated: Values
    subjects: Codes | None = None
    mated_subjects: Codes | None = None

    def __post_init__(self) -> None:
        for name, values in (("highest", self.highest), ("mated", self.mated[self.failures :])):
            if not np.all(np.isfinite(values)) or np.any(np.diff(values) < 0):
                raise ShapeError(f"{name} scores of a tail must rise and be finite", given=f"{len(values)} scores")
        if self.nonmated < len(self.highest):
            raise ShapeError(
                "more non-mated scores are kept than there were",
                given=len(self.highest),
                expected=f"at most {self.nonmated}",
            )

    @property
    def counts(self) -> dict[str, int]:
        """Comparisons behind the numbers."""
        return {"mated": len(self.mated), "nonmated": self.nonmated, "kept": len(self.highest)}

    @property
    def failures(self) -> int:
        """Mated comparisons in which a sample failed to acquire."""
        return int(np.sum(np.isneginf(self.mated)))

    @property
    def reach(self) -> float:
        """FMR below which the kept scores decide."""
        return len(self.highest) / self.nonmated if self.nonmated else 0.0

    def bound(self, fmr: float) -> Number:
        """The highest score that must be rejected to keep the FMR at or below ``fmr``; minus infinity for none."""
        if not 0.0 <= fmr <= 1.0:
            raise ShapeError("a rate is a fraction", given=fmr, expected="0 <= FMR <= 1; per cent are divided by 100")
        if not self.nonmated or not len(self.mated):
            return Undefined(f"no {'mated' if self.nonmated else 'non-mated'} trials", self.counts)
        allowed = allowed_matches(fmr, self.nonmated)
        if allowed < len(self.highest):
            return float(self.highest[len(self.highest) - 1 - allowed])
        if len(self.highest) == self.nonmated:
            return -np.inf
        reach = f"FMR {fmr:g} lies beyond the kept scores, which reach {self.reach:.3g}"
        return Undefined(reach, self.counts)

    def fnmr_at_fmr(self, fmr: float) -> Number:
        """FNMR at the largest attained FMR that is not above ``fmr``."""
        bound = self.bound(fmr)
        if isinstance(bound, Undefined):
            return bound
        return int(np.searchsorted(self.mated, bound, side="right")) / len(self.mated)

    def fmr_at(self, threshold: float) -> Number:
        """FMR when comparisons at or above ``threshold`` are accepted."""
        accepted = len(self.highest) - int(np.searchsorted(self.highest, threshold, side="left"))
        if self.nonmated == 0:
            return Undefined("no non-mated trials", self.counts)
        if accepted == len(self.highest) < self.nonmated:
            return Undefined(f"threshold {threshold:g} lies below the kept scores", self.counts)
        return accepted / self.nonmated

    def threshold_at_fmr(self, fmr: float) -> Number:
        """The lowest score threshold whose FMR is not above ``fmr``.

        When even the highest score is too many false matches, the next representable number above it.
        """
        bound = self.bound(fmr)
        if isinstance(bound, Undefined):
            return bound
        # What failed to acquire is no threshold: it lies at or below every bound.
        above = [v[np.searchsorted(v, bound, side="right") :] for v in (self.highest, self.mated)]
        attained = [float(v[0]) for v in above if len(v)]
        return min(attained) if attained else float(np.nextafter(bound, np.inf))

    def estimate(self, fmr: float) -> Estimate:
        """`fnmr_at_fmr` with its rule; the interval is `tail_intervals.of_tail`'s matter."""
        rule = f"FNMR at the largest attained FMR <= {fmr:g}; {RULE}"
        if self.failures:
            rule += f", {self.failures} mated failures to acquire counted as rejections"
        return Estimate(self.fnmr_at_fmr(fmr), rule=rule, counts=self.counts, unit="fraction")


def allowed_matches(fmr: float, nonmated: int) -> int:
    """The largest count whose share of ``nonmated`` is not above ``fmr``, as floating point compares them."""
    count = min(int(fmr * nonmated) + 1, nonmated)
    while count and count / nonmated > fmr:
        count -= 1
    return count


def highest_of(values: Values, count: int) -> Values:
    """The ``count`` highest of many values, rising, without sorting the others.

    A pivot from a sample of the values throws nearly all of them out in one pass; what is left is sorted. A
    pivot that throws out too many is seen by the count, and a lower one is tried.
    """
    n = len(values)
    if count >= n or n < 10_000:
        return np.sort(values)[max(0, n - count) :]
    # An arithmetic progression is a fair enough sample: an unlucky order costs time, never a wrong answer.
    sample = np.sort(values[:: max(1, n // 100_000)])
    share = count / n
    while True:
        share = min(1.0, share * 1.05 + 5 * np.sqrt(share / len(sample)))
        pivot = sample[max(0, int(len(sample) * (1 - share)) - 1)]
        above = values[values >= pivot] if share < 1 else values
        if len(above) >= count:
            return np.sort(above)[len(above) - count :]


def tail_of(mated: Values, nonmated: Values, *, fmr: float = 0.1) -> Tail:
    """The tail of plain arrays of scores.

    Args:
        mated: ``(m,)`` scores.
        nonmated: ``(n,)`` scores; any order.
        fmr: the largest rate that will be asked for.

    Raises:
        ShapeError: a score is NaN or infinite.
    """
    for name, values in (("mated", mated), ("non-mated", nonmated)):
        # A sum is finite only if all are: one pass, nothing stored. A sum that overflows is looked at closely.
        if len(values) and not np.isfinite(values.sum(dtype=np.float64)) and not np.all(np.isfinite(values)):
            bad = int(np.argmin(np.isfinite(values)))
            raise ShapeError(
                f"a {name} score is not finite",
                given=f"{values[bad]} at {bad}",
                expected="finite scores",
                do="leave out failures to acquire and count them",
            )
    keep = min(allowed_matches(fmr, len(nonmated)) + 1, len(nonmated)) if len(nonmated) else 0
    return Tail(highest_of(nonmated, keep), len(nonmated), np.sort(mated))


def fnmr_at_fmrs(mated: Values, nonmated: Values, fmrs: Sequence[float]) -> list[Estimate]:
    """FNMR at several operating points, exact, for any number of scores that fits in memory.

    Args:
        mated: ``(m,)`` scores.
        nonmated: ``(n,)`` scores.
        fmrs: operating points.
    """
    tail = tail_of(mated, nonmated, fmr=max(fmrs))
    return [tail.estimate(f) for f in fmrs]
