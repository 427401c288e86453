"""One face: age, classes of a closed list, and yes-or-no attributes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import DataError, Estimate, Undefined
from ...metrics.agreement import cohen_kappa
from ...metrics.attributes import age_mae, confusion, cumulative_score, of_classes
from ...metrics.confidence import interval_score
from ...metrics.decisions import share
from ...metrics.resampling import of_means
from ...probing.answers import Choice
from .told import kind_for
from .truth import Truth, number, only
from .units import Answered, Found, How, Unit

_YES = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}


def age(replied: Sequence[Unit], truth: Truth, *, how: How, **_: Any) -> Found:
    """A point in years: mean absolute and mean signed error, and the share within five years."""
    true, answered = _ages(replied, truth)
    said, people = np.array(answered.values("age"), np.float64), answered.subjects
    counts = {"answered": len(said)}
    return Found({
        "mean absolute error": age_mae(said, true, people, **how),
        "mean error": of_means(said - true, people, "mean of age said minus true age", counts, unit="year", **how),
        "CS(5)": cumulative_score(said, true, people, 5, **how),
    })  # fmt: skip


def age_range(replied: Sequence[Unit], truth: Truth, *, how: How, **_: Any) -> Found:
    """A range of years: how often it holds the truth, how wide it is, and both in one score."""
    true, answered = _ages(replied, truth)
    low, high = (np.array(answered.values(f"age_{end}"), np.float64) for end in ("low", "high"))
    people, counts = answered.subjects, {"answered": len(low)}
    return Found({
        "range holds the age": share((low <= true) & (true <= high), people, "share of ranges with low <= age <= high",
                                     counts, **how),
        "mean width": of_means(high - low, people, "mean of high minus low", counts, unit="year", **how),
        "interval score": interval_score(low, high, true, people, alpha=0.2, **how),
    })  # fmt: skip


def _ages(replied: Sequence[Unit], truth: Truth) -> tuple[NDArray[np.float64], Answered]:
    truth.need("age", "age")
    answered = Answered.of(replied)
    true = [number(only(u.rows[0], u.names[0]), "age", u.names[0]) for u in answered.units]
    return np.array(true, np.float64), answered


def classes(replied: Sequence[Unit], truth: Truth, *, task: str, options: Sequence[str], how: How) -> Found:
    """Gender presentation, expression, or a group as a data set's authors defined it."""
    kind = kind_for(task, options=options)
    assert isinstance(kind, Choice)
    truth.need(kind.key, task)
    answered = Answered.of(replied)
    code = {option: k for k, option in enumerate(kind.options)}
    true = np.array([code[class_of(kind, only(u.rows[0], u.names[0]), u.names[0])] for u in answered.units], np.int64)
    said = np.array([code[v] for v in answered.values(kind.key)], np.int64)
    numbers = answered.right(said == true, how) | of_codes(said, true, len(code), answered.subjects, how)
    return Found(numbers, kind.options, confusion(said, true, len(code)))


def of_codes(
    said: NDArray[np.int64], true: NDArray[np.int64], count: int, people: NDArray[Any], how: How
) -> dict[str, Estimate]:
    """Balanced accuracy and kappa of answers; classes that do not occur are left out of the first."""
    return {
        "balanced accuracy": of_classes("balanced accuracy", said, true, count, people, **how),
        "kappa with the truth": cohen_kappa(said, true, count, people, **how),
    }


def class_of(kind: Choice, row: Any, name: str) -> str:
    """The truth as one of the options; synonyms count ("female" is a woman).

    Raises:
        DataError: it is none of them.
    """
    answer = kind.parse(json.dumps({kind.key: row[kind.key]}))
    if answer.outcome != "value":
        raise DataError(
            f"the truth of {name!r} is none of the options for {kind.key!r}", given=row[kind.key],
            expected=", ".join(kind.options), do="give the options that were offered, or correct the table",
        )  # fmt: skip
    return str(answer.value[kind.key])


def attributes(replied: Sequence[Unit], truth: Truth, *, options: Sequence[str], how: How, **_: Any) -> Found:
    """Yes or no to each of some attributes: accuracy of each, and the mean of their balanced accuracies."""
    answered, numbers, means = Answered.of(replied), {}, []
    for name in options:
        truth.need(name, "attributes")
        true = np.array([_yes(only(u.rows[0], u.names[0]), name, u.names[0]) for u in answered.units], np.int64)
        said = np.array(answered.values(name), np.int64)
        for measure in ("accuracy", "balanced accuracy"):
            numbers[f"{name}: {measure}"] = of_classes(measure, said, true, 2, answered.subjects, **how)
        means.append(numbers[f"{name}: balanced accuracy"].value)
    numbers["mean balanced accuracy"] = _mean(means)
    return Found(numbers)


def _yes(row: Any, column: str, name: str) -> bool:
    text = row[column].lower()
    if text not in _YES:
        raise DataError(f"the truth of {name!r} is not yes or no for {column!r}", given=row[column],
                        expected=", ".join(_YES))  # fmt: skip
    return _YES[text]


def _mean(values: Sequence[float | Undefined]) -> Estimate:
    defined = [v for v in values if not isinstance(v, Undefined)]
    rule, counts = "mean over attributes of the balanced accuracy", {"attributes": len(defined)}
    value = float(np.mean(defined)) if defined else Undefined("no attribute was answered", counts)
    return Estimate(value, rule=rule, counts=counts, unit="fraction")
