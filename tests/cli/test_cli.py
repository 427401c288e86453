import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench import data
from workbench.cli import main


def test_lists_are_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "saliency" in capsys.readouterr().out
    for command in (["list"], ["board"], ["models"], ["data"]):
        assert main([*command, "--json"]) == 0
        assert isinstance(json.loads(capsys.readouterr().out), list)


def test_a_study_shows_its_claims(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "saliency"]) == 0
    out = capsys.readouterr().out
    assert "C7" in out
    assert "pairs = None" in out


def test_errors_are_sentences_with_their_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "salency"]) == 2
    assert "did you mean 'saliency'" in capsys.readouterr().err
    assert main(["run", "saliency", "-p", "pair=3"]) == 2
    assert "did you mean 'pairs'" in capsys.readouterr().err
    assert main(["evaluate", "lfw:/nowhere"]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_two_pictures_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = data.open_dataset("phantom", subjects=2, images=2, size=200).samples().images
    for i in range(2):
        Image.fromarray(np.asarray(images[i])).save(tmp_path / f"{i}.png")
    pair = [str(tmp_path / "0.png"), str(tmp_path / "1.png")]
    assert main(["verify", *pair, "--maps", str(tmp_path / "maps.png"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 0.5 < found["score"] <= 1
    assert "LFW" in found["origin"]
    assert Image.open(tmp_path / "maps.png").size[0] > 300
    (tmp_path / "0.png").write_bytes(b"broken")
    assert main(["verify", *pair]) == 1
    assert "no format" in capsys.readouterr().err


def test_notebooks_are_copied_and_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notebooks", str(tmp_path)]) == 0
    copy = tmp_path / "probing" / "saliency.ipynb"
    copy.write_text("mine")
    assert main(["notebooks", str(tmp_path)]) == 0
    assert copy.read_text() == "mine"
    assert "you changed it" in capsys.readouterr().out


def test_the_board_is_one_page(tmp_path: Path) -> None:
    assert main(["board", "--html", str(tmp_path / "b.html")]) == 0
    page = (tmp_path / "b.html").read_text()
    assert "never run" in page
    assert "http" not in page


def test_the_doctor_finds_the_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.count("weights are whole") == 6
