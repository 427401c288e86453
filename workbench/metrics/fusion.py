"""Fusion of several arms' scores of the same trials: sum, maximum, minimum, weighted sum, logistic regression.

A fusion is fitted on one set of trials and applied to another; it remembers where it was fitted, and so does the
threshold that `threshold_on` takes from a set. What is fitted on the trials that it judges is an oracle, and is called
so. A trial fails where any of its arms failed to acquire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Scores, ShapeError, Trials, Undefined
from .logistic import fit_logistic
from .resampling import of_units
from .steps import Floats
from .verification import threshold_at_fmr

Combine = Literal["sum", "max", "min"]
COMBINE = ("sum", "max", "min")
GIVEN = "given"


@dataclass(frozen=True)
class Fusion:
    """``combine`` over arms of ``weight * (score - shift) / scale``, plus ``offset``.

    Attributes:
        combine: ``"sum"``, ``"max"`` or ``"min"``.
        weights: ``(k,)``; all 1 for maximum and minimum.
        shift: ``(k,)``.
        scale: ``(k,)``, positive.
        offset: added at the end.
        rule: how it was made, in words.
        origin: what it was fitted on, ``"given"`` where nothing was.
    """

    combine: Combine
    weights: Floats
    shift: Floats
    scale: Floats
    offset: float = 0.0
    rule: str = ""
    origin: str = GIVEN

    def __post_init__(self) -> None:
        if self.combine not in COMBINE:
            raise ShapeError("unknown fusion", given=self.combine, expected=" or ".join(COMBINE))
        if not len(self.weights) == len(self.shift) == len(self.scale) > 0 or np.any(self.scale <= 0):
            raise ShapeError("parts of a fusion do not fit", expected="one weight, shift and positive scale per arm")

    def apply(self, arms: Sequence[Scores]) -> Scores:
        """One arm out of several, in the order of the fit."""
        if len(arms) != len(self.weights):
            raise ShapeError("arms do not fit the fusion", given=len(arms), expected=len(self.weights))
        values, acquired = stacked(arms)
        parts = self.weights * (values - self.shift) / self.scale
        if self.combine == "sum":
            fused = parts.sum(axis=1) + self.offset
        else:
            fused = (parts.max(axis=1) if self.combine == "max" else parts.min(axis=1)) + self.offset
        origin = self.origin + (", the trials judged here" if self.origin == _origin(arms[0].trials) else "")
        name = f"{self.rule or self.combine} of {' + '.join(a.arm for a in arms)} ({origin})"
        return Scores(name, arms[0].trials, np.where(acquired, fused, np.nan), acquired)


def _origin(trials: Trials) -> str:
    return f"fitted on {trials.name or 'unnamed trials'}"


def stacked(arms: Sequence[Scores]) -> tuple[Floats, NDArray[np.bool_]]:
    """Scores ``(n, k)`` of arms on the same trials, and where all of them acquired."""
    if not arms:
        raise ShapeError("nothing to fuse", expected="one arm or more")
    for arm in arms[1:]:
        for part in ("reference", "probe", "subjects"):
            if not np.array_equal(getattr(arm.trials, part), getattr(arms[0].trials, part)):
                raise ShapeError(
                    f"arms {arms[0].arm!r} and {arm.arm!r} do not share their trials",
                    given=f"{part} differs",
                    expected="scores of the same comparisons in the same order",
                )
    acquired: NDArray[np.bool_] = np.logical_and.reduce([a.acquired for a in arms])
    return np.stack([a.values for a in arms], axis=1), acquired


def plain_fusion(combine: Combine, arms: int, *, weights: Sequence[float] | None = None) -> Fusion:
    """Sum, maximum, minimum or weighted sum of the scores as they are; their scales must be alike.

    Args:
        combine: how.
        arms: how many.
        weights: for ``"sum"``, one per arm.
    """
    return _scaled(combine, np.zeros(arms), np.ones(arms), weights, "", GIVEN)


def normalised_fusion(
    arms: Sequence[Scores], combine: Combine, *, by: Literal["min-max", "z"] = "z",
    weights: Sequence[float] | None = None,
) -> Fusion:  # fmt: skip
    """Fusion of scores brought to one scale (Jain, Nandakumar and Ross 2005).

    Args:
        arms: to fit on; trials in which any arm failed are left out.
        combine: how.
        by: ``"min-max"`` maps the least and the highest score of each arm to 0 and 1, and others beyond;
            ``"z"`` counts in standard deviations (n - 1) from the mean of all scores, mated or not.
        weights: for ``"sum"``, one per arm.
    """
    values, acquired = stacked(arms)
    used = values[acquired]
    if by not in ("min-max", "z"):
        raise ShapeError("unknown normalisation", given=by, expected="'min-max' or 'z'")
    if len(used) < 2 or np.any(np.ptp(used, axis=0) == 0):
        raise ShapeError("an arm's scores are all equal", given=f"{len(used)} trials", expected="scores that differ")
    if by == "z":
        shift, scale = used.mean(axis=0), used.std(axis=0, ddof=1)
    else:
        shift, scale = used.min(axis=0), np.ptp(used, axis=0)
    return _scaled(combine, shift, scale, weights, f"{by} ", _origin(arms[0].trials))


def _scaled(
    combine: Combine, shift: Floats, scale: Floats, weights: Sequence[float] | None, by: str, origin: str
) -> Fusion:
    if weights is not None and combine != "sum":
        raise ShapeError("weights are for sums", given=combine, expected="combine='sum'")
    weight = np.ones(len(shift)) if weights is None else np.asarray(weights, np.float64)
    said = by + ("weighted " if weights is not None else "") + combine
    return Fusion(combine, weight, shift, scale, 0.0, said, origin)


def logistic_fusion(arms: Sequence[Scores], *, prior: float = 0.5) -> Fusion | Undefined:
    """The linear combination that is the best log-likelihood ratio, by logistic regression (Brümmer et al. 2007).

    Args:
        arms: to fit on; trials in which any arm failed are left out.
        prior: of mated, see `logistic.fit_logistic`.
    """
    values, acquired = stacked(arms)
    fitted = fit_logistic(values[acquired], arms[0].trials.mated[acquired], prior)
    if isinstance(fitted, Undefined):
        return fitted
    plain = np.zeros(len(arms)), np.ones(len(arms))
    return Fusion("sum", fitted[0], *plain, fitted[1], f"logistic, prior {prior:g}", _origin(arms[0].trials))


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on comparison scores that remembers where it was set.

    Attributes:
        threshold: accept when ``s >= threshold``.
        origin: in words.
        trials: name of the protocol that it was set on.
    """

    threshold: float
    origin: str
    trials: str


def threshold_on(scores: Scores, fmr: float) -> OperatingPoint | Undefined:
    """The lowest threshold whose FMR on these trials is not above ``fmr``, to be applied to others."""
    threshold = threshold_at_fmr(scores, fmr)
    if isinstance(threshold, Undefined):
        return threshold
    return OperatingPoint(threshold, f"largest attained FMR <= {fmr:g}", scores.trials.name or "unnamed trials")


def rates_at(scores: Scores, point: OperatingPoint, **options: Any) -> tuple[Estimate, Estimate]:
    """FMR and FNMR at a threshold set elsewhere, each with its interval; the threshold is taken as fixed.

    Args:
        scores: to judge; a failure to acquire is a rejection.
        point: of `threshold_on`.
        **options: ``resamples``, ``level``, ``seed`` of `resampling.of_units`.
    """
    accepted = scores.acquired & (np.where(scores.acquired, scores.values, -np.inf) >= point.threshold)
    same = " (the trials judged here: an oracle threshold)" if point.trials == scores.trials.name else ""
    said = f"s >= T, T = {point.threshold:.6g}, {point.origin} on {point.trials!r}{same}, T taken as fixed"
    return (
        _share(scores, ~scores.trials.mated, accepted, f"FMR, {said}", "non-mated", options),
        _share(scores, scores.trials.mated, ~accepted, f"FNMR, {said}", "mated", options),
    )


def _share(
    scores: Scores, kind: NDArray[np.bool_], errors: NDArray[np.bool_], rule: str, said: str, options: dict[str, Any]
) -> Estimate:
    wrong = errors[kind].astype(np.float64)
    counts = {"trials": int(kind.sum()), "errors": int(wrong.sum()), "failures": int(np.sum(~scores.acquired[kind]))}

    def statistic(weights: Floats | None) -> Number:
        weight = np.ones(len(wrong)) if weights is None else weights
        whole = float(weight.sum())
        return float(weight @ wrong / whole) if whole > 0 else Undefined(f"no {said} trials", counts)

    return of_units(statistic, scores.trials.subjects[kind], rule, counts, **options)
