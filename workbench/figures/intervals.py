"""Numbers with their intervals as rows of dots: rates of groups, and effects against the limit that they must pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core import Estimate, Number, Result, Undefined, Verdict
from .style import COLOURS, Picture, theme
from .verification import REFERENCE

MARKS = {"supported": "✓", "refuted": "✗", "undecided": "?", "not testable here": "–"}


def groups_figure(rates: Mapping[str, Sequence[tuple[str, Estimate]]], title: str) -> Picture:
    """Rates of groups with their intervals, one panel for each error.

    Args:
        rates: of each error, by its name, the groups' rates.
        title: above.
    """
    with theme():
        rows = max((len(r) for r in rates.values()), default=0)
        figure = Picture(figsize=(9.6, 1.4 + 0.34 * rows), layout="constrained")
        for axes, (name, listed) in zip(np.ravel(figure.subplots(1, max(1, len(rates)))), rates.items(), strict=True):
            for row, (_, rate) in enumerate(listed):
                _dot(axes, row, rate)
            _named(axes, [group for group, _ in listed])
            axes.set(xlabel=name, xlim=(0, None))
        figure.suptitle(title.replace("$", r"\$"), x=0.01, ha="left", fontsize=12)
    return figure


def effects_figure(result: Result) -> Picture:
    """Every comparison's effect with its interval against the limit; the shaded side supports the claim."""
    parts = [(v, p) for v in result.verdicts for p in (v.parts or (v,))]
    with theme():
        figure = Picture(figsize=(9.6, max(1.5, 0.78 * len(parts))), layout="constrained")
        for axes, (whole, part) in zip(np.ravel(figure.subplots(max(1, len(parts)), 1)), parts, strict=False):
            _effect(axes, whole, part)
    return figure


def _effect(axes: Any, whole: Verdict, part: Verdict) -> None:
    said = f"{whole.claim} {MARKS[part.answer]} {part.answer}: {part.statement}".replace("$", r"\$")
    axes.set_title(said, loc="left", fontsize=9)
    axes.set_yticks([])
    axes.tick_params(labelsize=8)
    axes.spines["left"].set_visible(False)
    if part.effect is None or isinstance(part.effect.value, Undefined):
        axes.text(0, 0.3, part.reason[:110], fontsize=8, transform=axes.transAxes)
        axes.set_xticks([])
        return
    _dot(axes, 0, part.effect)
    if part.limit is not None:
        axes.axvline(part.limit, color=REFERENCE, ls="--", lw=1)
        low, high = axes.get_xlim()
        pad = 0.08 * (high - low)
        low, high = low - pad, high + pad
        favoured = (low, part.limit) if part.direction == "less" else (part.limit, high)
        axes.axvspan(*favoured, color=COLOURS[2], alpha=0.14, lw=0)
        axes.set_xlim(low, high)
    axes.set_ylim(-1, 1)


def _dot(axes: Any, row: int, estimate: Estimate) -> None:
    value: Number | None = estimate.value
    if isinstance(value, Undefined):
        axes.text(0.02, row, value.reason, fontsize=8.5, va="center", transform=axes.get_yaxis_transform())
        return
    if isinstance(estimate.low, float) and isinstance(estimate.high, float):
        axes.plot([estimate.low, estimate.high], [row, row], color=COLOURS[0], lw=2)
    axes.plot([value], [row], "o", color=COLOURS[0])


def _named(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [n.replace("$", r"\$") for n in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.25, lw=0.6)
