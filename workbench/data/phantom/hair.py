"""Hair: its colour from two pigments and grey, strands and locks, and where it grows on the scalp."""

from __future__ import annotations

import torch
from torch import Tensor

from .parts import hairline, ramp
from .surface import Paint, Surface

_BLACK, _BLOND, _RED, _GREY = (
    (0.010, 0.0075, 0.0065), (0.42, 0.27, 0.125), (0.26, 0.075, 0.022), (0.40, 0.40, 0.41),
)  # fmt: skip


def hair_colour(s: Surface) -> Tensor:
    """Linear RGB ``(p, 3)``: eumelanin darkens, phaeomelanin reddens, grey covers."""
    t = s.t
    black, blond, red, grey = (torch.tensor(v, device=s.theta.device) for v in (_BLACK, _BLOND, _RED, _GREY))
    warm = blond + (red - blond) * t["hair_red"][:, None]
    base = warm * (black / warm) ** t["hair_dark"][:, None]
    return s.spread(base + (grey - base) * greyness(t["age"], t["hair_grey"])[:, None])


def greyness(age: Tensor, deviation: Tensor) -> Tensor:
    """Share of grey in [0, 1]: none to forty, nearly all at eighty, and the person's deviation."""
    return (0.9 * ramp(age, 36, 78) + deviation * ramp(age, 22, 40)).clamp(0, 1)


def scalp(p: Paint, s: Surface, front: Tensor) -> None:
    """Hair on the head, from a shaven shadow to strands."""
    factors = {k: s.of(k) for k in ("hair_recession", "hair_part", "hair_fringe", "gender")}
    edge = hairline(s.theta, factors)
    strand = s.grain(2)
    amount = ramp(s.y - edge + 3.5 * strand, -1.5, 4.0)
    length = s.of("hair_length")
    p.over(strands(s), amount * (0.45 + 0.55 * ramp(length, 0.03, 0.15)), 0.5)
    p.mark("hair", amount)


def strands(s: Surface) -> Tensor:
    """Hair with lighter and darker strands and locks."""
    return hair_colour(s) * (1 + 0.45 * s.grain(2) + 0.35 * s.grain(3))[:, None].clamp(0.25)
