"""Where runs are kept: below `files.home`, which is named here too."""

from __future__ import annotations

from pathlib import Path

from ..files.home import home

__all__ = ["home", "run_folder"]


def run_folder(slug: str, run_id: str) -> Path:
    """Folder of one run."""
    return home() / "runs" / slug.replace("/", "--") / run_id
