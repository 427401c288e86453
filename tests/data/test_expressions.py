"""Labelled expressions in a table: what comes back, and every row that does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench import data
from workbench.core import DataError, NoTrialsError, Samples, Trials
from workbench.testing.contracts import check_dataset

HEAD = "path,subject,label,intensity\n"
ROWS = "a/1.png,anna,neutral,0\na/2.png,anna,Happy,0.25\nb/1.png,ben,sad,\n"


def folder(root: Path, table: str = HEAD + ROWS, compared: str = "", name: str = "labels.csv") -> str:
    """A folder of three grey pictures with such a table and list."""
    for i, picture in enumerate(("a/1.png", "a/2.png", "b/1.png")):
        (root / picture).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(root / picture)
    (root / name).write_text(table)
    if compared:
        (root / "comparisons.csv").write_text(compared)
    return f"expressions:{root}"


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    opened = data.open_dataset(folder(tmp_path, compared="ref,probe,mated\na/1.png,a/2.png,1\na/1.png,b/1.png,0\n"))
    check_dataset(opened)
    samples, trials = opened.samples(), opened.trials()
    assert samples.ids == ("a/1.png", "a/2.png", "b/1.png")
    assert samples.subjects.tolist() == ["anna", "anna", "ben"]
    # Upper case counts as lower case, and an empty cell is not known.
    assert samples.attributes["label"].tolist() == ["neutral", "happy", "sad"]
    assert samples.attributes["intensity"] == pytest.approx([0, 0.25, np.nan], nan_ok=True)
    assert [int(p[0, 0, 0]) for p in samples] == [0, 1, 2]
    assert samples.real
    assert (trials.reference.tolist(), trials.probe.tolist()) == ([0, 0], [1, 2])
    assert trials.mated.tolist() == [True, False]
    assert trials.subjects.tolist() == [[0, 0], [0, 1]]


def test_intensity_is_optional_and_without_a_list_there_are_no_trials(tmp_path: Path) -> None:
    table = "label,path,subject\nneutral,a/1.png,anna\nhappy,b/1.png,ben\n"
    opened = data.open_dataset(folder(tmp_path, table, name="mug.csv"))
    check_dataset(opened)
    assert np.isnan(opened.samples().attributes["intensity"]).all()
    with pytest.raises(NoTrialsError, match=r"has no comparison trials\n.*\n  do: put a list comparisons.csv"):
        opened.trials()


def test_what_changes_the_data_changes_the_digest(tmp_path: Path) -> None:
    before = data.open_dataset(folder(tmp_path / "one")).digest
    assert data.open_dataset(folder(tmp_path / "moved")).digest == before
    changed = [
        folder(tmp_path / "label", (HEAD + ROWS).replace("sad", "angry")),
        folder(tmp_path / "list", compared="ref,probe,mated\na/1.png,a/2.png,1\n"),
        folder(tmp_path / "picture"),
    ]
    Image.fromarray(np.full((4, 4, 3), 9, np.uint8)).save(tmp_path / "picture" / "b/1.png")
    assert len({before, *(data.open_dataset(c).digest for c in changed)}) == 4


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("path,person,label\na/1.png,anna,neutral\n", r"no column 'subject'\n  given: path, person, label"),
        ("path,subject,label,intensty\na/1.png,anna,sad,1\n", r"unknown column 'intensty'(.|\n)*is 'intensity' meant"),
        ("path,subject,label,age\na/1.png,anna,sad,1\n", r"unknown column 'age'(.|\n)*remove it"),
        (HEAD, "names no pictures"),
        (f"{HEAD}a/1.png,,neutral,0\n", "line 2 has no subject"),
        (f"{HEAD}a/1.png,anna,neutral,0\na/2.png,anna, ,0\n", "line 3 has no label"),
        (f"{HEAD},anna,neutral,0\n", "line 2 has no path"),
        (f"{HEAD}a/1.png,anna,neutral,0\na/9.png,anna,sad,1\n", r"line 3: there is no such picture\n.*'a/9.png'"),
        (f"{HEAD}a,anna,neutral,0\n", "line 2: there is no such picture"),
        (f"{HEAD}../x.png,anna,neutral,0\n", r"line 2: a file name leads out of its folder\n  given: '../x.png'"),
        (f"{HEAD}/etc/passwd,anna,neutral,0\n", "line 2: a file name leads out"),
        (f"{HEAD}{ROWS}a/2.png,anna,sad,1\n", r"line 5 names a picture a second time(.|\n)*see labels.csv, line 3"),
        (f"{HEAD}{ROWS}./a/2.png,ben,sad,1\n", r"line 5 names a picture a second time(.|\n)*see labels.csv, line 3"),
        (f"{HEAD}a/1.png,anna,netural,0\n", r"line 2: a label is nearly 'neutral'\n  given: 'netural'"),
        (f"{HEAD}a/1.png,anna,sad,1.5\n", r"line 2: an intensity does not fit\n  given: '1.5'\n  expected: 0 to 1"),
        (f"{HEAD}a/1.png,anna,sad,-0.1\n", "line 2: an intensity does not fit"),
        (f"{HEAD}a/1.png,anna,sad,nan\n", "line 2: an intensity does not fit"),
        (f"{HEAD}a/1.png,anna,sad,strong\n", "line 2: an intensity does not fit"),
        (f"{HEAD}a/1.png,anna,sad\n", "line 2 has 3 fields"),
        (f"{HEAD}a/1.png,anna,sad,1", "ends in the middle of a line"),
        (HEAD.replace(",", ";"), "separated by commas"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        data.open_dataset(folder(tmp_path, table))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a/1.png,a/2.png,1\na/1.png,c/1.png,0\n", r"line 3 compares a picture that the table does not have\n.*c/1"),
        ("a/1.png,a/2.png,yes\n", r"line 2: mated does not fit\n  given: 'yes'\n  expected: 1 or 0"),
        ("a/1.png,b/1.png,1\n", r"line 2 disagrees with the table\n  given: mated = 1\n  expected: 0: subject 'anna'"),
        ("a/1.png,a/2.png,0\n", r"line 2 disagrees with the table(.|\n)*expected: 1"),
        ("a/1.png,a/1.png,1\n", "line 2 compares a picture with itself"),
        ("a/1.png,a/2.png,1\na/1.png,a/2.png,1\n", "line 3 is there a second time"),
        ("", "compares nobody"),
    ],
)
def test_a_comparison_that_does_not_fit_is_named(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        data.open_dataset(folder(tmp_path, compared=f"ref,probe,mated\n{rows}"))
    (tmp_path / "comparisons.csv").write_text("reference,probe,mated\n")
    with pytest.raises(DataError, match=r"comparisons.csv has no column 'ref'(.|\n)*is 'reference' meant"):
        data.open_dataset(f"expressions:{tmp_path}")


def test_one_table_and_no_link_out_of_the_folder(tmp_path: Path) -> None:
    spec = folder(tmp_path / "set")
    (tmp_path / "set" / "old.csv").write_text(HEAD + ROWS)
    with pytest.raises(DataError, match=r"holds several tables\n  given: labels.csv, old.csv"):
        data.open_dataset(spec)
    for name in ("labels.csv", "old.csv"):
        (tmp_path / "set" / name).unlink()
    with pytest.raises(DataError, match=r"holds no table of pictures\n(.|\n)*write labels.csv"):
        data.open_dataset(spec)
    spec = folder(tmp_path / "set")
    (tmp_path / "set" / "a" / "2.png").unlink()
    (tmp_path / "set" / "a" / "2.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(DataError, match="line 3: a file name leads out"):
        data.open_dataset(spec)


def test_phantom_faces_with_labels_and_comparisons_come_back(faces: Samples, pairs: Trials, tmp_path: Path) -> None:
    label = np.array(["neutral", "happy"] * 4)
    intensity = np.array([0, 1 / 3, np.nan, 0.7, 0.02, 1, 0, np.nan])
    labelled = replace(faces, attributes={"label": label, "intensity": intensity})
    opened = data.open_dataset(data.export(labelled, pairs, "expressions", tmp_path / "out"))
    check_dataset(opened)
    samples, trials = opened.samples(), opened.trials()
    assert samples.subjects.tolist() == faces.subjects.tolist()
    assert samples.attributes["label"].tolist() == label.tolist()
    assert np.array_equal(samples.attributes["intensity"], intensity, equal_nan=True)
    assert all(np.array_equal(a, b) for a, b in zip(samples, faces, strict=True))
    for name in ("reference", "probe", "mated", "subjects"):
        assert np.array_equal(getattr(trials, name), getattr(pairs, name))


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "needs the attribute 'label'"),
        ({"label": np.array(["very happy"] * 8)}, "this cannot be a label of an expression"),
        ({"label": np.array(["sad"] * 8), "intensity": np.full(8, 1.2)}, r"an intensity does not fit\n  given: 1.2"),
    ],
)
def test_labels_that_the_layout_cannot_hold(faces: Samples, tmp_path: Path, attributes: dict, said: str) -> None:
    with pytest.raises(DataError, match=said):
        data.export(replace(faces, attributes=attributes), None, "expressions", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_trials_that_the_list_cannot_hold(faces: Samples, pairs: Trials, tmp_path: Path) -> None:
    labelled = replace(faces, attributes={"label": np.array(["sad"] * 8)})
    twice = pairs.subset(np.array([0, 0]))
    alone = replace(twice, probe=twice.reference)
    one = replace(labelled, subjects=np.array(["anna"] * 8))
    none = pairs.subset(np.zeros(0, np.int64))
    for samples, trials in ((labelled, twice), (labelled, alone), (one, pairs), (labelled, none)):
        with pytest.raises(DataError, match="the trials cannot be listed"):
            data.export(samples, trials, "expressions", tmp_path / "out")
    assert not (tmp_path / "out").exists()
