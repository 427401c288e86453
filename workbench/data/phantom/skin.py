"""Skin: Beer and Lambert's law over two pigments, their places, wrinkles, moles, stubble and blusher.

Reflectance is ``exp(-(a + m * melanin + h * haemoglobin))`` per channel; the absorptions keep the order that skin
optics gives them (melanin falls from blue to red, haemoglobin peaks in green and blue: S. L. Jacques, Optical
properties of biological tissues, 2013). Near-infrared, where both hardly absorb, is a fourth channel.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .hair import hair_colour
from .identity import INDEX
from .parts import ramp
from .shape import old
from .surface import PART, Paint, Surface, hump
from .template import EYE_X, MOUTH, NOSE_BASE
from .undertone import DARKNESS, GLOSS, HAEMOGLOBIN, MELANIN

BASE = (0.22, 0.42, 0.72)
MELANIN_RGB = (1.55, 2.15, 2.75)
HAEMOGLOBIN_RGB = (0.10, 0.52, 0.44)
# About 940 nm: reflectance 0.62 of light and 0.50 of dark skin.
BASE_NIR, MELANIN_NIR, HAEMOGLOBIN_NIR = 0.45, 0.21, 0.06


def reflectance(melanin: Tensor, haemoglobin: Tensor) -> Tensor:
    """Skin's linear RGB, ``(..., 3)``."""
    base, m, h = (torch.tensor(v, device=melanin.device) for v in (BASE, MELANIN_RGB, HAEMOGLOBIN_RGB))
    return torch.exp(-(base + m * melanin[..., None] + h * haemoglobin[..., None]))


def fitzpatrick(melanin: Tensor) -> Tensor:
    """Skin type I to VI as 1 to 6: six equal steps of melanin, our convention."""
    return (melanin * 6).floor().clamp(0, 5).long() + 1


def absorbed(melanin: Tensor, haemoglobin: Tensor) -> Tensor:
    """What more of the pigments leaves of the light, ``(..., 3)``: layers multiply."""
    m, h = (torch.tensor(v, device=melanin.device) for v in (MELANIN_RGB, HAEMOGLOBIN_RGB))
    return torch.exp(-(m * melanin[..., None] + h * haemoglobin[..., None]))


def bare(s: Surface) -> Paint:
    """Every point as bare skin of its person, with the mottling that age adds to."""
    t = s.t
    strength = 0.05 + 0.02 * t["modes"][:, INDEX["mottle"]].abs() + 0.10 * old(t["age"])
    mottle = s.spread(strength) * s.grain(0)
    # Masculine skin is a little darker and ruddier.
    gender = s.of("gender")
    melanin = s.of("melanin") + 0.025 * gender + s.tone[:, MELANIN] + 0.3 * mottle
    colour = reflectance(melanin, s.of("haemoglobin") + 0.07 * gender + s.tone[:, HAEMOGLOBIN] + mottle)
    return Paint(
        colour, s.tone[:, GLOSS].clamp(0.05), torch.exp(-s.tone[:, DARKNESS]), torch.full_like(s.kind, PART["skin"])
    )


def complexion(p: Paint, s: Surface) -> None:
    """Freckles, age spots and moles."""
    aged, speckle = old(s.of("age")), s.grain(1)
    area = torch.exp(-((s.x / 52) ** 2 + ((s.y + 22) / 26) ** 2) / 2)
    freckles = area * (s.mode("freckles") - 0.4).clamp(0) * 0.20 * ramp(speckle, 0.35, 0.75)
    spots = freckles + 0.35 * aged * ramp(speckle, 0.72, 0.9)
    melanin = spots * (1 - s.of("melanin")) + 0.6 * _moles(s)
    p.colour = p.colour * absorbed(melanin, torch.zeros_like(melanin))


def _moles(s: Surface) -> Tensor:
    spots = torch.zeros_like(s.theta)
    for x, y, radius in (mole.unbind(1) for mole in s.t["moles"].unbind(1)):
        square = (s.x - s.spread(x)).square() + (s.y - s.spread(y)).square()
        near = (square < 9).nonzero()[:, 0]
        wide = radius.index_select(0, s.at.index_select(0, near))
        spot = ramp(square.index_select(0, near).sqrt() - wide, 0.6, -0.4) * (wide > 0.2)
        spots = spots.index_add(0, near, spot)
    return spots.clamp(max=1)


def forehead_lines(p: Paint, s: Surface, front: Tensor) -> None:
    """Lines across the forehead, of age and of raised brows."""
    lines = torch.sin((s.y + 0.009 * s.x**2) * 0.72).clamp(0) ** 6 * ramp(s.y, 30, 38) * ramp(s.y, 64, 54)
    deep = (0.48 * old(s.of("age")) + 0.22 * s.move("outer_brow_raise")).clamp(0, 0.6)
    p.darken(front * lines * ramp(s.x.abs(), 42, 25) * deep)


def crows_feet(p: Paint, s: Surface, front: Tensor) -> None:
    """Lines that run away from the outer corners of the eyes."""
    ex, ey = s.x.abs() - EYE_X - 16, s.y + 1
    rays = torch.sin(torch.atan2(ey, ex.clamp(min=0.5)) * 9).clamp(0) ** 4 * ramp(ex, 1, 4) * ramp(ex, 16, 9)
    p.darken(front * rays * hump(ey, 0, 9) * (0.42 * old(s.of("age")) + 0.20 * s.move("cheek_raise")))


def stubble(p: Paint, s: Surface, front: Tensor) -> None:
    """Beard and moustache: where they grow, how dense, and a shadow where they are shaven."""
    a, y = s.x.abs(), s.y
    hair = hair_colour(s)
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
