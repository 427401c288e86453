"""A sheet before the camera: tilted and bent, found by following each pixel's ray."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..camera import HEAD_HEIGHT, RAISED


@dataclass(frozen=True)
class Sheet:
    """Height fields ``z = z0 + a (x - x0) + b (y - y0) - k (x - x0)^2`` in millimetres, axes as the head's.

    Attributes:
        middle: ``(n, 3)`` ``x0 y0 z0``; the camera is at ``z = distance``.
        tilt: ``(n, 2)`` slopes ``a`` and ``b``.
        bend: ``(n,)`` ``k``; a cylinder of radius ``1 / (2 k)`` about a vertical axis.
        roll: ``(n,)`` degrees clockwise in the picture.
    """

    middle: Tensor
    tilt: Tensor
    bend: Tensor
    roll: Tensor


@dataclass(frozen=True)
class Seen:
    """Where the rays of all pixels meet a sheet, ``(n, side, side)`` each.

    Attributes:
        x, y: place on the unrolled sheet in millimetres from its middle.
        depth: millimetres from the camera.
        normal: ``(n, side, side, 3)`` unit, towards the camera's side.
        step: millimetres of the sheet a pixel.
    """

    x: Tensor
    y: Tensor
    depth: Tensor
    normal: Tensor
    step: Tensor


def look(sheet: Sheet, t: dict[str, Tensor], side: int) -> Seen:
    """Follow the rays: the height at the last crossing gives the next, four times; sheets are flat enough for that.

    Args:
        sheet: of ``n`` pictures.
        t: their factors; distance, fill and shift place the camera.
        side: of the square pictures.
    """
    device = t["distance"].device
    at = torch.arange(side, device=device) + 0.5
    centre = (0.5 + 0.5 * t["shift"]) * side
    scale = t["fill"] * side / HEAD_HEIGHT
    right = ((at[None] - centre[:, :1]) / scale[:, None])[:, None, :].expand(-1, side, -1)
    up = ((centre[:, 1:] - at[None]) / scale[:, None])[:, :, None].expand(-1, -1, side)
    distance, a, b, k = (v[:, None, None] for v in (t["distance"], *sheet.tilt.unbind(1), sheet.bend))
    x0, y0, z0 = (v[:, None, None] for v in sheet.middle.unbind(1))
    z = z0.expand_as(right)
    for _ in range(4):
        shrink = (distance - z) / distance
        x, y = right * shrink - x0, up * shrink - RAISED - y0
        z = z0 + a * x + b * y - k * x * x
    slope = a - 2 * k * x
    normal = torch.stack([-slope, (-b).expand_as(slope), torch.ones_like(slope)], -1)
    normal = normal / normal.norm(dim=-1, keepdim=True)
    # Arc length of the bend, to its second term; the tilt is a turn of the whole sheet.
    u, v = x * (1 + (2 * k * x) ** 2 / 6) * (1 + a * a).sqrt(), y * (1 + b * b).sqrt()
    turn = sheet.roll[:, None, None] * (math.pi / 180)
    step = (distance - z) / distance / scale[:, None, None]
    return Seen(u * turn.cos() - v * turn.sin(), u * turn.sin() + v * turn.cos(), distance - z, normal, step)


def sample(picture: Tensor, x: Tensor, y: Tensor, millimetres: Tensor) -> Tensor:
    """A picture that covers a sheet, at places on it: ``(n, h, w, c)``, edges repeated.

    Args:
        picture: ``(n, c, s, s)``.
        x: ``(n, h, w)`` millimetres right of the sheet's middle.
        y: ``(n, h, w)`` millimetres up.
        millimetres: ``(n,)`` side of the picture on the sheet.
    """
    half = millimetres[:, None, None] / 2
    grid = torch.stack([x / half, -y / half], -1)
    found = torch.nn.functional.grid_sample(picture, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return found.permute(0, 2, 3, 1)
