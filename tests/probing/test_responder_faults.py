"""Every misbehaviour is provoked, and seen on the wire."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2 as httpx
import openai
import pytest

from workbench.core import ParameterError, UnknownNameError
from workbench.probing.responder import BlankEyes, Misbehave, Responder
from workbench.probing.responder.misbehave import Bucket

BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "How old is the person?"}]}


@pytest.fixture
def start() -> Iterator[Callable[..., Responder]]:
    running: list[Responder] = []

    def begin(text: str, **more: Any) -> Responder:
        running.append(Responder(BlankEyes(), misbehave=Misbehave.parse(text), **more).__enter__())
        return running[-1]

    yield begin
    for r in running:
        r.__exit__(None, None, None)


def post(r: Responder, **more: Any) -> httpx.Response:
    return httpx.post(f"{r.url}/chat/completions", json={**BODY, **more}, timeout=10)


def raw(r: Responder, seconds: float = 10, **more: Any) -> socket.socket:
    """A connection on which the request was sent."""
    body = json.dumps({**BODY, **more}).encode()
    wire = socket.create_connection(("127.0.0.1", int(r.root.rsplit(":", 1)[1])), timeout=seconds)
    wire.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    return wire


def read(wire: socket.socket) -> bytes:
    parts = []
    while part := wire.recv(65536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(
    ("name", "after"),
    [("429", "7"), ("429-zero", "0"), ("429-negative", "-5"), ("429-huge", "1000000000"), ("429-bare", None)],
)
def test_busy(start: Callable[..., Responder], name: str, after: str | None) -> None:
    r = start(f"{name}=1,retry-after=7")
    answer = post(r)
    assert (answer.status_code, answer.headers.get("retry-after")) == (429, after)
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    assert r.counters.failures == {name: 1}
    assert r.counters.answered == 0


def test_busy_until_a_date(start: Callable[..., Responder]) -> None:
    answer = post(start("429-date=1,retry-after=100"))
    wait = parsedate_to_datetime(answer.headers["retry-after"]) - datetime.now(UTC)
    assert timedelta(seconds=95) < wait <= timedelta(seconds=101)
    assert answer.headers["retry-after"].endswith("GMT")


@pytest.mark.parametrize("status", [500, 503])
def test_servers_errors(start: Callable[..., Responder], status: int) -> None:
    answer = post(start(f"{status}=1"))
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, "server_error")


def test_hanging_sends_nothing_until_its_limit(start: Callable[..., Responder]) -> None:
    with raw(start("hang=1"), seconds=0.5) as wire, pytest.raises(TimeoutError):
        wire.recv(1)
    with raw(start("hang=1,hang-limit=0.2")) as wire:
        assert wire.recv(1) == b""


def test_a_hanging_client_may_leave_and_the_server_stops() -> None:
    with Responder(BlankEyes(), misbehave=Misbehave(hang=1.0)) as r:
        one, other = raw(r), raw(r)
        idle = socket.create_connection(("127.0.0.1", int(r.root.rsplit(":", 1)[1])), timeout=5)
        one.close()
        before = time.monotonic()
    assert time.monotonic() - before < 5
    for wire in (other, idle):
        assert wire.recv(1) == b""
        wire.close()


def test_dripping_is_byte_by_byte(start: Callable[..., Responder]) -> None:
    with raw(start("drip=1"), seconds=0.6) as wire:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += wire.recv(1)
        stated = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert wire.recv(100) == b"{"
        with pytest.raises(TimeoutError):
            wire.recv(100)
    answer = post(start("drip=1,drip-seconds=0"))
    assert answer.json()["choices"]
    assert stated == len(answer.content)


def test_a_cut_body_is_half_and_looks_whole(start: Callable[..., Responder]) -> None:
    answer = post(start("cut=1"))
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["content-length"]) > 50
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert "[DONE]" not in post(start("cut=1"), stream=True).text


def test_a_reset_comes_in_the_middle(start: Callable[..., Responder]) -> None:
    with raw(start("reset=1")) as wire:
        time.sleep(0.2)
        with pytest.raises(ConnectionResetError):
            read(wire)
    with pytest.raises(httpx.TransportError):
        post(start("reset=1"))


def test_success_with_an_error_for_a_body(start: Callable[..., Responder]) -> None:
    answer = post(start("error-body=1"))
    assert (answer.status_code, list(answer.json())) == (200, ["error"])


def test_a_page_instead_of_json(start: Callable[..., Responder]) -> None:
    answer = post(start("html=1"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=UTF-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_huge_body_comes_in_pieces(start: Callable[..., Responder]) -> None:
    r = start("huge=1,huge-size=3000000")
    with httpx.stream("POST", f"{r.url}/chat/completions", json=BODY) as answer:
        assert "content-length" not in answer.headers
        assert sum(map(len, answer.iter_bytes())) == 3_000_000
    # A client that leaves ends it: a hundred megabytes are not made for nobody.
    with Responder(BlankEyes(), misbehave=Misbehave(huge=1.0)) as big:
        with raw(big) as wire:
            wire.recv(1000)
        assert httpx.get(f"{big.root}/health").status_code == 200


def test_a_redirect_leads_to_another_host(start: Callable[..., Responder]) -> None:
    answer = post(start("redirect=1"))
    assert (answer.status_code, answer.headers["location"]) == (307, "http://elsewhere.invalid/v1/chat/completions")
    other = start("")
    assert post(start(f"redirect=1,redirect-to={other.url}/chat/completions")).headers["location"].startswith(other.url)
    assert other.counters.requests == 0


def test_faults_of_the_content(start: Callable[..., Responder]) -> None:
    good = post(start("")).json()["choices"][0]["message"]["content"]

    def choice(name: str) -> Any:
        return post(start(f"{name}=1")).json()["choices"][0]

    assert post(start("no-choices=1")).json()["choices"] == []
    assert choice("null")["message"]["content"] is None
    assert choice("null")["message"]["refusal"] is None
    assert "\ud800" in choice("rubbish")["message"]["content"]
    assert (choice("length")["message"]["content"], choice("length")["finish_reason"]) == (
        good[: len(good) // 2], "length")  # fmt: skip
    assert (choice("filter")["message"]["content"], choice("filter")["finish_reason"]) == ("", "content_filter")
    refused = choice("refusal")
    assert (refused["message"]["content"], refused["finish_reason"]) == (None, "stop")
    assert refused["message"]["refusal"].startswith("I'm sorry")


def test_faults_of_the_content_in_a_stream(start: Callable[..., Responder]) -> None:
    async def deltas(name: str) -> list[Any]:
        async with openai.AsyncOpenAI(base_url=start(f"{name}=1").url, api_key="k", max_retries=0) as client:
            stream = await client.chat.completions.create(**BODY, stream=True)
            return [c.choices[0] async for c in stream if c.choices]

    assert asyncio.run(deltas("no-choices")) == []
    assert asyncio.run(deltas("length"))[-1].finish_reason == "length"
    said = asyncio.run(deltas("refusal"))
    assert "".join(c.delta.refusal or "" for c in said).startswith("I'm sorry")
    assert not any(c.delta.content for c in said)


def test_the_client_sees_openais_errors(start: Callable[..., Responder]) -> None:
    for name, kind in (("429", openai.RateLimitError), ("500", openai.InternalServerError)):
        with (
            openai.OpenAI(base_url=start(f"{name}=1").url, api_key="k", max_retries=0) as client,
            pytest.raises(kind),
        ):
            client.chat.completions.create(**BODY)


def test_faults_fall_by_seed_and_number() -> None:
    how = Misbehave.parse("429=0.2,500=0.3,cut=0.1,seed=3")
    fell = [how.fault(n) for n in range(4000)]
    assert fell == [Misbehave.parse("429=0.2,500=0.3,cut=0.1,seed=3").fault(n) for n in range(4000)]
    assert fell != [Misbehave.parse("429=0.2,500=0.3,cut=0.1,seed=4").fault(n) for n in range(4000)]
    for name, chance in (("429", 0.2), ("500", 0.3), ("cut", 0.1), ("", 0.4)):
        assert abs(fell.count(name) / 4000 - chance) < 0.03, name


def test_every_chance_has_its_name() -> None:
    for name, what in Misbehave.names().items():
        assert what
        if name not in ("retry-after", "hang-limit", "huge-size", "drip-seconds", "redirect-to", "rate", "delay",
                        "delay-random", "seed"):  # fmt: skip
            assert Misbehave.parse(f"{name}=1").fault(0) == name


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("retry_aftr=1", UnknownNameError, "did you mean 'retry-after'"), ("429", ParameterError, "NAME=VALUE"),
        ("429=x", ParameterError, "takes a number"), ("retry-after=1.5", ParameterError, "a whole number"),
        ("429=1.5", ParameterError, "no probability"), ("500=nan", ParameterError, "no probability"),
        ("429=0.6,500=0.6", ParameterError, "more likely than certain"), ("429=0.1,429=0.2", ParameterError, "twice"),
        ("delay=-1", ParameterError, "no length"), ("rate=nan", ParameterError, "no length"),
        ("delay=inf", ParameterError, "no length"),
    ],
)  # fmt: skip
def test_misbehaviour_is_read_strictly(text: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        Misbehave.parse(text)
    assert Misbehave.parse(" ") == Misbehave()
    assert Misbehave.parse(" 429 = 0.5 , seed=2,") == Misbehave(busy=0.5, seed=2)


def test_a_bucket_by_hand() -> None:
    bucket = Bucket(2.0)
    # Two at once; the third waits half a second, and a second later two are there again, not three.
    assert [bucket.take(10.0), bucket.take(10.0), bucket.take(10.0)] == [0, 0, 0.5]
    assert bucket.take(10.25) == 0.25
    assert bucket.take(10.5) == 0
    assert [bucket.take(99.0) for _ in range(3)] == [0, 0, 0.5]
    slow = Bucket(0.1)
    assert [slow.take(0.0), slow.take(4.0), slow.take(10.0)] == [0, pytest.approx(6.0), 0]


def test_the_rate_limit_says_the_right_wait(start: Callable[..., Responder]) -> None:
    now = [100.0]
    r = start("rate=0.5", clock=lambda: now[0])
    assert [post(r).status_code for _ in range(2)] == [200, 429]
    late = post(r)
    assert (late.headers["retry-after"], late.headers["retry-after-ms"]) == ("2", "2000")
    now[0] += 0.5
    # A second and a half are rounded up: whole seconds are all that Retry-After can say.
    late = post(r)
    assert (late.headers["retry-after"], late.headers["retry-after-ms"]) == ("2", "1500")
    now[0] += 1.49
    assert post(r).status_code == 429
    now[0] += 0.01
    assert post(r).status_code == 200
    assert r.counters.failures == {"rate": 4}


def test_delays(start: Callable[..., Responder]) -> None:
    before = time.monotonic()
    post(start("delay=0.3"))
    assert time.monotonic() - before >= 0.3
    how = Misbehave.parse("delay=1,delay-random=2")
    waits = [how.wait(n) for n in range(200)]
    assert 1 <= min(waits) < 1.1
    assert 2.9 < max(waits) < 3
