"""SSD face detector of face-api: the default detector."""

from __future__ import annotations

from typing import Any

from ..cards import Backend, Card
from . import _faceapi

CARD = Card(
    name="faceapi-ssd",
    task="detection",
    input_size=(512, 512),
    crop="whole picture, longer side scaled to 512, black below or to the right",
    mean=(127.5,) * 3,
    scale=(1 / 127.5,) * 3,
    output="boxes and scores of 5,118 anchors, float32 (n, 5118, 5)",
    licence=_faceapi.LICENCE,
    source=_faceapi.SOURCE,
    files=_faceapi.files("ssd_mobilenetv1_model"),
    notes="Trained on WIDER FACE.",
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The detector."""
    from ..detectors import AnchorDetector
    from ..engines import make_engine
    from ..networks.ssd import Ssd

    network = _faceapi.network(CARD, path, Ssd)
    engine = make_engine(network, CARD.name, CARD.input_size, device, backend)
    return AnchorDetector(CARD, engine, overlap=0.5)
