"""Cohort normalisation against one trial at a time, and what it must undo."""

from collections.abc import Callable
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core import Scores, ShapeError, Trials
from workbench.metrics import normalisation as norm

SAMPLES, MEMBERS = 12, 9


def made(seed: int, n: int = 40) -> tuple[Scores, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference, probe = rng.integers(0, SAMPLES, (2, n))
    people = np.stack([reference // 2, probe // 2], axis=1)
    trials = Trials(reference, probe, people[:, 0] == people[:, 1], people)
    acquired = rng.random(n) < 0.9
    return (
        Scores("m", trials, np.where(acquired, rng.normal(size=n), np.nan), acquired),
        rng.normal(rng.normal(size=(SAMPLES, 1)), 1.5, (SAMPLES, MEMBERS)),
    )


def counted(score: float, row: list[float]) -> float:
    return (score - mean(row)) / stdev(row)


def slow(scores: Scores, one: Callable[[float, int, int], float]) -> list[float]:
    return [
        one(float(s), int(r), int(p))
        for s, r, p, ok in zip(
            scores.values, scores.trials.reference, scores.trials.probe, scores.acquired, strict=True
        )
        if ok
    ]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_every_normalisation_one_trial_at_a_time(seed: int) -> None:
    scores, cohort = made(seed)
    rows = cohort.tolist()
    between = np.random.default_rng(seed + 1).normal(size=(MEMBERS, 5))
    z = np.random.default_rng(seed + 2).normal(size=(SAMPLES, 5))

    def zt(s: float, r: int, p: int) -> float:
        against = [counted(rows[p][j], between[j].tolist()) for j in range(MEMBERS)]
        return counted(counted(s, z[r].tolist()), against)

    def adaptive(s: float, r: int, p: int) -> float:
        return sum(counted(s, sorted(rows[i])[-4:]) for i in (r, p)) / 2

    def crossed(s: float, r: int, p: int) -> float:
        total = 0.0
        for own, other in ((r, p), (p, r)):
            members = sorted(range(MEMBERS), key=lambda j, other=other: -rows[other][j])[:4]
            total += counted(s, [rows[own][j] for j in members])
        return total / 2

    cases = {
        "z-norm": (norm.z_norm(scores, cohort), lambda s, r, p: counted(s, rows[r])),
        "t-norm": (norm.t_norm(scores, cohort), lambda s, r, p: counted(s, rows[p])),
        "s-norm": (norm.s_norm(scores, cohort), lambda s, r, p: (counted(s, rows[r]) + counted(s, rows[p])) / 2),
        "zt-norm": (norm.zt_norm(scores, z, cohort, between), zt),
        "top 4 by own": (norm.adaptive_s_norm(scores, cohort, 4), adaptive),
        "top 4 by other": (norm.adaptive_s_norm(scores, cohort, 4, chosen_by="other"), crossed),
    }
    for name, (found, one) in cases.items():
        assert name in found.arm
        assert found.acquired.tolist() == scores.acquired.tolist()
        assert found.values[found.acquired].tolist() == pytest.approx(slow(scores, one), abs=1e-10)


def test_a_known_shift_and_scale_of_each_sample_is_undone() -> None:
    scores, cohort = made(1)
    shift, scale = np.arange(SAMPLES) * 1.7 - 3, np.linspace(0.2, 4, SAMPLES)
    side = scores.trials.probe
    moved = Scores("m", scores.trials, scores.values * scale[side] + shift[side], scores.acquired)
    again = norm.t_norm(moved, cohort * scale[:, None] + shift[:, None])
    expected = norm.t_norm(scores, cohort)
    np.testing.assert_allclose(again.values, expected.values, atol=1e-11)


def test_s_norm_does_not_know_who_is_the_reference() -> None:
    scores, cohort = made(2)
    t = scores.trials
    turned = Scores("m", Trials(t.probe, t.reference, t.mated, t.subjects[:, ::-1]), scores.values, scores.acquired)
    for how in (norm.s_norm, lambda s, c: norm.adaptive_s_norm(s, c, 3)):
        np.testing.assert_allclose(how(scores, cohort).values, how(turned, cohort).values, atol=1e-13)


def test_the_whole_cohort_on_top_is_plain_s_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, cohort = made(3)
    whole = norm.s_norm(scores, cohort).values
    monkeypatch.setattr(norm, "BLOCK", 7)
    for by in ("own", "other"):
        found = norm.adaptive_s_norm(scores, cohort, MEMBERS, chosen_by=by).values
        np.testing.assert_allclose(found, whole, atol=1e-12)
    np.testing.assert_allclose(norm.s_norm(scores, cohort).values, whole, atol=1e-14)


def test_rows_of_failed_samples_are_never_read() -> None:
    scores, cohort = made(4)
    failed = 5
    acquired = scores.acquired & (scores.trials.reference != failed) & (scores.trials.probe != failed)
    fewer = Scores("m", scores.trials, np.where(acquired, scores.values, np.nan), acquired)
    broken = cohort.copy()
    broken[failed] = np.nan
    for how in (norm.z_norm, norm.s_norm, lambda s, c: norm.adaptive_s_norm(s, c, 3)):
        np.testing.assert_array_equal(how(fewer, broken).values, how(fewer, cohort).values)
    with pytest.raises(ShapeError, match="rows of the cohort have no deviation"):
        norm.s_norm(scores, broken)


def test_what_a_cohort_must_be() -> None:
    scores, cohort = made(5)
    for wrong in (
        lambda: norm.z_norm(scores, cohort[:3]),
        lambda: norm.z_norm(scores, cohort[:, :1]),
        lambda: norm.z_norm(scores, np.ones((SAMPLES, 3))),
        lambda: norm.zt_norm(scores, cohort, cohort, cohort),
        lambda: norm.adaptive_s_norm(scores, cohort, MEMBERS + 1),
        lambda: norm.adaptive_s_norm(scores, cohort, 1),
        lambda: norm.adaptive_s_norm(scores, cohort, 3, chosen_by="both"),
    ):
        with pytest.raises(ShapeError):
            wrong()
