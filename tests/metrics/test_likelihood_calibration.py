"""Likelihood-ratio costs and calibration: the published vectors, scikit-learn, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression
from scipy.special import logit
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from workbench.core import Scores, ShapeError, Trials, Undefined
from workbench.metrics import calibration as cal
from workbench.metrics import hull
from workbench.metrics.compatibility import bob_min_cllr
from workbench.metrics.logistic import fit_logistic

DATA, TARGET = load_iris(return_X_y=True)
POS, NEG = DATA[TARGET == 1, 0], DATA[TARGET == 0, 0]


def scored(mated: np.ndarray, nonmated: np.ndarray, *, people: int = 10**6, name: str = "") -> Scores:
    values = np.r_[mated, nonmated].astype(float)
    kind = np.arange(len(values)) < len(mated)
    index = np.arange(len(values))
    subjects = np.stack([index % people, np.where(kind, index % people, (index + 1) % people)], axis=1)
    return Scores("m", Trials(index, index, kind, subjects, None, name), values, np.isfinite(values))


IRIS = scored(POS, NEG)


def test_published_costs_on_iris() -> None:
    assert float(cal.cllr(IRIS, resamples=0)) == pytest.approx(3.618334575741369, abs=2e-15)
    # The published minimum takes tied scores apart, non-mated first; merged, they cost more.
    assert bob_min_cllr(NEG, POS) == pytest.approx(0.33736, abs=5e-6)
    merged = cal.min_cllr(IRIS, resamples=0)
    assert float(merged) == pytest.approx(0.40306201053558705, abs=1e-12)
    assert "ties merged" in merged.rule
    assert merged.unit == "bits"
    loss = cal.calibration_loss(IRIS, resamples=0)
    assert float(loss) == pytest.approx(3.618334575741369 - 0.40306201053558705, abs=1e-12)


def test_costs_by_hand() -> None:
    assert float(cal.cllr(scored(np.zeros(3), np.zeros(2)), resamples=0)) == 1.0
    one = cal.cllr(scored(np.log([3.0]), np.log([1 / 3])), resamples=0)
    assert float(one) == pytest.approx(np.log2(4 / 3))
    assert float(cal.min_cllr(scored(np.array([2.0, 3]), np.array([0.0, 1])), resamples=0)) == 0.0
    assert float(cal.min_cllr(scored(np.array([0.0, 1]), np.array([2.0, 3])), resamples=0)) == 1.0
    # Two blocks: non-mated 0, 2 and mated 1, 3 give ratios 0, 1 and infinity, so half of each kind costs one bit.
    assert float(cal.min_cllr(scored(np.array([1.0, 3]), np.array([0.0, 2])), resamples=0)) == 0.5
    mated, nonmated, times = np.array([0.3, -2.0]), np.array([1.0, -0.5]), np.array([1, 3])
    repeated = cal.cllr_of(np.repeat(mated, times), np.repeat(nonmated, times[::-1]))
    assert cal.cllr_of(mated, nonmated, times, times[::-1]) == pytest.approx(repeated)
    extreme = cal.cllr(scored(np.array([2000.0]), np.array([-2000.0])), resamples=0)
    assert float(extreme) == 0.0


numbers = st.lists(st.integers(-6, 6), min_size=1, max_size=25)


@given(numbers, numbers, st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_ratios_as_isotonic_regression_has_them(mated: list[int], nonmated: list[int], seed: int) -> None:
    values = np.r_[mated, nonmated].astype(float)
    kind = np.arange(len(values)) < len(mated)
    weights = np.random.default_rng(seed).integers(1, 4, len(values)).astype(float)
    group = np.unique(values, return_inverse=True)[1]
    both, own = np.bincount(group, weights), np.bincount(group, weights * kind)
    chance = isotonic_regression(own / both, weights=both).x[group].clip(0, 1)
    whole = weights[kind].sum(), weights[~kind].sum()
    with np.errstate(divide="ignore"):
        expected = logit(chance) - np.log(whole[0] / whole[1])
    found = cal.pav_llrs(values, kind, weights)
    finite = np.abs(expected) < 30
    np.testing.assert_allclose(found[finite], expected[finite], atol=1e-9)
    assert np.array_equal(np.sign(found[~finite]), np.sign(expected[~finite]))
    assert np.isinf(found[~finite]).all()
    # Repeating a score is weighing it.
    times = weights.astype(int)
    again = cal.pav_llrs(np.repeat(values, times), np.repeat(kind, times))
    np.testing.assert_allclose(again, np.repeat(found, times), atol=1e-12)


@given(numbers, numbers)
@settings(max_examples=60, deadline=None)
def test_the_minimum_sees_order_only(mated: list[int], nonmated: list[int]) -> None:
    first = scored(np.array(mated, float), np.array(nonmated, float))
    cubed = scored(np.array(mated, float) ** 3 + 1, np.array(nonmated, float) ** 3 + 1)
    least = float(cal.min_cllr(first, resamples=0))
    assert float(cal.min_cllr(cubed, resamples=0)) == least
    assert 0.0 <= least <= 1.0 + 1e-12
    assert least <= float(cal.cllr(first, resamples=0)) + 1e-12
    assert bob_min_cllr(np.array(nonmated, float), np.array(mated, float)) <= least + 1e-12


def test_the_published_hull() -> None:
    found = hull.rocch(IRIS)
    assert not isinstance(found, Undefined)
    assert found[0].tolist() == pytest.approx([1, 0.68, 0.28, 0.1, 0.06, 0, 0], abs=1e-15)
    assert found[1].tolist() == pytest.approx([0, 0, 0.08, 0.12, 0.22, 0.48, 1], abs=1e-15)
    assert float(hull.rocch_eer(IRIS, resamples=0)) == pytest.approx(0.116363636363636, abs=1e-14)
    # The separable set of the same source: petal lengths.
    apart = hull.rocch(scored(DATA[TARGET == 2, 2], DATA[TARGET == 0, 2]))
    assert not isinstance(apart, Undefined)
    assert [side.tolist() for side in apart] == [[1, 0, 0], [0, 0, 1]]
    assert float(hull.rocch_eer(scored(DATA[TARGET == 2, 2], DATA[TARGET == 0, 2]), resamples=0)) == 0.0


@given(numbers, numbers, st.floats(0.01, 0.99))
@settings(max_examples=60, deadline=None)
def test_the_hull_has_the_least_cost_at_any_prior(mated: list[int], nonmated: list[int], share: float) -> None:
    found = hull.rocch(scored(np.array(mated, float), np.array(nonmated, float)))
    assert not isinstance(found, Undefined)
    least = min(
        share * np.mean(np.array(nonmated) >= t) + (1 - share) * np.mean(np.array(mated) < t)
        for t in [*mated, *nonmated, 99]
    )
    assert np.min(share * found[0] + (1 - share) * found[1]) == pytest.approx(least, abs=1e-12)
    # Its EER is the worst of these costs over all priors, and no threshold has both rates below it.
    rate = float(hull.rocch_eer(scored(np.array(mated, float), np.array(nonmated, float)), resamples=0))
    assert least <= rate + 1e-12
    points = [(np.mean(np.array(nonmated) >= t), np.mean(np.array(mated) < t)) for t in [*mated, *nonmated, 99]]
    assert rate <= min(max(p) for p in points) + 1e-12


def test_failures_are_left_out_of_costs_and_rejected_by_the_hull() -> None:
    values = scored(np.r_[POS, np.nan], np.r_[NEG, np.nan, np.nan])
    found = cal.cllr(values, resamples=0)
    assert float(found) == pytest.approx(3.618334575741369, abs=1e-14)
    assert found.counts["failures"] == 3
    assert "3 failures to acquire left out" in found.rule
    points = hull.rocch(values)
    assert not isinstance(points, Undefined)
    assert (points[0][0], points[1][0]) == (1.0, 0.0)
    assert float(hull.rocch_eer(values, fta="exclude", resamples=0)) == pytest.approx(0.116363636363636, abs=1e-14)


@pytest.mark.parametrize("measure", [cal.cllr, cal.min_cllr, cal.calibration_loss, hull.rocch_eer])
def test_intervals_over_people_and_one_kind_only(measure: object) -> None:
    rng = np.random.default_rng(0)
    found = measure(scored(rng.normal(2, 1, 60), rng.normal(0, 1, 90), people=30), resamples=60)
    assert found.low <= float(found) <= found.high
    assert found.low < found.high
    assert "bootstrap over 30 capture subjects" in found.rule
    for one in (scored(POS, NEG[:0]), scored(POS[:0], NEG)):
        assert isinstance(measure(one).value, Undefined)


@pytest.mark.parametrize("prior", [0.5, 0.01, 0.9])
def test_linear_calibration_is_logistic_regression(prior: float) -> None:
    rng = np.random.default_rng(3)
    raw = scored(rng.normal(5, 2, 300), rng.normal(0, 2, 900), name="dev")
    fitted = cal.linear_calibration(raw, prior=prior)
    assert isinstance(fitted, cal.LinearCalibration)
    kind = raw.trials.mated
    weight = np.where(kind, prior / 300, (1 - prior) / 900) * 1200
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=5000).fit(raw.values[:, None], kind, sample_weight=weight)
    assert fitted.slope == pytest.approx(model.coef_[0, 0], rel=1e-5)
    assert fitted.offset + logit(prior) == pytest.approx(model.intercept_[0], rel=1e-5, abs=1e-4)
    out = fitted.apply(scored(np.array([5.0, np.nan]), np.array([0.0]), name="test"))
    assert out.values[[0, 2]].tolist() == pytest.approx([fitted.slope * 5 + fitted.offset, fitted.offset])
    assert out.acquired.tolist() == [True, False, True]
    assert "calibrated on m on dev" in out.arm
    if prior == 0.5:
        # The fit is the least cost that a line can have.
        here = float(cal.cllr(fitted.apply(raw), resamples=0))
        for slope, offset in ((1.02, 0), (0.98, 0), (1, 0.02), (1, -0.02)):
            near = cal.LinearCalibration(fitted.slope * slope, fitted.offset + offset, 0.5, "", {})
            assert float(cal.cllr(near.apply(raw), resamples=0)) > here
        assert here < float(cal.cllr(raw, resamples=0))


def test_calibrated_gaussian_scores_are_true_likelihood_ratios() -> None:
    # Equal variances 1, means 1 and -1: the true ratio is 2 s exactly.
    rng = np.random.default_rng(8)
    fitted = cal.linear_calibration(scored(rng.normal(1, 1, 40000), rng.normal(-1, 1, 40000)))
    assert isinstance(fitted, cal.LinearCalibration)
    assert (fitted.slope, fitted.offset) == pytest.approx((2.0, 0.0), abs=0.06)


def test_no_finite_line_is_undefined() -> None:
    apart = cal.linear_calibration(scored(np.array([3.0, 4]), np.array([1.0, 2])))
    assert isinstance(apart, Undefined)
    assert "told apart without an error" in apart.reason
    for mated, nonmated in (([1.0, 2], [3.0, 4]), ([2.0, 3], [1.0, 2]), ([1.0], [1.0]), ([], [1.0])):
        assert isinstance(cal.linear_calibration(scored(np.array(mated), np.array(nonmated))), Undefined)
    with pytest.raises(ShapeError, match="prior"):
        fit_logistic(np.ones((2, 1)), np.array([True, False]), 1.0)
    with pytest.raises(ShapeError):
        fit_logistic(np.ones(2), np.array([True, False]))
