"""Fake quantisation: every pitfall of the sheet, and the formula in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from workbench.core import ParameterError, ShapeError
from workbench.methods import quantization as q
from workbench.methods import quantization_networks as networks
from workbench.models.networks.iresnet import IResNet
from workbench.models.networks.mobilefacenet import MobileFaceNet


def exact(x: Fraction, low: Fraction, high: Fraction, bits: int) -> Fraction:
    """The quantiser in exact arithmetic; `round` takes halves to even numbers, as torch does."""
    scale = (2**bits - 1) / max(high - low, Fraction(1, 10**8))
    zero = round(scale * low) + 2 ** (bits - 1)
    return (max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, round(scale * x - zero))) + zero) / scale


def of(x: torch.Tensor, low: float, high: float, bits: int) -> torch.Tensor:
    return q.fake_quantise(x, torch.tensor(low, dtype=x.dtype), torch.tensor(high, dtype=x.dtype), bits)


numbers = st.floats(-8, 8, allow_nan=False).map(lambda v: round(v, 3))


@given(numbers, st.floats(0.125, 8).map(lambda v: round(v, 3)), st.integers(2, 8), st.lists(numbers, min_size=1))
def test_values_are_those_of_the_formula_in_exact_arithmetic(
    low: float, span: float, bits: int, values: list[float]
) -> None:
    high = low + span
    found = of(torch.tensor(values, dtype=torch.float64), low, high, bits)
    step = span / (2**bits - 1)
    for x, got in zip(values, found.tolist(), strict=True):
        wanted = float(exact(Fraction(x), Fraction(low), Fraction(high), bits))
        # A value in the middle between two levels may go either way in floating point.
        middle = abs((x - wanted) / step) > 0.5 - 1e-6
        assert got == pytest.approx(wanted, abs=step * 1.0001 if middle else 1e-9 * step + 1e-12)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_the_scale_is_levels_per_unit(bits: int) -> None:
    low, high = -0.37, 1.21
    scale = float(q.levels(torch.tensor(low), torch.tensor(high), bits)[0])
    assert scale == pytest.approx((2**bits - 1) / 1.58)
    x = torch.linspace(low, high, 2001)
    found = of(x, low, high, bits)
    assert float(found.min()) >= low - 1 / scale
    assert float(found.max()) <= high + 1 / scale
    # Half a level, and as much again where the rounded zero point cuts the range's end off.
    assert float((x - found).abs().max()) <= 1 / scale + 1e-6
    inner = (x > low + 1 / scale) & (x < high - 1 / scale)
    assert float((x - found)[inner].abs().max()) <= 0.5 / scale + 1e-6
    assert len(found.unique()) == 2**bits


@given(st.floats(-9, 0), st.floats(0.001, 9), st.integers(2, 12))
def test_zero_is_kept_exactly_and_its_zero_point_is_an_integer(low: float, high: float, bits: int) -> None:
    found = of(torch.zeros(3), low, high, bits)
    assert found.tolist() == [0, 0, 0]
    _, zero = q.levels(torch.tensor(low), torch.tensor(high), bits)
    assert float(zero) == int(zero)


def test_a_channel_a_hundred_times_larger_does_not_spoil_the_others() -> None:
    weight = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    weight[3] *= 100
    others = [c for c in range(8) if c != 3]
    by_channel = (q.fake_weight(weight, 4) - weight)[others].abs().mean()
    together = (q.fake_quantise(weight, weight.min(), weight.max(), 4) - weight)[others].abs().mean()
    assert float(by_channel) < 0.15
    assert float(together) > 5 * float(by_channel)
    assert torch.equal(q.fake_weight(weight, 4)[3], q.fake_weight(weight[3:4], 4)[0])


def test_ranges_only_grow_and_percentiles_cut_an_outlier_off() -> None:
    generator = torch.Generator().manual_seed(0)
    quiet = [torch.randn(4, 1000, generator=generator) for _ in range(20)]
    loud = quiet[0].clone()
    loud[0, 0] = 300.0
    plain, clipped = (q.Activations(4, ranges) for ranges in ("min-max", "percentile"))
    for module in (plain, clipped):
        for x in (loud, *quiet):
            module(x)
        q.freeze(module)
    assert float(plain.high) == 300
    assert float(clipped.high) < 4
    errors = [float((m(quiet[5]) - quiet[5]).square().mean()) for m in (plain, clipped)]
    assert errors[0] > 20 * errors[1]


def test_the_gradient_passes_straight_through_outside_of_the_range_too() -> None:
    x = torch.tensor([-5.0, -0.3, 0.11, 0.4, 9.0], requires_grad=True)
    of(x, -1, 1, 4).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1, 1, 1, 1]


def test_all_weights_of_a_quantised_network_learn() -> None:
    network = q.quantised(networks.SmallNetwork((4, 8)), 4)
    network(torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert float(weight.grad.abs().max()) > 0, name


def used(network: nn.Module, size: tuple[int, int], seed: int = 0) -> nn.Module:
    """A network whose statistics are those of some noise, as trained ones' are of their pictures."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _ in range(3):
            network.train()(torch.randn(4, 3, *size, generator=generator))
    return network.eval()


@pytest.mark.parametrize(
    ("network", "size"),
    [(networks.SmallNetwork(), (32, 32)), (MobileFaceNet(), (112, 96)), (IResNet((1, 1, 1, 1)), (112, 112))],
    ids=["small", "mobilefacenet", "iresnet"],
)  # fmt: skip
def test_in_sixteen_bits_a_student_is_its_teacher(network: nn.Module, size: tuple[int, int]) -> None:
    network = used(network, size)
    x = torch.randn(3, 3, *size, generator=torch.Generator().manual_seed(1))
    student = q.quantised(network, 16)
    with torch.no_grad():
        student(x)
        q.freeze(student)
        cosine = nn.functional.cosine_similarity(network(x), student(x))
        few = q.quantised(network, 2)
        few(x)
        coarse = nn.functional.cosine_similarity(network(x), q.freeze(few)(x))
    assert float(cosine.min()) > 0.9999
    assert float(coarse.max()) < 0.99


def test_what_is_quantised_and_what_is_not() -> None:
    student = q.quantised(networks.SmallNetwork((4, 8)), 6, activations=4)
    kinds = [type(m).__name__ for m in student.modules()]
    assert [kinds.count(k) for k in ("Convolution", "FullyConnected", "Slopes", "BatchNorm2d")] == [6, 1, 4, 6]
    # After each PReLU and after each of the two blocks.
    assert kinds.count("Activations") == 4 + 2
    assert {m.bits for m in student.modules() if isinstance(m, q.Convolution | q.FullyConnected)} == {6}
    assert {m.bits for m in student.modules() if isinstance(m, q.Slopes | q.Activations)} == {4}
    assert not any(isinstance(m, q.Convolution) for m in networks.SmallNetwork((4, 8)).modules())


def test_slopes_are_on_the_levels_of_their_own_range() -> None:
    inner = nn.PReLU(5)
    inner.weight.data = torch.tensor([-0.2, 0.0, 0.1, 0.25, 0.31])
    found = q.Slopes(inner, 4).slopes().detach()
    assert found.tolist() == pytest.approx([float(exact(Fraction(v), Fraction(-0.2), Fraction(0.31), 4))
                                            for v in (-0.2, 0.0, 0.1, 0.25, 0.31)], abs=1e-6)  # fmt: skip
    assert float(found[1]) == 0


def test_a_frozen_network_judges_a_picture_alone_as_in_any_batch() -> None:
    network = used(networks.SmallNetwork((4, 8)), (32, 32))
    x = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    student = q.quantised(network, 4).eval()
    with torch.no_grad():
        student(x[:3])
        q.freeze(student)
        before = [float(m.high) for m in q.quantisers(student)]
        together, alone = student(10 * x), student(10 * x[2:3])
    assert [float(m.high) for m in q.quantisers(student)] == before
    assert torch.allclose(together[2:3], alone, atol=1e-5)


def test_what_was_never_calibrated_cannot_be_frozen() -> None:
    with pytest.raises(ShapeError, match="no range"):
        q.freeze(q.quantised(networks.SmallNetwork((4, 8)), 4))
    with pytest.raises(ParameterError, match="1 bits"):
        q.quantised(networks.SmallNetwork((4, 8)), 1)


def test_sizes_follow_from_the_bits() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4), nn.Flatten(), nn.Linear(16, 2))
    size = q.size(network)
    assert (size.weights, size.others) == (3 * 4 * 9 + 4 + 32, 4 + 4 * 4 + 2)
    assert size.weight_megabytes(8) * 1e6 == 144
    assert size.weight_megabytes(32) / size.weight_megabytes(4) == 8
    assert size.megabytes(6) * 1e6 == pytest.approx(144 * 6 / 8 + 22 * 4)


def test_a_published_network_has_its_published_sizes() -> None:
    size = q.size(IResNet((3, 13, 30, 3)))
    # QuantFace's ResNet-100: 261.2, 65.3 and 49.0 MB, batch normalisation counted at the same bits.
    for bits, published in ((32, 261.2), (8, 65.3), (6, 49.0)):
        assert size.weight_megabytes(bits) == pytest.approx(published, rel=0.01)
