"""A quantised network of 8 bits as an ONNX file that computes with integers.

A layer's sum runs over whole numbers. With activations ``(a - z) / S_a`` and weights of output channel ``c``
``(w + Z_c) / S_c`` it is ``(sum (a - z) w + Z_c sum (a - z)) / (S_a S_c)``: ``ConvInteger`` gives the first sum, and
the second too, as one more output channel whose weights are 1. (``QLinearConv`` runs with one zero point for all
channels only.) Scales and batch normalisation, which stay in floating point, become one multiplication and one
addition.

Not everything is an integer: a layer whose input the method does not quantise, or that sums each channel apart, keeps
weights of 8 bits and computes in floating point. The picture has 256 levels by itself, so the first layer need not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from ..core import ParameterError, WeightsError
from ..files import check_onnx
from .quantization import (
    Activations,
    Convolution,
    FullyConnected,
    Slopes,
    channel_range,
    integers,
    levels,
    quantisers,
)

Floats = NDArray[np.float32]
BITS = 8
_LEAVES = (Activations, Convolution, FullyConnected, Slopes)
_OPSET, _FORMAT = 17, 8


@dataclass(frozen=True)
class Exported:
    """An integer network.

    Attributes:
        data: the ONNX file.
        integer, floating: layers whose sums run over integers, and those that compute in floating point.
    """

    data: bytes
    integer: int
    floating: int


@dataclass(frozen=True)
class _Value:
    """What a node of the network gives.

    Attributes:
        name: of the tensor in the file.
        levels: for integers, levels per unit; 0 for floating point.
        zero: for integers, their zero point.
        shift: for integers, what is to be added to their value.
        factor, offset: for floating point, what is still to be multiplied and added.
    """

    name: str
    levels: float = 0.0
    zero: int = 0
    shift: float = 0.0
    factor: Floats | None = None
    offset: Floats | None = None


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, _LEAVES) or super().is_leaf_module(m, module_qualified_name)


def export_int8(
    network: nn.Module, input_size: tuple[int, int], *, picture: tuple[float, float] | None = None
) -> Exported:
    """The file of a network that `quantization.quantised` made with 8 bits; its ranges are frozen.

    Args:
        network: in eval mode.
        input_size: ``(h, w)`` of its input; any number of pictures.
        picture: mean and scale by which pixels from 0 to 255 became the input; without it the first layer computes in
            floating point.

    Raises:
        ParameterError: other than 8 bits, or ranges that still move.
        WeightsError: the network holds something that cannot be exported.
    """
    bits = {m.bits for m in network.modules() if isinstance(m, _LEAVES)}
    if bits != {BITS} or any(q.moving for q in quantisers(network)):
        raise ParameterError(
            "an integer network needs 8 bits and frozen ranges", given=f"{sorted(bits)} bits",
            expected="quantised(network, 8), calibrated, then freeze", do="other bits are simulated only",
        )  # fmt: skip
    return _Writer(network, input_size, picture).write(_Tracer().trace(network))


class _Writer:
    """Nodes and constants of the file, in the order of the network."""

    def __init__(self, network: nn.Module, size: tuple[int, int], picture: tuple[float, float] | None) -> None:
        self.modules = dict(network.named_modules())
        self.size, self.picture = size, picture
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.integer = self.floating = 0

    def write(self, graph: fx.Graph) -> Exported:
        """Walk through the network."""
        from onnx import TensorProto, helper

        known: dict[fx.Node, _Value] = {}
        for node in graph.nodes:
            inputs = [known[a] for a in node.args if isinstance(a, fx.Node)]
            if node.op == "placeholder":
                known[node] = self._pixels()
            elif node.op == "call_module":
                known[node] = self._module(self.modules[str(node.target)], inputs[0])
            elif node.op == "output":
                self.nodes.append(helper.make_node("Identity", [self._plain(inputs[0])], ["output"]))
            else:
                known[node] = self._function(node, inputs)
        tensors = [
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
            for name, shape in (("images", ["n", 3, *self.size]), ("output", ["n", None]))
        ]
        made = helper.make_graph(self.nodes, "quantised", *tensors, self.constants)
        opset = helper.make_opsetid("", _OPSET)
        data: bytes = helper.make_model(made, opset_imports=[opset], ir_version=_FORMAT).SerializeToString()
        check_onnx(data, "the integer network")
        return Exported(data, self.integer, self.floating)

    def _pixels(self) -> _Value:
        """Pixels as the integers that they were; where the mean is no integer, a part of a level is left to add."""
        if self.picture is None:
            return _Value("images")
        mean, scale = self.picture
        zero = int(mean)
        part = (mean - zero) * scale
        moved = self._add("Add", "images", self._constant(np.float32(part)))
        return replace(self._quantise(moved, 1 / scale, zero), shift=-part)

    def _module(self, module: nn.Module, x: _Value) -> _Value:
        if isinstance(module, Convolution | FullyConnected):
            return self._layer(module, x)
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            return self._normalise(module, x)
        if isinstance(module, Activations):
            scale, zero = levels(module.low, module.high, BITS)
            return self._quantise(self._plain(x), float(scale), 2 ** (BITS - 1) - int(zero))
        if isinstance(module, Slopes):
            weight = module.inner.weight.detach()
            scale, zero = levels(*weight.aminmax(), BITS)
            table = self._weights(integers(weight, scale, zero, BITS), scale, zero, (-1, 1, 1))
            return _Value(self._add("PRelu", self._plain(x), table))
        if isinstance(module, nn.ReLU):
            return _Value(self._add("Relu", self._plain(x)))
        if isinstance(module, nn.Flatten):
            return self._flat(x)
        if isinstance(module, nn.Identity):
            return x
        raise WeightsError("a layer cannot be exported as integers", given=type(module).__name__)

    def _function(self, node: fx.Node, inputs: list[_Value]) -> _Value:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", node.op)
        if name == "add" and len(inputs) == 2:
            return _Value(self._add("Add", *map(self._plain, inputs)))
        if name == "flatten":
            return self._flat(inputs[0])
        raise WeightsError("an operation cannot be exported as integers", given=name)

    def _layer(self, layer: Convolution | FullyConnected, x: _Value) -> _Value:
        inner = layer.inner
        weight = inner.weight.detach()
        shape = (1, -1, 1, 1) if isinstance(inner, nn.Conv2d) else (1, -1)
        bias = torch.zeros(len(weight)) if inner.bias is None else inner.bias.detach()
        offset = bias.reshape(shape).numpy()
        scale, zero = levels(*channel_range(weight), BITS)
        q = integers(weight, scale, zero, BITS)
        whole = inner.groups == 1 if isinstance(inner, nn.Conv2d) else not x.shift
        if not (x.levels and whole):
            self.floating += 1
            table = self._weights(q, scale, zero, tuple(weight.shape))
            return _Value(self._sum(inner, self._plain(x), table), factor=np.ones_like(offset), offset=offset)
        self.integer += 1
        with_ones = torch.cat([q, torch.ones_like(q[:1])]).numpy().astype(np.int8)
        sums, inputs = self._split(self._whole_sum(inner, x, with_ones), len(q))
        total = self._add("Add", sums, self._add("Mul", inputs, self._constant(zero.reshape(shape).numpy())))
        if x.shift and isinstance(inner, nn.Conv2d):
            # Padding is 0 in the network, so a shift counts inside of the picture only: one more convolution, which
            # the runtime computes once.
            inside = self._add("Cast", self._constant(np.ones((1, 1, *self.size), np.int8)), to=1)
            kernel = x.shift * x.levels * (q + zero).sum(1, keepdim=True)
            total = self._add("Add", total, self._add("Conv", inside, self._constant(kernel.numpy()), **_shape(inner)))
        return _Value(total, factor=(1 / (x.levels * scale.reshape(shape))).numpy(), offset=offset)

    def _sum(self, inner: nn.Module, x: str, table: str) -> str:
        """A convolution or a product of floating point numbers."""
        if isinstance(inner, nn.Conv2d):
            return self._add("Conv", x, table, **_shape(inner))
        return self._add("Gemm", x, table, transB=1)

    def _whole_sum(self, inner: nn.Module, x: _Value, rows: NDArray[np.int8]) -> str:
        """A convolution or a product of integers, as floating point numbers."""
        point = self._constant(np.uint8(x.zero))
        if isinstance(inner, nn.Conv2d):
            total = self._add("ConvInteger", x.name, self._constant(rows), point, **_shape(inner))
        else:
            total = self._add("MatMulInteger", x.name, self._constant(np.ascontiguousarray(rows.T)), point)
        return self._add("Cast", total, to=1)

    def _normalise(self, norm: nn.BatchNorm2d | nn.BatchNorm1d, x: _Value) -> _Value:
        shape = (1, -1, 1, 1) if isinstance(norm, nn.BatchNorm2d) else (1, -1)
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None
        assert variance is not None
        factor = (norm.weight / torch.sqrt(variance + norm.eps)).detach()
        more = (norm.bias - mean * factor).detach().reshape(shape).numpy()
        times = factor.reshape(shape).numpy()
        if x.factor is None or x.offset is None:
            return _Value(self._plain(x), factor=times, offset=more)
        return replace(x, factor=x.factor * times, offset=x.offset * times + more)

    def _quantise(self, name: str, scale: float, zero: int) -> _Value:
        if not 0 <= zero < 2**BITS:
            raise WeightsError(
                "a range of activations does not hold 0", given=f"zero point {zero}", expected=f"0 to {2**BITS - 1}"
            )
        step, point = self._constant(np.float32(1 / scale)), self._constant(np.uint8(zero))
        return _Value(self._add("QuantizeLinear", name, step, point), scale, zero)

    def _plain(self, x: _Value) -> str:
        """The tensor in floating point, with nothing left to do."""
        name = x.name
        if x.levels:
            step, point = self._constant(np.float32(1 / x.levels)), self._constant(np.uint8(x.zero))
            name = self._add("DequantizeLinear", name, step, point)
            return self._add("Add", name, self._constant(np.float32(x.shift))) if x.shift else name
        if x.factor is None or x.offset is None:
            return name
        if np.any(x.factor != 1):
            name = self._add("Mul", name, self._constant(x.factor))
        return self._add("Add", name, self._constant(x.offset)) if np.any(x.offset) else name

    def _flat(self, x: _Value) -> _Value:
        if x.levels:
            return replace(x, name=self._add("Flatten", x.name, axis=1))
        return _Value(self._add("Flatten", self._plain(x), axis=1))

    def _weights(self, q: Tensor, scale: Tensor, zero: Tensor, shape: tuple[int, ...]) -> str:
        """Weights that lie in the file as integers of 8 bits, for a layer that computes in floating point."""
        name = self._add("Cast", self._constant(q.reshape(shape).numpy().astype(np.int8)), to=1)
        name = self._add("Add", name, self._constant(zero.numpy()))
        return self._add("Mul", name, self._constant((1 / scale).numpy()))

    def _split(self, name: str, count: int) -> tuple[str, str]:
        from onnx import helper

        parts = [f"s{len(self.nodes)}_{i}" for i in range(2)]
        sizes = self._constant(np.array([count, 1], np.int64))
        self.nodes.append(helper.make_node("Split", [name, sizes], parts, axis=1))
        return parts[0], parts[1]

    def _add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def _constant(self, value: Any) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name


def _shape(layer: nn.Conv2d) -> dict[str, Any]:
    """Attributes of a convolution in a file."""
    if not isinstance(layer.padding, tuple) or set(layer.dilation) != {1}:
        raise WeightsError(
            "a convolution cannot be exported", given=str(layer), expected="padding in pixels, no dilation"
        )
    return {"strides": list(layer.stride), "pads": [*layer.padding, *layer.padding], "group": layer.groups}


def session(data: bytes) -> Any:
    """An ONNX Runtime session on one thread of the CPU; of files that were made here, for none is checked."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def run(data: bytes, prepared: Tensor) -> Floats:
    """Outputs ``(n, d)`` of a file for prepared pictures ``(n, 3, h, w)``."""
    out: Any = session(data).run(None, {"images": np.ascontiguousarray(prepared.numpy())})[0]
    return np.asarray(out, np.float32)


@dataclass(frozen=True)
class Agreement:
    """How near two networks' embeddings of the same pictures are.

    Attributes:
        cosine: ``float64 (n,)``.
        difference: largest of an entry, vectors of unit length.
    """

    cosine: NDArray[np.float64]
    difference: float


def agreement(one: NDArray[np.floating], other: NDArray[np.floating]) -> Agreement:
    """Of embeddings ``(n, d)``."""
    sides = [F.normalize(torch.from_numpy(np.asarray(e, np.float64))) for e in (one, other)]
    return Agreement((sides[0] * sides[1]).sum(1).numpy(), float((sides[0] - sides[1]).abs().max()))


def seconds_per_picture(
    networks: Mapping[str, bytes], prepared: Tensor, *, batch: int, runs: int = 15
) -> dict[str, float]:
    """Median time of several runs of each file, in turn in one process, on one thread.

    Args:
        networks: ONNX files by name.
        prepared: ``(n, 3, h, w)`` with ``n`` at least ``batch``.
        batch: pictures at a time.
        runs: of each; each has one run before it that does not count.
    """
    given = {"images": np.ascontiguousarray(prepared[:batch].numpy())}
    sessions = {name: session(data) for name, data in networks.items()}
    times: dict[str, list[float]] = {name: [] for name in networks}
    for number in range(runs + 1):
        for name, ready in sessions.items():
            start = time.perf_counter()
            ready.run(None, given)
            if number:
                times[name].append(time.perf_counter() - start)
    return {name: float(np.median(t)) / len(given["images"]) for name, t in times.items()}
