"""All pairs in tiles, against all pairs at once."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.core import Scores, ShapeError, Trials, Undefined
from workbench.methods import allpairs
from workbench.methods.allpairs import AllPairs, Plan, Side, compare_all, gather, score_strip, strips
from workbench.metrics import fnmr_at_fmr, threshold_at_fmr
from workbench.metrics.tally import Tally


def side(n: int, people: int, seed: int, failures: int = 0) -> Side:
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, people, n)
    centres = np.random.default_rng(99).standard_normal((people, 16))
    vectors = centres[subjects] + rng.standard_normal((n, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    acquired = np.ones(n, bool)
    acquired[:failures] = False
    vectors[~acquired] = np.nan
    return Side(vectors, subjects, acquired)


def at_once(plan: Plan) -> Scores:
    """The whole matrix."""
    one, other = plan.references, plan.other
    r, p = np.divmod(np.arange(len(one) * len(other)), len(other))
    if plan.probes is None:
        r, p = r[r < p], p[r < p]
    acquired = np.ones(len(r), bool) if one.acquired is None else one.acquired[r] & other.acquired[p]
    values = (one.embeddings.astype(np.float64) @ other.embeddings.astype(np.float64).T)[r, p]
    subjects = np.c_[one.subjects[r], other.subjects[p]]
    trials = Trials(r, p, subjects[:, 0] == subjects[:, 1], subjects)
    return Scores("m", trials, np.where(acquired, values, np.nan), acquired)


PLANS = {
    "two sets": Plan(side(70, 9, 1), side(53, 9, 2), fmr=0.02, spare=5),
    "one set": Plan(side(90, 12, 3), fmr=0.02, spare=5),
    "codes with gaps": Plan(replace(side(70, 9, 1), subjects=3 * side(70, 9, 1).subjects + 2), fmr=0.02, spare=5),
    "failures": Plan(side(60, 9, 4, failures=4), side(60, 9, 5, failures=3), fmr=0.02, spare=5),
    "one set, failures": Plan(side(80, 12, 6, failures=5), fmr=0.02, spare=5),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("rows", [7, 64, 4096])
@pytest.mark.parametrize("columns", [5, 8, 1024])
def test_tiles_of_any_size_give_the_numbers_of_the_whole_matrix(
    plan: Plan, rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allpairs, "SEGMENT", 4)
    scores = at_once(plan)
    found = compare_all(plan, device="cpu", rows=rows, columns=columns)
    assert found.tail.nonmated == (~scores.trials.mated).sum()
    assert len(found.tail.mated) == scores.trials.mated.sum()
    for fmr in (0.0, 0.005, 0.02):
        whole = fnmr_at_fmr(scores, fmr, resamples=100)
        part = found.fnmr_at_fmr(fmr, resamples=100)
        assert part.value == whole.value
        assert (part.low, part.high) == (whole.low, whole.high)
        assert float(found.threshold_at_fmr(fmr)) == pytest.approx(float(threshold_at_fmr(scores, fmr)), abs=1e-6)
    best = scores.values[~scores.trials.mated & scores.acquired].argmax()
    nonmated = scores.trials.subset(~scores.trials.mated & scores.acquired)
    assert found.places[-1].tolist() == [nonmated.reference[best], nonmated.probe[best]]


@pytest.mark.parametrize("block", [1, 10, 10_000])
@pytest.mark.parametrize("plan", [PLANS["two sets"], PLANS["one set"]], ids=["two", "one"])
def test_mated_pairs_in_blocks_of_any_size(plan: Plan, block: int) -> None:
    found = [
        p for one, other in allpairs.mated_pairs(plan, block) for p in zip(one.tolist(), other.tolist(), strict=True)
    ]
    expected = [
        (i, j)
        for i, a in enumerate(plan.references.subjects)
        for j, b in enumerate(plan.other.subjects)
        if a == b and (plan.probes is not None or i < j)
    ]
    assert sorted(found) == expected


def test_strips_merge_to_the_same_in_any_order() -> None:
    plan = PLANS["one set"]
    whole = compare_all(plan, device="cpu")
    parts = [score_strip(plan, s, columns=11) for s in strips(plan, 13)]
    for order in (parts, parts[::-1]):
        tally = Tally(plan.keep)
        for part in order:
            tally.merge(part)
        merged: AllPairs = gather(plan, tally)
        assert np.array_equal(merged.places, whole.places)
        assert np.allclose(merged.tail.highest, whole.tail.highest, atol=1e-6)


def test_of_equal_scores_the_same_ones_are_kept_whatever_the_order() -> None:
    values = np.repeat(np.float32([1, 2, 3]), 5)
    places = np.arange(15)
    kept = []
    for order in (np.arange(15), np.arange(15)[::-1], np.random.default_rng(0).permutation(15)):
        tally = Tally(7)
        for i in order:
            tally.add(values[i : i + 1], places[i : i + 1])
        kept.append(tally.highest())
    assert kept[0][0].tolist() == [2, 2, 3, 3, 3, 3, 3]
    assert all(k[1].tolist() == [6, 5, 14, 13, 12, 11, 10] for k in kept)


def test_memory_is_bounded_by_what_is_kept() -> None:
    tally = Tally(100)
    for i in range(200):
        tally.add(np.full(50, i, np.float32), np.arange(50) + 50 * i)
        assert tally._held < 2 * 100 + 50
    assert tally.highest()[0].min() == 198


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ShapeError, match="float32"):
        Side(np.zeros((3, 4)), np.zeros(3, int))
    with pytest.raises(ShapeError, match="embed both with the same model"):
        Plan(side(4, 2, 0), Side(np.zeros((2, 8), np.float32), np.zeros(2, int)))
    poisoned = side(20, 4, 0)
    poisoned.embeddings[3] = np.inf
    with pytest.raises(ShapeError, match="an embedding is not finite\n  given: row 3"):
        compare_all(Plan(poisoned, fmr=0.1), device="cpu")
    alone = Plan(Side(np.eye(3, dtype=np.float32), np.array([0, 1, 2])))
    found = compare_all(alone, device="cpu").fnmr_at_fmr(0.1)
    assert isinstance(found.value, Undefined)
    assert found.value.reason == "no mated trials"
