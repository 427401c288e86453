"""Head pose out of 68 landmarks: the turn of a mean head that fits them best, seen from far away.

The head is the mean of phantom faces (`HEAD`), the camera a scaled orthographic one. The affine map of the head's
points to the landmarks is found by least squares, and the nearest scaled rotation is taken (the first step of DeMenthon
and Davis 1995, "Model-based object pose in 25 lines of code", with its two rows made orthonormal together). A person
whose face is longer or whose chin is heavier than the mean's seems to nod: `readings_error` has the error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError

# Landmarks of phantoms' mean head in iBUG order, millimetres right, up and towards the camera, with a neutral face.
HEAD = np.array((
    (-73, 7, 22), (-72, -11, 22), (-70, -29, 22), (-65, -46, 25), (-58, -61, 28), (-49, -76, 37), (-39, -90, 52),
    (-22, -100, 68), (0, -109, 60), (21, -100, 68), (38, -90, 52), (49, -76, 37), (58, -61, 28), (65, -46, 25),
    (70, -29, 22), (72, -11, 22), (73, 7, 22), (-50, 17, 73), (-41, 18, 82), (-33, 19, 88), (-24, 18, 93),
    (-16, 17, 94), (16, 17, 94), (24, 18, 93), (33, 19, 88), (41, 18, 82), (50, 17, 73), (0, 0, 100), (0, -12, 106),
    (0, -25, 113), (0, -37, 120), (-13, -43, 113), (-7, -45, 106), (0, -45, 107), (7, -45, 106), (12, -43, 113),
    (-43, 0, 78), (-35, 4, 83), (-25, 4, 86), (-17, -1, 87), (-25, -5, 88), (-35, -5, 84), (17, -1, 87), (25, 4, 86),
    (35, 4, 83), (43, 0, 78), (35, -5, 84), (25, -5, 88), (-25, -63, 91), (-15, -60, 100), (-6, -58, 102),
    (0, -59, 103), (6, -58, 102), (15, -60, 100), (25, -63, 91), (16, -72, 97), (7, -74, 98), (0, -75, 98),
    (-7, -74, 98), (-16, -72, 97), (-21, -63, 95), (-7, -64, 102), (0, -64, 103), (7, -64, 102), (21, -63, 95),
    (7, -66, 103), (0, -66, 103), (-7, -66, 103),
), np.float64)  # fmt: skip
_CENTRED = HEAD - HEAD.mean(axis=0)
_SOLVE = np.linalg.pinv(_CENTRED)


@dataclass(frozen=True)
class Pose:
    """Where a head is turned, degrees.

    Attributes:
        yaw: above 0 the face turns to the picture's right.
        pitch: above 0 it looks up.
        roll: above 0 it is tilted clockwise in the picture.
    """

    yaw: float
    pitch: float
    roll: float


def pose(landmarks: NDArray[np.floating]) -> Pose:
    """The pose of a face.

    Args:
        landmarks: ``(68, 2)`` pixels, iBUG order.

    Raises:
        ShapeError: other or not finite landmarks, or all in one place.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2) or not np.all(np.isfinite(points)):
        raise ShapeError("a pose needs 68 finite landmarks", given=points.shape, expected="(68, 2) pixels")
    up = (points - points.mean(axis=0)) * (1, -1)
    affine = (_SOLVE @ up).T
    left, scales, right = np.linalg.svd(affine, full_matrices=False)
    if scales[1] <= 1e-9 * max(1.0, float(np.abs(points).max())):
        raise ShapeError("the landmarks of a face fall on a line", given=points[:2].tolist(), expected="a face")
    rows = left @ right
    return angles(np.vstack([rows, np.cross(*rows)]))


def angles(turn: NDArray[np.floating]) -> Pose:
    """Yaw, pitch and roll of a rotation ``(3, 3)`` that is roll after pitch after yaw, as phantoms are turned."""
    return Pose(
        float(np.degrees(np.arctan2(-turn[2, 0], turn[2, 2]))),
        float(np.degrees(np.arcsin(np.clip(-turn[2, 1], -1, 1)))),
        float(np.degrees(np.arctan2(turn[0, 1], turn[1, 1]))),
    )
