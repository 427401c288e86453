"""Any ONNX embedder of the user's, with its card beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import files
from ...core import DeviceError, ParameterError, WeightsError
from ..cards import ARCFACE_112, Backend, Card, card_from_json

CARD = Card(
    name="onnx",
    task="embedding",
    input_size=(112, 112),
    crop="as the card beside the file says",
    template=ARCFACE_112,
    output="float32 (n, dimension)",
    licence="that of the user's weights",
    source="the user's file: onnx:PATH, with PATH.card.json beside it",
    notes="The card is a JSON object with input_size, template, mean, scale, colour, dimension and licence; "
    "the template above is the usual one for 112 x 112.",
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The embedder.

    Args:
        path: a self-contained ``.onnx`` file; ``path + ".card.json"`` holds its card.
        device: see `models.load`.
        backend: ``"auto"`` or ``"onnx"``.
    """
    from .. import devices
    from ..embedders import Embedder
    from ..engines import OnnxEngine

    if not path:
        raise ParameterError("onnx needs a file", expected="onnx:PATH", do="name the file")
    if backend not in ("auto", "onnx"):
        raise DeviceError("an ONNX file runs in ONNX Runtime only", given=backend, expected="auto or onnx")
    beside = Path(f"{path}.card.json")
    if not beside.is_file():
        raise WeightsError(
            f"{Path(path).name} has no card",
            expected=f"{beside.name} beside it",
            do="a crop template is never guessed: write the card; `workbench models show onnx` shows one",
        )
    data = files.read_onnx(path)
    card = card_from_json(json.loads(files.read_text(beside)), Path(path).stem)
    engine = OnnxEngine(data, devices.resolve(device), card.name)
    digest = files.sha256_bytes(data)
    return Embedder(replace(card, files={Path(path).name: digest}), engine, None, digest)
