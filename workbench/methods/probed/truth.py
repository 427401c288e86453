"""What is true of the pictures that were asked about: a table by picture, one row for each person in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import files
from ...core import DataError

PICTURE, SUBJECT = "picture", "subject"
Row = Mapping[str, str]


@dataclass(frozen=True)
class Truth:
    """Rows by picture.

    Attributes:
        rows: name of a picture -> its rows, in the order of the table; several where several people are in it.
        columns: what the table tells besides the picture.
    """

    rows: Mapping[str, tuple[Row, ...]]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, picture: Sequence[str], **columns: Sequence[Any]) -> Truth:
        """From columns, e.g. ``Truth.of(["a", "b"], subject=[1, 1], age=[31, 32])``.

        Raises:
            DataError: columns differ in length.
        """
        lengths = {len(c) for c in (picture, *columns.values())}
        if len(lengths) != 1:
            raise DataError("columns of the truth differ in length", given=sorted(lengths), expected="one length")
        rows: dict[str, tuple[Row, ...]] = {}
        for i, name in enumerate(picture):
            row = {key: str(values[i]).strip() for key, values in columns.items()}
            rows[str(name)] = (*rows.get(str(name), ()), row)
        return cls(rows, tuple(columns))

    def need(self, column: str, why: str) -> None:
        """Refuse a table that lacks a column.

        Raises:
            DataError: it does.
        """
        if column not in self.columns:
            raise DataError(
                f"the truth has no column {column!r}, which {why} needs",
                given=", ".join((PICTURE, *self.columns)), expected=f"{PICTURE}, {column}, ...",
            )  # fmt: skip


def read_truth(path: str | Path) -> Truth:
    """A table (.csv, .npz, .npy or .parquet) with the column ``picture``; the task says which others it needs.

    ``subject`` names the person; ``age`` in years; ``gender``, ``expression`` and groups in words; ``species`` is the
    attack instrument species, empty for bona fide presentations; ``x`` is where a face stands, from the left.

    Raises:
        StoreError: the file cannot be read.
        DataError: it is no table, or does not name pictures.
    """
    columns: dict[str, list[Any]] = {}
    for part in files.column_parts(path):
        for name, values in part.values.items():
            columns.setdefault(name, []).extend(values.tolist())
    if PICTURE not in columns:
        raise DataError(
            f"{Path(path).name} names no pictures", given=", ".join(columns) or "no columns",
            expected=f"a column {PICTURE!r} with the names of the files", do="add it",
        )  # fmt: skip
    return Truth.of(columns.pop(PICTURE), **columns)


def number(row: Row, column: str, name: str) -> float:
    """A column as a number.

    Raises:
        DataError: it is none.
    """
    try:
        return float(row[column])
    except ValueError:
        raise DataError(f"the truth of {name!r} has no number for {column!r}", given=row[column]) from None


def only(rows: Sequence[Row], name: str) -> Row:
    """The row of a picture that shows one person.

    Raises:
        DataError: it has several.
    """
    if len(rows) != 1:
        raise DataError(f"the truth has {len(rows)} rows for {name!r}", expected="one: the task is about one person")
    return rows[0]


def people(rows: Sequence[Sequence[Row]], names: Sequence[str]) -> Iterator[str]:
    """Whom pictures show; a picture without a subject is a person of its own."""
    for name, told in zip(names, rows, strict=True):
        for place, row in enumerate(told):
            yield row.get(SUBJECT) or (f"{name} #{place}" if len(told) > 1 else name)
