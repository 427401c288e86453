"""Phantom faces: the embedded data set, named after imaging phantoms; the people do not exist.

A head is a template surface plus smooth displacements, linear in identity modes, age, gender and facial movements
(`shape`). Its colour follows from the template place: skin by Beer and Lambert's law with melanin and haemoglobin
(`skin`). A z-buffer in torch finds what each pixel sees (`raster`); light is ambient and directional and wraps around
skin (`light`); the sensor averages, blurs, encodes as sRGB and adds noise (`sensor`). Every factor of `FACTORS` is an
array of its own and is changed alone; the truth comes with the picture. Equations and sources: ``docs/phantom.md``.

What phantom faces are not: photographs. Their variety is that of about a hundred modes that we chose, hair is a
surface, skin has no pores, light casts no shadows. A claim that holds here holds for *these* faces; a claim that fails
here may still hold on photographs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dataset import PhantomDataset

_NAMES = {
    "celeba": ("attributes",),
    "changed": ("hidden", "swapped"),
    "digital.attacks": (
        "EDITS",
        "Forged",
        "edits",
        "embedding_morphs",
        "ideal_morphs",
        "ideal_swaps",
        "landmark_morphs",
        "morph_pictures",
        "reenactments",
        "slerp",
        "swaps",
    ),
    "digital.protocols": ("COMPRESSION", "METHODS", "Manipulations", "MorphAttacks", "manipulations", "morph_attacks"),
    "digital.traces": ("UPSAMPLING", "fingerprinted", "median_filtered", "resampled", "twice_compressed", "upsampled"),
    "digital.warp": ("colour_transfer", "hull_mask", "warp"),
    "dataset": ("CHIP", "PhantomDataset", "chip_matrices", "chips", "faces"),
    "factors": ("FACTORS", "GLASSES", "HEADWEAR", "MASKS", "OCCLUDERS", "Factor"),
    "identity": ("MODES", "PART_MODES", "Identities", "identities"),
    "action_units": ("EXPRESSIONS", "MOVEMENTS", "expression", "movements"),
    "picture": ("TRUTH", "Rendering", "render", "render_tensor"),
    "population": ("SUBSETS", "VARY", "scenes", "varied"),
    "presentation.attacks": ("LIVE", "SPECIES", "Presentations", "present"),
    "presentation.domains": ("DOMAINS", "LIGHTS", "AttackSet", "Domain", "attack_detection"),
    "presentation.profiles": ("PROFILES", "Profile"),
    "protocols": ("Identification", "differentials", "identification", "parameters", "portraits", "skewed"),
    "scene": ("Scene", "frontal", "join", "occlude", "swap_part"),
    "sequences": ("ACTIONS", "sequence"),
    "skin": ("fitzpatrick",),
    "surface": ("PARTS",),
    "views": ("focal_length", "light_field", "stereo"),
}
_LAZY = {name: module for module, names in _NAMES.items() for name in names}

__all__ = ["open", *_LAZY]


def open(path: str = "", **options: Any) -> PhantomDataset:
    """The data set; ``subjects``, ``images``, ``size``, ``seed``, ``subset`` and a ``cache`` folder may be chosen."""
    from ...core import ParameterError
    from .dataset import PhantomDataset

    if path:
        raise ParameterError("phantom faces have no folder", given=path, do="write just 'phantom'")
    return PhantomDataset(**options)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module = importlib.import_module(f".{_LAZY[name]}", __name__)
        value = getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
