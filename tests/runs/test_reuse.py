"""A step is computed once for equal arguments, and again whenever anything may have changed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from workbench import files, runs
from workbench.core import Estimate
from workbench.runs import Done, identity, journal, reuse
from workbench.runs.reuse import InMemory
from workbench.runs.session import Run

VALUES = {"scale": "smoke", "data": "phantom", "model": "", "seed": 0, "out": "", "show_faces": False}
OWN = identity.RunIdentity("saliency", "2-A", {"seed": 1}, "d", "w", "c", {"numpy": "2"}, "x86_64")
calls: list[float] = []


def drawn(value: float) -> np.ndarray:
    calls.append(value)
    return np.full(3, value)


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    calls.clear()
    reuse._MEMORIES.clear()


def a_run(folder: Path | None = None, who: identity.RunIdentity | None = None, **values: object) -> Run:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if who is not None:
            (folder / "identity.json").write_text(json.dumps(asdict(who)))
    return Run("saliency", VALUES | {"out": str(folder or "")} | values)


def test_another_run_with_other_parameters_lends_its_step(tmp_path: Path) -> None:
    a_run(tmp_path / "one", OWN).step(drawn, 2.0)
    other = a_run(tmp_path / "two", replace(OWN, parameters={"seed": 1, "pairs": 9}))
    assert other.step(drawn, 2.0).tolist() == [2.0] * 3
    assert calls == [2.0]
    kept = journal.read(tmp_path / "two")[-1]
    assert (kept["event"], kept["step"], kept["run"]) == ("step-kept", "drawn", "one")
    # It is not written a second time, and other arguments are another value.
    assert not (tmp_path / "two" / "steps").exists()
    other.step(drawn, 3.0)
    assert calls == [2.0, 3.0]


@pytest.mark.parametrize(
    "changed",
    [{"data": "e"}, {"weights": "v"}, {"packages": {"numpy": "3"}}, {"machine": "arm64"}, {"code": "b"},
     {"version": "2-B"}],
)  # fmt: skip
def test_a_run_on_anything_else_lends_nothing(tmp_path: Path, changed: dict[str, object]) -> None:
    a_run(tmp_path / "one", OWN).step(drawn, 2.0)
    a_run(tmp_path / "two", replace(OWN, **changed)).step(drawn, 2.0)
    assert calls == [2.0, 2.0]


def test_folders_that_nobody_knows_lend_nothing(tmp_path: Path) -> None:
    a_run(tmp_path / "one").step(drawn, 2.0)
    a_run(tmp_path / "two").step(drawn, 2.0)
    (tmp_path / "one" / "identity.json").write_text("[1")
    a_run(tmp_path / "three", OWN).step(drawn, 2.0)
    assert calls == [2.0] * 3


def test_a_damaged_step_of_another_run_is_computed_and_left_to_it(tmp_path: Path) -> None:
    a_run(tmp_path / "one", OWN).step(drawn, 2.0)
    (path,) = (tmp_path / "one" / "steps").iterdir()
    path.write_bytes(b"cut")
    assert a_run(tmp_path / "two", OWN).step(drawn, 2.0).tolist() == [2.0] * 3
    assert path.read_bytes() == b"cut"
    assert len(list((tmp_path / "two" / "steps").iterdir())) == 1


def test_a_whole_run_takes_what_its_parameter_does_not_touch_and_finds_the_same(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = {"scale": "smoke", "identities": 4, "pairs": 4, "steps": 3, "masks": 8}
    events: list[tuple[str, str]] = []
    first = runs.run("saliency", tiny)
    second = runs.run(
        "saliency", tiny | {"masks": 10}, progress=lambda s, e: events.append((e["event"], e.get("step")))
    )
    kept = {step for event, step in events if event == "step-kept"}
    done = {step for event, step in events if event == "step-done"}
    assert {"faces", "recogniser", "decision"} <= kept
    assert any("corr-rise" in str(step) for step in done)
    assert {e["run"] for e in journal.read(second.folder) if e["event"] == "step-kept"} == {first.folder.name}
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "elsewhere"))
    alone = runs.run("saliency", tiny | {"masks": 10})
    assert set(second.result.environment["steps of other runs"]) == kept
    assert "steps of other runs" not in alone.result.environment
    assert untimed(second) == untimed(alone)


def untimed(done: Done) -> dict[str, Estimate]:
    return {name: value for name, value in done.result.numbers.items() if value.unit != "s"}


def test_a_live_notebook_computes_a_step_once(capsys: pytest.CaptureFixture[str]) -> None:
    a_run().step(drawn, 2.0)
    again = a_run(pairs=9)
    assert again.step(drawn, 2.0).tolist() == [2.0] * 3
    assert "drawn: as computed before" in capsys.readouterr().out
    again.step(drawn, 3.0)
    assert calls == [2.0, 3.0]


def test_an_array_changed_in_place_does_not_spoil_what_is_kept() -> None:
    first = a_run().step(drawn, 2.0)
    first[:] = 0
    second = a_run().step(drawn, 2.0)
    second[:] = 1
    assert a_run().step(drawn, 2.0).tolist() == [2.0] * 3
    assert calls == [2.0]


def test_a_notebook_s_own_function_is_always_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "__module__", "__main__")
    for run in (a_run(), a_run(), a_run(tmp_path / "one"), a_run(tmp_path / "one")):
        run.step(drawn, 2.0)
    assert len(calls) == 4


def test_files_of_the_user_may_change_under_a_living_kernel() -> None:
    for _ in range(2):
        a_run(data="folder:somewhere").step(drawn, 2.0)
        a_run(model="mobilefacenet:weights.ckpt").step(drawn, 2.0)
    assert len(calls) == 4


def test_a_store_of_answers_is_asked_again() -> None:
    for _ in range(2):
        a_run().step(_asked, a_run().answers)
    assert calls == [7.0, 7.0]


def _asked(store: str) -> str:
    calls.append(7.0)
    return store


def test_code_that_was_edited_under_a_living_kernel_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    a_run().step(drawn, 2.0)
    monkeypatch.setattr(identity, "code_digest", lambda *_: "edited")
    a_run().step(drawn, 2.0)
    monkeypatch.undo()
    # Back to the old text: which of both is loaded is not known.
    last = a_run()
    last.step(drawn, 2.0)
    last.step(drawn, 2.0)
    assert len(calls) == 4


def test_things_that_cannot_be_kept_are_computed() -> None:
    for _ in range(2):
        a_run().step(_thing, 2.0)
        a_run().step(_given, object())
    assert calls == [2.0, 8.0] * 2


def _thing(value: float) -> object:
    calls.append(value)
    return object()


def _given(_: object) -> int:
    calls.append(8.0)
    return 1


def test_the_longest_unused_goes_first() -> None:
    memory = InMemory(limit=2 * len_of(np.zeros(1000)) + 10).begin("code")
    for name in "ab":
        memory.keep("", name, np.zeros(1000))
    assert memory.find("", "a") is not None
    memory.keep("", "c", np.zeros(1000))
    assert [name for name in "abc" if memory.find("", name)] == ["a", "c"]
    memory.keep("", "d", np.zeros(10000))
    assert [name for name in "abcd" if memory.find("", name)] == ["a", "c"]


def len_of(value: np.ndarray) -> int:
    return len(files.pack(value))


def test_which_parameters_read_files() -> None:
    assert not identity.reads_files({"data": "phantom", "model": ""})
    assert identity.reads_files({"data": "phantom", "model": "iresnet:w.pt"})
    assert identity.reads_files({"data": "folder:chips;insightface-bin:lfw.bin", "model": ""})
