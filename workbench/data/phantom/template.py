"""The template head: grids of points with places on an average face, in millimetres.

The head's centre is the origin; x points to the picture's right in a frontal view, y up, z to the camera.
Eyes lie at y = 0, the base of the nose at -44, the mouth line at -65, crown and chin at +-114. A point keeps its
template place ``(x, y)`` whatever its identity does to it, so that colour, parts and landmarks move with the shape.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

HALF_WIDTH, HALF_HEIGHT, HALF_DEPTH = 74.0, 114.0, 95.0
MOUTH = -65.0
NOSE_TIP, NOSE_BASE = -35.5, -44.0
EYE_X, EYE_HALF = 30.0, 13.7
HEAD, EAR, NECK, CLOTH, CURTAIN, FRAME, LENS, VISOR, BLOCK, HAND = range(10)


@dataclass(frozen=True)
class Patch:
    """A grid of points: ``rows * columns``, row by row, from ``start`` on; ``closed`` where its columns go round."""

    kind: int
    rows: int
    columns: int
    start: int
    closed: bool


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
    across = np.sqrt(np.clip(1 - t ** np.where(below, 1.8, 2.7), 0, 1))
    front = np.sqrt(np.clip(1 - t ** np.where(below, 9.0, 2.4), 0, 1))
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
    grids = [_head(), _ear(-1), _ear(1), _neck(), _cloth(), _curtain(), *_glasses(), _visor(), _block(), *_hand()]
    places, thetas, kinds, triangles, patches, start = [], [], [], [], [], 0
    for kind, place, theta in grids:
        rows, columns = theta.shape
        places.append(place.reshape(-1, 3))
        thetas.append(theta.reshape(-1))
        kinds.append(np.full(theta.size, kind))
        faces = _triangles(rows, columns) + start
        # Sheets are seen from behind, too.
        sheet = kind in (CURTAIN, FRAME, LENS, VISOR)
        triangles.append(np.concatenate([faces, faces[:, ::-1]]) if sheet else faces)
        closed = bool(np.allclose(place[:, 0], place[:, -1], atol=1e-6))
        patches.append(Patch(kind, rows, columns, start, closed))
        start += theta.size
    return Template(
        torch.from_numpy(np.concatenate(places)).float(),
        torch.from_numpy(np.concatenate(thetas)).float(),
        torch.from_numpy(np.concatenate(kinds)),
        torch.from_numpy(np.concatenate(triangles)),
        tuple(patches),
    )


@functools.cache
def triangles_of(kinds: frozenset[int]) -> Tensor:
    """The template's triangles of some kinds of patch."""
    shape = template()
    of = shape.kind[shape.triangles[:, 0]]
    return shape.triangles[torch.isin(of, torch.tensor(sorted(kinds)))]


@functools.lru_cache(maxsize=64)
def resident(constant: Tensor, device: torch.device) -> Tensor:
    """A constant of the model on a device, copied there once; constants are told apart by identity."""
    return constant.to(device)


def _triangles(rows: int, columns: int) -> NDArray[np.int64]:
    at = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])


Grid = tuple[int, NDArray[np.float64], NDArray[np.float64]]


def _head() -> Grid:
    s = np.linspace(-1, 1, 105)
    theta = np.pi * (0.36 * s + 0.64 * s**3)
    top = HALF_HEIGHT * np.cos(np.linspace(0, np.arccos(45 / HALF_HEIGHT), 18))
    y = np.concatenate([top, np.linspace(43, -108, 74), [-110, -111.5, -112.7, -113.6, -114]])
    grid_theta, grid_y = np.meshgrid(theta, y)
    return HEAD, head_point(grid_theta, grid_y), grid_theta


def _ear(side: int) -> Grid:
    u, v = np.meshgrid(np.linspace(-np.pi, np.pi, 15), np.linspace(-np.pi / 2, np.pi / 2, 11))
    lobe = 1 - 0.22 * (np.sin(v) < 0) * np.abs(np.sin(v))
    # A disc that stands off the head at its back.
    along, thick = 16 * np.cos(v) * np.cos(u) * lobe, 4.5 * np.cos(v) * np.sin(u)
    x = side * (72 - 0.42 * along + thick)
    y = -15 - 30 * np.sin(v)
    z = -12 + 0.9 * along + 0.4 * thick
    grid = np.stack([x, y, z], -1)
    return EAR, grid if side < 0 else grid[:, ::-1], np.full(u.shape, side * np.pi / 2)


def _neck() -> Grid:
    theta, y = np.meshgrid(np.linspace(-np.pi, np.pi, 41), np.linspace(-60, -190, 30))
    flare = 1 + 0.55 * np.clip((-138 - y) / 52, 0, 1) ** 1.5
    return NECK, np.stack([50 * flare * np.sin(theta), y, -24 + 48 * flare * np.cos(theta)], -1), theta


def _cloth() -> Grid:
    theta, t = np.meshgrid(np.linspace(-np.pi, np.pi, 81), np.linspace(0, 1, 30))
    wide = 52 + 160 * np.sqrt(np.clip(t, 0, 1)) * (1 - 0.15 * t)
    deep = 54 + 51 * np.sqrt(t)
    y = -146 - 34 * np.abs(np.sin(theta)) * np.sqrt(t) - 190 * t**2 - 16 * np.cos(theta) * (1 - t)
    return CLOTH, np.stack([wide * np.sin(theta), y, -30 + deep * np.cos(theta)], -1), theta


def _curtain() -> Grid:
    theta, t = np.meshgrid(np.linspace(1.12, 2 * np.pi - 1.12, 57), np.linspace(0, 1, 20))
    return CURTAIN, np.stack([79 * np.sin(theta), 60 - 120 * t, 88 * np.cos(theta) - 4], -1), theta


def _glasses() -> list[Grid]:
    """Two rims, two lenses, bridge and temples; the rims are unit circles that a style makes round or square."""
    turn, across = np.meshgrid(np.linspace(0, 2 * np.pi, 37), np.linspace(0.93, 1.07, 3))
    rim = np.stack([across * np.cos(turn), across * np.sin(turn), 1.2 * (1 - ((across - 1) / 0.07) ** 2)], -1)
    turn, radius = np.meshgrid(np.linspace(0, 2 * np.pi, 25), np.linspace(0, 0.95, 4))
    lens = np.stack([radius * np.cos(turn), radius * np.sin(turn), 1 - radius**2], -1)
    along, high = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(1, -1, 2))
    bar = np.stack([along, high, np.zeros_like(along)], -1)
    # The angle says which piece it is: its sign the side, its size the piece.
    return [(kind, grid, np.full(grid.shape[:2], code * side)) for kind, grid, code in
            ((FRAME, rim, 1.0), (LENS, lens, 2.0), (FRAME, bar, 3.0), (FRAME, bar, 4.0))
            for side in ((-1, 1) if code != 4.0 else (1,))]  # fmt: skip


def _visor() -> Grid:
    theta, t = np.meshgrid(np.linspace(-1.1, 1.1, 21), np.linspace(0, 1, 7))
    return VISOR, np.stack([np.sin(theta), t, np.cos(theta)], -1), theta


def _block() -> Grid:
    x, y = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(1, -1, 9))
    return BLOCK, np.stack([x, y, np.full(x.shape, 135.0)], -1), np.zeros(x.shape)


def _hand() -> list[Grid]:
    """Palm, four fingers and a thumb as capsules, about the middle finger's root; the palm faces backwards."""
    fingers = [((14.0 * k - 21, -10, 0), (15.0 * k - 22, 72 - 6 * abs(k - 1.7), 4), 9, 8) for k in range(4)]
    pieces = [((0, -52, 0), (0, 12, 0), 34, 13), *fingers, ((-30, -42, 4), (-54, 6, 6), 10, 9)]
    grids: list[Grid] = []
    for start, end, wide, deep in pieces:
        turn, along = np.meshgrid(np.linspace(0, 2 * np.pi, 13), np.linspace(-1, 1, 13))
        round_end = np.sqrt(np.clip(1 - np.abs(along) ** 6, 0, 1))
        middle = np.asarray(start, float) + (np.asarray(end, float) - start) * (along[..., None] + 1) / 2
        grid = middle + np.stack([wide * np.cos(turn), 0 * turn, deep * np.sin(turn)], -1) * round_end[..., None]
        grids.append((HAND, grid[::-1], np.zeros(turn.shape)))
    return grids


@functools.cache
def landmark_places() -> NDArray[np.float64]:
    """Template ``(68, 2)`` of the iBUG landmarks; the subject's right side (x < 0) first."""
    jaw_angle = np.linspace(-1, 1, 17)
    # iBUG's chain runs along the outline from the height of the eyes down to the chin.
    jaw_y = np.array([7, -11, -29, -46, -61, -76, -89, -100, -109])
    jaw_y = np.concatenate([jaw_y, jaw_y[-2::-1]]).astype(float)
    across, _ = outline(jaw_y)
    reach = np.array([0.985, 0.985, 0.985, 0.98, 0.97, 0.94, 0.86, 0.62, 0.0])
    jaw_x = HALF_WIDTH * across * np.concatenate([reach, reach[-2::-1]]) * np.sign(jaw_angle)
    brow = [(-47, 14), (-40, 19), (-31, 20.5), (-22, 19), (-14, 15.5)]
    bridge = [(0, 0), (0, -12), (0, -24), (0, NOSE_TIP)]
    base = [(-12, -42), (-6.5, -44.2), (0, NOSE_BASE), (6.5, -44.2), (12, -42)]
    eye = [(-EYE_X + x, y) for x, y in ((-13.4, 0), (-5, 4.7), (5, 4.7), (13.2, -0.5), (5, -4), (-5, -4))]
    lip = [(-25, 0.9), (-15, 5), (-6, 7.5), (0, 6.2), (6, 7.5), (15, 5), (25, 0.9),
           (16, -6.5), (7, -9.5), (0, -10.1), (-7, -9.5), (-16, -6.5)]  # fmt: skip
    gap = [(-21, 0.7), (-7, 0.7), (0, 0.6), (7, 0.7), (21, 0.7), (7, -0.7), (0, -0.8), (-7, -0.7)]
    outer, inner = ([(x, MOUTH + y) for x, y in group] for group in (lip, gap))
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
