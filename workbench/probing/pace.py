"""How many questions are under way at once: as many as the server bears."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType


class Pace:
    """A semaphore whose size adapts: halved when the server says "too many", one more after a round of answers.

    Args:
        most: never more than these at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._together = 0

    async def __aenter__(self) -> None:
        while self.running >= max(1, int(self.limit)):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()
                raise
        self.running += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running -= 1
        self._wake()

    def answered(self) -> None:
        """An answer came."""
        self._together = max(0, self._together - 1)
        self.limit = min(self.most, self.limit + 1 / max(1.0, self.limit))
        self._wake()

    def refused(self) -> None:
        """The server said "too many", to one that is still running; those that were sent together count once."""
        if self._together:
            self._together -= 1
            return
        self.limit = max(1.0, self.limit / 2)
        self._together = self.running - 1

    def _wake(self) -> None:
        free = max(1, int(self.limit)) - self.running
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
