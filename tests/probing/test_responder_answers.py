"""Answers satisfy the schema they are given, whatever is seen; similarity and ages by hand."""

from __future__ import annotations

from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.probing.responder import BlankEyes, Face, similarity
from workbench.probing.responder.questions import SHAPES, keys_of, says_generated, schema_of
from workbench.probing.responder.schema import fill
from workbench.probing.responder.values import age_range
from workbench.probing.responder.view import Declined, Seen, View

SHARE = st.floats(0, 1)
VECTOR = st.sampled_from([np.array(v, np.float32) for v in ([1, 0], [0, 1], [0.8, 0.6], [0.96, 0.28])])


@st.composite
def faces(draw: Any) -> Face:
    left = draw(st.integers(0, 60))
    return Face(
        (left, 5, left + draw(st.integers(1, 40)), 30), draw(st.none() | VECTOR), draw(st.none() | st.floats(0, 110)),
        draw(st.none() | SHARE), draw(st.none() | st.builds(lambda s: {"happy": s, "sad": 1 - s}, SHARE)),
        draw(st.none() | SHARE), draw(st.sampled_from([{}, {"mouth open": True, "smiling": False}])),
    )  # fmt: skip


SEEN = st.lists(faces(), max_size=3).map(lambda f: Seen(tuple(sorted(f, key=lambda x: x.centre)), 100))
INTEGER = st.builds(
    lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more}, st.integers(0, 60), st.integers(0, 90)
)
WORDS = ["yes", "no", "same", "different", "man", "female", "happy", "anger", "attack", "bona fide", "none", "print",
         "unknown", "left", "20-29", "30-39", "60+", "a"]  # fmt: skip
LEAF = st.one_of(
    st.sampled_from([{"type": k} for k in ("boolean", "integer", "number", "string", "null")]),
    INTEGER,
    st.just({"type": "number", "minimum": 0, "maximum": 1}),
    st.builds(lambda n: {"type": "string", "maxLength": n}, st.integers(0, 20)),
    st.builds(lambda o: {"enum": o}, st.lists(st.sampled_from(WORDS), min_size=1, unique=True)),
    st.just({"enum": [True, False]}),
    st.just({"type": ["integer", "null"]}),
)
NAMES = st.sampled_from([*SHAPES, "position", "kind", "sex", "pale skin", "reason", "Mouth_Open", "nothing known"])


def objects(inner: Any) -> Any:
    def build(properties: dict[str, Any], share: int) -> dict[str, Any]:
        names = list(properties)
        return {"type": "object", "properties": properties, "required": names[: len(names) * share // 2],
                "additionalProperties": False}  # fmt: skip

    return st.builds(build, st.dictionaries(NAMES, inner, max_size=5), st.integers(0, 2))


LISTS = st.builds(
    lambda items, low, more: {"type": "array", "items": items, "minItems": low, "maxItems": low + more},
    objects(LEAF), st.integers(0, 2), st.integers(0, 3),
)  # fmt: skip
SCHEMA = objects(st.one_of(LEAF, objects(LEAF), LISTS, st.builds(lambda a: {"anyOf": [a, {"type": "null"}]}, LEAF)))


@settings(max_examples=400, deadline=None)
@given(SCHEMA, st.lists(SEEN, max_size=4))
def test_an_answer_satisfies_its_schema_or_is_declined_with_words(schema: dict[str, Any], seen: list[Seen]) -> None:
    view = View(tuple(seen), 0.9)
    made: dict[str, object] | None
    try:
        made = fill(schema, view)
    except Declined as reason:
        made, said = None, reason.what
    if made is None:
        assert said.endswith(".")
        return
    jsonschema.validate(made, schema)
    assert all(r.endswith(".") for r in view.remarks)


def test_the_property_is_not_kept_by_declining_all() -> None:
    face = Face((0, 0, 50, 50), np.array([1, 0], np.float32), 33.0, 0.9, {"happy": 0.9, "sad": 0.1}, 0.2)
    view = View((Seen((face,), 100), Seen((face,), 100)), 0.9)
    for key in SHAPES.keys() - {"ethnicity", "confidence"}:
        assert key in fill(schema_of((key,)), view)


def test_references_are_followed() -> None:
    face = Face((0, 0, 50, 50), age=33.0)
    schema = {"type": "object", "properties": {"people": {"type": "array", "items": {"$ref": "#/$defs/person"}}},
              "$defs": {"person": {"type": "object", "properties": {"age": {"type": "integer"}}}}}  # fmt: skip
    assert fill(schema, View((Seen((face,), 100),), 0.9)) == {"people": [{"age": 33}]}


def test_keys_keep_the_order_of_the_schema() -> None:
    view = View((Seen((Face((0, 0, 50, 50), age=33.0),), 100),), 0.9)
    made = fill(schema_of(("explanation", "age")), view)
    assert list(made) == ["explanation", "age"]
    assert "reads ages" in str(made["explanation"])


def test_similarity_by_hand() -> None:
    assert similarity(0.9, 0.9) == 50
    # One width above a threshold of 0.7 is 0.8: 100 / (1 + e^-1).
    assert similarity(0.8, 0.7) == pytest.approx(73.1059, abs=1e-3)
    assert similarity(1.0, 0.4) == pytest.approx(95.2574, abs=1e-3)
    values = [similarity(c, 0.91) for c in np.linspace(-1, 1, 101)]
    assert values == sorted(values)
    assert 0 <= values[0] < 1
    assert similarity(1.0, 1.0) == 50


def test_age_ranges_widen() -> None:
    assert age_range(0) == (0, 3)
    assert age_range(30) == (24, 36)
    assert age_range(70) == (60, 80)


def test_blank_eyes_say_what_is_documented() -> None:
    (one,), (grey,) = BlankEyes().look([np.full((4, 6, 3), (255, 127, 0), np.uint8), np.full((2, 2, 3), 128, np.uint8)])
    assert one.box == (0, 0, 6, 4)
    assert one.age == pytest.approx(18 + 60 * 127 / 255)
    assert (one.gender, one.attack, one.expression) == (0.0, 1.0, {"happy": 1.0, "neutral": 0.0})
    # (127.5, -0.5, -127.5), and (1, 1, 1) for grey, at unit length.
    assert one.embedding == pytest.approx([0.7071, -0.0028, -0.7071], abs=1e-4)
    assert grey.embedding == pytest.approx([3**-0.5] * 3)


@pytest.mark.parametrize(
    ("question", "keys"),
    [
        ("Do both images show the same person?", ("same_person", "confidence")),
        ("What age range?", ("age_low", "age_high")),
        ("Look at the image: what is the gender?", ("gender",)),
        ("Give the age range and the gender.", ("gender", "age_low", "age_high")),
        ("Estimate the age.", ("age",)),
        ("Is it a replay attack?", ("attack", "confidence", "explanation")),
        ("How similar are they?", ("similarity",)),
        ("Which candidate is it?", ("match", "confidence")),
        ("Are all the people happy?", ("people",)),
        ("Is the mouth open?", ("mouth open",)),
        ("What manages a package?", ()),
    ],
)
def test_words_become_keys(question: str, keys: tuple[str, ...]) -> None:
    assert keys_of(question) == keys


def test_preambles() -> None:
    for words in ("This picture was AI-generated.", "a synthetic face", "This person does not exist.", "two phantoms"):
        assert says_generated(words), words
    for words in ("Is this the same person?", "Do you generate text?", "a genuine picture"):
        assert not says_generated(words), words
