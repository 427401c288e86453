"""False match and false non-match rates at every threshold.

House rules (ISO/IEC 19795-1, NIST FRTE): scores are similarities; a comparison is accepted when
``score >= threshold``; equal scores are never separated. A trial in which a sample failed to acquire is
rejected at every threshold: a false non-match if mated, a correct rejection if not (``fta="reject"``), or
left out (``fta="exclude"``); the rule is named in every estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Number, Scores, Undefined
from .steps import Steps

Fta = Literal["reject", "exclude"]
RULE = "similarity, accept when s >= T, ties merged"


@dataclass(frozen=True)
class ErrorRates:
    """Rates at every threshold that makes a difference, lowest first.

    Attributes:
        thresholds: ``float64 (k,)`` distinct scores, then infinity (accept nothing).
        fmr: ``(k,)`` share of non-mated trials at or above the threshold; falls to 0.
        fnmr: ``(k,)`` share of mated trials below it; rises to 1.
        counts: mated, nonmated, failures (to acquire), subjects.
        rule: in words.
    """

    thresholds: NDArray[np.float64]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]
    counts: dict[str, int]
    rule: str = RULE


Statistic = Callable[[ErrorRates], Number]


class Ranked:
    """Scores sorted once, so that rates under many weightings cost one pass each."""

    def __init__(self, scores: Scores, fta: Fta = "reject") -> None:
        used = np.ones(len(scores.trials), bool) if fta == "reject" else scores.acquired
        self.used = np.flatnonzero(used)
        # What failed to acquire lies below every threshold.
        values = np.where(scores.acquired, scores.values, -np.inf)[used]
        mated = scores.trials.mated[used]
        self.steps = Steps(values, mated.astype(np.int64), 2)
        self.counts = {
            "mated": int(mated.sum()),
            "nonmated": int((~mated).sum()),
            "failures": scores.failures,
            "subjects": len(np.unique(scores.trials.subjects[used])),
        }
        said = "counted as rejections" if fta == "reject" else "left out"
        self.rule = RULE + (f", {scores.failures} failures to acquire {said}" if scores.failures else "")

    def rates(self, weights: NDArray[np.float64] | None = None) -> ErrorRates | Undefined:
        """Rates under a weight for every trial of the scores; all 1 if not given."""
        if self.counts["mated"] == 0 or self.counts["nonmated"] == 0:
            missing = "mated" if self.counts["mated"] == 0 else "non-mated"
            return Undefined(f"no {missing} trials", self.counts)
        if len(self.steps.thresholds) == 1:
            return Undefined("no trial has a score", self.counts)
        accepted, whole = self.steps.masses(None if weights is None else weights[self.used])
        if whole.min() <= 0:
            return Undefined("a resample has no trials of one kind", self.counts)
        # Accepted over whole, not 1 - share: rounding would lift a rate above the very target that it attains.
        fmr, fnmr = accepted[0] / whole[0], (whole[1] - accepted[1]) / whole[1]
        return ErrorRates(self.steps.thresholds, fmr, fnmr, self.counts, self.rule)


def error_rates(scores: Scores, *, fta: Fta = "reject") -> ErrorRates | Undefined:
    """FMR and FNMR at every threshold; undefined without mated or without non-mated trials."""
    return Ranked(scores, fta).rates()


def at_most(rates: ErrorRates, fmr: float) -> int:
    """Position of the lowest threshold whose FMR is not above ``fmr``."""
    return int(np.argmax(rates.fmr <= fmr))
