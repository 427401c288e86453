"""68-point landmark network of face-api."""

from __future__ import annotations

from typing import Any

from ..cards import Backend, Card
from . import _faceapi

CARD = Card(
    name="faceapi-landmarks68",
    task="landmarks",
    input_size=(112, 112),
    crop="the detector's box, clipped at the picture's border, centred in a black square",
    mean=_faceapi.MEAN,
    scale=_faceapi.BYTE,
    output="68 points as fractions of the crop, float32 (n, 136)",
    licence=_faceapi.LICENCE,
    source=_faceapi.SOURCE,
    files=_faceapi.files("face_landmark_68_model"),
    notes="Points in iBUG order.",
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The model."""
    from ..engines import make_engine
    from ..faces import Landmarker
    from ..networks.dense import DenseNetwork

    network = _faceapi.network(CARD, path, DenseNetwork)
    engine = make_engine(network, CARD.name, CARD.input_size, device, "torch" if backend == "auto" else backend)
    return Landmarker(CARD, engine)
