"""Rows by column, and what is said of a table that is no whole one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..core import DataError
from .paths import _regular, _unreadable

# One long text would make every row of its column as long.
LONGEST = 512
TABLES = (".csv", ".npy", ".npz", ".parquet")
WHOLE = "a whole table: .csv, .npy (one structured array), .npz (one array per column) or .parquet"


@dataclass(frozen=True)
class Columns:
    """Rows of a table by column.

    Attributes:
        name: of the file, for messages.
        values: columns of equal length; texts only from CSV, the file's own types otherwise.
        first: number of the first row as a reader of the file counts it.
        unit: "line" of a text, "row" (from 0) of anything else.
    """

    name: str
    values: Mapping[str, NDArray[Any]]
    first: int = 0
    unit: str = "row"

    def __len__(self) -> int:
        return len(next(iter(self.values.values()), ()))

    def where(self, row: int) -> str:
        """Where row ``row`` of this piece stands in the file."""
        return f"{self.name}, {self.unit} {self.first + row}"


def broken(file: Path, why: str, given: object) -> DataError:
    """The one way in which a table is refused."""
    return DataError(
        f"{file.name} cannot be read: {why}",
        given=str(given)[:300],
        expected=WHOLE,
        do="write or copy the file again: it may have been cut in the middle",
    )


def texts(values: Sequence[str], name: str, column: str) -> NDArray[np.str_]:
    """Texts as an array, which is as wide as its longest.

    Raises:
        DataError: one is longer than any name.
    """
    longest = max(map(len, values), default=0)
    if longest > LONGEST:
        raise DataError(
            f"{name}: column {column!r} holds a text that is too long",
            given=f"{longest} characters",
            expected=f"at most {LONGEST}",
        )
    return np.array(values, np.str_)


def check_equal(name: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Raises `DataError` unless every column is ``(n,)`` with the same ``n``."""
    lengths = {k: len(v) if np.ndim(v) else None for k, v in columns.items()}
    if len(set(lengths.values())) > 1 or None in lengths.values():
        raise DataError(
            f"{name}: the columns have unequal lengths",
            given=", ".join(f"{k} {v if v is not None else 'a single value'}" for k, v in lengths.items()),
            expected="one value in every column for every row",
        )
    deep = [k for k, v in columns.items() if np.ndim(v) != 1]
    if deep:
        raise DataError(f"{name}: {deep[0]} is no column", given=np.shape(columns[deep[0]]), expected="shape (n,)")


def opened(file: Path) -> BinaryIO:
    """A plain file, open for reading.

    Raises:
        StoreError: it is absent or unreadable.
    """
    try:
        return _regular(file)
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
