"""The candidates of one search as bars, with the threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .style import COLOURS, Picture, theme


def candidates_figure(
    names: Sequence[str], scores: Sequence[float], threshold: float | None, *, dark: bool = False
) -> Picture:
    """A bar for each candidate, best first; those below the threshold are hatched.

    Args:
        names: of the candidates, at least one.
        scores: of the candidates.
        threshold: None where there is none.
        dark: for a dark page.
    """
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7.2, 0.8 + 0.34 * len(names)), layout="constrained")
        axes = figure.subplots()
        ends = [*scores, *([] if threshold is None else [threshold])]
        low, high = min(ends), max(ends)
        base = low - 0.15 * max(high - low, 1e-3)
        for place, score in enumerate(scores):
            above = threshold is not None and score >= threshold
            axes.barh(place, score - base, left=base, height=0.7, color=COLOURS[0] if above else "none",
                      edgecolor=COLOURS[0], hatch="" if above else "///")  # fmt: skip
            axes.text(score, place, f" {score:.3f}", va="center", fontsize=9)
        if threshold is not None:
            axes.axvline(threshold, color=axes.xaxis.label.get_color(), ls="--", lw=1.4)
            axes.set_title(f"dashed: threshold {threshold:.3f}; hatched: below it", fontsize=10, loc="left")
        short = [name if len(name) <= 32 else f"{name[:31]}…" for name in names]
        axes.set_yticks(np.arange(len(names)), [name.replace("$", r"\$") for name in short])
        axes.invert_yaxis()
        axes.set_xlim(base, high + 0.15 * max(high - base, 1e-3))
        axes.set_xlabel("comparison score, higher is more similar")
    return figure
