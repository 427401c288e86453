"""Prototypes, their loss, and gradients that modalities rebalance."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from workbench.methods import multimodal_regrad as regrad
from workbench.methods import multimodal_training as training
from workbench.methods.multimodal_network import Size, Streams
from workbench.methods.multimodal_training import Learner
from workbench.metrics.two_class import TwoClass

SIZE = Size(16, 8, 16, 2, 2)


def vector(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def test_live_is_class_0_in_all_domains_and_attacks_have_their_domains() -> None:
    attack = np.array([False, True, True, False, True])
    domain = np.array(["S", "C", "W", "W", "S"])
    assert regrad.classes(attack, domain, ["C", "S", "W"]).tolist() == [0, 1, 3, 0, 2]
    # The same convention as a score: higher is more attack, so a perfect vector has no errors and its negative all.
    perfect = (regrad.classes(attack, domain, ["C", "S", "W"]) > 0).double().numpy()
    assert TwoClass(perfect, attack, np.arange(5)).eer() == 0
    assert TwoClass(-perfect, attack, np.arange(5)).eer() == 1


def test_the_loss_is_the_softmax_of_negative_distances_not_squared() -> None:
    features, prototypes = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    found = regrad.prototypical(features, prototypes, torch.tensor([0, 0]))
    # Distances 5 and 1, and 0 and sqrt(18).
    assert found.tolist() == pytest.approx([math.log1p(math.exp(4)), math.log1p(math.exp(-math.sqrt(18)))])


def test_a_feature_on_its_prototype_has_a_finite_gradient_and_prototypes_have_none() -> None:
    features = torch.tensor([[3.0, 4.0]], requires_grad=True)
    prototypes = torch.tensor([[3.0, 4.0], [0.0, 1.0]], requires_grad=True)
    regrad.prototypical(features, prototypes, torch.tensor([0])).sum().backward()
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()
    assert prototypes.grad is None


def test_class_means_by_hand() -> None:
    features = torch.tensor([[[1.0], [3.0], [10.0]], [[2.0], [4.0], [20.0]], [[0.0], [0.0], [1.0]]])
    means, there = regrad.class_means(features, torch.tensor([0, 0, 2]), 4)
    assert means[:, :, 0].tolist() == [[2, 0, 10, 0], [3, 0, 20, 0], [0, 0, 1, 0]]
    assert there.tolist() == [True, False, True, False]


def test_prototypes_keep_a_fifth_of_the_old_and_all_of_it_where_a_class_was_not_seen() -> None:
    current, old = torch.full((3, 2, 1), 10.0), torch.zeros(3, 2, 1)
    found = regrad.renewed(old, current, torch.tensor([True, False]))
    assert found[:, 0].flatten().tolist() == pytest.approx([8.0] * 3)
    assert found[:, 1].flatten().tolist() == [0.0] * 3
    assert regrad.renewed(None, current, torch.tensor([True, True])) is current


def test_projections_by_hand() -> None:
    assert regrad.projected(vector(2, 3), vector(1, 0)).tolist() == [2, 0]
    assert regrad.projected(vector(-2, 3), vector(1, 0)).tolist() == [0, 3]
    assert regrad.projected(vector(2, 3), vector(0, 0)).tolist() == [2, 3]
    # Along the line of the other gradient, whatever its length.
    assert regrad.projected(vector(2, 3), vector(7, 0)).tolist() == pytest.approx([2, 0])


def rebalanced(of: list[Tensor | None], owner: int | None, losses: list[float], trust: Tensor) -> list[float]:
    found = regrad.rebalanced([[g] for g in of], [owner], [torch.zeros(2)], losses, trust)
    return found[0].tolist()


def test_a_slow_modality_is_helped_and_never_turned_back() -> None:
    """Modality 2 is slow; 1 agrees with it, 3 conflicts: g = g2 + w1 P(g1) + w3 P(g3), and g . g2 >= |g2|^2."""
    of, trust = [vector(3, 1), vector(2, 0), vector(-4, 5)], vector(0.5, 0.9, 0.25)
    found = rebalanced(of, 2, [0.1, 0.7, 0.3], trust)
    assert found == pytest.approx([2 + 0.5 * 3 + 0, 0 + 0 + 0.25 * 5])
    conflicts = [vector(-3, 1), vector(2, 0), vector(-4, 5)]
    only = torch.tensor(rebalanced(conflicts, 2, [0.1, 0.7, 0.3], trust))
    assert float(only @ conflicts[1]) == pytest.approx(float(conflicts[1] @ conflicts[1]))


def test_the_fastest_modality_follows_the_others() -> None:
    """S = g1 + g3 = (1, 0); g2 = (-2, 3) conflicts with it: P = (0, 3), and g = w2 P + S."""
    of, trust = [vector(3, 1), vector(-2, 3), vector(-2, -1)], vector(0.5, 0.9, 0.25)
    assert rebalanced(of, 2, [0.3, 0.1, 0.7], trust) == pytest.approx([1.0, 2.7])
    agrees = [vector(3, 1), vector(5, 3), vector(-2, -1)]
    assert rebalanced(agrees, 2, [0.3, 0.1, 0.7], trust) == pytest.approx([1 + 0.9 * 5, 0.0])


def test_parameters_of_all_take_the_plain_sum_and_missing_gradients_are_zero() -> None:
    of, trust = [vector(3, 1), vector(-2, 3), None], vector(0.5, 0.9, 0.25)
    assert rebalanced(of, None, [0.3, 0.1, 0.7], trust) == [1, 4]
    assert rebalanced([None, None, None], 1, [0.3, 0.1, 0.7], trust) == [0, 0]
    # The third modality's own gradient is missing: nothing conflicts with it.
    assert rebalanced(of, 3, [0.3, 0.1, 0.7], trust) == pytest.approx([0.5 * 3 - 0.9 * 2, 0.5 + 0.9 * 3])


def test_a_parameter_without_gradient_does_not_shift_its_neighbours() -> None:
    """The published code forgets to advance its index there."""
    gradients = [[None, vector(1, 0), vector(0, 1)]] * 3
    found = regrad.rebalanced(gradients, [None, None, None], [torch.zeros(2)] * 3, [1.0, 2, 3], torch.ones(3))
    assert [f.tolist() for f in found] == [[0, 0], [3, 0], [0, 3]]


def learner(arm: str) -> Learner:
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(0, 1, (12, 3, 3, 16, 16)).astype(np.float32))
    target = torch.tensor([0, 1, 2] * 4)
    people = rng.integers(0, 255, (8, 16, 16, 3)).astype(np.uint8)
    trunk = training.pretrain(SIZE, people, np.arange(8) // 2, steps=2, seed=0)
    made = Learner(arm, SIZE, trunk, x, target, samples=20, seed=0)
    # One step away from the start, where adapters end in zeros and little flows through them.
    made.renew([np.arange(12)], rng)
    with torch.no_grad():
        for name, p in made.network.named_parameters():
            if name.endswith("up.weight"):
                p.normal_(0, 0.3, generator=made.network.generator)
    return made


def test_the_step_of_regrad_is_the_sum_of_four_passes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow: four networks alike, four losses, four backward passes; the gradients are put together by hand."""
    state: dict[str, Tensor] = {}
    monkeypatch.setattr(training, "_mirrored", lambda x, rng: x)

    def gradient(which: int) -> tuple[dict[str, Tensor], list[float], Tensor]:
        made = learner("full")
        state.setdefault("generator", made.network.generator.get_state())
        made.network.generator.set_state(state["generator"])
        made.network.train()
        seen = made.network(made._x, uncertainty="sampled", samples=20)
        single = [regrad.prototypical(seen.features[m], made._prototypes[m], made._classes).mean() for m in range(3)]
        entropy = torch.nn.functional.cross_entropy(seen.logits, (made._classes > 0).long())
        (entropy if which == 3 else 0.3 * single[which]).backward()
        grads = {n: p.grad.clone() if p.grad is not None else torch.zeros_like(p)
                 for n, p in made.network.named_parameters() if p.requires_grad}  # fmt: skip
        return grads, [float(s.detach()) for s in single], seen.trust

    parts = [gradient(i) for i in range(4)]
    losses, w = parts[0][1], parts[0][2]
    fastest = losses.index(min(losses))
    made = learner("full")
    made.network.generator.set_state(state["generator"])
    made._optimiser = torch.optim.SGD(made._parameters, lr=0.0)
    made.step(np.arange(12), np.random.default_rng(0))
    checked = set()
    for name, p in made.network.named_parameters():
        if not p.requires_grad:
            continue
        g, entropy = [parts[m][0][name] for m in range(3)], parts[3][0][name]
        numbers = [c for c in name if c.isdigit()]
        kind = name.split(".")[0]
        owner = int(numbers[0 if kind != "adapters" else 1]) - 1 if kind in ("token", "position", "adapters") else None
        if owner is None:
            said = g[0] + g[1] + g[2]
        elif owner == fastest:
            rest = sum(g[j] for j in range(3) if j != owner)
            said = w[owner] * regrad.projected(g[owner], rest) + rest
        else:
            said = g[owner] + sum(w[j] * regrad.projected(g[j], g[owner]) for j in range(3) if j != owner)
        assert p.grad is not None, name
        torch.testing.assert_close(p.grad, said + entropy, rtol=1e-3, atol=1e-6, msg=name)
        checked.add((kind, owner))
    assert len(checked) == 3 + 3 + 3 + 3


def test_without_regrad_the_gradient_is_that_of_the_plain_sum() -> None:
    one, other = learner("u-adapter"), learner("u-adapter")
    one._optimiser = torch.optim.SGD(one._parameters, lr=0.0)
    one.step(np.arange(12), np.random.default_rng(3))
    other.network.train()
    x = training._mirrored(other._x, np.random.default_rng(3))
    seen = other.network(x, uncertainty="sampled", samples=20)
    whole = torch.nn.functional.cross_entropy(seen.logits, (other._classes > 0).long())
    for m in range(3):
        whole = whole + 0.3 * regrad.prototypical(seen.features[m], other._prototypes[m], other._classes).mean()
    whole.backward()
    for p, q in zip(one._parameters, other._parameters, strict=True):
        torch.testing.assert_close(p.grad, q.grad)


def test_frozen_parts_stay_and_trained_ones_move() -> None:
    made = learner("full")
    before = {k: v.clone() for k, v in made.network.state_dict().items()}
    for _ in range(2):
        made.step(np.arange(12), np.random.default_rng(0))
    moved = {k for k, v in made.network.state_dict().items() if not torch.equal(v, before[k])}
    # A norm before the last attention has a gradient, and so has everything behind it.
    named = dict(made.network.named_parameters())
    assert moved == {n for n, p in named.items() if p.requires_grad}
    assert not {m for m in moved if m.startswith(("projection", "blocks.0"))}


def test_prototypes_come_from_half_of_the_batches_in_evaluation() -> None:
    made, rng = learner("full"), np.random.default_rng(0)
    made._prototypes = None
    batches = [np.arange(0, 3), np.arange(3, 6), np.arange(6, 9), np.arange(9, 12)]
    made.renew(batches, rng)
    half = np.random.default_rng(0).permutation(4)[:2]
    chosen = np.concatenate([batches[i] for i in half])
    made.network.generator.manual_seed(5)
    again = Streams(SIZE, adapters=True)
    again.load_state_dict(made.network.state_dict())
    with torch.no_grad():
        features = again.eval()(made._x[chosen], uncertainty="closed").features
    slow = torch.stack([features[:, made._classes[chosen] == c].mean(1) for c in range(3)], 1)
    # Confidence is drawn, so that features of two passes are near each other and not the same.
    torch.testing.assert_close(made._prototypes, slow, rtol=0, atol=0.15)
    whole = torch.stack([made.features(np.arange(12))[:, made._classes == c].mean(1) for c in range(3)], 1)
    assert (made._prototypes - slow).abs().mean() < 0.3 * (whole - slow).abs().mean()


def test_a_class_that_half_of_the_batches_lack_is_taken_from_all_at_first() -> None:
    made = learner("full")
    made._prototypes = None
    made.renew([np.array([0, 3]), np.array([1, 4, 2])], np.random.default_rng(0))
    assert made._prototypes is not None
    assert made._prototypes.abs().sum((0, 2)).min() > 0
