"""The benchmark's lists, with phantom presentations in three modalities written and read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench import data
from workbench.core import DataError, NoTrialsError, ParameterError, Samples
from workbench.data import mmdg, phantom
from workbench.methods import multimodal_faces as pictures
from workbench.testing.contracts import check_dataset


@pytest.fixture(scope="module")
def shown() -> Samples:
    """Two sets with lists for training and testing, one person in each, live once and with every instrument."""
    drawn = [phantom.attack_detection(2, 1, size=32, domains=(d,), subsets=("train",)) for d in ("office", "home")]
    parts = [d.samples for d in drawn]
    n = [len(p) for p in parts]
    depth = pictures.depth_pictures(np.concatenate([d.depth for d in drawn]))
    attack = np.concatenate([p.attributes["attack"] for p in parts])
    subjects = np.char.replace(np.concatenate([p.subjects for p in parts]), "/", "-")
    first = np.array([s.endswith("0") for s in subjects])
    return Samples(
        "phantom/mmdg", tuple(i for p in parts for i in p.ids), subjects, np.concatenate([p.images for p in parts]),
        {
            "attack": attack, "set": np.repeat(["C", "S"], n), "subset": np.where(first, "train", "test"),
            "species": np.char.replace(np.concatenate([p.attributes["species"] for p in parts]), " ", "-"),
            "depth": depth, "nir": np.concatenate([d.nir for d in drawn]),
        },
        parts[0].licence, False,
    )  # fmt: skip


def test_what_is_written_is_read_in_every_modality(shown: Samples, tmp_path: Path) -> None:
    opened = data.open_dataset(data.export(shown, None, "mmdg", tmp_path / "out"))
    check_dataset(opened)
    assert opened.protocols == ("C-train", "C-test", "S-train", "S-test")
    for letter in "CS":
        for subset in ("train", "test"):
            mine = (shown.attributes["set"] == letter) & (shown.attributes["subset"] == subset)
            for modality, known in (("rgb", shown.images), ("depth", shown.attributes["depth"]),
                                    ("ir", shown.attributes["nir"])):  # fmt: skip
                read = opened.samples(f"{letter}-{subset}", modality=modality)
                found = np.stack(list(read))
                expected = np.asarray(known)[mine]
                np.testing.assert_array_equal(found if modality == "rgb" else found[..., 0], expected)
            assert read.attributes["attack"].tolist() == shown.attributes["attack"][mine].tolist()
            assert read.subjects.tolist() == shown.subjects[mine].tolist()
            attack = shown.attributes["attack"][mine]
            expected = np.where(attack, shown.attributes["species"][mine], "")
            assert read.attributes["species"].tolist() == expected.tolist()


def test_a_line_is_three_paths_and_1_for_live(shown: Samples, tmp_path: Path) -> None:
    data.export(shown, None, "mmdg", tmp_path / "out")
    lines = (tmp_path / "out" / "C-train.txt").read_text().splitlines()
    assert len(lines) == 5
    words = lines[0].split(" ")
    assert words[3] == "1"
    assert words[0].startswith("C/real_part/office-train-0000/real/color/1")
    assert [w.split("/")[4] for w in words[:3]] == ["color", "depth", "ir"]
    assert all((tmp_path / "out" / w).is_file() for w in words[:3])
    assert [line.split(" ")[3] for line in lines[1:]] == ["0"] * 4


def placed(folder: Path, lines: dict[str, str]) -> Path:
    for name, text in lines.items():
        (folder / name).write_text(text)
        for word in text.split():
            if word.endswith((".jpg", ".png")):
                (folder / word).parent.mkdir(parents=True, exist_ok=True)
                (folder / word).touch()
    return folder


def test_people_and_instruments_are_those_that_names_tell(tmp_path: Path) -> None:
    cefa = "EA/EA-012-198006250024/3_012_1_1_{}/{}/0001.jpg"
    surf = "Training/fake_part/CLKJ_AS0005/04_en_b.rssdk/{}/31.jpg"
    lines = [
        *(" ".join(cefa.format(k, m) for m in ("profile", "depth", "ir")) + f" {int(k == 1)}" for k in (1, 2, 3, 4)),
        " ".join(surf.format(m) for m in ("color", "depth", "ir")) + " 0",
        "x/001_01.png x/001_02.png x/001_03.png 0",
    ]
    opened = mmdg.open(str(placed(tmp_path, {"C-train": "\n".join(lines)})))
    read = opened.samples("C-train")
    assert read.subjects.tolist() == ["3_012"] * 4 + ["CLKJ_AS0005", "x/001_01.png"]
    assert read.attributes["species"].tolist() == ["", "cloth", "photo", "screen", "04_en_b", ""]
    assert read.attributes["attack"].tolist() == [False, True, True, True, True, True]


def test_lists_of_padisi_are_known_and_refused(tmp_path: Path) -> None:
    folder = placed(tmp_path, {"P-train.txt": "0001.npz\t1\n", "S-test.txt": "a/1.jpg b/1.jpg c/1.jpg 1\n"})
    opened = mmdg.open(str(folder))
    assert (opened.protocols, opened.refused) == (("S-test",), ("P-train",))
    with pytest.raises(ParameterError, match=r"PADISI whose inner names could not be confirmed(.|\n)*expected: S-test"):
        opened.samples("P-train")
    (folder / "S-test.txt").unlink()
    with pytest.raises(DataError, match=r"holds no list that can be read\n  given: P-train"):
        mmdg.open(str(folder))


def test_a_list_that_is_there_twice_and_a_broken_line_are_refused(tmp_path: Path) -> None:
    line = "a/1.jpg b/1.jpg c/1.jpg 1\n"
    folder = placed(tmp_path, {"S-test.txt": line, "S-test": line})
    with pytest.raises(DataError, match="holds the list S-test twice"):
        mmdg.open(str(folder))
    (folder / "S-test").unlink()
    (folder / "S-test.txt").write_text(line + "a/2.jpg b/2.jpg 1\n")
    with pytest.raises(DataError, match=r"S-test\.txt, line 2 is no presentation"):
        mmdg.open(str(folder)).samples()
    (folder / "S-test.txt").write_text("a/1.jpg b/1.jpg d/1.jpg 1\n")
    with pytest.raises(DataError, match=r"names 1 pictures that are not there\n  given: d/1\.jpg"):
        mmdg.open(str(folder)).samples()


def test_what_the_layout_cannot_hold_is_refused(shown: Samples, tmp_path: Path) -> None:
    other = replace(shown, attributes={**shown.attributes, "set": np.full(len(shown), "P")})
    with pytest.raises(DataError, match="given: P\n  expected: C, S, W"):
        mmdg.write(other, None, tmp_path / "out")
    with pytest.raises(DataError, match="needs the attribute 'nir'"):
        mmdg.write(replace(shown, attributes={k: v for k, v in shown.attributes.items() if k != "nir"}), None,
                   tmp_path / "out")  # fmt: skip
    with pytest.raises(DataError, match="ir has another length than the samples"):
        mmdg.write(shown, None, tmp_path / "out", ir=list(shown)[1:])
    numbers = replace(shown, attributes={**shown.attributes, "attack": np.ones(len(shown))})
    with pytest.raises(DataError, match="no truth value"):
        mmdg.write(numbers, None, tmp_path / "out")
    with pytest.raises(NoTrialsError, match="one presentation at a time"):
        mmdg.open(str(placed(tmp_path, {"S-test.txt": "a/1.jpg b/1.jpg c/1.jpg 1\n"}))).trials()
