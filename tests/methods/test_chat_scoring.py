"""Units, rates and differences: by hand, by a slow loop, by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from workbench.core import Measurements, Undefined
from workbench.methods import chat_scoring as scoring
from workbench.methods.asked import NO_REPLY, NOT_ASKED, REFUSAL, UNDECIDED, VALUE, Replies
from workbench.metrics import of_mean

V, R, U, E, N = VALUE, REFUSAL, UNDECIDED, NO_REPLY, NOT_ASKED
NAN = np.nan


def replies(outcomes: list[list[str]], values: list[list[float]], task: str = "verification") -> Replies:
    """Rows are attempts, columns are questions."""
    columns = {"verification": 2, "gender": 1}[task]
    filled = np.full((len(values), len(values[0]), columns), NAN)
    filled[:, :, 0] = values
    texts = tuple(tuple("" for _ in row) for row in outcomes)
    kinds = np.array(outcomes, dtype="<U9")
    return Replies(task, "1", "direct", kinds, filled, texts, 9, 9, ("m",), ("2026-01-01", "2026-01-02"), "{}")


# Five pairs: same / different at once, refused then same, never decided, no reply.
PAIRS = replies([[V, V, R, U, E], [N, N, V, R, E], [N, N, N, U, R]],
                [[1, 0, NAN, NAN, NAN], [NAN, NAN, 1, NAN, NAN], [NAN] * 5])  # fmt: skip
MATED = np.array([True, True, True, False, False])
WHO = np.array([[0, 0], [1, 1], [2, 2], [0, 1], [1, 2]])


def test_a_refusal_is_not_different_people() -> None:
    said = scoring.accepted(PAIRS)
    np.testing.assert_array_equal(said, [1, 0, 1, NAN, NAN])
    # The last two are non-mated: "different people" would be right, and they were not answered.
    np.testing.assert_array_equal(scoring.right(said, MATED, over_all=True), [1, 0, 1, 0, 0])
    np.testing.assert_array_equal(scoring.right(said, MATED, over_all=False), [1, 0, 1, NAN, NAN])
    found = scoring.outcomes(PAIRS, WHO, "x")
    assert float(found["refusals, at the first asking: x"]) == pytest.approx(0.2)
    assert float(found["undecided, at the first asking: x"]) == pytest.approx(0.2)
    assert float(found["no reply, at the first asking: x"]) == pytest.approx(0.2)
    assert float(found["undecided, in the end: x"]) == pytest.approx(0.2)
    assert float(found["refusals, in the end: x"]) == pytest.approx(0.2)
    assert float(found["calls: x"]) == 9
    np.testing.assert_array_equal(scoring.refused(PAIRS), [0, 0, 1, 0, NAN])
    np.testing.assert_array_equal(scoring.refused(PAIRS, 1), [NAN, NAN, 0, 1, NAN])


def test_the_operating_point_is_shown_with_and_without_what_was_not_answered() -> None:
    said = np.array([1, 1, 0, NAN, 1, 0, NAN, NAN])
    mated = np.arange(8) < 4
    found = scoring.operating_point(said, mated, np.stack([np.arange(8)] * 2, 1), "m")
    expected = {"TMR over all: m": 2 / 4, "TMR over answered: m": 2 / 3, "FMR over all: m": 1 / 4,
                "FMR over answered: m": 1 / 2}  # fmt: skip
    assert {k: float(v) for k, v in found.items()} == pytest.approx(expected)


def test_decided_shares_grow_with_the_askings() -> None:
    shares = [scoring.decided_by(PAIRS, k).mean() for k in range(3)]
    assert shares == pytest.approx([2 / 5, 3 / 5, 3 / 5])


def test_repeated_answers_are_the_first_two_that_were_given() -> None:
    many = replies(
        [[V, R, V, V], [V, V, U, R], [V, V, V, E]], [[1, NAN, 0, 1], [0, 0, NAN, NAN], [1, 1, 0, NAN]], "gender"
    )
    first, second = scoring.repeated(many)
    np.testing.assert_array_equal(first, [1, 0, 0, NAN])
    np.testing.assert_array_equal(second, [0, 1, 0, NAN])


def test_kappa_units_by_hand_and_by_scikit_learn() -> None:
    # 3 of 4 agree, chance is 1/2 each way: (0.75 - 0.5) / 0.5.
    one, other = np.array([1.0, 1, 0, 0, NAN, 1]), np.array([1.0, 0, 0, 0, 1, NAN])
    units = scoring.kappa_units(one, other)
    assert np.isnan(units[4:]).all()
    assert units[:4].mean() == pytest.approx((0.75 - (0.5 * 0.25 + 0.5 * 0.75)) / 0.5)
    rng = np.random.default_rng(1)
    a = rng.random(300) < 0.3
    b = np.where(rng.random(300) < 0.8, a, rng.random(300) < 0.5)
    assert scoring.kappa_units(a.astype(float), b.astype(float)).mean() == pytest.approx(cohen_kappa_score(a, b))
    assert np.isnan(scoring.kappa_units(np.ones(5), np.ones(5))).all()
    assert np.isnan(scoring.kappa_units(np.full(3, NAN), np.ones(3))).all()


def test_a_disagreement_that_did_not_happen_has_a_value_too() -> None:
    # Two answerers who say yes half of the time agree half of the time by chance: kappa of a disagreement is -1.
    one = np.array([1.0, 0, 1, 0, np.nan])
    found = scoring.kappa_measured("chat", one, one, np.arange(5)[:, None])
    assert found.bounds == (-1.0, 1.0)
    assert found.values[:4].tolist() == [1.0] * 4
    # Always the same answer: there is no kappa.
    assert scoring.kappa_measured("chat", np.ones(3), np.ones(3), np.arange(3)[:, None]).bounds is None
    assert scoring.kappa_measured("chat", one[4:], one[4:], np.arange(1)[:, None]).bounds is None


def test_the_difference_of_two_groups_has_the_interval_of_a_two_sample_bootstrap() -> None:
    rng = np.random.default_rng(2)
    values = np.r_[rng.normal(10, 2, 80), rng.normal(8, 3, 40), np.full(10, NAN), rng.normal(50, 1, 20)]
    one, other = np.arange(150) < 80, (np.arange(150) >= 80) & (np.arange(150) < 130)
    units = scoring.difference_units(values, one, other)
    assert np.isnan(units[120:]).all()
    a, b = values[:80], values[80:120]
    assert np.nanmean(units) == pytest.approx(a.mean() - b.mean())
    found = of_mean(Measurements("x", units, np.arange(150)[:, None]))
    slow = [rng.choice(a, 80).mean() - rng.choice(b, 40).mean() for _ in range(4000)]
    low, high = np.quantile(slow, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.15)
    assert found.high == pytest.approx(high, abs=0.15)
    assert np.isnan(scoring.difference_units(values, one, np.zeros(150, bool))).all()


def test_age_ranges_hold_their_ends_and_missing_ones_are_not_hits() -> None:
    ranges = np.array([[20, 30], [20, 30], [20, 30], [20, 30], [NAN, NAN]])
    age = np.array([20, 30, 31, 19, 25])
    np.testing.assert_array_equal(scoring.inside(ranges, age, over_all=True), [1, 1, 0, 0, 0])
    np.testing.assert_array_equal(scoring.inside(ranges, age, over_all=False), [1, 1, 0, 0, NAN])
    found = scoring.age_numbers(ranges, age, np.arange(5), "m")
    assert float(found["mean width of the age range: m"]) == 10
    # Two hits cost their width, two misses by a year cost 2 / 0.2 more.
    assert float(found["interval score, alpha 0.2: m"]) == pytest.approx((10 + 10 + 20 + 20) / 4)
    assert float(found["age MAE, middle of the range: m"]) == pytest.approx((5 + 5 + 6 + 6) / 4)


def test_wide_ranges_are_not_free() -> None:
    age, who = np.arange(20, 60), np.arange(40)
    wide = scoring.age_numbers(np.tile([0.0, 100.0], (40, 1)), age, who, "m")["interval score, alpha 0.2: m"]
    close = scoring.age_numbers(np.stack([age - 5.0, age + 5.0], 1), age, who, "m")["interval score, alpha 0.2: m"]
    assert float(wide) == 100 > float(close) == 10


def test_groups_without_answers_are_undefined() -> None:
    hits, who = np.array([1.0, 0, NAN, NAN]), np.arange(4)
    found = scoring.breakdown(hits, {"tone": (("1", "2", "3"), np.array([0, 0, 1, 1]))}, who, "right")
    assert float(found["right, tone 1"]) == 0.5
    assert isinstance(found["right, tone 2"].value, Undefined)
    assert isinstance(found["right, tone 3"].value, Undefined)
    means = scoring.mean_by_group(
        np.array([4.0, 6, NAN, 9]), (("a", "b"), np.array([0, 0, 0, 1])), who, "width", "years"
    )
    assert {k: float(v) for k, v in means.items()} == {"width a": 5, "width b": 9}


def test_rates_of_pairs_draw_both_people_again_and_rare_events_are_exact() -> None:
    rng = np.random.default_rng(0)
    subjects = rng.integers(0, 12, (400, 2))
    hits = (subjects[:, 0] < 6).astype(float)
    both, one = scoring.rate(hits, subjects, "x"), scoring.binomial(hits, "x")
    assert isinstance(both.low, float)
    assert isinstance(one.low, float)
    # All depends on twelve people: four hundred independent pairs would be far too sure.
    assert float(both) - both.low > 3 * (float(one) - one.low)
    rare = scoring.rate((np.arange(400) < 3).astype(float), subjects, "x")
    assert "Clopper-Pearson" in rare.rule


def test_agreement_counts_only_what_was_answered_both_times() -> None:
    one, other = np.array([1.0, 0, 1, NAN, 1]), np.array([1.0, 1, 1, 1, NAN])
    found = scoring.agreement(one, other, np.arange(10).reshape(5, 2), "orders")
    assert float(found["agreement, orders"]) == pytest.approx(2 / 3)
    assert found["agreement, orders"].counts == {"units": 3, "left out": 2}
