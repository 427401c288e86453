"""CSV text as columns of texts: commas, a line of names, one line a row, UTF-8."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..core import DataError
from .tabular import Columns, broken, opened, texts

_LINE = 1 << 20
# Python's garbage collector makes many small lists slow when they are held at once.
_ROWS = 1 << 13


def csv_parts(file: Path, rows: int) -> Iterator[Columns]:
    """A CSV file in pieces; without a line end after the last row it may have been cut, and is refused."""
    with opened(file) as raw:
        size = os.fstat(raw.fileno()).st_size
        if size and os.pread(raw.fileno(), 1, size - 1) != b"\n":
            raise DataError(
                f"{file.name} ends in the middle of a line",
                expected="a line end after the last row",
                do="write or copy the file again; if it is whole, add the missing line end",
            )
        _check_lines(raw, file.name)
        lines = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        try:
            yield from _parts(csv.reader(lines, skipinitialspace=True, strict=True), file.name, rows)
        except (csv.Error, UnicodeDecodeError) as error:
            raise broken(file, "it is no CSV text in UTF-8", error) from error


def _check_lines(raw: BinaryIO, name: str) -> None:
    """Refuse lines that never end before a reader collects them in memory."""
    while block := raw.read(_LINE):
        if len(block) == _LINE and b"\n" not in block:
            raise DataError(f"{name} has a line that is too long", expected=f"fewer than {_LINE} characters")
    raw.seek(0)


def _parts(reader: Any, name: str, rows: int) -> Iterator[Columns]:
    head = [h.strip() for h in next(reader, [])]
    if len(head) == 1 and any(mark in head[0] for mark in ";\t|"):
        raise DataError(f"{name}, line 1: columns are separated by commas", given=head[0][:100])
    if not head or len(set(head)) < len(head):
        raise DataError(
            f"{name}, line 1 does not name the columns", given=", ".join(head)[:200], expected="distinct names"
        )
    first = 2
    while True:
        part = list(islice(reader, min(rows, _ROWS)))
        if {*map(len, part)} - {len(head)}:
            short = next(i for i, row in enumerate(part) if len(row) != len(head))
            raise DataError(
                f"{name}, line {first + short} has {len(part[short])} fields",
                given=", ".join(part[short])[:200],
                expected=f"{len(head)}: {', '.join(head)}",
                do="write or copy the file again if it was cut; put texts that hold a comma in double quotes",
            )
        if reader.line_num != first + len(part) - 1:
            raise DataError(
                f"{name}: a field after line {first - 1} goes over several lines", expected="one line a row"
            )
        if part or first == 2:
            columns: Sequence[Sequence[str]] = list(zip(*part, strict=True)) if part else [()] * len(head)
            yield Columns(name, {h: texts(c, name, h) for h, c in zip(head, columns, strict=True)}, first, "line")
        if len(part) < min(rows, _ROWS):
            return
        first += len(part)


def csv_bytes(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Columns as CSV; NaN is an empty cell, truth values are 1 and 0, other numbers come back to the bit.

    Raises:
        DataError: a text holds a line end, which no line of a table can.
    """
    plain = {name: _plain(column) for name, column in columns.items()}
    said = [text for name, column in columns.items() if column.dtype.kind == "U" for text in (name, *plain[name])]
    if any("\n" in text or "\r" in text for text in said):
        raise DataError("a text with a line end cannot stand in a CSV table", do="write .npz or .parquet")
    # A reader skips blanks after a comma, not those inside quotes.
    blank = any(text[:1].isspace() for text in said)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC if blank else csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    writer.writerows(zip(*plain.values(), strict=True))
    return out.getvalue().encode("utf-8")


def _plain(column: NDArray[Any]) -> list[Any]:
    """Python's own numbers, whose text gives the same number back."""
    values = column.astype(np.int64) if column.dtype == bool else column
    return ["" if v != v else v for v in values.tolist()]
