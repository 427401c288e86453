"""Weights are bytes, not code: named tensors out of safetensors, torch, NumPy and ONNX files.

The bytes that are hashed are the bytes that are read. Nothing is unpickled beyond plain tensors, and there
is no fallback to a loader that would.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import DigestError, WeightsError
from .paths import read_bytes, sha256_bytes
from .store import commit_bytes

LIMIT = 4 << 30
_RATIO = 100


@dataclass(frozen=True)
class Weights:
    """Named tensors of one file.

    Attributes:
        tensors: arrays by name, as stored.
        digest: SHA-256 of the file.
        format: ``"safetensors"``, ``"torch"`` or ``"npz"``.
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
    """Tensors of a ``.safetensors``, ``.pt``/``.pth``/``.ckpt`` or ``.npz`` file.

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
    if zipfile.is_zipfile(io.BytesIO(data)):
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
        numpy_archive = bool(names) and all(n.endswith(".npy") for n in names)
        kind = "npz" if numpy_archive else "torch"
    elif len(data) > 9 and data[8:9] == b"{":
        kind = "safetensors"
    else:
        kind = "torch"
    tensors = {"npz": _npz, "torch": _torch, "safetensors": _safetensors}[kind](data, name)
    if not tensors:
        raise WeightsError(f"{name} holds no tensors", given=kind, expected="a table of named tensors")
    return Weights(tensors, digest, kind, name)


def write_tensors(path: str | Path, tensors: Mapping[str, NDArray[Any]]) -> Path:
    """Store arrays as safetensors, whole or not at all."""
    from safetensors.numpy import save

    return commit_bytes(path, save({k: np.ascontiguousarray(v) for k, v in tensors.items()}))


def _refused(name: str, why: str, given: object) -> WeightsError:
    return WeightsError(
        f"{name} was refused: {why}",
        given=given,
        expected="a plain table of tensors; code in weights is never run, there is no fallback that would",
        do="convert it where you trust it: safetensors.torch.save_file(state_dict, 'x.safetensors')",
    )


def _safetensors(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _refused(name, "it is not a whole safetensors file", error) from error


def _npz(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        if sum(m.file_size for m in members) > max(_RATIO * len(data), 1 << 20):
            raise _refused(name, "it unpacks to far more than its size", f"{len(data)} bytes")
        return {m.filename.removesuffix(".npy"): read_npy(archive.read(m), name) for m in members}
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
        if isinstance(error, WeightsError):
            raise
        raise _refused(name, "it is not a whole NumPy archive", error) from error


def read_npy(data: bytes, name: str) -> NDArray[Any]:
    """One ``.npy`` array out of its bytes; the size its header states must be the size that is there.

    Raises:
        WeightsError: an object array, a damaged header, or a header that asks for other than is there.
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(stream)
    except (ValueError, KeyError, SyntaxError, EOFError) as error:
        raise _refused(name, "an array's header cannot be read", error) from error
    if dtype.hasobject:
        raise _refused(name, "it holds Python objects", str(dtype))
    body = data[stream.tell() :]
    if math.prod(shape) * dtype.itemsize != len(body):
        raise _refused(name, "an array's header does not fit its data", f"{shape} {dtype}, {len(body)} bytes")
    flat = np.frombuffer(body, dtype=dtype)
    return flat.reshape(shape, order="F" if fortran else "C").copy()


def _torch(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    import torch

    if zipfile.is_zipfile(io.BytesIO(data)):
        members = zipfile.ZipFile(io.BytesIO(data)).infolist()
        if any(m.compress_type != zipfile.ZIP_STORED for m in members):
            # torch.save never compresses; a compressed member only serves to hide its size.
            raise _refused(name, "its members are compressed", f"{len(members)} members")
    try:
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError,
            IndexError, AssertionError, OSError, UnicodeDecodeError) as error:  # fmt: skip
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _refused(name, "it holds more than tensors, or is damaged", first[:300]) from error
    tables = sorted(_tables(loaded), key=len)
    if not tables:
        raise _refused(name, "no table of named tensors was found in it", type(loaded).__name__)
    return {key: _array(value, key, name) for key, value in tables[-1].items()}


def _tables(thing: object) -> Iterator[dict[str, Any]]:
    """Dictionaries of tensors in a checkpoint: itself, or under a key such as ``state_dict``."""
    import torch

    if isinstance(thing, dict):
        tensors = {str(k): v for k, v in thing.items() if isinstance(v, torch.Tensor)}
        if tensors:
            yield tensors
        for value in thing.values():
            yield from _tables(value)


def _array(tensor: Any, key: str, name: str) -> NDArray[Any]:
    import torch

    stored = tensor.untyped_storage().nbytes() if tensor.layout == torch.strided else 0
    if tensor.numel() * tensor.element_size() > stored:
        raise _refused(name, f"tensor {key!r} claims more than is stored", f"{tuple(tensor.shape)}, {stored} bytes")
    plain = tensor.detach()
    return np.asarray((plain.float() if plain.dtype == torch.bfloat16 else plain).numpy())
