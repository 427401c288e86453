"""A person at work in JupyterLab: finds, runs, watches, reads, compares, cancels, with mouse or keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workbench import files
from workbench.core import Estimate, Result, Verdict
from workbench.runs import identity, journal
from workbench.studies import listing

AXE = Path(__file__).parents[2] / "extensions" / "jupyterlab-workbench" / "node_modules" / "axe-core" / "axe.min.js"
# As small as the study allows: these tests are about what a person sees.
TINY = {"scale": "smoke", "identities": 4, "pairs": 4, "steps": 3, "masks": 8}
LONG = 300
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def finished(lab: Any, seed: int) -> dict[str, Any]:
    """A run as one that was started in a terminal leaves it, with a number and a verdict that go with the seed."""
    run, slug = f"{seed:012x}", "saliency"
    folder = lab.home / "runs" / slug / run
    if not folder.is_dir():
        parameters = {**TINY, "seed": seed}
        number = Estimate(0.4 + seed / 10, 0.3, 0.7, "area under a curve", {"pairs": 4}, "fraction")
        verdicts = (
            Verdict("C1", "maps find it", "supported" if seed % 2 else "undecided", number, "so it is"),
            Verdict("C2", "a | b <script>", "refuted", None, "it does not hold"),
        )
        result = Result(slug, "2-A", {}, parameters, {"area": number}, verdicts, timings={"faces": 1.5})
        picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": PICTURE}}
        code = {"cell_type": "code", "metadata": {}, "source": "x", "execution_count": 1, "outputs": [picture]}
        heading = {"cell_type": "markdown", "metadata": {}, "source": "## The pairs"}
        notebook = json.dumps({"cells": [heading, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        found = listing(slug)
        kept = {"study": slug, "version": "2-A", "code": identity.code_digest(found.module, found.notebook),
                "packages": identity.packages(), "machine": identity.platform.machine()}  # fmt: skip
        folder.mkdir(parents=True)
        for name, text in {
            "input.ipynb": notebook, "notebook.ipynb": notebook, "order.json": json.dumps({"parameters": parameters}),
            "identity.json": json.dumps(kept), "report.html": "<!doctype html><title>r</title><h1>A report</h1>",
            "result.json": files.to_json(result),
        }.items():  # fmt: skip
            (folder / name).write_text(text)
        for event in ("started", "committed"):
            journal.write(folder, event)
    return {"study": slug, "run": run}


def faults_of(page: Any, *parts: str) -> list[str]:
    """What axe finds serious in these parts of a page."""
    if not AXE.is_file():
        pytest.skip("no axe-core: run jlpm install in extensions/jupyterlab-workbench")
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("(parts) => axe.run({ include: parts.map(part => [part]) })", list(parts))
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def panel(person: Any) -> Any:
    """The side panel, shown and filled."""
    person.command("face-workbench:open-studies")
    shown = person.page.get_by_role("region", name="Studies", exact=True)
    shown.locator(".fwl-study").first.wait_for()
    return shown


def test_a_person_finds_runs_watches_reloads_and_reads(person: Any, lab: Any, chromium: Any) -> None:
    page = person.open()
    studies = panel(person)
    everything = studies.locator(".fwl-study").count()
    page.get_by_role("searchbox", name="Search studies").fill("backpropagation fggb")
    studies.get_by_text(f"1 of {everything} studies").wait_for()
    studies.get_by_role("button", name="Explainable Face Verification").click()
    form = page.get_by_role("form", name="Run saliency")
    form.get_by_role("radio", name="smoke").check()
    for name, value in TINY.items():
        if name != "scale":
            form.get_by_label(name, exact=True).fill(str(value))
    form.get_by_text("The same run elsewhere").click()
    command = form.get_by_role("group", name="In a shell")
    command.get_by_text("workbench run saliency -p scale=smoke -p identities=4 -p pairs=4").wait_for()
    form.get_by_role("group", name="With papermill").get_by_text("-r scale smoke -p identities 4").wait_for()
    person.shot("study-light")

    form.get_by_role("button", name="Run", exact=True).click()
    form.get_by_text("Queued as job").wait_for()
    (job,) = (j for j in lab.get("jobs")["jobs"] if j["state"] in ("queued", "running"))
    assert job["parameters"] == TINY
    person.command("face-workbench:open-runs")
    card = page.locator(f'[data-job="{job["id"]}"]')
    card.get_by_role("progressbar").and_(page.locator("[value]")).wait_for(timeout=1000 * LONG)
    card.get_by_role("button", name="Log of job").click()
    card.get_by_role("log").get_by_text("faces").wait_for(timeout=1000 * LONG)
    person.shot("running-light")

    # In the middle: another look, and another person's browser, show the same run still running.
    page.reload()
    person.settled()
    card.wait_for()
    other = type(person)(chromium, lab)
    other.open("lab?reset")
    other.command("face-workbench:open-runs")
    other.page.locator(f'[data-job="{job["id"]}"]').get_by_text("saliency").wait_for()

    card.and_(page.locator('[data-state="done"]')).wait_for(timeout=1000 * LONG)
    # At once: the notification goes after some seconds.
    page.get_by_role("button", name="Open result", exact=True).click()
    other.page.locator(f'[data-job="{job["id"]}"][data-state="done"]').wait_for()
    other.context.close()
    assert (other.faults, other.strays) == ([], [])
    page.get_by_role("heading", name="Verdicts").wait_for()
    page.get_by_role("img").and_(page.locator(".fwl-figure img")).first.wait_for()
    person.shot("result-light")
    page.locator(".fwl-document:not(.lm-mod-hidden)").get_by_role("button", name="Read Report").click()
    page.frame_locator("iframe.fwl-report").get_by_role("heading", name="saliency 2").wait_for()
    person.shot("report-light")
    # The form remembers what was typed the last time.
    person.command("face-workbench:open-study", {"study": "saliency"})
    page.wait_for_function("document.querySelector('form.fwl-form input[type=text]')?.value === '4'")


def test_two_runs_are_compared_and_kept(person: Any, lab: Any) -> None:
    runs = [finished(lab, seed) for seed in (1, 2)]
    page = person.open()
    person.command("face-workbench:open-runs")
    for run in runs:
        page.get_by_label(f"Compare run {run['run']} of saliency").check()
    person.shot("runs-light")
    page.get_by_role("button", name="Compare 2 runs").click()
    page.get_by_role("heading", name="Comparison of 2 runs").wait_for()
    parameters = page.get_by_role("group", name="Parameters")
    parameters.get_by_role("row", name="seed").wait_for()
    page.get_by_text("1 verdict differs").wait_for()
    assert parameters.get_by_role("row").count() == 2, "only what differs is shown"
    page.locator(".fwl-axis circle").first.wait_for()
    page.locator(".fwl-figure img").first.wait_for()
    person.shot("compare-light")
    with page.expect_download() as csv:
        page.get_by_role("button", name="Export CSV").click()
    assert csv.value.suggested_filename == "compare.csv"
    assert Path(csv.value.path()).read_text().startswith("what,name,")
    with page.expect_download() as markdown:
        page.get_by_role("button", name="Export Markdown").click()
    assert "| run | id |" in Path(markdown.value.path()).read_text()


def test_a_run_of_a_terminal_appears_and_is_purged(person: Any, lab: Any) -> None:
    page = person.open()
    person.command("face-workbench:open-runs")
    page.get_by_role("heading", name="All runs").wait_for()
    made = finished(lab, 3)
    row = page.get_by_role("row").filter(has_text=made["run"])
    row.get_by_text("terminal").wait_for()
    row.get_by_role("button", name="Open").click()
    page.get_by_role("button", name="Purge…").click()
    page.get_by_role("dialog").get_by_role("button", name="Purge").click()
    person.command("face-workbench:open-runs")
    row.wait_for(state="detached")
    assert not (lab.home / "runs" / "saliency" / made["run"]).exists()


def test_the_keyboard_alone_finds_starts_and_cancels(person: Any, lab: Any) -> None:
    page = person.open()
    focused = "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''"
    page.keyboard.press("Alt+Shift+S")
    page.wait_for_function(f"({focused}) === 'Search studies'")
    page.locator(".fwl-study").first.wait_for()
    page.keyboard.type("saliency")
    page.wait_for_function("document.querySelectorAll('.fwl-study').length === 1")
    page.keyboard.press("ArrowDown")
    page.wait_for_function(f"({focused}).includes('Explainable')")
    person.shot("keyboard-panel")
    page.keyboard.press("Enter")
    page.get_by_role("form", name="Run saliency").wait_for()
    page.wait_for_function("document.activeElement?.classList.contains('fwl-document')")

    def tab_to(words: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if words in page.evaluate(focused):
                return
        raise AssertionError(f"Tab does not reach {words}")

    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.type") == "radio":
            break
    page.keyboard.press("ArrowUp")
    page.wait_for_function("document.activeElement?.value === 'smoke' && document.activeElement.checked")
    page.keyboard.press("Enter")
    page.get_by_text("Queued as job").wait_for()
    job = lab.get("jobs")["jobs"][0]
    page.keyboard.press("Alt+Shift+R")
    page.locator(f'[data-job="{job["id"]}"]').wait_for()
    page.wait_for_function("document.activeElement?.classList.contains('fwl-document')")
    tab_to(f"Cancel of job {job['id']}")
    page.keyboard.press("Enter")
    page.locator(f'[data-job="{job["id"]}"][data-state="cancelled"]').wait_for(timeout=60_000)
    assert lab.get(f"jobs/{job['id']}")["state"] == "cancelled"


def test_fields_that_do_not_fit_say_so_and_nothing_is_sent(person: Any, lab: Any) -> None:
    page = person.open()
    before = [job["id"] for job in lab.get("jobs")["jobs"]]
    person.command("face-workbench:run-study", {"study": "saliency"})
    form = page.get_by_role("form", name="Run saliency")
    field = form.get_by_label("pairs", exact=True)
    field.fill("2")
    form.get_by_text("pairs does not fit; expected: int from 4 to 3000 or None").wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    form.get_by_label("masks", exact=True).press("Enter")
    assert field.evaluate("field => field === document.activeElement")
    field.fill("8")
    form.get_by_text("Data, device and seed").click()
    form.get_by_label("data", exact=True).fill("nowhere")
    form.get_by_text("there is no data set 'nowhere'").wait_for()
    assert [job["id"] for job in lab.get("jobs")["jobs"]] == before


@pytest.fixture
def hundred(lab: Any) -> dict[str, Any]:
    """The server's answer, with a hundred studies in it."""
    answer: dict[str, Any] = lab.get("studies")
    first = answer["studies"][-1]
    states = ["never run", "done", "stale", "failed", "running", "queued", "died"]
    answer["studies"] = [
        {**first, "name": f"study-{i}", "slug": f"study-{i}", "pillar": answer["pillars"][i // 25],
         "state": {**first["state"], "status": states[i % 7], "fraction": 0.4,
                   "counts": {"supported": i % 6, "refuted": i % 3, "undecided": 1} if i % 7 else {}}}
        for i in range(100)
    ]  # fmt: skip
    return answer


def test_a_hundred_studies_in_a_narrow_panel(person: Any, hundred: dict[str, Any]) -> None:
    person.context.route("**/workbench/api/studies?*", lambda route: route.fulfill(json=hundred))
    page = person.open()
    page.set_viewport_size({"width": 700, "height": 800})
    studies = panel(person)
    assert studies.locator(".fwl-study").count() == 100
    page.get_by_role("searchbox", name="Search studies").press("ArrowDown")
    page.keyboard.press("End")
    page.wait_for_function("document.activeElement?.dataset.study === 'study-99'")
    wide = studies.evaluate("node => [...node.querySelectorAll('*')].filter(n => n.scrollWidth > node.clientWidth + 1)"
                            ".map(n => n.className)")  # fmt: skip
    assert wide == []
    studies.get_by_role("combobox", name="State").select_option("failed")
    studies.get_by_text("28 of 100 studies").wait_for()
    person.shot("panel-narrow")


def test_what_the_server_says_is_wrong_is_shown_in_words(person: Any) -> None:
    problem = {"title": "Something broke", "status": 500, "detail": "the table is locked", "do": "wait a moment"}
    person.context.route(
        "**/workbench/api/studies?*",
        lambda route: route.fulfill(status=500, body=json.dumps(problem), content_type="application/problem+json"),
    )
    page = person.open()
    person.command("face-workbench:open-studies")
    alert = page.get_by_role("alert").filter(has_text="the table is locked")
    alert.get_by_text("do: wait a moment").wait_for()
    person.context.unroute("**/workbench/api/studies?*")
    alert.get_by_role("button", name="Try again").click()
    page.locator(".fwl-study").first.wait_for()
    # The browser itself names the answer that was refused; nothing else is wrong.
    assert all("500" in fault for fault in person.faults)
    person.faults.clear()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_every_page_is_accessible_in_every_theme(person: Any, lab: Any, theme: str) -> None:
    runs = [finished(lab, seed) for seed in (1, 2)]
    names = [f"{run['study']}/{run['run']}" for run in runs]
    short = theme.removeprefix("JupyterLab ").lower().replace(" ", "-")
    page = person.open()
    person.command("apputils:change-theme", {"theme": theme})
    page.wait_for_function(f"document.body.dataset.jpThemeName === {theme!r}")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    panel(person)
    found = []
    for name, command, arguments in (
        ("study", "open-study", {"study": "saliency"}),
        ("runs", "open-runs", {}),
        ("result", "open-run", runs[0]),
        ("compare", "compare-runs", {"runs": names}),
        ("board", "open-board", {}),
    ):
        person.command(f"face-workbench:{command}", arguments)
        page.locator(".fwl-document:not(.lm-mod-hidden) h2").nth(1).wait_for()
        if name == "study":
            page.locator("form.fwl-form").wait_for()
        found += [f"{name}: {fault}" for fault in faults_of(page, ".fwl-document:not(.lm-mod-hidden)")]
        person.shot(f"{name}-{short}")
    found += faults_of(page, ".fwl-panel", ".fwl-machine")
    assert found == []
    ground = page.evaluate("getComputedStyle(document.querySelector('.fwl-panel')).backgroundColor")
    bright = sum(int(part) for part in ground.removeprefix("rgb(").rstrip(")").split(",")) > 3 * 127
    assert bright == ("Dark" not in theme)


@pytest.fixture
def pictures(lab: Any) -> Iterator[list[str]]:
    """Two pictures in the file browser, with names that must be quoted."""
    names = ["one\"face'.png", "two {faces}.png"]
    for name in names:
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(lab.folder / name)
    yield names
    for name in names:
        (lab.folder / name).unlink()


def test_pictures_become_a_notebook_that_verifies_them(person: Any, lab: Any, pictures: list[str]) -> None:
    page = person.open()
    person.command("filebrowser:activate")
    items = [page.locator(".jp-DirListing-item").filter(has_text=name) for name in pictures]
    items[0].click()
    items[1].click(modifiers=["Control"])
    items[1].click(button="right")
    page.get_by_role("menuitem", name="Verify faces…").click()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    (written,) = lab.folder.glob("*.ipynb")
    (cell,) = json.loads(written.read_text())["cells"]
    source = "".join(cell["source"])
    written.unlink()
    assert source == f'from workbench.widgets import Verify\n\nVerify("one\\"face\'.png", "{pictures[1]}")'


def test_the_notebook_opens_as_the_persons_own_copy(person: Any, lab: Any) -> None:
    page = person.open()
    person.command("face-workbench:open-notebook", {"study": "saliency"})
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    assert (lab.folder / "face-workbench" / "probing" / "saliency.ipynb").is_file()


def test_notebook_7_loads_the_same_build(person: Any) -> None:
    page = person.open("tree")
    page.wait_for_function("window.jupyterapp.name.includes('Notebook')")
    studies = panel(person)
    studies.get_by_role("button", name="Explainable Face Verification").click()
    page.get_by_role("form", name="Run saliency").wait_for()
    person.shot("notebook-7")
