"""Two pictures in, the decision of `workbench.verify` out; what is undefined or not acquired is said, not decided."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets as t

import workbench
from workbench import files
from workbench.core import ParameterError, UnknownNameError, WeightsError
from workbench.data import phantom
from workbench.data.phantom import PhantomDataset
from workbench.widgets import FaceInput, Verify
from workbench.widgets.verify import VerifyView

GREY = np.full((200, 200, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("known")


@pytest.fixture(autouse=True)
def one_home(home: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores that one test computed are known to the next."""
    monkeypatch.setenv("WORKBENCH_HOME", str(place))


@pytest.fixture(scope="module")
def people() -> Any:
    return phantom.faces(3, 2, size=192, seed=5)


@pytest.fixture(scope="module")
def few() -> Any:
    """Sixteen pictures stand for a data set: 8 mated and 8 non-mated trials."""
    return PhantomDataset(subjects=8, images=2, size=96)


@pytest.fixture
def made() -> Iterator[Any]:
    """Makes a `Verify` that ends with the test."""
    all_: list[Verify] = []

    def make(*given: Any, **options: Any) -> Verify:
        all_.append(Verify(*given, **{"real": False, **options}))
        return all_[-1]

    yield make
    for one in all_:
        one.settle(60)
        one.close()


def test_the_numbers_are_those_of_verify(made: Any, people: Any) -> None:
    for probe in (1, 2):
        told = workbench.verify(people.images[0], people.images[probe])
        widget = made(people.images[0], people.images[probe])
        assert widget.score == told.score
        assert widget.threshold == told.threshold == 0.9110
        assert (widget.decision == "accepted") == told.accepted
        assert np.array_equal(widget.results[0].pair.chips, told.chips)


def test_the_decision_follows_the_operating_point(made: Any, people: Any) -> None:
    widget = made(people.images[0], people.images[1])
    assert widget.choices == (0.1, 0.01)
    heard: list[Any] = []
    widget.observe(heard.append, "threshold")
    widget.fmr = 0.1
    assert widget.threshold == 0.8838
    assert len(heard) == 1
    assert widget.score == workbench.verify(people.images[0], people.images[1], fmr=0.1).score
    with pytest.raises(t.TraitError, match=r"no threshold for FMR 0\.5: choose one of 0\.1, 0\.01"):
        widget.fmr = 0.5
    assert widget.fmr == 0.1


def test_no_face_is_a_failure_to_acquire_and_never_a_rejection(made: Any, people: Any) -> None:
    widget = made(people.images[0], GREY)
    assert widget.decision == "failure to acquire"
    assert widget.score is None
    assert widget.results[0].pair.reasons == ("", "no face found")
    assert "probe: no face found" in widget.describe()
    assert "rejected" not in widget.static_html()
    widget.probe.show(people.images[1], real=False)
    assert widget.decision in ("accepted", "rejected")
    widget.probe.clear()
    assert (widget.decision, widget.score, widget.results) == (None, None, ())


def test_landmarks_of_no_face_are_a_failure_to_acquire(made: Any, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    widget = made(people.images[0], people.images[1])
    face = widget.probe.face
    widget.probe.face = type(face)(face.picture, face.box, np.zeros((5, 2), np.float32))
    assert widget.decision == "failure to acquire"
    assert "landmarks are not those" in widget.describe()


def test_every_new_picture_is_compared_once_and_with_its_own_face(
    made: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    compare = VerifyView.compare

    def watched(self: Any, *faces: Any, both: bool) -> None:
        seen.append([None if f is None else f.picture for f in faces])
        compare(self, *faces, both=both)

    monkeypatch.setattr(VerifyView, "compare", watched)
    widget = made(people.images[0], people.images[1])
    seen.clear()
    for picture in (people.images[2], GREY, people.images[3]):
        widget.probe.show(picture, real=False)
    assert [pair[1] is None for pair in seen] == [False, True, False]
    assert all(pair[1] is None or pair[1] is people.images[i] or pair[1].base is people.images
               for pair, i in zip(seen, (2, 2, 3), strict=True))  # fmt: skip


def test_a_model_without_a_card_is_held_against_the_data_set(made: Any, people: Any, few: Any) -> None:
    widget = made(
        people.images[0], people.images[1], models=("faceapi-recogniser", "phantom-recogniser-112"), on=few, fmr=0.1
    )
    first, second = widget.results
    assert first.origin.startswith("LFW View 1")
    # 8 non-mated trials cannot show an FMR of 0.1.
    assert second.decision is None
    assert second.score is not None
    assert "needs at least 10 non-mated trials" in second.sentence
    told = workbench.verify(people.images[0], people.images[1], model="phantom-recogniser-112", threshold=0.5)
    assert second.score == told.score


def test_a_threshold_set_on_known_scores_is_an_attained_one(made: Any, people: Any) -> None:
    class Many(PhantomDataset):
        """All pairs: enough of them for FMR 0.1."""

        def trials(self, protocol: str = "") -> Any:
            return super().trials("all-pairs")

    widget = made(people.images[0], people.images[1], models="phantom-recogniser-112", fmr=0.1,
                  on=Many(subjects=8, images=2, size=96))  # fmt: skip
    scores = widget.results[0].known.scores
    apart = np.sort(scores.values[~scores.trials.mated & scores.acquired])[::-1]
    allowed = int(0.1 * (~scores.trials.mated).sum())
    assert (apart >= widget.threshold).sum() <= allowed
    lower = scores.values[scores.acquired & (scores.values < widget.threshold)].max()
    assert (apart >= lower).sum() > allowed
    assert f"FMR <= 0.1 on phantom, {(~scores.trials.mated).sum()} non-mated trials" in widget.results[0].origin


def test_what_is_named_wrongly_is_an_error(people: Any) -> None:
    with pytest.raises(UnknownNameError, match="faceapi-recogniser"):
        Verify(models="faceapi-recogniserr")
    with pytest.raises(ParameterError):
        Verify(people.images[0], people.images[1], real=False, models="mobilefacenet")
    with pytest.raises(ParameterError, match="faceapi-age-gender is no recogniser"):
        Verify(models=["faceapi-recogniser", "faceapi-age-gender"])
    with pytest.raises(ParameterError, match="no recogniser was given"):
        Verify(models=[])


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"ask": "crops", "id": 1, "with": {"model": -1, "overlay": "none"}}, "model is not to be had"),
        ({"ask": "crops", "id": 1, "with": {"model": 0, "overlay": "<b>"}}, "unknown overlay"),
        ({"ask": "crops", "id": 1, "with": {"model": float("nan"), "overlay": "none"}}, "model is not to be had"),
        ({"ask": "distribution", "id": 1, "with": {"model": 10**6}}, "model is not to be had"),
        ({"ask": "compare", "id": 1, "with": {}}, "unknown question"),
        ({"ask": "gather", "id": 1, "with": {}}, "unknown question"),
    ],
)
def test_odd_questions_are_refused_in_words(made: Any, people: Any, question: Any, words: str) -> None:
    view = made(people.images[0], people.images[1]).view
    view.comm.take()
    view.comm.receive("custom", question, [])
    said = [m["data"]["content"] for m in view.comm.take() if m["data"]["method"] == "custom"]
    assert words in said[-1]["error"]


@pytest.mark.parametrize("state", [{"fmr": 0.5}, {"fmr": "0.1"}, {"fmr": None}, {"rows": []}, {"choices": [1.0]}])
def test_odd_traits_are_refused(made: Any, people: Any, state: dict[str, Any]) -> None:
    widget = made(people.images[0], people.images[1])
    before = (widget.view.fmr, widget.view.rows, widget.view.choices, widget.decision)
    widget.view.comm.receive("update", state)
    assert (widget.view.fmr, widget.view.rows, widget.view.choices, widget.decision) == before
    assert widget.view.error


def test_what_is_saved_shows_no_real_person(made: Any, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[bool] = []
    room = "workbench.widgets.verify.comparison_figure"
    from workbench.figures.comparison import comparison_figure

    def watched(outcomes: Any, *, faces: bool) -> Any:
        drawn.append(faces)
        return comparison_figure(outcomes, faces=faces)

    monkeypatch.setattr(room, watched)
    made(people.images[0], people.images[1]).static_html()
    hidden = made(people.images[0], people.images[1], real=True).static_html()
    made(people.images[0], people.images[1], real=True, show_faces=True).static_html()
    assert drawn == [True, False, True]
    assert "show_faces=True" in hidden
    state = hidden_state(made(people.images[0], people.images[1]).view)
    assert not any(isinstance(v, bytes | memoryview | np.ndarray) for v in state.values())


def hidden_state(view: Any) -> dict[str, Any]:
    return dict(view.get_state())


def test_a_card_without_pictures_says_what_is_needed(made: Any) -> None:
    assert "needs a reference and a probe" in made().static_html()
    assert repr(made()) == "Verify: needs a reference and a probe"


def test_maps_are_those_of_verify(made: Any, people: Any) -> None:
    widget = made(people.images[0], people.images[1], models="phantom-recogniser-64", on=Everything(), fmr=0.1)
    assert widget.results[0].maps is None
    widget.explain()
    told = workbench.verify(
        people.images[0], people.images[1], model="phantom-recogniser-64", threshold=widget.threshold, maps=True
    )
    assert np.array_equal(widget.results[0].maps.similarity, told.maps.similarity)
    plain = widget.view.crops(model=0, overlay="none")[1]
    over = widget.view.crops(model=0, overlay="for")[1]
    assert len(plain) == len(over) == 2
    assert files.decode_image(plain[0], name="a").shape == (64, 64, 3)
    assert np.array_equal(files.decode_image(plain[1], name="a"), told.chips[1])
    assert not np.array_equal(files.decode_image(over[1], name="a"), told.chips[1])
    # Another threshold has another explanation.
    widget.fmr = 0.01
    assert widget.results[0].maps is None
    assert not widget.view.explained


class Everything(PhantomDataset):
    """Few pictures, all pairs."""

    def __init__(self) -> None:
        super().__init__(subjects=8, images=2, size=96)

    def trials(self, protocol: str = "") -> Any:
        return super().trials("all-pairs")


def test_a_model_without_gradients_says_so_and_stops_nobody(
    made: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise WeightsError("onnx has no gradients")

    monkeypatch.setattr("workbench.widgets.verify.explain_chips", refuse)
    widget = made(people.images[0], people.images[1])
    widget.explain()
    assert widget.results[0].maps is None
    assert widget.view.rows[0]["unexplained"] == "onnx has no gradients"
    assert widget.decision in ("accepted", "rejected")


def test_where_nobody_can_ask_the_card_has_the_scores(
    made: Any, people: Any, few: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = made(people.images[0], people.images[1], on=few)
    assert "non-mated trials score as high" not in widget.static_html()
    monkeypatch.setattr("workbench.widgets.verify.headless", lambda: True)
    html = widget.static_html()
    assert "on phantom, " in html
    assert "of 8 non-mated trials score as high" in html
    assert f"score {widget.score:.4f}" in html


def test_dropped_pictures_are_decided_in_the_browser(
    bench: Any, made: Any, people: Any, few: Any, tmp_path: Any
) -> None:
    widget = made(on=few)
    bench.show(widget)
    view = bench.page.locator(".fw-verify")
    view.get_by_text("Give a reference and a probe.").wait_for()
    paths = []
    for i in (0, 1):
        paths.append(tmp_path / f"{i}.png")
        paths[-1].write_bytes(files.encode_png(people.images[i]))
    for place, path in zip(("Reference", "Probe"), paths, strict=True):
        bench.page.get_by_role("region", name=place).locator("input[type=file]").set_input_files(str(path))
    told = workbench.verify(*paths)
    word = "accepted" if told.accepted else "rejected"
    view.locator(".fw-decision", has_text=word).wait_for(timeout=60_000)
    assert widget.score == told.score
    view.locator(".fw-numbers", has_text=f"{told.score:.4f}").wait_for()
    assert view.locator(".fw-crop canvas").count() == 2
    # The scores to compare with come by themselves, and say whose they are.
    view.get_by_text("scores on phantom; synthetic faces").wait_for(timeout=60_000)
    assert view.locator(".fw-mated").count() == 1
    status = view.get_by_role("status").filter(has_text=f"faceapi-recogniser: {word}")
    assert "of 8 non-mated trials score as high" in status.inner_text()


def test_operated_by_keyboard_and_gone_without_a_trace(bench: Any, made: Any, people: Any, few: Any) -> None:
    widget = made(people.images[0], GREY, on=few)
    bench.show(widget)
    view = bench.page.locator(".fw-verify")
    view.locator(".fw-decision", has_text="failure to acquire").wait_for()
    view.get_by_text("probe: no face found", exact=True).wait_for()
    select = view.get_by_label("Decide at FMR")
    bench.page.wait_for_function("!document.querySelector('.fw-verify fieldset').disabled")
    select.focus()
    bench.page.keyboard.press("ArrowUp")
    view.locator(".fw-numbers", has_text="0.8838").wait_for()
    assert widget.fmr == 0.1
    view.get_by_text("scores on phantom").wait_for(timeout=60_000)
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0, 0, 0]


def test_saliency_is_computed_when_it_is_asked_for(bench: Any, made: Any, people: Any) -> None:
    widget = made(people.images[0], people.images[2], models="phantom-recogniser-64", on=Everything(), fmr=0.1)
    bench.show(widget)
    bench.dark()
    view = bench.page.locator(".fw-verify")
    view.locator(".fw-crop canvas").nth(1).wait_for()
    assert widget.results[0].maps is None
    bench.page.wait_for_function("!document.querySelector('.fw-verify fieldset').disabled")
    view.get_by_label("Saliency").select_option("against")
    bench.page.get_by_role("img", name="probe, aligned, with what speaks against").wait_for(timeout=60_000)
    bench.page.wait_for_function("[...window.models.values()].at(-1).get('explained')", timeout=60_000)
    assert widget.results[0].maps is not None
    shown = "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.slice(0, 3))"
    wanted = files.decode_image(widget.view.crops(model=0, overlay="against")[1][1], name="a")[0, 0]
    bench.page.wait_for_function(
        f"(w) => ({shown})(document.querySelectorAll('.fw-crop canvas')[1]).every((v, i) => v === w[i])",
        arg=[int(v) for v in wanted],
        timeout=60_000,
    )
    # It stays chosen: another threshold is another decision, and has maps of its own.
    before, other = widget.results[0].maps, next(c for c in widget.choices if c != widget.fmr)
    view.get_by_label("Decide at FMR").select_option(str(other))
    bench.page.wait_for_function(
        "(fmr) => { const m = [...window.models.values()].at(-1); return m.get('fmr') === fmr && m.get('explained'); }",
        arg=other,
        timeout=60_000,
    )
    assert widget.settle(60)
    assert widget.fmr == other
    assert widget.results[0].maps is not before


def test_maps_of_another_threshold_are_not_shown(made: Any, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    widget = made(people.images[0], people.images[2], models="phantom-recogniser-64", on=Everything(), fmr=0.1)
    widget.gather()
    module = sys.modules["workbench.widgets.verify"]
    begun, ended, known = threading.Event(), threading.Event(), module.explain_chips

    def slow(*given: Any, **options: Any) -> Any:
        begun.set()
        ended.wait(20)
        return known(*given, **options)

    monkeypatch.setattr(module, "explain_chips", slow)
    widget.view.comm.receive("custom", {"ask": "explain", "id": 1, "with": {}})
    assert begun.wait(20)
    widget.fmr = next(c for c in widget.choices if c != 0.1)
    ended.set()
    assert widget.settle(60)
    assert widget.results[0].maps is None


def test_a_face_input_of_another_cell_is_taken_as_it_is(made: Any, people: Any) -> None:
    shared = FaceInput(people.images[0], real=False)
    widget = made(shared, people.images[1])
    assert widget.reference is shared
    before = widget.score
    shared.show(people.images[4], real=False)
    assert widget.score != before
