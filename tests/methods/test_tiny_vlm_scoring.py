"""From answers to units: against slow counts, and against other definitions that would be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.methods import tiny_vlm_scoring as scoring
from workbench.methods.tiny_vlm_words import INVALID, merge
from workbench.metrics.agreement import cohen_kappa


def drawn(n: int = 300, classes: int = 9) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = rng.integers(0, classes, n)
    near = np.clip(true + rng.integers(-1, 2, n), 0, classes - 1)
    said = np.where(rng.random(n) < 0.1, INVALID, near)
    return said, true, np.arange(n) // 2


def slow_f1(said: np.ndarray, true: np.ndarray, classes: int) -> list[float]:
    found = []
    for c in range(classes):
        hit = sum(1 for s, t in zip(said, true, strict=True) if s == t == c)
        wrong = sum(1 for s, t in zip(said, true, strict=True) if s == c != t)
        missed = sum(1 for s, t in zip(said, true, strict=True) if t == c != s)
        if hit + wrong + missed:
            found.append(2 * hit / (2 * hit + wrong + missed))
    return found


def test_macro_f1_counts_invalid_answers_as_misses_of_their_class() -> None:
    said, true, people = drawn()
    found = scoring.macro_f1(said, true, 9, people, resamples=0)
    assert float(found) == pytest.approx(np.mean(slow_f1(said, true, 9)))
    answered = said != INVALID
    without = scoring.macro_f1(said[answered], true[answered], 9, people[answered], resamples=0)
    assert float(found) < float(without)
    assert found.counts["invalid"] == int((said == INVALID).sum())


def test_macro_f1_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    said, true, people = drawn()
    theirs = metrics.f1_score(true, said, labels=list(range(9)), average="macro", zero_division=0)
    assert float(scoring.macro_f1(said, true, 9, people, resamples=0)) == pytest.approx(theirs)


def test_classes_are_merged_before_f1_not_after() -> None:
    said, true, people = drawn()
    merged = float(scoring.macro_f1(merge(said, "five"), merge(true, "five"), 5, people, resamples=0))
    native = slow_f1(said, true, 9)
    averaged = np.mean([np.mean([native[k] for k in g]) for g in ((0, 1), (2,), (3, 4), (5, 6), (7, 8))])
    assert merged == pytest.approx(np.mean(slow_f1(merge(said, "five"), merge(true, "five"), 5)))
    assert merged > averaged + 0.05


def test_an_invalid_answer_is_an_error() -> None:
    assert scoring.right(np.array([0, INVALID, 1]), np.array([0, 0, 0])).tolist() == [1, 0, 0]
    assert scoring.with_invalid(np.array([0, INVALID]), 3).tolist() == [0, 3]
    assert scoring.recalls(np.array([0, INVALID, 1]), np.array([0, 0, 1]), 3).tolist()[:2] == [0.5, 1.0]
    assert np.isnan(scoring.recalls(np.array([0]), np.array([0]), 2)[1])


def test_the_mean_of_kappas_units_is_cohens_kappa() -> None:
    said, true, people = drawn()
    kappa = cohen_kappa(scoring.with_invalid(said, 9), true, 10, people, resamples=0)
    assert scoring.kappa_units(said, true).mean() == pytest.approx(float(kappa))
    assert np.isnan(scoring.kappa_units(np.zeros(4, int), np.zeros(4, int))).all()


def test_merging_does_not_raise_blind_answers_above_chance() -> None:
    rng = np.random.default_rng(1)
    said, true = rng.integers(0, 9, (2, 20000))
    coarse = (merge(said, "five"), merge(true, "five"))
    assert scoring.right(*coarse).mean() > scoring.right(said, true).mean() + 0.08
    assert abs(scoring.above_chance(*coarse).mean()) < 0.01
    assert abs(scoring.above_chance(said, true).mean()) < 0.01


def slow_gap(hit: np.ndarray, true: np.ndarray, people: np.ndarray) -> float:
    total = 0.0
    for one in (0, 1):
        chosen, measured = people % 2 == one, people % 2 != one
        recalls = {c: hit[chosen & (true == c)].mean() for c in np.unique(true)}
        ends = max(recalls, key=recalls.get), min(recalls, key=recalls.get)
        means = [hit[measured & (true == c)].mean() for c in ends]
        total += (means[0] - means[1]) * measured.mean()
    return total


def test_the_gap_is_that_of_classes_chosen_on_other_people() -> None:
    said, true, people = drawn(600, 6)
    units = scoring.recall_gap(said, true, people)
    assert units.mean() == pytest.approx(slow_gap(scoring.right(said, true), true, people))


def test_equal_classes_have_no_gap_though_their_largest_and_smallest_recall_differ() -> None:
    rng, gaps, plain = np.random.default_rng(0), [], []
    for _ in range(60):
        true, people = rng.integers(0, 6, 300), np.arange(300)
        said = np.where(rng.random(300) < 0.7, true, INVALID)
        gaps.append(scoring.recall_gap(said, true, people).mean())
        found = scoring.recalls(said, true, 6)
        plain.append(found.max() - found.min())
    assert abs(np.mean(gaps)) < 0.03
    assert np.mean(plain) > 0.1


def test_a_true_gap_is_found() -> None:
    rng = np.random.default_rng(0)
    true, people = rng.integers(0, 6, 1200), np.arange(1200)
    said = np.where(rng.random(1200) < np.where(true == 2, 0.4, 0.8), true, INVALID)
    assert scoring.recall_gap(said, true, people).mean() == pytest.approx(0.4, abs=0.12)
    assert np.isnan(scoring.recall_gap(np.zeros(4, int), np.zeros(4, int), np.arange(4))).all()
