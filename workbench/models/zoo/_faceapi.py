"""What the models out of face-api share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core import ParameterError
from ..cards import Card
from ..tfjs import digests, read_faceapi

# Largest absolute difference of an output between the torch network and its ONNX export; measured 8e-6
# (age in years), below 2e-6 elsewhere.
ONNX_DIFFERENCE = 2e-5
LICENCE = "MIT"
SOURCE = "npm package @vladmandic/face-api 1.7.15"
DIGESTS = digests()
MEAN = (122.782, 117.001, 104.298)
BYTE = (1 / 255,) * 3


def files(stem: str) -> dict[str, str]:
    """Weights file and manifest of one model, with the digests that the package was built with."""
    return {name: DIGESTS[name] for name in (f"{stem}.bin", f"{stem}-weights_manifest.json")}


def network(card: Card, path: str, build: Callable[[Any], Any]) -> Any:
    """The torch module of a face-api card, from its checked weights."""
    if path:
        raise ParameterError(f"{card.name} brings its own weights", given=path, do=f"write just {card.name!r}")
    stem = next(name for name in card.files if name.endswith(".bin")).removesuffix(".bin")
    return build(read_faceapi(stem, card.files))
