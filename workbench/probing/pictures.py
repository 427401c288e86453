"""How pictures are shown to a model: pixels alone, encoded anew, as part of the prompt's version."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import ParameterError, ShapeError


@dataclass(frozen=True)
class Encoding:
    """What is done to a picture before it is sent; it changes answers, so it belongs to their key.

    Attributes:
        longest: side in pixels that is not exceeded.
        quality: of the JPEG, 1 to 100.
    """

    longest: int = 512
    quality: int = 92

    def __post_init__(self) -> None:
        if not 16 <= self.longest <= 4096 or not 1 <= self.quality <= 100:
            raise ParameterError(
                "this encoding is out of range", given=f"longest {self.longest}, quality {self.quality}",
                expected="16 to 4096 pixels, quality 1 to 100",
            )  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """An encoded picture.

    Attributes:
        jpeg: bytes without metadata.
        digest: SHA-256 of them.
        encoding: what was done to it.
    """

    jpeg: bytes
    digest: str
    encoding: Encoding

    @property
    def url(self) -> str:
        """As a data URL."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


def shown(picture: NDArray[np.uint8], encoding: Encoding = Encoding()) -> Shown:
    """A picture ``uint8 (h, w, 3)`` as it is sent; file names and metadata stay here.

    Raises:
        ShapeError: it is not a picture.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
        raise ShapeError("this is not a picture", given=f"{picture.dtype} {picture.shape}", expected="uint8 (h, w, 3)")
    shrink = encoding.longest / max(picture.shape[:2])
    if shrink < 1:
        size = tuple(max(1, round(s * shrink)) for s in picture.shape[1::-1])
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    data = files.encode_jpeg(np.ascontiguousarray(picture), quality=encoding.quality)
    return Shown(data, files.sha256_bytes(data), encoding)


def side_by_side(left: NDArray[np.uint8], right: NDArray[np.uint8], gap: int = 16) -> NDArray[np.uint8]:
    """Two pictures as one, at the same height with a white strip between them."""
    height = min(len(left), len(right))
    pair = []
    for picture in (left, right):
        width = max(1, round(picture.shape[1] * height / len(picture)))
        pair.append(np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
    return np.concatenate([pair[0], np.full((height, gap, 3), 255, np.uint8), pair[1]], axis=1)
