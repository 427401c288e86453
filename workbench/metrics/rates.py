"""False match and false non-match rates at every threshold.

House rules (ISO/IEC 19795-1, NIST FRTE): scores are similarities; a comparison is accepted when
``score >= threshold``; equal scores are never separated. A trial in which a sample failed to acquire is
rejected at every threshold: a false non-match if mated, a correct rejection if not (``fta="reject"``), or
left out (``fta="exclude"``); the rule is named in every estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Scores, Undefined

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


class Ranked:
    """Scores sorted once, so that rates under many weightings cost one pass each."""

    def __init__(self, scores: Scores, fta: Fta = "reject") -> None:
        used = np.ones(len(scores.trials), bool) if fta == "reject" else scores.acquired
        values = np.where(scores.acquired, scores.values, -np.inf)[used]
        mated = scores.trials.mated[used]
        order = np.argsort(values, kind="stable")
        self.index = np.flatnonzero(used)[order]
        self.mated = mated[order]
        ranked = values[order]
        self.starts = np.flatnonzero(np.r_[True, ranked[1:] > ranked[:-1]]) if len(ranked) else np.zeros(0, int)
        distinct = ranked[self.starts]
        # A threshold of minus infinity would accept what failed to acquire: nothing can.
        self.first = int(len(distinct) > 0 and np.isneginf(distinct[0]))
        self.thresholds = np.r_[distinct[self.first :], np.inf]
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
        if len(self.thresholds) == 1:
            return Undefined("no trial has a score", self.counts)
        weight = np.ones(len(self.index)) if weights is None else weights[self.index]
        below = [np.r_[0.0, np.cumsum(np.where(kind, weight, 0.0))] for kind in (self.mated, ~self.mated)]
        if below[0][-1] <= 0 or below[1][-1] <= 0:
            return Undefined("a resample has no trials of one kind", self.counts)
        ends = np.r_[self.starts[self.first :], len(self.index)]
        fnmr = below[0][ends] / below[0][-1]
        # Not 1 - share: rounding would lift a rate above the very target that it attains.
        fmr = (below[1][-1] - below[1][ends]) / below[1][-1]
        return ErrorRates(self.thresholds, fmr.clip(0, 1), fnmr.clip(0, 1), self.counts, self.rule)


def error_rates(scores: Scores, *, fta: Fta = "reject") -> ErrorRates | Undefined:
    """FMR and FNMR at every threshold; undefined without mated or without non-mated trials."""
    return Ranked(scores, fta).rates()
