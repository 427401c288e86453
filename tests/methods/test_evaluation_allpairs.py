"""All pairs of a file by tiles give the numbers of all pairs held at once."""

from pathlib import Path

import numpy as np
import pytest

from workbench.cli import main
from workbench.core import ParameterError, Undefined
from workbench.data import embeddings as room
from workbench.figures.evaluation import write_evaluation
from workbench.methods import evaluation, evaluation_allpairs


@pytest.fixture
def embeddings(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    subjects = rng.integers(0, 40, 300)
    vectors = rng.standard_normal((40, 16))[subjects] + 1.2 * rng.standard_normal((300, 16))
    acquired = np.arange(300) > 2
    np.savez(
        tmp_path / "e.npz", embeddings=vectors.astype(np.float32), subjects=subjects.astype(str), acquired=acquired
    )
    return tmp_path / "e.npz"


def test_by_tiles_or_at_once(embeddings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = evaluation.of_table(embeddings, resamples=50)
    monkeypatch.setattr(evaluation_allpairs, "KEPT", 2500)
    tiles = evaluation_allpairs.of_all_pairs(
        room.read_embeddings(embeddings), resamples=50, job=tmp_path / "job", device="cpu"
    )
    assert tiles.counts["mated"] == once.counts["mated"]
    assert tiles.counts["nonmated"] == once.counts["nonmated"]
    for name in ("FNMR at FMR 1e-2", "FNMR at FMR 1e-3", "FNMR at FMR 1e-4"):
        one, other = once.numbers[name], tiles.numbers[name]
        assert (one.value, one.low, one.high) == (other.value, other.low, other.high), name
        assert float(tiles.thresholds[name]) == pytest.approx(float(once.thresholds[name]), abs=1e-6)
    assert isinstance(tiles.numbers["EER"].value, Undefined)
    assert not isinstance(tiles.det, Undefined)
    assert not isinstance(once.det, Undefined)
    shared = len(tiles.det.target)
    assert np.array_equal(tiles.det.fnmr, once.det.fnmr[:shared])
    assert write_evaluation(tmp_path / "report", tiles).is_file()


def test_the_command_takes_a_job_and_refuses_a_cluster_without_one(
    embeddings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["evaluate", str(embeddings), "--job", str(tmp_path / "job"), "--resamples", "0"]) == 0
    assert "needs every score" in capsys.readouterr().out
    assert main(["evaluate", str(embeddings), "--workers", "2"]) == 2
    assert "name the job's folder with --job" in capsys.readouterr().err
    job = ["--job", str(tmp_path / "job")]
    assert main(["evaluate", str(embeddings), "--protocol", "pairs.txt", *job]) == 2
    assert main(["evaluate", "phantom", *job]) == 2
    assert main(["evaluate", str(embeddings), "--resamples", "0", "--rules", "0.01", *job]) == 2
    said = capsys.readouterr().err
    for words in ("a job compares all pairs\n", "a job compares all pairs of embeddings", "rules need every score"):
        assert words in said
    # More pairs than fit are done by tiles without being asked.
    monkeypatch.setattr(room, "MOST_PAIRS", 1000)
    assert main(["evaluate", str(embeddings), "--resamples", "0"]) == 0
    assert "needs every score" in capsys.readouterr().out


def test_a_list_that_is_too_long_to_hold_says_what_to_do(embeddings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_PAIRS", 1000)
    with pytest.raises(ParameterError, match="all pairs are too many to hold"):
        evaluation.of_table(embeddings)
