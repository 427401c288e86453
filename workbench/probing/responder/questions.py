"""What is asked: from the words of a question to the keys of an answer, by one table.

`WORDS` is read from top to bottom. The first row of kind "alone" whose pattern occurs decides; otherwise all rows of
kind "joined" that occur are asked together ("how old is the person, and which gender?").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_EXPRESSIONS = ["neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"]
_PERSON: dict[str, Any] = {
    "position": {"type": "integer"}, "age": {"type": "integer"}, "gender": {"type": "string", "enum": ["man", "woman"]},
    "expression": {"type": "string", "enum": _EXPRESSIONS},
}  # fmt: skip
_PERCENT = {"type": "integer", "minimum": 0, "maximum": 100}

# What a key looks like where the client gave no schema.
SHAPES: Mapping[str, Any] = {
    "same_person": {"type": "boolean"}, "confidence": _PERCENT, "similarity": _PERCENT, "match": {"type": "integer"},
    "gender": _PERSON["gender"], "age": _PERSON["age"], "age_low": {"type": "integer"},
    "age_high": {"type": "integer"}, "expression": _PERSON["expression"], "attack": {"type": "boolean"},
    "mouth open": {"type": "boolean"}, "smiling": {"type": "boolean"},
    "ethnicity": {"type": "string"}, "explanation": {"type": "string"},
    "people": {"type": "array", "items": {"type": "object", "properties": _PERSON}},
}  # fmt: skip

WORDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("alone", r"ethnic\w*|race|racial|ancestry|skin colou?r", ("ethnicity",)),
    ("alone", r"spoof\w*|presentation attack|attack|bona fide|liveness|live (face|person)|replay\w*|printed",
     ("attack", "confidence", "explanation")),
    ("alone", r"candidates?|gallery|which (of|one|picture|image|photo|face)", ("match", "confidence")),
    ("alone", r"similarity|how similar|how alike|resemblance", ("similarity",)),
    ("alone", r"same (person|individual|identity|man|woman|subject|people)|different (people|persons?|individuals)"
     r"|one and the same", ("same_person", "confidence")),
    ("alone", r"(each|every) (person|face)|everyone|all (the )?(people|faces)|left to right|the people",
     ("people",)),
    ("joined", r"genders?|sex|(wo)?man or (a )?(wo)?man|(fe)?male or (fe)?male", ("gender",)),
    ("joined", r"age range|range of (ages?|years)|between which ages|age (interval|bracket)", ("age_low", "age_high")),
    ("joined", r"(?<!the )age(?! (range|interval|bracket))|the age(?! (range|interval|bracket))|how old|years old",
     ("age",)),
    ("joined", r"expressions?|emotions?|mood|feel\w*", ("expression",)),
    ("joined", r"smil\w+", ("smiling",)),
    ("joined", r"mouth", ("mouth open",)),
)  # fmt: skip
_ROWS = [(kind, re.compile(rf"\b({pattern})\b", re.IGNORECASE), keys) for kind, pattern, keys in WORDS]
_GENERATED = re.compile(
    r"\b((ai|computer)[- ]generated|generated|synthetic|generative|artificial(ly)?|does not exist|do not exist"
    r"|phantoms?)\b",
    re.IGNORECASE,
)


def keys_of(question: str) -> tuple[str, ...]:
    """Which keys of `SHAPES` a question asks for; none where it is not understood."""
    joined: list[str] = []
    for kind, pattern, keys in _ROWS:
        if pattern.search(question):
            if kind == "alone":
                return keys
            joined += keys
    # A range says all that a single age would.
    return tuple(k for k in joined if not (k == "age" and "age_low" in joined))


def schema_of(keys: tuple[str, ...]) -> dict[str, Any]:
    """The schema that an answer with these keys follows."""
    return {"type": "object", "properties": {k: SHAPES[k] for k in keys}, "required": list(keys)}


def says_generated(context: str) -> bool:
    """Whether the words say that the people were generated, as the paper's preamble does."""
    return bool(_GENERATED.search(context))
