"""What the workbench's models read off every face of a picture: as they see it, not as people are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import models
from ..core import ShapeError
from .pose import Pose, pose

MODELS = {"age": "faceapi-age-gender", "gender": "faceapi-age-gender", "expression": "faceapi-expression",
          "pose": "faceapi-landmarks68"}  # fmt: skip
# Width of the face on which sharpness is measured; smaller faces are enlarged, and are less sharp for that.
WIDTH = 112
DARK, BRIGHT = 5, 250
_LOADING = Lock()


@dataclass(frozen=True)
class Quality:
    """Simple measures of a face's picture; a measure, not a prediction of recognition.

    Attributes:
        sharpness: variance of the Laplacian (3 x 3, four neighbours) of the grey face box scaled to `WIDTH` pixels, in
            squared grey levels of 255 (Pech-Pacheco et al. 2000); noise, beards and hard light raise it, too.
        brightness: mean grey level of the box, 0 to 255.
        clipped: share of the box's pixels whose grey level is at most `DARK` or at least `BRIGHT`.
        eyes: distance of the eye centres in pixels of the picture.
    """

    sharpness: float
    brightness: float
    clipped: float
    eyes: float


@dataclass(frozen=True)
class FaceReading:
    """One face.

    Attributes:
        box: ``x1, y1, x2, y2`` pixels.
        age: years.
        male: share of "male" presentation in [0, 1].
        expression: shares by name that sum to one.
        pose: of the head.
        quality: of the picture there.
    """

    box: tuple[float, float, float, float]
    age: float
    male: float
    expression: Mapping[str, float]
    pose: Pose
    quality: Quality


class Reader:
    """The models that read faces, loaded.

    Args:
        device: see `models.load`.
    """

    def __init__(self, device: str = "auto") -> None:
        self._people = models.load(MODELS["age"], device=device)
        self._expression = models.load(MODELS["expression"], device=device)
        self._landmarks = models.load(MODELS["pose"], device=device)

    def read(self, picture: NDArray[np.uint8], boxes: NDArray[np.floating]) -> tuple[FaceReading, ...]:
        """All faces of a picture.

        Args:
            picture: ``uint8 (h, w, 3)`` RGB.
            boxes: ``(k, 4)``, ``x1 y1 x2 y2`` pixels.

        Raises:
            ShapeError: the boxes do not fit.
        """
        if not len(boxes):
            return ()
        boxes, whole = np.asarray(boxes, np.float32), [picture] * len(boxes)
        people = self._people.predict(whole, boxes)
        shares = self._expression.predict(whole, boxes)
        points = self._landmarks.landmarks(whole, boxes)
        five = models.five_points(points)
        eyes = np.linalg.norm(five[:, 0] - five[:, 1], axis=1)
        return tuple(
            FaceReading(
                tuple(map(float, boxes[i])), float(people.age[i]), float(people.male[i]),  # type: ignore[arg-type]
                dict(zip(models.EXPRESSIONS, map(float, shares[i]), strict=True)), pose(points[i]),
                quality(picture, boxes[i], float(eyes[i])),
            )
            for i in range(len(boxes))
        )  # fmt: skip


def quality(picture: NDArray[np.uint8], box: NDArray[np.floating], eyes: float) -> Quality:
    """The measures of one face.

    Args:
        picture: ``uint8 (h, w, 3)`` RGB.
        box: ``x1 y1 x2 y2`` pixels; what lies outside the picture is left out.
        eyes: distance of the eye centres in pixels.

    Raises:
        ShapeError: the box lies outside the picture.
    """
    x1, y1 = np.maximum(np.floor(box[:2]), 0).astype(int)
    x2, y2 = np.minimum(np.ceil(box[2:]), picture.shape[1::-1]).astype(int)
    if x2 <= x1 or y2 <= y1:
        raise ShapeError("a face box lies outside its picture", given=np.asarray(box).tolist(), expected=picture.shape)
    grey = cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_RGB2GRAY)
    how = cv2.INTER_AREA if x2 - x1 > WIDTH else cv2.INTER_LINEAR
    scaled = cv2.resize(grey, (WIDTH, max(1, round((y2 - y1) * WIDTH / (x2 - x1)))), interpolation=how)
    return Quality(
        float(cv2.Laplacian(scaled, cv2.CV_64F, ksize=1).var()), float(grey.mean()),
        float(np.mean((grey <= DARK) | (grey >= BRIGHT))), float(eyes),
    )  # fmt: skip


@cache
def _reader(device: str) -> Reader:
    return Reader(device)


def reader(device: str = "auto") -> Reader:
    """The models, loaded at the first call."""
    with _LOADING:
        return _reader(device)


def read_faces(picture: NDArray[np.uint8], boxes: NDArray[Any], *, device: str = "auto") -> tuple[FaceReading, ...]:
    """All faces of a picture, with models that are loaded once; see `Reader.read`."""
    return reader(device).read(picture, boxes)
