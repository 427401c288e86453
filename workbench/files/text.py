"""Strict JSON that carries undefined values: every reader, a browser too, understands it.

Dataclasses of the core travel as objects with a tag, ``{"$": "Undefined", "reason": ...}``; NaN and
infinity are refused where they stand.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..core import Estimate, Reported, Result, ShapeError, StoreError, Undefined, Verdict

# Characters that some readers of lines and of scripts take for the end of a line.
_BREAKS = ("\x85", "\u2028", "\u2029")
_TAGGED: dict[str, type[Any]] = {c.__name__: c for c in (Estimate, Undefined, Verdict, Reported, Result)}


def to_json(thing: object, *, indent: int | None = None) -> str:
    """``thing`` as strict JSON with sorted keys.

    Raises:
        ShapeError: a value that JSON cannot carry (NaN, infinity, an unknown class), with its place.
    """
    plain = _plain(thing, "$")
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent)
    if any(mark in text for mark in _BREAKS) or not _encodable(text):
        text = json.dumps(plain, sort_keys=True, ensure_ascii=True, allow_nan=False, indent=indent)
    return text


def from_json(text: str) -> Any:
    """What `to_json` wrote.

    Raises:
        StoreError: not JSON, or a tagged object that does not fit its class.
    """
    try:
        return _rich(json.loads(text, parse_constant=_refuse_constant, parse_float=_finite))
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreError("this is not the workbench's JSON", given=str(error), expected="what to_json wrote") from error


def _encodable(text: str) -> bool:
    """Whether UTF-8 can carry it; file names that are not UTF-8 come as half characters, which it cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is larger than any number here")
    return number


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _plain(thing: object, place: str) -> object:
    if thing is None or isinstance(thing, bool | str):
        return thing
    if isinstance(thing, int | np.integer):
        return int(thing)
    if isinstance(thing, float | np.floating):
        if not math.isfinite(thing):
            raise ShapeError(
                f"{thing} cannot be stored",
                given=f"at {place}",
                expected="a finite number or Undefined(reason)",
            )
        return float(thing)
    if isinstance(thing, np.bool_):
        return bool(thing)
    if isinstance(thing, Mapping):
        return {_key(k, place): _plain(v, f"{place}.{k}") for k, v in thing.items()}
    if isinstance(thing, np.ndarray) and thing.ndim == 0:
        return _plain(thing[()], place)
    if isinstance(thing, list | tuple | np.ndarray):
        return [_plain(v, f"{place}[{i}]") for i, v in enumerate(thing)]
    if isinstance(thing, Path):
        return str(thing)
    if dataclasses.is_dataclass(thing) and type(thing).__name__ in _TAGGED:
        fields = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing)}
        return {"$": type(thing).__name__} | {k: _plain(v, f"{place}.{k}") for k, v in fields.items()}
    raise ShapeError("a value cannot be stored as JSON", given=f"{type(thing).__name__} at {place}")


def _key(key: object, place: str) -> str:
    if not isinstance(key, str) or key == "$":
        raise ShapeError("a JSON key is a text other than '$'", given=f"{key!r} at {place}")
    return key


def _rich(thing: Any) -> Any:
    if isinstance(thing, list):
        return [_rich(v) for v in thing]
    if not isinstance(thing, dict):
        return thing
    values = {k: _rich(v) for k, v in thing.items() if k != "$"}
    if "$" not in thing:
        return values
    kind = _TAGGED.get(thing["$"])
    if kind is None:
        raise ValueError(f"unknown tag {thing['$']!r}")
    tuples = {f.name for f in dataclasses.fields(kind) if str(f.type).startswith("tuple")}
    return kind(**{k: tuple(v) if k in tuples else v for k, v in values.items()})
