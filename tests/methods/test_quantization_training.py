"""Calibration, batches, fine-tuning, and where pictures come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from workbench import files
from workbench.core import ShapeError, WeightsError
from workbench.methods import quantization as q
from workbench.methods import quantization_arms as arms
from workbench.methods import quantization_data as pictures
from workbench.methods import quantization_networks as networks
from workbench.methods import quantization_training as training
from workbench.methods.quantization_networks import Recogniser


def images(people: int, each: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Smooth pictures of 32 pixels that differ more between people than within one."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.uniform(0, 255, (people, 4, 4, 3)), each, 0) + rng.normal(0, 20, (people * each, 4, 4, 3))
    large = np.repeat(np.repeat(np.clip(own, 0, 255), 8, 1), 8, 2)
    return large.astype(np.uint8), np.repeat(np.arange(people), each)


@pytest.fixture(scope="module")
def teacher() -> Recogniser:
    chips, labels = images(12, 8)
    return networks.trained(chips, labels, widths=(4, 8), epochs=3, seed=0)


PLAN = training.Plan(4, "kd", steps=12, batch=32, moving=6, rate=0.1)


def test_a_batch_is_half_even_and_half_four_each_of_some_people() -> None:
    labels = np.repeat(np.arange(12), 8)
    for at in training.batches(labels, 5, 96, np.random.default_rng(0)):
        assert len(at) == 96
        who, times = np.unique(labels[at[48:]], return_counts=True)
        assert len(who) == 12
        assert set(times.tolist()) == {4}
        assert len(set(at[:48].tolist())) == 48
    lonely = training.batches(np.arange(3), 1, 16, np.random.default_rng(0))[0]
    assert len(lonely) == 16
    assert [len(set(lonely[8 + 4 * k : 12 + 4 * k].tolist())) for k in range(2)] == [1, 1]


def test_arms_of_a_set_see_the_same_batches_whatever_they_minimise(teacher: Recogniser) -> None:
    chips, labels = images(6, 6, 1)
    first = [
        training.tune(teacher, chips, labels, replace(PLAN, objective=o), np.random.default_rng(3)).distances[0]
        for o in ("kd", "kd+ekd", "classification+ekd")
    ]
    assert first[0] == first[1] == first[2]


def test_the_distance_is_the_mean_over_all_entries_of_unit_vectors() -> None:
    student, teacher = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([[0.0, 2.0], [5.0, 0.0]])
    wanted = ((0.6 - 0) ** 2 + (0.8 - 1) ** 2 + 0 + 0) / 4
    assert float(training.distance(student, teacher)) == pytest.approx(wanted)


def test_fine_tuning_comes_nearer_to_the_teacher_and_its_ranges_stop(teacher: Recogniser) -> None:
    chips, labels = images(12, 8)
    plan = replace(PLAN, steps=40, moving=5)
    tuned = training.tune(teacher, chips, labels, plan, np.random.default_rng(0))
    assert tuned.distances[-10:].mean() < 0.7 * tuned.distances[:5].mean()
    assert np.array_equal(tuned.losses, tuned.distances)
    short = training.tune(teacher, chips, labels, replace(plan, steps=5), np.random.default_rng(0))
    long = training.tune(teacher, chips, labels, replace(plan, steps=9), np.random.default_rng(0))
    ranges = [k for k in short.state if k.endswith((".low", ".high"))]
    assert len(ranges) == 12
    # The learning rate falls more slowly in the longer one, so ranges of the first steps are alike, not equal.
    assert [float(short.state[k]) for k in ranges] == pytest.approx([float(long.state[k]) for k in ranges], rel=0.1)
    never = training.tune(teacher, chips, labels, replace(plan, moving=0), np.random.default_rng(0))
    only = training.tune(teacher, chips, labels, replace(plan, objective=""), np.random.default_rng(0))
    assert {k: float(never.state[k]) for k in ranges} == {k: float(only.state[k]) for k in ranges}
    assert not any(np.array_equal(never.state[k], only.state[k]) for k in never.state if k.endswith("inner.weight"))


def test_the_evaluation_oriented_loss_is_added_with_its_weight(teacher: Recogniser) -> None:
    chips, labels = images(6, 6, 1)
    runs = {
        weight: training.tune(teacher, chips, labels, replace(PLAN, objective="kd+ekd", weight=weight, steps=1),
                              np.random.default_rng(3))
        for weight in (0.0, 1.0, 3.0)
    }  # fmt: skip
    more = [float(runs[w].losses[0] - runs[w].distances[0]) for w in runs]
    assert more[0] == 0
    assert more[2] == pytest.approx(3 * more[1])
    assert more[1] > 0
    assert runs[1.0].thresholds.shape == (1, 2, 5)
    assert np.abs(runs[1.0].thresholds[0, 0] - runs[1.0].thresholds[0, 1]).max() > 1e-4


def test_classification_takes_the_general_half_alone(teacher: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = training.arcface_loss
    monkeypatch.setattr(training, "arcface_loss", lambda e, *a, **k: seen.append((len(e), k)) or real(e, *a, **k))
    chips, labels = images(6, 6, 1)
    plan = replace(PLAN, objective="classification+ekd", steps=2)
    tuned = training.tune(teacher, chips, labels, plan, np.random.default_rng(3))
    assert seen == [(16, {"margin": 0.4, "scale": 64.0})] * 2
    assert np.all(tuned.losses > tuned.distances)


def test_a_network_that_still_changes_is_not_judged(teacher: Recogniser) -> None:
    chips, _ = images(2, 2)
    student = training.calibrate(q.quantised(teacher.network(), 4), teacher, chips)
    with pytest.raises(ShapeError, match="freeze"):
        training.embed(student, teacher, chips)
    with pytest.raises(ShapeError, match="training mode"):
        training.embed(q.freeze(student).train(), teacher, chips)
    found = training.embed(student.eval(), teacher, chips)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-6)
    assert training.embed(student, teacher, chips[1:2])[0] == pytest.approx(found[1], abs=1e-5)


def test_a_restored_student_is_the_one_that_was_tuned(teacher: Recogniser) -> None:
    chips, labels = images(6, 6, 1)
    tuned = training.tune(teacher, chips, labels, PLAN, np.random.default_rng(0))
    kept = files.unpack(files.pack(tuned))
    one, other = (training.embed(training.restored(teacher, dict(t.state), 4), teacher, chips) for t in (tuned, kept))
    assert np.array_equal(one, other)
    with pytest.raises(WeightsError, match="does not fit"):
        training.restored(replace(teacher, kind="mobilefacenet"), dict(tuned.state), 4)


def test_the_small_set_is_a_few_pictures_of_a_few_people() -> None:
    labels = np.repeat(np.arange(20), 6)
    at = pictures.subset_of(labels, 5, 4, 0)
    assert np.unique(labels[at], return_counts=True)[1].tolist() == [4] * 5
    assert len(set(at.tolist())) == 20
    assert not np.array_equal(at, pictures.subset_of(labels, 5, 4, 1))
    assert len(pictures.subset_of(labels, 99, 99, 0)) == 120


def test_phantoms_of_the_test_are_nobody_of_the_full_set() -> None:
    sizes = {"people": 3, "images": 2, "tests": 3, "shots": 2, "small_people": 2, "small_images": 2}
    material = pictures.faces(**sizes, seed=0)
    assert material.train.shape == (6, 32, 32, 3)
    assert len(material.trials) == 15
    assert material.shared == ()
    assert material.train.std() > 20
    names = np.array(["ann", "bob"])
    assert pictures.shared(material.train[:2], names, material.test[:2], np.array(["bob", "eve"])) == [
        "1 people by name, 'bob' first"
    ]
    assert pictures.shared(material.train[:2], names, material.train[1:3], np.array(["", ""])) == [
        "1 pictures, equal to the bit"
    ]


def test_people_who_resemble_a_test_picture_are_counted() -> None:
    train = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    test = np.array([[0, 0.8, 0.6, 0], [0, 0, 0, 1]], np.float32)
    assert pictures.resembling(train, np.array([7, 7, 8, 9]), test, 0.7) == [8]
    assert pictures.resembling(train, np.array([7, 7, 8, 9]), test, 0.5) == [8, 9]


def test_rates_of_repeats_are_averaged_draw_by_draw() -> None:
    sizes = {"people": 2, "images": 2, "tests": 6, "shots": 3, "small_people": 2, "small_images": 2}
    material = pictures.faces(**sizes, seed=0)
    rng = np.random.default_rng(0)
    made = rng.normal(size=(2, 18, 8)) + 2 * np.repeat(rng.normal(size=(6, 8)), 3, 0)
    unit = (made / np.linalg.norm(made, axis=2, keepdims=True)).astype(np.float32)
    nothing = training.untuned({})
    rates = [
        arms.match_rate(material, "x", arms.Arm(e, nothing, 0), 0.05, resamples=40, seed=0)
        for e in (unit, unit[:1], unit[1:])
    ]
    assert float(rates[0].value) == pytest.approx((float(rates[1].value) + float(rates[2].value)) / 2)
    assert rates[0].drawn == pytest.approx((rates[1].drawn + rates[2].drawn) / 2)
    slow = sorted(float(unit[0, i] @ unit[0, j]) for i in range(18) for j in range(i) if i // 3 != j // 3)
    limit = slow[len(slow) - 1 - int(0.05 * len(slow))]
    hits = [float(unit[0, i] @ unit[0, j]) > limit for i in range(18) for j in range(i) if i // 3 == j // 3]
    assert float(rates[1].value) == pytest.approx(np.mean(hits))


def test_time_of_the_full_sets_epochs_is_that_of_a_step_times_their_number() -> None:
    def arm(seconds: float, count: int) -> arms.Arm:
        tuned = replace(training.untuned({}), seconds=np.full(60, seconds) + np.arange(60) / 1e6)
        return arms.Arm(np.zeros((1, 1, 1), np.float32), tuned, count)

    share = arms.time_share("x", arm(0.02, 96), arm(0.04, 1920), resamples=50, seed=0)
    assert float(share.value) == pytest.approx(0.02 / (0.04 * 20), rel=1e-2)
    assert "fine-tuning steps" in share.draw
    assert share.over == "fine-tuning steps"
    assert share.counts["subjects"] == 60
