"""Prompts: what is sent, and that the responder understands the tasks that take arguments."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from workbench import probing
from workbench.core import UnknownNameError
from workbench.probing.responder import BlankEyes, Responder

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
