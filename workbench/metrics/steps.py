"""Scores of several kinds sorted once, so that shares at every threshold cost one pass under any weights."""

from __future__ import annotations

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
        self._below = [np.searchsorted(w, cut) for w in where]

    def masses(self, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Weight of each kind at or above every threshold.

        Args:
            weights: ``(n,)`` weight of each score; all 1 if not given.

        Returns:
            ``(kinds, m)`` accepted weight, falling to 0, and ``(kinds,)`` whole weight.
        """
        accepted = np.empty((len(self._members), len(self.thresholds)))
        whole = np.empty(len(self._members))
        for k, (members, below) in enumerate(zip(self._members, self._below, strict=True)):
            if weights is None:
                whole[k] = len(members)
                accepted[k] = len(members) - below
            else:
                running = np.r_[0.0, np.cumsum(weights[members])]
                whole[k] = running[-1]
                accepted[k] = running[-1] - running[below]
        return accepted, whole


def shares(part: Floats, whole: Floats) -> Floats:
    """``part / whole`` by NumPy's broadcasting, NaN where there is nothing to share."""
    part, whole = np.broadcast_arrays(part, whole)
    found: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return found
