"""Many questions at once: what is stored is not asked, what fails is asked again, and budgets hold."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core import BudgetError, ParameterError
from .answers import Answer, Kind
from .budget import Budget
from .client import Client, Reply
from .consent import Consent, require
from .endpoint import Endpoint
from .failures import Failure
from .pace import Pace
from .question import Question, Settings
from .store import Record, Store, record

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Patience:
    """How often and how long one question is tried.

    Attributes:
        tries: calls at most.
        seconds: from its first call on; a server that asks for a longer wait is not waited for.
        first_wait, longest_wait: seconds between calls, doubled each time, drawn between half and all of it.
    """

    tries: int = 6
    seconds: float = 300.0
    first_wait: float = 0.5
    longest_wait: float = 30.0


@dataclass(frozen=True)
class Clock:
    """Time, so that tests need not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass
class Asked:
    """What came of a batch.

    Attributes:
        records: in the order of the questions.
        asked: questions for which the server was called.
        failures: how often each kind of trouble was met.
    """

    records: list[Record]
    asked: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    def count(self, state: str) -> int:
        """Records in a state."""
        return sum(r.state == state for r in self.records)


async def ask_all(
    questions: Sequence[Question], client: Client, store: Store, *, dataset: str, settings: Settings = Settings(),  # noqa: B008
    budget: Budget | None = None, consents: Iterable[Consent] = (), at_once: int = 32,
    patience: Patience = Patience(), clock: Clock = Clock(), progress: Progress = lambda done, of: None,
) -> Asked:  # fmt: skip
    """Ask every question whose answer is not stored yet.

    Args:
        questions: in any number; equal ones are asked once.
        client: of the endpoint.
        store: answers are kept there the moment they come.
        dataset: whose pictures these are, for the consent; those of examples need their own, too.
        settings: of the model.
        budget: limits; None is none.
        consents: see `require`.
        at_once: calls under way at most.
        patience: with each question.
        clock: for tests.
        progress: is told how many are done, of how many.

    Raises:
        ConsentError: before anything is sent.
        ParameterError: ``at_once`` is not positive.
    """
    if at_once < 1:
        raise ParameterError("at least one call is under way at once", given=at_once, expected="1 or more")
    consents = tuple(consents)
    wanted = dict.fromkeys((dataset, *(d for q in questions for d in q.datasets(dataset))))
    leave = {d: require(client.endpoint, d, consents) for d in wanted}
    keys = [q.key(client.endpoint.model, settings, client.endpoint.abroad) for q in questions]
    known: dict[str, Record] = {}
    open_: dict[str, Question] = {}
    for key, question in zip(keys, questions, strict=True):
        if key in known or key in open_:
            continue
        stored = store.get(key)
        if stored is not None and stored.state != "errored":
            known[key] = stored
        else:
            open_[key] = question
    batch = _Batch(client, store, dataset, leave, settings, budget or Budget(), patience, clock, Pace(at_once))
    waiting, done, total = iter(open_.items()), len(known), len(known) + len(open_)
    progress(done, total)

    async def work() -> None:
        nonlocal done
        for key, question in waiting:
            known[key] = await batch.one(key, question)
            done += 1
            progress(done, total)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(open_))):
                group.create_task(work())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return Asked([known[key] for key in keys], len(open_), batch.failures)


@dataclass
class _Batch:
    client: Client
    store: Store
    dataset: str
    leave: dict[str, Consent | None]
    settings: Settings
    budget: Budget
    patience: Patience
    clock: Clock
    pace: Pace
    failures: dict[str, int] = field(default_factory=dict)
    closed: str = ""
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    answered: bool = False

    async def one(self, key: str, question: Question) -> Record:
        """Try a question until it is answered or patience ends."""
        start, tries, error, reply = self.clock.now(), 0, "", None
        adapted = 0
        rng = random.Random(key)
        while reply is None:
            if self.closed:
                error = self.closed
                break
            try:
                tries += 1
                reply = await self._once(question)
            except BudgetError as spent:
                tries -= 1
                error = f"{spent.what}; before that: {error}" if error else spent.what
                break
            except Failure as failure:
                self.failures[failure.kind] = self.failures.get(failure.kind, 0) + 1
                error = str(failure)
                if failure.kind == "not allowed":
                    # Nothing that follows would be allowed either.
                    self.closed = error
                # Finding out what a server has is bounded by the settings there are, and needs no patience.
                adapted += failure.kind == "unsupported"
                wait = self._wait(failure, tries - adapted, self.clock.now() - start, rng)
                if wait is None:
                    break
                await self.clock.sleep(wait)
        of = question.datasets(self.dataset)
        leave = [consent for d in of if (consent := self.leave[d]) is not None]
        found = record(
            key, question, self.settings, self.client.endpoint, " + ".join(of), leave, reply=reply,
            error="" if reply is not None else error, tries=tries, at=time.time(),
        )  # fmt: skip
        self.store.put(found)
        return found

    async def _once(self, question: Question) -> Reply:
        async with self.pace:
            # What a call costs here is known from the first answer on; until then others would overdraw with it.
            async with self.alone:
                if self.budget.priced and not self.answered:
                    return await self._called(question)
            return await self._called(question)

    async def _called(self, question: Question) -> Reply:
        written = self.settings.most_tokens
        held = self.budget.reserve(question.tokens(self.settings) - written, written)
        reply: Reply | None = None
        try:
            reply = await self.client.ask(question, self.settings)
        except Failure as failure:
            if failure.kind == "rate limit":
                self.pace.refused()
            raise
        finally:
            self.budget.settle(held, *((None, None) if reply is None else (reply.given, reply.written)))
        self.answered = True
        self.pace.answered()
        return reply

    def _wait(self, failure: Failure, tries: int, spent: float, rng: random.Random) -> float | None:
        """Seconds until the next try; None where there is none."""
        if failure.kind == "unsupported":
            return 0.0
        if not failure.passing or tries >= self.patience.tries:
            return None
        own = min(self.patience.longest_wait, self.patience.first_wait * 2 ** (tries - 1))
        wait = max(failure.after or 0.0, own * rng.uniform(0.5, 1))
        return wait if spent + wait <= self.patience.seconds else None


def ask_now(
    questions: Sequence[Question], endpoint: Endpoint, store: str | Path, *, dataset: str, deadline: float = 60.0,
    **more: Any,
) -> Asked:  # fmt: skip
    """`ask_all` for those who do not await, in a notebook too, whose own loop is running.

    An interrupt ends the calls that are under way, and no more are made; what was answered is kept.

    Args:
        questions: see `ask_all`.
        endpoint: whom to ask.
        store: file of the answers.
        dataset: see `ask_all`.
        deadline: seconds for a call.
        **more: everything else that `ask_all` takes.
    """

    async def go() -> Asked:
        async with Client(endpoint, deadline=deadline) as client:
            with Store(store) as kept:
                return await ask_all(questions, client, kept, dataset=dataset, **more)

    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Asked]]] = []
    interrupted = threading.Event()

    async def stoppable() -> Asked:
        task = asyncio.create_task(go())
        loops.append((asyncio.get_running_loop(), task))
        if interrupted.is_set():
            task.cancel()
        return await task

    with ThreadPoolExecutor(1, thread_name_prefix="probing") as own:
        batch = own.submit(asyncio.run, stoppable())
        try:
            return batch.result()
        finally:
            if not batch.done():
                # Leaving waits for the thread: without this a batch went on, and was paid, that somebody had stopped.
                interrupted.set()
                for loop, task in loops:
                    with contextlib.suppress(RuntimeError):
                        loop.call_soon_threadsafe(task.cancel)


def read(question: Question, found: Record) -> Answer:
    """What a record says: the value, a refusal, or nothing usable; an errored one is unparsed and says why.

    Read anew each time from the stored text, so that a better parser needs no new question.
    """
    return read_as(question.prompt.kind, found)


def read_as(kind: Kind, found: Record) -> Answer:
    """`read` where there is no question any more: a record as a kind of answer."""
    if found.state == "errored":
        return Answer("unparsed", None, f"no reply: {found.error}")
    if found.state == "refused":
        return Answer("refusal", None, "declined by the server")
    answer = kind.parse(found.text)
    if found.cut and answer.outcome == "value" and answer.why != "JSON":
        # "The age is 3" may have been going to be 35, and "different people" the first of two thoughts.
        return Answer("unparsed", None, "cut at the limit of tokens, and not JSON")
    return answer
