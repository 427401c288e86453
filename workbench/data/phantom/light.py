"""Light on the surface: ambient, three directional lights that wrap around skin, highlights, occlusion."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .surface import Paint
from .template import Template

# Light that scatters under skin wraps around, most in red.
_WRAP = (0.34, 0.22, 0.17)
_CREVICE = 0.055


def normals(camera: Tensor, shape: Template) -> Tensor:
    """``(n, v, 3)`` unit normals from the differences along each grid of points ``(n, v, 3)``."""
    out = []
    for patch in shape.patches:
        grid = camera[:, patch.start : patch.start + patch.rows * patch.columns]
        grid = grid.reshape(-1, patch.rows, patch.columns, 3)
        down = torch.gradient(grid, dim=1)[0]
        right = torch.gradient(grid, dim=2)[0]
        if patch.closed:
            # The seam's two columns are the same points.
            seam = (grid[:, :, 1] - grid[:, :, -2]) / 2
            right = torch.cat([seam[:, :, None], right[:, :, 1:-1], seam[:, :, None]], 2)
        a, b = down.flatten(1, 2).unbind(2), right.flatten(1, 2).unbind(2)
        crossed = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
        out.append(torch.stack(unit(*crossed), 2))
    return torch.cat(out, 1)


def hollowness(space: Tensor, normal: Tensor, shape: Template) -> Tensor:
    """Darkness ``(n, v)`` of hollow places of the head, as in `undertone`: they see less of the sky.

    It grows with the height of the mean of a point's neighbours, 3 and 7 points away on the grid, over its tangent
    plane.

    Args:
        space: ``(n, v, 3)`` points in millimetres.
        normal: ``(n, v, 3)``.
        shape: whose grid the points are.
    """
    head = shape.patches[0]
    count = head.rows * head.columns
    grid = space[:, :count].reshape(-1, head.rows, head.columns, 3)
    around = torch.zeros_like(grid)
    rows = torch.arange(head.rows, device=space.device)
    for step in (3, 7):
        above, below = grid[:, (rows - step).clamp(0)], grid[:, (rows + step).clamp(max=head.rows - 1)]
        around = around + (above + below + grid.roll(step, 2) + grid.roll(-step, 2)) / 4
    lifted = _dot((around - 2 * grid).flatten(1, 2).unbind(2), normal[:, :count].unbind(2))
    rest = torch.zeros_like(space[:, count:, 0])
    return torch.cat([(_CREVICE * lifted).clamp(-0.1, 0.5), rest], 1)


def illuminate(normal: Tensor, place: Tensor, paint: Paint, at: Tensor, t: dict[str, Tensor]) -> Tensor:
    """Incoming light times crevice shade, ``(p, 3)``, so that albedo times it is the picture.

    The highlight is Blinn and Phong's.

    Args:
        normal: ``(p, 3)``.
        place: ``(p, 3)`` in the camera's axes.
        paint: of the points; its shade and gloss are used.
        at: ``(p,)`` picture.
        t: the pictures' factors.
    """
    n = [c.contiguous() for c in normal.unbind(1)]
    incoming = (t["ambient"][:, None] * t["ambient_colour"]).index_select(0, at) * (0.72 + 0.28 * n[1])[:, None]
    shine = torch.zeros_like(incoming)
    view = unit(-place[:, 0], -place[:, 1], t["distance"].index_select(0, at) - place[:, 2])
    wrap = torch.tensor(_WRAP, device=normal.device)
    for number in ("", "2", "3"):
        strength = t[f"light{number}"]
        if not bool((strength > 0).any()):
            continue
        lamp = (strength[:, None] * t[f"light{number}_colour"]).index_select(0, at)
        direction = tuple(c.index_select(0, at) for c in towards(t[f"light{number}_direction"]).unbind(1))
        cosine = _dot(n, direction)
        incoming = incoming + lamp * ((cosine[:, None] + wrap) / (1 + wrap)).clamp(0)
        # Powers 16 and 64 by squaring.
        half = unit(*(v + d for v, d in zip(view, direction, strict=True)))
        broad = _dot(n, half).clamp(0).square().square().square().square()
        glance = (0.10 * broad + 0.07 * broad.square().square()) * (cosine > 0)
        shine = shine + lamp * glance[:, None]
    light = incoming * paint.shade[:, None] + shine * paint.gloss[:, None] / paint.colour.clamp(min=0.02)
    return light * t["exposure"].index_select(0, at)[:, None]


def _dot(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Sums of products over three columns: faster than a sum along a dimension of three."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Columns of vectors, at length 1."""
    inverse = (x * x + y * y + z * z).clamp(min=1e-12).rsqrt()
    return x * inverse, y * inverse, z * inverse


def towards(direction: Tensor) -> Tensor:
    """Unit vectors ``(n, 3)`` from degrees right and up ``(n, 2)``."""
    side, up = (direction * (math.pi / 180)).unbind(1)
    return torch.stack([side.sin() * up.cos(), up.sin(), side.cos() * up.cos()], 1)


def lamp_beside_camera(normal: Tensor, place: Tensor, distance: Tensor) -> Tensor:
    """Near-infrared light ``(p,)`` of a lamp beside the camera; it falls off with the distance squared."""
    eye = torch.zeros_like(place)
    eye[:, 2] = distance
    away = eye - place
    cosine = (normal * F.normalize(away, dim=1)).sum(1).clamp(0)
    return (0.25 + 0.75 * cosine) * (distance**2 / (away**2).sum(1))
