"""The stand-in for a chat model's sight, and the dedicated network beside it: both trained here, on phantoms.

The stand-in sees whole pictures through a small network that embeds a face and reads sex-shape and age. The dedicated
network embeds aligned chips and is trained with CosFace (arXiv 1801.09414). Nothing about them says anything of any
chat model; they let prompts, parsing, repetition and statistics be checked without one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import seeds
from ..files import sha256_bytes
from ..metrics import best_threshold
from ..models.networks.mobilefacenet import load_state
from ..models.networks.phantom import NARROW, Trunk
from ..probing.responder import Face
from .small_recogniser import CHANNELS, convolutions, initialise, prepare

SIDE, DIMENSION = 64, 64
# Wider than high by this ratio: two portraits beside each other.
WIDE = 1.5
State = Mapping[str, NDArray[np.generic]]
Images = NDArray[np.uint8]


class Sight(nn.Module):
    """``(n, 3, 64, 64)`` in [-1, 1] to ``(n, DIMENSION + 2)``: an embedding, the logit of masculine, age / 50 - 1."""

    def __init__(self) -> None:
        super().__init__()
        self.features = convolutions()
        # Without it the squared error of ages drowns what tells people apart.
        self.norm = nn.BatchNorm1d(CHANNELS[-1] * (SIDE // 16) ** 2)
        self.head = nn.Linear(self.norm.num_features, DIMENSION + 2)

    def forward(self, x: Tensor) -> Tensor:
        """Prepared pictures to raw outputs."""
        # Small at first, so that no age is far off at the start.
        out: Tensor = 0.1 * self.head(self.norm(self.features(x).flatten(1)))
        return out


@dataclass(frozen=True)
class Taught:
    """A trained network as arrays.

    Attributes:
        state: its tensors by name.
        losses: mean loss of each epoch.
        threshold: smallest cosine that counts as the same person; best on the validation people.
    """

    state: State
    losses: tuple[float, ...]
    threshold: float = 0.0

    @property
    def digest(self) -> str:
        """Of weights and threshold."""
        parts = [f"{k} {sha256_bytes(np.ascontiguousarray(v).tobytes())}" for k, v in sorted(self.state.items())]
        return sha256_bytes("\n".join([*parts, self.threshold.hex()]).encode())


@dataclass(frozen=True)
class Lessons:
    """Pictures to learn from, and to set a threshold on.

    Attributes:
        images: ``uint8 (n, 64, 64, 3)``.
        people: ``int64 (n,)`` from 0.
        masculine: ``float32 (n,)`` 0 or 1.
        age: ``float32 (n,)`` years.
        held: ``uint8 (m, 64, 64, 3)`` of other people.
        held_people: ``int64 (m,)``.
    """

    images: Images
    people: NDArray[np.int64]
    masculine: NDArray[np.float32]
    age: NDArray[np.float32]
    held: Images
    held_people: NDArray[np.int64]


def cosface_loss(
    embeddings: Tensor, centres: Tensor, labels: Tensor, *, margin: float = 0.2, scale: float = 16.0
) -> Tensor:
    """Large margin cosine loss: the logit of the true class is ``s (cos(theta) - m)`` (arXiv 1801.09414, equation 4).

    Args:
        embeddings: ``(n, d)``.
        centres: ``(classes, d)``.
        labels: ``(n,)``.
        margin: subtracted from the true class's cosine.
        scale: of the logits.
    """
    cosine = F.normalize(embeddings) @ F.normalize(centres).T
    return F.cross_entropy(scale * (cosine - margin * F.one_hot(labels, len(centres))), labels)


def teach_sight(lessons: Lessons, *, epochs: int, seed: int) -> Taught:
    """The stand-in's network: CosFace on people, cross-entropy on sex-shape, squared error on age.

    Args:
        lessons: whole pictures.
        epochs: passes.
        seed: of weights, order and mirroring.
    """
    network = Sight()
    initialise(network, "chat-double", seed)
    masculine, age = torch.from_numpy(lessons.masculine), torch.from_numpy(lessons.age / 50 - 1)

    def loss(out: Tensor, at: NDArray[np.int64]) -> Tensor:
        sex = F.binary_cross_entropy_with_logits(out[:, DIMENSION], masculine[at])
        return sex + 4 * F.mse_loss(out[:, DIMENSION + 1], age[at])

    losses = _fit(network, DIMENSION, lessons, loss, epochs, "chat-double", seed)
    return _judged(Taught(_arrays(network), losses), lessons, lambda t, x: _sight(t)(prepare(x))[:, :DIMENSION])


def teach_dedicated(lessons: Lessons, *, epochs: int, seed: int) -> Taught:
    """The dedicated network: CosFace on people, nothing else.

    Args:
        lessons: aligned chips.
        epochs: passes.
        seed: of weights, order and mirroring.
    """
    network = Trunk(SIDE, 128, NARROW)
    initialise(network, "dedicated", seed)
    losses = _fit(network, 128, lessons, None, epochs, "dedicated", seed)
    return Taught(_arrays(network), losses)


def embedded(taught: Taught, chips: Images) -> NDArray[np.float32]:
    """Embeddings of the dedicated network, ``float32 (n, 128)`` of unit length."""
    network = Trunk(SIDE, 128, NARROW)
    load_state(network, taught.state, "the dedicated network")
    return _unit(network.eval(), chips)


def _sight(taught: Taught) -> nn.Module:
    network = Sight()
    load_state(network, taught.state, "the stand-in's network")
    return network.eval().requires_grad_(False)


def _unit(network: Callable[[Tensor], Tensor], chips: Images) -> NDArray[np.float32]:
    with torch.inference_mode():
        parts = [F.normalize(network(prepare(chips[i : i + 128]))) for i in range(0, len(chips), 128)]
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def _judged(taught: Taught, lessons: Lessons, embed: Callable[[Taught, Images], Tensor]) -> Taught:
    """With the threshold that is best on all pairs of the held people, mated and non-mated ones weighing alike."""
    with torch.inference_mode():
        vectors = F.normalize(embed(taught, lessons.held)).numpy().astype(np.float64)
    one, other = np.triu_indices(len(vectors), 1)
    same = lessons.held_people[one] == lessons.held_people[other]
    scores = (vectors[one] * vectors[other]).sum(1)
    few = seeds.rng("chat-double", "threshold", len(scores)).permutation(np.flatnonzero(~same))[: int(same.sum())]
    picked = np.concatenate([np.flatnonzero(same), few])
    threshold = best_threshold(scores[picked], same[picked])
    return Taught(taught.state, taught.losses, float(min(threshold, 0.99)))


def _fit(
    network: nn.Module, dimension: int, lessons: Lessons, more: Callable[[Tensor, NDArray[np.int64]], Tensor] | None,
    epochs: int, name: str, seed: int, batch: int = 32,
) -> tuple[float, ...]:  # fmt: skip
    """AdamW with a one-cycle schedule; pictures are mirrored at random."""
    rng = seeds.rng("train", name, seed)
    drawn = rng.standard_normal((int(lessons.people.max()) + 1, dimension)).astype(np.float32)
    # Short vectors turn quickly.
    centres = nn.Parameter(torch.from_numpy(0.1 * drawn))
    parameters = [*network.parameters(), centres]
    optimiser = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=1e-4)
    count = max(1, len(lessons.images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=epochs * count)
    pictures, people = prepare(lessons.images), torch.from_numpy(lessons.people)
    network.train()
    losses = []
    for _ in range(epochs):
        total = []
        for at in np.array_split(rng.permutation(len(pictures)), count):
            mirrored = torch.from_numpy(rng.random(len(at)) < 0.5)[:, None, None, None]
            x = pictures[at]
            out = network(torch.where(mirrored, x.flip(3), x))
            loss = cosface_loss(out[:, :dimension], centres, people[at])
            loss = loss if more is None else loss + more(out, at)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 5.0)
            optimiser.step()
            schedule.step()
            total.append(float(loss.detach()))
        losses.append(float(np.mean(total)))
    return tuple(losses)


def _arrays(network: nn.Module) -> State:
    return {k: v.detach().numpy().copy() for k, v in network.state_dict().items()}


class SmallEyes:
    """Eyes of the stand-in: a picture is one face that fills it, a wide one two faces beside each other.

    Args:
        taught: the network and its threshold.
    """

    def __init__(self, taught: Taught) -> None:
        self.match_threshold = taught.threshold
        self._network = _sight(taught)
        self._lock = threading.Lock()
        self._kept: dict[str, Face] = {}

    def look(self, pictures: Sequence[Images], /) -> list[list[Face]]:
        """The faces in each picture ``uint8 (h, w, 3)``; what was seen once is remembered."""
        boxes = [_boxes(p) for p in pictures]
        parts = [p[y1:y2, x1:x2] for p, found in zip(pictures, boxes, strict=True) for x1, y1, x2, y2 in found]
        names = [sha256_bytes(repr(p.shape).encode() + p.tobytes()) for p in parts]
        with self._lock:
            new = {n: p for n, p in zip(names, parts, strict=True) if n not in self._kept}
            if new:
                self._kept |= dict(zip(new, self._see(list(new.values())), strict=True))
            faces = iter([self._kept[n] for n in names])
        return [[_placed(next(faces), box) for box in found] for found in boxes]

    def _see(self, parts: list[Images]) -> list[Face]:
        small = np.stack([cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in parts]).astype(np.uint8)
        with torch.inference_mode():
            out = self._network(prepare(small))
            vectors = F.normalize(out[:, :DIMENSION]).numpy()
            masculine = torch.sigmoid(out[:, DIMENSION]).numpy()
        years = 50 * (out[:, DIMENSION + 1].numpy() + 1)
        return [Face((0, 0, 1, 1), v, float(np.clip(a, 0, 110)), float(m))
                for v, m, a in zip(vectors, masculine, years, strict=True)]  # fmt: skip


def _boxes(picture: Images) -> list[tuple[int, int, int, int]]:
    height, width = picture.shape[:2]
    if width < WIDE * height:
        return [(0, 0, width, height)]
    # Portraits are as wide as high; what is between them is the gap.
    return [(0, 0, height, height), (width - height, 0, width, height)]


def _placed(face: Face, box: tuple[int, int, int, int]) -> Face:
    x1, y1, x2, y2 = map(float, box)
    return Face((x1, y1, x2, y2), face.embedding, face.age, face.gender)
