"""Columns of a score file: which there may be, and every value checked where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, nearest

NEEDED = ("reference", "probe", "score")
SUBJECTS = ("reference_subject", "probe_subject")
GROUPS = ("group_reference", "group_probe")
COLUMNS = (*NEEDED, *SUBJECTS, "mated", "acquired", "fold", *GROUPS)
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no")
_FAILED = ("", "nan", "na", "n/a", "none", "null")


def check_columns(name: str, given: tuple[str, ...]) -> None:
    """Raises `DataError` unless a table's columns are those of scores; the message has the nearest name."""
    unknown = [c for c in given if c not in COLUMNS]
    missing = [c for c in NEEDED if c not in given]
    for one, other in (SUBJECTS, GROUPS):
        missing += [{one: other, other: one}[c] for c in (one, other) if c in given and not {one, other} <= {*given}]
    if not missing and "mated" not in given and SUBJECTS[0] not in given:
        missing = ["mated"]
    if missing:
        near = nearest(missing[0], unknown)
        raise DataError(
            f"{name} has no column {missing[0]!r}",
            given=", ".join(given)[:300],
            expected="reference, probe, score, and reference_subject with probe_subject or mated",
            do=f"rename {near[0]!r} to {missing[0]!r}" if near else "add it",
        )
    if unknown:
        near = nearest(unknown[0], [c for c in COLUMNS if c not in given])
        raise DataError(
            f"{name} has a column that is not known here: {unknown[0]!r}",
            given=", ".join(given)[:300],
            expected=f"did you mean {near[0]!r}?" if near else ", ".join(COLUMNS),
            do="rename it, or remove it; nothing in a score file is silently left out",
        )


def typed(part: files.Columns) -> files.Columns:
    """A piece with ``score``, ``mated`` and ``acquired`` as numbers and truth values, each row checked."""
    check_columns(part.name, tuple(part.values))
    found: dict[str, NDArray[Any]] = {}
    for name in ("reference", "probe", *SUBJECTS, *GROUPS):
        if name in part.values:
            found[name] = _names(part, name)
    found["acquired"] = _truth(part, "acquired") if "acquired" in part.values else np.ones(len(part), bool)
    found["score"] = _scores(part, found["acquired"])
    if "fold" in part.values:
        found["fold"] = _numbers(part, "fold", np.int64, int, "a whole number")
    same = _same(found[SUBJECTS[0]], found[SUBJECTS[1]]) if SUBJECTS[0] in found else None
    found["mated"] = _truth(part, "mated") if "mated" in part.values or same is None else same
    if same is not None and np.any(found["mated"] != same):
        at = int(np.argmax(found["mated"] != same))
        raise DataError(
            f"{part.where(at)}: mated disagrees with the capture subjects",
            given=f"mated {int(found['mated'][at])}, subjects {found[SUBJECTS[0]][at]} and {found[SUBJECTS[1]][at]}",
            expected="mated 1 exactly where both are the same subject",
        )
    return files.Columns(part.name, found, part.first, part.unit)


def _names(part: files.Columns, name: str) -> NDArray[Any]:
    values = np.asarray(part.values[name])
    if values.dtype.kind in "iu":
        return values
    if values.dtype.kind != "U":
        raise DataError(
            f"{part.name}: column {name!r} holds no names", given=values.dtype, expected="texts or integers"
        )
    if np.any(values == ""):
        raise DataError(f"{part.where(int(np.argmax(values == '')))}: {name} is empty", expected="a name")
    return values


def _scores(part: files.Columns, acquired: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Scores, NaN where not acquired; anything but a finite number elsewhere is an error."""

    def number(text: str) -> float:
        return float("nan") if text.strip().lower() in _FAILED else float(text)

    values = np.array(_numbers(part, "score", np.float64, number, "a number"))
    bad = acquired & ~np.isfinite(values)
    if bad.any():
        at = int(np.argmax(bad))
        raise DataError(
            f"{part.where(at)}: the score is no finite number",
            given=f"{part.values['score'][at]!s:.60} ({int(bad.sum())} such rows in this piece)",
            expected="a finite score; a failure to acquire is said by acquired = 0",
            do="repair the scores, or add a column 'acquired' with 0 where a sample failed to acquire",
        )
    values[~acquired] = np.nan
    return values


def _numbers(part: files.Columns, name: str, dtype: Any, parse: Callable[[str], Any], what: str) -> NDArray[Any]:
    values = np.asarray(part.values[name])
    whole = np.issubdtype(dtype, np.integer)
    if values.dtype.kind in ("iu" if whole else "iuf"):
        return values.astype(dtype)
    if values.dtype.kind != "U":
        raise DataError(f"{part.name}: column {name!r} holds no numbers", given=values.dtype, expected=what)
    try:
        return values.astype(dtype)
    except (ValueError, OverflowError):
        # Rare: something besides numbers is there. Row by row finds empty cells, and the line to name.
        out = np.empty(len(values), dtype)
    for row, text in enumerate(values.tolist()):
        try:
            out[row] = parse(text)
        except (ValueError, OverflowError) as error:
            raise DataError(f"{part.where(row)}: {name} is not {what}", given=repr(text[:60]), expected=what) from error
    return out


def _truth(part: files.Columns, name: str) -> NDArray[np.bool_]:
    values = np.asarray(part.values[name])
    if values.dtype.kind == "b":
        return values
    text = values.dtype.kind == "U"
    yes, no = values == ("1" if text else 1), values == ("0" if text else 0)
    if text and not np.all(yes | no):
        small = np.char.lower(np.char.strip(values))
        yes, no = np.isin(small, _TRUE), np.isin(small, _FALSE)
    if not np.all(yes | no):
        at = int(np.argmin(yes | no))
        raise DataError(f"{part.where(at)}: {name} is neither 1 nor 0", given=f"{values[at]!s:.60}", expected="1 or 0")
    return np.asarray(yes)


def _same(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Where two columns of names are equal; a number is equal to its text."""
    if one.dtype.kind != other.dtype.kind and "U" in (one.dtype.kind, other.dtype.kind):
        one, other = one.astype(np.str_), other.astype(np.str_)
    return np.asarray(one == other)
