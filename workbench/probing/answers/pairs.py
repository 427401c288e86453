"""Answers about two pictures: the same person or not, and how similar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import confidence, objects
from .answer import Answer, schema_of, unparsed, valued
from .binary import Sides
from .reading import read
from .statements import Clause, Said

_NOUNS = (
    "person",
    "individual",
    "man",
    "woman",
    "subject",
    "identity",
    "human",
    "human being",
    "guy",
    "lady",
    "boy",
    "girl",
)
_MANY = (
    "people",
    "persons",
    "individuals",
    "men",
    "women",
    "subjects",
    "identities",
    "humans",
    "person",
    "individual",
    "identity",
)
_MATCHES = (
    "they match",
    "faces match",
    "the faces match",
    "identities match",
    "is a match",
    "are a match",
    "it is a match",
)
_MISMATCHES = ("do not match", "does not match", "no match", "mismatch", "is not a match", "are not a match")
_PERSON = Sides(
    (
        *(f"same {noun}" for noun in _NOUNS),
        "identical person",
        *_MATCHES,
        *("dieselbe person", "die gleiche person", "derselbe mann", "dieselbe frau", "derselben person"),
        *("même personne", "même individu", "misma persona", "mismo individuo"),
    ),
    (
        *(f"{word} {noun}" for word in ("different", "distinct", "separate", "dissimilar") for noun in _MANY),
        *_MISMATCHES,
        *("verschiedene personen", "unterschiedliche personen", "andere person"),
        *("personnes différentes", "personnes distinctes", "personas diferentes", "personas distintas"),
    ),
    yes_alone=("same", "the same", "match", "a match", "matching"),
    no_alone=("different", "not the same", "not same", "not a match", "not matching"),
    asked=True,
)
_OFFER = re.compile(r"\b(?:happy to|glad to|please (?:upload|provide|share|send)|can help|help you|feel free)\b")
_LABEL = re.compile(
    r"\b(?:similar|similarity|resemblance|likeness|score|rating|alike|rate|ähnlichkeit|ähnlich|ressemblance|similitud)\b"
)
_FIGURE = re.compile(
    r"(?<![\w.,/-])(-?\d{1,9}(?:[.,]\d{1,9})?)\s?(%|percent\b|/\s?100\b|out of 100\b|points?\b)?(?=[\s.,;:!)]|"
    r"$)(?!\s?/|[.,]\d|\s?-\s?\d)"
)
_AFTER_FIGURE = re.compile(
    r"\s*(?:$|[.,;:!()-]|(?:similar\w*|alike|match|and|with|based|because|since|overall|for|i|in|on)\b)"
)
_DIGITS = re.compile(r"\d")
_NEGATED = re.compile(r"\b(?:not|no|never|without|nicht|pas)\b")
_FREE_TEXT_UNIT = 1.0


@dataclass(frozen=True)
class SamePerson:
    """Whether two pictures show one person, and how sure the model is.

    The value is ``{"same_person": bool, "confidence": float or None}``, confidence from 0 to 1. JSON: ``same_person``
    true or false, ``confidence`` an integer 0 to 100 or left out. A bare "yes" means the same person, as the question
    is put that way, unless the reply repeats another question before it. "Not different people" means the same.
    """

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for."""
        return schema_of({"same_person": {"type": "boolean"}, "confidence": confidence.SCHEMA})

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        same = found.get("same_person")
        if same is None:
            return None
        if not isinstance(same, bool):
            return unparsed("same_person is not true or false")
        return with_confidence({"same_person": same}, found)

    def _of_text(self, said: Said) -> Answer:
        clauses = without_confidence(said.clauses)
        if _OFFER.search(said.kept):
            # "Yes! Please upload ..." answers another question.
            clauses = tuple(c for c in clauses if len(c.text.split()) > 2)
        same = _PERSON.side(clauses)
        if same is None:
            return unparsed("no one clear statement of the same person or different people")
        return with_said_confidence({"same_person": same}, said)


@dataclass(frozen=True)
class Similarity:
    """How similar two faces are, ``{"similarity": float}`` from 0 (not at all) to 100.

    JSON: ``similarity``. In words: one number that stands alone, has "/100" or "%", or is called similarity, score
    or rating. Without a unit, a number between 0 and 1 may be of another scale and is not taken.
    """

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for."""
        return schema_of({"similarity": {"type": "number", "minimum": 0, "maximum": 100}})

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        if found.get("similarity") is None:
            return None
        value = objects.number(found["similarity"])
        if value is None or not 0 <= value <= 100:
            return unparsed("similarity is not a number from 0 to 100")
        return valued({"similarity": value}, "JSON")

    def _of_text(self, said: Said) -> Answer:
        found: set[float] = set()
        for clause in without_confidence(said.clauses):
            figures = _similarities(clause)
            if figures is None:
                return unparsed("a number that is no similarity, a range, or denied")
            found |= figures
        if len(found) != 1:
            return unparsed("no one number that is a similarity")
        return valued({"similarity": found.pop()}, "one number")


def without_confidence(clauses: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """Clauses without what they say of confidence."""
    bare = (Clause(confidence.without(c.text).strip(), c.asked, c.doubtful) for c in clauses)
    return tuple(c for c in bare if c.text.strip(" .,!-"))


def with_confidence(value: dict[str, Any], found: dict[str, Any]) -> Answer:
    """A JSON answer with its confidence; unparsed where that cannot be used."""
    try:
        return valued({**value, "confidence": confidence.of_object(found.get("confidence"))}, "JSON")
    except confidence.UnusableError as error:
        return unparsed(str(error))


def with_said_confidence(value: dict[str, Any], said: Said) -> Answer:
    """An answer in words with its confidence; unparsed where that cannot be used."""
    try:
        return valued({**value, "confidence": confidence.of_text(said.kept)}, "a clear statement")
    except confidence.UnusableError as error:
        return unparsed(str(error))


def _similarities(clause: Clause) -> set[float] | None:
    """Similarities in a clause, or None where it holds a number that cannot be placed."""
    labelled = _LABEL.search(clause.text) or _LABEL.search(clause.asked)
    found: set[float] = set()
    for match in _FIGURE.finditer(clause.text):
        value, unit = float(match[1].replace(",", ".")), match[2]
        alone = clause.text.strip(" .!") == match[0].strip(" .!")
        scaled = unit is not None and unit[0] in "/o"
        if not (labelled or alone or scaled):
            continue
        if not _AFTER_FIGURE.match(clause.text[match.end() :]) or (
            unit is None and "similar" in clause.text[match.end() :]
        ):
            return None
        if not _fits(value, unit, clause.text):
            return None
        found.add(value)
    if labelled and not found and _DIGITS.search(clause.text):
        return None
    return found


def _fits(value: float, unit: str | None, text: str) -> bool:
    fraction = unit is None and 0 < value <= _FREE_TEXT_UNIT
    return 0 <= value <= 100 and not fraction and not _NEGATED.search(text)
