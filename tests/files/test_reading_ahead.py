"""Pictures are decoded ahead in threads: in order, bounded, and a bad one does not end the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pictures
import pytest

from workbench import files
from workbench.core import ImageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(40):
        data = pictures.encoded(np.full((1 + i, 2, 3), i, np.uint8), "PNG")
        (tmp_path / f"{i:02d}.png").write_bytes(data if i % 10 != 7 else data[:20])
    return tmp_path


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (4, 3), (None, 100)])
def test_order_is_kept_and_errors_take_their_place(folder: Path, workers: int | None, ahead: int) -> None:
    found = list(files.read_images(sorted(folder.iterdir()), workers=workers, ahead=ahead))
    assert [i for i, f in enumerate(found) if isinstance(f, ImageError)] == [7, 17, 27, 37]
    assert [f.shape[0] - 1 for f in found if not isinstance(f, ImageError)] == [i for i in range(40) if i % 10 != 7]
    assert "17.png" in str(found[17])


def test_looking_ahead_is_bounded(folder: Path) -> None:
    asked = 0

    def paths() -> Iterator[Path]:
        nonlocal asked
        for path in sorted(folder.iterdir()):
            asked += 1
            yield path

    reader = files.read_images(paths(), workers=2, ahead=5)
    for taken in range(1, 11):
        next(reader)
        assert asked <= taken + 5
    reader.close()
    assert asked < 20
    assert not [t for t in threading.enumerate() if t.name.startswith("decode")]


def test_no_paths_give_no_pictures() -> None:
    assert list(files.read_images([])) == []


def test_a_png_of_ours_carries_pixels_only() -> None:
    data = files.encode_png(pictures.RAMP)
    assert np.array_equal(files.decode_image(data), pictures.RAMP)
    assert [data[i : i + 4] for i in (12, 37)] == [b"IHDR", b"IDAT"]
