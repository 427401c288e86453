"""JSON objects in a reply, found without guessing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_DEEPEST = 32
_TRIED = re.compile(r"\{\s{0,20}[\"']?\w{1,60}[\"']?\s{0,20}:|\"\w{1,60}\"\s{0,20}:|```\s{0,5}json\b|^\s*[\[{]\s*[\[{]")
_FENCE = re.compile(r"```\s{0,5}json\b")
_NOT_SAID = re.compile(
    r"\b(?:if|example|instance|e\.g|ignore|disregard|instructions?|system|admin|developer|says?|reads?|saying|reading|"
    r"written|asked|told|tells?|must|instead of|not|output|respond|reply|template|schema|format would be)\b"
)


@dataclass(frozen=True)
class Found:
    """What was looked for as JSON.

    Attributes:
        objects: the objects, in the order of the text.
        outside: the text around them.
        broken: why the text's JSON cannot be used; "" when it can, or when there is none.
    """

    objects: tuple[dict[str, Any], ...]
    outside: str
    broken: str = ""


def find(text: str) -> Found:
    """Objects at the top of the text: the whole of it, in a code block, or balanced in prose.

    An object that a sentence gives as an example, quotes from the picture, orders or asks about is not the
    model's own. Duplicate keys, NaN, Infinity and more than 32 levels make an object unusable.
    """
    objects, outside, at = [], [], 0
    for start, end in _balanced(text):
        outside.append(text[at:start])
        at = end
        if not _looks_like_json(text[start:end]):
            outside.append(text[start:end])
            continue
        try:
            objects.append(_loads(text[start:end]))
        except (ValueError, RecursionError) as error:
            return Found((), "".join(outside), f"JSON that does not parse: {error}")
        if not _own(text, start, end):
            return Found((), "".join(outside), "the object is quoted, ordered or asked about")
    outside.append(text[at:])
    around = "".join(outside)
    around = _FENCE.sub("", around) if objects else around
    if _TRIED.search(around) or (objects and around.count("{") > around.count("}")):
        return Found((), around.partition("{")[0], "JSON that is cut or is not JSON")
    return Found(tuple(objects), around)


def integer(value: Any) -> int | None:
    """A JSON integer (12 or 12.0), or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None


def number(value: Any) -> float | None:
    """A finite JSON number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def _balanced(text: str) -> Iterator[tuple[int, int]]:
    """Ends of every ``{...}`` that lies in no other; braces inside strings do not count."""
    depth, start, quoted, escaped = 0, 0, False, False
    for at, c in enumerate(text):
        if quoted:
            quoted = escaped or c != '"'
            escaped = c == "\\" and not escaped
        elif c == '"' and depth:
            quoted = True
        elif c == "{":
            start = start if depth else at
            depth += 1
        elif c == "}" and depth:
            depth -= 1
            if not depth:
                yield start, at + 1


def _looks_like_json(piece: str) -> bool:
    return '"' in piece or ":" in piece or piece.strip("{} \n\t") == ""


def _loads(piece: str) -> dict[str, Any]:
    if _depth(piece) > _DEEPEST:
        raise ValueError(f"more than {_DEEPEST} levels")
    loaded: dict[str, Any] = json.loads(piece, object_pairs_hook=_pairs, parse_constant=_constant)
    return loaded


def _depth(piece: str) -> int:
    depth = deepest = 0
    for c in piece:
        depth += (c in "[{") - (c in "]}")
        deepest = max(deepest, depth)
    return deepest


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _own(text: str, start: int, end: int) -> bool:
    # The lead-in is the sentence before the object, fences aside.
    lead = re.split(
        r"[.!?](?:\s|$)|\n\s*\n", text[max(0, start - 300) : start].replace("```json", "").replace("```", "")
    )[-1]
    return not _NOT_SAID.search(lead.casefold()) and not text[end : end + 2].lstrip().startswith("?")
