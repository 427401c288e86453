"""Scores of several kinds sorted once, so that shares at every threshold cost one pass under any weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError

Floats = NDArray[np.float64]


class Steps:
    """How much of each kind lies at or above every threshold that makes a difference.

    Equal scores are never separated; a score of minus infinity lies below every threshold.

    Attributes:
        thresholds: ``float64 (m,)`` distinct finite scores, rising, then infinity.
    """

    def __init__(self, values: Floats, kind: NDArray[np.int64], kinds: int) -> None:
        """Sort.

        Args:
            values: ``(n,)`` scores, no NaN.
            kind: ``(n,)`` codes from 0 to ``kinds - 1``.
            kinds: how many there are; a kind may be empty.
        """
        if values.ndim != 1 or values.shape != kind.shape:
            raise ShapeError("scores and kinds do not fit", given=(values.shape, kind.shape), expected="(n,) and (n,)")
        if np.isnan(values).any():
            raise ShapeError("scores are NaN", given=int(np.isnan(values).sum()), do="say failures by acquired=False")
        order = np.argsort(values, kind="stable")
        ranked = values[order]
        starts = np.flatnonzero(np.r_[True, ranked[1:] > ranked[:-1]]) if len(ranked) else np.zeros(0, np.int64)
        finite = starts[~np.isneginf(ranked[starts])]
        self.thresholds: Floats = np.r_[ranked[finite], np.inf]
        cut = np.r_[finite, len(ranked)]
        where = [np.flatnonzero(kind[order] == k) for k in range(kinds)]
        self._members = [order[w] for w in where]
        self._below: list[NDArray[np.intp]] = [np.asarray(np.searchsorted(w, cut)) for w in where]

    def masses(self, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Weight of each kind at or above every threshold.

        Args:
            weights: ``(n,)`` weight of each score; all 1 if not given.

        Returns:
            ``(kinds, m)`` accepted weight, falling to 0, and ``(kinds,)`` whole weight.
        """
        runs = self.runs(weights)
        accepted = [run[-1] - run[below] for run, below in zip(runs.running, self._below, strict=True)]
        shape = (len(self._members), len(self.thresholds))
        return np.array(accepted).reshape(shape), np.array([run[-1] for run in runs.running])

    def runs(self, weights: Floats | None = None) -> Runs:
        """Running weights, for a search that looks at a few thresholds only."""
        if weights is None:
            return Runs([np.arange(len(m) + 1, dtype=np.float64) for m in self._members], self._below)
        return Runs([running(weights[m]) for m in self._members], self._below)


@dataclass(frozen=True)
class Runs:
    """Weights of each kind summed up from its lowest score; a threshold costs one look per kind.

    Attributes:
        running: of each kind, ``(its size + 1,)``.
        below: of each kind, how many of its scores lie below each threshold, ``(m,)``.
    """

    running: list[Floats]
    below: list[NDArray[np.intp]]

    def accepted(self, kind: int, at: int) -> float:
        """Weight of a kind at or above a threshold."""
        run = self.running[kind]
        return float(run[-1] - run[self.below[kind][at]])

    def rejected(self, kind: int, at: int) -> float:
        """Weight of a kind below a threshold."""
        return float(self.running[kind][self.below[kind][at]])

    def whole(self, kind: int) -> float:
        """Weight of a kind."""
        return float(self.running[kind][-1])


def running(weights: Floats) -> Floats:
    """Sums of the first 0, 1, ... of ``(n,)`` weights, ``(n + 1,)``."""
    # np.r_ takes several times as long, and the bootstrap comes here a hundred thousand times.
    found = np.empty(len(weights) + 1)
    found[0] = 0.0
    weights.cumsum(out=found[1:])
    return found


def shares(part: Floats, whole: Floats) -> Floats:
    """``part / whole`` by NumPy's broadcasting, NaN where there is nothing to share."""
    part, whole = np.broadcast_arrays(part, whole)
    found: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return found
