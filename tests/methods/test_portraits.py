"""Portraits, their morphs and their perturbations, against what can be worked out otherwise."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from workbench import models
from workbench.core import ParameterError
from workbench.data import phantom
from workbench.methods.morphing import along, morph
from workbench.methods.perturbation import Crop, attack, descend
from workbench.methods.portraits import PLACE, Portrait, embed, portrait


class Known:
    """A landmarker that knows the truth."""

    def __init__(self, points: Any) -> None:
        self.points = points
        self.boxes: Any = None

    def landmarks(self, pictures: Any, boxes: Any) -> Any:
        self.boxes = boxes
        return np.asarray([self.points], np.float32)


@pytest.fixture(scope="module")
def pair() -> list[Portrait]:
    shown = phantom.render(phantom.frontal(phantom.identities(2, seed=11)), 160, truth=("landmarks68",))
    return [Portrait(p, m) for p, m in zip(shown.rgb, shown.landmarks68, strict=True)]


@pytest.fixture(scope="module")
def recogniser() -> Any:
    return models.load("phantom-recogniser-64")


def test_a_portrait_puts_the_landmarks_in_their_places(pair: list[Portrait]) -> None:
    # The face is turned by 30 degrees and moved; a portrait of it is upright again.
    turn = cv2.getRotationMatrix2D((80, 80), 30, 1.4)
    turned = cv2.warpAffine(pair[0].picture, turn, (160, 160))
    five = pair[0].five @ turn[:, :2].T + turn[:, 2]
    known = Known(pair[0].points)
    made = portrait(turned, np.array([40, 40, 120, 130]), five, known, size=128)
    assert made.picture.shape == (128, 128, 3)
    # The eyes lie level again: the least-squares place of the five is the template's.
    from workbench.models.alignment import similarity

    matrix = similarity(five[None], PLACE * 128)[0]
    placed = five @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(placed - PLACE * 128).max() < 8
    assert abs(placed[0, 1] - placed[1, 1]) < 3
    assert known.boxes.shape == (1, 4)
    assert np.all(known.boxes[0, 2:] > known.boxes[0, :2])


def test_morphs_end_at_the_contributors(pair: list[Portrait]) -> None:
    for share, whole in ((0.0, pair[0]), (1.0, pair[1])):
        found = morph(*pair, share)
        assert np.abs(found.picture.astype(int) - whole.picture).mean() < 1
        assert np.allclose(found.points, whole.points, atol=1e-4)
    assert np.allclose(morph(*pair, 0.25).points, 0.75 * pair[0].points + 0.25 * pair[1].points, atol=1e-4)


def test_a_spliced_morph_keeps_the_first_ones_surroundings(pair: list[Portrait]) -> None:
    found = morph(*pair, 0.5, splice=True)
    assert np.array_equal(found.picture[:12], pair[0].picture[:12])
    assert not np.array_equal(found.picture[60:110, 60:100], pair[0].picture[60:110, 60:100])


def test_scores_along_the_way_cross(pair: list[Portrait], recogniser: Any) -> None:
    shares = np.linspace(0, 1, 5)
    found = along(*pair, recogniser, shares, threshold=0.5)
    ends = embed(recogniser, pair).astype(np.float64)
    between = float(ends[0] @ ends[1])
    assert found.scores[0] == pytest.approx([1, between], abs=0.02)
    assert found.scores[-1] == pytest.approx([between, 1], abs=0.02)
    assert found.scores[0, 0] > found.scores[2, 0] > found.scores[-1, 0]
    expected = [min(row) >= 0.5 for row in found.scores.tolist()]
    assert found.fooled is not None
    assert found.fooled.tolist() == expected
    assert along(*pair, recogniser, shares, threshold=None).fooled is None


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused(pair: list[Portrait], share: float) -> None:
    with pytest.raises(ParameterError, match="share is out of range"):
        morph(*pair, share)


def test_the_differentiable_crop_is_the_models_own(pair: list[Portrait], recogniser: Any) -> None:
    from workbench.models import align

    card = recogniser.card
    chip = align([pair[0].picture], pair[0].five[None], card.template, card.input_size)
    expected = recogniser.prepare(chip)
    picture = torch.from_numpy(pair[0].picture.astype(np.float32)).permute(2, 0, 1)[None]
    found = Crop(pair[0], recogniser)(picture)
    # OpenCV samples at 1/32 of a pixel, and averages down what is much larger than the chip.
    assert float((found - expected).abs().mean()) < 0.02 * float(expected.max() - expected.min())


@pytest.mark.parametrize(("goal", "sign"), [("evade", -1), ("impersonate", 1)])
def test_an_attack_moves_the_score_and_stays_in_its_budget(
    pair: list[Portrait], recogniser: Any, goal: Any, sign: int
) -> None:
    victim, reference = (pair[0], pair[0]) if goal == "evade" else pair
    before = float(embed(recogniser, [victim])[0] @ embed(recogniser, [reference])[0])
    seen: list[tuple[int, int]] = []
    found = attack(victim, reference, recogniser, goal=goal, budget=4, steps=4, progress=lambda *p: seen.append(p))
    after = float(embed(recogniser, [found.portrait])[0] @ embed(recogniser, [reference])[0])
    assert sign * (after - before) > 0.1
    difference = np.abs(found.portrait.picture.astype(int) - victim.picture)
    assert found.changed == difference.max() <= 4
    assert found.psnr == pytest.approx(10 * np.log10(255**2 / np.mean(difference.astype(float) ** 2)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_one_step_is_the_fast_gradient_sign_method(pair: list[Portrait], recogniser: Any) -> None:
    victim, reference = pair
    picture = torch.from_numpy(victim.picture.astype(np.float32)).permute(2, 0, 1)[None].requires_grad_(True)
    target = torch.from_numpy(embed(recogniser, [reference]))
    score = F.cosine_similarity(recogniser.network(Crop(victim, recogniser)(picture)), target).sum()
    score.backward()
    assert picture.grad is not None
    expected = (picture.detach() + 3 * picture.grad.sign()).clamp(0, 255).round()[0].permute(1, 2, 0).numpy()
    found = attack(victim, reference, recogniser, goal="impersonate", budget=3, steps=1)
    # A gradient that is nearly zero may have either sign.
    assert np.mean(found.portrait.picture == expected) > 0.99


def test_no_budget_changes_nothing(pair: list[Portrait], recogniser: Any) -> None:
    found = attack(*pair, recogniser, goal="evade", budget=0)
    assert found.portrait is pair[0]
    assert found.psnr == float("inf")


@pytest.mark.parametrize("odd", [{"goal": "win"}, {"budget": 65}, {"budget": -1}, {"steps": 0}])
def test_odd_attacks_are_refused(pair: list[Portrait], recogniser: Any, odd: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        attack(*pair, recogniser, **{"goal": "evade", "budget": 2, **odd})


def test_descent_reaches_the_nearest_point_that_it_may_and_every_picture_goes_its_own_way() -> None:
    # Worked by hand: one loss falls towards 0.8, where the budget ends at 0.56; the other below black, at 0.
    original = torch.tensor([0.5, 0.05]).reshape(2, 1, 1, 1).expand(2, 3, 4, 4).clone()
    goal = torch.tensor([0.8, -1.0]).reshape(2, 1, 1, 1)
    numbers = []

    def loss(now: torch.Tensor, step: int) -> torch.Tensor:
        numbers.append(step)
        return ((now - goal) ** 2).sum()

    found = descend(loss, original, budget=0.06, step=0.02, steps=9)
    assert found[0].unique().tolist() == pytest.approx([0.56])
    assert found[1].unique().tolist() == [0.0]
    assert numbers == list(range(9))
    assert not found.requires_grad
    # The start is clipped, too; without a step nothing else happens.
    far = descend(loss, original, budget=0.06, step=0.02, steps=0, start=original + 5)
    assert far[0].unique().tolist() == pytest.approx([0.56])
