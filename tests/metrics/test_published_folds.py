"""Ten-fold habits against their published steps written out, and what makes them differ from the house's."""

import numpy as np
import pytest
from scipy.interpolate import interp1d
from sklearn.model_selection import KFold

from workbench.core import ShapeError
from workbench.metrics import compatibility as habit

GRID, FINE = np.arange(0, 4, 0.01), np.arange(0, 4, 0.001)


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    n = 437
    mated = rng.random(n) < 0.5
    first = rng.normal(size=(n, 12))
    second = np.where(mated[:, None], first + rng.normal(size=(n, 12)) * 0.9, rng.normal(size=(n, 12)))
    return first, second, mated


def rates(threshold: float, distances: np.ndarray, mated: np.ndarray) -> tuple[float, float, float]:
    accepted = [d < threshold for d in distances]
    right = sum(a == m for a, m in zip(accepted, mated, strict=True)) / len(mated)
    true = sum(a and m for a, m in zip(accepted, mated, strict=True)) / mated.sum()
    false = sum(a and not m for a, m in zip(accepted, mated, strict=True)) / (~mated).sum()
    return right, true, false


def test_arcface_torchs_ten_folds(pairs: tuple) -> None:
    first, second, mated = pairs
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (first, second)]
    distances = habit.arcface_torch_distances(first, second)
    assert distances == pytest.approx(((unit[0] - unit[1]) ** 2).sum(axis=1), abs=1e-14)
    found = habit.arcface_torch_lfw(distances, mated)
    slow = []
    for train, test in KFold(10, shuffle=False).split(distances):
        scored = [rates(t, distances[train], mated[train])[0] for t in GRID]
        best = GRID[int(np.argmax(scored))]
        slow.append(rates(best, distances[test], mated[test])[0])
    assert found.rates.tolist() == slow
    assert (found.mean, found.spread) == (np.mean(slow), np.std(slow))
    assert "population standard deviation over 10 folds" in found.rule


def test_flipped_features_are_added_before_unit_length(pairs: tuple) -> None:
    first, second, _ = pairs
    mirrored = second[::-1], first[::-1]
    added = habit.arcface_torch_distances(first, second, flipped=mirrored)
    assert added == pytest.approx(habit.arcface_torch_distances(first + mirrored[0], second + mirrored[1]))


def test_arcface_torch_by_hand() -> None:
    # Both folds alike: mated at 0.5 and 1.0, non-mated at 1.0 and 2.0. Thresholds from 0.51 to 1.00 and beyond 1 to 2
    # make one error in four; the first is taken, which a distance of 0.5 passes.
    distances = np.array([0.5, 1.0, 1.0, 2.0] * 2)
    mated = np.array([True, True, False, False] * 2)
    found = habit.arcface_torch_lfw(distances, mated, folds=np.repeat([0, 1], 4))
    assert found.thresholds.tolist() == pytest.approx([0.51, 0.51])
    assert found.rates.tolist() == [0.75, 0.75]
    # A distance equal to the threshold is rejected, in training and in the test.
    mated, folds = np.array([True, False, True, False]), np.array([0, 0, 1, 1])
    equal = habit.arcface_torch_lfw(np.array([0.2, 1.9, 0.5, 1.9]), mated, folds=folds, step=0.5)
    assert equal.thresholds.tolist() == [1.0, 0.5]
    assert equal.rates.tolist() == [1.0, 0.5]


def test_the_step_of_the_grid_alone_moves_the_mean() -> None:
    rng = np.random.default_rng(0)
    mated = np.arange(6000) % 2 == 0
    distances = np.where(mated, rng.normal(0.9, 0.16, 6000), rng.normal(1.55, 0.12, 6000)).clip(0, 4)
    coarse, fine = (habit.arcface_torch_lfw(distances, mated, step=step).mean for step in (0.01, 0.001))
    zoo = habit.facex_zoo_lfw(-distances, mated)
    assert coarse != fine
    assert abs(coarse - fine) < 2e-3
    assert zoo.mean == pytest.approx(coarse, abs=2e-3)


def slow_zoo(scores: np.ndarray, mated: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    low, high = scores[train].min(), scores[train].max()
    step = np.float64(high - low) / 1000
    best, threshold = -9.0, 0.0
    for k in range(1, 1001):
        at = np.float64(low) + step * k
        above = scores[train].astype(np.float64) > at
        difference = above[mated[train]].mean() - above[~mated[train]].mean()
        if difference > best:
            best, threshold = difference, at
    held = scores[test].astype(np.float64)
    return ((held > threshold) & mated[test]).sum() / len(test) + ((held < threshold) & ~mated[test]).sum() / len(test)


def test_facex_zoos_ten_folds(pairs: tuple) -> None:
    first, second, mated = (side[:300] for side in pairs)
    cosine = (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    found = habit.facex_zoo_lfw(cosine, mated)
    single = cosine.astype(np.float32)
    slow = [slow_zoo(single, mated, train, test) for train, test in KFold(10).split(single)]
    assert found.rates == pytest.approx(slow, abs=1e-15)
    assert found.spread == pytest.approx(np.std(slow, ddof=1) / np.sqrt(10))


def test_facex_zoos_tie_is_wrong_on_both_sides() -> None:
    # Of the training scores 0 to 10 the highest step is the score 10 itself, and no lower one is better.
    scores = np.array([0.0, 10.0, 10.0, 0.0, 10.0, 10.0])
    mated = np.array([True, False, True, False, True, False])
    found = habit.facex_zoo_lfw(scores, mated, folds=np.array([0, 0, 0, 1, 1, 1]), steps=1)
    assert found.thresholds.tolist() == [10.0, 10.0]
    assert found.rates.tolist() == pytest.approx([0.0, 1 / 3])
    # In training a non-mated score on the threshold 5 is not accepted, so 5 is best and 10 not needed.
    scores, mated = np.array([10.0, 10, 5, 0] * 2), np.array([True, True, False, False] * 2)
    found = habit.facex_zoo_lfw(scores, mated, folds=2, steps=2)
    assert found.thresholds.tolist() == [5.0, 5.0]
    assert found.rates.tolist() == [0.75, 0.75]


def test_facenets_validation_rate(pairs: tuple) -> None:
    first, second, mated = pairs
    distances = habit.arcface_torch_distances(first, second)
    for target in (1e-3, 0.013, 0.2):
        found, far = habit.facenet_validation_rate(distances, mated, target)
        accepted, alarms = [], []
        for train, test in KFold(10).split(distances):
            below = [(distances[train][~mated[train]] < t).mean() for t in FINE]
            # The published call, of the kind that current SciPy still takes where rates repeat.
            threshold = float(interp1d(below, FINE, kind="linear")(target))
            accepted.append((distances[test][mated[test]] < threshold).mean())
            alarms.append((distances[test][~mated[test]] < threshold).mean())
        assert found.rates == pytest.approx(accepted, abs=1e-15)
        assert (found.mean, found.spread, far) == pytest.approx((np.mean(accepted), np.std(accepted), np.mean(alarms)))


def test_facenets_threshold_is_zero_where_the_target_is_out_of_reach() -> None:
    # Distances of 4 and more are never below a threshold on the grid, so the rate ends at one half.
    distances = np.array([1.0, 2.0, 4.0] * 2)
    mated = np.array([True, False, False] * 2)
    found, far = habit.facenet_validation_rate(distances, mated, 0.6, folds=2)
    assert (found.mean, far, found.thresholds.tolist()) == (0.0, 0.0, [0.0, 0.0])
    found, far = habit.facenet_validation_rate(distances, mated, 0.5, folds=2)
    assert (found.mean, far) == (1.0, 0.5)


def test_what_the_folds_refuse() -> None:
    mated = np.array([True, False])
    for wrong in (
        lambda: habit.arcface_torch_lfw(np.array([1.0, np.nan]), mated, folds=2),
        lambda: habit.arcface_torch_lfw(np.ones(3), mated, folds=2),
        lambda: habit.arcface_torch_lfw(np.ones(2), mated),
        lambda: habit.arcface_torch_lfw(np.ones(2), mated, folds=np.zeros(2, int)),
        lambda: habit.facex_zoo_lfw(np.ones(2), mated, folds=2),
        lambda: habit.facenet_validation_rate(np.ones(2), mated, folds=2),
    ):
        with pytest.raises(ShapeError):
            wrong()
