"""Chips of many pictures keep their places, whatever the batches and wherever no face was found."""

from typing import Any

import numpy as np
import pytest

from workbench import models
from workbench.data import phantom
from workbench.models.detectors import Faces
from workbench.models.pipeline import Pipeline


class Knowing:
    """Finds the faces whose landmarks it was told, and none in the third picture."""

    provider = "told"

    def __init__(self, points: Any) -> None:
        self.points = list(points)
        self.seen = 0

    def detect(self, images: Any, /) -> list[Faces]:
        found = []
        for _ in images:
            here = self.points[self.seen][None].astype(np.float32)
            count = 0 if self.seen == 2 else 1
            box = np.array([[20, 20, 140, 140]], np.float32)
            found.append(Faces(box[:count], np.ones(count, np.float32), here[:count]))
            self.seen += 1
        return found

    def landmarks(self, images: Any, boxes: Any) -> Any:
        """Asked where nothing was found, and nowhere else."""
        assert len(images) == 0
        return np.zeros((0, 68, 2), np.float32)


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_every_chip_is_that_of_its_picture(batch: int) -> None:
    samples = phantom.faces(5, 1, size=160, subset="test")
    points, embedder = samples.attributes["landmarks5"], models.load("phantom-recogniser-64", device="cpu")
    knowing: Any = Knowing(points)
    pipeline = Pipeline(knowing, knowing, embedder)
    place, chips = pipeline.cut(samples.images, batch=batch)
    assert place.tolist() == [0, 1, -1, 2, 3]
    kept = [0, 1, 3, 4]
    expected = models.align(
        [samples.images[i] for i in kept], points[kept], embedder.card.template, embedder.card.input_size
    )
    assert np.array_equal(chips, expected)


def test_nothing_in_is_nothing_out() -> None:
    knowing: Any = Knowing([])
    pipeline = Pipeline(knowing, knowing, models.load("phantom-recogniser-64", device="cpu"))
    place, chips = pipeline.cut(np.zeros((0, 8, 8, 3), np.uint8))
    assert place.shape == (0,)
    assert chips.shape == (0, 64, 64, 3)
