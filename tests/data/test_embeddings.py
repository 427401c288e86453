from pathlib import Path

import numpy as np
import pytest

from workbench.core import DataError, ParameterError
from workbench.data import embeddings
from workbench.data.embeddings import embedding_trials, read_embeddings

NAMES = np.array(["Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bob/Bob_0001.jpg", "Cem/Cem_0001.jpg"])
SUBJECTS = np.array(["Ann", "Ann", "Bob", "Cem"])
VECTORS = np.array([[2.0, 0], [3.0, 4.0], [0, 0.5], [-1.0, 0]], np.float32)


def saved(folder: Path, **arrays: object) -> Path:
    given = {"embeddings": VECTORS, "subjects": SUBJECTS, "names": NAMES} | arrays
    np.savez(folder / "e.npz", **{k: v for k, v in given.items() if v is not None})
    return folder / "e.npz"


def test_all_pairs_by_hand(tmp_path: Path) -> None:
    embedded = read_embeddings(saved(tmp_path, acquired=np.array([1, 1, 1, 0])))
    trials = embedding_trials(embedded)
    assert [*zip(trials.reference.tolist(), trials.probe.tolist(), strict=True)] == [
        (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]  # fmt: skip
    assert trials.mated.tolist() == [True] + [False] * 5
    scores = embedded.compare(trials)
    assert scores.acquired.tolist() == [True, True, False, True, False, False]
    assert scores.values[scores.acquired].tolist() == pytest.approx([0.6, 0.0, 0.8])


def test_a_sample_that_failed_has_no_score_on_either_side(tmp_path: Path) -> None:
    broken = VECTORS.copy()
    broken[1] = np.nan
    embedded = read_embeddings(saved(tmp_path, embeddings=broken, acquired=np.array([True, False, True, True])))
    assert embedded.embeddings[1].tolist() == [0, 0]
    scores = embedded.compare(embedding_trials(embedded))
    assert scores.acquired.tolist() == [False, True, True, False, False, True]


def test_scores_do_not_hang_on_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = read_embeddings(saved(tmp_path))
    trials = embedding_trials(embedded)
    before = embedded.compare(trials).values
    monkeypatch.setattr(embeddings, "_BLOCK", 2)
    assert np.array_equal(embedded.compare(trials).values, before)


def test_a_list_of_pairs(tmp_path: Path) -> None:
    embedded = read_embeddings(saved(tmp_path))
    path = tmp_path / "pairs.txt"
    path.write_text("Ann/Ann_0002.jpg Ann/Ann_0001.jpg 1\n\nBob/Bob_0001.jpg,Cem/Cem_0001.jpg\n")
    trials = embedding_trials(embedded, str(path))
    assert trials.reference.tolist() == [1, 2]
    assert trials.probe.tolist() == [0, 3]
    assert trials.mated.tolist() == [True, False]
    path.write_text("2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nAnn\t2\t1\nBob\t1\tCem\t1\n")
    trials = embedding_trials(embedded, str(path))
    assert trials.reference.tolist() == [0, 0, 1, 2]
    assert trials.fold is not None
    assert trials.fold.tolist() == [0, 0, 1, 1]
    np.savez(tmp_path / "n.npz", embeddings=VECTORS, subjects=SUBJECTS)
    path.write_text("0 1\n2 3\n")
    assert embedding_trials(read_embeddings(tmp_path / "n.npz"), str(path)).reference.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ann/Ann_0001.jpg\n", "line 1 is no pair"),
        ("Ann/Ann_0001.jpg Ann/Ann_0002.jpg maybe\n", "line 1 is no pair"),
        ("Ann/Ann_0001.jpg Ann/Ann_0002.jpg 0\n", "line 1: mated disagrees"),
        ("Ann/Ann_0001.jpg Ann/Ann_0003.jpg\n", r"names a sample.*\n.*\n.*did you mean 'Ann/Ann_000\d\.jpg'"),
        ("Ann/Ann_0001.jpg Ann/Ann_0002.jpg\n" * 2, "line 2: this trial is there already\n.*line 1"),
        ("", "names no pair"),
    ],
)
def test_a_list_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        embedding_trials(read_embeddings(saved(tmp_path)), str(path))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"embeddings": np.where(VECTORS == 0.5, np.nan, VECTORS)}, r"e\.npz, row 2: the embedding has no direction"),
        ({"embeddings": VECTORS * 0}, "row 0: the embedding has no direction"),
        ({"subjects": SUBJECTS[:3]}, "subjects has another length"),
        ({"subjects": None, "subject": SUBJECTS}, "no array 'subjects'(.|\n)*did you mean 'subject'"),
        ({"name": NAMES}, "not known here: 'name'"),
        ({"names": NAMES[[0, 0, 1, 2]]}, "names are not unique"),
        ({"embeddings": VECTORS[:, 0]}, "are no table"),
    ],
)
def test_arrays_that_are_no_embeddings(tmp_path: Path, arrays: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_embeddings(saved(tmp_path, **arrays))


def test_too_many_pairs_are_refused_before_they_are_made(tmp_path: Path) -> None:
    n = 10_000
    np.savez(tmp_path / "e.npz", embeddings=np.ones((n, 1), np.float32), subjects=np.arange(n))
    with pytest.raises(ParameterError, match="too many to hold\n  given: 49995000 pairs"):
        embedding_trials(read_embeddings(tmp_path / "e.npz"))
