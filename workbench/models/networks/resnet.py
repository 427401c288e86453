"""The 128-d recogniser: dlib's 29-layer residual network, as face-api carries it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Conv, Linear, Tensors


def folded(tensors: Tensors, name: str, *, stride: int, padding: str) -> Conv:
    """A convolution with the scale layer behind it folded into kernel and bias."""
    weights, biases = tensors[f"{name}/scale/weights"], tensors[f"{name}/scale/biases"]
    return Conv(
        tensors[f"{name}/conv/filters"] * weights,
        tensors[f"{name}/conv/bias"] * weights + biases,
        stride=stride,
        padding=padding,
    )


class Residual(nn.Module):
    """Two convolutions beside a shortcut; ``down`` halves the picture and may widen it by zeros."""

    def __init__(self, tensors: Tensors, name: str, *, down: bool) -> None:
        super().__init__()
        self.down = down
        self.conv1 = folded(tensors, f"{name}/conv1", stride=2 if down else 1, padding="valid" if down else "same")
        self.conv2 = folded(tensors, f"{name}/conv2", stride=1, padding="same")

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``."""
        out: Tensor = self.conv1(x, then="relu")
        if not self.down:
            return self.conv2(out, plus=x, then="relu")  # type: ignore[no-any-return]
        out = self.conv2(out)
        short = F.avg_pool2d(x, 2, 2)
        out = F.pad(out, (0, short.shape[3] - out.shape[3], 0, short.shape[2] - out.shape[2]))
        short = F.pad(short, (0, 0, 0, 0, 0, out.shape[1] - short.shape[1]))
        return F.relu(out + short)


LAYERS = "32_1 32_2 32_3 64_down 64_1 64_2 64_3 128_down 128_1 128_2 256_down 256_1 256_2 256_down_out"


class Recogniser(nn.Module):
    """``(n, 3, 150, 150)`` to ``(n, 128)``, not normalised."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self.entry = folded(tensors, "conv32_down", stride=2, padding="valid")
        self.body = nn.Sequential(*(Residual(tensors, f"conv{n}", down="down" in n) for n in LAYERS.split()))
        self.head = Linear(tensors["fc"])

    def forward(self, x: Tensor) -> Tensor:
        """Prepared chips to raw embeddings."""
        out: Tensor = self.head(torch.mean(self.body(F.max_pool2d(self.entry(x, then="relu"), 3, 2)), dim=(2, 3)))
        return out
