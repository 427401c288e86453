"""Points of everything but the bare head: ears, neck, hair, clothes, glasses, headwear, face masks, hands."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from .factors import AVIATOR, BANDANA, BEANIE, CAP, FFP2, HEADSCARF, OCCLUDERS, RECTANGULAR, SURGICAL
from .identity import INDEX
from .shape import Linear, anatomical, child, coefficients, head
from .template import (
    BLOCK,
    CLOTH,
    CURTAIN,
    EAR,
    EYE_X,
    FRAME,
    HAND,
    HEAD,
    LENS,
    MOUTH,
    NECK,
    VISOR,
    Template,
    resident,
    theta_at,
)  # fmt: skip

# Which anchor, offset from it, half width and half height.
_BLOCKS = {
    "eyes": (2, 0.0, 4.0, 64.0, 26.0), "nose": (3, 0.0, 12.0, 23.0, 30.0), "mouth": (4, 0.0, -1.0, 40.0, 19.0),
    "jaw": (5, 0.0, 12.0, 64.0, 24.0), "left half": (2, 50.0, 0.0, 50.0, 118.0),
}  # fmt: skip
_HANDS = {"hand on mouth": (-30.0, -8.0, 1.3), "hand on cheek": (-50.0, -12.0, 0.1)}
_ANCHORS = np.array(
    [[-EYE_X, 0.0], [EYE_X, 0.0], [0.0, 0.0], [0.0, -38.0], [0.0, MOUTH], [0.0, -108.0], [-74.0, -8.0], [74.0, -8.0]]
)


def ramp(value: Tensor, low: float, high: float) -> Tensor:
    """0 at ``low`` and before, 1 at ``high`` and beyond, smooth between; ``low`` may exceed ``high``."""
    t = ((value - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


@functools.cache
def _anchors() -> Linear:
    """Eyes, bridge and tip of the nose, mouth, chin; and the head's sides where the ears are."""
    theta = np.concatenate([theta_at(_ANCHORS[:6, 0], _ANCHORS[:6, 1]), [-1.6, 1.6]])
    return anatomical(_ANCHORS, theta)


def kinds_shown(t: dict[str, Tensor]) -> frozenset[int]:
    """The kinds of patch that at least one picture of a batch shows; lenses are drawn by themselves."""
    kinds = {HEAD, EAR, NECK, CLOTH}
    if bool((t["hair_length"] > 0.45).any() | (t["headwear"] == HEADSCARF).any()):
        kinds.add(CURTAIN)
    if bool((t["glasses"] > 0).any()):
        kinds.add(FRAME)
    if bool((t["headwear"] == CAP).any()):
        kinds.add(VISOR)
    occluders = {OCCLUDERS[i] for i in t["occluder"].tolist()}
    return frozenset(kinds | ({BLOCK} if occluders & _BLOCKS.keys() else set()) |
                     ({HAND} if occluders & _HANDS.keys() else set()))  # fmt: skip


def points(shape: Template, t: dict[str, Tensor]) -> Tensor:
    """``(n, v, 3)`` positions in millimetres of all template points, before the head is turned."""
    c = coefficients(t)
    bare = head().points(c)
    anchors = _anchors().points(c)
    n = len(c)
    places, angles = resident(shape.place, c.device), resident(shape.theta, c.device)
    pieces = []
    for patch in shape.patches:
        place = places[patch.start : patch.start + patch.rows * patch.columns]
        theta = angles[patch.start : patch.start + len(place)]
        if patch.kind == HEAD:
            pieces.append(_covered(bare, place, theta, t))
        elif patch.kind in _MAKERS:
            pieces.append(_MAKERS[patch.kind](place.expand(n, -1, -1), theta, t, anchors))
        else:
            pieces.append(place.expand(n, -1, -1))
    return torch.cat(pieces, 1)


def hairline(theta: Tensor, t: dict[str, Tensor]) -> Tensor:
    """Height above which hair grows, for factors that fit ``theta``: forehead, temples, before the ears, nape."""
    turn = theta.abs()
    temples = ramp(turn, 0.3, 0.65) * ramp(turn, 1.15, 0.85)
    level = 66 - 3 * t["gender"] + 40 * t["hair_recession"] * ramp(turn, 1.5, 0.9)
    level = level + temples * (1 + 4 * t["gender"].clamp(-0.5) + 24 * t["hair_recession"])
    swept = 0.65 + 0.35 * torch.sin(2.4 * theta + 1.2 * t["hair_part"])
    level = level - 46 * t["hair_fringe"] * ramp(turn, 0.95, 0.6) * swept
    level = level + 4.0 * t["hair_part"] * torch.sin(2.2 * theta) * ramp(turn, 1.2, 0.6)
    return level - 62 * ramp(turn, 0.82, 1.36) - 85 * ramp(turn, 1.9, 2.3)


def _covered(bare: Tensor, place: Tensor, theta: Tensor, t: dict[str, Tensor]) -> Tensor:
    """The head with what lies on it: hair, headwear, a face mask; each thickens it away from its centre."""
    y = place[None, :, 1]
    grows = {k: t[k][:, None] for k in ("hair_recession", "hair_part", "hair_fringe", "gender")}
    hair = ramp(y - hairline(theta[None], grows), -2, 16)
    top = ramp(y, 10, 105)
    length, volume, curl = (t[f"hair_{k}"][:, None] for k in ("length", "volume", "curl"))
    grown = ramp(length, 0.02, 0.28)
    thick = hair * grown * (3.0 + (3.5 + 3.5 * top) * ramp(length, 0.1, 0.5) + (1.4 + 2.2 * top) * volume).clamp(1.0)
    thick = thick + hair * grown * 15 * ramp(curl, 0.55, 1.0) * ramp(length, 0.12, 0.45) * (0.6 + 0.6 * top)
    side = t["hair_part"][:, None] * torch.sin(theta)[None]
    thick = thick * (1 + 0.22 * side * top)
    wave = torch.sin(theta * 17 + 3) * torch.sin(y * 0.21) + 0.6 * torch.sin(theta * 31) * torch.sin(y * 0.37 + 1)
    thick = thick * (1 + (0.06 + 0.16 * curl) * wave)
    worn = t["headwear"][:, None]
    cloth = (worn > 0) * headwear_amount(y, theta, worn)
    thick = thick * (1 - cloth) + cloth * (6.0 + 3.0 * top * (worn == BEANIE))
    radius = bare.norm(dim=2).clamp(min=1e-3)
    out = bare * (1 + thick / radius)[..., None]
    return _masked(out, place, t)


def headwear_amount(y: Tensor, theta: Tensor, worn: Tensor) -> Tensor:
    """Where cloth covers the head, in [0, 1], for each picture's headwear (``worn`` fits ``y`` and ``theta``)."""
    turn = theta.abs() * torch.ones_like(y)
    beanie = ramp(y - (46 - 40 * ramp(turn, 0.6, 1.9)), 0, 2.5)
    cap = ramp(y - (56 - 36 * ramp(turn, 0.8, 2.0)), 0, 2.5)
    # A headscarf leaves an oval of the face free.
    oval = (turn / 1.12) ** 2.4 + ((y + 22).abs() / 86) ** 2.4
    scarf = ramp(oval, 0.96, 1.04)
    return beanie * (worn == BEANIE) + cap * (worn == CAP) + scarf * (worn == HEADSCARF)


def mask_amount(x: Tensor, y: Tensor, front: Tensor, worn: Tensor) -> Tensor:
    """Where a face mask covers the head, in [0, 1]: its cut, for each picture's mask."""
    a = x.abs()
    surgical = ramp(y, -14.5, -17) * ramp(a - 58, 1.5, -1.5) * ramp(y + 17 + 0.20 * a, 1, -1)
    bridge = 8 * torch.exp(-((x / 13) ** 2))
    surgical = torch.where(y > -30, ramp(y - (bridge - 28 - 0.06 * a), 1, -1) * ramp(a - 58, 1.5, -1.5), surgical)
    ffp2 = ramp(y - (bridge - 26 - 0.0035 * a**2), 1, -1) * ramp(a - 54 - 0.12 * (y + 60), 1.5, -1.5)
    bandana = ramp(y - (bridge - 24 + 0.08 * a), 1, -1)
    return front * (surgical * (worn == SURGICAL) + ffp2 * (worn == FFP2) + bandana * (worn == BANDANA))


def _masked(out: Tensor, place: Tensor, t: dict[str, Tensor]) -> Tensor:
    """A mask spans the relief below it: points move out to a smooth sheet, a beak for FFP2."""
    worn = t["mask"][:, None]
    if not bool((worn > 0).any()):
        return out
    x, y = place[None, :, 0], place[None, :, 1]
    inside = (worn > 0) * mask_amount(x, y, (place[None, :, 2] > 0).float(), worn)
    nose = out[..., 2].amax(1, keepdim=True)
    flat = nose - 1.5 - 0.0105 * x**2 - 0.0045 * (y + 50) ** 2
    beak = nose + 9 - 0.80 * x.abs() - 0.010 * (y + 62) ** 2
    sheet = torch.where(worn == FFP2, beak, flat)
    z = out[..., 2]
    moved = z + inside * ((sheet - z).clamp(min=0) + 1.8)
    return torch.stack([out[..., 0], out[..., 1], moved], 2)


def _ear(place: Tensor, theta: Tensor, t: dict[str, Tensor], anchors: Tensor) -> Tensor:
    m = t["modes"]
    grown = 1 + 0.05 * (t["age"] / 80 - 0.4)
    size = (grown + 0.09 * m[:, INDEX["ear_size"]])[:, None]
    # Three millimetres off the head's own side.
    right = bool(place[0, 0, 0] > 0)
    wide = anchors[:, 7 if right else 6, 0].abs()[:, None] + 3.0
    x, y, z = place.unbind(2)
    away = (x.abs() - 70) * size + 2.5 * m[:, INDEX["ear_angle"], None] * ramp(z, 0, -25)
    return torch.stack([torch.sign(x) * (wide + away), (y + 14) * size - 14, (z + 8) * size - 8], 2)


def _neck(place: Tensor, theta: Tensor, t: dict[str, Tensor], anchors: Tensor) -> Tensor:
    m, young = t["modes"], child(t["age"])[:, None]
    grown = (
        0.06 * m[:, INDEX["neck_width"], None] + 0.035 * m[:, INDEX["face_width"], None] + 0.10 * t["gender"][:, None]
    )
    wide = 1 + grown - 0.28 * young
    x, y, z = place.unbind(2)
    return torch.stack([x * wide, y, (z + 24) * wide - 24], 2)


def _cloth(place: Tensor, theta: Tensor, t: dict[str, Tensor], anchors: Tensor) -> Tensor:
    wide = 1 + 0.05 * t["gender"][:, None] - 0.25 * child(t["age"])[:, None]
    x, y, z = place.unbind(2)
    return torch.stack([x * wide, y, z], 2)


def _curtain(place: Tensor, theta: Tensor, t: dict[str, Tensor], anchors: Tensor) -> Tensor:
    """Long hair hangs behind and beside the head; short hair leaves no curtain; a headscarf is one, too."""
    length, volume, curl = (t[f"hair_{k}"][:, None] for k in ("length", "volume", "curl"))
    scarf = (t["headwear"] == HEADSCARF)[:, None]
    shown = ramp(length, 0.45, 0.55) * ~scarf + scarf
    reach = torch.where(scarf, torch.full_like(length, 235.0), 70 + 290 * (length - 0.45).clamp(0))
    x, y, z = place.unbind(2)
    down = (60 - y) / 120
    grow = 1 + 0.05 * volume + 0.048 * t["modes"][:, INDEX["face_width"], None] + 0.12 * ramp(curl, 0.5, 1)
    spread = grow * (1 + 0.16 * torch.sin(down * 2.2)) + 0.05 * ramp(down, 0.3, 1.0)
    wave = (0.006 + 0.05 * curl) * torch.sin(theta[None] * 9 + down * (3 + 7 * curl) * 3)
    spread = spread * (0.90 + 0.10 * ramp(down, 0.0, 0.25)) * (1 + wave * down) * (1 - 0.10 * ramp(down, 0.85, 1.0))
    # The sheet leaves the cheeks free: it goes back where it goes down.
    back = -10 * ramp(down, 0.0, 0.5) * (z > 0)
    ragged = 1 + 0.03 * (torch.sin(theta[None] * 37) + torch.sin(theta[None] * 23 + 1)) * down
    moved = torch.stack([x * spread, 60 - down * reach * ragged, z * spread + back], 2)
    return torch.where(shown[..., None] > 0, moved, torch.zeros_like(moved))


def _glasses(place: Tensor, theta: Tensor, t: dict[str, Tensor], anchors: Tensor) -> Tensor:
    """A frame on this person's nose: rims about the eyes, temples to the ears."""
    right, left, bridge = (anchors[:, i] for i in range(3))
    worn = t["glasses"][:, None]
    half = (left[:, :1] - right[:, :1]) / 2
    level, front = (right[:, 1:2] + left[:, 1:2]) / 2, bridge[:, 2:3] + 5
    code, side = int(theta[0].abs()), float(theta[0].sign())
    u, v, w = place.unbind(2)
    wide = half * 0.76 + 1.0 * (worn == AVIATOR)
    high = torch.where(worn == RECTANGULAR, 15.0, torch.where(worn == AVIATOR, 20.5, 19.5))
    if code in (1, 2):
        power = torch.where(worn == RECTANGULAR, 0.5, 0.85)
        radius = (u**2 + v**2).sqrt().clamp(min=1e-6)
        square = (torch.sign(u) * (u.abs() / radius) ** power, torch.sign(v) * (v.abs() / radius) ** power)
        x = side * half + wide * square[0] * radius
        y = level - 2 - 4.0 * (worn == AVIATOR) + high * square[1] * radius
        z = front + 1.2 * w - 0.0042 * x**2
    elif code == 3:
        x = side * (half * 1.73 + 1 + 11 * (u + 1) / 2)
        y = level + 6 + 1.8 * v
        z = (front - 0.0042 * x**2) * (1 - u) / 2 - 12 * (1 + u) / 2
    else:
        x = u * half * 0.28
        y = level + 3 + 1.4 * v + 2.5 * (1 - u**2)
        z = front + 1
    out = torch.stack([p.expand(len(worn), u.shape[1]) for p in (x, y, z)], 2)
    return torch.where((worn > 0)[..., None], out, torch.zeros_like(out))


def _visor(place: Tensor, theta: Tensor, t: dict[str, Tensor], anchors: Tensor) -> Tensor:
    s, along, c = place.unbind(2)
    out = torch.stack([(76 - 8 * along) * s, 56 - 17 * along - 10 * s**2 + 4 * along * c, (92 + 52 * along) * c], 2)
    return torch.where((t["headwear"] == CAP)[:, None, None], out, torch.zeros_like(out))


def _block(place: Tensor, theta: Tensor, t: dict[str, Tensor], anchors: Tensor) -> Tensor:
    """An opaque board before one part of this person's face."""
    table = place.new_tensor([_BLOCKS.get(name, (0.0,) * 5) for name in OCCLUDERS])[t["occluder"]]
    anchor, x, y, wide, high = (v[:, None] for v in table.unbind(1))
    middle = anchors.gather(1, anchor.long()[..., None].expand(-1, -1, 3))[:, 0]
    front = anchors[:, :6, 2].amax(1)[:, None] + 8
    across, up = place[..., 0] * wide + x + middle[:, :1], place[..., 1] * high + y + middle[:, 1:2]
    moved = torch.stack([across, up, front.expand_as(across)], 2)
    return torch.where((wide > 0)[..., None], moved, torch.zeros_like(moved))


def _hand(place: Tensor, theta: Tensor, t: dict[str, Tensor], anchors: Tensor) -> Tensor:
    table = place.new_tensor([_HANDS.get(name, (0.0, 0.0, 9.0)) for name in OCCLUDERS])[t["occluder"]]
    x, y, turn = (v[:, None] for v in table.unbind(1))
    u, v, w = place.unbind(2)
    mouth, front = anchors[:, 4, 1][:, None], anchors[:, 4, 2][:, None]
    across = u * turn.cos() + v * turn.sin() + x
    z = front + 12 + w - 0.006 * across**2
    moved = torch.stack([across, -u * turn.sin() + v * turn.cos() + y + mouth, z], 2)
    return torch.where((turn < 9)[..., None], moved, torch.zeros_like(moved))


_MAKERS = {EAR: _ear, NECK: _neck, CLOTH: _cloth, CURTAIN: _curtain, FRAME: _glasses, LENS: _glasses, VISOR: _visor,
           BLOCK: _block, HAND: _hand}  # fmt: skip
