"""Measures of explanations: curves' areas, mass inside a region, pointing, rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..core import ShapeError


def area(fractions: NDArray[np.float64], curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area under curves over a fraction axis, by trapezoids.

    Args:
        fractions: ``(k,)``, rising from 0 to 1.
        curves: ``(..., k)``.

    Returns:
        ``(...)``; 1 for a curve that stays at 1.
    """
    if fractions[0] != 0 or fractions[-1] != 1 or np.any(np.diff(fractions) <= 0):
        raise ShapeError("the axis must rise from 0 to 1", given=np.asarray(fractions).tolist())
    return np.asarray(np.trapezoid(curves, fractions, axis=-1))


def mass_ratio(maps: NDArray[np.floating], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of a map's mass inside a region, over the region's share of the area.

    Args:
        maps: ``(n, h, w)``, not negative.
        masks: ``(n, h, w)``, True inside.

    Returns:
        ``float64 (n,)``; 1 for a map that does not look at the region, NaN for an empty map or region.
    """
    if np.any(maps < 0):
        raise ShapeError("a map has negative mass", expected="values of at least 0")
    total = maps.sum(axis=(1, 2), dtype=np.float64)
    inside = np.where(masks, maps, 0).sum(axis=(1, 2), dtype=np.float64)
    share = masks.mean(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (inside / total) / share
    return np.where((total > 0) & (share > 0), ratio, np.nan)


def mass_share(maps: NDArray[np.floating], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of a map's mass inside a region, ``float64 (n,)``; NaN for an empty map."""
    total = maps.sum(axis=(1, 2), dtype=np.float64)
    inside = np.where(masks, maps, 0).sum(axis=(1, 2), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, inside / total, np.nan)


def pointing(maps: NDArray[np.floating], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Whether a map's highest pixel lies inside a region: 1 or 0 each; of equal pixels the share inside.

    Args:
        maps: ``(n, h, w)``.
        masks: ``(n, h, w)``, True inside.
    """
    highest = maps == maps.max(axis=(1, 2), keepdims=True)
    return np.asarray((highest & masks).sum(axis=(1, 2)) / highest.sum(axis=(1, 2)), dtype=np.float64)


def spearman(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rank correlation of two maps, mean rank for ties; NaN where one is constant.

    Args:
        one: ``(n, h, w)``.
        other: ``(n, h, w)``.
    """
    ranks = [stats.rankdata(m.reshape(len(m), -1), axis=1) for m in (one, other)]
    a, b = (r - r.mean(axis=1, keepdims=True) for r in ranks)
    norm = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norm > 0, (a * b).sum(axis=1) / norm, np.nan)


def hiding_game(right: NDArray[np.bool_], shares: NDArray[np.float64]) -> float:
    """Area under accuracy against the share of the picture that stays visible, the most salient pixels first.

    Args:
        right: ``bool (n, k)`` whether the decision on each item is right with that share visible.
        shares: ``float64 (k,)`` visible shares, rising, in [0, 1].

    Returns:
        Trapezoids over the range of ``shares``, divided by its width: 1 if a little suffices everywhere.

    Raises:
        ShapeError: shares that do not rise, or another number of them.
    """
    if right.ndim != 2 or right.shape[1] != len(shares) or len(shares) < 2 or np.any(np.diff(shares) <= 0):
        raise ShapeError(
            "decisions do not fit the visible shares",
            given=(right.shape, shares.tolist()),
            expected="(n, k) and k rising shares, k >= 2",
        )
    return float(np.trapezoid(right.mean(axis=0), shares) / (shares[-1] - shares[0]))
