"""`Probe`: pictures and a question to vision-language models side by side, and what the workbench's own models say."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import probing
from ..core import ConsentError, ParameterError, UnknownNameError
from ..files.home import home
from ..methods.own_answers import own_answer
from ..probing.answers import Answer
from ..probing.responder import Eyes, Responder
from .base import Bench
from .face_input import FaceInput
from .messages import answers as question_of
from .showing import Shown, card, picture
from .work import Job

RESPONDER = "responder"
OWN = "the workbench's own models"
_NO_MODEL = "no language model: the workbench's own models behind a chat protocol, on this machine"
# Pictures of one question; the other tasks ask about each picture by itself.
_TOGETHER = {"verification": 2, "similarity": 2}
_LONGEST = 4000


@dataclass(frozen=True)
class ProbeAnswer:
    """What one model said to one question.

    Attributes:
        question: names of its pictures.
        model: who answered; `OWN` for the workbench's models.
        host: where, "" for the workbench's models.
        outcome: ``"value"``, ``"refusal"``, ``"unparsed"``, ``"no reply"`` or ``"not asked"``.
        value: what was said, by key, or None.
        text: in the model's own words.
        why: the rule that decided, or why there is no answer.
        kept: it was answered before; nothing was sent.
        given, written: tokens, None where nobody says.
        money: by the prices that were given, None without.
        seconds: it took.
    """

    question: str
    model: str
    host: str
    outcome: str
    value: Mapping[str, Any] | None = None
    text: str = ""
    why: str = ""
    kept: bool = False
    given: int | None = None
    written: int | None = None
    money: float | None = None
    seconds: float = 0.0


@cache
def eyes() -> Eyes:
    """The workbench's own models as eyes; they load at the first look."""
    from ..methods.responder_eyes import ModelEyes

    return ModelEyes()


_STARTING = threading.Lock()


@cache
def _responder() -> Responder:
    made = Responder(eyes())
    # It serves until the process ends: its thread is a daemon.
    made.__enter__()
    return made


def responder() -> probing.Endpoint:
    """The built-in responder of this process on loopback, started at the first call."""
    with _STARTING:
        return probing.endpoint(_responder().url, "workbench-responder")


class ProbeView(Bench):
    """Question, endpoints and answers; a part of `Probe`.

    Args:
        places: where the pictures come from.
        endpoints: whom to ask, or the word ``"responder"``.
        dataset: whose pictures these are, for the consent.
        prices: by model.
        **kwargs: traits.

    Attributes:
        task, framing: of the question, see `probing.prompt`.
        prompt: the words that are sent.
        calls: most calls that this widget may make in all, repetitions included.
        spent: calls made.
        agreed: hosts that may see pictures of the data set.
        endpoints: whom to ask, without keys.
        columns, table: the answers as words.
        asking: whether an answer is waited for.
    """

    front = "probe"
    sheets = ("probe",)
    writable = frozenset({"task", "framing", "calls", "agreed"})

    task = t.Unicode("age").tag(sync=True)
    framing = t.Unicode("direct").tag(sync=True)
    calls = t.Int(20, min=0, max=100_000).tag(sync=True)
    agreed = t.List(t.Unicode()).tag(sync=True)
    tasks = t.List().tag(sync=True)
    framings = t.List().tag(sync=True)
    prompt = t.Unicode("").tag(sync=True)
    warning = t.Unicode("").tag(sync=True)
    dataset = t.Unicode("").tag(sync=True)
    endpoints = t.List().tag(sync=True)
    spent = t.Int(0).tag(sync=True)
    columns = t.List().tag(sync=True)
    table = t.List().tag(sync=True)
    asking = t.Bool(False).tag(sync=True)
    said = t.Unicode("").tag(sync=True)
    answers = t.Tuple()

    def __init__(
        self, places: Sequence[FaceInput], endpoints: Sequence[str | probing.Endpoint], *, dataset: str,
        prices: Mapping[str, probing.Prices], store: Path, **kwargs: Any,
    ) -> None:  # fmt: skip
        self._places, self._specs, self._prices, self._store = places, tuple(endpoints), prices, store
        self._stop = probing.Stop()
        self._budget = probing.Budget()
        for spec in self._specs:
            if spec != RESPONDER and not isinstance(spec, probing.Endpoint):
                raise UnknownNameError(
                    "endpoint", str(spec), [RESPONDER], do="give 'responder', or probing.endpoint(url, model)"
                )
        super().__init__(**{
            "label": "Probe", "dataset": dataset, "tasks": list(probing.tasks()), "framings": list(probing.FRAMINGS),
            "endpoints": [_told_of(spec) for spec in self._specs], **kwargs,
        })  # fmt: skip
        self.observe(lambda change: self._word(), ["task", "framing"])
        for place in places:
            place.observe(lambda change: self._word(), "revision")
        self._word()

    @t.validate("task", "framing")
    def _known(self, proposal: Any) -> str:
        kind = proposal["trait"].name
        known = probing.tasks() if kind == "task" else tuple(probing.FRAMINGS)
        if proposal["value"] not in known:
            # A `TraitError`, since traitlets takes back what a validator refused by that alone.
            raise t.TraitError(str(UnknownNameError(kind, str(proposal["value"])[:80], known)))
        return str(proposal["value"])

    @t.validate("agreed")
    def _asked_for(self, proposal: Any) -> list[str]:
        hosts = [e["host"] for e in self.endpoints if not e["loopback"]]
        for host in proposal["value"]:
            if host not in hosts:
                raise t.TraitError(str(UnknownNameError("host to agree with", str(host)[:80], hosts)))
        return list(dict.fromkeys(proposal["value"]))

    @question_of()
    def ask(self) -> None:
        """Ask all endpoints that may be asked."""
        self._stop.now()
        stop = self._stop = probing.Stop()
        names, questions, pictures = self._questions()
        allowed = [i for i, e in enumerate(self.endpoints) if e["loopback"] or e["host"] in self.agreed]
        if self._specs and not allowed:
            first = self.endpoints[0]
            raise ConsentError(
                f"nobody has agreed to send pictures of {self.dataset!r} to {first['host']}",
                do="tick its box, if the data set's terms and the people shown allow it",
            )
        consents = [probing.Consent(host, self.dataset) for host in self.agreed]
        self._budget.limits["calls"] = self.calls
        self._begin(names, allowed)

        def run(job: Job) -> bool:
            for number, (question, shown) in enumerate(zip(questions, pictures, strict=True)):
                job.progress(0, 1)
                if stop.wanted:
                    return False
                self._fill(number, 0, _own(names[number], own_answer(eyes(), question.prompt, shown)))
            ends = [responder() if isinstance(spec, str) else spec for spec in (self._specs[i] for i in allowed)]
            done = 0

            def tell(told: probing.Told) -> None:
                nonlocal done
                done += 1
                job.progress(done, len(questions) * len(ends))
                found = self._answer(names[told.question], questions[told.question], ends[told.endpoint], told)
                self._fill(told.question, 1 + allowed[told.endpoint], found)

            return probing.ask_beside(
                questions, ends, self._store, dataset=self.dataset, told=tell, stop=stop, budget=self._budget,
                consents=consents,
            )  # fmt: skip

        self.work("asking", run, self._end)

    @question_of()
    def stop(self) -> None:
        """Ask no more; what was answered is kept."""
        self._stop.now()

    def fail(self, error: Exception) -> None:
        """Say an error; no answer is waited for any more."""
        self.asking = False
        super().fail(error)

    def _questions(self) -> tuple[list[str], list[probing.Question], list[list[NDArray[np.uint8]]]]:
        """Names of the questions, the questions, and their pictures."""
        places = [place for place in self._places if place.picture is not None]
        often = Counter(place.name for place in places)
        # Two arrays have one name: answers must say which picture they are of.
        names = [f"{p.name} ({p.label})" if often[p.name] > 1 else p.name for p in places]
        given = [(name, place.picture) for name, place in zip(names, places, strict=True)]
        together = {**_TOGETHER, "identification": max(2, len(given))}.get(self.task, 1)
        if len(given) < together or (self.task in _TOGETHER and len(given) > together):
            raise ParameterError(
                f"{self.task} takes {'one picture or more' if together == 1 else f'{together} pictures'}",
                given=len(given), do="show pictures first",
            )  # fmt: skip
        prompt = probing.prompt(self.task, framing=self.framing)
        if self.task == "identification":
            prompt = probing.candidates(len(given) - 1, framing=self.framing)
        groups = [given[i : i + together] for i in range(0, len(given), together)]
        questions = [probing.Question(prompt, [probing.shown(p) for _, p in group]) for group in groups]
        return [" and ".join(n for n, _ in g) for g in groups], questions, [[p for _, p in g] for g in groups]

    def _begin(self, names: list[str], allowed: list[int]) -> None:
        with self.hold_sync():
            self.asking, self.said = True, ""
            self.columns = [{"name": OWN, "note": "as they see it; no words, no cost"}] + [
                {"name": e["model"], "note": f"{e['host']}{'; ' + e['note'] if e['note'] else ''}"}
                for e in self.endpoints
            ]
            waiting = [ProbeAnswer(n, OWN, "", "waiting") for n in names]
            self._rows = [[own] + [self._waiting(own.question, i, allowed) for i in range(len(self.endpoints))]
                          for own in waiting]  # fmt: skip
            self._tell()

    def _waiting(self, name: str, place: int, allowed: list[int]) -> ProbeAnswer:
        e = self.endpoints[place]
        if place in allowed:
            return ProbeAnswer(name, e["model"], e["host"], "waiting")
        why = f"nobody has agreed to send pictures of {self.dataset!r} to {e['host']}"
        return ProbeAnswer(name, e["model"], e["host"], "not asked", why=why)

    def _answer(
        self, name: str, question: probing.Question, there: probing.Endpoint, told: probing.Told
    ) -> ProbeAnswer:  # fmt: skip
        record, prices = told.record, self._prices.get(there.model)
        said = probing.read(question, record)
        outcome = "no reply" if record.state == "errored" else said.outcome
        known = record.given is not None and record.written is not None
        money = 0.0 if told.kept else None
        if not told.kept and prices is not None and known:
            money = probing.Budget(prices=prices).cost(record.given or 0, record.written or 0)
        return ProbeAnswer(
            name, there.model, there.host, outcome, said.value, record.text, said.why, told.kept, record.given,
            record.written, money, round(told.seconds, 3),
        )  # fmt: skip

    def _fill(self, row: int, column: int, found: ProbeAnswer) -> None:
        with self._changing:
            self._rows[row][column] = found
            self._tell()

    def _tell(self) -> None:
        with self.hold_sync():
            self.table = [{"name": row[0].question, "cells": [cell(a) for a in row]} for row in self._rows]
            self.spent = int(self._budget.spent["calls"])

    def _end(self, whole: bool) -> None:
        with self.hold_sync():
            self.asking = False
            self.said = "" if whole else "stopped: what was answered until then is kept"
            self._rows = [[_left(a) if a.outcome == "waiting" else a for a in row] for row in self._rows]
            self._tell()
        self.answers = tuple(a for row in self._rows for a in row)

    def _word(self) -> None:
        prompt = probing.prompt(self.task, framing=self.framing)
        self.prompt = probing.FRAMINGS[self.framing] + prompt.text
        real = any(place.picture is not None and place.real for place in self._places)
        self.warning = "Of real people this framing is untrue." if self.framing == "generated" and real else ""

    def describe(self) -> str:
        """The question and its answers in words."""
        head = f"{self.task}, {self.framing}: {self.prompt}"
        said = [f"{a.model}: {short(a)}" for a in self.answers]
        return "; ".join([head, *said])


class Probe(Shown, ipywidgets.VBox):  # type: ignore[misc]
    """Pictures and a question to vision-language models, side by side with the workbench's own models.

    Nothing leaves this machine unless a box that names the server and the data set is ticked (or `consents` say so).
    Keys come from the environment or a key file (`probing.endpoint`) and are neither shown nor stored.

    Args:
        *shown: pictures as `FaceInput` takes them.
        endpoints: ``"responder"`` (built in, on this machine, no language model) or `probing.endpoint` each.
        task: see `probing.tasks`.
        framing: see `probing.FRAMINGS`.
        dataset: whose pictures these are: it stands in the consent and in the store.
        calls: most calls in all, repetitions included.
        consents: that were given before, besides those of ``consents.txt`` in the workbench's folder.
        prices: money for tokens by model, so that costs are told.
        store: file of the answers; by default in the workbench's home. What is in it is not asked again.
        places: how many pictures can be shown.
        **kwargs: of each `FaceInput`.

    Attributes:
        answers: a `ProbeAnswer` for each question and model; observable.
        inputs: the `FaceInput`s.
    """

    answers = t.Tuple()

    def __init__(
        self, *shown: str | Path | NDArray[np.uint8],
        endpoints: str | probing.Endpoint | Sequence[str | probing.Endpoint] = RESPONDER,
        task: str = "age", framing: str = "direct", dataset: str = "own pictures", calls: int = 20,
        consents: Sequence[probing.Consent] = (), prices: Mapping[str, probing.Prices] | None = None,
        store: str | Path = "", places: int = 2, **kwargs: Any,
    ) -> None:  # fmt: skip
        # Named at once, with the nearest known names.
        probing.prompt(task, framing=framing)
        first: list[Any] = [*shown, *[None] * max(0, places - len(shown))]
        self.inputs = tuple(FaceInput(s, **{"label": f"Picture {i}", **kwargs}) for i, s in enumerate(first, 1))
        kept = Path(store) if store else home() / "probing" / "answers.sqlite"
        asked = (endpoints,) if isinstance(endpoints, str | probing.Endpoint) else tuple(endpoints)
        self.view = ProbeView(
            self.inputs, asked, dataset=dataset, prices=prices or {}, store=kept, task=task, framing=framing,
            calls=calls,
        )  # fmt: skip
        self.view.agreed = [c.host for c in (*consents, *probing.configured()) if c.dataset == dataset]
        super().__init__([ipywidgets.HBox(self.inputs, layout={"flex_flow": "row wrap"}), self.view])
        t.dlink((self.view, "answers"), (self, "answers"))

    def ask(self) -> tuple[ProbeAnswer, ...]:
        """Ask now, and give the answers.

        Raises:
            ConsentError: nothing may be sent to anybody.
            ParameterError: the task takes another number of pictures.
        """
        self.view.ask()
        return tuple(self.answers)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for the work that goes on; False when ``timeout`` seconds were not enough for a part of it."""
        return all([part.settle(timeout) for part in (*self.inputs, self.view)])

    def describe(self) -> str:
        """The question and its answers in words."""
        return self.view.describe()

    def static_html(self) -> str:
        """Question and answers; pictures where they may be shown."""
        view = self.view
        rows = {"question": f"{view.prompt} ({view.task}, {view.framing})", "data set": view.dataset}
        rows |= {f"{a.question}, {a.model}{' at ' + a.host if a.host else ''}": long(a) for a in view.answers}
        shown = [p for p in self.inputs if p.picture is not None]
        hidden = [p for p in shown if not p.may_show]
        note = "Pictures are left out; show_faces=True keeps them." if hidden else ""
        pictures = [picture(p.picture, p.name) for p in shown if p.may_show]
        return card(view.label, rows if view.answers else rows | {"answers": "not asked yet"}, pictures, note=note)


def _told_of(spec: str | probing.Endpoint) -> dict[str, Any]:
    """What a person must know of an endpoint; never its key."""
    if isinstance(spec, str):
        return {
            "model": "workbench-responder",
            "host": "this process",
            "loopback": True,
            "key": False,
            "note": _NO_MODEL,
        }
    return {"model": spec.model, "host": spec.host, "loopback": spec.loopback, "key": bool(spec.key), "note": ""}


def _own(name: str, said: Answer) -> ProbeAnswer:
    return ProbeAnswer(name, OWN, "", said.outcome, said.value, "", said.why, money=0.0)


def _left(answer: ProbeAnswer) -> ProbeAnswer:
    return ProbeAnswer(answer.question, answer.model, answer.host, "not asked", why="stopped")


def cell(answer: ProbeAnswer) -> dict[str, Any]:
    """An answer as words for the browser."""
    return {
        "outcome": answer.outcome, "value": value_words(answer.value), "text": answer.text[:_LONGEST],
        "why": answer.why[:_LONGEST], "kept": answer.kept, "facts": facts(answer),
    }  # fmt: skip


def facts(answer: ProbeAnswer) -> str:
    """Tokens, cost and time."""
    if answer.model == OWN or answer.outcome in ("waiting", "not asked"):
        return ""
    tokens = "tokens not told" if answer.given is None else f"{answer.given} + {answer.written} tokens"
    cost = "cost unknown: no prices given" if answer.money is None else f"cost {answer.money:.3g}"
    if answer.kept:
        return f"kept: asked before, nothing was sent; {tokens} then"
    return f"{tokens}, {cost}, {answer.seconds:.2f} s"


def value_words(value: Mapping[str, Any] | None) -> str:
    """A value in words."""
    if value is None:
        return ""
    return ", ".join(f"{k}: {v if isinstance(v, str) else json.dumps(v)}" for k, v in value.items() if v is not None)


def short(answer: ProbeAnswer) -> str:
    """The outcome, and the value where there is one."""
    return value_words(answer.value) if answer.outcome == "value" else answer.outcome


def long(answer: ProbeAnswer) -> str:
    """Everything that the browser would show."""
    parts = [f"{answer.outcome}: {value_words(answer.value)}" if answer.value is not None else answer.outcome]
    parts += [f"“{answer.text[:_LONGEST]}”"] if answer.text else []
    parts += [answer.why] if answer.why and answer.outcome != "value" else []
    return "; ".join([*parts, *filter(None, [facts(answer)])])
