"""Fake quantisation as in QuantFace (arXiv 2206.10526): a network computes in floating point with few distinct values.

A quantiser of ``k`` bits and range ``[lo, hi]`` has ``S = (2^k - 1) / max(hi - lo, 1e-8)`` *levels per unit* and an
integer zero point ``Z = round(S lo) + 2^(k-1)``. Then ``q = clamp(round(S x - Z), -2^(k-1), 2^(k-1) - 1)`` is the
integer and ``(q + Z) / S`` its value. Because ``Z`` is an integer, 0 is kept exactly where the range holds it. The
gradient passes straight through, outside of the range too.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..core import ParameterError, ShapeError
from ..models.networks import iresnet, mobilefacenet, phantom
from .quantization_networks import Residual

Ranges = Literal["min-max", "percentile"]
# Of the labelled option: what lies beyond is cut off, batch by batch.
PERCENTILE = 99.9


def levels(low: Tensor, high: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Levels per unit ``S`` and zero point ``Z``, both as floating point numbers, of ranges of any shape."""
    scale = (2**bits - 1) / (high - low).clamp(min=1e-8)
    return scale, torch.round(scale * low) + 2 ** (bits - 1)


def integers(x: Tensor, scale: Tensor, zero: Tensor, bits: int) -> Tensor:
    """Whole numbers from ``-2^(bits-1)`` to ``2^(bits-1) - 1``, as floating point numbers."""
    half = 2 ** (bits - 1)
    return torch.addcmul(-zero, x, scale).round_().clamp_(-half, half - 1)


class _Straight(torch.autograd.Function):
    """Quantise and return; the gradient is the identity."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, zero: Tensor, bits: int) -> Tensor:
        return integers(x, scale, zero, bits).add_(zero).div_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0], None, None, None


def fake_quantise(x: Tensor, low: Tensor, high: Tensor, bits: int) -> Tensor:
    """``x`` on the levels of a range.

    Args:
        x: any shape.
        low: of a shape that broadcasts to ``x``; no gradient reaches it.
        high: likewise.
        bits: 2 to 16.

    Returns:
        Like ``x``; the gradient is handed on as it comes.
    """
    with torch.no_grad():
        scale, zero = levels(low, high, bits)
    out: Tensor = _Straight.apply(x, scale, zero, bits)  # type: ignore[no-untyped-call]
    return out


def channel_range(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest and highest weight of each output channel ``(out, ...)``, in a shape that broadcasts to the weights."""
    low, high = weight.detach().flatten(1).aminmax(dim=1)
    shape = (-1, *[1] * (weight.dim() - 1))
    return low.reshape(shape), high.reshape(shape)


def fake_weight(weight: Tensor, bits: int) -> Tensor:
    """Weights ``(out, ...)`` on the levels of their own channel's range, which is looked at anew each time."""
    return fake_quantise(weight, *channel_range(weight), bits)


class Activations(nn.Module):
    """Quantises what passes, on the range that it has seen.

    Attributes:
        low, high: the range so far; it only grows.
        moving: whether it still looks; else the range is frozen.
    """

    low: Tensor
    high: Tensor

    def __init__(self, bits: int, ranges: Ranges = "min-max") -> None:
        super().__init__()
        self.bits, self.ranges, self.moving = bits, ranges, True
        self.register_buffer("low", torch.tensor(torch.inf))
        self.register_buffer("high", torch.tensor(-torch.inf))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        if self.moving:
            self.look(x.detach())
        return fake_quantise(x, self.low, self.high, self.bits)

    def look(self, x: Tensor) -> None:
        """Widen the range."""
        if self.ranges == "min-max":
            low, high = x.aminmax()
        else:
            beyond = max(1, round((1 - PERCENTILE / 100) * x.numel()))
            flat = x.flatten()
            low, high = flat.kthvalue(beyond).values, flat.kthvalue(flat.numel() + 1 - beyond).values
        torch.minimum(self.low, low, out=self.low)
        torch.maximum(self.high, high, out=self.high)


class Convolution(nn.Module):
    """A convolution with quantised weights."""

    def __init__(self, inner: nn.Conv2d, bits: int) -> None:
        super().__init__()
        self.inner, self.bits = inner, bits

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution."""
        out: Tensor = self.inner._conv_forward(x, fake_weight(self.inner.weight, self.bits), self.inner.bias)
        return out


class FullyConnected(nn.Module):
    """A fully connected layer with quantised weights."""

    def __init__(self, inner: nn.Linear, bits: int) -> None:
        super().__init__()
        self.inner, self.bits = inner, bits

    def forward(self, x: Tensor) -> Tensor:
        """As the layer."""
        return F.linear(x, fake_weight(self.inner.weight, self.bits), self.inner.bias)


class Slopes(nn.Module):
    """A PReLU whose slopes are quantised together, with the bits of activations."""

    def __init__(self, inner: nn.PReLU, bits: int) -> None:
        super().__init__()
        self.inner, self.bits = inner, bits

    def slopes(self) -> Tensor:
        """The slopes in use."""
        low, high = self.inner.weight.detach().aminmax()
        return fake_quantise(self.inner.weight, low, high, self.bits)

    def forward(self, x: Tensor) -> Tensor:
        """As the PReLU."""
        return F.prelu(x, self.slopes())


# Behind these what they give is quantised too.
BLOCKS: tuple[type[nn.Module], ...] = (Residual, iresnet.Block, mobilefacenet.Bottleneck, phantom.Residual)


def quantised(
    network: nn.Module, bits: int, *, activations: int | None = None, ranges: Ranges = "min-max"
) -> nn.Module:
    """A copy whose convolutions, fully connected layers, PReLUs and activations are quantised; all else stays.

    Batch normalisation and biases stay in floating point, and so does the picture.

    Args:
        network: full precision.
        bits: of weights, 2 to 16.
        activations: bits of activations; those of the weights if not given.
        ranges: ``"min-max"``, or ``"percentile"`` to cut off a thousandth of each batch's values at either end.

    Raises:
        ParameterError: no sensible number of bits.
    """
    inner = bits if activations is None else activations
    for given in (bits, inner):
        if not 2 <= given <= 16:
            raise ParameterError("no such quantiser", given=f"{given} bits", expected="2 to 16 bits")
    copied = copy.deepcopy(network)
    _wrap(copied, bits, inner, ranges)
    return copied


def _wrap(module: nn.Module, bits: int, activations: int, ranges: Ranges) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d):
            module.add_module(name, Convolution(child, bits))
        elif isinstance(child, nn.Linear):
            module.add_module(name, FullyConnected(child, bits))
        elif isinstance(child, nn.PReLU):
            module.add_module(name, nn.Sequential(Slopes(child, activations), Activations(activations, ranges)))
        elif isinstance(child, nn.ReLU):
            module.add_module(name, nn.Sequential(child, Activations(activations, ranges)))
        else:
            _wrap(child, bits, activations, ranges)
            if isinstance(child, BLOCKS):
                module.add_module(name, nn.Sequential(child, Activations(activations, ranges)))


def quantisers(network: nn.Module) -> Iterator[Activations]:
    """All quantisers of activations, in the order of the network's modules."""
    return (m for m in network.modules() if isinstance(m, Activations))


def freeze(network: nn.Module) -> nn.Module:
    """Stop all ranges where they are: before a network is judged, or results depend on the batches.

    Raises:
        ShapeError: a quantiser has not seen anything yet.
    """
    for quantiser in quantisers(network):
        if not bool(torch.isfinite(quantiser.low) & torch.isfinite(quantiser.high)):
            raise ShapeError(
                "a quantiser of activations has no range", given="a network that has seen nothing",
                do="calibrate it first",
            )  # fmt: skip
        quantiser.moving = False
    return network


@dataclass(frozen=True)
class Size:
    """How much a network takes.

    Attributes:
        weights: numbers in convolutions, fully connected layers and PReLUs.
        others: parameters and statistics that stay in floating point.
    """

    weights: int
    others: int

    def megabytes(self, bits: int) -> float:
        """Weights at ``bits`` each, the others at 32; 10^6 bytes."""
        return (self.weights * bits + self.others * 32) / 8e6

    def weight_megabytes(self, bits: int) -> float:
        """Weights alone, as QuantFace's tables count."""
        return self.weights * bits / 8e6


def size(network: nn.Module) -> Size:
    """Count a network in full precision."""
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.PReLU)]
    weights = sum(m.weight.numel() for m in layers)
    tensors = [v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")]
    return Size(weights, sum(v.numel() for v in tensors) - weights)
