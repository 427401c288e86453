"""The generated sets, and the networks that read them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.core import ShapeError
from workbench.data import phantom
from workbench.methods import expression_faces as pictures
from workbench.methods import expression_networks as networks


@pytest.fixture(scope="module")
def wild() -> pictures.Faces:
    return pictures.faces(pictures.WILD, 4, 6, first=10, seed=0)


def test_a_face_is_neutral_below_the_limit_and_in_its_range_above(wild: pictures.Faces) -> None:
    assert wild.images.shape == (24, 64, 64, 3)
    assert wild.subjects.tolist() == np.repeat(np.arange(10, 14), 6).tolist()
    assert (wild.neutral == (wild.intensity < pictures.NEUTRAL_BELOW)).all()
    assert 0 < wild.neutral.sum() < 24
    low, high = pictures.WILD.intensity
    assert np.all((wild.intensity[~wild.neutral] >= low) & (wild.intensity[~wild.neutral] <= high))


def test_the_same_seed_gives_the_same_pictures_and_another_set_other_people(wild: pictures.Faces) -> None:
    again = pictures.faces(pictures.WILD, 4, 6, first=10, seed=0)
    assert np.array_equal(wild.images, again.images)
    one, other = (phantom.identities(3, seed=0, prefix=s.name).modes for s in pictures.STYLES[:2])
    assert not np.isclose(one, other).all(1).any()
    with pytest.raises(ShapeError, match="people and pictures"):
        pictures.faces(pictures.WILD, 0, 6, first=0, seed=0)


def test_styles_differ_and_name_what_exists() -> None:
    assert len(pictures.STYLES) == 7 == len({s.name for s in pictures.STYLES})
    for style in (*pictures.STYLES, pictures.WILD, pictures.PROBE):
        assert set(style.emotions) <= set(phantom.EXPRESSIONS) - {"neutral"}
        assert style.intensity[0] >= pictures.SHOWN_FROM > pictures.NEUTRAL_BELOW
        assert style.neutral < 0.5


def test_movements_by_hand() -> None:
    rng = np.random.default_rng(0)
    angry, smile = pictures.EXPRESSIONS.index("angry"), phantom.MOVEMENTS.index("smile")
    half = pictures.movements(np.array([angry, 1]), np.array([0.5, 0.0]), 0.0, rng)
    assert half[0, phantom.MOVEMENTS.index("frown")] == pytest.approx(0.5)
    assert half[0, smile] == 0
    rest = np.delete(half[1], phantom.MOVEMENTS.index("blink"))
    assert not rest.any()
    moved = pictures.movements(np.full(50, angry), np.full(50, 1.0), 0.8, rng)
    assert moved[:, phantom.MOVEMENTS.index("jaw_open")].max() > 0.4
    assert moved.max() <= 1


def test_cosface_by_hand() -> None:
    embeddings, centres = torch.tensor([[3.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    # The true class is the second: its cosine 0 loses the margin 0.2.
    logits = 20 * np.array([1.0, 0.0 - 0.2])
    expected = np.log(np.exp(logits).sum()) - logits[1]
    assert float(networks.cosface_loss(embeddings, centres, torch.tensor([1]))) == pytest.approx(expected, rel=1e-5)


def test_serfiq_by_a_loop() -> None:
    vectors = torch.nn.functional.normalize(torch.from_numpy(np.random.default_rng(0).normal(size=(2, 5, 3))), dim=2)
    for picture, found in zip(vectors.numpy(), networks.serfiq(vectors), strict=True):
        gaps = [np.linalg.norm(picture[i] - picture[j]) for i in range(5) for j in range(i)]
        assert float(found) == pytest.approx(2 / (1 + np.exp(np.mean(gaps))))
    assert networks.serfiq(vectors[:, :1].expand(-1, 5, -1)).numpy() == pytest.approx(1, abs=1e-6)


def test_own_neutral_is_the_log_odds_of_the_softmax() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (6, len(pictures.EXPRESSIONS)))
    share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    p = share[:, pictures.NEUTRAL]
    assert networks.Read(np.zeros((6, 1), np.float32), logits).neutral == pytest.approx(np.log(p / (1 - p)))
    # Where the probability rounds to 1 the order is still there.
    sure = np.zeros((2, len(pictures.EXPRESSIONS)))
    sure[:, pictures.NEUTRAL] = (800, 900)
    odds = networks.Read(np.zeros((2, 1), np.float32), sure).neutral
    assert odds[0] < odds[1] < np.inf


@pytest.mark.parametrize("kind", ["A", "B", "recogniser"])
def test_training_lowers_the_loss_and_does_not_depend_on_the_global_generator(kind: str, wild: pictures.Faces) -> None:
    trained = networks.train(kind, wild, epochs=30, seed=0)
    assert trained.losses[-1] < 0.7 * trained.losses[0]
    states = []
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            states.append(networks.train(kind, wild, epochs=1, seed=0).state)
    assert all(np.array_equal(v, states[1][k]) for k, v in states[0].items())


def test_what_networks_say_has_the_shapes_and_ranges_that_are_promised(wild: pictures.Faces) -> None:
    read = networks.read(networks.train("B", wild, epochs=1, seed=0), wild.images)
    assert read.features.shape == (24, 96)
    assert (read.features >= 0).all()
    found = networks.embed(networks.train("recogniser", wild, epochs=1, seed=0), wild.images, seed=0)
    assert np.linalg.norm(found.embeddings, axis=1) == pytest.approx(1, abs=1e-5)
    assert ((found.stability > 0) & (found.stability < 1)).all()
    alone = networks.embed(networks.train("recogniser", wild, epochs=1, seed=0), wild.images[3:4], seed=0)
    assert alone.stability[0] == pytest.approx(found.stability[3], abs=1e-4)
