"""Stored answers, read: what each question asked about, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ... import probing
from ...core import ParameterError
from ...probing.answers import Attributes, Choice, Kind

# Between the names of the pictures of one question; a space alone is in many files' names.
BETWEEN = " | "
Outcome = Literal["value", "refusal", "unparsed", "errored"]
OUTCOMES: tuple[Outcome, ...] = ("value", "refusal", "unparsed", "errored")


@dataclass(frozen=True)
class Told:
    """One question and what came of it.

    Attributes:
        name: the question's, pictures divided by `BETWEEN`.
        pictures: digests, in the order in which they were sent.
        outcome: ``"value"``, ``"refusal"``, ``"unparsed"`` or ``"errored"`` (no reply).
        value: None unless the outcome is ``"value"``.
        model: who was asked; with the server where that is not this machine.
        wording: framing and version.
        attempt: 0 for the first time of asking.
        settings: of the model, as JSON.
    """

    name: str
    pictures: tuple[str, ...]
    outcome: Outcome
    value: Any = None
    model: str = ""
    wording: str = ""
    attempt: int = 0
    settings: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the pictures."""
        return tuple(self.name.split(BETWEEN))


def kind_for(task: str, pictures: int = 1, options: Sequence[str] = ()) -> Kind:
    """The kind of answer that a task's replies are read as, without the question.

    Args:
        task: as stored, one of `probing.tasks`, ``"group:KEY"``, ``"attributes"`` or ``"people"``.
        pictures: of the question; for identification the probe and the candidates.
        options: all answers there were to a ``group:`` question, or the names of the attributes.

    Raises:
        UnknownNameError: there is no such task.
        ParameterError: options or pictures are missing.
    """
    if task == "people":
        return probing.people().kind
    if task == "identification":
        return probing.candidates(pictures - 1).kind
    if task != "attributes" and not task.startswith("group:"):
        return probing.prompt(task).kind
    if not options:
        raise ParameterError(f"{task} is read with the options that were offered", expected="options=, each in words")
    return Attributes(tuple(options)) if task == "attributes" else Choice(task.removeprefix("group:"), tuple(options))


def told(records: Iterable[probing.Record], task: str, options: Sequence[str] = ()) -> list[Told]:
    """A store's records of a task, read anew.

    Args:
        records: a `probing.Store`, or some of it.
        task: others are passed over.
        options: see `kind_for`.
    """
    return [_told(r, r.name, task, options) for r in records if r.task == task]


def told_of(
    questions: Sequence[probing.Question], records: Sequence[probing.Record], options: Sequence[str] = ()
) -> list[Told]:
    """The answers of a batch, under the names that its questions have now."""
    return [_told(r, q.name, q.prompt.task, options, q.prompt.kind) for q, r in zip(questions, records, strict=True)]


def _told(found: probing.Record, name: str, task: str, options: Sequence[str], kind: Kind | None = None) -> Told:
    digests = tuple(json.loads(found.pictures or "[]"))
    answer = probing.read_as(kind or kind_for(task, len(digests), options), found)
    outcome: Outcome = "errored" if found.state == "errored" else answer.outcome
    wording = f"{found.framing} {found.version}".strip()
    return Told(name, digests, outcome, answer.value, _asked(found), wording, found.attempt, found.settings)


def _asked(found: probing.Record) -> str:
    """Two servers elsewhere may give one name to two models."""
    return found.model if found.consent in ("", "loopback") else f"{found.model} at {found.host}"
