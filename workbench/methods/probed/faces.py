"""Several people in one picture: whom each answer is about, who was left out, and who is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import Estimate
from ...metrics.attributes import age_mae, of_classes
from ...metrics.decisions import share
from ...metrics.matching import by_place
from ...metrics.resampling import of_means
from ...probing.answers import Choice
from .groups import class_of
from .told import kind_for
from .truth import PICTURE, Row, Truth, number, people
from .units import Answered, Found, How, Unit

PLACE = "x"
_NOTE = (
    "faces and answers are matched by their number from the left; where their counts differ, nobody can know who was "
    "left out, so attributes are also given over pictures with the right count"
)


def crowd(replied: Sequence[Unit], truth: Truth, *, how: How, **_: Any) -> Found:
    """Faces counted and matched by place, then what was said of each that has an answer."""
    truth.need(PLACE, "several people")
    answered = Answered.of(replied)
    rows = [_from_left(u) for u in answered.units]
    said = [list(u.told.value) for u in answered.units]
    there, told = np.array([len(r) for r in rows]), np.array([len(s) for s in said])
    subjects, counts = answered.subjects, {"pictures": len(rows), "faces": int(there.sum()), "answers": int(told.sum())}
    matched = [by_place(np.arange(n, dtype=float), np.array([p["position"] - 1.0 for p in s]))
               for n, s in zip(there, said, strict=True)]  # fmt: skip
    missing = np.array([len(m.missing) for m in matched], np.float64)
    extra = np.array([len(m.extra) for m in matched], np.float64)
    numbers = {
        "right count of faces": share(there == told, subjects, "share of pictures with as many answers as faces",
                                      counts, **how),
        "faces missing a picture": of_means(missing, subjects, "mean number of faces without an answer", counts,
                                            unit="faces", **how),
        "answers too many a picture": of_means(extra, subjects, "mean number of answers without a face", counts,
                                               unit="answers", **how),
    }  # fmt: skip
    pairs = [
        (row, answer, name, fits)
        for u, r, s, m, fits in zip(answered.units, rows, said, matched, there == told, strict=True)
        for row, answer, name in ((r[i], s[j], u.names[0]) for i, j in m.pairs)
    ]
    numbers |= _attributes(pairs, truth, "", how)
    numbers |= _attributes([p for p in pairs if p[3]], truth, ", right count", how)
    return Found(numbers, notes=(_NOTE,))


def _from_left(unit: Unit) -> list[Row]:
    """Rows from left to right, each with a subject."""
    who = people(unit.rows[:1], unit.names[:1])
    named = [{**row, "subject": name} for row, name in zip(unit.rows[0], who, strict=True)]
    return sorted(named, key=lambda row: number(row, PLACE, f"{PICTURE} {unit.names[0]}"))


def _attributes(pairs: Sequence[tuple[Any, ...]], truth: Truth, suffix: str, how: How) -> dict[str, Estimate]:
    """What was said of the faces that have an answer, for every column that the truth has."""
    subjects: NDArray[np.str_] = np.array([row["subject"] for row, *_ in pairs], np.str_)
    numbers: dict[str, Estimate] = {}
    if "age" in truth.columns:
        true = np.array([number(row, "age", name) for row, _, name, _ in pairs], np.float64)
        said = np.array([answer["age"] for _, answer, _, _ in pairs], np.float64)
        numbers[f"age: mean absolute error{suffix}"] = age_mae(said, true, subjects, **how)
    for task in ("gender", "expression"):
        if task not in truth.columns:
            continue
        kind = kind_for(task)
        assert isinstance(kind, Choice)
        code = {option: k for k, option in enumerate(kind.options)}
        true_codes = np.array([code[class_of(kind, row, name)] for row, _, name, _ in pairs], np.int64)
        said_codes = np.array([code[answer[task]] for _, answer, _, _ in pairs], np.int64)
        name = f"{task}: accuracy{suffix}"
        numbers[name] = of_classes("accuracy", said_codes, true_codes, len(code), subjects, **how)
    return numbers
