"""Runs over HTTP: history, results, reports, pictures, comparison, purge."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench import files
from workbench.runs import history, journal
from workbench.runs.home import run_folder
from workbench.server.desk import Desk
from workbench.server.history import History
from workbench.server.results import as_csv, run_result

A, B = "0123456789ab", "abcdefabcdef"


async def test_a_run_from_a_terminal_is_in_the_history_while_it_runs(
    ask: Any, make: SimpleNamespace, home: Path
) -> None:
    make.run()
    folder = run_folder("saliency", B)
    with files.Lock(folder / "lock"):
        journal.write(folder, "started")
        journal.write(folder, "step-start", step="faces", seconds=0)
        found = make.read(await ask("/runs"))
        assert [(r["run"], r["status"], r["job"]) for r in found["runs"]] == [(B, "running", None), (A, "done", None)]
        assert found["runs"][0]["owner"].startswith("process ")
        assert found["runs"][0]["step"] == "faces"
        assert make.read(await ask("/studies/saliency"))["state"]["status"] == "running"
        assert (await ask(f"/runs/saliency/{B}", "DELETE")).code == 409
    died = make.read(await ask(f"/runs/saliency/{B}"))
    assert (died["summary"]["status"], died["summary"]["owner"]) == ("died", None)
    assert died["problem"]["do"] == "run it again; finished steps are kept"
    page = make.read(await ask("/runs?limit=1&offset=1"))
    assert ([r["run"] for r in page["runs"]], page["total"], page["more"]) == ([A], 2, False)
    assert [r["run"] for r in make.read(await ask("/runs?status=done"))["runs"]] == [A]
    assert make.read(await ask("/runs?study=other"))["runs"] == []


async def test_a_result_carries_intervals_verdicts_and_what_is_undefined(ask: Any, make: SimpleNamespace) -> None:
    make.run()
    found = make.read(await ask(f"/runs/saliency/{A}"))
    numbers = {n["name"]: n for n in found["numbers"]}
    area, undefined = numbers["area"], numbers["=1+1"]
    assert (area["value"], area["low"], area["unit"], area["counts"]) == (0.4, 0.4 - 0.1, "fraction", {"pairs": 4})
    assert (undefined["value"], undefined["undefined"]) == (None, "no mated trials (mated 0)")
    first, second = found["verdicts"]
    assert (first["answer"], first["effect"]["value"], first["parts"][0]["claim"]) == ("supported", 0.4, "C1.1")
    assert (second["answer"], second["effect"]) == ("not testable here", None)
    assert found["timings"] == [{"step": "faces", "seconds": 1.5}]
    assert found["figures"] == [{"name": "1-1.png", "type": "image/png", "title": "The pairs", "bytes": 72}]
    assert (found["report"], found["problem"], found["version"]) == (True, None, "2-A")


async def test_a_damaged_run_spoils_its_own_row_only(ask: Any, make: SimpleNamespace) -> None:
    make.run()
    broken = make.run(B)
    (broken / "result.json").write_text('{"$": "Result"}')
    rows = {r["run"]: r["status"] for r in make.read(await ask("/runs"))["runs"]}
    assert rows == {A: "done", B: "died"}
    assert (await ask("/studies")).code == 200
    (broken / "order.json").write_text("[")
    (broken / "notebook.ipynb").write_text('{"cells": [7]}')
    assert make.read(await ask(f"/runs/saliency/{B}"))["figures"] == []


@pytest.mark.parametrize(
    "file", ["order.json", "identity.json", "input.ipynb", "notebook.ipynb", "result.json", "journal.jsonl"]
)
def test_whatever_is_damaged_the_other_runs_are_listed(make: SimpleNamespace, home: Path, file: str) -> None:
    make.run()
    broken = make.run(B)
    for text in ("", "[", "[1]", "null", "{}", "\x00", '{"parameters": [1]}'):
        (broken / file).write_text(text)
        # A new one each time: nothing is remembered of the run as it was.
        found = {p.record.id: p for p in History().all()}
        assert found[A].record.status == "done"
        assert A in [r.id for r in history()]
        if B in found:
            assert run_result(found[B], {}, None)["title"] == "saliency"
    assert Desk().runs(study="", status="done", limit=9, offset=0)["runs"]


async def test_the_report_runs_nothing_in_the_browser(ask: Any, make: SimpleNamespace) -> None:
    make.run()
    response = await ask(f"/runs/saliency/{A}/report")
    assert response.headers["Content-Type"].startswith("text/html")
    (policy,) = response.headers.get_list("Content-Security-Policy")
    rules = [r.strip() for r in policy.split(";")]
    assert "sandbox" in rules
    assert "default-src 'none'" in rules
    assert not [r for r in rules if "script" in r or "allow-" in r or "http" in r or "*" in r]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_picture_is_the_one_that_the_notebook_holds(ask: Any, make: SimpleNamespace) -> None:
    folder = make.run()
    response = await ask(f"/runs/saliency/{A}/figures/1-1.png")
    held = json.loads((folder / "notebook.ipynb").read_text())["cells"][1]["outputs"][1]["data"]["image/png"]
    assert response.body == base64.b64decode(held)
    assert response.headers["Content-Type"] == "image/png"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    for name in ("1-0.png", "1-1.svg", "0-0.png", "9-9.jpeg"):
        assert (await ask(f"/runs/saliency/{A}/figures/{name}")).code == 404


async def test_runs_are_compared_and_exported(ask: Any, make: SimpleNamespace) -> None:
    make.run()
    other = make.run(B, value=0.2, answer="refuted")
    kept = json.loads((other / "result.json").read_text())
    kept["parameters"]["seed"] = 7
    (other / "result.json").write_text(json.dumps(kept))
    asked = f"/compare?run=saliency/{A}&run=saliency/{B}"
    table = make.read(await ask(asked))
    assert (table["comparable"], table["why"]) == (True, None)
    rows = {p["name"]: (p["values"], p["differs"]) for p in table["parameters"]}
    assert (rows["seed"], rows["scale"]) == (([0, 7], True), (["smoke", "smoke"], False))
    assert {n["name"]: [v["value"] for v in n["values"]] for n in table["numbers"]} == {
        "area": [0.4, 0.2], "=1+1": [None, None],
    }  # fmt: skip
    assert [(v["claim"], v["answers"], v["changed"]) for v in table["verdicts"]] == [
        ("C1", ["supported", "refuted"], True),
        ("C2", ["not testable here", "not testable here"], False),
    ]
    assert table["figures"] == [{"name": "1-1.png", "title": "The pairs", "runs": [True, True]}]
    exported = await ask(f"{asked}&format=csv")
    lines = list(csv.reader(io.StringIO(exported.body.decode())))
    assert ["parameter", "seed", "0", "7"] in lines
    assert ["verdict", "C1", "supported", "refuted"] in lines
    assert ["number", "area", "0.4 [0.3, 0.5]", "0.2 [0.1, 0.3]"] in lines
    # A name that a spreadsheet would take for a formula.
    assert [line[1] for line in lines if "1+1" in line[1]] == ["'=1+1"]
    markdown = (await ask(f"{asked}&format=markdown")).body.decode().splitlines()
    assert len({line.count("|") - line.count("\\|") for line in markdown}) == 1


async def test_a_negative_number_is_a_number_in_csv_and_each_column_names_its_study(
    ask: Any, make: SimpleNamespace
) -> None:
    make.run(value=-0.25)
    make.run(B, value=-1e-7)
    exported = await ask(f"/compare?run=saliency/{A}&run=saliency/{B}&format=csv")
    lines = list(csv.reader(io.StringIO(exported.body.decode())))
    assert ["number", "area", "-0.25 [-0.35, -0.15]", "-1e-07 [-0.1, 0.1]"] in lines
    assert ["run", "study", "saliency", "saliency"] in lines
    assert ["run", "version", "2-A", "2-A"] in lines


@pytest.mark.parametrize("text", ["-2+3", "-1|x", "=1", "+1", "@x", "-", "-1 [0, =x]"])
def test_a_formula_is_none_in_csv(text: str) -> None:
    table = {"runs": [], "parameters": [], "verdicts": [],
             "numbers": [{"name": text, "values": [{"text": text}]}]}  # fmt: skip
    assert list(csv.reader(io.StringIO(as_csv(table))))[-1] == ["number", f"'{text}", f"'{text}"]


async def test_another_version_is_not_comparable(ask: Any, make: SimpleNamespace) -> None:
    make.run()
    make.run(B, version="1-A")
    table = make.read(await ask(f"/compare?run=saliency/{A}&run=saliency/{B}"))
    assert (table["comparable"], table["why"]) == (False, "versions 1 and 2 of the study measure different things")


async def test_what_cannot_be_compared_is_said(ask: Any, make: SimpleNamespace) -> None:
    make.run()
    journal.write(run_folder("saliency", B), "started")
    response = await ask(f"/compare?run=saliency/{A}&run=saliency/{B}")
    assert (response.code, make.read(response)["given"]) == (400, "died")
    one = f"run=saliency/{A}"
    for query in (one, f"{one}&{one}", "", f"{one}&run=saliency/..", f"{one}&run=x", f"{one}&run=saliency/%2e%2e/x"):
        assert (await ask(f"/compare?{query}")).code == 400, query
    assert (await ask(f"/compare?{one}&run=saliency/000000000000")).code == 404


async def test_purge_leaves_nothing(ask: Any, make: SimpleNamespace, extension: Any, home: Path) -> None:
    folder = make.run()
    (folder / "steps").mkdir()
    (folder / "steps" / "faces-1.zip").write_bytes(b"x" * 5000)
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    purged = make.read(await ask(f"/runs/saliency/{A}", "DELETE"))
    assert purged["bytes"] >= size
    left = [f for f in home.rglob("*") if f.is_file() and not f.name.startswith("queue.sqlite")]
    assert left == []
    assert (await ask(f"/runs/saliency/{A}")).code == 404
    assert (await ask(f"/runs/saliency/{A}", "DELETE")).code == 404
    assert make.read(await ask("/runs"))["total"] == 0
