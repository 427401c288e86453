"""The studies over HTTP: what the list says, the form, the check, and the user's own copy of a notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench import files, runs, studies
from workbench.core import WorkbenchError
from workbench.runs import journal
from workbench.runs.home import run_folder
from workbench.runs.parameters import from_text, schema
from workbench.server import command


def study(listed: Any, name: str = "saliency") -> Any:
    (found,) = [s for s in listed["studies"] if s["name"] == name]
    return found


async def test_the_list_is_that_of_the_command_line_with_what_the_modules_declare(
    ask: Any, make: SimpleNamespace
) -> None:
    listed = make.read(await ask("/studies"))
    assert {s["slug"] for s in listed["studies"]} == set(studies.names())
    for shown in listed["studies"]:
        declared = studies.load(shown["slug"]).STUDY
        assert [c["id"] for c in shown["claims"]] == [c.id for c in declared.claims]
        assert (shown["title"], shown["source"], shown["version"]) == (
            declared.title,
            declared.source,
            declared.version,
        )
        assert [r["value"] for r in shown["reported"]] == [r.value for r in declared.reported]
    found = study(listed)
    assert (found["pillar"], found["arxiv"]) == ("probing", "2403.04549")
    assert {d["name"]: d["there"] for d in found["data"]} == {"folder": None, "lfw": None, "phantom": True}
    assert "deletion" in found["words"]


async def test_the_state_follows_runs_and_jobs(ask: Any, make: SimpleNamespace, extension: Any) -> None:
    async def state() -> Any:
        return study(make.read(await ask("/studies")))["state"]

    assert (await state())["status"] == "never run"
    folder = make.run()
    done = await state()
    assert (done["status"], done["reason"], done["run"]) == ("done", None, folder.name)
    assert done["verdicts"] == [{"claim": "C1", "answer": "supported"}, {"claim": "C2", "answer": "not testable here"}]
    # The command line says the same.
    assert runs.history("saliency")[0].status == "done"
    # What it is made of changed: one package, one line of code.
    kept = json.loads((folder / "identity.json").read_text())
    for field, value, words in (
        ("packages", {**kept["packages"], "numpy": "1.0"}, "numpy was 1.0 and is"),
        ("code", "0" * 64, "the code of the study or below it has changed"),
        ("version", "1-A", "the study is 2-A now; this is of 1-A"),
        ("machine", "abacus", "it ran on abacus"),
    ):
        (folder / "identity.json").write_text(json.dumps({**kept, field: value}))
        (folder / "result.json").touch()
        stale = await state()
        assert stale["status"] == "stale"
        assert words in stale["reason"]
    failed = run_folder("saliency", "ffffffffffff")
    journal.write(failed, "started")
    journal.write(failed, "failed", cell=5, why="ZeroDivisionError: division by zero")
    broken = await state()
    assert (broken["status"], broken["run"]) == ("failed", "ffffffffffff")
    assert broken["reason"] == "failed in cell 5: ZeroDivisionError: division by zero"
    # The verdicts are still those of the run that was committed.
    assert broken["counts"] == {"not testable here": 1, "supported": 1}
    await ask("/jobs", "POST", {"study": "saliency"})
    assert ((await state())["status"], (await state())["job"]) == ("queued", 1)
    board = make.read(await ask("/board"))
    assert board["statuses"] == {"never run": len(studies.names()) - 1, "queued": 1}
    assert board["counts"] == {"not testable here": 1, "supported": 1}


async def test_a_change_of_code_is_seen_without_a_restart(
    ask: Any, make: SimpleNamespace, tiny_study: Callable[..., Path], home: Path
) -> None:
    package = tiny_study("x = 1")
    name = "tiny--thing"
    make.run(slug="tiny/thing", version="1-A")
    assert make.read(await ask(f"/studies/{name}"))["state"]["status"] == "done"
    module = package / "thing.py"
    module.write_text(module.read_text().replace("thing {i}", "another thing {i}"))
    page = make.read(await ask(f"/studies/{name}"))
    assert page["state"]["reason"] == "the code of the study or below it has changed"
    assert page["claims"][0]["statement"] == "another thing 1"
    assert page["runs"][0]["stale"] == ["the code of the study or below it has changed"]


async def test_a_plug_in_is_listed_and_a_broken_one_with_its_error(
    ask: Any, make: SimpleNamespace, tiny_study: Callable[..., Path]
) -> None:
    package = tiny_study("x = 1")
    found = study(make.read(await ask("/studies")), "tiny--thing")
    assert (found["slug"], found["origin"], found["pillar"], found["error"]) == ("tiny/thing", "tiny", "probing", None)
    assert [c["id"] for c in found["claims"]] == ["C1", "C2"]
    assert make.read(await ask("/studies/tiny--thing/schema"))["slug"] == "tiny/thing"
    (package / "thing.py").write_text("import torch\nSTUDY = torch.nn.Study()\n")
    heavy = study(make.read(await ask("/studies")), "tiny--thing")
    assert "torch" in heavy["claims_unread"]
    assert heavy["error"] is None
    (package / "thing.py").write_text("def (:")
    broken = study(make.read(await ask("/studies")), "tiny--thing")
    assert "invalid syntax" in broken["error"]
    assert (await ask("/jobs", "POST", {"study": "tiny/thing"})).code == 409


async def test_the_form_is_that_of_the_notebook(ask: Any, make: SimpleNamespace) -> None:
    form = make.read(await ask("/studies/saliency/schema"))
    known = schema(studies.listing("saliency").notebook)
    assert [p["name"] for p in form["parameters"]] == [n for n in known if n != "out"]
    fields = {p["name"]: p for p in form["parameters"]}
    assert (fields["pairs"]["low"], fields["pairs"]["high"], fields["pairs"]["optional"]) == (4, 3000, True)
    assert fields["pairs"]["by_scale"] == {"smoke": 6, "demo": 40, "paper": 200}
    assert fields["scale"]["choices"] == ["smoke", "demo", "paper"]
    assert (fields["show_faces"]["runtime"], fields["seed"]["runtime"]) == (True, False)


async def test_a_check_says_all_that_is_wrong_and_starts_nothing(
    ask: Any, make: SimpleNamespace, extension: Any
) -> None:
    asked = {"parameters": {"pair": 3, "seed": -1, "scale": "big", "masks": 8.5}}
    found = make.read(await ask("/studies/saliency/check", "POST", asked))
    assert (found["ok"], set(found["errors"])) == (False, {"pair", "seed", "scale", "masks"})
    assert found["errors"]["pair"]["expected"] == "did you mean 'pairs'?"
    assert found["errors"]["seed"]["expected"] == "int from 0 to 1000000"
    assert extension.desk.queue.jobs() == []


async def test_the_command_of_a_check_is_the_same_run(
    ask: Any, make: SimpleNamespace, jp_root_dir: Path
) -> None:  # fmt: skip
    given = {"pairs": None, "seed": 3, "show_faces": True, "data": "lfw:my dir/$HOME;ls", "scale": "smoke"}
    found = make.read(await ask("/studies/saliency/check", "POST", {"parameters": given}))
    script = "import sys, json; print(json.dumps(sys.argv[1:]))"
    for line in (found["command"], found["papermill"]):
        # A shell takes it apart into what was meant: nothing of the value is executed or expanded.
        words = line.partition(" ")[2]
        done = subprocess.run(["sh", "-c", f'"{sys.executable}" -c "{script}" {words}'], capture_output=True, text=True)
        assert f"lfw:{jp_root_dir.resolve()}/my dir/$HOME;ls" in done.stdout.replace("data=", "")
    typed = dict(w.split("=", 1) for w in json.loads(
        subprocess.run(["sh", "-c", f'"{sys.executable}" -c "{script}" {found["command"].partition(" ")[2]}'],
                       capture_output=True, text=True).stdout)[2:] if "=" in w)  # fmt: skip
    # Typed in any folder: the server's root, from which the form takes paths, is not where a terminal is.
    meant = {**given, "data": f"lfw:{jp_root_dir.resolve()}/my dir/$HOME;ls"}
    assert from_text(typed, schema(studies.listing("saliency").notebook)) == meant
    assert "-r scale smoke" in found["papermill"]
    assert "-p pairs None" in found["papermill"]
    assert any("folder of lfw is not there" in note for note in found["notes"])


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "a\0b"])
async def test_a_path_that_no_file_can_have_is_an_error_of_its_field(
    ask: Any, make: SimpleNamespace, extension: Any, path: str
) -> None:
    asked = {"parameters": {"scale": "smoke", "data": f"lfw:{path}"}}
    found = make.read(await ask("/studies/saliency/check", "POST", asked))
    assert (found["ok"], list(found["errors"])) == (False, ["data"])
    assert found["errors"]["data"]["what"] == "no file can have this path"
    refused = await ask("/jobs", "POST", {"study": "saliency", **asked})
    assert (refused.code, list(make.read(refused)["errors"])) == (400, ["data"])
    assert extension.desk.queue.jobs() == []


@pytest.mark.parametrize(
    ("values", "note"),
    [({"data": ""}, "no data set is named; the run will fail"),
     ({"data": "lfw"}, "lfw needs its folder, lfw:FOLDER; the run will fail"),
     ({"data": "lfw:"}, "lfw needs its folder, lfw:FOLDER; the run will fail"),
     ({"data": "lfw:" + "x" * 4000}, "the folder of lfw is not there; the run will fail"),
     ({"model": "iresnet:gone.pt"}, "the weights of iresnet are not there; the run will fail")],
)  # fmt: skip
def test_a_run_that_must_fail_is_told_before_it_is_started(home: Path, values: dict[str, Any], note: str) -> None:
    from workbench.server.desk import Desk

    assert Desk(base=home).check("saliency", {"scale": "smoke", **values})["notes"] == [note]
    assert Desk(base=home).check("saliency", {"scale": "smoke"})["notes"] == []


def test_the_same_run_is_known_by_a_relative_path_and_while_it_runs(home: Path, make: SimpleNamespace) -> None:
    from workbench.server.desk import Desk

    (home / "faces").mkdir()
    desk = Desk(base=home)
    asked = {"scale": "smoke", "data": "folder:faces"}
    resolved = desk.check("saliency", asked)["parameters"]
    assert resolved["data"] == f"folder:{home.resolve()}/faces"
    folder = make.run()
    files.commit_text(folder / "order.json", json.dumps({"parameters": {**resolved, "out": "x"}}))
    assert Desk(base=home).check("saliency", asked)["notes"][0].startswith("it was run already")
    # Whether faces are shown makes no other run.
    assert Desk(base=home).check("saliency", {**asked, "show_faces": True})["notes"][0].startswith("it was run already")
    (folder / "result.json").unlink()
    with files.Lock(folder / "lock"):
        assert Desk(base=home).check("saliency", asked)["notes"][0].startswith("it is running now")


def test_a_missing_scale_is_the_servers_default(home: Path) -> None:
    from workbench.server.desk import Desk

    desk = Desk(default_scale="smoke")
    assert desk.check("saliency", {})["parameters"]["scale"] == "smoke"
    assert desk.add("saliency", {})["parameters"] == {"scale": "smoke"}
    assert desk.add("saliency", {"scale": "paper"})["scale"] == "paper"


async def test_a_notebook_is_copied_below_the_root_and_the_users_changes_stay(
    ask: Any, make: SimpleNamespace, jp_root_dir: Path
) -> None:
    first = make.read(await ask("/studies/saliency/open", "POST", {}))
    assert first == {"path": "face-workbench/probing/saliency.ipynb", "state": "created"}
    copy = jp_root_dir / first["path"]
    shipped = json.loads(studies.listing("saliency").notebook.read_text())
    made = json.loads(copy.read_text())
    assert ["".join(c["source"]) for c in made["cells"]] == ["".join(c["source"]) for c in shipped["cells"]]
    # Having run it is no change.
    code = next(c for c in made["cells"] if c["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "ran"}]
    copy.write_text(json.dumps(made))
    assert make.read(await ask("/studies/saliency/open", "POST", {}))["state"] == "unchanged"
    code["source"] = "mine = 1"
    copy.write_text(json.dumps(made))
    assert make.read(await ask("/studies/saliency/open", "POST", {}))["state"] == "yours"
    assert "mine = 1" in copy.read_text()
    fresh = make.read(await ask("/studies/saliency/open", "POST", {"fresh": True}))
    assert fresh == {"path": "face-workbench/probing/saliency-2.ipynb", "state": "created"}
    assert "mine = 1" in copy.read_text()


async def test_a_copy_of_an_earlier_version_is_told_from_a_changed_one(
    ask: Any, make: SimpleNamespace, tiny_study: Callable[..., Path]
) -> None:
    package = tiny_study("x = 1")
    assert make.read(await ask("/studies/tiny--thing/open", "POST", {}))["state"] == "created"
    notebook = package / "probing" / "thing.ipynb"
    notebook.write_text(notebook.read_text().replace("x = 1", "x = 2"))
    assert make.read(await ask("/studies/tiny--thing/open", "POST", {}))["state"] == "older"


async def test_a_link_out_of_the_root_takes_no_copy(ask: Any, jp_root_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (jp_root_dir / "face-workbench").symlink_to(tmp_path / "elsewhere")
    response = await ask("/studies/saliency/open", "POST", {})
    assert response.code == 409
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_commands_of_every_study_can_be_typed(home: Path) -> None:
    from workbench.server.catalogue import Catalogue

    for entry in Catalogue().entries().values():
        values = {n: p.default for n, p in entry.parameters.items()}
        line = command.shell(entry, values)
        assert line.startswith(f"workbench run {entry.slug} ")
        assert not isinstance(studies.listing(entry.slug), WorkbenchError)


def test_the_list_looks_up_what_is_installed_as_often_for_many_runs_as_for_one(
    make: SimpleNamespace, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.core import Registry
    from workbench.server.desk import Desk

    looked = []
    entries = Registry.entries
    monkeypatch.setattr(Registry, "entries", lambda self: (looked.append(self.kind), entries(self))[1])
    desk = Desk()

    def lookups() -> int:
        desk.studies()
        desk.runs(study="", status="", limit=100, offset=0)
        looked.clear()
        desk.studies()
        desk.runs(study="", status="", limit=100, offset=0)
        return len(looked)

    make.run()
    one = lookups()
    for number in range(5):
        make.run(f"{number:012x}")
    assert lookups() == one
