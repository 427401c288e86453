"""The highest scores of a stream that is never held: what `tail.Tail` is made from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError


class Tally:
    """Keeps the ``keep`` highest scores of any number, with their places; memory is bounded by twice that.

    Among equal scores the lowest places are kept, so that the result does not depend on the order in which scores
    come, nor on how a stream is divided among tallies that are merged.

    Args:
        keep: how many.
    """

    def __init__(self, keep: int) -> None:
        if keep < 1:
            raise ShapeError("a tally keeps at least one score", given=keep, expected="keep >= 1")
        self.keep = keep
        self.floor = -np.inf
        self._values: list[NDArray[np.float32]] = []
        self._places: list[NDArray[np.int64]] = []
        self._held = 0

    def add(self, values: NDArray[np.float32], places: NDArray[np.int64]) -> None:
        """Take scores in; those below ``floor`` may be left out beforehand.

        Args:
            values: ``float32 (n,)``.
            places: ``int64 (n,)``, each different: what the scores belong to.
        """
        if len(values) == 0:
            return
        self._values.append(values)
        self._places.append(places)
        self._held += len(values)
        if self._held >= 2 * self.keep:
            self._compact()

    def merge(self, other: Tally) -> None:
        """Take in what another tally kept."""
        self.add(*other.highest())

    def highest(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The kept scores, rising, and their places; of equal scores the lowest place last."""
        self._compact()
        values, places = self._joined()
        order = np.lexsort((-places, values))
        return values[order], places[order]

    def _joined(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        if not self._values:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        return np.concatenate(self._values), np.concatenate(self._places)

    def _compact(self) -> None:
        values, places = self._joined()
        if len(values) >= self.keep:
            last = np.partition(values, len(values) - self.keep)[len(values) - self.keep]
            above = np.flatnonzero(values > last)
            equal = np.flatnonzero(values == last)
            # Only as many of the equal ones as there is room for.
            equal = equal[np.argsort(places[equal], kind="stable")][: self.keep - len(above)]
            chosen = np.concatenate([above, equal])
            values, places = values[chosen], places[chosen]
            self.floor = float(last)
        self._values, self._places, self._held = [values], [places], len(values)
