"""Binary attributes in CelebA's words, derived from the factors; those that a phantom cannot have are left out.

Z. Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015, names forty. Thresholds are ours and written here.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from .action_units import MOVEMENTS
from .factors import choice
from .hair import greyness
from .scene import Scene

Flags = NDArray[np.bool_]


def attributes(scene: Scene) -> dict[str, Flags]:
    """CelebA-style attributes of each picture, ``bool (n,)`` by name."""
    return {
        name: np.asarray(flags, np.bool_)
        for part in (_hair, _face, _skin, _worn)
        for name, flags in part(scene).items()
    }


def _hair(s: Scene) -> dict[str, Flags]:
    covered = s.headwear > 0
    grown = (s.hair_length > 0.08) & (s.hair_recession < 0.7) & ~covered
    grey = greyness(*(torch.from_numpy(v) for v in (s.age, s.hair_grey))).numpy() > 0.5
    red = s.hair_red > 0.6
    return {
        "Bald": ~covered & ((s.hair_recession >= 0.7) | (s.hair_length <= 0.03)),
        "Bangs": grown & (s.hair_fringe > 0.35),
        "Black_Hair": grown & ~grey & (s.hair_dark > 0.75),
        "Blond_Hair": grown & ~grey & ~red & (s.hair_dark < 0.25),
        "Brown_Hair": grown & ~grey & (s.hair_dark >= 0.25) & (s.hair_dark <= 0.75),
        "Gray_Hair": grown & grey,
        "Receding_Hairline": (s.hair_recession > 0.3) & ~covered,
        "Straight_Hair": grown & (s.hair_curl < 0.2),
        "Wavy_Hair": grown & (s.hair_curl >= 0.2) & (s.hair_curl < 0.7),
        "5_o_Clock_Shadow": (s.stubble > 0.35) & (s.beard < 0.2),
        "Mustache": s.moustache > 0.3,
        "No_Beard": (s.beard < 0.2) & (s.moustache < 0.2) & (s.stubble <= 0.35),
        "Bushy_Eyebrows": (s.brow_density > 0.7) & (s.identity.mode("brow_thickness") > 0.7),
        "Arched_Eyebrows": s.identity.mode("brow_arch") > 0.7,
    }


def _face(s: Scene) -> dict[str, Flags]:
    person = s.identity.mode
    moved = {name: s.movements[:, MOVEMENTS.index(name)] for name in ("smile", "jaw_open", "lips_part")}
    return {
        "Male": s.gender > 0,
        "Young": s.age < 40,
        "Chubby": person("cheek_full") > 1.0,
        "High_Cheekbones": person("cheek_bone") > 0.7,
        "Big_Nose": person("nose_width") + person("nose_tip") > 1.2,
        "Pointy_Nose": person("nose_tip") - person("nose_tip_width") > 1.2,
        "Big_Lips": person("upper_lip") + person("lower_lip") > 1.2,
        "Narrow_Eyes": person("eye_opening") + person("eye_round") < -1.2,
        "Smiling": moved["smile"] > 0.35,
        "Mouth_Slightly_Open": (moved["jaw_open"] > 0.1) | (moved["lips_part"] > 0.2),
    }


def _skin(s: Scene) -> dict[str, Flags]:
    made_up = np.stack([s.lip_makeup, s.eye_makeup, s.cheek_makeup])
    return {
        "Pale_Skin": (s.melanin < 0.12) & (s.haemoglobin < 0.5),
        "Rosy_Cheeks": (s.identity.mode("cheek_red") > 1.0) | (s.cheek_makeup > 0.5),
        "Bags_Under_Eyes": (s.identity.mode("under_eye") > 1.0) | (s.age > 65),
        "Wearing_Lipstick": s.lip_makeup > 0.4,
        "Heavy_Makeup": made_up.sum(0) > 1.8,
        "Blurry": s.blur > 1.5,
    }


def _worn(s: Scene) -> dict[str, Flags]:
    return {"Eyeglasses": s.glasses > choice("glasses", "none"), "Wearing_Hat": s.headwear > choice("headwear", "none")}
