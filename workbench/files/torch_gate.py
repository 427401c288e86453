"""torch checkpoints: plain tensors in named tables, or a refusal that names what else was asked for."""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import WeightsError
from .arrays import BROKEN_ZIP, members, refused

_PICKLE_LIMIT = 64 << 20
_DEPTH = 6
_KINDS = ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
# torch's own safe loader allows more, among it calls such as bytearray(n) that allocate what they are told to.
_ALLOWED = {
    "collections OrderedDict",
    "torch Size",
    "torch device",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch.storage UntypedStorage",
    *(f"torch {kind}Storage" for kind in _KINDS),
    *(f"torch {kind}" for kind in ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16")),
    *(f"torch {kind}" for kind in ("int8", "uint8", "bool")),
}
# Names by which protocol 4 and classes of old pickle the same could be said past the list above.
_INDIRECT = {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID"}


def read_torch(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    """Named tensors of a checkpoint written by ``torch.save``; of several tables the largest.

    Raises:
        WeightsError: code, damage, sizes that do not fit, or no table of tensors.
    """
    import torch

    for stream, count in _pickles(data, name):
        for _ in range(count):
            if asked := _forbidden(stream, name):
                raise refused(name, "it asks for more than tensors", asked)
    try:
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        tables = sorted(_tables(loaded, set(), _DEPTH), key=len)
        held = sum(t.numel() * t.element_size() for t in tables[-1].values()) if tables else 0
        if held > 2 * len(data):
            # Views with a stride of zero, or many tensors over one storage.
            raise refused(name, "its tensors claim more than is stored", f"{held} out of {len(data)} bytes")
        tensors = {key: _array(tensor) for key, tensor in tables[-1].items()} if tables else {}
    except WeightsError:
        raise
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, LookupError, TypeError, AttributeError,
            AssertionError, OSError, ArithmeticError, MemoryError, struct.error, ImportError) as error:  # fmt: skip
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise refused(name, "it holds more than tensors, or is damaged", first[:300]) from error
    if not tensors:
        raise refused(name, "no table of named tensors was found in it", type(loaded).__name__)
    return tensors


def _pickles(data: bytes, name: str) -> list[tuple[io.BytesIO, int]]:
    """Where a checkpoint's pickles lie, and how many follow each other there."""
    if not data.startswith(b"PK"):
        # The format before torch 1.6: magic number, version, system, the object, its storages' names.
        return [(io.BytesIO(data), 5)]
    archive = members(data, name, ratio=1)
    found = archive.infolist()
    if any(m.compress_type != zipfile.ZIP_STORED for m in found):
        # torch.save never compresses; a compressed member only serves to hide its size.
        raise refused(name, "its members are compressed", f"{len(found)} members")
    tables = [m for m in found if m.filename.endswith(".pkl")]
    if sum(m.file_size for m in tables) > _PICKLE_LIMIT:
        raise refused(name, "its table of contents is of absurd size", f"over {_PICKLE_LIMIT} bytes")
    try:
        return [(io.BytesIO(archive.read(m)), 1) for m in tables]
    except BROKEN_ZIP as error:
        raise refused(name, "it is damaged", error) from error


def _forbidden(stream: io.BytesIO, name: str) -> str:
    """The first thing that one pickle names and that no table of tensors needs; empty when there is none."""
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name in _INDIRECT or (opcode.name == "GLOBAL" and argument not in _ALLOWED):
                return f"{opcode.name} {argument or ''}".strip()
    except (ValueError, EOFError, IndexError, OverflowError, MemoryError, struct.error) as error:
        raise refused(name, "it is damaged, or not a file of weights", str(error)[:300]) from error
    return ""


def _tables(thing: object, seen: set[int], depth: int) -> Iterator[dict[str, Any]]:
    """Dictionaries of tensors in a checkpoint: itself, or under a key such as ``state_dict``."""
    import torch

    # Dictionaries may hold each other: without `seen`, forty of them are a million million visits.
    if not isinstance(thing, dict) or id(thing) in seen or depth == 0:
        return
    seen.add(id(thing))
    tensors = {str(k): v for k, v in thing.items() if isinstance(v, torch.Tensor)}
    if tensors:
        yield tensors
    for value in thing.values():
        yield from _tables(value, seen, depth - 1)


def _array(tensor: Any) -> NDArray[Any]:
    import torch

    plain = tensor.detach()
    return np.asarray((plain.float() if plain.dtype == torch.bfloat16 else plain).numpy())
