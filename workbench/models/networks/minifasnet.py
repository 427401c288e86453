"""MiniFASNet (Silent-Face-Anti-Spoofing, minivision): a pruned MobileFaceNet that sorts faces into three classes.

Module names are those of the published state dictionaries. Pruning left every bottleneck a width of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .mobilefacenet import Block

SIZE = 80
CLASSES = 3
# Widths inside the strided bottlenecks before stages 3, 4 and 5, and what these give.
STRIDED, STAGES = (103, 231, 308), (64, 128, 128)


@dataclass(frozen=True)
class Layout:
    """What pruning left.

    Attributes:
        widths: inside each bottleneck of stages 3, 4 and 5.
        squeeze: whether the last bottleneck of each stage weighs its channels.
    """

    widths: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    squeeze: bool


class SqueezeExcite(nn.Module):
    """Channels weighed by what all of them are on average (arXiv 1709.01507), with batch normalisation."""

    def __init__(self, width: int, reduction: int = 4) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(width, width // reduction, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // reduction)
        self.fc2 = nn.Conv2d(width // reduction, width, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, width, h, w)`` to the same."""
        mean = x.mean((2, 3), keepdim=True)
        weights: Tensor = torch.sigmoid(self.bn2(self.fc2(F.relu(self.bn1(self.fc1(mean))))))
        return x * weights


class Bottleneck(nn.Module):
    """Widened by 1 x 1, filtered channel by channel, narrowed again; with a way around it where nothing shrinks."""

    def __init__(self, inside: int, wide: int, outside: int, stride: int = 1, *, squeeze: bool = False) -> None:
        super().__init__()
        self.around = stride == 1
        self.conv = Block(inside, wide, 1)
        self.conv_dw = Block(wide, wide, 3, stride, 1, depthwise=True)
        self.project = Block(wide, outside, 1, linear=True)
        self.se_module = SqueezeExcite(outside) if squeeze else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """``(n, inside, h, w)`` to ``(n, outside, h', w')``."""
        out: Tensor = self.se_module(self.project(self.conv_dw(self.conv(x))))
        return x + out if self.around else out


class Stage(nn.Module):
    """Bottlenecks that keep shape and width."""

    def __init__(self, width: int, wides: tuple[int, ...], *, squeeze: bool) -> None:
        super().__init__()
        last = len(wides) - 1
        self.model = nn.Sequential(
            *(Bottleneck(width, w, width, squeeze=squeeze and i == last) for i, w in enumerate(wides))
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, width, h, w)`` to the same."""
        out: Tensor = self.model(x)
        return out


class MiniFASNet(nn.Module):
    """``(n, 3, 80, 80)`` BGR, 0 to 255, to logits ``(n, 3)``; class 1 is bona fide.

    Args:
        layout: what pruning left.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.conv1 = Block(3, 32, 3, 2, 1)
        self.conv2_dw = Block(32, 32, 3, 1, 1, depthwise=True)
        self.conv_23 = Bottleneck(32, STRIDED[0], STAGES[0], 2)
        self.conv_3 = Stage(STAGES[0], layout.widths[0], squeeze=layout.squeeze)
        self.conv_34 = Bottleneck(STAGES[0], STRIDED[1], STAGES[1], 2)
        self.conv_4 = Stage(STAGES[1], layout.widths[1], squeeze=layout.squeeze)
        self.conv_45 = Bottleneck(STAGES[1], STRIDED[2], STAGES[2], 2)
        self.conv_5 = Stage(STAGES[2], layout.widths[2], squeeze=layout.squeeze)
        self.conv_6_sep = Block(STAGES[2], 512, 1)
        self.conv_6_dw = Block(512, 512, SIZE // 16, depthwise=True, linear=True)
        self.linear = nn.Linear(512, 128, bias=False)
        self.bn = nn.BatchNorm1d(128)
        self.prob = nn.Linear(128, CLASSES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Prepared crops to logits."""
        x = self.conv_3(self.conv_23(self.conv2_dw(self.conv1(x))))
        x = self.conv_5(self.conv_45(self.conv_4(self.conv_34(x))))
        x = self.conv_6_dw(self.conv_6_sep(x)).flatten(1)
        out: Tensor = self.prob(self.bn(self.linear(x)))
        return out


class MiniFASNetV2(MiniFASNet):
    """The one for crops of 2.7 face boxes."""

    def __init__(self) -> None:
        super().__init__(Layout(((13, 13, 13, 13), (231, 52, 26, 77, 26, 26), (26, 26)), squeeze=False))


class MiniFASNetV1SE(MiniFASNet):
    """The one for crops of 4 face boxes."""

    def __init__(self) -> None:
        super().__init__(Layout(((13, 26, 13, 52), (154, 52, 26, 52, 26, 26), (26, 26)), squeeze=True))
