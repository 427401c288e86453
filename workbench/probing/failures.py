"""Ways in which asking goes wrong, and which of them pass by themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

Trouble = Literal["rate limit", "server", "timeout", "connection", "unreadable", "too large", "redirect", "rejected",
                  "unsupported", "not allowed"]  # fmt: skip
PASSING: frozenset[Trouble] = frozenset({
    "rate limit", "server", "timeout", "connection", "unreadable", "too large", "unsupported",
})  # fmt: skip


class Failure(Exception):
    """A call without an answer.

    Args:
        kind: of trouble.
        words: what happened, without secrets.
        after: seconds that the server asks to wait, or None.
    """

    def __init__(self, kind: Trouble, words: str, after: float | None = None) -> None:
        super().__init__(f"{kind}: {words}")
        self.kind = kind
        self.words = words
        self.after = after

    @property
    def passing(self) -> bool:
        """Whether asking again makes sense."""
        return self.kind in PASSING


def of_status(status: int, words: str, headers: Mapping[str, str]) -> Failure:
    """The failure that a status of HTTP means."""
    said = f"HTTP {status} {words}".strip()
    if 300 <= status < 400:
        return Failure("redirect", f"{said}: another host is not followed")
    if status in (401, 402, 403) or (status == 429 and "insufficient_quota" in words):
        # An account without money or quota gets none while a batch waits.
        return Failure("not allowed", said)
    if status == 429:
        return Failure("rate limit", said, retry_after(headers.get("retry-after", "")))
    if status in (408, 409, 425) or status >= 500:
        return Failure("server", said, retry_after(headers.get("retry-after", "")))
    return Failure("rejected", said)


def retry_after(text: str, now: datetime | None = None) -> float | None:
    """Seconds of a ``Retry-After`` header: a number or a date; None where it says nothing usable."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = (when - (now or datetime.now(UTC))).total_seconds()
    return seconds if math.isfinite(seconds) and seconds > 0 else None
