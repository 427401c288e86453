"""Features of HSEmotion's expression networks (arXiv 2103.17107) from the user's own ONNX files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import files
from ...core import DeviceError, ParameterError
from ..cards import Backend, Card

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CARD = Card(
    name="hsemotion",
    task="expression",
    input_size=(0, 0),
    crop="as OFIQ: five landmarks to its template of 616 px, the part x 144 to 472, y 148 to 488 of it as a square",
    mean=(255 * _MEAN[0], 255 * _MEAN[1], 255 * _MEAN[2]),
    scale=(1 / (255 * _DEVIATION[0]), 1 / (255 * _DEVIATION[1]), 1 / (255 * _DEVIATION[2])),
    output="features, float32 (n, 1280) of enet_b0_8_best_vgaf, (n, 1408) of enet_b2_8",
    normalised=False,
    licence="that of the user's weights (Apache-2.0 for HSEmotion's)",
    source="the user's file: hsemotion:PATH, exported without its last layer",
    notes="The input's size is read from the file: 224 px of enet_b0, 260 px of enet_b2.",
)


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> Any:
    """The network.

    Args:
        path: a self-contained ``.onnx`` file that ends in the vector before the last layer.
        device: see `models.load`.
        backend: ``"auto"`` or ``"onnx"``.

    Raises:
        WeightsError: it ends in classes, or takes other inputs; the message says how to export it.
    """
    from .. import devices
    from ..engines import OnnxEngine
    from ..expression_features import ExpressionFeatures, read_shapes

    if not path:
        raise ParameterError("hsemotion needs a file", expected="hsemotion:PATH", do="name the file")
    if backend not in ("auto", "onnx"):
        raise DeviceError("an ONNX file runs in ONNX Runtime only", given=backend, expected="auto or onnx")
    data, name = files.read_onnx(path), Path(path).name
    engine = OnnxEngine(data, devices.resolve(device), name)
    side, faces, length = read_shapes(engine, name)
    digest = files.sha256_bytes(data)
    card = replace(CARD, input_size=(side, side), dimension=length, files={name: digest})
    return ExpressionFeatures(card, engine, digest, batch=faces or 32)
