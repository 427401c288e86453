"""Checking and timing models: what stands behind ``workbench models check`` and ``bench``."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..core import seeds
from . import load
from .engines import OnnxEngine, TorchEngine, export_onnx


def check(spec: str) -> dict[str, Any]:
    """Load a model (which checks its digests) and compare its torch network with its ONNX export.

    Returns:
        The provider, and for torch models the largest absolute difference of the two on seeded noise.
    """
    model = load(spec, device="cpu")
    report: dict[str, Any] = {"model": spec, "provider": model.provider, "files": dict(model.card.files)}
    network = torch_network(spec)
    if network is not None:
        report["largest difference torch to ONNX"] = onnx_difference(network, model.card.input_size)
    return report


def torch_network(spec: str) -> Any:
    """A model's network in float32, or None where it has none."""
    if spec.partition(":")[0] in ("onnx", "yunet"):
        return None
    model = load(spec, device="cpu", backend="torch")
    return model.engine.network if hasattr(model, "engine") else None


def onnx_difference(network: Any, input_size: tuple[int, int]) -> float:
    """Largest absolute difference between a network and its ONNX export on one batch of seeded noise."""
    noise = seeds.rng("models", "check").standard_normal((2, 3, *input_size)).astype(np.float32) * 0.3
    ours = TorchEngine(network, "cpu")(noise)
    theirs = OnnxEngine(export_onnx(network, input_size), "cpu", "export")(noise)
    return float(np.abs(ours - theirs).max())


def bench(spec: str, batches: tuple[int, ...] = (1, 8, 32)) -> dict[str, Any]:
    """Inputs per second at some batch sizes, best of three."""
    model = load(spec)
    report: dict[str, Any] = {"model": spec, "provider": model.provider}
    if not hasattr(model, "engine"):
        return report
    for batch in batches:
        x = np.zeros((batch, 3, *model.card.input_size), np.float32)
        model.engine(x)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            model.engine(x)
            times.append(time.perf_counter() - start)
        report[f"per second at batch {batch}"] = round(batch / min(times), 1)
    return report
