"""Skin: Beer and Lambert's law over two pigments, their places, wrinkles, moles, stubble and blusher.

Reflectance is ``exp(-(a + m * melanin + h * haemoglobin))`` per channel; the absorptions keep the order that skin
optics gives them (melanin falls from blue to red, haemoglobin peaks in green and blue: S. L. Jacques, Optical
properties of biological tissues, 2013). Near-infrared, where both hardly absorb, is a fourth channel.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .parts import ramp
from .shape import old
from .surface import Paint, Surface, hump
from .template import EAR, EYE_X, MOUTH, NOSE_BASE, NOSE_TIP

BASE = (0.22, 0.42, 0.72)
MELANIN = (1.55, 2.15, 2.75)
HAEMOGLOBIN = (0.10, 0.52, 0.44)
# About 940 nm: reflectance 0.62 of light and 0.50 of dark skin.
BASE_NIR, MELANIN_NIR, HAEMOGLOBIN_NIR = 0.45, 0.21, 0.06


def reflectance(melanin: Tensor, haemoglobin: Tensor) -> Tensor:
    """Skin's linear RGB, ``(..., 3)``."""
    base, m, h = (torch.tensor(v, device=melanin.device) for v in (BASE, MELANIN, HAEMOGLOBIN))
    return torch.exp(-(base + m * melanin[..., None] + h * haemoglobin[..., None]))


def fitzpatrick(melanin: Tensor) -> Tensor:
    """Skin type I to VI as 1 to 6: six equal steps of melanin, our convention."""
    return (melanin * 6).floor().clamp(0, 5).long() + 1


def bare(s: Surface) -> Paint:
    """Every point as bare skin."""
    x, y = s.x.abs(), s.y
    red = torch.exp(-(((x - 42) / 17) ** 2 + ((y + 36) / 16) ** 2) / 2) * (0.36 + 0.28 * s.mode("cheek_red"))
    red = red + 0.35 * torch.exp(-((x / 11) ** 2 + ((y + 37) / 9) ** 2) / 2) + 0.3 * (s.kind == EAR)
    ring = torch.exp(-(((x - EYE_X) / 15) ** 2 + ((y + 9) / 6) ** 2) / 2)
    aged = old(s.of("age"))
    mottle = (0.05 + 0.02 * s.mode("mottle").abs() + 0.05 * aged) * s.grain(0)
    freckles = torch.exp(-((x / 52) ** 2 + ((y + 22) / 26) ** 2) / 2) * (s.mode("freckles") - 0.4).clamp(0) * 0.20
    speckle = s.grain(1)
    freckles = freckles * ramp(speckle, 0.35, 0.75) + 0.35 * aged * ramp(speckle, 0.72, 0.9)
    own = s.of("melanin")
    melanin = own + freckles * (1 - own) + 0.3 * mottle + 0.6 * _moles(s) + s.pigment[:, 0]
    melanin = melanin + ring * (0.07 + 0.09 * s.mode("under_eye") + 0.08 * aged)
    haemoglobin = s.of("haemoglobin") + red + mottle + s.pigment[:, 1]
    colour = reflectance(melanin.clamp(0, 1.5), haemoglobin.clamp(0, 2))
    gloss = 0.45 + 0.14 * s.mode("skin_gloss") + 0.25 * torch.exp(-((x / 14) ** 2 + ((y + 20) / 60) ** 2) / 2)
    return Paint(colour, gloss.clamp(0.05), torch.ones_like(own), torch.ones_like(s.kind))


def _moles(s: Surface) -> Tensor:
    moles = s.t["moles"]
    spots = torch.zeros_like(s.theta)
    for k in range(moles.shape[1]):
        mx, my, radius = (moles[:, k, i][s.at] for i in range(3))
        away = ((s.x - mx) ** 2 + (s.y - my) ** 2).sqrt()
        spots = torch.maximum(spots, ramp(away - radius, 0.6, -0.4) * (radius > 0.2))
    return spots


def crevices(p: Paint, s: Surface, front: Tensor) -> None:
    """Shade where little light gets in, the folds of age and of expressions."""
    a, x, y = s.x.abs(), s.x, s.y
    aged = old(s.of("age"))
    smile = s.move("smile")

    def pit(cx: float, cy: float, wide: float, high: float, depth: float | Tensor) -> None:
        p.darken(depth * front * torch.exp(-(((a - cx) / wide) ** 2 + ((y - cy) / high) ** 2) / 2))

    pit(15, 2, 5, 6, 0.26)
    pit(29, 9, 13, 3.6, 0.14)
    pit(18.0, NOSE_TIP - 3, 2.6, 5, 0.18)
    pit(0, NOSE_BASE - 2, 11, 2.6, 0.10)
    pit(0, MOUTH - 14, 13, 3.0, 0.16 + 0.10 * s.move("chin_raise"))
    pit(26.5, MOUTH, 3.0, 2.6, 0.12)
    fold = hump(a, 19 + 0.3 * (-42 - y), 2.4) * ramp(y, -36, -44) * ramp(y, -78, -64)
    p.darken(front * fold * (0.05 + 0.24 * smile + 0.22 * aged).clamp(0, 0.6))
    marionette = hump(a, 27 + 0.1 * (MOUTH - y), 1.6) * ramp(y, MOUTH - 3, MOUTH - 7) * ramp(y, -95, -84)
    p.darken(front * marionette * (0.28 * aged + 0.1 * s.move("corners_down")))
    raised = s.move("outer_brow_raise")
    lines = torch.sin((y + 0.03 * x**2 * 0.3) * 0.72).clamp(0) ** 6 * ramp(y, 30, 38) * ramp(y, 64, 54)
    p.darken(front * lines * ramp(a, 42, 25) * (0.30 * aged + 0.22 * raised).clamp(0, 0.5))
    p.darken(front * hump(a, 4.5, 1.5) * hump(y, 17, 6) * (0.36 * s.move("frown") + 0.18 * aged))
    p.darken(front * hump(a, 0, 9) * hump(y, -2, 2) * 0.3 * s.move("nose_wrinkle"))
    ex, ey = a - EYE_X - 16, y + 1
    rays = torch.sin(torch.atan2(ey, ex.clamp(min=0.5)) * 9).clamp(0) ** 4 * ramp(ex, 1, 4) * ramp(ex, 16, 9)
    p.darken(front * rays * hump(ey, 0, 9) * (0.24 * aged + 0.20 * s.move("cheek_raise")))


def stubble(p: Paint, s: Surface, front: Tensor, hair: Tensor) -> None:
    """Beard and moustache: where they grow, how dense, and a shadow where they are shaven."""
    a, y = s.x.abs(), s.y
    strands = (0.75 + 0.35 * s.grain(2)).clamp(0, 1)
    edge = 1.5 * s.grain(3)
    # From the sideburns obliquely to the corners of the mouth, and down from there.
    jaw = ramp(y + 30 + 0.95 * (66 - a).clamp(0) + edge, 3, -5)
    around = ((a / 27) ** 4 + ((y - MOUTH) / 12.5) ** 4) ** 0.25
    jaw = torch.maximum(jaw, ramp(y + edge, MOUTH - 11, MOUTH - 15))
    jaw = jaw * ramp(around, 1.0, 1.12) * (1 - 0.6 * hump(a, 0, 9) * hump(y, MOUTH - 13.5, 2.5))
    lip = (
        ramp(y, MOUTH + 4.5, MOUTH + 7.5)
        * ramp(y + edge, NOSE_BASE - 1, NOSE_BASE - 4.5)
        * ramp(a + edge, 32, 26)
        * (1 - 0.35 * hump(a, 0, 2))
    )
    shadow = front * torch.maximum(jaw, lip) * 0.30 * s.of("stubble")
    full = front * torch.maximum(jaw * ramp(s.of("beard"), 0.0, 0.6), lip * ramp(s.of("moustache"), 0.0, 0.6))
    p.over(hair * 0.8 + p.colour * 0.1, (shadow * strands).clamp(0, 1), 0.2)
    p.over(hair * (1 + 0.5 * s.grain(2))[:, None].clamp(0.2), (full * 0.94 * (0.5 + 0.5 * strands)).clamp(0, 1), 0.15)
    p.mark("beard", full)


def blusher(p: Paint, s: Surface, front: Tensor) -> None:
    """Colour on the cheeks."""
    area = torch.exp(-(((s.x.abs() - 46) / 13) ** 2 + ((s.y + 30 - 0.4 * (s.x.abs() - 46)) / 10) ** 2) / 2)
    p.over(s.of("cheek_colour"), front * area * 0.45 * s.of("cheek_makeup"))
