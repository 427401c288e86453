"""Differentials: the published vector, counting, and what an empty group must not do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core import Scores, ShapeError, Trials, Undefined
from workbench.metrics import differentials as diff

FMR, FNMR = np.array([1e-4, 2e-4, 4e-4, 1.3e-3]), np.array([0.01, 0.012, 0.02, 0.03])


def test_the_vector_of_the_papers() -> None:
    assert diff.gini(FMR) == pytest.approx(0.633333333333)
    assert diff.gini(FNMR) == pytest.approx(0.314814814815)
    assert diff.garbe(FMR, FNMR) == pytest.approx(0.474074074074)
    assert diff.fdr(FMR, FNMR) == pytest.approx(0.9894)
    assert diff.inequity_rate(FMR, FNMR) == pytest.approx(6.244997998398)
    assert diff.max_over_geometric_mean(FMR) == pytest.approx(4.070849225798)
    assert diff.max_over_geometric_mean(FNMR) == pytest.approx(1.831420750742)


def test_gini_alone() -> None:
    assert float(diff.gini(np.array([35.0, 95.0, 89.0]))) == pytest.approx(0.273972602739726)


def test_a_group_without_errors_leaves_ratios_undefined() -> None:
    some = np.array([0.0, 0.1])
    assert diff.inequity_rate(some, FNMR) == Undefined("a group has no error", {"groups": 2})
    assert diff.garbe(some, some) == pytest.approx(1.0)
    assert diff.gini(np.zeros(3)) == 0.0
    assert isinstance(diff.fdr(some[:1], some), Undefined)


def made(seed: int, people: int = 60) -> diff.Groups:
    rng = np.random.default_rng(seed)
    group = np.array(["a", "b", "c"])[np.arange(people) % 3]
    subjects = np.r_[np.repeat(np.arange(people), 2).reshape(-1, 2), rng.integers(0, people, (900, 2))]
    subjects = subjects[np.r_[:people, people + np.flatnonzero(subjects[people:, 0] != subjects[people:, 1])]]
    mated = subjects[:, 0] == subjects[:, 1]
    n = len(mated)
    scores = Scores(
        "m", Trials(np.arange(n), np.arange(n), mated, subjects), rng.standard_normal(n) + mated, np.ones(n, bool)
    )
    return diff.Groups(scores, group[subjects[:, 0]], group[subjects[:, 1]], 0.8, "for the test")


@given(st.integers(0, 100))
def test_rates_are_counted(seed: int) -> None:
    groups = made(seed)
    between = diff.fmr_between_groups(groups, resamples=0)
    fnmr = diff.fnmr_by_group(groups, resamples=0)
    hits: dict[tuple[str, ...], list[bool]] = {}
    for r, p, s, m in zip(
        groups.reference, groups.probe, groups.scores.values, groups.scores.trials.mated, strict=True
    ):
        hits.setdefault((r,) if m else tuple(sorted((r, p))), []).append(bool(s >= 0.8) != bool(m))
    for name, estimate in {**between, **{(k,): v for k, v in fnmr.items()}}.items():
        assert float(estimate) == pytest.approx(np.mean(hits[name]))
        assert estimate.counts["trials"] == len(hits[name])
    both = [np.array([float(e) for e in found.values()]) for found in (diff.fmr_by_group(groups, resamples=0), fnmr)]
    for name in diff.SUMMARIES:
        assert diff.summary(groups, name, resamples=0).value == pytest.approx(diff.SUMMARIES[name](*both))


def test_an_unknown_or_empty_group_changes_nothing() -> None:
    groups = made(3)
    rng = np.random.default_rng(0)
    more = rng.integers(0, 60, (50, 2)) + np.array([100, 200])
    trials = groups.scores.trials
    n = len(trials) + 50
    both = Trials(np.arange(n), np.arange(n), np.r_[trials.mated, np.zeros(50, bool)], np.r_[trials.subjects, more])
    scores = Scores("m", both, np.r_[groups.scores.values, np.full(50, 9.0)], np.ones(n, bool))
    grown = diff.Groups(scores, np.r_[groups.reference, np.full(50, "")], np.r_[groups.probe, np.full(50, "a")], 0.8)
    for name in diff.SUMMARIES:
        one, other = (diff.summary(g, name, resamples=50) for g in (groups, replace(grown, origin="for the test")))
        assert (one.value, one.low, one.high) == (other.value, other.low, other.high)


def test_intervals_small_groups_and_mistakes() -> None:
    groups = made(1)
    found = diff.summary(groups, "GARBE", resamples=100)
    assert float(found.low) <= float(found.high)
    assert "over 60 capture subjects" in found.rule
    rare = diff.fmr_by_group(replace(groups, threshold=3.4), resamples=0)
    assert any("small:" in e.rule for e in rare.values())
    with pytest.raises(ShapeError, match="one group per capture subject"):
        replace(groups, probe=np.roll(groups.probe, 1))
    with pytest.raises(ShapeError, match="GARBE"):
        diff.summary(groups, "Gini")


def test_rates_and_summaries_at_a_moving_threshold_are_the_same() -> None:
    rng = np.random.default_rng(11)
    person = np.repeat(np.arange(18), 3)
    group = np.array(["a", "b", "c"])[person % 3]
    one, other = np.triu_indices(len(person), 1)
    subjects = np.stack([person[one], person[other]], 1)
    mated = subjects[:, 0] == subjects[:, 1]
    values = np.round(rng.normal(0, 0.2, len(one)) + 0.4 * mated + 0.05 * (person[one] % 3), 2)
    acquired = rng.random(len(one)) > 0.02
    scores = Scores("s", Trials(one, other, mated, subjects), np.where(acquired, values, np.nan), acquired)
    for threshold in (-1.0, 0.1, 0.2, 0.35, 2.0):
        groups = diff.Groups(scores, group[one], group[other], threshold)
        points = {name: part.at(threshold) for name, part in diff.within_groups(groups).items()}
        fmr, fnmr = (f(groups, resamples=0) for f in (diff.fmr_by_group, diff.fnmr_by_group))
        for name, point in points.items():
            assert (point.fmr, point.fnmr) == (float(fmr[name]), float(fnmr[name]))
        for name, value in diff.summaries_at(points).items():
            whole = diff.summary(groups, name, resamples=0).value
            if isinstance(whole, Undefined):
                assert isinstance(value, Undefined)
                assert value.reason == whole.reason
            else:
                assert value == pytest.approx(whole, rel=1e-12)
    alone = {"a": points["a"]}
    assert all(isinstance(v, Undefined) for v in diff.summaries_at(alone).values())
