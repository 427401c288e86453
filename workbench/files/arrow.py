"""Parquet files as columns, through pyarrow where it is installed."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import DataError, StoreError
from .tabular import Columns, broken, opened, texts

# A score takes a byte or more; only a column of one value repeated takes less.
_ROWS_A_BYTE = 64


def _arrow(name: str) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise StoreError(
            f"{name} needs pyarrow, which is not installed",
            given=str(error),
            do="pip install 'face-workbench[scale]', or use .csv or .npz",
        ) from error
    return pyarrow


def parquet_parts(file: Path, rows: int) -> Iterator[Columns]:
    """A Parquet file in pieces of at most ``rows`` rows."""
    arrow = _arrow(file.name)
    with opened(file) as raw:
        start = 0
        try:
            head = arrow.parquet.ParquetFile(raw)
            _check_rows(head.metadata.num_rows, os.fstat(raw.fileno()).st_size, file)
            # Kept as a dictionary, a text that stands in every row costs its length once.
            named = [f.name for f in head.schema_arrow if _is_text(arrow, f.type)]
            raw.seek(0)
            table = arrow.parquet.ParquetFile(raw, read_dictionary=named)
            for batch in table.iter_batches(batch_size=rows):
                names = batch.schema.names
                yield Columns(
                    file.name, {n: _plain(arrow, batch.column(i), n, file) for i, n in enumerate(names)}, start
                )
                start += len(batch)
            if start == 0:
                yield Columns(file.name, {n: np.empty(0, np.str_) for n in table.schema_arrow.names})
        except (arrow.ArrowException, OSError) as error:
            if isinstance(error, StoreError):
                raise
            raise broken(file, "it is no whole Parquet file", error) from error


def _check_rows(rows: int, size: int, file: Path) -> None:
    if rows > _ROWS_A_BYTE * size:
        raise broken(file, "it claims far more rows than its size can hold", f"{rows} rows in {size} bytes")


def _is_text(arrow: Any, kind: Any) -> bool:
    return bool(arrow.types.is_string(kind) or arrow.types.is_large_string(kind))


def _plain(arrow: Any, column: Any, name: str, file: Path) -> NDArray[Any]:
    """A Parquet column as an array; an absent number becomes NaN, an absent text or truth value an error."""
    kind = arrow.types
    number = kind.is_floating(column.type)
    if column.null_count and not number:
        raise DataError(f"{file.name}: column {name!r} has empty cells", given=f"{column.null_count} in one piece")
    if kind.is_dictionary(column.type) and _is_text(arrow, column.type.value_type):
        return np.asarray(texts(column.dictionary.to_pylist(), file.name, name)[column.indices.to_numpy()])
    if number or kind.is_integer(column.type) or kind.is_boolean(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    raise DataError(
        f"{file.name}: column {name!r} has a type that is not read here",
        given=str(column.type),
        expected="numbers, truth values or texts",
    )


def parquet_bytes(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Columns as a Parquet file."""
    arrow = _arrow("writing Parquet")
    plain = {k: v.tolist() if v.dtype.kind in "US" else np.ascontiguousarray(v) for k, v in columns.items()}
    out = io.BytesIO()
    arrow.parquet.write_table(arrow.table(plain), out)
    return out.getvalue()
