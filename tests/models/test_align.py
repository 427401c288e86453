import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from workbench import models
from workbench.core import DeviceError, ShapeError, WeightsError
from workbench.models.cards import DLIB_150
from workbench.models.detectors import suppress
from workbench.models.networks.layers import same_padding
from workbench.models.tfjs import decode


def points(n: int = 6) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.array(DLIB_150) * rng.uniform(0.5, 2, (n, 1, 1)) + rng.normal(0, 4, (n, 5, 2)) + 50


def test_the_closed_form_agrees_with_scikit_image() -> None:
    source = points()
    found = models.similarity(source, DLIB_150)
    for one, matrix in zip(source, found, strict=True):
        transform = SimilarityTransform.from_estimate(one, np.array(DLIB_150))
        assert np.allclose(matrix, transform.params[:2], atol=1e-8)


def test_a_pattern_lands_on_the_template() -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    source = np.array([DLIB_150]) * 1.5 + 20
    x, y = source[0, 2].round().astype(int)
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    chip = models.align([image], source, DLIB_150, (150, 150))[0]
    row, column = np.argwhere(chip[..., 0] > 200).mean(0)
    assert np.allclose([column, row], DLIB_150[2], atol=1.0)


@pytest.mark.parametrize("order", [[1, 0, 2, 4, 3], [3, 4, 2, 0, 1]])
def test_swapped_or_upside_down_landmarks_are_refused(order: list[int]) -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    with pytest.raises(ShapeError, match="swapped or mirrored"):
        models.align([image], points(1)[:, order], DLIB_150, (150, 150))


def test_suppression_by_hand() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 0, 10, 4]], np.float32)
    assert suppress(boxes, np.array([0.8, 0.9, 0.5, 0.7], np.float32), 0.5).tolist() == [1, 3, 2]


def test_quantised_weights_by_hand() -> None:
    entry = {
        "name": "w",
        "shape": [2],
        "dtype": "float32",
        "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
    }
    plain = {"name": "b", "shape": [1], "dtype": "float32"}
    found = decode([{"weights": [entry, plain]}], bytes([0, 4]) + np.float32(7).tobytes(), "tiny")
    assert found["w"].tolist() == [-1.0, 1.0]
    assert found["b"].tolist() == [7.0]
    with pytest.raises(WeightsError, match="ends within b"):
        decode([{"weights": [entry, plain]}], bytes([0, 4]), "tiny")


def test_padding_is_tensorflows() -> None:
    assert same_padding(512, 3, 2) == (0, 1)
    assert same_padding(7, 3, 1) == (1, 1)
    assert same_padding(5, 2, 2) == (0, 1)


def test_an_absent_gpu_is_an_error() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceError, match="not on this machine"):
        models.load("faceapi-tiny", device="cuda")
    with pytest.raises(DeviceError, match="unknown device"):
        models.load("faceapi-tiny", device="gpu")
