import json
from pathlib import Path

import numpy as np
import pytest

from workbench import files
from workbench.cli import main
from workbench.core import Scores, Trials
from workbench.data.scorefiles import ScoreFile, write_scores


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(9), 3)
    reference, probe = np.triu_indices(27, 1)
    codes = np.stack([subject[reference], subject[probe]], 1)
    mated = codes[:, 0] == codes[:, 1]
    scores = Scores("m", Trials(reference, probe, mated, codes), rng.normal(0, 1, 351) + 2 * mated, np.ones(351, bool))
    return write_scores(tmp_path / "s.csv", ScoreFile(scores, np.arange(27), np.arange(9)))


def test_scores_become_a_table(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(table), "--resamples", "20"]) == 0
    out = capsys.readouterr().out
    said = ("s.csv: 27 mated, 324 non-mated", "9 subjects", "FNMR at FMR 1e-2", "needs at least", "when s >= T")
    for text in (*said, "bootstrap over 9"):
        assert text in " ".join(out.split()), text


def test_scores_become_a_report(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(table), "--resamples", "20", "--out", str(tmp_path / "out"), "--json"]) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "out" / "numbers.json").read_text()
    found = files.from_json(printed)
    assert found["counts"] == {"mated": 27, "nonmated": 324, "failures": 0, "subjects": 9}
    assert found["facts"]["sha256"] == files.sha256_file(table)
    assert (tmp_path / "out" / "report.html").is_file()
    assert main(["evaluate", str(table), "--resamples", "20", "--seed", "1", "--json"]) == 0
    other = files.from_json(capsys.readouterr().out)
    assert other["numbers"]["EER"].value == found["numbers"]["EER"].value
    assert other["numbers"]["EER"].low != found["numbers"]["EER"].low


def test_embeddings_take_a_protocol(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "e.npz"
    np.savez(path, embeddings=rng.normal(size=(12, 4)), subjects=np.repeat(np.arange(6), 2))
    assert main(["evaluate", str(path), "--protocol", "all-pairs", "--resamples", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"mated": 6, "nonmated": 60, "failures": 0, "subjects": 6}
    (tmp_path / "pairs.txt").write_text("0 1 1\n0 2 0\n4 5\n3 5\n")
    arguments = ["evaluate", str(path), "--protocol", str(tmp_path / "pairs.txt"), "--folds", "2", "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["mated"] == found["counts"]["nonmated"] == 2
    assert found["numbers"]["accuracy"]["counts"]["folds"] == 2


def test_bad_input_is_a_sentence(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        ("evaluate", str(tmp_path / "absent.csv")): (1, "cannot read"),
        ("evaluate", str(table), "--protocol", "all-pairs"): (2, "holds scores"),
        ("evaluate", str(table), "--resamples", "-1"): (2, "resamples are counted"),
        ("evaluate", "scores.xlsx"): (2, "unknown data set 'scores.xlsx'"),
    }
    for arguments, (code, text) in cases.items():
        assert main(list(arguments)) == code
        assert text in capsys.readouterr().err
    table.write_bytes(table.read_bytes()[:-4])
    assert main(["evaluate", str(table)]) == 1
    assert "ends in the middle of a line" in capsys.readouterr().err
    table.write_text("reference,probe,scores,mated\n1,2,0.5,1\n")
    assert main(["evaluate", str(table)]) == 1
    assert "rename 'scores' to 'score'" in capsys.readouterr().err


def test_one_kind_only_is_undefined_not_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.csv"
    path.write_text("reference,probe,score,mated\n1,2,0.5,1\n1,3,0.25,1\n")
    assert main(["evaluate", str(path), "--out", str(tmp_path / "out")]) == 0
    assert "no non-mated trials" in capsys.readouterr().out
    assert not (tmp_path / "out" / "det.csv").exists()
    assert "No DET curve" not in (tmp_path / "out" / "numbers.json").read_text()


def test_a_data_set_goes_through_a_model(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.data import phantom

    small = phantom.open("", subjects=6, images=2, size=160)
    monkeypatch.setattr("workbench.data.open_dataset", lambda spec: small)
    assert main(["evaluate", "phantom", "--resamples", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["facts"]["pictures"] == 12
    assert any("synthetic" in n for n in found["notes"])
    assert "these were dealt" in found["numbers"]["accuracy"]["rule"]


def test_the_same_scores_under_published_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sklearn.datasets import load_iris

    iris = load_iris()
    rows = ["reference,probe,score,mated"]
    for target in (1, 0):
        values = iris.data[iris.target == target, 0]
        rows += [f"r{target}-{i},p{target}-{i},{v},{target}" for i, v in enumerate(values)]
    (tmp_path / "iris.csv").write_text("\n".join(rows) + "\n")
    assert main(["evaluate", str(tmp_path / "iris.csv"), "--rules", "0.05", "--json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)["further"].values()
    found = {name: estimate["value"] for name, estimate in table.items()}
    expected = {"workbench": 0.42, "eval_ijbc": 0.22, "interpolated": 0.345, "CVLface": 0.32}
    assert {k: found[k] for k in expected} == pytest.approx(expected)


def test_groups_of_a_score_file_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(20), 3)
    reference, probe = np.triu_indices(60, 1)
    codes = np.stack([subject[reference], subject[probe]], 1)
    mated = codes[:, 0] == codes[:, 1]
    group = np.where(np.arange(20) < 10, "a", "b")[codes]
    # Non-mated scores within b are higher: b has the false matches.
    values = rng.normal(0, 1, len(mated)) + 3 * mated + ((group == "b").all(1) & ~mated)
    scores = Scores("m", Trials(reference, probe, mated, codes), values, np.ones(len(mated), bool))
    path = write_scores(tmp_path / "g.csv", ScoreFile(scores, np.arange(60), np.arange(20), group))
    assert main(["evaluate", str(path), "--resamples", "50", "--json"]) == 0
    further = json.loads(capsys.readouterr().out)["further"]
    rates = further["groups"]
    within_b = (group == "b").all(1) & ~mated
    threshold = np.sort(values[~mated])[::-1]
    allowed = int(0.1 * (~mated).sum())
    accepted = values > threshold[allowed]
    assert rates["FMR of b"]["value"] == pytest.approx(accepted[within_b].mean())
    assert rates["FMR of b"]["value"] > rates["FMR of a"]["value"]
    assert "FMR <= 0.1 on all these trials" in rates["FMR between a and b"]["rule"]
    assert further["differentials between groups"]["GARBE"]["low"] is not None
    assert main(["evaluate", str(path), "--resamples", "0"]) == 0
    assert "differentials between groups" in capsys.readouterr().out
