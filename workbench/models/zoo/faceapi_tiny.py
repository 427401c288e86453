"""Tiny face detector of face-api: fast, for large faces and webcams."""

from __future__ import annotations

from typing import Any

from ..cards import Backend, Card
from . import _faceapi

CARD = Card(
    name="faceapi-tiny",
    task="detection",
    input_size=(416, 416),
    crop="whole picture, longer side scaled to 416, black below or to the right",
    mean=(117.001, 114.697, 97.404),
    scale=_faceapi.BYTE,
    output="boxes and scores of 845 anchors, float32 (n, 845, 5)",
    licence=_faceapi.LICENCE,
    source=_faceapi.SOURCE,
    files=_faceapi.files("tiny_face_detector_model"),
    notes="Boxes are tighter than the SSD detector's.",
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The detector."""
    from ..detectors import AnchorDetector
    from ..engines import make_engine
    from ..networks.yolo import TinyYolo

    network = _faceapi.network(CARD, path, TinyYolo)
    engine = make_engine(network, CARD.name, CARD.input_size, device, backend)
    return AnchorDetector(CARD, engine, overlap=0.4)
