"""The bootstrap's fast path against its slow one, and its refusals."""

import numpy as np
import pytest
from scipy.stats import binomtest

from workbench.core import Measurements, ShapeError, Undefined
from workbench.metrics import of_mean, resampling
from workbench.metrics.intervals import of_alike
from workbench.metrics.steps import Steps, shares


def test_the_fast_path_equals_weights_on_every_unit() -> None:
    rng = np.random.default_rng(5)
    n = 300
    subjects, column = rng.integers(0, 25, n), rng.integers(0, 3, n)
    errors = rng.random(n) < 0.2 + 0.2 * column

    def combine(wrong: np.ndarray, tried: np.ndarray) -> np.ndarray:
        return shares(wrong, tried)[..., 1:].max(axis=-1) + shares(wrong, tried)[..., 0]

    def slow(weights: np.ndarray | None) -> float | Undefined:
        w = np.ones(n) if weights is None else weights
        rates = []
        for k in range(3):
            mine = column == k
            if w[mine].sum() == 0:
                return Undefined("empty")
            rates.append(float((w * errors)[mine].sum() / w[mine].sum()))
        return rates[0] + max(rates[1:])

    fast = resampling.of_ratios(errors, column, 3, combine, subjects, "r", {}, resamples=200, seed=4)
    slowly = resampling.of_units(slow, subjects, "r", {}, resamples=200, seed=4)
    assert float(fast) == pytest.approx(float(slowly))
    assert (fast.low, fast.high) == pytest.approx((slowly.low, slowly.high), rel=1e-12)
    assert fast.rule == slowly.rule


def test_few_people_give_no_bootstrap_interval() -> None:
    errors = np.array([True, False] * 20)
    found = resampling.proportion(errors, np.arange(40) % 4, "r", {}, interval="bootstrap")
    assert float(found) == 0.5
    assert "fewer than 5 capture subjects" in str(found.low)
    auto = resampling.proportion(errors, np.arange(40) % 4, "r", {})
    assert "Clopper-Pearson" in auto.rule
    assert isinstance(resampling.proportion(errors[:0], np.arange(0), "r", {}).value, Undefined)


def test_names_serve_as_subjects_like_codes() -> None:
    errors = np.arange(60) % 3 == 0
    codes = np.arange(60) // 4
    names = np.array([f"person {c:02d}" for c in codes])
    by = [resampling.proportion(errors, s, "r", {}, interval="bootstrap", resamples=100) for s in (codes, names)]
    assert (by[0].low, by[0].high) == (by[1].low, by[1].high)


def test_steps_merge_ties_and_leave_minus_infinity_below() -> None:
    steps = Steps(np.array([1.0, -np.inf, 1.0, 2.0]), np.array([0, 0, 1, 1]), 3)
    assert steps.thresholds.tolist() == [1, 2, np.inf]
    accepted, whole = steps.masses()
    assert accepted.tolist() == [[1, 0, 0], [2, 1, 0], [0, 0, 0]]
    assert whole.tolist() == [2, 2, 0]
    weighted, _ = steps.masses(np.array([3.0, 1.0, 0.0, 5.0]))
    assert weighted[:2].tolist() == [[3, 0, 0], [5, 5, 0]]
    with pytest.raises(ShapeError, match="scores are NaN"):
        Steps(np.array([np.nan]), np.array([0]), 1)


def test_units_that_are_alike_have_the_interval_of_who_may_be_otherwise() -> None:
    people = np.arange(40)[:, None]
    one = np.ones(40)
    # Nobody of 40, by hand; then one of 40, by SciPy's own interval.
    none, single = 1 - 0.025 ** (1 / 40), binomtest(1, 40).proportion_ci(0.95, "exact").high
    assert of_alike(one, people, (-1.0, 1.0)) == pytest.approx((1 - 2 * none, 1.0))
    assert of_alike(np.r_[one[1:], 0.0], people, (0.0, 1.5)) == pytest.approx((1 - single, 1 + single / 2))
    # A unit of two people counts as one of them.
    assert of_alike(one, np.stack([np.arange(40), np.arange(40) + 40], 1), (0.0, 1.0))[0] == pytest.approx(1 - none)
    found = of_mean(Measurements("ours", one, people, (0.0, 1.0)), against=Measurements("o", 0 * one, people, (0, 0.5)))
    assert (found.low, found.high) == (pytest.approx(1 - 1.5 * none), 1.0)
    assert "Clopper and Pearson's 95% bound" in found.rule
    # One arm whose bounds are not known leaves nothing known of the difference.
    without = of_mean(Measurements("ours", one, people, (0.0, 1.0)), against=Measurements("o", 0 * one, people))
    assert isinstance(without.low, Undefined)


def test_a_mean_of_few_who_are_otherwise_lies_in_its_interval_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(0), []
    for share in (0.01, 0.03, 0.06):
        for _ in range(400):
            values = (rng.random(30) < share).astype(float)
            low, high = of_alike(values, np.arange(30)[:, None], (0.0, 1.0))
            held.append(low <= share <= high)
    assert np.mean(held) >= 0.95


def test_bounds_are_kept() -> None:
    with pytest.raises(ShapeError, match="leave their bounds"):
        Measurements("ours", np.array([0.5, 1.5, np.nan]), np.arange(3)[:, None], (0.0, 1.0))
