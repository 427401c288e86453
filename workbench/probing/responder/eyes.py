"""What the responder sees with: the protocol of its eyes, and eyes that need no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Face:
    """One face in a picture.

    Attributes:
        box: ``x1 y1 x2 y2`` in pixels.
        embedding: ``float32 (d,)`` of unit length, or None where it could not be made.
        age: years, or None.
        gender: P(masculine) in [0, 1], or None.
        expression: shares by name that sum to one, or None.
        attack: P(presentation attack) in [0, 1], or None.
        attributes: the few yes-or-no attributes that the eyes know, by name in plain words (``"mouth open"``).
    """

    box: tuple[float, float, float, float]
    embedding: NDArray[np.float32] | None = None
    age: float | None = None
    gender: float | None = None
    expression: Mapping[str, float] | None = None
    attack: float | None = None
    attributes: Mapping[str, bool] = field(default_factory=dict)

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    @property
    def centre(self) -> float:
        """Of the box, pixels from the left."""
        return (self.box[0] + self.box[2]) / 2


class Eyes(Protocol):
    """Anything that finds faces and describes them. Called from several threads."""

    @property
    def match_threshold(self) -> float:
        """Smallest cosine of two embeddings that counts as the same person."""

    def look(self, pictures: Sequence[NDArray[np.uint8]], /) -> list[list[Face]]:
        """The faces in each ``uint8 (h, w, 3)`` picture, in any order."""


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Of two embeddings of unit length, in [-1, 1]."""
    return float(np.clip(one.astype(np.float64) @ other, -1, 1))


def similarity(cos: float, threshold: float) -> float:
    """A cosine as a similarity in [0, 100]: rising, and 50 exactly at the threshold.

    A logistic curve whose width is a third of the way from the threshold to 1, so that a perfect match gets 95.

    Args:
        cos: in [-1, 1].
        threshold: of the eyes, below 1.
    """
    width = max(1 - threshold, 1e-6) / 3
    return 100 / (1 + math.exp(-max(-700.0, min(700.0, (cos - threshold) / width))))


class BlankEyes:
    """Eyes for load tests: no network runs, and what they say about a picture is made up from its mean colour.

    Each picture shows one face that fills it. Of mean red, green and blue (0 to 255): the embedding is the direction
    of (red, green, blue) minus 127.5, age is 18 + green / 255 * 60, P(masculine) is blue / 255, P(attack) is
    red / 255, and the expression is happy by red / 255, else neutral. Pictures of nearly the same colour are thus
    the same person.
    """

    match_threshold = 0.9

    def look(self, pictures: Sequence[NDArray[np.uint8]], /) -> list[list[Face]]:
        """One face for each picture."""
        return [[self._face(picture)] for picture in pictures]

    def _face(self, picture: NDArray[np.uint8]) -> Face:
        height, width = picture.shape[:2]
        mean = picture.reshape(-1, 3).mean(axis=0)
        direction = mean - 127.5
        # Mid-grey has no direction.
        direction = direction / np.linalg.norm(direction) if direction.any() else np.full(3, 3**-0.5)
        red, green, blue = (float(v) / 255 for v in mean)
        return Face(
            (0.0, 0.0, float(width), float(height)), direction.astype(np.float32), 18 + green * 60, blue,
            {"happy": red, "neutral": 1 - red}, red, {"smiling": red >= 0.5},
        )  # fmt: skip
