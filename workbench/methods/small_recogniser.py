"""A recogniser trained in seconds: four convolutions, 64 numbers, ArcFace loss (arXiv 1801.07698)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import seeds
from ..models.networks.mobilefacenet import load_state

CHANNELS = (16, 32, 48, 64)
DIMENSION = 64


def convolutions() -> nn.Sequential:
    """Four strided convolutions with their normalisations: ``(n, 3, h, w)`` to `CHANNELS`' last, a sixteenth a side."""
    layers: list[nn.Module] = []
    width = 3
    for channels in CHANNELS:
        layers += [nn.Conv2d(width, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
        width = channels
    return nn.Sequential(*layers)


class SmallRecogniser(nn.Module):
    """``(n, 3, 40, 40)`` in [-1, 1] to ``(n, 64)``, not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.features = convolutions()
        self.head = nn.Linear(CHANNELS[-1] * 9, DIMENSION)

    def forward(self, x: Tensor) -> Tensor:
        """Prepared chips to raw embeddings."""
        out: Tensor = self.head(self.features(x).flatten(1))
        return out


@dataclass(frozen=True)
class Trained:
    """A trained network as arrays.

    Attributes:
        state: its tensors by name.
        losses: mean loss of each epoch.
    """

    state: Mapping[str, NDArray[np.generic]]
    losses: tuple[float, ...]

    def network(self) -> SmallRecogniser:
        """The network, in eval mode and frozen."""
        network = SmallRecogniser()
        load_state(network, self.state, "the trained recogniser")
        return network.eval().requires_grad_(False)


def prepare(chips: NDArray[np.uint8]) -> Tensor:
    """``uint8 (n, h, w, 3)`` as ``float32 (n, 3, h, w)`` in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(chips.transpose(0, 3, 1, 2))).float() / 127.5 - 1


def initialise(network: nn.Module, *names: str | int) -> None:
    """Draw all weights from a named seed; the global generator is neither read nor set."""
    generator = torch.Generator().manual_seed(seeds.integer("initialise", *names))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan = module.weight[0].numel()
            with torch.no_grad():
                module.weight.normal_(0.0, (2.0 / fan) ** 0.5, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def arcface_loss(
    embeddings: Tensor, centres: Tensor, labels: Tensor, *, margin: float = 0.3, scale: float = 16.0
) -> Tensor:
    """Additive angular margin: the logit of the true class is ``s cos(theta + m)``.

    Args:
        embeddings: ``(n, d)``.
        centres: ``(classes, d)``.
        labels: ``(n,)``.
        margin: in radians.
        scale: of the logits.
    """
    cosine = (F.normalize(embeddings) @ F.normalize(centres).T).clamp(-1 + 1e-6, 1 - 1e-6)
    true = cosine.gather(1, labels[:, None])
    moved = torch.cos(torch.acos(true) + margin)
    return F.cross_entropy(scale * cosine.scatter(1, labels[:, None], moved), labels)


def train(
    chips: NDArray[np.uint8], labels: NDArray[np.int64], *, epochs: int = 8, batch: int = 64, seed: int = 0
) -> Trained:
    """Train on labelled chips: see `fit`.

    Args:
        chips: ``uint8 (n, 40, 40, 3)``.
        labels: ``(n,)`` from 0.
        epochs: passes over the data.
        batch: chips per step.
        seed: of initialisation and order.
    """
    network = SmallRecogniser()
    losses = fit(network, "small-recogniser", chips, labels, epochs=epochs, batch=batch, seed=seed)
    return Trained(arrays(network), losses)


def fit(
    network: nn.Module, name: str, chips: NDArray[np.uint8], labels: NDArray[np.int64], *, epochs: int, batch: int = 64,
    seed: int, dimension: int = DIMENSION, scale: float = 16.0,
) -> tuple[float, ...]:  # fmt: skip
    """Train a recogniser from nothing: Adam, a cosine schedule from 0.003, mirrored at random.

    Args:
        network: gives embeddings ``(n, dimension)`` of `prepare`'s pictures; it is initialised anew, and changed.
        name: of initialisation and order, with the seed.
        chips: ``uint8 (n, h, w, 3)``.
        labels: ``(n,)`` from 0.
        epochs: passes over the data.
        batch: chips per step.
        seed: of initialisation and order.
        dimension: of the embeddings.
        scale: see `arcface_loss`.

    Returns:
        Mean loss of each epoch.
    """
    initialise(network, name, seed)
    network.train()
    rng = seeds.rng("train", name, seed)
    start = rng.standard_normal((int(labels.max()) + 1, dimension)).astype(np.float32)
    centres = nn.Parameter(torch.from_numpy(start))
    optimiser = torch.optim.Adam([*network.parameters(), centres], lr=3e-3)
    steps = epochs * max(1, len(chips) // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    pictures, target = prepare(chips), torch.from_numpy(labels)
    losses = []
    for _ in range(epochs):
        order, total = rng.permutation(len(chips)), []
        for at in np.array_split(order, max(1, len(chips) // batch)):
            x = pictures[at]
            mirrored = torch.from_numpy(rng.random(len(at)) < 0.5)
            x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
            loss = arcface_loss(network(x), centres, target[at], scale=scale)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total.append(float(loss.detach()))
        losses.append(float(np.mean(total)))
    return tuple(losses)


def arrays(network: nn.Module) -> dict[str, NDArray[np.generic]]:
    """A network's tensors by name, on the CPU, as copies."""
    return {k: v.detach().cpu().numpy().copy() for k, v in network.state_dict().items()}
