"""Evaluation-oriented knowledge distillation, arXiv 2206.02325 (CVPR 2022): the same false positives as the teacher.

A pair's similarity becomes a soft rank among similarities that belong to given false positive rates of the batch,
for student and teacher by thresholds of their own; ranks are matched on all positive and on the hardest negative
pairs. The paper's positive and negative pairs are the house's mated and non-mated comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core import ShapeError


@dataclass(frozen=True)
class Settings:
    """Constants of the loss; the defaults are those of the released code.

    Attributes:
        anchors: a threshold belongs to the batch's false positive rate 1 / anchor, for each.
        hardest: negative pairs with the highest similarity to the student that count.
        temperature: of the soft rank.
        momentum: share of the new value in the thresholds' running means.
        corrected: divide by what a running mean that started at 0 has seen; for short trainings.
        positives, negatives: weights of the two squared differences of ranks.
    """

    anchors: tuple[int, ...] = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
    hardest: int = 2000
    temperature: float = 0.01
    momentum: float = 0.01
    corrected: bool = False
    positives: float = 0.02
    negatives: float = 0.01


# About a hundred pictures a step give a few thousand negative pairs, and a few dozen steps no time to warm up.
SMALL_BATCH = Settings(anchors=(10, 30, 100, 300, 1000), hardest=1000, momentum=0.05, corrected=True)


def anchor_places(negatives: int, anchors: tuple[int, ...]) -> list[int]:
    """Places in the falling order of ``negatives`` similarities: ``floor(n / a)``; those above ``n`` share place 0."""
    return [negatives // a for a in anchors]


def thresholds(negatives: Tensor, anchors: tuple[int, ...]) -> Tensor:
    """Similarities at which the share ``1 / a`` of the negatives is accepted.

    Args:
        negatives: ``(n,)`` similarities of one network, in any order.
        anchors: each of the ``a``, at least 2.

    Returns:
        ``(anchors,)`` without gradient.

    Raises:
        ShapeError: there are no negatives.
    """
    if not len(negatives):
        raise ShapeError(
            "a batch without negative pairs has no thresholds", given="pictures of one person",
            expected="two people or more", do="draw batches of several people",
        )  # fmt: skip
    falling = negatives.detach().sort(descending=True).values
    return falling[torch.tensor(anchor_places(len(falling), anchors), device=falling.device)]


class Thresholds:
    """Running means of one network's thresholds.

    Attributes:
        mean: ``(anchors,)`` as the released code has it, from 0.
        steps: how many batches it has seen.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.mean = torch.zeros(len(settings.anchors))
        self.steps = 0

    def update(self, negatives: Tensor) -> Tensor:
        """See a batch's negative similarities ``(n,)``; the thresholds ``(anchors,)`` from now on."""
        share = self.settings.momentum
        new = thresholds(negatives, self.settings.anchors)
        self.mean = share * new + (1 - share) * self.mean.to(new)
        self.steps += 1
        return self.value

    @property
    def value(self) -> Tensor:
        """The thresholds in use."""
        if not self.settings.corrected or not self.steps:
            return self.mean
        return self.mean / (1 - (1 - self.settings.momentum) ** self.steps)


def soft_rank(similarity: Tensor, tau: Tensor, temperature: float) -> Tensor:
    """How many thresholds a similarity passes, softly.

    Args:
        similarity: ``(n,)``.
        tau: ``(anchors,)``.
        temperature: of the sigmoids.

    Returns:
        ``(n,)`` above 0, below the number of anchors.
    """
    return torch.sigmoid(((similarity[:, None] - tau) / temperature).clamp(-50, 50)).sum(1)


def active_share(similarity: Tensor, tau: Tensor, temperature: float) -> float:
    """Share of pairs whose rank has a slope above 0.001: those near a threshold, the others teach nothing."""
    passed = torch.sigmoid(((similarity[:, None] - tau) / temperature).clamp(-50, 50))
    return float(((passed * (1 - passed)).sum(1) / temperature > 1e-3).float().mean())


def pairs(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs ``i < j`` of one person and of two.

    Args:
        labels: ``(m,)``.

    Returns:
        Positive ``(2, p)`` and negative ``(2, n)`` pairs.
    """
    upper = torch.triu_indices(len(labels), len(labels), 1, device=labels.device)
    same = labels[upper[0]] == labels[upper[1]]
    return upper[:, same], upper[:, ~same]


class Loss:
    """The loss, with the thresholds that it keeps from batch to batch.

    Attributes:
        settings: its constants.
        student, teacher: their own thresholds.
        active: share of the pairs of the last batch whose rank has a slope.
    """

    def __init__(self, settings: Settings = Settings()) -> None:
        self.settings = settings
        self.student, self.teacher = Thresholds(settings), Thresholds(settings)
        self.active = 0.0

    def __call__(self, student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            student: ``(m, d)`` embeddings; lengths do not matter.
            teacher: ``(m, e)`` of the same pictures.
            labels: ``(m,)`` people.

        Returns:
            A scalar with a gradient to ``student`` alone.
        """
        said, s = self.settings, F.normalize(student)
        with torch.no_grad():
            t = F.normalize(teacher)
        positive, negative = pairs(labels)
        ours, theirs = _similarity(s, negative), _similarity(t, negative)
        tau_s, tau_t = self.student.update(ours), self.teacher.update(theirs)
        # The same pairs for both: the teacher's own hardest may be others.
        hard = ours.detach().topk(min(said.hardest, len(ours))).indices
        mine, its = _similarity(s, positive), _similarity(t, positive)
        self.active = active_share(torch.cat([mine, ours[hard]]).detach(), tau_s, said.temperature)
        total = said.negatives * self._gap(ours[hard], theirs[hard], tau_s, tau_t)
        return total + said.positives * self._gap(mine, its, tau_s, tau_t) if len(mine) else total

    def _gap(self, mine: Tensor, its: Tensor, tau_s: Tensor, tau_t: Tensor) -> Tensor:
        heat = self.settings.temperature
        return F.mse_loss(soft_rank(mine, tau_s, heat), soft_rank(its, tau_t, heat))


def _similarity(embeddings: Tensor, at: Tensor) -> Tensor:
    cosine = embeddings @ embeddings.T
    return cosine[at[0], at[1]]
