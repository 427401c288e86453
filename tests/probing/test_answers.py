"""Replies of language models: hand-written ones with the parse a careful person gives them, and any text at all."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from workbench.core import ParameterError
from workbench.probing.answers import (
    EXPRESSION,
    GENDER,
    AgeRange,
    AgeYears,
    Answer,
    Attack,
    Attributes,
    Choice,
    Kind,
    OneOfK,
    People,
    SamePerson,
    Similarity,
    refused,
)

GROUPS = ("White", "Black", "Indian", "East Asian", "Southeast Asian", "Middle Eastern", "Latino")
KINDS: dict[str, Kind] = {
    "same_person": SamePerson(),
    "similarity": Similarity(),
    "one_of_k": OneOfK(5),
    "choice:gender": Choice("gender", ("woman", "man"), GENDER),
    "choice:ethnicity": Choice("ethnicity", GROUPS, {"Indian": ("South Asian",), "Latino": ("Hispanic",)}),
    "choice:expression": Choice("expression", tuple(EXPRESSION), EXPRESSION),
    "choice:skin_tone": Choice("skin_tone", tuple(f"type {n}" for n in ("I", "II", "III", "IV", "V", "VI"))),
    "age_years": AgeYears(),
    "age_range": AgeRange(),
    "attributes": Attributes(("glasses", "smiling")),
    "attack": Attack(),
    "people": People({"gender": Choice("gender", ("woman", "man"), GENDER), "age": AgeYears()}),
}
LINES = (Path(__file__).parent / "replies.jsonl").read_text(encoding="utf-8").splitlines()
REPLIES: list[dict[str, Any]] = [json.loads(line) for line in LINES]


@pytest.mark.parametrize("reply", REPLIES, ids=[r["id"] for r in REPLIES])
def test_a_reply_is_read_as_a_careful_person_reads_it(reply: dict[str, Any]) -> None:
    answer = KINDS[reply["kind"]].parse(reply["text"])
    assert (answer.outcome, answer.value) == (reply["outcome"], reply["value"]), answer.why
    assert answer.why


def test_the_corpus_covers_every_kind_and_outcome() -> None:
    assert len({r["id"] for r in REPLIES}) == len(REPLIES) >= 240
    by_kind = Counter(r["kind"] for r in REPLIES)
    assert by_kind.keys() == KINDS.keys()
    assert min(by_kind.values()) >= 10
    assert by_kind["age_years"] + by_kind["age_range"] >= 40
    for kind in KINDS:
        assert {r["outcome"] for r in REPLIES if r["kind"] == kind} == {"value", "refusal", "unparsed"}


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I can’t identify people, but they look like the same person.",
        "I must decline.",
        "Ich kann das leider nicht beurteilen.",
        "Je ne peux pas répondre.",
        "No puedo ayudar con eso.",
        "对不起，我不能识别这个人。",
        "お答えできません。",
    ],
)
def test_a_refusal_is_noticed_beside_an_answer_too(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize(
    "text", ["", "It is hard to say.", "This cannot be determined.", "I cannot say for sure.", "Same person.", "No."]
)
def test_doubt_is_not_refusal(text: str) -> None:
    assert not refused(text)


def test_an_open_range_reaches_to_the_cap() -> None:
    assert AgeRange(cap=116).parse("70+").value == {"age_low": 70.0, "age_high": 116.0}
    assert AgeRange(cap=65).parse("70+").outcome == "unparsed"


def test_a_field_with_several_properties_is_an_object() -> None:
    people = People({"age": AgeRange(), "glasses": Attributes(("glasses", "hat"))})
    person = {"position": 1, "age": {"age_low": 20, "age_high": 29}, "glasses": {"glasses": True, "hat": False}}
    assert people.parse(json.dumps({"people": [person]})).value == [person]
    item = people.schema()["properties"]["people"]["items"]
    assert item["required"] == ["position", "age", "glasses"]
    assert item["properties"]["age"] == AgeRange().schema()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneOfK(0), "k >= 1"),
        (lambda: Choice("x", ()), "no options"),
        (lambda: Choice("x", ("a",), {"b": ("c",)}), "unknown options"),
        (lambda: Choice("x", ("a", "b"), {"a": ("B",)}), "stands for two options"),
        (lambda: Attributes(()), "at least one name"),
        (lambda: Attributes(("has_hat", "has hat")), "names that differ"),
        (lambda: AgeRange(cap=130), "at most 120"),
        (lambda: People({"position": AgeYears()}), "none called position"),
    ],
)
def test_a_kind_that_makes_no_sense_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "{" * 20_000,
        "not " * 5_000,
        "1-" * 10_000,
        "a:" * 10_000,
        "<" * 20_000,
        "<!--" * 5_000,
        '{"match": ' + "9" * 5_000 + "}",
        '{"age": 1e999, "similarity": 1e999}',
        "\ud800\x00\u202e",
        "same person " * 1_000_000,
    ],
    ids=range(12),
)
def test_hostile_text_comes_to_nothing(kind: Kind, text: str) -> None:
    assert kind.parse(text).outcome == "unparsed"


def test_an_answer_without_a_value_holds_none() -> None:
    assert Answer("unparsed") == Answer("unparsed", None, "")
