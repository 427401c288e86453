"""From identity, age, gender and movements to points of the head: a linear model on the template.

A point is ``mean + sum_k c_k B_k``: ``c`` holds the modes of the identity, the gender axis, two ages (child and old)
and the facial movements, ``B_k`` is a smooth displacement field in millimetres. Named modes are sums of Gaussian bumps;
the fields that they do not span are draws of a Gaussian process (M. Luethi et al., Gaussian Process Morphable
Models, TPAMI 2018), here a sum of random bumps of 14 to 26 mm.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core import seeds
from .action_units import MOVEMENTS
from .identity import MODES, SHAPE_FIELDS
from .sculpture import Sculpture, ageing, expressions, relief, skull, small_parts
from .template import head_point, resident, template

# Standard deviation of one bump's push; all fields together move the front by 4.4 mm, as the named modes do.
_PUSH_MM = 0.393
COEFFICIENTS = (*MODES, "gender", "child", "old", "beard", *MOVEMENTS)
_AT = {name: i for i, name in enumerate(COEFFICIENTS)}


@dataclass(frozen=True)
class Linear:
    """``mean (v, 3)`` and displacements ``basis (k, v, 3)``, in millimetres, for `COEFFICIENTS`.

    Double precision, rounded once at the end: a product's order of summation depends on how many pictures are drawn
    together, and a picture must not.
    """

    mean: Tensor
    basis: Tensor

    def points(self, coefficients: Tensor) -> Tensor:
        """``(n, v, 3)`` for coefficients ``(n, k)``."""
        mean, basis = (resident(c, coefficients.device) for c in (self.mean, self.basis))
        moved = (coefficients.double() @ basis.flatten(1)).reshape(-1, *mean.shape)
        return (mean + moved).float()


def linear(place: NDArray[np.floating], theta: NDArray[np.floating]) -> Linear:
    """The linear model at points of the template head, ``(v, 3)`` and their angles ``(v,)``."""
    s = Sculpture(np.asarray(place, np.float64), np.asarray(theta, np.float64))
    relief(s)
    skull(s)
    small_parts(s)
    ageing(s)
    expressions(s)
    _fields(s)
    basis = np.zeros((len(COEFFICIENTS), len(place), 3))
    for name, field in s.fields.items():
        if name:
            basis[_AT[name]] = field
    return Linear(torch.from_numpy(s.place + s.fields[""]), torch.from_numpy(basis))


@functools.cache
def head() -> Linear:
    """The linear model at the points of the head's grid."""
    shape = template()
    rows = shape.patches[0].rows * shape.patches[0].columns
    return linear(shape.place[:rows].double().numpy(), shape.theta[:rows].double().numpy())


def anatomical(places: NDArray[np.float64], theta: NDArray[np.float64]) -> Linear:
    """The linear model at template places ``(v, 2)`` in front, with their angles."""
    return linear(head_point(theta, places[:, 1]), theta)


def coefficients(t: dict[str, Tensor]) -> Tensor:
    """``(n, len(COEFFICIENTS))`` from a scene's factors: linear in modes and movements.

    Args:
        t: ``modes``, ``gender``, ``age``, ``beard`` and ``movements``.
    """
    one = torch.stack([t["gender"], child(t["age"]), old(t["age"]), t["beard"]], 1)
    return torch.cat([t["modes"], one, t["movements"]], 1)


def child(age: Tensor) -> Tensor:
    """1 at five years, 0 from eighteen."""
    return ((18 - age) / 13).clamp(0, 1)


def old(age: Tensor) -> Tensor:
    """0 up to thirty-five years, 1 at eighty."""
    return ((age - 35) / 45).clamp(0, 1.2)


def _fields(s: Sculpture) -> None:
    """Random smooth displacements of the front: mostly alike on both sides, a little not."""
    for name in SHAPE_FIELDS:
        rng = seeds.rng("phantom", "field", name)
        total = np.zeros_like(s.place)
        for _ in range(14):
            x, y = rng.uniform(0, 66), rng.uniform(-108, 76)
            wide = rng.uniform(14, 26)
            push = rng.standard_normal(3) * (1.0, 1.0, 1.2)
            right = np.exp(-(((s.x - x) / wide) ** 2 + ((s.y - y) / wide) ** 2) / 2)
            left = np.exp(-(((s.x + x) / wide) ** 2 + ((s.y - y) / wide) ** 2) / 2) * rng.normal(1, 0.15)
            total += right[:, None] * push + left[:, None] * push * (-1, 1, 1)
        s.fields[name] = s.front[:, None] * total * _PUSH_MM
