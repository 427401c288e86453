"""What a run's folder tells besides its result."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from workbench import files, runs
from workbench.core import Evidence, Scores, StoreError, Trials
from workbench.runs import journal
from workbench.runs.session import SCORES


def test_steps_are_those_of_the_latest_attempt(tmp_path: Path) -> None:
    journal.write(tmp_path, "started")
    journal.write(tmp_path, "step-done", step="old", seconds=9)
    journal.write(tmp_path, "failed", cell=4, why="ZeroDivisionError: by zero")
    assert runs.trouble(tmp_path) == "ZeroDivisionError: by zero (cell 4)"
    journal.write(tmp_path, "started")
    journal.write(tmp_path, "step-kept", step="faces", seconds=0.1)
    journal.write(tmp_path, "step-start", step="maps", seconds=0)
    assert [(s.name, s.status) for s in runs.steps(tmp_path)] == [("faces", "kept from before"), ("maps", "going on")]
    journal.write(tmp_path, "step-done", step="maps", seconds=2.5)
    assert runs.steps(tmp_path)[1] == runs.Step("maps", "done", 2.5)
    assert runs.trouble(tmp_path) == ""


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert (runs.steps(tmp_path), runs.scores(tmp_path), runs.figures(tmp_path), runs.trouble(tmp_path)) == (
        [], {}, [], "",
    )  # fmt: skip


def test_figures_come_with_the_heading_above_them(tmp_path: Path) -> None:
    png = base64.b64encode(b"\x89PNG one").decode()
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "words\n", "## The pairs"]},
        {"cell_type": "code", "source": "f()", "outputs": [{"data": {"image/png": png, "text/plain": "x"}}, {}]},
    ]
    (tmp_path / "notebook.ipynb").write_text(json.dumps({"cells": cells}))
    assert runs.figures(tmp_path) == [runs.Figure(b"\x89PNG one", "The pairs")]
    (tmp_path / "notebook.ipynb").write_text('{"cells": [3]}')
    with pytest.raises(StoreError, match="executed notebook cannot be read"):
        runs.figures(tmp_path)


def test_scores_of_the_evidence_are_kept(tmp_path: Path) -> None:
    n = np.arange(4)
    mated = np.array([True, True, False, False])
    trials = Trials(n, n, mated, np.stack([n, np.where(mated, n, n + 9)], 1))
    given = Evidence({"model": Scores("model", trials, np.array([0.9, 0.2, 0.1, np.nan]), n < 3)})
    files.commit_bytes(tmp_path / SCORES, files.pack(dict(given.scores)))
    (arm,) = runs.scores(tmp_path).values()
    assert arm.arm == "model"
    assert np.array_equal(arm.values, given.scores["model"].values, equal_nan=True)
    assert arm.failures == 1
