"""Expression networks from the user's ONNX files: OFIQ's crop, the input's size, and outputs that are no features."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from workbench import models
from workbench.core import DeviceError, ParameterError, ShapeError, WeightsError
from workbench.data import phantom
from workbench.models.engines import export_onnx
from workbench.models.expression_features import OFIQ_616, crop_matrices

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


class Means(nn.Module):
    """Mean of each channel, as often as it takes."""

    def __init__(self, times: int, *, keep: bool = False) -> None:
        super().__init__()
        self.times, self.keep = times, keep

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = x.mean((2, 3)).repeat(1, self.times)
        return out[:, :, None, None] if self.keep else out


def spec(folder: Path, network: nn.Module, size: tuple[int, int] = (224, 224), name: str = "m") -> str:
    (folder / f"{name}.onnx").write_bytes(export_onnx(network, size))
    return f"hsemotion:{folder / f'{name}.onnx'}"


def test_the_size_is_the_files_and_pixels_are_standardised_as_imagenets(tmp_path: Path) -> None:
    for side in (224, 260):
        loaded = models.load(spec(tmp_path, Means(7), (side, side), f"m{side}"), device="cpu")
        assert loaded.card.input_size == (side, side)
        assert loaded.card.dimension == 21
        chips = np.random.default_rng(0).integers(0, 256, (3, side, side, 3)).astype(np.uint8)
        expected = ((chips / 255 - MEAN) / DEVIATION).mean((1, 2))
        assert loaded.features(chips) == pytest.approx(np.tile(expected, 7), abs=1e-4)
        assert loaded.features(chips[:0]).shape == (0, 21)
        with pytest.raises(ShapeError, match="takes other chips"):
            loaded.features(chips[:, :-1])


def test_a_face_is_cut_as_ofiq_cuts_it() -> None:
    """Step by step: the whole picture to 616 px, the part of it, and that to a square."""
    shown = phantom.render(phantom.frontal(phantom.identities(2, seed=3)), 300, truth=("landmarks5",))
    points = np.asarray(shown.landmarks5, np.float64)
    for i, picture in enumerate(shown.rgb):
        fitted, _ = cv2.estimateAffinePartial2D(points[i], np.array(OFIQ_616), method=cv2.LMEDS)
        wide = cv2.warpAffine(picture, fitted, (616, 616))[148:488, 144:472]
        expected = cv2.resize(wide, (224, 224), interpolation=cv2.INTER_LINEAR)
        found = cv2.warpAffine(picture, crop_matrices(points[i : i + 1], 224, 224)[0], (224, 224))
        # OFIQ leaves out a landmark that fits badly; the fits differ by a pixel or two.
        assert np.abs(found.astype(float) - expected).mean() < 4
        shifted = np.abs(np.roll(found, 12, 0).astype(float) - expected).mean()
        assert shifted > 3 * np.abs(found.astype(float) - expected).mean()


def test_the_crop_by_hand() -> None:
    # Landmarks that lie where OFIQ brings them: the crop is its rectangle, stretched.
    matrix = crop_matrices(np.array([OFIQ_616]), 340, 328)[0]
    assert matrix == pytest.approx(np.array([[1, 0, -144], [0, 1, -148]]), abs=1e-9)
    square = crop_matrices(np.array([OFIQ_616]), 224, 224)[0]
    corners = np.array([[143.5, 147.5], [471.5, 487.5]])
    assert corners @ square[:, :2].T + square[:, 2] == pytest.approx(np.array([[-0.5, -0.5], [223.5, 223.5]]))


def test_swapped_landmarks_are_refused(tmp_path: Path) -> None:
    loaded = models.load(spec(tmp_path, Means(7), (64, 64)), device="cpu")
    points = np.array([OFIQ_616])
    picture = np.zeros((616, 616, 3), np.uint8)
    assert loaded.cut([picture], points).shape == (1, 64, 64, 3)
    assert loaded.cut([], points[:0]).shape == (0, 64, 64, 3)
    with pytest.raises(ShapeError, match="swapped or mirrored"):
        loaded.cut([picture], points[:, [1, 0, 2, 4, 3]])


def test_a_file_that_ends_in_classes_says_how_to_export_it(tmp_path: Path) -> None:
    eight = nn.Sequential(Means(1), nn.Linear(3, 8))
    with pytest.raises(WeightsError, match=r"ends in classes, not in features\n  given: 8 numbers a face") as caught:
        models.load(spec(tmp_path, eight), device="cpu")
    assert "model.classifier = torch.nn.Identity()" in str(caught.value)
    with pytest.raises(WeightsError, match=r"gives no vector a face\n  given: output \(1, 21, 1, 1\)"):
        models.load(spec(tmp_path, Means(7, keep=True)), device="cpu")


def test_an_input_that_is_no_square_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="takes no square picture of a fixed size"):
        models.load(spec(tmp_path, Means(7), (224, 200)), device="cpu")


def test_what_is_asked_wrongly_is_said(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"hsemotion needs a file\n  expected: hsemotion:PATH"):
        models.load("hsemotion")
    with pytest.raises(DeviceError, match="runs in ONNX Runtime only"):
        models.load(spec(tmp_path, Means(7)), device="cpu", backend="torch")
