"""Who is it? Candidates are a sorted matrix's, rates carry their interval, galleries hold no pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets as t

from workbench import files, models
from workbench.core import DataError, ParameterError, Undefined, UnknownNameError
from workbench.data import phantom
from workbench.methods.gallery import Gallery
from workbench.widgets import Identify
from workbench.widgets.finding import embedder

GREY = np.full((200, 200, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("known")


@pytest.fixture(autouse=True)
def one_home(home: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embeddings that one test computed are known to the next."""
    monkeypatch.setenv("WORKBENCH_HOME", str(place))


@pytest.fixture(scope="module")
def people() -> Any:
    """Two pictures each of six people."""
    return phantom.faces(6, 2, size=160, seed=5)


@pytest.fixture
def made() -> Iterator[Any]:
    all_: list[Identify] = []

    def make(*given: Any, **options: Any) -> Identify:
        all_.append(Identify(*given, **{"real": False, **options}))
        return all_[-1]

    yield make
    for one in all_:
        one.settle(60)
        one.close()


def noise(n: int, seed: int = 0) -> Gallery:
    """A large gallery of nobody."""
    v = np.random.default_rng(seed).standard_normal((n, 128)).astype(np.float32)
    model = embedder("faceapi-recogniser")
    names = np.array([f"n{i:05d}" for i in range(n)])
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    return Gallery(
        model.card.name, model.digest, unit, names, np.array([f"p{i // 2}" for i in range(n)]), np.ones(n, bool)
    )


def test_candidates_are_those_of_all_scores_sorted(made: Any, people: Any) -> None:
    widget = made(people, people.images[0])
    vectors = models.default_pipeline().embed(people.images)
    mine = vectors.values[0].astype(np.float64)
    scores = vectors.values.astype(np.float64) @ mine
    order = np.argsort(-scores, kind="stable")[:10]
    assert [c.name for c in widget.candidates] == [people.ids[i] for i in order]
    # Pictures one by one or in a batch: reduced precision rounds them differently.
    assert np.allclose([c.score for c in widget.candidates], scores[order], atol=5e-3)
    assert widget.candidates[0].subject == people.subjects[0]
    assert widget.decision == "identified"
    assert [c.above for c in widget.candidates] == [c.score >= widget.threshold for c in widget.candidates]


def test_ten_thousand_references_are_ranked_as_numpy_does(made: Any, people: Any) -> None:
    gallery = noise(10_000)
    gallery.embeddings[5_000] = gallery.embeddings[42]
    widget = made(gallery, people.images[0], threshold=0.9)
    view = widget.view
    scores = gallery.embeddings.astype(np.float64) @ view._probe.astype(np.float64)
    order = np.argsort(-scores.round(12), kind="stable")[:10]
    assert [c.name for c in widget.candidates] == gallery.names[order].tolist()
    assert np.allclose([c.score for c in widget.candidates], scores[order], atol=1e-9)
    assert widget.decision == "not identified"
    # A probe that looks as two people do is neither's: the tie loses.
    view._probe = gallery.embeddings[42]
    view._conclude()
    assert [(c.name, c.rank) for c in widget.candidates[:2]] == [("n00042", 2), ("n05000", 2)]
    assert widget.decision == "identified"


def test_a_score_at_the_threshold_is_accepted(made: Any, people: Any) -> None:
    widget = made(people, people.images[0], threshold=0.5)
    best = widget.candidates[0].score
    widget.threshold = best
    assert widget.decision == "identified"
    widget.threshold = float(np.nextafter(best, 1))
    assert widget.decision == "not identified"
    with pytest.raises(t.TraitError, match="lies from -1 to 1"):
        widget.threshold = 1.5


def test_no_face_is_a_failure_to_acquire(made: Any, people: Any) -> None:
    widget = made(people, GREY)
    assert widget.decision == "failure to acquire"
    assert widget.candidates == ()
    assert "failure to acquire: no face found" in widget.static_html()
    with pytest.raises(ParameterError, match="no face to enrol"):
        widget.enrol("Ann")
    widget.probe.clear()
    assert widget.decision is None


def test_rates_are_counted_on_the_gallery_itself(made: Any, people: Any) -> None:
    widget = made(people)
    assert widget.threshold is not None
    vectors = widget.view.gallery.embeddings.astype(np.float64)
    scores = vectors @ vectors.T
    same = people.subjects[:, None] == people.subjects
    rival = np.where(same, -np.inf, scores).max(1)
    mate = np.where(same & ~np.eye(12, dtype=bool), scores, -np.inf).max(1)
    at = widget.threshold
    assert widget.rates["FPIR"].value == np.mean(rival.astype(np.float32) >= at)
    assert widget.rates["FNIR"].value == np.mean(mate.astype(np.float32) < at)
    assert widget.rates["FPIR"].value <= 0.1
    assert widget.rates["FPIR"].counts["nonmated"] == 12
    assert widget.rates["FPIR"].low <= widget.rates["FPIR"].value <= widget.rates["FPIR"].high
    html = widget.static_html()
    assert "12 non-mated searches of 12 references" in html
    assert "95 % interval" in html
    assert "on this gallery" in html


def test_what_cannot_be_estimated_is_said_to_be_undefined(made: Any, people: Any) -> None:
    single = people.subset([0, 2, 4, 6, 8, 10])
    widget = made(single, rates_on="gallery", threshold=0.9)
    assert isinstance(widget.rates["FNIR"].value, Undefined)
    assert "FNIR at this threshold</b>: undefined" in widget.static_html()
    one = made([("Ann", people.images[0])], people.images[1], rates_on="gallery")
    assert one.threshold is None
    assert one.decision is None
    assert one.candidates[0].above is None
    assert "no threshold, no decision" in one.describe()


def test_few_people_are_held_against_other_faces(made: Any, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.methods import known

    monkeypatch.setattr(known, "PHANTOMS", {"subjects": 6, "images": 2, "size": 96})
    widget = made([("Ann", people.images[0])], people.images[1])
    assert widget.view.origin == "phantom faces"
    assert widget.rates["FPIR"].counts["gallery"] == 12
    assert widget.decision in ("identified", "not identified")


def test_people_are_enrolled_and_removed(made: Any, people: Any) -> None:
    widget = made(None, people.images[0], threshold=0.9)
    assert widget.gallery == ()
    assert "nobody is enrolled" in widget.describe()
    widget.enrol("Ann")
    widget.probe.show(people.images[2], real=False)
    widget.enrol("Bob")
    widget.probe.show(people.images[0], real=False)
    assert widget.gallery == ("Ann", "Bob")
    assert widget.candidates[0].name == "Ann"
    assert widget.candidates[0].score == pytest.approx(1.0, abs=1e-5)
    widget.remove("Ann")
    assert [c.name for c in widget.candidates] == ["Bob"]
    with pytest.raises(UnknownNameError):
        widget.remove("Ann")


def test_an_exported_gallery_holds_no_pixels_and_comes_back(made: Any, people: Any, tmp_path: Path) -> None:
    widget = made(people, people.images[0])
    path = widget.export(tmp_path / "g.npz")
    assert set(files.read_arrays(path)) == {"embeddings", "subjects", "names", "acquired", "model"}
    assert path.stat().st_size < 30_000
    back = made(path, people.images[0], threshold=widget.threshold)
    assert [(c.name, c.rank) for c in back.candidates] == [(c.name, c.rank) for c in widget.candidates]
    assert np.allclose([c.score for c in back.candidates], [c.score for c in widget.candidates], atol=1e-6)
    other = made(None, model="phantom-recogniser-64")
    with pytest.raises(DataError, match="made by another model"):
        other.load(path)
    assert other.gallery == ()
    with pytest.raises(ParameterError, match="the gallery is another model's"):
        made(noise(3), model="phantom-recogniser-64")


def test_a_folder_of_people_is_a_gallery(made: Any, people: Any, tmp_path: Path) -> None:
    for i in (0, 2):
        folder = tmp_path / str(people.subjects[i])
        folder.mkdir()
        (folder / "a.png").write_bytes(files.encode_png(people.images[i]))
    (tmp_path / "nobody").mkdir()
    (tmp_path / "nobody" / "a.png").write_bytes(files.encode_png(GREY))
    widget = made(str(tmp_path), people.images[3], threshold=0.9)
    assert len(widget.gallery) == 3
    assert widget.view.failures == 1
    assert "1 failed to enrol" in widget.describe()
    assert len(widget.candidates) == 2
    assert widget.candidates[0].subject == people.subjects[2]
    assert widget.view.thumbnails([widget.candidates[0].name, "none"])[0] == {"has": [True, False]}


@pytest.mark.parametrize("given", [[1, 2], [("a", np.zeros((4, 4)))], [("a",)]])
def test_what_is_no_gallery_is_refused(given: Any) -> None:
    with pytest.raises((ParameterError, DataError, ValueError), match="this is no"):
        Identify(given)


@pytest.mark.parametrize(
    ("question", "buffers", "words"),
    [
        ({"ask": "enrol", "id": 1, "with": {"name": "x" * 300}}, [], "name is no text"),
        ({"ask": "enrol", "id": 1, "with": {"name": "  "}}, [], "a reference needs a name"),
        ({"ask": "remove", "id": 1, "with": {"name": "../x"}}, [], "unknown reference"),
        ({"ask": "listing", "id": 1, "with": {"query": "", "page": 2**60}}, [], "page is not to be had"),
        ({"ask": "thumbnails", "id": 1, "with": {"names": ["a"] * 100}}, [], "right length"),
        ({"ask": "unpacked", "id": 1, "with": {}}, [b"PK\x03\x04 no gallery"], "gallery.npz"),
        ({"ask": "unpacked", "id": 1, "with": {}}, [], "no file came"),
        ({"ask": "unpacked", "id": 1, "with": {}}, [b"x" * 50_000_000], "carries too much"),
        ({"ask": "export", "id": 1, "with": {}}, [], "unknown question"),
        ({"ask": "load", "id": 1, "with": {}}, [], "unknown question"),
    ],
)
def test_odd_questions_are_refused_in_words(
    made: Any, people: Any, question: Any, buffers: list[bytes], words: str
) -> None:
    widget = made(people, people.images[0])
    view, before = widget.view, widget.gallery
    view.comm.take()
    view.comm.receive("custom", question, buffers)
    said = [m["data"]["content"] for m in view.comm.take() if m["data"]["method"] == "custom"]
    assert words in said[-1]["error"]
    assert widget.gallery == before


@pytest.mark.parametrize(
    "state", [{"threshold": 7}, {"threshold": "x"}, {"target": 0.3}, {"size": 9}, {"rows": []}, {"span": [0.0]}]
)
def test_odd_traits_are_refused(made: Any, people: Any, state: dict[str, Any]) -> None:
    view = made(people, people.images[0]).view
    name = next(iter(state))
    before = getattr(view, name)
    view.comm.receive("update", state)
    assert getattr(view, name) == before
    assert view.error


def test_what_is_saved_shows_no_real_person(made: Any, people: Any) -> None:
    shown = made(people, people.images[0])
    hidden = made(people, people.images[0], real=True)
    assert "data:image/jpeg" in shown.static_html()
    assert "data:image/jpeg" not in hidden.static_html()
    assert "show_faces=True" in hidden.static_html()
    state = hidden.view.get_state()
    assert not any(isinstance(v, bytes | memoryview | np.ndarray) for v in state.values())


def test_the_browser_finds_enrols_removes_exports_and_imports(
    bench: Any, made: Any, people: Any, tmp_path: Any
) -> None:
    widget = made(people, people.images[0])
    bench.show(widget)
    page = bench.page
    view = page.locator(".fw-identify")
    view.locator(".fw-decision", has_text="identified").wait_for()
    first = view.locator("tbody tr").first
    assert f"{widget.candidates[0].score:.4f}" in first.inner_text()
    assert "at or above" in first.inner_text()
    page.wait_for_function("document.querySelector('.fw-candidates canvas').width > 0")
    view.get_by_text("12 non-mated searches of 12 references").wait_for()
    page.wait_for_function("!document.querySelector('.fw-identify fieldset').disabled")

    view.get_by_label("Name of the probe").fill("<b>Ann</b>")
    page.keyboard.press("Enter")
    view.locator("tbody th", has_text="<b>Ann</b>").wait_for()
    assert widget.gallery[-1] == "<b>Ann</b>"
    with page.expect_download() as download:
        view.get_by_role("button", name="Export…").click()
    saved = tmp_path / "saved.npz"
    download.value.save_as(saved)

    view.locator("summary").click()
    view.get_by_label("Search references").fill("ann")
    view.get_by_role("button", name="Remove <b>Ann</b>").click()
    view.get_by_text("12 references", exact=True).wait_for()
    view.locator("input[type=file]").set_input_files(str(saved))
    view.get_by_text("13 references", exact=True).wait_for()
    assert len(widget.gallery) == 13
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"nothing")
    view.locator("input[type=file]").set_input_files(str(bad))
    view.get_by_role("alert").filter(has_text="gallery.npz").wait_for()
    bench.dark()
    assert len(widget.gallery) == 13


def test_the_threshold_is_moved_by_keyboard_and_nothing_stays_behind(bench: Any, made: Any, people: Any) -> None:
    widget = made(people, people.images[0])
    bench.show(widget)
    page = bench.page
    view = page.locator(".fw-identify")
    page.wait_for_function("!document.querySelector('.fw-identify fieldset').disabled")
    view.get_by_label("Threshold", exact=True).focus()
    page.keyboard.press("End")
    view.locator(".fw-decision", has_text="not identified").wait_for()
    assert widget.threshold == 1.0
    view.get_by_text("0 (95 % interval 0 to").wait_for()
    select = view.get_by_label("Set the threshold for FPIR")
    assert select.input_value() == "0"
    select.select_option("0.05")
    page.wait_for_function("[...window.models.values()].at(-1).get('threshold') < 1")
    assert widget.view.target == 0.05
    assert widget.rates["FPIR"].value <= 0.05
    left = page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0, 0]


def test_a_gallery_is_listed_in_pages(made: Any) -> None:
    widget = made(noise(60), threshold=0.5)
    found = widget.view.listing("p2", 0)
    # p2 and p20 to p29, two references each.
    assert found["total"] == 22
    assert widget.view.listing("", 99)["page"] == 2


def test_what_is_to_be_done_stays_on_the_line_of_status(bench: Any, made: Any) -> None:
    view = bench.show(made().view)
    bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
    assert "Nobody is enrolled. Give a probe and enrol it" in view.locator(".fw-status").inner_text()


def test_an_error_goes_when_the_next_wish_is_granted(bench: Any, made: Any, people: Any) -> None:
    identify = made(None, people.images[0], rates_on="phantom", threshold=0.5)
    view = bench.show(identify.view)
    bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
    enrol = view.get_by_role("button", name="Enrol probe")
    enrol.click()
    view.get_by_role("alert").filter(has_text="name").wait_for()
    view.get_by_role("textbox", name="Name of the probe").fill("Ann")
    enrol.click()
    view.get_by_role("rowheader", name="Ann").wait_for()
    assert view.get_by_role("alert").inner_text() == ""
    assert identify.view.error == ""


def test_a_threshold_may_be_taken_back(made: Any, people: Any) -> None:
    identify = made([("Ann", people.images[0])], people.images[1], rates_on="phantom", threshold=0.1)
    assert identify.decision == "identified"
    identify.threshold = None
    assert (identify.view.threshold, identify.decision) == (None, None)
    assert identify.candidates[0].above is None
    assert "no threshold, no decision" in identify.describe()


def test_a_probe_that_is_shown_is_not_said_to_be_left_out(made: Any, people: Any) -> None:
    card = made(None, people.images[0], threshold=0.5).static_html()
    assert "data:image" in card
    assert "left out" not in card


def test_a_model_that_is_no_recogniser_is_refused_at_once() -> None:
    with pytest.raises(ParameterError, match="faceapi-ssd is no recogniser"):
        Identify(model="faceapi-ssd")
