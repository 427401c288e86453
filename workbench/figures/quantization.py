"""Pictures of quantisation: levels, fine-tuning, match rate against size, and the integer file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core import Estimate, Evidence
from ..methods import quantization as q
from ..methods.ekd import SMALL_BATCH
from ..methods.quantization_arms import BITS, FP, FULL, HALF, Arm, compared, named
from ..methods.quantization_data import Material
from ..methods.quantization_networks import Recogniser
from ..studies.quantization import TMR, Integer
from .style import COLOURS, Picture, theme

GREY = "#8a8a8a"
KINDS = {"PTQ": ("calibrated only", COLOURS[1], "s"), "KD-small": ("fine-tuned, small set", COLOURS[0], "o"),
         "KD-full": ("fine-tuned, full set", COLOURS[2], "^"),
         "KD+EKD-small": ("fine-tuned with EKD, small set", COLOURS[3], "D")}  # fmt: skip


def faces(material: Material, *, columns: int = 12, show: bool = False, dark: bool = False) -> Picture:
    """People of the small set, of the full set besides, and of the test; real people only when ``show`` says so."""
    rest = np.setdiff1d(np.arange(len(material.train)), material.small)
    rows = [
        ("small set", material.train[material.small]),
        ("rest of the\nfull set", material.train[rest]),
        ("test", material.test),
    ]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(0.9 * columns, 3.4), layout="constrained")
        grid = figure.subplots(3, columns, squeeze=False)
        for line, (name, images) in zip(grid, rows, strict=True):
            for axes, i in zip(line, np.linspace(0, max(0, len(images) - 1), columns).astype(int), strict=True):
                axes.set_xticks([])
                axes.set_yticks([])
                axes.spines[:].set_visible(False)
                if len(images):
                    hidden = material.real and not show
                    axes.imshow(np.full_like(images[i], 160) if hidden else images[i], interpolation="nearest")
            line[0].set_ylabel(f"{name}\n{len(images)}", fontsize=9)
        note = ", pictures hidden (show_faces = True shows them)" if material.real and not show else ""
        figure.suptitle(f"Pictures: {material.name}{note}")
    return figure


def levels(known: Mapping[str, Recogniser], *, channels: int = 6, dark: bool = False) -> Picture:
    """Weights of some channels of one layer, and where a few bits let them be: one range a channel, or one for all."""
    network = known[FULL].network()
    layer = max((m for m in network.modules() if isinstance(m, torch.nn.Conv2d)), key=lambda m: m.weight.std())
    weight = layer.weight.detach()
    order = np.linspace(0, len(weight) - 1, min(channels, len(weight))).astype(int)
    whole = weight.min(), weight.max()
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(10, 3.6), layout="constrained")
        grid = figure.subplots(1, 2, sharey=True, sharex=True)
        for axes, name in zip(grid, ("one range a channel", "one range for all"), strict=True):
            for row, c in enumerate(order):
                low, high = (weight[c].min(), weight[c].max()) if name == "one range a channel" else whole
                scale, zero = q.levels(low, high, 4)
                steps = (torch.arange(-8, 8) + zero) / scale
                axes.plot(steps, np.full(16, row), "|", ms=16, color=GREY, label="16 levels" if row == 0 else None)
                axes.plot(weight[c].flatten(), np.full(weight[c].numel(), row), ".", ms=3, color=COLOURS[5],
                          alpha=0.8, label="weights" if row == 0 else None)  # fmt: skip
            error = float(_error(weight, name == "one range a channel"))
            axes.set_title(f"{name}: RMS error {error:.4f}", loc="left", fontsize=11)
            axes.set_xlabel("weight")
        grid[0].set_yticks(range(len(order)), [f"channel {c}" for c in order])
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def _error(weight: torch.Tensor, by_channel: bool) -> torch.Tensor:
    low, high = q.channel_range(weight) if by_channel else (weight.min(), weight.max())
    return (q.fake_quantise(weight, low, high, 4) - weight).square().mean().sqrt()


def tuning(arms: Mapping[str, Arm], *, dark: bool = False) -> Picture:
    """Distance of embeddings while W4A4 students learn, and the thresholds of student and teacher."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(11, 3.9), layout="constrained")
        left, right = figure.subplots(1, 2)
        for kind, (label, colour, _) in KINDS.items():
            arm = arms.get(named(kind, 4))
            if arm is not None and len(arm.tuned.distances):
                left.plot(1 + np.arange(len(arm.tuned.distances)), arm.tuned.distances, color=colour, label=label)
        left.set_xlabel("step")
        left.set_ylabel("mean squared difference of embeddings")
        left.set_ylim(0)
        left.set_title("W4A4 students, in training mode", loc="left", fontsize=11)
        left.legend(fontsize=9)
        seen = arms[named("KD+EKD-small", 4)].tuned.thresholds
        for k in range(seen.shape[2]):
            for side, (style, name) in enumerate((("-", "student"), ("--", "teacher"))):
                right.plot(1 + np.arange(len(seen)), seen[:, side, k], ls=style, color=COLOURS[k % len(COLOURS)],
                           label=name if k == 0 else None)  # fmt: skip
            right.annotate(f" 1/{SMALL_BATCH.anchors[k]}", (len(seen), seen[-1, 0, k]), va="center", fontsize=8)
        right.set_xlabel("step")
        right.set_ylabel("threshold [cosine]")
        right.set_title("Thresholds at false positive rates of the batch", loc="left", fontsize=11)
        right.legend(fontsize=9)
    return figure


def scores(material: Material, arms: Mapping[str, Arm], *, dark: bool = False) -> Picture:
    """Mated and non-mated scores in full precision and at W4A4."""
    shown = [FP, named("PTQ", 4), named("KD-small", 4)]
    edges = np.linspace(-0.6, 1, 81)
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(11, 3.2), layout="constrained")
        grid = figure.subplots(1, len(shown), sharey=True)
        for axes, name in zip(grid, shown, strict=True):
            found = compared(material, name, arms[name].embeddings[0])
            for kind, label, colour in ((True, "mated", COLOURS[2]), (False, "non-mated", COLOURS[3])):
                some = found.values[found.acquired & (found.trials.mated == kind)]
                axes.hist(some, edges, density=True, histtype="stepfilled", alpha=0.5, color=colour, label=label)
            axes.set_title(name, loc="left", fontsize=11)
            axes.set_xlabel("score [cosine]")
        grid[0].set_ylabel("density")
        grid[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def rates(found: Evidence, *, dark: bool = False) -> Picture:
    """TMR of every arm against the bits, with intervals over people."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9, 4.4), layout="constrained")
        axes = figure.subplots()
        full = found.numbers[f"{TMR}: {FP}"]
        for k, (kind, (label, colour, mark)) in enumerate(KINDS.items()):
            at = [(i + 0.13 * (k - 1.5), found.numbers[f"{TMR}: {named(kind, b)}"]) for i, b in enumerate(BITS)
                  if f"{TMR}: {named(kind, b)}" in found.numbers]  # fmt: skip
            _points(axes, at, colour, mark, label)
        half = found.numbers.get(f"{TMR}: {named('KD-small', 6)}, {HALF}")
        if half is not None:
            _points(axes, [(1 + 0.39, half)], COLOURS[4], "v", "half width, fine-tuned, small set")
            _points(axes, [(-1 + 0.2, found.numbers[f"{TMR}: {FP}, {HALF}"])], COLOURS[4], "v", None)
        _points(axes, [(-1.0, full)], GREY, "o", "full precision")
        axes.axhline(100 * float(full), color=GREY, lw=0.8, ls=":")
        sizes = [found.numbers[f"size: {b} bits"] for b in (32, *BITS)]
        names = [FP, *(f"W{b}A{b}" for b in BITS)]
        labels = [f"{n}\n{1000 * float(s):.0f} kB" for n, s in zip(names, sizes, strict=True)]
        axes.set_xticks(range(-1, 3), labels)
        axes.set_ylabel("TMR at FMR 1e-3 [%]")
        axes.set_ylim(0)
        axes.set_title("Bars: 95 % over people. Sizes: computed from the bits", loc="left", fontsize=11)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    return figure


def _points(axes: Any, at: list[tuple[float, Estimate]], colour: str, mark: str, label: str | None) -> None:
    defined = [(x, e) for x, e in at if e.defined]
    y = [100 * float(e) for _, e in defined]
    axes.plot([x for x, _ in defined], y, mark, color=colour, ms=7, label=label)
    for x, e in defined:
        if isinstance(e.low, float) and isinstance(e.high, float):
            axes.plot([x, x], [100 * e.low, 100 * e.high], color=colour, lw=1.3)


def integer(written: Integer, *, dark: bool = False) -> Picture:
    """Size and time of the files in full precision and with integers, as measured here."""
    names = list(written.sizes)
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        _bars(left, names, np.array([[written.sizes[n] / 1e3 for n in names]]), [""])
        left.set_xlabel("size of the ONNX file [kB]")
        batches = list(written.seconds[names[0]])
        times = np.array([[1e3 * written.seconds[n][b] for n in names] for b in batches])
        _bars(right, names, times, [f"{b} at a time" for b in batches])
        right.set_xlabel("time per picture [ms], one thread")
        right.legend(fontsize=9)
    return figure


def _bars(axes: Any, names: list[str], values: NDArray[np.float64], labels: list[str]) -> None:
    height = 0.8 / len(values)
    for k, row in enumerate(values):
        places = np.arange(len(names)) + height * (k - (len(values) - 1) / 2)
        drawn = axes.barh(places, row, 0.9 * height, color=COLOURS[k], label=labels[k] or None)
        axes.bar_label(drawn, [f" {v:.3g}" for v in row], fontsize=9)
    axes.set_yticks(range(len(names)), names)
    axes.margins(x=0.18)
