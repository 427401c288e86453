"""Unlinkability of protected templates: can two templates, made with different keys, be told to be of one person?

Gomez-Barrero et al. 2018, "General framework to evaluate unlinkability in biometric template protection systems":
``D(s) = 2 w LR / (1 + w LR) - 1`` where ``w LR(s) > 1``, else 0; ``D_sys = integral D(s) p(s | mated) ds``. Densities
are histograms, whose number of bins moves the value; so it is part of the rule.
Maximal linkability: Otroshi Shahreza et al. 2023.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, ShapeError, Undefined

Floats = NDArray[np.float64]
Integral = Literal["sum", "trapezoid"]


def densities(mated: Floats, nonmated: Floats, bins: int) -> tuple[Floats, Floats, Floats]:
    """Histogram densities over equal bins from the joint minimum to the joint maximum, and the bins' edges."""
    if bins < 2:
        raise ShapeError("a histogram needs bins", given=bins, expected="at least 2")
    both = np.concatenate([mated, nonmated])
    if not np.all(np.isfinite(both)):
        raise ShapeError("a score is not finite", do="leave out failures to acquire and count them")
    edges = np.linspace(both.min(), both.max(), bins + 1)
    one, other = (np.histogram(v, edges, density=True)[0] for v in (mated, nonmated))
    return one, other, edges


def local_linkability(mated: Floats, nonmated: Floats, omega: float = 1.0) -> Floats:
    """``D(s)`` from the two densities: 1 where only mated scores are, 0 where none are.

    Args:
        mated: density ``(bins,)``.
        nonmated: density ``(bins,)``.
        omega: prior odds of mated against non-mated.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = omega * np.where(nonmated > 0, mated / nonmated, np.inf)
        found: Floats = np.where(ratio > 1, 2 / (1 + 1 / ratio) - 1, 0.0)
    return np.where(mated > 0, found, 0.0)


def _counts(mated: Floats, nonmated: Floats) -> dict[str, int]:
    return {"mated": len(mated), "nonmated": len(nonmated)}


def system_linkability(
    mated: Floats, nonmated: Floats, *, bins: int = 100, omega: float = 1.0, integral: Integral = "sum"
) -> Estimate:
    """``D_sys``: 0 unlinkable, 1 fully linkable.

    Args:
        mated: scores of two protected templates of one person under different keys.
        nonmated: likewise of different people.
        bins: of the histograms.
        omega: prior odds.
        integral: ``"sum"`` over bins; ``"trapezoid"`` over their centres, as dasec/unlinkability-metric does, loses
            half a bin at each end: disjoint scores then give less than 1.
    """
    counts = _counts(mated, nonmated)
    rule = f"D_sys, {bins} equal bins over both, omega {omega:g}, {integral}"
    if min(len(mated), len(nonmated)) == 0:
        return Estimate(Undefined("no scores of one kind", counts), rule=rule, counts=counts)
    one, other, edges = densities(mated, nonmated, bins)
    weighted = local_linkability(one, other, omega) * one
    if integral == "sum":
        value = float(weighted @ np.diff(edges))
    elif integral == "trapezoid":
        value = float(np.trapezoid(weighted, (edges[1:] + edges[:-1]) / 2))
    else:
        raise ShapeError("unknown integral", given=integral, expected="'sum' or 'trapezoid'")
    return Estimate(value, rule=rule, counts=counts)


def maximal_linkability(mated: Floats, nonmated: Floats, *, bins: int = 30) -> Estimate:
    """``log2 sum max(p_mated, p_nonmated) width``: bits that the best question leaks; 0 to 1.

    Args:
        mated: see `system_linkability`.
        nonmated: likewise.
        bins: of the histograms.
    """
    counts = _counts(mated, nonmated)
    rule = f"maximal linkability, {bins} equal bins over both, bits"
    if min(len(mated), len(nonmated)) == 0:
        return Estimate(Undefined("no scores of one kind", counts), rule=rule, counts=counts, unit="bit")
    one, other, edges = densities(mated, nonmated, bins)
    value = float(np.log2(np.maximum(one, other) @ np.diff(edges)))
    return Estimate(value, rule=rule, counts=counts, unit="bit")
