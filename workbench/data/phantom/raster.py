"""Which triangle each pixel sees: a batched z-buffer in plain torch, the same bits on every run."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FAR = (1 << 62) - 1
# Depth in steps of half a micrometre up to half a kilometre: above the 32 bits that name the triangle.
_STEPS_PER_MM = 2048.0
_MOST_CELLS = 6_000_000
_SPANS = (0, 1, 2, 3, 4, 5, 7, 10, 20, 64)


@dataclass(frozen=True)
class Hits:
    """Pixels that see a surface.

    Attributes:
        pixel: ``int64 (p,)`` index into the flattened ``(n, side, side)`` pictures.
        picture: ``int64 (p,)``.
        corners: ``int64 (p, 3)`` points, numbered through all pictures: ``picture * v + point``.
        weights: ``float32 (p, 3)`` barycentric, correct in space.
    """

    pixel: Tensor
    picture: Tensor
    corners: Tensor
    weights: Tensor

    def blend(self, values: Tensor) -> Tensor:
        """Values of points ``(n, v, c)`` at the pixels, ``(p, c)``."""
        flat = values.flatten(0, 1)
        a, b, c = self.corners.unbind(1)
        u, v, w = self.weights.unbind(1)
        first, second, third = (flat.index_select(0, k) for k in (a, b, c))
        return torch.addcmul(torch.addcmul(first * u[:, None], second, v[:, None]), third, w[:, None])


def rasterise(screen: Tensor, depth: Tensor, triangles: Tensor, side: int) -> Hits:
    """Find the nearest triangle at each pixel centre.

    Args:
        screen: ``(n, v, 2)`` positions in pixels, y down.
        depth: ``(n, v)`` distance from the camera, positive.
        triangles: ``(t, 3)``; those seen from behind are not drawn.
        side: of the square pictures.
    """
    with torch.no_grad():
        found = _nearest(screen.detach(), depth.detach(), triangles, side)
    v = depth.shape[1]
    pixel = (found != _FAR).nonzero()[:, 0]
    picture = pixel // (side * side)
    corners = triangles.index_select(0, found.index_select(0, pixel) & ((1 << 32) - 1)) + (picture * v)[:, None]
    at = corners.T.flatten()
    (x0, x1, x2), (y0, y1, y2) = (screen[..., k].flatten().index_select(0, at).view(3, -1) for k in (0, 1))
    second, third = _barycentric(x0, x1, x2, y0, y1, y2, pixel % side + 0.5, (pixel // side) % side + 0.5)
    # Screen weights become weights in space by the inverse distance.
    a, b, c = depth.flatten().index_select(0, at).view(3, -1).unbind(0)
    first, second, third = (1 - second - third) / a, second / b, third / c
    return Hits(pixel, picture, corners, torch.stack([first, second, third], 1) / (first + second + third)[:, None])


def _barycentric(
    x0: Tensor, x1: Tensor, x2: Tensor, y0: Tensor, y1: Tensor, y2: Tensor, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Weights of the second and third corner at ``x`` and ``y``, each ``(t,)``."""
    bx, by, cx, cy, px, py = x1 - x0, y1 - y0, x2 - x0, y2 - y0, x - x0, y - y0
    area = bx * cy - by * cx
    return (px * cy - py * cx) / area, (bx * py - by * px) / area


def _nearest(screen: Tensor, depth: Tensor, triangles: Tensor, side: int) -> Tensor:
    """``int64 (n * side * side,)``: depth above, the triangle's number in the lower 32 bits."""
    n, v = depth.shape
    corners = triangles.unbind(1)
    x, y = ([screen[..., i].index_select(1, k).flatten() for k in corners] for i in (0, 1))
    front = ((x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0]) < -1e-6).nonzero()[:, 0]
    x, y = ([c.index_select(0, front) for c in cs] for cs in (x, y))
    low = [torch.ceil(torch.minimum(torch.minimum(*c[:2]), c[2]) - 0.5).clamp(min=0) for c in (x, y)]
    high = [torch.floor(torch.maximum(torch.maximum(*c[:2]), c[2]) - 0.5).clamp(max=side - 1) for c in (x, y)]
    wide, tall = high[0] - low[0], high[1] - low[1]
    # Triangles between pixel centres hit nothing: their span is negative in one direction.
    covering = (torch.minimum(wide, tall) >= 0).nonzero()[:, 0]
    seen = front.index_select(0, covering)
    spans = torch.maximum(wide, tall).index_select(0, covering) + 1
    picture, triangle = seen // len(triangles), seen % len(triangles)
    far = [depth.flatten().index_select(0, picture * v + k.index_select(0, triangle)) for k in corners]
    x, y, low = ([c.index_select(0, covering) for c in cs] for cs in (x, y, low))
    table = torch.stack([*x, *y, *far, *low])
    nearest = torch.full((n * side * side,), _FAR, dtype=torch.int64, device=screen.device)
    # Small triangles, nearly all, are tried on few pixels; the few large ones on many.
    for least, most in zip(_SPANS, (*_SPANS[1:], side), strict=True):
        chosen = ((spans > least) & (spans <= most)).nonzero()[:, 0]
        for part in torch.split(chosen, max(1, _MOST_CELLS // (most * most))):
            if len(part):
                _fill(nearest, table.index_select(1, part), seen.index_select(0, part), len(triangles), side, most)
    return nearest


def _fill(nearest: Tensor, table: Tensor, which: Tensor, count: int, side: int, span: int) -> None:
    """Try ``span * span`` pixels of each triangle.

    Args:
        nearest: is updated.
        table: ``(11, t)``: x of three corners, y of three, depth of three, first column, first row.
        which: ``(t,)`` ``picture * count + triangle``.
        count: triangles a picture.
        side: of the pictures.
        span: pixels a side.
    """
    x0, x1, x2, y0, y1, y2, d0, d1, d2, column, row = table
    second, third = _barycentric(x0, x1, x2, y0, y1, y2, column + 0.5, row + 0.5)
    area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
    steps = torch.arange(span, device=table.device, dtype=table.dtype)
    dx, dy = steps.repeat(span)[None], steps.repeat_interleave(span)[None]
    u = second[:, None] + ((y2 - y0) / area)[:, None] * dx - ((x2 - x0) / area)[:, None] * dy
    v = third[:, None] - ((y1 - y0) / area)[:, None] * dx + ((x1 - x0) / area)[:, None] * dy
    inside = (torch.minimum(u, v) >= -1e-5) & (u + v <= 1 + 1e-5)
    if span > 1:
        inside &= (column[:, None] + dx < side) & (row[:, None] + dy < side)
    hit = inside.flatten().nonzero()[:, 0]
    at, cell = hit // (span * span), hit % (span * span)
    u, v = u.flatten().index_select(0, hit), v.flatten().index_select(0, hit)
    d0, d1, d2 = (d.index_select(0, at) for d in (d0, d1 - d0, d2 - d0))
    distance = d0 + u * d1 + v * d2
    which = which.index_select(0, at)
    picture, triangle = which // count, which % count
    # Nearest first; of equals the lower triangle: the order in memory never decides.
    key = ((distance * _STEPS_PER_MM).long().clamp(0, (1 << 30) - 1) << 32) | triangle
    row, column = (c.long().index_select(0, at) for c in (row, column))
    target = (picture * side + row + cell // span) * side + column + cell % span
    nearest.scatter_reduce_(0, target, key, "amin")
