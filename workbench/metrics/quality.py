"""Face quality: what discarding the worst samples does to the error rate (error-versus-discard characteristic).

Grother and Tabassi 2007, "Performance of biometric quality measures"; partial area as in Schlett et al. 2023
(arXiv 2303.13294). Errors are decided once, at one threshold; then comparisons leave, the lowest quality first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Scores, ShapeError, Undefined
from .resampling import of_units
from .steps import running

Floats = NDArray[np.float64]
Kind = Literal["fnmr", "fmr"]
# Whether equal qualities leave at once, or one by one in an order that is drawn.
Ties = Literal["together", "random"]


@dataclass(frozen=True)
class Discard:
    """An error-versus-discard curve: a step function from the left.

    Attributes:
        discarded: ``(k,)`` share of comparisons that left, rising from 0 to 1.
        error: ``(k,)`` error rate of those that remain; 0 at the end, where none remain.
        counts: comparisons and errors.
        rule: in words.
    """

    discarded: Floats
    error: Floats
    counts: dict[str, int]
    rule: str


def pair_quality(reference: Floats, probe: Floats) -> Floats:
    """Quality of a comparison: the lower of its two samples' (the usual rule; others are the caller's to form)."""
    lower: Floats = np.minimum(reference, probe)
    return lower


def _errors(scores: Scores, threshold: float, kind: Kind) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    if kind not in ("fnmr", "fmr"):
        raise ShapeError("unknown error", given=kind, expected="'fnmr' or 'fmr'")
    accepted = scores.acquired & (np.where(scores.acquired, scores.values, -np.inf) >= threshold)
    used = scores.trials.mated == (kind == "fnmr")
    return used, ~accepted if kind == "fnmr" else accepted


class _Order:
    """Comparisons in the order in which they leave, so that a curve under any weights costs one pass."""

    def __init__(self, errors: NDArray[np.bool_], quality: Floats, ties: Ties) -> None:
        self.places = np.argsort(quality, kind="stable")
        ranked = quality[self.places]
        self.errors = errors[self.places]
        self.starts = np.flatnonzero(np.r_[True, ranked[1:] > ranked[:-1]])
        self.ends = np.r_[self.starts, len(ranked)] if ties == "random" else None

    def curve(self, weights: Floats) -> tuple[Floats, Floats]:
        """Shares discarded and errors of the rest, at each distinct quality or at each comparison."""
        weight = weights[self.places]
        gone, wrong, starts = running(weight), running(weight * self.errors), self.starts
        if self.ends is not None:
            # The mean over all orders: of equal qualities each takes the same part of their errors with it.
            wrong = np.interp(gone, gone[self.ends], wrong[self.ends])
            starts = np.arange(len(weight))
        left = gone[-1] - gone[starts]
        there = left > 0
        rate = (wrong[-1] - wrong[starts])[there] / left[there]
        return np.append(gone[starts][there] / gone[-1], 1.0), np.append(rate, 0.0)


def error_versus_discard(
    scores: Scores, quality: Floats, threshold: float, *, kind: Kind = "fnmr", ties: Ties = "together"
) -> Discard | Undefined:
    """The curve.

    Args:
        scores: one arm's; failures to acquire are rejections, whatever their quality.
        quality: ``(n,)`` of each comparison; higher is better (see `pair_quality`).
        threshold: accept when score >= threshold; where it comes from is the caller's to say.
        kind: ``"fnmr"`` over mated, ``"fmr"`` over non-mated trials.
        ties: equal qualities leave ``"together"``, or one by one in ``"random"`` order: the mean over all orders, so
            that a measure of few levels is neither favoured nor punished by the order of a file.
    """
    used, errors = _errors(scores, threshold, kind)
    _check(quality, len(scores.trials))
    counts = {"comparisons": int(used.sum()), "errors": int(errors[used].sum())}
    if not used.any():
        return Undefined(f"no {'mated' if kind == 'fnmr' else 'non-mated'} trials", counts)
    rule = _rule(kind, threshold, ties)
    discarded, error = _Order(errors[used], quality[used], ties).curve(np.ones(int(used.sum())))
    return Discard(discarded, error, counts, rule)


def _rule(kind: Kind, threshold: float, ties: Ties) -> str:
    if ties not in ("together", "random"):
        raise ShapeError("unknown rule for equal qualities", given=ties, expected="'together' or 'random'")
    equal = "together" if ties == "together" else "in random order, averaged over all orders"
    return (
        f"{kind.upper()} of the comparisons left, errors fixed at T = {threshold:.6g}, s >= T; lowest quality leaves "
        f"first, equal ones {equal}"
    )


def _check(quality: Floats, n: int) -> None:
    if quality.shape != (n,):
        raise ShapeError("qualities do not fit the trials", given=quality.shape, expected=(n,))
    if np.isnan(quality).any():
        raise ShapeError("a quality is NaN", given=int(np.isnan(quality).sum()), do="give the lowest instead")


def area_to(discarded: Floats, error: Floats, limit: float) -> float:
    """Area under a step curve from 0 to ``limit``."""
    ends = np.minimum(np.r_[discarded[1:], 1.0], limit)
    widths = np.maximum(ends - np.minimum(discarded, limit), 0.0)
    return float(widths @ error)


def best_area(error: float, limit: float) -> float:
    """Area under the best curve possible: every discarded comparison was an error, ``max(0, error - x)``."""
    return error**2 / 2 - (max(0.0, error - limit) ** 2) / 2


def discard_area(
    scores: Scores, quality: Floats, threshold: float, *, limit: float = 0.2, kind: Kind = "fnmr",
    minus_best: bool = False, ties: Ties = "together", **options: Any,
) -> Estimate:  # fmt: skip
    """Partial area under the error-versus-discard curve; lower is a better quality measure.

    Args:
        scores: one arm's.
        quality: ``(n,)`` of each comparison.
        threshold: of the decision.
        limit: largest share that is discarded, in (0, 1].
        kind: ``"fnmr"`` or ``"fmr"``.
        minus_best: subtract what the best possible order would leave.
        ties: as in `error_versus_discard`.
        **options: ``resamples``, ``level``, ``seed`` of `resampling.of_units`.
    """
    found = DiscardArea(scores, quality, threshold, limit=limit, kind=kind, minus_best=minus_best, ties=ties)
    return of_units(found, found.subjects, found.rule, found.counts, unit="", **options)


class DiscardArea:
    """The area of `discard_area` under any weights of the comparisons, for the bootstrap.

    Attributes:
        subjects: ``(k, 2)`` of the comparisons that are used.
        counts: comparisons and errors.
        rule: in words.
    """

    def __init__(
        self, scores: Scores, quality: Floats, threshold: float, *, limit: float = 0.2, kind: Kind = "fnmr",
        minus_best: bool = False, ties: Ties = "together",
    ) -> None:  # fmt: skip
        if not 0 < limit <= 1:
            raise ShapeError("a limit of discarding is a share", given=limit, expected="0 < limit <= 1")
        used, errors = _errors(scores, threshold, kind)
        _check(quality, len(scores.trials))
        less = ", less the area of the best order" if minus_best else ""
        self.rule = (
            f"area under error-versus-discard up to {limit:g} by left steps{less}; {_rule(kind, threshold, ties)}"
        )
        self.subjects = scores.trials.subjects[used]
        self.counts = {"comparisons": int(used.sum()), "errors": int(errors[used].sum())}
        self._order = _Order(errors[used], quality[used], ties)
        self._limit, self._minus_best = limit, minus_best
        self._kind = "mated" if kind == "fnmr" else "non-mated"

    def __call__(self, weights: Floats | None = None) -> Number:
        """The area when each used comparison weighs as much."""
        weight = np.ones(len(self._order.places)) if weights is None else weights
        if weight.sum() <= 0:
            return Undefined(f"no {self._kind} trials", self.counts)
        discarded, error = self._order.curve(weight)
        best = best_area(float(error[0]), self._limit) if self._minus_best else 0.0
        return area_to(discarded, error, self._limit) - best
