"""The responder through the real OpenAI client: protocol, answers, images, refusals, counters."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx2 as httpx
import numpy as np
import openai
import pytest
from PIL import Image

from workbench import probing
from workbench.core import ParameterError
from workbench.files import encode_jpeg, encode_png
from workbench.probing.responder import BlankEyes, Face, Misbehave, Responder, request, serve

NOTE = "workbench responder, not a language model"
EAST, NORTH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
NEAR = np.array([0.9, np.sqrt(1 - 0.81)], np.float32)


def face(left: float = 10, embedding: Any = EAST, *, width: float = 20, **more: Any) -> Face:
    return Face((left, 10, left + width, 30), embedding, **more)


class Scripted:
    """Sees what the picture's upper left pixel says: its red value is the number of a scene."""

    match_threshold = 0.8

    def __init__(self, *scenes: list[Face]) -> None:
        self.scenes = scenes

    def look(self, pictures: Sequence[Any], /) -> list[list[Face]]:
        return [self.scenes[p[0, 0, 0]] for p in pictures]


def picture(scene: int = 0, shade: int = 0) -> bytes:
    image = np.full((40, 100, 3), shade, np.uint8)
    image[0, 0, 0] = scene
    return encode_png(image)


def colour(*rgb: int, size: int = 32) -> bytes:
    return encode_png(np.full((size, size, 3), rgb, np.uint8))


def part(data: bytes, kind: str = "image/png") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{base64.b64encode(data).decode()}"}}


def messages(question: str, *images: bytes) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": question}, *map(part, images)]}]


def form(**properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


BOOL, INT, TEXT = {"type": "boolean"}, {"type": "integer"}, {"type": "string"}


def ask(r: Responder, question: str, *images: bytes, **more: Any) -> Any:
    async def go() -> Any:
        async with openai.AsyncOpenAI(base_url=r.url, api_key="none", max_retries=0) as client:
            return await client.chat.completions.create(model="any-model", messages=messages(question, *images), **more)  # type: ignore[call-overload]

    return asyncio.run(go())


def told(r: Responder, *images: bytes, **properties: Any) -> Any:
    """The object that an answer in JSON holds, or the refusal's text."""
    message = ask(r, "Look.", *images, response_format=form(**properties)).choices[0].message
    return json.loads(message.content) if message.refusal is None else message.refusal


@pytest.fixture(scope="module")
def blank() -> Iterator[Responder]:
    with Responder(BlankEyes()) as r:
        yield r


@pytest.fixture
def start() -> Iterator[Callable[..., Responder]]:
    running: list[Responder] = []

    def begin(*scenes: list[Face], **more: Any) -> Responder:
        running.append(Responder(Scripted(*scenes) if scenes else BlankEyes(), **more).__enter__())
        return running[-1]

    yield begin
    for r in running:
        r.__exit__(None, None, None)


def test_a_completion_has_openais_shape(blank: Responder) -> None:
    done = ask(blank, "How old is the person?", colour(0, 102, 0), logprobs=True)
    # The mean green of 102 is 0.4: 18 + 24 years.
    raw = done.model_dump()
    assert "42" in raw["choices"][0]["message"]["content"]
    assert raw["choices"][0]["message"]["content"].endswith(f"({NOTE})")
    assert raw["choices"][0]["message"]["role"] == "assistant"
    assert (raw["choices"][0]["finish_reason"], raw["choices"][0]["index"]) == ("stop", 0)
    assert raw["choices"][0]["logprobs"] is None
    assert "log probabilities are not given" in raw["choices"][0]["message"]["note"]
    assert (raw["object"], raw["model"], raw["system_fingerprint"]) == (
        "chat.completion", "workbench-responder", "workbench-responder")  # fmt: skip
    assert raw["id"].startswith("chatcmpl-")
    assert abs(raw["created"] - time.time()) < 60
    # 22 letters are 6 tokens; one picture of one tile is 85 + 170.
    usage = raw["usage"]
    assert usage["prompt_tokens"] == 6 + 255
    assert usage["completion_tokens"] == -(-len(raw["choices"][0]["message"]["content"]) // 4)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_stream_says_the_same_as_one_piece(blank: Responder) -> None:
    image, question = colour(200, 10, 10), "Is this a man or a woman?"
    whole = ask(blank, question, image)

    async def go() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=blank.url, api_key="none", max_retries=0) as client:
            stream = await client.chat.completions.create(
                model="m", messages=messages(question, image), stream=True, stream_options={"include_usage": True}
            )  # type: ignore[call-overload]
            return [chunk async for chunk in stream]

    chunks = asyncio.run(go())
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == whole.choices[0].message.content
    assert len(chunks) > 4
    assert chunks[0].choices[0].delta.role == "assistant"
    assert {c.object for c in chunks} == {"chat.completion.chunk"}
    assert len({c.id for c in chunks}) == 1
    assert [c.choices[0].finish_reason for c in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"]
    assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage)
    assert all(c.usage is None for c in chunks[:-1])


def test_a_stream_ends_with_done_and_has_no_usage_unasked(blank: Responder) -> None:
    body = {"model": "m", "messages": messages("Age?", colour(0, 0, 0)), "stream": True}
    answer = httpx.post(f"{blank.url}/chat/completions", json=body)
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text.endswith("data: [DONE]\n\n")
    assert '"usage"' not in answer.text


def test_other_routes(blank: Responder) -> None:
    assert httpx.get(f"{blank.root}/health").json() == {"status": "ok", "model": "workbench-responder"}
    with openai.OpenAI(base_url=blank.url, api_key="none") as client:
        assert [m.id for m in client.models.list()] == ["workbench-responder"]
    missing = httpx.get(f"{blank.root}/v1/files")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_url")
    wrong = httpx.get(f"{blank.url}/chat/completions")
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (405, "invalid_request_error")


def test_pages_that_name_this_machine_as_their_own_are_turned_away(blank: Responder) -> None:
    answer = httpx.get(f"{blank.root}/counters", headers={"Host": "attacker.example"})
    assert answer.status_code == 403


def test_verification(start: Callable[..., Responder]) -> None:
    r = start([face(embedding=EAST)], [face(embedding=NEAR)], [face(embedding=NORTH)])
    keys = {"same_person": BOOL, "confidence": {"type": "integer", "minimum": 0, "maximum": 100}, "similarity": INT}
    # Cosine 0.9 with threshold 0.8 is 1.5 widths above: 100 / (1 + exp(-1.5)) = 81.76.
    assert told(r, picture(0), picture(1), **keys) == {"same_person": True, "confidence": 82, "similarity": 82}
    assert told(r, picture(0), picture(2), **keys) == {"same_person": False, "confidence": 100, "similarity": 0}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    assert told(r, picture(0), picture(1), similarity=share) == {"similarity": 0.82}
    verdict = {"enum": ["same", "different", "undecided"]}
    assert told(r, picture(0), picture(1), same_person=verdict) == {"same_person": "same"}
    assert told(r, picture(0), picture(2), same_person=verdict) == {"same_person": "different"}


def test_two_faces_side_by_side_are_compared(start: Callable[..., Responder]) -> None:
    small = face(60, NORTH, width=5)
    r = start([face(10, EAST), small, face(70, NEAR)], [face(10, EAST)])
    assert told(r, picture(0), same_person=BOOL) == {"same_person": True}
    assert told(r, picture(1), same_person=BOOL).startswith("I see only one face")


def test_a_probe_among_candidates(start: Callable[..., Responder]) -> None:
    r = start([face(embedding=EAST)], [face(embedding=NEAR)], [face(embedding=NORTH)], [])
    keys = {"match": INT, "confidence": INT}
    assert told(r, picture(0), picture(2), picture(1), **keys) == {"match": 2, "confidence": 82}
    assert told(r, picture(0), picture(2), **keys) == {"match": 0, "confidence": 100}
    assert told(r, picture(0), picture(3), picture(0), **keys)["match"] == 2
    assert told(r, picture(0), picture(3), **keys).startswith("I see no face in any of the candidates")
    assert told(r, picture(0), **keys).startswith("I was given no candidates")


def test_attributes(start: Callable[..., Responder]) -> None:
    known = face(
        age=41.6, gender=0.2, expression={"happy": 0.7, "sad": 0.3}, attributes={"mouth open": True, "smiling": False}
    )
    r = start([known], [face()])
    # Half a range is 3 + 4.16 years: 34.44 to 48.76.
    assert told(r, picture(), age=INT, age_low=INT, age_high=INT) == {"age": 42, "age_low": 34, "age_high": 49}
    assert told(r, picture(), age={"enum": ["0-2", "30-39", "40-49", "more than 70"]}) == {"age": "40-49"}
    assert told(r, picture(), gender={"enum": ["Male", "Female"]}, confidence=INT) == {
        "gender": "Female", "confidence": 80}  # fmt: skip
    assert told(r, picture(), gender=TEXT, expression={"enum": ["sadness", "contempt", "happiness"]}) == {
        "gender": "woman", "expression": "happiness"}  # fmt: skip
    answer = ask(
        r, "?", picture(), response_format=form(Mouth_Open=BOOL, smiling=BOOL, pale_skin=BOOL, explanation=TEXT)
    )
    said = json.loads(answer.choices[0].message.content)
    assert (said["Mouth_Open"], said["smiling"], said["pale_skin"]) == (True, False, False)
    assert "no model that tells 'pale skin'" in said["explanation"]
    assert "no model that tells 'pale skin'" in answer.choices[0].message.note
    assert answer.choices[0].message.note.endswith(f"({NOTE})")
    assert told(r, picture(1), age=INT).startswith("I cannot tell the age")
    assert told(r, picture(1), gender={"enum": ["man", "woman", "unknown"]}) == {"gender": "unknown"}
    assert told(r, picture(1), age={"anyOf": [INT, {"type": "null"}]}) == {"age": None}
    assert told(r, picture(0), age={"type": "integer", "maximum": 40}) == {"age": 40}


def test_attacks(start: Callable[..., Responder]) -> None:
    r = start([face(attack=0.9)], [face(attack=0.2)], [face()])
    keys = {"attack": BOOL, "confidence": INT, "kind": {"enum": ["none", "print", "replay"]}, "explanation": TEXT}
    said = told(r, picture(0), **keys)
    assert (said["attack"], said["confidence"], said["kind"]) == (True, 90, "print")
    assert "90 of 100" in said["explanation"]
    assert "only the first that was offered" in said["explanation"]
    said = told(r, picture(1), **keys)
    assert (said["attack"], said["confidence"], said["kind"]) == (False, 80, "none")
    assert told(r, picture(0), kind={"enum": ["print", "unknown"]}) == {"kind": "unknown"}
    assert told(r, picture(0), attack={"enum": ["bona fide", "attack"]}) == {"attack": "attack"}
    assert told(r, picture(2), **keys).startswith("I have no model here that tells attacks")


def test_people_from_left_to_right(start: Callable[..., Responder]) -> None:
    r = start([face(70, age=20, gender=1.0), face(5, age=60, gender=0.0), face(40, age=30, gender=0.9)], [])
    person = {"type": "object", "required": ["position", "age"], "properties": {
        "position": INT, "age": INT, "gender": {"enum": ["man", "woman"]}, "expression": TEXT}}  # fmt: skip
    people = {"type": "array", "items": person}
    assert told(r, picture(0), people=people) == {"people": [
        {"position": 1, "age": 60, "gender": "woman"}, {"position": 2, "age": 30, "gender": "man"},
        {"position": 3, "age": 20, "gender": "man"}]}  # fmt: skip
    assert told(r, picture(1), people=people) == {"people": []}
    assert len(told(r, picture(0), people={**people, "maxItems": 2})["people"]) == 2
    assert told(r, picture(1), people={**people, "minItems": 1}).startswith("I see no face")
    where = {"type": "object", "properties": {"position": {"enum": ["right", "centre", "left"]}}}
    said = told(r, picture(0), people={"type": "array", "items": where})
    assert [p["position"] for p in said["people"]] == ["left", "centre", "right"]


def test_groups_are_declined(start: Callable[..., Responder]) -> None:
    r = start([face(age=30)])
    group = {"enum": ["a", "b", "unknown"]}
    for name in ("ethnicity", "race", "ethnic group", "Group"):
        assert "I decline to guess" in told(r, picture(), age=INT, **{name: group}), name
    assert "I decline" in ask(r, "What is the ethnicity of this person?", picture()).choices[0].message.content


def test_no_face_is_said_and_nothing_guessed(start: Callable[..., Responder]) -> None:
    r = start([], [face(age=30)])
    for question in ("How old is the person?", "Is it a spoof?", "What gender?", "Which expression?"):
        assert "I see no face in the picture" in ask(r, question, picture()).choices[0].message.content
    assert "picture 2" in ask(r, "Same person?", picture(1), picture(0)).choices[0].message.content
    message = ask(r, "?", picture(), response_format=form(age=INT)).choices[0].message
    assert message.content is None
    assert message.refusal == f"I see no face in the picture. ({NOTE})"
    assert r.counters.answered == 6


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Are these the same person?", "same|one and"),
        ("Is it the same individual or two different people?", "same|one and"),
        ("Rate the similarity of the two faces.", "82"),
        ("Which of the candidates matches the first picture?", "1"),
        ("How old is this person?", "42"),
        ("What is the age range?", "34.*49"),
        ("Man or woman?", "woman"),
        ("Describe the facial expression.", "happy"),
        ("Is this a presentation attack?", 'bona fide|live|"attack": false'),
        ("Describe every person from left to right.", 'woman, 42, happy|"people"'),
        ("Is the person smiling?", 'smiling"?: (yes|true)'),
        ("Gender and age, please.", "woman.*42"),
        ("What is the weather?", "do not understand"),
    ],
)
def test_questions_in_words(start: Callable[..., Responder], question: str, expected: str) -> None:
    import re

    one = face(age=41.6, gender=0.2, expression={"happy": 0.7, "sad": 0.3}, attack=0.1, attributes={"smiling": True})
    r = start([one], [face(embedding=NEAR)])
    said = ask(r, question, picture(0), picture(1)).choices[0].message.content
    assert re.search(expected, said, re.IGNORECASE | re.DOTALL), said
    assert said.endswith(f"({NOTE})")


def test_words_vary_from_picture_to_picture_and_not_from_time_to_time(start: Callable[..., Responder]) -> None:
    r = start([face(embedding=EAST)])
    pairs = [(picture(0, i), picture(0, 255 - i)) for i in range(40)]
    said = [ask(r, "Same person?", *p).choices[0].message.content for p in pairs]
    assert said == [ask(r, "Same person?", *p).choices[0].message.content for p in pairs]
    assert len(set(said)) > 10
    assert any(s.startswith("```json\n{") for s in said)
    assert any(s.startswith("I measured a similarity of 95 of 100") for s in said)
    assert any("may be wrong" in s or "hard to be sure" in s for s in said)
    # Nobody's words deny what the values say.
    assert not any("not the same" in s or "two different" in s or "false" in s for s in said)


def test_json_mode_without_a_schema(start: Callable[..., Responder]) -> None:
    r = start([face(gender=0.9)])
    message = ask(r, "Gender? Answer in JSON.", picture(), response_format={"type": "json_object"}).choices[0].message
    assert json.loads(message.content) == {"gender": "man"}
    assert message.note == NOTE


def test_max_tokens_cuts(blank: Responder) -> None:
    done = ask(blank, "How old?", colour(0, 1, 2), max_tokens=2).choices[0]
    assert (len(done.message.content), done.finish_reason) == (8, "length")


def test_images_of_an_earlier_message_still_count(start: Callable[..., Responder]) -> None:
    r = start([face(age=30)])
    talk = [*messages("Look at this.", picture()), {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": "How old is she?"}]  # fmt: skip
    answer = httpx.post(f"{r.url}/chat/completions", json={"model": "m", "messages": talk}).json()
    assert "30" in answer["choices"][0]["message"]["content"]


def bomb() -> bytes:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, format="PNG")
    return out.getvalue()


def webp() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, format="WEBP")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"type": "image_url", "image_url": {"url": "http://127.0.0.1/a.png"}}], "must come as a data: URL"),
        ([{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}], "opens no files"),
        ([{"type": "image_url", "image_url": {"url": "data:image/png;base64,@@@"}}], "whole base64"),
        ([{"type": "image_url", "image_url": {"url": "data:image/png,abc"}}], "whole base64"),
        ([part(webp(), "image/webp")], "JPEG or PNG"),
        ([part(webp())], "JPEG or PNG"),
        ([part(picture(), "image/jpeg")], "JPEG or PNG"),
        ([part(picture()[:-30])], "image 1"),
        ([part(bomb())], "too many pixels"),
        ([part(picture())] * 17, "at most 16 images"),
        ([{"type": "input_audio"}], "not understood"),
        (7, "text or a list of parts"),
    ],
)  # fmt: skip
def test_bad_messages_are_refused_with_words(blank: Responder, content: Any, words: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    answer = httpx.post(f"{blank.url}/chat/completions", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.json()["error"]["param"] == "messages"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": None}, "model"), ({"messages": []}, "messages"), ({"messages": [{"role": "system"}]}, "user"),
        ({"n": 2}, "one choice"), ({"tools": [{}]}, "no tools"), ({"stream": "yes"}, "true or false"),
        ({"stream_options": {"include_usage": True}}, "with stream"), ({"max_tokens": 0}, "whole number"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "needs a schema"),
        ({"response_format": form(age={"type": "integer", "multipleOf": 5})}, "'multipleOf'"),
        ({"response_format": form(age={})}, "no type"),
        ({"response_format": form(age={"$ref": "#/nowhere"})}, "damaged"),
        ({"response_format": form(age={"$ref": "#/properties/age"})}, "circles"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "array"}}}}, "type object"),
    ],
)  # fmt: skip
def test_bad_requests_are_refused_with_words(blank: Responder, change: dict[str, Any], words: str) -> None:
    body = {"model": "m", "messages": messages("Age?", colour(1, 2, 3)), **change}
    answer = httpx.post(f"{blank.url}/chat/completions", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_other_bad_bodies(blank: Responder) -> None:
    for body in (b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000):
        answer = httpx.post(f"{blank.url}/chat/completions", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json"), body[:5]
    large = httpx.post(f"{blank.url}/chat/completions", content=b" " * ((32 << 20) + 1))
    assert large.status_code == 413
    assert "33554432" in large.json()["error"]["message"]
    with openai.OpenAI(base_url=blank.url, api_key="k", max_retries=0) as client, pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="", messages=[{"role": "user", "content": "x"}])


def test_pixels_are_counted_over_all_pictures(blank: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "PIXEL_LIMIT", 5000)
    # 40 x 100 pixels each: one fits.
    assert ask(blank, "How old?", picture()).choices
    with pytest.raises(openai.BadRequestError, match="'image 2' has too many pixels"):
        ask(blank, "How old?", picture(), picture())


def test_jpeg_is_read(blank: Responder) -> None:
    jpeg = part(encode_jpeg(np.full((32, 32, 3), 102, np.uint8)), "image/jpeg")
    talk = [{"role": "user", "content": [{"type": "text", "text": "How old?"}, jpeg]}]
    body = {"model": "m", "messages": talk}
    assert "42" in httpx.post(f"{blank.url}/chat/completions", json=body).json()["choices"][0]["message"]["content"]


def test_an_error_of_the_eyes_is_a_servers_error(start: Callable[..., Responder]) -> None:
    r = start([face()])
    with pytest.raises(openai.InternalServerError, match="IndexError"):
        ask(r, "Age?", picture(9))
    assert r.counters.failures == {"error": 1}


def refusals(r: Responder, question: str, times: int, **more: Any) -> list[bool]:
    said = [ask(r, question, picture(), **more).choices[0].message for _ in range(times)]
    return [(m.refusal or m.content).startswith("I") and ("I'm" in (m.refusal or m.content) or "cannot assist" in
            (m.refusal or m.content)) for m in said]  # fmt: skip


def test_refusals_depend_on_the_preamble_and_the_attempt(start: Callable[..., Responder]) -> None:
    def new(seed: int = 1) -> Responder:
        return start([face(gender=0.9)], refuse_direct=0.5, refuse_generated=0.0, seed=seed)

    r = new()
    first = refusals(r, "Man or woman?", 16)
    assert 2 < sum(first) < 14
    assert r.counters.refused == sum(first)
    assert r.counters.answered == 16 - sum(first)
    assert refusals(new(), "Man or woman?", 16) == first
    assert refusals(new(2), "Man or woman?", 16) != first
    assert sum(refusals(r, "This picture was generated. Man or woman?", 16)) == 0
    sure = start([face(gender=0.9)], refuse_direct=1.0)
    message = ask(sure, "?", picture(), response_format=form(gender=TEXT)).choices[0].message
    assert message.content is None
    assert message.refusal.endswith(f"({NOTE})")
    assert "weather" not in ask(sure, "What is the weather?").choices[0].message.content


def test_indecision_is_neither_an_answer_nor_a_refusal(start: Callable[..., Responder]) -> None:
    questions = [
        (probing.prompt(task), [picture(0, i), picture(0, i + 1)][:count])
        for task, count in (("verification", 2), ("similarity", 2), ("gender", 1), ("age-range", 1))
        for i in range(6)
    ]
    wavering = start([face(gender=0.9, age=30)], undecided=1.0)
    said = set()
    for prompt, pictures in questions:
        text = ask(wavering, prompt.text, *pictures).choices[0].message.content
        answer = prompt.kind.parse(text)
        assert (answer.outcome, text.endswith(f"({NOTE})")) == ("unparsed", True), text
        said.add(text)
    assert len(said) == 3
    assert wavering.counters.refused == 0
    assert wavering.counters.answered == len(questions)
    half = start([face(gender=0.9)], refuse_direct=0.3, undecided=0.4, seed=3)
    kinds = [probing.prompt("gender").kind.parse(ask(half, "Man or woman?", picture()).choices[0].message.content)
             for _ in range(30)]  # fmt: skip
    counts = {k: [a.outcome for a in kinds].count(k) for k in ("value", "refusal", "unparsed")}
    assert min(counts.values()) > 3, counts
    structured = ask(wavering, "?", picture(), response_format=form(gender=TEXT)).choices[0].message
    assert json.loads(structured.content) == {"gender": "man"}


def test_the_key_is_checked_and_never_logged(
    start: Callable[..., Responder], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    key = "canary-4711"
    caplog.set_level(logging.DEBUG)
    r = start([face(age=30)], api_key=key)
    body = {"model": "m", "messages": messages("How old?", picture())}
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer cänary".encode()}):
        for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/counters")):
            answer = httpx.request(method, r.root + path, headers=header, json=body if method == "POST" else None)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    good = httpx.post(f"{r.url}/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})
    assert good.status_code == 200
    assert httpx.get(f"{r.root}/health").status_code == 200
    assert r.counters.failures == {"unauthorised": 3}
    assert key not in caplog.text + "".join(capfd.readouterr()) + repr(r) + repr(vars(r)) + good.text


def test_counters_know_every_image_even_of_failed_requests(start: Callable[..., Responder]) -> None:
    r = start([face(age=30)], misbehave=Misbehave(broken=1.0))
    for images in ((picture(0, 1), picture(0, 2)), (picture(0, 1),)):
        with pytest.raises(openai.InternalServerError):
            ask(r, "Age?", *images)
    counts = httpx.get(f"{r.root}/counters").json()
    digests = sorted(hashlib.sha256(picture(0, i)).hexdigest() for i in (1, 2))
    assert counts == {
        "requests": 2, "images": 3, "answered": 0, "refused": 0, "failures": {"500": 2}, "digests": digests
    }  # fmt: skip
    assert r.counters.digests == frozenset(digests)


def test_only_this_machine_is_served() -> None:
    for host in ("0.0.0.0", "::", "example.org", "192.168.0.1", ""):
        with pytest.raises(ParameterError, match="serves this machine only"):
            Responder(BlankEyes(), host=host)
    with pytest.raises(ParameterError, match="no such port"):
        Responder(BlankEyes(), port=70000)
    with pytest.raises(ParameterError, match="no probability"):
        Responder(BlankEyes(), refuse_direct=1.5)
    with pytest.raises(ParameterError, match="undecided is no probability"):
        Responder(BlankEyes(), undecided=-0.1)
    with pytest.raises(ParameterError, match="guards nothing"):
        Responder(BlankEyes(), api_key="")


def test_a_taken_port_is_an_error_and_a_stopped_server_is_gone() -> None:
    with Responder(BlankEyes()) as r:
        port = int(r.root.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"), Responder(BlankEyes(), port=port):
            pass
        with pytest.raises(ParameterError, match=rf"nothing can be served[^$]*{port}[^$]*--port"):
            serve(Responder(BlankEyes(), port=port))
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{r.root}/health")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_serving_ends_on_a_signal(sign: signal.Signals) -> None:
    code = (
        "from workbench.probing.responder import *; serve(Responder(BlankEyes()), say=lambda t: print(t, flush=True))"
    )
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert run.stdout is not None
    url = run.stdout.readline().split()[-1]
    assert httpx.get(f"{url}/models").status_code == 200
    run.send_signal(sign)
    assert run.communicate(timeout=10)[0] == "stopped\n"
    assert run.returncode == 0


def test_the_loop_answers_while_eyes_are_busy(start: Callable[..., Responder]) -> None:
    import threading

    looking, may_go = threading.Event(), threading.Event()

    class Slow(Scripted):
        def look(self, pictures: Sequence[Any], /) -> list[list[Face]]:
            looking.set()
            may_go.wait(10)
            return super().look(pictures)

    with Responder(Slow([face(age=30)])) as r:
        body = {"model": "m", "messages": messages("How old?", picture())}
        thread = threading.Thread(target=lambda: httpx.post(f"{r.url}/chat/completions", json=body, timeout=20))
        thread.start()
        assert looking.wait(10)
        assert httpx.get(f"{r.root}/health", timeout=5).status_code == 200
        may_go.set()
        thread.join()
