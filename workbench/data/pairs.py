"""Chips compared with one another, and pairs whose difference is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pairs:
    """Chips compared with one another.

    Attributes:
        reference, probe: ``uint8 (n, h, w, 3)``.
        mated: ``bool (n,)``.
        subjects: ``int64 (n, 2)``.
    """

    reference: NDArray[np.uint8]
    probe: NDArray[np.uint8]
    mated: NDArray[np.bool_]
    subjects: NDArray[np.int64]


@dataclass(frozen=True)
class Changed:
    """Pairs whose difference is known.

    Attributes:
        pairs: reference and changed probe.
        masks: ``bool (n, h, w)`` where they differ.
        parts: ``(n,)`` names.
        control: ``uint8 (n, h, w, 3)`` the probe before the change.
    """

    pairs: Pairs
    masks: NDArray[np.bool_]
    parts: tuple[str, ...]
    control: NDArray[np.uint8]
