"""Morphing: the published vector, the two signs, failures, the attack potential against a slow count."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.core import Estimate, ShapeError, Undefined, UnknownNameError
from workbench.metrics import morphing
from workbench.metrics.morphing import Morphs
from workbench.metrics.presentations import Presentations, Threshold

FIRST = """76 57 61 73 / 54 66 70 33; 23 38 37 72 / 74 20 49 69; 27 67 27 48 / 68 38 40 36;
63 35 79 46 / 48 50 54 53; 50 79 68 67 / 62 57 40 79; 47 32 70 29 / 71 56 26 22"""
SECOND = """46 22 28 50 / 78 47 68 75; 69 57 46 50 / 35 49 42 34; 79 20 25 31 / 78 61 72 32;
63 42 49 20 / 57 69 59 29; 52 36 77 72 / 31 50 76 70; 62 58 22 64 / 48 25 34 52"""


def table(text: str) -> list[list[list[float]]]:
    return [[[int(v) / 100 for v in side.split()] for side in morph.split("/")] for morph in text.split(";")]


@pytest.fixture(scope="module")
def morphs() -> Morphs:
    values = np.array([table(FIRST), table(SECOND)])
    return Morphs(values, np.arange(12).reshape(6, 2), ("one", "two"), (0.50, 0.55), "vector")


def test_the_published_vector(morphs: Morphs) -> None:
    def both(measure: object) -> list[float]:
        return [float(measure(morphs, system=s, accept=">", resamples=0)) for s in ("one", "two")]  # type: ignore[operator]

    assert both(morphing.mmpmr) == [1.0, 0.5]
    assert both(morphing.mmpmr_prodavg) == pytest.approx([0.3125, 0.104166667])
    matched = morphs.matches(">").sum(axis=3).min(axis=2)
    assert matched.tolist() == [[3, 1, 1, 2, 3, 1], [0, 0, 1, 1, 2, 0]]
    potential = morphing.morphing_attack_potential(morphs, accept=">")
    assert not isinstance(potential, Undefined)
    assert potential.values == pytest.approx(
        np.array([[1, 0.5], [0.5, 0.166666667], [0.333333333, 0], [0, 0]]), abs=1e-8
    )  # fmt: skip


def test_the_sign_matters_at_a_tie_and_is_named(morphs: Morphs) -> None:
    house = morphing.mmpmr_prodavg(morphs, system="one", resamples=0)
    strict = morphing.mmpmr_prodavg(morphs, system="one", accept=">", resamples=0)
    # Two scores of system one equal 0.50: morph 4 subject 2 (2 -> 3 of 4), morph 5 subject 1 (3 -> 4 of 4).
    assert float(house) - float(strict) == pytest.approx(((2 / 4) * (1 / 4) + (1 / 4) * (3 / 4)) / 6)
    assert "s >= T, T = 0.5 of 'one' (vector)" in house.rule
    assert "s > T" in strict.rule
    with pytest.raises(ShapeError, match="unknown sign"):
        morphing.mmpmr(morphs, system="one", accept="<")


def test_fmmpmr_counts_every_attempt_by_hand() -> None:
    values = np.array([[[[0.9, 0.9, 0.1], [0.9, 0.1, 0.9]], [[0.9, 0.9, np.nan], [0.9, 0.9, np.nan]]]])
    found = Morphs(values, np.arange(4).reshape(2, 2), ("s",), (0.5,))
    # Attempts: 1 of 3 for the first morph, 2 of 2 for the second.
    assert float(morphing.fmmpmr(found, resamples=0)) == pytest.approx(3 / 5)
    assert float(morphing.mmpmr(found, resamples=0)) == 1.0
    assert float(morphing.mmpmr_prodavg(found, resamples=0)) == pytest.approx((4 / 9 + 1) / 2)


def test_a_failure_to_acquire_is_an_attempt_that_does_not_match_a_missing_probe_is_none() -> None:
    values = np.array([[[[0.9, np.nan], [0.9, 0.9]]]])
    people, tried = np.array([[0, 1]]), np.ones((1, 1, 2, 2), bool)
    failed = morphing.mmpmr_prodavg(Morphs(values, people, ("s",), (0.5,), attempted=tried), resamples=0)
    missing = morphing.mmpmr_prodavg(Morphs(values, people, ("s",), (0.5,)), resamples=0)
    assert (float(failed), failed.counts["failures"]) == (0.5, 1)
    assert (float(missing), missing.counts["failures"]) == (1.0, 0)


def test_a_subject_without_probes_leaves_the_morph_unjudged() -> None:
    values = np.array([[[[0.9], [np.nan]], [[0.9], [0.9]]]])
    found = morphing.mmpmr(Morphs(values, np.arange(4).reshape(2, 2), ("s",), (0.5,)), resamples=0)
    assert (float(found), found.counts["without probes"]) == (1.0, 1)
    nothing = Morphs(values[:, :1], np.array([[0, 1]]), ("s",), (0.5,))
    for measure in (morphing.mmpmr, morphing.mmpmr_prodavg, morphing.fmmpmr):
        assert isinstance(measure(nothing).value, Undefined)
    assert isinstance(morphing.morphing_attack_potential(nothing), Undefined)


def test_rejecting_everything_is_no_merit() -> None:
    blind = morphing.rmmr(Estimate(0.0, 0.0, 0.1, "m"), Estimate(1.0, 0.9, 1.0, "f"))
    assert float(blind) == 1.0
    assert (blind.low, blind.high) == pytest.approx((0.9, 1.1))
    assert float(morphing.rmmr(Estimate(0.4), Estimate(0.05))) == pytest.approx(1 + (0.4 - 0.95))
    assert float(morphing.rmnmr(Estimate(0.4), Estimate(0.05))) == pytest.approx(0.95 - 0.4)
    assert isinstance(morphing.rmmr(Estimate(Undefined("none")), Estimate(0.1)).value, Undefined)


def test_intervals_are_over_contributing_subjects() -> None:
    rng = np.random.default_rng(2)
    people = np.stack([rng.permutation(20)[:2] for _ in range(60)])
    found = Morphs(rng.random((2, 60, 2, 3)), people, ("a", "b"), (0.6, 0.6))
    rate = morphing.mmpmr(found, system="a", resamples=200)
    assert rate.low < float(rate) < rate.high
    assert "bootstrap over 20 contributing subjects, 200 resamples" in rate.rule
    potential = morphing.morphing_attack_potential(found, resamples=200)
    assert not isinstance(potential, Undefined)
    assert (potential.low[0, 0], potential.high[0, 0]) != (potential.values[0, 0],) * 2
    assert np.all(potential.low <= potential.values)
    assert np.all(potential.values <= potential.high)
    # The same subjects and seed give MAP[1, 1] of one system the interval of MinMax-MMPMR.
    alone = Morphs(found.values[:1], people, ("a",), (0.6,))
    one = morphing.morphing_attack_potential(alone, resamples=200)
    assert not isinstance(one, Undefined)
    assert (one.low[0, 0], one.high[0, 0]) == pytest.approx((rate.low, rate.high))
    few = morphing.mmpmr(Morphs(found.values[:, :2], people[:2] % 2, ("a", "b"), (0.6, 0.6)), system="a")
    assert "fewer than 5 contributing subjects" in str(few.low)


@given(
    hnp.arrays(np.int64, st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(2, 3), st.integers(1, 3)),
               elements=st.integers(0, 4)), st.sampled_from([">=", ">"]),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_the_rates_equal_a_slow_count(scores: np.ndarray, accept: str) -> None:
    systems, count, subjects, probes = scores.shape
    names = tuple("abc"[:systems])
    people = np.arange(count * subjects).reshape(count, subjects)
    found = Morphs(scores.astype(float), people, names, (2.0,) * systems)

    def ok(score: int) -> bool:
        return score >= 2 if accept == ">=" else score > 2

    hits = [[[sum(map(ok, probe)) for probe in morph] for morph in system] for system in scores.tolist()]
    potential = morphing.morphing_attack_potential(found, accept=accept, resamples=0)
    assert not isinstance(potential, Undefined)
    for r, c in product(range(1, probes + 1), range(1, systems + 1)):
        slow = np.mean([sum(min(hits[s][m]) >= r for s in range(systems)) >= c for m in range(count)])
        assert potential.values[r - 1, c - 1] == pytest.approx(slow)
    rates = [float(f(found, system="a", accept=accept, resamples=0))
             for f in (morphing.fmmpmr, morphing.mmpmr_prodavg, morphing.mmpmr)]  # fmt: skip
    assert rates[2] == pytest.approx(np.mean([all(h > 0 for h in hits[0][m]) for m in range(count)]))
    assert rates[1] == pytest.approx(np.mean([np.prod([h / probes for h in hits[0][m]]) for m in range(count)]))
    together = [[all(ok(scores[0, m, k, i]) for k in range(subjects)) for i in range(probes)] for m in range(count)]
    assert rates[0] == pytest.approx(np.mean(together))
    # Best pick >= random pick, best pick >= paired attempts, and no subject is fooled less often than all together.
    assert rates[2] >= max(rates[0], rates[1]) - 1e-12
    # One system alone: MAP[1, 1] is MinMax-MMPMR.
    if systems == 1:
        assert potential.values[0, 0] == pytest.approx(rates[2])


def test_morph_detection_speaks_its_own_words() -> None:
    method = np.array(["", "", "", "", "ldm", "ldm", "gan", "gan"])
    samples = Presentations("m", np.array([4, 3, 2, 0.0, 1, 0, 3, 0]), method == "", method, np.arange(8))
    at = Threshold.given(2.0)
    assert float(morphing.macer(samples, at)) == 0.5
    assert morphing.macer(samples, at).rule.startswith("MACER, largest over the species ('gan')")
    assert float(morphing.macer_by_method(samples, at)["ldm"]) == 0.0
    assert "morphing method 'ldm'" in morphing.macer_by_method(samples, at)["ldm"].rule
    assert float(morphing.bscer(samples, at)) == 0.25
    assert morphing.bscer(samples, at).rule.startswith("BSCER: share of bona fide samples")
    point = morphing.bscer_at_macer(samples, 0.1, resamples=0)
    assert float(point) == 0.75
    assert "BSCER at the largest attained MACER <= 0.1" in point.rule
    assert float(morphing.macer_at_bscer(samples, 0.25, resamples=0)) == 0.5
    assert float(morphing.morph_detection_eer(samples, resamples=0)) == pytest.approx(0.5)
    curve = morphing.morph_detection_curve(samples)
    assert not isinstance(curve, Undefined)
    assert curve.apcer.tolist() == [1, 0.5, 0.5, 0.5, 0, 0]
    assert curve.bpcer.tolist() == [0, 0.25, 0.25, 0.5, 0.75, 1]


def test_bad_morphs_teach(morphs: Morphs) -> None:
    with pytest.raises(UnknownNameError, match="unknown recognition system"):
        morphing.mmpmr(morphs)
    with pytest.raises(ShapeError, match="contributors do not fit"):
        Morphs(morphs.values, np.zeros((6, 3)), morphs.systems, morphs.thresholds)
    with pytest.raises(ShapeError, match="a name and a threshold"):
        Morphs(morphs.values, morphs.contributors, ("one",), (0.5,))
    with pytest.raises(ShapeError, match="wrong shape"):
        Morphs(morphs.values[0], morphs.contributors, ("one",), (0.5,))
    with pytest.raises(ShapeError, match="nothing was attempted"):
        Morphs(
            morphs.values, morphs.contributors, ("a", "b"), (0.5, 0.5), attempted=np.zeros(morphs.values.shape, bool)
        )
