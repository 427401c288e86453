"""Weights are bytes, not code: named tensors out of safetensors, torch, NumPy and ONNX files.

The bytes that are hashed are the bytes that are read. Nothing is unpickled beyond plain tensors, and there
is no fallback to a loader that would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import DigestError, WeightsError
from .arrays import BROKEN_ZIP, LIMIT, members, read_npy, refused
from .paths import read_bytes, sha256_bytes
from .store import commit_bytes
from .torch_gate import read_torch

_RATIO = 100


@dataclass(frozen=True)
class Weights:
    """Named tensors of one file.

    Attributes:
        tensors: arrays by name, as stored.
        digest: SHA-256 of the file.
        format: ``"safetensors"``, ``"torch"``, ``"npz"`` or ``"npy"`` (one array, named ``"array"``).
        name: file name, for messages.
    """

    tensors: Mapping[str, NDArray[Any]]
    digest: str
    format: str
    name: str


def read_checked(path: str | Path, sha256: str | None) -> tuple[bytes, str]:
    """A file's bytes and their SHA-256.

    Raises:
        DigestError: ``sha256`` was given and differs.
    """
    data = read_bytes(path, limit=LIMIT)
    digest = sha256_bytes(data)
    if sha256 is not None and digest != sha256:
        raise DigestError(
            f"{Path(path).name} is not the file that was expected",
            given=f"SHA-256 {digest}",
            expected=f"SHA-256 {sha256}",
            do="fetch it again, or check where it came from",
        )
    return data, digest


def read_weights(path: str | Path, *, sha256: str | None = None) -> Weights:
    """Tensors of a ``.safetensors``, ``.pt``/``.pth``/``.ckpt``, ``.npz`` or ``.npy`` file.

    Of a checkpoint that nests its tables the largest is taken, whatever its key (``state_dict``,
    ``net_state_dict``, ...). bfloat16 comes back as float32; every other type as stored.

    Args:
        path: the file; its kind is told from its content.
        sha256: expected digest, if it is known.

    Raises:
        DigestError: another digest.
        WeightsError: damaged, hostile, or no table of tensors in it.
        StoreError: unreadable.
    """
    data, digest = read_checked(path, sha256)
    name = Path(path).name
    kind = _kind(data)
    tensors = {"npz": _npz, "npy": _npy, "torch": read_torch, "safetensors": _safetensors}[kind](data, name)
    if not tensors:
        raise WeightsError(f"{name} holds no tensors", given=kind, expected="a table of named tensors")
    return Weights(tensors, digest, kind, name)


def write_tensors(path: str | Path, tensors: Mapping[str, NDArray[Any]]) -> Path:
    """Store arrays as safetensors, whole or not at all."""
    from safetensors.numpy import save

    return commit_bytes(path, save({k: np.ascontiguousarray(v) for k, v in tensors.items()}))


def _kind(data: bytes) -> str:
    if data.startswith(b"\x93NUMPY"):
        return "npy"
    if data.startswith(b"PK"):
        # NumPy's archives hold arrays only, one a member; torch's hold a pickle and storages.
        return "torch" if b"data.pkl" in data else "npz"
    return "safetensors" if data[8:9] == b"{" else "torch"


def _safetensors(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise refused(name, "it is not a whole safetensors file with types that NumPy has", error) from error


def _npz(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    archive = members(data, name, ratio=_RATIO)
    strange = [n for n in archive.namelist() if not n.endswith(".npy")]
    if strange:
        raise refused(name, "it is neither a NumPy archive nor a torch checkpoint", strange[0][:80])
    try:
        return {n.removesuffix(".npy"): read_npy(archive.read(n), name) for n in archive.namelist()}
    except WeightsError:
        raise
    except BROKEN_ZIP as error:
        raise refused(name, "it is not a whole NumPy archive", error) from error


def _npy(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    return {"array": read_npy(data, name)}
