"""The uncertainty-guided cross-modal adapter: what a stream takes from another one, and how far it trusts it.

X. Lin et al., "Suppress and Rebalance", CVPR 2024, arXiv 2402.19298. Assumed: queries, keys and values have linear maps
of their own, and there is no output map.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from torch import Tensor, nn

HIDDEN, DROP = 8, 0.2
THETA = 0.5
MC_DROP, SHARPNESS = 0.3, 2.25
# `std` of one dropout sample over its expectation: sqrt(p / (1 - p)).
SPREAD = (MC_DROP / (1 - MC_DROP)) ** 0.5
_STEPS = 65536


@functools.cache
def deviations(samples: int) -> Tensor:
    """Standard deviation of dropout samples of 1 (unbiased), at 65,536 even steps of its distribution function.

    A sample is ``1 / (1 - p)`` where it is kept and 0 elsewhere: the deviation depends on how many are kept alone.
    """
    kept = stats.binom.ppf((np.arange(_STEPS) + 0.5) / _STEPS, samples, 1 - MC_DROP)
    return torch.from_numpy(np.sqrt(kept * (samples - kept) / (samples * (samples - 1))) / (1 - MC_DROP)).float()


def sampled_confidence(a: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """``u = exp(-2.25 s)``, ``s`` the unbiased standard deviation over dropout samples of ``a``; without gradient.

    Dropout multiplies ``a`` by 0 or ``1 / (1 - p)``: the deviation of that factor is drawn from its own distribution,
    which is the same as taking it of as many samples, at a twentieth of the cost.

    Args:
        a: activations, any shape.
        samples: of dropout, 2 or more.
        generator: draws.
    """
    at = torch.randint(_STEPS, a.shape, generator=generator)
    return torch.exp(-SHARPNESS * a.detach().abs() * deviations(samples)[at])


def closed_confidence(a: Tensor) -> Tensor:
    """What `sampled_confidence` tends to: ``exp(-2.25 |a| sqrt(p / (1 - p)))``, a function of the activation's size."""
    return torch.exp(-SHARPNESS * SPREAD * a.detach().abs())


def quick_gelu(z: Tensor) -> Tensor:
    """``z sigmoid(1.702 z)``."""
    return F.silu(1.702 * z) / 1.702


class UAdapter(nn.Module):
    """Weights of what a stream takes from another one; the last map is zero before training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down_own, self.down_other = nn.Linear(width, HIDDEN), nn.Linear(width, HIDDEN)
        self.query, self.key, self.value = (nn.Linear(HIDDEN, HIDDEN, bias=False) for _ in range(3))
        self.norm = nn.LayerNorm(HIDDEN)
        self.convolution = nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1, bias=False)
        self.up = nn.Linear(HIDDEN, width)

    def begin(self, generator: torch.Generator) -> None:
        """Xavier, zero biases, and zeros where the adapter ends."""
        with torch.no_grad():
            for layer in (self.down_own, self.down_other, self.query, self.key, self.value, self.convolution):
                nn.init.xavier_uniform_(layer.weight, generator=generator)
            for zero in (self.down_own.bias, self.down_other.bias, self.up.weight, self.up.bias):
                zero.zero_()


class Bundle:
    """Several adapters computed at once: a batch of matrices costs little more than one.

    Args:
        adapters: of the links of a block.
        grid: patches a side.
    """

    def __init__(self, adapters: Sequence[UAdapter], grid: int) -> None:
        self._adapters, self._grid = adapters, grid

    def _stack(self, name: str) -> Tensor:
        return torch.stack([a.get_parameter(name) for a in self._adapters])

    def _linear(self, name: str, x: Tensor, *, bias: bool) -> Tensor:
        """Each adapter's own map of ``(links, n, t, d)``."""
        flat, weight = x.flatten(1, 2), self._stack(f"{name}.weight").mT
        found = torch.baddbmm(self._stack(f"{name}.bias")[:, None], flat, weight) if bias else flat @ weight
        return found.view(*x.shape[:3], -1)

    def attended(self, own: Tensor, other: Tensor, trust: Tensor | None) -> Tensor:
        """Own tokens as the other streams' queries mix them: 8 heads of size 1.

        The logits' rows are the queries; ``trust`` scales a whole row, so that the row of an unreliable query becomes
        flat. Scaling a query scales its row.

        Args:
            own: ``(links, n, t, 8)``.
            other: the same of the streams that are asked.
            trust: ``(links, n, t)`` of the other streams' tokens; None for 1 everywhere.
        """
        q, k, v = (self._linear(m, x, bias=False) for m, x in (("query", other), ("key", own), ("value", own)))
        q = q if trust is None else q * trust[..., None]
        q, k, v = (z.flatten(0, 1).mT[..., None] for z in (q, k, v))
        # Heads of size 1 have a scale of 1.
        mixed = F.scaled_dot_product_attention(q, k, v, scale=1.0)
        return mixed[..., 0].mT.reshape(own.shape)

    def logit_spread(self, own: Tensor, other: Tensor) -> Tensor:
        """Standard deviation of the logits over the keys where trust is 1, mean over queries and heads, ``(links,)``.

        Near 0 every row is flat already, and no confidence can flatten it further.

        Args:
            own: tokens after the second norm, ``(links, n, t, d)``.
            other: the same of the streams that are asked.
        """
        mine = quick_gelu(self._linear("down_own", own, bias=True))
        theirs = quick_gelu(self._linear("down_other", other, bias=True))
        q, k = self._linear("query", theirs, bias=False), self._linear("key", mine, bias=False)
        # A row is the query's number times all keys.
        return (q.abs().mean(2) * k.std(2, correction=0)).mean((1, 2))

    def differences(self, h: Tensor) -> Tensor:
        """Central-difference convolution of the patch tokens' map, and of the class token as a map of one pixel."""
        links, n, t, c = h.shape
        kernel = central(self._stack("convolution.weight"))
        image = h[:, :, 1:].permute(1, 0, 3, 2).reshape(n, links * c, self._grid, self._grid)
        patched = F.conv2d(image, kernel.flatten(0, 1), padding=1, groups=links)
        # Around a single pixel all is padding: the kernel's centre is left.
        token = h[:, :, :1].flatten(1, 2) @ kernel[..., 1, 1].mT
        rest = patched.view(n, links, c, t - 1).permute(1, 0, 3, 2)
        return torch.cat([token.view(links, n, 1, c), rest], 2)

    def __call__(self, own: Tensor, other: Tensor, trust: Tensor | None, keep: Tensor | None) -> Tensor:
        """What is added to the own streams, ``(links, n, t, d)``.

        Args:
            own: tokens after the second norm, ``(links, n, t, d)``.
            other: the same of the streams that are asked.
            trust: as in `attended`.
            keep: dropout's mask ``(links, n, t, 8)``, scaled; None in evaluation.
        """
        mine = quick_gelu(self._linear("down_own", own, bias=True))
        theirs = quick_gelu(self._linear("down_other", other, bias=True))
        h = F.layer_norm(self.attended(mine, theirs, trust) + mine, (HIDDEN,))
        h = h * self._stack("norm.weight")[:, None, None] + self._stack("norm.bias")[:, None, None]
        h = quick_gelu(self.differences(h))
        return self._linear("up", h if keep is None else h * keep, bias=True)


def central(kernel: Tensor) -> Tensor:
    """Kernels ``(..., 3, 3)`` whose convolution is ``conv(x) - theta conv1x1(x; sum of the kernel)``.

    Z. Yu et al., CVPR 2020, arXiv 2003.04092: the second term looks at the centre only.
    """
    middle = F.pad(kernel.sum((-2, -1), keepdim=True), (1, 1, 1, 1))
    return kernel - THETA * middle
