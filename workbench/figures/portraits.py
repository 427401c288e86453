"""Morphs and perturbations: a picture beside its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..methods.morphing import MorphScores
from .style import COLOURS, Picture, theme


def morph_figure(
    found: Sequence[MorphScores], share: float, shown: NDArray[np.uint8] | None, *, dark: bool = False
) -> Picture:
    """Scores against both contributors along the way from one to the other.

    Args:
        found: of each recogniser.
        share: of the second person, marked in the picture.
        shown: the morph ``uint8 (s, s, 3)``, or None to leave it out.
        dark: theme.
    """
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(8 if shown is not None else 5, 3.2), layout="constrained")
        places = figure.subplots(1, 1 + (shown is not None), squeeze=False)[0]
        axes = places[-1]
        for i, scores in enumerate(found):
            for side, name in enumerate(("first", "second")):
                axes.plot(
                    scores.shares, scores.scores[:, side], "-" if side == 0 else "--", color=COLOURS[i],
                    label=f"{scores.model}, {name}",
                )  # fmt: skip
            if scores.threshold is not None:
                axes.axhline(scores.threshold, color=COLOURS[i], lw=0.8, ls=":", label=f"{scores.model}, threshold")
        axes.axvline(share, color="#7f7f7f", lw=0.8)
        axes.set_xlabel("share of the second person")
        axes.set_ylabel("comparison score")
        axes.set_title("Scores of the morph against both")
        axes.legend(fontsize=7)
        if shown is not None:
            places[0].imshow(shown)
            places[0].set_axis_off()
            places[0].set_title(f"morph, {share:.0%} of the second")
    return figure


def attack_figure(
    budgets: Sequence[int], scores: Mapping[str, Sequence[float]], threshold: float | None, attacked: str,
    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None, *, dark: bool = False,
) -> Picture:  # fmt: skip
    """Scores over the budget of a perturbation.

    Args:
        budgets: levels of 255.
        scores: of each recogniser at each budget.
        threshold: of the attacked recogniser, or None.
        attacked: its name.
        pictures: the picture before and after, or None to leave them out.
        dark: theme.
    """
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9 if pictures is not None else 5, 3.2), layout="constrained")
        places = figure.subplots(1, 1 + 2 * (pictures is not None), squeeze=False)[0]
        axes = places[-1]
        for i, (name, values) in enumerate(scores.items()):
            said = f"{name}, attacked" if name == attacked else name
            axes.plot(budgets, values, "o-" if name == attacked else "o--", color=COLOURS[i], label=said)
        if threshold is not None:
            axes.axhline(threshold, color=COLOURS[0], lw=0.8, ls=":", label="threshold of the attacked")
        axes.set_xlabel("budget, levels of 255")
        axes.set_ylabel("comparison score")
        axes.set_title("Score over the budget")
        axes.legend(fontsize=7)
        for place, picture, title in zip(
            places, pictures or (), ("before", f"after, budget {budgets[-1]}"), strict=False
        ):
            place.imshow(picture)
            place.set_axis_off()
            place.set_title(title)
    return figure
