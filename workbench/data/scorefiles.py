"""Comparison scores in files: what the columns mean, and what of them cannot be true.

Columns ``reference``, ``probe`` (names or numbers of samples or templates), ``score`` (higher is more similar), and
``reference_subject`` with ``probe_subject``, or ``mated`` (1 or 0), or both. Further: ``acquired`` (0 where there is
no score because a sample failed to acquire), ``fold``, ``group_reference`` with ``group_probe``.

>>> from workbench.data.scorefiles import read_scores
>>> read_scores("scores.csv").scores.failures
0
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, Scores, Trials
from .scorecolumns import GROUPS, NEEDED, SUBJECTS, typed


@dataclass(frozen=True)
class ScoreFile:
    """What a score file holds.

    Attributes:
        scores: one arm's; the trials' ``reference`` and ``probe`` are indices into ``names``.
        names: ``(m,)`` names of the samples, sorted.
        subjects: ``(s,)`` names of the capture subjects, sorted, or None where the file does not give them. The codes
            in the trials then only tell mated from non-mated; a bootstrap over them would be one over trials.
        groups: ``(n, 2)`` group of the reference and of the probe, or None.
        digest: SHA-256 of the file.
    """

    scores: Scores
    names: NDArray[Any]
    subjects: NDArray[Any] | None
    groups: NDArray[np.str_] | None = None
    digest: str = ""


@dataclass(frozen=True)
class Batch:
    """Some trials of a file, in its order.

    Attributes:
        values: ``float64 (n,)``, NaN where not acquired.
        mated: ``bool (n,)``.
        acquired: ``bool (n,)``.
    """

    values: NDArray[np.float64]
    mated: NDArray[np.bool_]
    acquired: NDArray[np.bool_]


def read_scores(path: str | Path, *, arm: str = "") -> ScoreFile:
    """The scores of a file, all in memory: about 60 bytes for a trial, and the names.

    Args:
        path: ``.csv``, ``.parquet``, ``.npz`` or ``.npy`` (a structured array).
        arm: name of the method that gave the scores; the file's if not given.

    Raises:
        StoreError: the file is absent or unreadable, or a package that reads it is missing.
        DataError: it is cut or damaged, a column is missing or unknown, a value does not fit its column, mated
            disagrees with the subjects, one sample is of two subjects, or one trial is there twice. The message
            names the line.
    """
    file = Path(path)
    parts = [typed(part) for part in files.column_parts(file)]
    columns = {name: np.concatenate([p.values[name] for p in parts]) for name in parts[0].values}
    table = files.Columns(parts[0].name, columns, parts[0].first, parts[0].unit)
    names, (reference, probe) = _codes([columns["reference"], columns["probe"]])
    _no_duplicates(table, reference, probe)
    given = SUBJECTS[0] in columns
    if given:
        subjects, sides = _codes([columns[s] for s in SUBJECTS])
        codes = np.stack(sides, axis=1)
        for side, sample in enumerate((reference, probe)):
            _one_subject(table, NEEDED[side], names, sample, codes[:, side], subjects)
    else:
        subjects, codes = np.empty(0), apart(columns["mated"])
    fold = np.unique(columns["fold"], return_inverse=True)[1].astype(np.int64) if "fold" in columns else None
    trials = Trials(reference, probe, columns["mated"], codes, fold, file.name)
    groups = np.stack([columns[g].astype(np.str_) for g in GROUPS], axis=1) if GROUPS[0] in columns else None
    scores = Scores(arm or file.stem, trials, columns["score"], columns["acquired"])
    return ScoreFile(scores, names, subjects if given else None, groups, files.sha256_file(file))


def batches(path: str | Path, *, rows: int = 1 << 20) -> Iterator[Batch]:
    """Scores of a file in bounded memory, for lists that are too long for `read_scores`.

    Each row is checked as there; what needs all rows at once (a trial twice, a sample of two subjects) is not.

    Args:
        path: as for `read_scores`; ``.npy`` is memory-mapped.
        rows: at most, in one batch.
    """
    for part in files.column_parts(path, rows=rows):
        values = typed(part).values
        yield Batch(values["score"], values["mated"], values["acquired"])


def write_scores(path: str | Path, found: ScoreFile) -> Path:
    """Write scores so that `read_scores` gives them back; the format is told by the name's ending.

    Raises:
        StoreError: it could not be written; what lay there is whole.
    """
    trials = found.scores.trials
    columns: dict[str, NDArray[Any]] = {
        "reference": found.names[trials.reference],
        "probe": found.names[trials.probe],
        "score": found.scores.values,
    }
    if found.subjects is not None:
        columns |= {name: found.subjects[trials.subjects[:, side]] for side, name in enumerate(SUBJECTS)}
    columns |= {"mated": trials.mated, "acquired": found.scores.acquired}
    if trials.fold is not None:
        columns["fold"] = trials.fold
    if found.groups is not None:
        columns |= {name: found.groups[:, side] for side, name in enumerate(GROUPS)}
    return files.write_columns(path, columns)


def apart(mated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Codes ``(n, 2)`` for trials whose capture subjects are unknown: no two trials share one.

    They say which trials are mated and nothing else; no interval over subjects follows from them.
    """
    first = 2 * np.arange(len(mated), dtype=np.int64)
    return np.stack([first, first + ~mated], axis=1)


def _codes(sides: list[NDArray[Any]]) -> tuple[NDArray[Any], list[NDArray[np.int64]]]:
    """The names in both columns, sorted, and the place of each row's among them."""
    joined = np.concatenate([s.astype(np.str_) for s in sides] if any(s.dtype.kind == "U" for s in sides) else sides)
    names, place = np.unique(joined, return_inverse=True)
    one, other = np.split(place.astype(np.int64), 2)
    return names, [one, other]


def _no_duplicates(table: files.Columns, reference: NDArray[np.int64], probe: NDArray[np.int64]) -> None:
    order = np.lexsort((probe, reference))
    again = np.flatnonzero((np.diff(reference[order]) == 0) & (np.diff(probe[order]) == 0))
    if len(again):
        first, second = sorted(order[again[0] : again[0] + 2].tolist())
        raise DataError(
            f"{table.where(second)}: this trial is there already",
            given=f"{table.values['reference'][second]}, {table.values['probe'][second]}; first in "
            f"{table.unit} {table.first + first}; {len(again)} repetitions in all",
            expected="every pair of reference and probe once",
            do="remove the repetitions: a trial that counts twice makes rates and intervals wrong",
        )


def _one_subject(
    table: files.Columns, side: str, names: NDArray[Any], sample: NDArray[np.int64], subject: NDArray[np.int64],
    subjects: NDArray[Any],
) -> None:  # fmt: skip
    if not len(sample):
        return
    first_row = np.zeros(len(names), np.int64)
    first_row[sample[::-1]] = np.arange(len(sample))[::-1]
    other = subject != subject[first_row[sample]]
    if other.any():
        at = int(np.argmax(other))
        before = int(first_row[sample[at]])
        raise DataError(
            f"{table.where(at)}: {side} {names[sample[at]]} is of two capture subjects",
            given=f"{subjects[subject[at]]} here, {subjects[subject[before]]} in {table.unit} {table.first + before}",
            expected="one subject for every sample",
        )
