"""Where the camera sees each point: rotation about the neck's pivot, and perspective."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .template import CLOTH, NECK

PIVOT = (0.0, -25.0, -15.0)
HEAD_HEIGHT = 228.0
# The head's middle lies a little above the picture's: there is a neck below it.
RAISED = 6.0


@dataclass(frozen=True)
class View:
    """Points as the camera sees them.

    Attributes:
        camera: ``(n, v, 3)`` millimetres, axes right, up and towards the camera.
        screen: ``(n, v, 2)`` pixels, right and down.
        depth: ``(n, v)`` millimetres from the camera's plane.
    """

    camera: Tensor
    screen: Tensor
    depth: Tensor


def project(space: Tensor, kind: Tensor, t: dict[str, Tensor], side: int) -> View:
    """Turn the head about its pivot, and look at everything through the camera.

    ``fill`` is the head's height over the picture's at the head's centre; ``viewpoint`` moves the camera in its plane
    while the plane of the head's centre stays where it is in the picture, as the sub-apertures of a light field do.

    Args:
        space: ``(n, v, 3)`` before the head is turned.
        kind: ``(v,)`` kind of patch; neck and clothes do not turn.
        t: the pictures' factors.
        side: of the square picture in pixels.
    """
    pivot = torch.tensor(PIVOT, device=space.device)
    # Column by column: a batched product's rounding depends on how many pictures there are.
    turn = rotation(t["yaw"], t["pitch"], t["roll"])
    x, y, z = (space - pivot).unbind(2)
    turned = torch.stack([x * r[:, :1] + y * r[:, 1:2] + z * r[:, 2:] for r in turn.unbind(1)], 2) + pivot
    still = (kind == NECK) | (kind == CLOTH)
    camera = torch.where(still[None, :, None], space, turned)
    depth = t["distance"][:, None] - camera[..., 2]
    whole = t["fill"][:, None] * side / HEAD_HEIGHT
    per_mm = whole * t["distance"][:, None] / depth.clamp(min=1.0)
    centre = (0.5 + 0.5 * t["shift"]) * side
    vx, vy = (v[:, None] for v in t["viewpoint"].unbind(1))
    x = (camera[..., 0] - vx) * per_mm + vx * whole + centre[:, :1]
    y = -(camera[..., 1] + RAISED - vy) * per_mm - vy * whole + centre[:, 1:]
    return View(camera, torch.stack([x, y], -1), depth)


def rotation(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """``(n, 3, 3)``; degrees. First yaw, then pitch, then roll (clockwise in the picture)."""
    a, b, c = (angle * (math.pi / 180) for angle in (yaw, pitch, roll))
    one, zero = torch.ones_like(a), torch.zeros_like(a)
    turn = torch.stack([a.cos(), zero, a.sin(), zero, one, zero, -a.sin(), zero, a.cos()], -1)
    nod = torch.stack([one, zero, zero, zero, b.cos(), b.sin(), zero, -b.sin(), b.cos()], -1)
    tilt = torch.stack([c.cos(), c.sin(), zero, -c.sin(), c.cos(), zero, zero, zero, one], -1)
    matrices = [m.reshape(-1, 3, 3) for m in (tilt, nod, turn)]
    return matrices[0] @ matrices[1] @ matrices[2]
