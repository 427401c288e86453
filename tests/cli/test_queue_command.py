"""``workbench queue``: what a terminal does to the queue that the panel shows."""

import json
import os
from pathlib import Path

import pytest

from workbench.cli import main
from workbench.runs import worker
from workbench.runs.queue import Queue


def test_runs_are_queued_listed_and_cancelled(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["queue", "add", "saliency", "--scale", "smoke", "-p", "pairs=5", "-p", "show_faces=true"]) == 0
    assert "job 1 waits" in capsys.readouterr().out
    assert main(["queue", "--json"]) == 0
    (job,) = json.loads(capsys.readouterr().out)
    assert (job["study"], job["state"], job["origin"]) == ("saliency", "queued", "command line")
    assert job["parameters"] == {"pairs": 5, "scale": "smoke", "show_faces": True}
    assert main(["queue", "cancel", "1"]) == 0
    assert "job 1: cancelled" in capsys.readouterr().out
    assert main(["queue", "restart", "1"]) == 0
    assert "job 2 repeats job 1" in capsys.readouterr().out
    assert main(["queue"]) == 0
    assert "cancelled" in capsys.readouterr().out
    assert main(["queue", "log", "2"]) == 0


def test_wrong_words_are_refused_with_what_to_do(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["queue", "add", "salency"]) == 2
    assert "did you mean 'saliency'" in capsys.readouterr().err
    assert main(["queue", "add", "saliency", "-p", "pair=3"]) == 2
    assert "did you mean 'pairs'" in capsys.readouterr().err
    assert main(["queue", "add"]) == 2
    assert main(["queue", "cancel", "x"]) == 2
    assert "name a job by its number" in capsys.readouterr().err
    assert main(["queue", "cancel", "7"]) == 2
    assert "`workbench queue` lists them" in capsys.readouterr().err
    assert Queue().jobs() == []


def test_work_starts_what_waits_and_says_how_it_ended(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.Worker, "_launch", lambda self, job, token: _done(self.queue, job.id, token))
    for seed in (1, 2):
        main(["queue", "add", "saliency", "-p", f"seed={seed}"])
    assert main(["queue", "work", "--once"]) == 0
    said = capsys.readouterr().err
    assert "job 1 saliency: done" in said
    assert "job 2 saliency: done" in said
    assert main(["queue", "work", "--cpu", "-1"]) == 2


def _done(queue: Queue, number: int, token: str) -> None:
    assert queue.start(number, token, os.getpid())
    job = queue.get(number)
    assert queue.finish(number, os.getpid(), job.birth or "", "done")


def test_a_process_whose_job_is_somebody_elses_does_nothing(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    main(["queue", "add", "saliency"])
    assert main(["queue", "execute", "1", "--token", "guessed"]) == 4
    assert "not for this process" in capsys.readouterr().out
    assert Queue().get(1).state == "queued"
    assert not (home / "runs").exists()
