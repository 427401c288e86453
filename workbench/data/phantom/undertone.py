"""What varies slowly over a face's skin, at the points of the head: pigments, folds and gloss; linear in the person.

Everything broader than the grid's steps of two millimetres is added up here, once for each point and not for each
pixel: the person's own smooth pigment fields, red cheeks and nose, rings below the eyes, crevices into which little
light gets, and the folds of age and of expressions.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core import seeds
from .action_units import MOVEMENTS
from .identity import COLOUR_FIELDS, INDEX
from .sculpture import Floats, ramp
from .shape import old
from .template import EYE_X, MOUTH, NOSE_BASE, NOSE_TIP, resident, template

MELANIN, HAEMOGLOBIN, DARKNESS, GLOSS = range(4)
_MODES = ("cheek_red", "under_eye", "skin_gloss")
_MOVES = ("smile", "corners_down", "chin_raise", "frown", "nose_wrinkle")
_COEFFICIENTS = ("always", "old", *_MODES, *_MOVES, *COLOUR_FIELDS)


def undertone(t: dict[str, Tensor]) -> Tensor:
    """``(n, v, 4)`` at all points: more melanin, more haemoglobin, darkness, gloss.

    Darkness is minus the logarithm of the share of light that gets in.

    Args:
        t: the factors of ``n`` pictures.
    """
    columns = [torch.ones_like(t["age"]), old(t["age"])]
    columns += [t["modes"][:, INDEX[name]] for name in _MODES]
    columns += [t["movements"][:, MOVEMENTS.index(name)] for name in _MOVES]
    amounts = torch.cat([torch.stack(columns, 1), t["modes"][:, -len(COLOUR_FIELDS) :]], 1)
    # In double precision, as the shape's sum is.
    found = amounts.double() @ resident(_basis(), amounts.device).flatten(1)
    return found.float().reshape(len(amounts), -1, 4)


@functools.cache
def _basis() -> Tensor:
    """``(k, v, 4)`` for `_COEFFICIENTS`; nothing off the front of the head."""
    shape = template()
    patch = shape.patches[0]
    front = slice(patch.start, patch.start + patch.rows * patch.columns)
    place, theta = shape.place[front].double().numpy(), shape.theta[front].double().numpy()
    face = _Face(place[:, 0], place[:, 1], ramp(np.cos(theta), 0.0, 0.3))
    basis = np.zeros((len(_COEFFICIENTS), len(shape.place), 4))
    for (name, channel), field in (_pigments(face) | _crevices(face) | _own_fields(face)).items():
        basis[_COEFFICIENTS.index(name), front, channel] = field
    return torch.from_numpy(basis)


Fields = dict[tuple[str, int], Floats]


class _Face:
    """Template places of the head's points, and Gaussians on them.

    Args:
        x: ``(v,)``.
        y: ``(v,)``.
        front: ``(v,)`` 1 in front, 0 behind.
    """

    def __init__(self, x: Floats, y: Floats, front: Floats) -> None:
        self.x, self.y, self.front, self.a = x, y, front, np.abs(x)

    def spot(self, x: float, y: float, wide: float, high: float) -> Floats:
        """On both sides."""
        return np.asarray(self.front * np.exp(-(((self.a - x) / wide) ** 2 + ((self.y - y) / high) ** 2) / 2))

    def line(self, x: NDArray[np.float64], wide: float) -> Floats:
        """Along a curve ``x`` of the height."""
        return np.asarray(self.front * np.exp(-(((self.a - x) / wide) ** 2) / 2))


def _pigments(f: _Face) -> Fields:
    cheek, ring = f.spot(42, -36, 17, 16), f.spot(EYE_X, -9, 15, 6)
    return {
        ("always", HAEMOGLOBIN): 0.36 * cheek + 0.35 * f.spot(0, -37, 11, 9),
        ("cheek_red", HAEMOGLOBIN): 0.28 * cheek,
        ("always", MELANIN): 0.07 * ring,
        ("under_eye", MELANIN): 0.09 * ring,
        ("old", MELANIN): 0.08 * ring + 0.03 * f.front,
        ("always", GLOSS): 0.45 + 0.25 * f.spot(0, -20, 14, 60),
        ("skin_gloss", GLOSS): np.full_like(f.x, 0.14),
    }


def _depth(share: float) -> float:
    """Darkness that takes away a share of the light."""
    return -math.log(1 - share)


def _crevices(f: _Face) -> Fields:
    y = f.y
    below_lip = f.spot(0, MOUTH - 14, 13, 3.0)
    pits = ((15, 2, 5, 6, 0.26), (29, 9, 13, 3.6, 0.14), (18, NOSE_TIP - 3, 2.6, 5, 0.18),
            (0, NOSE_BASE - 2, 11, 2.6, 0.10), (26.5, MOUTH, 3.0, 2.6, 0.12))  # fmt: skip
    always = sum((_depth(share) * f.spot(*at) for *at, share in pits), start=np.zeros_like(y))
    nasolabial = f.line(19 + 0.3 * (-42 - y), 2.4) * ramp(y, -36, -44) * ramp(y, -78, -64)
    marionette = f.line(27 + 0.1 * (MOUTH - y), 1.8) * ramp(y, MOUTH - 3, MOUTH - 7) * ramp(y, -95, -84)
    between_brows = f.spot(4.5, 17, 1.6, 6)
    bags = _depth(0.18) * f.spot(EYE_X, -12, 10, 2.0) + _depth(0.12) * f.spot(EYE_X - 8, -16, 6, 2.4)
    return {
        ("always", DARKNESS): always + _depth(0.16) * below_lip + _depth(0.05) * nasolabial,
        ("chin_raise", DARKNESS): _depth(0.10) * below_lip,
        ("smile", DARKNESS): _depth(0.24) * nasolabial,
        ("old", DARKNESS): _depth(0.38) * nasolabial + _depth(0.40) * marionette + _depth(0.26) * between_brows + bags,
        ("corners_down", DARKNESS): _depth(0.10) * marionette,
        ("frown", DARKNESS): _depth(0.36) * between_brows,
        ("nose_wrinkle", DARKNESS): _depth(0.30) * f.spot(0, -2, 9, 2),
    }


def _own_fields(f: _Face) -> Fields:
    """Random smooth pigment, as the shape's fields are random and smooth."""
    fields: Fields = {}
    for name in COLOUR_FIELDS:
        rng = seeds.rng("phantom", "field", name)
        total = np.zeros((len(f.x), 2))
        for _ in range(10):
            x, y, wide = rng.uniform(-66, 66), rng.uniform(-100, 76), rng.uniform(9, 22)
            near = f.front * np.exp(-(((f.x - x) / wide) ** 2 + ((f.y - y) / wide) ** 2) / 2)
            total += near[:, None] * (rng.standard_normal(2) * (0.030, 0.055))
        fields[name, MELANIN], fields[name, HAEMOGLOBIN] = total.T
    return fields
