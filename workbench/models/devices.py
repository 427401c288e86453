"""Which device is used, said plainly; asking for one that is not there is an error."""

from __future__ import annotations

import functools
import logging
from pathlib import Path

from .. import files
from ..core import DeviceError

log = logging.getLogger("workbench")


def resolve(device: str = "auto") -> str:
    """``"auto"`` is the first CUDA device if there is one, else the CPU.

    Returns:
        ``"cpu"`` or ``"cuda:<n>"``.

    Raises:
        DeviceError: a GPU was asked for that this machine does not have, or the name is unknown.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda:0" if count else "cpu"
    if device == "cpu":
        return device
    kind, _, number = device.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise DeviceError(f"unknown device {device!r}", given=device, expected="auto, cpu, cuda or cuda:<n>")
    if int(number or 0) >= count:
        raise DeviceError(
            f"device {device!r} is not on this machine",
            given=device,
            expected=f"one of {count} CUDA devices" if count else "cpu: PyTorch sees no CUDA device here",
            do="use device='auto' or 'cpu', or install a driver and a CUDA build of PyTorch",
        )
    return f"cuda:{int(number or 0)}"


def onnx_providers(device: str) -> list[str]:
    """ONNX Runtime providers for a resolved device.

    Raises:
        DeviceError: a GPU is asked for, and this ONNX Runtime has no CUDA provider.
    """
    import onnxruntime

    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise DeviceError(
            "this ONNX Runtime has no CUDA provider",
            given=device,
            do="install onnxruntime-gpu and remove onnxruntime, or use device='cpu'",
        )
    return ["CUDAExecutionProvider"]


@functools.cache
def cpu_flags() -> frozenset[str]:
    """Instruction sets that the CPU names; empty where the system does not tell."""
    info = Path("/proc/cpuinfo")
    text = files.read_text(info) if info.exists() else ""
    lines = [line for line in text.splitlines() if line.startswith(("flags", "Features"))]
    return frozenset(lines[0].partition(":")[2].split()) if lines else frozenset()


def fast_bf16(device: str) -> bool:
    """Whether bfloat16 is computed natively: AMX or AVX-512 BF16 on a CPU, Ampere or newer on a GPU."""
    if device == "cpu":
        return bool(cpu_flags() & {"amx_bf16", "avx512_bf16"})
    import torch

    return torch.cuda.get_device_capability(device)[0] >= 8


@functools.cache
def say_once(sentence: str) -> None:
    """Log what is used, the first time only."""
    log.info(sentence)
