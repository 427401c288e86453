"""What an attack detector looked at: the change of its answer when a patch of its input is painted over."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..core import ParameterError
from ..models.presentation import AttackDetector, AttackNetwork

Floats = NDArray[np.float64]
# Scores nearer to 0 or 1 than this count as this near: log-odds have no end.
_NEAR = 1e-9


def log_odds(scores: Floats) -> Floats:
    """``log(s / (1 - s))`` of scores in [0, 1]."""
    inside = np.clip(scores, _NEAR, 1 - _NEAR)
    odds: Floats = np.log(inside) - np.log1p(-inside)
    return odds


def occlusion(
    detector: AttackDetector, image: NDArray[np.uint8], box: NDArray[np.floating] | None = None, *, patch: float = 0.2,
    step: float = 0.05,
) -> NDArray[np.float32]:  # fmt: skip
    """Which parts of a picture spoke for an attack, and which against.

    Each network's input loses one patch after the other to the input's mean colour. A pixel's value is the mean fall of
    the attack score's log-odds over the patches that cover it; log-odds, since a score near 0 or 1 hardly moves. Maps
    of several networks are placed back and averaged, each as zero beyond what it looks at. A painted patch is itself
    something that no camera shows: the map tells what the network reacts to, not what an attack is.

    Args:
        detector: of `models.attack_detector`.
        image: ``uint8 (h, w, 3)`` RGB.
        box: ``x1 y1 x2 y2`` pixels of the face; None where whole pictures are looked at.
        patch: side of a patch, as a share of the input.
        step: from one patch to the next, likewise; at most ``patch``.

    Returns:
        ``float32 (h, w)``: above zero spoke for an attack, below zero for a bona fide presentation.

    Raises:
        ParameterError: patch or step out of range.
        ShapeError: the box does not fit.
    """
    if not 0 < step <= patch < 1:
        raise ParameterError(
            "patches do not cover the picture", given=f"patch {patch}, step {step}", expected="0 < step <= patch < 1"
        )
    total = np.zeros(image.shape[:2], np.float64)
    for network, (x1, y1, x2, y2) in zip(detector.networks, detector.regions(image, box).tolist(), strict=True):
        found = occluded(network, network.crop(image, box), patch, step)
        total[y1:y2, x1:x2] += cv2.resize(found, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
    return (total / len(detector.networks)).astype(np.float32)


def occluded(network: AttackNetwork, crop: NDArray[np.uint8], patch: float, step: float) -> Floats:
    """The map of one network over its own input ``uint8 (h, w, 3)``, ``float64 (h, w)``; see `occlusion`."""
    starts, side = zip(*(_places(n, patch, step) for n in crop.shape[:2]), strict=True)
    places = [(y, x) for y in starts[0] for x in starts[1]]
    painted = np.repeat(crop[None], len(places), axis=0)
    mean = np.rint(crop.reshape(-1, 3).mean(axis=0)).astype(np.uint8)
    for one, (y, x) in zip(painted, places, strict=True):
        one[y : y + side[0], x : x + side[1]] = mean
    falls = log_odds(network.judge(crop[None])) - log_odds(network.judge(painted))
    total, often = np.zeros(crop.shape[:2]), np.zeros(crop.shape[:2])
    for fall, (y, x) in zip(falls, places, strict=True):
        total[y : y + side[0], x : x + side[1]] += fall
        often[y : y + side[0], x : x + side[1]] += 1
    return total / often


def _places(length: int, patch: float, step: float) -> tuple[list[int], int]:
    """Where patches begin along one side, the last one at its end, and how long they are."""
    side = max(1, round(patch * length))
    starts = list(range(0, length - side, max(1, round(step * length))))
    return [*starts, length - side], side
