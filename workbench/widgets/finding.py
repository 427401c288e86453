"""Faces in a picture, as widgets hand them on; detectors are loaded once for all widgets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import models

_LOADING = Lock()


@dataclass(frozen=True)
class Face:
    """One face in a picture.

    Attributes:
        picture: ``uint8 (h, w, 3)`` RGB, the whole picture.
        box: ``float32 (4,)``, ``x1 y1 x2 y2`` pixels.
        points: ``float32 (5, 2)`` pixels: eyes, nose, mouth corners, the subject's right first.
        name: where the picture comes from, as a text to show.
        subject: who is shown, "" where nobody said.
        real: True where a real person may be shown; then the picture stays out of what is saved.
    """

    picture: NDArray[np.uint8]
    box: NDArray[np.float32]
    points: NDArray[np.float32]
    name: str = ""
    subject: str = ""
    real: bool = True


@dataclass(frozen=True)
class Found:
    """All faces in a picture.

    Attributes:
        boxes: ``float32 (k, 4)``, best first.
        scores: ``float32 (k,)`` of the detector.
        points: ``float32 (k, 5, 2)``.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    points: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.boxes)


class Finder:
    """A detector and landmarks.

    Args:
        detector: see `models.load`.
        device: likewise.
    """

    def __init__(self, detector: str, device: str) -> None:
        self._detector = models.load(detector, device=device)
        self._landmarker = models.load("faceapi-landmarks68", device=device)

    def find(self, picture: NDArray[np.uint8]) -> Found:
        """The faces in ``uint8 (h, w, 3)``, best first."""
        found = self._detector.detect([picture])[0]
        boxes = np.asarray(found.boxes, np.float32).reshape(-1, 4)
        points = found.landmarks if found.landmarks is not None else self.points(picture, boxes)
        return Found(boxes, found.scores, np.asarray(points, np.float32))

    def pipeline(self, embedder: Any) -> Any:
        """This detector and these landmarks with an embedder, as a `models.Pipeline`."""
        return models.Pipeline(self._detector, self._landmarker, embedder)

    def points(self, picture: NDArray[np.uint8], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Five landmarks ``float32 (k, 5, 2)`` of the faces in boxes ``(k, 4)``."""
        return np.asarray(models.five_points(self._landmarker.landmarks([picture] * len(boxes), boxes)), np.float32)


def largest(boxes: NDArray[np.float32]) -> int:
    """Which of the boxes ``(k, 4)`` covers most: the face that a `models.Pipeline` takes, too."""
    return int(np.argmax(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)))


@cache
def _embedder(spec: str, device: str) -> Any:
    return models.load(spec, device=device)


def embedder(spec: str, device: str = "auto") -> Any:
    """The embedder of this name, loaded at the first call."""
    with _LOADING:
        return _embedder(spec, device)


@cache
def _finder(detector: str, device: str) -> Finder:
    return Finder(detector, device)


def finder(detector: str = "faceapi-ssd", device: str = "auto") -> Finder:
    """The detector of this name, loaded at the first call."""
    with _LOADING:
        return _finder(detector, device)
