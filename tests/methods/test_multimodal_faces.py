"""What the three streams see: depth and infrared as pictures, what is missing, what is noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.feature import hog

from workbench.core import ShapeError
from workbench.data import phantom
from workbench.methods import multimodal_faces as pictures


@pytest.fixture(scope="module")
def home() -> pictures.Triples:
    return pictures.phantoms("home", "train", 2, 1, size=40, seed=0)


def test_a_domain_has_its_instruments_its_flaws_and_its_people(home: pictures.Triples) -> None:
    assert home.attack.sum() == 2 * len(phantom.DOMAINS["home"].species)
    assert set(home.species[home.attack]) == set(phantom.DOMAINS["home"].species)
    assert set(home.species[~home.attack]) == {""}
    assert set(home.domain) == {"home"}
    other = pictures.phantoms("home", "test", 2, 1, size=40, seed=0)
    assert not set(home.subjects) & set(other.subjects)
    assert all(s.startswith("home/") for s in home.subjects)
    plain = phantom.attack_detection(2, 1, size=40, domains=("home",), subsets=("train",))
    measured = np.isfinite(plain.depth).mean((1, 2))
    lost = 1 - (home.depth > 0).mean((1, 2)) / measured
    assert lost.mean() == pytest.approx(pictures.FLAWS["home"][0], abs=0.03)


def test_ambient_infrared_lifts_the_picture() -> None:
    street = pictures.phantoms("street", "train", 2, 1, size=40, seed=0)
    plain = phantom.attack_detection(2, 1, size=40, domains=("street",), subsets=("train",))
    np.testing.assert_array_equal(street.infrared, np.minimum(plain.nir + 0.12 * 255, 255).astype(np.uint8))


def test_depth_pictures_by_hand() -> None:
    millimetres = np.array([[[500.0, 625.0], [750.0, 2000.0]], [[np.inf, np.inf], [900.0, np.inf]]], np.float32)
    assert pictures.depth_pictures(millimetres).tolist() == [[[255, 128], [1, 1]], [[0, 0], [255, 0]]]


def test_depth_tells_flat_paper_from_a_face(home: pictures.Triples) -> None:
    middle = home.depth[:, 12:28, 12:28].astype(float)
    relief = np.array([m[m > 0].std() for m in middle])
    photos = home.species == "photo"
    assert relief[photos].max() < relief[~home.attack].min()


def test_triples_that_do_not_fit_are_refused(home: pictures.Triples) -> None:
    with pytest.raises(ShapeError, match="triples do not fit together"):
        replace(home, attack=home.attack[1:])
    both = pictures.joined([home, home.take(home.attack)])
    assert len(both) == len(home) + home.attack.sum()
    assert not both.real
    assert pictures.joined([home, replace(home, real=True)]).real


def test_inputs_are_modality_before_colour_in_the_range_of_the_network(home: pictures.Triples) -> None:
    x = pictures.inputs(home)
    assert x.shape == (10, 3, 3, 40, 40)
    assert float(x.min()) >= -1
    assert float(x.max()) <= 1
    torch.testing.assert_close(x[3, 0].permute(1, 2, 0), torch.from_numpy(home.rgb[3]) / 127.5 - 1)
    assert torch.equal(x[:, 1, 0], x[:, 1, 2])
    torch.testing.assert_close(x[3, 2, 0], torch.from_numpy(home.infrared[3]) / 127.5 - 1)


def test_a_missing_stream_is_zero_after_normalisation(home: pictures.Triples) -> None:
    x = pictures.inputs(home)
    found = pictures.without(x, 2)
    assert float(found[:, 1].abs().max()) == 0
    assert torch.equal(found[:, [0, 2]], x[:, [0, 2]])
    assert float(pictures.without(x, 2, 3)[:, 1:].abs().max()) == 0
    assert float(x[:, 1].abs().max()) > 0


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75])
def test_noise_hits_its_share_of_the_depth_patches_and_nothing_else(home: pictures.Triples, share: float) -> None:
    x = pictures.inputs(home)
    found = pictures.with_noise(x, share, 8, np.random.default_rng(0))
    assert torch.equal(found[:, [0, 2]], x[:, [0, 2]])
    hit = (found[:, 1] != x[:, 1]).any(1).view(10, 5, 8, 5, 8).any(4).any(2)
    assert hit.sum((1, 2)).tolist() == [round(share * 25)] * 10


def test_gradient_histograms_are_scikit_images(home: pictures.Triples) -> None:
    for picture in home.infrared[:3]:
        cells = pictures.gradient_histograms(picture)
        theirs = hog(picture, 9, (8, 8), (1, 1), block_norm="L1", feature_vector=False)[:, :, 0, 0]
        ours = cells / (cells.sum(-1, keepdims=True) + 1e-5)
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_gradient_map_draws_edges_along_themselves() -> None:
    upright = np.zeros((8, 8), np.uint8)
    upright[:, 4:] = 200
    drawn = pictures.gradient_map(upright)
    # The edge stands upright, and so does the stroke: one column, give or take half a bin's slant.
    assert drawn.max(0).argmax() in (3, 4, 5)
    assert (drawn > 0).any(1).sum() >= 6
    assert (drawn > 0).any(0).sum() <= 4
    lying = pictures.gradient_map(np.ascontiguousarray(upright.T))
    assert (lying > 0).any(1).sum() <= 4
    assert pictures.gradient_map(np.zeros((20, 20), np.uint8)).shape == (20, 20)


def test_the_gravitational_force_is_the_sum_over_neighbours() -> None:
    """Slow: each pixel is pulled by its 24 neighbours; a flat picture pulls nowhere."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (9, 9)).astype(np.uint8)
    found = pictures.gravitational_force(picture)
    values = picture.astype(float) + 1
    for row, column in ((2, 2), (4, 6), (6, 3)):
        pull = np.zeros(2)
        for i in range(-2, 3):
            for j in range(-2, 3):
                if (i, j) != (0, 0):
                    angle, square = np.arctan2(i, j), i * i + j * j
                    pull += np.array([np.cos(angle), np.sin(angle)]) / square * values[row + i, column + j]
        expected = np.arctan(np.linalg.norm(pull / values[row, column]))
        assert found[row, column] == pytest.approx(expected)
    assert pictures.gravitational_force(np.full((6, 6), 80, np.uint8)).max() == pytest.approx(0, abs=1e-12)
