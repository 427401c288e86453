"""The workbench's own models answer the questions that language models get, in the same words."""

from __future__ import annotations

import numpy as np

from workbench import probing
from workbench.methods.own_answers import own_answer
from workbench.probing.responder import BlankEyes


class Blind:
    match_threshold = 0.5

    def look(self, pictures: object, /) -> list[list[object]]:
        return [[] for _ in pictures]  # type: ignore[attr-defined]


# What blank eyes say of a colour stands in their docstring: red share, green years, blue masculine.
RED, BLUE = (np.full((8, 8, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 51, 255)))


def test_values_are_those_of_the_eyes() -> None:
    eyes = BlankEyes()
    assert own_answer(eyes, probing.prompt("age"), [BLUE]).value == {"age": 30}
    assert own_answer(eyes, probing.prompt("gender"), [BLUE]).value == {"gender": "man"}
    assert own_answer(eyes, probing.prompt("expression"), [RED]).value == {"expression": "happy"}
    said = own_answer(eyes, probing.prompt("attack"), [RED]).value
    assert (said["attack"], said["confidence"]) == (True, 100)
    assert own_answer(eyes, probing.prompt("verification"), [RED, BLUE]).value["same_person"] is False
    assert own_answer(eyes, probing.prompt("verification"), [RED, RED]).value["same_person"] is True
    assert own_answer(eyes, probing.candidates(2), [RED, BLUE, RED]).value["match"] == 2


def test_what_cannot_be_said_is_said_to_be_so() -> None:
    nobody = own_answer(Blind(), probing.prompt("age"), [RED])
    assert (nobody.outcome, nobody.value) == ("unparsed", None)
    assert "no face" in nobody.why
    strange = own_answer(BlankEyes(), probing.attributes(["wearing a hat"]), [RED])
    assert "no model for wearing a hat" in strange.why


def test_every_task_is_understood() -> None:
    for task in probing.tasks():
        pictures = [RED, BLUE, RED] if task == "identification" else [RED, BLUE]
        assert own_answer(BlankEyes(), probing.prompt(task), pictures).outcome == "value", task
