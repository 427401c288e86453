from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench import data
from workbench.core import DataError, ImageError, ParameterError, UnknownNameError
from workbench.data.lfw import read_pairs
from workbench.data.presentations import read_list
from workbench.data.protocols import balanced, subject_folds


def people(root: Path, names: dict[str, int]) -> Path:
    for name, count in names.items():
        (root / name).mkdir(parents=True)
        for i in range(1, count + 1):
            Image.fromarray(np.full((8, 8, 3), 10 * i, np.uint8)).save(root / name / f"{name}_{i:04d}.jpg")
    return root


def test_a_folder_of_people(tmp_path: Path) -> None:
    dataset = data.open_dataset(f"folder:{people(tmp_path, {'Ann': 3, 'Bob': 2})}")
    samples, trials = dataset.samples(), dataset.trials()
    assert samples.subjects.tolist() == ["Ann"] * 3 + ["Bob"] * 2
    assert samples.images[0].shape == (8, 8, 3)
    assert int(trials.mated.sum()) == int((~trials.mated).sum()) == 4
    digest = dataset.digest
    (tmp_path / "Ann" / "Ann_0001.jpg").write_bytes((tmp_path / "Ann" / "Ann_0002.jpg").read_bytes())
    assert data.open_dataset(f"folder:{tmp_path}").digest != digest


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no pictures"):
        data.open_dataset(f"folder:{tmp_path}")
    with pytest.raises(DataError, match="no such folder"):
        data.open_dataset("folder:/nowhere")
    with pytest.raises(UnknownNameError, match="did you mean 'folder'"):
        data.open_dataset("folders:x")
    outside = people(tmp_path / "outside", {"Eve": 1})
    inside = people(tmp_path / "inside", {"Ann": 1})
    (inside / "Eve").symlink_to(outside / "Eve")
    with pytest.raises(DataError, match="leads out"):
        data.open_dataset(f"folder:{inside}")


def test_lfw_in_its_published_layout(tmp_path: Path) -> None:
    people(tmp_path / "lfw", {"Ann": 2, "Bob": 2, "Cem": 1, "Dia": 1})
    (tmp_path / "pairs.txt").write_text("2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nCem\t1\tDia\t1\n")
    dataset = data.open_dataset(f"lfw:{tmp_path}")
    trials = dataset.trials("view2")
    assert trials.mated.tolist() == [True, False, True, False]
    assert trials.fold.tolist() == [0, 0, 1, 1]
    assert len(dataset.samples()) == 6
    with pytest.raises(ParameterError, match=r"pairsDevTest\.txt is not there"):
        dataset.trials("view1-test")
    (tmp_path / "lfw" / "Cem" / "Cem_0001.jpg").unlink()
    with pytest.raises(DataError, match=r"names 1 pictures that are not there\n  given: Cem/Cem_0001\.jpg"):
        data.open_dataset(f"lfw:{tmp_path}").samples()


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "line 1"), ("x\n", "line 1"), ("1\nAnn 1 2\nAnn x\n", "line 3"), ("2\nAnn 1 2\n", "cut short")],
)
def test_a_broken_list_names_its_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_pairs(text, "pairs.txt")


def test_a_list_cannot_lead_out(tmp_path: Path) -> None:
    people(tmp_path / "lfw", {"Ann": 2})
    (tmp_path / "pairsDevTest.txt").write_text("1\n../../etc 1 2\nAnn 1 Ann2 1\n")
    with pytest.raises(DataError, match="leads out"):
        data.open_dataset(f"lfw:{tmp_path}").samples()


def test_a_broken_picture_is_one_failure(tmp_path: Path) -> None:
    people(tmp_path, {"Ann": 2})
    (tmp_path / "Ann" / "Ann_0001.jpg").write_bytes(b"broken")
    samples = data.open_dataset(f"folder:{tmp_path}").samples()
    with pytest.raises(ImageError, match=r"Ann_0001\.jpg"):
        samples.images[0]


def test_folds_share_nobody() -> None:
    subjects = np.array([f"p{i // 4}" for i in range(40)])
    trials = balanced(subjects, "t", 0)
    fold = subject_folds(trials, 2, "t", 0)
    one, other = (set(trials.subjects[fold == k].ravel()) for k in (0, 1))
    assert one
    assert other
    assert not one & other


def test_a_list_marked_as_utf_8_by_its_editor_is_the_same_list() -> None:
    pairs, line = "1\nAnn\t1\t2\nAnn\t1\tBob\t1\n", "a/1.jpg b/1.jpg c/1.jpg 1\n"
    assert read_pairs("\ufeff" + pairs, "pairs.txt") == read_pairs(pairs, "pairs.txt")
    assert read_list("\ufeff" + line, "S-train.txt") == read_list(line, "S-train.txt")


def test_a_path_that_begins_here_is_the_same_path() -> None:
    plain = "Training/real_part/CLKJ/JW.rssdk/color/1.jpg d/1.jpg i/1.jpg 1"
    dotted = " ".join(f"./{word}" if "/" in word else word for word in plain.split())
    assert read_list(dotted, "list") == read_list(plain, "list")
    with pytest.raises(DataError, match="line 2 lists a picture again"):
        read_list(f"{plain}\n{dotted}", "list")
