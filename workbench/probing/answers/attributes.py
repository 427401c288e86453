"""Many yes-or-no attributes of one face at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ...core import ParameterError
from .answer import Answer, schema_of, unparsed, valued
from .mentions import joined
from .reading import read
from .statements import Said

_WORDS = {"yes": True, "true": True, "present": True, "no": False, "false": False, "absent": False}
_ENTRY = re.compile(
    r"^\W{0,4}([^:=|]{1,80}?)\s*(?:[:=|]|\s-\s)\s*([a-z]{1,10})\s*(?:[.|]?\s*|\([^()]{0,200}\)[.]?\s*)$"
)
_VERDICT = re.compile(r"\b(?:yes|no|true|false|not|maybe)\b")


@dataclass(frozen=True)
class Attributes:
    """Whether a face has each of some attributes, ``{name: bool}`` for every name.

    JSON: true or false for every name. In words: ``name: yes`` entries, one a line or divided by commas or
    semicolons; yes, no, true, false, present or absent. A name that is missing, or answered twice differently, makes
    a reply unusable; other names are passed over.

    Attributes:
        names: the attributes.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.names or len({joined(n) for n in self.names}) < len(self.names):
            raise ParameterError(
                "attributes need names that differ", given=self.names, expected="at least one name, each once"
            )

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for."""
        return schema_of({name: {"type": "boolean"} for name in self.names})

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        if all(found.get(name) is None for name in self.names):
            return None
        if not all(isinstance(found.get(name), bool) for name in self.names):
            return unparsed("an attribute is missing, or not true or false")
        return valued({name: found[name] for name in self.names}, "JSON")

    def _of_text(self, said: Said) -> Answer:
        known = {joined(name): name for name in self.names}
        found: dict[str, bool] = {}
        for entry in re.split(r"[\n;,]", said.listed):
            name, verdict = _entry(entry)
            if name not in known:
                continue
            if verdict is None or found.setdefault(known[name], verdict) != verdict:
                return unparsed(f"{known[name]} is not answered yes or no, or twice")
        if len(found) < len(self.names):
            return unparsed("an attribute is missing")
        return valued({name: found[name] for name in self.names}, "an entry for every name")


def _entry(entry: str) -> tuple[str, bool | None]:
    match = _ENTRY.match(entry)
    if not match:
        # "beard: yes and no" names an attribute without an answer.
        return joined(re.split(r"[:=|]", entry)[0]), None
    comment = entry[match.end(2) :]
    clear = match[2] in _WORDS and not _VERDICT.search(comment)
    return joined(match[1]), _WORDS[match[2]] if clear else None
