"""Convolutions that take TensorFlow's kernels and pad as TensorFlow does.

What follows a convolution (a sum, an activation) is said to the convolution, since oneDNN computes all of it in
one pass over memory; for these small networks the passes cost as much as the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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


# Name to: the function, and oneDNN's name and numbers for it.
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], str, list[float]]] = {
    "none": (lambda x: x, "none", []),
    "relu": (F.relu, "relu", []),
    "relu6": (lambda x: x.clamp(0, 6), "hardtanh", [0.0, 6.0]),
    "leaky": (lambda x: F.leaky_relu(x, 0.1), "leaky_relu", [0.1]),
}


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
        self.fused = False
        self._packed: Tensor | None = None

    def forward(self, x: Tensor, *, plus: Tensor | None = None, then: str = "none") -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``.

        Args:
            x: input.
            plus: ``(n, out, h', w')``, added to the result.
            then: activation at the end, of ``ACTIVATIONS``.
        """
        pad = self.padding if isinstance(self.padding, int) else 0
        if self.padding == "same":
            kernel = self.weight.shape[-1]
            (top, bottom), (left, right) = (same_padding(int(s), kernel, self.stride) for s in x.shape[-2:])
            if top == bottom == left == right:
                pad = top
            else:
                x = F.pad(x, (left, right, top, bottom))
        if self.fused:
            return self._in_one_pass(x, pad, plus, then)
        out = F.conv2d(x, self.weight, self.bias, self.stride, pad, 1, self.groups)
        return ACTIVATIONS[then][0](out if plus is None else out + plus)

    def _in_one_pass(self, x: Tensor, pad: int, plus: Tensor | None, then: str) -> Tensor:
        """The same by oneDNN's fused convolution, on a kernel that is reordered once."""
        ops: Any = torch.ops.mkldnn
        activate, name, numbers = ACTIVATIONS[then]
        shape = ([pad] * 2, [self.stride] * 2, [1, 1], self.groups)
        if self._packed is None:
            # Any batch size may use the kernel; packed for one picture it was the fastest for all.
            kernel = self.weight.contiguous(memory_format=torch.channels_last)
            self._packed = ops._reorder_convolution_weight(kernel, *shape, [1, *x.shape[1:]])
        if plus is None:
            out: Tensor = ops._convolution_pointwise(x, self._packed, self.bias, *shape, name, numbers, "")
            return out
        # Behind a sum the binding knows this one activation, and not for depthwise kernels.
        last = "relu" if then == "relu" and self.groups == 1 else None
        out = ops._convolution_pointwise(x, plus, self._packed, self.bias, *shape, "add", 1.0, last, [], "")
        return out if last else activate(out)


def fuse(network: nn.Module) -> nn.Module:
    """Let a network's convolutions compute what follows them in one pass: bfloat16 inference on a CPU only."""
    backend: Any = torch.backends.mkldnn
    if backend.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        for module in network.modules():
            if isinstance(module, Conv):
                module.fused = True
    return network


class Separable(nn.Module):
    """Depthwise, then pointwise convolution, bias at the end."""

    def __init__(self, tensors: Tensors, name: str, *, stride: int = 1, padding: str | int = "same") -> None:
        super().__init__()
        self.depthwise = Conv(tensors[f"{name}/depthwise_filter"], stride=stride, padding=padding, depthwise=True)
        self.pointwise = Conv(tensors[f"{name}/pointwise_filter"], tensors[f"{name}/bias"])

    def forward(self, x: Tensor, *, plus: Tensor | None = None, then: str = "none") -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``; ``plus`` and ``then`` as for `Conv`."""
        out: Tensor = self.pointwise(self.depthwise(x), plus=plus, then=then)
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
