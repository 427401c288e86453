"""Pictures of verification: DET curves in normal deviates, and the scores that they come from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..core import Undefined
from ..methods.bands import Det
from ..methods.evaluation import Evaluation
from .style import COLOURS, Picture, theme

TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
MINOR = (*(m * 10.0**-k for k in range(3, 8) for m in (2, 5)), 0.02, 0.3, 0.5, 0.7)
BAND, REFERENCE = 0.22, "#8a8a8a"
BINS = 70


def det_figure(found: Evaluation, *, dark: bool = False) -> Picture:
    """FNMR against FMR on axes of normal deviates (Martin et al. 1997), with its band over capture subjects."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7.2, 6.2), layout="constrained")
        axes = figure.subplots()
        if isinstance(found.det, Undefined):
            _say(axes, f"No DET curve: {found.det.reason}")
            return figure
        _draw_det(axes, found, found.det, COLOURS[5] if dark else COLOURS[0])
        _mark(axes, found)
        axes.set_title(f"DET: {_literal(found.title)}", loc="left")
        axes.set_xlabel("FMR, axis in normal deviates")
        axes.set_ylabel("FNMR, axis in normal deviates")
        axes.legend(loc="upper right", fontsize=9.5)
    return figure


def score_figure(found: Evaluation, *, dark: bool = False) -> Picture:
    """Densities of mated and non-mated scores, with the thresholds of the operating points."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7.2, 4.2), layout="constrained")
        axes = figure.subplots()
        scores = found.scores
        if not scores.acquired.any():
            _say(axes, "No scores: every trial failed to acquire")
            return figure
        values = scores.values[scores.acquired]
        edges = _edges(values)
        for kind, name, colour in (
            (True, "mated", COLOURS[5] if dark else COLOURS[0]),
            (False, "non-mated", COLOURS[3]),
        ):
            some = scores.values[scores.acquired & (scores.trials.mated == kind)]
            if len(some):
                axes.hist(some, edges, density=True, histtype="stepfilled", color=colour, alpha=0.35)
                axes.hist(some, edges, density=True, histtype="step", color=colour, lw=1.6,
                          label=f"{name} ({len(some):,})")  # fmt: skip
        axes.set_ylim(0, axes.get_ylim()[1] * 1.18)
        _thresholds(axes, found)
        failed = f"; {scores.failures:,} without a score" if scores.failures else ""
        axes.set_title(f"Scores: {_literal(found.title)}{failed}", loc="left")
        axes.set_xlabel("comparison score, higher is more similar")
        axes.set_ylabel("density")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9.5)
    return figure


def _literal(text: str) -> str:
    """A name as it is: between two dollar signs matplotlib would see a formula."""
    return text.replace("$", r"\$")


def _say(axes: Any, text: str) -> None:
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)


def _draw_det(axes: Any, found: Evaluation, det: Det, colour: str) -> None:
    counts = found.counts
    floor_x = max(det.target[0], 1e-7)
    floor_y = 0.5 / max(counts["mated"], 1)
    shown = det.fnmr[det.target >= floor_x]
    top = min(max(0.4, float(shown.max()) * 1.1), 0.95)
    x, y = _deviates(det.target, floor_x), _deviates(det.fnmr, floor_y)
    if isinstance(det.low, np.ndarray) and isinstance(det.high, np.ndarray):
        axes.fill_between(
            x, _deviates(det.low, floor_y), _deviates(det.high, floor_y), step="post", alpha=BAND, lw=0,
            color=colour, label=f"95 % band over {counts['subjects']:,} capture subjects",
        )  # fmt: skip
    axes.plot(x, y, color=colour, lw=2, drawstyle="steps-post", label=f"DET of {_literal(found.scores.arm)}")
    low, high = float(stats.norm.ppf(floor_x)), float(stats.norm.ppf(0.6))
    axes.plot([-6, 2], [-6, 2], color=REFERENCE, lw=0.8, ls=":", zorder=0)
    few = 30 / counts["nonmated"]
    if floor_x < few < 0.5:
        axes.axvspan(low, float(stats.norm.ppf(few)), color=REFERENCE, alpha=0.18, lw=0, zorder=0,
                     label="fewer than 30 false matches")  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([float(stats.norm.ppf(t)) for t in TICKS], [_text(t) for t in TICKS])
        axis.set_ticks([float(stats.norm.ppf(t)) for t in MINOR], minor=True)
    axes.set_xlim(low, high)
    axes.set_ylim(float(stats.norm.ppf(floor_y)), float(stats.norm.ppf(top)))
    axes.grid(alpha=0.25, lw=0.6)
    if not shown.any():
        axes.text(0.5, 0.5, "No errors here: FNMR is 0 at every FMR shown", ha="center", transform=axes.transAxes)
    elif shown.min() == 0:
        axes.text(0.99, 0.015, "FNMR 0 is drawn at the lower edge", ha="right", fontsize=9, color=REFERENCE,
                  transform=axes.transAxes)  # fmt: skip


def _deviates(rates: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """Normal deviates; a rate of 0 or 1, which has none, is drawn at the edge."""
    return np.asarray(stats.norm.ppf(np.clip(rates, floor, 1 - 1e-4)), dtype=np.float64)


def _text(rate: float) -> str:
    return f"{rate:g}" if rate >= 1e-3 else f"$10^{{{round(np.log10(rate))}}}$"


def _mark(axes: Any, found: Evaluation) -> None:
    """The point of the equal error rate: on the curve, where both rates differ least."""
    threshold = found.thresholds.get("EER")
    det = found.det
    if not isinstance(threshold, float) or isinstance(det, Undefined):
        return
    mated = found.scores.trials.mated
    accepted = found.scores.acquired & (np.where(found.scores.acquired, found.scores.values, -np.inf) >= threshold)
    x, y = float(accepted[~mated].mean()), float((~accepted[mated]).mean())
    if min(x, y) > 0:
        point = [float(stats.norm.ppf(v)) for v in (x, y)]
        axes.plot(*point, "o", color=COLOURS[3], ms=6, zorder=5, label=f"EER {found.numbers['EER']}")


def _edges(values: NDArray[np.float64]) -> list[float]:
    low, high = float(values.min()), float(values.max())
    return [float(e) for e in np.linspace(low, high if high > low else low + 1, BINS + 1)]


def _thresholds(axes: Any, found: Evaluation) -> None:
    """A line at each threshold; its name stands along it, those that are close share one."""
    width = float(np.ptp(axes.get_xlim()))
    groups: list[tuple[float, list[str]]] = []
    known = {name: value for name, value in found.thresholds.items() if isinstance(value, float)}
    for name, value in sorted(known.items(), key=lambda item: item[1]):
        short = name.removeprefix("FNMR at ")
        axes.axvline(value, color=REFERENCE, lw=0.9, ls="--")
        if groups and value - groups[-1][0] < 0.022 * width:
            groups[-1][1].append(short)
        else:
            groups.append((value, [short]))
    for value, names in groups:
        axes.text(value, 0.99, " " + ", ".join(names), rotation=90, va="top", ha="right", fontsize=8.5,
                  transform=axes.get_xaxis_transform())  # fmt: skip
