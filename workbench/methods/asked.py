"""Asking a chat model from inside a study: who is asked, by whose leave, and again until an answer is clear.

The same steps serve an endpoint of the user's and the responder on this machine. Nothing leaves the machine unless an
address is given: the address that the environment names for ``workbench probe`` is not looked at here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import probing
from ..core import ParameterError, RunError, seeds
from ..files import sha256_bytes, to_json

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..probing.responder import Eyes

Names = NDArray[np.str_]
Floats = NDArray[np.float64]
# What one time of asking comes to; "" where it was not asked, "no picture" where a file could not be decoded.
VALUE, REFUSAL, UNDECIDED, NO_REPLY, NO_PICTURE, NOT_ASKED = (
    "value", "refusal", "undecided", "no reply", "no picture", "",
)  # fmt: skip
RESPONDER = "workbench-responder"
# Calls under way at once: here client and server share the same cores, elsewhere the wait is for the server.
_HERE, _THERE = 8, 32
# One question may be refused by a server for what it is; so many in a row are not.
_AHEAD = 3


@dataclass(frozen=True)
class Chat:
    """Whom to ask, as a study's parameters say it; the key comes from the environment or a file that it names.

    Attributes:
        url: of a server that speaks the OpenAI protocol; "" is the responder on this machine.
        model: its name there.
        consent: host that may see the pictures, as ``workbench probe --consent`` has it.
        temperature: None leaves the server's own.
    """

    url: str = ""
    model: str = ""
    consent: str = ""
    temperature: float | None = 0.0

    def __post_init__(self) -> None:
        if self.url and not self.model:
            raise ParameterError("an endpoint has many models", given="no endpoint_model", do="name one")
        if not self.url and (self.model or self.consent):
            raise ParameterError("no endpoint is given to go with this", given=self.model or self.consent,
                                 do="give endpoint=https://host/v1, or leave the others empty too")  # fmt: skip

    @property
    def settings(self) -> probing.Settings:
        """What changes the answers besides the question."""
        return probing.Settings(temperature=self.temperature)

    def check(self, dataset: str) -> None:
        """Refuse now what would be refused when pictures are sent.

        Raises:
            ConsentError: the endpoint is not on this machine, and nobody agreed to show it these pictures.
        """
        if self.url:
            probing.require(self.endpoint(), dataset, self.consents(dataset))

    def endpoint(self) -> probing.Endpoint:
        """The address with its key.

        Raises:
            ParameterError: the address is unsafe, or the key file cannot be read.
        """
        return probing.endpoint(self.url, self.model)

    def consents(self, dataset: str) -> tuple[probing.Consent, ...]:
        """What `consent` comes to for one data set."""
        return (probing.Consent(self.consent, dataset),) if self.consent else ()


class Server(Protocol):
    """Whoever answers."""

    def at(self, attempt: int) -> AbstractContextManager[probing.Endpoint]:
        """Where to ask for the ``attempt``-th time, as long as the context lasts."""


@dataclass(frozen=True)
class Remote:
    """An endpoint of the user's."""

    chat: Chat

    @contextmanager
    def at(self, attempt: int) -> Iterator[probing.Endpoint]:
        """The endpoint, each time."""
        yield self.chat.endpoint()


@dataclass(frozen=True)
class Embedded:
    """The responder on this machine, with eyes that are given to it.

    Every time of asking has a responder of its own, whose refusals are drawn from the seed and the number of that time:
    a run that was interrupted goes on to the same answers. Its model's name holds a digest of all that changes the
    answers, so that a store never mixes up two of them.

    Attributes:
        eyes: makes them when they are needed.
        what: facts about the eyes, plain values or arrays' digests.
        refuse_direct, refuse_generated, undecided: see `probing.responder.Responder`.
        seed: of refusals and indecision.
    """

    eyes: Callable[[], Eyes]
    what: Mapping[str, object]
    refuse_direct: float = 0.0
    refuse_generated: float = 0.0
    undecided: float = 0.0
    seed: int = 0

    @property
    def model(self) -> str:
        """Name in the records."""
        shares = (self.refuse_direct, self.refuse_generated, self.undecided)
        facts = [sorted((k, str(v)) for k, v in self.what.items()), shares, self.seed]
        return f"{RESPONDER}-{sha256_bytes(to_json(facts).encode())[:12]}"

    @contextmanager
    def at(self, attempt: int) -> Iterator[probing.Endpoint]:
        """A fresh responder."""
        from ..probing.responder import Responder

        with Responder(
            self.eyes(), refuse_direct=self.refuse_direct, refuse_generated=self.refuse_generated,
            undecided=self.undecided, seed=seeds.integer("responder", "attempt", attempt, self.seed),
        ) as here:  # fmt: skip
            yield probing.endpoint(here.url, self.model)


@dataclass(frozen=True)
class Replies:
    """Everything that came of one question about ``n`` things, asked up to ``k`` times.

    Attributes:
        task, version, framing: of the prompt.
        outcomes: ``str (k, n)``: `VALUE`, `REFUSAL`, `UNDECIDED`, `NO_REPLY`, `NO_PICTURE` or `NOT_ASKED`.
        values: ``float64 (k, n, columns)`` of `COLUMNS`; NaN where there is no value.
        texts: ``k`` tuples of ``n`` raw texts.
        calls: requests that all this took, those of earlier runs and failed ones included.
        sent: questions for which the server was called now; 0 where every answer was stored.
        models: names asked for, with what the servers said that they are.
        dates: first and last day of asking, ``"2026-01-31"``.
        settings: JSON of what changes the answers besides the question.
    """

    task: str
    version: str
    framing: str
    outcomes: Names
    values: Floats
    texts: tuple[tuple[str, ...], ...]
    calls: int
    sent: int
    models: tuple[str, ...]
    dates: tuple[str, str]
    settings: str

    def __len__(self) -> int:
        return int(self.outcomes.shape[1])

    @property
    def first(self) -> NDArray[np.int64]:
        """``(n,)`` the attempt that gave the first value, -1 where none did."""
        there = self.outcomes == VALUE
        return np.where(there.any(0), there.argmax(0), -1).astype(np.int64)

    @property
    def decided(self) -> Floats:
        """``(n, columns)`` the first value, NaN where there is none."""
        at, n = self.first, np.arange(len(self))
        return np.where(at[:, None] >= 0, self.values[at, n], np.nan)

    @property
    def state(self) -> Names:
        """``(n,)`` `VALUE` where any attempt gave one, else what the last one came to."""
        last = np.zeros(len(self), np.int64)
        for k, row in enumerate(self.outcomes):
            last = np.where(row != NOT_ASKED, k, last)
        return np.where(self.first >= 0, VALUE, self.outcomes[last, np.arange(len(self))])


# Names of columns, and how an answer's value becomes them.
Reading = tuple[tuple[str, ...], Callable[[Mapping[str, Any]], tuple[float, ...]]]
COLUMNS: Mapping[str, Reading] = {
    "verification": (
        ("same person", "confidence"),
        lambda v: (float(v["same_person"]), np.nan if v["confidence"] is None else float(v["confidence"])),
    ),
    "gender": (("masculine",), lambda v: (float(v["gender"] == "man"),)),
    "age": (("age",), lambda v: (float(v["age"]),)),
    "age-range": (("low", "high"), lambda v: (float(v["age_low"]), float(v["age_high"]))),
}


def ask(
    server: Server, chat: Chat, prompt: probing.Prompt, pictures: Sequence[Sequence[probing.Shown]], store: str | Path,
    *, dataset: str, attempts: int = 1, always: NDArray[np.bool_] | None = None, reading: Reading | None = None,
) -> Replies:  # fmt: skip
    """Ask about each of ``n`` things, and again where the answer is a refusal or not clear.

    Args:
        server: who answers.
        chat: settings and consent.
        prompt: the question.
        pictures: of each thing, as they are sent; an empty list is a failure to acquire and is not asked about.
        store: file of the answers; what is in it is not asked again.
        dataset: whose pictures these are, for the consent and the record.
        attempts: times of asking at most.
        always: ``bool (n,)`` things that are asked every time, whatever was answered.
        reading: of the answers; that of `COLUMNS` for the prompt's task if not given.

    Raises:
        ConsentError: pictures would leave the machine, and nobody agreed.
        RunError: the server does not reply at all.
    """
    columns, read = reading or COLUMNS[prompt.task]
    n = len(pictures)
    there = np.array([len(p) > 0 for p in pictures], bool)
    outcomes = np.full((attempts, n), NOT_ASKED, dtype="<U10")
    outcomes[0, ~there] = NO_PICTURE
    values = np.full((attempts, n, len(columns)), np.nan)
    texts: list[tuple[str, ...]] = []
    records: dict[str, probing.Record] = {}
    sent, open_ = 0, there.copy()
    for attempt in range(attempts):
        which = np.flatnonzero(open_ if always is None else open_ | (always & there)).tolist()
        asked = [probing.Question(prompt, pictures[i], f"{prompt.task} {i}", attempt) for i in which]
        found, called = _once(server, chat, asked, store, dataset, attempt)
        said = [""] * n
        for i, question, record in zip(which, asked, found, strict=True):
            answer = probing.read(question, record)
            outcomes[attempt, i] = _outcome(record, answer.outcome)
            said[i] = record.text
            if answer.outcome == "value":
                values[attempt, i] = read(answer.value)
                open_[i] = False
        texts.append(tuple(said))
        records |= {r.key: r for r in found}
        sent += called
    kept = list(records.values())
    days = sorted(datetime.fromtimestamp(r.asked_at, UTC).date().isoformat() for r in kept) or [""]
    return Replies(
        prompt.task, prompt.version, prompt.framing, outcomes, values, tuple(texts), sum(r.tries for r in kept),
        sent, tuple(sorted({_model(r) for r in kept})), (days[0], days[-1]),
        kept[0].settings if kept else "",
    )  # fmt: skip


def _once(
    server: Server, chat: Chat, asked: list[probing.Question], store: str | Path, dataset: str, attempt: int
) -> tuple[list[probing.Record], int]:
    """One time of asking; single questions go ahead, so that a server that is not there is noticed at once."""
    found: list[probing.Record] = []
    called = 0
    options: dict[str, Any] = {"dataset": dataset, "settings": chat.settings, "consents": chat.consents(dataset)}
    with server.at(attempt) as there:
        while len(found) < min(_AHEAD, len(asked)) and all(r.state == "errored" for r in found):
            ahead = probing.ask_now([asked[len(found)]], there, store, **options)
            found += ahead.records
            called += ahead.asked
        if found and all(r.state == "errored" for r in found):
            raise RunError(
                f"{there.host} does not reply", given=found[0].error,
                do="check endpoint, endpoint_model and key; what was answered before is kept",
            )  # fmt: skip
        at_once = _HERE if there.loopback else _THERE
        rest = probing.ask_now(asked[len(found) :], there, store, at_once=at_once, **options)
    return found + rest.records, called + rest.asked


def _outcome(record: probing.Record, parsed: str) -> str:
    if record.state == "errored":
        return NO_REPLY
    return {"value": VALUE, "refusal": REFUSAL, "unparsed": UNDECIDED}[parsed]


def _model(record: probing.Record) -> str:
    said = " ".join(dict.fromkeys(record.served_by.split()))
    return record.model if said in ("", record.model) else f"{record.model} (served by {said})"


def described(replies: Sequence[Replies]) -> str:
    """Who was asked, when, with which settings, and what it took, in a sentence for a result's notes."""
    models = ", ".join(sorted({m for r in replies for m in r.models}))
    days = sorted({d for r in replies for d in r.dates if d})
    when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "never"
    settings = "; ".join(sorted({r.settings for r in replies}))
    return f"{sum(r.calls for r in replies)} calls of {models} on {when}, settings {settings}"
