"""What is scored: a question with its truth, and the numbers that come of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import Estimate, Scores
from ...metrics.confidence import Bin, brier, expected_calibration_error, reliability
from ...metrics.decisions import share
from .told import Told
from .truth import Row

BINS = 10
How = Mapping[str, Any]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Unit:
    """A question about pictures of which the truth is known.

    Attributes:
        told: what came of it.
        names: of its pictures.
        rows: of every picture.
        people: everybody that its pictures show.
    """

    told: Told
    names: tuple[str, ...]
    rows: tuple[tuple[Row, ...], ...]
    people: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a task's scorer says; see `scoring.Scored`."""

    numbers: Mapping[str, Estimate]
    labels: tuple[str, ...] = ()
    confusion: NDArray[np.float64] | None = None
    reliability: tuple[Bin, ...] = ()
    scores: Scores | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answered:
    """Units with a value, beside all that were replied to."""

    units: Sequence[Unit]
    replied: Sequence[Unit] = field(default=())

    @classmethod
    def of(cls, replied: Sequence[Unit]) -> Answered:
        """Those that were answered."""
        return cls([u for u in replied if u.told.outcome == "value"], replied)

    def values(self, name: str) -> list[Any]:
        """One entry of every value."""
        return [u.told.value[name] for u in self.units]

    @property
    def subjects(self) -> NDArray[np.str_]:
        """``(n, k)``, see `subjects_of`."""
        return subjects_of(self.units)

    def right(self, hits: Flags, how: How) -> dict[str, Estimate]:
        """Accuracy over what was answered, and the share of all replies that are right."""
        every = np.zeros(len(self.replied), bool)
        every[[u.told.outcome == "value" for u in self.replied]] = hits
        counts = {"answered": len(self.units), "replies": len(self.replied)}
        return {
            "accuracy, of answered": share(hits, self.subjects, "share of answers that are right", counts, **how),
            "right, of all replies": share(
                every, subjects_of(self.replied), "share of replies that hold the right answer", counts, **how
            ),
        }

    def calibration(self, hits: Flags, how: How) -> tuple[dict[str, Estimate], tuple[Bin, ...]]:
        """How far confidence can be trusted, over answers that have one."""
        given = np.array([u.told.value.get("confidence") is not None for u in self.units], bool)
        sure = np.array([u.told.value["confidence"] for u, g in zip(self.units, given, strict=True) if g], np.float64)
        right, people = hits[given], self.subjects[given]
        numbers = {
            "confidence given": share(given, self.subjects, "share of answers with a confidence",
                                      {"answered": len(given)}, **how),
            "Brier score": brier(sure, right, people, **how),
            "ECE": expected_calibration_error(sure, right, people, bins=BINS, **how),
        }  # fmt: skip
        return numbers, reliability(sure, right, bins=BINS) if len(sure) else ()


def subjects_of(units: Sequence[Unit]) -> NDArray[np.str_]:
    """``(n, k)`` the people that each unit shows, the first repeated where it shows fewer than another."""
    widest = max((len(u.people) for u in units), default=1)
    listed = [[*u.people, *[u.people[0]] * (widest - len(u.people))] for u in units]
    found = np.array(listed, np.str_).reshape(len(units), widest)
    return found[:, 0] if widest == 1 else found
