"""MobileFaceNet (arXiv 1804.07573): bottlenecks, a global depthwise convolution, 128 numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...core import WeightsError

# Expansion, channels, repetitions and first stride, as in the paper's Table 1.
SETTING = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))


class Bottleneck(nn.Module):
    """Inverted residual with PReLU."""

    def __init__(self, inside: int, outside: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inside * expansion
        self.connect = stride == 1 and inside == outside
        self.conv = nn.Sequential(
            nn.Conv2d(inside, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.PReLU(wide),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.PReLU(wide),
            nn.Conv2d(wide, outside, 1, bias=False),
            nn.BatchNorm2d(outside),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``."""
        out: Tensor = self.conv(x)
        return x + out if self.connect else out


class Block(nn.Module):
    """Convolution, batch normalisation, and PReLU unless ``linear``."""

    def __init__(self, inside: int, outside: int, kernel: Any, stride: int = 1, padding: int = 0, *,
                 depthwise: bool = False, linear: bool = False) -> None:  # fmt: skip
        super().__init__()
        groups = inside if depthwise else 1
        self.conv = nn.Conv2d(inside, outside, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outside)
        self.prelu = nn.Identity() if linear else nn.PReLU(outside)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``."""
        out: Tensor = self.prelu(self.bn(self.conv(x)))
        return out


class MobileFaceNet(nn.Module):
    """``(n, 3, 112, 96)`` to ``(n, 128)``, not normalised."""

    def __init__(self, kernel: tuple[int, int] = (7, 6)) -> None:
        super().__init__()
        self.conv1 = Block(3, 64, 3, 2, 1)
        self.dw_conv1 = Block(64, 64, 3, 1, 1, depthwise=True)
        blocks, width = [], 64
        for expansion, channels, repetitions, stride in SETTING:
            for i in range(repetitions):
                blocks.append(Bottleneck(width, channels, stride if i == 0 else 1, expansion))
                width = channels
        self.blocks = nn.Sequential(*blocks)
        self.conv2 = Block(128, 512, 1)
        self.linear7 = Block(512, 512, kernel, depthwise=True, linear=True)
        self.linear1 = Block(512, 128, 1, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        """Prepared chips to raw embeddings."""
        out: Tensor = self.linear1(self.linear7(self.conv2(self.blocks(self.dw_conv1(self.conv1(x))))))
        return out.flatten(1)


def load_state(network: nn.Module, tensors: Mapping[str, NDArray[Any]], name: str) -> None:
    """Put a table of tensors into a network, after every name and shape is checked.

    Raises:
        WeightsError: the first tensor that is missing, left over or of another shape.
    """
    given = {k.removeprefix("module."): v for k, v in tensors.items()}
    wanted = {k: tuple(v.shape) for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    given = {k: v for k, v in given.items() if not k.endswith("num_batches_tracked")}
    for key, shape in wanted.items():
        if key not in given or given[key].shape != shape:
            raise WeightsError(
                f"{name} does not fit {type(network).__name__}",
                given=f"{key}: {given[key].shape}" if key in given else f"no tensor {key!r}",
                expected=f"{key}: {shape}",
                do="check that the weights were made for this network",
            )
    if left := sorted(given.keys() - wanted.keys()):
        raise WeightsError(
            f"{name} does not fit {type(network).__name__}",
            given=f"{len(left)} further tensors, {left[0]!r} first",
        )
    network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in given.items()}, strict=False)
