"""What the painter knows of each visible point, and what it has painted there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .action_units import MOVEMENTS
from .identity import INDEX

PARTS = ("background", "skin", "brows", "eyes", "nose", "lips", "inner mouth", "ears", "neck", "hair", "cloth",
         "glasses", "headwear", "mask", "occlusion", "beard")  # fmt: skip
PART = {name: i for i, name in enumerate(PARTS)}
# Columns and rows of the grain table per radian and per millimetre: skin, freckles, strands, locks.
_SCALES = ((11.0, 0.16), (30.0, 0.34), (60.0, 0.035), (14.0, 0.012))


@dataclass(frozen=True)
class Surface:
    """Visible points, ``p`` of them, of ``n`` pictures.

    Attributes:
        place: ``(p, 3)`` template position.
        theta: ``(p,)``.
        kind: ``int64 (p,)`` kind of patch.
        at: ``int64 (p,)`` picture.
        tone: ``(p, 4)`` see `undertone`.
        t: the factors of the pictures, each ``(n, ...)``; ``grain`` is ``(n, 4, 96, 96)`` noise in [-1, 1].
    """

    place: Tensor
    theta: Tensor
    kind: Tensor
    at: Tensor
    tone: Tensor
    t: dict[str, Tensor]

    @property
    def x(self) -> Tensor:
        """``(p,)`` millimetres to the picture's right in a frontal view."""
        return self.place[:, 0]

    @property
    def y(self) -> Tensor:
        """``(p,)`` millimetres up from the eyes."""
        return self.place[:, 1]

    def take(self, at: Tensor) -> Surface:
        """Some of the points."""
        # Several times faster than indexing.
        place, theta, kind, picture, tone = (
            c.index_select(0, at) for c in (self.place, self.theta, self.kind, self.at, self.tone)
        )
        return Surface(place, theta, kind, picture, tone, self.t)

    def spread(self, values: Tensor) -> Tensor:
        """Values of the pictures ``(n, ...)`` at each point, ``(p, ...)``."""
        return values.index_select(0, self.at)

    def of(self, name: str) -> Tensor:
        """A factor at each point, ``(p, ...)``."""
        return self.spread(self.t[name])

    def mode(self, name: str) -> Tensor:
        """``(p,)``."""
        return self.spread(self.t["modes"][:, INDEX[name]])

    def move(self, name: str) -> Tensor:
        """``(p,)``."""
        return self.spread(self.t["movements"][:, MOVEMENTS.index(name)])

    def grain(self, channel: int) -> Tensor:
        """Fine texture of each person, ``(p,)``: bilinear look-up in a periodic table."""
        turns, rows = _SCALES[channel]
        table = self.t["grain"][:, channel].flatten(1)
        side = self.t["grain"].shape[-1]
        u, v = self.theta * turns, self.y * rows
        left, upper = torch.floor(u), torch.floor(v)
        a, b = u - left, v - upper
        c0, r0 = left.long() % side, upper.long() % side
        c1, r1 = (c0 + 1) % side, (r0 + 1) % side
        flat, start = table.flatten(), self.at * (side * side)
        r0, r1 = start + r0 * side, start + r1 * side
        corners = (flat.index_select(0, k) for k in (r0 + c0, r0 + c1, r1 + c0, r1 + c1))
        upper_left, upper_right, lower_left, lower_right = corners
        above = torch.lerp(upper_left, upper_right, a)
        return torch.lerp(above, torch.lerp(lower_left, lower_right, a), b)


@dataclass
class Paint:
    """Colour ``(p, 3)``, gloss ``(p,)``, crevice shade ``(p,)`` and part ``(p,)``, painted over and over."""

    colour: Tensor
    gloss: Tensor
    shade: Tensor
    part: Tensor

    def take(self, at: Tensor) -> Paint:
        """Some of the points; `put` brings them back."""
        return Paint(*(c.index_select(0, at) for c in (self.colour, self.gloss, self.shade, self.part)))

    def put(self, at: Tensor, painted: Paint) -> None:
        """Replace what is at some points."""
        for name in ("colour", "gloss", "shade", "part"):
            old = getattr(self, name)
            # In place where nobody asks for a gradient: copies cost more than the painting does.
            copy = old.index_copy if torch.is_grad_enabled() else old.index_copy_
            setattr(self, name, copy(0, at, getattr(painted, name)))

    def over(self, colour: Tensor, amount: Tensor, gloss: float | None = None) -> None:
        """Lay a colour ``(p, 3)`` or ``(3,)`` over by ``amount`` ``(p,)`` in [0, 1]."""
        self.colour = torch.lerp(self.colour, colour.expand_as(self.colour), amount[:, None])
        if gloss is not None:
            self.gloss = self.gloss + (gloss - self.gloss) * amount

    def darken(self, amount: Tensor) -> None:
        """Take away light by ``amount`` ``(p,)`` in [0, 1]."""
        self.shade = self.shade * (1 - amount)

    def mark(self, name: str, where: Tensor) -> None:
        """Points where ``where`` exceeds a half belong to a part."""
        self.part = torch.where(where > 0.5, PART[name], self.part)


def hump(value: Tensor, middle: float | Tensor, wide: float | Tensor) -> Tensor:
    """A Gaussian of one variable."""
    return torch.exp(-(((value - middle) / wide) ** 2) / 2)
