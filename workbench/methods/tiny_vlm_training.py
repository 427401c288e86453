"""Pre-training, fine-tuning by all weights or by LoRA, and the convolutional network on the same labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import seeds
from ..models.networks.mobilefacenet import load_state
from .small_recogniser import CHANNELS, convolutions, initialise, prepare
from .tiny_vlm import QUESTION, SUFFIX, State, TinyVLM, TrainedVLM, adapt, answer_loss, fresh
from .tiny_vlm_words import encode

Images = NDArray[np.uint8]
# Of an epoch: which picture, what is asked, what is to be answered.
Lessons = Callable[[int], tuple[NDArray[np.int64], list[str], list[str]]]


def pretrain(images: Images, lessons: Lessons, *, epochs: int, seed: int) -> TrainedVLM:
    """A model from nothing, on questions about everything but the targets.

    Args:
        images: ``uint8 (n, h, w, 3)``.
        lessons: takes the epoch's number, gives indices of pictures, questions and answers.
        epochs: passes.
        seed: of weights and order.
    """
    network = fresh(seed)
    losses = _fit(network, list(network.parameters()), images, lessons, epochs, 3e-3, seeds.rng("vlm", "order", seed))
    return TrainedVLM(_arrays(network), losses)


def finetune(
    start: TrainedVLM, images: Images, lessons: Lessons, *, epochs: int, low_rank: bool, seed: int, name: str
) -> TrainedVLM:
    """The pre-trained model on one kind of question.

    Args:
        start: pre-trained, without LoRA.
        images: ``uint8 (n, h, w, 3)``.
        lessons: as in `pretrain`.
        epochs: passes.
        low_rank: LoRA of rank 4 on the decoder's projections instead of all weights.
        seed: of the order and of LoRA's start.
        name: of the task, for the seed.
    """
    network = start.network()
    generator = torch.Generator().manual_seed(seeds.integer("vlm", "lora", name, seed))
    parameters = adapt(network, generator) if low_rank else list(network.parameters())
    rate = 5e-3 if low_rank else 2e-3
    losses = _fit(network, parameters, images, lessons, epochs, rate, seeds.rng("vlm", "tune", name, seed))
    return TrainedVLM(_arrays(network), losses, low_rank)


def _fit(
    network: TinyVLM, parameters: list[nn.Parameter], images: Images, lessons: Lessons, epochs: int, rate: float,
    rng: np.random.Generator, batch: int = 32,
) -> tuple[float, ...]:  # fmt: skip
    pictures = prepare(images)
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=1e-2)
    steps = epochs * max(1, len(lessons(0)[0]) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    network.train()
    losses = []
    for epoch in range(epochs):
        which, asked, answered = lessons(epoch)
        questions = torch.from_numpy(encode(asked, QUESTION))
        answers = torch.from_numpy(encode(answered, SUFFIX, end=True))
        total = []
        for at in np.array_split(rng.permutation(len(which)), steps // epochs):
            loss = answer_loss(network, pictures[which[at]], questions[at], answers[at])
            _step(optimiser, loss, parameters)
            schedule.step()
            total.append(float(loss.detach()))
        losses.append(float(np.mean(total)))
    return tuple(losses)


def _step(optimiser: torch.optim.Optimizer, loss: Tensor, parameters: Sequence[nn.Parameter]) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimiser.step()


def _arrays(network: nn.Module) -> State:
    return {k: v.detach().numpy().copy() for k, v in network.state_dict().items()}


class Classifier(nn.Module):
    """``(n, 3, 64, 64)`` in [-1, 1] to logits ``(n, classes)``: four convolutions and one layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.features = convolutions()
        self.head = nn.Linear(CHANNELS[-1] * 16, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Prepared pictures to logits."""
        out: Tensor = self.head(self.features(x).flatten(1))
        return out


@dataclass(frozen=True)
class TrainedClassifier:
    """A trained classifier as arrays.

    Attributes:
        state: its tensors by name.
        classes: how many.
        losses: mean loss of each epoch.
    """

    state: State
    classes: int
    losses: tuple[float, ...]

    def predict(self, images: Images) -> NDArray[np.int64]:
        """The likeliest class of each picture ``uint8 (n, 64, 64, 3)``."""
        network = Classifier(self.classes)
        load_state(network, self.state, "the trained classifier")
        network.eval()
        with torch.inference_mode():
            parts = [network(prepare(images[i : i + 200])).argmax(1).numpy() for i in range(0, len(images), 200)]
        return np.concatenate(parts).astype(np.int64)


def classifier(
    images: Images, target: NDArray[np.int64], classes: int, *, epochs: int, seed: int, name: str
) -> TrainedClassifier:
    """The baseline: a convolutional network on the same pictures and labels; Adam, one cycle to 0.003.

    Args:
        images: ``uint8 (n, 64, 64, 3)``.
        target: ``(n,)`` codes.
        classes: how many.
        epochs: passes.
        seed: of weights and order.
        name: of the task, for the seed.
    """
    network = Classifier(classes)
    initialise(network, "vlm-classifier", name, seed)
    rng, pictures, wanted = seeds.rng("vlm", "classifier", name, seed), prepare(images), torch.from_numpy(target)
    parameters = list(network.parameters())
    optimiser = torch.optim.Adam(parameters, lr=3e-3)
    count = max(1, len(images) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=epochs * count)
    losses = []
    for _ in range(epochs):
        total = []
        for at in np.array_split(rng.permutation(len(images)), count):
            loss = F.cross_entropy(network(pictures[at]), wanted[at])
            _step(optimiser, loss, parameters)
            schedule.step()
            total.append(float(loss.detach()))
        losses.append(float(np.mean(total)))
    return TrainedClassifier(_arrays(network), classes, tuple(losses))
