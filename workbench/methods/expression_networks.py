"""Two small networks that tell expressions apart, and a recogniser with CosFace loss (arXiv 1801.09414).

The first two stand in for HSEmotion's EfficientNet-B0 and B2 (arXiv 2103.17107): what is used of them is the vector
before the last layer. They know the class "neutral" and nothing else about neutrality.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import seeds
from ..models.networks.mobilefacenet import load_state
from .expression_faces import EXPRESSIONS, NEUTRAL, SIZE, Faces
from .small_recogniser import initialise, prepare

State = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
# Channels of three stages; the last is the length of the features.
WIDTHS: Mapping[str, tuple[int, int, int]] = {"A": (24, 48, 64), "B": (32, 64, 96)}
RECOGNISER, DIMENSION = (24, 48, 64, 96), 64
DROP, PASSES = 0.2, 40
BATCH = 200


def _stages(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    inside = 3
    for width in widths:
        layers += [nn.Conv2d(inside, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        inside = width
    return nn.Sequential(*layers)


class ExpressionNetwork(nn.Module):
    """``(n, 3, 64, 64)`` in [-1, 1] to logits of `EXPRESSIONS`; a global depthwise convolution makes the features."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        last = widths[-1]
        self.stages = _stages(widths)
        self.whole = nn.Conv2d(last, last, SIZE // 2 ** len(widths), groups=last, bias=False)
        self.norm = nn.BatchNorm2d(last)
        self.head = nn.Linear(last, len(EXPRESSIONS))

    def features(self, x: Tensor) -> Tensor:
        """The vector before the last layer, ``(n, widths[-1])``."""
        return F.relu(self.norm(self.whole(self.stages(x))).flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        """Prepared chips to logits."""
        out: Tensor = self.head(self.features(x))
        return out


class Recogniser(nn.Module):
    """``(n, 3, 64, 64)`` in [-1, 1] to embeddings ``(n, 64)``, not normalised; dropout before the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = _stages(RECOGNISER)
        self.head = nn.Linear(RECOGNISER[-1] * (SIZE // 2 ** len(RECOGNISER)) ** 2, DIMENSION)
        # torch's own dropout draws from the global generator.
        self.generator = torch.Generator()

    def forward(self, x: Tensor) -> Tensor:
        """Prepared chips to raw embeddings."""
        inner = self.stages(x).flatten(1)
        if self.training:
            inner = inner * (torch.rand(inner.shape, generator=self.generator) >= DROP) / (1 - DROP)
        out: Tensor = self.head(inner)
        return out


def cosface_loss(
    embeddings: Tensor, centres: Tensor, labels: Tensor, *, margin: float = 0.2, scale: float = 20.0
) -> Tensor:
    """Additive cosine margin: the logit of the true class is ``s (cos(theta) - m)``.

    Args:
        embeddings: ``(n, d)``.
        centres: ``(classes, d)``.
        labels: ``(n,)``.
        margin: of the cosine.
        scale: of the logits.
    """
    cosine = F.normalize(embeddings) @ F.normalize(centres).T
    return F.cross_entropy(scale * (cosine - margin * F.one_hot(labels, len(centres))), labels)


@dataclass(frozen=True)
class Trained:
    """A network as arrays.

    Attributes:
        kind: ``"A"``, ``"B"`` or ``"recogniser"``.
        state: its tensors by name.
        losses: mean loss of each epoch.
        digest, provider: as of networks that are given.
    """

    kind: str
    state: State
    losses: tuple[float, ...]
    digest: ClassVar[str] = "trained in this run"
    provider: ClassVar[str] = "PyTorch and scikit-learn on the CPU"

    def network(self) -> ExpressionNetwork | Recogniser:
        """The network, in eval mode and frozen."""
        network = fresh(self.kind)
        load_state(network, self.state, f"network {self.kind}")
        return network.eval().requires_grad_(False)


def fresh(kind: str) -> ExpressionNetwork | Recogniser:
    """An untrained network."""
    return Recogniser() if kind == "recogniser" else ExpressionNetwork(WIDTHS[kind])


def train(kind: str, faces: Faces, *, epochs: int, seed: int) -> Trained:
    """Adam with one cycle to 0.003; pictures are mirrored and relit at random.

    Args:
        kind: ``"A"`` or ``"B"`` learn expressions, ``"recogniser"`` learns people.
        faces: to learn from.
        epochs: passes.
        seed: of weights and order.
    """
    network = fresh(kind)
    initialise(network, "expression", kind, seed)
    rng = seeds.rng("expression", "order", kind, seed)
    parameters = list(network.parameters())
    if isinstance(network, ExpressionNetwork):
        target = torch.from_numpy(faces.expression)
        return Trained(kind, *_fit(network, parameters, faces.images, target, F.cross_entropy, epochs, rng))
    network.generator.manual_seed(seeds.integer("expression", "dropout", seed))
    names, codes = np.unique(faces.subjects, return_inverse=True)
    centres = nn.Parameter(torch.from_numpy(rng.standard_normal((len(names), DIMENSION)).astype(np.float32)))

    def loss(out: Tensor, person: Tensor) -> Tensor:
        return cosface_loss(out, centres, person)

    target = torch.from_numpy(codes.astype(np.int64))
    return Trained(kind, *_fit(network, [*parameters, centres], faces.images, target, loss, epochs, rng))


def _fit(
    network: nn.Module, parameters: list[nn.Parameter], images: NDArray[np.uint8], target: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor], epochs: int, rng: np.random.Generator,
) -> tuple[State, tuple[float, ...]]:  # fmt: skip
    pictures, count = prepare(images), max(1, len(images) // 64)
    optimiser = torch.optim.Adam(parameters, lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=epochs * count)
    network.train()
    losses = [_epoch(network, optimiser, schedule, pictures, target, loss, rng, count) for _ in range(epochs)]
    return {k: v.detach().numpy().copy() for k, v in network.state_dict().items()}, tuple(losses)


def _epoch(
    network: nn.Module, optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler,
    pictures: Tensor, target: Tensor, loss: Callable[[Tensor, Tensor], Tensor], rng: np.random.Generator, count: int,
) -> float:  # fmt: skip
    total = []
    for at in np.array_split(rng.permutation(len(pictures)), count):
        x = pictures[at]
        mirrored = torch.from_numpy(rng.random(len(at)) < 0.5)[:, None, None, None]
        gain = torch.from_numpy(np.exp(rng.normal(0, 0.2, len(at))).astype(np.float32))[:, None, None, None]
        value = loss(network((torch.where(mirrored, x.flip(3), x) * gain).clamp(-1, 1)), target[at])
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        total.append(float(value.detach()))
    return float(np.mean(total))


@dataclass(frozen=True)
class Read:
    """What an expression network says of pictures.

    Attributes:
        features: ``float32 (n, d)``.
        logits: ``float64 (n, expressions)``.
    """

    features: NDArray[np.float32]
    logits: Floats

    @property
    def neutral(self) -> Floats:
        """Log odds of its own class "neutral" ``(n,)``: the order of the probability, which rounds to 1."""
        others = np.delete(self.logits, NEUTRAL, axis=1)
        top = others.max(1, keepdims=True)
        found: Floats = self.logits[:, NEUTRAL] - (top[:, 0] + np.log(np.exp(others - top).sum(1)))
        return found


def read(trained: Trained, images: NDArray[np.uint8]) -> Read:
    """Features and logits of chips ``uint8 (n, 64, 64, 3)``."""
    network = trained.network()
    assert isinstance(network, ExpressionNetwork)
    with torch.inference_mode():
        parts = [network.features(prepare(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
        features = torch.cat(parts)
        return Read(features.numpy(), network.head(features).double().numpy())


@dataclass(frozen=True)
class Embedded:
    """What the recogniser says of pictures.

    Attributes:
        embeddings: ``float32 (n, 64)`` of length 1.
        norm: ``(n,)`` length before: the general quality of MagFace (arXiv 2103.06627), here without its loss.
        stability: ``(n,)`` SER-FIQ (arXiv 2003.09373): twice the sigmoid of the mean distance between embeddings of the
            same picture under dropout, negated; 0 to 1.
    """

    embeddings: NDArray[np.float32]
    norm: Floats
    stability: Floats


def embed(trained: Trained, images: NDArray[np.uint8], *, seed: int) -> Embedded:
    """Embeddings of chips ``uint8 (n, 64, 64, 3)`` and two measures of general quality.

    Args:
        trained: the recogniser.
        images: chips.
        seed: of the dropout.
    """
    network = trained.network()
    assert isinstance(network, Recogniser)
    masks = seeds.rng("expression", "ser-fiq", seed).random((PASSES, network.head.in_features)) >= DROP
    keep = torch.from_numpy(masks.astype(np.float32) / (1 - DROP))
    found = []
    with torch.inference_mode():
        for i in range(0, len(images), BATCH):
            inner = network.stages(prepare(images[i : i + BATCH])).flatten(1)
            raw = network.head(inner)
            # Every picture meets the same masks, so that no picture is lucky.
            dropped = F.normalize(torch.stack([network.head(inner * mask) for mask in keep], 1), dim=2)
            found.append((F.normalize(raw), raw.norm(dim=1), serfiq(dropped)))
    sides = [torch.cat(p) for p in zip(*found, strict=True)]
    return Embedded(sides[0].numpy(), sides[1].double().numpy(), sides[2].double().numpy())


def compared(
    trained: Trained, references: NDArray[np.uint8], probes: NDArray[np.uint8], reference: NDArray[np.int64], *,
    seed: int,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Similarities ``(probes,)`` with the own reference, and with another's that is drawn.

    Args:
        trained: the recogniser.
        references: chips, one of each person.
        probes: chips.
        reference: ``int64 (probes,)`` place of each probe's own.
        seed: of the draw.
    """
    one, other = (embed(trained, s, seed=seed).embeddings.astype(np.float64) for s in (references, probes))
    people = len(one)
    away = seeds.rng("expression-neutrality", "non-mated", seed).integers(1, people, len(other))
    mated, nonmated = (np.einsum("nd,nd->n", one[at], other) for at in (reference, (reference + away) % people))
    return mated, nonmated


def serfiq(embeddings: Tensor) -> Tensor:
    """SER-FIQ's quality of ``(n, passes, d)`` embeddings of unit length: ``2 sigmoid(-mean distance of pairs)``."""
    passes = embeddings.shape[1]
    first, second = torch.triu_indices(passes, passes, 1)
    # Of vectors of length 1; rounding may leave a tiny negative square.
    square = 2 - 2 * torch.einsum("npd,nqd->npq", embeddings, embeddings)
    return 2 * torch.sigmoid(-square.clamp(min=0).sqrt()[:, first, second].mean(1))
