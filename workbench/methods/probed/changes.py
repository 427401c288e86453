"""Whether a model says the same when pictures change places, words change, or it is asked again. No truth is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...core import Estimate, ParameterError
from ...metrics.agreement import cohen_kappa
from ...metrics.decisions import share
from ...metrics.resampling import of_means
from .told import Told
from .truth import Truth, people

Change = Literal["order", "wording", "attempt"]
CHANGES: tuple[Change, ...] = ("order", "wording", "attempt")
_SYMMETRIC = ("verification", "similarity")
_LISTS = ("gender", "expression")
_NUMBERS = {"age": "age", "similarity": "similarity"}
_DECISIONS = {"verification": "same_person", "attack": "attack"}


def consistency(
    task: str, replies: Sequence[Told], change: Change, *, truth: Truth | None = None, resamples: int = 1000,
    level: float = 0.95, seed: int = 0,
) -> dict[str, Estimate]:  # fmt: skip
    """Agreement of answers to the same pictures.

    Args:
        task: with one value an answer: verification, similarity, identification, age, attack or a closed list.
        replies: of any number of models and wordings; only pairs that differ in ``change`` alone are compared.
        change: ``"order"`` of the pictures (verification, similarity, and the candidates of identification, whose
            answers are compared by picture, not by number), ``"wording"`` or ``"attempt"``.
        truth: whose ``subject`` column names the people for the intervals; None: each set of pictures for itself.
        resamples: see `scoring.score`.
        level: likewise.
        seed: likewise.

    Returns:
        How often both or one of two were answered and, over pairs of answers, the share that agree and Cohen's kappa
        (closed lists), or the mean difference (numbers).

    Raises:
        ParameterError: the change is unknown, or the task has no one value to compare.
    """
    if change not in CHANGES:
        raise ParameterError("unknown change", given=change, expected=", ".join(CHANGES))
    if not comparable(task, change):
        raise ParameterError(
            "this task has no one value, or no order of pictures, to compare", given=f"{task}, {change}",
            expected="verification, similarity, identification; without order age, attack or a closed list, too",
        )  # fmt: skip
    said = _said(task)
    pairs = _pairs(task, replies, change)
    who = [_subjects(one, truth) for one, _ in pairs]
    widest = max(map(len, who), default=1)
    subjects = np.array([[*w, *[w[0]] * (widest - len(w))] for w in who], np.str_).reshape(len(who), widest)
    how: dict[str, Any] = {"resamples": resamples, "level": level, "seed": seed}
    first, second = (np.array([pair[k].outcome == "value" for pair in pairs], bool) for k in (0, 1))
    both, one, counts = first & second, first ^ second, {"pairs": len(pairs)}
    numbers = {
        "both answered": share(both, subjects, "share of pairs in which both have a value", counts, **how),
        "one answered": share(one, subjects, "share of pairs in which one has a value", counts, **how),
    }
    values = [(said(a), said(b)) for (a, b), there in zip(pairs, both, strict=True) if there]
    return numbers | _agreement(task, values, subjects[both], how)


def comparable(task: str, change: Change) -> bool:
    """Whether answers to a task can be compared under a change."""
    if change == "order":
        return task in (*_SYMMETRIC, "identification")
    known = (*_NUMBERS, *_DECISIONS, *_LISTS, "identification")
    return task in known or task.startswith("group:")


def _agreement(
    task: str, values: Sequence[tuple[Any, Any]], subjects: NDArray[np.str_], how: dict[str, Any]
) -> dict[str, Estimate]:
    counts = {"pairs": len(values)}
    same = np.array([a == b for a, b in values], bool)
    numbers = {"agreement": share(same, subjects, "share of pairs with the same answer", counts, **how)}
    if task in _NUMBERS:
        apart = np.array([abs(a - b) for a, b in values], np.float64)
        unit = "year" if task == "age" else "score"
        numbers["mean difference"] = of_means(apart, subjects, "mean absolute difference", counts, unit=unit, **how)
    elif task != "identification":
        # Candidates differ from search to search, so that chance agreement has no classes there.
        labels = sorted({v for pair in values for v in pair}, key=str)
        codes = np.array([[labels.index(v) for v in pair] for pair in values], np.int64).reshape(-1, 2)
        numbers["kappa"] = cohen_kappa(codes[:, 0], codes[:, 1], max(len(labels), 1), subjects, **how)
    return numbers


def _said(task: str) -> Callable[[Told], Any]:
    """What of an answer is compared."""
    if task == "identification":
        return _candidate
    key = (_NUMBERS | _DECISIONS).get(task, task.removeprefix("group:"))
    return lambda t: t.value[key]


def _candidate(reply: Told) -> str:
    """The picture that was chosen; a number without one, which the question allowed, is a choice of its own."""
    match = int(reply.value["match"])
    return reply.pictures[match] if 0 < match < len(reply.pictures) else f"candidate {match}"


def _pairs(task: str, replies: Sequence[Told], change: Change) -> list[tuple[Told, Told]]:
    """Every two replies that differ in one thing alone, in an order that does not depend on that of the replies."""
    alike: dict[Hashable, list[Told]] = defaultdict(list)
    for reply in replies:
        varied = {"order": reply.pictures, "wording": reply.wording, "attempt": reply.attempt}
        fixed = [v for name, v in varied.items() if name != change]
        pictures = _set_of(task, reply.pictures) if change == "order" else None
        alike[(reply.model, reply.settings, pictures, *fixed)].append(reply)
    found = []
    for key in sorted(alike, key=repr):
        members = sorted(alike[key], key=lambda t: (t.pictures, t.wording, t.attempt))
        found += [(a, b) for a, b in combinations(members, 2) if _value(a, change) != _value(b, change)]
    return found


def _value(reply: Told, change: Change) -> Hashable:
    return {"order": reply.pictures, "wording": reply.wording, "attempt": reply.attempt}[change]


def _set_of(task: str, pictures: tuple[str, ...]) -> tuple[str, ...]:
    """Pictures as far as their order does not matter."""
    return tuple(sorted(pictures)) if task in _SYMMETRIC else (*pictures[:1], *sorted(pictures[1:]))


def _subjects(reply: Told, truth: Truth | None) -> tuple[str, ...]:
    if truth is None or any(n not in truth.rows for n in reply.names):
        return ("\n".join(sorted(reply.pictures)),)
    return tuple(people([truth.rows[n] for n in reply.names], reply.names))
