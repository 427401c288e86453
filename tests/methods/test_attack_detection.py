"""Every face of some pictures, judged; and what the command prints of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from workbench import files, models
from workbench.cli import main
from workbench.core import UnknownNameError
from workbench.data import phantom
from workbench.methods import attack_detection
from workbench.methods.attack_detection import Judged, judge


@pytest.fixture(scope="module")
def live() -> np.ndarray:
    """A phantom before the camera; the seed was fixed before anyone looked."""
    scene, _ = phantom.scenes(1, 1, seed=12, subset="test")
    return phantom.present(scene, phantom.LIVE, size=200, seed=12).rgb[0]


def test_faces_are_judged_and_the_rest_is_a_failure_to_acquire(
    live: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "live.png").write_bytes(files.encode_png(live))
    (tmp_path / "broken.png").write_bytes(b"broken")
    # Two faces with room around them: the detector was trained on such.
    both = np.pad(np.concatenate([live, live[:, ::-1]], axis=1), ((100, 100), (100, 100), (0, 0)), constant_values=90)
    grey = np.full((90, 90, 3), 90, np.uint8)
    pictures = [tmp_path / "live.png", grey, tmp_path / "broken.png", both, tmp_path / "gone.png"]
    found = judge(pictures, device="cpu")
    assert [len(p.faces) for p in found.pictures] == [1, 0, 0, 2, 0]
    assert [p.name for p in found.pictures[1:4]] == ["1", str(tmp_path / "broken.png"), "3"]
    assert found.pictures[0].reason == ""
    assert found.pictures[1].reason == "no face found"
    assert "no format" in found.pictures[2].reason
    assert "cannot be read" in found.pictures[4].reason
    alone = models.attack_detector("phantom-attacks", device="cpu").scores([live])[0]
    face = found.pictures[0].faces[0]
    assert face.score == pytest.approx(alone, abs=1e-4)
    assert face.by_network == (face.score,)
    assert face.attack == (face.score > 0.5)
    assert "phantom faces only" in found.note
    monkeypatch.setattr(attack_detection, "_AT_ONCE", 2)
    again = judge(pictures, device="cpu")
    assert [(p.name, len(p.faces), p.reason) for p in again.pictures] == [
        (p.name, len(p.faces), p.reason) for p in found.pictures
    ]


def test_an_unknown_detector_is_named_before_anything_is_read() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'phantom-attacks'"):
        judge(["nowhere.png"], model="phantom-attack")


def test_the_command_prints_and_counts_failures(
    live: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    face, gone = tmp_path / "live.png", tmp_path / "gone.png"
    face.write_bytes(files.encode_png(live))
    assert main(["spoof", str(face)]) == 0
    out = capsys.readouterr().out
    assert "live.png: bona fide: score 0." in out
    assert "phantom-attacks: attack when the score is above 0.5" in out
    assert main(["spoof", str(face), str(gone), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["threshold"] == 0.5
    assert [len(p["faces"]) for p in found["pictures"]] == [1, 0]
    said = found["pictures"][0]["faces"][0]
    assert 0 <= said["score"] <= 0.5
    assert said["attack"] is False
    assert len(said["box"]) == 4
    assert main(["spoof", str(gone)]) == 1
    assert "gone.png: failure to acquire: picture 'gone.png' cannot be read" in capsys.readouterr().out
    assert main(["spoof", str(face), "--model", "faceapi-ssd"]) == 2
    assert "does not detect attacks" in capsys.readouterr().err


def test_the_users_weights_judge_photographs(shared: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = sorted((shared / "models").glob("*MiniFASNet*.pth"))
    pictures = [shared / "data" / "antispoof-samples" / f"image_{n}.jpg" for n in ("T1", "F1", "F2")]
    if len(weights) != 2 or not all(p.is_file() for p in pictures):
        pytest.skip("no samples of Silent-Face-Anti-Spoofing, or not its weights")
    (home / "models").mkdir()
    for file in weights:
        (home / "models" / file.name).write_bytes(file.read_bytes())
    found: Judged = judge(pictures, device="cpu")
    assert found.model == f"minifasnet:{home / 'models'}"
    assert found.note == ""
    assert [[f.attack for f in p.faces] for p in found.pictures] == [[False], [True], [True]]
    assert all(f.score == pytest.approx(np.mean(f.by_network)) for p in found.pictures for f in p.faces)
    assert main(["spoof", *map(str, pictures)]) == 0
    assert [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()[:3]] == [
        "bona fide",
        "attack",
        "attack",
    ]
