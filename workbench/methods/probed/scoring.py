"""Answers beside the truth: numbers of one task by one model in one wording, and what was not answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import DataError, Estimate, ParameterError, Scores
from ...metrics.confidence import Bin
from ...metrics.decisions import share
from . import faces, groups, pairs, species
from .told import Told
from .truth import SUBJECT, Truth, people
from .units import Found, Unit, subjects_of

Numbers = dict[str, Estimate]
Task = Callable[..., Found]
UNUSABLE = {
    "refusal": ("refusals", "share of replies in which the model or its server declined"),
    "unparsed": ("unparsed replies", "share of replies that hold no one clear answer"),
}


@dataclass(frozen=True)
class Scored:
    """A task's numbers.

    Attributes:
        title: task, model and wording.
        settings: of the model, as JSON.
        counts: questions, and how many were answered, refused, unparsed, errored, or have no truth.
        numbers: name -> estimate, intervals over capture subjects.
        groups: group -> numbers about its questions alone.
        labels: classes of ``confusion``.
        confusion: ``(classes, classes)``, truths in rows, of answered questions; None where there are no classes.
        reliability: confidence beside accuracy; () where there is no confidence.
        scores: of pairs with a confidence, for curves.
        notes: what a reader must know.
    """

    title: str
    counts: Mapping[str, int]
    numbers: Mapping[str, Estimate]
    groups: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    confusion: NDArray[np.float64] | None = None
    reliability: tuple[Bin, ...] = ()
    scores: Scores | None = None
    notes: tuple[str, ...] = ()
    settings: str = ""


def score(
    task: str, replies: Sequence[Told], truth: Truth, *, group: str = "", options: Sequence[str] = (),
    resamples: int = 1000, level: float = 0.95, seed: int = 0,
) -> Scored:  # fmt: skip
    """Numbers of one task.

    Args:
        task: see `told.kind_for`.
        replies: of one model, one wording and one time of asking.
        truth: of their pictures.
        group: column of the truth by which numbers are given apart, too; "" for none.
        options: of a ``group:`` question, or names of attributes.
        resamples: of capture subjects; 0 gives no intervals.
        level: confidence level.
        seed: of the resampling.

    Raises:
        DataError: no question has a truth, or the truth lacks what the task needs.
        ParameterError: replies of several models or wordings, or no replies.
    """
    asked = sorted({(r.model, r.wording, r.attempt, r.settings) for r in replies})
    if len(asked) != 1:
        raise ParameterError(
            "answers are scored by model, wording, settings and attempt",
            given="; ".join(f"{m} {w}, attempt {a}, {s}" for m, w, a, s in asked) or "no replies", expected="one",
        )  # fmt: skip
    units = [u for r in replies if (u := _unit(r, truth)) is not None]
    if not units:
        raise DataError(
            "no question has a truth", given=f"{len(replies)} questions, e.g. {replies[0].name!r}",
            expected="names as in the column picture, e.g. " + ", ".join(map(repr, list(truth.rows)[:2])),
        )  # fmt: skip
    how = {"resamples": resamples, "level": level, "seed": seed}
    found = _numbers(task, units, truth, options, how)
    by_group = {}
    if group:
        truth.need(group, "the comparison of groups")
        for name in sorted({_group(u, group) for u in units}):
            members = [u for u in units if _group(u, group) == name]
            by_group[name] = _numbers(task, members, truth, options, how).numbers
    said = {"value": "answered", "refusal": "refused", "unparsed": "unparsed", "errored": "errored"}
    counts = {"questions": len(replies)}
    counts |= {word: sum(u.told.outcome == outcome for u in units) for outcome, word in said.items()}
    counts["without truth"] = len(replies) - len(units)
    notes = found.notes
    if SUBJECT not in truth.columns:
        notes += ("the truth names no subjects: every picture counts as a capture subject of its own",)
    model, wording, attempt, settings = asked[0]
    title = f"{task} by {model}, {wording}" + (f", attempt {attempt}" if attempt else "")
    return Scored(title, counts, found.numbers, by_group, found.labels, found.confusion, found.reliability,
                  found.scores, notes, settings)  # fmt: skip


def _unit(reply: Told, truth: Truth) -> Unit | None:
    names = reply.names
    if any(n not in truth.rows for n in names):
        return None
    rows = tuple(truth.rows[n] for n in names)
    return Unit(reply, names, rows, tuple(people(rows, names)))


def _group(unit: Unit, column: str) -> str:
    return " / ".join(dict.fromkeys(row[column] for rows in unit.rows for row in rows)) or "not said"


def _numbers(task: str, units: Sequence[Unit], truth: Truth, options: Sequence[str], how: Mapping[str, Any]) -> Found:
    """The task's own numbers over what was answered, then what was not."""
    # Whoever never got a reply says nothing about the model.
    replied = [u for u in units if u.told.outcome != "errored"]
    found = _task(task)(replied, truth, task=task, options=options, how=how)
    shares = {}
    for outcome, (name, rule) in UNUSABLE.items():
        hits = np.array([u.told.outcome == outcome for u in replied], bool)
        shares[name] = share(hits, subjects_of(replied), rule, {"replies": len(replied)}, **how)
    lost = np.array([u.told.outcome == "errored" for u in units], bool)
    rule = "share of questions without a reply"
    shares["transport errors"] = share(lost, subjects_of(units), rule, {"questions": len(units)}, **how)
    return replace(found, numbers={**found.numbers, **shares})


def _task(task: str) -> Task:
    tasks: dict[str, Task] = {
        "verification": pairs.verification, "similarity": pairs.similarity, "identification": pairs.identification,
        "age": groups.age, "age-range": groups.age_range, "gender": groups.classes, "expression": groups.classes,
        "attributes": groups.attributes, "attack": species.attack, "people": faces.crowd,
    }  # fmt: skip
    if task in tasks:
        return tasks[task]
    if task.startswith("group:"):
        return groups.classes
    raise ParameterError("this task has no scorer", given=task, expected=", ".join((*tasks, "group:KEY")))
