"""Pre-training on people, training of the four arms, and their attack scores.

Assumed, as the paper's training code is not public: Adam with weight decay 1e-3; the adapters' arms have the
prototypical losses too, so that the last step between arms is ReGrad alone; pictures are mirrored at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import seeds
from ..models.networks.mobilefacenet import load_state
from .multimodal_network import Seen, Size, Streams, Trunk, Uncertainty, modality_of
from .multimodal_regrad import WEIGHT, class_means, prototypical, rebalanced, renewed
from .small_recogniser import prepare

Floats = NDArray[np.float64]
State = Mapping[str, NDArray[np.generic]]
NAMES = ("base", "adapter", "u-adapter", "full")
PRETRAINING_RATE, RATE, DECAY = 1e-3, 3e-3, 1e-3
AT_ONCE = 64


@dataclass(frozen=True)
class Arm:
    """What an arm has.

    Attributes:
        adapters: whether streams exchange.
        uncertainty: how confidence is found; ``"none"`` is 1 everywhere.
        prototypes: whether the single-side prototypical losses are added.
        regrad: whether their gradients are rebalanced, or summed.
    """

    adapters: bool
    uncertainty: Uncertainty
    prototypes: bool
    regrad: bool


ARMS: Mapping[str, Arm] = dict(zip(NAMES, (
    Arm(adapters=False, uncertainty="none", prototypes=False, regrad=False),
    Arm(adapters=True, uncertainty="none", prototypes=True, regrad=False),
    Arm(adapters=True, uncertainty="sampled", prototypes=True, regrad=False),
    Arm(adapters=True, uncertainty="sampled", prototypes=True, regrad=True),
), strict=True))  # fmt: skip


@dataclass(frozen=True)
class Pretrained:
    """A trunk as arrays.

    Attributes:
        state: its tensors by name.
        losses: of each step.
    """

    state: State
    losses: Floats


@dataclass(frozen=True)
class Trained:
    """One arm, trained for one target.

    Attributes:
        arm: its name.
        state: the network's tensors by name.
        losses: ``(steps, 4)`` cross-entropy and the three prototypical losses, NaN where there are none.
        prototypical: ``(3, n)`` loss of each training presentation after the last step, in evaluation; empty where
            the arm has none.
    """

    arm: str
    state: State
    losses: Floats
    prototypical: Floats

    def network(self, size: Size) -> Streams:
        """The network in eval mode, frozen."""
        network = Streams(size, adapters=ARMS[self.arm].adapters)
        load_state(network, self.state, f"arm {self.arm}")
        return network.eval().requires_grad_(False)


def _arrays(network: nn.Module) -> State:
    return {k: v.detach().numpy().copy() for k, v in network.state_dict().items()}


def fresh_trunk(size: Size, seed: int) -> Trunk:
    """A trunk from a named seed: Xavier for maps, N(0, 0.02) for the class token and positions."""
    trunk, generator = Trunk(size), torch.Generator().manual_seed(seeds.integer("multimodal", "trunk", seed))
    with torch.no_grad():
        for name, p in trunk.named_parameters():
            if name in ("token", "position"):
                p.normal_(0.0, 0.02, generator=generator)
            elif p.ndim > 1:
                nn.init.xavier_uniform_(p, generator=generator)
            elif "bias" in name:
                p.zero_()
    return trunk


def pretrain(size: Size, faces: NDArray[np.uint8], people: NDArray[np.int64], *, steps: int, seed: int) -> Pretrained:
    """A trunk that tells people apart: cross-entropy of the class token; stands in for ImageNet's weights.

    Args:
        size: of the trunk.
        faces: ``uint8 (n, s, s, 3)``.
        people: ``int64 (n,)`` from 0.
        steps: of 32 faces.
        seed: of weights and order.
    """
    trunk, head = fresh_trunk(size, seed), nn.Linear(size.width, int(people.max()) + 1)
    generator = torch.Generator().manual_seed(seeds.integer("multimodal", "identity head", seed))
    nn.init.xavier_uniform_(head.weight, generator=generator)
    nn.init.zeros_(head.bias)
    rng, pictures, target = seeds.rng("multimodal", "identity", seed), prepare(faces), torch.from_numpy(people)
    optimiser = torch.optim.Adam([*trunk.parameters(), *head.parameters()], lr=PRETRAINING_RATE)
    losses = []
    for _ in range(steps):
        at = rng.choice(len(faces), min(32, len(faces)), replace=False)
        loss = F.cross_entropy(head(trunk(_mirrored(pictures[at], rng))), target[at])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    return Pretrained(_arrays(trunk), np.array(losses))


def _mirrored(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Half of the pictures, in all their modalities."""
    turned = torch.from_numpy(rng.random(len(x)) < 0.5).view(-1, *[1] * (x.ndim - 1))
    return torch.where(turned, x.flip(-1), x)


class Learner:
    """One arm while it is trained.

    Args:
        arm: name in `ARMS`.
        size: of the network.
        trunk: pre-trained.
        x: inputs ``(n, 3, 3, s, s)``.
        classes: ``(n,)``: 0 live, 1 + k an attack of source k.
        samples: of dropout.
        seed: of weights, order and dropout; the order is the same for every arm.
    """

    def __init__(
        self, arm: str, size: Size, trunk: Pretrained, x: Tensor, classes: Tensor, *, samples: int, seed: int
    ) -> None:
        self.arm, self._x, self._classes, self._samples = ARMS[arm], x, classes, samples
        self.network = Streams(size, adapters=self.arm.adapters)
        start = torch.Generator().manual_seed(seeds.integer("multimodal", "start", seed))
        self.network.begin({k: torch.from_numpy(np.array(v)) for k, v in trunk.state.items()}, start)
        self.network.generator.manual_seed(seeds.integer("multimodal", "dropout", seed))
        named = [(name, p) for name, p in self.network.named_parameters() if p.requires_grad]
        self._parameters = [p for _, p in named]
        self._owners = [modality_of(name) for name, _ in named]
        self._optimiser = torch.optim.Adam(self._parameters, lr=RATE, weight_decay=DECAY)
        self._prototypes: Tensor | None = None
        self._count = int(classes.max()) + 1

    def renew(self, batches: Sequence[NDArray[np.int64]], rng: np.random.Generator) -> None:
        """Prototypes of an epoch: class means over a random half of the batches, in eval mode."""
        half = rng.permutation(len(batches))[: max(1, len(batches) // 2)]
        chosen = np.concatenate([batches[i] for i in half])
        if self._prototypes is None and len(np.unique(self._classes[chosen])) < self._count:
            chosen = np.arange(len(self._x))
        means, there = class_means(self.features(chosen), self._classes[chosen], self._count)
        self._prototypes = renewed(self._prototypes, means, there)

    def features(self, which: NDArray[np.int64]) -> Tensor:
        """Class tokens ``(3, n, d)`` in eval mode."""
        self.network.eval()
        with torch.no_grad():
            parts = [self._look(self._x[which[i : i + AT_ONCE]]).features for i in range(0, len(which), AT_ONCE)]
        self.network.train()
        return torch.cat(parts, 1)

    def _look(self, x: Tensor) -> Seen:
        seen: Seen = self.network(x, uncertainty=self.arm.uncertainty, samples=self._samples)
        return seen

    def step(self, at: NDArray[np.int64], rng: np.random.Generator) -> list[float]:
        """One step on some presentations; cross-entropy and prototypical losses."""
        self.network.train()
        target = self._classes[at]
        seen = self._look(_mirrored(self._x[at], rng))
        entropy = F.cross_entropy(seen.logits, (target > 0).long())
        single = [] if self._prototypes is None else [
            prototypical(f, c, target).mean() for f, c in zip(seen.features, self._prototypes, strict=True)
        ]  # fmt: skip
        self._optimiser.zero_grad()
        if self.arm.regrad:
            # Three passes of their own before the last one; each gives new tensors.
            of = [
                torch.autograd.grad(WEIGHT * s, self._parameters, retain_graph=True, allow_unused=True) for s in single
            ]
            entropy.backward()  # type: ignore[no-untyped-call]
            said = rebalanced(of, self._owners, self._parameters, [float(s.detach()) for s in single], seen.trust)
            for p, g in zip(self._parameters, said, strict=True):
                p.grad = g if p.grad is None else p.grad + g
        else:
            torch.stack([entropy, *(WEIGHT * s for s in single)]).sum().backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return [float(entropy.detach()), *(float(s.detach()) for s in single)]

    def prototypical_losses(self) -> Floats:
        """Loss of every presentation in every modality, ``(3, n)``, in eval mode; empty without prototypes."""
        if self._prototypes is None:
            return np.zeros((3, 0))
        features = self.features(np.arange(len(self._x)))
        pairs = zip(features, self._prototypes, strict=True)
        return torch.stack([prototypical(f, c, self._classes) for f, c in pairs]).double().numpy()


def train(
    arm: str, size: Size, trunk: Pretrained, x: Tensor, classes: Tensor, *, steps: int, batch: int, samples: int,
    seed: int,
) -> Trained:  # fmt: skip
    """Train an arm on the sources.

    Args:
        arm: name in `ARMS`.
        size: of the network.
        trunk: pre-trained.
        x: inputs ``(n, 3, 3, s, s)``.
        classes: ``(n,)``: 0 live, 1 + k an attack of source k.
        steps: how many.
        batch: presentations of each.
        samples: of dropout.
        seed: of weights, order and dropout.
    """
    learner = Learner(arm, size, trunk, x, classes, samples=samples, seed=seed)
    orders, draws = (seeds.rng("multimodal", what, seed) for what in ("order", "prototypes"))
    losses: list[list[float]] = []
    while len(losses) < steps:
        order = orders.permutation(len(x))
        batches = [order[i : i + batch] for i in range(0, max(1, len(x) - batch + 1), batch)]
        if learner.arm.prototypes:
            learner.renew(batches, draws)
        for at in batches[: steps - len(losses)]:
            losses.append(learner.step(at, orders))
    table = np.full((steps, 4), np.nan)
    for row, values in zip(table, losses, strict=True):
        row[: len(values)] = values
    return Trained(arm, _arrays(learner.network), table, learner.prototypical_losses())


def attack_scores(network: Streams, x: Tensor, *, uncertainty: Uncertainty, samples: int, seed: int) -> Floats:
    """Attack scores ``(n,)``: logit of attack less logit of bona fide; higher is more attack.

    Args:
        network: of `Trained.network`.
        x: inputs ``(n, 3, 3, s, s)``.
        uncertainty: the arm's own, or another way.
        samples: of dropout; its draws are the same for every network and input.
        seed: of them.
    """
    network.generator.manual_seed(seeds.integer("multimodal", "scoring", seed))
    with torch.inference_mode():
        logits = [network(x[i : i + AT_ONCE], uncertainty=uncertainty, samples=samples).logits
                  for i in range(0, len(x), AT_ONCE)]  # fmt: skip
    table = torch.cat(logits).double().numpy()
    found: Floats = table[:, 1] - table[:, 0]
    return found


def logit_spread(network: Streams, x: Tensor) -> float:
    """How far the adapters' logits differ over the keys where nothing is suppressed: mean over blocks and links.

    Args:
        network: with adapters.
        x: inputs ``(n, 3, 3, s, s)``; the first `AT_ONCE` are looked at.
    """
    with torch.inference_mode():
        return float(network.logit_spread(x[:AT_ONCE]).mean())
