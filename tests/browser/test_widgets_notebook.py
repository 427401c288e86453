"""The teaching demo in a real JupyterLab: it loads, hears mouse and keyboard, and follows the theme."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench import files
from workbench.data import phantom

ROOT = Path(__file__).parents[2]
NAME = "widgets.ipynb"
KERNEL = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


@pytest.fixture(scope="module")
def demo(chromium: Any, lab: Any, someone: Any) -> Iterator[Any]:
    """The notebook, open and run from top to bottom."""
    shutil.copy(ROOT / "notebooks" / NAME, lab.folder / NAME)
    person = someone(chromium, lab)
    page = person.open()
    page.evaluate("""window.jupyterapp.serviceManager.settings.save(
        '@jupyterlab/notebook-extension:tracker', '{"windowingMode": "none"}')""")
    page = person.open(f"lab/tree/{NAME}?reset")
    page.wait_for_function(KERNEL)
    person.command("notebook:run-all-cells")
    # All cells have run when the last of them has a number.
    page.wait_for_function(
        """() => {
          const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter((c) => c.model.type === "code");
          return cells.length > 10 && cells.every((c) => c.model.executionCount > 0);
        }""",
        timeout=240_000,
    )
    page.wait_for_function(KERNEL, timeout=60_000)
    yield person
    person.shot("widgets-end")
    person.context.close()


def region(page: Any, name: str) -> Any:
    found = page.get_by_role("region", name=name, exact=True).first
    found.scroll_into_view_if_needed()
    return found


def test_no_cell_failed_and_every_widget_is_live(demo: Any) -> None:
    page = demo.page
    failed = page.evaluate("""window.jupyterapp.shell.currentWidget.content.widgets.flatMap((c) =>
        (c.model.outputs?.toJSON() ?? []).filter((o) => o.output_type === "error").map((o) => o.evalue))""")
    assert failed == []
    page.wait_for_function(
        """() => {
          const locks = [...document.querySelectorAll(".fw > fieldset")];
          return locks.length >= 15 && locks.every((lock) => !lock.disabled);
        }"""
    )
    demo.shot("widgets-light")


def test_a_dropped_picture_changes_the_score(demo: Any) -> None:
    page = demo.page
    place = region(page, "Probe")
    before = page.get_by_role("region", name="Verification").first.inner_text()
    other = phantom.faces(1, 1, size=224, seed=77).images[0]
    place.locator(".fw-drop").first.evaluate(
        """(target, bytes) => {
          const carried = new DataTransfer();
          carried.items.add(new File([new Uint8Array(bytes)], "other.png", { type: "image/png" }));
          target.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
        }""",
        list(files.encode_png(other)),
    )
    place.get_by_text("other.png · 224 × 224 · 1 face").wait_for()
    page.wait_for_function(
        "(before) => document.querySelector('[role=region][aria-label=Verification]').innerText !== before", arg=before
    )
    demo.shot("widgets-verify")


def test_a_dragged_threshold_moves_both_widgets_that_share_it(demo: Any) -> None:
    page = demo.page
    curves, groups = (region(page, name) for name in ("Curves", "Differentials by age"))
    before = groups.inner_text()
    charts = curves.locator(".fw-picks").first
    charts.scroll_into_view_if_needed()
    area = charts.bounding_box()
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 0.6 * area["width"], middle)
    page.mouse.down()
    for share in (0.55, 0.5, 0.45, 0.4):
        page.mouse.move(area["x"] + share * area["width"], middle)
    page.mouse.up()
    page.wait_for_function(
        "(before) => document.querySelector('[aria-label=\"Differentials by age\"]').innerText !== before",
        arg=before,
    )
    demo.shot("widgets-curves")


def test_the_theme_is_followed(demo: Any) -> None:
    page = demo.page
    light = region(page, "Phantom studio").evaluate("(e) => getComputedStyle(e).backgroundColor")
    demo.command("apputils:change-theme", {"theme": "JupyterLab Dark"})
    page.wait_for_function("document.body.dataset.jpThemeName === 'JupyterLab Dark'")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    dark = region(page, "Phantom studio").evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert light != dark
    demo.shot("widgets-dark")
    demo.command("apputils:change-theme", {"theme": "JupyterLab Light"})
    page.wait_for_function("document.body.dataset.jpThemeName === 'JupyterLab Light'")


def test_keys_stay_with_the_widget_and_cut_no_cell(demo: Any) -> None:
    page = demo.page
    cells = "window.jupyterapp.shell.currentWidget.content.widgets.length"
    before = page.evaluate(cells)
    share = region(page, "Morph").get_by_role("slider")
    share.focus()
    value = share.input_value()
    for key in ("ArrowRight", "ArrowRight", "a", "b", "x", "d", "d"):
        page.keyboard.press(key)
    assert share.input_value() != value
    assert page.evaluate(cells) == before
    # Tab goes on through the controls of the widget.
    seen = []
    region(page, "Phantom studio").get_by_role("textbox").first.focus()
    for _ in range(5):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel"))
    assert seen[:3] == ["Next person", "Surprise me", "Reset all"]


def test_nothing_was_asked_of_another_machine(demo: Any) -> None:
    assert demo.strays == []
    assert demo.faults == []
