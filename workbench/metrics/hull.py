"""The convex hull of the ROC curve (ROCCH), which is also the isotonic regression of mated on score.

A vertex of the hull is a threshold that is best for some costs (Provost and Fawcett 2001); the slope between two
vertices is the likelihood ratio that the pool-adjacent-violators algorithm gives the scores in between (Fawcett and
Niculescu-Mizil 2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Scores, Undefined
from .rates import ErrorRates, Fta, error_rates
from .resampling import of_scores
from .steps import Floats


def convex_vertices(x: Floats, y: Floats) -> NDArray[np.int64]:
    """Positions of the vertices of the lower convex hull of points that never fall in ``x`` nor in ``y``.

    Args:
        x: ``(n,)``.
        y: ``(n,)``.

    Returns:
        From the first point to the last one that differs from the one before; none on a line between two others.
    """
    moved = np.flatnonzero(np.r_[True, (np.diff(x) > 0) | (np.diff(y) > 0)])
    right, up = np.diff(x[moved]) > 0, np.diff(y[moved]) > 0
    # A corner needs a way right before it and a way up after it: most points of a large curve fall out here.
    inner = 1 + np.flatnonzero(right[:-1] & up[1:])
    candidates = moved[np.r_[0, inner, len(moved) - 1]] if len(moved) > 1 else moved
    xs, ys = x[candidates].tolist(), y[candidates].tolist()
    kept: list[int] = []
    for i in range(len(candidates)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            if (xs[b] - xs[a]) * (ys[i] - ys[a]) > (ys[b] - ys[a]) * (xs[i] - xs[a]):
                break
            kept.pop()
        kept.append(i)
    vertices: NDArray[np.int64] = candidates[kept]
    return vertices


def rocch(scores: Scores, *, fta: Fta = "reject") -> tuple[Floats, Floats] | Undefined:
    """Vertices of the convex hull: FMR, falling from 1, and FNMR, rising to 1.

    Accepting everything is a vertex even where failures to acquire make it unattainable.
    """
    rates = error_rates(scores, fta=fta)
    if isinstance(rates, Undefined):
        return rates
    nonmated, mated = rates.counts["nonmated"], rates.counts["mated"]
    # Whole numbers, so that points on a line are seen to be on it.
    rejected = np.r_[0.0, nonmated - np.rint(rates.fmr * nonmated)], np.r_[0.0, np.rint(rates.fnmr * mated)]
    at = convex_vertices(*rejected)
    return (nonmated - rejected[0][at]) / nonmated, rejected[1][at] / mated


def rocch_eer_of(rates: ErrorRates) -> Number:
    """Where the hull crosses FMR = FNMR."""
    x, y = np.r_[0.0, 1.0 - rates.fmr], np.r_[0.0, rates.fnmr]
    at = convex_vertices(x, y)
    fmr, gap = 1.0 - x[at], y[at] - (1.0 - x[at])
    after = int(np.argmax(gap >= 0))
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(fmr[after - 1] + share * (fmr[after] - fmr[after - 1]))


def rocch_eer(scores: Scores, **options: Any) -> Estimate:
    """Equal error rate on the convex hull of the ROC curve, as the Bosaris toolkit defines it.

    It is the highest cost that the best thresholds have over all priors (minimax). Points between two vertices are
    reached by choosing between two thresholds at random, so that in general no single threshold has it.

    Args:
        scores: one arm's scores.
        **options: of `resampling.of_scores`.
    """
    return of_scores(scores, rocch_eer_of, "EER on the convex hull of the ROC curve (Bosaris)", **options)
