"""Rules of published codes for a threshold at a rate: measured vectors, the codes' own tests, other packages."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.metrics import roc_curve

from workbench.core import Scores, ShapeError, Trials, Undefined
from workbench.metrics import compatibility as habit
from workbench.metrics import fnmr_at_fmr

DATA, TARGET = load_iris(return_X_y=True)
POS, NEG = DATA[TARGET == 1, 0], DATA[TARGET == 0, 0]
VALUES, MATED = np.r_[POS, NEG], np.r_[np.ones(50, bool), np.zeros(50, bool)]


def scored(mated: np.ndarray, nonmated: np.ndarray, acquired: np.ndarray | None = None) -> Scores:
    values = np.r_[mated, nonmated].astype(float)
    kind = np.arange(len(values)) < len(mated)
    index = np.arange(len(values))
    subjects = np.stack([index, np.where(kind, index, index + len(values))], axis=1)
    good = np.ones(len(values), bool) if acquired is None else acquired
    return Scores("m", Trials(index, index, kind, subjects), np.where(good, values, np.nan), good)


@pytest.mark.parametrize(
    ("fmr", "name", "threshold", "reached", "fnmr"),
    [
        (0.05, "workbench", 5.8, 0.02, 0.42),
        (0.05, "bob.measure", 5.8, 0.02, 0.42),
        (0.05, "eval_ijbc", 5.6, 0.06, 0.22),
        (0.05, "pyeer", 5.6, 0.06, 0.22),
        (0.05, "interpolated", None, 0.05, 0.345),
        (0.05, "CVLface", 5.7, 0.06, 0.32),
        (0.05, "numpy.quantile", 5.61, 0.06, 0.32),
        (0.05, "ijb_evals", 5.7, 0.02, 0.42),
        (0.05, "ijb_1n", 5.7, 0.02, 0.42),
        (0.01, "workbench", np.nextafter(5.8, 9), 0.0, 0.48),
        (0.01, "bob.measure", np.nextafter(5.8, 9), 0.0, 0.48),
        (0.01, "eval_ijbc", 5.8, 0.02, 0.42),
        (0.01, "pyeer", 5.8, 0.02, 0.42),
        (0.1, "workbench", 5.5, 0.1, 0.12),
        (0.1, "bob.measure", 5.5, 0.1, 0.12),
        (0.1, "ijb_evals", 5.5, 0.06, 0.22),
        (0.1, "ijb_1n", 5.5, 0.06, 0.22),
    ],
)
def test_iris_under_every_rule(fmr: float, name: str, threshold: float | None, reached: float, fnmr: float) -> None:
    found = {rule.name: rule for rule in habit.other_rules(scored(POS, NEG), fmr)}[name]
    assert float(found.fmr) == pytest.approx(reached, abs=1e-15)
    assert float(found.fnmr) == pytest.approx(fnmr, abs=1e-14)
    if threshold is None:
        assert isinstance(found.threshold, Undefined)
    elif name == "workbench" and fmr == 0.01:
        # The house gives the lowest score that reaches the rate, here a mated one.
        assert 5.8 < float(found.threshold) <= 5.9
    else:
        assert float(found.threshold) == pytest.approx(threshold, abs=1e-12)
    assert found.words


@pytest.mark.parametrize(
    ("name", "threshold", "fmr", "fnmr"),
    [
        ("workbench", None, 0.11, 0.11),
        ("pyeer", None, 0.10, 0.12),
        ("bob.measure", 5.45, 0.10, 0.12),
        ("ASVspoof", 5.4, 0.12, 0.12),
        ("DeepfakeBench", None, 0.10, 0.10),
        ("Bosaris", None, 0.11636363636363636, 0.11636363636363636),
    ],
)
def test_iris_under_every_equal_error_rate(name: str, threshold: float | None, fmr: float, fnmr: float) -> None:
    found = {rule.name: rule for rule in habit.other_equal_error_rates(scored(POS, NEG))}[name]
    assert (float(found.fmr), float(found.fnmr)) == pytest.approx((fmr, fnmr), abs=1e-14)
    if threshold is not None:
        assert float(found.threshold) == pytest.approx(threshold, abs=1e-12)


def test_pyeers_range() -> None:
    assert habit.pyeer_eer(VALUES, MATED) == pytest.approx((0.11, 0.10, 0.12))
    # Everything tied: FMR stays at 1, FNMR at 0, they never cross.
    assert habit.pyeer_eer(np.ones(4), np.array([True, True, False, False])) == (1.0, 1.0, 1.0)
    # On 200 non-mated scores the nearest attained rate to 0.001 is taken even if that is five times as high.
    nonmated = np.r_[np.arange(199.0), 500.0]
    threshold, fmr, _ = habit.pyeer_fnmr_at_fmr(
        np.r_[np.full(20, 400.0), nonmated], np.r_[np.ones(20, bool), np.zeros(200, bool)], 0.001
    )
    assert (threshold, fmr) == (400.0, 0.005)


@pytest.mark.parametrize(
    ("far", "threshold", "rates"),
    [
        (0.0, np.nextafter(5.8, 9), (0, 0.48)),
        (0.01, np.nextafter(5.8, 9), (0, 0.48)),
        (0.02, 5.8, (0.02, 0.42)),
        (0.05, 5.8, (0.02, 0.42)),
        (1.0, np.nextafter(4.3, 0), (1, 0)),
    ],
)
def test_bobs_far_threshold(far: float, threshold: float, rates: tuple[float, float]) -> None:
    found = habit.bob_far_threshold(NEG, far)
    assert found == threshold
    assert habit.bob_farfrr(NEG, POS, found) == pytest.approx(rates)


@pytest.mark.parametrize(
    ("frr", "threshold", "rates"),
    [(0.0, 4.9, (0.68, 0)), (0.05, 5.0, (0.60, 0.02)), (0.1, 5.4, (0.20, 0.10)), (0.2, 5.5, (0.10, 0.12))],
)
def test_bobs_frr_threshold(frr: float, threshold: float, rates: tuple[float, float]) -> None:
    found = habit.bob_frr_threshold(POS, frr)
    assert found == threshold
    assert habit.bob_farfrr(NEG, POS, found) == pytest.approx(rates)


def test_bobs_thresholds_that_no_score_attains() -> None:
    pos = np.array([0, 0, 0, 0, 0.1, 0.2, 0.3, 0.4, 0.5])
    neg = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 1, 1, 1, 1])
    assert habit.bob_far_threshold(neg, 0.5) == 1.0
    assert habit.bob_frr_threshold(pos, 0.5) == 0.1
    assert habit.bob_far_threshold(neg, 0.4) > 1.0
    assert habit.bob_frr_threshold(pos, 0.4) >= 0.0
    pos, neg = np.r_[0.0, pos], np.r_[neg, 1.0]
    assert habit.bob_far_threshold(neg, 0.5) == 1.0
    assert habit.bob_frr_threshold(pos, 0.51) == 0.1
    assert habit.bob_far_threshold(neg, 0.49) > 1.0
    few = np.arange(10.0)
    assert habit.bob_far_threshold(few, 0.09) > 9.0
    assert [habit.bob_far_threshold(few, f) for f in (0.11, 0.91)] == [9.0, 1.0]
    assert habit.bob_far_threshold(few, 1.0) <= 0.0
    assert [habit.bob_frr_threshold(few, f) for f in (0.11, 0.91)] == [1.0, 9.0]
    for wrong in ((few, 1.1), (few[:1], 0.5)):
        with pytest.raises(ShapeError):
            habit.bob_far_threshold(*wrong)


def test_bobs_obvious_thresholds() -> None:
    neg, pos = np.arange(10.0), np.arange(10.0, 20.0)
    for rate in (round(i / 20, 2) for i in range(21)):
        expected = math.floor(rate * 10) / 10
        assert habit.bob_farfrr(neg, pos, habit.bob_far_threshold(neg, rate))[0] == expected
        assert habit.bob_farfrr(neg, pos, habit.bob_frr_threshold(pos, rate))[1] == expected


def test_bobs_threshold_of_the_equal_error_rate() -> None:
    assert habit.bob_eer_threshold(NEG, POS) == pytest.approx(5.45, abs=1e-12)
    # bob.measure's separable set: petal lengths.
    assert habit.bob_eer_threshold(DATA[TARGET == 0, 2], DATA[TARGET == 2, 2]) == pytest.approx(3.2, abs=1e-12)
    # Everything tied: the gap is 1 on both sides and the first threshold stays.
    assert habit.bob_eer_threshold(np.ones(3), np.ones(3)) == 1.0
    with pytest.raises(ShapeError):
        habit.bob_eer_threshold(NEG, POS[:0])


def slow_bob_eer(neg: list[float], pos: list[float]) -> float:
    """One threshold after the other: the lowest score, then each middle, the last of equal gaps while both remain."""
    values = sorted({*neg, *pos})
    candidates = [values[0], *((a + b) / 2 for a, b in pairwise(values)), values[-1]]
    best, threshold = 9.0, None
    for k, candidate in enumerate(candidates):
        passed = values[:k]
        left = [sum(s not in passed for s in kind) for kind in (neg, pos)]
        gap = abs(round(left[0] * len(pos) - (len(pos) - left[1]) * len(neg)))
        if all(left) and gap <= best * len(neg) * len(pos):
            best, threshold = gap / len(neg) / len(pos), candidate
        elif not all(left):
            return candidate if gap < best * len(neg) * len(pos) - 1e-9 else threshold
    raise AssertionError


@given(st.lists(st.integers(0, 9), min_size=4, max_size=4), st.lists(st.integers(0, 9), min_size=8, max_size=8))
@settings(max_examples=80, deadline=None)
def test_bobs_threshold_by_a_slow_walk(neg: list[int], pos: list[int]) -> None:
    # Sizes are powers of two, so that stepping the rates rounds nothing.
    found = habit.bob_eer_threshold(np.array(neg, float), np.array(pos, float))
    assert found == slow_bob_eer([float(n) for n in neg], [float(p) for p in pos])


def test_bobs_sampled_area() -> None:
    assert habit.bob_roc_auc_score(NEG, POS) == pytest.approx(0.9326, abs=1e-12)
    assert habit.bob_roc_auc_score(NEG, POS, log_scale=True) == pytest.approx(1.4183699583300993, abs=1e-13)


def test_bobs_minimal_cllr_takes_ties_apart() -> None:
    assert habit.bob_min_cllr(NEG, POS) == pytest.approx(0.33736, abs=5e-6)


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40), st.floats(0, 1))
@settings(max_examples=120, deadline=None)
def test_points_and_nearest_as_scikit_learn_has_them(rows: list[tuple[int, bool]], far: float) -> None:
    values = np.array([r[0] for r in rows], float)
    mated = np.array([r[1] for r in rows])
    mated[:2] = True, False
    fpr, tpr, thresholds = roc_curve(mated, values)
    for ours, theirs in zip(habit.roc_points(values, mated), (fpr, tpr, thresholds), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # The published lines: turned round, the smallest distance with the smallest index.
    fpr, tpr, thresholds = np.flipud(fpr), np.flipud(tpr), np.flipud(thresholds)
    _, index = min(zip(abs(fpr - far), range(len(fpr)), strict=True))
    assert habit.nearest_point(values, mated, far) == (thresholds[index], fpr[index], tpr[index])
    assert habit.eval_ijbc_tpr(values, mated, (far,)).tolist() == [tpr[index]]


def test_the_nearest_point_can_be_one_that_scikit_learn_dropped() -> None:
    # Four points on one line: scikit-learn keeps the ends only.
    mated, nonmated = np.array([9.0, 1.0]), np.array([5.0, 4.0, 3.0, 2.0])
    by_name = {r.name: float(r.fmr) for r in habit.other_rules(scored(mated, nonmated), 0.5)}
    assert by_name["pyeer"] == by_name["workbench"] == 0.5
    assert by_name["eval_ijbc"] in (0.0, 1.0)


def slow_rule(name: str, mated: list[float], nonmated: list[float], fmr: float) -> tuple[float, float]:
    """FMR and FNMR by lists."""
    falling = sorted(nonmated, reverse=True)
    n = len(falling)
    if name == "CVLface":
        k = round(n * fmr)
        threshold = falling[0] + 1e-5 if k == 0 else falling[k - 1]
    elif name == "ijb_evals":
        threshold = falling[max(int(n * fmr) - 1, 0)]
    else:
        threshold = falling[math.ceil(n * fmr) - 1]
    over = (lambda s: s >= threshold) if name == "CVLface" else (lambda s: s > threshold)
    return sum(map(over, nonmated)) / n, sum(not over(s) for s in mated) / len(mated)


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=30), st.lists(st.integers(0, 12), min_size=2, max_size=30),
    st.floats(0, 1),
)  # fmt: skip
@example([0], [0, 0], math.nextafter(1, 0))
@settings(max_examples=80, deadline=None)
def test_rank_rules_by_lists(mated: list[int], nonmated: list[int], fmr: float) -> None:
    arrays = np.array(mated, float), np.array(nonmated, float)
    found = {r.name: r for r in habit.other_rules(scored(*arrays), fmr)}
    for name in ("CVLface", "ijb_evals", "ijb_1n"):
        slow = slow_rule(name, [float(m) for m in mated], [float(n) for n in nonmated], fmr)
        assert (float(found[name].fmr), float(found[name].fnmr)) == pytest.approx(slow, abs=1e-14)
    house = fnmr_at_fmr(scored(*arrays), fmr, resamples=0)
    assert float(found["workbench"].fnmr) == float(house)
    if fmr < 1 - np.finfo(float).eps:
        # The same non-mated scores are accepted; bob's threshold is a non-mated score, so no mated one is lost.
        assert float(found["bob.measure"].fmr) == float(found["workbench"].fmr) <= fmr
    else:
        assert float(found["bob.measure"].fmr) == 1
    assert float(found["interpolated"].fnmr) <= float(house) + 1e-12


def test_failures_are_rejections_under_every_rule() -> None:
    rng = np.random.default_rng(2)
    mated, nonmated = rng.normal(3, 1, 200), rng.normal(0, 1, 200)
    acquired = np.ones(400, bool)
    acquired[:20] = False
    for rule in habit.other_rules(scored(mated, nonmated, acquired), 0.01):
        if not isinstance(rule.threshold, Undefined):
            passed = mated[20:] > rule.threshold if "s > T" in rule.words else mated[20:] >= rule.threshold
            assert float(rule.fnmr) == pytest.approx(1 - passed.sum() / 200, abs=1e-14)
        assert 0.1 <= float(rule.fnmr) <= 0.5, rule
    for rule in habit.other_equal_error_rates(scored(mated, nonmated, acquired)):
        assert 0.08 <= float(rule.fnmr) <= 0.2, rule


def test_one_kind_only_is_undefined_under_every_rule() -> None:
    for rules in (habit.other_rules(scored(POS, NEG[:0]), 0.1), habit.other_equal_error_rates(scored(POS[:0], NEG))):
        assert len(rules) >= 6
        for rule in rules:
            for number in (rule.fmr, rule.fnmr, rule.threshold):
                assert isinstance(number, Undefined)
                assert number.reason in ("no non-mated trials", "no mated trials")
    with pytest.raises(ShapeError, match="fraction"):
        habit.other_rules(scored(POS, NEG), 5)
    for measure in (habit.pyeer_eer, habit.roc_points):
        with pytest.raises(ShapeError, match="one kind only"):
            measure(POS, np.ones(50, bool))
    one = {r.name: r for r in habit.other_rules(scored(POS, NEG[:1]), 0.1)}
    assert isinstance(one["bob.measure"].fmr, Undefined)
