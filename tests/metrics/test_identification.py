"""Identification by hand, by bob.measure's vectors, and by counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core import ShapeError, Undefined
from workbench.metrics import identification as idn


def bob() -> idn.Searches:
    """bob.measure's CMC case: four probes, non-mates and mates of each."""
    cases = [((0.3, 1.1, 0.5), (0.7,)), ((1.4, -1.3, 0.6), (0.2,)), ((0.8, 0, 1.5), (-0.8, 1.8)),
             ((2, 1.3, 1.6, 0.9), (2.4,))]  # fmt: skip
    rows, owners = [], []
    for i, (others, mates) in enumerate(cases):
        rows.append(np.r_[others, mates])
        owners.append(np.r_[np.full(len(others), 100), np.full(len(mates), i)])
    parts = [
        idn.searches_of_matrix(r[None], np.array([i]), o) for i, (r, o) in enumerate(zip(rows, owners, strict=True))
    ]
    joined = (np.concatenate([getattr(p, n) for p in parts]) for n in ("mated", "mate", "rank", "rival", "subjects"))
    return idn.Searches(*joined, gallery=5)


def test_bobs_cmc() -> None:
    assert float(idn.rank_rate(bob(), 1, interval="none")) == 0.5
    assert np.asarray(idn.cmc(bob(), 5)).tolist() == [0.5, 0.75, 1, 1, 1]


def test_a_tie_loses_in_rank_and_wins_at_the_threshold() -> None:
    tied = idn.searches_of_matrix(np.array([[0.5, 0.5], [0.5, 0.2]]), np.array([0, 7]), np.array([0, 1]))
    assert tied.rank.tolist() == [2, 0]
    assert float(idn.rank_rate(tied, 1, interval="none")) == 0.0
    assert float(idn.fpir(tied, 0.5, interval="none")) == 1.0
    assert float(idn.fnir(tied, 0.5, interval="none")) == 0.0
    assert float(idn.fnir(tied, 0.5, rank=1, interval="none")) == 1.0


def test_a_known_probes_wrong_candidate_is_no_false_positive() -> None:
    # The mated probe's best candidate is somebody else, far above: FPIR looks at the other probe only.
    found = idn.searches_of_matrix(np.array([[0.3, 0.9], [0.1, 0.2]]), np.array([0, 7]), np.array([0, 1]))
    assert float(idn.fpir(found, 0.25, interval="none")) == 0.0
    assert idn.selectivity(np.array([[0.3, 0.9], [0.1, 0.2]]), np.array([0, 7]), np.array([0, 1]), 0.1) == 2.0


matrices = st.integers(0, 10**6)


@given(matrices, st.sampled_from([0.0, 0.1, 0.34, 1.0]), st.sampled_from([None, 1, 2]))
def test_fnir_at_fpir_is_the_best_of_all_thresholds(seed: int, target: float, rank: int | None) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, (12, 8)).astype(float)
    scores[rng.random((12, 8)) < 0.1] = -np.inf
    found = idn.searches_of_matrix(scores, rng.integers(0, 8, 12), rng.integers(0, 5, 8))
    value = idn.fnir_at_fpir(found, target, rank=rank, resamples=0).value
    threshold = idn.threshold_at_fpir(found, target)
    if not found.mated.any() or found.mated.all():
        assert isinstance(value, Undefined)
        return
    allowed = []
    for t in [*range(6), np.nextafter(5, 9)]:
        if float(idn.fpir(found, t, interval="none")) <= target:
            allowed.append((float(idn.fnir(found, t, rank=rank, interval="none")), t))
    assert float(value) == pytest.approx(min(allowed)[0])
    assert float(idn.fpir(found, float(threshold), interval="none")) <= target
    assert float(idn.fnir(found, float(threshold), rank=rank, interval="none")) == pytest.approx(float(value))


def test_failures_to_acquire_are_misses_and_are_named() -> None:
    scores = np.array([[-np.inf, -np.inf], [0.9, 0.1]])
    found = idn.searches_of_matrix(scores, np.array([0, 0]), np.array([0, 1]))
    assert found.failures == 1
    estimate = idn.rank_rate(found, 1, interval="none")
    assert float(estimate) == 0.5
    assert "1 mated failures to acquire counted as misses" in estimate.rule
    with pytest.raises(ShapeError, match="minus infinity"):
        idn.searches_of_matrix(np.array([[np.nan]]), np.array([0]), np.array([0]))


def test_distractors_only_push_mates_down() -> None:
    rng = np.random.default_rng(0)
    scores, more = rng.integers(0, 9, (20, 10)).astype(float), rng.integers(0, 9, (20, 30)).astype(float)
    probes, owners = rng.integers(0, 12, 20), rng.integers(0, 8, 10)
    base = idn.searches_of_matrix(scores, probes, owners)
    grown = idn.with_distractors(base, more)
    whole = idn.searches_of_matrix(np.c_[scores, more], probes, np.r_[owners, np.full(30, 99)])
    for name in ("mated", "mate", "rank", "rival"):
        assert np.array_equal(getattr(grown, name), getattr(whole, name)), name
    assert grown.gallery == 40


def test_intervals_cover_and_are_over_subjects() -> None:
    rng = np.random.default_rng(1)
    probes = np.repeat(np.arange(40), 5)
    scores = rng.standard_normal((200, 25)) + 2.0 * (probes[:, None] == np.arange(25))
    found = idn.searches_of_matrix(scores, probes, np.arange(25))
    estimate = idn.fnir_at_fpir(found, 0.1, resamples=200)
    assert float(estimate.low) <= float(estimate) <= float(estimate.high)
    assert "over 40 capture subjects" in estimate.rule
    assert idn.cmc(idn.searches_of_matrix(scores[:3], np.array([90, 91, 92]), np.arange(25)), 3) == Undefined(
        "no mated searches", {"mated": 0, "nonmated": 3, "gallery": 25, "failures": 0, "subjects": 3}
    )


def test_two_galleries_as_one_list_by_counting() -> None:
    rng = np.random.default_rng(2)
    probes = rng.integers(0, 20, 50)
    owners = [np.arange(10), np.arange(10, 20)]
    scores = [rng.standard_normal((50, 10)) + 2 * (probes[:, None] == o) for o in owners]
    mixed = idn.joined(*(idn.searches_of_matrix(s, probes, o) for s, o in zip(scores, owners, strict=True)))
    assert mixed.counts == {
        "mated": 50,
        "nonmated": 50,
        "gallery": 20,
        "failures": 0,
        "subjects": len(np.unique(probes)),
    }
    false = missed = 0
    for s, o in zip(scores, owners, strict=True):
        for row, who in zip(s, probes, strict=True):
            if who in o:
                missed += row[list(o).index(who)] < 1.5
            else:
                false += row.max() >= 1.5
    assert float(idn.fpir(mixed, 1.5, interval="none")) == pytest.approx(false / 50)
    assert float(idn.fnir(mixed, 1.5, interval="none")) == pytest.approx(missed / 50)
    with pytest.raises(ShapeError, match="at least one gallery"):
        idn.joined()
