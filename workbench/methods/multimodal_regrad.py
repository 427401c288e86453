"""The single-side prototypical loss, one per modality, and gradients that modalities rebalance by their confidence.

X. Lin et al., "Suppress and Rebalance", CVPR 2024, arXiv 2402.19298. Class 0 is "live, of all domains", class 1 + k
"attack of domain k"; a list's label 1 (live) becomes class 0 where lists are read, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

# Share of the new class means in the prototypes after the first epoch, and the weight of each modality's loss.
RENEWED, WEIGHT = 0.8, 0.3
Gradients = Sequence[Tensor | None]


def classes(attack: NDArray[np.bool_], domain: NDArray[np.str_], domains: Sequence[str]) -> Tensor:
    """Class of each presentation ``int64 (n,)``: 0 live, 1 + k an attack of domain k.

    Args:
        attack: ``bool (n,)``.
        domain: ``str (n,)``.
        domains: names of the sources, in order.
    """
    place = np.array([domains.index(str(d)) for d in domain], np.int64)
    return torch.from_numpy(np.where(attack, 1 + place, 0))


def prototypical(features: Tensor, prototypes: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each sample ``(n,)`` where the logits are negative Euclidean distances, not squared.

    Args:
        features: ``(n, d)``.
        prototypes: ``(classes, d)``, without gradient.
        target: ``(n,)``.
    """
    away = torch.linalg.vector_norm(features[:, None] - prototypes.detach()[None], dim=-1)
    return F.cross_entropy(-away, target, reduction="none")


def class_means(features: Tensor, target: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean of each class and which classes there are.

    Args:
        features: ``(3, n, d)``.
        target: ``(n,)``.
        count: of classes.

    Returns:
        ``(3, count, d)``, zero where a class is absent, and ``bool (count,)``.
    """
    member = F.one_hot(target, count).to(features.dtype)
    sizes = member.sum(0)
    return torch.einsum("mnd,nc->mcd", features, member) / sizes.clamp(min=1)[:, None], sizes > 0


def renewed(old: Tensor | None, current: Tensor, there: Tensor) -> Tensor:
    """``0.8 current + 0.2 old``; the old one stays where a class was not seen, the current one is all at first."""
    if old is None:
        return current
    return torch.where(there[:, None], RENEWED * current + (1 - RENEWED) * old, old)


def projected(g: Tensor, onto: Tensor) -> Tensor:
    """``P(g | onto)``: the projection where both agree, else ``g`` without its component along ``onto``.

    Where ``onto`` is zero nothing conflicts, and ``g`` stays.
    """
    square = (onto * onto).sum()
    if not square:
        return g
    agreement = (g * onto).sum()
    along = agreement / square * onto
    return along if agreement > 0 else g - along


def rebalanced(
    gradients: Sequence[Gradients], owners: Sequence[int | None], parameters: Sequence[Tensor],
    losses: Sequence[float], trust: Tensor,
) -> list[Tensor]:  # fmt: skip
    """What the three losses say to every parameter together (ReGrad).

    For a slow modality m: ``g_m + sum_j w_j P(g_j | g_m)``. For the fastest, f, that of the smallest loss:
    ``w_f P(g_f | S) + S`` with ``S`` the others' sum. Parameters of no modality take the plain sum (assumed).

    Args:
        gradients: of each modality's loss for each parameter; None where the loss does not depend on it.
        owners: 1, 2, 3 or None, of each parameter.
        parameters: for shapes.
        losses: of the modalities.
        trust: ``(3,)`` mean confidence of each stream in the last block.
    """
    fastest = int(np.argmin(losses))
    found = []
    for i, (owner, parameter) in enumerate(zip(owners, parameters, strict=True)):
        g = torch.stack([torch.zeros_like(parameter) if (own := of[i]) is None else own for of in gradients])
        if owner is None:
            found.append(g.sum(0))
            continue
        mine = g[owner - 1]
        others = [j for j in range(len(g)) if j != owner - 1]
        if owner - 1 == fastest:
            rest = g[others].sum(0)
            found.append(trust[fastest] * projected(mine, rest) + rest)
        else:
            found.append(mine + torch.stack([trust[j] * projected(g[j], mine) for j in others]).sum(0))
    return found
