"""Comparison scores from whatever a person has: `Scores`, two arrays, a file, a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import runs
from ..core import DataError, Result, Scores, ShapeError, Trials
from ..data.scorefiles import read_scores

MOST_ARMS = 6


@dataclass(frozen=True)
class Given:
    """Arms to look at.

    Attributes:
        arms: at least one, each with a name of its own.
        subjects_known: whether capture subjects are known, for intervals.
        source: where they come from, "" where they were given as they are.
    """

    arms: tuple[Scores, ...]
    subjects_known: bool = True
    source: str = ""


def scores_given(given: Any) -> Given:
    """The arms.

    Args:
        given: `Scores`, several of them (a list, or a mapping by name), ``(mated, nonmated)`` arrays of scores, a
            score file (see `data.scorefiles`), a run's folder, or its `Result`.

    Raises:
        DataError: a run that kept no scores, or none at all.
        ShapeError: something else, or more than six arms.
    """
    found = _found(given)
    names = [a.arm for a in found.arms]
    if not names:
        raise DataError("there are no scores to show", given=found.source or type(given).__name__)
    if len(set(names)) != len(names):
        raise ShapeError("two arms have one name", given=names, do="give a mapping of names to scores")
    if len(names) > MOST_ARMS:
        raise ShapeError("too many arms for one chart", given=len(names), expected=f"at most {MOST_ARMS}")
    return found


def _found(given: Any) -> Given:
    if isinstance(given, Scores):
        return Given((given,))
    if isinstance(given, Result):
        return _of_result(given)
    if isinstance(given, str | Path):
        return _of_path(Path(given))
    if isinstance(given, Mapping) and all(isinstance(s, Scores) for s in given.values()):
        return Given(tuple(Scores(str(n), s.trials, s.values, s.acquired) for n, s in given.items()))
    if isinstance(given, Sequence) and given and all(isinstance(s, Scores) for s in given):
        return Given(tuple(given))
    if isinstance(given, tuple) and len(given) == 2:
        return Given((of_arrays(*given),), subjects_known=False)
    raise ShapeError(
        "these are no scores",
        given=type(given).__name__,
        expected="Scores, several Scores, (mated, nonmated) arrays, a score file, a run's folder or its Result",
    )


def of_arrays(mated: Any, nonmated: Any, *, arm: str = "scores") -> Scores:
    """Scores of which nothing is known but whether they are mated.

    Args:
        mated: ``(m,)`` scores, higher is more similar.
        nonmated: ``(n,)`` scores.
        arm: name.
    """
    parts: list[NDArray[np.float64]] = []
    for name, values in (("mated", mated), ("non-mated", nonmated)):
        array = np.asarray(values)
        if array.ndim != 1 or not (np.issubdtype(array.dtype, np.number) or array.size == 0) or np.iscomplexobj(array):
            raise ShapeError(f"{name} scores are no row of numbers", given=(array.dtype, array.shape), expected="(n,)")
        parts.append(array.astype(np.float64))
    index = np.arange(len(parts[0]) + len(parts[1]))
    kind = index < len(parts[0])
    # Who was compared is not known: these codes tell mated from non-mated, and nothing else.
    subjects = np.stack([np.zeros_like(index), (~kind).astype(np.int64)], 1)
    return Scores(arm, Trials(index, index, kind, subjects), np.concatenate(parts), np.ones(len(index), bool))


def _of_result(result: Result) -> Given:
    kept = [r.folder for r in runs.history(result.study) if r.status == "done" and r.result == result]
    if not kept:
        raise DataError(
            "a result holds numbers and verdicts, not scores, and the folder of its run is not to be found",
            given=f"{result.study} {result.version}",
            do="give the run's folder, or the scores themselves",
        )
    return _of_path(kept[0])


def _of_path(path: Path) -> Given:
    if not path.is_dir():
        found = read_scores(path)
        return Given((found.scores,), found.subjects is not None, path.name)
    arms = runs.scores(path)
    if not arms:
        raise DataError(
            "this run kept no comparison scores",
            given=path.name,
            expected="a run of a study that compares faces, made by this version",
            do="run the study again, or give the scores themselves",
        )
    return Given(tuple(arms.values()), True, path.name)
