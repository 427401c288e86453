"""Attack detection over all thresholds against slow searches, scikit-learn and invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import det_curve

from workbench.core import Undefined
from workbench.metrics import attack_curves as curves
from workbench.metrics.presentations import Presentations


def presentations(bonafide: list[float], species: dict[str, list[float]], name: str = "t") -> Presentations:
    values = np.array([*bonafide, *(s for scores in species.values() for s in scores)], np.float64)
    kinds = np.array([""] * len(bonafide) + [k for k, scores in species.items() for _ in scores], dtype=np.str_)
    return Presentations(name, values, kinds == "", kinds, np.arange(len(values)))


def test_pooled_errors_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    found = presentations(
        rng.normal(1, 1, 80).round(1).tolist(), {"a": rng.normal(0, 1, 40).round(1).tolist(), "b": [0.3] * 9}
    )
    rates = curves.attack_rates(found, across="pooled")
    assert not isinstance(rates, Undefined)
    fpr, fnr, thresholds = det_curve(found.bonafide, found.values)
    at = np.searchsorted(rates.thresholds, thresholds)
    assert rates.apcer[at] == pytest.approx(fpr)
    assert rates.bpcer[at] == pytest.approx(fnr)


def test_the_worst_species_changes_along_the_curve_by_hand() -> None:
    found = presentations([2.0, 4.0], {"a": [1.0, 1.0, 1.0, 5.0], "b": [3.0, 0.0]})
    rates = curves.attack_rates(found)
    assert not isinstance(rates, Undefined)
    assert rates.thresholds.tolist() == [0, 1, 2, 3, 4, 5, np.inf]
    assert rates.by_species["a"].tolist() == [1, 1, 0.25, 0.25, 0.25, 0.25, 0]
    assert rates.by_species["b"].tolist() == [1, 0.5, 0.5, 0.5, 0, 0, 0]
    assert rates.apcer.tolist() == [1, 1, 0.5, 0.5, 0.25, 0.25, 0]
    assert rates.bpcer.tolist() == [0, 0, 0, 0.5, 0.5, 1, 1]
    # Smallest gap at T = 3 (0.5, 0.5); pooled it lies at T = 3 too, with APCER 2/6.
    assert float(curves.d_eer(found, resamples=0)) == 0.5
    assert float(curves.d_eer(found, across="pooled", resamples=0)) == pytest.approx((2 / 6 + 0.5) / 2)
    assert "all species pooled" in curves.d_eer(found, across="pooled", resamples=0).rule
    assert curves.threshold_at_eer(found).value == 3.0
    assert curves.threshold_at_bpcer(found, 0.5).value == 4.0
    assert float(curves.apcer_at_bpcer(found, 0.5, resamples=0)) == 0.25
    # APCER 0 needs a threshold above every score.
    assert curves.threshold_at_apcer(found, 0.0).value == np.nextafter(5.0, 6.0)
    assert float(curves.bpcer_at_apcer(found, 0.0, resamples=0)) == 1.0


def test_bpcer_that_no_threshold_reaches_is_undefined() -> None:
    kinds = np.array(["", "", "a"])
    acquired = np.array([True, False, True])
    found = Presentations("t", np.array([1.0, np.nan, 0.0]), kinds == "", kinds, np.arange(3), acquired)
    value = curves.apcer_at_bpcer(found, 0.1, nonresponse="attack", resamples=0).value
    assert isinstance(value, Undefined)
    assert "no threshold reaches BPCER <= 0.1" in str(value)
    assert isinstance(curves.threshold_at_bpcer(found, 0.1, nonresponse="attack").value, Undefined)


def test_few_errors_get_an_exact_interval_and_many_the_bootstrap() -> None:
    rng = np.random.default_rng(1)
    clear = presentations([5.0] * 30, {"a": [0.0] * 30})
    point = curves.bpcer_at_apcer(clear, 0.05)
    assert float(point) == 0.0
    assert point.high == pytest.approx(1 - 0.025 ** (1 / 30))
    assert "the threshold found is taken as fixed" in point.rule
    zero = curves.d_eer(clear, resamples=50)
    assert float(zero) == 0.0
    assert isinstance(zero.low, Undefined)
    assert "every resample gives the same value" in str(zero.low)
    hard = presentations(rng.normal(1, 1, 150).tolist(), {"a": rng.normal(0, 1, 100).tolist()})
    wide = curves.bpcer_at_apcer(hard, 0.1, resamples=200)
    assert "bootstrap over 250 capture subjects, 200 resamples" in wide.rule
    assert wide.low < float(wide) < wide.high


def test_the_d_eer_interval_covers_the_truth() -> None:
    # Bona fide N(1, 1), attacks N(0, 1): the error rates meet at Phi(-0.5).
    truth, hits = 0.30853753872598694, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = presentations(rng.normal(1, 1, 120).tolist(), {"a": rng.normal(0, 1, 120).tolist()})
        estimate = curves.d_eer(found, resamples=150, seed=seed)
        hits += estimate.low <= truth <= estimate.high
    assert 33 <= hits <= 40


@pytest.mark.parametrize("across", ["worst", "pooled", "mean"])
def test_the_search_equals_the_whole_curve_under_any_weights(across: str) -> None:
    rng = np.random.default_rng(8)
    found = presentations(
        rng.integers(0, 15, 60).tolist(), {"a": rng.integers(0, 12, 30).tolist(), "b": rng.integers(2, 9, 20).tolist()}
    )
    curve = curves.AttackCurve(found, across)
    for _ in range(40):
        weights = rng.integers(0, 3, len(found)).astype(float)
        attack, bona = curve.rates(weights)
        for limit in (0.0, 0.1, 0.3):
            at = curve.search(weights, lambda a, _, limit=limit: a <= limit)
            assert at.at == np.argmax(attack <= limit)
            assert at.errors(at.at) == pytest.approx((attack[at.at], bona[at.at]))


scores = st.lists(st.integers(0, 8), min_size=1, max_size=12)


@given(scores, scores, scores, st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.5, 1.0]))
@settings(max_examples=80, deadline=None)
def test_operating_points_equal_a_slow_search(bona: list[int], one: list[int], two: list[int], limit: float) -> None:
    def at(threshold: float) -> tuple[float, float]:
        attack = max(sum(s >= threshold for s in kind) / len(kind) for kind in (one, two))
        return attack, sum(s < threshold for s in bona) / len(bona)

    points = [at(t) for t in sorted({*bona, *one, *two, 99})]
    made = [
        presentations([f(s) for s in bona], {"a": [f(s) for s in one], "b": [f(s) for s in two]})
        for f in (float, lambda s: float(np.exp(s)))
    ]
    for found in made:  # A monotone transform changes no rate.
        best = min(b for a, b in points if a <= limit)
        assert float(curves.bpcer_at_apcer(found, limit, resamples=0)) == pytest.approx(best)
        lowest = min(a for a, b in points if b <= limit)
        assert float(curves.apcer_at_bpcer(found, limit, resamples=0)) == pytest.approx(lowest)
        gap = min(abs(a - b) for a, b in points)
        means = [(a + b) / 2 for a, b in points if abs(a - b) <= gap + 1e-12]
        assert min(abs(float(curves.d_eer(found, resamples=0)) - m) for m in means) < 1e-9


@given(scores, scores)
@settings(max_examples=40, deadline=None)
def test_copies_and_an_easy_species_change_nothing(bona: list[int], attack: list[int]) -> None:
    one = presentations([float(s) for s in bona], {"a": [float(s) for s in attack]})
    twice = presentations([float(s) for s in bona * 2], {"a": [float(s) for s in attack * 2]})
    easy = presentations([float(s) for s in bona], {"a": [float(s) for s in attack], "z": [-1.0] * 5})
    value = float(curves.bpcer_at_apcer(one, 0.1, resamples=0))
    assert float(curves.bpcer_at_apcer(twice, 0.1, resamples=0)) == value
    assert float(curves.bpcer_at_apcer(easy, 0.1, resamples=0)) == value
