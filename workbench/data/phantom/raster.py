"""Which triangle each pixel sees: a batched z-buffer in plain torch, the same bits on every run."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FAR = (1 << 62) - 1
_DEPTH_BITS = 24


@dataclass(frozen=True)
class Hits:
    """Pixels that see a surface.

    Attributes:
        pixel: ``int64 (p,)`` index into the flattened ``(n, side, side)`` pictures.
        picture: ``int64 (p,)``.
        triangle: ``int64 (p,)``.
        weights: ``float32 (p, 3)`` barycentric, correct in space.
    """

    pixel: Tensor
    picture: Tensor
    triangle: Tensor
    weights: Tensor

    def blend(self, values: Tensor, triangles: Tensor) -> Tensor:
        """Values of points ``(n, v, c)`` or ``(v, c)`` at the pixels, ``(p, c)``."""
        corners = triangles[self.triangle]
        found = values[corners] if values.dim() == 2 else values[self.picture[:, None], corners]
        return (found * self.weights[..., None]).sum(1)


def rasterise(screen: Tensor, depth: Tensor, triangles: Tensor, side: int) -> Hits:
    """Find the nearest triangle at each pixel centre.

    Args:
        screen: ``(n, v, 2)`` positions in pixels, y down.
        depth: ``(n, v)`` distance from the camera, positive.
        triangles: ``(t, 3)``; those seen from behind are not drawn.
        side: of the square pictures.
    """
    corners = screen[:, triangles]
    edge = corners[:, :, 1:] - corners[:, :, :1]
    area = edge[:, :, 0, 0] * edge[:, :, 1, 1] - edge[:, :, 0, 1] * edge[:, :, 1, 0]
    low, high = corners.amin(2), corners.amax(2)
    seen = (area < -1e-6) & (high > 0).all(2) & (low < side).all(2)
    picture, triangle = seen.nonzero(as_tuple=True)
    points = corners[picture, triangle]
    distances = depth[:, triangles][picture, triangle]
    nearest = torch.full((len(screen) * side * side,), _FAR, dtype=torch.int64, device=screen.device)
    first = torch.floor(low[picture, triangle] - 0.5).clamp(min=0)
    spans = (torch.ceil(high[picture, triangle] - 0.5).clamp(max=side - 1) - first).amax(1) + 1
    # Small triangles, nearly all, are tried on few pixels; the few large ones on many.
    for least, most in ((0, 4), (4, 8), (8, 16), (16, 48), (48, side + 1)):
        chosen = ((spans > least) & (spans <= most)).nonzero()[:, 0]
        for part in torch.split(chosen, max(1, 6_000_000 // (most * most))):
            _fill(nearest, points[part], distances[part], first[part], picture[part], triangle[part], side, most)
    pixel = (nearest != _FAR).nonzero()[:, 0]
    found = nearest[pixel] & ((1 << 32) - 1)
    owner = pixel // (side * side)
    centre = torch.stack([pixel % side, (pixel // side) % side], 1).float() + 0.5
    weights = _barycentric(screen[owner[:, None], triangles[found]], centre[:, None])[:, 0]
    # Screen weights become weights in space by the inverse distance.
    inverse = weights / depth[owner[:, None], triangles[found]]
    return Hits(pixel, owner, found, inverse / inverse.sum(1, keepdim=True))


def _barycentric(points: Tensor, at: Tensor) -> Tensor:
    """``(t, k, 3)`` weights of ``(t, 3, 2)`` corners at ``(t, k, 2)`` places."""
    a, b, c = points[:, None, 0], points[:, None, 1], points[:, None, 2]
    ab, ac, ap = b - a, c - a, at - a
    area = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]
    second = (ap[..., 0] * ac[..., 1] - ap[..., 1] * ac[..., 0]) / area
    third = (ab[..., 0] * ap[..., 1] - ab[..., 1] * ap[..., 0]) / area
    return torch.stack([1 - second - third, second, third], -1)


def _fill(
    nearest: Tensor,
    points: Tensor,
    depth: Tensor,
    first: Tensor,
    picture: Tensor,
    triangle: Tensor,
    side: int,
    span: int,
) -> None:
    steps = torch.arange(span, device=points.device, dtype=points.dtype)
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).reshape(1, -1, 2)
    cells = first[:, None] + offsets
    weights = _barycentric(points, cells + 0.5)
    inside = (weights >= -1e-5).all(2) & (cells < side).all(2)
    row, column = inside.nonzero(as_tuple=True)
    hit = cells[row, column].long()
    distance = (weights[row, column] * depth[row]).sum(1)
    # Nearest first; of equals the lower triangle: the order in memory never decides.
    scaled = (distance * ((1 << _DEPTH_BITS) / 8192)).long().clamp(0, (1 << 29) - 1)
    key = (scaled << 32) | triangle[row]
    target = (picture[row] * side + hit[:, 1]) * side + hit[:, 0]
    nearest.scatter_reduce_(0, target, key, "amin")
