"""Statistics of attack scores on several targets under weights: HTER, area, and how uneven three losses are."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..core import Number, Resampled, Undefined
from ..metrics.attack_curves import AttackCurve
from ..metrics.presentations import Presentations
from ..metrics.resampling import combined, resampled
from ..metrics.steps import shares
from ..metrics.two_class import TwoClass
from .multimodal_faces import Triples

Floats = NDArray[np.float64]
Statistic = Callable[[Floats | None], Number]
# A loss that has vanished says nothing about balance.
FLOOR = 1e-3


def presentations(name: str, scores: Floats, shown: Triples) -> Presentations:
    """Attack scores of triples, as the measures of attack detection take them."""
    return Presentations.of_attack_scores(name, scores, shown.attack, shown.species, shown.subjects)


class AcrossTargets:
    """The mean over targets of a statistic of each.

    Attributes:
        subjects: of all presentations, target after target.
        counts: bona fide and attack presentations, targets.
    """

    def __init__(self, parts: Sequence[Statistic], shown: Sequence[Triples]) -> None:
        """Keep the parts.

        Args:
            parts: a statistic of each target; takes weights of its presentations.
            shown: the presentations.
        """
        self._parts = list(parts)
        ends = np.cumsum([0, *(len(t) for t in shown)])
        self._places = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.subjects = np.concatenate([t.subjects for t in shown])
        attacks = sum(int(t.attack.sum()) for t in shown)
        self.counts = {"bonafide": len(self.subjects) - attacks, "attacks": attacks, "targets": len(shown)}

    def __call__(self, weights: Floats | None = None) -> Number:
        """The mean; undefined where a target lacks a class."""
        found = [p(None if weights is None else weights[at]) for p, at in zip(self._parts, self._places, strict=True)]
        missing = next((f for f in found if isinstance(f, Undefined)), None)
        return missing if missing is not None else float(np.mean([float(f) for f in found]))


def hter(arm: str, scores: Sequence[Floats], shown: Sequence[Triples], *, resamples: int, seed: int) -> Resampled:
    """Mean over targets of HTER at the target's own EER point, species pooled (the field's habit), with resamples.

    Args:
        arm: name of the result.
        scores: attack scores of each target.
        shown: presentations of each target.
        resamples: how many.
        seed: of the resampling.
    """
    curves = [AttackCurve(presentations(arm, s, t), "pooled").eer for s, t in zip(scores, shown, strict=True)]
    return _drawn(arm, AcrossTargets(curves, shown), resamples, seed)


def auc(arm: str, scores: Sequence[Floats], shown: Sequence[Triples], *, resamples: int, seed: int) -> Resampled:
    """Mean over targets of the share of attack and bona fide presentations in order. Arguments as in `hter`."""
    areas = [TwoClass(s, t.attack, t.subjects).auc for s, t in zip(scores, shown, strict=True)]
    return _drawn(arm, AcrossTargets(areas, shown), resamples, seed)


def unevenness(
    arm: str, losses: Sequence[Floats], shown: Sequence[Triples], *, resamples: int, seed: int
) -> Resampled:  # fmt: skip
    """Mean over targets of the ratio of the largest to the smallest modality's mean loss, each at least `FLOOR`.

    Args:
        arm: name of the result.
        losses: ``(3, n)`` of the training presentations of each target's sources.
        shown: those presentations.
        resamples: how many.
        seed: of the resampling.
    """

    def ratio(table: Floats) -> Statistic:
        def statistic(weights: Floats | None) -> Number:
            w = np.ones(table.shape[1]) if weights is None else weights
            means = shares(table @ w, np.full(len(table), w.sum()))
            if np.isnan(means).any():
                return Undefined("no training presentations")
            floored = np.maximum(means, FLOOR)
            return float(floored.max() / floored.min())

        return statistic

    return _drawn(arm, AcrossTargets([ratio(t) for t in losses], shown), resamples, seed)


def difference(arm: str, one: Sequence[Resampled], other: Sequence[Resampled]) -> Resampled:
    """Mean of some statistics less the mean of as many others, draw by draw."""
    half = len(one)
    return combined(arm, lambda v: np.asarray(v[:half].mean(0) - v[half:].mean(0), np.float64), [*one, *other])


def _drawn(arm: str, statistic: AcrossTargets, resamples: int, seed: int) -> Resampled:
    return resampled(arm, statistic, statistic.subjects, statistic.counts, resamples=resamples, seed=seed)
