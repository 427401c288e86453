"""Capture devices: what their sensors and software make of the light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ....core import UnknownNameError, seeds


@dataclass(frozen=True)
class Profile:
    """A capture device.

    Attributes:
        resolution: share of the pixels a side.
        blur: defocus in pixels of a picture 112 wide.
        noise: standard deviation of full scale.
        jpeg: quality, 0 not compressed.
        matrix: linear RGB to the device's.
        tone: exponent on linear light, below 1 lifts shadows.
        sharpening: amount of an unsharp mask.
        depth_noise: millimetres at 1 m; it grows with the square of the distance.
        depth_step: quantisation in millimetres.
        lamp: strength of its near-infrared lamp.
    """

    resolution: float
    blur: float
    noise: float
    jpeg: int
    matrix: tuple[tuple[float, float, float], ...]
    tone: float
    sharpening: float
    depth_noise: float
    depth_step: float
    lamp: float


_PLAIN = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
PROFILES: Mapping[str, Profile] = {
    "industrial": Profile(1.0, 0.0, 0.004, 0, _PLAIN, 1.0, 0.0, 1.0, 0.5, 1.0),
    "phone": Profile(1.0, 0.2, 0.008, 88, ((1.12, -0.08, -0.04), (-0.05, 1.10, -0.05), (0.0, -0.10, 1.10)), 0.90, 0.6,
                     2.0, 1.0, 1.05),
    "webcam": Profile(0.7, 0.5, 0.015, 75, ((1.0, 0.05, 0.0), (0.0, 0.97, 0.03), (0.02, 0.05, 0.90)), 1.0, 0.2, 4.0,
                      2.0, 0.9),
    "old phone": Profile(0.5, 0.7, 0.025, 60, ((0.92, 0.06, 0.0), (0.03, 0.95, 0.02), (0.0, 0.08, 1.05)), 1.1, 0.9, 6.0,
                         4.0, 0.8),
}  # fmt: skip


def profile_of(name: str) -> Profile:
    """A profile by name."""
    if name not in PROFILES:
        raise UnknownNameError("capture device", name, PROFILES)
    return PROFILES[name]


def through(picture: Tensor, profile: Profile) -> Tensor:
    """Linear light ``(n, h, w, 3)`` as the device's own: colour matrix and tone."""
    mixed = picture.clamp(0, 1) @ torch.tensor(profile.matrix, device=picture.device).T
    return mixed.clamp(0, 1) ** profile.tone


def sharpened(encoded: Tensor, amount: float) -> Tensor:
    """``(n, c, h, w)`` after an unsharp mask of one pixel."""
    if not amount:
        return encoded
    soft = torch.nn.functional.avg_pool2d(encoded, 3, 1, 1, count_include_pad=False)
    return (encoded + amount * (encoded - soft)).clamp(0, 1)


def measured_depth(depth: NDArray[np.float32], profile: Profile, sensor: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the depth sensor says of true depths ``(n, h, w)``; infinite stays infinite."""
    noise = np.stack([seeds.rng("depth", int(s)).standard_normal(depth.shape[1:], np.float32) for s in sensor])
    with np.errstate(invalid="ignore"):
        said = depth + noise * profile.depth_noise * (depth / 1000) ** 2
        steps = np.round(said / profile.depth_step) * profile.depth_step
    return np.where(np.isfinite(depth), steps, depth).astype(np.float32)
