"""The joint attack: its objective by hand, its limits, what it looks at, and the order of what is done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workbench import models
from workbench.core import ParameterError, WeightsError
from workbench.methods import watermark as marks
from workbench.methods import watermark_attack as attacks
from workbench.methods import watermark_scoring as scoring
from workbench.methods.small_recogniser import initialise
from workbench.methods.watermark import Design, Watermark
from workbench.methods.watermark_attack import Plan, Recogniser


class Bent(nn.Module):
    """A recogniser that nobody trained, with features that bend."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1), nn.Tanh(), nn.Conv2d(12, 16, 3, 2, 1), nn.Tanh())
        self.head = nn.Linear(16 * 16, 24)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.layers(x).flatten(1))
        return out


def recogniser(mean: float = 127.5, scale: float = 1 / 127.5) -> Recogniser:
    network = Bent()
    initialise(network, "bent")
    if mean == 0:
        # The same function of the picture, for a network that takes [0, 1].
        first = network.layers[0]
        with torch.no_grad():
            # Zeros around a picture in [-1, 1] are mid-grey: padded by hand, both see the same.
            first.weight *= 2
            first.bias -= first.weight.sum((1, 2, 3)) / 2
        first.padding = (0, 0)
        network.layers = nn.Sequential(nn.ConstantPad2d(1, 0.5), *network.layers)
    return Recogniser(network, (mean,) * 3, (scale,) * 3, "RGB")


@pytest.fixture(scope="module")
def pictures() -> Any:
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (6, 4, 4, 3)).repeat(4, 1).repeat(4, 2).astype(np.uint8)


@pytest.fixture(scope="module")
def watermark(pictures: Any) -> Watermark:
    return marks.train(pictures, Design(4, 8, 4), steps=40, image_weight=20.0, seed=0)


@pytest.fixture(scope="module")
def said(pictures: Any) -> Any:
    return marks.messages(len(pictures), 4, "owner", 0)


def phases(network: Recogniser, pictures: Any, perturbed: Any, watermark: Watermark, said: Any) -> Any:
    """Similarity with the clean picture: without the watermark, and with it."""
    clean = network.embed(pictures)
    after = marks.marked(watermark, perturbed, said)
    return (network.embed(perturbed) * clean).sum(1), (network.embed(after) * clean).sum(1)


def test_the_objective_by_hand() -> None:
    found = attacks.Similarities(torch.tensor([0.2, 0.7]), torch.tensor([0.9, 0.35]))
    assert attacks.objective(found, Plan(2, gamma=0.5)).tolist() == pytest.approx([0.2 - 0.45, 0.7 - 0.175])
    # Below threshold + 0.1 = 0.5 the hinge pulls, above it does not.
    hinge = attacks.objective(found, Plan(2, gamma=2.0, form="hinge", threshold=0.4))
    assert hinge.tolist() == pytest.approx([0.2, 0.7 + 2 * 0.15])


def test_similarities_are_those_of_the_clean_picture_and_averaged_over_messages(pictures: Any, watermark: Any) -> None:
    network, encoder = recogniser(), watermark.encoding()
    now, clean = marks.tensor(pictures) * 0.9, network(marks.tensor(pictures))
    several = torch.randint(0, 2, (3, len(pictures), 4), generator=torch.Generator().manual_seed(0)).float()
    found = attacks.similarities(network, encoder, now, several, clean)
    for i in range(len(pictures)):
        one = [F.cosine_similarity(network(encoder(now[i : i + 1], m[i : i + 1]).clamp(0, 1)), clean[i : i + 1])
               for m in several]  # fmt: skip
        assert float(found.activated[i]) == pytest.approx(float(torch.stack(one).mean()), abs=1e-5)
        alone = F.cosine_similarity(network(now[i : i + 1]), clean[i : i + 1])
        assert float(found.stealthy[i]) == pytest.approx(float(alone), abs=1e-5)


@pytest.mark.parametrize("budget", [1, 2, 4])
def test_what_is_handed_on_is_a_file_within_the_budget(pictures: Any, watermark: Any, said: Any, budget: int) -> None:
    made = attacks.attack(pictures, recogniser(), watermark, said, Plan(budget, steps=6), seed=0)
    assert made.dtype == np.uint8
    assert np.abs(made.astype(int) - pictures).max() == budget


def test_the_budget_is_of_the_picture_whatever_range_the_recogniser_takes(
    pictures: Any, watermark: Any, said: Any
) -> None:
    networks = recogniser(), recogniser(0.0, 1 / 255)
    assert networks[0].embed(pictures) == pytest.approx(networks[1].embed(pictures), abs=1e-5)
    made = [attacks.attack(pictures, n, watermark, said, Plan(2, steps=6), seed=0) for n in networks]
    assert [int(np.abs(m.astype(int) - pictures).max()) for m in made] == [2, 2]
    # The sign of a gradient that is nearly zero is anybody's.
    assert np.mean(made[0] == made[1]) > 0.97


def test_the_attack_does_what_it_is_for(pictures: Any, watermark: Any, said: Any) -> None:
    network = recogniser()
    made = attacks.attack(pictures, network, watermark, said, Plan(4, steps=20), seed=0)
    noise = attacks.random_signs(pictures, 4, seed=0)
    stealthy, activated = phases(network, pictures, made, watermark, said)
    by_noise = phases(network, pictures, noise, watermark, said)
    assert np.all(activated - stealthy < by_noise[1] - by_noise[0])


def test_without_the_second_term_the_perturbation_is_noticed_and_with_much_of_it_nothing_is_activated(
    pictures: Any, watermark: Any, said: Any
) -> None:
    network = recogniser()
    found = {}
    for gamma in (0.0, 1.0, 50.0):
        made = attacks.attack(pictures, network, watermark, said, Plan(4, gamma, steps=20), seed=0)
        found[gamma] = [side.mean() for side in phases(network, pictures, made, watermark, said)]
    stealthy, activated = ({g: side[k] for g, side in found.items()} for k in (0, 1))
    assert stealthy[0.0] < stealthy[1.0] - 0.01
    assert stealthy[50.0] >= stealthy[1.0] - 0.002
    assert activated[0.0] <= activated[1.0] < activated[50.0] - 0.01
    ordinary = attacks.evasion(pictures, network, Plan(4, steps=20), seed=0)
    assert phases(network, pictures, ordinary, watermark, said)[0].mean() < stealthy[1.0] - 0.01


def test_who_does_not_know_the_message_does_not_look_at_it(pictures: Any, watermark: Any, said: Any) -> None:
    for averaged, same in ((True, True), (False, False)):
        plan = Plan(4, averaged=averaged, steps=5)
        made = [attacks.attack(pictures, recogniser(), watermark, m, plan, seed=0) for m in (said, ~said)]
        assert np.array_equal(*made) is same


def test_the_encoder_and_the_recogniser_are_not_changed_by_attacking(
    pictures: Any, watermark: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, encoder = recogniser(), watermark.encoding()
    before = [{k: v.clone() for k, v in m.state_dict().items()} for m in (network.network, encoder)]
    monkeypatch.setattr(Watermark, "encoding", lambda self: encoder)
    attacks.attack(pictures, network, watermark, said, Plan(2, steps=4), seed=0)
    assert not encoder.training
    for module, kept in zip((network.network, encoder), before, strict=True):
        assert all(torch.equal(v, kept[k]) for k, v in module.state_dict().items())


def test_pictures_of_a_batch_do_not_pull_at_each_other(pictures: Any, watermark: Any, said: Any) -> None:
    plan = Plan(4, steps=5)
    together = attacks.attack(pictures[:3], recogniser(), watermark, said[:3], plan, seed=0)
    others = np.concatenate([pictures[:1], 255 - pictures[1:3]])
    beside = attacks.attack(others, recogniser(), watermark, said[:3], plan, seed=0)
    assert np.mean(together[0] == beside[0]) > 0.99
    assert np.mean(together[1] == beside[1]) < 0.9


def test_random_signs_are_as_large_as_can_be(pictures: Any) -> None:
    made = attacks.random_signs(pictures, 2, seed=0).astype(int)
    inside = (pictures >= 2) & (pictures <= 253)
    assert set(np.unique((made - pictures)[inside])) == {-2, 2}
    assert np.mean((made - pictures)[inside] > 0) == pytest.approx(0.5, abs=0.05)
    assert made.min() >= 0
    assert made.max() <= 255


class Spy(Recogniser):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def embed(self, pictures: Any, *, batch: int = 64) -> Any:
        self.shown.append(pictures)
        flat = pictures.reshape(len(pictures), -1).astype(np.float32)
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def test_first_the_perturbation_then_the_watermark_and_files_in_between(
    pictures: Any, watermark: Any, said: Any
) -> None:
    spy, perturbed = Spy(), attacks.random_signs(pictures, 4, seed=0)
    mated = scoring.Mated(spy.embed(pictures), np.array([1, 0, 3]), np.array([0, 1, 2]))
    found = scoring.cases(spy, mated, pictures, perturbed, watermark, said, [~said])
    different, alone, both = spy.shown[1:]
    # Whether the perturbation is noticed is asked of the perturbed picture itself, without a watermark.
    assert alone is perturbed
    with torch.no_grad():
        raw = watermark.encoding()(torch.from_numpy(perturbed / np.float32(255)).permute(0, 3, 1, 2).float(),
                                   torch.from_numpy(said).float())  # fmt: skip
    slow = np.rint(np.clip(raw.permute(0, 2, 3, 1).numpy(), 0, 1) * 255)
    assert both.dtype == np.uint8
    assert np.mean(both == slow) > 0.999
    assert not np.array_equal(both, different)
    assert found.stealthy.tolist() == pytest.approx((mated.references[[1, 0, 3]] * spy.embed(perturbed)[:3]).sum(1))
    assert found.others.shape == (3, 1)
    assert found.change.greatest.max() == 4
    assert found.activated.bits == pytest.approx(marks.right_bits(watermark, both, said))


def test_changes_by_hand() -> None:
    before = np.full((2, 16, 16, 3), 100, np.uint8)
    after = before.copy()
    after[1, 0, 0] = (103, 96, 100)
    found = scoring.change(before, after)
    assert found.greatest.tolist() == [0, 4]
    assert found.length.tolist() == [0, 5]
    assert np.isnan(found.psnr[0])
    assert found.psnr[1] == pytest.approx(10 * np.log10(255**2 / (25 / (16 * 16 * 3))))
    assert found.ssim[0] == pytest.approx(1)


@pytest.mark.parametrize("colour", ["RGB", "BGR"])
def test_a_loaded_recogniser_sees_what_its_card_says(colour: Any) -> None:
    embedder = models.load("phantom-recogniser-64", device="cpu", backend="torch")
    embedder.card = replace(embedder.card, colour=colour)
    shown = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    assert Recogniser.of(embedder).embed(shown) == pytest.approx(embedder.embed(shown), abs=1e-4)


def test_what_has_no_gradients_or_is_out_of_range_is_refused() -> None:
    embedder = models.load("phantom-recogniser-64", device="cpu", backend="torch")
    embedder._network = None
    with pytest.raises(WeightsError, match="no gradients"):
        Recogniser.of(embedder)
    for odd in ({"budget": 65}, {"gamma": -1.0}, {"steps": 0}):
        with pytest.raises(ParameterError, match="out of range"):
            Plan(**{"budget": 2, **odd})  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="linear or hinge"):
        Plan(2, form="square")  # type: ignore[arg-type]
