"""What runs cost, by journals written by hand."""

from __future__ import annotations

import json

import pytest

from workbench.cli import main
from workbench.runs.costs import cost
from workbench.runs.home import home


def ran(run: str, *events: dict[str, object], scale: str = "demo") -> None:
    folder = home() / "runs" / "saliency" / run
    folder.mkdir(parents=True)
    (folder / "result.json").write_text("{}")
    (folder / "order.json").write_text(json.dumps({"parameters": {"scale": scale}}))
    (folder / "journal.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))


def step(name: str, seconds: float, event: str = "step-done") -> dict[str, object]:
    return {"event": event, "at": 0.0, "step": name, "seconds": seconds, "processor": 2 * seconds}


def whole(at: float, *steps: dict[str, object]) -> list[dict[str, object]]:
    end = {"event": "executed", "at": at + 50, "peak": 3 * 2**20, "processor": 81.5}
    return [{"event": "started", "at": at}, *steps, end, {"event": "committed", "at": at + 51}]


def test_wall_time_memory_and_shares_are_the_journals() -> None:
    ran("one", *whole(1000.0, step("faces", 10), step("train", 25), step("score", 5)))
    found = cost("saliency")
    assert found is not None
    assert (found.wall, found.processor, found.peak, found.scale) == (50.0, 81.5, 3 * 2**20, "demo")
    assert [(s.name, found.share(s), s.processor) for s in found.steps] == [
        ("faces", 0.2, 20), ("train", 0.5, 50), ("score", 0.1, 10),
    ]  # fmt: skip
    assert found.slowest is found.steps[1]


def test_only_whole_runs_count_and_the_latest_of_them() -> None:
    ran("old", *whole(1000.0, step("faces", 10)))
    ran("better", *whole(2000.0, step("faces", 30)), scale="smoke")
    ran("resumed", *whole(3000.0, step("faces", 0.1, "step-kept"), step("train", 9)))
    ran("before costs were noted", {"event": "started", "at": 4000.0}, {"event": "executed", "at": 4100.0})
    for scale, run in ((None, "better"), ("demo", "old"), ("smoke", "better")):
        found = cost("saliency", scale)
        assert found is not None
        assert found.run == run
    assert cost("saliency", "paper") is None


def test_a_run_that_was_broken_off_before_counts_from_its_last_start() -> None:
    events = [{"event": "started", "at": 1.0}, step("faces", 99), {"event": "stopped", "at": 500.0, "why": "x"}]
    ran("one", *events, *whole(1000.0, step("train", 5)))
    found = cost("saliency")
    assert found is not None
    assert (found.wall, [s.name for s in found.steps]) == (50.0, ["train"])


def test_the_command_prints_every_step_and_what_lies_outside(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    ran("one", *whole(1000.0, step("faces", 10), step("train", 25)))
    assert main(["costs", "saliency", "llm-biometrics"]) == 0
    told = capsys.readouterr().out
    assert [word for word in told.split() if word in ("train", "50%", "82", "faces")] == ["82", "train", "50%"]
    assert "no such run yet: llm-biometrics" in told
    assert main(["costs", "saliency", "--steps"]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("faces", "20%", "outside of steps", "15.0", "30%"))
    assert main(["costs", "saliency", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["steps"][1]["processor"] == 50
