"""Several arms' DET, ROC and scores with one threshold in all; curves of millions of points made drawable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..core import Undefined
from ..metrics import ErrorRates
from ..metrics.operating import Point
from .style import COLOURS, Picture, theme
from .verification import BINS, REFERENCE, TICKS

Floats = NDArray[np.float64]
COLUMNS = 1024
TOP = 0.6
DASHES: tuple[Any, ...] = ("-", (0, (6, 3)), (0, (2, 2)))


@dataclass(frozen=True)
class Span:
    """What the axes show, the same for all arms.

    Attributes:
        fmr: lowest and highest FMR; 0 is drawn at the lowest.
        fnmr: likewise.
        tmr: lowest and highest true match rate.
    """

    fmr: tuple[float, float]
    fnmr: tuple[float, float]
    tmr: tuple[float, float]


@dataclass(frozen=True)
class Arm:
    """One arm to draw.

    Attributes:
        name: of the arm.
        rates: at every threshold.
        point: where it works now.
    """

    name: str
    rates: ErrorRates | Undefined
    point: Point


def span(rates: Sequence[ErrorRates | Undefined]) -> Span:
    """Axes that hold every arm's curve, from half an error to an FMR of 60 %."""
    known = [r for r in rates if isinstance(r, ErrorRates)]
    fmr = max(min((0.5 / r.counts["nonmated"] for r in known), default=1e-3), 1e-8)
    fnmr = max(min((0.5 / r.counts["mated"] for r in known), default=1e-3), 1e-8)
    fmr, fnmr = min(fmr, 0.3), min(fnmr, 0.3)
    # Accepting nothing is no use to anybody: what counts is where the curves leave the left edge.
    worst = max((float(r.fnmr[r.fmr >= fmr].max()) for r in known), default=0.4)
    lowest = np.floor(10 * (1 - worst)) / 10
    return Span((fmr, TOP), (fnmr, min(max(0.4, worst * 1.1), 0.95)), (float(np.clip(lowest, 0, 0.9)), 1.0))


def thinned(position: Floats, ends: tuple[float, float], height: Floats | None = None) -> NDArray[np.int64]:
    """Indices of at most 2,048 points that draw a curve as all of its points do.

    Of every column of the picture the first and the last point stay; a curve that rises or falls throughout has its
    extremes there. Another curve gives its ``height``, and keeps the extremes, too, in half as many columns. What is
    drawn then lies within a column of the curve: less than a pixel where the picture has no more of them.

    Args:
        position: ``(n,)`` along the axis, not falling; infinite ones lie at the edge.
        ends: of the axis.
        height: ``(n,)``.
    """
    low, high = ends
    columns = COLUMNS if height is None else COLUMNS // 2
    column = np.minimum(np.floor((np.clip(position, low, high) - low) / (high - low) * columns), columns - 1)
    starts = np.flatnonzero(np.r_[True, column[1:] != column[:-1]])
    kept = np.r_[starts, starts[1:] - 1, len(position) - 1]
    if height is not None:
        parts = np.split(height, starts[1:])
        kept = np.r_[kept, starts + [int(p.argmin()) for p in parts], starts + [int(p.argmax()) for p in parts]]
    return np.unique(kept).astype(np.int64)


def det_points(rates: ErrorRates, ends: tuple[float, float]) -> tuple[Floats, Floats]:
    """FMR, rising, and FNMR of a curve thinned for an axis of normal deviates."""
    return _points(rates, ndtri(np.maximum(rates.fmr[::-1], ends[0])), (float(ndtri(ends[0])), float(ndtri(ends[1]))))


def roc_points(rates: ErrorRates, ends: tuple[float, float]) -> tuple[Floats, Floats]:
    """FMR, rising, and FNMR of a curve thinned for a logarithmic axis."""
    return _points(rates, np.log10(np.maximum(rates.fmr[::-1], ends[0])), (float(np.log10(ends[0])), 0.0))


def _points(rates: ErrorRates, position: Floats, ends: tuple[float, float]) -> tuple[Floats, Floats]:
    kept = thinned(position, ends)
    return rates.fmr[::-1][kept], rates.fnmr[::-1][kept]


def curves_figure(arms: Sequence[Arm], mated: Floats, nonmated: Floats, threshold: float) -> Picture:
    """Scores of the first arm, DET and ROC of all, with where they work.

    Args:
        arms: to draw.
        mated: scores of the first arm.
        nonmated: likewise.
        threshold: of the first arm.
    """
    with theme():
        figure = Picture(figsize=(12.6, 4.2), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        _scores(left, mated, nonmated, threshold)
        axes = span([a.rates for a in arms])
        for number, arm in enumerate(arms):
            colour, dash = COLOURS[(0, 3, 2)[number % 3]], DASHES[number % 3]
            if isinstance(arm.rates, ErrorRates):
                fmr, fnmr = det_points(arm.rates, axes.fmr)
                middle.plot(_deviates(fmr, axes.fmr), _deviates(fnmr, axes.fnmr), color=colour, ls=dash,
                            drawstyle="steps-post", label=arm.name.replace("$", r"\$"))  # fmt: skip
                fmr, fnmr = roc_points(arm.rates, axes.fmr)
                right.plot(np.maximum(fmr, axes.fmr[0]), 1 - fnmr, color=colour, ls=dash, drawstyle="steps-post")
                x, y = float(arm.point.fmr), float(arm.point.fnmr)
                middle.plot(_deviates(np.array([x]), axes.fmr), _deviates(np.array([y]), axes.fnmr), "o", color=colour)
                right.plot([max(x, axes.fmr[0])], [1 - y], "o", color=colour)
        _det_axes(middle, axes)
        right.set(xscale="log", xlim=(axes.fmr[0], 1), ylim=axes.tmr, xlabel="FMR, logarithmic", ylabel="1 − FNMR")
        right.set_title("ROC", loc="left")
        for panel in (middle, right):
            panel.grid(alpha=0.25, lw=0.6)
        if middle.get_legend_handles_labels()[0]:
            middle.legend(fontsize=9.5)
    return figure


def _deviates(rates: Floats, ends: tuple[float, float]) -> Floats:
    return np.asarray(ndtri(np.clip(rates, ends[0], 1 - 1e-4)), np.float64)


def _scores(axes: Any, mated: Floats, nonmated: Floats, threshold: float) -> None:
    both = np.r_[mated, nonmated]
    if len(both):
        edges = np.linspace(both.min(), both.max() if both.max() > both.min() else both.min() + 1, BINS + 1)
        for some, name, colour in ((mated, "mated", COLOURS[0]), (nonmated, "non-mated", COLOURS[3])):
            if len(some):
                axes.hist(some, edges, density=True, histtype="stepfilled", color=colour, alpha=0.4,
                          label=f"{name} ({len(some):,})")  # fmt: skip
        axes.axvline(threshold, color=REFERENCE, ls="--", label=f"T = {threshold:.4g}")
        axes.legend(fontsize=9.5)
    axes.locator_params(axis="x", nbins=6)
    axes.set_title("Scores", loc="left")
    axes.set(xlabel="comparison score", ylabel="density")


def _det_axes(axes: Any, ends: Span) -> None:
    ticks = [t for t in TICKS if ends.fmr[0] < t < 0.95]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([float(ndtri(t)) for t in ticks], [f"{100 * t:g} %" for t in ticks])
    axes.tick_params(axis="x", labelrotation=45)
    axes.set_xlim(*(float(ndtri(v)) for v in ends.fmr))
    axes.set_ylim(*(float(ndtri(v)) for v in ends.fnmr))
    axes.set_title("DET", loc="left")
    axes.set(xlabel="FMR, normal deviates", ylabel="FNMR, normal deviates")
