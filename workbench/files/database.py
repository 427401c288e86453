"""SQLite as the workbench keeps it: many processes, whole after a kill, and errors that say what to do."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ..core import StoreError
from ._steps import step


def open_database(path: str | Path, schema: str, version: int) -> sqlite3.Connection:
    """A connection to a SQLite file, for the thread that asks; the file and its folder are made.

    Args:
        path: of the file.
        schema: statements that make the tables; they run in a file that is new.
        version: of the schema; it is kept in the file.

    Raises:
        StoreError: it cannot be opened, is no database, or was written by another version.
    """
    file = Path(path)
    try:
        step("create", file)
        file.parent.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(file, timeout=30, isolation_level=None)
        base.row_factory = sqlite3.Row
        base.execute("pragma journal_mode=wal")
        base.execute("pragma synchronous=normal")
        with transaction(base):
            found = base.execute("pragma user_version").fetchone()[0]
            if not found:
                for statement in schema.split(";"):
                    base.execute(statement)
                base.execute(f"pragma user_version={version:d}")
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            "this is no database of the workbench, or it cannot be written", given=f"{file.name}: {error}",
            do="move the file away; nothing was changed",
        ) from error  # fmt: skip
    if found not in (0, version):
        base.close()
        raise StoreError("this database was written by another version", given=f"{file.name}: {found}",
                         expected=version, do="update the workbench, or move the file away")  # fmt: skip
    return base


@contextlib.contextmanager
def transaction(base: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All statements of the block or none, and no other writer meanwhile.

    Raises:
        StoreError: it could not be written; nothing was.
    """
    try:
        base.execute("begin immediate")
    except sqlite3.Error as error:
        raise StoreError("the database cannot be written", given=str(error),
                         do="free space, or end the process that holds it") from error  # fmt: skip
    try:
        yield base
        base.execute("commit")
    except BaseException as error:
        with contextlib.suppress(sqlite3.Error):
            base.execute("rollback")
        if isinstance(error, sqlite3.Error):
            raise StoreError("the database could not be written", given=str(error),
                             do="free space; what was stored is whole") from error  # fmt: skip
        raise
