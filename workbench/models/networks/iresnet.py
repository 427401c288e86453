"""iResNet as InsightFace trains it with ArcFace (arXiv 1801.07698): pre-normalised blocks with PReLU, 512 numbers.

Names and shapes of tensors are those of ``arcface_torch``'s ``iresnet.py``; the depth is told by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from torch import Tensor, nn

from ...core import WeightsError

# Blocks of the four stages by depth.
DEPTHS: Mapping[int, tuple[int, int, int, int]] = {
    18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 200: (6, 26, 60, 6),
}  # fmt: skip
WIDTHS = (64, 128, 256, 512)
DIMENSION = 512


class Block(nn.Module):
    """Normalisation, convolution, PReLU, convolution with the stride, and the way around them."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.prelu = nn.PReLU(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outside)
        self.downsample = (
            nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))
            if stride != 1 or inside != outside
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``."""
        out: Tensor = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return out + (x if self.downsample is None else self.downsample(x))


class IResNet(nn.Module):
    """``(n, 3, 112, 112)`` to ``(n, 512)``, not normalised.

    Args:
        blocks: of each of the four stages.
    """

    def __init__(self, blocks: tuple[int, ...] = DEPTHS[50]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.prelu = nn.PReLU(WIDTHS[0])
        stages = [
            nn.Sequential(*(Block(inside if i == 0 else width, width, 2 if i == 0 else 1) for i in range(count)))
            for inside, width, count in zip((WIDTHS[0], *WIDTHS), WIDTHS, blocks, strict=False)
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.bn2 = nn.BatchNorm2d(WIDTHS[-1])
        self.fc = nn.Linear(WIDTHS[-1] * 49, DIMENSION)
        self.features = nn.BatchNorm1d(DIMENSION)

    def forward(self, x: Tensor) -> Tensor:
        """Prepared chips to raw embeddings."""
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        out: Tensor = self.features(self.fc(self.bn2(x).flatten(1)))
        return out


def of_state(tensors: Mapping[str, NDArray[Any]], name: str) -> IResNet:
    """An untrained network of the depth that a table of tensors has.

    Raises:
        WeightsError: the table has no four stages of blocks.
    """
    count = [0] * 4
    for key in tensors:
        found = re.match(r"(?:module\.)?layer([1-4])\.(\d{1,3})\.", key)
        if found:
            stage = int(found[1]) - 1
            count[stage] = max(count[stage], int(found[2]) + 1)
    if tuple(count) not in DEPTHS.values():
        raise WeightsError(
            f"{name} is no iResNet", given=f"{count} blocks in layer1 to layer4",
            expected=" or ".join(f"{list(b)} ({d} layers)" for d, b in DEPTHS.items()),
            do="use a state dictionary of InsightFace's arcface_torch",
        )  # fmt: skip
    return IResNet(tuple(count))
