"""The 128-d recogniser of face-api: dlib's residual network, the default embedder."""

from __future__ import annotations

from typing import Any

from ..cards import DLIB_150, Backend, Card
from . import _faceapi

CARD = Card(
    name="faceapi-recogniser",
    task="embedding",
    input_size=(150, 150),
    crop="similarity transform of five landmarks to the template",
    template=DLIB_150,
    mean=_faceapi.MEAN,
    scale=_faceapi.BYTE,
    output="float32 (n, 128)",
    dimension=128,
    operating_points={
        1e-1: (0.8838, "LFW View 1 test list: 500 non-mated pairs, this project's pipeline"),
        1e-2: (0.9110, "LFW View 1 test list: 500 non-mated pairs, this project's pipeline"),
    },
    licence=_faceapi.LICENCE,
    source=_faceapi.SOURCE,
    files=_faceapi.files("face_recognition_model"),
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The embedder."""
    import copy

    from ..embedders import Embedder
    from ..engines import make_engine
    from ..networks.resnet import Recogniser

    network = _faceapi.network(CARD, path, Recogniser).eval()
    engine = make_engine(copy.deepcopy(network), CARD.name, CARD.input_size, device, backend)
    return Embedder(CARD, engine, network.to(engine.device), CARD.files["face_recognition_model.bin"])
