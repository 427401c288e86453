"""ISO/IEC 30107-3 rates at a threshold: the published vector, hand-worked cases, origins, non-responses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.datasets import load_iris

from workbench.core import ShapeError, Undefined, UnknownNameError
from workbench.metrics import attack_curves, attacks
from workbench.metrics.presentations import Presentations, Threshold


def presentations(
    bonafide: list[float], species: dict[str, list[float]], name: str = "test", subjects: list[int] | None = None
) -> Presentations:
    values = np.array([*bonafide, *(s for scores in species.values() for s in scores)], np.float64)
    kinds = np.array([""] * len(bonafide) + [k for k, scores in species.items() for _ in scores], dtype=np.str_)
    people = np.arange(len(values)) if subjects is None else np.array(subjects)
    return Presentations(name, values, kinds == "", kinds, people)


@pytest.fixture(scope="module")
def iris() -> Presentations:
    data, target = load_iris(return_X_y=True)
    return presentations(
        data[target == 1, 0].tolist(),
        {"A": data[target == 0, 0].tolist(), "B": np.round(data[target == 0, 1] + 2.2, 1).tolist()},
    )


def test_the_published_vector_at_a_threshold(iris: Presentations) -> None:
    at = Threshold.given(5.5)
    by = attacks.apcer_by_species(iris, at)
    assert float(by["A"]) == pytest.approx(0.10)
    assert float(by["B"]) == pytest.approx(0.66)
    worst = attacks.apcer(iris, at)
    assert float(worst) == pytest.approx(0.66)
    assert "largest over the species ('B')" in worst.rule
    assert float(attacks.apcer(iris, at, across="pooled")) == pytest.approx(0.38)
    assert float(attacks.apcer(iris, at, across="mean")) == pytest.approx(0.38)
    assert float(attacks.bpcer(iris, at)) == pytest.approx(0.12)
    assert float(attacks.acer(iris, at)) == pytest.approx((0.66 + 0.12) / 2)
    assert float(attacks.hter(iris, at)) == pytest.approx((0.38 + 0.12) / 2)


@pytest.mark.parametrize(
    ("apcer", "threshold", "bpcer", "pooled_threshold", "pooled"),
    [(0.1, 6.2, 0.68, 6.0, 0.52), (0.05, 6.4, 0.78, 6.2, 0.68), (0.01, 6.7, 0.88, 6.5, 0.82)],
)
def test_the_published_operating_points(
    iris: Presentations, apcer: float, threshold: float, bpcer: float, pooled_threshold: float, pooled: float
) -> None:
    assert float(attack_curves.bpcer_at_apcer(iris, apcer, resamples=0)) == pytest.approx(bpcer)
    assert attack_curves.threshold_at_apcer(iris, apcer).value == pytest.approx(threshold)
    lax = attack_curves.bpcer_at_apcer(iris, apcer, across="pooled", resamples=0)
    assert float(lax) == pytest.approx(pooled)
    assert "all species pooled" in lax.rule
    assert f"(BPCER{round(1 / apcer)})" in lax.rule
    assert attack_curves.threshold_at_apcer(iris, apcer, across="pooled").value == pytest.approx(pooled_threshold)


def test_a_score_equal_to_the_threshold_counts_as_bona_fide() -> None:
    found = presentations([1.0, 2.0], {"print": [2.0, 0.0]})
    assert float(attacks.apcer(found, Threshold.given(2.0))) == 0.5
    assert float(attacks.bpcer(found, Threshold.given(2.0))) == 0.5
    assert float(attacks.apcer(found, Threshold.given(np.nextafter(2.0, 3.0)))) == 0.0


def test_attack_scores_are_negated_and_a_tie_stays_bona_fide() -> None:
    scores, attack = np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True])
    found = Presentations.of_attack_scores("d", scores, attack, "swap", np.arange(4))
    assert found.species_names == ("swap",)
    assert float(attacks.apcer(found, Threshold.given(-0.5))) == 0.5
    assert float(attacks.bpcer(found, Threshold.given(-0.5))) == 0.0


def test_the_threshold_says_where_it_comes_from_and_does_not_see_the_test(iris: Presentations) -> None:
    validation = presentations([3.0, 4.0, 5.0], {"print": [1.0, 2.0, 3.0]}, "oulu/dev")
    threshold = attack_curves.threshold_at_eer(validation)
    assert threshold.value == 3.0
    estimate = attacks.acer(iris, threshold, resamples=0)
    assert "EER threshold" in estimate.rule
    assert "on 'oulu/dev', judged on 'test'" in estimate.rule
    assert "oracle" not in estimate.rule
    assert "T taken as fixed" in estimate.rule
    own = attacks.acer(iris, attack_curves.threshold_at_eer(iris), resamples=0)
    assert "oracle threshold" in own.rule
    # Other test data move the answer, never the threshold.
    assert attack_curves.threshold_at_eer(validation) == threshold
    assert "given" in attacks.hter(iris, Threshold.given(1.0), resamples=0).rule


def test_an_undefined_threshold_gives_undefined_rates(iris: Presentations) -> None:
    nothing = attack_curves.threshold_at_eer(presentations([1.0], {}, "dev"))
    assert isinstance(nothing.value, Undefined)
    for measure in (attacks.apcer, attacks.bpcer, attacks.acer, attacks.hter):
        assert isinstance(measure(iris, nothing).value, Undefined)
    assert isinstance(attacks.apcer_by_species(iris, nothing)["A"].value, Undefined)


def test_non_responses_have_their_own_rates_and_a_named_place_in_the_others() -> None:
    values = np.array([1.0, 1.0, np.nan, np.nan, 0.0, 1.0])
    species = np.array(["", "", "", "mask", "mask", "mask"])
    acquired = np.array([True, True, False, False, True, True])
    found = Presentations("p", values, species == "", species, np.arange(6), acquired)
    assert float(attacks.bpnrr(found)) == pytest.approx(1 / 3)
    assert float(attacks.apnrr_by_species(found)["mask"]) == pytest.approx(1 / 3)
    at = Threshold.given(0.5)
    assert float(attacks.bpcer(found, at)) == 0.0
    assert float(attacks.apcer(found, at)) == 0.5
    assert "2 non-responses left out" in attacks.bpcer(found, at).rule
    assert float(attacks.bpcer(found, at, nonresponse="attack")) == pytest.approx(1 / 3)
    assert float(attacks.apcer(found, at, nonresponse="attack")) == pytest.approx(1 / 3)
    assert attacks.apcer_by_species(found, at)["mask"].counts["nonresponses"] == 1
    assert float(attack_curves.bpcer_at_apcer(found, 0.0, nonresponse="attack", resamples=0)) == 1.0
    silent = Presentations("p", values, species == "", species, np.arange(6), np.arange(6) < 2)
    assert "no response at all from mask" in attacks.apcer(silent, at).rule
    assert isinstance(attacks.apcer(silent, at).value, Undefined)


def test_impostor_attacks_with_and_without_a_detector_by_hand() -> None:
    comparisons = presentations([0.9, 0.8, 0.2, 0.7], {"mask": [0.6, 0.9, 0.1, 0.2], "print": [0.3, 0.1, 0.2, 0.4]})
    at = Threshold.given(0.5)
    assert float(attacks.iapar(comparisons, at)) == 0.5
    assert float(attacks.iapar_by_species(comparisons, at)["print"]) == 0.0
    assert float(attacks.riapar(comparisons, at, resamples=0)) == pytest.approx(0.25 + 0.5)
    passed = np.array([True, False, True, True, False, True, True, True, True, True, True, True])
    assert float(attacks.iapar(comparisons, at, passed=passed)) == 0.25
    assert float(attacks.riapar(comparisons, at, passed=passed, resamples=0)) == pytest.approx(0.5 + 0.25)
    # Rejecting everything is no merit.
    assert float(attacks.riapar(comparisons, Threshold.given(2.0), resamples=0)) == 1.0
    with pytest.raises(ShapeError, match="passed does not fit"):
        attacks.iapar(comparisons, at, passed=np.ones(3, bool))


def test_small_counts_get_an_exact_interval_and_say_so(iris: Presentations) -> None:
    few = attacks.bpcer(iris, Threshold.given(5.5))
    exact = binomtest(6, 50).proportion_ci(method="exact")
    assert (few.low, few.high) == pytest.approx((exact.low, exact.high))
    assert "Clopper-Pearson" in few.rule
    assert "interval of the worst species alone" in attacks.apcer(iris, Threshold.given(6.5)).rule
    none = attacks.apcer(presentations([1.0] * 20, {"print": [0.0] * 20}), Threshold.given(0.5))
    assert float(none) == 0.0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 20))
    many = attacks.apcer(iris, Threshold.given(5.5))
    assert "bootstrap over 100 capture subjects" in many.rule
    assert many.low < 0.66 < many.high
    assert "Wilson" in attacks.apcer(iris, Threshold.given(5.5), interval="wilson").rule
    assert attacks.apcer(iris, Threshold.given(5.5), interval="none").low is None


def test_the_interval_over_subjects_is_wider_than_over_presentations() -> None:
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(30), 20)
    values = np.repeat(rng.normal(0, 1, 30), 20) + rng.normal(0, 0.1, 600)
    species = np.where(np.arange(600) % 2 == 0, "", "print")
    found = Presentations("c", values, species == "", species, people)
    clustered = attacks.bpcer(found, Threshold.given(0.0))
    independent = attacks.bpcer(found, Threshold.given(0.0), interval="clopper-pearson")
    assert clustered.high - clustered.low > 2 * (independent.high - independent.low)


def test_attacks_of_one_potential_are_chosen_by_name(iris: Presentations) -> None:
    only = iris.of_species("A")
    assert only.species_names == ("A",)
    assert float(attacks.apcer(only, Threshold.given(5.5))) == pytest.approx(0.10)
    with pytest.raises(UnknownNameError, match="unknown species 'C'"):
        iris.of_species("C")


def test_one_kind_only_is_undefined() -> None:
    bona, attack = presentations([1.0, 2.0], {}), presentations([], {"print": [1.0]})
    at = Threshold.given(0.0)
    assert isinstance(attacks.apcer(bona, at).value, Undefined)
    assert isinstance(attacks.bpcer(attack, at).value, Undefined)
    for found in (bona, attack):
        assert isinstance(attacks.acer(found, at).value, Undefined)
        assert isinstance(attacks.hter(found, at).value, Undefined)
        assert isinstance(attack_curves.attack_rates(found), Undefined)
        assert isinstance(attack_curves.d_eer(found).value, Undefined)
        assert isinstance(attack_curves.bpcer_at_apcer(found, 0.05).value, Undefined)


def test_bad_input_teaches() -> None:
    ok = presentations([1.0], {"print": [0.0]})
    with pytest.raises(ShapeError, match="not finite on 1"):
        presentations([np.nan], {"print": [0.0]})
    with pytest.raises(ShapeError, match="species and bonafide disagree on 1"):
        Presentations("x", ok.values, ok.bonafide, np.array(["", ""]), ok.subjects)
    with pytest.raises(ShapeError, match="subjects has the wrong shape"):
        Presentations("x", ok.values, ok.bonafide, ok.species, np.arange(3))
    with pytest.raises(ShapeError, match="a threshold is NaN"):
        Threshold.given(np.nan)
    with pytest.raises(ShapeError, match="unknown interval method"):
        attacks.apcer(ok, Threshold.given(0.0), interval="bayes")
    with pytest.raises(ShapeError, match="unknown way across species"):
        attack_curves.d_eer(ok, across="median")
    with pytest.raises(ShapeError, match="unknown rule for non-responses"):
        attacks.bpcer(ok, Threshold.given(0.0), nonresponse="drop")
    with pytest.raises(ShapeError, match="a rate is a fraction"):
        attack_curves.bpcer_at_apcer(ok, 5)


scores = st.lists(st.integers(0, 8), min_size=1, max_size=12)


@given(scores, scores, scores, st.integers(0, 9), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_rates_equal_a_slow_count_and_do_not_depend_on_order(
    bona: list[int], one: list[int], two: list[int], threshold: int, random: object
) -> None:
    found = presentations([float(s) for s in bona], {"a": [float(s) for s in one], "b": [float(s) for s in two]})
    order = list(range(len(found)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for p in (found, found.subset(np.array(order))):
        at = Threshold.given(threshold)
        accepted = [sum(s >= threshold for s in kind) / len(kind) for kind in (one, two)]
        rejected = sum(s < threshold for s in bona) / len(bona)
        assert float(attacks.apcer(p, at, interval="none")) == pytest.approx(max(accepted))
        assert float(attacks.bpcer(p, at, interval="none")) == pytest.approx(rejected)
        assert float(attacks.acer(p, at, resamples=0)) == pytest.approx((max(accepted) + rejected) / 2)
