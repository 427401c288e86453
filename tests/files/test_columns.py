import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench import files
from workbench.core import DataError, StoreError
from workbench.testing import faults

TABLE = {
    "name": np.array(["Ann, A.", 'B"ob', "Çem"]),
    "score": np.array([0.1, 1 / 3, -2e-17]),
    "mated": np.array([True, False, True]),
    "fold": np.array([3, 1, 2]),
}


@pytest.fixture(params=[".csv", ".npy", ".npz", ".parquet"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == ".parquet":
        pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    return files.write_columns(tmp_path / f"t{request.param}", TABLE)


def whole(path: Path, rows: int = 1 << 17) -> dict[str, np.ndarray]:
    parts = list(files.column_parts(path, rows=rows))
    return {k: np.concatenate([p.values[k] for p in parts]) for k in parts[0].values}


def test_what_is_written_is_read_to_the_bit(written: Path) -> None:
    for rows in (1, 2, 3, 100):
        found = whole(written, rows)
        assert list(found) == list(TABLE)
        for name, column in TABLE.items():
            plain = found[name]
            if written.suffix == ".csv":
                plain = plain.astype(int).astype(bool) if name == "mated" else plain.astype(column.dtype)
            assert plain.tolist() == column.tolist(), name
    assert files.column_names(written) == tuple(TABLE)
    assert files.is_table(written)


def test_a_table_cut_anywhere_is_refused(written: Path) -> None:
    data = written.read_bytes()
    ends = {i + 1 for i, b in enumerate(data) if b == 10} if written.suffix == ".csv" else set()
    for size in range(len(data)) if len(data) < 400 else [*range(0, 200), *range(200, len(data), 37)]:
        if size in ends:
            continue
        written.write_bytes(data[:size])
        with pytest.raises(DataError):
            whole(written)


def test_a_damaged_table_is_refused_or_read_but_never_something_else(written: Path) -> None:
    data = bytearray(written.read_bytes())
    refusals = []
    for at in range(0, len(data), 3):
        data[at] ^= 0x40
        written.write_bytes(data)
        try:
            whole(written)
        except DataError as error:
            refusals.append(error.what)
        data[at] ^= 0x40
    assert refusals
    assert all(written.name in r for r in refusals)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,4\n5\n7,8\n")
    with pytest.raises(DataError, match=r"t\.csv, line 4 has 1 fields\n  given: 5\n  expected: 2: a, b"):
        whole(path)
    path.write_text("a,b\n1,2\n3,4\n5,6\n")
    assert [p.where(0) for p in files.column_parts(path, rows=2)] == ["t.csv, line 2", "t.csv, line 4"]
    path.write_bytes(b"\xef\xbb\xbfa, b\r\n1, 2\r\n")
    assert whole(path)["b"].tolist() == ["2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2", "ends in the middle of a line"),
        ("a;b\n1;2\n", "separated by commas"),
        ("a,a\n1,2\n", "does not name the columns"),
        ("", "does not name the columns"),
        ('a,b\n1,"2\n3"\n', "goes over several lines"),
        ('a,b\n1,"2\n', "no CSV text"),
        ("a,b\n1,\xff\n", "no CSV text in UTF-8"),
        ("a,b\n1," + "2" * (1 << 21) + "\n", "too long"),
    ],
)
def test_text_that_is_no_table(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message):
        whole(path)


def test_arrays_that_are_no_table(tmp_path: Path) -> None:
    for name, array, message in (
        ("plain.npy", np.zeros(3), "is no table"),
        ("deep.npy", np.zeros((2, 2), [("a", "f8")]), "is no table"),
        ("wide.npy", np.zeros(2, [("a", "f8", (3,))]), "is no table"),
    ):
        np.save(tmp_path / name, array)
        with pytest.raises(DataError, match=message):
            whole(tmp_path / name)
    np.savez(tmp_path / "t.npz", a=np.zeros(3), b=np.zeros(4))
    with pytest.raises(DataError, match="unequal lengths\n  given: a 3, b 4"):
        whole(tmp_path / "t.npz")
    np.savez(tmp_path / "t.npz", a=np.float64(3))
    with pytest.raises(DataError, match="a single value"):
        whole(tmp_path / "t.npz")
    with pytest.raises(DataError, match="no table that is read here"):
        whole(tmp_path / "t.xlsx")
    with pytest.raises(StoreError, match="cannot read"):
        whole(tmp_path / "absent.csv")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_objects_are_not_unpickled(tmp_path: Path, suffix: str) -> None:
    flag = tmp_path / "flag"

    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (flag,)

    array = np.array([(Payload(),)], [("score", object)])
    path = tmp_path / f"t{suffix}"
    if suffix == ".npy":
        np.save(path, array, allow_pickle=True)
    else:
        np.savez(path, score=array["score"])
    with pytest.raises(DataError, match="Python objects"):
        whole(path)
    assert not flag.exists()


def test_a_header_that_asks_for_more_than_is_there_costs_nothing(tmp_path: Path) -> None:
    head = b"{'descr': [('score', '<f8')], 'fortran_order': False, 'shape': (1000000000000,), }"
    head = head.ljust(118 - 1) + b"\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head
    (tmp_path / "t.npy").write_bytes(data)
    with pytest.raises(DataError, match="does not fit its data"):
        whole(tmp_path / "t.npy")
    with zipfile.ZipFile(tmp_path / "t.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.npy", data + bytes(20 << 20))
    with pytest.raises(DataError, match=r"does not fit its data|far more than its size"):
        whole(tmp_path / "t.npz")


def test_texts_and_rows_that_cost_nothing_to_write_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 9000 + "3," + "x" * 100_000 + "\n")
    with pytest.raises(DataError, match="'b' holds a text that is too long"):
        whole(path)
    arrow = pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    import pyarrow.parquet

    path = tmp_path / "t.parquet"
    long = arrow.DictionaryArray.from_arrays(np.zeros(100_000, np.int32), ["x" * 100_000])
    pyarrow.parquet.write_table(arrow.table({"a": long}), path, store_schema=False)
    assert pyarrow.parquet.read_schema(path).field("a").type == arrow.string()
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="'a' holds a text that is too long"):
        whole(path)
    pyarrow.parquet.write_table(arrow.table({"a": np.zeros(5_000_000, np.int8)}), path)
    with pytest.raises(DataError, match="far more rows than its size"):
        whole(path)
    pyarrow.parquet.write_table(arrow.table({"a": [["deep"]]}), path)
    with pytest.raises(DataError, match="'a' has a type that is not read"):
        whole(path)
    pyarrow.parquet.write_table(arrow.table({"a": ["x", None]}), path)
    with pytest.raises(DataError, match="'a' has empty cells"):
        whole(path)


def test_a_structured_array_is_mapped_not_read(tmp_path: Path) -> None:
    path = files.write_columns(tmp_path / "t.npy", {"score": np.arange(1000.0)})
    values = next(iter(files.column_parts(path, rows=10))).values["score"]
    assert isinstance(values, np.memmap)
    assert not values.flags.writeable


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(StoreError, match=r"face-workbench\[scale\]"):
        files.write_columns(tmp_path / "t.parquet", TABLE)
    with pytest.raises(StoreError, match=r"face-workbench\[scale\]"):
        whole(tmp_path / "t.parquet")


def test_a_failed_write_leaves_what_was_there(written: Path) -> None:
    before = written.read_bytes()
    for n in range(1, 7):
        with faults.fail_at(n, OSError(28, "No space left on device")), pytest.raises(StoreError):
            files.write_columns(written, {"score": np.zeros(5)})
        # Only after the rename is the new table there, and then it is whole.
        assert written.read_bytes() == before or whole(written)["score"].size == 5
        files.write_columns(written, TABLE)


@given(
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.floats(allow_nan=True)),
             min_size=1, max_size=8),
    st.sampled_from([".csv", ".npy", ".npz"]),
)  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_and_number_comes_back_or_is_refused(
    tmp_path: Path, rows: list[tuple[str, float]], suffix: str
) -> None:
    texts, numbers = np.array([t for t, _ in rows], np.str_), np.array([n for _, n in rows])
    path = tmp_path / f"t{suffix}"
    if suffix == ".csv" and any(mark in text for text in texts for mark in "\r\n"):
        with pytest.raises(DataError, match="line end"):
            files.write_columns(path, {"text": texts, "number": numbers})
        return
    files.write_columns(path, {"text": texts, "number": numbers})
    found = whole(path)
    assert found["text"].tolist() == texts.tolist()
    again = np.array([n or "nan" for n in found["number"].tolist()], float) if suffix == ".csv" else found["number"]
    assert np.array_equal(again, numbers, equal_nan=True)


def test_arrays_of_any_shapes_come_back(tmp_path: Path) -> None:
    given = {"table": np.arange(6, dtype=np.float32).reshape(2, 3), "names": np.array(["a", "bb"])}
    back = files.read_arrays(files.write_arrays(tmp_path / "a.npz", given))
    assert {k: v.tolist() for k, v in back.items()} == {"table": [[0, 1, 2], [3, 4, 5]], "names": ["a", "bb"]}
    with pytest.raises(DataError, match=r"no name for arrays\n  given: .npy"):
        files.write_arrays(tmp_path / "a.npy", given)
    with pytest.raises(DataError, match="names holds Python objects"):
        files.write_arrays(tmp_path / "b.npz", {"names": np.array([{}], object)})
