"""Deletion and insertion for verification: does the decision change where a map says it is made?"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import seeds
from .explain import embed


def ranks(maps: NDArray[np.float32], *names: str | int) -> NDArray[np.int64]:
    """Pixels of each map from the most salient on; equal ones in a random order.

    Args:
        maps: ``(n, h, w)``.
        *names: of the seed that orders equal pixels; otherwise the picture's top would go first.

    Returns:
        ``int64 (n, h * w)`` indices into the flattened map.
    """
    flat = maps.reshape(len(maps), -1)
    shuffle = seeds.rng("ranks", *names).permutation(flat.shape[1])
    return shuffle[np.argsort(-flat[:, shuffle], axis=1, kind="stable")]


def blurred(pictures: Tensor, sigma: float) -> Tensor:
    """``(n, 3, h, w)`` through a Gaussian of ``sigma`` pixels, borders repeated."""
    reach = int(np.ceil(3 * sigma))
    steps = torch.arange(-reach, reach + 1, dtype=pictures.dtype)
    weights = torch.exp(-((steps / sigma) ** 2) / 2)
    weights = weights / weights.sum()
    n, c, h, w = pictures.shape
    x = F.pad(pictures, (reach,) * 4, mode="replicate").reshape(n * c, 1, h + 2 * reach, w + 2 * reach)
    x = F.conv2d(F.conv2d(x, weights[None, None, :, None]), weights[None, None, None])
    return x.reshape(n, c, h, w)


def curves(
    network: nn.Module, reference: Tensor, probe: Tensor, maps: NDArray[np.float32], mated: NDArray[np.bool_],
    threshold: float, mean: Tensor, *, steps: int, insertion: bool, seed: int = 0,
) -> NDArray[np.float64]:  # fmt: skip
    """Whether each pair is still decided rightly as its most salient pixels go, or come.

    Deletion puts the mean colour in place of the most salient pixels of both pictures; assumed: mid-grey, the
    mean of the range, since the paper does not say whose mean it is. Insertion starts from
    blurred pictures (sigma 10 pixels at side 112) and puts the most salient pixels back.

    Args:
        network: in eval mode.
        reference: prepared ``(n, 3, h, w)``.
        probe: likewise.
        maps: ``(n, 2, h, w)`` of both sides.
        mated: ``(n,)``: a mated pair is right when accepted, a non-mated one when rejected.
        threshold: on the cosine.
        mean: ``(3,)`` in the network's scale.
        steps: fractions from 0 to 1, at least 2.
        insertion: insertion instead of deletion.
        seed: orders equal pixels.

    Returns:
        ``float64 (n, steps)`` of 0 and 1.
    """
    sides = []
    size = reference.shape[2]
    for side, pictures in enumerate((reference, probe)):
        base = blurred(pictures, 10 * size / 112) if insertion else mean[:, None, None].expand_as(pictures)
        order = ranks(maps[:, side], seed, side)
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.arange(order.shape[1])[None].repeat(len(order), 0), 1)
        sides.append((pictures, base, torch.from_numpy(place).reshape(len(order), 1, *pictures.shape[2:])))
    right = np.zeros((len(mated), steps))
    with torch.inference_mode():
        for step, fraction in enumerate(np.linspace(0, 1, steps)):
            count = round(float(fraction) * sides[0][2][0].numel())
            shown = [torch.where((p < count) == insertion, x, base) for x, base, p in sides]
            score = (embed(network, shown[0]) * embed(network, shown[1])).sum(1).numpy()
            right[:, step] = (score >= threshold) == mated
    return right
