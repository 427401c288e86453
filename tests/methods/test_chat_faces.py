"""Pictures, networks and decisions of the study of chat models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from workbench import data
from workbench.core import DataError, Samples, Scores, Trials
from workbench.methods import chat_dedicated as dedicated
from workbench.methods import chat_double as double
from workbench.methods import chat_faces as faces
from workbench.metrics import fold_accuracy
from workbench.probing import side_by_side


def test_pairs_come_in_folds_that_share_nobody_and_weigh_alike() -> None:
    samples, trials = faces.phantom_pairs(12, 12, size=32, seed=0)
    assert (int(trials.mated.sum()), int((~trials.mated).sum())) == (12, 12)
    assert trials.fold is not None
    people = [set(trials.subjects[trials.fold == f].ravel().tolist()) for f in range(3)]
    assert not any(people[i] & people[j] for i in range(3) for j in range(i))
    assert {(int(f), bool(m)): int(np.sum((trials.fold == f) & (trials.mated == m)))
            for f in range(3) for m in (True, False)} == dict.fromkeys(
                ((f, m) for f in range(3) for m in (True, False)), 4)  # fmt: skip
    named = samples.subjects
    np.testing.assert_array_equal(named[trials.reference] == named[trials.probe], trials.mated)
    assert len(set(map(tuple, np.stack([trials.reference, trials.probe], 1).tolist()))) == 24
    assert not np.any(trials.reference == trials.probe)


def test_pairs_that_are_not_there_are_refused() -> None:
    with pytest.raises(DataError, match="too few pairs"):
        faces.stratified_trials(
            Trials(*(np.zeros(0, np.int64),) * 2, np.zeros(0, bool), np.zeros((0, 2), np.int64)), 3, 0
        )


def test_singles_cover_the_ages_and_the_out_of_focus_ones_are_less_sharp() -> None:
    samples = faces.phantom_singles(36, size=56, seed=0)
    age = np.asarray(samples.attributes["age"])
    assert age.dtype.kind == "i"
    assert np.histogram(age, [18, 27, 37, 47, 56, 66, 76])[0].min() >= 4
    assert len(set(samples.subjects)) == 36
    sharp = faces.sharpness(samples)
    soft = np.stack([cv2.GaussianBlur(image, (0, 0), 2) for image in samples])
    blurred = faces.sharpness(replace(samples, images=soft))
    assert (blurred < sharp).all()
    # Brightness is not sharpness.
    dark = faces.sharpness(replace(samples, images=(np.asarray(samples.images) // 2).astype(np.uint8)))
    np.testing.assert_allclose(dark, sharp, rtol=0.3)


def test_thirds_are_even() -> None:
    assert np.bincount(faces.thirds(np.random.default_rng(0).random(31))).tolist() == [11, 10, 10]
    assert faces.thirds(np.array([3.0, 1.0, 2.0])).tolist() == [2, 0, 1]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms in the published layouts of LFW and UTKFace."""
    root = tmp_path_factory.mktemp("layouts")
    samples, trials = faces.phantom_pairs(16, 16, size=64, seed=1)
    data.export(samples, trials, "lfw", root / "lfw")
    alone = faces.phantom_singles(30, size=64, seed=1)
    known = {"age": alone.attributes["age"], "gender": 1 - np.asarray(alone.attributes["masculine"])}
    data.export(replace(alone, attributes=known), None, "utkface", root / "utk")
    return root


def test_lfw_gives_a_stratified_part_of_its_pairs(written: Path) -> None:
    found = faces.real_faces(f"lfw:{written / 'lfw'}", 8, 99, 0)
    assert (found.name, found.real, found.singles) == ("lfw", True, None)
    assert found.trials is not None
    assert found.pairs is not None
    assert found.trials.fold is not None
    for fold in np.unique(found.trials.fold):
        here = found.trials.fold == fold
        assert (int((here & found.trials.mated).sum()), int((here & ~found.trials.mated).sum())) == (2, 2)
    assert len(found.pairs) == len(np.unique(np.r_[found.trials.reference, found.trials.probe]))
    people = found.pairs.subjects
    np.testing.assert_array_equal(people[found.trials.reference] == people[found.trials.probe], found.trials.mated)


def test_utkface_gives_labels_and_gender_0_is_male(written: Path) -> None:
    found = faces.real_faces(f"utkface:{written / 'utk'}", 8, 20, 0)
    assert found.singles is not None
    assert (found.pairs, found.trials, len(found.singles)) == (None, None, 20)
    for name, age, masculine in zip(
        found.singles.ids, found.singles.attributes["age"], found.singles.attributes["masculine"], strict=True
    ):
        words = name.split("_")
        assert (int(words[0]), 1 - int(words[1])) == (int(age), int(masculine))  # type: ignore[call-overload]


def test_a_set_without_pairs_and_labels_says_what_would_do() -> None:
    bare = Samples("x/y", ("a",), np.array(["a"]), np.zeros((1, 8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="neither pairs nor labels"):
        faces._labelled("x", bare, 1, 0)


def test_cosface_by_hand_and_by_a_loop() -> None:
    rng = np.random.default_rng(0)
    vectors, centres, labels = rng.normal(size=(7, 5)), rng.normal(size=(4, 5)), rng.integers(0, 4, 7)
    total = 0.0
    for v, y in zip(vectors, labels, strict=True):
        cosines = [float(v @ c / np.linalg.norm(v) / np.linalg.norm(c)) for c in centres]
        logits = [16 * (x - 0.2 * (k == y)) for k, x in enumerate(cosines)]
        total += np.log(sum(np.exp(logits))) - logits[y]
    found = double.cosface_loss(*map(torch.from_numpy, (vectors, centres, labels)))
    assert float(found) == pytest.approx(total / 7)


@pytest.fixture(scope="module")
def taught() -> tuple[double.Lessons, double.Taught, double.Taught]:
    portraits, chips = faces.lessons(16, 4, size=64, seed=0)
    assert portraits.held.shape == chips.held.shape == (24, 64, 64, 3)
    assert not np.array_equal(portraits.images, chips.images)
    return portraits, double.teach_sight(portraits, epochs=4, seed=0), double.teach_dedicated(chips, epochs=4, seed=0)


def test_training_learns_and_repeats(taught: tuple[double.Lessons, double.Taught, double.Taught]) -> None:
    lessons, sight, network = taught
    assert sight.losses[-1] < sight.losses[0]
    assert network.losses[-1] < network.losses[0]
    assert double.teach_sight(lessons, epochs=4, seed=0).digest == sight.digest
    assert double.teach_sight(lessons, epochs=4, seed=1).digest != sight.digest
    assert -1 <= sight.threshold < 1


def test_eyes_see_one_face_in_a_portrait_and_two_in_a_stitched_pair(
    taught: tuple[double.Lessons, double.Taught, double.Taught],
) -> None:
    eyes = double.SmallEyes(taught[1])
    pictures = list(np.asarray(faces.phantom_singles(2, size=80, seed=3).images))
    (one,), (other,) = eyes.look(pictures)
    pair = eyes.look([side_by_side(*pictures)])[0]
    assert [f.box for f in pair] == [(0.0, 0.0, 80.0, 80.0), (96.0, 0.0, 176.0, 80.0)]
    for alone, together in zip((one, other), pair, strict=True):
        np.testing.assert_array_equal(alone.embedding, together.embedding)
        assert (alone.age, alone.gender) == (together.age, together.gender)
    assert one.embedding is not None
    assert np.linalg.norm(one.embedding) == pytest.approx(1, abs=1e-5)
    assert not np.array_equal(one.embedding, other.embedding)


def test_decisions_are_those_of_the_published_rule(taught: tuple[double.Lessons, double.Taught, double.Taught]) -> None:
    samples, trials = faces.phantom_pairs(16, 24, size=64, seed=2)
    found = dedicated.compared(samples, trials, taught[2], "", 0)
    assert found.digest == dedicated.TRAINED_HERE
    published = fold_accuracy(Scores("x", trials, found.scores, np.ones(len(trials), bool)))
    means = [np.mean((found.accepted == trials.mated)[found.fold == f]) for f in np.unique(found.fold)]
    assert float(published) == pytest.approx(np.mean(means))


def test_a_face_that_is_not_found_is_a_rejection_and_trials_without_folds_get_some() -> None:
    scores = np.array([0.9, np.nan, 0.8, 0.1, 0.2, np.nan, 0.7, 0.0])
    mated = np.array([1, 1, 1, 0, 0, 0, 1, 0], bool)
    accepted = dedicated.decided(scores, mated, np.arange(8) % 2)
    assert accepted[[1, 5]].tolist() == [0, 0]
    n = np.arange(40)
    trials = Trials(n, n + 40, n < 20, np.stack([n, np.where(n < 20, n, n + 40)], 1))
    fold = dedicated.folds_of(trials, 0)
    assert sorted(np.bincount(fold).tolist()) == [4] * 10


def test_shipped_readers_are_named_and_read_phantoms() -> None:
    samples = faces.phantom_singles(24, size=96, seed=0)
    found = dedicated.readings(samples)
    assert "shipped" in found.name
    right = found.masculine == np.asarray(samples.attributes["masculine"])
    assert right.mean() > 0.8
    assert np.abs(found.age - np.asarray(samples.attributes["age"])).mean() < 15
