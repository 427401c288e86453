"""Seeded damage to files, and the loop that feeds damaged files to a reader."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pictures

from workbench import files
from workbench.core import ImageError


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """``data`` with some bytes changed, a piece removed, doubled or moved, or its end missing."""
    hurt = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        if not hurt:
            break
        place = int(rng.integers(len(hurt)))
        span = int(rng.integers(1, 1 + min(64, len(hurt))))
        match int(rng.integers(6)):
            case 0:
                hurt[place] = int(rng.integers(256))
            case 1:
                hurt[place : place + 4] = bytes([255, 255, 255, 255][: len(hurt) - place])
            case 2:
                del hurt[place : place + span]
            case 3:
                hurt[place:place] = hurt[place : place + span]
            case 4:
                hurt[place : place + 2] = bytes(2)
            case _:
                del hurt[place:]
    return bytes(hurt)


def damaged_pictures(seed: int) -> Iterator[bytes]:
    """Endless damaged pictures of every format, the same for the same seed."""
    rng = np.random.default_rng(seed)
    whole = [case.data for case in pictures.cases() if case.pixels is not None]
    while True:
        yield mutated(whole[int(rng.integers(len(whole)))], rng)


def decode_for(seconds: float, seed: int, keep: str) -> dict[str, int]:
    """Decode damaged pictures; the file being tried lies at ``keep``, so that a crash leaves its cause.

    Returns:
        How many were ``"decoded"`` and how many ``"refused"``; anything but `ImageError` is raised.
    """
    count = {"decoded": 0, "refused": 0}
    small = files.Limits(pixels=1 << 20)
    end = time.monotonic() + seconds
    with open(keep, "wb") as place:
        for data in damaged_pictures(seed):
            place.seek(0)
            place.write(data)
            place.truncate()
            place.flush()
            try:
                files.decode_image(data, limits=small)
                count["decoded"] += 1
            except ImageError:
                count["refused"] += 1
            if time.monotonic() > end:
                return count
