"""The same questions to several models side by side: each answer is told when it is there, and all can be stopped.

``ask_all`` is for batches of thousands; this is for a person who watches.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .asking import Patience, ask_all
from .budget import Budget
from .client import Client
from .consent import Consent, require
from .endpoint import Endpoint
from .question import Question, Settings
from .store import Record, Store

# A person does not wait as long as a batch.
WATCHED = Patience(tries=3, seconds=60.0)


@dataclass(frozen=True)
class Told:
    """What came of one question to one model.

    Attributes:
        question, endpoint: their places among those that were given.
        record: see `Record`.
        kept: it was answered before: nothing was sent and nothing is due.
        seconds: it took, waits and repetitions included.
    """

    question: int
    endpoint: int
    record: Record
    kept: bool
    seconds: float


class Stop:
    """Ends what is under way; may be called from any thread, before, during and after."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], object] | None = None
        self.wanted = False

    def now(self) -> None:
        """Ask no more, and wait for no answer."""
        with self._lock:
            self.wanted = True
            if self._end is not None:
                self._end()

    def _ends(self, end: Callable[[], object] | None) -> None:
        with self._lock:
            self._end = end
            if end is not None and self.wanted:
                end()


def ask_beside(
    questions: Sequence[Question], endpoints: Sequence[Endpoint], store: str | Path, *, dataset: str,
    told: Callable[[Told], None], stop: Stop, settings: Settings = Settings(),  # noqa: B008
    budget: Budget | None = None, consents: Iterable[Consent] = (), patience: Patience = WATCHED,
    deadline: float = 60.0,
) -> bool:  # fmt: skip
    """Ask all endpoints at once, each one question after the other.

    Args:
        questions: see `ask_all`.
        endpoints: whom to ask.
        store: file of the answers.
        dataset: see `ask_all`.
        told: gets each answer when it is there, in another thread; what it raises ends the asking.
        stop: ends the asking.
        settings: of the models.
        budget: for all endpoints together.
        consents: see `require`.
        patience: with each question.
        deadline: seconds for a call.

    Returns:
        False where it was stopped; what was answered until then is kept.

    Raises:
        ConsentError: before anything is sent to anybody.
    """
    agreed = tuple(consents)
    for endpoint, question in itertools.product(endpoints, questions):
        for shown_of in question.datasets(dataset):
            require(endpoint, shown_of, agreed)
    shared = budget or Budget()

    async def one(place: int, endpoint: Endpoint, kept: Store) -> None:
        async with Client(endpoint, deadline=deadline) as client:
            for number, question in enumerate(questions):
                start = time.perf_counter()
                asked = await ask_all(
                    [question], client, kept, dataset=dataset, settings=settings, budget=shared, consents=agreed,
                    patience=patience,
                )  # fmt: skip
                told(Told(number, place, asked.records[0], asked.asked == 0, time.perf_counter() - start))

    async def every() -> bool:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        stop._ends(lambda: loop.call_soon_threadsafe(task.cancel) if task else None)
        try:
            with Store(store) as kept:
                async with asyncio.TaskGroup() as group:
                    for place, endpoint in enumerate(endpoints):
                        group.create_task(one(place, endpoint, kept))
        except asyncio.CancelledError:
            if not stop.wanted:
                raise
            return False
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            stop._ends(None)
        return True

    # In a thread of its own, since a notebook's own loop is running.
    with ThreadPoolExecutor(1, thread_name_prefix="probing") as own:
        asking = own.submit(contextvars.copy_context().run, asyncio.run, every())
        try:
            return asking.result()
        finally:
            if not asking.done():
                # Interrupted here, in the thread that waits: leaving would wait for all that is left to be asked.
                stop.now()
