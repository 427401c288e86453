"""Adversarial perturbations of faces against a recogniser whose gradients are known.

Projected gradient descent in the maximum norm (Madry et al., ICLR 2018, eq. 4); with one step it is the fast gradient
sign method (Goodfellow et al., ICLR 2015). The loss is the cosine with the reference's embedding: it is raised to be
taken for somebody, and lowered not to be recognised. The picture that is scored is rounded to 8 bits: what cannot be
stored is no attack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..core import ParameterError
from ..models import Embedder
from ..models.alignment import similarity
from .portraits import Portrait, embed

Goal = Literal["evade", "impersonate"]
GOALS: tuple[Goal, ...] = ("evade", "impersonate")


@dataclass(frozen=True)
class Perturbed:
    """An attacked portrait.

    Attributes:
        portrait: the attacked picture, with the landmarks of the original.
        budget: most levels (of 255) by which a value may differ.
        changed: the greatest difference there is, in levels.
        psnr: peak signal-to-noise ratio in dB; infinite where nothing changed.
    """

    portrait: Portrait
    budget: int
    changed: int
    psnr: float


def attack(
    victim: Portrait, reference: Portrait, embedder: Embedder, *, goal: Goal, budget: int, steps: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> Perturbed:  # fmt: skip
    """Perturb a portrait within a budget.

    Args:
        victim: what is changed.
        reference: whose embedding it shall leave or reach.
        embedder: a recogniser with a torch network.
        goal: ``"evade"`` lowers the score, ``"impersonate"`` raises it.
        budget: most levels by which a value may change, 0 to 64.
        steps: of gradient descent; the step is 2.5 times the budget over their number, as Madry et al. have it.
        progress: called with steps done and steps in all.

    Raises:
        ParameterError: another goal, a budget or number of steps out of range.
        WeightsError: the model has no gradients.
    """
    if goal not in GOALS:
        raise ParameterError("unknown goal", given=goal, expected=" or ".join(GOALS))
    if not 0 <= budget <= 64 or not 1 <= steps <= 1000:
        raise ParameterError(
            "an attack is out of range", given=f"budget {budget}, steps {steps}", expected="0 to 64 levels, 1 to 1000"
        )
    original = _tensor(victim.picture)
    if budget == 0:
        return Perturbed(victim, 0, 0, float("inf"))
    target = torch.from_numpy(embed(embedder, [reference]))
    crop = Crop(victim, embedder)
    sign = -1.0 if goal == "impersonate" else 1.0

    def loss(now: Tensor, step: int) -> Tensor:
        return sign * (F.normalize(embedder.network(crop(now)), dim=1) * target).sum()

    now = descend(
        loss, original, budget=budget, step=2.5 * budget / steps, steps=steps, highest=255.0, progress=progress
    )  # fmt: skip
    levels = now.round()[0].permute(1, 2, 0).numpy().astype(np.uint8)
    difference = levels.astype(np.int64) - victim.picture
    error = float(np.mean(difference**2))
    psnr = float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
    return Perturbed(Portrait(levels, victim.points), budget, int(np.abs(difference).max()), psnr)


def descend(
    loss: Callable[[Tensor, int], Tensor], original: Tensor, *, budget: float, step: float, steps: int,
    highest: float = 1.0, start: Tensor | None = None, progress: Callable[[int, int], None] | None = None,
) -> Tensor:  # fmt: skip
    """Projected gradient descent in the maximum norm: ``x <- clip(x - step sign(gradient))``.

    Args:
        loss: takes pictures and the number of the step, gives a sum over pictures; each is lowered by itself.
        original: pictures, ``float32 (n, 3, h, w)`` in [0, ``highest``].
        budget: most by which a value may differ, in the pictures' own unit.
        step: of each step, in the same unit.
        steps: how many.
        highest: white; 1 or 255.
        start: where to begin; the originals if not given. It is clipped as every step is.
        progress: called with steps done and steps in all.

    Returns:
        Pictures within ``budget`` of the originals and within [0, ``highest``], not rounded.
    """

    def clipped(pictures: Tensor) -> Tensor:
        return pictures.clamp(original - budget, original + budget).clamp(0, highest)

    now = original.clone() if start is None else clipped(start)
    for done in range(steps):
        now.requires_grad_(True)
        (gradient,) = torch.autograd.grad(loss(now, done), now)
        now = clipped(now.detach() - step * gradient.sign())
        if progress:
            progress(done + 1, steps)
    return now


class Crop:
    """The crop of one portrait that a recogniser sees, as a differentiable function of its pixels.

    Args:
        portrait: whose landmarks place the crop; they do not move with the perturbation.
        embedder: whose card says how.
    """

    def __init__(self, portrait: Portrait, embedder: Embedder) -> None:
        card = embedder.card
        if card.template is None:
            raise ParameterError(f"{card.name} has no crop template", do="complete its card")
        size = len(portrait.picture)
        matrix = similarity(portrait.five[None].astype(np.float64), card.template)[0]
        back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
        height, width = card.input_size
        y, x = np.mgrid[0:height, 0:width]
        places = np.stack([x, y, np.ones_like(x)], axis=-1) @ back.T
        # From pixels to the sampler's scale, in which -1 and 1 are the centres of the outermost pixels.
        self._grid = torch.from_numpy((2 * places / (size - 1) - 1).astype(np.float32))[None]
        self._bgr = card.colour == "BGR"
        self._mean, self._scale = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (card.mean, card.scale))

    def __call__(self, picture: Tensor) -> Tensor:
        """``float32 (1, 3, s, s)`` in levels to the network's input ``(1, 3, h, w)``."""
        chip = F.grid_sample(picture, self._grid, mode="bilinear", padding_mode="zeros", align_corners=True)
        ordered = chip.flip(1) if self._bgr else chip
        return (ordered - self._mean) * self._scale


def _tensor(picture: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None].contiguous()
