"""What a step of a study returned, as bytes: arrays and plain values in a zip, never a pickle."""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core import ShapeError, StoreError
from .arrays import BROKEN_ZIP, members, read_npy

_TREE = "tree.json"


def pack(thing: object) -> bytes:
    """``thing`` as bytes that `unpack` turns back into an equal thing.

    Args:
        thing: None, numbers, texts, bytes, arrays, and lists, tuples, mappings and dataclasses of them.

    Raises:
        ShapeError: something else is in it; the message says where.
    """
    arrays: list[np.ndarray[Any, Any]] = []
    tree = _fold(thing, arrays, "$")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(_TREE), json.dumps(tree))
        for number, array in enumerate(arrays):
            body = io.BytesIO()
            np.lib.format.write_array(body, array, allow_pickle=False)
            archive.writestr(_member(f"{number}.npy"), body.getvalue())
    return out.getvalue()


def unpack(data: bytes) -> Any:
    """What `pack` was given.

    Raises:
        StoreError: damaged, or it names a class that is not a dataclass of an installed study or of ours.
    """
    try:
        archive = members(data, "a stored step", ratio=1)
        tree = json.loads(archive.read(_TREE))
        arrays = [read_npy(archive.read(f"{i}.npy"), f"array {i}") for i in range(len(archive.namelist()) - 1)]
        return _unfold(tree, arrays)
    except (*BROKEN_ZIP, TypeError, AttributeError, ImportError) as error:
        raise StoreError(
            "a stored step cannot be read", given=str(error), do="delete it; it is computed again"
        ) from error


def _member(name: str) -> zipfile.ZipInfo:
    # A fixed date keeps equal things equal to the bit.
    return zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))


def _fold(thing: object, arrays: list[np.ndarray[Any, Any]], place: str) -> object:
    if thing is None or isinstance(thing, bool | str | int):
        return thing
    if isinstance(thing, float):
        return {"f": thing.hex()}
    if isinstance(thing, bytes):
        arrays.append(np.frombuffer(thing, np.uint8))
        return {"b": len(arrays) - 1}
    if isinstance(thing, np.generic):
        thing = np.asarray(thing)
        return {"s": _fold(thing, arrays, place)}
    if isinstance(thing, np.ndarray):
        if thing.dtype.hasobject:
            raise ShapeError("an array of Python objects cannot be stored", given=f"at {place}")
        if isinstance(thing, np.ma.MaskedArray):
            raise ShapeError("a masked array cannot be stored", given=f"at {place}", do="store its data and mask")
        arrays.append(thing)
        return {"a": len(arrays) - 1}
    if isinstance(thing, list | tuple):
        items = [_fold(v, arrays, f"{place}[{i}]") for i, v in enumerate(thing)]
        return {"l" if isinstance(thing, list) else "t": items}
    if isinstance(thing, Mapping):
        pairs = [[_fold(k, arrays, place), _fold(v, arrays, f"{place}.{k}")] for k, v in thing.items()]
        return {"m": pairs}
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        kind = type(thing)
        fields = {f.name: _fold(getattr(thing, f.name), arrays, f"{place}.{f.name}") for f in dataclasses.fields(thing)}
        return {"d": f"{kind.__module__}:{kind.__qualname__}", "v": fields}
    raise ShapeError(
        "a step returned what cannot be stored",
        given=f"{type(thing).__name__} at {place}",
        expected="arrays, numbers, texts, and lists, tuples, mappings and dataclasses of them",
        do="return arrays instead, e.g. a network's state as a mapping of arrays",
    )


def _unfold(tree: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "f" in tree:
        return float.fromhex(tree["f"])
    if "a" in tree:
        return arrays[tree["a"]]
    if "b" in tree:
        return arrays[tree["b"]].tobytes()
    if "s" in tree:
        return arrays[tree["s"]["a"]][()]
    if "l" in tree:
        return [_unfold(v, arrays) for v in tree["l"]]
    if "t" in tree:
        return tuple(_unfold(v, arrays) for v in tree["t"])
    if "m" in tree:
        return {_unfold(k, arrays): _unfold(v, arrays) for k, v in tree["m"]}
    kind = _dataclass(tree["d"])
    return kind(**{k: _unfold(v, arrays) for k, v in tree["v"].items()})


def _dataclass(name: str) -> Any:
    module, _, qualname = name.partition(":")
    parts = module.split(".")
    # `__main__` modules run programs when they are imported.
    ours = parts[0] in _homes() and "__main__" not in parts
    kind: Any = importlib.import_module(module) if ours else None
    for part in qualname.split("."):
        kind = getattr(kind, part, None)
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise TypeError(f"{name} is not a dataclass of the workbench or of an installed study")
    return kind


def _homes() -> set[str]:
    from importlib.metadata import entry_points

    return {"workbench"} | {p.value.split(".")[0].split(":")[0] for p in entry_points(group="workbench.studies")}
