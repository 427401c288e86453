"""MobileFaceNet from the user's own state dictionary."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ... import files
from ...core import ParameterError
from ..cards import SPHEREFACE_112X96, Backend, Card

CARD = Card(
    name="mobilefacenet",
    task="embedding",
    input_size=(112, 96),
    crop="similarity transform of five landmarks to the template",
    template=SPHEREFACE_112X96,
    mean=(127.5,) * 3,
    scale=(1 / 128,) * 3,
    output="float32 (n, 128)",
    dimension=128,
    licence="that of the user's weights",
    source="the user's file: mobilefacenet:PATH",
    notes="arXiv 1804.07573; state dictionary, also under a key such as net_state_dict.",
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The embedder.

    Args:
        path: a ``.pth``, ``.ckpt``, ``.npz`` or ``.safetensors`` file.
        device: see `models.load`.
        backend: see `models.load`.
    """
    import copy

    from ..embedders import Embedder
    from ..engines import make_engine
    from ..networks.mobilefacenet import MobileFaceNet, load_state

    if not path:
        raise ParameterError("mobilefacenet needs weights", expected="mobilefacenet:PATH", do="name the file")
    weights = files.read_weights(path)
    network = MobileFaceNet()
    load_state(network, weights.tensors, weights.name)
    network.eval()
    engine = make_engine(copy.deepcopy(network), CARD.name, CARD.input_size, device, backend)
    card = replace(CARD, files={weights.name: weights.digest})
    return Embedder(card, engine, network.to(engine.device), weights.digest)
