"""Means over targets: the error is the one of the measures of attack detection, target by target."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core import Undefined
from workbench.methods import multimodal_scoring as scoring
from workbench.methods.multimodal_faces import Triples
from workbench.metrics.attack_curves import threshold_at_eer
from workbench.metrics.attacks import hter


def triples(domain: str, people: int, rng: np.random.Generator) -> tuple[Triples, np.ndarray]:
    n = 6 * people
    attack = np.arange(n) % 3 > 0
    species = np.where(attack, np.where(np.arange(n) % 3 == 1, "photo", "mask"), "")
    blank = np.zeros((n, 1, 1), np.uint8)
    shown = Triples(np.zeros((n, 1, 1, 3), np.uint8), blank, blank, attack, species, np.full(n, domain),
                    np.array([f"{domain}/{i // 6}" for i in range(n)]))  # fmt: skip
    # Masks are harder, so that the worst species is not all of them.
    return shown, attack - 0.6 * (species == "mask") + rng.normal(0, 1, n)


@pytest.fixture(scope="module")
def two() -> tuple[list[Triples], list[np.ndarray]]:
    rng = np.random.default_rng(0)
    made = [triples("home", 8, rng), triples("office", 11, rng)]
    return [m[0] for m in made], [m[1] for m in made]


def test_hter_is_that_of_the_measures_at_each_targets_eer_point(two: tuple) -> None:
    shown, scores = two
    found = scoring.hter("arm", scores, shown, resamples=5, seed=0)
    each = []
    for s, t in zip(scores, shown, strict=True):
        judged = scoring.presentations("x", s, t)
        each.append(float(hter(judged, threshold_at_eer(judged, across="pooled"), resamples=0)))
    assert float(found.value) == pytest.approx(np.mean(each))
    assert found.counts == {"bonafide": 38, "attacks": 76, "targets": 2, "subjects": 19}


def test_a_resample_is_the_error_of_copies_of_people(two: tuple) -> None:
    shown, scores = two
    curve = scoring.AttackCurve(scoring.presentations("x", scores[0], shown[0]), "pooled")
    times = np.array([2, 0, 1, 1, 3, 0, 1, 0])[np.arange(48) // 6]
    copies = np.repeat(np.arange(48), times)
    slow = scoring.AttackCurve(scoring.presentations("x", scores[0][copies], shown[0].take(copies)), "pooled").eer()
    assert curve.eer(times.astype(float)) == pytest.approx(slow)


def test_area_is_the_share_of_pairs_in_order(two: tuple) -> None:
    shown, scores = two
    found = scoring.auc("arm", scores, shown, resamples=5, seed=0)
    each = [(s[t.attack][:, None] > s[~t.attack]).mean() for s, t in zip(scores, shown, strict=True)]
    assert float(found.value) == pytest.approx(np.mean(each))


def test_perfect_scores_have_no_error_and_their_negatives_nothing_else(two: tuple) -> None:
    """High is attack; a list's label 1 is live, and taking it for the score would be the second of these."""
    shown, _ = two
    perfect = [t.attack.astype(float) for t in shown]
    for sign, error, area in ((1, 0.0, 1.0), (-1, 1.0, 0.0)):
        scores = [sign * p for p in perfect]
        assert scoring.hter("x", scores, shown, resamples=2, seed=0).value == error
        assert scoring.auc("x", scores, shown, resamples=2, seed=0).value == area


def test_unevenness_by_hand_with_its_floor(two: tuple) -> None:
    shown, _ = two
    table = np.outer([1.0, 4.0, 2.0], np.ones(48))
    same = np.ones((3, 66))
    found = scoring.unevenness("x", [table, same], shown, resamples=3, seed=0)
    assert float(found.value) == pytest.approx((4 + 1) / 2)
    vanished = np.outer([1e-9, 2e-3, 1e-5], np.ones(48))
    assert float(scoring.unevenness("x", [vanished, same], shown, resamples=3, seed=0).value) == pytest.approx(1.5)
    gone = scoring.unevenness("x", [np.zeros((3, 48)), same], shown, resamples=3, seed=0)
    assert float(gone.value) == 1.0


def test_differences_are_draw_by_draw_on_the_same_people(two: tuple) -> None:
    shown, scores = two
    arms = [scoring.hter(str(k), [k * s + (1 - k) * s[::-1] for s in scores], shown, resamples=20, seed=4)
            for k in (1.0, 0.6, 0.2)]  # fmt: skip
    found = scoring.difference("gap", arms[:1], arms[1:2])
    assert float(found.value) == pytest.approx(float(arms[0].value) - float(arms[1].value))
    np.testing.assert_allclose(found.drawn, arms[0].drawn - arms[1].drawn)
    assert found.draw == arms[0].draw


def test_a_target_without_bona_fide_presentations_leaves_the_mean_undefined(two: tuple) -> None:
    shown, scores = two
    only = [shown[0].take(shown[0].attack), shown[1]]
    found = scoring.hter("x", [scores[0][shown[0].attack], scores[1]], only, resamples=2, seed=0)
    assert isinstance(found.value, Undefined)
    assert "no bona fide presentations" in found.value.reason
