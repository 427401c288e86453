"""Colour, gloss and part of every visible point; linear RGB."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from . import features, skin
from .factors import BEANIE, HEADSCARF, SURGICAL
from .hair import scalp, strands
from .parts import headwear_amount, mask_amount, ramp
from .surface import PART, Paint, Surface, hump
from .template import BLOCK, CLOTH, CURTAIN, EAR, EYE_X, FRAME, HEAD, MOUTH, NECK, VISOR


def paint(s: Surface) -> Paint:
    """Colour every point: skin first, then what lies on it, region by region."""
    p = skin.bare(s)
    face = s.kind == HEAD
    _region(p, s, face & (torch.cos(s.theta) > 0) & (s.y < 68), _face)
    # Below the brows hair grows at the sides only.
    _region(p, s, face & (s.y > -95) & ((s.y > 12) | (s.theta.abs() > 0.75)), scalp)
    _region(p, s, ~face, _others)
    _worn(p, s, face)
    return p


def _region(p: Paint, s: Surface, where: Tensor, painter: Callable[[Paint, Surface, Tensor], None]) -> None:
    """Paint some points only: most features are small."""
    at = where.nonzero()[:, 0]
    if len(at):
        some, chosen = p.take(at), s.take(at)
        painter(some, chosen, ramp(torch.cos(chosen.theta), 0.0, 0.3))
        p.put(at, some)


def _face(p: Paint, s: Surface, front: Tensor) -> None:
    """The front of the head, then its features, one in its place after the other."""
    skin.complexion(p, s)
    a, y = s.x.abs(), s.y
    _region(p, s, (a < 42) & (y > 30), skin.forehead_lines)
    _region(p, s, (a > 47) & (a < 64) & ((y + 1).abs() < 22), skin.crows_feet)
    if bool((s.t["stubble"] + s.t["beard"] + s.t["moustache"] > 0).any()):
        _region(p, s, y < -20, skin.stubble)
    if bool((s.t["cheek_makeup"] > 0).any()):
        _region(p, s, (y < -5) & (y > -60), skin.blusher)
    _region(p, s, (a < 24) & (y < 3) & (y > -50), features.nostrils)
    _region(p, s, (a < 27) & ((y - MOUTH).abs() < 15), features.lips)
    _region(p, s, ((a - EYE_X).abs() < 18) & (y.abs() < 15), features.eyes)
    _region(p, s, (a < 58) & (y > 4) & (y < 34), features.brows)


def _others(p: Paint, s: Surface, front: Tensor) -> None:
    """All but the head: ears, neck, long hair, clothes, frames and what hides the face."""
    for kind, name in ((EAR, "ears"), (NECK, "neck"), (CLOTH, "cloth"), (FRAME, "glasses")):
        p.mark(name, (s.kind == kind).float())
    p.part = torch.where(s.kind >= BLOCK, PART["occlusion"], p.part)
    # The shell of an ear, and the furrow inside its rim.
    round_ear = (((s.place[:, 2] + 12) / 14) ** 2 + ((s.y + 15) / 29) ** 2).sqrt()
    hollow = 0.55 * hump(round_ear, 0.15, 0.25) + 0.35 * hump(round_ear, 0.72, 0.10)
    p.colour = p.colour * skin.absorbed(torch.zeros_like(s.theta), 0.3 * (s.kind == EAR))
    p.darken(hollow * (s.kind == EAR))
    p.darken((0.34 * ramp(s.y, -185, -125) + 0.34 * ramp(s.y, -140, -118)) * (s.kind == NECK))
    for kind, factor, gloss in ((CLOTH, "clothes", 0.05), (FRAME, "glasses_colour", 1.5)):
        p.over(s.of(factor), (s.kind == kind).float(), gloss)
    p.over(torch.full_like(p.colour, 0.18), (s.kind == BLOCK).float(), 0.0)
    curtain = s.kind == CURTAIN
    if bool(curtain.any()):
        scarf = s.of("headwear") == HEADSCARF
        locks = strands(s)
        p.over(torch.where(scarf[:, None], s.of("headwear_colour"), locks), curtain.float(), 0.4)
        p.part = torch.where(curtain, torch.where(scarf, PART["headwear"], PART["hair"]), p.part)


def _worn(p: Paint, s: Surface, face: Tensor) -> None:
    """Headwear and face masks lie over all that grows on the head."""
    if bool((s.t["headwear"] > 0).any()):
        worn = s.of("headwear")
        amount = (worn > 0) * (headwear_amount(s.y, s.theta, worn) * face + (s.kind == VISOR)).clamp(0, 1)
        ribs = 1 + 0.12 * torch.sin(s.theta * 60) * (worn == BEANIE)
        p.over(s.of("headwear_colour") * ribs[:, None], amount, 0.05)
        p.mark("headwear", amount)
    if bool((s.t["mask"] > 0).any()):
        worn = s.of("mask")
        amount = (worn > 0) * mask_amount(s.x, s.y, (face & (s.place[:, 2] > 0)).float(), worn)
        pleats = 1 - 0.10 * torch.sin(s.y * 0.55).clamp(0) ** 4 * (worn == SURGICAL)
        p.over(s.of("mask_colour") * pleats[:, None], amount, 0.1)
        p.shade = torch.lerp(p.shade, torch.ones_like(p.shade), amount)
        p.mark("mask", amount)
