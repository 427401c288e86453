import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench import files, runs
from workbench.cli import main
from workbench.core import ParameterError, Result, RunError, Verdict
from workbench.figures.report import write_report
from workbench.metrics import eer
from workbench.runs import child, journal, process
from workbench.runs.costs import cost
from workbench.runs.home import home

TINY = {"scale": "smoke", "identities": 4, "pairs": 4, "steps": 3, "masks": 8}


def notebook(*cells: str) -> str:
    parameters = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "out: str = ''", "id": "p"}
    rest = [{"cell_type": "code", "metadata": {}, "source": c, "id": f"c{i}"} for i, c in enumerate(cells)]
    every = [{**c, "outputs": [], "execution_count": None} for c in (parameters, *rest)]
    return json.dumps({"cells": every, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def execute(
    folder: Path, *cells: str, budget: float = 60, memory: int | None = None, stop: threading.Event | None = None
) -> None:  # fmt: skip
    folder.mkdir(parents=True)
    (folder / "input.ipynb").write_text(notebook(*cells))
    (folder / "order.json").write_text(json.dumps({"parameters": {"out": str(folder)}, "memory": memory}))
    journal.write(folder, "started")
    process._execute("tiny", folder, budget, None, stop)


def test_one_study_runs_resumes_and_is_found_again() -> None:
    steps: list[str] = []
    done = runs.run("saliency", TINY, progress=lambda s, e: steps.append(e["event"]), after=write_report)
    assert done.fresh
    assert {v.claim for v in done.result.verdicts} == {f"C{i}" for i in range(1, 8)}
    assert runs.state("saliency").status == "done"
    page = (done.folder / "report.html").read_text()
    assert "<script" not in page
    assert 'src="http' not in page
    # Formulas are drawn, not spelt: MathML comes through whole.
    assert "<msub><mi>F</mi><mi>A</mi></msub>" in page
    assert "$" not in page.partition("What decides that two faces")[2].partition("In&nbsp;[1]")[0]
    assert "Explainable Face Verification via Feature-Guided Gradient Backpropagation. arXiv:2403.04549" in page
    assert not runs.run("saliency", TINY).fresh
    # What was compared is kept: the number is found again from the scores.
    told = done.result.numbers["EER of the model, test pairs"]
    assert float(eer(runs.scores(done.folder)["model"], resamples=0)) == float(told)
    assert all(figure.png.startswith(b"\x89PNG") for figure in runs.figures(done.folder))
    assert len(runs.figures(done.folder)) >= 3
    paid = cost("saliency")
    assert paid is not None
    assert paid.peak > 100 * 2**20
    assert paid.processor > sum(s.processor or 0 for s in paid.steps) > 0
    # A death after the steps: everything finished is kept, and the outcome is the same.
    (done.folder / "result.json").unlink()
    steps.clear()
    again = runs.run("saliency", TINY, progress=lambda s, e: steps.append(e["event"]), after=write_report)
    assert "step-done" not in steps
    assert steps.count("step-kept") >= 10
    assert again.result.verdicts == done.result.verdicts
    # What took steps from before would look cheap.
    assert cost("saliency") is None
    # Seconds per pair are kept with their step, so even they are equal.
    assert again.result.numbers == done.result.numbers


def test_bad_parameters_start_nothing() -> None:
    with pytest.raises(ParameterError, match="did you mean 'pairs'"):
        runs.run("saliency", {"pair": 3})
    assert not (home() / "runs").exists()


def test_a_notebook_without_the_common_parameters_says_which(tiny_study: Callable[..., Path]) -> None:
    notebook = tiny_study("1 + 1") / "probing" / "thing.ipynb"
    content = json.loads(notebook.read_text())
    kept = [n for n in content["cells"][1]["source"].splitlines(True) if not n.startswith(("model", "out"))]
    content["cells"][1]["source"] = "".join(kept)
    notebook.write_text(json.dumps(content))
    with pytest.raises(ParameterError, match="add model, out to its parameters cell"):
        process.run("tiny/thing")
    assert not (home() / "runs").exists()


def test_a_kernel_that_dies_is_our_record(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="tiny died in cell 3"):
        execute(tmp_path / "run", "x = 1", "import os; os._exit(3)", "y = 2")
    last = journal.read(tmp_path / "run")[-1]
    assert (last["event"], last["cell"]) == ("died", 3)


def test_a_failing_cell_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="tiny failed in cell 2\n  given: ZeroDivisionError"):
        execute(tmp_path / "run", "1 / 0")


def test_memory_that_runs_out_is_said_with_its_peak() -> None:
    place = home() / "runs" / "tiny" / "one"
    with pytest.raises(RunError, match=r"ran out of memory in cell 2\n  given: .*MemoryError.*GiB at most\n  do: take"):
        execute(place, "import numpy as np; np.ones((2000, 2000, 2000))", memory=3 * 2**30)
    last = journal.read(place)[-1]
    assert last["event"] == "out of memory"
    assert 2**24 < last["peak"] < 3 * 2**30
    assert runs.state("tiny").status == "out of memory"


def test_torch_and_numpy_say_it_in_words_that_are_known() -> None:
    import numpy as np
    import torch

    for take in (lambda: np.ones((10**6, 10**6)), lambda: torch.ones(10**7, 10**7)):
        with pytest.raises((MemoryError, RuntimeError)) as caught:
            take()
        assert child.out_of_memory(type(caught.value).__name__, str(caught.value))
    assert not child.out_of_memory("RuntimeError", "shape '[3]' is invalid for input of size 2")


def test_the_history_has_every_run_the_latest_first(capsys: pytest.CaptureFixture[str]) -> None:
    for name, cell in (("one", "1 / 0"), ("two", "import os; os._exit(3)")):
        with pytest.raises(RunError):
            execute(home() / "runs" / "tiny" / name, cell)
    found = runs.history()
    assert [(r.slug, r.id, r.status) for r in found] == [("tiny", "two", "died"), ("tiny", "one", "failed")]
    assert all(r.started <= r.ended for r in found)
    assert main(["runs", "--json", "--limit", "1"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["study"], shown["run"], shown["status"], shown["result"]) == ("tiny", "two", "died", None)
    assert main(["runs", "--study", "other"]) == 0
    assert "tiny" not in capsys.readouterr().out


def test_a_failed_attempt_takes_no_verdict_off_the_board(capsys: pytest.CaptureFixture[str]) -> None:
    done, failed = (home() / "runs" / "saliency" / name for name in ("one", "two"))
    verdict = Verdict("C1", "a statement", "supported", reason="a reason")
    found = Result("saliency", "2-A", {}, {"scale": "demo"}, {}, (verdict,), (), {}, {}, ())
    files.commit_text(done / "result.json", files.to_json(found))
    for folder, scale, event in ((done, "demo", "committed"), (failed, "paper", "failed")):
        files.commit_text(folder / "order.json", json.dumps({"parameters": {"scale": scale}}))
        journal.write(folder, "started")
        journal.write(folder, event)
    (state,) = (s for s in runs.board() if s.slug == "saliency")
    assert (state.status, state.folder, state.result) == ("failed", failed, found)
    # Alone it has none.
    assert runs.state("saliency").result is None
    assert main(["board"]) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if "saliency" in line)
    assert all(word in row for word in ("failed", "demo", "C1 supported"))


def test_a_hanging_cell_leaves_nobody_behind(tmp_path: Path) -> None:
    mark = tmp_path / "grandchild"
    cell = (
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"p = subprocess.Popen(['sleep', '300']); open({str(mark)!r}, 'w').write(str(p.pid))\n"
        "while True: time.sleep(0.1)"
    )
    stop = threading.Event()

    def stop_when_it_hangs() -> None:
        while not (mark.exists() and mark.read_text()):
            time.sleep(0.1)
        stop.set()

    threading.Thread(target=stop_when_it_hangs, daemon=True).start()
    with pytest.raises(RunError, match="interrupted"):
        execute(tmp_path / "run", cell, stop=stop)
    deadline = time.monotonic() + 5
    pid = int(mark.read_text())
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(pid)


def test_a_run_over_its_budget_is_stopped_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="over its budget of 2 s"):
        execute(tmp_path / "run", "import time; time.sleep(300)", budget=2)
    # The dying child may still write behind it.
    assert "over its budget of 2 s" in [e.get("why") for e in journal.read(tmp_path / "run")]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]


def test_no_secret_reaches_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    (tmp_path / "run").mkdir()
    execute(
        tmp_path / "run2",
        "import os; assert 'OPENAI_API_KEY' not in os.environ; open(out + '/outcome.json', 'w').write('{}')",
    )


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_runner_leaves_nobody_behind(home: Path, sign: signal.Signals) -> None:
    command = [sys.executable, "-m", "workbench", "run", "saliency", "--scale", "demo"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert child.stderr
    while "faces" not in child.stderr.readline():
        assert child.poll() is None
    child.send_signal(sign)
    child.wait(20)
    deadline = time.monotonic() + 10
    while _mentioning(str(home)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _mentioning(str(home)) == []
    assert runs.state("saliency").status in ("stopped", "died")


def _mentioning(text: str) -> list[str]:
    """Processes whose environment names a folder: the run's own and its kernel's."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) != os.getpid() and text.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:80])
        except OSError:
            continue
    return found


def test_ctrl_c_stops_cleanly(home: Path) -> None:
    command = [sys.executable, "-m", "workbench", "run", "saliency", "--scale", "demo"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert child.stderr
    while "faces" not in child.stderr.readline():
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    assert child.wait(20) == 130
    assert runs.state("saliency").status == "stopped"
