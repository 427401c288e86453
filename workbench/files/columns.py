"""Tables of columns: CSV, NumPy and Parquet files read in pieces of bounded size, and written whole or not at all.

What the columns mean is the data room's matter; here it is seen to that a file is whole, holds no code and has
every row as long as the others. ``.npy`` (one structured array) is memory-mapped: a billion rows cost no memory.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import DataError, StoreError, WeightsError
from .arrays import BROKEN_ZIP, check_size, members, npy_header, read_npy
from .arrow import parquet_bytes, parquet_parts
from .csv_table import csv_bytes, csv_parts
from .paths import read_bytes
from .store import commit_bytes
from .tabular import TABLES, WHOLE, Columns, broken, check_equal, opened

ROWS = 1 << 17
# A column of truth values shrinks a thousandfold in a compressed archive.
_RATIO = 1200


def is_table(path: str | Path) -> bool:
    """Whether the name ends like a table that is read here."""
    return Path(path).suffix.lower() in TABLES


def column_names(path: str | Path) -> tuple[str, ...]:
    """The columns that a table has, without reading its rows.

    Raises:
        StoreError: the file is absent or unreadable.
        DataError: it is no table.
    """
    file = Path(path)
    if file.suffix.lower() != ".npz":
        return tuple(next(column_parts(file, rows=1)).values)
    with opened(file) as raw:
        try:
            return tuple(n.removesuffix(".npy") for n in zipfile.ZipFile(raw).namelist())
        except BROKEN_ZIP as error:
            raise broken(file, "it is not a whole archive", error) from error


def column_parts(path: str | Path, *, rows: int = ROWS) -> Iterator[Columns]:
    """A table in pieces of at most ``rows`` rows, in order; an empty table is one piece without rows.

    Raises:
        StoreError: the file is absent or unreadable.
        DataError: it is no table, cut short, damaged, or its columns have unequal lengths.
    """
    file = Path(path)
    reader = {".csv": csv_parts, ".npy": _npy, ".npz": _npz, ".parquet": parquet_parts}.get(file.suffix.lower())
    if reader is None:
        raise DataError(f"{file.name} is no table that is read here", given=file.suffix or "no suffix", expected=WHOLE)
    try:
        yield from reader(file, rows)
    except WeightsError as error:
        raise broken(file, error.what.partition("was refused: ")[2] or error.what, error.given) from error


def read_arrays(path: str | Path) -> dict[str, NDArray[Any]]:
    """The arrays of a ``.npz`` file by name, of any shapes.

    Raises:
        StoreError: the file is absent or unreadable.
        DataError: it is cut short, damaged or holds Python objects.
    """
    file = Path(path)
    try:
        archive = members(read_bytes(file), file.name, ratio=_RATIO)
        names = [n for n in archive.namelist() if n.endswith(".npy")]
        return {n.removesuffix(".npy"): read_npy(archive.read(n), f"{file.name}, array {n}") for n in names}
    except WeightsError as error:
        raise broken(file, error.what.partition("was refused: ")[2] or error.what, error.given) from error
    except BROKEN_ZIP as error:
        if isinstance(error, StoreError):
            raise
        raise broken(file, "a part of it is damaged", error) from error


def write_arrays(path: str | Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays of any shapes as ``.npz``, whole or not at all; `read_arrays` reads them.

    Raises:
        StoreError: it could not be written.
        DataError: the name ends otherwise, or an array holds Python objects.
    """
    file = Path(path)
    if file.suffix.lower() != ".npz":
        raise DataError(f"{file.name} is no name for arrays", given=file.suffix or "no suffix", expected=".npz")
    objects = [k for k, v in arrays.items() if np.asarray(v).dtype.hasobject]
    if objects:
        raise DataError(f"{file.name}: {objects[0]} holds Python objects", do="store numbers and texts")
    return commit_bytes(file, _npz_bytes(arrays))


def write_columns(path: str | Path, columns: Mapping[str, NDArray[Any]]) -> Path:
    """Write columns of equal length in the format that the name ends with, whole or not at all.

    Raises:
        StoreError: it could not be written.
        DataError: the columns have unequal lengths, or the name ends like no table.
    """
    file = Path(path)
    writer = {".csv": csv_bytes, ".npy": _npy_bytes, ".npz": _npz_bytes, ".parquet": parquet_bytes}.get(
        file.suffix.lower()
    )
    if writer is None:
        raise DataError(f"{file.name} is no table that is written here", given=file.suffix, expected=", ".join(TABLES))
    check_equal(file.name, columns)
    return commit_bytes(file, writer(columns))


def _npy(file: Path, rows: int) -> Iterator[Columns]:
    with opened(file) as raw:
        shape, _, dtype = npy_header(raw, file.name)
        check_size(shape, dtype, os.fstat(raw.fileno()).st_size - raw.tell(), file.name)
        if dtype.names is None or len(shape) != 1 or any(dtype[n].shape for n in dtype.names):
            raise DataError(
                f"{file.name} is no table",
                given=f"{shape} {dtype}",
                expected="one structured array with a named field for every column",
                do="or save columns by name: numpy.savez('scores.npz', score=..., mated=...)",
            )
        mapped = np.memmap(raw, dtype, "r", raw.tell(), shape) if shape[0] else np.empty(0, dtype)
    for start in range(0, max(len(mapped), 1), rows):
        yield Columns(file.name, {n: mapped[n][start : start + rows] for n in dtype.names}, start)


def _npz(file: Path, rows: int) -> Iterator[Columns]:
    columns = read_arrays(file)
    check_equal(file.name, columns)
    count = len(next(iter(columns.values()), ()))
    for start in range(0, max(count, 1), rows):
        yield Columns(file.name, {k: v[start : start + rows] for k, v in columns.items()}, start)


def _npy_bytes(columns: Mapping[str, NDArray[Any]]) -> bytes:
    arrays = {k: np.asarray(v) for k, v in columns.items()}
    table = np.empty(len(next(iter(arrays.values()), ())), np.dtype([(k, v.dtype) for k, v in arrays.items()]))
    for name, array in arrays.items():
        table[name] = array
    out = io.BytesIO()
    np.lib.format.write_array(out, table, allow_pickle=False)
    return out.getvalue()


def _npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            body = io.BytesIO()
            np.lib.format.write_array(body, np.asarray(array), allow_pickle=False)
            # A fixed date keeps equal tables equal to the bit.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0)), body.getvalue())
    return out.getvalue()
