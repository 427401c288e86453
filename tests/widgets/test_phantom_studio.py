"""Every factor is a control, the picture follows, and the code makes the very picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import traitlets

from workbench.core import ParameterError
from workbench.data import phantom
from workbench.widgets import PhantomStudio


@pytest.fixture
def studio() -> Any:
    return PhantomStudio(person=7, size=64)


def made_by(code: str) -> Any:
    names: dict[str, Any] = {}
    exec(code, names)
    return names["rgb"]


def test_every_factor_is_a_control(studio: Any) -> None:
    assert [c["name"] for c in studio.controls] == [f.name for f in phantom.FACTORS]
    by = {c["name"]: c for c in studio.controls}
    assert by["glasses"]["choices"] == ["none", "round", "rectangular", "aviator"]
    assert len(by["movements"]["parts"]) == len(phantom.MOVEMENTS)
    assert len(by["background"]["parts"]) == 2
    assert by["pattern"]["kind"] == "seed"
    for control in studio.controls:
        expected = 0 if control["kind"] == "seed" else len(control["parts"]) * (3 if control["kind"] == "colour" else 1)
        assert len(control["default"]) == expected, control["name"]


def test_it_starts_as_the_passport_picture(studio: Any) -> None:
    scene = phantom.frontal(phantom.identities(1, seed=7))
    assert np.array_equal(studio.rgb, phantom.render(scene, 64).rgb[0])
    assert studio.values == {}


def test_a_change_is_that_factor_and_nothing_else(studio: Any) -> None:
    studio.change(name="light_direction", start=1, values=[-40.0])
    scene = phantom.frontal(phantom.identities(1, seed=7)).replace(light_direction=(20.0, -40.0))
    assert np.array_equal(studio.rgb, phantom.render(scene, 64).rgb[0])
    assert studio.values == {"light_direction": [20.0, -40.0]}
    studio.reset(name="light_direction")
    assert studio.values == {}


def test_the_code_makes_the_very_picture(studio: Any) -> None:
    studio.change(name="glasses", start=0, values=[2])
    studio.change(name="movements", start=phantom.MOVEMENTS.index("smile"), values=[0.7])
    studio.change(name="background", start=3, values=[0.9, 0.1, 0.123456789])
    studio.seed(name="sensor", seed=str(2**63 - 1))
    studio.change(name="noise", start=0, values=[0.1])
    assert "glasses='rectangular'" in studio.code
    assert str(2**63 - 1) in studio.code
    assert np.array_equal(made_by(studio.code), studio.rgb)
    studio.surprise(seed="12")
    assert np.array_equal(made_by(studio.code), studio.rgb)


def test_seeds_beyond_2_to_the_53_cross_exactly(studio: Any) -> None:
    studio.choose(seed=str(2**62 + 1))
    assert studio.person == "4611686018427387905"
    expected = phantom.render(phantom.frontal(phantom.identities(1, seed=2**62 + 1)), 64).rgb[0]
    assert np.array_equal(studio.rgb, expected)
    studio.seed(name="pattern", seed=str(2**53 + 1))
    assert studio.values["pattern"] == "9007199254740993"


@pytest.mark.parametrize(
    ("ask", "content", "words"),
    [
        ("change", {"name": "yaw", "start": 0, "values": [500]}, "yaw is out of range"),
        ("change", {"name": "yaw", "start": 1, "values": [5]}, "yaw has 1 values"),
        ("change", {"name": "yaw", "start": 0, "values": []}, "yaw has 1 values"),
        ("change", {"name": "yaw", "start": 0, "values": [None]}, "no number"),
        ("change", {"name": "jaw", "start": 0, "values": [0]}, "did you mean 'yaw'"),
        ("seed", {"name": "pattern", "seed": "-1"}, "is no seed"),
        ("seed", {"name": "pattern", "seed": "٣"}, "is no seed"),
        ("choose", {"seed": "1e3"}, "is no seed"),
        ("choose", {"seed": 7}, "is no text"),
        ("reset", {"name": "__class__"}, "unknown phantom factor"),
    ],
)
def test_odd_wishes_are_refused_and_nothing_changes(studio: Any, ask: str, content: Any, words: str) -> None:
    before = studio.code
    studio.comm.receive("custom", {"ask": ask, "id": 1, "with": content})
    studio.settle(20)
    assert words in studio.error
    assert studio.code == before


def test_a_size_that_no_picture_has_is_refused() -> None:
    with pytest.raises(ParameterError, match="64 to 512"):
        PhantomStudio(size=5000)


@pytest.mark.parametrize("layer", PhantomStudio.layer.values)
def test_every_layer_is_a_picture_of_its_own(studio: Any, layer: str) -> None:
    studio.layer = layer
    shown = studio._shown
    assert shown.shape == (64, 64, 3)
    assert shown.dtype == np.uint8
    assert np.array_equal(shown, studio.rgb) == (layer == "colour")
    assert len(np.unique(shown)) > 4


def test_the_card_shows_the_phantom(studio: Any) -> None:
    assert "data:image/jpeg" in studio.static_html()
    assert "person 7" in repr(studio)


def test_by_hand_in_the_browser(bench: Any) -> None:
    studio = PhantomStudio(person=7, size=128)
    view = bench.show(studio)
    bench.page.wait_for_function("document.querySelector('canvas').width === 128")
    view.get_by_label("Find a factor").fill("yaw")
    slider = view.get_by_role("slider", name="yaw")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowRight")
    # Ten steps of a two-hundredth of the way from -90 to 90.
    bench.page.wait_for_function("[...window.models.values()][0].get('values').yaw?.[0] === 9")
    assert studio.scene.yaw[0] == pytest.approx(9)
    view.get_by_text("pose · 1 changed").wait_for()
    view.get_by_role("button", name="Reset yaw").click()
    bench.page.wait_for_function("!('yaw' in [...window.models.values()][0].get('values'))")
    view.get_by_label("Find a factor").fill("glasses")
    view.get_by_label("glasses", exact=True).select_option("aviator")
    view.get_by_text("glasses='aviator'").wait_for()
    view.get_by_label("Show").select_option("depth")
    bench.page.wait_for_function("[...window.models.values()][0].get('layer') === 'depth'")
    view.get_by_label("Find a factor").fill("")
    view.get_by_role("button", name="Next person").click()
    view.get_by_text("seed=8").wait_for()
    assert studio.values == {}


def test_it_looks_right_in_the_dark(bench: Any) -> None:
    studio = PhantomStudio(person=3, size=224)
    studio.surprise(seed="5")
    view = bench.show(studio)
    bench.dark()
    view.get_by_label("Find a factor").fill("light")
    bench.page.wait_for_function("document.querySelector('canvas').width === 224")
    ink, paper = view.locator(".fw").evaluate("(e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
    assert ink.startswith("rgba(255, 255, 255")
    assert paper == "rgb(17, 17, 17)"


def test_a_person_that_is_set_is_the_one_that_is_drawn() -> None:
    studio, other = PhantomStudio(person=3, size=64), PhantomStudio(person=5, size=64)
    studio.person = "5"
    assert np.array_equal(studio.rgb, other.rgb)
    assert studio.code == other.code
    for odd in ("abc", "-1", str(2**63)):
        with pytest.raises(traitlets.TraitError, match="no seed"):
            studio.person = odd
    assert (studio.person, studio.code) == ("5", other.code)


def test_a_layer_may_be_wanted_from_the_start() -> None:
    studio = PhantomStudio(size=64, layer="depth")
    assert not np.array_equal(studio._shown, studio.rgb)
