"""Several cameras on one moment: a light field's sub-apertures, and stereo pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core import ParameterError
from .camera import HEAD_HEIGHT
from .scene import Scene


def focal_length(scene: Scene, size: int) -> NDArray[np.float64]:
    """Focal lengths in pixels of pictures of side ``size``, ``(n,)``; times 36 / size a full-frame camera's in mm.

    A point at depth ``Z`` millimetres and ``x`` off the axis is seen at ``f x / Z``.
    """
    focal: NDArray[np.float64] = scene.fill.astype(np.float64) * size / HEAD_HEIGHT * scene.distance
    return focal


def light_field(scene: Scene, views: int = 5, *, baseline: float = 12.0) -> Scene:
    """``views * views`` sub-aperture pictures of each picture, row by row from the upper left.

    The plane of the head's centre has no disparity: what is nearer by ``d`` millimetres moves by
    ``baseline * d / (distance - d)`` millimetres of that plane between neighbours.

    Args:
        scene: ``n`` pictures.
        views: sub-apertures a side, 2 to 15.
        baseline: millimetres between neighbouring sub-apertures.

    Returns:
        ``n * views ** 2`` pictures.
    """
    if not 2 <= views <= 15:
        raise ParameterError("views are out of range", given=views, expected="2 to 15 a side")
    if not 0 < baseline * (views - 1) <= 400:
        raise ParameterError("the aperture is out of range", given=baseline, expected="up to 400 mm from side to side")
    steps = (np.arange(views) - (views - 1) / 2) * baseline
    right, down = (a.ravel() for a in np.meshgrid(steps, steps))
    return _seen_from(scene, np.stack([right, -down], 1))


def stereo(scene: Scene, *, baseline: float = 60.0) -> Scene:
    """Left and right pictures of each picture in turn, ``2 n`` scenes.

    Args:
        scene: ``n`` pictures.
        baseline: millimetres between the cameras, up to 400.
    """
    if not 0 < baseline <= 400:
        raise ParameterError("baseline is out of range", given=baseline, expected="up to 400 mm")
    return _seen_from(scene, np.array([[-baseline / 2, 0.0], [baseline / 2, 0.0]]))


def _seen_from(scene: Scene, offsets: NDArray[np.float64]) -> Scene:
    count = len(offsets)
    repeated = scene.take(np.repeat(np.arange(len(scene)), count))
    return repeated.replace(viewpoint=repeated.viewpoint + np.tile(offsets, (len(scene), 1)))
