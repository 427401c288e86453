"""One comparison: two aligned faces, and their score among the scores that the model gave on a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Undefined
from ..methods.known import densities
from ..methods.outcome import Outcome
from .saliency import draw_face, scaled
from .style import COLOURS, Picture, theme

OVERLAYS = {"for": ("similarity", "Greens"), "against": ("dissimilarity", "RdPu")}


def comparison_figure(outcomes: Sequence[Outcome], *, faces: bool = True, dark: bool = False) -> Picture:
    """A row for each model: the faces as it sees them, and where the score lies.

    Args:
        outcomes: at least one.
        faces: whether the faces may be shown.
        dark: for a dark page.
    """
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(8.2, 2.7 * len(outcomes)), layout="constrained")
        grid = figure.subplots(
            len(outcomes), 3, squeeze=False, gridspec_kw={"width_ratios": (1, 1, 3.4) if faces else (0.01, 0.01, 5)}
        )
        for row, outcome in zip(grid, outcomes, strict=True):
            _faces(row[:2], outcome, faces)
            _chart(row[2], outcome)
    return figure


def overlaid(chip: NDArray[np.uint8], saliency: NDArray[np.float32], colour: str) -> NDArray[np.uint8]:
    """A face's grey version under a map, which shows through where it is strong; ``uint8 (h, w, 3)``.

    Args:
        chip: ``uint8 (h, w, 3)``.
        saliency: ``float32 (h, w)``, scaled by itself.
        colour: matplotlib's name of a map of colours.
    """
    import matplotlib as mpl

    shown = scaled(saliency)
    grey = np.repeat(chip.mean(2, keepdims=True), 3, 2)
    share = (0.15 + 0.75 * shown)[..., None]
    mixed = grey * (1 - share) + 255 * mpl.colormaps[colour](shown)[..., :3] * share
    return np.asarray(mixed.round().clip(0, 255), np.uint8)


def _faces(axes: Sequence[Any], outcome: Outcome, show: bool) -> None:
    chips = iter(outcome.pair.chips)
    for place, side, why in zip(axes, ("reference", "probe"), outcome.pair.reasons, strict=True):
        if why or not show:
            place.axis("off")
            if show:
                place.text(0.5, 0.5, why, ha="center", va="center", wrap=True, transform=place.transAxes, fontsize=9)
        else:
            draw_face(place, next(chips), None, "")
        if show:
            place.set_title(side, fontsize=10)


def _chart(axes: Any, outcome: Outcome) -> None:
    known = outcome.known
    if known is not None:
        shape = densities(known.scores)
        counts = known.counts
        for heights, key, name, colour in (
            (shape.nonmated, "nonmated", "non-mated", COLOURS[3]), (shape.mated, "mated", "mated", COLOURS[0]),
        ):  # fmt: skip
            axes.stairs(heights, shape.edges, fill=True, color=colour, alpha=0.35)
            axes.stairs(heights, shape.edges, color=colour, lw=1.4, label=f"{name} ({counts[key]:,})")
    if not isinstance(outcome.threshold, Undefined):
        axes.axvline(outcome.threshold, color="#8a8a8a", lw=1.2, ls="--", label=f"threshold {outcome.threshold:.3f}")
    if outcome.score is not None:
        axes.axvline(outcome.score, color=axes.xaxis.label.get_color(), lw=2, label=f"this score {outcome.score:.3f}")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    where = f"scores on {known.on}" if known is not None else "no other scores known yet"
    axes.set_title(f"{outcome.model}: {outcome.decision or 'no decision'}; {where}".replace("$", r"\$"), fontsize=10,
                   loc="left")  # fmt: skip
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8.5, loc="upper left")
