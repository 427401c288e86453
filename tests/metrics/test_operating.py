"""Rates at any threshold equal a slow count and the other measures; intervals equal the plain bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import metrics
from workbench.core import Scores, Trials, Undefined
from workbench.metrics.operating import Operating, Redrawn
from workbench.metrics.resampling import of_units


def population(people: int, seed: int, *, digits: int = 2, lost: int = 0) -> Scores:
    """Every picture of a few people against every other, scores rounded so that many tie."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 4)
    one, other = np.triu_indices(len(person), 1)
    subjects = np.stack([person[one], person[other]], 1)
    mated = subjects[:, 0] == subjects[:, 1]
    values = np.round(rng.normal(0, 0.2, len(one)) + np.where(mated, 0.5, 0.0), digits)
    acquired = np.ones(len(one), bool)
    acquired[rng.permutation(len(one))[:lost]] = False
    return Scores("a", Trials(one, other, mated, subjects), np.where(acquired, values, np.nan), acquired)


@given(
    st.lists(st.integers(0, 9), max_size=25), st.lists(st.integers(0, 9), max_size=25), st.integers(-1, 10),
    st.integers(0, 3),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_a_threshold_equals_a_slow_count(mated: list[int], nonmated: list[int], threshold: int, lost: int) -> None:
    n = len(mated) + len(nonmated)
    kind = np.r_[np.ones(len(mated), bool), np.zeros(len(nonmated), bool)]
    subjects = np.stack([np.arange(n), np.where(kind, np.arange(n), -1 - np.arange(n))], 1)
    acquired = np.arange(n) >= lost
    values = np.where(acquired, np.array([*mated, *nonmated], float), np.nan)
    scores = Scores("a", Trials(np.arange(n), np.arange(n), kind, subjects), values, acquired)
    found = Operating(scores).at(threshold)
    passed = [ok and v >= threshold for v, ok in zip([*mated, *nonmated], acquired, strict=True)]
    assert found.false_matches == sum(passed[len(mated) :])
    assert found.false_nonmatches == len(mated) - sum(passed[: len(mated)])
    others = metrics.fmr_fnmr_at(scores, threshold)
    for ours, theirs in zip((found.fmr, found.fnmr), others, strict=True):
        assert isinstance(ours, Undefined) if isinstance(theirs, Undefined) else ours == theirs


def test_every_threshold_of_many_equals_the_error_rates() -> None:
    scores = population(8, 1, lost=30)
    rates, operating = metrics.error_rates(scores), Operating(scores)
    assert not isinstance(rates, Undefined)
    assert len(rates.thresholds) > 100
    for threshold, fmr, fnmr in zip(rates.thresholds, rates.fmr, rates.fnmr, strict=True):
        found = operating.at(float(threshold))
        assert (found.fmr, found.fnmr) == (fmr, fnmr)


@pytest.mark.parametrize("lost", [0, 25])
@pytest.mark.parametrize(("threshold", "compared"), [(-0.1, "FMR"), (0.35, "FMR FNMR"), (0.6, "FNMR")])
def test_intervals_equal_the_plain_bootstrap(threshold: float, compared: str, lost: int) -> None:
    scores = population(12, 3, lost=lost)
    found = Redrawn(Operating(scores), resamples=120, seed=5).at(threshold)
    accepted = scores.acquired & (np.nan_to_num(scores.values, nan=-9) >= threshold)
    for ours, kind, errors in zip(found, (False, True), (accepted, ~accepted), strict=True):
        if ours.rule.split()[0] not in compared.split():
            # Too few errors for the bootstrap.
            assert "Clopper-Pearson" in ours.rule
            continue
        used = scores.trials.mated == kind

        def rate(weights: np.ndarray | None, used: np.ndarray = used, errors: np.ndarray = errors) -> float:
            weight = np.ones(len(used)) if weights is None else weights
            return float(weight[used & errors].sum() / weight[used].sum())

        plain = of_units(rate, scores.trials.subjects, "", {}, resamples=120, seed=5)
        assert float(ours) == float(plain)
        assert (ours.low, ours.high) == pytest.approx((plain.low, plain.high), abs=1e-12)
        assert "12 capture subjects, 120 resamples" in ours.rule


def test_few_errors_get_the_exact_interval_and_few_people_too() -> None:
    scores = population(12, 3)
    fmr, _ = Redrawn(Operating(scores), resamples=50).at(float(scores.values[~scores.trials.mated].max()))
    assert "Clopper-Pearson" in fmr.rule
    assert (fmr.low, fmr.high) == metrics.clopper_pearson(fmr.counts["errors"], fmr.counts["trials"])
    assert "Clopper-Pearson" in Redrawn(Operating(population(4, 2)), resamples=50).at(0.25)[1].rule


def test_the_nearest_trials_lie_beside_the_threshold() -> None:
    scores = population(6, 4)
    for mated in (False, True):
        values = scores.values[scores.trials.mated == mated]
        above = Operating(scores).nearest(0.3, mated=mated, accepted=True, most=5)
        below = Operating(scores).nearest(0.3, mated=mated, accepted=False, most=5)
        assert scores.values[above].tolist() == sorted(values[values >= 0.3])[:5]
        assert scores.values[below].tolist() == sorted(values[values < 0.3])[::-1][:5]
        assert (scores.trials.mated[np.r_[above, below]] == mated).all()


def test_no_scores_have_no_range() -> None:
    empty = np.zeros(0, np.int64)
    trials = Trials(empty, empty, np.zeros(0, bool), np.zeros((0, 2), np.int64))
    operating = Operating(Scores("none", trials, np.zeros(0), np.zeros(0, bool)))
    assert operating.thresholds is None
    assert isinstance(operating.at(0.0).fmr, Undefined)
