"""The age and gender network of face-api: a small Xception with two linear heads."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Conv, Linear, Separable, Tensors, same_padding


class Reduction(nn.Module):
    """Two separable convolutions and pooling, beside a strided 1 x 1 convolution."""

    def __init__(self, tensors: Tensors, name: str, *, activate: bool = True) -> None:
        super().__init__()
        self.activate = activate
        self.conv0 = Separable(tensors, f"{name}/separable_conv0")
        self.conv1 = Separable(tensors, f"{name}/separable_conv1")
        side = f"{name}/expansion_conv"
        self.side = Conv(tensors[f"{side}/filters"], tensors[f"{side}/bias"], stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h/2, w/2)``."""
        out = self.conv1(self.conv0(F.relu(x) if self.activate else x, then="relu"))
        (top, bottom), (left, right) = (same_padding(int(s), 3, 2) for s in out.shape[-2:])
        pooled: Tensor = F.max_pool2d(F.pad(out, (left, right, top, bottom), value=-torch.inf), 3, 2)
        side: Tensor = self.side(x)
        return pooled + side


class Middle(nn.Module):
    """Three separable convolutions beside a shortcut."""

    def __init__(self, tensors: Tensors, name: str) -> None:
        super().__init__()
        self.convs = nn.ModuleList(Separable(tensors, f"{name}/separable_conv{i}") for i in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape."""
        out = F.relu(x)
        for conv in self.convs[:-1]:
            out = conv(out, then="relu")
        return self.convs[-1](out, plus=x)  # type: ignore[no-any-return]


class AgeGender(nn.Module):
    """``(n, 3, 112, 112)`` to ``(n, 3)``: age in years, and two gender logits (male first)."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        entry = "entry_flow/conv_in"
        self.entry = Conv(tensors[f"{entry}/filters"], tensors[f"{entry}/bias"], stride=2)
        self.body = nn.Sequential(
            Reduction(tensors, "entry_flow/reduction_block_0", activate=False),
            Reduction(tensors, "entry_flow/reduction_block_1"),
            Middle(tensors, "middle_flow/main_block_0"),
            Middle(tensors, "middle_flow/main_block_1"),
            Reduction(tensors, "exit_flow/reduction_block"),
            Separable(tensors, "exit_flow/separable_conv"),
        )
        self.age = Linear(tensors["fc/age/weights"], tensors["fc/age/bias"])
        self.gender = Linear(tensors["fc/gender/weights"], tensors["fc/gender/bias"])

    def forward(self, x: Tensor) -> Tensor:
        """Prepared crops to age and logits."""
        features = F.avg_pool2d(F.relu(self.body(self.entry(x, then="relu"))), 7, 2).flatten(1)
        return torch.cat([self.age(features), self.gender(features)], dim=1)
