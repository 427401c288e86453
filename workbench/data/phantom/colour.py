"""Colour, gloss and part of every visible point; linear RGB."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from . import features, skin
from .parts import hairline_of, headwear_amount, mask_amount, ramp
from .surface import PART, PARTS, Paint, Surface
from .template import BLOCK, CLOTH, CURTAIN, EAR, EYE_X, FRAME, HEAD, MOUTH, NECK, VISOR

__all__ = ["PARTS", "hair_colour", "paint"]

_BLACK, _BLOND, _RED, _GREY = (
    (0.010, 0.0075, 0.0065), (0.42, 0.27, 0.125), (0.26, 0.075, 0.022), (0.40, 0.40, 0.41),
)  # fmt: skip


def paint(s: Surface) -> Paint:
    """Colour every point: skin first, then what lies on it, region by region."""
    p = skin.bare(s)
    face = s.kind == HEAD
    a, y = s.x.abs(), s.y
    ahead = face & (torch.cos(s.theta) > 0)
    _region(p, s, ahead & (y < 68), lambda q, r, f, h: skin.crevices(q, r, f))
    _region(p, s, ahead & (y < -20), skin.stubble)
    _region(p, s, ahead & (y < -5) & (y > -60), lambda q, r, f, h: skin.blusher(q, r, f))
    _region(p, s, ahead & (a < 24) & (y < 3) & (y > -50), lambda q, r, f, h: features.nostrils(q, r, f))
    _region(p, s, ahead & (a < 27) & ((y - MOUTH).abs() < 15), lambda q, r, f, h: features.lips(q, r, f))
    _region(p, s, ahead & ((a - EYE_X).abs() < 18) & (y.abs() < 15), lambda q, r, f, h: features.eyes(q, r, f))
    _region(p, s, ahead & (a < 58) & (y > 4) & (y < 34), features.brows)
    _region(p, s, face & (y > -95), _scalp)
    _others(p, s)
    _worn(p, s, face)
    return p


def _region(p: Paint, s: Surface, where: Tensor, painter: Callable[[Paint, Surface, Tensor, Tensor], None]) -> None:
    """Paint some points only: most features are small."""
    at = where.nonzero()[:, 0]
    if len(at):
        some, chosen = p.take(at), s.take(at)
        painter(some, chosen, ramp(torch.cos(chosen.theta), 0.0, 0.3), hair_colour(chosen))
        p.put(at, some)


def hair_colour(s: Surface) -> Tensor:
    """Linear RGB ``(p, 3)``: eumelanin darkens, phaeomelanin reddens, grey covers."""
    t = s.t
    black, blond, red, grey = (torch.tensor(v, device=s.theta.device) for v in (_BLACK, _BLOND, _RED, _GREY))
    warm = blond + (red - blond) * t["hair_red"][:, None]
    base = warm * (black / warm) ** t["hair_dark"][:, None]
    return (base + (grey - base) * t["hair_grey"][:, None])[s.at]


def _scalp(p: Paint, s: Surface, front: Tensor, hair: Tensor) -> None:
    """Hair on the head, from a shaven shadow to strands."""
    factors = {k: s.of(k) for k in ("hair_recession", "hair_part", "hair_fringe", "gender")}
    edge = hairline_of(s.theta, factors)
    strand = s.grain(2)
    amount = ramp(s.y - edge + 3.5 * strand, -1.5, 4.0)
    length = s.of("hair_length")
    p.over(_strands(s, hair, strand), amount * (0.45 + 0.55 * ramp(length, 0.03, 0.15)), 0.5)
    p.mark("hair", amount)


def _strands(s: Surface, hair: Tensor, strand: Tensor) -> Tensor:
    """Hair with lighter and darker strands and locks."""
    return hair * (1 + 0.45 * strand + 0.35 * s.grain(3))[:, None].clamp(0.25)


def _others(p: Paint, s: Surface) -> None:
    for kind, name in ((EAR, "ears"), (NECK, "neck"), (CLOTH, "cloth"), (FRAME, "glasses"), (BLOCK, "occlusion")):
        p.mark(name, (s.kind == kind).float())
    p.part = torch.where(s.kind > BLOCK, PART["occlusion"], p.part)
    curtain = (s.kind == CURTAIN).nonzero()[:, 0]
    if len(curtain):
        some, chosen = p.take(curtain), s.take(curtain)
        strands = _strands(chosen, hair_colour(chosen), chosen.grain(2))
        scarf = chosen.of("headwear") == 3
        some.over(
            torch.where(scarf[:, None], chosen.of("headwear_colour"), strands), torch.ones_like(chosen.theta), 0.4
        )
        some.part = torch.where(scarf, PART["headwear"], PART["hair"])
        p.put(curtain, some)
    for kind, factor, gloss in ((CLOTH, "clothes", 0.05), (FRAME, "glasses_colour", 1.5)):
        p.over(s.of(factor), (s.kind == kind).float(), gloss)
    p.over(torch.full_like(p.colour, 0.18), (s.kind == BLOCK).float(), 0.0)
    hollow = torch.exp(-(((s.place[:, 2] + 4) / 7) ** 2 + ((s.y + 10) / 11) ** 2) / 2)
    p.darken(0.45 * hollow * (s.kind == EAR))
    p.darken((0.34 * ramp(s.y, -185, -125) + 0.34 * ramp(s.y, -140, -118)) * (s.kind == NECK))


def _worn(p: Paint, s: Surface, face: Tensor) -> None:
    """Headwear and face masks lie over all that grows on the head."""
    if bool((s.t["headwear"] > 0).any()):
        worn = s.of("headwear")
        amount = (worn > 0) * (headwear_amount(s.y, s.theta, worn) * face + (s.kind == VISOR)).clamp(0, 1)
        ribs = 1 + 0.12 * torch.sin(s.theta * 60) * (worn == 1)
        p.over(s.of("headwear_colour") * ribs[:, None], amount, 0.05)
        p.mark("headwear", amount)
    if bool((s.t["mask"] > 0).any()):
        worn = s.of("mask")
        amount = (worn > 0) * mask_amount(s.x, s.y, (face & (s.place[:, 2] > 0)).float(), worn)
        pleats = 1 - 0.10 * torch.sin(s.y * 0.55).clamp(0) ** 4 * (worn == 1)
        p.over(s.of("mask_colour") * pleats[:, None], amount, 0.1)
        p.shade = torch.lerp(p.shade, torch.ones_like(p.shade), amount)
        p.mark("mask", amount)
