"""Tasks beside each other: their order, their threads, and what happens when one fails."""

from __future__ import annotations

import threading
from functools import partial

import pytest
import torch

from workbench.methods.cores import side_by_side


def test_results_keep_their_order_and_the_callers_threads_are_left_alone() -> None:
    before = torch.get_num_threads()
    second_is_done = threading.Event()

    def first() -> tuple[str, int]:
        # With one core the tasks come one after the other, and nobody waits.
        if before > 1:
            assert second_is_done.wait(30)
        return "first", torch.get_num_threads()

    def second() -> tuple[str, int]:
        second_is_done.set()
        return "second", torch.get_num_threads()

    assert side_by_side([first, second]) == [("first", 1), ("second", 1)]
    assert torch.get_num_threads() == before
    assert side_by_side([]) == []


def test_an_error_is_raised_and_what_has_not_begun_is_not_done() -> None:
    begun = []

    def task(i: int) -> None:
        begun.append(i)
        if i == 0:
            raise ZeroDivisionError("of the first")
        torch.zeros(1)

    many = 100_000
    with pytest.raises(ZeroDivisionError, match="of the first"):
        side_by_side([partial(task, i) for i in range(many)])
    assert len(begun) < many


def test_sums_do_not_depend_on_the_callers_threads() -> None:
    numbers = torch.rand(3, 1 << 20, generator=torch.Generator().manual_seed(0)) - 0.5
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append([float(s) for s in side_by_side([row.sum for row in numbers])])
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]
