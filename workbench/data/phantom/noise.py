"""Noise: numbers that depend on a seed and a place alone, on every device and in any company."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def _signed(value: int) -> int:
    """An unsigned 64-bit constant as torch's signed integers hold it."""
    return value - (1 << 64) if value >> 63 else value


_GAMMA, _FIRST, _SECOND = (
    _signed(v) for v in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)  # fmt: skip


def mixed(state: Tensor) -> Tensor:
    """SplitMix64's output of its states, bit for bit (Steele, Lea and Flood, OOPSLA 2014).

    Args:
        state: ``int64``, any shape; overflow wraps.
    """
    z = (state ^ _shifted(state, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)


def _shifted(value: Tensor, by: int) -> Tensor:
    """To the right, with zeros coming in."""
    return (value >> by) & ((1 << (64 - by)) - 1)


def uniform(seeds: NDArray[np.int64], count: int, device: torch.device) -> Tensor:
    """Numbers in (0, 1), ``float32 (n, count)``, the same for a seed whatever the others are.

    Args:
        seeds: ``(n,)``.
        count: numbers for each.
        device: where.
    """
    upper, lower = _halves(seeds, count, device)
    return (torch.cat([upper, lower], 1)[:, :count] + 0.5) / (1 << 24)


def normal(seeds: NDArray[np.int64], count: int, device: torch.device) -> Tensor:
    """Standard normal numbers, ``float32 (n, count)``; arguments as of `uniform`.

    Each 64 bits give two numbers (Box and Muller 1958): one part is the radius, the other the angle.
    """
    upper, lower = _halves(seeds, count, device)
    radius = (-2 * ((upper + 0.5) / (1 << 24)).log()).sqrt()
    angle = lower * (2 * math.pi / (1 << 24))
    return torch.cat([radius * angle.cos(), radius * angle.sin()], 1)[:, :count]


def _halves(seeds: NDArray[np.int64], count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Two numbers of 24 bits out of each state, ``float32 (n, half the count)``."""
    start = mixed(torch.from_numpy(np.ascontiguousarray(seeds, np.int64)).to(device))
    steps = torch.arange(1, (count + 1) // 2 + 1, device=device) * _GAMMA
    bits = mixed(start[:, None] + steps[None])
    return _shifted(bits, 40).float(), ((bits >> 16) & ((1 << 24) - 1)).float()
