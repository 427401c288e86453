"""Alignment: the similarity transform that brings five landmarks onto a model's template, and the warp."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core import ShapeError


def five_points(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """Eye centres, nose tip and mouth corners out of 68 landmarks in iBUG order.

    Args:
        landmarks: ``(n, 68, 2)`` pixels.

    Returns:
        ``float32 (n, 5, 2)``; the subject's right eye first.
    """
    points = np.asarray(landmarks, dtype=np.float32)
    right, left = points[:, 36:42].mean(axis=1), points[:, 42:48].mean(axis=1)
    return np.stack([right, left, points[:, 30], points[:, 48], points[:, 54]], axis=1)


def check_points(points: NDArray[np.floating]) -> None:
    """Raise `ShapeError` for landmarks that cannot be an upright face's.

    The classic mistakes are caught: the other eye first, rows and columns exchanged, upside down.
    """
    if points.ndim != 3 or points.shape[1:] != (5, 2):
        raise ShapeError("five landmarks per face are needed", given=points.shape, expected="(n, 5, 2)")
    if not np.all(np.isfinite(points)):
        raise ShapeError("a landmark is not finite", expected="pixels")
    eyes = points[:, 1] - points[:, 0]
    down = points[:, 3:].mean(axis=1) - points[:, :2].mean(axis=1)
    # The turn from the eye line to the line eyes-mouth has one sign for every face that is not mirrored.
    turn = eyes[:, 0] * down[:, 1] - eyes[:, 1] * down[:, 0]
    if np.any(turn <= 0):
        bad = int(np.argmax(turn <= 0))
        raise ShapeError(
            "landmarks are swapped or mirrored",
            given=f"face {bad}: {points[bad].round(1).tolist()}",
            expected="the subject's right eye (left in the picture), left eye, nose, mouth corners; x, y",
            do="check the order of the landmarks",
        )


def similarity(points: ArrayLike, template: ArrayLike) -> NDArray[np.float64]:
    """Least-squares similarity transforms, all faces at once.

    Minimises ``sum |A p + t - q|^2`` over scaled rotations (Umeyama 1991; in the plane the closed form
    needs no decomposition: with centred ``p``, ``q`` as complex numbers, ``a = sum(conj(p) q) / sum |p|^2``).

    Args:
        points: ``(n, k, 2)`` pixels in the pictures.
        template: ``(k, 2)`` pixels in the chip.

    Returns:
        ``float64 (n, 2, 3)`` matrices from picture to chip.

    Raises:
        ShapeError: all points of a face fall together.
    """
    source = np.asarray(points, dtype=np.float64)
    target = np.asarray(template, dtype=np.float64)
    p, q = source @ (1, 1j), target @ (1, 1j)
    centre_p, centre_q = p.mean(axis=1, keepdims=True), q.mean()
    spread = np.sum(np.abs(p - centre_p) ** 2, axis=1)
    if np.any(spread <= 0):
        raise ShapeError("the landmarks of a face fall together", given=int(np.argmax(spread <= 0)))
    a = np.sum(np.conj(p - centre_p) * (q - centre_q), axis=1) / spread
    t = centre_q - a * centre_p[:, 0]
    rows = [np.stack([a.real, -a.imag, t.real], axis=1), np.stack([a.imag, a.real, t.imag], axis=1)]
    return np.stack(rows, axis=1)


def warp(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Cut one chip; large faces are first averaged down, so that fine texture does not alias.

    Args:
        image: ``uint8 (h, w, 3)``.
        matrix: ``(2, 3)`` from picture to chip.
        size: height and width of the chip.
    """
    shrink = 1.0 / np.hypot(matrix[0, 0], matrix[1, 0])
    if shrink > 2.0:
        image, matrix = _reduced(image, matrix, shrink, size)
    return np.asarray(cv2.warpAffine(image, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR))


def _reduced(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], shrink: float, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a picture that the chip needs, at about twice the chip's resolution."""
    height, width = size
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=np.float64)
    back = cv2.invertAffineTransform(matrix)
    places = corners @ back[:, :2].T + back[:, 2]
    margin = 2 * shrink
    x0, y0 = np.maximum(np.floor(places.min(axis=0) - margin), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(places.max(axis=0) + margin), image.shape[1::-1]).astype(int)
    if x1 <= x0 or y1 <= y0:
        return image, matrix
    part = image[y0:y1, x0:x1]
    factor = 2.0 / shrink
    to = (max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor)))
    small = np.asarray(cv2.resize(part, to, interpolation=cv2.INTER_AREA))
    scale = np.array([part.shape[1] / to[0], part.shape[0] / to[1]])
    # Pixel centres, not corners, keep their places.
    offset = np.array([x0, y0]) + scale / 2 - 0.5
    moved = np.column_stack([matrix[:, :2] * scale, matrix[:, :2] @ offset + matrix[:, 2]])
    return small, moved


def align(
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    points: NDArray[np.floating],
    template: ArrayLike,
    size: tuple[int, int],
) -> NDArray[np.uint8]:
    """Face chips at a model's own template.

    Args:
        images: one ``uint8 (h, w, 3)`` picture per face.
        points: ``(n, 5, 2)`` pixels, the subject's right eye first.
        template: ``(5, 2)`` pixels in the chip.
        size: height and width of the chip.

    Returns:
        ``uint8 (n, *size, 3)``.

    Raises:
        ShapeError: landmarks that are swapped, mirrored or not finite.
    """
    found = np.asarray(points, dtype=np.float64).reshape(len(images), -1, 2)
    check_points(found)
    chips = np.empty((len(images), *size, 3), dtype=np.uint8)
    for i, matrix in enumerate(similarity(found, template)):
        chips[i] = warp(images[i], matrix, size)
    return chips
