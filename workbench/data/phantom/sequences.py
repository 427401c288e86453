"""Moving pictures: one person talks, smiles, blinks or turns; every frame has its truth like any picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import ParameterError, UnknownNameError, seeds
from .action_units import MOVEMENTS
from .factors import BY_NAME
from .scene import Scene

Floats = NDArray[np.float64]
Factors = dict[str, Floats]


def sequence(scene: Scene, action: str, frames: int = 25, *, rate: float = 25.0, seed: int = 0) -> Scene:
    """The frames of a clip, from one picture.

    All else is as in the picture: identity, looks, light, camera. The head sways a little, as living heads do; sensor
    noise is new in every frame.

    Args:
        scene: one picture.
        action: one of `ACTIONS`.
        frames: how many, 1 to 10,000.
        rate: frames a second.
        seed: of the clip.

    Raises:
        ParameterError: not one picture, or too many frames.
        UnknownNameError: no such action.
    """
    if action not in ACTIONS:
        raise UnknownNameError("action", action, ACTIONS)
    if len(scene) != 1:
        raise ParameterError("a sequence starts from one picture", given=len(scene), expected=1, do="scene.take([0])")
    if not 1 <= frames <= 10_000 or not rate > 0:
        raise ParameterError("frames or rate are out of range", given=(frames, rate), expected="1 to 10000, above 0")
    rng = seeds.rng("phantom", "sequence", action, seed)
    seconds = np.arange(frames) / rate
    changed = {**_swaying(seconds, rng), **ACTIONS[action](seconds, rng)}
    shown = scene.take([0] * frames)
    values: dict[str, Any] = {"sensor": _noise_seeds(int(scene.sensor[0]), seed, frames)}
    for name, change in changed.items():
        factor = BY_NAME[name]
        values[name] = np.clip(shown.factors[name] + change, factor.low, factor.high)
    return shown.replace(**values)


def _noise_seeds(sensor: int, seed: int, frames: int) -> NDArray[np.int64]:
    return np.array([seeds.integer("phantom", "frame", sensor, seed, k) for k in range(frames)], np.int64)


def _swaying(seconds: Floats, rng: np.random.Generator) -> Factors:
    """Slow drift of the head and the gaze: sums of three sines below 1 Hz."""
    return {name: size * _drift(seconds, rng) for name, size in (("yaw", 1.5), ("pitch", 1.0), ("roll", 0.7))}


def _drift(seconds: Floats, rng: np.random.Generator) -> Floats:
    phase, speed = rng.uniform(0, 2 * np.pi, 3), rng.uniform(0.15, 0.9, 3)
    return np.asarray(np.sin(2 * np.pi * speed * seconds[:, None] + phase).sum(1) / 3)


def _moving(**amounts: Floats) -> Factors:
    length = len(next(iter(amounts.values())))
    out = np.zeros((length, len(MOVEMENTS)))
    for name, amount in amounts.items():
        out[:, MOVEMENTS.index(name)] = amount
    return {"movements": out}


def _talking(seconds: Floats, rng: np.random.Generator) -> Factors:
    """Syllables at about four a second, with rounded and spread lips, and pauses."""
    beat = seconds * rng.uniform(3.4, 4.6) + rng.uniform()
    count = int(beat[-1]) + 2 if len(beat) else 2
    loud, rounded, spread = rng.uniform(0.2, 1, count), rng.uniform(0, 0.7, count), rng.uniform(0, 0.5, count)
    loud[rng.random(count) < 0.15] = 0
    at = beat.astype(int)
    swing = np.sin(np.pi * (beat % 1)) ** 2
    return _moving(
        jaw_open=0.45 * loud[at] * swing, lips_part=0.5 * loud[at] * swing,
        pucker=rounded[at] * swing * (loud[at] > 0), lip_stretch=spread[at] * swing * (loud[at] > 0),
        blink=_blinks(seconds, rng),
    )  # fmt: skip


def _smiling(seconds: Floats, rng: np.random.Generator) -> Factors:
    """Onset, apex and offset of one smile."""
    onset, end = rng.uniform(0.1, 0.3), rng.uniform(0.7, 0.9)
    length = max(float(seconds[-1]), 1e-6)
    rise = np.clip((seconds / length - onset) / 0.2, 0, 1) * np.clip((end + 0.15 - seconds / length) / 0.15, 0, 1)
    smile = rise**2 * (3 - 2 * rise)
    return _moving(smile=smile, cheek_raise=0.8 * smile, lips_part=0.6 * smile, blink=_blinks(seconds, rng))


def _blinks(seconds: Floats, rng: np.random.Generator) -> Floats:
    """Lids close within 0.1 s and open within 0.2 s, about every three seconds."""
    closed = np.zeros(len(seconds))
    at = rng.uniform(0.2, 1.2)
    while len(seconds) and at < seconds[-1] + 0.3:
        away = seconds - at
        closed = np.maximum(closed, np.clip(np.where(away < 0, 1 + away / 0.1, 1 - away / 0.2), 0, 1))
        at += rng.uniform(1.5, 4.5)
    return closed


def _turning(seconds: Floats, rng: np.random.Generator) -> Factors:
    """From one side to the other, 35 to 60 degrees, the gaze ahead of the head."""
    length = max(float(seconds[-1]), 1e-6)
    side = 1 if rng.random() < 0.5 else -1
    swing = -side * np.cos(np.pi * seconds / length)
    yaw = rng.uniform(35, 60) * swing
    gaze = np.stack([8 * side * np.sin(np.pi * seconds / length), np.zeros(len(seconds))], 1)
    return {"yaw": yaw, "gaze": gaze, **_moving(blink=_blinks(seconds, rng))}


ACTIONS: Mapping[str, Callable[[Floats, np.random.Generator], Factors]] = {
    "talking": _talking,
    "smiling": _smiling,
    "blinking": lambda seconds, rng: _moving(blink=_blinks(seconds, rng)),
    "turning": _turning,
}
