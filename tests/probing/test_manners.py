"""Servers that speak the protocol in their own way: what real ones reply, as far as it is published."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import probing
from workbench.core import ParameterError
from workbench.probing import Budget, Patience, Prices, Question, Record, Secret, Settings, read_as
from workbench.probing.answers import AgeYears, SamePerson
from workbench.probing.client import read_reply

Body = dict[str, Any]
Said = tuple[int, Body]
QUICK = Patience(tries=3, seconds=20, first_wait=0.001, longest_wait=0.002)


@contextmanager
def served(answer: Callable[[Body], Said]) -> Iterator[tuple[str, list[Body]]]:
    """A server on loopback; the bodies that it was sent."""
    seen: list[Body] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            """Nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen.append(body)
            status, said = answer(body)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reply(content: object = "32", finish: str = "stop", **message: object) -> Said:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return 200, {"model": "m", "choices": [choice], "usage": {"prompt_tokens": 300, "completion_tokens": 2}}


def error(status: int, message: str, param: str | None = None, code: object = None, **more: object) -> Said:
    return status, {"error": {"message": message, "param": param, "code": code, **more}}


def ask(url: str, path: Path, count: int = 1, settings: Settings = Settings(), **more: Any) -> probing.Asked:  # noqa: B008
    pictures = [np.full((16, 16, 3), 10 * i, np.uint8) for i in range(count)]
    asked = [Question(probing.prompt("age"), [probing.shown(p)]) for p in pictures]
    there = probing.Endpoint(url, "m")
    return probing.ask_now(asked, there, path, dataset="x", settings=settings, patience=QUICK, **more)


def _reasoning(body: Body) -> Said:
    if "max_tokens" in body:
        words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        return error(400, f"Unsupported parameter: {words}", "max_tokens", "unsupported_parameter")
    if body.get("temperature", 1) != 1:
        words = "'temperature' does not support 0.0 with this model. Only the default (1) value is supported."
        return error(400, f"Unsupported value: {words}", "temperature", "unsupported_value")
    return reply()


def test_models_that_know_no_max_tokens_and_no_temperature_are_asked_all_the_same(tmp_path: Path) -> None:
    with served(_reasoning) as (url, seen):
        found = ask(url, tmp_path / "a.sqlite", 3, Settings(temperature=0.0, most_tokens=77), at_once=1)
    assert [r.text for r in found.records] == ["32"] * 3
    assert [r.served_by for r in found.records] == ["m without temperature"] * 3
    # The limit stays, under its other name, and what was learnt is not tried again.
    assert [b.get("max_completion_tokens") for b in seen] == [None, 77, 77, 77, 77]
    assert found.failures == {"unsupported": 2}
    assert found.records[0].tries == 3


@pytest.mark.parametrize(
    "words",
    [
        "This model does not support response format `json_schema`.",
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        "This response_format type is unavailable now",
        "Invalid schema for response_format 'answer': 'minimum' is not permitted.",
    ],
)
def test_without_schemas_the_words_are_read(words: str, tmp_path: Path) -> None:
    def no_schema(body: Body) -> Said:
        return error(400, words) if "response_format" in body else reply("About 41 years old.")

    with served(no_schema) as (url, _):
        found = ask(url, tmp_path / "s.sqlite", settings=Settings(structured=True))
    assert read_as(AgeYears(), found.records[0]).value == {"age": 41}
    assert found.records[0].served_by == "m without response_format"


def test_a_setting_that_is_wrong_is_not_one_that_is_lacking(tmp_path: Path) -> None:
    with served(lambda body: error(400, "temperature must lie in [0, 2]", "temperature", "invalid")) as (url, seen):
        found = ask(url, tmp_path / "w.sqlite", settings=Settings(temperature=9.0))
    assert found.failures == {"rejected": 1}
    assert len(seen) == 1
    # Nor is a server heeded that complains of what it was not sent, over and over.
    with served(lambda body: error(400, "unknown field: seed", "seed")) as (url, seen):
        found = ask(url, tmp_path / "v.sqlite", settings=Settings(seed=3))
    assert found.failures == {"unsupported": 1, "rejected": 1}
    assert len(seen) == 2


def test_finding_out_what_a_server_has_is_paid_from_the_budget(tmp_path: Path) -> None:
    budget = Budget(calls=4)
    with served(_reasoning) as (url, seen):
        found = ask(url, tmp_path / "b.sqlite", 5, budget=budget, at_once=1)
    assert len(seen) == 4
    assert found.count("answered") == 2


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (400, {"code": "content_filter", "param": "prompt"}),
        (400, {"code": "content_policy_violation"}),
        (403, {"code": 403, "metadata": {"reasons": ["violence"], "flagged_input": "..."}}),
    ],
)
def test_a_filter_that_replies_with_an_error_declines(status: int, more: dict[str, Any], tmp_path: Path) -> None:
    with served(lambda body: error(status, "The prompt was filtered.", **more)) as (url, seen):
        found = ask(url, tmp_path / "f.sqlite", 3, at_once=1)
        again = ask(url, tmp_path / "f.sqlite", 3, at_once=1)
    assert [r.state for r in found.records] == ["refused"] * 3
    assert found.records[0].text == "The prompt was filtered."
    assert read_as(AgeYears(), found.records[0]).outcome == "refusal"
    assert again.asked == 0
    assert len(seen) == 3


@pytest.mark.parametrize(("status", "code"), [(429, "insufficient_quota"), (402, None)])
def test_an_empty_account_is_not_asked_on_and_on(status: int, code: str | None, tmp_path: Path) -> None:
    with served(lambda body: error(status, "You exceeded your current quota.", None, code)) as (url, seen):
        found = ask(url, tmp_path / "q.sqlite", 20, at_once=1)
    assert len(seen) == 1
    assert found.count("errored") == 20


def test_content_may_be_a_list_of_parts_and_thoughts_may_take_all_tokens() -> None:
    def content(said: object, finish: str = "stop") -> probing.Reply | None:
        return read_reply(reply(said, finish)[1])

    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "99?"}]}
    parts = content([thought, {"type": "text", "text": "About "}, {"type": "text", "text": "32"}])
    assert parts is not None
    assert parts.text == "About 32"
    assert content([thought]) is None
    assert content([{"type": "text"}]) is None
    assert content(None) is None
    empty = content(None, "length")
    assert empty is not None
    assert (empty.text, empty.cut) == ("", True)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("The age is 3", "unparsed"),
        ('{"age": 32}   \n\n', "value"),
        ('{"age": 3', "unparsed"),
        ("I'm sorry, I can't help with ", "refusal"),
    ],
)
def test_a_reply_that_was_cut_is_an_answer_only_as_whole_json(text: str, outcome: str) -> None:
    assert read_as(AgeYears(), Record("k", "answered", text, cut=1)).outcome == outcome
    assert read_as(SamePerson(), Record("k", "answered", "They look like different people.", cut=1)).value is None
    assert read_as(AgeYears(), Record("k", "answered", "The age is 3", cut=0)).value == {"age": 3}


def test_a_key_that_is_a_word_hides_no_answer(tmp_path: Path) -> None:
    def go(key: str, text: str) -> str:
        with served(lambda body: reply(text)) as (url, _):
            there = probing.Endpoint(url, "m", Secret(key))
            asked = [Question(probing.prompt("age"), [probing.shown(np.zeros((16, 16, 3), np.uint8))])]
            return probing.ask_now(asked, there, tmp_path / f"{key}.sqlite", dataset="x").records[0].text

    assert go("none", "none of them") == "none of them"
    assert go("sk-canary", "your key is sk-canary") == "your key is ***"


@pytest.mark.parametrize("at_once", [1, 32])
def test_pictures_that_cost_more_than_was_thought_do_not_overdraw(at_once: int, tmp_path: Path) -> None:
    # Some models count 33 times the tokens for a tile that the estimate has.
    def dear(body: Body) -> Said:
        status, said = reply()
        return status, {**said, "usage": {"prompt_tokens": 8600, "completion_tokens": 3}}

    budget = Budget(tokens=50_000, money=0.6, prices=Prices(10, 40))
    with served(dear) as (url, seen):
        found = ask(url, tmp_path / "d.sqlite", 25, budget=budget, at_once=at_once)
    assert len(seen) == found.count("answered")
    assert budget.spent["tokens"] == 8603 * len(seen) <= 50_000
    assert budget.spent["money"] <= 0.6
    assert len(seen) >= 3


@pytest.mark.parametrize("wrong", [float("nan"), -1.0, float("inf")])
def test_a_limit_or_a_price_that_is_no_number_limits_nothing_and_is_refused(wrong: float) -> None:
    for make in (lambda: Budget(money=wrong), lambda: Budget(tokens=wrong), lambda: Prices(wrong, 1)):  # type: ignore[arg-type]
        with pytest.raises(ParameterError, match=r"expected 0 or more|0 or more"):
            make()


def test_where_nobody_listens_the_record_says_so(tmp_path: Path) -> None:
    with served(lambda body: reply()) as (url, _):
        pass
    found = ask(url, tmp_path / "n.sqlite")
    assert "refused" in found.records[0].error.lower() or "connect call failed" in found.records[0].error.lower()


def test_a_spent_budget_does_not_hide_what_it_was_spent_on(tmp_path: Path) -> None:
    with served(lambda body: error(500, "no weights")) as (url, _):
        found = ask(url, tmp_path / "h.sqlite", budget=Budget(calls=2))
    assert "budget of calls" in found.records[0].error
    assert "no weights" in found.records[0].error
