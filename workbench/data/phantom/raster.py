"""Which triangle each pixel sees: a batched z-buffer in plain torch, the same bits on every run."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FAR = (1 << 62) - 1
# Depth in steps of half a micrometre up to a kilometre: above the 32 bits that name the triangle.
_STEPS_PER_MM = 2048.0
_MOST_CELLS = 6_000_000


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
        return flat[a] * u[:, None] + flat[b] * v[:, None] + flat[c] * w[:, None]


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
    n, v = depth.shape
    pixel = (found != _FAR).nonzero()[:, 0]
    picture = pixel // (side * side)
    corners = triangles[found[pixel] & ((1 << 32) - 1)] + (picture * v)[:, None]
    centre = torch.stack([pixel % side, (pixel // side) % side], 1) + 0.5
    flat = screen.reshape(n * v, 2)
    a, b, c = (flat[k] for k in corners.unbind(1))
    second, third = _barycentric(a, b - a, c - a, centre)
    weights = torch.stack([1 - second - third, second, third], 1)
    # Screen weights become weights in space by the inverse distance.
    inverse = weights / depth.reshape(n * v)[corners]
    return Hits(pixel, picture, corners, inverse / inverse.sum(1, keepdim=True))


def _barycentric(a: Tensor, ab: Tensor, ac: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of the second and third corner at ``at``, each ``(t,)``."""
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    ap = at - a
    second = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    return second, (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area


def _nearest(screen: Tensor, depth: Tensor, triangles: Tensor, side: int) -> Tensor:
    """``int64 (n * side * side,)``: depth above, the triangle's number in the lower 32 bits."""
    n, v = depth.shape
    x, y = screen.unbind(2)
    i, j, k = triangles.unbind(1)
    xi, yi = x[:, i], y[:, i]
    area = (x[:, j] - xi) * (y[:, k] - yi) - (y[:, j] - yi) * (x[:, k] - xi)
    picture, triangle = (area < -1e-6).nonzero(as_tuple=True)
    corners = triangles[triangle] + (picture * v)[:, None]
    points = screen.reshape(n * v, 2)[corners]
    low = torch.ceil(points.amin(1) - 0.5).clamp(min=0)
    spans = (torch.floor(points.amax(1) - 0.5).clamp(max=side - 1) - low).amax(1) + 1
    # Triangles between pixel centres hit nothing: their span is 0 in one direction.
    some = ((torch.floor(points.amax(1) - 0.5).clamp(max=side - 1) - low) >= 0).all(1)
    nearest = torch.full((n * side * side,), _FAR, dtype=torch.int64, device=screen.device)
    distance = depth.reshape(n * v)[corners]
    # Small triangles, nearly all, are tried on few pixels; the few large ones on many.
    for least, most in ((0, 1), (1, 2), (2, 3), (3, 5), (5, 9), (9, 20), (20, 64), (64, side + 1)):
        chosen = (some & (spans > least) & (spans <= most)).nonzero()[:, 0]
        for part in torch.split(chosen, max(1, _MOST_CELLS // (most * most))):
            if len(part):
                _fill(nearest, points[part], distance[part], low[part], picture[part], triangle[part], side, most)
    return nearest


def _fill(
    nearest: Tensor, points: Tensor, depth: Tensor, low: Tensor, picture: Tensor, triangle: Tensor, side: int, span: int
) -> None:
    """Try ``span * span`` pixels from ``low`` on for each triangle."""
    a, ab, ac = points[:, 0], points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    second, third = _barycentric(a, ab, ac, low + 0.5)
    steps = torch.arange(span, device=points.device, dtype=points.dtype)
    dx, dy = steps.repeat(span)[None], steps.repeat_interleave(span)[None]
    u = second[:, None] + (ac[:, 1] / area)[:, None] * dx - (ac[:, 0] / area)[:, None] * dy
    v = third[:, None] - (ab[:, 1] / area)[:, None] * dx + (ab[:, 0] / area)[:, None] * dy
    inside = (torch.minimum(u, v) >= -1e-5) & (u + v <= 1 + 1e-5)
    if span > 1:
        inside &= (low[:, :1] + dx < side) & (low[:, 1:] + dy < side)
    row, cell = inside.nonzero(as_tuple=True)
    d = depth[row]
    distance = d[:, 0] + u[row, cell] * (d[:, 1] - d[:, 0]) + v[row, cell] * (d[:, 2] - d[:, 0])
    # Nearest first; of equals the lower triangle: the order in memory never decides.
    key = ((distance * _STEPS_PER_MM).long().clamp(0, (1 << 30) - 1) << 32) | triangle[row]
    start = low.long()
    target = (picture[row] * side + start[row, 1] + cell // span) * side + start[row, 0] + cell % span
    nearest.scatter_reduce_(0, target, key, "amin")
