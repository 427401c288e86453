"""Pictures of explanations: maps over faces, deletion and insertion curves, exchanged parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..studies.saliency import Controls, Decision, Explained, Material
from .style import Picture, theme


def scaled(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map smoothed a little and scaled to [0, 1] for display; the raw values stay with the result."""
    import cv2

    smooth = cv2.GaussianBlur(maps, (0, 0), max(1.0, maps.shape[-1] / 40))
    low, high = float(smooth.min()), float(smooth.max())
    return np.asarray((smooth - low) / (high - low) if high > low else smooth * 0, dtype=np.float32)


def draw_face(axes: Any, image: NDArray[np.uint8], overlay: NDArray[np.float32] | None, colour: str) -> None:
    """A picture, or its grey version under a map that shows through where it is strong."""
    grey = np.repeat(image.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    axes.imshow(image if overlay is None else grey, interpolation="bilinear")
    if overlay is not None:
        shown = scaled(overlay)
        axes.imshow(shown, cmap=colour, alpha=0.15 + 0.75 * shown, vmin=0, vmax=1, interpolation="bilinear")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def faces(material: Material, *, count: int = 6, show: bool = False, dark: bool = False) -> Picture:
    """Mated pairs above, non-mated ones below; real people only when ``show`` says so."""
    pairs = material.test
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(1.35 * count, 6.2), layout="constrained")
        grid = figure.subplots(4, count, squeeze=False)
        for row, kind in enumerate((True, False)):
            at = np.flatnonzero(pairs.mated == kind)[:count]
            for column in range(count):
                for side, pictures in enumerate((pairs.reference, pairs.probe)):
                    axes = grid[2 * row + side][column]
                    axes.axis("off")
                    if column < len(at):
                        draw_face(axes, _shown(pictures[at[column]], material.real and not show), None, "")
            grid[2 * row][0].set_title("mated pairs" if kind else "non-mated pairs", loc="left")
        figure.suptitle(f"Pairs to explain: {material.name}{_hidden(material, show)}")
    return figure


def _hidden(material: Material, show: bool) -> str:
    return ", pictures hidden (show_faces = True shows them)" if material.real and not show else ""


def _shown(image: NDArray[np.uint8], hide: bool) -> NDArray[np.uint8]:
    return np.full_like(image, 160) if hide else image


def gallery(
    material: Material,
    decided: Decision,
    arm: Explained,
    *,
    count: int = 4,
    show: bool = False,
    dark: bool = False,
) -> Picture:
    """Right and wrong decisions, with what speaks for (green) and against (magenta) "same person"."""
    pairs = material.test
    accepted = decided.test >= decided.threshold
    mated = pairs.mated
    kinds = [
        ("mated, accepted", mated & accepted),
        ("mated, rejected", mated & ~accepted),
        ("non-mated, rejected", ~mated & ~accepted),
        ("non-mated, accepted", ~mated & accepted),
    ]
    rows = [(name, i) for name, mask in kinds for i in np.flatnonzero(mask)[: max(1, count // 2)]]
    titles = ("reference", "probe", "for: reference", "for: probe", "against: reference", "against: probe")
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(10.5, 1.75 * len(rows) + 0.8), layout="constrained")
        grid = figure.subplots(len(rows), 6, squeeze=False)
        for row, (name, i) in enumerate(rows):
            images = [_shown(p[i], material.real and not show) for p in (pairs.reference, pairs.probe)]
            for column in range(6):
                maps = (None, arm.maps.similarity[i], arm.maps.dissimilarity[i])[column // 2]
                overlay = None if maps is None else maps[column % 2]
                draw_face(grid[row][column], images[column % 2], overlay, "Greens" if column // 2 == 1 else "RdPu")
            grid[row][0].set_ylabel(f"{name}\ncosine {decided.test[i]:.2f}", fontsize=9)
        for column, title in enumerate(titles):
            grid[0][column].set_title(title, fontsize=10)
        figure.suptitle(f"{arm.arm}: what decides, at threshold {decided.threshold:.2f} (each map scaled by itself)")
    return figure


def curves(material: Material, arms: Sequence[Explained], *, dark: bool = False) -> Picture:
    """Accuracy as the most salient pixels go (left) or come (right), with 95 % bands over people."""
    pairs = material.test
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(11, 7.6), layout="constrained")
        grid = figure.subplots(2, 2, sharex=True, sharey="row")
        for row, (kind, mask) in enumerate(
            (("mated, similarity", pairs.mated), ("non-mated, dissimilarity", ~pairs.mated))
        ):
            for column, name in enumerate(("deletion", "insertion")):
                axes = grid[row][column]
                for k, arm in enumerate(arms):
                    values = getattr(arm, name)[mask]
                    axis = 100 * np.linspace(0, 1, values.shape[1])
                    line = axes.plot(axis, values.mean(0), lw=2.6 if arm.arm == "fggb" else 1.3, label=arm.arm,
                                     ls="-" if k < 4 else "--")[0]  # fmt: skip
                    if arm.arm in ("fggb", "random"):
                        half = 1.96 * values.std(0) / np.sqrt(max(1, len(values)))
                        axes.fill_between(
                            axis,
                            values.mean(0) - half,
                            values.mean(0) + half,
                            alpha=0.18,
                            color=line.get_color(),
                        )
                axes.set_title(f"{name} · {kind} maps")
                axes.set_ylim(-0.03, 1.03)
        for axes in grid[1]:
            axes.set_xlabel("share of pixels deleted or inserted [%]")
        for axes in grid[:, 0]:
            axes.set_ylabel("share of right decisions")
        grid[0][1].legend(loc="center left", bbox_to_anchor=(1.0, 0.0))
        figure.suptitle("Deletion: lower is better. Insertion: higher is better. Bands: 95 % of the mean")
    return figure


def exchanged(material: Material, checks: Controls, *, count: int = 8, dark: bool = False) -> Picture:
    """Pairs that differ in one part (outlined), and where the dissimilarity map looks."""
    swapped = material.swapped
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(1.4 * count, 4.9), layout="constrained")
        if swapped is None or checks.swap_maps is None:
            figure.suptitle("No exchanged parts: real photographs do not tell which part differs")
            return figure
        grid = figure.subplots(3, count, squeeze=False)
        for column in range(count):
            i = min(column, len(swapped.parts) - 1)
            draw_face(grid[0][column], swapped.pairs.reference[i], None, "")
            draw_face(grid[1][column], swapped.pairs.probe[i], None, "")
            draw_face(grid[2][column], swapped.pairs.probe[i], checks.swap_maps[i], "RdPu")
            for row in (1, 2):
                grid[row][column].contour(swapped.masks[i], levels=[0.5], colors="#e69f00", linewidths=1.2)
            grid[0][column].set_title(swapped.parts[i], fontsize=10)
        for row, label in enumerate(("person", "one part exchanged", "speaks against")):
            grid[row][0].set_ylabel(label, fontsize=9)
        figure.suptitle("Known difference: the orange outline is the part that was exchanged")
    return figure
