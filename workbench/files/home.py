"""Where the workbench keeps what is the user's: ``$WORKBENCH_HOME``, or the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_dir


def home() -> Path:
    """The workbench's folder; it need not exist yet. ``runs`` in it holds runs, ``models`` the user's weights."""
    return Path(os.environ.get("WORKBENCH_HOME") or user_data_dir("face-workbench")).expanduser().resolve()
