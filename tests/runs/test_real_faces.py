"""F15: real faces are left nowhere without ``show_faces``; with it they are, which shows that the scanner works."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from workbench import files, probing
from workbench.cli import main
from workbench.core import ConsentError
from workbench.data import phantom
from workbench.data.pairs import Pairs
from workbench.figures import saliency as figures
from workbench.probing.responder import BlankEyes, Responder
from workbench.runs.session import Run
from workbench.studies import saliency
from workbench.testing import canaries


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A "real" data set: six people, three marked pictures each."""
    folder = tmp_path_factory.mktemp("real") / "people"
    shown = phantom.render(phantom.frontal(phantom.identities(6)), 200).rgb
    for who, picture in enumerate(shown):
        for k in range(3):
            marked = canaries.watermarked(np.roll(picture, k, 1))
            files.commit_bytes(folder / f"p{who}" / f"{who}-{k}.png", files.encode_png(marked))
    return folder


@pytest.fixture
def material(people: Path) -> saliency.Material:
    """What the study's first step would return, without its detector: whole pictures for chips."""
    pictures = np.stack([files.read_image(p) for p in sorted(people.rglob("*.png"))])
    reference, probe = np.array([0, 3, 6, 0, 3, 6]), np.array([1, 4, 7, 3, 6, 9])
    subjects = np.stack([reference // 3, probe // 3], axis=1)
    pairs = Pairs(pictures[reference], pictures[probe], reference // 3 == probe // 3, subjects)
    none = np.zeros((0, 1, 1, 3), np.uint8)
    return saliency.Material("folder/people", "", "", True, none, np.zeros(0, np.int64), pairs, pairs, None, None)


def a_run(out: Path, *, show: bool) -> Run:
    values = {"scale": "smoke", "data": "folder:x", "model": "", "seed": 0, "out": str(out), "show_faces": show}
    return Run("saliency", values)


@pytest.mark.parametrize("show", [False, True])
def test_pictures_and_steps_hold_real_faces_only_when_asked(
    material: saliency.Material, tmp_path: Path, show: bool
) -> None:
    run = a_run(tmp_path, show=show)
    kept = run.step(lambda: {"of": [material]}, name="nested")
    assert kept["of"][0] is material
    run.step(lambda: material, name="faces")
    run.step(lambda: replace(material, real=False), name="synthetic")
    files.commit_bytes(tmp_path / "figure.png", figures.faces(material, show=show).png())
    found = {Path(p).name.split("-")[0] for p in canaries.scan(tmp_path)}
    # What is not of real people is kept: here the same marked pictures, said to be synthetic.
    assert found == ({"nested", "faces", "synthetic", "figure.png"} if show else {"synthetic"})
    events = [json.loads(line)["event"] for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert events.count("step-done") == 3


def test_a_step_that_is_not_kept_is_computed_again(material: saliency.Material, tmp_path: Path) -> None:
    calls: list[int] = []

    def faces() -> saliency.Material:
        calls.append(1)
        return material

    def counted(of: saliency.Material) -> int:
        calls.append(2)
        return len(of.test.mated)

    for _ in range(2):
        run = a_run(tmp_path, show=False)
        assert run.step(counted, run.step(faces)) == 6
    # The pictures twice; what was made of them once.
    assert calls == [1, 2, 1]


@dataclass(frozen=True)
class Said:
    """Not of people, though it has the word."""

    real: float = 1.0


def test_only_a_truth_value_says_that_people_are_shown(tmp_path: Path) -> None:
    a_run(tmp_path, show=False).step(lambda: [1.5, "real", None, {"real": True}], name="plain")
    assert len(list((tmp_path / "steps").iterdir())) == 1


def test_probing_leaves_no_face_and_sends_none_without_consent(
    people: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "a.sqlite"
    pictures = [str(p) for p in sorted(people.rglob("*.png"))[:6]]
    with Responder(BlankEyes()) as server:
        for task, more in (("age", ["--json"]), ("verification", [])):
            asked = ["probe", *pictures, "--task", task, "--url", server.url, "--store", str(store), *more]
            assert main(asked) == 0
        uploads = server.counters.digests
        assert len(uploads) == 6
        with probing.Store(store) as kept:
            for name in ("a.jsonl", "a.parquet"):
                probing.export(kept, tmp_path / name)
        files.commit_text(tmp_path / "log.txt", caplog.text + "".join(capsys.readouterr()))
        assert canaries.scan(tmp_path) == {}
        # The scanner would have found what was sent.
        shown = probing.shown(files.read_image(pictures[0]))
        assert canaries.find(json.dumps(probing.prompt("age").messages([shown.url])).encode())
        question = probing.Question(probing.prompt("gender"), [shown])
        there = probing.Endpoint(server.url, "workbench-responder")
        monkeypatch.setattr(probing.Endpoint, "loopback", property(lambda self: False))
        before = server.counters.requests
        for consents in ([], [probing.Consent(there.host, "other")], [probing.Consent("other.example", "people")]):
            with pytest.raises(ConsentError, match="nobody has agreed"):
                probing.ask_now([question], there, store, dataset="people", consents=consents)
        assert server.counters.requests == before
        probing.ask_now([question], there, store, dataset="people", consents=[probing.Consent(there.host, "people")])
        assert server.counters.requests == before + 1
    assert canaries.scan(tmp_path) == {}


def test_evaluating_and_verifying_leave_no_face(
    people: Path, home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", f"folder:{people}", "--out", str(tmp_path / "report"), "--resamples", "0"]) == 0
    assert (tmp_path / "report" / "report.html").is_file()
    one, other = sorted(people.rglob("*.png"))[:2]
    assert main(["verify", str(one), str(other), "--json"]) == 0
    files.commit_text(tmp_path / "log.txt", caplog.text + "".join(capsys.readouterr()))
    assert canaries.scan(tmp_path, home) == {}


@pytest.mark.slow
@pytest.mark.parametrize("show", [False, True])
def test_a_whole_study_leaves_real_faces_only_when_asked(people: Path, home: Path, tmp_path: Path, show: bool) -> None:
    small = ["pairs=4", "steps=3", "masks=8", f"show_faces={show}", f"data=folder:{people}"]
    assert main(["run", "saliency", "--scale", "smoke", *(w for p in small for w in ("-p", p))]) in (0, 3)
    found = {Path(p).name.split("-")[0] for p in canaries.scan(home, tmp_path)}
    assert found == ({"faces", "notebook.ipynb", "report.html"} if show else set())
