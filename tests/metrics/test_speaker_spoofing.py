"""Costs of speaker verification under spoofing: the published vectors, slow minima, ASVspoof's stepping habit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from workbench.core import ParameterError, ShapeError, Undefined
from workbench.metrics import asvspoof, speaker
from workbench.metrics.presentations import Presentations, Threshold
from workbench.metrics.speaker import AsvErrors, DetectionCosts, LegacyTandemCosts, TandemCosts

DATA, TARGET = load_iris(return_X_y=True)
POS, NEG = DATA[TARGET == 1, 0], DATA[TARGET == 0, 0]
ASV = (DATA[TARGET == 1, 2], DATA[TARGET == 0, 2], np.round(DATA[TARGET == 2, 2] - 1.0, 1))


def scored(bonafide: np.ndarray, spoof: np.ndarray, speakers: np.ndarray | None = None) -> Presentations:
    values = np.r_[bonafide, spoof].astype(float)
    species = np.array([""] * len(bonafide) + ["A01"] * len(spoof), dtype=np.str_)
    people = np.arange(len(values)) if speakers is None else speakers
    return Presentations("la/eval", values, species == "", species, people)


@pytest.fixture(scope="module")
def asv() -> AsvErrors:
    _, threshold = asvspoof.asvspoof_eer(ASV[0], ASV[1])
    assert threshold == pytest.approx(1.9)
    found = speaker.asv_errors(*ASV, threshold, origin="ASVspoof's EER threshold")
    assert not isinstance(found, Undefined)
    return found


def test_the_published_errors_of_the_verification_system(asv: AsvErrors) -> None:
    assert (asv.p_fa, asv.p_miss, asv.p_fa_spoof) == pytest.approx((0.04, 0.0, 1.0))


def test_the_published_tandem_costs(asv: AsvErrors) -> None:
    found = speaker.min_tdcf(scored(POS, NEG), asv, resamples=0)
    assert float(found.cost) == pytest.approx(0.32990075426756643, abs=1e-14)
    assert found.threshold == pytest.approx(5.5)
    assert "revised form (ASVspoof 2021)" in found.cost.rule
    assert "ASVspoof's EER threshold" in found.cost.rule
    legacy = speaker.min_tdcf(scored(POS, NEG), asv, LegacyTandemCosts(), resamples=0)
    assert float(legacy.cost) == pytest.approx(0.324808, abs=5e-7)
    assert "ASVspoof 2019 plan" in legacy.cost.rule


def test_the_published_habit_gives_the_same_costs_one_step_lower(asv: AsvErrors) -> None:
    assert asvspoof.asvspoof_min_tdcf(POS, NEG, asv, TandemCosts()) == pytest.approx(
        (0.32990075426756643, 5.4), abs=1e-14
    )
    legacy = asvspoof.asvspoof_min_tdcf(POS, NEG, asv, LegacyTandemCosts())
    assert legacy == pytest.approx((0.324808, 5.4), abs=5e-7)
    assert asvspoof.asvspoof_eer(POS, NEG) == pytest.approx((0.12, 5.4))
    house = speaker.spoof_eer(scored(POS, NEG), resamples=0)
    assert float(house) == pytest.approx(0.11)
    assert "ties merged" in house.rule


def test_the_published_detection_costs() -> None:
    cm, costs = scored(POS, NEG), DetectionCosts(0.05, 1, 10)
    assert float(speaker.min_dcf(cm, costs, resamples=0).cost) == pytest.approx(0.328)
    assert asvspoof.asvspoof_min_dcf(POS, NEG, costs)[0] == pytest.approx(0.328)
    assert speaker.bayes_threshold(costs) == pytest.approx(-0.6418538861723947, abs=1e-15)
    actual = speaker.actual_dcf(scored(POS - 5.4, NEG - 5.4), costs, resamples=0)
    assert float(actual) == pytest.approx(0.78)
    assert "s >= -0.641854" in actual.rule


def test_the_published_architecture_agnostic_cost() -> None:
    spoof = DATA[TARGET == 2, 0] - 1.5
    found = speaker.a_dcf(POS, NEG, spoof)
    assert float(found.cost) == pytest.approx(0.4422222222, abs=5e-11)
    assert asvspoof.asvspoof_a_dcf(POS, NEG, spoof, speaker.ArchitectureCosts())[0] == pytest.approx(0.4422222222)


def test_perfect_and_blind_countermeasures() -> None:
    good, weak = AsvErrors(0.025, 0.025, 0.7), scored(np.ones(20), np.ones(30))
    for costs in (TandemCosts(), LegacyTandemCosts()):
        blind = speaker.min_tdcf(weak, good, costs, resamples=0)
        assert float(blind.cost) == pytest.approx(1.0)
    perfect = scored(np.arange(5.0, 9.0), np.arange(4.0))
    legacy = speaker.min_tdcf(perfect, good, LegacyTandemCosts(), resamples=0)
    assert (float(legacy.cost), legacy.threshold) == (0.0, 5.0)
    # The weights of the plan's example: ASV at EER 2.5 %, 30 % of spoofs missed.
    weights = speaker.weights_of(good, LegacyTandemCosts())
    assert not isinstance(weights, Undefined)
    assert weights == pytest.approx((0.0, 0.9405 * 0.975 - 0.095 * 0.025, 0.35, 0.35))
    assert float(speaker.spoof_eer(perfect, resamples=0)) == 0.0
    assert float(speaker.spoof_eer(weak, resamples=0)) == 0.5
    # In the revised form even a perfect countermeasure keeps the verification system's own cost.
    c0 = 0.9405 * 0.025 + 0.0095 * 10 * 0.025
    revised = speaker.min_tdcf(perfect, good, resamples=0)
    assert float(revised.cost) == pytest.approx(c0 / (c0 + 0.35))


def test_a_hopeless_verification_system_makes_the_cost_undefined() -> None:
    for costs in (TandemCosts(), LegacyTandemCosts(p_target=0.9, p_nontarget=0.05)):
        hopeless = AsvErrors(1.0, 1.0, 1.0)
        found = speaker.min_tdcf(scored(POS, NEG), hopeless, costs)
        assert isinstance(found.cost.value, Undefined)
        assert "a weight is negative" in str(found.cost.value)
        assert isinstance(speaker.tdcf_at(scored(POS, NEG), hopeless, Threshold.given(5.5), costs).value, Undefined)
    assert isinstance(speaker.weights_of(AsvErrors(0.0, 0.0, 0.0), LegacyTandemCosts()), Undefined)


def test_the_cost_at_a_threshold_from_elsewhere(asv: AsvErrors) -> None:
    cm = scored(POS, NEG)
    at = speaker.tdcf_at(cm, asv, Threshold(5.5, "EER threshold", "la/dev"), resamples=0)
    assert float(at) == pytest.approx(0.32990075426756643)
    assert "on 'la/dev', judged on 'la/eval'" in at.rule
    assert float(speaker.tdcf_at(cm, asv, Threshold.given(6.0), resamples=0)) > float(at)
    lost = Threshold(Undefined("no validation"), "EER threshold", "la/dev")
    assert isinstance(speaker.tdcf_at(cm, asv, lost).value, Undefined)


def test_intervals_are_over_speakers() -> None:
    rng = np.random.default_rng(1)
    person = np.arange(200) % 20
    values = rng.normal(0, 1, 20)[person] + rng.normal(0, 0.3, 200)
    cm = scored(values[:100] + 1, values[100:], person)
    good = AsvErrors(0.02, 0.02, 0.6)
    for found in (speaker.min_tdcf(cm, good, resamples=200).cost, speaker.min_dcf(cm, resamples=200).cost,
                  speaker.tdcf_at(cm, good, Threshold.given(0.5), resamples=200), speaker.actual_dcf(cm, resamples=200),
                  speaker.a_dcf(values[:80] + 1, values[80:140], values[140:], resamples=200,
                                speakers=(person[:80], person[80:140], person[140:])).cost):  # fmt: skip
        assert found.low <= float(found) <= found.high
        assert "over 20 speakers, 200 resamples" in found.rule


scores = st.lists(st.integers(0, 7), min_size=1, max_size=15)


@given(scores, scores, scores)
@settings(max_examples=80, deadline=None)
def test_minima_equal_a_slow_search_and_the_published_habit(bona: list[int], fake: list[int], other: list[int]) -> None:
    b, f, o = (np.array(s, float) for s in (bona, fake, other))
    asv = AsvErrors(0.05, 0.02, 0.5)

    def rates(t: float) -> tuple[float, float, float]:
        return sum(s < t for s in bona) / len(bona), *(sum(s >= t for s in k) / len(k) for k in (fake, other))

    points = [rates(t) for t in range(9)]
    c0, c1, c2, floor = speaker.weights_of(asv, TandemCosts())
    least = min((c0 + c1 * m + c2 * a) / floor for m, a, _ in points)
    found = speaker.min_tdcf(scored(b, f), asv, resamples=0)
    assert float(found.cost) == pytest.approx(least)
    at = rates(min(found.threshold, 99))
    assert (c0 + c1 * at[0] + c2 * at[1]) / floor == pytest.approx(least)
    # The minimum lies on a corner that a threshold reaches, so stepping through ties changes no cost.
    assert asvspoof.asvspoof_min_tdcf(b, f, asv, TandemCosts())[0] == pytest.approx(least)
    c = speaker.ArchitectureCosts()
    slow = min(0.9 * m + 0.5 * n + 1.0 * s for m, n, s in points) / 0.9
    assert float(speaker.a_dcf(b, f, o, c).cost) == pytest.approx(slow)
    assert asvspoof.asvspoof_a_dcf(b, f, o, c)[0] == pytest.approx(slow)
    # A monotone transform changes no cost.
    assert float(speaker.min_tdcf(scored(np.exp(b), np.exp(f)), asv, resamples=0).cost) == pytest.approx(least)


def test_one_kind_only_is_undefined(asv: AsvErrors) -> None:
    empty = np.zeros(0)
    assert isinstance(speaker.min_tdcf(scored(POS, empty), asv).cost.value, Undefined)
    assert isinstance(speaker.min_tdcf(scored(empty, NEG), asv).threshold, Undefined)
    assert isinstance(speaker.actual_dcf(scored(POS, empty)).value, Undefined)
    assert isinstance(speaker.a_dcf(POS, NEG, empty).cost.value, Undefined)
    assert isinstance(speaker.asv_errors(POS, NEG, empty, 5.0), Undefined)
    with pytest.raises(ShapeError, match="a kind has no scores"):
        asvspoof.asvspoof_eer(POS, empty)


def test_bad_input_teaches() -> None:
    with pytest.raises(ParameterError, match="priors do not sum to 1"):
        TandemCosts(p_target=0.9)
    with pytest.raises(ParameterError, match="negative"):
        LegacyTandemCosts(c_fa_cm=-1)
    with pytest.raises(ParameterError, match="prior of a spoof"):
        DetectionCosts(p_spoof=0)
    with pytest.raises(ShapeError, match="a rate is a fraction"):
        AsvErrors(2.5, 0, 0)
    with pytest.raises(ShapeError, match="nontarget scores are not finite"):
        speaker.asv_errors(POS, np.array([np.nan]), NEG, 1.0)
    with pytest.raises(ShapeError, match="speakers do not fit"):
        speaker.a_dcf(POS, NEG, NEG, speakers=(POS, NEG, NEG[:3]))
