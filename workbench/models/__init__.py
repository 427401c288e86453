"""Detectors, aligners, embedders, attribute and attack-detection models, each with a card.

Names and cards are listed without loading torch:

>>> from workbench import models
>>> models.card("faceapi-recogniser").input_size
(150, 150)

``models.load("faceapi-recogniser")`` loads one; ``"mobilefacenet:weights.ckpt"``, ``"iresnet:weights.pth"``,
``"onnx:model.onnx"``, ``"yunet:detector.onnx"`` and ``"minifasnet:FOLDER"`` take the user's own files;
``"<package>/<name>"`` is a plug-in's.
"""

from __future__ import annotations

import importlib
from typing import Any

from ..core import Registry, parted
from .cards import BACKENDS, Backend, Card

REGISTRY = Registry("model", "workbench.models.zoo", "workbench.models")

_LAZY = {
    "AgeGender": "faces", "AnchorDetector": "detectors", "AttackDetector": "presentation",
    "attack_detector": "presentation", "Embedder": "embedders", "Embeddings": "pipeline",
    "Faces": "detectors", "Landmarker": "faces", "Pipeline": "pipeline", "align": "alignment",
    "five_points": "alignment", "similarity": "alignment", "export_onnx": "engines", "EXPRESSIONS": "faces",
}  # fmt: skip

__all__ = [
    "BACKENDS", "REGISTRY", "Backend", "Card", "card", "default_pipeline", "load", "names", "several", "split", *_LAZY,
]  # fmt: skip


def names() -> list[str]:
    """All model names, built in and plugged in; imports nothing."""
    return list(REGISTRY.entries())


def split(spec: str) -> tuple[str, str]:
    """``"mobilefacenet:weights.ckpt"`` as name and path; the path is "" where there is none."""
    name, _, path = spec.partition(":")
    return name, path


def several(specs: str) -> list[str]:
    """``"hsemotion:B0.onnx;mobilefacenet:weights.ckpt"`` as its specifications."""
    return parted(specs, names)


def card(spec: str) -> Card:
    """A model's card, without its weights.

    Raises:
        UnknownNameError: no such model; the nearest names are in the message.
    """
    found: Card = REGISTRY.load(split(spec)[0]).CARD
    return found


def load(spec: str, *, device: str = "auto", backend: Backend = "auto") -> Any:
    """A model, ready to run.

    Args:
        spec: a name of `names`, with ``:PATH`` where the weights are the user's.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:<n>"``; a GPU that is not there is an error.
        backend: ``"auto"`` takes the fastest accurate one; or ``"torch"``, ``"torch-bf16"``, ``"onnx"``.

    Raises:
        UnknownNameError: no such model.
        WeightsError, DigestError: the weights are absent, damaged, hostile or made for another network.
        DeviceError: the device or backend is not to be had.
    """
    name, path = split(spec)
    return REGISTRY.load(name).load(path, device, backend)


def default_pipeline(
    *,
    model: str = "faceapi-recogniser",
    detector: str = "faceapi-ssd",
    device: str = "auto",
    backend: Backend = "auto",
    choose: str = "largest",
) -> Any:
    """Detector, landmarks, alignment and embedder, ready to take pictures; a `Pipeline`."""
    from .pipeline import Pipeline

    return Pipeline(
        load(detector, device=device),
        load("faceapi-landmarks68", device=device),
        load(model, device=device, backend=backend),
        choose=choose,  # type: ignore[arg-type]
    )


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module = importlib.import_module(f".{_LAZY[name]}", __name__)
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
