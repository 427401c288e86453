"""Two classes: a case by hand, counting, and scikit-learn's curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from workbench.core import ShapeError, Undefined
from workbench.metrics.two_class import TwoClass, class_eer, false_negative_at

# Neutral at 5, 4, 2; others at 4, 3, 1, 1.
SCORES = np.array([5.0, 4.0, 2.0, 4.0, 3.0, 1.0, 1.0])
NEUTRAL = np.array([True] * 3 + [False] * 4)
PEOPLE = np.arange(7)


def test_a_case_by_hand() -> None:
    rates = TwoClass(SCORES, NEUTRAL, PEOPLE).rates()
    assert not isinstance(rates, Undefined)
    assert rates.thresholds.tolist() == [1, 2, 3, 4, 5, np.inf]
    assert rates.false_positive == pytest.approx([1, 1 / 2, 1 / 2, 1 / 4, 0, 0])
    assert rates.false_negative == pytest.approx([0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    # At 4 the rates are 1/4 and 1/3: no gap is smaller.
    assert float(class_eer(SCORES, NEUTRAL, PEOPLE, resamples=0)) == pytest.approx((1 / 4 + 1 / 3) / 2)
    assert float(false_negative_at(SCORES, NEUTRAL, PEOPLE, 0.25, resamples=0)) == pytest.approx(1 / 3)
    assert float(false_negative_at(SCORES, NEUTRAL, PEOPLE, 0.24, resamples=0)) == pytest.approx(2 / 3)
    # Pairs in order: 4 of 5, 3.5 of 4 and 2 of 2, of twelve.
    assert TwoClass(SCORES, NEUTRAL, PEOPLE).auc() == pytest.approx((4 + 3.5 + 2) / 12)


rows = st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=2, max_size=25)


@given(rows)
def test_any_list_against_counting_weights_against_copies_and_sklearn(drawn: list[tuple[int, bool, int]]) -> None:
    columns = zip(*drawn, strict=True)
    scores, positive, weights = (np.array(c, t) for c, t in zip(columns, (float, bool, float), strict=True))
    people = np.arange(len(scores))
    curve = TwoClass(scores, positive, people)
    if positive.all() or not positive.any():
        assert isinstance(curve.eer(), Undefined)
        return
    rates = curve.rates()
    assert not isinstance(rates, Undefined)
    gaps = []
    for t, fp, fn in zip(rates.thresholds, rates.false_positive, rates.false_negative, strict=True):
        one = sum(s >= t for s in scores[~positive]) / (~positive).sum()
        other = sum(s < t for s in scores[positive]) / positive.sum()
        assert (fp, fn) == pytest.approx((one, other))
        gaps.append((abs(one - other), t, (one + other) / 2))
    assert curve.eer() == pytest.approx(min(gaps)[2])
    assert curve.auc() == pytest.approx(roc_auc_score(positive, scores))
    fp, tp, thresholds = roc_curve(positive, scores, drop_intermediate=False)
    assert rates.false_positive[::-1] == pytest.approx(fp)
    assert 1 - rates.false_negative[::-1] == pytest.approx(tp)
    assert rates.thresholds[::-1] == pytest.approx(thresholds)
    copied = np.repeat(people, weights.astype(int))
    again = TwoClass(scores[copied], positive[copied], copied).eer() if len(copied) else Undefined("none")
    if isinstance(again, Undefined):
        assert isinstance(curve.eer(weights), Undefined)
    else:
        assert curve.eer(weights) == pytest.approx(again)


def test_the_interval_is_over_people() -> None:
    rng = np.random.default_rng(0)
    positive, people = np.arange(600) % 3 == 0, np.arange(600) // 12
    found = class_eer(rng.normal(positive, 1), positive, people, resamples=200)
    assert float(found.low) < float(found) < float(found.high)
    assert "over 50 capture subjects" in found.rule
    assert found.counts == {"positive": 200, "negative": 400, "subjects": 50}


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ShapeError, match="do not fit"):
        TwoClass(SCORES, NEUTRAL[:3], PEOPLE)
    with pytest.raises(ShapeError, match="not finite"):
        TwoClass(np.where(NEUTRAL, np.nan, SCORES), NEUTRAL, PEOPLE)
    with pytest.raises(ShapeError, match="a rate is a fraction"):
        TwoClass(SCORES, NEUTRAL, PEOPLE).miss_at(5)
