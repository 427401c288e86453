"""Answers, refusals and silence are told apart; nothing leaves without a ticked box; no key is ever shown."""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import probing
from workbench.core import ConsentError, ParameterError, UnknownNameError
from workbench.data import phantom
from workbench.probing.responder import BlankEyes, Misbehave, Responder
from workbench.widgets import Probe
from workbench.widgets import probe as module

CANARY = "canary-7f3a+/secret=key"


@pytest.fixture(autouse=True)
def blank(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Eyes without networks, and a responder of this test's own."""
    module.eyes.cache_clear()
    module._responder.cache_clear()
    monkeypatch.setattr(module, "eyes", lambda: BlankEyes())
    yield
    if module._responder.cache_info().currsize:
        module._responder().__exit__(None, None, None)
        module._responder.cache_clear()


@pytest.fixture(scope="module")
def people() -> Any:
    return phantom.faces(2, 1, size=128, seed=5)


def years(picture: Any) -> int:
    """What `BlankEyes` say of the picture as it is sent: 18 and 60 times its green share."""
    from workbench import files

    sent = files.decode_image(probing.shown(picture).jpeg)
    return round(18 + 60 * float(sent[..., 1].mean()) / 255)


def test_the_built_in_responder_answers_says_what_it_is_and_is_asked_once(people: Any, home: Path) -> None:
    probe = Probe(people.images[0], people.images[1], real=False)
    own0, said0, own1, said1 = probe.ask()
    assert (own0.model, said0.model) == (module.OWN, "workbench-responder")
    for picture, own, said in ((people.images[0], own0, said0), (people.images[1], own1, said1)):
        assert said.outcome == "value"
        assert said.value == {"age": years(picture)}
        assert own.value is not None
        assert abs(own.value["age"] - said.value["age"]) <= 1
        assert "not a language model" in said.text
        assert (said.kept, own.money) == (False, 0.0)
        assert said.given is not None
    assert "no language model" in json.dumps(probe.view.columns)
    assert probe.view.spent == 2
    assert (home / "probing" / "answers.sqlite").is_file()
    again = probe.ask()
    assert [a.kept for a in again] == [False, True, False, True]
    assert [a.text for a in again] == [own0.text, said0.text, own1.text, said1.text]
    assert "kept: asked before, nothing was sent" in probe.view.table[0]["cells"][1]["facts"]
    assert probe.view.spent == 2
    assert module._responder().counters.requests == 2


def test_side_by_side_refusals_cut_answers_and_silence_are_told_apart(people: Any, tmp_path: Path) -> None:
    with (
        Responder(BlankEyes()) as good, Responder(BlankEyes(), refuse_direct=1.0) as shy,
        Responder(BlankEyes(), misbehave=Misbehave(rubbish=1.0)) as odd,
        Responder(BlankEyes(), misbehave=Misbehave(cut=1.0)) as cut,
        Responder(BlankEyes(), misbehave=Misbehave(busy_huge=1.0)) as busy,
        Responder(BlankEyes(), misbehave=Misbehave(filtered=1.0)) as filtered,
    ):  # fmt: skip
        servers = {"good": good, "shy": shy, "odd": odd, "cut": cut, "busy": busy, "filtered": filtered}
        ends = [probing.endpoint(server.url, name) for name, server in servers.items()]
        probe = Probe(people.images[0], endpoints=ends, real=False, store=tmp_path / "a.sqlite", places=1)
        found = {a.model: a for a in probe.ask()}
        assert {n: found[n].outcome for n in servers} == {
            "good": "value", "shy": "refusal", "odd": "unparsed", "cut": "no reply", "busy": "no reply",
            "filtered": "refusal",
        }  # fmt: skip
        assert "429" in found["busy"].why
        assert found["odd"].value is None
        assert found["odd"].text
        assert "no JSON" in found["cut"].why
    html = probe.static_html()
    for words in ("refusal", "unparsed", "no reply", "not a language model"):
        assert words in html


def test_tasks_take_their_pictures(people: Any) -> None:
    probe = Probe(people.images[0], task="verification", real=False)
    with pytest.raises(ParameterError, match="verification takes 2 pictures"):
        probe.ask()
    probe.inputs[1].show(people.images[0], real=False)
    answers = probe.ask()
    assert len(answers) == 2
    assert answers[1].value is not None
    assert answers[1].value["same_person"] is True
    probe.view.task = "identification"
    assert probe.ask()[1].value is not None
    with pytest.raises(ParameterError, match="takes one picture or more"):
        Probe().ask()
    with pytest.raises(UnknownNameError, match="task"):
        Probe(task="colour of eyes")
    with pytest.raises(UnknownNameError, match="endpoint"):
        Probe(endpoints=["gpt"])


def test_the_prompt_is_shown_with_its_framing_and_an_untrue_one_is_named(people: Any) -> None:
    probe = Probe(people.images[0], framing="generated")
    assert probe.view.prompt.startswith(probing.FRAMINGS["generated"])
    assert probe.view.warning == "Of real people this framing is untrue."
    probe.inputs[0].show(people.images[0], real=False)
    assert probe.view.warning == ""


def test_a_budget_of_calls_holds_over_all_askings(people: Any) -> None:
    probe = Probe(people.images[0], people.images[1], calls=1, real=False)
    first = probe.ask()
    assert [a.outcome for a in first] == ["value", "value", "value", "no reply"]
    assert "budget of calls" in first[3].why
    probe.view.calls = 2
    assert [a.outcome for a in probe.ask()] == ["value"] * 4
    assert probe.view.spent == 2


def test_money_is_told_only_by_prices(people: Any) -> None:
    prices = {"workbench-responder": probing.Prices(input=1000.0, output=2000.0)}
    answer = Probe(people.images[0], prices=prices, real=False).ask()[1]
    assert answer.money == pytest.approx((1000 * answer.given + 2000 * answer.written) / 1e6)
    probe = Probe(people.images[1], real=False)
    assert probe.ask()[1].money is None
    assert "cost unknown" in probe.view.table[0]["cells"][1]["facts"]


class Far:
    """A server that counts what reaches it; the name of a far host leads to it."""

    def __init__(self, status: int = 200) -> None:
        far = self
        self.bodies: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                far.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                key = self.headers["authorization"].removeprefix("Bearer ")
                said = {"choices": [{"message": {"content": f"The person looks 30 years old. {key}"}}], "model": key}
                data = json.dumps(said if status == 200 else {"error": f"bad key {key}"}).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> Far:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def not_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of this machine counts as far, so that consent is asked for it and its uploads can be counted."""
    monkeypatch.setattr(probing.Endpoint, "loopback", property(lambda self: False))
    monkeypatch.setattr(probing.Endpoint, "__post_init__", lambda self: None)


@pytest.mark.usefixtures("not_loopback")
def test_without_consent_nothing_is_uploaded(people: Any, tmp_path: Path) -> None:
    with Far() as far, Responder(BlankEyes()) as other:
        ends = [probing.endpoint(far.url, "far"), probing.endpoint(other.url, "other")]
        probe = Probe(people.images[0], endpoints=ends, dataset="study-1", real=False, store=tmp_path / "a")
        with pytest.raises(ConsentError, match="nobody has agreed to send pictures of 'study-1'"):
            probe.ask()
        host = ends[1].host
        probe.view.comm.receive("update", {"agreed": [host]})
        answers = probe.ask()
        assert [a.outcome for a in answers] == ["value", "not asked", "value"]
        assert "nobody has agreed" in answers[1].why
        assert far.bodies == []
        # Consent for another data set is none.
        other_set = Probe(
            people.images[0], endpoints=ends[:1], dataset="study-1", real=False, store=tmp_path / "a",
            consents=[probing.Consent(ends[0].host, "study-2")],
        )  # fmt: skip
        with pytest.raises(ConsentError):
            other_set.ask()
        assert far.bodies == []
        probe.view.comm.receive("update", {"agreed": [host, ends[0].host]})
        assert probe.ask()[1].outcome == "value"
        assert len(far.bodies) == 1


def test_a_box_that_the_configuration_ticks_is_ticked(people: Any, tmp_path: Path, home: Path) -> None:
    far = probing.Endpoint("https://models.example/v1", "m")
    (home / "consents.txt").write_text("models.example study-1\nother.example study-2\n")
    made = Probe(people.images[0], endpoints=[far], dataset="study-1", real=False, store=tmp_path / "a")
    assert made.view.agreed == ["models.example"]


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_key_appears_nowhere(
    people: Any, tmp_path: Path, status: int, bridge: Any
) -> None:  # fmt: skip
    (tmp_path / "key").write_text(CANARY)
    with Far(status) as far:
        end = probing.endpoint(far.url, "far", key_file=tmp_path / "key")
        probe = Probe(people.images[0], endpoints=[end], real=False, store=tmp_path / "kept" / "a.sqlite")
        probe.view.comm.receive("custom", {"ask": "ask", "id": 1, "with": {}})
        assert probe.view.settle(30)
        assert len(far.bodies) == 1 if status != 500 else far.bodies
        sent = [m for comm in bridge.opened.values() for m in comm.take()]
    assert probe.answers[1].outcome == ("value" if status == 200 else "no reply")
    written = b"".join(p.read_bytes() for p in (tmp_path / "kept").iterdir())
    seen = "".join([
        json.dumps(probe.view.get_state(), default=str), probe.static_html(), repr(probe),
        json.dumps(sent, default=str),
        str(probe.answers), probe.view.error, written.decode("latin-1"), repr(end),
    ])  # fmt: skip
    for form in (CANARY, base64.b64encode(CANARY.encode()).decode(), urllib.parse.quote(CANARY, safe="")):
        assert form not in seen
    assert "***" in seen
    assert probe.view.endpoints[0]["key"] is True


@pytest.mark.parametrize(
    "state", [{"task": "x"}, {"task": 3}, {"framing": "<b>"}, {"calls": -1}, {"calls": 1e12}, {"calls": "1"},
              {"calls": float("nan")}, {"agreed": ["evil.example"]}, {"agreed": "host"}, {"agreed": [3]},
              {"endpoints": []}, {"dataset": "other"}, {"table": []}]
)  # fmt: skip
def test_odd_traits_are_refused(state: dict[str, Any]) -> None:
    view = Probe().view
    name = next(iter(state))
    before = getattr(view, name)
    view.comm.receive("update", state)
    assert getattr(view, name) == before
    assert view.error


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"ask": "ask", "id": 1, "with": {"url": "http://evil"}}, "other fields"),
        ({"ask": "ask", "id": 1, "with": {}}, "takes one picture or more"),
        ({"ask": "fail", "id": 1, "with": {}}, "unknown question 'fail'"),
    ],
)
def test_odd_questions_are_refused_in_words(question: Any, words: str) -> None:
    view = Probe().view
    view.comm.receive("custom", question, [b"x" * 50_000_000] if "url" in question["with"] else [])
    assert words in view.error
    assert not view.asking


def test_what_is_saved_shows_nobody_real(people: Any) -> None:
    probe = Probe(people.images[0])
    assert "not asked yet" in probe.static_html()
    probe.ask()
    assert "data:image" not in probe.static_html()
    assert "show_faces=True" in probe.static_html()
    assert not any(isinstance(v, bytes | memoryview | np.ndarray) for v in probe.view.get_state().values())
    assert "data:image/jpeg" in Probe(people.images[0], show_faces=True).static_html()


def test_asking_by_mouse_and_keyboard(bench: Any, people: Any, tmp_path: Path) -> None:
    with Responder(BlankEyes(), refuse_direct=1.0) as shy:
        ends = ["responder", probing.endpoint(shy.url, "shy <img src=x onerror=alert(1)>")]
        probe = Probe(people.images[0], endpoints=ends, real=False, store=tmp_path / "a", places=1)
        bench.show(probe)
        view = bench.page.locator(f"#w-{probe.view.model_id}")
        view.get_by_text("How old does the person").wait_for()
        bench.page.wait_for_function("![...document.querySelectorAll('.fw-lock')].some((f) => f.disabled)")
        view.get_by_label("Task").select_option("expression")
        view.get_by_text("Which expression does the face show?").wait_for()
        view.get_by_role("button", name="Ask").press("Enter")
        view.get_by_text("answered", exact=True).nth(1).wait_for()
        view.get_by_text("refused", exact=True).wait_for()
        view.get_by_text("shy <img src=x onerror=alert(1)>").first.wait_for()
        view.get_by_text("in its words").click()
        assert "not a language model" in view.locator("details .fw-words").inner_text()
        view.get_by_role("button", name="Ask").click()
        view.get_by_text("answered · kept").wait_for()
        assert probe.settle(30)
    assert probe.answers[1].kept


@pytest.mark.usefixtures("not_loopback")
def test_consent_is_a_box_that_names_server_and_data_set(bench: Any, people: Any, tmp_path: Path) -> None:
    with Far() as far:
        end = probing.endpoint(far.url, "far")
        probe = Probe(people.images[0], endpoints=[end], dataset="study-1", store=tmp_path / "a", places=1)
        bench.dark()
        bench.show(probe)
        view = bench.page.locator(f"#w-{probe.view.model_id}")
        bench.page.wait_for_function("![...document.querySelectorAll('.fw-lock')].some((f) => f.disabled)")
        view.get_by_role("button", name="Ask").click()
        view.get_by_role("alert").get_by_text("nobody has agreed").wait_for()
        assert far.bodies == []
        box = view.get_by_role("checkbox", name=f"Send pictures of “study-1” to {end.host}.")
        box.press(" ")
        bench.page.wait_for_function("[...window.models.values()].some((m) => m.get('agreed')?.length === 1)")
        view.get_by_role("button", name="Ask").click()
        view.get_by_text("answered", exact=True).nth(1).wait_for()
        assert len(far.bodies) == 1
        assert probe.view.agreed == [end.host]
        box.click()
        bench.page.wait_for_function("[...window.models.values()].some((m) => m.get('agreed')?.length === 0)")
        assert probe.view.agreed == []


def test_stop_ends_a_call_that_hangs(bench: Any, people: Any, tmp_path: Path) -> None:
    with Responder(BlankEyes(), misbehave=Misbehave(hang=1.0, hang_limit=60.0)) as hanging:
        ends = [probing.endpoint(hanging.url, "hanging")]
        probe = Probe(people.images[0], endpoints=ends, real=False, store=tmp_path / "a", places=1)
        bench.show(probe)
        view = bench.page.locator(f"#w-{probe.view.model_id}")
        bench.page.wait_for_function("![...document.querySelectorAll('.fw-lock')].some((f) => f.disabled)")
        view.get_by_role("button", name="Ask").click()
        view.get_by_text("waiting…").last.wait_for()
        bench.page.wait_for_function("[...window.models.values()].some((m) => m.get('asking'))")
        while hanging.counters.requests == 0:
            bench.page.wait_for_timeout(20)
        view.get_by_role("button", name="Stop").click()
        view.get_by_text("stopped: what was answered until then is kept").wait_for()
        view.get_by_text("not asked", exact=True).wait_for()
        assert probe.settle(30)
    assert [a.outcome for a in probe.answers] == ["value", "not asked"]
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0, 0]


def test_pictures_of_one_name_are_told_apart(people: Any) -> None:
    probe = Probe(people.images[0], people.images[1], real=False, endpoints="responder")
    answers = probe.ask()
    assert [a.question for a in answers[::2]] == ["array (Picture 1)", "array (Picture 2)"]
    # A card with one line for both would show the second answer alone.
    card = probe.static_html()
    for picture in people.images:
        assert f"age: {years(picture)}" in card
