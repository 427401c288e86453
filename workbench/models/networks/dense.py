"""The landmark and expression networks of face-api: four densely connected blocks and one linear layer."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Conv, Linear, Separable, Tensors


class DenseBlock(nn.Module):
    """Four convolutions; each takes the sum of all before it. The first halves the picture."""

    def __init__(self, tensors: Tensors, name: str, *, first: bool) -> None:
        super().__init__()
        entry = f"{name}/conv0"
        self.conv0: nn.Module = (
            Conv(tensors[f"{entry}/filters"], tensors[f"{entry}/bias"], stride=2)
            if first
            else Separable(tensors, entry, stride=2)
        )
        self.conv1, self.conv2, self.conv3 = (Separable(tensors, f"{name}/conv{i}") for i in (1, 2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h/2, w/2)``."""
        one = self.conv0(x, then="relu")
        two = self.conv1(one)
        three = self.conv2(F.relu(one + two))
        four = self.conv3(F.relu(one + two + three))
        return F.relu(one + two + three + four)


class DenseNetwork(nn.Module):
    """``(n, 3, 112, 112)`` to ``(n, 136)`` landmark coordinates or ``(n, 7)`` expression logits."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(tensors, f"dense{i}", first=i == 0) for i in range(4)))
        self.head = Linear(tensors["fc/weights"], tensors["fc/bias"])

    def forward(self, x: Tensor) -> Tensor:
        """Prepared pictures to outputs."""
        out: Tensor = self.head(F.avg_pool2d(self.blocks(x), 7, 2).flatten(1))
        return out
