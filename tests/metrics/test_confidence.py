"""Confidence and ranges: by hand, by scikit-learn, by a slow loop."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from workbench.core import ShapeError, Undefined
from workbench.metrics import confidence

RNG = np.random.default_rng(5)
SURE, RIGHT, WHO = RNG.random(200).round(2), RNG.random(200) < 0.7, np.repeat(np.arange(40), 5)


def test_brier_by_hand_and_by_scikit_learn() -> None:
    by_hand = confidence.brier(np.array([1.0, 0.5, 0.2]), np.array([True, False, False]), np.arange(3), resamples=0)
    assert float(by_hand) == pytest.approx((0 + 0.25 + 0.04) / 3)
    found = confidence.brier(SURE, RIGHT, WHO)
    assert float(found) == pytest.approx(brier_score_loss(RIGHT, SURE))
    assert found.low is not None
    assert found.low < float(found) < found.high


def test_calibration_error_by_hand_and_by_a_loop() -> None:
    # Both of the first are in the bin up to 0.5 on its border; the last is alone.
    sure, right = np.array([0.5, 0.45, 0.9]), np.array([True, False, False])
    by_hand = (2 * abs(0.475 - 0.5) + 1 * abs(0.9 - 0.0)) / 3
    found = confidence.expected_calibration_error(sure, right, np.arange(3), bins=10, resamples=0)
    assert float(found) == pytest.approx(by_hand)
    slow = 0.0
    for k in range(7):
        inside = (k / 7 < SURE) & ((k + 1) / 7 >= SURE) | ((SURE == 0) & (k == 0))
        if inside.any():
            slow += inside.sum() * abs(SURE[inside].mean() - RIGHT[inside].mean())
    found = confidence.expected_calibration_error(SURE, RIGHT, WHO, bins=7)
    assert float(found) == pytest.approx(slow / len(SURE))


def test_interval_score_by_hand() -> None:
    low, high, true = np.array([20.0, 30.0, 40.0]), np.array([30.0, 35.0, 40.0]), np.array([25.0, 28.0, 43.0])
    found = confidence.interval_score(low, high, true, np.arange(3), alpha=0.2, resamples=0)
    assert float(found) == pytest.approx((10 + (5 + 10 * 2) + (0 + 10 * 3)) / 3)


def test_nothing_is_undefined_and_nonsense_is_refused() -> None:
    none = confidence.brier(np.zeros(0), np.zeros(0, bool), np.zeros(0), resamples=0)
    assert isinstance(none.value, Undefined)
    with pytest.raises(ShapeError, match="a confidence is a share"):
        confidence.brier(np.array([1.2]), np.array([True]), np.arange(1))
    with pytest.raises(ShapeError, match="a confidence is a share"):
        confidence.brier(np.array([np.nan]), np.array([True]), np.arange(1))
    with pytest.raises(ShapeError, match="ends before it begins"):
        confidence.interval_score(np.array([3.0]), np.array([2.0]), np.array([1.0]), np.arange(1))
    with pytest.raises(ShapeError, match="alpha is a share"):
        confidence.interval_score(np.array([1.0]), np.array([2.0]), np.array([1.0]), np.arange(1), alpha=1)
