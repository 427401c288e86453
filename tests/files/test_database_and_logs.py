import sqlite3
from pathlib import Path

import pytest

from workbench.core import StoreError
from workbench.files import open_database, open_log, read_part, transaction

SCHEMA = "create table things (name text); create index names on things (name)"


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    base = open_database(tmp_path / "deep" / "one.sqlite", SCHEMA, 1)

    def half(then: str) -> None:
        with transaction(base):
            base.execute("insert into things values ('half')")
            base.execute(then)

    with pytest.raises(StoreError, match="could not be written"):
        half("insert into nothing values (1)")
    with pytest.raises(TypeError):
        half(None)  # type: ignore[arg-type]
    with transaction(base):
        base.execute("insert into things values ('whole')")
    again = open_database(tmp_path / "deep" / "one.sqlite", SCHEMA, 1)
    assert [row["name"] for row in again.execute("select name from things")] == ["whole"]
    assert again.execute("pragma journal_mode").fetchone()[0] == "wal"


def test_a_writer_that_holds_the_file_is_waited_for_and_then_named(tmp_path: Path) -> None:
    base = open_database(tmp_path / "one.sqlite", SCHEMA, 1)
    other = open_database(tmp_path / "one.sqlite", SCHEMA, 1)
    other.execute("pragma busy_timeout=50")
    with transaction(base), pytest.raises(StoreError, match=r"the database cannot be written\n  given: .*locked"):
        transaction(other).__enter__()


def test_another_version_and_another_file_are_refused(tmp_path: Path) -> None:
    open_database(tmp_path / "one.sqlite", SCHEMA, 1).close()
    with pytest.raises(StoreError, match="another version"):
        open_database(tmp_path / "one.sqlite", SCHEMA, 2)
    (tmp_path / "two.sqlite").write_text("no database " * 100)
    with pytest.raises(StoreError, match="no database of the workbench"):
        open_database(tmp_path / "two.sqlite", SCHEMA, 1)
    assert sqlite3.connect(tmp_path / "one.sqlite").execute("pragma user_version").fetchone() == (1,)


def test_a_log_is_read_from_anywhere_and_never_beyond_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "jobs" / "1.log"
    with open_log(path) as log:
        log.write(b"0123456789")
    with open_log(path) as log:
        log.write(b"ab")
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_part(path, None, 4) == (b"89ab", 8, 12)
    assert read_part(path, None, 99) == (b"0123456789ab", 0, 12)
    assert read_part(path, 2, 3) == (b"234", 2, 12)
    assert read_part(path, 50, 3) == (b"", 12, 12)
    with pytest.raises(StoreError, match="cannot read"):
        read_part(tmp_path / "absent", None, 4)
    (tmp_path / "link.log").symlink_to(path)
    with pytest.raises(StoreError, match="could not write"):
        open_log(tmp_path / "link.log")
