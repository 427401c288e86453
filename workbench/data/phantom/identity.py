"""Who a phantom is: a vector of modes of shape and colour, drawn from a named seed, and their usual looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...core import ShapeError, UnknownNameError, seeds
from .factors import BY_NAME, LOOKS, check

SHAPE_MODES = (
    "face_width", "face_length", "face_flat", "jaw_width", "jaw_square", "chin_length", "chin_width", "chin_forward",
    "chin_cleft", "forehead_height", "forehead_width", "forehead_slope", "cheek_bone", "cheek_full", "brow_ridge",
    "temple", "head_depth",
    "eye_spacing", "eye_height", "eye_size", "eye_opening", "eye_tilt", "eye_depth", "eye_fold", "lid_heavy",
    "eye_round", "eye_peak",
    "nose_length", "nose_width", "nose_bridge", "nose_bridge_width", "nose_tip", "nose_tip_width", "nose_tip_up",
    "nose_hump", "nose_wings",
    "mouth_width", "mouth_height", "upper_lip", "lower_lip", "lip_forward", "mouth_corner", "philtrum",
    "ear_size", "ear_angle", "neck_width", "asymmetry_jaw", "asymmetry_eye", "asymmetry_nose", "asymmetry_mouth",
)  # fmt: skip
COLOUR_MODES = (
    "brow_thickness", "brow_height", "brow_arch", "brow_length", "brow_tilt", "brow_gap", "brow_dark", "iris_dark",
    "iris_hue", "lip_red", "cheek_red", "freckles", "under_eye", "mottle", "lashes", "skin_gloss",
)  # fmt: skip
# Smooth random fields: what the named modes do not span (Gaussian process morphable models, Luethi et al. 2018).
SHAPE_FIELDS = tuple(f"shape_field_{k:02d}" for k in range(24))
COLOUR_FIELDS = tuple(f"colour_field_{k:02d}" for k in range(8))
MODES = SHAPE_MODES + COLOUR_MODES + SHAPE_FIELDS + COLOUR_FIELDS
INDEX = {name: i for i, name in enumerate(MODES)}

# Modes that belong to one part of the face, for exchanging it.
PART_MODES = {
    "eyes": ("eye_spacing", "eye_height", "eye_size", "eye_opening", "eye_tilt", "eye_depth", "eye_fold", "lid_heavy",
             "eye_round", "eye_peak", "asymmetry_eye", "brow_thickness", "brow_height", "brow_arch", "brow_length",
             "brow_tilt", "brow_gap", "brow_dark", "brow_ridge", "iris_dark", "iris_hue", "under_eye", "lashes"),
    "nose": ("nose_length", "nose_width", "nose_bridge", "nose_bridge_width", "nose_tip", "nose_tip_width",
             "nose_tip_up", "nose_hump", "nose_wings", "asymmetry_nose"),
    "mouth": ("mouth_width", "mouth_height", "upper_lip", "lower_lip", "lip_forward", "mouth_corner", "philtrum",
              "lip_red", "asymmetry_mouth"),
    "jaw": ("jaw_width", "jaw_square", "chin_length", "chin_width", "chin_forward", "chin_cleft", "cheek_full",
            "asymmetry_jaw"),
}  # fmt: skip
_LIMIT = 2.5
_MOLES = 5


@dataclass(frozen=True, eq=False)
class Identities:
    """People who do not exist.

    Attributes:
        names: capture subjects.
        modes: ``float32 (n, len(MODES))`` in standard deviations, within +-2.5.
        moles: ``float32 (n, 5, 3)``, x and y in template millimetres and radius.
        texture: ``int64 (n,)`` seed of the skin's and hair's fine texture.
        looks: the factors that a person keeps from picture to picture (`LOOKS`), each ``(n,)``.
    """

    names: tuple[str, ...]
    modes: NDArray[np.float32]
    moles: NDArray[np.float32]
    texture: NDArray[np.int64]
    looks: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> Identities:
        """The people at ``indices``; repeats are allowed."""
        at = np.asarray(indices, dtype=np.int64)
        return Identities(
            tuple(self.names[i] for i in at), self.modes[at], self.moles[at], self.texture[at],
            {k: v[at] for k, v in self.looks.items()},
        )  # fmt: skip

    @staticmethod
    def join(people: Sequence[Identities]) -> Identities:
        """Several groups as one."""
        return Identities(
            tuple(name for p in people for name in p.names),
            np.concatenate([p.modes for p in people]),
            np.concatenate([p.moles for p in people]),
            np.concatenate([p.texture for p in people]),
            {k: np.concatenate([p.looks[k] for p in people]) for k in people[0].looks},
        )

    def mode(self, name: str) -> NDArray[np.float32]:
        """One mode of everybody, ``float32 (n,)``."""
        if name not in INDEX:
            raise UnknownNameError("identity mode", name, MODES)
        return self.modes[:, INDEX[name]]

    def with_modes(self, **modes: float | NDArray[np.floating]) -> Identities:
        """The same people with some modes set, in standard deviations."""
        changed = self.modes.copy()
        for name, value in modes.items():
            self.mode(name)
            changed[:, INDEX[name]] = value
        return replace(self, modes=changed)

    def with_part(self, part: str, donors: Identities) -> Identities:
        """These people with the modes of one facial part taken from ``donors``, one donor each."""
        if part not in PART_MODES:
            raise UnknownNameError("facial part", part, PART_MODES)
        if len(donors) != len(self):
            raise ShapeError("one donor per person is needed", given=len(donors), expected=len(self))
        modes = self.modes.copy()
        columns = [INDEX[m] for m in PART_MODES[part]]
        modes[:, columns] = donors.modes[:, columns]
        return replace(self, modes=modes)


def identities(people: int | Sequence[str], *, seed: int = 0, prefix: str = "subject") -> Identities:
    """Draw people; each depends on the seed and on their own name alone.

    Args:
        people: how many, named ``<prefix>-0000`` and so on, or their names.
        seed: of the population.
        prefix: of the names.
    """
    names = [f"{prefix}-{i:04d}" for i in range(people)] if isinstance(people, int) else list(people)
    if not names:
        raise ShapeError("a population needs somebody", given=people, expected="1 or more people")
    drawn = [_person(name, seed) for name in names]
    looks = {k: np.array([d[2][k] for d in drawn], BY_NAME[k].dtype) for k in LOOKS}
    for name, values in looks.items():
        check(name, values, len(names))
    return Identities(
        tuple(names),
        np.stack([d[0] for d in drawn]).astype(np.float32),
        np.stack([d[1] for d in drawn]).astype(np.float32),
        np.array([seeds.integer("texture", seed, name) for name in names], np.int64),
        looks,
    )


def _person(name: str, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, float]]:
    rng = seeds.rng("phantom", "identity", seed, name)
    modes = np.clip(rng.standard_normal(len(MODES)), -_LIMIT, _LIMIT)
    spots = (rng.uniform(-52, 52, _MOLES), rng.uniform(-98, 58, _MOLES), rng.uniform(0.0, 1.9, _MOLES) - 0.7)
    looks = _looks(rng)
    # Features go together in people; no combination stands for a group.
    for mode, look, weight in (("iris_dark", 3.4 * (looks["melanin"] - 0.45), 0.75),
                               ("nose_width", 3.4 * (looks["melanin"] - 0.45), 0.35),
                               ("upper_lip", 3.4 * (looks["melanin"] - 0.45), 0.4),
                               ("lower_lip", 3.4 * (looks["melanin"] - 0.45), 0.4),
                               ("freckles", -3.4 * (looks["melanin"] - 0.45), 0.4)):  # fmt: skip
        modes[INDEX[mode]] = _mix(modes[INDEX[mode]], look, weight)
    for first, second, weight in (("jaw_square", "jaw_width", 0.4), ("chin_width", "jaw_width", 0.4),
                                  ("cheek_full", "face_width", 0.4), ("nose_bridge", "face_flat", -0.5),
                                  ("eye_fold", "face_flat", -0.4), ("brow_dark", "brow_thickness", 0.4),
                                  ("nose_wings", "nose_width", 0.5), ("lower_lip", "upper_lip", 0.5)):  # fmt: skip
        modes[INDEX[first]] = _mix(modes[INDEX[first]], modes[INDEX[second]], weight)
    return modes, np.stack(spots, axis=1), looks


def _mix(own: float, other: float, weight: float) -> float:
    """A value correlated with another by ``weight``, of the same spread."""
    return float(np.clip(np.sqrt(1 - weight**2) * own + weight * other, -_LIMIT, _LIMIT))


def _looks(rng: np.random.Generator) -> dict[str, float]:
    """How a person usually looks: adults of either morphology and all skin tones."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    gender = float(np.clip(side * rng.normal(0.85, 0.25), -1.5, 1.5))
    masculine = gender > 0
    age = float(18 + 57 * rng.beta(1.3, 2.0))
    melanin = float(rng.uniform(0.0, 1.0))
    ageing = float(np.clip((age - 38) / 40 + rng.normal(0, 0.25), 0, 1))
    dark = float(np.clip(0.35 + 0.8 * melanin + rng.normal(0, 0.28), 0, 1))
    length = rng.uniform(0.02, 0.42) if masculine and rng.random() < 0.9 else rng.uniform(0.25, 1.0)
    bald = masculine and rng.random() < 0.15 + 0.5 * ageing
    bearded = masculine and rng.random() < 0.35
    return {
        "age": age,
        "gender": gender,
        "melanin": melanin,
        "haemoglobin": float(np.clip(rng.normal(0.5, 0.16), 0, 1)),
        "hair_length": float(length),
        "hair_volume": float(np.clip(rng.normal(0, 0.9), -2, 2)),
        "hair_curl": float(np.clip(rng.beta(1, 2) * 0.8 + 0.5 * max(0.0, melanin - 0.6), 0, 1)),
        "hair_recession": float(rng.uniform(0.35, 1) if bald else rng.uniform(0, 0.25)),
        "hair_fringe": float(rng.uniform(0.25, 0.9) if not bald and rng.random() < 0.35 else 0.0),
        "hair_part": float(rng.uniform(-1, 1)),
        "hair_dark": dark,
        "hair_red": float(np.clip(rng.beta(0.7, 3.0), 0, 1)),
        "hair_grey": float(np.clip(rng.normal(0, 0.25), -1, 1)),
        "brow_density": float(np.clip(0.68 + 0.12 * gender + rng.normal(0, 0.12), 0.25, 1)),
        "stubble": float(rng.uniform(0, 0.8)) if masculine else 0.0,
        "beard": float(rng.uniform(0.35, 1)) if bearded and rng.random() < 0.75 else 0.0,
        "moustache": float(rng.uniform(0.35, 1)) if bearded else 0.0,
    }
