"""What is read off a face: 68 landmarks, age and gender presentation, expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError
from .cards import Card
from .detectors import check_images, prepare
from .engines import Engine

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")


def crop_square(
    image: NDArray[np.uint8], box: NDArray[np.float32], size: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a picture inside a box, centred in a black square.

    Args:
        image: ``uint8 (h, w, 3)``.
        box: ``x1 y1 x2 y2`` pixels; clipped at the picture's border.
        size: side of the square.

    Returns:
        ``uint8 (size, size, 3)``, and ``(2, 3)`` from square to picture.
    """
    low = np.maximum(np.floor(box[:2]), 0).astype(int)
    high = np.minimum(np.ceil(box[2:]), image.shape[1::-1]).astype(int)
    if np.any(high <= low):
        raise ShapeError("a face box lies outside its picture", given=box.tolist(), expected=image.shape)
    part = image[low[1] : high[1], low[0] : high[0]]
    extent = high - low
    factor = size / extent.max()
    to = np.maximum(1, np.round(extent * factor)).astype(int)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    left, top = (size - to) // 2
    square = np.zeros((size, size, 3), dtype=np.uint8)
    square[top : top + to[1], left : left + to[0]] = cv2.resize(part, to.tolist(), interpolation=how)
    scale = extent / to
    back = np.column_stack([np.diag(scale), low - np.array([left, top]) * scale])
    return square, back


class _CropModel:
    """A network that looks at square crops of faces."""

    def __init__(self, card: Card, engine: Engine) -> None:
        self.card = card
        self.engine = engine
        self.provider = engine.provider

    def _run(
        self, images: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32], batch: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        check_images(images)
        if np.shape(boxes) != (len(images), 4):
            raise ShapeError("one box per picture is needed", given=np.shape(boxes), expected=(len(images), 4))
        outputs: list[NDArray[np.float32]] = []
        backs: list[NDArray[np.float64]] = []
        for start in range(0, len(images), batch):
            pairs = zip(images[start : start + batch], boxes[start : start + batch], strict=True)
            squares, places = zip(*(crop_square(i, b, self.card.input_size[0]) for i, b in pairs), strict=True)
            outputs.append(self.engine(prepare(np.stack(squares), self.card)))
            backs.extend(places)
        return np.concatenate(outputs), np.stack(backs)


class Landmarker(_CropModel):
    """68 landmarks in iBUG order."""

    def landmarks(
        self, images: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32], *, batch: int = 64
    ) -> NDArray[np.float32]:
        """One face per picture.

        Args:
            images: ``n`` pictures.
            boxes: ``(n, 4)``, ``x1 y1 x2 y2`` pixels.
            batch: faces per run of the network.

        Returns:
            ``float32 (n, 68, 2)`` pixels in the pictures; the subject's right side first.
        """
        if not len(images):
            return np.zeros((0, 68, 2), np.float32)
        out, back = self._run(images, boxes, batch)
        points = out.reshape(-1, 68, 2) * self.card.input_size[0]
        placed = np.einsum("nij,nkj->nki", back[:, :, :2], points) + back[:, None, :, 2]
        return np.asarray(placed, dtype=np.float32)


@dataclass(frozen=True)
class AgeGender:
    """Attributes as a model sees them, not as people are.

    Attributes:
        age: ``float32 (n,)`` years.
        male: ``float32 (n,)``, share of "male" presentation in [0, 1].
    """

    age: NDArray[np.float32]
    male: NDArray[np.float32]


class AgeGenderModel(_CropModel):
    """Apparent age and gender presentation."""

    def predict(self, images: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32], *, batch: int = 64) -> AgeGender:
        """One face per picture; ``boxes (n, 4)`` in pixels."""
        out, _ = self._run(images, boxes, batch)
        return AgeGender(out[:, 0], _softmax(out[:, 1:])[:, 0])


class ExpressionModel(_CropModel):
    """Seven expressions, in the order of `EXPRESSIONS`."""

    def predict(
        self, images: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32], *, batch: int = 64
    ) -> NDArray[np.float32]:
        """``float32 (n, 7)`` shares that sum to one; ``boxes (n, 4)`` in pixels."""
        out, _ = self._run(images, boxes, batch)
        return _softmax(out)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
    return shares
