"""Which of several candidates a reply picks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...core import ParameterError
from . import objects
from .answer import Answer, schema_of, unparsed
from .confidence import SCHEMA
from .mentions import Lexicon, agreed
from .pairs import with_confidence, with_said_confidence, without_confidence
from .reading import read
from .statements import Said

_NOUN = (
    r"(?:candidate|option|image|picture|photo|photograph|face|person|subject|gallery image|number|"
    r"kandidat|bild|candidat|candidato|foto)"
)
_NAMED = re.compile(rf"\b{_NOUN}\s?(?:(?:number|no\.?|nr\.?)\s?)?[#(]?\s?(\d{{1,6}})\b\)?|(?<!\w)#\s?(\d{{1,6}})\b")
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_IN_WORDS = re.compile(rf"\b(?:candidate|option|number)(?: number)? ({'|'.join(_WORDS)})\b")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = re.compile(rf"\b({'|'.join(_ORDINALS)}|\d{{1,3}}(?:st|nd|rd|th)) (?:{_NOUN}|one)\b")
_PICKED = re.compile(
    r"\b(?:match(?:es)?|matching|same (?:person|individual|man|woman|subject)|closest|most likely|correct|"
    r"pick|choose|answer|"
    r"select|corresponds?)\b"
)
_FEATURE = re.compile(
    r"\b(?:noses?|eyes?|ears?|hair|beard|jaw|chin|mouth|brows?|eyebrows?|skin|glasses|forehead|lips|shape)\b"
)
_SERIES = re.compile(rf"\b{_NOUN}s\s?\d")
_NONE = (
    *("none", "none of them", "none of these", "none of those", "none of the above", "no match", "nobody", "no one"),
    *(
        f"none of the {n}"
        for n in ("candidates", "people", "persons", "faces", "images", "pictures", "photos", "options")
    ),
    *("no candidate", "no matching candidate", "not any of them", "not among them", "not among the candidates"),
    *("not in the gallery", "not present", "keiner", "keine von ihnen", "aucun", "ninguno"),
)


@dataclass(frozen=True)
class OneOfK:
    """Which of ``k`` candidates a probe shows, ``{"match": int, "confidence": float or None}``; 0 is none of them.

    JSON: ``match`` an integer 0 to k, ``confidence`` an integer 0 to 100 or left out. In words: "candidate 3", "#3",
    "the third picture", a number alone, "none of them". A candidate beyond ``k`` makes a reply unusable.

    Attributes:
        k: how many candidates, at least 1.
    """

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ParameterError("identification needs a candidate", given=self.k, expected="k >= 1")

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for."""
        return schema_of({"match": {"type": "integer", "minimum": 0, "maximum": self.k}, "confidence": SCHEMA})

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        if found.get("match") is None:
            return None
        match = objects.integer(found["match"])
        if match is None or not 0 <= match <= self.k:
            return unparsed(f"match is not an integer from 0 to {self.k}")
        return with_confidence({"match": match}, found)

    def _of_text(self, said: Said) -> Answer:
        picked: set[int] = set()
        for clause in without_confidence(said.clauses):
            text = _numbered(clause.text)
            if _SERIES.search(text):
                return unparsed("several candidates in one phrase")
            names = [int(n) for n in re.findall(r"(?<!\w)candidate_(\d+)", text)]
            mentions = _lexicon(tuple(sorted(set(names)))).find(text)
            if mentions is None:
                return unparsed("a negation that cannot be placed")
            if not clause.doubtful and _picks(text):
                picked |= {int(name) for name in agreed(mentions)}
        if len(picked) != 1:
            return unparsed("no one candidate")
        match = picked.pop()
        if match > self.k:
            return unparsed(f"candidate {match} of {self.k}")
        return with_said_confidence({"match": match}, said)


def _numbered(text: str) -> str:
    """The text with every way to name candidate 3 written "candidate_3"."""
    bare = text.strip(" .!()")
    if re.fullmatch(r"\d{1,6}", bare):
        return f"candidate_{int(bare)}"
    if bare in _WORDS:
        return f"candidate_{_WORDS.index(bare) + 1}"
    text = _IN_WORDS.sub(lambda m: f"candidate_{_WORDS.index(m[1]) + 1}", text)
    text = _NAMED.sub(lambda m: f"candidate_{int(m[1] or m[2])}", text)
    return _ORDINAL.sub(lambda m: f"candidate_{_place(m[1])}", text)


def _picks(text: str) -> bool:
    """Whether a clause picks a candidate, and does not only describe one."""
    alone = re.fullmatch(r"(?:\w+ ){0,3}?candidate_\d+(?:,? (?:i think|i believe|i guess|with))?[ .!()]*", text)
    named = any(word in text for word in ("none", "nobody", "no ", "not ", "keine", "aucun", "ninguno"))
    return bool(alone or named or _PICKED.search(text)) and not _FEATURE.search(text)


def _place(ordinal: str) -> int:
    return _ORDINALS.index(ordinal) + 1 if ordinal in _ORDINALS else int(ordinal[:-2])


@lru_cache(maxsize=256)
def _lexicon(numbers: tuple[int, ...]) -> Lexicon:
    return Lexicon({"0": _NONE, **{str(n): (f"candidate_{n}",) for n in numbers if n}}, spread=True)
