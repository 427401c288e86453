"""Pictures of a population: whose, and with which factors drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...core import ParameterError, UnknownNameError, seeds
from .action_units import EXPRESSIONS, MOVEMENTS, expression
from .factors import BY_NAME, GLASSES, HEADWEAR, MASKS, OCCLUDERS
from .identity import Identities, identities
from .scene import Scene, frontal

SUBSETS = ("train", "validation", "test")
# What differs between two everyday pictures of one person.
VARY = ("pose", "light", "expression", "gaze", "clothes", "background", "sensor")


def scenes(
    subjects: int, images: int, *, seed: int = 0, vary: Sequence[str] = VARY, subset: str = "train"
) -> tuple[Scene, list[str]]:
    """Scenes of a population, and a name for each; people of different subsets are different people.

    Args:
        subjects: how many people.
        images: pictures of each.
        seed: of people and pictures.
        vary: groups of factors that are drawn, see `varied`.
        subset: one of `SUBSETS`.
    """
    if subset not in SUBSETS:
        raise ParameterError("unknown subset", given=subset, expected=", ".join(SUBSETS))
    people = identities(subjects, seed=seed, prefix=subset)
    who = np.repeat(np.arange(subjects), images)
    names = [f"{people.names[i]}/{k:03d}" for i in range(subjects) for k in range(images)]
    return varied(people.take(who), vary, names, seed=seed), names


def varied(identity: Identities, vary: Sequence[str], names: Sequence[str], *, seed: int = 0) -> Scene:
    """One picture each of ``identity``, with some groups of factors drawn.

    Args:
        identity: who is shown.
        vary: any of ``"pose" "light" "expression" "gaze" "clothes" "background" "camera" "sensor" "make-up"
            "glasses" "headwear" "mask" "occluder"``.
        names: one per picture; a picture depends on the seed and its name alone.
        seed: of the pictures.
    """
    for name in vary:
        if name not in _DRAW:
            raise UnknownNameError("group of factors", name, _DRAW)
    drawn: dict[str, list[Any]] = {}
    for picture in names:
        for group in vary:
            for factor, value in _DRAW[group](seeds.rng("phantom", "picture", seed, picture, group)).items():
                drawn.setdefault(factor, []).append(value)
    changed = {factor: np.array(values, BY_NAME[factor].dtype) for factor, values in drawn.items()}
    sensor = np.array([seeds.integer("phantom", "sensor", seed, name) for name in names], np.int64)
    return frontal(identity).replace(sensor=sensor, pattern=sensor, **changed)


Drawn = dict[str, Any]


def _pose(rng: np.random.Generator) -> Drawn:
    return {
        "yaw": np.clip(rng.normal(0, 14), -40, 40),
        "pitch": np.clip(rng.normal(0, 7), -20, 20),
        "roll": np.clip(rng.normal(0, 4), -12, 12),
    }


def _light(rng: np.random.Generator) -> Drawn:
    return {
        "light_direction": (rng.uniform(-65, 65), rng.uniform(0, 60)),
        "light": rng.uniform(0.4, 0.9),
        "ambient": rng.uniform(0.35, 0.7),
        "light_colour": 1 + np.array([1.0, 0.25, -0.8]) * rng.uniform(-0.12, 0.15),
        "light2_direction": (rng.uniform(-180, 180), rng.uniform(-10, 60)),
        "light2": max(0.0, rng.uniform(-0.3, 0.4)),
    }


def _expression(rng: np.random.Generator) -> Drawn:
    name = list(EXPRESSIONS)[int(rng.integers(len(EXPRESSIONS)))]
    made = expression(name, float(rng.uniform(0.2, 1.0)))
    blink = MOVEMENTS.index("blink")
    made[blink] = max(made[blink], float(np.clip(rng.normal(0.08, 0.12), 0, 1)))
    return {"movements": made}


def _sensor(rng: np.random.Generator) -> Drawn:
    return {"noise": rng.uniform(0.0, 0.015), "blur": rng.uniform(0.0, 0.6), "exposure": rng.uniform(0.75, 1.25)}


def _background(rng: np.random.Generator) -> Drawn:
    grey, tint = rng.uniform(0.03, 0.65, (2, 1)), rng.normal(0, 0.08, (2, 3))
    return {"background": np.clip(grey + tint, 0, 1)}


def _camera(rng: np.random.Generator) -> Drawn:
    return {
        "distance": rng.uniform(500, 1500),
        "fill": rng.uniform(0.45, 0.65),
        "shift": (rng.uniform(-0.12, 0.12), rng.uniform(-0.08, 0.08)),
    }


def _makeup(rng: np.random.Generator) -> Drawn:
    lip = np.array([0.45, 0.05, 0.08]) * rng.uniform(0.4, 1.3) + rng.uniform(0, 0.08, 3)
    return {
        "lip_makeup": rng.uniform(0, 1), "lip_colour": np.clip(lip, 0, 1),
        "eye_makeup": rng.uniform(0, 1), "eye_colour": rng.uniform(0.02, 0.25, 3),
        "cheek_makeup": rng.uniform(0, 1), "cheek_colour": np.array([0.6, 0.18, 0.18]) * rng.uniform(0.7, 1.2),
    }  # fmt: skip


def _glasses(rng: np.random.Generator) -> Drawn:
    dark = rng.random() < 0.25
    return {
        "glasses": int(rng.integers(1, len(GLASSES))),
        "glasses_colour": rng.uniform(0.0, 0.25, 3),
        "glasses_tint": rng.uniform(0.75, 0.98) if dark else rng.uniform(0.0, 0.12),
    }


def _worn(factor: str, choices: Sequence[str]) -> Callable[[np.random.Generator], Drawn]:
    def draw(rng: np.random.Generator) -> Drawn:
        return {factor: int(rng.integers(1, len(choices))), f"{factor}_colour": rng.uniform(0.02, 0.75, 3)}

    return draw


_DRAW: Mapping[str, Callable[[np.random.Generator], Drawn]] = {
    "pose": _pose,
    "light": _light,
    "expression": _expression,
    "gaze": lambda rng: {"gaze": (rng.uniform(-18, 18), rng.uniform(-10, 10))},
    "clothes": lambda rng: {"clothes": rng.uniform(0.02, 0.6, 3) * rng.uniform(0.3, 1)},
    "background": _background,
    "camera": _camera,
    "sensor": _sensor,
    "make-up": _makeup,
    "glasses": _glasses,
    "headwear": _worn("headwear", HEADWEAR),
    "mask": _worn("mask", MASKS),
    "occluder": lambda rng: {"occluder": int(rng.integers(1, len(OCCLUDERS)))},
}
