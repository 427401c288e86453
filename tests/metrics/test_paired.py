"""Decisions: by hand, by counting every outcome, by scipy."""

from math import comb

import numpy as np
import pytest
from scipy import stats

from workbench.core import ShapeError, Undefined
from workbench.metrics.paired import mcnemar, over_folds


def trials(first: int, second: int, both: int = 3, neither: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Decisions of which so many are right in one system only."""
    one = [True] * first + [False] * second + [True] * both + [False] * neither
    other = [False] * first + [True] * second + [True] * both + [False] * neither
    order = np.random.default_rng(first * 31 + second).permutation(len(one))
    return np.array(one)[order], np.array(other)[order]


def by_counting(first: int, second: int, half: float) -> float:
    """Every split of the discordant trials, the same ones weighed by ``half``."""
    n, total = first + second, 0.0
    for k in range(n + 1):
        gap, seen = abs(2 * k - n), abs(first - second)
        total += comb(n, k) / 2**n * (1 if gap > seen else half if gap == seen else 0)
    return total


def test_mcnemar_by_hand() -> None:
    # Five to one: (1 + 6) / 64 a side; the outcome itself is 6 / 64 a side.
    assert float(mcnemar(*trials(5, 1))) == pytest.approx(14 / 64)
    assert float(mcnemar(*trials(5, 1), variant="mid-p")) == pytest.approx(14 / 64 - 6 / 64)
    # Two to two: everything is at least as uneven; 6 / 16 is just as uneven.
    assert float(mcnemar(*trials(2, 2))) == 1
    assert float(mcnemar(*trials(2, 2), variant="mid-p")) == pytest.approx(1 - 3 / 16)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0), (0, 7), (9, 4), (4, 9), (12, 12), (30, 11), (150, 110)])
def test_mcnemar_by_counting_and_by_scipy(first: int, second: int) -> None:
    one, other = trials(first, second)
    exact = mcnemar(one, other)
    assert float(exact) == pytest.approx(by_counting(first, second, 1.0))
    assert float(exact) == pytest.approx(stats.binomtest(first, first + second, 0.5).pvalue)
    assert float(mcnemar(one, other, variant="mid-p")) == pytest.approx(by_counting(first, second, 0.5))
    assert float(exact) == float(mcnemar(other, one))
    assert exact.counts == {"trials": first + second + 5, "only the first right": first,
                            "only the second right": second}  # fmt: skip


def test_what_agrees_everywhere_says_nothing() -> None:
    assert isinstance(mcnemar(*trials(0, 0)).value, Undefined)
    with pytest.raises(ShapeError, match="do not fit"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))
    with pytest.raises(ShapeError, match="unknown variant"):
        mcnemar(*trials(1, 2), variant="asymptotic")  # type: ignore[arg-type]


def test_folds_by_hand_and_by_scipy() -> None:
    values, folds = np.array([1.0, 0, 1, 1, 0, 0, np.nan]), np.array([0, 0, 1, 1, 2, 2, 2])
    found = over_folds(values, folds)
    assert float(found) == pytest.approx(0.5)
    # Student's interval is wider than what a share can be.
    assert (found.low, found.high) == (0.0, 1.0)
    close = over_folds(np.repeat([0.6, 0.65, 0.7, 0.62], 5), np.repeat(np.arange(4), 5))
    means = [0.6, 0.65, 0.7, 0.62]
    expected = stats.t.interval(0.95, 3, np.mean(means), stats.sem(means))
    assert (close.low, close.high) == pytest.approx(expected)
    assert "standard deviation 0.5000" in found.rule
    assert found.counts == {"trials": 6, "folds": 3}
    # Folds weigh alike, whatever their size.
    uneven = over_folds(np.array([1.0, 1, 1, 0]), np.array([0, 0, 0, 1]))
    assert float(uneven) == pytest.approx(0.5)
    assert isinstance(over_folds(np.ones(3), np.zeros(3)).value, Undefined)
    with pytest.raises(ShapeError, match="do not fit"):
        over_folds(np.ones(3), np.zeros(2))
