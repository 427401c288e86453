"""Where runs are kept: ``$WORKBENCH_HOME``, or the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_dir


def home() -> Path:
    """The workbench's folder; it need not exist yet."""
    return Path(os.environ.get("WORKBENCH_HOME") or user_data_dir("face-workbench")).expanduser().resolve()


def run_folder(slug: str, run_id: str) -> Path:
    """Folder of one run."""
    return home() / "runs" / slug.replace("/", "--") / run_id
