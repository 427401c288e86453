"""Pictures of adversarial watermarking: who is attacked, what is put into pictures, and what each case does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Evidence
from ..methods import watermark as marks
from ..methods.watermark import Watermark
from ..methods.watermark_faces import Material
from ..studies.adversarial_watermark import (
    ACTIVATED,
    ARMS,
    AVERAGED,
    BITS,
    BUDGETS,
    DROP,
    EVASION,
    GAMMA,
    JOINT,
    MARK,
    OTHER,
    OWN,
    SIGNS,
    STEALTHY,
    Attacked,
    Model,
    Scored,
    owners,
)
from .style import COLOURS, Picture, theme

GREY = "#8a8a8a"
# Residuals are too small to be seen; they are shown as many times as large.
AMPLIFIED = 8
PHASE = {STEALTHY: COLOURS[0], ACTIVATED: COLOURS[3]}
Images = NDArray[np.uint8]


def _shown(axes: Any, picture: Images, hide: bool) -> None:
    axes.imshow(np.full_like(picture, 160) if hide else picture, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _hidden(material: Material, show: bool) -> str:
    return ", pictures hidden (show_faces = True shows them)" if material.real and not show else ""


def people(material: Material, *, count: int = 8, show: bool = False, dark: bool = False) -> Picture:
    """Probes, which are treated, and below each a reference of the same person, which is not."""
    with theme("dark" if dark else "light"):
        first = np.unique(material.subjects, return_index=True)[1][:count]
        figure = Picture(figsize=(1.3 * count, 3.4), layout="constrained")
        grid = figure.subplots(2, count, squeeze=False)
        for column in range(count):
            for line in grid:
                line[column].axis("off")
            if column < len(first):
                reference = material.reference[np.flatnonzero(material.probe == first[column])[0]]
                for line, picture in zip(
                    grid, (material.probes[first[column]], material.references[reference]), strict=True
                ):
                    line[column].axis("on")
                    _shown(line[column], picture, material.real and not show)
        for line, label in zip(grid, ("probe", "reference"), strict=True):
            line[0].set_ylabel(label, fontsize=10)
        figure.suptitle(f"People of the test: {material.name}{_hidden(material, show)}")
    return figure


def separation(model: Model, found: Scored | None = None, *, dark: bool = False) -> Picture:
    """Scores of the people who set the threshold and, if given, of the test's untreated probes."""
    scores, kind = model.scores.values, model.scores.trials.mated
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7, 3.4), layout="constrained")
        axes = figure.subplots()
        bins = np.linspace(min(-0.4, float(scores.min())), 1, 50).tolist()
        for label, values, colour in (
            ("non-mated", scores[~kind], GREY),
            ("mated", scores[kind], COLOURS[0]),
            *(() if found is None else (("mated, test", found.clean, COLOURS[2]),)),
        ):
            axes.hist(
                values, bins, density=True, histtype="step", color=colour, lw=1.8, label=f"{label} ({len(values)})"
            )
        axes.axvline(model.threshold, color=COLOURS[3], lw=1.5, ls="--", label=f"threshold {model.threshold:.2f}")
        axes.set_xlabel("cosine similarity")
        axes.set_ylabel("density")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    return figure


def learning(known: Mapping[str, Watermark], *, dark: bool = False) -> Picture:
    """Both losses of every watermark during training: loud and readable first, then quiet."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9.5, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for k, (name, trained) in enumerate(known.items()):
            width = max(1, len(trained.losses) // 25)
            smooth = np.stack([np.convolve(c, np.ones(width) / width, "valid") for c in trained.losses.T], 1)
            steps = np.arange(len(smooth)) + width // 2
            left.plot(steps, -10 * np.log10(smooth[:, 0]), color=COLOURS[k])
            right.plot(steps, smooth[:, 1], color=COLOURS[k], label=f"{name}: {trained.design.bits} bits")
        left.set_ylabel("PSNR of the watermark [dB]")
        right.set_ylabel("mean squared error of a bit")
        right.axhline(0.25, color=GREY, ls=":", lw=1, label="knowing nothing")
        for axes in (left, right):
            axes.set_xlabel("step of training")
        right.legend(fontsize=9)
    return figure


def _signed(difference: NDArray[np.float64]) -> Images:
    return np.clip(128 + AMPLIFIED * difference, 0, 255).astype(np.uint8)


def phases(
    material: Material, model: Model, known: Mapping[str, Watermark], made: Attacked, *, seed: int, count: int = 5,
    show: bool = False, dark: bool = False,
) -> Picture:  # fmt: skip
    """The four cases of some probes with their similarity to a reference, and what was added, amplified."""
    network = model.recogniser()
    # One probe of each person, as far as there are people.
    at = np.unique(material.subjects, return_index=True)[1][:count]
    said = owners(material, known[OWN], seed)[at]
    clean, moved = material.probes[at], made.pictures[at]
    alone, both = (marks.marked(known[OWN], pictures, said) for pictures in (clean, moved))
    reference = network.embed(
        material.references[[material.reference[np.flatnonzero(material.probe == i)[0]] for i in at]]
    )
    titles = ("clean", MARK, STEALTHY, ACTIVATED, f"perturbation\n× {AMPLIFIED}", f"watermark on it\n× {AMPLIFIED}")
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9.4, 1.72 * len(at) + 0.9), layout="constrained")
        grid = figure.subplots(len(at), len(titles), squeeze=False)
        for column, pictures in enumerate((clean, alone, moved, both)):
            scores = (network.embed(pictures) * reference).sum(1)
            for line, picture, score in zip(grid, pictures, scores, strict=True):
                _shown(line[column], picture, material.real and not show)
                verdict = "accepted" if score >= model.threshold else "rejected"
                line[column].set_xlabel(f"{score:.2f} {verdict}", fontsize=8, labelpad=2,
                                        color=PHASE[STEALTHY if score >= model.threshold else ACTIVATED])  # fmt: skip
        for column, (one, other) in enumerate(((clean, moved), (moved, both)), 4):
            for line, added in zip(grid, _signed(other.astype(np.float64) - one), strict=True):
                _shown(line[column], added, material.real and not show)
        for axes, title in zip(grid[0], titles, strict=True):
            axes.set_title(title, fontsize=9)
        figure.suptitle(
            f"{made.arm}: similarity to a reference, threshold {model.threshold:.2f}{_hidden(material, show)}"
        )
    return figure


def _point(axes: Any, y: float, e: Estimate, colour: str, marker: str = "o", label: str = "") -> None:
    if e.defined and isinstance(e.low, float) and isinstance(e.high, float):
        axes.plot([100 * e.low, 100 * e.high], [y, y], color=colour, lw=1.6)
        axes.plot([100 * float(e)], [y], marker, color=colour, ms=6, label=label or None)


def cases(found: Evidence, *, dark: bool = False) -> Picture:
    """True match rate of the four cases at every strength, and of random signs as a control."""
    rows = [("clean", "clean", GREY), (MARK, MARK, COLOURS[2])]
    for phase in (STEALTHY, ACTIVATED):
        rows += [(f"{phase}, {b}/255", f"{JOINT[b]}, {phase}", PHASE[phase]) for b in BUDGETS]
    rows += [(f"random signs + watermark, {b}/255", f"{SIGNS[b]}, {ACTIVATED}", COLOURS[4]) for b in BUDGETS]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(8, 4.2), layout="constrained")
        axes = figure.subplots()
        for y, (_, name, colour) in enumerate(rows):
            _point(axes, -y, found.numbers[f"true match rate: {name}"], colour)
        axes.set_yticks([-y for y in range(len(rows))], [label for label, _, _ in rows])
        axes.set_xlim(-2, 102)
        axes.set_xlabel("mated comparisons accepted [%], with 95 % intervals over people")
        axes.grid(axis="x", color=GREY, alpha=0.25)
    return figure


def balance(found: Evidence, *, gamma: float = 1.0, dark: bool = False) -> Picture:
    """What the weight of the stealthy phase does; ordinary evasion beside it, which knows no watermark."""
    weights = {**{g: GAMMA[g] for g in GAMMA}, gamma: JOINT[2]}
    order = sorted(weights)
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7.5, 3.8), layout="constrained")
        axes = figure.subplots()
        for phase, colour in PHASE.items():
            drops = [found.numbers[f"{DROP}: {weights[g]}, {phase}"] for g in order]
            places = np.arange(len(order), dtype=np.float64)
            axes.plot(places, [100 * float(d) for d in drops], "o-", color=colour, label=phase)
            other = found.numbers[f"{DROP}: {EVASION}, {phase}"]
            axes.plot([len(order)], [100 * float(other)], "s", color=colour)
            for x, d in zip([*places, len(order)], [*drops, other], strict=True):
                if isinstance(d.low, float) and isinstance(d.high, float):
                    axes.plot([x, x], [100 * d.low, 100 * d.high], color=colour, lw=1)
        axes.set_xticks(range(len(order) + 1), [*(f"{g:g}" for g in order), "ordinary\nevasion"])
        axes.set_xlabel("weight of the stealthy phase (gamma)")
        axes.set_ylabel("drop of the true match rate [points]")
        axes.axhline(0, color=GREY, lw=0.8)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        axes.set_title("Perturbations of 2/255")
    return figure


def knowledge(found: Evidence, *, dark: bool = False) -> Picture:
    """What the adversary must know: message, encoder, length; the drop of both phases, arm by arm."""
    arms: Sequence[str] = [a for a in ARMS if ARMS[a].budget == 2 and a not in GAMMA.values()]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(10, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        for y, arm in enumerate(arms):
            for phase, colour in PHASE.items():
                label = phase if y == 0 else ""
                _point(left, -y, found.numbers[f"{DROP}: {arm}, {phase}"], colour, label=label)
            if arm in (JOINT[2], AVERAGED):
                label = OTHER if arm == JOINT[2] else ""
                _point(left, -y - 0.25, found.numbers[f"{DROP}: {arm}, {OTHER}"], COLOURS[1], "D", label)
            _point(right, -y, found.numbers[f"{BITS}: {arm}"], COLOURS[2])
        left.set_yticks([-y for y in range(len(arms))], [a.removesuffix(" 2/255") for a in arms])
        left.axvline(0, color=GREY, lw=0.8)
        left.set_xlabel("drop of the true match rate [points]")
        right.axvline(50, color=GREY, lw=0.8, ls=":")
        right.set_xlabel("bits read rightly [%]; 50 is chance")
        figure.legend(loc="outside upper center", ncols=3, fontsize=9)
    return figure
