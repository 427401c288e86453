"""Attributes, landmarks, parsing and agreement: published examples, scikit-learn, and counting."""

import numpy as np
import pytest
from sklearn import metrics as sk

from workbench.core import ShapeError, Undefined
from workbench.metrics import agreement, attributes, explanation, landmarks, parsing

RNG = np.random.default_rng(0)
N = 240
SUBJECTS = np.arange(N) // 4


def test_ages_by_hand() -> None:
    found, true = np.array([20.0, 31, 45, 60]), np.array([25.0, 31, 40, 50])
    who = np.arange(4)
    assert float(attributes.age_mae(found, true, who, resamples=0)) == 5.0
    # An error of exactly five years counts as right.
    assert float(attributes.cumulative_score(found, true, who, 5)) == 0.75
    with pytest.raises(ShapeError, match="an age is not finite"):
        attributes.age_mae(np.array([np.nan]), np.array([1.0]), np.array([0]))
    assert isinstance(attributes.age_mae(found[:0], true[:0], who[:0]).value, Undefined)


def test_classes_against_scikit_learn() -> None:
    true, called = RNG.integers(0, 4, N), RNG.integers(0, 4, N)
    called[:120] = true[:120]
    table = attributes.confusion(called, true, 5)
    assert np.array_equal(table[:4, :4], sk.confusion_matrix(true, called))
    theirs = {"accuracy": sk.accuracy_score, "balanced accuracy": sk.balanced_accuracy_score,
              "macro-F1": lambda t, p: sk.f1_score(t, p, average="macro")}  # fmt: skip
    for name, other in theirs.items():
        found = attributes.of_classes(name, called, true, 5, SUBJECTS, resamples=100)
        assert float(found) == pytest.approx(other(true, called))
        assert float(found.low) < float(found) < float(found.high)
    with pytest.raises(ShapeError, match="0 to 2"):
        attributes.confusion(called, true, 3)


def test_average_precision_against_scikit_learn() -> None:
    scores, present = np.round(RNG.standard_normal((N, 3)), 1), RNG.random((N, 3)) < [0.3, 0.5, 0.0]
    one = attributes.average_precision(scores[:, 0], present[:, 0], SUBJECTS, resamples=0)
    assert float(one) == pytest.approx(sk.average_precision_score(present[:, 0], scores[:, 0]))
    every = attributes.average_precision(scores, present, SUBJECTS, resamples=50)
    theirs = [sk.average_precision_score(present[:, k], scores[:, k]) for k in (0, 1)]
    assert float(every) == pytest.approx(np.mean(theirs))
    assert every.counts["labels left out"] == 1


def faces() -> np.ndarray:
    return RNG.uniform(0, 100, (N, 68, 2))


def test_landmark_errors_by_hand_and_by_normalisation() -> None:
    true = faces()
    found = true + np.array([3.0, 4.0])
    eyes = np.linalg.norm(true[:, 36] - true[:, 45], axis=1)
    assert landmarks.face_errors(found, true, landmarks.normaliser(true, "inter-ocular")) == pytest.approx(5 / eyes)
    pupils = np.linalg.norm(true[:, 36:42].mean(1) - true[:, 42:48].mean(1), axis=1)
    assert landmarks.normaliser(true, "inter-pupil") == pytest.approx(pupils)
    box = np.tile([10.0, 20, 40, 60], (N, 1))
    assert landmarks.normaliser(true, "box diagonal", box) == pytest.approx(np.full(N, 50.0))
    assert landmarks.normaliser(true, "box size", box) == pytest.approx(np.full(N, np.sqrt(1200)))
    visible = np.zeros((N, 68), bool)
    visible[1:, 0] = True
    moved = found.copy()
    moved[:, 1:] = 0
    hidden = landmarks.face_errors(moved, true, np.ones(N), visible)
    assert np.isnan(hidden[0])
    assert hidden[1:] == pytest.approx(5.0)
    with pytest.raises(ShapeError, match="need 68 points"):
        landmarks.normaliser(true[:, :5], "inter-ocular")


def test_ced_area_is_the_area_under_the_counted_curve() -> None:
    errors = np.r_[RNG.exponential(0.05, N - 3), np.inf, np.nan, 0.0]
    found = landmarks.ced_area(errors, SUBJECTS, 0.08, resamples=0)
    grid = np.linspace(0, 0.08, 40_001)
    judged = errors[~np.isnan(errors)]
    curve = np.array([(judged <= g).mean() for g in grid])
    assert float(found) == pytest.approx(np.trapezoid(curve, grid) / 0.08, abs=1e-4)
    assert float(landmarks.failure_rate(errors, SUBJECTS, 0.08)) == pytest.approx((judged > 0.08).mean())
    mean = landmarks.nme(errors, SUBJECTS, by="inter-ocular", resamples=0)
    assert float(mean) == pytest.approx(judged[np.isfinite(judged)].mean())
    assert mean.counts == {"faces": N - 2, "not found": 1, "hidden": 1}


def test_parsing_against_scikit_learn() -> None:
    classes = ("background", "skin", "nose", "hat")
    true, found = RNG.integers(0, 3, (4, 20, 20)), RNG.integers(0, 3, (4, 20, 20))
    scores = parsing.parsing_scores(found, true, classes)
    iou = sk.jaccard_score(true.ravel(), found.ravel(), average=None)
    f1 = sk.f1_score(true.ravel(), found.ravel(), average=None)
    for k, name in enumerate(classes[:3]):
        assert scores.iou[name] == pytest.approx(iou[k])
        assert scores.f1[name] == pytest.approx(f1[k])
    assert isinstance(scores.iou["hat"], Undefined)
    assert scores.mean_iou == pytest.approx(iou.mean())
    assert "without hat" in scores.rule
    part = parsing.parsing_scores(found, true, classes, ignore=["background"])
    kept = true != 0
    assert part.iou["skin"] == pytest.approx(sk.jaccard_score(true[kept] == 1, found[kept] == 1))
    assert "background" not in part.iou
    with pytest.raises(ShapeError, match="without a name"):
        parsing.parsing_scores(found + 3, true, classes)


@pytest.mark.parametrize("weighting", ["none", "linear", "quadratic"])
def test_cohen_against_scikit_learn(weighting: str) -> None:
    one = RNG.integers(0, 4, N)
    other = np.where(RNG.random(N) < 0.6, one, RNG.integers(0, 4, N))
    found = agreement.cohen_kappa(one, other, 4, SUBJECTS, weighting=weighting, resamples=100)
    theirs = sk.cohen_kappa_score(one, other, weights=None if weighting == "none" else weighting)
    assert float(found) == pytest.approx(theirs)
    assert float(found.low) < float(found) < float(found.high)
    same = agreement.cohen_kappa(one * 0, other * 0, 4, SUBJECTS)
    assert "nothing to agree on" in str(same.value)


def test_fleiss_example_of_the_encyclopedias() -> None:
    # Fourteen raters, ten items, five classes; kappa 0.210.
    table = np.array([[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
                      [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]])  # fmt: skip
    assert float(agreement.fleiss_kappa(table, np.arange(10), resamples=0)) == pytest.approx(0.210, abs=5e-4)
    with pytest.raises(ShapeError, match="krippendorff_alpha"):
        agreement.fleiss_kappa(np.array([[1, 1], [2, 1]]), np.arange(2))


def test_krippendorffs_own_example() -> None:
    # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", four observers, twelve units, missing data.
    n = np.nan
    ratings = np.array([[1, 2, 3, 3, 2, 1, 4, 1, 2, n, n, n], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, n, 3],
                        [n, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, n], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, n]])  # fmt: skip
    for level, value in (("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)):
        found = agreement.krippendorff_alpha(ratings, np.arange(12), level=level, resamples=0)
        assert float(found) == pytest.approx(value, abs=6e-4)
    lonely = agreement.krippendorff_alpha(ratings[:1], np.arange(12))
    assert lonely.value == Undefined("no item has two ratings", {"items": 0, "ratings": 0, "values": 4})


def test_unusable_answers_and_the_hiding_game() -> None:
    kinds = np.array(["answer"] * 16 + ["refusal"] * 3 + ["invalid"])
    found = agreement.answer_rates(kinds, np.arange(20))
    assert (float(found["refusal"]), float(found["invalid"])) == (0.15, 0.05)
    assert "Wilson" in found["refusal"].rule
    right = np.array([[False, True, True], [False, False, True]])
    assert explanation.hiding_game(right, np.array([0.0, 0.5, 1.0])) == pytest.approx(0.5)
    with pytest.raises(ShapeError, match="rising shares"):
        explanation.hiding_game(right, np.array([0.0, 1.0, 0.5]))
