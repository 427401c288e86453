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

Floats = NDArray[np.float64]
Kind = Literal["fnmr", "fmr"]


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


def _curve(errors: NDArray[np.bool_], quality: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Shares discarded and errors of the rest, at each distinct quality."""
    order = np.argsort(quality, kind="stable")
    weight, ranked = weights[order], quality[order]
    gone = np.r_[0.0, np.cumsum(weight)]
    wrong = np.r_[0.0, np.cumsum(weight * errors[order])]
    # Equal qualities leave together.
    starts = np.flatnonzero(np.r_[True, ranked[1:] > ranked[:-1]])
    left = gone[-1] - gone[starts]
    there = left > 0
    rate = (wrong[-1] - wrong[starts])[there] / left[there]
    return np.r_[gone[starts][there] / gone[-1], 1.0], np.r_[rate, 0.0]


def error_versus_discard(
    scores: Scores, quality: Floats, threshold: float, *, kind: Kind = "fnmr"
) -> Discard | Undefined:
    """The curve.

    Args:
        scores: one arm's; failures to acquire are rejections, whatever their quality.
        quality: ``(n,)`` of each comparison; higher is better (see `pair_quality`).
        threshold: accept when score >= threshold; where it comes from is the caller's to say.
        kind: ``"fnmr"`` over mated, ``"fmr"`` over non-mated trials.
    """
    used, errors = _errors(scores, threshold, kind)
    _check(quality, len(scores.trials))
    counts = {"comparisons": int(used.sum()), "errors": int(errors[used].sum())}
    if not used.any():
        return Undefined(f"no {'mated' if kind == 'fnmr' else 'non-mated'} trials", counts)
    discarded, error = _curve(errors[used], quality[used], np.ones(int(used.sum())))
    return Discard(discarded, error, counts, _rule(kind, threshold))


def _rule(kind: Kind, threshold: float) -> str:
    return (
        f"{kind.upper()} of the comparisons left, errors fixed at T = {threshold:.6g}, s >= T; lowest quality leaves "
        "first, equal ones together"
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
    minus_best: bool = False, **options: Any,
) -> Estimate:  # fmt: skip
    """Partial area under the error-versus-discard curve; lower is a better quality measure.

    Args:
        scores: one arm's.
        quality: ``(n,)`` of each comparison.
        threshold: of the decision.
        limit: largest share that is discarded, in (0, 1].
        kind: ``"fnmr"`` or ``"fmr"``.
        minus_best: subtract what the best possible order would leave.
        **options: ``resamples``, ``level``, ``seed`` of `resampling.of_units`.
    """
    if not 0 < limit <= 1:
        raise ShapeError("a limit of discarding is a share", given=limit, expected="0 < limit <= 1")
    used, errors = _errors(scores, threshold, kind)
    _check(quality, len(scores.trials))
    kept, wrong = quality[used], errors[used]
    counts = {"comparisons": int(used.sum()), "errors": int(wrong.sum())}

    def statistic(weights: Floats | None) -> Number:
        weight = np.ones(len(kept)) if weights is None else weights
        if weight.sum() <= 0:
            return Undefined(f"no {'mated' if kind == 'fnmr' else 'non-mated'} trials", counts)
        discarded, error = _curve(wrong, kept, weight)
        return area_to(discarded, error, limit) - (best_area(float(error[0]), limit) if minus_best else 0.0)

    less = ", less the area of the best order" if minus_best else ""
    rule = f"area under error-versus-discard up to {limit:g} by left steps{less}; {_rule(kind, threshold)}"
    return of_units(statistic, scores.trials.subjects[used], rule, counts, unit="", **options)
