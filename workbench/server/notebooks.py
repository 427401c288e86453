"""A study's notebook as a copy in the user's own folder, which stays the user's."""

from __future__ import annotations

import json
from typing import Any

from jupyter_core.utils import ensure_async

from .. import files
from ..core import BusyError, DataError
from .catalogue import Entry

_MARK = "face_workbench"


def shipped(entry: Entry) -> dict[str, Any]:
    """The notebook that comes with a study, with a mark by which an unchanged copy is known later."""
    if entry.place is None:
        raise BusyError(f"{entry.slug} has no notebook")
    notebook: dict[str, Any] = json.loads(files.read_text(entry.place.notebook))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    notebook["metadata"][_MARK] = {"study": entry.slug, "cells": digest(notebook)}
    return notebook


def digest(notebook: dict[str, Any]) -> str:
    """Of kinds and sources of the cells: what a person writes, not what a run leaves."""
    cells = [[c["cell_type"], "".join(c["source"])] for c in notebook["cells"]]
    return files.sha256_bytes(json.dumps(cells).encode("utf-8", "replace"))


async def place(contents: Any, folder: str, entry: Entry, notebook: dict[str, Any], *, fresh: bool) -> tuple[str, str]:
    """Put a copy where the contents manager keeps the user's files.

    Args:
        contents: the server's contents manager; the copy is made by it and so lies in its root folder.
        folder: below that root.
        entry: the study.
        notebook: see `shipped`.
        fresh: another copy beside one that the user changed.

    Returns:
        The contents path, and whether it was created, unchanged, yours or older.

    Raises:
        BusyError: the folder leads elsewhere, or something else has its name.
    """
    parts = [*filter(None, folder.split("/")), *filter(None, [entry.pillar])]
    _contained(contents, "/".join(parts))
    for depth in range(1, len(parts) + 1):
        await _make_folder(contents, "/".join(parts[:depth]))
    stem = "/".join([*parts, entry.slug.rpartition("/")[2]])
    path = f"{stem}.ipynb"
    if await ensure_async(contents.file_exists(path)):
        if not fresh:
            return path, await _state(contents, path, notebook)
        number = 2
        while await ensure_async(contents.file_exists(path)):
            path, number = f"{stem}-{number}.ipynb", number + 1
    await ensure_async(contents.save({"type": "notebook", "format": "json", "content": notebook}, path))
    return path, "created"


async def _make_folder(contents: Any, path: str) -> None:
    if await ensure_async(contents.dir_exists(path)):
        return
    if await ensure_async(contents.file_exists(path)):
        raise BusyError("the notebook's folder cannot be made", given=f"{path} is a file", do="rename that file")
    await ensure_async(contents.save({"type": "directory", "path": path}, path))


async def _state(contents: Any, path: str, notebook: dict[str, Any]) -> str:
    there = (await ensure_async(contents.get(path, content=True, type="notebook")))["content"]
    now = digest(there)
    if now == digest(notebook):
        return "unchanged"
    return "older" if there["metadata"].get(_MARK, {}).get("cells") == now else "yours"


def _contained(contents: Any, folder: str) -> None:
    """A link inside the root must not lead the copy out of it."""
    root = getattr(contents, "root_dir", "")
    if root:
        try:
            files.inside(root, folder)
        except DataError as error:
            raise BusyError("the notebook's folder leads out of the server's root folder", given=folder,
                            do="remove that link") from error  # fmt: skip
