"""Asking many questions: storms, kills, budgets, consent and secrets, against the responder on loopback."""

import asyncio
import base64
import json
import logging
import signal
import subprocess
import sys
import time
import urllib.parse
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from workbench import probing
from workbench.core import BudgetError, ConsentError, DataError, ParameterError, StoreError
from workbench.probing import Budget, Consent, Patience, Prices, Question, Secret, Settings, prompts
from workbench.probing.client import read_reply
from workbench.probing.failures import retry_after
from workbench.probing.pace import Pace
from workbench.probing.responder import BlankEyes, Misbehave, Responder

MODEL = "workbench-responder"
# Waits are real but short: the responder does not know the tests' clock.
QUICK = Patience(tries=40, seconds=60, first_wait=0.002, longest_wait=0.02)


def questions(count: int, seed: int = 0, task: str = "age") -> list[Question]:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (count, 1, 1, 3), dtype=np.uint8).repeat(24, 1).repeat(24, 2)
    return [Question(probing.prompt(task), [probing.shown(p)], name=str(i)) for i, p in enumerate(pictures)]


def ask(
    url: str, asked: list[Question], path: Path, *, key: str = "", deadline: float = 5.0, **more: object
) -> probing.Asked:
    async def go() -> probing.Asked:
        there = probing.Endpoint(url, MODEL, Secret(key))
        async with probing.Client(there, deadline=deadline) as client:
            with probing.Store(path) as store:
                return await probing.ask_all(asked, client, store, dataset="phantom", **more)  # type: ignore[arg-type]

    return asyncio.run(go())


def test_answers_come_back_in_order_and_are_not_asked_twice(tmp_path: Path) -> None:
    asked = questions(40)
    with Responder(BlankEyes()) as server:
        first = ask(server.url, asked, tmp_path / "a.sqlite")
        assert [r.name for r in first.records] == [q.name for q in asked]
        assert first.asked == len({q.pictures[0].digest for q in asked})
        more = ask(server.url, [*asked, *questions(5, seed=9)], tmp_path / "a.sqlite")
        assert more.asked == 5
        assert more.records[:40] == first.records
        again = ask(server.url, [Question(q.prompt, q.pictures, attempt=1) for q in asked[:3]], tmp_path / "a.sqlite")
        assert again.asked == 3
    for question, found in zip(asked, first.records, strict=True):
        answer = probing.read(question, found)
        assert answer.outcome == "value"
        assert 0 <= answer.value["age"] <= 120


def test_what_changes_the_answer_changes_the_key() -> None:
    base, settings = questions(1)[0], Settings()
    key = base.key("m", settings)
    other = [
        base.key("n", settings),
        base.key("m", settings, probing.Endpoint("https://models.example/v1", "m").abroad),
        base.key("m", settings, probing.Endpoint("https://others.example/v1", "m").abroad),
        base.key("m", Settings(temperature=1.0)),
        base.key("m", Settings(seed=1)),
        base.key("m", Settings(most_tokens=5)),
        base.key("m", Settings(structured=True)),
        Question(probing.prompt("gender"), base.pictures).key("m", settings),
        Question(probing.prompt("age", framing="generated"), base.pictures).key("m", settings),
        Question(base.prompt, base.pictures, attempt=1).key("m", settings),
        Question(base.prompt, [*base.pictures, *base.pictures]).key("m", settings),
        Question(base.prompt, [replace(base.pictures[0], encoding=probing.Encoding(quality=50))]).key("m", settings),
    ]
    assert len({key, *other}) == 13
    assert Question(base.prompt, base.pictures, name="else").key("m", settings) == key
    assert base.key("m", settings, probing.Endpoint("http://127.0.0.1:8000/v1", "m").abroad) == key


def test_another_wording_of_a_framing_is_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Question(probing.prompt("age", framing="generated"), questions(1)[0].pictures)
    key = asked.key("m", Settings())
    monkeypatch.setattr(prompts, "FRAMINGS", {**prompts.FRAMINGS, "generated": "A machine drew this. "})
    assert asked.key("m", Settings()) != key


# Three in ten fail, each in one of these ways.
STORM = ",".join((
    "429=0.01", "429-date=0.01", "429-zero=0.03", "429-negative=0.03", "429-bare=0.03", "500=0.04", "503=0.03",
    "cut=0.03", "error-body=0.03", "html=0.02", "no-choices=0.02", "null=0.01", "reset=0.01",
))  # fmt: skip


def test_a_storm_leaves_every_question_answered_once(tmp_path: Path) -> None:
    asked = questions(1000)
    with Responder(BlankEyes(), misbehave=Misbehave.parse(STORM + ",seed=3")) as server:
        found = ask(server.url, asked, tmp_path / "storm.sqlite", patience=QUICK, at_once=16)
        counts = server.counters
    assert found.count("answered") == 1000
    assert sum(found.failures.values()) > 200
    assert {"rate limit", "server", "unreadable"} <= found.failures.keys()
    assert counts.requests == found.asked + sum(found.failures.values())
    with Responder(BlankEyes()) as server:
        again = ask(server.url, asked, tmp_path / "storm.sqlite")
        assert again.asked == 0
        assert server.counters.requests == 0


_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_asking import QUICK, ask, questions
found = ask({url!r}, questions(1000), Path({path!r}), patience=QUICK, at_once=16)
print(found.asked, found.count("answered"))
"""


def test_a_process_killed_twice_asks_nothing_again_whose_answer_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "killed.sqlite"
    unique = len({q.pictures[0].digest for q in questions(1000)})
    with Responder(BlankEyes(), misbehave=Misbehave.parse(STORM + ",seed=4")) as server:
        code = _RUN.format(tests=str(Path(__file__).parent), url=server.url, path=str(path))
        stored = []
        for goal in (150, 500):
            child = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
            while _stored(path) < goal:
                assert child.poll() is None
                time.sleep(0.02)
            child.send_signal(signal.SIGKILL)
            child.wait()
            stored.append(_stored(path))
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    asked, answered = map(int, done.stdout.split())
    assert stored[0] < stored[1] < unique
    assert asked == unique - stored[1]
    assert answered == 1000
    # Only what was under way when the process was killed was answered in vain.
    assert unique <= server.counters.answered <= unique + 2 * 16


_INTERRUPTED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_asking import MODEL, questions
from workbench import probing
print("asking", flush=True)
probing.ask_now(questions(300), probing.Endpoint({url!r}, MODEL), Path({path!r}), dataset="phantom", at_once=4)
"""


def test_an_interrupt_ends_the_calls(tmp_path: Path) -> None:
    path = tmp_path / "stopped.sqlite"
    with Responder(BlankEyes(), misbehave=Misbehave.parse("delay=0.1")) as server:
        code = _INTERRUPTED.format(tests=str(Path(__file__).parent), url=server.url, path=str(path))
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            while _stored(path) < 8:
                assert child.poll() is None
                time.sleep(0.02)
            child.send_signal(signal.SIGINT)
            _, said = child.communicate()
        made = server.counters.requests
    assert b"KeyboardInterrupt" in said
    assert made < 150
    assert 8 <= _stored(path) <= made


def _stored(path: Path) -> int:
    if not path.is_file():
        return 0
    try:
        with probing.Store(path) as store:
            return len(store)
    except StoreError:
        return 0


def test_a_budget_is_never_exceeded_and_nothing_is_lost(tmp_path: Path) -> None:
    asked = questions(60)
    with Responder(BlankEyes()) as server:
        few = ask(server.url, asked, tmp_path / "b.sqlite", budget=Budget(calls=20), at_once=8)
        assert server.counters.requests == 20
        assert (few.count("answered"), few.count("errored")) == (20, 40)
        assert "budget of calls" in few.records[-1].error
        held = Budget(money=0.1, prices=Prices(input=10, output=40))
        some = ask(server.url, asked, tmp_path / "b.sqlite", budget=held, at_once=8)
        assert 0 < held.spent["money"] <= 0.1
        assert some.count("errored") > 0
        rest = ask(server.url, asked, tmp_path / "b.sqlite")
        assert rest.count("answered") == 60
        assert server.counters.requests == 60


def test_settings_that_would_pay_a_budget_back_are_refused() -> None:
    for tokens in (0, -1_000_000):
        with pytest.raises(ParameterError, match="an answer has tokens"):
            Settings(most_tokens=tokens)
    for heat in (-0.1, float("nan")):
        with pytest.raises(ParameterError, match="no temperature"):
            Settings(temperature=heat)


def test_a_budget_counts_what_is_under_way() -> None:
    budget = Budget(tokens=1000)
    held = budget.reserve(300, 300)
    with pytest.raises(BudgetError, match="budget of tokens"):
        budget.reserve(300, 300)
    budget.settle(held, 100, 50)
    assert budget.spent["tokens"] == 150
    budget.settle(budget.reserve(300, 300), None, None)
    assert budget.spent == {"calls": 2, "tokens": 750, "money": 0.0}


def test_without_consent_nothing_leaves_the_machine(tmp_path: Path) -> None:
    far = probing.Endpoint("https://models.example/v1", MODEL)

    async def go(*consents: Consent) -> None:
        async with probing.Client(far) as client:
            with probing.Store(tmp_path / "c.sqlite") as store:
                await probing.ask_all(questions(1), client, store, dataset="orl", consents=consents)

    for wrong in ((), (Consent("models.example", "lfw"),), (Consent("other.example", "orl"),)):
        with pytest.raises(ConsentError, match=r"nobody has agreed to send pictures of 'orl' to models\.example"):
            asyncio.run(go(*wrong))
    assert probing.require(far, "orl", [Consent("models.example", "orl")]) == Consent("models.example", "orl")
    assert probing.require(probing.Endpoint("http://127.0.0.1:1/v1", MODEL), "orl") is None
    consents = tmp_path / "consents"
    consents.write_text("# who may see what\nmodels.example orl  # since May\n")
    assert probing.read_consents(consents) == (Consent("models.example", "orl"),)
    consents.write_text("models.example   own pictures  # the name that `workbench probe` gives\n")
    assert probing.read_consents(consents) == (Consent("models.example", "own pictures"),)
    consents.write_text("models.example\n")
    with pytest.raises(DataError, match="line 1 is no consent"):
        probing.read_consents(consents)


def test_a_consent_may_stand_in_the_user_s_configuration(home: Path) -> None:
    far = probing.Endpoint("https://models.example/v1", MODEL)
    (home / "consents.txt").write_text("models.example lfw\n")
    with pytest.raises(ConsentError, match=r"write the line 'models\.example orl' into consents\.txt"):
        probing.require(far, "orl")
    (home / "consents.txt").write_text("models.example orl\n")
    assert probing.require(far, "orl") == Consent("models.example", "orl")
    (home / "consents.txt").write_text("models.example\n")
    with pytest.raises(DataError, match="line 1 is no consent"):
        probing.require(far, "orl")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://models.example/v1", "do not travel unencrypted"),
        ("https://user:pass@models.example/v1", "carries no key"),
        ("https://models.example/v1?key=1", "carries no key"),
        ("ftp://models.example", "not the address of a server"),
        ("http://127.0.0.1:99999/v1", "not the address of a server"),
    ],
)
def test_unsafe_addresses_are_refused(url: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        probing.Endpoint(url, MODEL)
    assert "pass" not in str(caught.value)


def test_keys_come_from_the_environment_and_do_not_go_to_loopback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert probing.endpoint("https://models.example/v1", "m").key.reveal() == "sk-canary"
    assert not probing.endpoint("http://127.0.0.1:9/v1", "m").key
    (tmp_path / "key").write_text("sk-file\n")
    assert probing.endpoint("http://127.0.0.1:9/v1", "m", key_file=tmp_path / "key").key.reveal() == "sk-file"
    with pytest.raises(ParameterError, match="no model server is named"):
        probing.endpoint()


def test_a_canary_key_is_found_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "sk-canary-7f3a91c2e5"
    caplog.set_level(logging.DEBUG)
    with Responder(BlankEyes(), misbehave=Misbehave.parse("500=0.5,seed=1"), api_key=key) as server:
        ask(server.url, questions(20), tmp_path / "k.sqlite", key=key, patience=QUICK)
        wrong = ask(server.url, questions(20, seed=5), tmp_path / "k.sqlite", key=key + "x", patience=QUICK)
        there = probing.Endpoint(server.url, MODEL, Secret(key))
    assert "not allowed" in wrong.failures
    assert wrong.count("errored") == 20
    with probing.Store(tmp_path / "k.sqlite") as store:
        for name in ("a.jsonl", "a.parquet"):
            probing.export(store, tmp_path / name)
    with pytest.raises(TypeError, match="stays in this process"):
        __import__("pickle").dumps(there)
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    seen = written.decode("latin-1") + caplog.text + "".join(capsys.readouterr()) + repr(there) + str(vars(there))
    for form in (key, base64.b64encode(key.encode()).decode(), urllib.parse.quote(key, safe=""), key.encode().hex()):
        assert form not in seen


def test_hosts_that_forbid_are_not_asked_on_and_on(tmp_path: Path) -> None:
    with Responder(BlankEyes(), api_key="right") as server:
        found = ask(server.url, questions(50), tmp_path / "f.sqlite", key="wrong", at_once=4, patience=QUICK)
        assert found.count("errored") == 50
        assert sum(found.failures.values()) <= 4


@pytest.mark.parametrize("fault", ["redirect=1", "huge=1", "hang=1", "drip=1", "429-huge=1"])
def test_bad_servers_cost_a_deadline_and_no_more(fault: str, tmp_path: Path) -> None:
    with Responder(BlankEyes(), misbehave=Misbehave.parse(fault)) as server:
        start = time.monotonic()
        found = ask(server.url, questions(1), tmp_path / "x.sqlite", deadline=0.4,
                    patience=Patience(tries=2, seconds=3, first_wait=0.01))  # fmt: skip
        taken = time.monotonic() - start
    assert found.records[0].state == "errored"
    assert found.records[0].text == ""
    assert taken < 4
    kind = {"redirect=1": "redirect", "429-huge=1": "rate limit", "huge=1": "too large"}.get(fault, "timeout")
    assert set(found.failures) <= {kind, "timeout"}
    assert found.records[0].error


def test_refusals_of_the_server_are_no_answers(tmp_path: Path) -> None:
    asked = questions(4)
    with Responder(BlankEyes(), misbehave=Misbehave.parse("refusal=1")) as server:
        found = ask(server.url, asked, tmp_path / "r.sqlite")
    assert found.count("refused") == 4
    assert probing.read(asked[0], found.records[0]).outcome == "refusal"


def test_pace_halves_when_told_and_grows_again() -> None:
    pace = Pace(8)
    pace.running = 8
    # A burst of eight that was sent together counts once; a ninth refusal is another one.
    for expected in (4, 4, 4, 4, 4, 4, 4, 4, 2):
        pace.refused()
        assert pace.limit == expected
    for _ in range(60):
        pace.answered()
    assert pace.limit == 8


def test_pace_bounds_what_runs_and_wakes_all() -> None:
    pace, seen = Pace(3), []

    async def work() -> None:
        async with pace:
            seen.append(pace.running)
            await asyncio.sleep(0)

    async def go() -> None:
        await asyncio.gather(*(work() for _ in range(20)))

    asyncio.run(go())
    assert len(seen) == 20
    assert max(seen) == 3
    assert pace.running == 0


def test_stores_keep_answers_and_refuse_strangers(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Responder(BlankEyes()) as server:
        found = ask(server.url, questions(3), path)
    with probing.Store(path) as store:
        good = next(iter(store))
        store.put(probing.Record(good.key, "errored", error="later trouble"))
        assert store.get(good.key) == good
        rows = [json.loads(line) for line in probing.export(store, tmp_path / "s.jsonl").read_text().splitlines()]
        assert {r["text"] for r in rows} == {r.text for r in found.records}
        with pytest.raises(ParameterError, match="JSON lines or Parquet"):
            probing.export(store, tmp_path / "s.csv")
    (tmp_path / "no.sqlite").write_bytes(b"not a data base" * 100)
    for place in ("no.sqlite", "no.sqlite/below.sqlite"):
        with pytest.raises(StoreError, match="not a store of answers"):
            probing.Store(tmp_path / place)


def test_pictures_are_sent_as_pixels_alone() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (900, 600, 3), dtype=np.uint8)
    sent = probing.shown(picture)
    assert b"Exif" not in sent.jpeg
    assert sent.jpeg[:2] == b"\xff\xd8"
    pair = probing.side_by_side(picture, picture[:450])
    assert pair.shape == (450, 300 + 16 + 600, 3)


def test_names_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    send = probing.Client.ask

    async def spied(self: probing.Client, question: Question, settings: Settings) -> probing.Reply:
        async def look(request: object) -> None:
            seen.append(request.content.decode())  # type: ignore[attr-defined]

        self._http.event_hooks = {"request": [look]}
        return await send(self, question, settings)

    monkeypatch.setattr(probing.Client, "ask", spied)
    with Responder(BlankEyes()) as server:
        ask(server.url, [replace(questions(1)[0], name="Famous_Person_0001.jpg")], tmp_path / "n.sqlite")
    assert len(seen) == 1
    assert "image/jpeg;base64" in seen[0]
    assert "Famous" not in seen[0]
    assert "phantom" not in seen[0]


NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0), ("0.5", 0.5), ("0", None), ("-5", None), ("1000000000", 1e9), ("nan", None), ("inf", None),
        ("soon", None), ("", None), ("Fri, 27 Nov 2026 12:00:30 GMT", 30.0), ("Fri, 27 Nov 2026 11:59:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_in_all_its_forms(said: str, seconds: float | None) -> None:
    assert retry_after(said, NOW) == seconds


@pytest.mark.parametrize(
    ("fault", "tries", "waits"),
    [("429=1,retry-after=7", 3, [7.0, 7.0]), ("429-huge=1", 1, []), ("429-zero=1", 3, [0.25, 0.5])],
)
def test_waits_are_those_that_the_server_asks_for(fault: str, tries: int, waits: list[float], tmp_path: Path) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    clock = probing.Clock(now=lambda: sum(slept), sleep=sleep)
    patience = Patience(tries=3, seconds=100, first_wait=0.5)
    with Responder(BlankEyes(), misbehave=Misbehave.parse(fault)) as server:
        found = ask(server.url, questions(1), tmp_path / "w.sqlite", clock=clock, patience=patience)
    assert found.records[0].tries == tries
    assert len(slept) == len(waits)
    # At least what was asked; of one's own between half and all of a wait that doubles.
    assert all(least <= s <= max(least, 2 * least if least < 7 else 7) for s, least in zip(slept, waits, strict=True))


def test_a_key_is_hidden_before_words_are_cut() -> None:
    key = "sk-" + "canary" * 10
    client = probing.Client(probing.Endpoint("https://models.example/v1", MODEL, Secret(key)))
    said = client._clean("x" * 290 + key)
    assert "sk-" not in said
    assert len(said) <= 300


@pytest.mark.parametrize("body", [None, [], {}, {"choices": []}, {"choices": [None]}, {"choices": [{"message": 3}]},
                                  {"choices": [{"message": {"content": ["a"]}}]}])  # fmt: skip
def test_what_is_no_answer_is_not_read_as_one(body: object) -> None:
    assert read_reply(body) is None


@pytest.mark.parametrize("task", probing.tasks())
def test_the_responder_understands_every_task_and_is_understood(task: str, tmp_path: Path) -> None:
    count = {"verification": 2, "similarity": 2, "identification": 3}.get(task, 1)
    asked = [Question(probing.prompt(task), list(q.pictures) * count) for q in questions(40)]
    plain, forms = Settings(), Settings(structured=True)
    with Responder(BlankEyes()) as server:
        for settings in (plain, forms):
            found = ask(server.url, asked, tmp_path / "t.sqlite", settings=settings)
            answers = [probing.read(q, r) for q, r in zip(asked, found.records, strict=True)]
            assert {a.outcome for a in answers} == {"value"}, [r.text for r in found.records]
            said = answers[0].value
            if settings is plain:
                first = said
        # Words and forms say the same of the same picture.
        shared = (first.keys() & said.keys()) - {"confidence", "explanation", "kind"}
        assert shared
        assert all(first[k] == said[k] for k in shared)
