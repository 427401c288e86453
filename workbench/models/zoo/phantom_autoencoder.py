"""Faces to 128 numbers and back, trained on phantoms only: a start for studies on synthesis and inversion."""

from __future__ import annotations

from typing import Any

from ..cards import Backend
from . import _phantom

CARD = _phantom.card(
    "phantom-autoencoder", "autoencoder", 64, "uint8 (n, 64, 64, 3) from float32 (n, 128)", dimension=128
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The codec; a path names weights that were trained again. It runs in torch whatever the backend."""
    from .. import devices
    from ..chips import FaceCodec
    from ..networks.phantom import Autoencoder

    network, digest = _phantom.filled(CARD, Autoencoder(CARD.dimension), path)
    return FaceCodec(CARD, network.requires_grad_(False), devices.resolve(device), digest)
