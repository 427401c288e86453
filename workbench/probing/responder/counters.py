"""What the responder has seen and done, for tests."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Counts at one moment.

    Attributes:
        requests: chat requests, whatever came of them.
        images: images received, also in requests that failed.
        answered: requests that got a whole answer, "I see no face" and declined questions included.
        refused: requests that were refused as `refuse_direct` and `refuse_generated` ask; not among the answered.
        failures: requests that failed, by kind: a name of `Misbehave.names`, or ``"rate"``, ``"unauthorised"``,
            ``"bad request"``, ``"body"``, ``"error"``.
        digests: SHA-256 of every image's bytes.
    """

    requests: int
    images: int
    answered: int
    refused: int
    failures: Mapping[str, int]
    digests: frozenset[str]


class Counters:
    """Counts as they grow; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._digests: set[str] = set()

    def count(self, what: str) -> None:
        """One more of ``"requests"``, ``"answered"`` or ``"refused"``."""
        with self._lock:
            self._counts[what] += 1

    def failed(self, kind: str) -> None:
        """One more failure."""
        with self._lock:
            self._failures[kind] += 1

    def received(self, digest: str) -> None:
        """One more image."""
        with self._lock:
            self._counts["images"] += 1
            self._digests.add(digest)

    def counts(self) -> Counts:
        """All of them now."""
        with self._lock:
            c = self._counts
            return Counts(
                c["requests"], c["images"], c["answered"], c["refused"], dict(self._failures), frozenset(self._digests)
            )
