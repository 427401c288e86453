"""Shares of yes-or-no decisions about units that show one person or several, with intervals over capture subjects.

`resampling.proportion` takes the one subject of each unit; a pair of pictures shows two people, and a search or a group
picture more. The rule for few errors is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, ShapeError
from .intervals import LEAST_SUBJECTS
from .resampling import FEW, Interval, check_interval, exact, of_means, proportion

Flags = NDArray[np.bool_]


def share(
    hits: Flags, subjects: NDArray[Any], rule: str, counts: Mapping[str, int], *, interval: Interval = "auto",
    **options: Any,
) -> Estimate:  # fmt: skip
    """Share of units that are hits.

    Args:
        hits: ``bool (n,)``.
        subjects: ``(n,)`` or ``(n, k)`` subjects that each unit shows, one repeated where it shows fewer.
        rule: the measure in words.
        counts: what it rests on.
        interval: as in `resampling.proportion`.
        **options: ``resamples``, ``level``, ``seed``.

    Raises:
        ShapeError: hits and subjects differ in number.
    """
    if hits.ndim != 1 or len(hits) != len(subjects):
        raise ShapeError("decisions and subjects differ in number", given=(hits.shape, subjects.shape), expected="(n,)")
    if subjects.ndim == 1:
        return proportion(hits, subjects, rule, counts, interval=interval, **options)
    check_interval(interval)
    n, count = len(hits), int(hits.sum())
    few = min(count, n - count) < FEW or len(np.unique(subjects)) < LEAST_SUBJECTS
    if interval == "auto":
        interval = "clopper-pearson" if few else "bootstrap"
    if n == 0 or interval in ("wilson", "clopper-pearson"):
        method: Interval = "clopper-pearson" if interval in ("bootstrap", "none") else interval
        return exact(count, n, rule, counts, interval=method, level=options.get("level", 0.95))
    if interval == "none":
        options["resamples"] = 0
    return of_means(hits.astype(np.float64), subjects, rule, counts, **options)


def true_match_rate(same: Flags, mated: Flags, subjects: NDArray[Any], **options: Any) -> Estimate:
    """Share of mated pairs that are called the same person: one operating point, the judge's own.

    Args:
        same: ``bool (n,)`` what was decided.
        mated: ``bool (n,)`` what is true.
        subjects: ``(n, 2)``.
        **options: of `share`.
    """
    return _of_kind(same, mated, mated, subjects, "TMR: share of mated pairs called the same person", options)


def false_match_rate(same: Flags, mated: Flags, subjects: NDArray[Any], **options: Any) -> Estimate:
    """Share of non-mated pairs that are called the same person. Arguments as in `true_match_rate`."""
    return _of_kind(same, mated, ~mated, subjects, "FMR: share of non-mated pairs called the same person", options)


def _of_kind(
    same: Flags, mated: Flags, kind: Flags, subjects: NDArray[Any], rule: str, options: dict[str, Any]
) -> Estimate:
    if same.shape != mated.shape:
        raise ShapeError("decisions and truths differ in number", given=(same.shape, mated.shape), expected="(n,)")
    counts = {"mated": int(mated.sum()), "nonmated": int((~mated).sum()), "subjects": len(np.unique(subjects))}
    return share(same[kind], subjects[kind], f"{rule}, at the decision as it was said", counts, **options)
