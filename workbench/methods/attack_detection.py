"""Bona fide or attack: every face of some pictures, judged by one attack detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import files, models
from ..core import ImageError
from ..files.home import home

Picture = str | Path | NDArray[np.uint8]
ONLY_PHANTOMS = "phantom-attacks"
_AT_ONCE = 16


@dataclass(frozen=True)
class JudgedFace:
    """One face.

    Attributes:
        box: ``x1, y1, x2, y2`` pixels.
        detection: the face detector's score in [0, 1].
        score: attack score in [0, 1]; higher is more attack.
        attack: whether it is above the threshold.
        by_network: the score of each network of a fused detector.
    """

    box: tuple[float, float, float, float]
    detection: float
    score: float
    attack: bool
    by_network: tuple[float, ...]


@dataclass(frozen=True)
class JudgedPicture:
    """One picture.

    Attributes:
        name: its path; its place among the pictures where it came as an array.
        faces: as the face detector orders them, best first.
        reason: why there is none, "" where there is one.
    """

    name: str
    faces: tuple[JudgedFace, ...]
    reason: str


@dataclass(frozen=True)
class Judged:
    """Some pictures, judged.

    Attributes:
        pictures: in the order given.
        model: the attack detector, as it can be loaded again.
        threshold: a face is an attack when its score is above.
        provider: what ran.
        note: what the reader must know about the detector, "" if nothing.
    """

    pictures: tuple[JudgedPicture, ...]
    model: str
    threshold: float
    provider: str
    note: str


def judge(
    pictures: Sequence[Picture], *, model: str = "auto", detector: str = "faceapi-ssd", device: str = "auto"
) -> Judged:
    """Judge every face of every picture.

    A picture that cannot be read, or shows no face, is a failure to acquire with its reason; the others are judged.

    Args:
        pictures: files, or ``uint8 (h, w, 3)`` RGB.
        model: see `models.attack_detector`.
        detector: of faces.
        device: see `models.load`.
    """
    attacks = models.attack_detector(model, device=device)
    finder = models.load(detector, device=device)
    found: list[JudgedPicture] = []
    for start in range(0, len(pictures), _AT_ONCE):
        part = pictures[start : start + _AT_ONCE]
        names = [str(p) if isinstance(p, str | Path) else str(start + i) for i, p in enumerate(part)]
        read = [_read(p) for p in part]
        whole = [i for i in read if not isinstance(i, ImageError)]
        seen = iter(zip(whole, finder.detect(whole), strict=True))
        for name, image in zip(names, read, strict=True):
            if isinstance(image, ImageError):
                found.append(JudgedPicture(name, (), image.what))
            else:
                found.append(_judged(name, attacks, *next(seen)))
    return Judged(tuple(found), attacks.name, attacks.threshold, attacks.provider, caution(attacks.name))


def caution(model: str) -> str:
    """What the reader must know about a detector, "" if nothing."""
    if model != ONLY_PHANTOMS:
        return ""
    return (
        f"{ONLY_PHANTOMS} has seen phantom faces only; for photographs put MiniFASNet's weights into "
        f"{home() / 'models'}, or name them: minifasnet:FOLDER"
    )


def _read(picture: Picture) -> NDArray[np.uint8] | ImageError:
    if not isinstance(picture, str | Path):
        return picture
    try:
        return files.read_image(picture)
    except ImageError as error:
        return error


def _judged(name: str, attacks: models.AttackDetector, image: NDArray[np.uint8], faces: models.Faces) -> JudgedPicture:
    if not len(faces):
        return JudgedPicture(name, (), "no face found")
    each = attacks.by_network([image] * len(faces), faces.boxes)
    return JudgedPicture(name, tuple(
        JudgedFace(tuple(map(float, box)), float(detection), float(own.mean()),  # type: ignore[arg-type]
                   bool(own.mean() > attacks.threshold), tuple(map(float, own)))
        for box, detection, own in zip(faces.boxes, faces.scores, each.T, strict=True)
    ), "")  # fmt: skip
