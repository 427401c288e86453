"""Portraits: one face upright in a square, so that pictures of two people can be laid over each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import ParameterError
from ..models import align, five_points
from ..models.alignment import similarity

if TYPE_CHECKING:
    from ..models.embedders import Embedder

# Eyes, nose and mouth corners in a square of side 1: hair, ears and shoulders stay in the picture.
PLACE = np.array([[0.40, 0.45], [0.60, 0.45], [0.50, 0.565], [0.42, 0.665], [0.58, 0.665]])


@dataclass(frozen=True)
class Portrait:
    """One face in a square.

    Attributes:
        picture: ``uint8 (s, s, 3)`` RGB; black where the original ended.
        points: ``float32 (68, 2)`` landmarks in iBUG order, pixels.
    """

    picture: NDArray[np.uint8]
    points: NDArray[np.float32]

    @property
    def five(self) -> NDArray[np.float32]:
        """Eye centres, nose tip and mouth corners ``float32 (5, 2)``."""
        return np.asarray(five_points(self.points[None])[0], np.float32)


def portrait(
    picture: NDArray[np.uint8], box: NDArray[np.floating], points: NDArray[np.floating], landmarker: Any, *,
    size: int = 256,
) -> Portrait:  # fmt: skip
    """Cut a portrait.

    Args:
        picture: ``uint8 (h, w, 3)``.
        box: ``(4,)`` the face, ``x1 y1 x2 y2`` pixels.
        points: ``(5, 2)`` its landmarks.
        landmarker: gives 68 landmarks; `models.load("faceapi-landmarks68")`.
        size: side of the square, 64 to 1024 pixels.

    Raises:
        ShapeError: the landmarks are not those of an upright face.
    """
    if not 64 <= size <= 1024:
        raise ParameterError("size is out of range", given=size, expected="64 to 1024 pixels")
    template = PLACE * size
    cut = align([picture], np.asarray(points)[None], template, (size, size))[0]
    matrix = similarity(np.asarray(points)[None], template)[0]
    corners = np.array([[box[0], box[1]], [box[2], box[1]], [box[0], box[3]], [box[2], box[3]]], np.float64)
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    around = np.concatenate([moved.min(axis=0), moved.max(axis=0)]).clip(0, size).astype(np.float32)
    return Portrait(cut, landmarker.landmarks([cut], around[None])[0])


def embed(embedder: Embedder, portraits: list[Portrait]) -> NDArray[np.float32]:
    """Embeddings ``float32 (n, d)`` of portraits, each aligned to the model's own template."""
    card = embedder.card
    if card.template is None:
        raise ParameterError(f"{card.name} has no crop template", do="complete its card")
    five = np.stack([p.five for p in portraits])
    return embedder.embed(align([p.picture for p in portraits], five, card.template, card.input_size))
