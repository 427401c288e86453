"""Sheets of phantom faces: people side by side, one factor from end to end, the truth of one picture, the attacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from ..core import ShapeError, UnknownNameError
from ..data import phantom
from .style import Picture, theme

# What the studio can show of one picture, and the truth that each needs.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "colour": (), "landmarks": ("landmarks68", "visible"), "depth": ("depth",), "normals": ("normals",),
    "near-infrared": ("nir",), "parsing": ("parsing",), "albedo": ("albedo",), "shading": ("shading",),
}  # fmt: skip
LAYERS = tuple(_NEEDS)
# What shows only beside something else is shown beside it.
_BESIDE: Mapping[str, Mapping[str, Any]] = {
    "glasses_tint": {"glasses": 3}, "glasses_colour": {"glasses": 2}, "mask_colour": {"mask": 1},
    "headwear_colour": {"headwear": 1}, "lip_colour": {"lip_makeup": 1}, "eye_colour": {"eye_makeup": 1},
    "cheek_colour": {"cheek_makeup": 1}, "light2_direction": {"light2": 1, "light": 0.2},
    "light2_colour": {"light2": 1},
    "light3_direction": {"light3": 1, "light": 0.2}, "light3_colour": {"light3": 1}, "sensor": {"noise": 0.08},
    "pattern": {"background": [[0.1, 0.2, 0.3], [0.8, 0.7, 0.5]]},
}  # fmt: skip
# The parts of wide ranges that are worth looking at.
_SHOWN: Mapping[str, tuple[float, float]] = {
    "roll": (-45, 45), "light": (0, 1.5), "light2": (0, 1.5), "light3": (0, 2), "ambient": (0, 1),
    "exposure": (0.3, 2.5), "blur": (0, 5), "noise": (0, 0.15), "resolution": (0.1, 1), "distance": (300, 3000),
    "fill": (0.3, 1.2),
}  # fmt: skip


def sheet(
    pictures: NDArray[np.uint8], labels: Sequence[str] = (), *, columns: int = 8, title: str = "", dark: bool = False,
) -> Picture:  # fmt: skip
    """Pictures beside one another.

    Args:
        pictures: ``uint8 (n, h, w, 3)`` or ``(n, h, w)``.
        labels: one below each picture, or none.
        columns: in a row.
        title: above all.
        dark: theme.
    """
    if labels and len(labels) != len(pictures):
        raise ShapeError("one label for each picture", given=len(labels), expected=len(pictures))
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    with theme("dark" if dark else "light"):
        figure = Picture(
            figsize=(1.35 * columns, (1.35 + 0.25 * bool(labels)) * rows + 0.4 * bool(title)), layout="constrained"
        )
        for i, axes in enumerate(np.atleast_1d(figure.subplots(rows, columns)).ravel()):
            axes.set_axis_off()
            if i < len(pictures):
                axes.imshow(pictures[i], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
                if labels:
                    axes.set_title(labels[i], fontsize=8, y=-0.18)
        if title:
            figure.suptitle(title)
    return figure


def factor_figure(person: phantom.Scene, name: str, *, steps: int = 6, size: int = 128, dark: bool = False) -> Picture:
    """One person with one factor from its least to its greatest value; all else stays.

    Args:
        person: one picture.
        name: of a factor in `phantom.FACTORS`.
        steps: pictures, where the factor has no choices.
        size: side of each.
        dark: theme.
    """
    factor = next(f for f in phantom.FACTORS if f.name == name)
    start = person.replace(**_BESIDE.get(name, {}))
    values, labels = _values(factor, steps)
    scenes = phantom.join([start.replace(**{name: v}) for v in values])
    shown = phantom.render(scenes, size).rgb
    return sheet(shown, labels, columns=len(values), title=f"{name}: {factor.meaning}", dark=dark)


def _values(factor: phantom.Factor, steps: int) -> tuple[list[object], list[str]]:
    if factor.choices:
        return list(factor.choices), list(factor.choices)
    if factor.name == "movements":
        each = [phantom.movements(**{m: 1.0}) for m in phantom.MOVEMENTS]
        return list(each), [m.replace("_", " ") for m in phantom.MOVEMENTS]
    if factor.name.endswith(("colour", "clothes", "background")) or factor.shape == (2, 3):
        colours = np.array([[0.6, 0.1, 0.1], [0.1, 0.5, 0.15], [0.1, 0.15, 0.6], [0.6, 0.5, 0.1], [0.9, 0.9, 0.9]])
        return [np.broadcast_to(c, factor.shape) for c in colours], ["red", "green", "blue", "yellow", "white"]
    if factor.whole:
        chosen = [1, 2, 3] if factor.high > 1000 else [0, 80, 40, 15, 5]
        return list(chosen), [str(v) for v in chosen]
    if factor.shape == (2,):
        directions = [(-1, 0), (1, 0), (0, 1), (0, -1)]
        size = {"shift": 0.25, "viewpoint": 150, "motion": 9, "gaze": 25}.get(factor.name, 70)
        return [np.array(d) * size for d in directions], [f"({a * size:g}, {b * size:g})" for a, b in directions]
    low, high = _SHOWN.get(factor.name, (factor.low, factor.high))
    points = np.linspace(low, high, steps)
    return list(points), [f"{p:.3g}" for p in points]


def truth_figure(person: phantom.Scene, *, size: int = 192, dark: bool = False) -> Picture:
    """One picture and everything that is known of it."""
    found = phantom.render(person, size, truth=phantom.TRUTH)
    depth = np.where(np.isfinite(found.depth[0]), found.depth[0], np.nan)
    maps = (
        ("picture and landmarks", found.rgb[0], None), ("near-infrared", found.nir[0], "gray"),
        ("depth in mm", depth, "viridis"), ("normals", found.normals[0] / 2 + 0.5, None),
        ("parsing", found.parsing[0], "tab20"), ("albedo", found.albedo[0].clip(0, 1) ** 0.45, None),
        ("shading", (found.shading[0] / 2).clip(0, 1) ** 0.45, None),
        ("UV", np.nan_to_num(np.dstack([found.uv[0], np.zeros(depth.shape)])), None),
    )  # fmt: skip
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(9, 5), layout="constrained")
        for axes, (title, picture, colours) in zip(figure.subplots(2, 4).ravel(), maps, strict=True):
            shown = axes.imshow(picture, cmap=colours, interpolation="nearest")
            axes.set_title(title, fontsize=10)
            axes.set_axis_off()
            if title.startswith("depth"):
                figure.colorbar(shown, ax=axes, shrink=0.8)
            if title.startswith("picture"):
                marks, seen = found.landmarks68[0], found.visible[0]
                axes.scatter(*marks[seen].T, s=4, c="#56b4e9")
                axes.scatter(*marks[~seen].T, s=4, c="#d55e00")
        figure.suptitle("What is known of a picture; hidden landmarks are orange")
    return figure


def layer_picture(scene: phantom.Scene, layer: str, size: int) -> NDArray[np.uint8]:
    """One layer of one picture, ready to be shown.

    Args:
        scene: one picture.
        layer: one of `LAYERS`.
        size: side in pixels.

    Returns:
        ``uint8 (size, size, 3)``.
    """
    if layer not in LAYERS:
        raise UnknownNameError("layer", layer, LAYERS)
    found = phantom.render(scene, size, truth=_NEEDS[layer])
    if layer == "landmarks":
        return _marked(found)
    if layer == "depth":
        assert found.depth is not None
        depth = found.depth[0]
        seen = np.isfinite(depth)
        near, far = depth[seen].min(), depth[seen].max()
        shares = np.where(seen, (depth - near) / max(far - near, 1e-6), np.nan)
        return _bytes(np.where(seen[..., None], colormaps["viridis"](np.nan_to_num(shares))[..., :3], 0))
    if layer == "near-infrared":
        assert found.nir is not None
        return np.asarray(np.repeat(found.nir[0][..., None], 3, axis=2), np.uint8)
    if layer == "parsing":
        assert found.parsing is not None
        return _bytes(colormaps["tab20"](found.parsing[0] % 20)[..., :3])
    if layer == "normals":
        assert found.normals is not None
        return _bytes(found.normals[0] / 2 + 0.5)
    linear = found.albedo if layer == "albedo" else found.shading
    if linear is None:
        return np.asarray(found.rgb[0])
    return _bytes((linear[0] / (1 if layer == "albedo" else 2)).clip(0, 1) ** 0.45)


def _marked(found: phantom.Rendering) -> NDArray[np.uint8]:
    """The picture with its landmarks: blue where the camera sees them, orange where it does not."""
    picture: NDArray[np.uint8] = found.rgb[0].copy()
    radius = max(1, len(picture) // 150)
    assert found.landmarks68 is not None
    assert found.visible is not None
    for point, seen in zip(found.landmarks68[0], found.visible[0], strict=True):
        colour = (86, 180, 233) if seen else (213, 94, 0)
        cv2.circle(picture, (round(float(point[0])), round(float(point[1]))), radius, colour, -1, cv2.LINE_AA)
    return picture


def _bytes(shares: NDArray[Any]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return levels


def attack_figure(attacker: phantom.Scene, target: phantom.Scene, *, size: int = 128, dark: bool = False) -> Picture:
    """The attacker live and with every instrument: colour above, near-infrared and depth below."""
    names = [phantom.LIVE, *phantom.SPECIES]
    found = [phantom.present(attacker, s, target=target, size=size) for s in names]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(1.15 * len(names), 4.2), layout="constrained")
        grid = figure.subplots(3, len(names))
        for column, (name, shown) in enumerate(zip(names, found, strict=True)):
            depth = np.where(np.isfinite(shown.depth[0]), shown.depth[0], np.nan)
            layers = ((shown.rgb[0], None), (shown.nir[0], "gray"), (depth, "viridis"))
            for row, (picture, colours) in enumerate(layers):
                limits = {"vmin": 250, "vmax": 1000} if row == 2 else {"vmin": 0, "vmax": 255}
                grid[row][column].imshow(picture, cmap=colours, interpolation="nearest", **limits)
                grid[row][column].set_axis_off()
            grid[0][column].set_title(name.replace(" ", "\n"), fontsize=8)
        figure.suptitle("One attacker, every instrument: colour, near-infrared, depth (250 to 1,000 mm)")
    return figure
