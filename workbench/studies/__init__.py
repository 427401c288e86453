"""The studies: one module per paper, found because the file is there.

Names, titles and versions are read from the text of the modules; listing imports none of them.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import files
from ..core import Entry, PluginError, Registry, UnknownNameError, WorkbenchError
from ._facts import Facts, facts

__all__ = [
    "REGISTRY",
    "Facts",
    "Listing",
    "Place",
    "facts",
    "listing",
    "load",
    "names",
    "notebooks_root",
    "places",
    "read",
]

REGISTRY = Registry("study", "workbench.studies", "workbench.studies")
PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Listing:
    """What a list shows of a study.

    Attributes:
        slug: its name.
        title: of the paper.
        pillar: folder of its notebook.
        version: two parts, e.g. ``"1-A"``.
        module: file of the module.
        notebook: file of the notebook.
    """

    slug: str
    title: str
    pillar: str
    version: str
    module: Path
    notebook: Path


def names() -> list[str]:
    """All slugs."""
    return list(REGISTRY.entries())


def notebooks_root() -> Path:
    """Where the notebooks lie: inside an installed wheel, or beside the package in a clone."""
    inside = PACKAGE / "_notebooks"
    return inside if inside.is_dir() else PACKAGE.parent / "notebooks"


@dataclass(frozen=True)
class Place:
    """Where a study's two files lie.

    Attributes:
        slug: its name.
        origin: distribution that brings it.
        module, notebook: its files.
    """

    slug: str
    origin: str
    module: Path
    notebook: Path


def places() -> dict[str, Place | WorkbenchError]:
    """The files of all studies by slug; of a plug-in whose module is not found there is the error."""
    notebooks = {file.stem: file for file in sorted(notebooks_root().rglob("*.ipynb"), reverse=True)}
    found: dict[str, Place | WorkbenchError] = {}
    for slug, entry in REGISTRY.entries().items():
        try:
            found[slug] = _place(entry, notebooks)
        except WorkbenchError as error:
            found[slug] = error
    return found


def _place(entry: Entry, notebooks: Mapping[str, Path]) -> Place:
    broken: object = "its module is not there"
    try:
        spec = find_spec(entry.target.partition(":")[0])
    except Exception as error:
        spec, broken = None, f"{type(error).__name__}: {error}"
    if spec is None or spec.origin is None:
        raise PluginError(
            f"the study {entry.name!r} of {entry.origin} cannot be read", given=broken,
            do=f"repair or uninstall {entry.origin}",
        )  # fmt: skip
    module = Path(spec.origin)
    name = entry.name.rpartition("/")[2]
    if "/" not in entry.name:
        return Place(entry.name, entry.origin, module, notebooks.get(name, notebooks_root() / f"{name}.ipynb"))
    # A plug-in brings its notebook in its own package: <package>/<pillar>/<name>.ipynb.
    found = sorted(module.parent.glob(f"**/{name}.ipynb"))
    return Place(entry.name, entry.origin, module, found[0] if found else module.with_name(f"{name}.ipynb"))


def listing(slug: str) -> Listing:
    """A study's facts, read without importing it.

    Raises:
        UnknownNameError: no such study.
        PluginError: it is a plug-in's, and its module is not found.
    """
    entries = REGISTRY.entries()
    if slug not in entries:
        raise UnknownNameError("study", slug, entries, do="`workbench list` shows all")
    name = slug.rpartition("/")[2]
    notebooks = (
        {} if "/" in slug else {f.stem: f for f in sorted(notebooks_root().glob(f"**/{name}.ipynb"), reverse=True)}
    )
    return read(_place(entries[slug], notebooks))


def read(place: Place) -> Listing:
    """What a list shows of a study, from the text of its module."""
    tree = ast.parse(files.read_text(place.module))
    title = (ast.get_docstring(tree) or place.slug).splitlines()[0]
    return Listing(place.slug, title, place.notebook.parent.name, _version(tree), place.module, place.notebook)


def load(slug: str) -> Any:
    """A study's module, imported now."""
    return REGISTRY.load(slug)


def _version(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "version" and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    return "?"
