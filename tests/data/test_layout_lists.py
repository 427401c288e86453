"""Layouts of pairs: LFW written, and InsightFace's .bin in both directions."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench import data, files
from workbench.core import DataError, ParameterError, Samples, Trials
from workbench.data import insightface_bin
from workbench.metrics.compatibility.folded import folds_of


def folded(pairs: Trials) -> Trials:
    """Four folds of one mated and one non-mated trial, those of a fold not beside each other."""
    return replace(pairs, fold=np.r_[0:4, 0:4])


def named(samples: Samples, trials: Trials, pictures: np.ndarray) -> list[tuple[int, int, bool]]:
    """Trials by which of the original pictures they compare."""
    index = {p.tobytes(): i for i, p in enumerate(pictures)}
    which = [index[p.tobytes()] for p in samples]
    return [(which[r], which[p], bool(m)) for r, p, m in zip(trials.reference, trials.probe, trials.mated, strict=True)]


def originals(trials: Trials) -> list[tuple[int, int, bool]]:
    return list(zip(trials.reference.tolist(), trials.probe.tolist(), trials.mated.tolist(), strict=True))


@pytest.mark.parametrize("layout", ["lfw", "insightface-bin"])
def test_the_same_trials_come_back_in_their_order(faces: Samples, pairs: Trials, tmp_path: Path, layout: str) -> None:
    opened = data.open_dataset(data.export(faces, pairs, layout, tmp_path / "out"))
    samples, trials = opened.samples(), opened.trials()
    assert named(samples, trials, faces.images) == originals(pairs)
    assert trials.fold is None
    people = np.array([samples.subjects[trials.reference], samples.subjects[trials.probe]])
    wanted = np.array([faces.subjects[pairs.reference], faces.subjects[pairs.probe]])
    # The same people: by name in LFW, as the same partition in a file that has no names.
    assert len({*zip(people.ravel(), wanted.ravel(), strict=True)}) == len(set(wanted.ravel())) == 4
    if layout == "lfw":
        assert people.tolist() == wanted.tolist()


def test_lfw_is_written_as_published(faces: Samples, pairs: Trials, tmp_path: Path) -> None:
    data.export(faces, pairs, "lfw", tmp_path / "view1")
    lines = (tmp_path / "view1" / "pairsDevTest.txt").read_text().splitlines()
    assert lines[:2] == ["4", "train-0000\t1\t2"]
    assert [len(line.split("\t")) for line in lines[1:]] == [3] * 4 + [4] * 4
    assert (tmp_path / "view1" / "lfw" / "train-0003" / "train-0003_0002.jpg").is_file()
    data.export(faces, folded(pairs), "lfw", tmp_path / "view2")
    lines = (tmp_path / "view2" / "pairs.txt").read_text().splitlines()
    assert lines[0] == "4\t1"
    assert [len(line.split("\t")) for line in lines[1:]] == [3, 4] * 4
    trials = data.open_dataset(f"lfw:{tmp_path / 'view2'}").trials("view2")
    assert trials.fold.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_lfw_takes_equal_numbers_only(faces: Samples, pairs: Trials, tmp_path: Path) -> None:
    uneven = replace(folded(pairs), fold=np.r_[0:4, 0:3, 0])
    for trials in (pairs.subset(np.arange(7)), uneven, pairs.subset(np.arange(0)), pairs.subset(np.arange(4))):
        with pytest.raises(DataError, match="as many mated as non-mated pairs in every fold"):
            data.export(faces, trials, "lfw", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("pairs_", "folds"), [(10, 10), (23, 10), (6000, 10), (7, 3)])
def test_folds_are_those_of_the_published_evaluation(pairs_: int, folds: int) -> None:
    ours = insightface_bin.blocks(pairs_, folds)
    theirs = folds_of(np.ones(pairs_, bool), folds)
    assert all(np.array_equal(ours == k, mask) for k, mask in enumerate(theirs))


def packed(tmp_path: Path, pictures: list[bytes], mated: list[bool], name: str = "lfw.bin") -> Path:
    (tmp_path / name).write_bytes(pickle.dumps((pictures, mated)))
    return tmp_path / name


def test_people_are_told_by_mated_pairs_and_equal_pictures(tmp_path: Path) -> None:
    a, b, c, d = b"a", b"b", b"c", b"d"
    path = packed(tmp_path, [a, b, b, c, c, d, a, d], [True, True, False, False])
    opened = insightface_bin.open(str(path))
    trials = opened.trials()
    # a = b, b = c, so the pair (a, d) compares the same two people as (c, d).
    assert trials.subjects.tolist() == [[0, 0], [0, 0], [0, 1], [0, 1]]
    assert opened.samples().subjects.tolist() == [f"lfw-{k:06d}" for k in (0, 0, 0, 0, 0, 1, 0, 1)]
    assert opened.samples().ids[:2] == ("lfw/000000", "lfw/000001")
    apart = insightface_bin.open(str(path), people="pairs").trials()
    assert apart.subjects.tolist() == [[0, 0], [2, 2], [4, 5], [6, 7]]


def test_labels_that_contradict_each_other_are_refused_with_a_way_out(tmp_path: Path) -> None:
    path = packed(tmp_path, [b"a", b"b", b"b", b"c", b"c", b"a"], [True, True, False])
    opened = insightface_bin.open(str(path))
    with pytest.raises(DataError, match=r"calls 1 pairs non-mated(.|\n)*first pair 2(.|\n)*people='pairs'"):
        opened.trials()
    assert insightface_bin.open(str(path), people="pairs").trials().mated.tolist() == [True, True, False]
    with pytest.raises(ParameterError, match="'linked' or 'pairs'"):
        insightface_bin.open(str(path), people="names")


def test_a_bin_is_cut_into_ten_or_as_asked(tmp_path: Path) -> None:
    path = packed(tmp_path, [b"%d" % i for i in range(46)], [True] * 23)
    assert np.bincount(insightface_bin.open(str(path)).trials().fold).tolist() == [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]
    assert np.bincount(data.open_dataset(f"insightface-bin:{path}", folds=2).trials().fold).tolist() == [12, 11]
    assert data.open_dataset(f"insightface-bin:{path}", folds=24).trials().fold is None


def test_written_folds_must_be_the_blocks_that_are_read(faces: Samples, pairs: Trials, tmp_path: Path) -> None:
    path = insightface_bin.write(faces, folded(pairs), tmp_path / "out", file="phantom.bin")
    assert path == tmp_path / "out" / "phantom.bin"
    opened = insightface_bin.open(str(tmp_path / "out"), folds=4)
    order = [0, 4, 1, 5, 2, 6, 3, 7]
    assert named(opened.samples(), opened.trials(), faces.images) == originals(pairs.subset(np.array(order)))
    assert opened.trials().fold.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    with pytest.raises(
        DataError, match=r"no equal blocks of pairs\n  given: sizes \[5, 3\]\n  expected: 8 pairs cut into 2"
    ):
        data.export(faces, replace(pairs, fold=np.r_[[0] * 5, [1] * 3]), "insightface-bin", tmp_path / "x")


def test_a_folder_of_several_bins_asks_which(tmp_path: Path) -> None:
    packed(tmp_path, [b"a", b"b"], [True], "lfw.bin")
    packed(tmp_path, [b"a", b"b"], [True], "agedb_30.bin")
    with pytest.raises(DataError, match=r"holds 2 \.bin files\n  given: agedb_30\.bin, lfw\.bin"):
        data.open_dataset(f"insightface-bin:{tmp_path}")


def test_a_bin_with_a_command_in_it_runs_nothing(tmp_path: Path) -> None:
    class Command:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch '{tmp_path / 'ran'}'",)

    (tmp_path / "lfw.bin").write_bytes(pickle.dumps(([b"a", Command()], [True])))
    with pytest.raises(DataError, match=r"lfw\.bin was refused(.|\n)*given: (posix|nt) system"):
        data.open_dataset(f"insightface-bin:{tmp_path / 'lfw.bin'}")
    assert not (tmp_path / "ran").exists()
    pickle.loads((tmp_path / "lfw.bin").read_bytes())
    assert (tmp_path / "ran").exists()


def test_real_view_1_packed_as_a_bin_is_the_same_list(shared: Path, tmp_path: Path) -> None:
    """The published pairs survive a change of layout, and linking finds no more people than there are."""
    real = data.open_dataset(f"lfw:{shared / 'data' / 'lfw-view1'}")
    samples, trials = real.samples(), real.trials()
    names = [files.read_bytes(samples.images.path(i)) for i in range(len(samples))]
    sides = np.stack([trials.reference, trials.probe], 1).ravel()
    path = packed(tmp_path, [names[i] for i in sides], trials.mated.tolist())
    opened = insightface_bin.open(str(path))
    assert opened.trials().mated.tolist() == trials.mated.tolist()
    assert np.array_equal(opened.samples().images[5], samples.images[int(sides[5])])
    linked = {*zip(opened.samples().subjects, samples.subjects[sides], strict=True)}
    assert len(linked) == len({code for code, _ in linked}) >= len({name for _, name in linked})
