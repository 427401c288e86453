"""Pictures of multi-modal attack detection: presentations, losses of the modalities, errors when modalities fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Evidence
from ..methods.multimodal_faces import inputs
from ..methods.multimodal_network import MODALITIES
from ..methods.multimodal_training import NAMES as ARMS
from ..methods.multimodal_training import Trained
from ..studies.multimodal_antispoofing import (
    AUC,
    COMPLETE,
    HTER,
    MISSING,
    NOISE,
    SHARES,
    UNEVEN,
    Material,
    Scored,
    conditions,
)
from .style import COLOURS, Picture, theme

COLOUR = dict(zip(ARMS, (COLOURS[6], COLOURS[1], COLOURS[5], COLOURS[0]), strict=True))
STREAM = dict(zip(MODALITIES, (COLOURS[3], COLOURS[0], COLOURS[4]), strict=True))
GREY = "#8a8a8a"


def presentations(material: Material, *, columns: int = 6, show: bool = False, dark: bool = False) -> Picture:
    """A live person and instruments of each domain in colour, depth and infrared; real people only with ``show``."""
    train = material.train
    with theme("dark" if dark else "light"):
        if train.real and not show:
            return _hidden()
        # Two domains side by side, with a narrow gap between them.
        lines = -(-len(material.domains) // 2)
        figure = Picture(figsize=(0.86 * (2 * columns + 1), 2.9 * lines), layout="constrained")
        grid = figure.subplots(3 * lines, 2 * columns + 1, width_ratios=[*[1] * columns, 0.45, *[1] * columns])
        for axes in grid.ravel():
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
            axes.patch.set_visible(False)
        for d, domain in enumerate(material.domains):
            rows = grid[3 * (d // 2) : 3 * (d // 2) + 3, (d % 2) * (columns + 1) :]
            for line, label in zip(rows, MODALITIES, strict=True):
                line[0].set_ylabel(label, fontsize=8)
            rows[0][0].set_title(f"{domain}: live", fontsize=8, loc="left", pad=2)
            for k, i in enumerate(_examples(material, domain, columns)):
                rows[0][k].imshow(train.rgb[i], interpolation="nearest")
                for line, picture in ((rows[1], train.depth[i]), (rows[2], train.infrared[i])):
                    line[k].imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
                if train.attack[i]:
                    rows[0][k].set_title(train.species[i], fontsize=7, pad=2)
    return figure


def _hidden() -> Picture:
    figure = Picture(figsize=(7, 0.8))
    figure.suptitle("Pictures of real people are shown with show_faces=True")
    return figure


def _examples(material: Material, domain: str, columns: int) -> list[int]:
    """Two live presentations and one of each instrument species, as many as there is room for."""
    inside = material.train.domain == domain
    live = np.flatnonzero(inside & ~material.train.attack)[:2]
    kinds = [str(s) for s in np.unique(material.train.species[inside & material.train.attack])]
    attacks = [int(np.flatnonzero(inside & (material.train.species == s))[0]) for s in kinds]
    return [*live.tolist(), *attacks][:columns]


def spoilt(material: Material, *, show: bool = False, dark: bool = False) -> Picture:
    """One person's depth stream as the test spoils it, and the infrared stream's three channels."""
    one = material.tests()[0].take(np.array([0]))
    with theme("dark" if dark else "light"):
        if one.real and not show:
            return _hidden()
        figure = Picture(figsize=(9.2, 1.5), layout="constrained")
        seen = conditions(inputs(one), 0)
        panels = [(("depth", *(f"{s:.0%} noise" for s in SHARES))[k], seen[c][0, 1, 0])
                  for k, c in enumerate((COMPLETE, *NOISE))]  # fmt: skip
        panels += [("missing", seen["no depth"][0, 1, 0])]
        panels += [(name, seen[COMPLETE][0, 2, k]) for k, name in enumerate(("infrared", "gradients", "force"))]
        for axes, (name, picture) in zip(figure.subplots(1, len(panels)), panels, strict=True):
            axes.imshow(picture.numpy(), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
            axes.set_title(name, fontsize=9)
            axes.set_axis_off()
    return figure


def balance(
    material: Material, known: Mapping[str, tuple[Trained, ...]], found: Evidence, *, dark: bool = False
) -> Picture:
    """Prototypical losses of the three modalities while the first target's networks learn, summed and rebalanced."""
    arms = ("u-adapter", "full")
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9.5, 3.6), layout="constrained")
        grid = figure.subplots(1, 2, sharey=True)
        for axes, arm in zip(grid, arms, strict=True):
            losses = known[arm][0].losses
            for m, name in enumerate(MODALITIES, 1):
                axes.plot(np.arange(1, len(losses) + 1), _smooth(losses[:, m]), color=STREAM[name], lw=1.8, label=name)
            ratio = found.numbers[f"{UNEVEN}: {arm}"]
            axes.set_title(f"{arm}\nslowest / fastest at the end {ratio}", fontsize=10, loc="left")
            axes.set_xlabel("step")
        grid[0].set_ylabel("prototypical loss [nats]")
        grid[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
        figure.suptitle(f"{material.targets[0]} left out; mean of 7 steps; ratios over all targets", fontsize=10)
    return figure


def _smooth(values: NDArray[np.float64], width: int = 7) -> NDArray[np.float64]:
    """Mean over the neighbours there are."""
    window = np.ones(min(width, len(values)))
    found: NDArray[np.float64] = np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")
    return found


def scores(material: Material, found: Scored, *, dark: bool = False) -> Picture:
    """Scores of the arms on each target: live, and attacks by species."""
    with theme("dark" if dark else "light"):
        targets = len(material.targets)
        figure = Picture(figsize=(11, 2.9 * targets), layout="constrained")
        grid = figure.subplots(targets, len(ARMS), sharex="col", sharey="row", squeeze=False)
        for line, shown, number in zip(grid, material.tests(), range(targets), strict=True):
            kinds = ["", *np.unique(shown.species[shown.attack])]
            for axes, arm in zip(line, ARMS, strict=True):
                values = found.scores[COMPLETE][arm][number]
                for row, kind in enumerate(kinds):
                    own = values[shown.species == kind]
                    shift = np.linspace(-0.25, 0.25, len(own))
                    axes.plot(own, row + shift, ".", ms=4, color=COLOURS[2] if kind == "" else COLOURS[3])
                axes.set_title(arm, fontsize=10)
                axes.set_yticks(range(len(kinds)), ["live", *kinds[1:]], fontsize=9)
                axes.set_ylim(len(kinds) - 0.5, -0.5)
            line[0].set_ylabel(f"{material.targets[number]} left out")
        figure.supxlabel("attack score [logit]")
    return figure


def errors(found: Evidence, *, dark: bool = False) -> Picture:
    """HTER of the arms with all modalities and without some, with intervals over people."""
    names = [COMPLETE, *MISSING]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9, 3.8), layout="constrained")
        axes = figure.subplots()
        for k, arm in enumerate(ARMS):
            x = np.arange(len(names)) + 0.2 * (k - 1.5)
            own = [found.numbers[_hter(c, arm)] for c in names]
            area = found.numbers[f"{AUC}: {arm}"]
            label = f"{arm} (AUC {float(area):.3f})" if area.defined else arm
            _bars(axes, x, own, COLOUR[arm], label)
        axes.axhline(50, color=GREY, lw=1, ls=":")
        axes.set_xticks(np.arange(len(names)), names)
        axes.set_ylim(0)
        axes.set_ylabel("HTER, mean over targets [%]")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _hter(condition: str, arm: str) -> str:
    return f"{HTER}: {arm}" if condition == COMPLETE else f"{HTER}, {condition}: {arm}"


def _bars(axes: Any, x: NDArray[np.floating], estimates: list[Estimate], colour: str, label: str) -> None:
    axes.bar(x, [100 * float(e) if e.defined else 0 for e in estimates], 0.19, color=colour, label=label)
    for place, e in zip(x, estimates, strict=True):
        if isinstance(e.low, float) and isinstance(e.high, float):
            axes.plot([place] * 2, [100 * e.low, 100 * e.high], color="#5a5a5a", lw=1.5)


def corruption(found: Evidence, *, dark: bool = False) -> Picture:
    """HTER while more and more of the depth picture is noise."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7.6, 3.8), layout="constrained")
        axes = figure.subplots()
        for k, arm in enumerate(ARMS):
            own = [found.numbers[_hter(c, arm)] for c in (COMPLETE, *NOISE)]
            # A little beside one another, so that intervals can be told apart.
            x = 100 * np.array([0, *SHARES]) + 0.8 * (k - 1.5)
            y = [100 * float(e) if e.defined else np.nan for e in own]
            axes.plot(x, y, "o-", ms=4, lw=1.8, color=COLOUR[arm], label=arm)
            for place, e in zip(x, own, strict=True):
                if isinstance(e.low, float) and isinstance(e.high, float):
                    axes.plot([place] * 2, [100 * e.low, 100 * e.high], color=COLOUR[arm], lw=1, alpha=0.6)
        axes.set_xticks([0, *(100 * s for s in SHARES)])
        axes.set_xlabel("depth patches that are noise [%]")
        axes.set_ylabel("HTER, mean over targets [%]")
        axes.set_ylim(0)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def closed_form(material: Material, found: Scored, *, dark: bool = False) -> Picture:
    """Scores of "full" against those with the closed form of its uncertainty, and with other draws of it."""
    own = np.concatenate(found.scores[COMPLETE]["full"])
    attack = np.concatenate([t.attack for t in material.tests()])
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7.4, 3.6), layout="constrained")
        grid = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, name, other in zip(grid, ("closed form", "drawn again"), (found.closed, found.again), strict=True):
            values = np.concatenate(other)
            for mask, colour, label in ((~attack, COLOURS[2], "live"), (attack, COLOURS[3], "attack")):
                axes.plot(own[mask], values[mask], ".", ms=5, color=colour, label=label)
            ends = [min(own.min(), values.min()), max(own.max(), values.max())]
            axes.plot(ends, ends, color=GREY, lw=0.8, ls=":")
            axes.set_title(f"{name}: mean change {np.abs(values - own).mean():.1e}", fontsize=10)
            axes.set_xlabel("score with 20 samples [logit]")
        grid[0].set_ylabel("score the other way [logit]")
        grid[1].legend(loc="lower right")
    return figure
