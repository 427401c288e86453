"""The evaluation-oriented loss: every pitfall of its sheet, against a slow version in plain Python."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from workbench.core import ShapeError
from workbench.methods import ekd

SETTINGS = ekd.Settings(anchors=(2, 4, 10), hardest=5, momentum=0.25)


def batch(seed: int, people: int = 4, each: int = 3, d: int = 6) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(people).repeat_interleave(each)
    student, teacher = (torch.randn(len(labels), d, generator=generator, dtype=torch.float64) for _ in range(2))
    return student, teacher, labels


def slow(batches: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]], s: ekd.Settings) -> list[float]:
    """The sheet's five steps, pair by pair."""
    tau = {"s": [0.0] * len(s.anchors), "t": [0.0] * len(s.anchors)}
    losses = []
    for step, (student, teacher, labels) in enumerate(batches, 1):
        pairs = list(combinations(range(len(labels)), 2))
        same = {p: labels[p[0]] == labels[p[1]] for p in pairs}
        cosine = {}
        for name, e in (("s", student), ("t", teacher)):
            for i, j in pairs:
                norm = math.sqrt(sum(v * v for v in e[i].tolist())) * math.sqrt(sum(v * v for v in e[j].tolist()))
                cosine[name, i, j] = sum(a * b for a, b in zip(e[i].tolist(), e[j].tolist(), strict=True)) / norm
        use = {}
        for name in "st":
            falling = sorted((cosine[name, *p] for p in pairs if not same[p]), reverse=True)
            new = [falling[len(falling) // a] for a in s.anchors]
            tau[name] = [s.momentum * n + (1 - s.momentum) * t for n, t in zip(new, tau[name], strict=True)]
            seen = 1 - (1 - s.momentum) ** step if s.corrected else 1.0
            use[name] = [t / seen for t in tau[name]]

        def rank(name: str, p: tuple[int, int], use: dict = use, cosine: dict = cosine) -> float:
            return sum(
                1 / (1 + math.exp(-max(-50, min(50, (cosine[name, *p] - t) / s.temperature)))) for t in use[name]
            )

        hard = sorted((p for p in pairs if not same[p]), key=lambda p: -cosine["s", *p])[: s.hardest]
        mean = [
            np.mean([(rank("s", p) - rank("t", p)) ** 2 for p in some])
            for some in ([p for p in pairs if same[p]], hard)
        ]
        losses.append(float(s.positives * mean[0] + s.negatives * mean[1]))
    return losses


@pytest.mark.parametrize("corrected", [False, True])
def test_the_loss_is_that_of_the_sheet_batch_after_batch(corrected: bool) -> None:
    settings = ekd.Settings((2, 4, 10), hardest=5, momentum=0.25, corrected=corrected)
    batches = [batch(seed) for seed in range(3)]
    loss = ekd.Loss(settings)
    assert [float(loss(*b)) for b in batches] == pytest.approx(slow(batches, settings), rel=1e-9)


def test_anchors_that_a_batch_cannot_tell_apart_coincide() -> None:
    assert ekd.anchor_places(1970, (10, 100, 1000, 10_000, 100_000, 1_000_000)) == [197, 19, 1, 0, 0, 0]
    few = ekd.anchor_places(96 * 95 // 2 * 11 // 12, ekd.SMALL_BATCH.anchors)
    assert len(set(few)) == 5
    similarities = torch.tensor([0.1, 0.5, 0.3, 0.4, 0.2])
    assert ekd.thresholds(similarities, (2, 5, 100)).tolist() == pytest.approx([0.3, 0.4, 0.5])


def test_running_thresholds_start_at_zero_and_a_correction_takes_that_out() -> None:
    constant = torch.full((50,), 0.8)
    plain, corrected = (ekd.Thresholds(ekd.Settings((10,), momentum=0.01, corrected=c)) for c in (False, True))
    for _ in range(10):
        values = plain.update(constant), corrected.update(constant)
    assert float(values[0]) == pytest.approx(0.8 * (1 - 0.99**10))
    assert float(values[1]) == pytest.approx(0.8)


def test_ranks_know_only_the_place_among_their_own_thresholds() -> None:
    x, tau = torch.linspace(-1, 1, 41), torch.tensor([0.1, 0.3, 0.7])
    assert torch.allclose(ekd.soft_rank(x, tau, 0.05), ekd.soft_rank(3 * x, 3 * tau, 0.15), atol=1e-6)
    assert not torch.allclose(ekd.soft_rank(x, tau, 0.05), ekd.soft_rank(3 * x, tau, 0.15), atol=0.1)
    assert ekd.soft_rank(torch.tensor([-1.0, 0.2, 1.0]), tau, 0.01).tolist() == pytest.approx([0, 1, 3], abs=1e-3)


def test_each_network_has_its_own_thresholds_and_a_teacher_scaled_alike_is_no_error() -> None:
    student, _, labels = batch(0, people=6, each=4, d=16)
    loss = ekd.Loss(ekd.Settings((2, 4, 10), momentum=1.0))
    assert float(loss(student, 7 * student, labels)) < 1e-20
    _, teacher, _ = batch(1, people=6, each=4, d=16)
    assert float(loss(student, teacher, labels)) > 1e-3
    assert not torch.equal(loss.student.value, loss.teacher.value)


def test_pairs_are_counted_once_and_nothing_is_paired_with_itself() -> None:
    positive, negative = ekd.pairs(torch.tensor([0, 1, 0, 1, 2]))
    assert positive.T.tolist() == [[0, 2], [1, 3]]
    assert len(negative.T) == 10 - 2
    assert bool((torch.cat([positive, negative], 1)[0] < torch.cat([positive, negative], 1)[1]).all())


def test_the_teacher_gets_no_gradient_and_pairs_far_from_thresholds_give_none() -> None:
    student, teacher, labels = batch(2)
    student.requires_grad_()
    teacher.requires_grad_()
    ekd.Loss(SETTINGS)(student, teacher, labels).backward()
    assert teacher.grad is None
    assert student.grad is not None
    assert float(student.grad.abs().max()) > 0
    near, far = torch.full((1,), 0.3), torch.full((99,), 0.9)
    share = ekd.active_share(torch.cat([near, far]), torch.tensor([0.3]), 0.01)
    assert share == pytest.approx(0.01)


def test_enough_pairs_of_a_usual_batch_have_a_slope() -> None:
    generator = torch.Generator().manual_seed(0)
    people = torch.randn(24, 64, generator=generator).repeat_interleave(4, 0)
    labels = torch.arange(24).repeat_interleave(4)
    loss = ekd.Loss(ekd.SMALL_BATCH)
    loss(people + torch.randn(96, 64, generator=generator), people, labels)
    assert loss.active > 0.01


def test_one_person_alone_has_no_thresholds() -> None:
    with pytest.raises(ShapeError, match="without negative pairs"):
        ekd.Loss()(torch.randn(4, 8), torch.randn(4, 8), torch.zeros(4, dtype=torch.int64))


def test_strangers_only_are_compared_by_their_hardest_pairs() -> None:
    student, teacher, _ = batch(3)
    loss = ekd.Loss(SETTINGS)
    total = loss(student, teacher, torch.arange(len(student)))
    s, t = F.normalize(student), F.normalize(teacher)
    ours, theirs = ((e @ e.T)[*torch.triu_indices(12, 12, 1)] for e in (s, t))
    hard = ours.argsort(descending=True)[:5]
    ranks = [ekd.soft_rank(x[hard], y.value, 0.01) for x, y in ((ours, loss.student), (theirs, loss.teacher))]
    assert float(total) == pytest.approx(0.01 * float((ranks[0] - ranks[1]).square().mean()))
