"""The near-infrared picture: the same geometry, other reflectances, a lamp beside the camera."""

from __future__ import annotations

import torch
from torch import Tensor

from .light import lamp_beside_camera
from .skin import BASE_NIR, HAEMOGLOBIN_NIR, MELANIN_NIR
from .surface import PART, Paint, Surface

# Reflectance at about 940 nm. Skin is pale whatever its melanin; hair's eumelanin and most dyes of cloth hardly
# absorb; eyes are dark but for the iris; a cornea gives a glint.
_OF_PART = {"brows": 0.30, "eyes": 0.26, "lips": 0.55, "inner mouth": 0.14, "hair": 0.32, "cloth": 0.55,
            "glasses": 0.08, "headwear": 0.5, "mask": 0.62, "occlusion": 0.35, "beard": 0.36}  # fmt: skip


def near_infrared(s: Surface, paint: Paint, normal: Tensor, place: Tensor, at: Tensor) -> Tensor:
    """Linear near-infrared light of each point, ``(p,)``, exposed so that skin is about 0.5."""
    table = torch.zeros(len(PART), device=normal.device)
    for name, value in _OF_PART.items():
        table[PART[name]] = value
    skin = torch.exp(-(BASE_NIR + MELANIN_NIR * s.of("melanin") + HAEMOGLOBIN_NIR * s.of("haemoglobin")))
    given = table[paint.part]
    # Darker and lighter strokes of the visible picture remain, faintly.
    detail = (paint.colour.mean(1) / 0.3).clamp(0.1, 2) ** 0.25
    reflectance = torch.where(given > 0, given * detail, skin)
    distance = s.t["distance"][at]
    return reflectance * lamp_beside_camera(normal, place, distance) * paint.shade * 0.85
