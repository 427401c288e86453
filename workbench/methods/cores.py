"""Tasks beside each other, a core for each.

Small networks gain nothing from a second core, and their sums depend on it: what is computed on one thread is the same
on any number of cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Made = TypeVar("Made")


def side_by_side(tasks: Sequence[Callable[[], Made]]) -> list[Made]:
    """The results of tasks in their order, a core for each task.

    The first error of a task is raised, and tasks that have not begun are not done.

    Args:
        tasks: independent of each other; each computes on one thread.
    """
    with ThreadPoolExecutor(torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,)) as workers:
        waiting = [workers.submit(task) for task in tasks]
        try:
            return [task.result() for task in waiting]
        finally:
            workers.shutdown(cancel_futures=True)
