import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.metrics import roc_auc_score

from workbench import metrics
from workbench.core import Scores, Trials, Undefined


def scores(mated: list[float], nonmated: list[float], acquired: list[bool] | None = None) -> Scores:
    n, m = len(mated), len(nonmated)
    kind = np.r_[np.ones(n, bool), np.zeros(m, bool)]
    subjects = np.stack([np.arange(n + m), np.where(kind, np.arange(n + m), np.arange(n + m) + 1000)], 1)
    ok = np.ones(n + m, bool) if acquired is None else np.array(acquired)
    values = np.where(ok, np.r_[mated, nonmated].astype(float), np.nan)
    return Scores("m", Trials(np.arange(n + m), np.arange(n + m), kind, subjects), values, ok)


@pytest.fixture(scope="module")
def iris() -> Scores:
    data, target = load_iris(return_X_y=True)
    return scores(data[target == 1, 0].tolist(), data[target == 0, 0].tolist())


def test_rates_by_hand_with_ties() -> None:
    rates = metrics.error_rates(scores([1.0, 2.0, 2.0, 3.0], [0.0, 1.0, 2.0]))
    assert rates.thresholds.tolist() == [0, 1, 2, 3, np.inf]
    assert rates.fmr.round(6).tolist() == [1, 0.666667, 0.333333, 0, 0]
    assert rates.fnmr.tolist() == [0, 0, 0.25, 0.75, 1]


@pytest.mark.parametrize(("fmr", "threshold", "fnmr"), [(0.05, 5.8, 0.42), (0.02, 5.8, 0.42), (0.1, 5.5, 0.12)])
def test_the_published_vectors(iris: Scores, fmr: float, threshold: float, fnmr: float) -> None:
    assert float(metrics.fnmr_at_fmr(iris, fmr, resamples=0)) == pytest.approx(fnmr)
    assert metrics.threshold_at_fmr(iris, fmr) == pytest.approx(threshold)


def test_more_published_vectors(iris: Scores) -> None:
    assert float(metrics.fnmr_at_fmr(iris, 0.0, resamples=0)) == pytest.approx(0.48)
    assert float(metrics.eer(iris, resamples=0)) == pytest.approx(0.11)
    assert float(metrics.auc(iris, resamples=0)) == pytest.approx(0.9326)


def test_auc_agrees_with_scikit_learn(iris: Scores) -> None:
    assert float(metrics.auc(iris, resamples=0)) == pytest.approx(roc_auc_score(iris.trials.mated, iris.values))


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=30), st.lists(st.integers(0, 12), min_size=1, max_size=30),
    st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_fnmr_at_fmr_equals_a_slow_count(mated: list[int], nonmated: list[int], fmr: float) -> None:
    best = 1.0
    for threshold in sorted({*mated, *nonmated, 99}):
        if sum(s >= threshold for s in nonmated) / len(nonmated) <= fmr:
            best = sum(s < threshold for s in mated) / len(mated)
            break
    found = scores([float(m) for m in mated], [float(m) for m in nonmated])
    assert float(metrics.fnmr_at_fmr(found, fmr, resamples=0)) == pytest.approx(best)
    # A monotone transform changes no rate.
    cubed = scores([float(m) ** 3 for m in mated], [float(m) ** 3 for m in nonmated])
    assert float(metrics.eer(cubed, resamples=0)) == float(metrics.eer(found, resamples=0))


def test_a_failure_to_acquire_is_a_rejection() -> None:
    found = scores([3.0, 3.0], [1.0, 1.0], [True, False, True, False])
    assert metrics.fmr_fnmr_at(found, 0.0) == (0.5, 0.5)
    estimate = metrics.fnmr_at_fmr(found, 0.0, resamples=0)
    assert float(estimate) == 0.5
    assert "2 failures to acquire counted as rejections" in estimate.rule
    assert float(metrics.fnmr_at_fmr(found, 0.0, resamples=0, fta="exclude")) == 0.0


@pytest.mark.parametrize(("mated", "nonmated"), [([], [1.0]), ([1.0], [])])
def test_one_kind_only_is_undefined(mated: list[float], nonmated: list[float]) -> None:
    for measure in (metrics.eer, metrics.auc):
        assert isinstance(measure(scores(mated, nonmated)).value, Undefined)


def test_ten_folds_by_hand() -> None:
    # Fold 0 is judged at 3 (the lowest best threshold of fold 1), fold 1 at 2 (of fold 0).
    found = scores([2.0, 5.0, 3.0, 3.0], [1.0, 1.0, 2.0, 2.5])
    folds = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    estimate = metrics.fold_accuracy(found, folds)
    assert float(estimate) == pytest.approx((0.75 + 0.5) / 2)


@pytest.mark.parametrize(
    ("errors", "n", "low", "high"),
    [(0, 1000, 0.0, 0.003682083896865671), (1, 1000, 2.531748749129404e-05, 0.005558924279826672),
     (10, 10000, 0.00047963972377107695, 0.0018382641342106199)],
)  # fmt: skip
def test_clopper_pearson(errors: int, n: int, low: float, high: float) -> None:
    assert metrics.clopper_pearson(errors, n) == pytest.approx((low, high), rel=1e-9)


def test_the_bootstrap_covers_the_truth() -> None:
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        subjects = np.arange(40)
        values = np.repeat(rng.normal(1.0, 1.0, 40), 5) + rng.normal(0, 0.2, 200)
        from workbench.core import Measurements

        units = Measurements("a", values, np.repeat(subjects, 5)[:, None])
        estimate = metrics.of_mean(units, resamples=300, seed=seed)
        hits += estimate.low <= 1.0 <= estimate.high
    assert 51 <= hits <= 60


def test_explanation_measures_by_hand() -> None:
    maps = np.array([[[0.0, 1.0], [3.0, 0.0]]])
    mask = np.array([[[False, False], [True, False]]])
    assert metrics.mass_ratio(maps, mask).tolist() == [3.0]
    assert metrics.mass_share(maps, mask).tolist() == [0.75]
    assert metrics.pointing(maps, mask).tolist() == [1.0]
    assert np.isnan(metrics.mass_ratio(maps * 0, mask))[0]
    assert metrics.area(np.array([0, 0.5, 1.0]), np.array([[1.0, 1.0, 0.0]])).tolist() == [0.75]
    assert metrics.spearman(maps, -maps).tolist() == pytest.approx([-1.0])


def test_without_any_score_nothing_is_defined() -> None:
    subjects = np.array([[0, 0], [0, 1], [2, 2], [2, 3]])
    trials = Trials(np.arange(4), np.arange(4), subjects[:, 0] == subjects[:, 1], subjects)
    nothing = Scores("m", trials, np.full(4, np.nan), np.zeros(4, bool))
    assert metrics.eer(nothing).value == metrics.threshold_at_fmr(nothing, 0.1)
    assert "no trial has a score" in str(metrics.fnmr_at_fmr(nothing, 0.1).value)


def test_resamples_that_are_all_alike_give_no_interval() -> None:
    subjects = np.repeat(np.arange(12), 2).reshape(-1, 2)
    subjects = np.r_[subjects, np.c_[np.arange(12), (np.arange(12) + 1) % 12]]
    n = np.arange(len(subjects))
    trials = Trials(n, n, subjects[:, 0] == subjects[:, 1], subjects)
    apart = Scores("m", trials, np.where(trials.mated, 1.0, 0.0), np.ones(len(n), bool))
    found = metrics.eer(apart, resamples=50)
    assert float(found) == 0.0
    assert "cannot see the uncertainty" in str(found.low)
