"""Calibration and quantisation-aware fine-tuning: a student in few bits learns from the same network in full precision.

As in QuantFace (arXiv 2206.10526): the mean squared difference of normalised embeddings, SGD with Nesterov momentum
0.9 and weight decay 5e-4, gradients clipped to length 5; ranges of activations move in the first steps, then stay.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import ShapeError
from . import ekd
from .quantization import Ranges, freeze, quantised, quantisers
from .quantization_networks import Recogniser
from .small_recogniser import arcface_loss, arrays

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
State = dict[str, NDArray[np.generic]]
Objective = Literal["kd", "kd+ekd", "classification+ekd"]
# Of the evaluation-oriented loss, by name.
CONSTANTS: Mapping[str, ekd.Settings] = {"small batch": ekd.SMALL_BATCH, "published": ekd.Settings()}
EACH = 4  # pictures of one person in the balanced half of a batch
EMBEDDED = 240


@dataclass(frozen=True)
class Plan:
    """How a student is made.

    Attributes:
        bits: of weights and activations.
        objective: what it minimises; ``""`` calibrates only.
        steps, batch: of the fine-tuning.
        moving: steps in which ranges of activations still move.
        rate: first learning rate; it falls to 0 along a cosine.
        weight: of the evaluation-oriented loss.
        ranges: how a range follows from activations.
        constants: of the evaluation-oriented loss.
    """

    bits: int
    objective: Objective | Literal[""] = "kd"
    steps: int = 60
    batch: int = 96
    moving: int = 30
    rate: float = 0.01
    weight: float = 1.0
    ranges: Ranges = "min-max"
    constants: ekd.Settings = ekd.SMALL_BATCH


@dataclass(frozen=True)
class Tuned:
    """A student.

    Attributes:
        state: its tensors by name, ranges among them.
        losses: ``(steps,)`` of the whole objective.
        distances: ``(steps,)`` of the embeddings alone.
        seconds: ``(steps,)``, on a CPU of the thread that trained.
        thresholds: ``(steps, 2, anchors)`` of student and teacher; no anchors without the evaluation-oriented loss.
        active: ``(steps,)`` share of pairs whose rank had a slope.
    """

    state: State
    losses: NDArray[np.float64]
    distances: NDArray[np.float64]
    seconds: NDArray[np.float64]
    thresholds: NDArray[np.float32]
    active: NDArray[np.float64]


def restored(teacher: Recogniser, state: State, bits: int) -> nn.Module:
    """A student from its tensors: frozen ranges, eval mode."""
    network = quantised(teacher.network(), bits)
    network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in state.items()})
    return freeze(network).eval().requires_grad_(False)


def embed(network: nn.Module, teacher: Recogniser, images: Images, device: str = "cpu") -> NDArray[np.float32]:
    """Embeddings of length 1 ``float32 (n, d)`` of chips ``uint8 (n, h, w, 3)``; in eval mode, with frozen ranges.

    Raises:
        ShapeError: the network is not ready to be judged.
    """
    if network.training or any(q.moving for q in quantisers(network)):
        raise ShapeError(
            "a network that still changes cannot be judged", given="training mode or moving ranges",
            do="freeze(network).eval() first: else results depend on the batches",
        )  # fmt: skip
    network = network.to(device)
    with torch.inference_mode():
        parts = [
            F.normalize(network(teacher.prepare(images[i : i + EMBEDDED]).to(device))).cpu().numpy()
            for i in range(0, len(images), EMBEDDED)
        ]
    return np.concatenate(parts)


def calibrate(network: nn.Module, teacher: Recogniser, images: Images, device: str = "cpu") -> nn.Module:
    """Show all pictures once, in eval mode, so that ranges of activations are known; they still move afterwards."""
    network.to(device).eval()
    with torch.no_grad():
        for i in range(0, len(images), EMBEDDED):
            network(teacher.prepare(images[i : i + EMBEDDED]).to(device))
    return network


def batches(labels: Labels, steps: int, batch: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Places of pictures for each step: half drawn evenly, half `EACH` pictures each of people drawn evenly.

    The halves come in this order. Without enough people or pictures some are repeated.

    Args:
        labels: ``(n,)`` people.
        steps: how many batches.
        batch: pictures in each.
        rng: of the draw.
    """
    people = np.unique(labels)
    owned = {p: np.flatnonzero(labels == p) for p in people.tolist()}
    groups = batch // 2 // EACH
    general = batch - groups * EACH
    drawn = []
    for _ in range(steps):
        some = rng.choice(len(labels), general, replace=general > len(labels))
        who = rng.choice(people, groups, replace=groups > len(people))
        held = [rng.choice(owned[p], EACH, replace=len(owned[p]) < EACH) for p in who.tolist()]
        drawn.append(np.concatenate([some, *held]).astype(np.int64))
    return drawn


def distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over all entries of the squared difference of embeddings ``(n, d)`` at length 1."""
    return F.mse_loss(F.normalize(student), F.normalize(teacher))


def tune(
    teacher: Recogniser, images: Images, labels: Labels, plan: Plan, rng: np.random.Generator, device: str = "cpu"
) -> Tuned:
    """A student: a copy of the teacher in few bits, calibrated, fine-tuned, frozen.

    Args:
        teacher: in full precision.
        images: chips ``uint8 (n, h, w, 3)``.
        labels: ``(n,)`` people.
        plan: how.
        rng: of batches and mirrored pictures; arms of the same seed see the same.
        device: where.
    """
    start = teacher.network().to(device)
    student = calibrate(quantised(start, plan.bits, ranges=plan.ranges), teacher, images, device)
    if plan.objective:
        return _Tuning(teacher, start, student, images, labels, plan, device).run(rng)
    return untuned(arrays(freeze(student)))


def untuned(state: State) -> Tuned:
    """A network that made no step."""
    none = np.zeros(0)
    return Tuned(state, none, none, none, np.zeros((0, 2, 0), np.float32), none)


class _Tuning:
    """One fine-tuning, with what it notes of each step."""

    def __init__(
        self, teacher: Recogniser, start: nn.Module, student: nn.Module, images: Images, labels: Labels, plan: Plan,
        device: str,
    ) -> None:  # fmt: skip
        self.teacher, self.start, self.student, self.plan, self.device = teacher, start, student, plan, device
        self.images, self.labels = images, torch.from_numpy(labels).to(device)
        self.clock = time.perf_counter if device.startswith("cuda") else time.thread_time
        self.ekd = ekd.Loss(plan.constants) if "ekd" in plan.objective else None
        student.requires_grad_(True)
        self.weights = list(student.parameters())
        self.centres = self._centres() if "classification" in plan.objective else None
        trained = self.weights if self.centres is None else [*self.weights, self.centres]
        self.optimiser = torch.optim.SGD(trained, lr=plan.rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, max(1, plan.steps))
        self.thresholds: list[NDArray[np.float32]] = []

    def _centres(self) -> nn.Parameter:
        """Of the people, where the teacher has them."""
        found = torch.from_numpy(embed(self.start, self.teacher, self.images, self.device)).to(self.device)
        sums = torch.zeros(int(self.labels.max()) + 1, found.shape[1], device=self.device)
        return nn.Parameter(F.normalize(sums.index_add_(0, self.labels, found)))

    def run(self, rng: np.random.Generator) -> Tuned:
        """All steps, then frozen ranges."""
        notes, times = [], []
        self.student.train()
        for number, at in enumerate(batches(self.labels.cpu().numpy(), self.plan.steps, self.plan.batch, rng)):
            if number == self.plan.moving:
                freeze(self.student)
            start = self.clock()
            notes.append(self._step(at, rng.random(len(at)) < 0.5))
            times.append(self.clock() - start)
        freeze(self.student).eval()
        losses, distances, active = np.array(notes, np.float64).reshape(-1, 3).T
        seen = np.stack(self.thresholds) if self.thresholds else np.zeros((len(times), 2, 0), np.float32)
        return Tuned(arrays(self.student), losses, distances, np.array(times), seen, active)

    def _step(self, at: NDArray[np.int64], mirrored: NDArray[np.bool_]) -> tuple[float, float, float]:
        images = self.images[at]
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
        x, labels = self.teacher.prepare(images).to(self.device), self.labels[torch.from_numpy(at).to(self.device)]
        with torch.no_grad():
            wanted = self.start(x)
        out = self.student(x)
        apart = distance(out, wanted)
        loss = self._objective(out, wanted, labels, apart)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.weights, 5.0)
        self.optimiser.step()
        self.schedule.step()
        return float(loss.detach()), float(apart.detach()), self.ekd.active if self.ekd else 0.0

    def _objective(self, out: Tensor, wanted: Tensor, labels: Tensor, apart: Tensor) -> Tensor:
        if self.ekd is None:
            return apart
        ranks = self.plan.weight * self.ekd(out, wanted, labels)
        sides = (self.ekd.student.value, self.ekd.teacher.value)
        self.thresholds.append(torch.stack(sides).cpu().numpy().astype(np.float32))
        if self.centres is None:
            return apart + ranks
        # The balanced half is not drawn as people come, so it does not classify.
        general = len(out) - self.plan.batch // 2 // EACH * EACH
        return ranks + arcface_loss(out[:general], self.centres, labels[:general], margin=0.4, scale=64.0)
