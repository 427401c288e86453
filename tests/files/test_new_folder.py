"""A folder of new files is there with all of them, or not there; nothing of anybody else's is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import files
from workbench.core import DataError, StoreError
from workbench.testing import faults


def write(
    place: Path, text: str = "new", *, names: tuple[str, ...] = ("mark", "deep/er/a.txt"), **options: bool
) -> None:
    with files.new_folder(place, mark="mark", **options) as new:
        for name in names:
            new.add(name, text.encode())


def content(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): p.read_text() for p in root.rglob("*") if p.is_file()}


def test_a_folder_appears_at_the_end_of_the_block(tmp_path: Path) -> None:
    place = tmp_path / "out" / "x"
    with files.new_folder(place, mark="mark") as new:
        new.add("mark", b"")
        assert not place.exists()
    assert content(tmp_path) == {"out/x/mark": ""}


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with files.new_folder(tmp_path / "x", mark="mark") as new:
            new.add("mark", b"")
            raise RuntimeError("a picture is broken")

    with pytest.raises(RuntimeError, match="broken"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_taken_and_a_full_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty")
    assert (tmp_path / "empty" / "mark").is_file()
    with pytest.raises(StoreError, match=r"is not empty\n  given: 2 entries\n.*\n  do: .*replace=True"):
        write(tmp_path / "empty", "newer")
    assert (tmp_path / "empty" / "deep/er/a.txt").read_text() == "new"


def test_only_an_older_export_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "x", "old")
    (tmp_path / "x" / "left-over").write_text("")
    write(tmp_path / "x", replace=True)
    assert content(tmp_path) == {"x/mark": "new", "x/deep/er/a.txt": "new"}
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").write_text("mine")
    with pytest.raises(StoreError, match="was not written by the workbench"):
        write(tmp_path / "photos", replace=True)
    (tmp_path / "link").symlink_to(tmp_path / "x")
    for place in (tmp_path / "photos" / "mine.jpg", tmp_path / "link"):
        with pytest.raises(StoreError, match="is there and is no folder"):
            write(place, replace=True)
    assert (tmp_path / "photos" / "mine.jpg").read_text() == "mine"


@pytest.mark.parametrize(
    ("names", "kind", "said"),
    [
        (("mark", "../a"), DataError, "leads out"),
        (("mark", "/a"), DataError, "leads out"),
        (("mark", "mark"), StoreError, "two files would have one name\n  given: mark"),
        (("a",), StoreError, "has no mark"),
    ],
)
def test_names_stay_inside_and_stand_once(tmp_path: Path, names: tuple[str, ...], kind: type, said: str) -> None:
    with pytest.raises(kind, match=said):
        write(tmp_path / "x", names=names)
    assert list(tmp_path.iterdir()) == []


def test_whatever_step_fails_the_old_or_the_new_is_there_whole(tmp_path: Path) -> None:
    write(tmp_path / "counted", "old")
    with faults.record() as steps:
        write(tmp_path / "counted", replace=True)
    after = []
    for n in range(1, len(steps) + 1):
        place = tmp_path / f"x{n}"
        write(place, "old")
        with (
            faults.fail_at(n, OSError(28, "No space left on device")),
            pytest.raises(StoreError, match="could not write"),
        ):
            write(place, replace=True)
        found = content(place)
        assert found.keys() == {"mark", "deep/er/a.txt"}
        after += set(found.values())
    # One word each: never a mixture. Only when the last step fails the new folder is already there.
    assert after == ["old"] * (len(steps) - 1) + ["new"]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
