"""RELIABILITY A6: names from lists never lead out of their folder, and odd files are never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pictures
import pytest

from workbench import files
from workbench.core import DataError, ImageError, StoreError

OUT = [
    "..", "../x", "../in-sibling/x", "a/../../x", "a/./../../x", "/etc/passwd", "//etc/passwd", "~", "~/x", "~root/x",
    "\\\\host\\share", "\\etc", "nul\0byte", "nul\0/../x", "out", "out/x", "chain/x", "loop", "loop/x", "deep/out/x",
    "x" * 5000, "a/" * 3000 + "x", "\ud800", "/proc/self/environ",
]  # fmt: skip
INSIDE = [
    "a", "a/b.jpg", "a/../b", "...", "..a", "a..", "con", "nul", "a b", " ", "é", "\udce9", "a\\b", "$HOME",
    "%2e%2e/x", "x" * 255, "inner/x", "C:x", "-rf", "{x}", "a\nb",
]  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with links out, inwards, in a circle and in a chain."""
    base = tmp_path / "in"
    (base / "a").mkdir(parents=True)
    (base / "deep").mkdir()
    (tmp_path / "in-sibling").mkdir()
    (base / "out").symlink_to(tmp_path / "in-sibling")
    (base / "deep" / "out").symlink_to("../../in-sibling")
    (base / "chain").symlink_to("out")
    (base / "loop").symlink_to("loop")
    (base / "inner").symlink_to("a")
    return base


@pytest.mark.parametrize("name", OUT)
def test_no_name_leads_out(root: Path, name: str) -> None:
    with pytest.raises(DataError, match="a file name leads out of its folder"):
        files.inside(root, name)


@pytest.mark.parametrize("name", INSIDE)
def test_odd_names_that_stay_inside_are_names(root: Path, name: str) -> None:
    assert files.inside(root, name).is_relative_to(root.resolve())


def test_a_root_that_is_a_link_itself_is_fine(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert files.inside(tmp_path / "alias", "a/x") == root / "a" / "x"


def test_a_link_swapped_during_the_run_is_noticed(tmp_path: Path) -> None:
    base = tmp_path / "data"
    base.mkdir()
    for folder in (base, tmp_path):
        (folder / "p.png").write_bytes(pictures.encoded(pictures.RAMP, "PNG"))
    images = files.ImageFiles(str(base), ("p.png",))
    assert np.array_equal(images[0], pictures.RAMP)
    (base / "p.png").unlink()
    (base / "p.png").symlink_to(tmp_path / "p.png")
    with pytest.raises(DataError, match="leads out"):
        images[0]


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(StoreError, match="not a plain file"):
            files.read_bytes(path)
        with pytest.raises(StoreError, match="not a plain file"):
            files.sha256_file(path)
        with pytest.raises(ImageError, match="cannot be read"):
            files.read_image(path)


def test_reading_is_limited(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 101)
    assert len(files.read_bytes(tmp_path / "a", limit=101)) == 101
    with pytest.raises(StoreError, match="too large"):
        files.read_bytes(tmp_path / "a", limit=100)
    (tmp_path / "a").write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match="not UTF-8"):
        files.read_text(tmp_path / "a")
    # Its size is stated as 0.
    assert files.read_bytes("/proc/self/status").startswith(b"Name:")


def test_the_digest_of_a_tree_is_of_names_and_contents(tmp_path: Path) -> None:
    def tree(folder: Path, **content: str) -> str:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
        return files.digest_tree(folder.iterdir(), folder)

    first = tree(tmp_path / "1", a="x", b="y")
    assert tree(tmp_path / "2", b="y", a="x") == first
    others = [tree(tmp_path / "3", a="y", b="x"), tree(tmp_path / "4", a="x"), tree(tmp_path / "5", a="x", c="y")]
    assert len({first, *others}) == 4
