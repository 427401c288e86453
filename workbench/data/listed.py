"""Pictures that a list names: all of them there, none outside the folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import files
from ..core import DataError


def present(root: Path, names: Sequence[str], source: str, do: str) -> tuple[str, ...]:
    """The names as they came, each of a file below ``root``.

    Args:
        root: folder of the pictures.
        names: relative paths out of a list.
        source: the list, for messages.
        do: what the reader of the message should do.

    Raises:
        DataError: some are not there, or lead out of the folder.
    """
    missing = [n for n in names if not files.inside(root, n).is_file()]
    if missing:
        raise DataError(
            f"{source} names {len(missing)} pictures that are not there",
            given=", ".join(missing[:3]) + (", …" if len(missing) > 3 else ""),
            expected=f"all {len(names)} below {root.name}/",
            do=do,
        )
    return tuple(names)


def existing_folder(path: str, expected: str) -> Path:
    """The folder of the user's that a specification names.

    Raises:
        DataError: no path, or no folder there.
    """
    root = Path(path)
    if not path or not root.is_dir():
        raise DataError("there is no such folder", given=path or "no path", expected=expected, do="check the path")
    return root
