"""Every factor of a phantom picture besides the person's own shape: one table, read by scenes, gallery and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import ParameterError, UnknownNameError
from .action_units import MOVEMENTS

GLASSES = ("none", "round", "rectangular", "aviator")
HEADWEAR = ("none", "beanie", "cap", "headscarf")
MASKS = ("none", "surgical", "ffp2", "bandana")
OCCLUDERS = ("none", "eyes", "nose", "mouth", "jaw", "left half", "hand on mouth", "hand on cheek")
_, ROUND, RECTANGULAR, AVIATOR = range(len(GLASSES))
_, BEANIE, CAP, HEADSCARF = range(len(HEADWEAR))
_, SURGICAL, FFP2, BANDANA = range(len(MASKS))


@dataclass(frozen=True)
class Factor:
    """One factor: ``n`` pictures have ``(n, *shape)`` values of it.

    Attributes:
        name: of the array.
        group: factors of one group are drawn together.
        meaning: with units.
        low, high: least and greatest value.
        default: of a passport picture.
        shape: of one picture's value.
        choices: what the whole numbers mean, where they name something.
        whole: whole numbers.
    """

    name: str
    group: str
    meaning: str
    low: float
    high: float
    default: float | tuple[float, ...] = 0.0
    shape: tuple[int, ...] = ()
    choices: tuple[str, ...] = ()
    whole: bool = False

    @property
    def dtype(self) -> type[np.generic]:
        """Of the array."""
        return np.int64 if self.whole or self.choices else np.float32

    def full(self, n: int) -> NDArray[np.generic]:
        """The default for ``n`` pictures."""
        return np.broadcast_to(np.asarray(self.default, self.dtype), (n, *self.shape)).copy()


_WHITE, _SEED = (1.0, 1.0, 1.0), float(2**63 - 1)


def _choice(name: str, group: str, choices: Sequence[str]) -> Factor:
    return Factor(name, group, "one of: " + ", ".join(choices), 0, len(choices) - 1, choices=tuple(choices))


def _colour(name: str, group: str, meaning: str, default: tuple[float, ...]) -> Factor:
    return Factor(name, group, f"{meaning}, linear RGB", 0, 1, default, (3,))


def _light(number: str, strength: float, direction: tuple[float, float]) -> tuple[Factor, ...]:
    which = {"": "key", "2": "second", "3": "third"}[number]
    return (
        Factor(f"light{number}", "light", f"strength of the {which} light", 0, 3, strength),
        Factor(f"light{number}_direction", "light", f"{which} light: degrees right and up, seen from the face",
               -180, 180, direction, (2,)),
        Factor(f"light{number}_colour", "light", f"{which} light, linear RGB about 1", 0, 2, _WHITE, (3,)),
    )  # fmt: skip


FACTORS = (
    Factor("yaw", "pose", "degrees; above 0 the face turns to the picture's right", -90, 90),
    Factor("pitch", "pose", "degrees; above 0 the face looks up", -40, 40),
    Factor("roll", "pose", "degrees clockwise in the picture", -180, 180),
    Factor("movements", "expression", "facial movements, see MOVEMENTS", 0, 1, shape=(len(MOVEMENTS),)),
    Factor("gaze", "gaze", "degrees right and up, relative to the head", -30, 30, shape=(2,)),
    Factor("age", "age", "years: proportions, wrinkles, sag, grey hair", 5, 90, 30),
    Factor("gender", "gender", "morphology from feminine (-1) to masculine (1)", -1.5, 1.5),
    Factor("melanin", "skin", "relative epidermal melanin: 0 very light, 1 very dark", 0, 1, 0.25),
    Factor("haemoglobin", "skin", "relative dermal haemoglobin", 0, 1, 0.5),
    Factor("hair_length", "hair", "0 shaven, 0.3 short, 0.6 to the jaw, 1 over the shoulders", 0, 1, 0.3),
    Factor("hair_volume", "hair", "standard deviations", -2, 2),
    Factor("hair_curl", "hair", "0 straight, 1 tight curls", 0, 1, 0.1),
    Factor("hair_recession", "hair", "0 full, 1 bald on top", 0, 1),
    Factor("hair_fringe", "hair", "share of the forehead that hair covers", 0, 1),
    Factor("hair_part", "hair", "side of the parting, -1 right to 1 left", -1, 1),
    Factor("hair_dark", "hair", "eumelanin: 0 blond, 1 black", 0, 1, 0.7),
    Factor("hair_red", "hair", "phaeomelanin share", 0, 1),
    Factor("hair_grey", "hair", "share of grey more or less than usual at that age", -1, 1),
    Factor("brow_density", "brows", "0 none, 1 dense", 0, 1, 0.7),
    Factor("stubble", "beard", "0 shaven, 1 some days", 0, 1),
    Factor("beard", "beard", "0 none, 1 full on chin and cheeks", 0, 1),
    Factor("moustache", "beard", "0 none, 1 full", 0, 1),
    Factor("lip_makeup", "make-up", "share of lipstick", 0, 1),
    _colour("lip_colour", "make-up", "lipstick", (0.45, 0.04, 0.07)),
    Factor("eye_makeup", "make-up", "share of eye shadow and liner", 0, 1),
    _colour("eye_colour", "make-up", "eye shadow", (0.10, 0.08, 0.16)),
    Factor("cheek_makeup", "make-up", "share of blusher", 0, 1),
    _colour("cheek_colour", "make-up", "blusher", (0.60, 0.16, 0.16)),
    _choice("glasses", "glasses", GLASSES),
    Factor("glasses_tint", "glasses", "0 clear, 1 opaque", 0, 1, 0.05),
    _colour("glasses_colour", "glasses", "frame", (0.03, 0.03, 0.03)),
    _choice("headwear", "headwear", HEADWEAR),
    _colour("headwear_colour", "headwear", "cloth", (0.08, 0.10, 0.20)),
    _choice("mask", "mask", MASKS),
    _colour("mask_colour", "mask", "cloth", (0.30, 0.48, 0.62)),
    _choice("occluder", "occluder", OCCLUDERS),
    _colour("clothes", "clothes", "cloth", (0.10, 0.12, 0.18)),
    Factor("background", "background", "two linear RGB colours that a soft pattern mixes", 0, 1, 0.35, (2, 3)),
    Factor("pattern", "background", "seed of the pattern", 0, _SEED, whole=True),
    Factor("distance", "camera", "millimetres from the head's centre; near cameras widen the nose", 250, 5000, 900),
    Factor("fill", "camera", "head height over picture height; with distance it sets the focal length", 0.1, 2, 0.66),
    Factor("shift", "camera", "the head's centre in half pictures, right and down", -1, 1, shape=(2,)),
    Factor("viewpoint", "camera", "the camera's own place, millimetres right and up, still facing ahead", -200, 200,
           shape=(2,)),
    Factor("ambient", "light", "strength of light from everywhere", 0, 2, 0.55),
    Factor("ambient_colour", "light", "linear RGB about 1", 0, 2, _WHITE, (3,)),
    *_light("", 0.75, (20.0, 35.0)),
    *_light("2", 0.0, (-60.0, 10.0)),
    *_light("3", 0.0, (150.0, 30.0)),
    Factor("exposure", "sensor", "factor", 0.1, 4, 1),
    Factor("blur", "sensor", "defocus: standard deviation in pixels of a picture 112 wide", 0, 20),
    Factor("motion", "sensor", "path right and down, in pixels of a picture 112 wide", -20, 20, shape=(2,)),
    Factor("resolution", "sensor", "share of the pixels a side that the sensor has", 0.05, 1, 1),
    Factor("noise", "sensor", "standard deviation of noise, of full scale", 0, 0.3),
    Factor("jpeg", "sensor", "JPEG quality; 0 is not compressed", 0, 100, whole=True),
    Factor("sensor", "sensor", "seed of the noise", 0, _SEED, whole=True),
)  # fmt: skip
BY_NAME = {f.name: f for f in FACTORS}
# What a person keeps from picture to picture unless it is changed.
LOOKS = tuple(f.name for f in FACTORS if f.group in ("age", "gender", "skin", "hair", "brows", "beard"))


def check(name: str, values: NDArray[Any], n: int) -> None:
    """Refuse values of the wrong number or out of range.

    Raises:
        ParameterError: not ``n`` finite values in the factor's range.
        UnknownNameError: no such factor.
    """
    if name not in BY_NAME:
        raise UnknownNameError("phantom factor", name, BY_NAME)
    factor = BY_NAME[name]
    if values.shape != (n, *factor.shape):
        raise ParameterError(f"{name} does not fit the people", given=values.shape, expected=(n, *factor.shape))
    if not np.all((values >= factor.low) & (values <= factor.high)):
        raise ParameterError(
            f"{name} is out of range",
            given=f"{float(np.min(values)):g} to {float(np.max(values)):g}",
            expected=f"{factor.low:g} to {factor.high:g}" + (f": {factor.meaning}" if factor.choices else ""),
        )


def choice(name: str, value: str) -> int:
    """The number of a choice, e.g. ``choice("mask", "surgical")``."""
    choices = BY_NAME[name].choices
    if value not in choices:
        raise UnknownNameError(name, value, choices)
    return choices.index(value)
