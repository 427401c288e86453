import numpy as np
import pytest
import torch
from torch import nn

from workbench.core import UnknownNameError
from workbench.methods import deletion, explain
from workbench.methods.small_recogniser import SmallRecogniser, arcface_loss, initialise, train


@pytest.fixture(scope="module")
def question() -> explain.Question:
    network = SmallRecogniser()
    initialise(network, "test")
    network.eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.rand(3, 3, 40, 40, generator=generator) * 2 - 1 for _ in range(2))
    return explain.Question(network, one, other, 0.3, torch.zeros(3), network.features, 0, 40)


def test_fggb_equals_a_slow_loop_over_channels(question: explain.Question) -> None:
    found = explain.fggb(question)
    network, thr = question.network, question.threshold
    a = question.reference[:1].clone().requires_grad_(True)
    fa = network(a)[0] / network(a)[0].norm()
    fb = network(question.probe[:1])[0]
    fb = fb / fb.norm()
    total = torch.zeros(40, 40)
    for k in range(64):
        gradient = torch.autograd.grad(fa[k], a, retain_graph=True)[0][0].abs().mean(0)
        total += gradient / gradient.norm() * (fa[k] * fb[k] - thr / 64)
    assert np.allclose(found.similarity[0, 0], total.clamp(min=0).detach(), atol=1e-5)
    assert np.allclose(found.dissimilarity[0, 0], (-total).clamp(min=0).detach(), atol=1e-5)


def test_the_normalised_embedding_is_differentiated(question: explain.Question) -> None:
    # Half the squared length is constant, so the gradients weighted by the embedding cancel.
    embedding, gradients = explain.channel_gradients(question.network, question.reference)
    every = torch.stack(list(gradients))
    weighted = torch.einsum("nk,knchw->nchw", embedding, every)
    assert len(every) == 64
    assert weighted.abs().max() < 1e-5 * every.abs().max()


def test_the_threshold_is_shared_out_over_the_channels(question: explain.Question) -> None:
    with torch.inference_mode():
        one, other = (explain.embed(question.network, p) for p in (question.reference, question.probe))
    near = float((one * other).sum(1)[0])
    found = explain.explain("fggb", question, threshold=near)
    assert found.similarity[0].sum() > 0
    assert found.dissimilarity[0].sum() > 0


def test_exchanging_the_pictures_exchanges_the_maps(question: explain.Question) -> None:
    swapped = explain.explain("fggb", question, reference=question.probe, probe=question.reference)
    assert np.allclose(explain.fggb(question).similarity[:, ::-1], swapped.similarity, atol=1e-6)


@pytest.mark.parametrize("method", list(explain.METHODS))
def test_every_method_gives_whole_maps_twice_the_same(question: explain.Question, method: str) -> None:
    found, again = (explain.explain(method, question) for _ in range(2))
    for maps in (found.similarity, found.dissimilarity):
        assert maps.shape == (3, 2, 40, 40)
        assert np.isfinite(maps).all()
        assert maps.min() >= 0
    assert np.array_equal(found.similarity, again.similarity)
    assert found.similarity.sum() + found.dissimilarity.sum() > 0


def test_corr_rise_is_pearsons_correlation(question: explain.Question) -> None:
    found = explain.corr_rise(question)
    masks = explain.random_masks(question.masks, (40, 40), question.seed)
    with torch.inference_mode():
        target = explain.embed(question.network, question.probe[:1])[0]
        scores = [float(explain.embed(question.network, question.reference[:1] * m)[0] @ target) for m in masks]
    signed = found.similarity[0, 0] - found.dissimilarity[0, 0]
    for y, x in ((5, 5), (20, 31)):
        assert signed[y, x] == pytest.approx(np.corrcoef(masks[:, y, x].numpy(), scores)[0, 1], abs=1e-4)


def test_occlusion_by_hand(question: explain.Question) -> None:
    found = explain.explain("occlusion", question, patch=20)
    with torch.inference_mode():
        one, other = (explain.embed(question.network, p)[0] for p in (question.reference, question.probe))
        covered = question.reference[:1].clone()
        covered[:, :, :20, 10:30] = 0.0
        drop = float(one @ other - explain.embed(question.network, covered)[0] @ other)
        covered = question.reference[:1].clone()
        covered[:, :, :20, :20] = 0.0
        corner = float(one @ other - explain.embed(question.network, covered)[0] @ other)
    signed = found.similarity[0, 0] - found.dissimilarity[0, 0]
    assert signed[3, 3] == pytest.approx(corner, abs=1e-5)
    assert signed[3, 15] == pytest.approx((corner + drop) / 2, abs=1e-5)


def test_an_unknown_method_gets_near_ones(question: explain.Question) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'fggb'"):
        explain.explain("fgb", question)


class Mean(nn.Module):
    """The embedding is the mean colour: what a deletion does can be said by hand."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


def test_deletion_by_hand() -> None:
    # The left half is red, the right half green; without the red pixels the two pictures agree no more.
    one = torch.zeros(1, 3, 2, 2)
    one[0, 0, :, 0] = 1.0
    other = one.clone()
    other[0, 1, :, 1] = 0.2
    maps = np.zeros((1, 2, 2, 2), np.float32)
    maps[:, :, :, 0] = 1.0
    right = deletion.curves(Mean(), one, other, maps, np.array([True]), 0.5, torch.zeros(3), steps=3, insertion=False)
    assert right.tolist() == [[1.0, 0.0, 0.0]]
    worst = deletion.curves(
        Mean(), one, other, 1 - maps, np.array([True]), 0.5, torch.zeros(3), steps=3, insertion=False
    )
    assert worst.tolist() == [[1.0, 1.0, 0.0]]


def test_equal_pixels_are_not_ordered_by_place() -> None:
    order = deletion.ranks(np.zeros((1, 8, 8), np.float32), 0)[0]
    assert sorted(order.tolist()) == list(range(64))
    assert abs(np.corrcoef(order, np.arange(64))[0, 1]) < 0.5


def test_arcface_by_hand() -> None:
    centres = torch.eye(2)
    loss = arcface_loss(torch.tensor([[1.0, 0.0]]), centres, torch.tensor([0]), margin=0.5, scale=2.0)
    expected = -np.log(np.exp(2 * np.cos(0.5)) / (np.exp(2 * np.cos(0.5)) + 1))
    assert float(loss) == pytest.approx(expected, abs=2e-3)


def test_training_is_repeatable_and_learns() -> None:
    rng = np.random.default_rng(0)
    chips = np.repeat(rng.integers(0, 255, (4, 40, 40, 3), dtype=np.uint8), 8, 0)
    labels = np.repeat(np.arange(4), 8)
    one, two = (train(chips, labels, epochs=4, batch=8, seed=1) for _ in range(2))
    assert all(np.array_equal(one.state[k], two.state[k]) for k in one.state)
    assert one.losses[-1] < one.losses[0] / 2
