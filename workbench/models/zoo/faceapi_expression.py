"""Expression network of face-api: seven classes."""

from __future__ import annotations

from typing import Any

from ..cards import Backend, Card
from . import _faceapi

CARD = Card(
    name="faceapi-expression",
    task="expression",
    input_size=(112, 112),
    crop="the detector's box, clipped at the picture's border, centred in a black square",
    mean=_faceapi.MEAN,
    scale=_faceapi.BYTE,
    output="seven shares, float32 (n, 7)",
    licence=_faceapi.LICENCE,
    source=_faceapi.SOURCE,
    files=_faceapi.files("face_expression_model"),
    notes="neutral, happy, sad, angry, fearful, disgusted, surprised. Apparent expression, not feeling.",
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The model."""
    from ..engines import make_engine
    from ..faces import ExpressionModel
    from ..networks.dense import DenseNetwork

    network = _faceapi.network(CARD, path, DenseNetwork)
    engine = make_engine(network, CARD.name, CARD.input_size, device, "torch" if backend == "auto" else backend)
    return ExpressionModel(CARD, engine)
