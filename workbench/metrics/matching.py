"""Which of the people that were described is which of the people that are there: by place alone, not by attributes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ..core import ShapeError
from .steps import Floats


@dataclass(frozen=True)
class Matched:
    """Faces and answers put together.

    Attributes:
        pairs: ``int64 (p, 2)`` indices of a face and of its answer, by face.
        missing: ``int64`` indices of faces without an answer.
        extra: ``int64`` indices of answers without a face.
    """

    pairs: NDArray[np.int64]
    missing: NDArray[np.int64]
    extra: NDArray[np.int64]


def by_place(faces: Floats, answers: Floats, *, most: float = np.inf) -> Matched:
    """The assignment with the least total distance (Kuhn 1955, the Hungarian method).

    Args:
        faces: ``(n,)`` or ``(n, d)`` places of the faces, in any unit.
        answers: ``(m,)`` or ``(m, d)`` places of the answers, in the same.
        most: distance beyond which a face and an answer are not each other's; such pairs count as missing and extra.

    Raises:
        ShapeError: places have different dimensions or are not finite.
    """
    there, said = (np.asarray(p, np.float64) for p in (faces, answers))
    there, said = (p[:, None] if p.ndim == 1 else p for p in (there, said))
    both = len(there) and len(said)
    if both and there.shape[1] != said.shape[1]:
        raise ShapeError("places have different dimensions", given=(there.shape, said.shape), expected="(n, d), (m, d)")
    if not (np.isfinite(there).all() and np.isfinite(said).all()):
        raise ShapeError("a place is not finite", expected="finite places; leave out faces without one")
    pairs = np.zeros((0, 2), np.int64)
    if both:
        distance = np.linalg.norm(there[:, None] - said[None], axis=2)
        # Pairs that may not be cost more than all others together, so that they never push a good one out.
        cost = np.where(distance <= most, distance, 1 + distance[distance <= most].sum())
        found = np.stack(linear_sum_assignment(cost), axis=1).astype(np.int64)
        pairs = found[distance[found[:, 0], found[:, 1]] <= most]
    rest = [np.setdiff1d(np.arange(len(p)), pairs[:, k]).astype(np.int64) for k, p in enumerate((there, said))]
    return Matched(pairs, *rest)
