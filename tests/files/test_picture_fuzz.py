"""RELIABILITY A4: damaged pictures give pixels or `ImageError`, in bounded memory, and never a crash."""

from __future__ import annotations

from pathlib import Path

import mutations
import pytest

from workbench import files


@pytest.mark.parametrize("seconds", [4, pytest.param(600, marks=pytest.mark.slow)])
def test_damaged_pictures_are_decoded_or_refused(tmp_path: Path, seconds: float) -> None:
    counts = files.run_limited(
        mutations.decode_for, seconds, 20, str(tmp_path / "tried"), memory=2 << 30, seconds=seconds + 60
    )
    assert counts["decoded"] > 100
    assert counts["refused"] > 1000
