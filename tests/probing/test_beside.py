"""Models side by side: each answer is told when it is there; a stop ends a call that hangs; nobody is asked unasked."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from workbench import probing
from workbench.core import ConsentError
from workbench.probing.responder import BlankEyes, Misbehave, Responder


def question(level: int = 90) -> probing.Question:
    return probing.Question(probing.prompt("age"), [probing.shown(np.full((32, 32, 3), level, np.uint8))])


def test_each_answer_is_told_with_its_place_and_kept_ones_cost_nothing(tmp_path: Path) -> None:
    with Responder(BlankEyes()) as one, Responder(BlankEyes(), refuse_direct=1.0) as other:
        ends = [probing.endpoint(one.url, "one"), probing.endpoint(other.url, "other")]
        for kept in (False, True):
            told: list[probing.Told] = []
            whole = probing.ask_beside(
                [question(), question(40)],
                ends,
                tmp_path / "a.sqlite",
                dataset="d",
                told=told.append,
                stop=probing.Stop(),
            )
            assert whole
            assert sorted((x.question, x.endpoint) for x in told) == [(0, 0), (0, 1), (1, 0), (1, 1)]
            assert {x.kept for x in told} == {kept}
            assert all((x.record.model == "other") == bool(x.endpoint) for x in told)
            assert all(x.seconds >= 0 for x in told)
        assert (one.counters.requests, other.counters.requests) == (2, 2)


def test_a_stop_ends_a_call_that_hangs(tmp_path: Path) -> None:
    stop = probing.Stop()
    with Responder(BlankEyes(), misbehave=Misbehave(hang=1.0, hang_limit=30.0)) as hanging:
        timer = threading.Timer(0.5, stop.now)
        timer.start()
        start = time.monotonic()
        told: list[probing.Told] = []
        whole = probing.ask_beside(
            [question()], [probing.endpoint(hanging.url, "m")], tmp_path / "a.sqlite", dataset="d", told=told.append,
            stop=stop,
        )  # fmt: skip
    assert (whole, told) == (False, [])
    assert time.monotonic() - start < 25


def test_a_stop_before_the_start_asks_nobody(tmp_path: Path) -> None:
    stop = probing.Stop()
    stop.now()
    with Responder(BlankEyes()) as one:
        end = probing.endpoint(one.url, "m")
        assert not probing.ask_beside([question()], [end], tmp_path / "a", dataset="d", told=print, stop=stop)
        assert one.counters.requests == 0


def test_one_endpoint_without_consent_and_nobody_is_asked(tmp_path: Path) -> None:
    with Responder(BlankEyes()) as one:
        ends = [probing.endpoint(one.url, "m"), probing.endpoint("https://far.invalid/v1", "n")]
        with pytest.raises(ConsentError, match=r"far\.invalid"):
            probing.ask_beside([question()], ends, tmp_path / "a", dataset="d", told=print, stop=probing.Stop())
        assert one.counters.requests == 0
    # Consent comes before all else: there is not even a store.
    assert not (tmp_path / "a").exists()


def test_what_the_listener_raises_ends_the_asking(tmp_path: Path) -> None:
    def hear(told: probing.Told) -> None:
        raise LookupError("enough")

    with Responder(BlankEyes()) as one:
        end = probing.endpoint(one.url, "m")
        with pytest.raises(LookupError, match="enough"):
            probing.ask_beside(
                [question(), question(1)], [end], tmp_path / "a", dataset="d", told=hear, stop=probing.Stop()
            )
        assert one.counters.requests == 1


def test_a_reply_with_a_lone_surrogate_is_kept_without_it(tmp_path: Path) -> None:
    with Responder(BlankEyes(), misbehave=Misbehave(rubbish=1.0)) as odd:
        asked = probing.ask_now([question()], probing.endpoint(odd.url, "m"), tmp_path / "a.sqlite", dataset="d")
    (found,) = asked.records
    assert found.state == "answered"
    # The pair of a whole character stays one; what stands alone is replaced.
    assert found.text.startswith("\ufffd")
    assert found.text.encode()


def test_nobody_is_asked_before_every_data_set_of_every_question_has_its_consent(tmp_path: Path) -> None:
    example = probing.Example(question(200).pictures, "40", dataset="elsewhere")
    shots = probing.Question(probing.few_shot(probing.prompt("age"), [example]), question(7).pictures)
    agreed = [probing.Consent("models.example", "d")]
    with Responder(BlankEyes()) as here:
        ends = [probing.endpoint(here.url, "one"), probing.Endpoint("https://models.example/v1", "other")]
        with pytest.raises(ConsentError, match="elsewhere"):
            probing.ask_beside(
                [question(), shots], ends, tmp_path / "a.sqlite", dataset="d", told=lambda told: None,
                stop=probing.Stop(), consents=agreed,
            )  # fmt: skip
        assert here.counters.requests == 0
