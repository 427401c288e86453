"""1:N and template habits of the IJB scripts and of CVLface, against their steps written out."""

import numpy as np
import pytest

from workbench.core import ShapeError
from workbench.metrics import compatibility as habit
from workbench.metrics import identification as idn


@pytest.fixture(scope="module")
def search() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    gallery, probes = rng.permutation(30), rng.integers(0, 60, 200)
    scores = rng.normal(size=(200, 30)) + 2.2 * (probes[:, None] == gallery)
    return scores, probes, gallery


def test_dir_far_of_an_open_set(search: tuple) -> None:
    scores, probes, gallery = search
    same = probes[:, None] == gallery
    found = habit.cvlface_dir_far(scores, same, ranks=(1, 5), fars=(0.01, 0.1))
    mated = same.any(axis=1)
    best = sorted((max(row) for row in scores[~mated].tolist()), reverse=True)
    for i, far in enumerate((0.01, 0.1)):
        k = round(len(best) * far)
        threshold = best[k - 1] if k else best[0] + 1e-5
        assert found.thresholds[i] == threshold
        assert found.fars[i] == pytest.approx(sum(b >= threshold for b in best) / len(best))
        for j, rank in enumerate((1, 5)):
            hits = 0
            for row, own in zip(scores[mated].tolist(), same[mated].tolist(), strict=True):
                mate = row[own.index(True)]
                hits += sum(s > mate for s in row) < rank and mate >= threshold
            assert found.dirs[i, j] == pytest.approx(hits / mated.sum())
    # Without ties the rule at rank 1 is the house's miss rate at that threshold.
    house = idn.fnir(
        idn.searches_of_matrix(scores, probes, gallery), float(found.thresholds[1]), rank=1, interval="none"
    )
    assert 1 - float(house) == pytest.approx(found.dirs[1, 0])


def test_dir_far_of_a_closed_set_needs_no_threshold(search: tuple) -> None:
    scores, probes, gallery = search
    mated = np.isin(probes, gallery)
    same = probes[mated, None] == gallery
    found = habit.cvlface_dir_far(scores[mated], same, ranks=(1, 3, 30))
    house = idn.cmc(idn.searches_of_matrix(scores[mated], probes[mated], gallery), 30)
    assert found.dirs[0].tolist() == pytest.approx(np.asarray(house)[[0, 2, 29]].tolist())
    assert (found.fars.tolist(), found.thresholds.tolist()) == ([0.0], [scores[mated].min() - 1e-10])


def test_a_tie_in_dir_far_is_decided_by_the_place() -> None:
    # Sorted rising and read from the end, the later of two equal scores comes first.
    scores = np.array([[0.5, 0.5], [0.5, 0.5]])
    same = np.array([[True, False], [False, True]])
    assert habit.cvlface_dir_far(scores, same).dirs.tolist() == [[0.5]]
    # A mate at the threshold is accepted.
    even = habit.cvlface_dir_far(
        np.array([[0.8, 0], [0.8, 0], [0.1, 0]]), np.eye(3, 2, dtype=bool) & [True, False], fars=(0.5,)
    )
    assert (even.thresholds.tolist(), even.dirs.tolist(), even.fars.tolist()) == ([0.8], [[1.0]], [0.5])
    house = idn.rank_rate(idn.searches_of_matrix(scores, np.array([0, 1]), np.array([0, 1])), 1, interval="none")
    assert float(house) == 0.0


def test_ijb_evals_search(search: tuple) -> None:
    scores, probes, gallery = search
    found = habit.ijb_evals_search(scores, probes, gallery, (0.01, 0.1, 1.0))
    best, margins, places = [], [], []
    for row, probe in zip(scores.tolist(), probes.tolist(), strict=True):
        if probe not in gallery.tolist():
            best.append(max(row))
            continue
        mate = row[gallery.tolist().index(probe)]
        others = [s for s, g in zip(row, gallery.tolist(), strict=True) if g != probe]
        margins.append((mate, max(others)))
        places.append(sum(s > mate for s in others))
    best.sort(reverse=True)
    for i, far in enumerate((0.01, 0.1, 1.0)):
        threshold = best[max(int(len(best) * far) - 1, 0)]
        assert found.thresholds[i] == threshold
        assert found.tpirs[i] == pytest.approx(sum(m > o and m > threshold for m, o in margins) / len(margins))
    assert found.top == pytest.approx(tuple(np.mean(np.array(places) < k) for k in (1, 5, 10)))


def test_a_tie_in_ijb_evals_loses_on_both_counts() -> None:
    scores = np.array([[0.9, 0.9], [0.9, 0.1], [0.8, 0.2]])
    found = habit.ijb_evals_search(scores, np.array([0, 0, 7]), np.array([0, 1]), (1.0,))
    assert (found.thresholds.tolist(), found.tpirs.tolist()) == ([0.8], [0.5])
    even = habit.ijb_evals_search(np.array([[0.8, 0.1], [0.8, 0.1]]), np.array([0, 7]), np.array([0, 1]), (1.0,))
    assert even.tpirs.tolist() == [0.0]


@pytest.mark.parametrize("detector", [True, False])
@pytest.mark.parametrize("flip", [True, False])
def test_n1_of_one_script_is_n0_of_the_other(detector: bool, flip: bool) -> None:
    rng = np.random.default_rng(1)
    features, flipped = rng.normal(size=(2, 40, 6)) * rng.uniform(0.2, 4, (2, 40, 1))
    scores, templates, media = rng.uniform(0.1, 1, 40), rng.integers(0, 5, 40), rng.integers(0, 3, 40)
    inputs = (features, flipped, scores, templates, media)
    flags = {"use_detector_score": detector, "use_flip_test": flip}
    keeps = habit.eval_ijbc_templates(*inputs, use_norm_score=True, **flags)
    removes = habit.eval_ijbc_templates(*inputs, use_norm_score=False, **flags)
    assert np.array_equal(habit.ijb_evals_templates(*inputs, use_norm_score=False, **flags).features, keeps.features)
    assert np.array_equal(habit.ijb_evals_templates(*inputs, use_norm_score=True, **flags).features, removes.features)
    assert np.abs(keeps.features - removes.features).max() > 0.01
    # Whose norm counts: in the one that removes it, an image ten times longer changes nothing.
    longer = np.where(np.arange(40)[:, None] == 3, 10.0, 1.0)
    scaled = (features * longer, flipped * longer, *inputs[2:])
    again = habit.eval_ijbc_templates(*scaled, use_norm_score=False, **flags)
    np.testing.assert_allclose(again.features, removes.features, atol=1e-13)
    assert np.abs(habit.eval_ijbc_templates(*scaled, **flags).features - keeps.features).max() > 0.01


def test_what_the_searches_refuse() -> None:
    scores = np.ones((2, 2))
    for wrong in (
        lambda: habit.cvlface_dir_far(scores, np.ones((2, 3), bool)),
        lambda: habit.cvlface_dir_far(scores, np.zeros((2, 2), bool)),
        lambda: habit.cvlface_dir_far(scores, np.array([[1, 1], [0, 0]], bool), fars=(0.1,)),
        lambda: habit.cvlface_thresholds(np.zeros(0), np.array([0.1])),
        lambda: habit.ijb_evals_threshold(np.zeros(0), 0.1),
        lambda: habit.ijb_evals_search(scores, np.array([0, 1]), np.array([0, 0])),
        lambda: habit.ijb_evals_search(scores, np.array([0, 1]), np.array([0, 1])),
        lambda: habit.ijb_evals_search(scores, np.array([0]), np.array([0, 1])),
    ):
        with pytest.raises(ShapeError):
            wrong()
