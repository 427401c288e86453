"""Explanations of a verification decision: which pixels speak for "same person", which against.

FGGB (arXiv 2403.04549): back-propagate every entry of the normalised embedding by itself, normalise each
gradient map, recombine with weights from both embeddings. Beside it the methods that it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import UnknownNameError, seeds


@dataclass(frozen=True)
class Maps:
    """Raw maps of ``n`` pairs; scaling for display is the figure's matter.

    Attributes:
        similarity: ``float32 (n, 2, h, w)``, not negative; side 0 is the reference, 1 the probe.
        dissimilarity: likewise.
    """

    similarity: NDArray[np.float32]
    dissimilarity: NDArray[np.float32]


@dataclass(frozen=True)
class Question:
    """A batch of comparisons to explain.

    Attributes:
        network: in eval mode; ``(n, 3, h, w)`` to raw embeddings.
        reference, probe: prepared pictures ``(n, 3, h, w)``.
        threshold: decision threshold on the cosine.
        mean: ``(3,)`` mean colour in the network's scale.
        layer: module whose output Grad-CAM looks at.
        seed: of random methods.
        masks: of CorrRISE.
        patch: side of the patches of systematic occlusion, in pixels; they overlap by half.
        progress: called by FGGB with how many backward passes are done and how many there are.
    """

    network: nn.Module
    reference: Tensor
    probe: Tensor
    threshold: float
    mean: Tensor
    layer: nn.Module | None = None
    seed: int = 0
    masks: int = 300
    patch: int = 8
    progress: Callable[[int, int], None] | None = None


def embed(network: nn.Module, pictures: Tensor) -> Tensor:
    """Embeddings of unit length; the normalisation is part of what is differentiated."""
    return F.normalize(network(pictures), dim=1)


def channel_gradients(network: nn.Module, pictures: Tensor) -> tuple[Tensor, Iterator[Tensor]]:
    """Signed gradients of every embedding entry, one entry after the other: all at once they fill the memory.

    Returns:
        Embeddings ``(n, d)``, and for each of the ``d`` entries ``(n, 3, h, w)``. Pictures of a batch do not
        influence one another, so one backward pass per entry serves the whole batch.
    """
    x = pictures.detach().clone().requires_grad_(True)
    embedding = embed(network, x)
    size = embedding.shape[1]
    gradients = (torch.autograd.grad(embedding[:, k].sum(), x, retain_graph=k < size - 1)[0] for k in range(size))
    return embedding.detach(), gradients


def channel_map(gradient: Tensor, *, normalise: bool = True) -> Tensor:
    """``(n, 3, h, w)`` to ``(n, h, w)``: absolute value, mean over colour, then over its L2 norm (step 2)."""
    maps = gradient.abs().mean(dim=1)
    if normalise:
        maps = maps / maps.flatten(1).norm(dim=1)[:, None, None].clamp(min=1e-12)
    return maps


def fggb_signed(q: Question, *, normalise: bool = True) -> tuple[Tensor, Tensor]:
    """``S = sum_k G_k (F_A^k F_B^k - thr / N)`` of both sides, ``(n, h, w)`` each (steps 3 and 4)."""
    one, one_gradients = channel_gradients(q.network, q.reference)
    other, other_gradients = channel_gradients(q.network, q.probe)
    weights = one * other - q.threshold / one.shape[1]
    sides = []
    size = one.shape[1]
    for side, gradients in enumerate((one_gradients, other_gradients)):
        total = torch.zeros(())
        for k, (gradient, weight) in enumerate(zip(gradients, weights.T, strict=True), 1):
            total = total + channel_map(gradient, normalise=normalise) * weight[:, None, None]
            if q.progress:
                q.progress(side * size + k, 2 * size)
        sides.append(total)
    return sides[0], sides[1]


def _split(sides: tuple[Tensor, Tensor]) -> Maps:
    both = torch.stack(sides, 1)
    return Maps(both.clamp(min=0).numpy(), (-both).clamp(min=0).numpy())


def fggb(q: Question) -> Maps:
    """Feature-guided gradient backpropagation."""
    return _split(fggb_signed(q))


def fggb_unnormalised(q: Question) -> Maps:
    """FGGB without the division of step 2: what the paper argues against."""
    return _split(fggb_signed(q, normalise=False))


def score_gradient(q: Question) -> Maps:
    """Gradient of the cosine; the sign of gradient times input splits it."""
    sides = []
    for own, other in ((q.reference, q.probe), (q.probe, q.reference)):
        x = own.detach().clone().requires_grad_(True)
        score = (embed(q.network, x) * embed(q.network, other).detach()).sum()
        gradient = torch.autograd.grad(score, x)[0]
        sides.append(gradient.abs().mean(1) * torch.sign((gradient * own).sum(1)))
    return _split((sides[0], sides[1]))


def random_masks(count: int, shape: tuple[int, int], *names: str | int) -> Tensor:
    """RISE's masks ``(count, h, w)`` in [0, 1]: an 8 x 8 grid of coin flips, enlarged and shifted."""
    height, width = shape
    rng = seeds.rng("rise", *names)
    cells = torch.from_numpy((rng.random((count, 1, 8, 8)) < 0.5).astype(np.float32))
    step = (-(-height // 8), -(-width // 8))
    large = F.interpolate(cells, (height + step[0], width + step[1]), mode="bilinear", align_corners=False)
    shifts = rng.integers(0, step, (count, 2))
    return torch.stack([m[0, dy : dy + height, dx : dx + width] for m, (dy, dx) in zip(large, shifts, strict=True)])


def corr_rise(q: Question) -> Maps:
    """Correlation of each pixel's mask value with the score of the masked picture."""
    masks = random_masks(q.masks, (q.reference.shape[2], q.reference.shape[3]), q.seed)
    centred = (masks - masks.mean(0)).flatten(1)
    spread = centred.norm(dim=0)
    sides = []
    with torch.inference_mode():
        for own, other in ((q.reference, q.probe), (q.probe, q.reference)):
            target = embed(q.network, other)
            scores = torch.stack([_masked_scores(q, picture, t, masks) for picture, t in zip(own, target, strict=True)])
            scores = scores - scores.mean(1, keepdim=True)
            correlation = scores @ centred / (scores.norm(dim=1, keepdim=True) * spread).clamp(min=1e-12)
            sides.append(correlation.reshape(len(own), *own.shape[2:]))
    return _split((sides[0], sides[1]))


def _masked_scores(q: Question, picture: Tensor, target: Tensor, masks: Tensor) -> Tensor:
    mean = q.mean[:, None, None]
    parts = [embed(q.network, mean + (picture - mean) * m[:, None]) @ target for m in masks.split(100)]  # type: ignore[no-untyped-call]
    return torch.cat(parts)


def occlusion(q: Question) -> Maps:
    """Drop of the cosine when a patch takes the mean colour, averaged over the patches over each pixel."""
    height, width = q.reference.shape[2:]
    patch, stride = q.patch, q.patch // 2
    places = [(y, x) for y in range(0, height - patch + 1, stride) for x in range(0, width - patch + 1, stride)]
    cover = torch.zeros(len(places), height, width)
    for i, (y, x) in enumerate(places):
        cover[i, y : y + patch, x : x + patch] = 1
    often = cover.sum(0).clamp(min=1)
    sides = []
    with torch.inference_mode():
        for own, other in ((q.reference, q.probe), (q.probe, q.reference)):
            target = embed(q.network, other)
            whole = (embed(q.network, own) * target).sum(1)
            drops = [w - _masked_scores(q, p, t, 1 - cover) for p, t, w in zip(own, target, whole, strict=True)]
            sides.append(torch.einsum("np,phw->nhw", torch.stack(drops), cover) / often)
    return _split((sides[0], sides[1]))


def grad_cam(q: Question) -> Maps:
    """Grad-CAM on the last map, with the cosine as target; its negative part speaks against."""
    if q.layer is None:
        raise UnknownNameError("layer for Grad-CAM", "None", ["the module that gives the last map"])
    sides = []
    for own, other in ((q.reference, q.probe), (q.probe, q.reference)):
        kept: list[Tensor] = []
        handle = q.layer.register_forward_hook(lambda module, given, out, kept=kept: kept.append(out))
        # The weights are frozen: a graph exists because the picture asks for gradients.
        score = (embed(q.network, own.detach().clone().requires_grad_(True)) * embed(q.network, other).detach()).sum()
        handle.remove()
        gradient = torch.autograd.grad(score, kept[0])[0]
        cam = (gradient.mean((2, 3), keepdim=True) * kept[0].detach()).sum(1, keepdim=True)
        sides.append(F.interpolate(cam, own.shape[2:], mode="bilinear", align_corners=False)[:, 0])
    return _split((sides[0], sides[1]))


def random_map(q: Question) -> Maps:
    """Noise: the curve that every other map is measured against."""
    shape = (len(q.reference), 2, *q.reference.shape[2:])
    rng = seeds.rng("explain", "random", q.seed)
    return Maps(rng.random(shape, np.float32), rng.random(shape, np.float32))


def centre_map(q: Question) -> Maps:
    """A Gaussian in the middle, a quarter of the picture wide: what knowing where a face is already gives."""
    height, width = q.reference.shape[2:]
    y, x = np.mgrid[0:height, 0:width]
    r = ((y - (height - 1) / 2) / (height / 4)) ** 2 + ((x - (width - 1) / 2) / (width / 4)) ** 2
    one = np.broadcast_to(np.exp(-r / 2).astype(np.float32), (len(q.reference), 2, height, width)).copy()
    return Maps(one, one.copy())


METHODS: dict[str, Callable[[Question], Maps]] = {
    "fggb": fggb,
    "fggb-unnormalised": fggb_unnormalised,
    "score-gradient": score_gradient,
    "corr-rise": corr_rise,
    "occlusion": occlusion,
    "grad-cam": grad_cam,
    "random": random_map,
    "centre": centre_map,
}


def explain(method: str, question: Question, **changes: Any) -> Maps:
    """Maps by a method's name.

    Args:
        method: one of `METHODS`.
        question: what to explain.
        **changes: replace fields of the question.
    """
    from dataclasses import replace

    if method not in METHODS:
        raise UnknownNameError("explanation method", method, METHODS)
    question.network.eval()
    return METHODS[method](replace(question, **changes))
