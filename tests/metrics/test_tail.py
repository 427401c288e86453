"""The low end from the highest scores alone, against the rates of all scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.metrics import roc_curve

from workbench.core import Scores, ShapeError, Trials, Undefined
from workbench.metrics import error_rates, rates, resampling, tail, tail_intervals, verification

IRIS = load_iris()
NEG, POS = IRIS.data[IRIS.target == 0, 0], IRIS.data[IRIS.target == 1, 0]


def scored(people: int, samples: int, *, seed: int = 0, ties: bool = False, failures: int = 0) -> Scores:
    """All pairs of ``people * samples`` pictures."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(people), samples)
    one, other = np.triu_indices(len(owner), 1)
    subjects = np.c_[owner[one], owner[other]]
    mated = subjects[:, 0] == subjects[:, 1]
    trait = rng.standard_normal((people, 4))
    values = (trait[subjects[:, 0]] * trait[subjects[:, 1]]).sum(1) + rng.standard_normal(len(one)) + 3.0 * mated
    values = np.round(values, 1) if ties else values
    acquired = np.ones(len(one), bool)
    acquired[rng.permutation(len(one))[:failures]] = False
    return Scores("m", Trials(one, other, mated, subjects), np.where(acquired, values, np.nan), acquired)


@pytest.mark.parametrize(
    ("fmr", "fnmr", "threshold"), [(0.05, 0.42, 5.8), (0.01, 0.48, np.nextafter(5.8, 6)), (0.1, 0.12, 5.5)]
)
def test_iris_at_most_rule(fmr: float, fnmr: float, threshold: float) -> None:
    (found,) = tail.fnmr_at_fmrs(POS, NEG, [fmr])
    assert float(found) == pytest.approx(fnmr)
    at = tail.tail_of(POS, NEG, fmr=0.1).threshold_at_fmr(fmr)
    # At FMR 0 the next mated score is the threshold: nothing lies between.
    assert float(at) == pytest.approx(threshold if fmr != 0.01 else 5.9)


scores_lists = st.lists(st.integers(-5, 5), min_size=1, max_size=40)


@given(scores_lists, scores_lists, st.floats(0, 1), st.integers(1, 40))
def test_any_scores_any_kept_number_equal_all_scores(
    mated: list[int], nonmated: list[int], fmr: float, keep: int
) -> None:
    kept = np.sort(np.array(nonmated, float))[-keep:]
    part = tail.Tail(kept, len(nonmated), np.sort(np.array(mated, float)))
    n = len(mated) + len(nonmated)
    subjects = np.c_[np.zeros(n, int), np.r_[np.zeros(len(mated), int), np.ones(len(nonmated), int)]]
    trials = Trials(np.arange(n), np.arange(n), subjects[:, 1] == 0, subjects)
    every = Scores("m", trials, np.array(mated + nonmated, float), np.ones(n, bool))
    found = part.fnmr_at_fmr(fmr)
    if isinstance(found, Undefined):
        assert tail.allowed_matches(fmr, len(nonmated)) >= keep
        assert "beyond the kept scores" in found.reason
    else:
        assert found == float(verification.fnmr_at_fmr(every, fmr, resamples=0))
        at = part.threshold_at_fmr(fmr)
        rates = error_rates(every)
        assert not isinstance(rates, Undefined)
        if np.isfinite(float(at)) and float(at) in rates.thresholds:
            assert part.fmr_at(float(at)) == rates.fmr[list(rates.thresholds).index(float(at))]


def test_many_scores_against_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    nonmated = np.round(rng.standard_normal(300_000), 3).astype(np.float32)
    mated = np.round(rng.standard_normal(500) + 3, 3).astype(np.float32)
    points = (1e-1, 1e-3, 1e-5, 0.0)
    fmr, tmr, _ = roc_curve(np.r_[np.ones(500), np.zeros(300_000)], np.r_[mated, nonmated], drop_intermediate=False)
    expected = [1 - tmr[np.searchsorted(fmr, f, side="right") - 1] for f in points]
    assert [float(e) for e in tail.fnmr_at_fmrs(mated, nonmated, points)] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("order", ["random", "rising", "falling", "equal", "periodic"])
def test_the_highest_are_the_highest_in_any_order(order: str) -> None:
    values = np.random.default_rng(1).standard_normal(50_000)
    values = {"random": values, "rising": np.sort(values), "falling": np.sort(values)[::-1],
              "equal": np.zeros(50_000), "periodic": np.tile([0.0] * 9 + [5.0], 5000)}[order]  # fmt: skip
    for count in (1, 777, 20_000, 50_000):
        assert np.array_equal(tail.highest_of(values, count), np.sort(values)[-count:])


def test_what_is_not_finite_is_named() -> None:
    with pytest.raises(ShapeError, match=r"a non-mated score is not finite\n  given: nan at 2"):
        tail.tail_of(POS, np.array([0.1, 0.2, np.nan]))
    with pytest.raises(ShapeError, match="per cent are divided by 100"):
        tail.tail_of(POS, NEG).bound(5)
    assert tail.tail_of(POS, NEG[:0]).fnmr_at_fmr(0.1) == Undefined(
        "no non-mated trials", {"mated": 50, "nonmated": 0, "kept": 0}
    )


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("fmr", [0.0, 1e-3, 5e-3])
@pytest.mark.parametrize("failures", [0, 900])
def test_the_fast_interval_is_the_slow_one_to_the_last_bit(ties: bool, fmr: float, failures: int) -> None:
    scores = scored(60, 3, ties=ties, failures=failures)
    slow = resampling.of_scores(
        scores, lambda r: float(r.fnmr[rates.at_most(r, fmr)]), "as slow as it gets", resamples=200
    )
    fast = verification.fnmr_at_fmr(scores, fmr, resamples=200)
    assert tail_intervals.tail_of_scores(scores, fmr) is not None
    assert (fast.value, fast.low, fast.high) == (slow.value, slow.low, slow.high)
    assert fast.rule.split("; ")[1:] == slow.rule.split("; ")[1:]


def test_sparse_and_crossed_totals_are_the_sum_of_all_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    references, probes = rng.integers(0, 12, 30), rng.integers(0, 12, 50)
    one, other = (a.ravel() for a in np.meshgrid(references, probes, indexing="ij"))
    pairs = np.c_[one, other][one != other]
    drawn = rng.integers(0, 4, (5, 12)).astype(float)
    expected = [sum(d[a] * d[b] for a, b in pairs) for d in drawn]
    assert tail_intervals.pair_totals(pairs, 12)(drawn).tolist() == expected
    counts = [np.bincount(c, minlength=12) for c in (references, probes)]
    assert tail_intervals.cross_totals(*counts)(drawn).tolist() == expected
    monkeypatch.setattr(tail_intervals, "_DENSE", 3)
    assert tail_intervals.pair_totals(pairs, 12)(drawn).tolist() == expected


def test_a_tail_that_is_too_short_says_so() -> None:
    scores = scored(60, 3)
    kept = tail_intervals.tail_of_scores(scores, 1e-3)
    assert kept is not None
    part, totals, people = kept
    assert part.subjects is not None
    k = tail.allowed_matches(1e-3, part.nonmated) + 1
    short = tail.Tail(part.highest[-k:], part.nonmated, part.mated, part.subjects[-k:], part.mated_subjects)
    found = tail_intervals.of_tail(short, 1e-3, totals, people, resamples=50)
    assert found.value == part.fnmr_at_fmr(1e-3)
    assert found.low == Undefined("a resample reaches beyond the kept scores", short.counts)


def test_independent_draws_agree_with_scipy() -> None:
    from scipy import stats

    rng = np.random.default_rng(0)
    nonmated, mated = rng.standard_normal(20_000), rng.standard_normal(400) + 2.5
    found = tail_intervals.of_independent(tail.tail_of(mated, nonmated, fmr=0.05), 0.01, resamples=2000)

    def statistic(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.mean(one <= np.sort(other)[-1 - tail.allowed_matches(0.01, len(other))]))

    slow = stats.bootstrap((mated, nonmated), statistic, n_resamples=1000, vectorized=False, method="percentile",
                           rng=np.random.default_rng(1)).confidence_interval  # fmt: skip
    assert (found.low, found.high) == pytest.approx((slow.low, slow.high), abs=0.012)


@pytest.mark.parametrize(("people", "samples", "ties"), [(24, 8, False), (24, 8, True), (8, 3, False)])
def test_resamples_are_those_of_weighing_every_comparison(people: int, samples: int, ties: bool) -> None:
    scores = scored(people, samples, ties=ties, failures=5)
    assert (tail_intervals.tail_of_scores(scores, 1e-3) is None) == (people == 8)
    fast = tail_intervals.resampled_at_fmr("m", scores, 1e-3, resamples=100, seed=3)
    ranked = rates.Ranked(scores)

    def slow(weights: np.ndarray | None) -> float | Undefined:
        found = ranked.rates(weights)
        return found if isinstance(found, Undefined) else float(found.fnmr[rates.at_most(found, 1e-3)])

    wanted = resampling.resampled("m", slow, scores.trials.subjects, {}, resamples=100, seed=3)
    assert float(fast.value) == float(wanted.value)
    assert fast.drawn.tolist() == wanted.drawn.tolist()
    assert fast.draw == wanted.draw
    assert len(set(fast.drawn.tolist())) > 5


def test_resamples_without_one_kind_are_undefined() -> None:
    scores = scored(6, 1)
    found = tail_intervals.resampled_at_fmr("m", scores, 1e-3, resamples=20)
    assert isinstance(found.value, Undefined)
    assert "no mated trials" in found.value.reason
    assert np.isnan(found.drawn).all()
