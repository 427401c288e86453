"""The template head: grids of points with places on an average face, in millimetres.

The head's centre is the origin; x points to the picture's right in a frontal view, y up, z to the camera.
Eyes lie at y = 0, the mouth line at y = -73.5, crown and chin at +-114. A point keeps its template place
``(x, y)`` whatever its identity does to it, so that colour, parts and landmarks move with the shape.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

HALF_WIDTH, HALF_HEIGHT, HALF_DEPTH = 75.0, 114.0, 95.0
MOUTH = -73.5
EYE_X = 31.0
HEAD, EAR, NECK, CLOTH, CURTAIN, BLOCK = range(6)


@dataclass(frozen=True)
class Patch:
    """A grid of points: ``rows * columns``, row by row."""

    kind: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Template:
    """All points, grid by grid, and the triangles between them.

    Attributes:
        place: ``float32 (v, 3)`` template position.
        theta: ``float32 (v,)`` angle about the vertical axis, 0 in front.
        kind: ``int64 (v,)`` kind of patch.
        triangles: ``int64 (t, 3)``, anticlockwise from outside.
        patches: the grids, in order.
    """

    place: Tensor
    theta: Tensor
    kind: Tensor
    triangles: Tensor
    patches: tuple[Patch, ...]


def outline(y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the half width and of the front half depth that the head has at height ``y``."""
    t = np.clip(np.abs(y) / HALF_HEIGHT, 0, 1)
    below = y < 0
    across = np.sqrt(np.clip(1 - t ** np.where(below, 2.7, 2.3), 0, 1))
    front = np.sqrt(np.clip(1 - t ** np.where(below, 5.0, 2.4), 0, 1))
    return across, front


def head_point(theta: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Template positions ``(..., 3)`` at an angle and a height."""
    across, front = outline(y)
    sine, cosine = np.sin(theta), np.cos(theta)
    x = HALF_WIDTH * across * np.sign(sine) * np.abs(sine) ** 0.92
    depth = np.where(cosine >= 0, front, across)
    z = HALF_DEPTH * depth * np.sign(cosine) * np.abs(cosine) ** np.where(cosine >= 0, 0.85, 1.0)
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1)


def theta_at(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The angle whose template point in front has this ``x`` at this ``y``."""
    across, _ = outline(y)
    share = np.clip(np.abs(x) / np.maximum(HALF_WIDTH * across, 1e-6), 0, 1)
    return np.sign(x) * np.arcsin(share ** (1 / 0.92))


@functools.cache
def template() -> Template:
    """The one template; its points are numbered once and for all."""
    grids = [_head(), _ear(-1), _ear(1), _neck(), _cloth(), _curtain(), _block()]
    places, thetas, kinds, triangles, patches, start = [], [], [], [], [], 0
    for kind, place, theta in grids:
        rows, columns = theta.shape
        places.append(place.reshape(-1, 3))
        thetas.append(theta.reshape(-1))
        kinds.append(np.full(theta.size, kind))
        faces = _triangles(rows, columns) + start
        # Long hair is a sheet: it is seen from within, too.
        triangles.append(np.concatenate([faces, faces[:, ::-1]]) if kind == CURTAIN else faces)
        patches.append(Patch(kind, rows, columns))
        start += theta.size
    return Template(
        torch.from_numpy(np.concatenate(places)).float(),
        torch.from_numpy(np.concatenate(thetas)).float(),
        torch.from_numpy(np.concatenate(kinds)),
        torch.from_numpy(np.concatenate(triangles)),
        tuple(patches),
    )


def _triangles(rows: int, columns: int) -> NDArray[np.int64]:
    at = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])


def _head() -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    s = np.linspace(-1, 1, 121)
    theta = np.pi * (0.36 * s + 0.64 * s**3)
    top = HALF_HEIGHT * np.cos(np.linspace(0, np.arccos(45 / HALF_HEIGHT), 22))
    y = np.concatenate([top, np.linspace(43, -108, 82), [-110, -111.5, -112.7, -113.6, -114]])
    grid_theta, grid_y = np.meshgrid(theta, y)
    return HEAD, head_point(grid_theta, grid_y), grid_theta


def _ear(side: int) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    u, v = np.meshgrid(np.linspace(-np.pi, np.pi, 15), np.linspace(-np.pi / 2, np.pi / 2, 11))
    lobe = 1 - 0.22 * (np.sin(v) < 0) * np.abs(np.sin(v))
    x = side * (73 + 5 * np.cos(v) * np.sin(u) + 6 * np.cos(v) * np.cos(u))
    y = -14 - 31 * np.sin(v)
    z = -8 + 17 * np.cos(v) * np.cos(u) * lobe - 4 * np.cos(v) * np.sin(u)
    grid = np.stack([x, y, z], -1)
    return EAR, grid if side < 0 else grid[:, ::-1], np.full(u.shape, side * np.pi / 2)


def _neck() -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    theta, y = np.meshgrid(np.linspace(-np.pi, np.pi, 33), np.linspace(-60, -200, 12))
    flare = 1 + 0.25 * np.clip((-150 - y) / 50, 0, 1) ** 2
    return NECK, np.stack([53 * flare * np.sin(theta), y, -22 + 50 * flare * np.cos(theta)], -1), theta


def _cloth() -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    theta, t = np.meshgrid(np.linspace(-np.pi, np.pi, 41), np.linspace(0, 1, 12))
    wide = 62 + 150 * np.sqrt(np.clip(t, 0, 1)) * (1 - 0.15 * t)
    deep = 58 + 45 * np.sqrt(t)
    y = -165 - 30 * np.abs(np.sin(theta)) * np.sqrt(t) - 190 * t**2
    return CLOTH, np.stack([wide * np.sin(theta), y, -30 + deep * np.cos(theta)], -1), theta


def _curtain() -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    theta, t = np.meshgrid(np.linspace(1.5, 2 * np.pi - 1.5, 49), np.linspace(0, 1, 18))
    return CURTAIN, np.stack([79 * np.sin(theta), 50 - 120 * t, 88 * np.cos(theta) - 4], -1), theta


def _block() -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(1, -1, 9))
    return BLOCK, np.stack([x, y, np.full(x.shape, 135.0)], -1), np.zeros(x.shape)


@functools.cache
def landmark_places() -> NDArray[np.float64]:
    """Template ``(68, 2)`` of the iBUG landmarks; the subject's right side (x < 0) first."""
    jaw_angle = np.linspace(-1, 1, 17)
    jaw_y = np.array([-6, -22, -38, -54, -70, -84, -96, -105, -109])
    jaw_y = np.concatenate([jaw_y, jaw_y[-2::-1]]).astype(float)
    across, _ = outline(jaw_y)
    reach = np.array([0.985, 0.985, 0.98, 0.97, 0.95, 0.9, 0.78, 0.52, 0.0])
    jaw_x = HALF_WIDTH * across * np.concatenate([reach, reach[-2::-1]]) * np.sign(jaw_angle)
    brow = [(-47, 14), (-40, 19), (-31, 20.5), (-22, 19), (-14, 15.5)]
    bridge = [(0, 0), (0, -14), (0, -28), (0, -42)]
    base = [(-13, -50), (-7, -52.5), (0, -54), (7, -52.5), (13, -50)]
    eye = [(-45.5, 0), (-36, 4.7), (-26, 4.7), (-17, -0.5), (-26, -4), (-36, -4)]
    outer = [(-25, MOUTH), (-15, -68.5), (-6, -66), (0, -67.3), (6, -66), (15, -68.5), (25, MOUTH),
             (16, -80), (7, -83), (0, -83.6), (-7, -83), (-16, -80)]  # fmt: skip
    inner = [
        (-21, MOUTH),
        (-7, -72.8),
        (0, -72.9),
        (7, -72.8),
        (21, MOUTH),
        (7, -74.2),
        (0, -74.3),
        (-7, -74.2),
    ]
    left_eye = [(-x, y) for x, y in (eye[3], eye[2], eye[1], eye[0], eye[5], eye[4])]
    left_brow = [(-x, y) for x, y in brow[::-1]]
    points = [
        *zip(jaw_x, jaw_y, strict=True),
        *brow,
        *left_brow,
        *bridge,
        *base,
        *eye,
        *left_eye,
        *outer,
        *inner,
    ]
    return np.array(points, dtype=np.float64)
