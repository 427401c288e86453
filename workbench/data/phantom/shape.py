"""From identity and movements to points in space: sums of smooth displacements on the template.

A displacement is an amplitude (a mode times millimetres) times a Gaussian bump or ramp of the template place;
amplitudes are linear in the modes, so shape is differentiable in identity and expression.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .identity import INDEX
from .scene import MOVEMENTS
from .template import BLOCK, CURTAIN, EAR, EYE_X, HEAD, MOUTH, NECK, Template

_MOVE = {name: i for i, name in enumerate(MOVEMENTS)}
_BLOCKS = {"eyes": (0.0, 5.0, 62.0, 24.0), "nose": (0.0, -28.0, 21.0, 32.0), "mouth": (0.0, -74.0, 34.0, 16.0),
           "jaw": (0.0, -96.0, 62.0, 20.0)}  # fmt: skip


def ramp(value: Tensor, low: float, high: float) -> Tensor:
    """0 at ``low`` and below (or above), 1 at ``high`` and beyond, smooth between."""
    t = ((value - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


class Field:
    """Displacements of a set of template points, summed up.

    Args:
        place: ``(v, 3)`` template positions.
        theta: ``(v,)``.
        modes: ``(n, modes)``.
        movements: ``(n, movements)``.
    """

    def __init__(self, place: Tensor, theta: Tensor, modes: Tensor, movements: Tensor) -> None:
        self.x, self.y = place[:, 0], place[:, 1]
        self.side = torch.sign(self.x)
        self.across = self.x.abs()
        self.front = ramp(torch.cos(theta), 0.0, 0.55)
        self.modes, self.movements = modes, movements
        self.total = place.expand(len(modes), -1, -1).clone()

    def mode(self, name: str) -> Tensor:
        """``(n, 1)``."""
        return self.modes[:, INDEX[name], None]

    def move(self, name: str) -> Tensor:
        """``(n, 1)``."""
        return self.movements[:, _MOVE[name], None]

    def bump(self, x: float, y: float, wide: float, high: float, *, even: bool = True) -> Tensor:
        """A Gaussian in front of the head, ``(v,)``; ``even`` puts one on either side."""
        across = self.across if even else self.x
        return self.front * torch.exp(-(((across - x) / wide) ** 2 + ((self.y - y) / high) ** 2) / 2)

    def add(self, axis: int, amount: Tensor | float, weight: Tensor) -> None:
        """Move along an axis by ``amount`` (``(n, 1)`` or a number) times ``weight`` ``(v,)``."""
        self.total[:, :, axis] += amount * weight


def points(template: Template, modes: Tensor, movements: Tensor, occluded: str = "") -> Tensor:
    """``(n, v, 3)`` positions in millimetres of all template points, before the head is turned."""
    head = template.kind == HEAD
    out = template.place.to(modes.device).expand(len(modes), -1, -1).clone()
    out[:, head] = head_points(template.place[head], template.theta[head], modes, movements)
    _ears(out, template, modes)
    neck = template.kind == NECK
    out[:, neck, 0] *= 1 + 0.06 * modes[:, INDEX["neck_width"], None]
    _curtain(out, template, modes)
    _block(out, template, out[:, head], occluded)
    return out


def head_points(place: Tensor, theta: Tensor, modes: Tensor, movements: Tensor) -> Tensor:
    """``(n, v, 3)`` positions of points of the head."""
    field = Field(place.to(modes.device), theta.to(modes.device), modes, movements)
    _relief(field)
    _skull(field)
    _eyes(field)
    _nose(field)
    _mouth(field)
    _express(field)
    _hair(field, theta.to(modes.device))
    return field.total


def _relief(f: Field) -> None:
    """What every face has."""
    f.add(2, 4.5, f.bump(26, 17, 17, 7))
    f.add(2, -10.5, f.bump(30, 2, 14, 9.5))
    f.add(2, 5.0, f.bump(EYE_X, 0, 9.5, 5.5))
    f.add(2, -3.5, f.bump(15, 1, 5, 8))
    f.add(2, 6.5, f.bump(44, -24, 15, 14))
    f.add(2, -4.0, f.bump(46, -62, 14, 18))
    f.add(2, 6.5, f.bump(0, -72, 23, 15))
    f.add(2, -4.5, f.bump(0, -88, 15, 4.5))
    f.add(2, 8.5, f.bump(0, -104, 15, 9))
    f.add(2, -1.8, f.bump(0, -60, 3.2, 6))
    f.add(2, -4.0, f.bump(62, 30, 12, 24))


def _skull(f: Field) -> None:
    low = ramp(f.y, -20, -95)
    one = torch.ones_like(f.y)
    f.add(0, 0.045 * f.mode("face_width"), f.x)
    f.add(1, 0.035 * f.mode("face_length"), f.y)
    f.add(2, 0.04 * f.mode("head_depth"), one * -20)
    f.add(0, 0.075 * f.mode("jaw_width") + 0.03 * f.mode("morphology"), f.x * ramp(f.y, -30, -75))
    f.add(0, 0.12 * f.mode("chin_width"), f.x * ramp(f.y, -88, -108))
    f.add(1, -3.6 * f.mode("chin_length") - 1.0 * f.mode("morphology"), ramp(f.y, -80, -110))
    f.add(2, 3.2 * f.mode("chin_forward"), f.bump(0, -104, 20, 12))
    f.add(1, 3.0 * f.mode("forehead_height"), ramp(f.y, 25, 100))
    f.add(2, -3.5 * f.mode("forehead_slope"), f.front * ramp(f.y, 25, 85))
    f.add(2, 2.2 * f.mode("cheek_bone"), f.bump(45, -22, 13, 12))
    f.add(0, 2.6 * f.mode("cheek_bone"), f.side * f.bump(58, -18, 14, 14))
    f.add(2, 3.0 * f.mode("cheek_full"), f.bump(44, -58, 17, 18))
    f.add(0, 3.2 * f.mode("cheek_full"), f.side * f.bump(56, -58, 18, 22))
    f.add(2, 1.7 * f.mode("brow_ridge") + 0.8 * f.mode("morphology"), f.bump(24, 16, 19, 6.5))
    f.add(0, 2.4 * f.mode("temple"), f.side * f.bump(66, 32, 14, 22))
    f.add(0, 2.2 * f.mode("asymmetry_jaw"), low)


def _eyes(f: Field) -> None:
    region = f.bump(EYE_X, 2, 19, 17)
    f.add(0, 2.3 * f.mode("eye_spacing"), f.side * region)
    f.add(1, 2.4 * f.mode("eye_height"), f.front * torch.exp(-(((f.y - 4) / 20) ** 2) / 2))
    around = f.bump(EYE_X, 0, 15, 9)
    f.add(0, 0.075 * f.mode("eye_size"), (f.across - EYE_X) * f.side * around)
    f.add(1, 0.075 * f.mode("eye_size") + 0.12 * f.mode("eye_opening"), f.y * around)
    f.add(1, 0.055 * f.mode("eye_tilt"), (f.across - EYE_X) * around)
    f.add(2, -1.7 * f.mode("eye_depth"), f.bump(29, 3, 14, 9))
    f.add(1, 0.9 * f.mode("asymmetry_eye"), f.side * f.bump(EYE_X, 8, 16, 16))


def _nose(f: Field) -> None:
    below = ramp(f.y, -56, -50)
    ridge = f.front * torch.exp(-((f.x / (6.5 + 0.085 * (-f.y).clamp(0, 48))) ** 2) / 2)
    rise = ramp(f.y, 14, -46)
    height = 3.0 + 18.5 * rise
    f.add(2, 1.0, ridge * height * ramp(f.y, 20, 2) * below)
    f.add(2, 2.1 * f.mode("nose_bridge"), ridge * ramp(f.y, 18, 2) * ramp(f.y, -48, -20))
    f.add(2, 2.6 * f.mode("nose_tip"), f.bump(0, -43, 9, 9) * below)
    f.add(2, 1.7 * f.mode("nose_hump"), f.bump(0, -18, 6, 8))
    f.add(2, 3.0, f.bump(0, -44, 6.5, 5.5) * below)
    f.add(0, 0.11 * f.mode("nose_tip_width"), f.x * f.bump(0, -43, 10, 9))
    f.add(2, 9.0, f.bump(11.5, -47, 4.6, 4.6) * below)
    f.add(0, 0.16 * f.mode("nose_width"), f.x * f.bump(9, -46, 9, 9))
    f.add(1, -2.9 * f.mode("nose_length"), f.bump(0, -45, 17, 17))
    f.add(0, 1.5 * f.mode("asymmetry_nose"), f.bump(0, -40, 14, 16))


def _mouth(f: Field) -> None:
    region = f.bump(0, MOUTH, 30, 14)
    shape = f.front * torch.exp(-((f.x / 21) ** 4))
    f.add(0, 0.085 * f.mode("mouth_width"), f.x * region)
    f.add(1, 2.0 * f.mode("mouth_height"), f.front * torch.exp(-(((f.y - MOUTH) / 15) ** 2) / 2))
    upper = shape * torch.exp(-(((f.y + 69.2) / 3.2) ** 2) / 2)
    lower = shape * torch.exp(-(((f.y + 78.2) / 3.8) ** 2) / 2)
    f.add(2, 3.4 + 0.8 * f.mode("upper_lip"), upper)
    f.add(2, 4.2 + 0.9 * f.mode("lower_lip"), lower)
    f.add(1, 1.3 * f.mode("upper_lip"), shape * torch.exp(-(((f.y + 65.5) / 4.5) ** 2) / 2))
    f.add(1, -1.5 * f.mode("lower_lip"), shape * torch.exp(-(((f.y + 84) / 5) ** 2) / 2))
    f.add(2, 1.8 * f.mode("lip_forward"), f.bump(0, MOUTH, 17, 11))
    f.add(2, -2.4, shape * torch.exp(-(((f.y - MOUTH) / 1.4) ** 2) / 2))


def _express(f: Field) -> None:
    corner = f.bump(24, MOUTH, 9, 9)
    cheek = f.bump(38, -40, 13, 12)
    brow = f.bump(30, 20, 19, 9)
    inner = f.bump(13, 17, 9, 8)
    f.add(0, 5.5 * f.move("smile"), f.side * corner)
    f.add(1, 6.0 * f.move("smile") - 5.5 * f.move("corners_down"), corner)
    f.add(2, -3.0 * f.move("smile"), corner)
    f.add(2, 3.5 * f.move("smile"), cheek)
    f.add(1, 2.5 * f.move("smile"), cheek)
    sealed = (1 - (f.x / 23) ** 2).clamp(0, 1)
    drop = ramp(f.y, MOUTH + 0.6, MOUTH - 0.6) * (sealed + (1 - sealed) * ramp(f.y, -74, -96))
    f.add(1, -21.0 * f.move("jaw_open"), f.front * drop * ramp(f.across, 85, 45))
    f.add(2, -5.0 * f.move("jaw_open"), f.front * ramp(f.y, -80, -110))
    f.add(1, 6.5 * f.move("brow_raise"), brow)
    f.add(0, -3.0 * f.move("frown"), f.side * inner)
    f.add(1, -4.5 * f.move("frown"), inner)
    f.add(2, 1.5 * f.move("frown"), inner)
    f.add(1, 3.0 * f.move("nose_wrinkle"), f.bump(9, -48, 12, 12))
    f.add(2, 1.6 * f.move("nose_wrinkle"), f.bump(11, -8, 5, 9))
    f.add(1, -0.35 * f.move("lip_press"), (f.y - MOUTH) * f.bump(0, MOUTH, 22, 8))
    f.add(2, -1.8 * f.move("lip_press"), f.bump(0, MOUTH, 20, 9))


def hairline(theta: Tensor, modes: Tensor) -> Tensor:
    """Height above which hair grows, ``(n, v)``, at angles ``(v,)`` or ``(n, v)``."""
    turn = theta.abs()
    across = turn if turn.dim() == 2 else turn[None]
    level = 66 + 5.5 * modes[:, INDEX["hair_line"], None]
    part = 5.0 * modes[:, INDEX["hair_part"], None] * torch.sin(2.2 * (theta if theta.dim() == 2 else theta[None]))
    return level + part * ramp(across, 1.2, 0.6) - 62 * ramp(across, 0.62, 1.4) - 85 * ramp(across, 1.65, 2.2)


def _hair(f: Field, theta: Tensor) -> None:
    """Hair has thickness: points above the hairline move away from the head's centre."""
    above = ramp(f.y[None] - hairline(theta, f.modes), -2, 14)
    thick = (6.0 + 3.2 * f.mode("hair_volume")).clamp(0.5) * above
    radius = f.total.norm(dim=2, keepdim=True).clamp(1e-3)
    f.total = f.total * (1 + thick[..., None] / radius)


def _ears(out: Tensor, template: Template, modes: Tensor) -> None:
    ear = template.kind == EAR
    size = 1 + 0.09 * modes[:, INDEX["ear_size"], None]
    x, y, z = (out[:, ear, i] for i in range(3))
    side = torch.sign(x)
    wide = HALF_AT_EAR * (1 + 0.045 * modes[:, INDEX["face_width"], None])
    away = (x.abs() - 73) * size + 2.5 * modes[:, INDEX["ear_angle"], None] * ramp(z, 0, -25)
    out[:, ear, 0] = side * (wide + away)
    out[:, ear, 1] = (y + 14) * size - 14
    out[:, ear, 2] = (z + 8) * size - 8


HALF_AT_EAR = 73.0


def _curtain(out: Tensor, template: Template, modes: Tensor) -> None:
    """Long hair hangs behind and beside the head; short hair leaves no curtain."""
    curtain = template.kind == CURTAIN
    length = modes[:, INDEX["hair_length"], None]
    share = ramp(length, 0.25, 0.6)
    reach = 0.55 + 0.42 * (length - 0.25).clamp(0, 2)
    y = out[:, curtain, 1]
    grow = 1 + 0.035 * modes[:, INDEX["hair_volume"], None] + 0.045 * modes[:, INDEX["face_width"], None]
    out[:, curtain, 0] *= grow * (1 + 0.1 * ramp(y, -20, -110))
    out[:, curtain, 1] = 50 - (50 - y) * reach * (0.5 + 1.1 * share)
    # Without long hair all points fall together, and triangles without area are not drawn.
    out[:, curtain] = torch.where(share[..., None] > 0, out[:, curtain], torch.zeros(3, device=out.device))


def _block(out: Tensor, template: Template, head: Tensor, occluded: str) -> None:
    block = template.kind == BLOCK
    if not occluded:
        out[:, block] = 0.0
        return
    x, y, wide, high = _BLOCKS[occluded]
    out[:, block, 0] = out[:, block, 0] * wide + x
    out[:, block, 1] = out[:, block, 1] * high + y
    out[:, block, 2] = head[:, :, 2].amax(dim=1, keepdim=True) + 8


def rotation(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """``(n, 3, 3)``; degrees. First yaw, then pitch, then roll (clockwise in the picture)."""
    a, b, c = (angle * (math.pi / 180) for angle in (yaw, pitch, roll))
    one, zero = torch.ones_like(a), torch.zeros_like(a)
    turn = torch.stack([a.cos(), zero, a.sin(), zero, one, zero, -a.sin(), zero, a.cos()], -1)
    nod = torch.stack([one, zero, zero, zero, b.cos(), b.sin(), zero, -b.sin(), b.cos()], -1)
    tilt = torch.stack([c.cos(), c.sin(), zero, -c.sin(), c.cos(), zero, zero, zero, one], -1)
    matrices = [m.reshape(-1, 3, 3) for m in (tilt, nod, turn)]
    return matrices[0] @ matrices[1] @ matrices[2]
