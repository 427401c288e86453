"""What a run found is shown as it was committed, and what did not come to an end says so."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import files
from workbench.claims import Claim, Comparison, judge
from workbench.core import DataError, Estimate, Evidence, Measurements, Reported, Result, ShapeError, UnknownNameError
from workbench.figures.style import Picture
from workbench.runs import journal
from workbench.widgets import StudyView

CLAIMS = (
    Claim("C1", "ours errs less <b>than</b> theirs", (Comparison("error", "ours", "theirs", "less", 0.1),)),
    Claim("C2", "ours is larger", (Comparison("error", "ours", "theirs", "greater"),)),
    Claim("C3", "ours is one half", (Comparison("error", "ours", 0.5, "less"), Comparison("error", "theirs", 0.9))),
    Claim("C4", "parts are found", (Comparison("parts", "ours", 0.5, "greater"),)),
)


def outcome() -> Result:
    """Four claims, one for each answer; the differences are -0.3 and about 0."""
    noise = np.random.default_rng(0).normal(0, 0.05, 30)
    people = np.arange(30)[:, None]
    theirs = Measurements("theirs", 0.8 - noise / 5, people)
    evidence = Evidence(
        measurements={"error": {"ours": Measurements("ours", 0.5 + noise, people), "theirs": theirs}},
        untestable={"parts": "photographs do not tell"},
    )
    return Result(
        "tiny", "2-A", {}, {"scale": "smoke", "data": "phantom"},
        {"EER": Estimate(0.25, 0.2, 0.3, "rule", {"people": 30})},
        judge(CLAIMS, evidence, resamples=200),
        (Reported("EER", "LFW", "Table 2", 0.0123, key="EER"),
         Reported("maps", "CPLFW", "abstract", text="better <i>maps</i>")),
        {"data": "phantom", "numpy": "2"}, {"faces": 1.5}, ("phantom faces: the people do not exist",),
    )  # fmt: skip


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run in the home folder that has come to an end; it does not age."""
    monkeypatch.setattr("workbench.runs.index._stale", lambda slug, folder: False)
    place = home / "runs" / "tiny" / "one"
    write(place, "started")
    write(place, "step-done", step="faces", seconds=1.5)
    files.commit_text(place / "order.json", '{"parameters": {"scale": "smoke"}}')
    files.commit_text(place / "identity.json", '{"study": "tiny"}')
    picture = Picture(figsize=(2, 1))
    picture.subplots().plot([0, 1])
    output = {"data": {"image/png": base64.b64encode(picture.png()).decode()}}
    cells = [
        {"cell_type": "markdown", "source": "## The <b>pairs</b>"},
        {"cell_type": "code", "source": "", "outputs": [output]},
    ]
    files.commit_text(place / "notebook.ipynb", json.dumps({"cells": cells}))
    files.commit_text(place / "result.json", files.to_json(outcome()))
    return place


def write(place: Path, event: str, **facts: object) -> None:
    place.mkdir(parents=True, exist_ok=True)
    journal.write(place, event, **facts)


@pytest.mark.parametrize("door", ["name", "folder", "text", "result"])
def test_a_run_comes_in_by_every_door(folder: Path, door: str) -> None:
    shown = StudyView({"name": "tiny", "folder": folder, "text": str(folder), "result": outcome()}[door])
    assert (shown.slug, shown.status, shown.advice) == ("tiny", "done", "")
    assert shown.result == outcome()
    assert shown.folder == folder
    answers = ["supported", "refuted", "undecided", "not testable here"]
    assert [v["answer"] for v in shown.found["verdicts"]] == answers
    assert shown.steps == [{"name": "faces", "status": "done", "seconds": 1.5}]
    assert shown.figures == ["The <b>pairs</b>"]


def test_an_effect_has_its_interval_its_count_and_its_limit(folder: Path) -> None:
    first, second, third, fourth = StudyView(folder).found["verdicts"]
    effect = first["parts"][0]["effect"]
    assert effect["value"] == pytest.approx(-0.3, abs=0.02)
    assert effect["ends"][0] < effect["value"] < effect["ends"][1] < first["parts"][0]["limit"] == -0.1
    assert "30 units" in effect["n"]
    assert (second["parts"][0]["limit"], second["parts"][0]["direction"]) == (0.0, "greater")
    low, high = third["parts"][0]["effect"]["ends"]
    assert low < 0 < high
    assert fourth["parts"][0]["effect"] is None
    assert fourth["reason"] == "photographs do not tell"


def test_the_papers_numbers_are_never_taken_for_ours(folder: Path) -> None:
    number, words = StudyView(folder).found["reported"]
    assert (number["said"], number["dataset"], number["place"]) == ("0.0123", "LFW", "Table 2")
    assert (number["ours"], number["ours_on"], number["ours_n"]) == ("0.25 [0.2, 0.3]", "phantom", "30 people")
    assert (words["said"], words["ours"]) == ("better <i>maps</i>", None)
    card = StudyView(folder).static_html()
    assert "EER: 0.0123, on LFW — here: 0.25 [0.2, 0.3] (EER), on phantom" in card
    assert "on CPLFW — here: no number of this run answers to it" in card


def test_what_was_never_run_says_how_to_run_it() -> None:
    shown = StudyView("saliency")
    assert (shown.status, shown.result, shown.found) == ("never run", None, {})
    assert shown.advice == "Run it: workbench run saliency"
    assert "workbench run saliency" in shown.static_html()


@pytest.mark.parametrize(
    ("event", "status", "words"),
    [("failed", "failed", "ZeroDivisionError"), ("died", "died", "SIGKILL"), ("stopped", "stopped", "over its budget"),
     ("out of memory", "out of memory", "MemoryError")],
)  # fmt: skip
def test_a_run_without_an_end_says_why_and_what_to_do(home: Path, event: str, status: str, words: str) -> None:
    place = home / "runs" / "tiny" / "two"
    write(place, "started")
    write(place, "step-kept", step="faces", seconds=0.2)
    write(place, event, cell=4, why=words)
    shown = StudyView("tiny")
    assert shown.status == status
    assert f"It ended with: {words} (cell 4)." in shown.advice
    assert "finished steps are kept" in shown.advice
    assert shown.steps[0]["status"] == "kept from before"
    assert words in shown.static_html()


def test_after_a_failure_the_earlier_result_is_shown_as_earlier(folder: Path) -> None:
    later = folder.with_name("two")
    write(later, "started")
    write(later, "failed", cell=1, why="KeyError")
    shown = StudyView("tiny")
    assert shown.status == "failed"
    assert "numbers below are those of an earlier run" in shown.advice
    assert shown.result == outcome()


def test_a_stale_run_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.runs.index._stale", lambda slug, folder: True)
    shown = StudyView("tiny")
    assert shown.status == "stale"
    assert "run it again" in shown.advice
    assert shown.result == outcome()


def test_a_result_without_a_folder_is_shown_without_figures() -> None:
    shown = StudyView(outcome())
    assert (shown.status, shown.figures, shown.folder) == ("done", [], None)
    assert "not to be found" in shown.advice
    assert "data:image/png" in shown.static_html()


def test_a_result_of_before_verdicts_had_limits_is_shown_without(folder: Path) -> None:
    old = json.loads((folder / "result.json").read_text())
    for verdict in old["verdicts"]:
        for one in (verdict, *verdict["parts"]):
            del one["limit"], one["direction"]
    (folder / "result.json").write_text(json.dumps(old))
    part = StudyView(folder).found["verdicts"][0]["parts"][0]
    assert (part["limit"], part["direction"]) == (None, "")
    assert "data:image/png" in StudyView(folder).static_html()


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'saliency'"):
        StudyView("salience")
    with pytest.raises(DataError, match="no run's folder"):
        StudyView(tmp_path)
    with pytest.raises(ShapeError, match="this is no study"):
        StudyView(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"ask": "figure", "id": 1, "with": {"index": 1}}, "no such figure"),
        ({"ask": "figure", "id": 1, "with": {"index": -1}}, "not to be had"),
        ({"ask": "figure", "id": 1, "with": {"index": "../x"}}, "not to be had"),
        ({"ask": "refresh", "id": 1, "with": {"path": "/"}}, "other fields"),
    ],
)
def test_odd_questions_are_refused(folder: Path, question: Any, words: str) -> None:
    shown = StudyView(folder)
    shown.comm.receive("custom", question)
    assert words in shown.error
    shown.comm.receive("update", {"status": "done <b>"})
    assert shown.status == "done"


def test_the_card_says_every_verdict_and_escapes_it(folder: Path) -> None:
    card = StudyView(folder).static_html()
    for words in ("C1 ✓ supported", "C2 ✗ refuted", "C3 ? undecided", "C4 – not testable here", "phantom faces"):
        assert words in card
    assert "<b>than</b>" not in card
    assert "<i>maps</i>" not in card
    # The run's own figures may show people; they are not put into what is saved.
    assert card.count("data:image") == 1


def test_a_run_that_goes_on_is_followed_by_the_button(bench: Any, folder: Path) -> None:
    (folder / "result.json").rename(folder / "held.json")
    shown = StudyView(folder, label="Study")
    with files.Lock(folder / "lock", wait=0.1):
        shown.refresh()
        assert shown.status == "running"
        view = bench.show(shown)
        view.get_by_text("running").wait_for()
        view.get_by_text("faces: done, 1.5 s").wait_for()
        bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
        write(folder, "step-start", step="maps", seconds=0)
        view.get_by_role("button", name="Refresh").press("Enter")
        view.get_by_text("maps: going on").wait_for()
    (folder / "held.json").rename(folder / "result.json")
    view.get_by_role("button", name="Refresh").click()
    section = view.get_by_role("region", name="C1: supported")
    section.get_by_text("✓ supported").first.wait_for()
    assert section.get_by_text("<b>than</b>").count() == 1
    effect = shown.found["verdicts"][0]["parts"][0]["effect"]["value"]
    assert f"Effect {effect:.4g}" in section.get_by_role("img").get_attribute("aria-label")
    row = view.get_by_role("row").filter(has_text="Table 2").inner_text()
    assert "0.0123\tLFW\tTable 2\t0.25 [0.2, 0.3] (EER; 30 people)\tphantom" in row
    view.get_by_text("Figures of the run: 1").click()
    picture = view.get_by_role("img", name="Figure 1: The <b>pairs</b>")
    picture.wait_for()
    bench.page.wait_for_function("document.querySelector('.fw-drawn img').naturalWidth > 100")
    view.get_by_text("All numbers: 1").click()


def test_in_the_dark_and_nothing_left_behind(bench: Any, folder: Path) -> None:
    bench.dark()
    view = bench.show(StudyView(folder))
    view.get_by_role("region", name="C4: not testable here").wait_for()
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0]
