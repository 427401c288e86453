"""Pose out of landmarks: exact on the mean head from far away, near the truth on phantoms, silent about nothing."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core import ShapeError
from workbench.data import phantom
from workbench.methods.pose import HEAD, pose


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The mean head's landmarks as a picture shows them, by rotations that are written out one by one."""
    a, b, c = np.radians([yaw, pitch, roll])
    x, y, z = HEAD.T
    # Yaw: the face's front, which looks along z, moves right.
    x, z = x * np.cos(a) + z * np.sin(a), -x * np.sin(a) + z * np.cos(a)
    # Pitch: it moves up.
    y, z = y * np.cos(b) + z * np.sin(b), -y * np.sin(b) + z * np.cos(b)
    # Roll: what is up moves right.
    x, y = x * np.cos(c) + y * np.sin(c), -x * np.sin(c) + y * np.cos(c)
    return np.stack([100 + 0.7 * x, 90 - 0.7 * y], axis=1)


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (30, 0, 0), (-50, 0, 0), (0, 20, 0), (0, -25, 0), (0, 0, 170), (20, -10, 15), (-35, 12, -40)]
)
def test_a_turn_of_the_mean_head_is_found_to_the_digit(angles: tuple[float, float, float]) -> None:
    found = pose(turned(*angles))
    assert np.allclose([found.yaw, found.pitch, found.roll], angles, atol=1e-6)


def test_true_landmarks_of_phantoms_give_their_true_pose_within_the_shape_of_their_faces() -> None:
    people = phantom.identities(4, seed=3, prefix="pose-test")
    angles = np.array([(35, 0, 0), (-20, 10, 0), (0, -15, 20), (10, 15, -10)], np.float64)
    scene = phantom.frontal(people).replace(yaw=angles[:, 0], pitch=angles[:, 1], roll=angles[:, 2], distance=3000)
    marks = phantom.render(scene, 64, truth=("landmarks68",)).landmarks68
    assert marks is not None
    found = np.array([[p.yaw, p.pitch, p.roll] for p in map(pose, marks)])
    # A wrong sign or order would be off by 20 and more.
    assert np.abs(found - angles).max() < 10


def test_the_mean_head_is_that_of_phantoms() -> None:
    import torch

    from workbench.data.phantom.picture import tensors
    from workbench.data.phantom.truth import landmark_places_of, on_head

    scene = tensors(phantom.frontal(phantom.identities(60, seed=9, prefix="mean")), "cpu")
    with torch.no_grad():
        points = on_head(scene, *landmark_places_of(scene)).numpy()[:, :68]
    # People's landmarks differ by millimetres; a mean of 60 is within some tenths, and the table is rounded.
    assert np.abs(points.mean(axis=0) - HEAD).max() < 2.5
    assert np.abs(points.mean(axis=0) - HEAD).mean() < 0.7


@pytest.mark.parametrize(
    "odd", [np.zeros((68, 2)), np.full((68, 2), np.nan), np.zeros((5, 2)), np.stack([np.arange(68.0)] * 2, 1)]
)
def test_what_is_no_face_has_no_pose(odd: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="landmarks"):
        pose(odd)
