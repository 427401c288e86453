"""A picture comes in by every door, its faces are found, chosen and corrected; nothing else comes in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench import files, models
from workbench.core import ImageError, ShapeError
from workbench.data import phantom
from workbench.widgets import FaceInput


@pytest.fixture(scope="module")
def people() -> Any:
    return phantom.faces(3, 2, size=224, seed=5)


def test_an_array_has_its_face_at_once(people: Any) -> None:
    place = FaceInput(people.images[0], real=False)
    assert place.chosen == 0
    assert place.face is not None
    # The true landmarks say where the face is.
    truth = people.attributes["landmarks5"][0]
    assert np.abs(place.face.points - truth).max() < 12
    assert np.all(place.face.box[:2] < truth.min(axis=0))
    assert np.all(place.face.box[2:] > truth.max(axis=0))


def test_two_faces_are_told_apart_and_the_browser_chooses(people: Any) -> None:
    both = np.concatenate([people.images[0], people.images[2]], axis=1)
    place = FaceInput(np.pad(both, ((100, 100), (100, 100), (0, 0)), constant_values=128), real=False)
    assert len(place.boxes) == 2
    first = place.face
    place.comm.receive("update", {"chosen": 1 - place.chosen})
    assert place.face is not None
    assert first is not None
    assert not np.array_equal(place.face.box, first.box)


def test_of_several_faces_the_largest_counts_as_it_does_in_a_pipeline(people: Any) -> None:
    small = np.pad(people.images[0], ((0, 224), (0, 0), (0, 0)), constant_values=128)
    large = people.images[2].repeat(2, axis=0).repeat(2, axis=1)
    pipeline = models.default_pipeline()
    for sides in ((small, large), (large, small)):
        shown = np.concatenate(sides, axis=1)
        place = FaceInput(shown, real=False)
        assert len(place.boxes) == 2
        assert np.array_equal(place.face.box, pipeline.locate([shown]).boxes[0])  # type: ignore[union-attr]


def test_who_hears_of_a_new_picture_finds_its_face(people: Any) -> None:
    place = FaceInput(people.images[0], real=False)
    heard: list[bool] = []
    place.observe(lambda change: heard.append(place.face is None or place.face.picture is place.picture), "revision")
    place.observe(lambda change: heard.append(change["new"] is None or change["new"].picture is place.picture), "face")
    place.show(people.images[2], real=False)
    place.show(np.full((200, 200, 3), 90, np.uint8))
    place.show(people.images[3], real=False)
    assert heard == [True] * 6


def test_no_face_is_a_failure_to_acquire_and_no_error() -> None:
    place = FaceInput(np.full((200, 200, 3), 90, np.uint8))
    assert place.face is None
    assert place.error == ""
    assert place.describe() == "array, 200 × 200, 0 faces"


@pytest.mark.parametrize(
    "odd", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), [1, 2], np.zeros((4, 4, 4), np.uint8)]
)
def test_an_array_that_is_no_picture_is_refused(odd: Any) -> None:
    with pytest.raises(ShapeError, match=r"this is no picture\n.*\n  expected: a file, or uint8"):
        FaceInput(odd)


def test_a_file_that_is_no_picture_is_an_error_in_the_cell(tmp_path: Any) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"GIF89a nothing")
    with pytest.raises(ImageError):
        FaceInput(path)


def test_a_dropped_file_that_is_no_picture_is_said_and_the_old_one_stays(people: Any) -> None:
    place = FaceInput(people.images[0], real=False)
    before = place.face
    place.comm.receive("custom", {"ask": "take", "id": 1, "with": {"name": "x.png"}}, [b"<svg onload=alert(1)>"])
    assert place.settle(10)
    assert "x.png" in place.error
    assert place.face is before


@pytest.mark.parametrize(
    ("question", "buffers", "words"),
    [
        ("rubbish", [], "this is no question"),
        ({"ask": "take", "id": 1, "with": {"name": "a"}}, [], "no picture came"),
        ({"ask": "take", "id": 1, "with": {"name": 3}}, [b"x"], "name is no text"),
        ({"ask": "take", "id": 1, "with": {"name": "a", "path": "/"}}, [b"x"], "other fields"),
        ({"ask": "take", "id": 1, "with": {"name": "a"}}, [b"x" * 50_000_000], "carries too much"),
        ({"ask": "pick", "id": 1, "with": {"id": "../../etc/passwd"}}, [], "unknown picture"),
        ({"ask": "browse", "id": 1, "with": {"query": "", "page": -1}}, [], "page is not to be had"),
        ({"ask": "browse", "id": 1, "with": {"query": "", "page": 2**60}}, [], "page is not to be had"),
        ({"ask": "browse", "id": 1, "with": {"query": "", "page": True}}, [], "page is not to be had"),
        ({"ask": "correct", "id": 1, "with": {"box": [0, 0, 1e9, 1]}}, [], "no box in the picture"),
        ({"ask": "correct", "id": 1, "with": {"box": [0, 0, None, 1]}}, [], "no number"),
        ({"ask": "correct", "id": 1, "with": {"box": [0, 0, 1]}}, [], "right length"),
        ({"ask": "close", "id": 1, "with": {}}, [], "unknown question 'close'"),
        ({"ask": "__init__", "id": 1, "with": {}}, [], "unknown question"),
        ({"ask": ["take"], "id": 1, "with": {}}, [], "this is no question"),
    ],
)
def test_odd_questions_are_refused_in_words(people: Any, question: Any, buffers: list[bytes], words: str) -> None:
    place = FaceInput(people.images[0], real=False)
    place.comm.take()
    before = place.face
    place.comm.receive("custom", question, buffers)
    said = [m["data"]["content"] for m in place.comm.take() if m["data"]["method"] == "custom"]
    assert words in said[-1]["error"]
    assert words in place.error
    assert place.face is before


@pytest.mark.parametrize(
    "state", [{"chosen": 7}, {"chosen": "0"}, {"chosen": None}, {"name": "<b>"}, {"_esm": "alert(1)"}, {"boxes": []}]
)
def test_odd_traits_are_refused_and_the_view_is_set_right(people: Any, state: dict[str, Any]) -> None:
    place = FaceInput(people.images[0], real=False)
    name = next(iter(state))
    before = getattr(place, name)
    place.comm.take()
    place.comm.receive("update", state)
    assert getattr(place, name) == before
    assert place.error
    sent = [m["data"]["state"] for m in place.comm.take() if m["data"]["method"] == "update"]
    assert any(name in s for s in sent)


def test_what_is_saved_holds_no_picture_of_a_real_person(people: Any) -> None:
    hidden, shown = FaceInput(people.images[0]), FaceInput(people.images[0], show_faces=True)
    assert "data:image" not in hidden.static_html()
    assert "show_faces=True" in hidden.static_html()
    assert "data:image/jpeg" in shown.static_html()
    # State is saved with a notebook, whatever is shown: it never holds pixels.
    assert not any(isinstance(v, bytes | memoryview | np.ndarray) for v in shown.get_state().values())


def test_the_browser_side(bench: Any, people: Any, tmp_path: Any) -> None:
    place = FaceInput(samples=people, label="Reference <img src=x onerror=alert(1)>")
    view = bench.show(place)
    view.get_by_text("Drop, paste or choose a picture").wait_for()
    path = tmp_path / "<b>bold.png"
    path.write_bytes(files.encode_png(people.images[0]))
    view.locator("input[type=file]").set_input_files(str(path))
    view.get_by_text("<b>bold.png · 224 × 224 · 1 face").wait_for()
    assert place.face is not None
    assert place.face.real
    view.get_by_role("radio", name="Face 1 of 1").wait_for()
    # The canvas shows the very picture.
    shown = view.locator("canvas").first.evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data)"
    )
    assert np.abs(np.array(shown[:3]) - people.images[0][112, 112]).max() < 25

    view.get_by_role("button", name="Browse data").click()
    view.get_by_label("Search pictures").fill(str(people.subjects[4]))
    view.get_by_text("2 pictures").wait_for()
    view.get_by_role("listitem").first.get_by_role("button").click()
    view.get_by_text(f"{people.ids[4]} · 224 × 224").wait_for()
    assert place.face.subject == people.subjects[4]
    assert not place.face.real


def test_a_face_is_corrected_by_keyboard(bench: Any, people: Any) -> None:
    place = FaceInput(people.images[0], real=False)
    view = bench.show(place)
    before = list(place.boxes[0])
    view.get_by_role("button", name="Correct face").click()
    sheet = view.get_by_role("application")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft"):
        sheet.press(key)
    sheet.press("Enter")
    view.get_by_role("application").wait_for(state="detached")
    bench.page.wait_for_function(f"[...window.models.values()][0].get('boxes')[0][0] !== {before[0]}")
    moved = np.array(place.boxes[0]) - before
    # A step is a hundredth of 224 pixels: 2.
    assert np.allclose(moved, [4, 2, 2, 2], atol=0.2)


def test_dropped_and_pasted(bench: Any, people: Any) -> None:
    place = FaceInput()
    view = bench.show(place)
    view.get_by_text("Drop, paste").wait_for()
    bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
    data = list(files.encode_png(people.images[0]))
    script = """(target, [kind, bytes]) => {
      const file = new File([new Uint8Array(bytes)], "d.png", { type: "image/png" });
      const carried = new DataTransfer();
      carried.items.add(file);
      const event = kind === "drop" ? new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true });
      target.dispatchEvent(event);
    }"""
    for kind, name in (("drop", "d.png"), ("paste", "pasted")):
        view.locator(".fw-drop").evaluate(script, [kind, data])
        view.get_by_text(f"{name} · 224 × 224 · 1 face").wait_for()


def test_the_webcam_is_shown_to_be_on_and_ends(bench: Any) -> None:
    place = FaceInput(live=True)
    view = bench.show(place)
    bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
    view.get_by_role("button", name="Webcam", exact=True).click()
    view.get_by_text("webcam is on").wait_for()
    bench.page.wait_for_function("document.querySelector('video').videoWidth > 0")
    view.get_by_role("button", name="Take picture").click()
    view.get_by_text("webcam ·").wait_for()
    view.get_by_role("button", name="Live").click()
    bench.page.wait_for_function(f"[...window.models.values()][0].get('revision') > {place.revision + 1}")
    view.get_by_role("button", name="Stop webcam").click()
    view.get_by_text("webcam is on").wait_for(state="detached")


def test_a_view_leaves_nothing_behind(bench: Any, people: Any) -> None:
    bench.show(FaceInput(people.images[0], real=False)).get_by_role("radio").wait_for()
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0]
    assert bench.page.locator(".fw").count() == 0


def test_a_kernel_that_is_busy_for_minutes_is_waited_for(bench: Any, people: Any) -> None:
    place = FaceInput(people.images[0], real=False)
    hear, held = place.comm.handler, []
    place.comm.handler = held.append
    bench.page.clock.install()
    view = bench.show(place)
    view.get_by_text("waiting for Python…").wait_for()
    bench.page.clock.fast_forward("02:00")
    view.get_by_text("a cell is still running, or there is no kernel").wait_for()
    assert view.get_by_role("button", name="Clear").is_disabled()
    # The cell ends: what was asked meanwhile is answered, and the widget is as any other.
    place.comm.handler = hear
    for message in held:
        hear(message)
    bench.page.wait_for_function("() => document.querySelector('.fw-canvas').width === 224")
    assert view.get_by_role("button", name="Clear").is_enabled()
    assert view.get_by_role("status").all_inner_texts() == [""]


def test_an_error_goes_when_something_else_is_done(bench: Any, people: Any) -> None:
    place = FaceInput(people.images[0], real=False)
    view = bench.show(place)
    error = view.locator(".fw-error")
    # Known to the browser alone, and known to Python.
    for name, content, words in (
        ("huge.png", 33 * 2**20, "larger than 32 MB"),
        ("text.png", 10, "in no format that is read here"),
    ):
        for _ in range(2):
            view.locator("input[type=file]").evaluate(
                """(input, [name, size]) => {
                  const carried = new DataTransfer();
                  carried.items.add(new File([new Uint8Array(size)], name, { type: "image/png" }));
                  input.files = carried.files;
                  input.dispatchEvent(new Event("change", { bubbles: true }));
                }""",
                [name, content],
            )
            bench.page.wait_for_function(
                "(words) => document.querySelector('.fw-error').innerText.includes(words)", arg=words
            )
        view.get_by_role("button", name="Browse data").click()
        view.get_by_role("listitem").first.wait_for()
        view.get_by_role("button", name="Browse data").click()
        view.get_by_role("button", name="Clear").click()
        bench.page.wait_for_function("() => document.querySelector('.fw-error').innerText === ''")
        assert error.inner_text() == ""
        assert place.error == ""
