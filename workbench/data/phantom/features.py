"""Eyes, brows, nostrils, lips and the open mouth, painted on the template."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .hair import hair_colour
from .parts import ramp
from .surface import Paint, Surface, hump
from .template import EYE_HALF, EYE_X, MOUTH, NOSE_BASE


def nostrils(p: Paint, s: Surface, front: Tensor) -> None:
    """The nose as a part, and its holes."""
    a, y = s.x.abs(), s.y
    hole = front * ramp(((a - 6.9) / 3.5) ** 2 + ((y - NOSE_BASE - 2.6) / 1.6) ** 2, 1.35, 0.6)
    p.over(p.colour * 0.3, hole * 0.85, 0.1)
    p.mark("nose", front * (y < 2) * (y > NOSE_BASE) * (a < 8 + 0.2 * (-y).clamp(0, 48)))


def lips(p: Paint, s: Surface, front: Tensor) -> None:
    """Vermilion with a cupid's bow, the line between the lips, and teeth where they part."""
    x, a = s.x, s.x.abs()
    # The line between the lips dips in the middle and rises to its corners.
    above = s.y - MOUTH + 0.5 * hump(a, 0, 5) - 1.0 * (a / 25) ** 2
    below = -above
    top, bottom = lip_edges(x, s.mode("upper_lip"), s.mode("lower_lip"))
    upper = ramp(above - top, 0.8, -0.8) * (above > -0.75)
    lower = ramp(below - bottom, 1.0, -1.0) * (below > -0.75)
    shape = front * (upper + lower).clamp(0, 1) * (a < 25.0)
    # Feminine lips contrast more with the skin, feminine lids too (R. Russell, Perception 38, 2009).
    red = s.mode("lip_red") - 1.4 * s.of("gender")
    tint = torch.stack([0.88 - 0.03 * red, 0.52 - 0.06 * red, 0.55 - 0.05 * red], 1)
    p.over(p.colour * tint, shape * 0.9, 0.8)
    p.over(s.of("lip_colour") * (0.6 + 0.4 * p.colour.mean(1, keepdim=True) / 0.3), shape * s.of("lip_makeup"), 1.3)
    p.darken(front * 0.16 * hump(above, -0.4, 1.6) * (a < 25) + 0.20 * front * upper * ramp(above, 3.0, 0.0) * 0.5)
    p.mark("lips", shape)
    _mouth(p, s, front, above, a)


def lip_edges(x: Tensor, upper_lip: Tensor, lower_lip: Tensor) -> tuple[Tensor, Tensor]:
    """Heights of the upper and of the lower lip's red from the line between them, in template millimetres."""
    arc = (1 - (x / 25.0) ** 2).clamp(0)
    bow = 1 + 0.16 * hump(x.abs(), 6, 4) - 0.24 * hump(x, 0, 3)
    upper = 7.2 * arc**0.9 * bow * (1 + 0.24 * upper_lip).clamp(0.35)
    return upper, 10.2 * arc**0.7 * (1 + 0.20 * lower_lip).clamp(0.35)


def _mouth(p: Paint, s: Surface, front: Tensor, above: Tensor, a: Tensor) -> None:
    opened = (s.move("jaw_open") + 0.75 * s.move("lips_part")).clamp(0, 1)
    gap = front * ramp(above.abs(), 0.95, 0.5) * ramp(a, 24.5, 22)
    height = above + 0.75 * (1 - (a / 23) ** 2)
    teeth = ramp(opened, 0.05, 0.2) * ramp(height, 0.15, 0.35) * ramp(a, 20, 15)
    inside = torch.tensor([0.085, 0.020, 0.018], device=a.device).expand(len(a), 3)
    tongue = torch.tensor([0.30, 0.085, 0.075], device=a.device)
    bright = torch.tensor([0.62, 0.57, 0.49], device=a.device)
    deep = torch.lerp(inside, tongue.expand_as(inside), (ramp(above, -0.35, -0.8) * ramp(a, 15, 8) * 0.7)[:, None])
    open_colour = torch.lerp(deep, bright.expand_as(deep), teeth[:, None])
    closed = p.colour * 0.42
    p.over(torch.where((opened > 0.04)[:, None], open_colour, closed), gap, 0.5)
    p.mark("inner mouth", gap * (opened > 0.04))


def eyes(p: Paint, s: Surface, front: Tensor) -> None:
    """Lids, white, iris, pupil and a glint; lashes, liner and shadow."""
    side, y = torch.sign(s.x), s.y
    ex = s.x.abs() - EYE_X
    across = (1 - (ex / EYE_HALF).abs() ** 2.1).clamp(0)
    top, bottom = lid_edges(ex, s.mode, s.move)
    inside = front * ramp(y - top, 0.35, -0.35) * ramp(bottom - y, 0.35, -0.35) * (ex.abs() < EYE_HALF)
    _lids(p, s, front, ex, y - top, y - bottom, across)
    white = torch.tensor([0.42, 0.39, 0.37], device=ex.device).expand(len(ex), 3)
    red = torch.tensor([0.55, 0.25, 0.22], device=ex.device)
    ball = torch.lerp(white * (1 - 0.35 * (ex / EYE_HALF) ** 2)[:, None], red.expand_as(white),
                      (0.5 * hump(ex, -EYE_HALF + 1.5, 1.6))[:, None])  # fmt: skip
    p.over(ball, inside, 1.0)
    p.darken(inside * 0.38 * ramp(top - y, 3.0, 0.0))
    _iris(p, s, side * ex, y, inside)
    lashes = 0.7 + 0.22 * s.mode("lashes") - 0.60 * s.of("gender") + 1.2 * s.of("eye_makeup")
    thick = 0.55 + 0.22 * lashes.clamp(0.1)
    lash = front * hump(y - top, 0.25, thick) * (ex.abs() < EYE_HALF + 1)
    p.over(white * 0.014, (lash * (0.62 + 0.22 * lashes)).clamp(0, 0.95), 0.2)
    under = front * hump(y - bottom, -0.2, 0.5) * (ex.abs() < EYE_HALF)
    p.over(p.colour * 0.4, under * (0.4 + 0.4 * s.of("eye_makeup")), 0.3)
    p.mark("eyes", inside)


def lid_edges(ex: Tensor, mode: Callable[[str], Tensor], move: Callable[[str], Tensor]) -> tuple[Tensor, Tensor]:
    """Heights of the lids' edges over the eye's middle, in template millimetres.

    Args:
        ex: distance from the eye's middle, away from the nose.
        mode: gives a mode by name, in a shape that fits ``ex``.
        move: gives a movement likewise.
    """
    across = (1 - (ex / EYE_HALF).abs() ** 2.1).clamp(0)
    open_ = 1 - move("blink")
    lift = (1 + 0.45 * move("lids_wide") - 0.18 * move("lids_tight")) * open_
    skewed = (1 - ((ex + 1.3 * mode("eye_peak") * across) / EYE_HALF).abs() ** 2.1).clamp(0)
    top = 4.9 * skewed ** (0.62 - 0.09 * mode("eye_round")) * lift * (1 - 0.05 * mode("lid_heavy")) - 0.5
    bottom = -4.3 * across**0.8 * open_.clamp(0.05) - 0.5
    return top, torch.minimum(bottom + 1.3 * move("cheek_raise") + 1.0 * move("lids_tight"), top)


def _lids(p: Paint, s: Surface, front: Tensor, ex: Tensor, over: Tensor, under: Tensor, across: Tensor) -> None:
    """The fold of the upper lid, eye shadow on it, bags below."""
    fold = 3.3 + 1.1 * s.mode("eye_fold") - 0.5 * s.mode("lid_heavy")
    deep = (0.32 + 0.18 * s.mode("eye_fold")).clamp(0.02, 0.6)
    shaded = front * ramp(over, 0.0, 0.6) * ramp(over, 9.0, 4.5) * across.sqrt()
    p.over(s.of("eye_colour"), shaded * 0.65 * s.of("eye_makeup"), 0.6)
    p.darken(front * deep * hump(over, fold, 0.9) * across.sqrt())
    bag = (0.08 + 0.05 * s.mode("under_eye")).clamp(0, 0.3) + 0.10 * ((s.of("age") - 40) / 40).clamp(0, 1)
    p.darken(front * bag * hump(under, -4.4, 1.4) * across.sqrt())


def _iris(p: Paint, s: Surface, turned: Tensor, y: Tensor, inside: Tensor) -> None:
    gaze = s.of("gaze")
    ix, iy = turned - 0.21 * gaze[:, 0], y - 0.4 - 0.20 * gaze[:, 1]
    away = (ix**2 + iy**2).sqrt()
    colour = iris_colour(s) * (0.75 + 0.35 * ramp(away, 2.2, 4.4))[:, None]
    p.over(colour, inside * ramp(away, 6.1, 5.5), 1.0)
    p.over(colour * 0.25, inside * hump(away, 5.8, 0.45) * 0.8)
    p.over(colour * 0.03, inside * ramp(away, 2.5, 2.0), 1.0)
    glint = ramp(((ix - 1.7) ** 2 + (iy - 1.9) ** 2).sqrt(), 1.0, 0.5)
    p.over(torch.full_like(colour, 0.9), inside * glint * 0.85)


def iris_colour(s: Surface) -> Tensor:
    """Linear RGB ``(p, 3)`` from blue and green to dark brown."""
    dark, light, green = (
        torch.tensor(v, device=s.theta.device) for v in ([0.055, 0.022, 0.010], [0.13, 0.20, 0.26], [0.15, 0.17, 0.08])
    )
    pale = light + (green - light) * torch.sigmoid(2 * s.mode("iris_hue"))[:, None]
    return pale + (dark - pale) * torch.sigmoid(2.5 * (s.mode("iris_dark") + 0.3))[:, None]


def brows(p: Paint, s: Surface, front: Tensor) -> None:
    """Brows: place, arch, length and thickness are the person's, density is a factor."""
    ex = s.x.abs() - EYE_X
    along = (ex + _brow_start(s.mode)) / _brow_length(s.mode)
    u = along.clamp(0, 1)
    middle, thick = brow_curve(u, s.mode, s.of("gender"))
    ragged = 0.7 * s.grain(2)
    body = ramp((s.y - middle + ragged).abs() - thick, 1.1, -0.9) * ramp(along, -0.03, 0.10) * ramp(along, 1.03, 0.88)
    dense = s.of("brow_density") * (1.12 + 0.12 * s.mode("brow_dark"))
    strands = (0.84 + 0.3 * s.grain(2)).clamp(0, 1)
    p.over(hair_colour(s) * 0.7, (front * body * dense * strands).clamp(0, 0.97), 0.15)
    p.mark("brows", front * body * (s.of("brow_density") > 0.1))


def _brow_start(mode: Callable[[str], Tensor]) -> Tensor:
    return 16.0 - 1.8 * mode("brow_gap")


def _brow_length(mode: Callable[[str], Tensor]) -> Tensor:
    return 37 + 2.6 * mode("brow_length")


def brow_place(u: Tensor, mode: Callable[[str], Tensor]) -> Tensor:
    """Distance from the eye's middle, away from the nose, of the share ``u`` of a brow."""
    return u * _brow_length(mode) - _brow_start(mode)


def brow_curve(u: Tensor, mode: Callable[[str], Tensor], gender: Tensor) -> tuple[Tensor, Tensor]:
    """Height of a brow's middle and half its thickness, in template millimetres, at the share ``u`` of its length."""
    middle = 15.0 - 1.7 * gender + 2.2 * mode("brow_height") + 1.9 * mode("brow_tilt") * (u - 0.4)
    middle = middle + (3.6 - 1.1 * gender + 2.3 * mode("brow_arch")) * torch.sin(torch.pi * u * 0.88)
    return middle, (2.6 + 1.0 * mode("brow_thickness") + 1.2 * gender).clamp(0.8) * (1.15 - 0.78 * u)
