"""The studies: one module per paper, found because the file is there.

Names, titles and versions are read from the text of the modules; listing imports none of them.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import files
from ..core import Registry, UnknownNameError

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


def listing(slug: str) -> Listing:
    """A study's facts, read without importing it.

    Raises:
        UnknownNameError: no such study.
    """
    entries = REGISTRY.entries()
    if slug not in entries:
        raise UnknownNameError("study", slug, entries, do="`workbench list` shows all")
    spec = find_spec(entries[slug].target.partition(":")[0])
    if spec is None or spec.origin is None:
        raise UnknownNameError("study", slug, entries)
    module = Path(spec.origin)
    tree = ast.parse(files.read_text(module))
    title = (ast.get_docstring(tree) or slug).splitlines()[0]
    name = slug.rpartition("/")[2]
    # A plug-in brings its notebook in its own package: <package>/<pillar>/<name>.ipynb.
    root = module.parent if "/" in slug else notebooks_root()
    found = sorted(root.glob(f"**/{name}.ipynb"))
    notebook = found[0] if found else notebooks_root() / f"{slug}.ipynb"
    return Listing(slug, title, notebook.parent.name, _version(tree), module, notebook)


def load(slug: str) -> Any:
    """A study's module, imported now."""
    return REGISTRY.load(slug)


def _version(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "version" and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    return "?"
