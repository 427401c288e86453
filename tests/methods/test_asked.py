"""Asking from inside a study: the loop, what is kept, what is sent, and by whose leave."""

from __future__ import annotations

import base64
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workbench import probing
from workbench.core import ConsentError, ParameterError, RunError
from workbench.methods import asked
from workbench.methods.asked import NO_REPLY, NOT_ASKED, REFUSAL, UNDECIDED, VALUE, Chat, Embedded, Remote
from workbench.probing.responder import BlankEyes

RNG = np.random.default_rng(0)
PICTURES = [np.full((24, 24, 3), c, np.uint8) for c in RNG.integers(0, 256, (60, 3))]
SHOWN = [[probing.shown(p)] for p in PICTURES]
FEW = SHOWN[:30]


class Scripted:
    """A server on loopback that keeps every body and answers from a list, text by text and then the last again."""

    def __init__(self, *texts: str | int) -> None:
        self.texts = list(texts)
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with lock:
                    outer.bodies.append(body)
                    outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                    said = outer.texts.pop(0) if len(outer.texts) > 1 else outer.texts[0]
                message = {"role": "assistant", "content": said, "refusal": None}
                reply = {"model": "scripted", "choices": [{"message": message, "finish_reason": "stop"}]}
                data = json.dumps(reply).encode()
                self.send_response(said if isinstance(said, int) else 200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def __enter__(self) -> Scripted:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "answers.sqlite")


def about(server: Scripted, store: str, count: int, task: str = "gender", **more: Any) -> asked.Replies:
    chat = Chat(server.url, "scripted")
    return asked.ask(Remote(chat), chat, probing.prompt(task), SHOWN[:count], store, dataset="phantom", **more)


def test_what_is_refused_or_unclear_is_asked_again_until_it_is_clear(store: str) -> None:
    said = ["I'm sorry, I can't help with identifying people.", "It is hard to say.", "A woman.", "A man."]
    with Scripted(*said) as server:
        replies = about(server, store, 1, attempts=5)
    assert replies.outcomes[:, 0].tolist() == [REFUSAL, UNDECIDED, VALUE, NOT_ASKED, NOT_ASKED]
    assert [t[0] for t in replies.texts] == [*said[:3], "", ""]
    assert (replies.first.tolist(), replies.decided.tolist(), replies.state.tolist()) == ([2], [[0.0]], [VALUE])
    assert (replies.calls, replies.sent, len(server.bodies)) == (3, 3, 3)


def test_what_never_gets_clear_keeps_the_state_of_its_last_asking(store: str) -> None:
    with Scripted("It is hard to say.", "I cannot assist with that.") as server:
        replies = about(server, store, 1, attempts=3)
    assert (replies.state.tolist(), replies.first.tolist()) == ([REFUSAL], [-1])
    assert np.isnan(replies.decided).all()


def test_some_are_asked_every_time_and_keep_their_first_answer(store: str) -> None:
    with Scripted("A man.", "A woman.") as server:
        replies = about(server, store, 1, attempts=3, always=np.array([True]))
    assert replies.values[:, 0, 0].tolist() == [1.0, 0.0, 0.0]
    assert replies.decided.tolist() == [[1.0]]


@pytest.fixture
def double() -> Embedded:
    return Embedded(BlankEyes, {"eyes": "blank"}, refuse_direct=0.5, refuse_generated=0.05, undecided=0.1, seed=3)


def test_a_second_run_sends_nothing_and_says_the_same(double: Embedded, store: str) -> None:
    def run() -> asked.Replies:
        return asked.ask(double, Chat(), probing.prompt("age-range"), SHOWN, store, dataset="phantom", attempts=3)

    first, again = run(), run()
    unique = len({s[0].digest for s in SHOWN})
    assert first.sent >= unique
    assert again.sent == 0
    assert again.calls == first.calls == first.sent
    np.testing.assert_array_equal(first.outcomes, again.outcomes)
    np.testing.assert_array_equal(first.values, again.values)
    assert first.texts == again.texts


def test_an_interrupted_run_goes_on_to_the_same_answers(double: Embedded, tmp_path: Path) -> None:
    prompt = probing.prompt("gender")

    def run(name: str, count: int) -> asked.Replies:
        return asked.ask(double, Chat(), prompt, SHOWN[:count], tmp_path / name, dataset="phantom", attempts=3)

    whole = run("whole", 60)
    # What was asked before, in another order and number, has no influence on what comes after.
    run("torn", 25)
    torn = run("torn", 60)
    np.testing.assert_array_equal(whole.outcomes, torn.outcomes)
    assert 0 < torn.sent < whole.sent


def test_refusals_depend_on_the_preamble_alone_and_lessen_with_repetition(double: Embedded, store: str) -> None:
    found = {
        framing: asked.ask(
            double, Chat(), probing.prompt("gender", framing=framing), SHOWN, store, dataset="phantom", attempts=3
        )
        for framing in ("direct", "generated")
    }
    share = {f: float((r.outcomes[0] == REFUSAL).mean()) for f, r in found.items()}
    assert share["direct"] > 0.3 > 0.15 > share["generated"]
    assert {f: r.framing for f, r in found.items()} == {"direct": "direct", "generated": "generated"}
    with probing.Store(store) as kept:
        assert {r.framing for r in kept} == {"direct", "generated"}
    decided = [(r.first >= 0) & (r.first <= k) for r in [found["direct"]] for k in range(3)]
    assert decided[0].sum() < decided[1].sum() <= decided[2].sum()


def test_doubles_that_see_or_behave_differently_have_different_names(double: Embedded) -> None:
    same = {"eyes": "blank"}
    others = [
        Embedded(BlankEyes, {"eyes": "other"}, 0.5, 0.05, 0.1, 3),
        *(
            Embedded(BlankEyes, same, *shares)
            for shares in ((0.4, 0.05, 0.1, 3), (0.5, 0.05, 0.2, 3), (0.5, 0.05, 0.1, 4))
        ),
    ]
    assert len({double.model, *(o.model for o in others)}) == 5
    assert double.model.startswith("workbench-responder-")


def test_only_pixels_encoded_anew_reach_the_server(store: str, tmp_path: Path) -> None:
    from workbench import files
    from workbench.data import open_dataset

    # A photograph with a famous name in its path and in its metadata.
    name = "George_W_Bush"
    folder = tmp_path / "lfw" / name
    folder.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x010E] = f"portrait of {name}"
    for number in (1, 2):
        Image.fromarray(PICTURES[number].repeat(3, 0).repeat(3, 1)).save(
            folder / f"{name}_000{number}.jpg", exif=exif, comment=name.encode()
        )
    other = tmp_path / "lfw" / "Ann_Veneman"
    other.mkdir()
    Image.fromarray(PICTURES[3]).save(other / "Ann_Veneman_0001.jpg", exif=exif)
    (tmp_path / "pairsDevTest.txt").write_text(f"1\n{name}\t1\t2\n{name}\t1\tAnn_Veneman\t1\n")
    samples = open_dataset(f"lfw:{tmp_path}").samples()
    assert name.encode() in files.read_bytes(folder / f"{name}_0001.jpg")
    with Scripted("Same person.") as server:
        chat = Chat(server.url, "scripted")
        pair = [probing.shown(samples.images[0]), probing.shown(samples.images[1])]
        asked.ask(Remote(chat), chat, probing.prompt("verification"), [pair], store, dataset="lfw")
    assert len(server.bodies) == 1
    content = json.loads(server.bodies[0])["messages"][0]["content"]
    pictures = [base64.b64decode(p["image_url"]["url"].partition(",")[2]) for p in content if p["type"] == "image_url"]
    assert len(pictures) == 2
    sent = server.bodies[0] + b"".join(pictures) + json.dumps(server.headers).encode()
    for secret in ("George", "Bush", "Veneman", "lfw", str(tmp_path)):
        assert secret.lower().encode() not in sent.lower(), secret
    for data in pictures:
        shown = Image.open(io.BytesIO(data))
        assert dict(shown.getexif()) == {}
        assert not {"exif", "comment", "icc_profile"} & shown.info.keys()
    with probing.Store(store) as kept:
        assert all(name not in repr(r) for r in kept)


def test_nothing_leaves_the_machine_without_consent_or_without_an_endpoint(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Chat("https://chat.example.org/v1", "big")
    with pytest.raises(ConsentError, match="nobody has agreed"):
        there.check("lfw")
    with pytest.raises(ConsentError, match="nobody has agreed"):
        asked.ask(Remote(there), there, probing.prompt("gender"), SHOWN[:1], store, dataset="lfw")
    # Consent names the host; one for another is none.
    with pytest.raises(ConsentError):
        Chat("https://chat.example.org/v1", "big", "other.example.org").check("lfw")
    Chat("https://chat.example.org/v1", "big", "chat.example.org").check("lfw")
    # The environment's address is for the command line; a study without `endpoint` asks here.
    monkeypatch.setenv("WORKBENCH_PROBE_URL", "https://chat.example.org/v1")
    assert Chat().url == ""
    Chat().check("lfw")


def test_whom_to_ask_is_said_completely() -> None:
    with pytest.raises(ParameterError, match="many models"):
        Chat("https://chat.example.org/v1")
    with pytest.raises(ParameterError, match="no endpoint is given"):
        Chat(model="big")
    with pytest.raises(ParameterError, match="no endpoint is given"):
        Chat(consent="chat.example.org")


def test_the_key_comes_from_the_environment_and_is_in_no_text(store: str, tmp_path: Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    (tmp_path / "key").write_text("canary-4711\n")
    monkeypatch.setenv("WORKBENCH_PROBE_KEY_FILE", str(tmp_path / "key"))
    with Scripted("A man.") as server:
        replies = about(server, store, 1)
        assert server.headers[0]["authorization"] == "Bearer canary-4711"
        assert "canary" not in repr(replies) + repr(Chat(server.url, "scripted")) + asked.described([replies])
    assert b"canary" not in Path(store).read_bytes()


def test_a_server_that_is_not_there_is_noticed_at_the_first_question(store: str) -> None:
    with Scripted(404) as server, pytest.raises(RunError, match="does not reply"):
        about(server, store, 60)
    assert len(server.bodies) == 3


def test_one_question_that_a_server_rejects_does_not_end_the_run(store: str) -> None:
    with Scripted(400, "A man.") as server:
        replies = about(server, store, 8)
    assert replies.outcomes[0].tolist() == [NO_REPLY] + [VALUE] * 7


def test_a_call_without_a_reply_is_neither_a_refusal_nor_undecided(store: str) -> None:
    with Scripted("A man.", 400, "A woman.") as server:
        replies = about(server, store, 2)
    assert replies.outcomes[0].tolist() == [VALUE, NO_REPLY]
    assert replies.texts[0][1] == ""


def test_model_day_temperature_and_calls_are_said(store: str) -> None:
    with Scripted("A man.") as server:
        chat = Chat(server.url, "scripted-4", temperature=None)
        prompt = probing.prompt("gender")
        replies = asked.ask(Remote(chat), chat, prompt, SHOWN[:3], store, dataset="phantom")
    said = asked.described([replies, replies])
    assert "6 calls of scripted-4 (served by scripted)" in said
    assert '"temperature": null' in said
    with probing.Store(store) as kept:
        record = next(iter(kept))
    from datetime import UTC, datetime

    assert datetime.fromtimestamp(record.asked_at, UTC).date().isoformat() in said
    assert "temperature" not in json.loads(server.bodies[0])
