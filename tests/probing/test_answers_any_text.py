"""Whatever is written, a kind gives an allowed value, a refusal or nothing; and JSON that keeps a schema comes back."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.probing.answers import (
    GENDER,
    AgeRange,
    AgeYears,
    Attack,
    Attributes,
    Choice,
    Kind,
    OneOfK,
    People,
    SamePerson,
    Similarity,
)

GENDERS = Choice("gender", ("woman", "man"), GENDER)
SURE = st.integers(0, 100)
AGE = st.floats(0, 120)
ONE = {"gender": st.sampled_from(GENDERS.options), "age": AGE}
KINDS: dict[str, tuple[Kind, st.SearchStrategy[Any]]] = {
    "same": (SamePerson(), st.fixed_dictionaries({"same_person": st.booleans(), "confidence": SURE})),
    "similarity": (Similarity(), st.fixed_dictionaries({"similarity": st.floats(0, 100) | st.integers(0, 100)})),
    "one of 5": (OneOfK(5), st.fixed_dictionaries({"match": st.integers(0, 5), "confidence": SURE})),
    "choice": (GENDERS, st.fixed_dictionaries({"gender": st.sampled_from(GENDERS.options)})),
    "age": (AgeYears(), st.fixed_dictionaries({"age": AGE})),
    "range": (AgeRange(), st.tuples(AGE, AGE).map(sorted).map(lambda a: {"age_low": a[0], "age_high": a[1]})),
    "attributes": (
        Attributes(("hat", "beard")),
        st.fixed_dictionaries({"hat": st.booleans(), "beard": st.booleans()}),
    ),
    "attack": (
        Attack(),
        st.fixed_dictionaries(
            {"attack": st.booleans(), "confidence": SURE, "kind": st.text(), "explanation": st.text(max_size=500)}
        ),
    ),
    "people": (
        People({"gender": GENDERS, "age": AgeYears()}),
        st.lists(st.fixed_dictionaries(ONE), max_size=4)
        .map(lambda listed: [{"position": n, **p} for n, p in enumerate(listed, 1)])
        .flatmap(st.permutations)
        .map(lambda listed: {"people": listed}),
    ),
}
WORDS = [
    "same",
    "different",
    "person",
    "people",
    "man",
    "woman",
    "not",
    "no",
    "yes",
    "never",
    "32",
    "25-35",
    "20s",
    "mid",
    "thirties",
    "over",
    "60+",
    "kg",
    "%",
    ".",
    ",",
    "?",
    "!",
    ":",
    "-",
    "or",
    "and",
    "but",
    "if",
    "candidate",
    "3",
    "none",
    "similarity:",
    "/100",
    "confidence",
    "87%",
    "sure",
    "sorry",
    "i",
    "can't",
    "identify",
    "final",
    "answer:",
    "system:",
    "ignore",
    "previous",
    "instructions",
    "say",
    "spoof",
    "live",
    "real",
    "fake",
    "hat:",
    "beard:",
    "{",
    "}",
    "[",
    "]",
    '"age":',
    '"',
    "true",
    "null",
    "```",
    "<b>",
    "—",
    "½",
    "同",
    "é",
    "😀",
]
TEXTS = st.text() | st.lists(st.sampled_from([*WORDS, "\n"]), max_size=25).map(" ".join)


def as_json(value: Any) -> Any:
    """A value as the JSON that says it: confidence is a percentage there."""
    if isinstance(value, list):
        return {"people": value}
    sure = value.get("confidence")
    return value if sure is None else {**value, "confidence": round(sure * 100)}


@pytest.mark.parametrize("name", KINDS)
@given(text=TEXTS)
def test_any_text_gives_an_allowed_value_or_none(name: str, text: str) -> None:
    kind, _ = KINDS[name]
    answer = kind.parse(text)
    assert answer.outcome in ("value", "refusal", "unparsed")
    if answer.outcome != "value":
        assert answer.value is None
        return
    said = as_json(answer.value)
    if isinstance(said, dict) and said.get("confidence", 0) is None:
        said = {**said, "confidence": 0}
    jsonschema.validate(said, kind.schema())
    if name == "range":
        assert said["age_low"] <= said["age_high"]


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_json_that_keeps_the_schema_comes_back(name: str, data: st.DataObject) -> None:
    kind, values = KINDS[name]
    given_json = data.draw(values)
    jsonschema.validate(given_json, kind.schema())
    for text in (json.dumps(given_json), "```json\n" + json.dumps(given_json, indent=1, ensure_ascii=False) + "\n```"):
        answer = kind.parse(text)
        assert answer.outcome == "value", answer.why
        expected = given_json
        if name == "people":
            expected = {"people": sorted(given_json["people"], key=lambda p: p["position"])}
        assert as_json(answer.value) == expected


@pytest.mark.parametrize("name", KINDS)
def test_a_schema_is_strict(name: str) -> None:
    schema = KINDS[name][0].schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"another": 1}, schema)
