"""What shows a picture: inks on paper and the stripes of a screen, averaged over each sensor cell."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Screen angles of cyan, magenta, yellow and black in degrees, as printers turn them against one another.
ANGLES = (15.0, 75.0, 0.0, 45.0)
# Linear RGB that full ink lets back from paper; real inks are not clean.
INKS = ((0.10, 0.42, 0.62), (0.52, 0.07, 0.24), (0.76, 0.70, 0.09), (0.035, 0.035, 0.035))
PAPER = (0.80, 0.80, 0.78)
PAPER_NIR = 0.82
# Near-infrared passes coloured inks; black is carbon in lasers and a dye in ink jets.
INK_NIR = (0.97, 0.97, 0.98)
BLACK_NIR = {"carbon": 0.12, "dye": 0.90}
_INK_SAMPLES = 4


def separations(colour: Tensor) -> Tensor:
    """Ink shares ``(..., 4)`` for linear RGB ``(..., 3)``: complementary colours with full black replacement."""
    reached = (colour / torch.tensor(PAPER, device=colour.device)).clamp(0.02, 1)
    # Share of a dot's area: light adds up (Murray and Davies), so shares are linear in reflectance.
    wanted = 1 - reached
    black = (wanted.amin(-1, keepdim=True) * 0.85).clamp(0, 1)
    rest = ((wanted - black) / (1 - black).clamp(min=1e-3)).clamp(0, 1)
    return torch.cat([rest, black], -1)


def inked(shares: Tensor, black: str) -> tuple[Tensor, Tensor]:
    """Paper under inks of area ``shares (..., 4)``: linear RGB ``(..., 3)`` and near-infrared ``(...)``.

    Dots of different inks lie on one another by chance, and each lets its light through (Demichel and Neugebauer).
    """
    colour = torch.tensor(PAPER, device=shares.device).expand(*shares.shape[:-1], 3)
    near = torch.full(shares.shape[:-1], PAPER_NIR, device=shares.device)
    for i, ink in enumerate(INKS):
        share = shares[..., i : i + 1]
        colour = colour * (1 - share + share * torch.tensor(ink, device=shares.device))
        passed = INK_NIR[i] if i < 3 else BLACK_NIR[black]
        near = near * (1 - share[..., 0] * (1 - passed))
    return colour, near


def halftoned(shares: Tensor, x: Tensor, y: Tensor, step: Tensor, dots: float) -> Tensor:
    """Clustered dots: share of each ink in the area that a sensor cell sees, ``(..., 4)``.

    A dot grows with the ink's share in a cell of ``1 / dots`` millimetres; ``cos + cos`` of the turned coordinates is
    the threshold, whose level sets are round dots. Sixteen places of each sensor cell are looked at.

    Args:
        shares: wanted ink shares ``(..., 4)``.
        x: place on the paper in millimetres, ``(...)``.
        y: likewise.
        step: sensor cell on the paper in millimetres.
        dots: a millimetre.
    """
    offsets = (torch.arange(_INK_SAMPLES, device=x.device) + 0.5) / _INK_SAMPLES - 0.5
    found = torch.zeros_like(shares)
    for i, angle in enumerate(ANGLES):
        turn = math.radians(angle)
        level = _level(shares[..., i])
        for dx in offsets:
            for dy in offsets:
                px, py = x + dx * step, y + dy * step
                u = (px * math.cos(turn) + py * math.sin(turn)) * (2 * math.pi * dots)
                v = (py * math.cos(turn) - px * math.sin(turn)) * (2 * math.pi * dots)
                found[..., i] += ((u.cos() + v.cos()) / 2 > level).float()
    return found / _INK_SAMPLES**2


def _level(share: Tensor) -> Tensor:
    """The threshold that ``(cos u + cos v) / 2`` exceeds on a share of the plane, by a table of its distribution."""
    table = _distribution(share.device)
    at = (share.clamp(0, 1) * (len(table) - 1)).long()
    return table[at]


def _distribution(device: torch.device) -> Tensor:
    angle = (torch.arange(181, device=device) + 0.5) * (math.pi / 181)
    values = ((angle.cos()[:, None] + angle.cos()) / 2).flatten().sort(descending=True).values
    picked = values[torch.linspace(0, len(values) - 1, 257, device=device).long()]
    return torch.cat([torch.full((1,), 1.01, device=device), picked[1:-1], torch.full((1,), -1.01, device=device)])


def striped(x: Tensor, y: Tensor, step: Tensor, pitch: float) -> Tensor:
    """Light of a screen's red, green and blue stripes that reaches a sensor cell, ``(..., 3)``, mean 1.

    Each pixel of the screen is three stripes, lit over 0.84 of their width and 0.88 of their height. The mean over the
    cell is exact: the difference of the pattern's integral at its ends. Moire comes from sampling this.

    Args:
        x: place on the screen in millimetres.
        y: likewise.
        step: sensor cell on the screen in millimetres.
        pitch: millimetres a screen pixel.
    """
    rows = _mean_lit(y / pitch, step / pitch, 0.0, 0.88)
    stripes = [_mean_lit(x / pitch, step / pitch, (i + 0.08) / 3, 0.84 / 3) * 3 for i in range(3)]
    return torch.stack(stripes, -1) * (rows / (0.88 * 0.84))[..., None]


def _mean_lit(at: Tensor, wide: Tensor, start: float, lit: float) -> Tensor:
    """Mean of a unit-period pattern, lit from ``start`` for ``lit`` of each period, over windows."""

    def integral(u: Tensor) -> Tensor:
        whole = torch.floor(u - start)
        return whole * lit + (u - start - whole).clamp(max=lit)

    return (integral(at + wide / 2) - integral(at - wide / 2)) / wide
