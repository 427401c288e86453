"""Phantom faces that are written in published layouts and read again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.core import Samples, Trials
from workbench.data import phantom
from workbench.data.protocols import balanced


@pytest.fixture(scope="session")
def faces() -> Samples:
    """Four people, two pictures each, with labels as far as any layout wants them."""
    made = phantom.faces(4, 2, size=64, seed=3)
    n = len(made)
    labels = {
        "age": np.array([1, 20, 35, 116, 47, 52, 0, 8]),
        "gender": np.arange(n) % 2,
        "race": np.array([0, 1, 2, 3, 4, 0, 1, 2]),
        "attack": np.arange(n) % 2 == 1,
    }
    return replace(made, attributes=dict(made.attributes) | labels)


@pytest.fixture(scope="session")
def pairs(faces: Samples) -> Trials:
    """Four mated trials, then four non-mated ones."""
    trials = balanced(faces.subjects, "layouts")
    return trials.subset(np.argsort(~trials.mated, kind="stable"))
