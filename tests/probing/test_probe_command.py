"""``workbench probe`` and ``workbench responder`` as a person uses them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import files
from workbench.cli import main
from workbench.data import phantom
from workbench.probing.responder import BlankEyes, Responder


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    shown = phantom.render(phantom.frontal(phantom.identities(2)), 64).rgb
    paths = [tmp_path / f"secret-name-{i}.png" for i in range(2)]
    for path, picture in zip(paths, shown, strict=True):
        files.commit_bytes(path, files.encode_png(picture))
    return [str(p) for p in paths]


def test_probe_asks_once_and_says_what_came(
    pictures: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "a.sqlite")]
    with Responder(BlankEyes()) as server:
        assert main(["probe", *pictures, "--task", "age", "--url", server.url, "--json", *store]) == 0
        said = json.loads(capsys.readouterr().out)
        assert [a["outcome"] for a in said["answers"]] == ["value", "value"]
        assert said["asked"] == 2
        assert main(["probe", *pictures, "--task", "age", "--url", server.url, *store]) == 0
        seen = capsys.readouterr()
        assert "0 of 2 questions" in seen.err
        assert "age by workbench-responder" in seen.out
        assert server.counters.requests == 2
        assert main(["probe", *pictures, "--task", "verification", "--url", server.url, "--json", *store]) == 0
        assert len(json.loads(capsys.readouterr().out)["answers"]) == 1
        assert (
            main(["probe", *pictures, *pictures[:1], "--task", "identification", "--url", server.url, "--json", *store])
            == 0
        )
        (found,) = json.loads(capsys.readouterr().out)["answers"]
        assert found["value"]["match"] == 2
        expected = {files.sha256_bytes(files.encode_jpeg(files.read_image(p), quality=92)) for p in pictures}
        assert server.counters.digests == expected


def test_probe_says_what_is_wrong(pictures: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path / "a.sqlite")]
    far = ["--url", "https://models.example/v1", "--model", "m"]
    for arguments, words in (
        (["--task", "verificaton", *far], "did you mean 'verification'"),
        (["--task", "age"], "no model server is named"),
        (["--task", "age", *far], "--consent models.example"),
        (["--task", "age", *far, "--consent", "models.example", "--money", "1"], "a budget of money needs prices"),
        (["--task", "age", *far, "--consent", "models.example", "--prices", "free"], "prices are two numbers"),
    ):
        assert main(["probe", *pictures, *arguments, *store]) != 0
        assert words in capsys.readouterr().err
    assert main(["probe", pictures[0], "--task", "verification", *far, *store]) != 0
    assert "takes 2 pictures a question" in capsys.readouterr().err
    assert main(["probe", "--task", "list"]) == 0
    assert "age-range" in capsys.readouterr().out


def test_a_batch_without_replies_is_no_success(
    pictures: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Responder(BlankEyes(), api_key="other") as server:
        assert main(["probe", *pictures, "--url", server.url, "--store", str(tmp_path / "b.sqlite")]) == 1
    assert "errored" in capsys.readouterr().out


def test_the_responder_serves_until_it_is_told_to_stop(pictures: list[str], tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "workbench",
        "responder",
        "--port",
        "0",
        "--blank",
        "--misbehave",
        "cut=0.2,seed=1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        assert main(["probe", *pictures, "--url", url, "--store", str(tmp_path / "c.sqlite"), "--json"]) == 0
        here = url.replace("127.0.0.1", "localhost")
        assert main(["probe", *pictures, "--url", here, "--store", str(tmp_path / "d.sqlite"), "--json"]) == 0
        server.send_signal(signal.SIGTERM)
        assert server.stdout.read().strip() == "stopped"
    assert server.returncode == 0
    assert main(["responder", "--misbehave", "429=2"]) != 0


def test_scores_are_printed_of_new_and_of_stored_answers(
    pictures: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(
        "picture,subject,age,tone\nsecret-name-0.png,a,30,light\nsecret-name-1.png,b,40,dark\nother.png,c,1,dark\n"
    )
    there = ["--store", str(tmp_path / "a.sqlite"), "--truth", str(truth)]
    with Responder(BlankEyes()) as server:
        url = ["--url", server.url]
        assert main(["probe", *pictures, "--task", "age", *url, *there, "--group", "tone", "--json"]) == 0
        (found,) = json.loads(capsys.readouterr().out)["scores"]
        assert main(["probe", *pictures, "--task", "age", *url, *there[:2], "--json"]) == 0
        said = [a["value"]["age"] for a in json.loads(capsys.readouterr().out)["answers"]]
        assert found["numbers"]["mean absolute error"]["value"] == pytest.approx(
            (abs(said[0] - 30) + abs(said[1] - 40)) / 2
        )
        assert found["groups"]["dark"]["mean absolute error"]["value"] == pytest.approx(abs(said[1] - 40))
        assert found["counts"]["without truth"] == 0
        for order in (pictures, pictures[::-1]):
            assert main(["probe", *order, "--task", "verification", *url, *there]) == 0
        capsys.readouterr()
        asked = server.counters.requests
        assert main(["probe", "--task", "verification", *there, "--json"]) == 0
        stored = json.loads(capsys.readouterr().out)
        assert stored["scores"][0]["counts"]["answered"] == 2
        assert stored["consistency"]["order"]["agreement"]["value"] == 1
        assert main(["probe", "--task", "verification", *there]) == 0
        assert "verification under another order" in capsys.readouterr().out
        assert server.counters.requests == asked
    assert main(["probe", "--task", "gender", *there]) == 1
    assert "holds no answers to gender" in capsys.readouterr().err
    assert main(["probe", "--task", "age", "--store", str(tmp_path / "none"), *there[2:]]) == 1
    assert "there is no store of answers" in capsys.readouterr().err


def test_a_folder_gives_every_picture_that_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    (faces / "a.pgm").write_bytes(b"P5 4 4 255\n" + bytes(range(16)))
    (faces / "notes.txt").write_text("no picture")
    with Responder(BlankEyes()) as server:
        assert main(["probe", str(faces), "--url", server.url, "--store", str(tmp_path / "p.sqlite"), "--json"]) == 0
    assert [a["name"] for a in json.loads(capsys.readouterr().out)["answers"]] == ["a.pgm"]
