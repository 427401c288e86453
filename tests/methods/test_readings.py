"""Readings are those of the models, one record per face; quality is what its definition says; errors are counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench import models
from workbench.core import ShapeError
from workbench.data import phantom
from workbench.methods import readings_error
from workbench.methods.pose import Pose
from workbench.methods.readings import WIDTH, FaceReading, Quality, quality, read_faces


def test_each_face_has_what_the_models_say_of_it_alone() -> None:
    shown = phantom.faces(2, 1, size=160, seed=5)
    both = np.concatenate([shown.images[0], shown.images[1]], axis=1)
    boxes = np.array([[40, 30, 120, 130], [200, 30, 280, 130]], np.float32)
    found = read_faces(both, boxes, device="cpu")
    assert len(found) == 2
    for one, box in zip(found, boxes, strict=True):
        people = models.load("faceapi-age-gender", device="cpu").predict([both], box[None])
        shares = models.load("faceapi-expression", device="cpu").predict([both], box[None])[0]
        assert one.age == pytest.approx(float(people.age[0]), abs=1e-3)
        assert one.male == pytest.approx(float(people.male[0]), abs=1e-4)
        assert [one.expression[n] for n in models.EXPRESSIONS] == pytest.approx(shares.tolist(), abs=1e-4)
        assert one.box == tuple(box.tolist())
    assert found[0].age != found[1].age
    assert read_faces(both, np.zeros((0, 4), np.float32), device="cpu") == ()


def slow_variance(grey: np.ndarray) -> float:
    """Of the four-neighbour Laplacian, pixel by pixel, the border mirrored without its own pixel."""
    h, w = grey.shape

    def at(y: int, x: int) -> float:
        y, x = (abs(y) if y < h else 2 * h - 2 - y), (abs(x) if x < w else 2 * w - 2 - x)
        return float(grey[y, x])

    values = [
        at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1) - 4 * at(y, x) for y in range(h) for x in range(w)
    ]
    return float(np.var(values))


def test_quality_is_as_defined() -> None:
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (40, WIDTH), dtype=np.uint8)
    picture = np.pad(np.repeat(grey[..., None], 3, 2), ((10, 10), (20, 20), (0, 0)), constant_values=128)
    found = quality(picture, np.array([20.0, 10.0, 20.0 + WIDTH, 50.0]), 33.5)
    assert found.sharpness == pytest.approx(slow_variance(grey))
    assert found.brightness == pytest.approx(float(grey.mean()))
    assert found.clipped == pytest.approx(sum(v <= 5 or v >= 250 for v in grey.ravel().tolist()) / grey.size)
    assert found.eyes == 33.5


def test_a_blurred_face_is_less_sharp_and_what_lies_outside_is_left_out() -> None:
    import cv2

    picture = phantom.faces(1, 1, size=128, seed=2).images[0]
    box = np.array([-20.0, -20.0, 100.0, 200.0])
    sharp, soft = (quality(p, box, 1.0) for p in (picture, cv2.GaussianBlur(picture, (0, 0), 3)))
    assert soft.sharpness < sharp.sharpness / 3
    assert sharp.brightness == pytest.approx(float(cv2.cvtColor(picture[:, :100], cv2.COLOR_RGB2GRAY).mean()))
    with pytest.raises(ShapeError, match="outside its picture"):
        quality(picture, np.array([200.0, 0.0, 300.0, 90.0]), 1.0)


def reading(**more: Any) -> FaceReading:
    given = {"box": (0, 0, 1, 1), "age": 30.0, "male": 0.2, "expression": {"neutral": 0.9, "happy": 0.1},
             "pose": Pose(1.0, 2.0, 3.0), "quality": Quality(1.0, 2.0, 0.0, 3.0)}  # fmt: skip
    return FaceReading(**{**given, **more})


def test_errors_by_hand() -> None:
    scene = phantom.frontal(phantom.identities(4, seed=1, prefix="e")).replace(
        age=[20, 30, 40, 50], gender=[-1, -1, 1, 1], yaw=[0, 10, 0, 0], pitch=0, roll=[0, 0, 5, 0]
    )
    found = {
        0: reading(age=22.0),
        1: reading(age=36.0, male=0.7, pose=Pose(14.0, -1.0, 0.0)),
        3: reading(age=50.0, male=0.5, expression={"neutral": 0.4, "happy": 0.6}),
    }
    got = readings_error.errors(scene, ["neutral", "happy", "sad", "happy"], found)
    assert float(got["age"]) == pytest.approx((2 + 6 + 0) / 3)
    assert float(got["gender"]) == pytest.approx(1 / 3)
    assert float(got["expression"]) == pytest.approx(1 / 3)
    assert got["age"].counts == {"faces": 3, "not found": 1}
    turned = readings_error.pose_errors(scene, found)
    assert [float(turned[n]) for n in ("yaw", "pitch", "roll")] == pytest.approx([(1 + 4 + 1) / 3, 5 / 3, 2])


def test_measuring_again_counts_faces_and_gives_every_stated_error() -> None:
    found = readings_error.measure(2, seed=7)
    assert found.keys() == readings_error.STATED.keys()
    assert all(e.counts["faces"] + e.counts["not found"] == 2 for e in found.values())
