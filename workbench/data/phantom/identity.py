"""Who a phantom is: a vector of named modes, drawn from a named seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core import ShapeError, UnknownNameError, seeds

SHAPE_MODES = (
    "morphology", "face_width", "face_length", "jaw_width", "chin_length", "chin_width", "chin_forward",
    "forehead_height", "forehead_slope", "cheek_bone", "cheek_full", "brow_ridge", "temple", "head_depth",
    "eye_spacing", "eye_height", "eye_size", "eye_opening", "eye_tilt", "eye_depth",
    "nose_length", "nose_width", "nose_bridge", "nose_tip", "nose_tip_width", "nose_hump",
    "mouth_width", "mouth_height", "upper_lip", "lower_lip", "lip_forward",
    "ear_size", "ear_angle", "neck_width", "asymmetry_jaw", "asymmetry_eye", "asymmetry_nose",
)  # fmt: skip
ALBEDO_MODES = (
    "brow_thickness", "brow_height", "brow_arch", "brow_length", "brow_dark", "iris_dark", "iris_hue",
    "lip_red", "cheek_red", "freckles", "stubble", "under_eye", "hair_line", "hair_dark", "hair_red",
    "hair_grey", "hair_volume", "hair_length", "hair_part", "mottle",
)  # fmt: skip
MODES = SHAPE_MODES + ALBEDO_MODES
INDEX = {name: i for i, name in enumerate(MODES)}

# Modes that belong to one part of the face, for exchanging it.
PART_MODES = {
    "eyes": ("eye_spacing", "eye_height", "eye_size", "eye_opening", "eye_tilt", "eye_depth", "asymmetry_eye",
             "brow_thickness", "brow_height", "brow_arch", "brow_length", "brow_dark", "brow_ridge",
             "iris_dark", "iris_hue", "under_eye"),
    "nose": ("nose_length", "nose_width", "nose_bridge", "nose_tip", "nose_tip_width", "nose_hump",
             "asymmetry_nose"),
    "mouth": ("mouth_width", "mouth_height", "upper_lip", "lower_lip", "lip_forward", "lip_red"),
    "jaw": ("jaw_width", "chin_length", "chin_width", "chin_forward", "cheek_full", "asymmetry_jaw", "stubble"),
}  # fmt: skip
_LIMIT = 2.2


@dataclass(frozen=True)
class Identities:
    """People who do not exist.

    Attributes:
        names: capture subjects.
        modes: ``float32 (n, len(MODES))`` in standard deviations, within +-2.2.
        melanin: ``float32 (n,)`` in [0, 1]; 0 very light, 1 very dark skin.
        haemoglobin: ``float32 (n,)`` in [0, 1].
        moles: ``float32 (n, 4, 3)``, x and y in template millimetres and radius.
        texture: ``int64 (n,)`` seed of the skin's and hair's fine texture.
    """

    names: tuple[str, ...]
    modes: NDArray[np.float32]
    melanin: NDArray[np.float32]
    haemoglobin: NDArray[np.float32]
    moles: NDArray[np.float32]
    texture: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> Identities:
        """The people at ``indices``; repeats are allowed."""
        at = np.asarray(indices, dtype=np.int64)
        return Identities(
            tuple(self.names[i] for i in at),
            self.modes[at],
            self.melanin[at],
            self.haemoglobin[at],
            self.moles[at],
            self.texture[at],
        )

    def mode(self, name: str) -> NDArray[np.float32]:
        """One mode of everybody, ``float32 (n,)``."""
        return self.modes[:, INDEX[name]]

    def with_part(self, part: str, donors: Identities) -> Identities:
        """These people with the modes of one facial part taken from ``donors``, one donor each."""
        if part not in PART_MODES:
            raise UnknownNameError("facial part", part, PART_MODES)
        if len(donors) != len(self):
            raise ShapeError("one donor per person is needed", given=len(donors), expected=len(self))
        modes = self.modes.copy()
        columns = [INDEX[m] for m in PART_MODES[part]]
        modes[:, columns] = donors.modes[:, columns]
        return Identities(self.names, modes, self.melanin, self.haemoglobin, self.moles, self.texture)


def identities(people: int | Sequence[str], *, seed: int = 0, prefix: str = "subject") -> Identities:
    """Draw people; each depends on the seed and on their own name alone.

    Args:
        people: how many, named ``<prefix>-0000`` and so on, or their names.
        seed: of the population.
        prefix: of the names.
    """
    names = [f"{prefix}-{i:04d}" for i in range(people)] if isinstance(people, int) else list(people)
    drawn = [_person(name, seed) for name in names]
    if not drawn:
        raise ShapeError("a population needs somebody", given=people, expected="1 or more people")
    modes, melanin, haemoglobin, moles, texture = (np.stack(column) for column in zip(*drawn, strict=True))
    return Identities(
        tuple(names),
        modes.astype(np.float32),
        melanin.astype(np.float32),
        haemoglobin.astype(np.float32),
        moles.astype(np.float32),
        texture.astype(np.int64),
    )


def _person(name: str, seed: int) -> tuple[NDArray[np.float64], ...]:
    rng = seeds.rng("phantom", "identity", seed, name)
    modes = np.clip(rng.standard_normal(len(MODES)), -_LIMIT, _LIMIT)
    melanin = rng.uniform(0.0, 1.0)
    haemoglobin = np.clip(rng.normal(0.5, 0.18), 0.0, 1.0)
    moles = np.stack([rng.uniform(-50, 50, 4), rng.uniform(-95, 55, 4), rng.uniform(0.0, 1.6, 4) - 0.5], axis=1)
    # Features go together: a heavier morphology has a wider jaw, thicker brows and more beard; dark skin
    # comes with dark hair and irises more often than not.
    morphology = modes[INDEX["morphology"]]
    for mode, weight in (("jaw_width", 0.5), ("brow_ridge", 0.5), ("brow_thickness", 0.45), ("stubble", 0.8),
                         ("hair_length", -0.7), ("nose_width", 0.25), ("neck_width", 0.6), ("lower_lip", -0.3),
                         ("chin_width", 0.4), ("eye_opening", -0.3), ("lip_red", -0.4)):  # fmt: skip
        modes[INDEX[mode]] = _mix(modes[INDEX[mode]], morphology, weight)
    for mode, weight in (("hair_dark", 0.75), ("iris_dark", 0.8), ("nose_width", 0.35), ("upper_lip", 0.3),
                         ("lower_lip", 0.3)):  # fmt: skip
        modes[INDEX[mode]] = _mix(modes[INDEX[mode]], 3.4 * (melanin - 0.5), weight)
    return (
        modes,
        np.array(melanin),
        np.array(haemoglobin),
        moles,
        np.array(seeds.integer("texture", seed, name)),
    )


def _mix(own: float, other: float, weight: float) -> float:
    """A value correlated with another by ``weight``, of the same spread."""
    return float(np.clip(np.sqrt(1 - weight**2) * own + weight * other, -_LIMIT, _LIMIT))
