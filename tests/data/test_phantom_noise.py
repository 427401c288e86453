"""The sensor's noise and blur, against slow versions and published numbers."""

import cv2
import numpy as np
import pytest
import torch
from scipy import stats

from workbench.data.phantom import noise, sensor

CPU = torch.device("cpu")


def test_splitmix_gives_the_published_numbers() -> None:
    # First outputs for the seed 1234567, as in the reference implementation's test vector.
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    states = [(1234567 + (k + 1) * 0x9E3779B97F4A7C15) % 2**64 for k in range(5)]
    found = noise.mixed(torch.tensor([s - 2**64 if s >> 63 else s for s in states]))
    assert [v % 2**64 for v in found.tolist()] == expected


def test_noise_is_normal_and_belongs_to_its_seed() -> None:
    found = noise.normal(np.array([3, 4, -1]), 60_001, CPU).numpy()
    assert found.shape == (3, 60_001)
    for row in found:
        assert stats.kstest(row, "norm").pvalue > 0.001
    assert abs(np.corrcoef(found)[0, 1]) < 0.02
    # Neighbours and the two halves that share their bits.
    assert abs(np.corrcoef(found[0, :-1], found[0, 1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(found[0, :30_000], found[0, 30_001:])[0, 1]) < 0.02
    np.testing.assert_array_equal(noise.normal(np.array([4]), 60_001, CPU).numpy()[0], found[1])


def test_uniform_numbers_are_uniform() -> None:
    found = noise.uniform(np.array([7, 8]), 40_001, CPU).numpy()
    assert found.shape == (2, 40_001)
    assert found.min() > 0
    assert found.max() < 1
    for row in found:
        assert stats.kstest(row, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(found)[0, 1]) < 0.02


@pytest.mark.parametrize("beside", [0.1, 0.7, 6.0])
def test_blur_is_the_gaussian_of_its_own_picture(beside: float) -> None:
    image = torch.from_numpy(np.random.default_rng(0).random((2, 3, 40, 40), np.float32))
    sigma = torch.tensor([1.3, beside])
    found = sensor._defocused(image, sigma)
    reach = int(np.ceil(3 * 1.3))
    expected = cv2.GaussianBlur(
        image[0].permute(1, 2, 0).numpy(), (2 * reach + 1,) * 2, 1.3, borderType=cv2.BORDER_REPLICATE
    )
    np.testing.assert_allclose(found[0].permute(1, 2, 0).numpy(), expected, atol=1e-5)
    torch.testing.assert_close(sensor._defocused(image[:1], sigma[:1])[0], found[0], rtol=0, atol=0)
