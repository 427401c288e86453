"""The joint attack of arXiv 2409.16056: a perturbation that does nothing until its picture is watermarked.

The perturbation comes before the watermark, and the owner puts the watermark on in good faith:

    min over d of  S(h(f(I + d, m)), z) - gamma S(h(I + d), z),   max |d| <= epsilon,  z = h(I)

with the cosine S, the recogniser h, the encoder f and the message m. The first term makes the watermarked picture
fail (activated), the second keeps the perturbed one recognised (stealthy). Projected gradient descent in [0, 1];
what is handed on is rounded to 8 bits before the watermark, as the file is that the owner gets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import ParameterError, seeds
from ..models import Embedder
from .cores import side_by_side
from .perturbation import descend
from .watermark import Bits, Encoder, Images, Watermark, check_messages, rounded, tensor

Form = Literal["linear", "hinge"]
FORMS: tuple[Form, ...] = ("linear", "hinge")
# The hinge lets the perturbed picture come as near to the threshold as this.
SPARE = 0.1
MESSAGES = 4
BATCH = 24


class Recogniser:
    """A recogniser as a differentiable function of pictures in [0, 1].

    Args:
        network: prepared pictures to raw embeddings, in eval mode and frozen.
        mean, scale: the network sees ``(level - mean) * scale``, levels 0 to 255.
        colour: channel order of the network.
    """

    def __init__(self, network: nn.Module, mean: tuple[float, ...], scale: tuple[float, ...], colour: str) -> None:
        self.network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._mean, self._scale = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (mean, scale))
        self._flip = colour == "BGR"

    @classmethod
    def of(cls, embedder: Embedder) -> Recogniser:
        """Of a loaded model, as its card says.

        Raises:
            WeightsError: the model has no gradients.
        """
        card = embedder.card
        return cls(embedder.network, card.mean, card.scale, card.colour)

    def __call__(self, pictures: Tensor) -> Tensor:
        """``float32 (n, 3, h, w)`` RGB in [0, 1] to embeddings of unit length ``(n, d)``."""
        ordered = pictures.flip(1) if self._flip else pictures
        return F.normalize(self.network((255 * ordered - self._mean) * self._scale), dim=1)

    def embed(self, pictures: Images, *, batch: int = 64) -> NDArray[np.float32]:
        """Embeddings ``float32 (n, d)`` of pictures ``uint8 (n, h, w, 3)``."""
        with torch.inference_mode():
            parts = [self(tensor(pictures[i : i + batch])) for i in range(0, len(pictures), batch)]
        return np.asarray(torch.cat(parts).numpy(), np.float32)


@dataclass(frozen=True)
class Plan:
    """How the perturbation is made.

    Attributes:
        budget: most levels (of 255) by which a value may change.
        gamma: weight of the stealthy phase.
        averaged: whether the message is unknown: every step averages over `MESSAGES` new ones.
        form: ``"linear"``, or ``"hinge"``: ``gamma max(0, threshold + SPARE - S(h(I + d), z))`` instead.
        threshold: of the recogniser; the hinge alone looks at it.
        steps: of a quarter of the budget each, from a random start.
    """

    budget: int
    gamma: float = 1.0
    averaged: bool = False
    form: Form = "linear"
    threshold: float = 0.0
    steps: int = 40

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ParameterError("unknown form of the stealthy term", given=self.form, expected=" or ".join(FORMS))
        if not (0 <= self.budget <= 64 and self.gamma >= 0 and 1 <= self.steps <= 1000):
            raise ParameterError(
                "an attack is out of range", given=self, expected="0 to 64 levels, gamma >= 0, 1 to 1000 steps"
            )  # fmt: skip


class Similarities(NamedTuple):
    """Cosines with the clean pictures' embeddings ``(n,)``: of watermarked perturbed pictures, and of perturbed ones.

    `activated` is the mean over messages where there are several.
    """

    activated: Tensor
    stealthy: Tensor


def similarities(
    recogniser: Recogniser, encoder: Encoder, pictures: Tensor, said: Tensor, clean: Tensor
) -> Similarities:  # fmt: skip
    """Both phases of pictures ``(n, 3, h, w)`` in [0, 1].

    Args:
        recogniser: what is attacked.
        encoder: puts on the watermark; its result is clipped to [0, 1].
        pictures: perturbed.
        said: messages ``float32 (k, n, bits)``.
        clean: embeddings of the pictures before ``(n, d)``.
    """
    several = pictures.repeat(len(said), 1, 1, 1)
    after = recogniser(encoder(several, said.flatten(0, 1)).clamp(0, 1)).reshape(len(said), len(pictures), -1)
    return Similarities((after * clean).sum(2).mean(0), (recogniser(pictures) * clean).sum(1))


def objective(found: Similarities, plan: Plan) -> Tensor:
    """What is lowered, of each picture ``(n,)``."""
    if plan.form == "hinge":
        return found.activated + plan.gamma * (plan.threshold + SPARE - found.stealthy).clamp(min=0)
    return found.activated - plan.gamma * found.stealthy


def attack(
    pictures: Images, recogniser: Recogniser, watermark: Watermark, messages: Bits, plan: Plan, *, seed: int,
    batch: int = BATCH,
) -> Images:  # fmt: skip
    """Perturbed pictures, not watermarked, as they are stored.

    Args:
        pictures: ``uint8 (n, h, w, 3)`` clean.
        recogniser: what is attacked.
        watermark: whose encoder the adversary has.
        messages: ``bool (n, bits)`` of the owner; not looked at where ``plan.averaged``.
        plan: of the perturbation.
        seed: of the start and of averaged messages; arms of one seed start alike.
        batch: pictures at a time on a core.
    """
    check_messages(watermark, pictures, messages)
    encoder, bits = watermark.encoding(), watermark.design.bits

    def one(i: int) -> Images:
        original = tensor(pictures[i : i + batch])
        known = torch.from_numpy(messages[i : i + batch].astype(np.float32))[None]
        rng = seeds.rng("watermark", "unknown messages", seed, i)
        with torch.no_grad():
            clean = recogniser(original)

        def loss(now: Tensor, step: int) -> Tensor:
            drawn = rng.integers(0, 2, (MESSAGES, len(now), bits)).astype(np.float32) if plan.averaged else None
            said = known if drawn is None else torch.from_numpy(drawn)
            return objective(similarities(recogniser, encoder, now, said, clean), plan).sum()

        return rounded(_descended(loss, original, plan, seed, i))

    return _in_batches(one, pictures, batch)


def _in_batches(one: Callable[[int], Images], pictures: Images, batch: int) -> Images:
    """What ``one`` makes of the pictures from each batch's first on; signs of gradients depend on the threads."""
    made = side_by_side([partial(one, i) for i in range(0, len(pictures), batch)])
    return np.concatenate(made) if made else pictures


def _descended(loss: Any, original: Tensor, plan: Plan, seed: int, place: int) -> Tensor:
    epsilon = plan.budget / 255
    drawn = seeds.rng("watermark", "start", seed, place).uniform(-1, 1, original.shape).astype(np.float32)
    start = original + epsilon * torch.from_numpy(drawn)
    return descend(loss, original, budget=epsilon, step=epsilon / 4, steps=plan.steps, start=start)


def evasion(pictures: Images, recogniser: Recogniser, plan: Plan, *, seed: int, batch: int = BATCH) -> Images:
    """Ordinary evasion, which knows no watermark: lowers ``S(h(I + d), z)``. Arguments as in `attack`."""

    def one(i: int) -> Images:
        original = tensor(pictures[i : i + batch])
        with torch.no_grad():
            clean = recogniser(original)

        def loss(now: Tensor, step: int) -> Tensor:
            return (recogniser(now) * clean).sum()

        return rounded(_descended(loss, original, plan, seed, i))

    return _in_batches(one, pictures, batch)


def random_signs(pictures: Images, budget: int, *, seed: int) -> Images:
    """Every value up or down by the whole budget, clipped: noise as large as a perturbation can be.

    Args:
        pictures: ``uint8 (n, h, w, 3)``.
        budget: levels.
        seed: of the signs.
    """
    signs: NDArray[np.int64] = seeds.rng("watermark", "signs", seed).integers(0, 2, pictures.shape) * 2 - 1
    moved: Images = np.clip(pictures.astype(np.int64) + budget * signs, 0, 255).astype(np.uint8)
    return moved
