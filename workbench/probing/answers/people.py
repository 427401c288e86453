"""Answers about several people in one picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core import ParameterError
from . import objects
from .answer import Answer, Kind, schema_of, unparsed, valued
from .reading import read
from .statements import Said


@dataclass(frozen=True)
class People:
    """An answer of each kind for every person, a list ordered by position: ``{"position": int, field: value}``.

    JSON only: ``{"people": [{"position": 1, ...}]}``, positions from left, 1 to n, each once. A field whose kind has
    one property holds that property's value (``"age": 30``); a field of a kind with several holds an object of them
    (``"age": {"age_low": 20, "age_high": 29}``). One person who cannot be read makes the whole reply unusable.

    Attributes:
        fields: name -> kind of answer.
    """

    fields: Mapping[str, Kind]

    def __post_init__(self) -> None:
        if not self.fields or "position" in self.fields:
            raise ParameterError("people need fields, none called position", given=list(self.fields))

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for."""
        person: dict[str, Any] = {"position": {"type": "integer", "minimum": 1}}
        for name, kind in self.fields.items():
            schema = kind.schema()
            single = _single(kind)
            person[name] = schema["properties"][single] if single else schema
        return schema_of({"people": {"type": "array", "items": schema_of(person)}})

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        listed = found.get("people")
        if listed is None:
            return None
        if not isinstance(listed, list) or not all(isinstance(p, dict) for p in listed):
            return unparsed("people is not a list of objects")
        positions = [objects.integer(p.get("position")) for p in listed]
        if sorted(p or 0 for p in positions) != list(range(1, len(listed) + 1)):
            return unparsed("positions are not 1 to n, each once")
        people = []
        for position, person in sorted(zip(positions, listed, strict=True), key=lambda pair: pair[0] or 0):
            values = self._person(person)
            if values is None:
                return unparsed(f"person {position} cannot be read")
            people.append({"position": position, **values})
        return valued(people, "JSON")

    def _person(self, person: dict[str, Any]) -> dict[str, Any] | None:
        values = {}
        for name, kind in self.fields.items():
            given, single = person.get(name), _single(kind)
            inner = {single: given} if single else given
            if not isinstance(inner, dict):
                return None
            answer = kind.parse(json.dumps(inner, ensure_ascii=False))
            if answer.outcome != "value":
                return None
            values[name] = answer.value[single] if single else answer.value
        return values

    def _of_text(self, said: Said) -> Answer:
        return unparsed("several people are read from JSON only")


def _single(kind: Kind) -> str | None:
    names = list(kind.schema()["properties"])
    return str(names[0]) if len(names) == 1 else None
