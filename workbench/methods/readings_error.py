"""How wrong the readings of faces are, measured on phantoms, whose truth is known.

Phantoms are no photographs: the error on people is another one, and differs from group to group of people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import models
from ..core import Estimate
from ..data import phantom
from ..metrics.resampling import of_means, proportion
from .readings import FaceReading, Reader

PEOPLE, SIZE, SEED = 60, 224, 20261130
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Stated:
    """An error that was measured once, as `measure` measures it.

    Attributes:
        value, low, high: with its 95 % interval.
        what: the error in words.
        unit: of the number in words; a share is shown in per cent.
        source: on what, and when.
    """

    value: float
    low: float
    high: float
    what: str
    unit: str
    source: str


_SOURCE = f"{PEOPLE} phantom faces, seed {SEED}, face-api's detector and models, 2026-11-30"
_OFF, _WRONG = "mean absolute error", "named wrongly"
# What `measure()` gave.
STATED: Mapping[str, Stated] = {
    "age": Stated(17.36, 14.59, 20.20, _OFF, "years", _SOURCE),
    "gender": Stated(0.2667, 0.1667, 0.3833, _WRONG, "%", _SOURCE),
    "expression": Stated(0.5667, 0.4333, 0.7000, _WRONG, "%", _SOURCE),
    "yaw": Stated(3.026, 2.430, 3.714, _OFF, "degrees", _SOURCE),
    "pitch": Stated(5.235, 4.398, 6.128, _OFF, "degrees", _SOURCE),
    "roll": Stated(1.519, 1.138, 1.970, _OFF, "degrees", _SOURCE),
}


def measure(people: int = PEOPLE, *, seed: int = SEED, progress: Progress = lambda what: None) -> dict[str, Estimate]:
    """Errors on phantoms that nobody was trained on.

    Age, gender and expression are read off frontal faces, each with one of the seven expressions at its fullest; pose
    off everyday pictures, with all that `phantom.scenes` varies. A face that is not found is counted, not read.

    Args:
        people: how many.
        seed: of them.
        progress: is told what begins.
    """
    reader, detector = Reader("cpu"), models.load("faceapi-ssd", device="cpu")
    who = phantom.identities(people, seed=seed, prefix="readings")
    names = [models.EXPRESSIONS[i % len(models.EXPRESSIONS)] for i in range(people)]
    progress("frontal faces")
    frontal = phantom.frontal(who).replace(movements=np.stack([phantom.expression(n) for n in names]))
    found = _read(reader, detector, phantom.render(frontal, SIZE).rgb)
    progress("everyday faces")
    everyday, _ = phantom.scenes(people, 1, seed=seed, subset="test")
    turned = _read(reader, detector, phantom.render(everyday, SIZE).rgb)
    return errors(frontal, names, found) | pose_errors(everyday, turned)


def errors(scene: phantom.Scene, names: list[str], found: Mapping[int, FaceReading]) -> dict[str, Estimate]:
    """Errors of age, gender presentation (the sign of the phantom's axis) and expression.

    Args:
        scene: what was shown.
        names: of the expressions.
        found: readings by place in the scene; faces that were not found are missing.
    """
    at = np.array(sorted(found), np.int64)
    subjects = np.array(scene.identity.names)[at]
    counts = {"faces": len(at), "not found": len(scene) - len(at)}
    age = np.array([abs(found[i].age - float(scene.age[i])) for i in at.tolist()])
    gender = np.array([(found[i].male >= 0.5) != bool(scene.gender[i] > 0) for i in at.tolist()], bool)
    named = np.array([_largest(found[i]) != names[i] for i in at.tolist()], bool)
    return {
        "age": of_means(age, subjects, _OFF, counts, unit="years"),
        "gender": proportion(gender, subjects, _WRONG, counts),
        "expression": proportion(named, subjects, _WRONG, counts),
    }


def pose_errors(scene: phantom.Scene, found: Mapping[int, FaceReading]) -> dict[str, Estimate]:
    """Errors of yaw, pitch and roll; arguments as in `errors`."""
    at = np.array(sorted(found), np.int64)
    subjects = np.array(scene.identity.names)[at]
    counts = {"faces": len(at), "not found": len(scene) - len(at)}
    off = {
        name: np.array([abs(getattr(found[i].pose, name) - float(scene.factors[name][i])) for i in at.tolist()])
        for name in ("yaw", "pitch", "roll")
    }
    return {name: of_means(values, subjects, _OFF, counts, unit="degrees") for name, values in off.items()}


def _largest(reading: FaceReading) -> str:
    return max(reading.expression, key=lambda name: reading.expression[name])


def _read(reader: Reader, detector: object, pictures: NDArray[np.uint8]) -> dict[int, FaceReading]:
    """The best face of each picture."""
    found = {}
    for i, picture in enumerate(pictures):
        faces = detector.detect([picture])[0]  # type: ignore[attr-defined]
        if len(faces):
            found[i] = reader.read(picture, faces.boxes[:1])[0]
    return found
