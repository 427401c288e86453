"""Pictures bent so that their landmarks come to lie elsewhere: piecewise affine over Delaunay triangles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay, QhullError

from ....core import ShapeError

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]


def with_border(points: NDArray[np.floating], size: int) -> Floats:
    """Landmarks ``(k, 2)`` and eight points on the picture's border, so that the triangles cover all of it."""
    last = size - 1.0
    border = [(x, y) for x in (0.0, last / 2, last) for y in (0.0, last / 2, last) if (x, y) != (last / 2, last / 2)]
    return np.concatenate([np.asarray(points, np.float64), border])


def warp(picture: Picture, source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float32]:
    """The picture with its landmarks moved, ``float32 (h, w, c)`` in 0 to 255; outside of all triangles it is 0.

    Args:
        picture: ``uint8 (h, w, c)``.
        source: ``(k, 2)`` where the landmarks are, pixels with whole numbers at their centres.
        target: ``(k, 2)`` where they shall be.

    Raises:
        ShapeError: not the same points, or all on one line.
    """
    if source.shape != target.shape or target.ndim != 2 or target.shape[1] != 2:
        raise ShapeError("landmarks do not fit", given=(source.shape, target.shape), expected="(k, 2) twice")
    try:
        triangles = Delaunay(np.asarray(target, np.float64))
    except QhullError:
        raise ShapeError(
            "landmarks span no triangle", given=len(target), expected="points that are not on a line"
        ) from None
    height, width = picture.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    back = LinearNDInterpolator(triangles, np.asarray(source, np.float64), fill_value=-10.0)(x, y).astype(np.float32)
    found = cv2.remap(
        picture.astype(np.float32), back[..., 0], back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    found = found.reshape(picture.shape)
    found[back[..., 0] < -5] = 0
    return np.asarray(found)


def hull_mask(points: NDArray[np.floating], size: int, *, feather: float = 0.0) -> NDArray[np.float32]:
    """1 inside the convex hull of points ``(k, 2)``, 0 outside, ``float32 (size, size)``.

    Args:
        points: in pixels.
        size: of the square picture.
        feather: pixels over which the edge falls off, inside the hull.
    """
    mask = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(np.asarray(points)).astype(np.int32)), 1)
    if feather <= 0:
        return mask.astype(np.float32)
    # Pixels beyond the picture count as outside.
    away = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    soft: NDArray[np.float32] = np.clip(away / feather, 0, 1).astype(np.float32)
    return soft


# The inner face: brows, eyes, nose, mouth and the chin's line somewhat inside.
INNER = np.arange(17, 68)


def inner_face(points: NDArray[np.floating]) -> Floats:
    """Points ``(k, 2)`` whose hull is the inner face of 68 landmarks: all but the jaw, and the jaw drawn inwards."""
    middle = points[27:36].mean(0)
    jaw = middle + 0.82 * (points[2:15] - middle)
    brows = points[17:27] + 0.35 * (points[17:27] - points[27:28]) * (0, 1)
    return np.concatenate([jaw, brows, points[INNER]]).astype(np.float64)


def colour_transfer(
    picture: NDArray[np.floating], model: NDArray[np.floating], mask: NDArray[np.floating]
) -> NDArray[np.float32]:
    """A picture whose mean and deviation in Lab inside a mask become those of another (Reinhard et al. 2001).

    Args:
        picture: ``(h, w, 3)`` RGB in 0 to 255.
        model: likewise, whose colours are wanted.
        mask: ``(h, w)``; pixels above a half count.
    """
    inside = np.asarray(mask) > 0.5
    if not inside.any():
        return np.asarray(picture, np.float32)
    lab, wanted = (cv2.cvtColor(np.asarray(p, np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (picture, model))
    mean, spread = lab[inside].mean(0), lab[inside].std(0)
    ratio = wanted[inside].std(0) / np.maximum(spread, 1e-3)
    moved = ((lab - mean) * ratio + wanted[inside].mean(0)).astype(np.float32)
    back: NDArray[np.float32] = np.clip(cv2.cvtColor(moved, cv2.COLOR_LAB2RGB) * 255, 0, 255).astype(np.float32)
    return back


def to_bytes(picture: NDArray[np.floating]) -> Picture:
    """0 to 255 as ``uint8``, rounded."""
    rounded: Picture = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    return rounded
