"""Pictures of attribute answers: portraits with labels, scenes with who is meant, accuracies, confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core import Evidence
from ..methods.tiny_vlm import TrainedVLM
from ..methods.tiny_vlm_scoring import with_invalid
from ..methods.tiny_vlm_words import CLOSED, MARKS, TARGETS
from ..metrics.attributes import confusion
from ..studies.vlm_attributes import ARMS, Answered, Material
from .style import COLOURS, Picture, theme


def portraits(material: Material, *, count: int = 10, dark: bool = False) -> Picture:
    """Portraits of training below their four targets."""
    known = material.train
    texts = ["\n".join(CLOSED[t][known.labels[t][i]] for t in TARGETS) for i in range(count)]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(1.5 * (count // 2), 5), layout="constrained")
        for i, axes in enumerate(figure.subplots(2, count // 2).ravel()):
            axes.imshow(known.images[i], interpolation="nearest")
            axes.set_axis_off()
            axes.set_title(texts[i], fontsize=8)
        figure.suptitle("Portraits, and what is asked about each")
    return figure


def tails(material: Material, *, dark: bool = False) -> Picture:
    """How often each skin tone occurs in training and in the test."""
    names = CLOSED["skin tone"]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7, 2.8), layout="constrained")
        axes = figure.subplots()
        for k, (title, known) in enumerate((("training", material.train), ("test", material.test))):
            share = np.bincount(known.labels["skin tone"], minlength=len(names)) / len(known.images)
            axes.bar(np.arange(len(names)) + 0.4 * k - 0.2, 100 * share, 0.38, label=title)
        axes.set_xticks(np.arange(len(names)), names)
        axes.set_ylabel("pictures [%]")
        axes.legend()
        figure.suptitle("Skin tones: a long tail to learn from, even to be tested on")
    return figure


def crowds(material: Material, *, count: int = 6, dark: bool = False) -> Picture:
    """People side by side, and who is asked about."""
    shown = material.crowd
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(10, 4.6), layout="constrained")
        for i, axes in enumerate(figure.subplots(-(-count // 3), 3).ravel()):
            axes.imshow(shown.images[i], interpolation="nearest")
            axes.set_axis_off()
            told = CLOSED["sex-shape"][shown.labels["sex-shape"][i]]
            axes.set_title(f"the person with {MARKS[shown.mark[i]]}\n{told}", fontsize=9)
        figure.suptitle("Who is meant, and one answer about them")
    return figure


def losses(models: Mapping[str, TrainedVLM], *, dark: bool = False) -> Picture:
    """Suffix loss of each epoch."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(7, 3.2), layout="constrained")
        axes = figure.subplots()
        for name, model in models.items():
            axes.plot(np.arange(1, len(model.losses) + 1), model.losses, "o-", ms=4, label=name)
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss on the answer's words")
        axes.set_xticks(np.arange(1, 1 + max(len(m.losses) for m in models.values())))
        axes.set_ylim(0)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def accuracies(found: Evidence, *, dark: bool = False) -> Picture:
    """Accuracy of every arm on every target, with 95 % intervals over people."""
    names = [*TARGETS[:2], "merged age", *TARGETS[2:]]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9.5, 3.8), layout="constrained")
        axes = figure.subplots()
        arms = [a for a in ARMS if f"accuracy, {names[0]}: {a}" in found.numbers]
        for k, arm in enumerate(arms):
            estimates = [found.numbers[f"accuracy, {n}: {arm}"] for n in names]
            x = np.arange(len(names)) + 0.8 * (k - (len(arms) - 1) / 2) / len(arms)
            axes.bar(x, [100 * float(e) for e in estimates], 0.76 / len(arms), label=arm, color=COLOURS[k])
            for place, e in zip(x, estimates, strict=True):
                if isinstance(e.low, float) and isinstance(e.high, float):
                    axes.plot([place] * 2, [100 * e.low, 100 * e.high], color="#7f7f7f", lw=1.5)
        axes.set_xticks(np.arange(len(names)), names)
        axes.set_ylabel("accuracy [%]")
        axes.set_ylim(0, 100)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        figure.suptitle("Accuracy on people never seen; invalid answers are errors")
    return figure


def confusions(material: Material, told: Sequence[Answered], arm: str = "fine-tuned", *, dark: bool = False) -> Picture:
    """What one arm said of each class; the last column counts invalid answers."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(11, 9), layout="constrained")
        for axes, target in zip(figure.subplots(2, 2).ravel(), TARGETS, strict=True):
            said = next(a.said for a in told if (a.arm, a.target) == (arm, target))
            names = CLOSED[target]
            table = confusion(with_invalid(said, len(names)), material.test.labels[target], len(names) + 1)[:-1]
            share = table / np.maximum(table.sum(1, keepdims=True), 1)
            axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
            for (row, column), value in np.ndenumerate(share):
                if value >= 0.005:
                    ink = "white" if value > 0.55 else "black"
                    axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color=ink)
            axes.set_xticks(np.arange(len(names) + 1), [*names, "invalid"], rotation=40, ha="right", fontsize=9)
            axes.set_yticks(np.arange(len(names)), names, fontsize=9)
            axes.set_title(target)
        figure.supxlabel("said")
        figure.supylabel("true")
        figure.suptitle(f"{arm}: per cent of each true class")
    return figure


def addressing(material: Material, found: Evidence, *, dark: bool = False) -> Picture:
    """Accuracy about the person meant, with and without a description, for each target."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(8, 3.4), layout="constrained")
        axes = figure.subplots()
        for k, arm in enumerate(("described", "not described")):
            estimates = [found.numbers[f"accuracy about the person meant, {t}: {arm}"] for t in TARGETS]
            x = np.arange(len(TARGETS)) + 0.4 * k - 0.2
            axes.bar(x, [100 * float(e) if e.defined else 0 for e in estimates], 0.38, label=arm)
            for place, e in zip(x, estimates, strict=True):
                if isinstance(e.low, float) and isinstance(e.high, float):
                    axes.plot([place] * 2, [100 * e.low, 100 * e.high], color="#7f7f7f", lw=1.5)
        axes.set_xticks(np.arange(len(TARGETS)), TARGETS)
        axes.set_ylim(0, 100)
        axes.set_ylabel("accuracy [%]")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        figure.suptitle(f"{len(material.crowd_test.images)} scenes of two or three people: who is meant?")
    return figure
