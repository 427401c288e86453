"""Convolutions that take TensorFlow's kernels and pad as TensorFlow does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

Tensors = Mapping[str, NDArray[np.float32]]


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and after one side under TensorFlow's rule "same"; the odd pixel comes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Conv(nn.Module):
    """A convolution with bias; ``padding`` is ``"same"`` (TensorFlow's), ``"valid"`` or a number.

    Args:
        kernel: ``(kh, kw, in, out)``, or ``(kh, kw, channels, 1)`` for a depthwise convolution.
        bias: ``(out,)`` or None.
    """

    def __init__(
        self,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32] | None = None,
        *,
        stride: int = 1,
        padding: str | int = "same",
        depthwise: bool = False,
    ) -> None:
        super().__init__()
        order = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
        self.weight = nn.Parameter(torch.from_numpy(np.ascontiguousarray(kernel.transpose(order))))
        self.bias = None if bias is None else nn.Parameter(torch.from_numpy(bias.copy()))
        self.stride = stride
        self.padding = padding
        self.groups = kernel.shape[2] if depthwise else 1

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``."""
        pad = self.padding if isinstance(self.padding, int) else 0
        if self.padding == "same":
            kernel = self.weight.shape[-1]
            (top, bottom), (left, right) = (same_padding(int(s), kernel, self.stride) for s in x.shape[-2:])
            if top == bottom == left == right:
                pad = top
            else:
                x = F.pad(x, (left, right, top, bottom))
        return F.conv2d(x, self.weight, self.bias, self.stride, pad, 1, self.groups)


class Separable(nn.Module):
    """Depthwise, then pointwise convolution, bias at the end."""

    def __init__(self, tensors: Tensors, name: str, *, stride: int = 1, padding: str | int = "same") -> None:
        super().__init__()
        self.depthwise = Conv(tensors[f"{name}/depthwise_filter"], stride=stride, padding=padding, depthwise=True)
        self.pointwise = Conv(tensors[f"{name}/pointwise_filter"], tensors[f"{name}/bias"])

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``."""
        out: Tensor = self.pointwise(self.depthwise(x))
        return out


class Linear(nn.Module):
    """A fully connected layer from TensorFlow's ``(in, out)`` weights."""

    def __init__(self, weights: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(np.ascontiguousarray(weights.T)))
        self.bias = None if bias is None else nn.Parameter(torch.from_numpy(bias.copy()))

    def forward(self, x: Tensor) -> Tensor:
        """``(n, in)`` to ``(n, out)``."""
        return F.linear(x, self.weight, self.bias)
