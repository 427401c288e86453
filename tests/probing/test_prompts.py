"""Prompts: what is sent, and that the responder understands the tasks that take arguments."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from workbench import probing
from workbench.core import ConsentError, ParameterError, UnknownNameError
from workbench.probing.responder import BlankEyes, Responder

OLD_KEY = "19d3fafe4fab316f6a3030e0c1d8c0a9bb6bf6e0e3fd7cb52ce0dbabd05a7365"
GREY = np.full((40, 40, 3), 90, np.uint8)


def test_framing_comes_before_the_question_and_pictures_before_both() -> None:
    asked = probing.prompt("verification", framing="generated").messages(["data:a", "data:b"])
    (message,) = asked
    kinds = [part["type"] for part in message["content"]]
    assert kinds == ["image_url", "image_url", "text"]
    assert message["content"][2]["text"].startswith("The pictures were made by a generative model")
    earlier = probing.Prompt(
        "age", "1", "And now?", probing.prompt("age").kind, before=(("user", "a"), ("assistant", "b"))
    )
    assert [m["role"] for m in earlier.messages([])] == ["user", "assistant", "user"]
    with pytest.raises(UnknownNameError, match="did you mean 'generated'"):
        probing.prompt("age", framing="generatd")


def test_tasks_with_arguments_are_understood(tmp_path: Path) -> None:
    red, green, blue = (np.full((40, 40, 3), 20, np.uint8) for _ in range(3))
    for channel, picture in enumerate((red, green, blue)):
        picture[..., channel] = 220
    five = probing.Question(probing.candidates(3), [probing.shown(p) for p in (green, red, green, blue)])
    crowd = probing.Question(probing.people(), [probing.shown(GREY)])
    tone = probing.Question(probing.group("skin_tone", ("light", "medium", "dark")), [probing.shown(GREY)])
    marks = probing.Question(probing.attributes(("smiling", "mouth open")), [probing.shown(GREY)])
    asked = [five, crowd, tone, marks]
    with Responder(BlankEyes()) as server:
        there = probing.Endpoint(server.url, "workbench-responder")
        found = probing.ask_now(
            asked, there, tmp_path / "a.sqlite", dataset="grey", settings=probing.Settings(structured=True)
        )
    said = [probing.read(q, r) for q, r in zip(asked, found.records, strict=True)]
    assert said[0].value["match"] == 2
    assert said[1].value[0]["position"] == 1
    # It has no model of groups and declines.
    assert said[2].outcome in ("refusal", "unparsed")
    assert set(said[3].value) == {"smiling", "mouth open"}


def test_asking_works_where_a_loop_is_running(tmp_path: Path) -> None:
    question = probing.Question(probing.prompt("age"), [probing.shown(GREY)])
    with Responder(BlankEyes()) as server:

        async def cell() -> probing.Asked:
            there = probing.Endpoint(server.url, "workbench-responder")
            return probing.ask_now([question], there, tmp_path / "b.sqlite", dataset="grey")

        assert asyncio.run(cell()).count("answered") == 1


def shown(value: int) -> probing.Shown:
    return probing.shown(np.full((40, 40, 3), value, np.uint8))


def test_examples_come_before_the_question_with_their_pictures() -> None:
    asked = probing.few_shot(
        probing.prompt("age", framing="persona"),
        [probing.Example([shown(1)], "31 years"), probing.Example([shown(2)], '{"age": 7}')],
    )
    messages = asked.messages([shown(3).url])
    assert [m["role"] for m in messages] == ["user", "assistant", "user", "assistant", "user"]
    questions, answers = messages[::2], [m["content"] for m in messages[1::2]]
    assert [q["content"][0]["image_url"]["url"] for q in questions] == [shown(v).url for v in (1, 2, 3)]
    # Every example is asked as the question is.
    assert len({q["content"][1]["text"] for q in questions}) == 1
    assert questions[0]["content"][1]["text"].startswith("You are an examiner")
    assert answers == ["31 years", '{"age": 7}']
    assert asked.version == "1, few-shot 1"


def test_examples_and_their_order_change_the_key_and_old_keys_stay() -> None:
    plain, settings = probing.prompt("age"), probing.Settings()
    one, two = probing.Example([shown(1)], "31 years"), probing.Example([shown(2)], "7 years")
    prompts = [
        plain,
        probing.few_shot(plain, [one]),
        probing.few_shot(plain, [one, two]),
        probing.few_shot(plain, [two, one]),
        probing.few_shot(plain, [probing.Example([shown(4)], "31 years"), two]),
        probing.few_shot(plain, [one, probing.Example([shown(2)], "8 years")]),
        probing.few_shot(plain, [one, probing.Example([probing.shown(GREY, probing.Encoding(quality=50))], "7 years")]),
        probing.turns(plain, [("user", "Hello."), ("assistant", "Hello.")]),
        probing.turns(plain, [("system", "Be brief.")]),
        probing.turns(plain, probing.exchange(plain, [shown(1)], "31 years")),
    ]
    keys = {probing.Question(p, [shown(3)]).key("m", settings) for p in prompts}
    assert len(keys) == len(prompts)
    # Keys of before there were pictures in turns: answers that were kept under them are found again.
    old = probing.Prompt("age", "1", "And now?", plain.kind, before=(("user", "a"), ("assistant", "b")))
    assert probing.Question(old, []).key("m", settings) == OLD_KEY
    # A picture before the question costs what one in it costs.
    more = probing.Question(prompts[1], [shown(3)]).tokens(settings) - probing.Question(plain, [shown(3)]).tokens(
        settings
    )
    assert more >= 85 + 170


def test_examples_that_are_none_are_refused() -> None:
    plain = probing.prompt("age")
    for examples in (
        [],
        [probing.Example([], "31 years")],
        [probing.Example([shown(1)], "31 years"), probing.Example([shown(1), shown(2)], "31 years")],
    ):
        with pytest.raises(ParameterError, match="as many pictures as the question"):
            probing.few_shot(plain, examples)
    with pytest.raises(ParameterError, match=r"example 2 is answered by nothing(.|\n)*two ages"):
        probing.few_shot(plain, [probing.Example([shown(1)], "31"), probing.Example([shown(2)], "31 or 40")])
    for said in ([], [("tool", "x")], [("user", "")]):
        with pytest.raises(ParameterError, match="this is no conversation"):
            probing.turns(plain, said)


def test_a_conversation_is_asked_and_kept(tmp_path: Path) -> None:
    first = probing.prompt("gender")
    before = probing.exchange(first, [shown(1)], "a woman")
    asked = probing.Question(probing.turns(probing.prompt("age"), before), [shown(90)])
    with Responder(BlankEyes()) as server:
        there = probing.Endpoint(server.url, "workbench-responder")
        found = probing.ask_now([asked], there, tmp_path / "a.sqlite", dataset="grey")
        assert server.counters.digests == {shown(1).digest, shown(90).digest}
    assert found.records[0].version == "1, turns 1"
    assert probing.read(asked, found.records[0]).outcome == "value"


def test_pictures_of_examples_need_consent_too(tmp_path: Path) -> None:
    examples = [probing.Example([shown(1)], "31 years", dataset="lfw"), probing.Example([shown(2)], "7 years")]
    asked = probing.Question(probing.few_shot(probing.prompt("age"), examples), [shown(3)])
    assert asked.datasets("orl") == ("orl", "lfw")
    own, theirs = probing.Consent("models.example", "orl"), probing.Consent("models.example", "lfw")
    with Responder(BlankEyes()) as server:
        there = probing.Endpoint(server.url, "workbench-responder")

        def ask(*consents: probing.Consent) -> probing.Asked:
            with pytest.MonkeyPatch.context() as patch:
                # A server that is not on this machine, as far as consent is asked for.
                patch.setattr(probing.Endpoint, "loopback", property(lambda self: False))
                patch.setattr(probing.Endpoint, "host", property(lambda self: "models.example"))
                return probing.ask_now([asked], there, tmp_path / "a.sqlite", dataset="orl", consents=consents)

        for consents, missing in (((), "orl"), ((own,), "lfw"), ((theirs,), "orl")):
            with pytest.raises(ConsentError, match=f"send pictures of '{missing}'"):
                ask(*consents)
        assert server.counters.requests == 0
        (found,) = ask(own, theirs).records
        assert server.counters.requests == 1
    assert found.dataset == "orl + lfw"
    assert found.consent == "models.example orl + models.example lfw"
