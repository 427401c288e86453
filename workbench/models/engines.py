"""What runs a network: torch in float32 or bfloat16, or ONNX Runtime. All take and give float32 arrays."""

from __future__ import annotations

import io
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..core import DeviceError, WeightsError
from ..files import check_onnx
from . import devices
from .cards import BACKENDS, Backend
from .networks.layers import fuse

# On a CPU what one layer leaves should still be in the cache for the next: more pixels at once are slower.
CPU_PIXELS = 600_000


class Engine(Protocol):
    """Runs one network on prepared inputs."""

    provider: str
    device: str

    def __call__(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(n, 3, h, w)``, ``n`` at least 1, to the network's output."""


class TorchEngine:
    """A torch module on a device, in float32 or in bfloat16 with channels last."""

    def __init__(self, network: nn.Module, device: str, *, bf16: bool = False) -> None:
        self.device = device
        self.dtype = torch.bfloat16 if bf16 else torch.float32
        self.network = network.eval().requires_grad_(False).to(device, self.dtype)
        self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if bf16 and device == "cpu":
            fuse(self.network)
        if device == "cpu":
            unit, kind = "CPU", "AMX" if "amx_bf16" in devices.cpu_flags() else "AVX-512"
        else:
            unit, kind = torch.cuda.get_device_name(device), "tensor cores"
        self.provider = f"torch {torch.__version__} {f'bfloat16 ({kind})' if bf16 else 'float32'} on {unit}"

    def __call__(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(n, 3, h, w)`` to the network's output; ``n`` is at least 1."""
        rows = max(1, CPU_PIXELS // prepared[0, 0].size if self.device == "cpu" else len(prepared))
        with torch.inference_mode():
            parts = [self._run(prepared[i : i + rows]) for i in range(0, len(prepared), rows)]
        return np.concatenate(parts)

    def _run(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        x = torch.from_numpy(prepared).to(self.device, self.dtype).to(memory_format=torch.channels_last)
        return np.asarray(self.network(x).float().cpu().numpy())


class OnnxEngine:
    """An ONNX Runtime session on checked bytes; the provider that it really uses is asked for and stated."""

    def __init__(self, data: bytes, device: str, name: str) -> None:
        import onnxruntime

        check_onnx(data, name)
        wanted = devices.onnx_providers(device)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(data, options, providers=wanted)
        except (RuntimeError, ValueError) as error:
            raise WeightsError(f"ONNX Runtime cannot load {name}", given=str(error)[:300]) from error
        used = self.session.get_providers()
        if used[0] != wanted[0]:
            raise DeviceError(
                "ONNX Runtime fell back to another provider",
                given=", ".join(used),
                expected=wanted[0],
                do="check that the CUDA and cuDNN versions fit this onnxruntime-gpu, or use device='cpu'",
            )
        self.device = device
        self.provider = f"ONNX Runtime {onnxruntime.__version__} {used[0].removesuffix('ExecutionProvider')}"
        self.input = self.session.get_inputs()[0].name

    def __call__(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(n, 3, h, w)`` to the network's first output."""
        out: Any = self.session.run(None, {self.input: np.ascontiguousarray(prepared)})[0]
        return np.asarray(out, dtype=np.float32)


def export_onnx(network: nn.Module, input_size: tuple[int, int]) -> bytes:
    """A network as one ONNX file with any batch size; opset 17.

    Args:
        network: takes ``(n, 3, h, w)`` float32.
        input_size: ``(h, w)``.
    """
    import warnings

    out = io.BytesIO()
    example = torch.zeros(2, 3, *input_size)
    with warnings.catch_warnings():
        # The tracing exporter needs no further package; its warnings speak of the other one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval().float().cpu(),
            (example,),
            out,  # type: ignore[arg-type]  # the tracing exporter writes to any stream
            input_names=["images"],
            output_names=["output"],
            dynamic_axes={"images": {0: "n"}, "output": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )
    return out.getvalue()


def make_engine(
    network: nn.Module, card_name: str, input_size: tuple[int, int], device: str, backend: Backend
) -> Engine:
    """The engine that ``backend`` names; ``"auto"`` takes bfloat16 where the machine computes it natively."""
    if backend not in BACKENDS:
        raise DeviceError(f"unknown backend {backend!r}", given=backend, expected=", ".join(BACKENDS))
    place = devices.resolve(device)
    if backend == "auto":
        backend = "torch-bf16" if devices.fast_bf16(place) else "onnx" if place == "cpu" else "torch"
    engine: Engine
    if backend == "onnx":
        engine = OnnxEngine(export_onnx(network, input_size), place, card_name)
    else:
        engine = TorchEngine(network, place, bf16=backend == "torch-bf16")
    devices.say_once(f"{card_name}: {engine.provider}")
    return engine
