from pathlib import Path

import numpy as np
import pytest

from workbench import data
from workbench.core import DataError, Scores, Trials
from workbench.data.scorefiles import ScoreFile, batches, read_scores, write_scores

HEAD = "reference,probe,score,reference_subject,probe_subject,acquired,fold,group_reference,group_probe\n"
ROWS = ("a1,a2,0.9,A,A,1,1,x,x", "a1,b1,0.25,A,B,1,1,x,y", "b1,b2,,B,B,0,2,y,y", "a2,c1,-0.5,A,C,1,2,x,y")
SUFFIXES = [".csv", ".npy", ".npz", ".parquet"]


def text(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.write_text(head + "".join(f"{r}\n" for r in rows))
    return path


@pytest.fixture
def found(tmp_path: Path) -> ScoreFile:
    return read_scores(text(tmp_path / "s.csv", *ROWS))


def test_columns_become_scores(found: ScoreFile) -> None:
    trials = found.scores.trials
    assert found.names.tolist() == ["a1", "a2", "b1", "b2", "c1"]
    assert found.names[trials.reference].tolist() == ["a1", "a1", "b1", "a2"]
    assert found.names[trials.probe].tolist() == ["a2", "b1", "b2", "c1"]
    assert found.subjects is not None
    assert found.subjects[trials.subjects].tolist() == [["A", "A"], ["A", "B"], ["B", "B"], ["A", "C"]]
    assert trials.mated.tolist() == [True, False, True, False]
    assert trials.fold is not None
    assert trials.fold.tolist() == [0, 0, 1, 1]
    assert found.scores.acquired.tolist() == [True, True, False, True]
    assert found.scores.values[[0, 1, 3]].tolist() == [0.9, 0.25, -0.5]
    assert found.groups is not None
    assert found.groups.tolist() == [["x", "x"], ["x", "y"], ["y", "y"], ["x", "y"]]
    assert found.scores.arm == "s"
    assert len(found.digest) == 64


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_back(tmp_path: Path, found: ScoreFile, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    again = read_scores(write_scores(tmp_path / f"again{suffix}", found), arm="s")
    for a, b in ((found.scores, again.scores), (found.scores.trials, again.scores.trials), (found, again)):
        for name, value in vars(a).items():
            other = vars(b)[name]
            if isinstance(value, np.ndarray):
                assert np.array_equal(value, other, equal_nan=value.dtype.kind == "f"), name
    parts = list(batches(tmp_path / f"again{suffix}", rows=3))
    assert [len(p.values) for p in parts] == [3, 1]
    assert np.concatenate([p.mated for p in parts]).tolist() == found.scores.trials.mated.tolist()
    assert np.isnan(np.concatenate([p.values for p in parts])).tolist() == [False, False, True, False]


def test_without_subjects_no_two_trials_share_one(tmp_path: Path) -> None:
    found = read_scores(text(tmp_path / "s.csv", "1,2,0.5,1", "1,3,0.25,0", "2,3,0.1,true",
                             head="reference,probe,score,mated\n"))  # fmt: skip
    assert found.subjects is None
    assert found.scores.trials.mated.tolist() == [True, False, True]
    assert [len(np.unique(found.scores.trials.subjects[r])) for r in ([0], [1], [0, 1, 2])] == [1, 2, 4]
    again = read_scores(write_scores(tmp_path / "again.csv", found))
    assert again.subjects is None
    assert "reference_subject" not in (tmp_path / "again.csv").read_text()


def test_numbers_name_samples_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", reference=np.array([10, 9]), probe=np.array([11, 10]), score=np.float32([0.5, 1]),
             mated=np.array([1, 0]))  # fmt: skip
    found = read_scores(tmp_path / "s.npz")
    assert found.names.tolist() == [9, 10, 11]
    assert found.scores.values.dtype == np.float64
    assert found.scores.trials.mated.tolist() == [True, False]


def test_one_kind_only_and_no_rows_are_data_not_errors(tmp_path: Path) -> None:
    assert len(read_scores(text(tmp_path / "s.csv")).scores.trials) == 0
    assert not read_scores(text(tmp_path / "s.csv", ROWS[1])).scores.trials.mated.any()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((ROWS[0], "a1,b1,nan,A,B,1,1,x,y"), r"s\.csv, line 3: the score is no finite number\n  given: nan"),
        ((ROWS[0], "a1,b1,,A,B,1,1,x,y"), "line 3: the score is no finite number(.|\n)*do: .*'acquired'"),
        ((ROWS[0], "a1,b1,inf,A,B,1,1,x,y"), "line 3: the score is no finite number"),
        ((ROWS[0], "a1,b1,0.5x,A,B,1,1,x,y"), "line 3: score is not a number\n  given: '0.5x'"),
        ((ROWS[0], "a1,b1,0.5,A,B,2,1,x,y"), "line 3: acquired is neither 1 nor 0\n  given: 2"),
        ((ROWS[0], "a1,b1,0.5,A,B,1,one,x,y"), "line 3: fold is not a whole number\n  given: 'one'"),
        ((ROWS[0], "a1,b1,0.5,A,,1,1,x,y"), "line 3: probe_subject is empty"),
        ((*ROWS, "a1,b1,0.5,A,B,1,1,x,y"), "line 6: this trial is there already\n.*a1, b1; first in line 3"),
        ((*ROWS, "a1,d1,0.5,B,D,1,1,x,y"), "line 6: reference a1 is of two capture subjects\n.*B here, A in line 2"),
        ((*ROWS, "d1,c1,0.5,D,E,1,1,x,y"), "line 6: probe c1 is of two capture subjects\n.*E here, C in line 5"),
        ((ROWS[0], "a1,b1,0.5,A,B,1"), "line 3 has 6 fields"),
    ],
)
def test_a_row_that_cannot_be_true_is_named(tmp_path: Path, rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_scores(text(tmp_path / "s.csv", *rows))


def test_lines_are_right_in_later_pieces(tmp_path: Path) -> None:
    rows = [f"r{i},p{i},0.5,1" for i in range(140_000)]
    rows[135_000] = "r,p,nan,1"
    with pytest.raises(DataError, match="line 135002: the score"):
        read_scores(text(tmp_path / "s.csv", *rows, head="reference,probe,score,mated\n"))


def test_mated_must_agree_with_the_subjects(tmp_path: Path) -> None:
    head = "reference,probe,score,reference_subject,probe_subject,mated\n"
    assert read_scores(text(tmp_path / "s.csv", "a,b,1,A,A,1", head=head)).scores.trials.mated.all()
    with pytest.raises(
        DataError, match=r"line 3: mated disagrees with the capture subjects\n  given: mated 1, sub.*A and B"
    ):
        read_scores(text(tmp_path / "s.csv", "a,b,1,A,A,1", "a,c,1,A,B,1", head=head))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("reference,probe,scores,mated", "no column 'score'(.|\n)*rename 'scores' to 'score'"),
        ("reference,probe,score", "no column 'mated'"),
        ("reference,probe,score,reference_subject", "no column 'probe_subject'"),
        ("reference,probe,score,mated,aquired", "not known here: 'aquired'(.|\n)*did you mean 'acquired'"),
        ("reference,probe,score,mated,group_probe", "no column 'group_reference'"),
        ("reference,probe,score,mated,x", "not known here: 'x'(.|\n)*silently"),
    ],
)
def test_columns_are_known_by_name(tmp_path: Path, head: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_scores(text(tmp_path / "s.csv", head=head + "\n"))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = text(tmp_path / "s.csv", *ROWS)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="ends in the middle of a line"):
        read_scores(path)


def test_the_reader_is_no_data_set() -> None:
    assert not {"scorefiles", "scorecolumns", "embeddings"} & {*data.names()}


def test_a_million_rows_are_read_in_pieces(tmp_path: Path) -> None:
    n = 1_000_000
    rng = np.random.default_rng(0)
    trials = Trials(np.arange(n), np.arange(n), np.arange(n) % 2 == 0,
                    np.stack([np.arange(n), np.arange(n) + np.arange(n) % 2], 1))  # fmt: skip
    found = ScoreFile(Scores("m", trials, rng.random(n), np.ones(n, bool)), np.arange(n), None)
    path = write_scores(tmp_path / "s.npy", found)
    total = sum(float(b.values.sum()) for b in batches(path, rows=1 << 16))
    assert total == pytest.approx(found.scores.values.sum())
