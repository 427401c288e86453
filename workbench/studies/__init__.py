"""The studies: one module per paper, found because the file is there.

Names, titles and versions are read from the text of the modules; listing imports none of them.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
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
    below = functools.cache(_notebooks)
    found: dict[str, Place | WorkbenchError] = {}
    for slug, entry in REGISTRY.entries().items():
        try:
            found[slug] = _place(entry, below)
        except WorkbenchError as error:
            found[slug] = error
    return found


def _notebooks(folder: Path) -> dict[str, Path]:
    """Notebooks anywhere below a folder by their stem; of two with one name the first counts."""
    return {file.stem: file for file in sorted(folder.rglob("*.ipynb"), reverse=True)}


def _place(entry: Entry, below: Callable[[Path], Mapping[str, Path]]) -> Place:
    broken: object = "its module is not there"
    try:
        spec = _spec(entry.target.partition(":")[0])
    except Exception as error:
        spec, broken = None, f"{type(error).__name__}: {error}"
    if spec is None or spec.origin is None:
        raise PluginError(
            f"the study {entry.name!r} of {entry.origin} cannot be read", given=broken,
            do=f"repair or uninstall {entry.origin}",
        )  # fmt: skip
    module = Path(spec.origin)
    name = entry.name.rpartition("/")[2]
    # A plug-in brings its notebook in its own package: <package>/<pillar>/<name>.ipynb.
    root = module.parent if "/" in entry.name else notebooks_root()
    return Place(entry.name, entry.origin, module, below(root).get(name, root / f"{name}.ipynb"))


def _spec(module: str) -> ModuleSpec | None:
    """Where a module lies; unlike importlib's own search this imports none of the packages around it."""
    head, *rest = module.split(".")
    spec = find_spec(head)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{part}", list(spec.submodule_search_locations))
    return spec


def listing(slug: str) -> Listing:
    """A study's facts, read without importing it.

    Raises:
        UnknownNameError: no such study.
        PluginError: it is a plug-in's, and its module is not found.
    """
    entries = REGISTRY.entries()
    if slug not in entries:
        raise UnknownNameError("study", slug, entries, do="`workbench list` shows all")
    return read(_place(entries[slug], _notebooks))


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
