"""Colour, gloss and part of every surface point, from its template place; linear RGB.

Skin follows Beer and Lambert: reflectance is ``exp(-(a + m * melanin + h * haemoglobin))`` per channel, with
absorptions in the order of skin optics (melanin falls towards red, haemoglobin peaks in green and blue).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .identity import INDEX
from .scene import MOVEMENTS
from .shape import hairline, ramp
from .template import BLOCK, CLOTH, CURTAIN, EAR, EYE_X, HEAD, MOUTH, NECK

PARTS = ("background", "skin", "brows", "eyes", "nose", "lips", "inner mouth", "ears", "neck", "hair", "cloth",
         "occlusion")  # fmt: skip
_PART = {name: i for i, name in enumerate(PARTS)}
BASE = (0.20, 0.42, 0.56)
MELANIN = (1.55, 2.15, 2.75)
HAEMOGLOBIN = (0.10, 0.62, 0.55)


@dataclass(frozen=True)
class Surface:
    """What the renderer knows of each visible point, ``p`` of them.

    Attributes:
        place: ``(p, 3)`` template position.
        theta: ``(p,)``.
        kind: ``(p,)`` kind of patch.
        modes: ``(p, modes)`` of the person seen there.
        movements: ``(p, movements)``.
        gaze: ``(p, 2)`` degrees.
        melanin, haemoglobin: ``(p,)``.
        moles: ``(p, 4, 3)``.
        grain: ``(p, 3)`` fine texture in [-1, 1]: skin, freckles, strands.
    """

    place: Tensor
    theta: Tensor
    kind: Tensor
    modes: Tensor
    movements: Tensor
    gaze: Tensor
    melanin: Tensor
    haemoglobin: Tensor
    moles: Tensor
    grain: Tensor

    def mode(self, name: str) -> Tensor:
        """``(p,)``."""
        return self.modes[:, INDEX[name]]

    def move(self, name: str) -> Tensor:
        """``(p,)``."""
        return self.movements[:, MOVEMENTS.index(name)]


@dataclass
class Paint:
    """Colour ``(p, 3)``, gloss ``(p,)``, crevice shade ``(p,)`` and part ``(p,)``, painted over and over."""

    colour: Tensor
    gloss: Tensor
    shade: Tensor
    part: Tensor

    def over(self, colour: Tensor, amount: Tensor, gloss: float | None = None) -> None:
        """Lay a colour ``(p, 3)`` or ``(3,)`` over by ``amount`` ``(p,)`` in [0, 1]."""
        self.colour = self.colour + (colour - self.colour) * amount[:, None]
        if gloss is not None:
            self.gloss = self.gloss + (gloss - self.gloss) * amount

    def mark(self, name: str, where: Tensor) -> None:
        """Points where ``where`` exceeds a half belong to a part."""
        self.part = torch.where(where > 0.5, _PART[name], self.part)


def paint(s: Surface) -> Paint:
    """Colour every point."""
    skin = skin_colour(s)
    p = Paint(skin, torch.full_like(s.theta, 0.5), torch.ones_like(s.theta), torch.full_like(s.kind, _PART["skin"]))
    face = s.kind == HEAD
    front = ramp(torch.cos(s.theta), 0.0, 0.3) * face
    x, y = s.place[:, 0], s.place[:, 1]
    _regions(p, s, x, y, front)
    _stubble(p, s, x, y, front)
    _lips(p, s, x, y, front)
    _eyes(p, s, x, y, front)
    _brows(p, s, x, y, front)
    _hair(p, s, y, face)
    _others(p, s)
    return p


def reflectance(melanin: Tensor, haemoglobin: Tensor) -> Tensor:
    """Skin's linear RGB ``(p, 3)``."""
    base, m, h = (torch.tensor(v, device=melanin.device) for v in (BASE, MELANIN, HAEMOGLOBIN))
    return torch.exp(-(base + m * melanin[:, None] + h * haemoglobin[:, None]))


def skin_colour(s: Surface) -> Tensor:
    """Skin with its redder cheeks, nose and ears, freckles, moles and mottling."""
    x, y = s.place[:, 0].abs(), s.place[:, 1]
    red = torch.exp(-(((x - 42) / 17) ** 2 + ((y + 36) / 16) ** 2) / 2) * (0.45 + 0.28 * s.mode("cheek_red"))
    red = red + 0.35 * torch.exp(-((x / 11) ** 2 + ((y + 44) / 9) ** 2) / 2)
    red = red + 0.3 * (s.kind == EAR)
    pale = torch.exp(-(((x - EYE_X) / 15) ** 2 + ((y + 10) / 6) ** 2) / 2) * (0.10 + 0.10 * s.mode("under_eye"))
    mottle = (0.05 + 0.02 * s.mode("mottle").abs()) * s.grain[:, 0]
    area = torch.exp(-((x / 52) ** 2 + ((y + 22) / 26) ** 2) / 2)
    freckles = ramp(s.grain[:, 1], 0.35, 0.75) * area * (s.mode("freckles") - 0.4).clamp(0) * 0.32
    dx = s.place[:, None, 0] - s.moles[:, :, 0]
    dy = s.place[:, None, 1] - s.moles[:, :, 1]
    moles = ramp((dx**2 + dy**2).sqrt() - s.moles[:, :, 2], 0.6, -0.4) * (s.moles[:, :, 2] > 0.2)
    melanin = s.melanin + freckles * (1 - s.melanin) + 0.55 * moles.amax(1) + pale + 0.3 * mottle
    return reflectance(melanin.clamp(0, 1.5), (s.haemoglobin + red + mottle).clamp(0, 2))


def _regions(p: Paint, s: Surface, x: Tensor, y: Tensor, front: Tensor) -> None:
    """Crevices, nostrils and the nose as a part."""
    a = x.abs()

    def pit(cx: float, cy: float, wide: float, high: float, depth: float) -> None:
        p.shade = p.shade * (1 - depth * front * torch.exp(-(((a - cx) / wide) ** 2 + ((y - cy) / high) ** 2) / 2))

    pit(15, 2, 5, 6, 0.28)
    pit(29, 8, 13, 4, 0.16)
    pit(17, -48, 3.5, 6, 0.28)
    pit(0, -55, 13, 3.2, 0.30)
    pit(0, -86.5, 13, 3.0, 0.20)
    pit(26.5, MOUTH, 3.0, 3.0, 0.30)
    fold = torch.exp(-(((a - (20 + 0.28 * (-50 - y))) / 2.6) ** 2) / 2) * ramp(y, -44, -52) * ramp(y, -84, -70)
    p.shade = p.shade * (1 - front * fold * (0.07 + 0.28 * s.move("smile")))
    lines = torch.exp(-(((a - 4.5) / 1.6) ** 2 + ((y - 17) / 6) ** 2) / 2)
    p.shade = p.shade * (1 - 0.4 * front * lines * s.move("frown"))
    p.shade = p.shade * (1 - 0.3 * front * s.move("nose_wrinkle") * torch.exp(-((a / 9) ** 2 + ((y + 2) / 2) ** 2) / 2))
    hole = front * ramp(((a - 7.2) / 3.8) ** 2 + ((y + 50.4) / 2.0) ** 2, 1.3, 0.7)
    p.over(p.colour * 0.12, hole, 0.1)
    nose = front * (y < 2) * (y > -54) * (a < 8 + 0.2 * (-y).clamp(0, 48))
    p.mark("nose", nose)


def _stubble(p: Paint, s: Surface, x: Tensor, y: Tensor, front: Tensor) -> None:
    a = x.abs()
    cheek = ramp(y, -44 + 0.0, -66) * ramp(a, 30, 50) + ramp(y, -62, -82)
    lip = torch.exp(-(((y + 59) / 5) ** 2) / 2) * ramp(a, 30, 20)
    region = front * (cheek + lip).clamp(0, 1) * (0.75 + 0.35 * s.grain[:, 2]).clamp(0, 1)
    amount = 0.16 * ramp(s.mode("stubble"), -0.2, 0.9) + 0.62 * ramp(s.mode("stubble"), 1.05, 1.7)
    p.over(hair_colour(s) * 0.9 + p.colour * 0.1, region * amount, 0.15)


def _lips(p: Paint, s: Surface, x: Tensor, y: Tensor, front: Tensor) -> None:
    a = x.abs()
    arc = (1 - (x / 25.5) ** 2).clamp(0)
    bow = 1 + 0.16 * torch.exp(-(((a - 6) / 4) ** 2) / 2) - 0.22 * torch.exp(-((x / 3) ** 2) / 2)
    above, below = y - MOUTH, MOUTH - y
    upper = ramp(above - 7.2 * arc**0.8 * bow, 0.7, -0.7) * (above > -0.75)
    lower = ramp(below - 10.0 * arc**0.75, 0.9, -0.9) * (below > -0.75)
    lips = front * ((upper + lower).clamp(0, 1)) * (a < 25.5)
    tint = torch.tensor([0.86, 0.50, 0.52], device=x.device) * (1 - 0.09 * s.mode("lip_red"))[:, None]
    tint[:, 0] = 0.88 - 0.02 * s.mode("lip_red")
    p.over(p.colour * tint, lips * 0.85, 0.9)
    p.mark("lips", lips)
    opened = s.move("jaw_open")
    gap = front * ramp(above.abs(), 0.95, 0.55) * (a < 23)
    teeth = ramp(opened, 0.05, 0.2) * ramp(above, -0.15, 0.1) * ramp(a, 20, 14)
    inside = torch.tensor([0.10, 0.022, 0.02], device=x.device).expand(len(x), 3)
    bright = torch.tensor([0.66, 0.62, 0.54], device=x.device)
    dark = p.colour * 0.28 + inside * 0.2
    open_colour = inside + (bright - inside) * teeth[:, None]
    p.over(torch.where((opened > 0.04)[:, None], open_colour, dark), gap, 0.4)
    p.mark("inner mouth", gap * (opened > 0.04))


def _eyes(p: Paint, s: Surface, x: Tensor, y: Tensor, front: Tensor) -> None:
    side = torch.sign(x)
    ex = x.abs() - EYE_X
    width = 14.6
    across = (1 - (ex / width).abs() ** 2.1).clamp(0)
    lift = (1 + 0.35 * s.move("lids_wide")) * (1 - s.move("blink"))
    top = 5.9 * across**0.62 * lift - 0.5
    bottom = -4.3 * across**0.8 - 0.5 + 1.2 * s.move("smile")
    bottom = torch.minimum(bottom, top)
    inside = front * ramp(y - top, 0.35, -0.35) * ramp(bottom - y, 0.35, -0.35) * (ex.abs() < width)
    crease = front * torch.exp(-(((y - top - 3.4) / 0.9) ** 2) / 2) * across.sqrt()
    p.shade = p.shade * (1 - 0.30 * crease)
    bag = front * torch.exp(-(((y - bottom + 3.8) / 1.3) ** 2) / 2) * across.sqrt()
    p.shade = p.shade * (1 - 0.10 * bag)
    white = torch.tensor([0.62, 0.58, 0.55], device=x.device).expand(len(x), 3)
    corner = (1 - 0.35 * (ex / width) ** 2)[:, None]
    p.over(white * corner, inside, 1.0)
    gx = side * ex + 0.20 * s.gaze[:, 0]
    gy = y - 0.4 - 0.20 * s.gaze[:, 1]
    gx = gx - 0.40 * s.gaze[:, 0]
    radius = (gx**2 + gy**2).sqrt()
    p.over(iris_colour(s) * (0.75 + 0.5 * ramp(radius, 2.0, 5.0))[:, None], inside * ramp(radius, 6.3, 5.7), 1.0)
    p.over(white * 0.03, inside * ramp(radius, 6.6, 6.1) * ramp(radius, 5.3, 6.1) * 0.7, 1.0)
    p.over(white * 0.01, inside * ramp(radius, 2.9, 2.4), 1.0)
    glint = inside * ramp(((gx + 1.9) ** 2 + (gy - 2.1) ** 2).sqrt(), 1.3, 0.7)
    p.over(white * 0 + 1.4, glint, 1.0)
    lash = front * torch.exp(-(((y - top - 0.35) / 0.75) ** 2) / 2) * (ex.abs() < width + 1)
    p.over(white * 0.012, lash * 0.85, 0.2)
    under = front * torch.exp(-(((y - bottom + 0.25) / 0.45) ** 2) / 2) * (ex.abs() < width)
    p.over(p.colour * 0.35, under * 0.55, 0.3)
    p.mark("eyes", inside)


def iris_colour(s: Surface) -> Tensor:
    """Linear RGB ``(p, 3)`` from blue and green to dark brown."""
    dark = torch.tensor([0.055, 0.022, 0.010], device=s.theta.device)
    light = torch.tensor([0.16, 0.24, 0.30], device=s.theta.device)
    green = torch.tensor([0.17, 0.20, 0.09], device=s.theta.device)
    pale = light + (green - light) * torch.sigmoid(2 * s.mode("iris_hue"))[:, None]
    return pale + (dark - pale) * torch.sigmoid(2.5 * (s.mode("iris_dark") + 0.3))[:, None]


def hair_colour(s: Surface) -> Tensor:
    """Linear RGB ``(p, 3)`` from blond and red to black, and grey."""
    device = s.theta.device
    black, blond, red, grey = (
        torch.tensor(v, device=device)
        for v in ([0.012, 0.009, 0.008], [0.40, 0.26, 0.12], [0.24, 0.075, 0.025], [0.42, 0.42, 0.43])
    )
    warm = blond + (red - blond) * torch.sigmoid(3 * (s.mode("hair_red") - 0.9))[:, None]
    base = warm * (black / warm) ** torch.sigmoid(1.7 * (s.mode("hair_dark") + 0.35))[:, None]
    return base + (grey - base) * (0.75 * ramp(s.mode("hair_grey"), 0.9, 1.9))[:, None]


def _brows(p: Paint, s: Surface, x: Tensor, y: Tensor, front: Tensor) -> None:
    ex = x.abs() - EYE_X
    along = (ex + 16) / (31 + 1.6 * s.mode("brow_length"))
    middle = (
        15.2
        + 1.4 * s.mode("brow_height")
        + (3.4 + 1.5 * s.mode("brow_arch")) * torch.sin(torch.pi * along.clamp(0, 1) * 0.85)
    )
    thick = (2.35 + 0.75 * s.mode("brow_thickness")).clamp(0.8) * (1.15 - 0.75 * along.clamp(0, 1))
    body = ramp((y - middle).abs() - thick, 1.0, -0.8) * ramp(along, -0.02, 0.07) * ramp(along, 1.02, 0.88)
    amount = (
        front * body * (0.72 + 0.16 * s.mode("brow_dark")).clamp(0.3, 0.97) * (0.86 + 0.3 * s.grain[:, 2]).clamp(0, 1)
    )
    p.over(hair_colour(s) * 0.75, amount, 0.15)
    p.mark("brows", front * body)


def _hair(p: Paint, s: Surface, y: Tensor, face: Tensor) -> None:
    edge = hairline(s.theta[:, None], s.modes)[:, 0]
    amount = ramp(y - edge + 3.5 * s.grain[:, 2], -1.5, 3.5) * face
    shaven = ramp(s.mode("hair_volume"), -1.35, -1.0)
    p.over(_strands(s), amount * (0.5 + 0.5 * shaven), 0.55)
    p.mark("hair", amount)


def _strands(s: Surface) -> Tensor:
    return hair_colour(s) * (1 + 0.55 * s.grain[:, 2])[:, None].clamp(0.2)


def _others(p: Paint, s: Surface) -> None:
    for kind, name in (
        (EAR, "ears"),
        (NECK, "neck"),
        (CURTAIN, "hair"),
        (CLOTH, "cloth"),
        (BLOCK, "occlusion"),
    ):
        p.mark(name, (s.kind == kind).float())
    p.over(_strands(s), (s.kind == CURTAIN).float(), 0.55)
    hue = 0.5 + 0.5 * torch.sin(s.modes[:, :3] * 2.1 + torch.tensor([0.0, 2.0, 4.0], device=s.theta.device))
    p.over(0.03 + 0.30 * hue, (s.kind == CLOTH).float(), 0.05)
    p.over(torch.full_like(p.colour, 0.18), (s.kind == BLOCK).float(), 0.0)
    ear = s.kind == EAR
    hollow = torch.exp(-(((s.place[:, 2] + 4) / 7) ** 2 + ((s.place[:, 1] + 10) / 11) ** 2) / 2)
    p.shade = torch.where(ear, p.shade * (1 - 0.45 * hollow), p.shade)
    p.shade = torch.where(s.kind == NECK, p.shade * (1 - 0.45 * ramp(s.place[:, 1], -150, -105)), p.shade)
