"""Closed lists: gender, expression, skin tone, groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...core import ParameterError
from .answer import Answer, schema_of, unparsed, valued
from .mentions import Lexicon, agreed, joined
from .plain import plain
from .reading import read
from .statements import Said

GENDER: Mapping[str, tuple[str, ...]] = {
    "woman": ("female", "lady", "girl", "frau", "weiblich", "femme", "féminin", "mujer", "femenino", "feminine"),
    "man": (
        "male",
        "gentleman",
        "boy",
        "guy",
        "mann",
        "männlich",
        "homme",
        "masculin",
        "hombre",
        "masculino",
        "masculine",
    ),
}
"""Words for the labelled sex or gender "woman" and "man"; German, French and Spanish among them."""

EXPRESSION: Mapping[str, tuple[str, ...]] = {
    "neutral": ("no expression", "expressionless"),
    "happiness": ("happy", "joy", "joyful", "smiling"),
    "sadness": ("sad", "unhappy"),
    "surprise": ("surprised",),
    "fear": ("fearful", "afraid", "scared"),
    "disgust": ("disgusted",),
    "anger": ("angry", "furious"),
    "contempt": ("contemptuous",),
}
"""Words for the eight expressions of AffectNet."""

_NEGATED = re.compile(r"\b(?:not|no|neither|nor|never)\b")


@dataclass(frozen=True)
class Choice:
    """One option of a closed list, ``{key: option}``.

    JSON: ``key`` is an option or one of its synonyms, in any case. In words: whole words, the longest option at a
    place ("East Asian" is not "Asian", "female" is not "male"); an option that only describes something ("white
    shirt") or is denied ("not a man") is no answer; two different options are none either.

    Attributes:
        key: name of the value, e.g. ``"gender"``.
        options: what may be answered, as it shall come back.
        synonyms: option -> other words for it.
    """

    key: str
    options: tuple[str, ...]
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.options:
            raise ParameterError(f"a choice of {self.key!r} has no options", expected="at least one option")
        unknown = sorted(set(self.synonyms) - set(self.options))
        if unknown:
            raise ParameterError("synonyms of unknown options", given=unknown, expected=f"some of {list(self.options)}")
        words = [joined(w) for option in self.options for w in dict.fromkeys(self._words(option))]
        twice = sorted({w for w in words if words.count(w) > 1 or not w})
        if twice:
            raise ParameterError(
                "a word stands for two options, or is empty", given=twice, expected="one option a word"
            )

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for."""
        return schema_of({self.key: {"type": "string", "enum": list(self.options)}})

    def _words(self, option: str) -> tuple[str, ...]:
        return option, *self.synonyms.get(option, ())

    @cached_property
    def _lexicon(self) -> Lexicon:
        phrases = {option: {plain(w) for w in self._words(option)} for option in self.options}
        return Lexicon(phrases, spread=True)

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        given = found.get(self.key)
        if given is None:
            return None
        if isinstance(given, str):
            for option in self.options:
                if joined(given) in map(joined, self._words(option)):
                    return valued({self.key: option}, "JSON")
        return unparsed(f"{self.key} is none of the options")

    def _of_text(self, said: Said) -> Answer:
        options: set[str] = set()
        for clause in said.clauses:
            exact = self._lexicon.exact(clause.text)
            if exact is not None and not clause.doubtful:
                options.add(exact)
                continue
            mentions = self._lexicon.find(clause.text)
            if mentions is None:
                return unparsed("a negation that cannot be placed")
            if not clause.doubtful:
                options |= agreed(mentions)
        if len(options) != 1:
            return unparsed("two options" if options else "none of the options")
        if any(word in self._denied(said) for word in options):
            return unparsed("an option that is also denied")
        return valued({self.key: options.pop()}, "one option")

    def _denied(self, said: Said) -> set[str]:
        clauses = [c.text for c in said.clauses if _NEGATED.search(c.text)]
        return {m.name for text in clauses for m in self._lexicon.find(text) or [] if m.denied}
