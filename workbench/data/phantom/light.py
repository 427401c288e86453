"""Light on the surface: ambient, three directional lights that wrap around skin, highlights, occlusion."""

from __future__ import annotations

import math

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
        out.append(torch.linalg.cross(down, right, dim=-1).flatten(1, 2))
    return F.normalize(torch.cat(out, 1), dim=-1)


def openness(space: Tensor, normal: Tensor, shape: Template) -> Tensor:
    """How much of the sky each point sees, ``(n, v, 1)`` about 1: less where the surface is hollow.

    Hollowness is the height of the mean of a point's neighbours, 3 and 7 points away on the grid, over its tangent
    plane in millimetres.
    """
    out = torch.ones_like(space[..., :1])
    head = shape.patches[0]
    count = head.rows * head.columns
    grid = space[:, :count].reshape(-1, head.rows, head.columns, 3)
    up = normal[:, :count].reshape_as(grid)
    hollow = torch.zeros_like(grid[..., 0])
    for step in (3, 7):
        rows = torch.arange(head.rows, device=space.device)
        above, below = grid[:, (rows - step).clamp(0)], grid[:, (rows + step).clamp(max=head.rows - 1)]
        around = above + below + grid.roll(step, 2) + grid.roll(-step, 2)
        hollow = hollow + ((around / 4 - grid) * up).sum(3)
    out[:, :count, 0] = torch.exp(-_CREVICE * hollow.flatten(1)).clamp(0.6, 1.1)
    return out


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
    sky = t["ambient"][at, None] * t["ambient_colour"][at] * (0.72 + 0.28 * normal[:, 1:2])
    incoming, shine = sky, torch.zeros_like(sky)
    eye = torch.zeros_like(place)
    eye[:, 2] = t["distance"][at]
    view = F.normalize(eye - place, dim=1)
    for number in ("", "2", "3"):
        strength = t[f"light{number}"]
        if not bool((strength > 0).any()):
            continue
        lamp = strength[:, None] * t[f"light{number}_colour"]
        direction = towards(t[f"light{number}_direction"])[at]
        cosine = (normal * direction).sum(1, keepdim=True)
        wrap = torch.tensor(_WRAP, device=normal.device)
        incoming = incoming + lamp[at] * ((cosine + wrap) / (1 + wrap)).clamp(0)
        half = F.normalize(view + direction, dim=1)
        glance = (normal * half).sum(1, keepdim=True).clamp(0)
        shine = shine + lamp[at] * (0.10 * glance**18 + 0.07 * glance**60) * (cosine > 0)
    light = incoming * paint.shade[:, None] + shine * paint.gloss[:, None] / paint.colour.clamp(min=0.02)
    return light * t["exposure"][at, None]


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
