"""An answer as a client's JSON schema wants it, filled with what is seen.

Understood are the keywords of `_KNOWN`; another one that would restrict the answer is refused, so that an answer never
breaks a schema in silence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .request import BadRequest
from .values import PERCENT, READERS, attribute, choose, is_group, key_of, plain
from .view import Declined, View

_KNOWN = {
    "type", "properties", "required", "additionalProperties", "enum", "const", "minimum", "maximum", "maxLength",
    "items", "minItems", "maxItems", "anyOf", "$ref", "$defs", "definitions", "description", "title", "default",
    "examples", "$schema", "$id", "$comment",
}  # fmt: skip
_REFERENCES = 16
# An age beyond what a schema allows is brought inside; anything else is declined.
_AGES = {"age", "age_low", "age_high"}


def fill(schema: Mapping[str, Any], view: View) -> dict[str, object]:
    """One object that satisfies a schema.

    Args:
        schema: its root describes an object.
        view: what is seen; its remarks grow.

    Raises:
        BadRequest: the schema is damaged or says something that is not understood here.
        Declined: it asks for what is not seen or not known.
    """
    try:
        made = _Filler(schema).fields(schema, view)
    except (TypeError, AttributeError, ValueError, KeyError, RecursionError) as error:
        if isinstance(error, BadRequest):
            raise
        raise BadRequest("the schema is damaged", param="response_format", code="invalid_schema") from None
    return made


class _Filler:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root

    def _plain(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """A schema without references."""
        for _ in range(_REFERENCES):
            if "$ref" not in schema:
                if unknown := sorted(schema.keys() - _KNOWN):
                    raise BadRequest(
                        f"the responder does not understand {unknown[0]!r} in a schema", param="response_format",
                        code="invalid_schema",
                    )  # fmt: skip
                return schema
            place = self.root
            for part in str(schema["$ref"]).removeprefix("#").split("/")[1:]:
                place = place[part]
            schema = place
        raise BadRequest("the schema's references run in circles", param="response_format", code="invalid_schema")

    def fields(self, schema: Mapping[str, Any], view: View) -> dict[str, object]:
        schema = self._plain(schema)
        properties = schema.get("properties", {})
        required = set(schema.get("required", ()))
        if schema.get("type") != "object" or required - properties.keys():
            raise BadRequest(
                "the schema must be of type object and describe every required property", param="response_format",
                code="invalid_schema",
            )  # fmt: skip
        here = replace(view, asked=tuple(key_of(name) for name in properties))
        made: dict[str, object] = {}
        # An explanation is written last, when all remarks are known, and still stands in its place.
        for name in sorted(properties, key=lambda n: key_of(n) == "explanation"):
            try:
                made[name] = self.value(properties[name], name, here)
            except Declined as reason:
                if name in required:
                    raise
                view.remark(reason.what)
        return {name: made[name] for name in properties if name in made}

    def value(self, schema: Mapping[str, Any], name: str, view: View) -> object:
        schema = self._plain(schema)
        if "anyOf" in schema:
            return self._any(schema["anyOf"], name, view)
        if isinstance(schema.get("type"), list):
            return self._any([{**schema, "type": kind} for kind in schema["type"]], name, view)
        if schema.get("type") == "null":
            return None
        if is_group(name):
            raise Declined(f"I have no model that tells {plain(name)}, and I decline to guess it.")
        if "const" in schema or "enum" in schema:
            return choose(view, name, schema["enum"] if "enum" in schema else [schema["const"]])
        return self._typed(schema, name, view)

    def _any(self, options: list[Mapping[str, Any]], name: str, view: View) -> object:
        last: Declined | None = None
        for option in sorted(options, key=lambda o: o.get("type") == "null"):
            try:
                made = self.value(option, name, view)
            except Declined as reason:
                last = reason
                continue
            if last is not None:
                view.remark(last.what)
            return made
        raise last or Declined(f"Nothing is offered for {plain(name)!r}.")

    def _typed(self, schema: Mapping[str, Any], name: str, view: View) -> object:
        kind = schema.get("type")
        if kind == "object":
            return self.fields(schema, view)
        if kind == "array":
            return self._array(schema, name, view)
        if kind == "boolean":
            return self._boolean(name, view)
        if kind in ("integer", "number"):
            return _number(schema, name, _read(name, view), view)
        if kind == "string":
            value = _read(name, view)
            said = ("yes" if value else "no") if isinstance(value, bool) else str(value)
            return said[: schema.get("maxLength", len(said))]
        raise BadRequest(f"{name!r} has no type in the schema", param="response_format", code="invalid_schema")

    def _boolean(self, name: str, view: View) -> bool:
        key = key_of(name)
        if key not in READERS:
            return attribute(view, name)
        value = READERS[key](view)
        if not isinstance(value, bool):
            raise Declined(f"{plain(name)!r} is not a question of yes or no.")
        return value

    def _array(self, schema: Mapping[str, Any], name: str, view: View) -> list[object]:
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if key_of(name) not in ("people", "faces", "persons"):
            if least:
                raise Declined(f"I have nothing to list for {plain(name)!r}.")
            view.remark(f"I have nothing to list for {plain(name)!r}.")
            return []
        people = view.people()
        if not people:
            view.remark("I see no face in the picture.")
        if len(people) < least:
            raise Declined(f"I see {len(people) or 'no'} {'face' if len(people) < 2 else 'faces'} in the picture.")
        if most is not None and len(people) > most:
            view.remark(f"I see {len(people)} faces, and {most} were asked for.")
        return [self.value(schema["items"], "person", p) for p in people[:most]]


def _read(name: str, view: View) -> object:
    key = key_of(name)
    if key not in READERS:
        raise Declined(f"I have no model that tells {plain(name)!r}.")
    return READERS[key](view)


def _number(schema: Mapping[str, Any], name: str, value: object, view: View) -> float:
    if not isinstance(value, int | float):
        raise Declined(f"{plain(name)!r} is not a number.")
    low, high = schema.get("minimum"), schema.get("maximum")
    number: float = int(value) if isinstance(value, bool) else value
    # A client that wants at most 1 wants a share.
    if key_of(name) in PERCENT and high is not None and high <= 1 and schema["type"] == "number":
        number = number / 100
    if (low is None or number >= low) and (high is None or number <= high):
        return number
    if key_of(name) not in _AGES:
        raise Declined(f"What I read for {plain(name)!r} lies outside what the schema allows.")
    view.remark(f"I read {number:g} for {plain(name)!r}, which the schema does not allow; the nearest is given.")
    whole = schema["type"] == "integer"
    if low is not None and number < low:
        return float(low) if not whole else math.ceil(low)
    return float(high or 0) if not whole else math.floor(high or 0)
