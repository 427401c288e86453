"""What an attack detector reacted to, over the picture; and channels that are no colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's vermillion and blue: told apart by people who see colours differently, too.
FOR_ATTACK, AGAINST = np.array([213.0, 94.0, 0.0]), np.array([0.0, 114.0, 178.0])
_STRONGEST = 0.75


def laid_over(image: NDArray[np.uint8], found: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A grey picture under a map: vermillion where it spoke for an attack, blue where against.

    Args:
        image: ``uint8 (h, w, 3)`` RGB.
        found: ``float32 (h, w)`` of `methods.attack_maps.occlusion`; the strongest value has the fullest colour.
    """
    grey = np.repeat(image.astype(np.float64).mean(axis=2, keepdims=True), 3, axis=2)
    strength = np.abs(found).astype(np.float64)
    share = _STRONGEST * (strength / strength.max() if strength.max() > 0 else strength)[..., None]
    colour = np.where((found > 0)[..., None], FOR_ATTACK, AGAINST)
    mixed: NDArray[np.uint8] = np.rint((1 - share) * grey + share * colour).astype(np.uint8)
    return mixed


def depth_picture(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Depth ``(h, w)`` in millimetres as a grey picture: near is light, far dark, what has no depth black."""
    seen = np.isfinite(depth)
    grey = np.zeros(depth.shape)
    if seen.any():
        near, far = float(depth[seen].min()), float(depth[seen].max())
        grey[seen] = 255 - 205 * (depth[seen] - near) / (far - near if far > near else 1.0)
    return grey_picture(np.rint(grey).astype(np.uint8))


def grey_picture(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``uint8 (h, w)`` as ``uint8 (h, w, 3)``."""
    return np.repeat(grey[..., None], 3, axis=2)
