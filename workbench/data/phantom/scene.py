"""What a picture shows besides the person: pose, expression, light, camera, background, sensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...core import ParameterError, ShapeError, UnknownNameError, seeds
from .identity import PART_MODES, Identities

# Action-unit-like movements, each from 0 to 1 (FACS numbers in brackets).
MOVEMENTS = (
    "smile",  # lip corners up and out (12)
    "jaw_open",  # (26)
    "brow_raise",  # (1, 2)
    "frown",  # (4)
    "blink",  # (45)
    "lids_wide",  # (5)
    "lip_press",  # (24)
    "corners_down",  # (15)
    "nose_wrinkle",  # (9)
)
EXPRESSIONS: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "happy": {"smile": 1.0, "jaw_open": 0.25},
    "sad": {"corners_down": 0.9, "frown": 0.5, "blink": 0.2},
    "angry": {"frown": 1.0, "lip_press": 0.8, "nose_wrinkle": 0.3},
    "fearful": {"brow_raise": 0.7, "lids_wide": 0.9, "jaw_open": 0.4, "frown": 0.4},
    "disgusted": {"nose_wrinkle": 1.0, "corners_down": 0.5, "frown": 0.5},
    "surprised": {"brow_raise": 1.0, "lids_wide": 0.8, "jaw_open": 0.9},
}
RANGES: Mapping[str, tuple[float, float]] = {
    "yaw": (-90.0, 90.0), "pitch": (-40.0, 40.0), "roll": (-180.0, 180.0), "gaze": (-30.0, 30.0),
    "movements": (0.0, 1.0), "light_direction": (-90.0, 90.0), "light": (0.0, 3.0), "ambient": (0.0, 2.0),
    "light_colour": (0.0, 2.0), "distance": (250.0, 5000.0), "fill": (0.1, 2.0), "shift": (-1.0, 1.0),
    "background": (0.0, 1.0), "noise": (0.0, 0.3), "blur": (0.0, 20.0), "exposure": (0.1, 4.0),
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A batch of ``n`` pictures to take; every factor is its own array and is changed alone by `replace`.

    Attributes:
        identity: who is shown, ``n`` people.
        yaw, pitch, roll: ``(n,)`` degrees; yaw > 0 turns the face to the picture's right, pitch > 0 up.
        gaze: ``(n, 2)`` degrees right and up.
        movements: ``(n, len(MOVEMENTS))`` in [0, 1]; see `expression`.
        light_direction: ``(n, 2)`` degrees right and up of the key light, as the camera sees it.
        light, ambient: ``(n,)`` strength of key and ambient light.
        light_colour: ``(n, 3)`` of the key light, about 1.
        distance: ``(n,)`` camera distance in millimetres; near cameras widen the nose.
        fill: ``(n,)`` head height over picture height.
        shift: ``(n, 2)`` of the head's centre, in half pictures, right and down.
        background: ``(n, 2, 3)`` two linear RGB colours that a soft pattern mixes.
        noise: ``(n,)`` standard deviation of sensor noise, of full scale.
        blur: ``(n,)`` standard deviation of defocus in pixels of a picture 112 wide.
        exposure: ``(n,)`` factor.
        sensor: ``int64 (n,)`` seed of noise and background pattern.
        occluded: name of a facial part behind an opaque block, or "".
    """

    identity: Identities
    yaw: NDArray[np.float32]
    pitch: NDArray[np.float32]
    roll: NDArray[np.float32]
    gaze: NDArray[np.float32]
    movements: NDArray[np.float32]
    light_direction: NDArray[np.float32]
    light: NDArray[np.float32]
    ambient: NDArray[np.float32]
    light_colour: NDArray[np.float32]
    distance: NDArray[np.float32]
    fill: NDArray[np.float32]
    shift: NDArray[np.float32]
    background: NDArray[np.float32]
    noise: NDArray[np.float32]
    blur: NDArray[np.float32]
    exposure: NDArray[np.float32]
    sensor: NDArray[np.int64]
    occluded: str = ""

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            values = getattr(self, name)
            if len(values) != len(self.identity):
                raise ShapeError(f"{name} does not fit the people", given=len(values), expected=len(self.identity))
            if not np.all((values >= low) & (values <= high)):
                raise ParameterError(
                    f"{name} is out of range",
                    given=f"{float(np.min(values)):g} to {float(np.max(values)):g}",
                    expected=f"{low:g} to {high:g}",
                )

    def __len__(self) -> int:
        return len(self.identity)

    def replace(self, **factors: Any) -> Self:
        """The same pictures with some factors changed; a single number holds for all."""
        known = {f.name for f in fields(self)}
        changed: dict[str, Any] = {}
        for name, value in factors.items():
            if name not in known:
                raise UnknownNameError("phantom factor", name, known)
            if name in RANGES:
                old = getattr(self, name)
                value = np.broadcast_to(np.asarray(value, old.dtype), old.shape).copy()
            changed[name] = value
        return replace(self, **changed)

    def take(self, indices: Sequence[int] | NDArray[np.integer] | slice) -> Self:
        """Some of the pictures."""
        at = np.arange(len(self))[indices]
        changed: dict[str, Any] = {n: getattr(self, n)[at] for n in (*RANGES, "sensor")}
        return replace(self, identity=self.identity.take(at), **changed)


def expression(name: str, intensity: float = 1.0) -> NDArray[np.float32]:
    """Movements of a basic expression, ``float32 (len(MOVEMENTS),)``.

    Args:
        name: one of `EXPRESSIONS`.
        intensity: 0 to 1.
    """
    if name not in EXPRESSIONS:
        raise UnknownNameError("expression", name, EXPRESSIONS)
    return np.array([intensity * EXPRESSIONS[name].get(m, 0.0) for m in MOVEMENTS], dtype=np.float32)


def frontal(identity: Identities) -> Scene:
    """Passport pictures: frontal, neutral, even light, grey background."""
    n = len(identity)

    def full(*shape: int, value: float = 0.0) -> NDArray[np.float32]:
        return np.full((n, *shape), value, np.float32)

    return Scene(
        identity=identity,
        yaw=full(), pitch=full(), roll=full(), gaze=full(2), movements=full(len(MOVEMENTS)),
        light_direction=np.tile(np.array([20.0, 35.0], np.float32), (n, 1)), light=full(value=0.75),
        ambient=full(value=0.55), light_colour=full(3, value=1.0), distance=full(value=900.0),
        fill=full(value=0.58), shift=full(2), background=full(2, 3, value=0.35), noise=full(),
        blur=full(), exposure=full(value=1.0), sensor=np.arange(n, dtype=np.int64),
    )  # fmt: skip


def varied(identity: Identities, vary: Sequence[str], names: Sequence[str], *, seed: int = 0) -> Scene:
    """One picture each of ``identity``, with some factors drawn.

    Args:
        identity: who is shown.
        vary: any of ``"pose" "light" "expression" "gaze" "camera" "background" "sensor"``.
        names: one per picture; a picture depends on the seed and its name alone.
        seed: of the pictures.
    """
    groups = ("pose", "light", "expression", "gaze", "camera", "background", "sensor")
    for name in vary:
        if name not in groups:
            raise UnknownNameError("group of factors", name, groups)
    drawn: dict[str, list[Any]] = {}
    for picture in names:
        for group in vary:
            for factor, value in _draw(group, seeds.rng("phantom", "picture", seed, picture, group)).items():
                drawn.setdefault(factor, []).append(value)
    changed = {factor: np.array(values, np.float32) for factor, values in drawn.items()}
    sensor = np.array([seeds.integer("phantom", "sensor", seed, name) for name in names], np.int64)
    return frontal(identity).replace(sensor=sensor, **changed)


def _draw(group: str, rng: np.random.Generator) -> dict[str, Any]:
    if group == "pose":
        return {
            "yaw": np.clip(rng.normal(0, 14), -40, 40),
            "pitch": np.clip(rng.normal(0, 7), -20, 20),
            "roll": np.clip(rng.normal(0, 4), -12, 12),
        }
    if group == "light":
        return {
            "light_direction": (rng.uniform(-65, 65), rng.uniform(0, 60)),
            "light": rng.uniform(0.45, 1.0),
            "ambient": rng.uniform(0.35, 0.7),
            "light_colour": 1 + np.array([1.0, 0.25, -0.8]) * rng.uniform(-0.12, 0.15),
        }
    if group == "expression":
        name = list(EXPRESSIONS)[int(rng.integers(len(EXPRESSIONS)))]
        return {"movements": expression(name, float(rng.uniform(0.2, 1.0)))}
    if group == "gaze":
        return {"gaze": (rng.uniform(-18, 18), rng.uniform(-10, 10))}
    if group == "camera":
        return {
            "distance": rng.uniform(500, 1500),
            "fill": rng.uniform(0.45, 0.65),
            "shift": (rng.uniform(-0.12, 0.12), rng.uniform(-0.08, 0.08)),
        }
    if group == "background":
        return {"background": rng.uniform(0.02, 0.8, (2, 3))}
    return {
        "noise": rng.uniform(0.0, 0.03),
        "blur": rng.uniform(0.0, 0.6),
        "exposure": rng.uniform(0.75, 1.25),
    }


def swap_part(scene: Scene, part: str, donors: Identities) -> Scene:
    """The same pictures with one facial part of other people: eyes, nose, mouth or jaw.

    Everything else, the rest of the face included, stays as it was.

    Args:
        scene: the pictures.
        part: one of ``eyes nose mouth jaw``.
        donors: one person per picture.
    """
    return replace(scene, identity=scene.identity.with_part(part, donors))


def occlude(scene: Scene, part: str) -> Scene:
    """The same pictures with an opaque grey block before one facial part."""
    if part not in PART_MODES:
        raise UnknownNameError("facial part", part, PART_MODES)
    return replace(scene, occluded=part)
