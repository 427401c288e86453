"""Classifiers, qualities and statistics of neutrality, against loops, cases by hand and scikit-learn's own parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.core import Resampled, ShapeError, Undefined, UnknownNameError
from workbench.methods import neutrality
from workbench.methods import neutrality_scoring as scoring
from workbench.methods.expression_faces import Faces
from workbench.metrics.quality import error_versus_discard

RNG = np.random.default_rng(0)
NEUTRAL = np.arange(120) % 3 == 0
# Neutral faces lie higher in the first column; the scales of the columns differ much.
X = (RNG.normal(0, 1, (120, 4)) + 2 * np.c_[NEUTRAL, np.zeros((120, 3))]) * (1, 100, 0.01, 10)


def fitted(kind: str, x: np.ndarray = X, neutral: np.ndarray = NEUTRAL) -> object:
    return neutrality.fit(kind, x, neutral, trees=25, stumps=15, seed=0)


@pytest.mark.parametrize("kind", neutrality.CLASSIFIERS)
def test_higher_is_more_neutral_and_exchanging_the_classes_turns_the_scores(kind: str) -> None:
    for neutral in (NEUTRAL, ~NEUTRAL):
        scores = neutrality.score(kind, fitted(kind, neutral=neutral), X)
        assert scores[neutral].mean() > scores[~neutral].mean()


def test_the_forests_score_is_its_share_of_votes() -> None:
    forest = fitted("random-forest")
    votes = [forest.classes_[tree.predict(X).astype(int)] for tree in forest.estimators_]
    assert neutrality.score("random-forest", forest, X) == pytest.approx(np.mean(votes, axis=0))


def test_adaboosts_score_is_the_weighted_sum_of_its_stumps_votes() -> None:
    boosted = fitted("adaboost")
    assert all(stump.get_depth() == 1 for stump in boosted.estimators_)
    signs = np.array([np.where(stump.predict(X), 1.0, -1.0) for stump in boosted.estimators_])
    weights = boosted.estimator_weights_[: len(signs)]
    # scikit-learn counts each of two classes: twice the mean of votes of -1 and 1.
    assert neutrality.score("adaboost", boosted, X) == pytest.approx(2 * weights @ signs / weights.sum())


def test_the_svm_is_standardised_by_the_faces_that_it_learnt_from_and_by_no_others() -> None:
    from sklearn.svm import SVC

    svm = fitted("svm")
    at = neutrality.balanced(NEUTRAL, 0)
    mean, scale = X[at].mean(0), X[at].std(0)
    by_hand = SVC(C=1.0, gamma="scale").fit((X[at] - mean) / scale, NEUTRAL[at])
    far = X + 50
    assert neutrality.score("svm", svm, far) == pytest.approx(by_hand.decision_function((far - mean) / scale))
    # Were the judged faces' own statistics used, a face would not score the same alone.
    assert neutrality.score("svm", svm, X[:1])[0] == pytest.approx(neutrality.score("svm", svm, X)[0])
    assert neutrality.score("svm", fitted("svm", X * 1000), X * 1000) == pytest.approx(
        neutrality.score("svm", svm, X), abs=1e-6
    )


def test_the_larger_class_is_drawn_down_and_one_class_alone_teaches_nothing() -> None:
    at = neutrality.balanced(NEUTRAL, 3)
    assert NEUTRAL[at].sum() == 40 == (~NEUTRAL[at]).sum()
    assert len(set(at.tolist())) == 80
    assert not np.array_equal(at, neutrality.balanced(NEUTRAL, 4))
    with pytest.raises(ShapeError, match="one class only"):
        neutrality.balanced(np.ones(5, bool), 0)
    with pytest.raises(UnknownNameError, match="did you mean 'svm'"):
        fitted("svn")


def test_ofiqs_map_by_hand() -> None:
    # 1 / (1 + e^0), e^-1, e^1, e^-2.
    assert neutrality.ofiq_quality(np.array([-5000.0, 0, -10000, 5000])).tolist() == [50, 73, 27, 88]
    assert neutrality.ofiq_quality(np.array([-1e9, 1e9])).tolist() == [0, 100]
    # Another classifier's scores all map to the same number: the constants are OFIQ's own.
    assert set(neutrality.ofiq_quality(np.linspace(-1, 1, 50))) == {73}


def test_the_logistic_map_keeps_the_order_and_has_the_classes_on_its_two_sides() -> None:
    scores = RNG.normal(0, 1, 120) + 3 * NEUTRAL
    slope, offset = neutrality.quality_map(scores, NEUTRAL)
    quality = neutrality.quality(scores, (slope, offset))
    assert np.array_equal(np.argsort(quality), np.argsort(scores))
    assert quality[~NEUTRAL].mean() < 40 < 60 < quality[NEUTRAL].mean()
    apart = neutrality.quality(NEUTRAL.astype(float), neutrality.quality_map(NEUTRAL.astype(float), NEUTRAL))
    assert 0 < apart.min() < 20 < 80 < apart.max() < 100


def made(name: str, neutral: list[int], people: list[int], intensity: list[float] | None = None) -> Faces:
    n = len(neutral)
    strength = np.array(intensity) if intensity else np.where(neutral, 0.0, 0.5)
    expression = np.where(neutral, 0, 1).astype(np.int64)
    return Faces(name, np.zeros((n, 1, 1, 3), np.uint8), np.array(people), expression, strength)


def test_the_mean_over_unseen_sets_by_hand_and_under_weights() -> None:
    sets = [made("one", [1, 1, 0, 0], [0, 1, 0, 1]), made("two", [1, 0, 0, 0], [2, 2, 3, 3])]
    scores = [np.array([3.0, 1, 2, 0]), np.array([2.0, 0, 1, 1.5])]
    errors = scoring.AcrossSets(scores, sets)
    # The first set errs in one of two of either kind, the second not at all.
    assert errors() == pytest.approx((0.5 + 0) / 2)
    assert errors.counts == {"neutral": 3, "non-neutral": 5, "sets": 2}
    # Without person 1 the first set's neutral face scores above the other.
    weights = np.array([1.0, 0, 1, 0, 1, 1, 1, 1])
    assert errors(weights) == 0
    # Without person 2 the second set has no neutral face.
    assert isinstance(errors(np.array([1.0, 1, 1, 1, 0, 0, 1, 1])), Undefined)
    # Where half of the others pass, the first set's neutral faces do, too.
    assert errors.miss_at(0.5) == 0
    assert errors.miss_at(0.0) == pytest.approx((0.5 + 0) / 2)


def test_faces_that_do_not_count_keep_their_people_in_the_draw() -> None:
    sets = [made("one", [1, 0, 0, 1], [0, 1, 2, 3], [0, 0.1, 0.9, 0]), made("none", [1, 0], [4, 4], [0, 0.5])]
    subtle, strong = scoring.by_intensity(sets, 0.3, 0.6)
    assert subtle[0].tolist() == [True, True, False, True]
    assert strong[0].tolist() == [True, False, True, True]
    assert not subtle[1].any()
    assert not strong[1].any()
    scores = [np.array([1.0, 2, 0, 1]), np.zeros(2)]
    found = [scoring.unseen("x", scores, sets, used, resamples=20, seed=0) for used in (subtle, strong)]
    assert [f.value for f in found] == [1.0, 0.0]
    assert found[0].draw == found[1].draw
    assert found[0].counts["subjects"] == 4


def test_the_threshold_stays_and_the_curve_starts_at_the_fnmr_that_was_asked_for() -> None:
    values = RNG.normal(0, 1, 200)
    threshold = scoring.threshold_at_fnmr(values, 0.1)
    assert (values < threshold).mean() == pytest.approx(0.1)
    scores = scoring.mated_scores(values, np.zeros(200, np.int64), np.arange(200) // 4)
    curve = error_versus_discard(scores, values, threshold, ties="random")
    assert not isinstance(curve, Undefined)
    assert curve.error[0] == pytest.approx(0.1)
    # The quality knows the score: after a tenth nothing is left to fail, though no threshold was set again.
    assert curve.error[20] == 0
    assert curve.error[10] == pytest.approx(10 / 190)


def test_the_area_in_excess_of_the_best_by_a_loop() -> None:
    values = RNG.normal(0, 1, 100)
    threshold = scoring.threshold_at_fnmr(values, 0.1)
    scores = scoring.mated_scores(values, np.zeros(100, np.int64), np.arange(100) // 4)

    def area(quality: np.ndarray) -> float:
        found = scoring.utility("x", scores, quality, threshold, ties="random", resamples=5, seed=0)
        return float(found.value)

    worth = values + RNG.normal(0, 1, 100)
    order, total = np.argsort(worth), 0.0
    for gone in range(20):
        total += (values[order[gone:]] < threshold).mean() / 20
    # The best order leaves 0.1 - r: a triangle of 0.1 by 0.1 over 0.2.
    assert area(worth) == pytest.approx(total - 0.1 * 0.1 / 2 / 0.2)
    assert area(np.zeros(100)) == pytest.approx(0.1 - 0.025)
    assert area(values) < area(worth) < area(np.zeros(100)) < area(-values)


def drawn(value: float, again: list[float]) -> Resampled:
    return Resampled("x", value, np.array(again), "five people", {"subjects": 5})


def test_the_rank_correlation_is_scipys_draw_by_draw() -> None:
    errors, areas = (RNG.integers(0, 5, (6, 9)).astype(float) for _ in range(2))
    found = scoring.rank_correlation(
        "all", [drawn(e[0], list(e[1:])) for e in errors], [drawn(a[0], list(a[1:])) for a in areas]
    )
    expected = [stats.spearmanr(1 - errors[:, i], -areas[:, i]).statistic for i in range(9)]
    assert found.value == pytest.approx(expected[0])
    assert found.drawn == pytest.approx(expected[1:])


def test_the_contrast_by_hand_and_where_it_does_not_exist() -> None:
    # Half the error and twice the area: log(1/2) - log(2).
    found = scoring.contrast("tree", drawn(0.1, [0.1, 0.0]), drawn(0.2, [0.2, 0.2]), drawn(0.04, [0.04, 0.1]),
                             drawn(0.02, [0.02, 0.1]))  # fmt: skip
    assert found.value == pytest.approx(-2 * np.log(2))
    assert found.drawn[0] == pytest.approx(-2 * np.log(2))
    assert np.isnan(found.drawn[1])
    none = scoring.contrast("tree", drawn(0.0, [0.1]), drawn(0.2, [0.2]), drawn(0.1, [0.1]), drawn(0.1, [0.1]))
    assert isinstance(none.value, Undefined)
