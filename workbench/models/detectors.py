"""Face detectors: boxes, scores and, where a detector gives them, five landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError
from .cards import Card
from .engines import Engine


@dataclass(frozen=True)
class Faces:
    """Faces in one picture, best first.

    Attributes:
        boxes: ``float32 (k, 4)``, ``x1 y1 x2 y2`` in pixels.
        scores: ``float32 (k,)`` in [0, 1].
        landmarks: ``float32 (k, 5, 2)`` pixels, or None.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.scores)


def check_images(images: Sequence[NDArray[np.uint8]]) -> None:
    """Raise `ShapeError` unless every picture is ``uint8 (h, w, 3)``."""
    for i, image in enumerate(images):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ShapeError(
                f"picture {i} has the wrong shape or type",
                given=f"{image.dtype} {image.shape}",
                expected="uint8 (h, w, 3), RGB",
                do="read pictures with workbench.files.read_image",
            )


def letterbox(image: NDArray[np.uint8], size: int, *, part: float = 1.0) -> tuple[NDArray[np.uint8], float]:
    """A picture in the upper left of a black square.

    A picture that is larger is scaled down to fill it; a smaller one keeps its size, since anchors were
    trained on faces that are small in the square and score poorly on one that fills it.

    Args:
        image: ``uint8 (h, w, 3)``.
        size: side of the square.
        part: share of the square's side that the picture may fill.

    Returns:
        ``uint8 (size, size, 3)``, and how many square pixels one picture pixel became.
    """
    height, width = image.shape[:2]
    longer = max(height, width)
    factor = min(1.0, size / longer) * part
    to = (max(1, round(width * factor)), max(1, round(height * factor)))
    square = np.zeros((size, size, 3), dtype=np.uint8)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    square[: to[1], : to[0]] = cv2.resize(image, to, interpolation=how)
    return square, factor


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float) -> NDArray[np.int64]:
    """Greedy non-maximum suppression.

    Args:
        boxes: ``(k, 4)``.
        scores: ``(k,)``.
        overlap: a box is dropped when its intersection over union with a better one exceeds this.

    Returns:
        Indices that stay, best first.
    """
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        union = areas[best] + areas[rest] - common
        order = rest[common <= overlap * union]
    return np.array(kept, dtype=np.int64)


class AnchorDetector:
    """A network that scores anchor boxes of a square input.

    A picture without any face is looked at once more at half its size, for faces that fill the frame.

    Args:
        card: its card; the input is square.
        engine: gives ``(n, anchors, 5)``: box as fractions of the input, score.
        overlap: for `suppress`.
        threshold: faces below this score are dropped, unless a call says otherwise.
    """

    def __init__(self, card: Card, engine: Engine, *, overlap: float, threshold: float = 0.5) -> None:
        self.card = card
        self.engine = engine
        self.provider = engine.provider
        self.overlap = overlap
        self.threshold = threshold

    def detect(
        self, images: Sequence[NDArray[np.uint8]], *, threshold: float | None = None, batch: int = 4
    ) -> list[Faces]:
        """Faces in each picture.

        Args:
            images: ``uint8 (h, w, 3)`` pictures of any sizes.
            threshold: smallest score, in [0, 1].
            batch: pictures per run of the network.
        """
        check_images(images)
        least = self.threshold if threshold is None else threshold
        found = self._pass(images, least, batch, 1.0)
        empty = [i for i, faces in enumerate(found) if not len(faces)]
        again = self._pass([images[i] for i in empty], least, batch, 0.5)
        for i, faces in zip(empty, again, strict=True):
            found[i] = faces
        return found

    def _pass(self, images: Sequence[NDArray[np.uint8]], least: float, batch: int, part: float) -> list[Faces]:
        found: list[Faces] = []
        for start in range(0, len(images), batch):
            group = images[start : start + batch]
            squares, factors = zip(*(letterbox(i, self.card.input_size[0], part=part) for i in group), strict=True)
            outputs = self.engine(prepare(np.stack(squares), self.card))
            found += [self._faces(o, f, i, least) for o, f, i in zip(outputs, factors, group, strict=True)]
        return found

    def _faces(self, output: NDArray[np.float32], factor: float, image: NDArray[np.uint8], least: float) -> Faces:
        good = output[output[:, 4] >= least]
        good = good[suppress(good[:, :4], good[:, 4], self.overlap)]
        limit = np.tile(image.shape[1::-1], 2).astype(np.float32)
        boxes = np.clip(good[:, :4] * self.card.input_size[0] / factor, 0, limit)
        whole = np.all(boxes[:, 2:] > boxes[:, :2], axis=1)
        return Faces(boxes[whole], good[whole, 4])


def prepare(crops: NDArray[np.uint8], card: Card) -> NDArray[np.float32]:
    """``uint8 (n, h, w, 3)`` RGB as the network of ``card`` wants it.

    Returns:
        ``float32 (n, 3, h, w)``; in memory the channels stay last, as torch on a CPU likes them best.
    """
    n, height, width, _ = crops.shape
    ordered = crops if card.colour == "RGB" else crops[..., ::-1]
    # Whole rows at a time: NumPy is slow over an innermost axis of three.
    mean, scale = (np.tile(np.array(v, dtype=np.float32), width) for v in (card.mean, card.scale))
    rows = ordered.reshape(n, height, width * 3).astype(np.float32)
    rows -= mean
    rows *= scale
    return rows.reshape(n, height, width, 3).transpose(0, 3, 1, 2)
