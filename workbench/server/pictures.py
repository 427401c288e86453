"""Pictures of an executed notebook, by the cell and the output that drew them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import files
from ..core import UnknownNameError, WorkbenchError
from ..runs.child import EXECUTED

KINDS = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        name: cell and output, e.g. ``"6-0.png"``.
        type: its media type.
        title: the heading above it.
        data: as the notebook holds it.
    """

    name: str
    type: str
    title: str
    data: str

    @property
    def size(self) -> int:
        """Bytes, about."""
        return len(self.data) if self.type == KINDS["svg"] else len(self.data) * 3 // 4

    def content(self) -> bytes:
        """The picture's bytes.

        Raises:
            UnknownNameError: the notebook holds none.
        """
        if self.type == KINDS["svg"]:
            return self.data.encode("utf-8", "replace")
        try:
            return base64.b64decode(self.data)
        except binascii.Error as error:
            raise UnknownNameError("picture", self.name, ()) from error


def pictures(folder: Path) -> list[Picture]:
    """All pictures of a run; none where its notebook cannot be read."""
    try:
        notebook = json.loads(files.read_text(folder / EXECUTED))
        return list(_found(notebook["cells"]))
    except (WorkbenchError, ValueError, KeyError, TypeError, AttributeError):
        return []


def picture(folder: Path, name: str) -> Picture:
    """One picture.

    Raises:
        UnknownNameError: there is none of this name.
    """
    for found in pictures(folder):
        if found.name == name:
            return found
    raise UnknownNameError("picture", name, ())


def _found(cells: list[dict[str, Any]]) -> Iterator[Picture]:
    title = ""
    for index, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            headings = re.findall(r"^#{1,6}\s+(.+)$", _text(cell["source"]), re.MULTILINE)
            title = headings[-1].strip() if headings else title
        for number, output in enumerate(cell.get("outputs", [])):
            for ending, kind in KINDS.items():
                if kind in output.get("data", {}):
                    yield Picture(f"{index}-{number}.{ending}", kind, title, _text(output["data"][kind]))
                    break


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
