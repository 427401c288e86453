"""Fused convolutions against the plain ones that they replace."""

import numpy as np
import pytest
import torch

from workbench.models import devices
from workbench.models.catalog import torch_network
from workbench.models.engines import CPU_PIXELS, TorchEngine
from workbench.models.networks.layers import ACTIVATIONS, Conv, fuse

pytestmark = pytest.mark.skipif(not devices.fast_bf16("cpu"), reason="this CPU does not compute bfloat16 natively")


@pytest.mark.parametrize("then", ACTIVATIONS)
@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize(
    ("stride", "padding", "depthwise"), [(1, "same", False), (2, "same", True), (2, "valid", False)]
)
def test_one_pass_is_the_convolution_sum_and_activation(
    then: str, added: bool, stride: int, padding: str, depthwise: bool
) -> None:
    rng = np.random.default_rng(1)
    kernel = rng.standard_normal((3, 3, 32, 1 if depthwise else 48)).astype(np.float32)
    conv = Conv(kernel, rng.standard_normal(32 if depthwise else 48).astype(np.float32), stride=stride,
                padding=padding, depthwise=depthwise).to(torch.bfloat16)  # fmt: skip
    with torch.inference_mode():
        for batch, size in ((3, 17), (1, 17), (5, 12)):
            x = torch.randn(batch, 32, size, size, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
            plain = conv(x)
            plus = torch.randn_like(plain) * 20 if added else None
            wanted = ACTIVATIONS[then][0](plain.float() + (0 if plus is None else plus.float()))
            fuse(conv)
            assert torch.allclose(conv(x, plus=plus, then=then).float(), wanted, rtol=0.02, atol=0.3)
            conv.fused = False


def test_fusing_keeps_the_recogniser_and_any_number_of_pictures() -> None:
    n = CPU_PIXELS // 150**2 + 3
    x = np.random.default_rng(0).standard_normal((n, 3, 150, 150)).astype(np.float32) * 0.3
    fast = TorchEngine(torch_network("faceapi-recogniser"), "cpu", bf16=True)
    exact = TorchEngine(torch_network("faceapi-recogniser"), "cpu")
    out = fast(x)
    one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (out, exact(x)))
    assert (one * other).sum(1).min() > 0.9995
    assert np.allclose(fast(x[:1]), out[:1], atol=2e-2)
    assert out.shape == (n, 128)
