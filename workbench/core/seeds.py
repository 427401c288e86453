"""Named randomness: a generator is derived from the names of what it may depend on.

Adding an arm or a data set cannot change another's numbers, and the global generators are never
seeded or read.
"""

from __future__ import annotations

import hashlib

import numpy as np


def integer(*names: str | int) -> int:
    """A 63-bit seed that depends on ``names`` and on nothing else.

    >>> integer("phantom", "identity", 0) == integer("phantom", "identity", 0)
    True
    >>> integer("a", 12) == integer("a1", 2)
    False
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in names:
        if not isinstance(name, str | int | np.integer) or isinstance(name, bool):
            raise TypeError(f"a seed's name is a str or an int, given {name!r}")
        part = f"{'i' if not isinstance(name, str) else 's'}:{name}".encode()
        digest.update(len(part).to_bytes(8, "little") + part)
    return int.from_bytes(digest.digest(), "little") >> 1


def rng(*names: str | int) -> np.random.Generator:
    """A NumPy generator for ``names``, e.g. ``rng("phantom", "identity", 7)``."""
    return np.random.Generator(np.random.PCG64(integer(*names)))
