"""Error versus discard: dasec's hand vector, counting, and the properties of a good order."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core import Scores, ShapeError, Trials, Undefined
from workbench.metrics import quality

HAND = [(0.9, 10, 20), (0.2, 5, 30), (0.4, 5, 5), (0.8, 40, 7), (0.5, 50, 60), (0.1, 60, 10)]


def mated(values: np.ndarray, people: int | None = None) -> Scores:
    n = len(values)
    subjects = np.repeat(np.arange(n) % (people or n), 2).reshape(-1, 2)
    return Scores("m", Trials(np.arange(n), np.arange(n), np.ones(n, bool), subjects), values, np.ones(n, bool))


def test_the_hand_vector() -> None:
    score, one, other = np.array(HAND).T
    found = quality.error_versus_discard(mated(score), quality.pair_quality(one, other), 0.4)
    assert not isinstance(found, Undefined)
    assert found.discarded == pytest.approx([0, 1 / 3, 1 / 2, 5 / 6, 1])
    assert found.error == pytest.approx([1 / 3, 1 / 4, 1 / 3, 0, 0])
    for limit, area in ((0.25, 0.0833333), (0.5, 0.1527778), (1.0, 0.2638889)):
        estimate = quality.discard_area(mated(score), quality.pair_quality(one, other), 0.4, limit=limit, resamples=0)
        assert float(estimate) == pytest.approx(area, abs=1e-7)
    assert quality.best_area(1 / 3, 0.25) == pytest.approx(0.0520833, abs=1e-7)


lists = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


@given(lists, st.floats(0.05, 1))
def test_any_list_against_discarding_by_hand(rows: list[tuple[int, int]], limit: float) -> None:
    values, worth = (np.array(c, float) for c in zip(*rows, strict=True))
    found = quality.error_versus_discard(mated(values), worth, 2.0)
    assert not isinstance(found, Undefined)
    area, before, rate = 0.0, 0.0, 0.0
    for i, level in enumerate(sorted(set(worth))):
        left = worth >= level
        share = 1 - left.mean()
        assert found.discarded[i] == pytest.approx(share)
        assert found.error[i] == pytest.approx((values[left] < 2).mean())
        area += max(0.0, min(share, limit) - before) * rate
        before, rate = min(share, limit), float((values[left] < 2).mean())
    area += max(0.0, limit - before) * rate
    assert float(quality.discard_area(mated(values), worth, 2.0, limit=limit, resamples=0)) == pytest.approx(area)
    assert quality.area_to(found.discarded, found.error, limit) >= quality.best_area(found.error[0], limit) - 1e-9


def test_a_constant_quality_gives_a_flat_curve() -> None:
    score = np.array(HAND)[:, 0]
    for ties in ("together", "random"):
        found = quality.error_versus_discard(mated(score), np.ones(6), 0.4, ties=ties)
        assert not isinstance(found, Undefined)
        assert found.error[:-1] == pytest.approx(1 / 3)
        area = quality.discard_area(mated(score), np.ones(6), 0.4, limit=0.5, ties=ties, resamples=0)
        assert float(area) == pytest.approx(0.5 / 3)


def test_random_order_of_equal_qualities_by_hand() -> None:
    # Three share the lowest quality and one of them errs: a third of an error leaves with each.
    found = quality.error_versus_discard(mated(np.array([0.0, 1, 1, 1, 0])), np.array([1.0, 1, 1, 2, 3]), 0.5,
                                         ties="random")  # fmt: skip
    assert not isinstance(found, Undefined)
    assert found.discarded == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert found.error == pytest.approx([2 / 5, (2 - 1 / 3) / 4, (2 - 2 / 3) / 3, 1 / 2, 1, 0])
    assert "averaged over all orders" in found.rule


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=4), st.floats(0.05, 1))
def test_random_order_is_the_mean_over_all_orders(rows: list[tuple[int, int]], limit: float) -> None:
    values, worth = (np.array(c, float) for c in zip(*rows, strict=True))
    areas = [
        float(quality.discard_area(mated(values), worth + 1e-3 * np.array(order), 2.0, limit=limit, resamples=0))
        for order in permutations(range(len(values)))
    ]
    found = quality.discard_area(mated(values), worth, 2.0, limit=limit, ties="random", resamples=0)
    assert float(found) == pytest.approx(np.mean(areas))


def test_false_matches_and_failures_and_intervals() -> None:
    rng = np.random.default_rng(0)
    n = 400
    subjects = np.c_[np.arange(n) % 40, (np.arange(n) + 1) % 40]
    values = rng.standard_normal(n)
    acquired = rng.random(n) > 0.1
    scores = Scores("m", Trials(np.arange(n), np.arange(n), np.zeros(n, bool), subjects),
                    np.where(acquired, values, np.nan), acquired)  # fmt: skip
    found = quality.error_versus_discard(scores, -values, 1.0, kind="fmr")
    assert not isinstance(found, Undefined)
    # The quality knows the score: false matches leave first.
    assert found.error[0] == pytest.approx(((values >= 1) & acquired).mean())
    assert found.error[-2] == 0
    estimate = quality.discard_area(scores, -values, 1.0, kind="fmr", resamples=100)
    assert float(estimate.low) < float(estimate) < float(estimate.high)
    assert "over 40 capture subjects" in estimate.rule
    assert isinstance(quality.error_versus_discard(scores, values, 1.0), Undefined)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ShapeError, match="qualities do not fit"):
        quality.error_versus_discard(mated(np.zeros(3)), np.zeros(4), 0.0)
    with pytest.raises(ShapeError, match="quality is NaN"):
        quality.discard_area(mated(np.zeros(3)), np.full(3, np.nan), 0.0)
    with pytest.raises(ShapeError, match="unknown rule for equal qualities"):
        quality.discard_area(mated(np.zeros(3)), np.zeros(3), 0.0, ties="file")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="0 < limit <= 1"):
        quality.discard_area(mated(np.zeros(3)), np.zeros(3), 0.0, limit=20)
