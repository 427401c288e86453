"""The integer file: it computes what is simulated, with integers, in the user's networks too."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from workbench.core import ParameterError, WeightsError
from workbench.methods import quantization as q
from workbench.methods import quantization_export as export
from workbench.methods.quantization_networks import SmallNetwork
from workbench.models.networks.iresnet import IResNet
from workbench.models.networks.mobilefacenet import MobileFaceNet

PICTURE = (127.5, 1 / 127.5)


def pixels(n: int, size: tuple[int, int], seed: int = 0) -> torch.Tensor:
    """Smooth pictures of whole pixels, in [-1, 1]."""
    small = torch.rand(n, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return (nn.functional.interpolate(small, size, mode="bilinear") * 255).round() / 127.5 - 1


def student(network: nn.Module, size: tuple[int, int], bits: int = 8) -> nn.Module:
    """A calibrated student of a network whose statistics and slopes are no longer those of its initialisation."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for m in network.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.weight.uniform_(0.7, 1.3, generator=generator)
                m.bias.normal_(0, 0.2, generator=generator)
            elif isinstance(m, nn.PReLU):
                m.weight.uniform_(-0.1, 0.4, generator=generator)
            elif isinstance(m, nn.Conv2d | nn.Linear):
                m.weight.normal_(0, m.weight[0].numel() ** -0.5, generator=generator)
        for seed in range(3):
            network.train()(pixels(4, size, seed))
        found = q.quantised(network.eval(), bits)
        found(pixels(16, size, 5))
    return q.freeze(found).eval()


def layers(data: bytes) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    model = onnx.load_model_from_string(data)
    return model, {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}


@pytest.mark.parametrize("picture", [PICTURE, None], ids=["pixels", "floating"])
def test_integers_and_simulation_agree(picture: tuple[float, float] | None) -> None:
    network, x = student(SmallNetwork(), (32, 32)), pixels(20, (32, 32), 9)
    written = export.export_int8(network, (32, 32), picture=picture)
    assert (written.integer, written.floating) == ((7, 0) if picture else (6, 1))
    with torch.no_grad():
        simulated = network(x).numpy()
        exact = network.double()(x.double()).numpy()
    found = export.agreement(export.run(written.data, x), simulated)
    assert found.cosine.min() > 0.9995
    # Values in the middle between two levels go either way; they do in the simulation's own arithmetic.
    own = export.agreement(exact, simulated)
    assert found.difference < max(0.005, 3 * own.difference)


def test_one_layer_agrees_to_the_last_digits() -> None:
    """No level is chosen behind it, so nothing can go either way."""
    layer = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8))
    network, x = student(layer, (12, 10)), pixels(3, (12, 10), 1)
    written = export.export_int8(nn.Sequential(network, nn.Flatten()), (12, 10), picture=PICTURE)
    with torch.no_grad():
        wanted = network(x).flatten(1).numpy()
    assert export.run(written.data, x) == pytest.approx(wanted, abs=2e-6)
    moved = export.export_int8(nn.Sequential(network, nn.Flatten()), (12, 10), picture=(127.0, 1 / 127.5))
    assert np.abs(export.run(moved.data, x) - wanted).max() > 1e-3


def test_weights_lie_in_the_file_as_integers_and_sums_run_over_them() -> None:
    network = student(SmallNetwork(), (32, 32))
    data = export.export_int8(network, (32, 32), picture=PICTURE).data
    model, constants = layers(data)
    operators = [n.op_type for n in model.graph.node]
    assert (operators.count("ConvInteger"), operators.count("MatMulInteger")) == (6, 1)
    # One convolution of a constant, for the half level by which pixels are moved.
    assert (operators.count("Conv"), operators.count("Gemm"), operators.count("MatMul")) == (1, 0, 0)
    moved = next(n for n in model.graph.node if n.op_type == "Conv")
    cast = next(n for n in model.graph.node if moved.input[0] in n.output)
    assert cast.input[0] in constants
    first = next(n for n in model.graph.node if n.op_type == "ConvInteger")
    weights, point = constants[first.input[1]], constants[first.input[2]]
    inner = next(m for m in network.modules() if isinstance(m, q.Convolution)).inner.weight.detach()
    low, high = inner.flatten(1).min(1).values, inner.flatten(1).max(1).values
    for c in range(16):
        scale = 255 / float(high[c] - low[c])
        zero = round(scale * float(low[c])) + 128
        assert (weights[c].astype(int) + zero) / scale == pytest.approx(inner[c].numpy(), abs=0.501 / scale + 1e-6)
    assert weights.dtype == np.int8
    assert np.array_equal(weights[-1], np.ones((3, 3, 3), np.int8))
    assert int(point) == 127
    whole = sum(v.nbytes for v in constants.values() if v.dtype == np.int8)
    assert whole > 0.9 * sum(v.nbytes for v in constants.values())


@pytest.mark.parametrize(
    ("network", "size", "counts"),
    [(MobileFaceNet(), (112, 96), (32, 18)), (IResNet((1, 1, 1, 1)), (112, 112), (9, 5))],
    ids=["mobilefacenet", "iresnet"],
)
def test_layers_whose_input_is_not_quantised_compute_in_floating_point(
    network: nn.Module, size: tuple[int, int], counts: tuple[int, int]
) -> None:
    few, x = student(network, size), pixels(2, size, 3)
    written = export.export_int8(few, size, picture=PICTURE)
    assert written.integer + written.floating == sum(
        isinstance(m, q.Convolution | q.FullyConnected) for m in few.modules()
    )
    assert (written.integer, written.floating) == counts
    _, constants = layers(written.data)
    assert not [v for v in constants.values() if v.dtype == np.float32 and v.size > 512 * 56]
    with torch.no_grad():
        found = export.agreement(export.run(written.data, x), few(x).numpy())
    assert found.cosine.min() > 0.995


def test_only_eight_bits_with_frozen_ranges_become_integers() -> None:
    with pytest.raises(ParameterError, match=r"\[6\] bits"):
        export.export_int8(student(SmallNetwork((4, 8)), (32, 32), 6), (32, 32))
    moving = q.quantised(SmallNetwork((4, 8)), 8)
    with pytest.raises(ParameterError, match="frozen ranges"):
        export.export_int8(moving.eval(), (32, 32))


def test_a_range_without_zero_and_a_strange_layer_are_refused() -> None:
    network = student(SmallNetwork((4, 8)), (32, 32))
    next(q.quantisers(network)).low.fill_(0.5)
    next(q.quantisers(network)).high.fill_(0.9)
    with pytest.raises(WeightsError, match="does not hold 0"):
        export.export_int8(network, (32, 32))
    other = student(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sigmoid()), (8, 8))
    with pytest.raises(WeightsError, match="Sigmoid"):
        export.export_int8(other, (8, 8))


def test_times_are_of_every_file_and_agreement_is_by_hand() -> None:
    data = export.export_int8(student(SmallNetwork((4, 8)), (32, 32)), (32, 32), picture=PICTURE).data
    times = export.seconds_per_picture({"a": data, "b": data}, pixels(4, (32, 32)), batch=2, runs=3)
    assert set(times) == {"a", "b"}
    assert min(times.values()) > 0
    found = export.agreement(np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[6.0, 8.0], [0.0, 2.0]]))
    assert found.cosine.tolist() == pytest.approx([1, 0])
    assert found.difference == pytest.approx(1)
