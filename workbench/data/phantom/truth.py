"""Landmarks with their visibility, the face box and the metric scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .action_units import MOVEMENTS
from .camera import HEAD_HEIGHT, View, project
from .features import brow_curve, brow_place, lid_edges, lip_edges
from .identity import INDEX
from .shape import coefficients, head
from .surface import PART
from .template import EYE_X, HEAD, MOUTH, landmark_places, template, theta_at

MARKS = frozenset({"landmarks68", "landmarks5", "visible", "box", "scale"})
_HIDING = ("hair", "glasses", "headwear", "mask", "occlusion")
_EYES_AND_FOREHEAD = np.array([[-EYE_X, 0.0], [EYE_X, 0.0], [0.0, 62.0]])


def on_head(t: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Where template places ``x`` and ``y`` ``(n, k)`` of the front lie on these people's bare heads, ``(n, k, 3)``."""
    bare = coefficients({**t, "beard": torch.zeros_like(t["beard"])})
    patch = template().patches[0]
    grid = head().points(bare).reshape(-1, patch.rows, patch.columns, 3)
    rows = template().place[: patch.rows * patch.columns : patch.columns, 1].to(x)
    columns = template().theta[: patch.columns].to(x)
    i, a = _between(-rows, -y)
    j, b = _between(columns, torch.from_numpy(theta_at(*(v.double().cpu().numpy() for v in (x, y)))).to(x))
    n = torch.arange(len(grid), device=x.device)[:, None]
    above = torch.lerp(grid[n, i, j], grid[n, i, j + 1], b[..., None])
    return torch.lerp(above, torch.lerp(grid[n, i + 1, j], grid[n, i + 1, j + 1], b[..., None]), a[..., None])


def _between(steps: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """The step below each value of ``at``, and how far it is to the next, 0 to 1."""
    below = (torch.searchsorted(steps.contiguous(), at.contiguous(), right=True) - 1).clamp(0, len(steps) - 2)
    return below, ((at - steps[below]) / (steps[below + 1] - steps[below])).clamp(0, 1)


def landmark_places_of(t: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Template places of each person's landmarks, x and y ``(n, 71)``: 68, two eye centres, the hairline.

    Brows, lids and lips are painted on the surface; their landmarks follow the painter's curves.
    """
    places = np.concatenate([landmark_places(), _EYES_AND_FOREHEAD])
    x, y = (torch.from_numpy(v).to(t["modes"]).repeat(len(t["modes"]), 1) for v in places.T)

    def mode(name: str) -> Tensor:
        return t["modes"][:, INDEX[name], None]

    def move(name: str) -> Tensor:
        return t["movements"][:, MOVEMENTS.index(name), None]

    share = torch.linspace(0.98, 0.04, 5, device=x.device)[None]
    middle, thick = brow_curve(share, mode, t["gender"][:, None])
    away = brow_place(share, mode) + EYE_X
    for order, side in ((list(range(17, 22)), -1), (list(range(26, 21, -1)), 1)):
        x[:, order] = side * away
        y[:, order] = middle + 0.6 * thick
    for lid, edge in (([37, 38, 43, 44], 0), ([40, 41, 46, 47], 1)):
        y[:, lid] = lid_edges(x[:, lid].abs() - EYE_X, mode, move)[edge]
    for red, lip, side in ((0, slice(49, 54), 1), (1, slice(55, 60), -1)):
        y[:, lip] = MOUTH + side * lip_edges(x[:, lip], mode("upper_lip"), mode("lower_lip"))[red]
    return x, y


def marks(
    view: View, pixels: tuple[Tensor, Tensor, Tensor], t: dict[str, Tensor], side: int
) -> dict[str, NDArray[Any]]:
    """Everything of `MARKS`.

    A landmark is visible where the surface at its pixel is no nearer than 4 mm before it and is not something worn.

    Args:
        view: of the scene's points.
        pixels: index, depth and part of the pixels that see a surface.
        t: the factors.
        side: of the picture in which ``pixels`` are numbered, twice the final one's.
    """
    space = on_head(t, *landmark_places_of(t))
    seen = project(space, torch.full((space.shape[1],), HEAD, device=space.device), t, side)
    pixel, depth, part = pixels
    n = len(space)
    nearest = torch.full((n * side * side,), float("inf"), device=space.device)
    nearest[pixel] = depth
    worn = torch.zeros(n * side * side, dtype=torch.bool, device=space.device)
    worn[pixel] = torch.isin(part, torch.tensor([PART[p] for p in _HIDING], device=space.device))
    at = seen.screen.long().clamp(0, side - 1)
    cell = (torch.arange(n, device=space.device)[:, None] * side + at[..., 1]) * side + at[..., 0]
    inside = ((seen.screen >= 0) & (seen.screen < side)).all(-1)
    visible = inside & (seen.depth < nearest[cell] + 4.0) & ~worn[cell]
    # Pixels have their centres at whole numbers.
    found = (seen.screen / 2 - 0.5).cpu().numpy()
    around = np.concatenate([found[:, :68], found[:, 70:]], 1)
    per_mm = t["fill"] * (side / 2) / HEAD_HEIGHT * t["distance"] / seen.depth[:, 68:70].mean(1)
    return {
        "landmarks68": found[:, :68],
        "landmarks5": np.stack([found[:, 68], found[:, 69], found[:, 30], found[:, 48], found[:, 54]], 1),
        "visible": visible[:, :68].cpu().numpy(),
        "box": np.concatenate([around.min(1), around.max(1)], 1),
        "scale": (1 / per_mm).cpu().numpy(),
    }
