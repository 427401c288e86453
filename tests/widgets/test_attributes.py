"""Every face of a picture is read, as the models alone would; the table says so, and hides nothing and nobody."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from workbench import models
from workbench.data import phantom
from workbench.widgets import Attributes, FaceInput


@pytest.fixture(scope="module")
def people() -> Any:
    return phantom.faces(3, 1, size=224, seed=5)


@pytest.fixture(scope="module")
def crowd(people: Any) -> np.ndarray:
    both = np.concatenate([people.images[0], people.images[1]], axis=1)
    return np.pad(both, ((100, 100), (100, 100), (0, 0)), constant_values=128)


def cell(widget: Attributes, what: str) -> list[str]:
    return next(row["values"] for row in widget.view.table if row["what"] == what)


def test_one_record_per_face_that_says_what_the_models_say(crowd: np.ndarray) -> None:
    shown = Attributes(crowd, real=False, device="cpu")
    assert len(shown.readings) == len(shown.input.boxes) == 2
    people = models.load("faceapi-age-gender", device="cpu").predict([crowd] * 2, shown.input.found.boxes)
    assert [r.age for r in shown.readings] == pytest.approx(people.age.tolist(), abs=0.01)
    assert cell(shown, "age") == [f"{a:.0f} years" for a in people.age]
    assert shown.view.faces == 2


def test_a_new_picture_is_read_and_is_told_to_those_who_observe(people: Any, crowd: np.ndarray) -> None:
    shown = Attributes(crowd, real=False)
    heard: list[int] = []
    shown.observe(lambda change: heard.append(len(change["new"])), "readings")
    shown.input.show(people.images[2], real=False)
    assert heard == [1]
    shown.input.show(np.full((200, 200, 3), 90, np.uint8), real=False)
    assert heard == [1, 0]
    assert shown.view.empty == "no face found: nothing to read"
    assert shown.view.table == []
    shown.input.clear()
    assert shown.view.empty == "no picture"


def test_a_face_that_was_corrected_is_read_anew(people: Any) -> None:
    shown = Attributes(FaceInput(people.images[0], real=False))
    before = shown.readings[0]
    shown.input.correct([20.0, 20.0, 120.0, 140.0])
    assert shown.readings[0].box == (20.0, 20.0, 120.0, 140.0)
    assert shown.readings[0].quality != before.quality


def test_every_value_has_its_stated_error_and_its_card(crowd: np.ndarray) -> None:
    view = Attributes(crowd, real=False).view
    errors = {row["what"]: row["error"] for row in view.table}
    assert errors["age"] == "mean absolute error 17 [15, 20] years on phantoms; its card states none"
    assert errors["gender presentation"] == "named wrongly 27 [17, 38] % on phantoms; its card states none"
    assert "degrees" in errors["yaw"]
    assert "exact by its definition" in errors["sharpness"]
    assert [c["name"] for c in view.cards] == [
        "faceapi-age-gender", "faceapi-expression", "faceapi-landmarks68", "pose"
    ]  # fmt: skip
    assert ["error", "not stated by its makers"] in view.cards[0]["facts"]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"ask": "choose", "id": 1, "with": {"face": 7}}, "there is no face 7"),
        ({"ask": "choose", "id": 1, "with": {"face": 1.5}}, "face is not to be had"),
        ({"ask": "choose", "id": 1, "with": {"face": float("nan")}}, "face is not to be had"),
        ({"ask": "choose", "id": 1, "with": {}}, "other fields"),
        ({"ask": "read", "id": 1, "with": {}}, "unknown question 'read'"),
    ],
)
def test_odd_questions_are_refused_in_words(crowd: np.ndarray, question: Any, words: str) -> None:
    view = Attributes(crowd, real=False).view
    view.comm.receive("custom", question, [])
    assert words in view.error
    view.comm.receive("update", {"table": [], "chosen": 1})
    assert len(view.table) == 10
    assert view.chosen == 0


def test_what_is_saved_shows_nobody_real_and_says_what_a_person_would_see(crowd: np.ndarray) -> None:
    hidden, shown = Attributes(crowd), Attributes(crowd, show_faces=True)
    assert "data:image" not in hidden.static_html()
    assert "show_faces=True" in hidden.static_html()
    assert "data:image/png" in shown.static_html()
    for said in (*cell(hidden, "age"), "its card states none", "as the models see them"):
        assert said in hidden.static_html()
    assert "no picture" in Attributes().static_html()
    assert len(json.dumps(hidden.view.get_state(["table", "cards"]))) < 10_000
    assert not any(isinstance(v, bytes | memoryview | np.ndarray) for v in hidden.view.get_state().values())


def test_markup_in_a_name_is_text() -> None:
    named = Attributes(samples=None)
    named.input.show(phantom.faces(1, 1, size=160, seed=1).images[0], name="<img src=x onerror=alert(1)>", real=False)
    assert "<img src=x" not in named.static_html()


def test_faces_are_read_and_chosen_in_the_browser(bench: Any, crowd: np.ndarray) -> None:
    shown = Attributes(crowd, real=False)
    bench.show(shown)
    bench.dark()
    view = bench.page.locator(f"#w-{shown.view.model_id}")
    view.get_by_role("rowheader", name="gender presentation").wait_for()
    assert view.get_by_role("row", name="age").locator("td").first.inner_text() == cell(shown, "age")[0]
    view.get_by_role("button", name="Face 2").click()
    bench.page.locator(
        f"#w-{shown.input.model_id} [role=radio][aria-checked=true][aria-label='Face 2 of 2']"
    ).wait_for()
    assert shown.input.chosen == 1
    # By keyboard, from the picture: the table follows.
    bench.page.locator(f"#w-{shown.input.model_id} [role=radio]").nth(1).press("ArrowRight")
    view.locator("[data-face='0'][aria-pressed=true]").wait_for()
    card = view.locator("details").first
    assert not card.get_by_text("not stated by its makers").is_visible()
    card.locator("summary").press("Enter")
    card.get_by_text("not stated by its makers").wait_for()


def test_a_picture_dropped_in_the_browser_is_read_and_nothing_is_left_behind(bench: Any, people: Any) -> None:
    shown = Attributes(samples=people)
    bench.show(shown)
    view = bench.page.locator(f"#w-{shown.view.model_id}")
    view.get_by_text("no picture").wait_for()
    place = bench.page.locator(f"#w-{shown.input.model_id}")
    place.get_by_role("button", name="Browse data").click()
    place.get_by_role("listitem").first.get_by_role("button").click()
    view.get_by_text("1 face, read in").wait_for()
    assert len(shown.readings) == 1
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0, 0]
