"""The score is the detector's, the decision the threshold's, the errors those of phantoms; nobody real is shown."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from workbench import models
from workbench.core import ParameterError, ShapeError
from workbench.data import phantom
from workbench.methods import phantom_presentations as measured
from workbench.methods.attack_maps import occlusion
from workbench.widgets import SpoofCheck


@pytest.fixture(scope="module")
def shown() -> Any:
    return phantom.attack_detection(2, 1, size=128, domains=("office",), subsets=("test",))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "PEOPLE", 2)
    monkeypatch.setattr(measured, "IMAGES", 1)
    monkeypatch.setattr(measured, "SIZE", 112)
    monkeypatch.setattr(phantom, "DOMAINS", {"office": phantom.DOMAINS["office"]})


def score_of(picture: Any) -> float:
    return float(models.attack_detector("phantom-attacks", device="cpu").scores([picture])[0])


def test_score_decision_and_threshold(shown: Any) -> None:
    live, attack = shown.samples.images[0], shown.samples.images[2]
    check = SpoofCheck(attack, real=False, device="cpu")
    assert check.score == pytest.approx(score_of(attack), abs=1e-5)
    assert check.decision == "attack"
    heard: list[str] = []
    check.observe(lambda change: heard.append(change["new"]), "decision")
    # The decision is "above": at the very score it is bona fide.
    check.threshold = check.score
    assert heard == ["bona fide"]
    check.input.show(live, real=False)
    assert check.score == pytest.approx(score_of(live), abs=1e-5)
    check.threshold = 0.0
    assert check.decision == "attack"
    with pytest.raises(Exception, match="threshold"):
        check.threshold = 1.5


def test_no_face_is_no_decision() -> None:
    check = SpoofCheck(np.full((200, 200, 3), 90, np.uint8))
    assert (check.score, check.decision) == (None, "")
    assert check.describe() == "no face found: a failure to acquire, no decision"
    check.input.clear()
    assert check.describe() == "no picture"
    with pytest.raises(ShapeError, match="no face to look at"):
        check.look()


def test_the_map_is_the_detectors(shown: Any) -> None:
    picture = shown.samples.images[2]
    check = SpoofCheck(picture, real=False, device="cpu")
    box = check.input.face.box
    found = check.look()
    assert np.array_equal(found, occlusion(models.attack_detector("phantom-attacks", device="cpu"), picture, box))
    top = np.unravel_index(int(found.argmax()), found.shape)
    if found.max() > 0:
        assert f"{100 * (top[1] + 0.5) / 128:.0f} % from the left" in check.view.words
    assert check.static_html().count("data:image/jpeg") == 2
    check.input.show(shown.samples.images[0], real=False)
    assert check.view.map is None
    assert check.static_html().count("data:image/jpeg") == 1


def test_errors_are_measured_once_and_follow_the_threshold(small: None, shown: Any) -> None:
    check = SpoofCheck(device="cpu")
    assert check.errors is None
    assert "not measured yet" in check.static_html()
    check.measure()
    kept = measured.kept_scores(models.attack_detector("phantom-attacks", device="cpu"))
    assert kept is not None
    for threshold in (0.5, 0.0, 1.0):
        check.threshold = threshold
        said = {r["name"]: r["share"] for r in check.rates.table}
        attacks = -kept.values
        for name in kept.species_names:
            mine = (kept.species == name) & kept.responded
            assert said[f"APCER {name}"] == pytest.approx(np.mean([not s > threshold for s in attacks[mine]]))
        bona = attacks[kept.bonafide & kept.responded]
        assert said["BPCER"] == pytest.approx(np.mean([s > threshold for s in bona]))
        assert check.rates.table[-1]["counts"] == f"{np.sum(bona > threshold)} of {len(bona)}"
        shares = [r["share"] for r in check.rates.table[:-1]]
        assert shares == sorted(shares, reverse=True)
    assert "on phantom presentations" in check.static_html()
    assert "this says nothing of photographs" in check.rates.source
    # The next one finds them.
    assert SpoofCheck(device="cpu").errors is not None


def test_depth_and_near_infrared_of_a_phantom_presentation(shown: Any) -> None:
    check = SpoofCheck(presentations=shown, device="cpu")
    name = shown.samples.ids[2]
    check.input.pick(name)
    assert check.view.truth == "halftone print"
    assert [c["name"] for c in check.view.channels] == ["depth", "near-infrared"]
    assert "in truth: halftone print" in check.describe()
    view = check.view
    view.comm.take()
    view.comm.receive("custom", {"ask": "channel", "id": 1, "with": {"name": "near-infrared", "width": 128}})
    (said,) = [m for m in view.comm.take() if m["data"]["method"] == "custom"]
    assert len(said["buffers"]) == 1
    assert check.static_html().count("data:image/jpeg") == 3
    # Another picture under the same name has no depth.
    check.input.show(shown.samples.images[0], name=name, real=False)
    assert (check.view.truth, check.view.channels) == ("", [])


def test_channels_of_ones_own_picture(shown: Any) -> None:
    picture, depth = shown.samples.images[0], shown.depth[0]
    check = SpoofCheck(picture, depth=depth, real=False)
    assert [c["name"] for c in check.view.channels] == ["depth"]
    assert check.view.channels[0]["words"].endswith("mm (dark)")
    check.input.show(shown.samples.images[1], real=False)
    assert check.view.channels == []
    with pytest.raises(ShapeError, match="depth does not fit"):
        SpoofCheck(picture, depth=depth[:5])
    with pytest.raises(ParameterError, match="need their picture as an array"):
        SpoofCheck("a.png", depth=depth)
    with pytest.raises(ParameterError, match="belong to a picture"):
        SpoofCheck(depth=depth)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"ask": "overlay", "id": 1, "with": {"width": 100}}, "no map to see"),
        ({"ask": "overlay", "id": 1, "with": {"width": 1e9}}, "width is not to be had"),
        ({"ask": "channel", "id": 1, "with": {"name": "../x", "width": 100}}, "unknown channel"),
        ({"ask": "channel", "id": 1, "with": {"name": 7, "width": 100}}, "name is no text"),
        ({"ask": "load", "id": 1, "with": {}}, "unknown question 'load'"),
        ({"ask": "give", "id": 1, "with": {}}, "unknown question 'give'"),
    ],
)
def test_odd_questions_are_refused_in_words(shown: Any, question: Any, words: str) -> None:
    view = SpoofCheck(shown.samples.images[0], real=False).view
    view.comm.receive("custom", question, [])
    assert words in view.error


@pytest.mark.parametrize(
    "state", [{"threshold": 1.01}, {"threshold": float("nan")}, {"threshold": "0.5"}, {"threshold": None},
              {"score": 0.0}, {"decision": "bona fide"}, {"truth": "<b>"}]
)  # fmt: skip
def test_odd_traits_are_refused(shown: Any, state: dict[str, Any]) -> None:
    view = SpoofCheck(shown.samples.images[2], real=False).view
    name = next(iter(state))
    before = getattr(view, name)
    view.comm.receive("update", state)
    assert getattr(view, name) == before
    assert view.error


def test_what_is_saved_shows_nobody_real(shown: Any) -> None:
    hidden = SpoofCheck(shown.samples.images[0], depth=shown.depth[0])
    hidden.look()
    assert "data:image" not in hidden.static_html()
    assert "attack score" in hidden.static_html()
    for part in (hidden.input, hidden.view, hidden.rates):
        assert not any(isinstance(v, bytes | memoryview | np.ndarray) for v in part.get_state().values())
    assert "data:image" in SpoofCheck(shown.samples.images[0], show_faces=True).static_html()


def test_the_model_says_what_it_is(shown: Any) -> None:
    check = SpoofCheck(shown.samples.images[0], real=False)
    assert "has seen phantom faces only" in check.view.note
    assert "$WORKBENCH_HOME/models" in check.view.note
    assert "RGB" in check.static_html()
    assert ["licence", "BSD-3-Clause"] in check.view.facts


def test_judging_by_mouse_and_keyboard(bench: Any, shown: Any, small: None) -> None:
    check = SpoofCheck(presentations=shown)
    bench.show(check)
    place, view, rates = (bench.page.locator(f"#w-{w.model_id}") for w in (check.input, check.view, check.rates))
    view.get_by_text("no picture").wait_for()
    place.get_by_role("button", name="Browse data").click()
    place.get_by_role("listitem").nth(2).get_by_role("button").click()
    view.get_by_text("Attack: attack score").wait_for()
    view.get_by_text("In truth: halftone print.").wait_for()
    view.get_by_role("img", name="near-infrared").wait_for()
    slider = view.get_by_role("slider", name="Threshold of the attack score")
    slider.press("End")
    view.get_by_text("Bona fide: attack score").wait_for()
    assert check.decision == "bona fide"
    slider.press("Home")
    slider.press("ArrowRight")
    view.get_by_text("Attack: attack score").wait_for()
    bench.page.wait_for_function("[...window.models.values()].some((m) => m.get('threshold') === 0.005)")
    assert check.threshold == pytest.approx(0.005)
    view.get_by_role("button", name="What it looked at").click()
    view.get_by_role("img", name="What it looked at").wait_for(timeout=60_000)
    rates.get_by_role("button", name="Measure").press("Enter")
    rates.get_by_role("rowheader", name="BPCER").wait_for(timeout=60_000)
    assert check.errors is not None
    assert view.locator("summary").inner_text() == "phantom-attacks: model card"


def test_live_every_picture_of_the_webcam_is_judged_and_the_rate_is_said(
    bench: Any, shown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench import files

    # Chromium's own film shows nobody: each frame that comes stands for the next presentation.
    frames = iter([i % len(shown.samples) for i in range(10_000)])
    monkeypatch.setattr(files, "decode_image", lambda data, name="": shown.samples.images[next(frames)])
    check = SpoofCheck(live=True, device="cpu")
    scores: list[Any] = []
    enough = threading.Event()
    check.observe(lambda change: (scores.append(change["new"]), len(scores) >= 6 and enough.set()), "score")
    bench.show(check)
    place, view = (bench.page.locator(f"#w-{w.model_id}") for w in (check.input, check.view))
    view.get_by_text("press Live").wait_for()
    bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
    place.get_by_role("button", name="Webcam", exact=True).click()
    bench.page.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    place.get_by_role("button", name="Live").click()
    view.get_by_text("pictures a second").wait_for(timeout=30_000)
    bench.page.wait_for_timeout(1)
    while not enough.is_set():
        bench.page.wait_for_timeout(20)
    place.get_by_role("button", name="Stop webcam").click()
    known = [round(score_of(shown.samples.images[i]), 6) for i in range(len(shown.samples))]
    assert all(s is None or min(abs(s - k) for k in known) < 1e-4 for s in scores)
    assert len({s for s in scores if s is not None}) > 2
    assert check.view.rate > 0


def test_a_view_leaves_nothing_behind(bench: Any, shown: Any) -> None:
    check = SpoofCheck(shown.samples.images[0], real=False)
    bench.show(check)
    bench.page.locator(f"#w-{check.view.model_id}").get_by_text("attack score").wait_for()
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0, 0, 0]
