"""One schema per study, read from the typed parameters cell of its notebook; values are checked against it.

A line reads ``pairs: int | None = None  # [2, 3000] pairs of each kind; None: by scale``: name, type, default,
range in brackets, help. The cell is parsed, never run.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import files
from ..core import ParameterError, nearest

COMMON = ("scale", "data", "model", "device", "seed", "out")
# A study that computes on the CPU alone runs without a device.
NEEDED = tuple(name for name in COMMON if name != "device")
_KINDS: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool}
_LONGEST = 4096


@dataclass(frozen=True)
class Parameter:
    """One parameter of a study.

    Attributes:
        name: in the notebook.
        kind: ``"int"``, ``"float"``, ``"str"`` or ``"bool"``.
        default: as the cell has it.
        optional: whether None is allowed.
        choices: allowed values, or () for any.
        low, high: range, or None.
        help: what it means.
    """

    name: str
    kind: str
    default: object
    optional: bool = False
    choices: tuple[object, ...] = ()
    low: float | None = None
    high: float | None = None
    help: str = ""


def schema(notebook: Path) -> dict[str, Parameter]:
    """Parameters of a notebook, in its order.

    Raises:
        ParameterError: no parameters cell, more than one, or a line that is not a typed assignment.
    """
    cells = json.loads(files.read_text(notebook))["cells"]
    tagged = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    if len(tagged) != 1:
        raise ParameterError(
            f"{notebook.name} needs one parameters cell", given=f"{len(tagged)}", do="tag one cell 'parameters'"
        )
    source = "".join(tagged[0]["source"])
    lines = source.splitlines()
    return {p.name: p for p in (_parameter(n, lines[n.lineno - 1], notebook.name) for n in ast.parse(source).body)}


def _parameter(node: ast.stmt, line: str, name: str) -> Parameter:
    if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None):
        raise ParameterError(f"{name}: a parameter is written 'name: type = value  # help'", given=line)
    kind, optional, choices = _kind(node.annotation, line)
    comment = line[node.end_col_offset or 0 :].partition("#")[2].strip()
    bounds = re.match(r"\[\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*\]\s*", comment)
    low, high = (float(bounds[1]), float(bounds[2])) if bounds else (None, None)
    text = comment[bounds.end() :] if bounds else comment
    return Parameter(node.target.id, kind, ast.literal_eval(node.value), optional, choices, low, high, text)


def _kind(annotation: ast.expr, line: str) -> tuple[str, bool, tuple[object, ...]]:
    if isinstance(annotation, ast.Name) and annotation.id in _KINDS:
        return annotation.id, False, ()
    if isinstance(annotation, ast.BinOp) and ast.unparse(annotation.right) == "None":
        kind, _, choices = _kind(annotation.left, line)
        return kind, True, choices
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        values = ast.literal_eval(annotation.slice)
        choices = values if isinstance(values, tuple) else (values,)
        return type(choices[0]).__name__, False, choices
    raise ParameterError(
        "a parameter's type is not one that forms know", given=line, expected="int, float, str, bool, Literal"
    )


def check(values: Mapping[str, object], known: Mapping[str, Parameter]) -> dict[str, Any]:
    """Values for every parameter: those given, checked, and defaults for the rest.

    Raises:
        ParameterError: an unknown name (with the nearest known one), a wrong type, choice or range.
    """
    for error in errors(values, known).values():
        raise error
    return {name: _checked(p, values[name]) if name in values else p.default for name, p in known.items()}


def errors(values: Mapping[str, object], known: Mapping[str, Parameter]) -> dict[str, ParameterError]:
    """Everything that does not fit, by name: unknown names first, then values in the order of the notebook."""
    found = {name: _unknown(str(name)[:100], known) for name in values if name not in known}
    for name, p in known.items():
        if name in values:
            try:
                _checked(p, values[name])
            except ParameterError as error:
                found[name] = error
    return found


def _unknown(name: str, known: Mapping[str, Parameter]) -> ParameterError:
    near = nearest(name, known)
    return ParameterError(
        f"unknown parameter {name!r}",
        expected=f"did you mean {near[0]!r}?" if near else "one of: " + ", ".join(known),
        do="`workbench show STUDY` lists them with their meaning",
    )


def _checked(p: Parameter, value: object) -> object:
    wrong = ParameterError(
        f"parameter {p.name!r} does not fit",
        given=f"{type(value).__name__} {str(value)[:100]!r}",
        expected=describe(p),
    )
    if value is None and p.optional:
        return None
    if p.kind == "float" and type(value) is int:
        value = float(value)
    if type(value) is not _KINDS[p.kind] or (isinstance(value, str) and len(value) > _LONGEST):
        raise wrong
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong
    if p.choices and value not in p.choices:
        raise wrong
    if isinstance(value, int | float) and not (p.low is None or p.high is None or p.low <= value <= p.high):
        raise wrong
    return value


def describe(p: Parameter) -> str:
    """A parameter's allowed values, in words."""
    if p.choices:
        return " or ".join(repr(c) for c in p.choices)
    # Whole, not rounded to six digits: 1234567 is not 1.23457e+06.
    bounds = [repr(int(v) if v.is_integer() and abs(v) < 1e15 else v) for v in (p.low, p.high) if v is not None]
    text = p.kind + (f" from {bounds[0]} to {bounds[1]}" if len(bounds) == 2 else "")
    return text + (" or None" if p.optional else "")


def pair(text: str) -> tuple[str, str]:
    """``"pairs=40"`` as name and value.

    Raises:
        ParameterError: no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ParameterError("a parameter is written NAME=VALUE", given=text)
    return name, value


def from_text(pairs: Mapping[str, str], known: Mapping[str, Parameter]) -> dict[str, object]:
    """Values typed on a command line, as the types that the parameters have; unknown names stay text."""
    return {name: _typed(text, known[name]) if name in known else text for name, text in pairs.items()}


def _typed(text: str, p: Parameter) -> object:
    if p.optional and text == "None":
        return None
    try:
        if p.kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        return _KINDS[p.kind](text)
    except (ValueError, KeyError):
        return text
