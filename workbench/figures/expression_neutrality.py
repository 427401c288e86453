"""Pictures of expression neutrality: the sets, both errors, discarding, and classification against utility."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..core import Estimate, Evidence, Undefined
from ..methods import neutrality
from ..methods.expression_faces import NEUTRAL_BELOW
from ..methods.expression_material import Described, Material, Recognition
from ..methods.neutrality_scoring import LIMIT, mated_scores
from ..metrics.quality import error_versus_discard
from ..metrics.two_class import TwoClass
from ..studies.expression_neutrality import (
    CLASSIFIERS,
    EER,
    FEATURES,
    PAUC,
    Classified,
    pair_qualities,
)
from .style import COLOURS, Picture, theme

COLOUR = dict(zip(CLASSIFIERS, COLOURS, strict=False))
MARK = dict(zip(FEATURES, "os^", strict=True))
TICKS = (0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
GREY = "#8a8a8a"


def sets(material: Material, *, columns: int = 8, show: bool = False, dark: bool = False) -> Picture:
    """Pictures of every set, of the references and of the probes, with what they show and how strongly.

    Real people are shown only when ``show`` says so.
    """
    rows = [f for f in (*material.sets, material.references, material.probes) if len(f)]
    hide = material.real and not show
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(1.15 * columns, 1.42 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for line, faces in zip(grid, rows, strict=True):
            # Spread over the set: pictures that lie side by side show one person.
            for i, axes in zip(np.linspace(0, len(faces) - 1, columns).astype(int), line, strict=True):
                axes.set_xticks([])
                axes.set_yticks([])
                axes.spines[:].set_visible(False)
                axes.imshow(_picture(faces.images[i], hide), interpolation="nearest")
                axes.set_title(faces.shown(i), fontsize=7, pad=2)
            line[0].set_ylabel(faces.name, fontsize=9)
        if hide:
            figure.suptitle("Pictures hidden (show_faces = True shows them)", fontsize=10)
    return figure


def _picture(image: NDArray[np.uint8], hide: bool) -> NDArray[np.uint8]:
    return np.full_like(image, 160) if hide else image


def _nothing(why: str, dark: bool) -> Picture:
    """A sentence in the place of a picture."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7, 0.8), layout="constrained")
        axes = figure.subplots()
        axes.set_axis_off()
        axes.text(0, 0.5, why, va="center")
    return figure


NO_TEST = "No comparisons or no recogniser were given: nothing is said about utility."


def harm(material: Material, recognition: Recognition | None, *, dark: bool = False) -> Picture:
    """Mated scores against the strength of the probe's expression, with the threshold."""
    if recognition is None:
        return _nothing(NO_TEST, dark)
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7, 3.8), layout="constrained")
        axes = figure.subplots()
        rejected = recognition.mated < recognition.threshold
        x = material.probes.strength
        known = material.probes.graded
        for some, name, colour in ((~rejected, "accepted", COLOURS[5]), (rejected, "rejected", COLOURS[3])):
            axes.plot(x[some], recognition.mated[some], ".", ms=4, color=colour, label=f"{name} ({int(some.sum())})")
        axes.axhline(recognition.threshold, color=GREY, lw=1, ls="--")
        if known:
            axes.axvspan(0, NEUTRAL_BELOW, color=GREY, alpha=0.25, lw=0, label="neutral")
        else:
            axes.set_xticks([0, 1], ["neutral", "other"])
            axes.set_xlim(-0.5, 1.5)
        axes.set_xlabel("intensity of the probe's expression" if known else "label of the probe")
        axes.set_ylabel("mated score [cosine]")
        told = "not known" if np.isnan(recognition.correlation) else f"{recognition.correlation:.2f}"
        axes.set_title(f"Does expression hurt recognition? Rank correlation {told}", loc="left")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
    return figure


def dets(material: Material, found: Classified, *, features: str = "A+B", dark: bool = False) -> Picture:
    """DET curves in every set that a classifier has not seen, axes in normal deviates."""
    count = len(material.sets)
    columns = min(4, count)
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(2.7 * columns, 3.0 * -(-count // columns) + 0.4), layout="constrained")
        grid = figure.subplots(-(-count // columns), columns, squeeze=False).ravel()
        for axes in grid[count:]:
            axes.set_axis_off()
        for i, (axes, faces) in enumerate(zip(grid, material.sets, strict=False)):
            for kind in CLASSIFIERS:
                rates = TwoClass(found.unseen[f"{kind}, {features}"][i], faces.neutral, faces.subjects).rates()
                if not isinstance(rates, Undefined):
                    axes.plot(_deviates(rates.false_positive), _deviates(rates.false_negative), lw=1.5,
                              color=COLOUR[kind], drawstyle="steps-post", label=kind if i == 0 else None)  # fmt: skip
            axes.plot([-4, 4], [-4, 4], color=GREY, lw=0.8, ls=":")
            _deviate_axes(axes)
            axes.set_title(faces.name, fontsize=10)
        figure.supxlabel("false neutral rate [%]")
        figure.supylabel("false non-neutral rate [%]")
        figure.legend(loc="outside upper center", ncols=len(CLASSIFIERS))
    return figure


def _deviates(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(stats.norm.ppf(np.clip(rates, 0.004, 0.99)), np.float64)


def _deviate_axes(axes: Any) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([float(stats.norm.ppf(t)) for t in TICKS], [f"{100 * t:g}" for t in TICKS])
        axis.set_tick_params(labelsize=8)
    low, high = float(stats.norm.ppf(0.004)), float(stats.norm.ppf(0.9))
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")


def extremes(
    material: Material, found: Classified, *, features: str = "A+B", count: int = 6, show: bool = False,
    dark: bool = False,
) -> Picture:  # fmt: skip
    """The probes that each classifier finds least and most neutral, with their quality from 0 to 100.

    Real people are shown only when ``show`` says so.
    """
    if not len(material.probes):
        return _nothing(NO_TEST, dark)
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(1.05 * 2 * count, 1.5 * len(CLASSIFIERS) + 0.4), layout="constrained")
        grid = figure.subplots(len(CLASSIFIERS), 2 * count)
        for line, kind in zip(grid, CLASSIFIERS, strict=True):
            arm = f"{kind}, {features}"
            quality = neutrality.quality(found.probes[arm], found.maps[arm])
            order = np.argsort(found.probes[arm], kind="stable")
            for axes, i in zip(line, [*order[:count], *order[-count:]], strict=True):
                axes.imshow(_picture(material.probes.images[i], material.real and not show), interpolation="nearest")
                axes.set_xticks([])
                axes.set_yticks([])
                axes.spines[:].set_visible(False)
                axes.set_title(f"{quality[i]:.0f}", fontsize=9, pad=2)
            line[0].set_ylabel(kind, fontsize=9)
        figure.suptitle(f"Quality 0 to 100: the {count} lowest and the {count} highest probes, {features}")
    return figure


def errors(found: Evidence, *, dark: bool = False) -> Picture:
    """Equal error rates in unseen sets by classifier and features, and of what needs no classifier."""
    beside = [n for n in found.statistics[EER] if n.startswith(("own neutral", "expression distance"))]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(8.5, 3.8), layout="constrained")
        axes = figure.subplots()
        for k, features in enumerate(FEATURES):
            x = np.arange(len(CLASSIFIERS)) + 0.27 * (k - 1)
            _bars(axes, x, [found.numbers[f"{EER}: {c}, {features}"] for c in CLASSIFIERS], COLOURS[k], features, 0.25)
        last = len(CLASSIFIERS) + np.arange(len(beside), dtype=np.float64)
        if beside:
            _bars(axes, last, [found.numbers[f"{EER}: {n}"] for n in beside], GREY, "no classifier", 0.6)
        labels = [*CLASSIFIERS, *(n.replace(" ", "\n", 1).replace(", ", "\n") for n in beside)]
        axes.set_xticks(np.arange(len(labels)), labels, fontsize=9)
        axes.set_ylim(0)
        axes.set_ylabel("EER, mean over unseen sets [%]")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _bars(
    axes: Any, x: NDArray[np.floating], estimates: list[Estimate], colour: str, label: str, width: float
) -> None:  # fmt: skip
    axes.bar(x, [100 * float(e) if e.defined else 0 for e in estimates], width, color=colour, label=label)
    for place, e in zip(x, estimates, strict=True):
        if isinstance(e.low, float) and isinstance(e.high, float):
            axes.plot([place] * 2, [100 * e.low, 100 * e.high], color="#5a5a5a", lw=1.5)


def discarding(
    material: Material, known: Described, found: Classified, recognition: Recognition | None, *,
    features: str = "A+B", dark: bool = False,
) -> Picture:  # fmt: skip
    """FNMR of what remains while the comparisons of lowest quality are discarded."""
    if recognition is None:
        return _nothing(NO_TEST, dark)
    scores = mated_scores(recognition.mated, material.reference, material.probes.subjects)
    qualities = pair_qualities(material, known, found)
    drawn = [(c, f"{c}, {features}", COLOUR[c], "-") for c in CLASSIFIERS]
    drawn += [("own neutral", f"own neutral, {features}", COLOURS[4], "-."), ("SER-FIQ", "SER-FIQ", COLOURS[3], "-."),
              ("embedding norm", "embedding norm", COLOURS[6], "-."), ("known strength", "intensity", COLOURS[5], ":"),
              ("random", "random", GREY, "--")]  # fmt: skip
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(8, 4.4), layout="constrained")
        axes = figure.subplots()
        start = float((recognition.mated < recognition.threshold).mean())
        for label, name, colour, style in (d for d in drawn if d[1] in qualities):
            curve = error_versus_discard(scores, qualities[name], recognition.threshold, ties="random")
            if not isinstance(curve, Undefined):
                axes.step(100 * curve.discarded, 100 * curve.error, where="post", color=colour, ls=style, lw=1.6,
                          label=label)  # fmt: skip
        axes.plot([0, 100 * start], [100 * start, 0], color=GREY, lw=1, ls=":", label="best possible")
        axes.axvspan(0, 100 * LIMIT, color=GREY, alpha=0.12, lw=0)
        axes.text(100 * LIMIT, 0.98, "pAUC ends here ", ha="right", va="top", fontsize=9, color=GREY,
                  transform=axes.get_xaxis_transform())  # fmt: skip
        axes.set_xlim(0, 60)
        axes.set_ylim(0, 200 * start)
        axes.set_xlabel("comparisons discarded, lowest quality first [%]")
        axes.set_ylabel("FNMR of the rest [%]")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def reversal(found: Evidence, *, dark: bool = False) -> Picture:
    """Classification against utility: every classifier on every features, with intervals over people."""
    if f"{PAUC}: random" not in found.numbers:
        return _nothing(NO_TEST, dark)
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7.6, 4.6), layout="constrained")
        axes = figure.subplots()
        for kind in CLASSIFIERS:
            for features in FEATURES:
                error, area = (found.numbers[f"{quantity}: {kind}, {features}"] for quantity in (EER, PAUC))
                if error.defined and area.defined:
                    place = (100 * float(error), 100 * float(area))
                    axes.errorbar(*place, xerr=_arms(error), yerr=_arms(area), fmt=MARK[features], color=COLOUR[kind],
                                  elinewidth=0.7, ms=7, label=f"{kind}, {features}")  # fmt: skip
        chance = found.numbers[f"{PAUC}: random"]
        if chance.defined:
            axes.axhline(100 * float(chance), color=GREY, ls="--", lw=1, label="discarding at random")
        axes.set_xlabel("EER in unseen sets [%], lower classifies better")
        axes.set_ylabel("pAUC of discarding [%], lower is more useful")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    return figure


def _arms(e: Estimate) -> list[list[float]] | None:
    """Lengths of an interval's arms in per cent."""
    if not (isinstance(e.low, float) and isinstance(e.high, float)):
        return None
    return [[max(0.0, 100 * (float(e) - e.low))], [max(0.0, 100 * (e.high - float(e)))]]
