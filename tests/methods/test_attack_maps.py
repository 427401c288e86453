"""Occlusion maps on a detector whose reason is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from workbench import models
from workbench.core import ParameterError
from workbench.methods.attack_maps import log_odds, occlusion
from workbench.models.presentation import AttackNetwork

SPOT = (slice(20, 36), slice(40, 64))


def looks_at_a_spot(factor: float | None) -> models.AttackDetector:
    """Its score is how bright the spot of its 80 x 80 input is."""
    card = models.card("minifasnet-v2")
    engine = SimpleNamespace(provider="none", device="cpu")
    network = AttackNetwork(card, engine, None, "", attack=lambda out: out.astype(np.float64), factor=factor)  # type: ignore[arg-type]
    network.engine = lambda x: x[:, 0][:, *SPOT].mean((1, 2)) / 256  # type: ignore[assignment]
    return models.AttackDetector("spot", card, [network])


def picture() -> np.ndarray:
    shown = np.full((80, 80, 3), 60, np.uint8)
    shown[SPOT] = 220
    return shown


def test_only_what_counts_is_shown() -> None:
    found = occlusion(looks_at_a_spot(None), picture())
    assert found.dtype == np.float32
    assert found.shape == (80, 80)
    # Patches of 16 pixels that touch the spot reach 15 pixels beyond it.
    near = np.zeros((80, 80), bool)
    near[20 - 15 : 36 + 15, 40 - 15 : 64 + 15] = True
    assert np.all(found[~near] == 0)
    assert found[SPOT].min() > 0
    assert found[SPOT].mean() > 1.5 * found[near].mean()
    assert np.unravel_index(found.argmax(), found.shape)[0] in range(20, 36)
    # A dark spot in a bright picture speaks against.
    assert occlusion(looks_at_a_spot(None), 255 - picture()).max() == 0


def test_a_pixel_is_the_mean_of_the_patches_over_it() -> None:
    shown, detector = picture(), looks_at_a_spot(None)
    found = occlusion(detector, shown, patch=0.25, step=0.2)
    mean = np.rint(shown.reshape(-1, 3).mean(0))
    falls = []
    whole = log_odds(detector.scores([shown]))[0]
    # Patches of 20 pixels begin at 0, 16, 32, 48 and, to reach the end, 60.
    for y in (0, 16, 32, 48, 60):
        for x in (0, 16, 32, 48, 60):
            if y <= 33 < y + 20 and x <= 50 < x + 20:
                painted = shown.copy()
                painted[y : y + 20, x : x + 20] = mean
                falls.append(whole - log_odds(detector.scores([painted]))[0])
    assert len(falls) == 4
    assert found[33, 50] == pytest.approx(np.mean(falls), rel=1e-5)


def test_a_map_lies_where_the_network_looked() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    # 40 pixels about (120, 100), enlarged twice: columns 80 to 160, rows 60 to 140.
    stretched = [*range(80), 79]
    image[60:141, 80:161] = picture()[stretched][:, stretched]
    found = occlusion(looks_at_a_spot(2.0), image, np.array([100, 80, 139, 119]))
    assert found.shape == (200, 300)
    peak = np.unravel_index(found.argmax(), found.shape)
    assert peak[0] in range(60 + 20, 60 + 37)
    assert peak[1] in range(80 + 40, 80 + 65)
    outside = np.ones((200, 300), bool)
    outside[60:141, 80:161] = False
    assert np.all(found[outside] == 0)


@pytest.mark.parametrize(("patch", "step"), [(0.2, 0.3), (0, 0), (1.0, 0.1)])
def test_patches_have_to_cover(patch: float, step: float) -> None:
    with pytest.raises(ParameterError, match="patches do not cover"):
        occlusion(looks_at_a_spot(None), picture(), patch=patch, step=step)


def test_log_odds_have_an_end() -> None:
    assert log_odds(np.array([0.5, 0.75, 0, 1])) == pytest.approx([0, np.log(3), -np.log(1e9), np.log(1e9)], abs=1e-6)
