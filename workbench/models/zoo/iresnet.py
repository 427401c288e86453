"""InsightFace's iResNet from the user's own state dictionary."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ... import files
from ...core import ParameterError
from ..cards import ARCFACE_112, Backend, Card

CARD = Card(
    name="iresnet",
    task="embedding",
    input_size=(112, 112),
    crop="similarity transform of five landmarks to the template",
    template=ARCFACE_112,
    mean=(127.5,) * 3,
    scale=(1 / 127.5,) * 3,
    output="float32 (n, 512)",
    dimension=512,
    licence="that of the user's weights",
    source="the user's file: iresnet:PATH",
    notes="arXiv 1801.07698; a state dictionary of arcface_torch, 18 to 200 layers: the depth is told by its tensors.",
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
    from ..networks.iresnet import of_state
    from ..networks.mobilefacenet import load_state

    if not path:
        raise ParameterError("iresnet needs weights", expected="iresnet:PATH", do="name the file")
    weights = files.read_weights(path)
    network = of_state(weights.tensors, weights.name)
    load_state(network, weights.tensors, weights.name)
    network.eval()
    engine = make_engine(copy.deepcopy(network), CARD.name, CARD.input_size, device, backend)
    card = replace(CARD, files={weights.name: weights.digest})
    return Embedder(card, engine, network.to(engine.device), weights.digest)
