"""Watermarks: what is trained, what is frozen, what is stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from workbench.core import ParameterError, ShapeError
from workbench.methods import watermark as marks
from workbench.methods.watermark import Decoder, Design, Encoder, Watermark


@pytest.fixture(scope="module")
def pictures() -> Any:
    """Smooth pictures with edges, of no even size."""
    rng = np.random.default_rng(0)
    rough = rng.integers(20, 235, (40, 6, 6, 3)).repeat(5, 1).repeat(5, 2)
    return np.ascontiguousarray(rough[:, :26, :22]).astype(np.uint8)


@pytest.fixture(scope="module")
def trained(pictures: Any) -> Watermark:
    return marks.train(pictures, Design(3, 12, 4), steps=60, image_weight=50.0, seed=0)


def test_what_was_hidden_is_read_and_chance_is_one_half(pictures: Any, trained: Watermark) -> None:
    said = marks.messages(len(pictures), 3, "test", 0)
    after = marks.marked(trained, pictures, said)
    assert after.shape == pictures.shape
    assert after.dtype == np.uint8
    assert marks.right_bits(trained, after, said).mean() > 0.8
    # Of pictures without a watermark, and of other messages, half of the bits are right by chance.
    many = [marks.messages(len(pictures), 3, "other", k) for k in range(40)]
    for shown in (pictures, after):
        assert np.mean([marks.right_bits(trained, shown, m) for m in many]) == pytest.approx(0.5, abs=0.03)


def test_bits_are_counted_not_messages(pictures: Any, trained: Watermark) -> None:
    read = (trained.decoding()(marks.tensor(pictures)) > 0.5).numpy()
    turned = read.copy()
    turned[0, 1] ^= True
    turned[1] ^= True
    assert marks.right_bits(trained, pictures, turned)[:3].tolist() == pytest.approx([2 / 3, 0, 1])


def test_the_watermark_is_loud_first_and_quiet_last_and_is_read(trained: Watermark) -> None:
    picture, message = trained.losses.T
    assert picture[-10:].mean() < picture.max() / 5
    assert message[-10:].mean() < 0.2 < message[:3].mean()


def test_statistics_are_learnt_in_training_and_frozen_afterwards(pictures: Any, trained: Watermark) -> None:
    learnt = [v for k, v in trained.encoder.items() if k.endswith("running_mean")]
    assert learnt
    assert all(np.abs(v).max() > 0 for v in learnt)
    said = marks.messages(len(pictures), 3, "test", 0)
    together = marks.marked(trained, pictures, said)
    alone = np.concatenate([marks.marked(trained, pictures[i : i + 1], said[i : i + 1]) for i in range(6)])
    # Another batch may round one sum differently.
    assert np.abs(together[:6].astype(int) - alone).max() <= 1
    assert np.mean(together[:6] == alone) > 0.999
    encoder = trained.encoding()
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    encoder(marks.tensor(pictures) * 0.1, torch.ones(len(pictures), 3))
    assert all(torch.equal(v, before[k]) for k, v in encoder.state_dict().items())
    assert not any(p.requires_grad for p in [*encoder.parameters(), *trained.decoding().parameters()])


def test_what_is_stored_is_clipped_and_rounded(pictures: Any, trained: Watermark) -> None:
    extreme = np.concatenate([np.zeros_like(pictures[:2]), np.full_like(pictures[:2], 255)])
    said = marks.messages(4, 3, "test", 0)
    with torch.no_grad():
        raw = trained.encoding()(marks.tensor(extreme), torch.from_numpy(said.astype(np.float32)))
    assert float(raw.min()) < 0
    assert float(raw.max()) > 1
    expected = np.floor(np.clip(raw.permute(0, 2, 3, 1).numpy().astype(np.float64), 0, 1) * 255 + 0.5)
    assert np.abs(marks.marked(trained, extreme, said) - expected).max() <= 1
    assert marks.rounded(torch.tensor([-0.2, 0.5 / 255 + 1e-4, 1.7]).reshape(1, 3, 1, 1)).ravel().tolist() == [
        0,
        1,
        255,
    ]


def test_the_encoder_is_hiddens_layer_by_layer() -> None:
    """A slow version: correlations plane by plane, the message copied to every pixel; block 1 is HiDDeN's own."""
    design = Design(2, 3, 1)
    network = Encoder(design).eval()
    rng = np.random.default_rng(1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.from_numpy(rng.normal(0, 0.2, 3).astype(np.float32))
            module.running_var = torch.from_numpy(rng.uniform(0.5, 2, 3).astype(np.float32))
    picture, message = rng.uniform(0, 1, (3, 7, 6)).astype(np.float32), np.array([1.0, 0.0], np.float32)

    def block(planes: Any, layer: Any) -> Any:
        kernel, norm = layer[0].weight.detach().numpy(), layer[1]
        out = []
        for o in range(len(kernel)):
            plane = sum(correlate2d(p, k, "same") for p, k in zip(planes, kernel[o], strict=True))
            value = (plane - float(norm.running_mean[o])) / np.sqrt(float(norm.running_var[o]) + norm.eps)
            out.append(np.maximum(value, 0))
        return out

    inner = list(picture - 0.5)
    for layer in network.features:
        inner = block(inner, layer)
    assert len(network.features) == 4
    copied = [np.full((7, 6), 1.0 if m else -1.0) for m in message]
    joined = block([*copied, *inner, *(picture - 0.5)], network.after)
    last, bias = network.last.weight.detach().numpy()[:, :, 0, 0], network.last.bias.detach().numpy()
    expected = picture + np.einsum("oc,chw->ohw", last, joined) + bias[:, None, None]
    with torch.no_grad():
        found = network(torch.from_numpy(picture)[None], torch.from_numpy(message)[None])[0].numpy()
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("side", [(8, 12), (9, 11), (5, 4)])
def test_pictures_of_any_size_keep_it(side: tuple[int, int]) -> None:
    design = Design(5, 8, 4)
    shown = torch.rand(2, 3, *side)
    assert Encoder(design).eval()(shown, torch.zeros(2, 5)).shape == shown.shape
    assert Decoder(design).eval()(shown).shape == (2, 5)


def test_another_name_is_another_watermark_and_the_same_name_the_same(pictures: Any) -> None:
    made = [marks.train(pictures, Design(3, 8, 4), steps=2, image_weight=2.0, seed=0, name=n) for n in "aab"]
    first = [m.encoder["last.weight"] for m in made]
    assert np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], first[2])


def test_larger_pictures_are_learnt_from_in_patches(pictures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    forward = Encoder.forward
    monkeypatch.setattr(Encoder, "forward", lambda self, x, m: (seen.append(x.shape[2:]), forward(self, x, m))[1])
    marks.train(pictures, Design(3, 8, 4), steps=3, image_weight=2.0, seed=0, patch=12)
    assert [tuple(s) for s in seen] == [(12, 12)] * 3


def test_what_does_not_fit_is_refused(pictures: Any, trained: Watermark) -> None:
    for odd in (marks.messages(len(pictures), 4, 0), marks.messages(3, 3, 0), np.ones((len(pictures), 3))):
        with pytest.raises(ShapeError, match="messages do not fit"):
            marks.marked(trained, pictures, odd)
        with pytest.raises(ShapeError, match="messages do not fit"):
            marks.right_bits(trained, pictures, odd)
    for sizes in ((0,), (3, 0), (3, 8, 17)):
        with pytest.raises(ParameterError, match="out of range"):
            Design(*sizes)
    with pytest.raises(ParameterError, match="cannot be trained"):
        marks.train(pictures, Design(3), steps=0, image_weight=2.0, seed=0)
