"""Decisions about units with several people, matching by place, reliability: by hand and by brute force."""

from itertools import permutations

import numpy as np
import pytest

from workbench.core import ShapeError, Undefined
from workbench.metrics import confidence, decisions
from workbench.metrics.matching import by_place


def test_match_rates_by_hand() -> None:
    same = np.array([True, True, False, True, False])
    mated = np.array([True, True, True, False, False])
    people = np.array([["a", "a"], ["b", "b"], ["c", "c"], ["a", "b"], ["b", "c"]])
    assert float(decisions.true_match_rate(same, mated, people, resamples=0)) == pytest.approx(2 / 3)
    found = decisions.false_match_rate(same, mated, people)
    assert float(found) == 0.5
    # One error of two: the exact interval of independent trials, as resampling cannot show it.
    assert "Clopper-Pearson" in found.rule
    assert (found.low, found.high) == (pytest.approx(0.0126, abs=1e-4), pytest.approx(0.9874, abs=1e-4))


def test_intervals_draw_people_not_pairs() -> None:
    # Two halves of the people, always right and always wrong: pairs alone would seem to know far more.
    people = np.repeat(np.arange(20), 50)
    hits = people < 10
    wide = decisions.share(hits, np.stack([people, people], axis=1), "hits", {})
    narrow = decisions.share(hits, np.stack([np.arange(1000)] * 2, axis=1), "hits", {})
    assert float(wide) == float(narrow) == 0.5
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    one = decisions.share(hits, people, "hits", {})
    assert (one.low, one.high) == pytest.approx((wide.low, wide.high))


def test_no_decision_is_undefined() -> None:
    none = decisions.share(np.zeros(0, bool), np.zeros((0, 2)), "hits", {})
    assert isinstance(none.value, Undefined)
    with pytest.raises(ShapeError, match="differ in number"):
        decisions.share(np.zeros(2, bool), np.zeros(3), "hits", {})
    alone = decisions.share(np.array([True, False] * 20), np.zeros((40, 2)), "hits", {}, interval="none")
    assert alone.low is None


@pytest.mark.parametrize("seed", range(8))
def test_matching_is_the_cheapest_of_all_assignments(seed: int) -> None:
    rng = np.random.default_rng(seed)
    faces, answers = rng.random((4, 2)), rng.random((rng.integers(1, 6), 2))
    found = by_place(faces, answers)
    apart = np.linalg.norm(faces[:, None] - answers[None], axis=2)
    few, many = sorted((len(faces), len(answers)))
    table = apart if len(faces) <= len(answers) else apart.T
    cheapest = min(sum(table[i, p[i]] for i in range(few)) for p in permutations(range(many), few))
    assert apart[found.pairs[:, 0], found.pairs[:, 1]].sum() == pytest.approx(cheapest)
    assert len(found.missing) == len(faces) - few
    assert len(found.extra) == len(answers) - few


def test_far_away_is_missing_and_extra() -> None:
    found = by_place(np.array([0.0, 1.0, 5.0]), np.array([1.1, 9.0]), most=2)
    assert found.pairs.tolist() == [[1, 0]]
    assert found.missing.tolist() == [0, 2]
    assert found.extra.tolist() == [1]
    empty = by_place(np.zeros(0), np.array([1.0]))
    assert (len(empty.pairs), empty.extra.tolist()) == (0, [0])
    with pytest.raises(ShapeError, match="not finite"):
        by_place(np.array([np.nan]), np.array([1.0]))
    with pytest.raises(ShapeError, match="different dimensions"):
        by_place(np.zeros((1, 2)), np.zeros((1, 3)))


def test_reliability_adds_up_to_the_calibration_error() -> None:
    sure, right = np.array([0.5, 0.45, 0.9]), np.array([True, False, False])
    bins = confidence.reliability(sure, right, bins=10)
    assert [b.answers for b in bins] == [0, 0, 0, 0, 2, 0, 0, 0, 1, 0]
    assert (bins[4].confidence, bins[4].accuracy) == (pytest.approx(0.475), 0.5)
    assert isinstance(bins[0].accuracy, Undefined)
    ece = sum(b.answers * abs(float(b.confidence) - float(b.accuracy)) for b in bins if b.answers) / 3
    assert ece == pytest.approx(float(confidence.expected_calibration_error(sure, right, np.arange(3), resamples=0)))
