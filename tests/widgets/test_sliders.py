"""The morph and the attack follow their sliders, and their numbers are those of the methods."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest

from workbench import models
from workbench.core import ParameterError, UnknownNameError
from workbench.data import phantom
from workbench.methods.morphing import morph
from workbench.methods.perturbation import attack
from workbench.methods.portraits import embed
from workbench.widgets import AttackSlider, MorphSlider
from workbench.widgets.recognisers import portrait_of

SMALL = "phantom-recogniser-64"


@pytest.fixture(scope="module")
def people() -> Any:
    return phantom.render(phantom.frontal(phantom.identities(2, seed=11)), 224).rgb


def test_the_morphs_scores_are_those_of_morph_and_recogniser(people: Any) -> None:
    slider = MorphSlider(*people, models=(SMALL,), real=False)
    (found,) = slider.scores
    assert slider.one.face
    assert slider.other.face
    sides = [portrait_of(slider.one.face), portrait_of(slider.other.face)]
    embedder = models.load(SMALL)
    half = embed(embedder, [morph(sides[0], sides[1], 0.5), *sides])
    assert found.scores[5] == pytest.approx([half[0] @ half[1], half[0] @ half[2]], abs=1e-5)
    assert found.threshold is None
    assert "no threshold" in slider.describe()
    slider.share = 0.2
    assert slider.view.share == 0.2
    assert np.array_equal(slider.view.picture(), morph(sides[0], sides[1], 0.2).picture)


def test_a_threshold_of_the_card_decides(people: Any) -> None:
    slider = MorphSlider(people[0], people[0], real=False)
    (found,) = slider.scores
    assert found.threshold == models.card("faceapi-recogniser").operating_points[1e-2][0]
    assert "accepts it as both" in slider.describe()


def test_without_two_faces_there_is_no_morph(people: Any) -> None:
    slider = MorphSlider(people[0], np.full((128, 128, 3), 90, np.uint8), models=(SMALL,), real=False)
    assert slider.scores == ()
    assert "two pictures with a face" in slider.static_html()
    slider.other.show(people[1], real=False)
    assert len(slider.scores) == 1
    slider.other.clear()
    assert slider.scores == ()


def test_the_attack_is_the_methods_own(people: Any) -> None:
    slider = AttackSlider(people[0], people[1], models=(SMALL,), steps=3, real=False)
    slider.goal = "impersonate"
    before = slider.scores[SMALL]
    slider.budget = 4
    assert slider.probe.face
    assert slider.reference.face
    sides = [portrait_of(f) for f in (slider.probe.face, slider.reference.face)]
    embedder = models.load(SMALL)
    found = attack(*sides, embedder, goal="impersonate", budget=4, steps=3)
    expected = np.dot(*embed(embedder, [found.portrait, sides[1]]).astype(np.float64))
    assert slider.scores[SMALL] == pytest.approx(expected, abs=1e-6)
    assert slider.scores[SMALL] > before + 0.1
    # Every smaller budget was computed on the way, and is not computed again.
    assert [row[0] for row in slider.view.rows] == [0, 1, 2, 4]
    assert slider.view.rows[0][1] is None


@pytest.mark.parametrize(
    ("specs", "error", "words"),
    [
        ((), ParameterError, "no recogniser"),
        (("faceapi-ssd",), ParameterError, "faceapi-ssd is no recogniser"),
        (("faceapi-recognizer",), UnknownNameError, "faceapi-recogniser"),
    ],
)
@pytest.mark.parametrize("slider", [MorphSlider, AttackSlider])
def test_odd_models_are_refused_at_once(slider: Any, specs: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        slider(models=specs)


def test_one_model_may_be_named_by_itself(people: Any) -> None:
    assert [found.model for found in MorphSlider(*people, models=SMALL, real=False).scores] == [SMALL]
    assert list(AttackSlider(*people, models=SMALL, steps=1, real=False).scores) == [SMALL]


def test_without_two_faces_there_is_no_attack(people: Any) -> None:
    slider = AttackSlider(*people, models=(SMALL,), steps=1, real=False)
    assert slider.scores
    slider.probe.clear()
    assert (slider.scores, slider.view.rows, slider.view.ready) == ({}, [], False)
    assert "two pictures with a face" in slider.describe()


@pytest.mark.parametrize("slider", [MorphSlider, AttackSlider])
def test_what_is_computed_when_a_picture_goes_does_not_come_back(
    people: Any, slider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = slider(*people, models=(SMALL,), real=False)
    name = "along" if slider is MorphSlider else "attack"
    module = sys.modules[slider.__module__]
    begun, ended, known = threading.Event(), threading.Event(), getattr(module, name)

    def slow(*given: Any, **options: Any) -> Any:
        begun.set()
        ended.wait(20)
        return known(*given, **options)

    monkeypatch.setattr(module, name, slow)
    place = shown.children[0].children[0]
    shown.view.comm.receive("update", {"splice": True} if slider is MorphSlider else {"step": 1})
    assert begun.wait(20)
    place.comm.receive("custom", {"ask": "clear", "id": 1, "with": {}})
    ended.set()
    assert shown.settle(30)
    assert not shown.scores
    assert not shown.view.ready


@pytest.mark.parametrize(
    "state", [{"share": 1.5}, {"share": "0.5"}, {"share": None}, {"splice": "no"}, {"scores": []}, {"ready": True}]
)
def test_odd_morph_traits_are_refused(people: Any, state: dict[str, Any]) -> None:
    view = MorphSlider(*people, models=(SMALL,), real=False).view
    name = next(iter(state))
    before = getattr(view, name)
    view.comm.receive("update", state)
    assert getattr(view, name) == before
    assert view.error


@pytest.mark.parametrize("state", [{"step": 9}, {"step": -1}, {"step": 0.5}, {"goal": "win"}, {"rows": [[1]]}])
def test_odd_attack_traits_are_refused(state: dict[str, Any]) -> None:
    view = AttackSlider(models=(SMALL,)).view
    name = next(iter(state))
    before = getattr(view, name)
    view.comm.receive("update", state)
    assert getattr(view, name) == before
    assert view.error


def test_cards_hold_pictures_only_of_nobody(people: Any) -> None:
    open_, hidden = (MorphSlider(*people, models=(SMALL,), real=real).static_html() for real in (False, True))
    assert "show_faces=True" in hidden
    assert "show_faces=True" not in open_
    assert len(open_) > 1.5 * len(hidden)
    attacked = AttackSlider(*people, models=(SMALL,), real=True)
    assert "show_faces=True" in attacked.static_html()
    assert "evade, budget 0 of 255" in attacked.static_html()


def test_the_morph_by_keyboard(bench: Any, people: Any) -> None:
    slider = MorphSlider(*people, models=(SMALL,), real=False)
    bench.show(slider)
    view = bench.page.get_by_role("region", name="Morph")
    share = view.get_by_role("slider")
    view.get_by_role("img", name="morph, 50 % of the second").wait_for()
    share.focus()
    for _ in range(5):
        share.press("ArrowRight")
    view.get_by_role("img", name="morph, 55 % of the second").wait_for()
    assert slider.share == pytest.approx(0.55)
    shown = (
        view.locator("canvas")
        .nth(1)
        .evaluate("(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)")
    )
    assert np.array_equal(np.array(shown, np.uint8).reshape(256, 256, 4)[..., :3], slider.view.picture())
    view.get_by_label("inner face only").check()
    bench.page.wait_for_function("[...window.models.values()].some((m) => m.get('splice') === true)")
    view.get_by_role("status").filter(has_text=SMALL).wait_for()


def test_the_attack_by_keyboard(bench: Any, people: Any) -> None:
    slider = AttackSlider(people[0], people[1], models=(SMALL,), steps=2, real=False)
    bench.show(slider)
    bench.dark()
    view = bench.page.get_by_role("region", name="Attack")
    view.get_by_label("Goal").select_option("impersonate")
    budget = view.get_by_role("slider")
    budget.focus()
    budget.press("ArrowRight")
    budget.press("ArrowRight")
    view.get_by_text("PSNR").wait_for()
    bench.page.wait_for_function("[...window.models.values()].some((m) => m.get('rows')?.length === 3)")
    assert slider.budget == 2
    view.get_by_role("img", name="difference, 8 times").wait_for()
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert set(left) == {0}


def test_names_beside_the_lines_are_whole_and_differ(bench: Any, people: Any) -> None:
    specs = ("phantom-recogniser-64", "phantom-recogniser-112")
    bench.show(MorphSlider(*people, models=specs, real=False), AttackSlider(*people, models=specs, steps=1, real=False))
    bench.page.wait_for_function("document.querySelectorAll('svg.fw-lines').length === 2")
    beyond, names = bench.page.evaluate("""() => {
      const texts = [...document.querySelectorAll("svg.fw-lines text:not([transform])")];
      const inside = (text) => text.getBoundingClientRect().right <= text.closest("svg").getBoundingClientRect().right;
      return [texts.filter((text) => !inside(text)).map((t) => t.textContent),
        texts.filter((text) => text.hasAttribute("style")).map((t) => t.textContent)];
    }""")
    assert beyond == []
    assert len(names) == 6
    assert len(set(names[:4])) == 4
    assert len(set(names[4:])) == 2
