"""What a study declares, read from its text: the claims of a hundred papers, and not one framework loaded.

A study's module imports torch and more, so importing all of them to list their claims takes minutes and gigabytes.
Its ``STUDY`` needs little of that: here only the statements that it rests on are executed, in the order of need,
with names from other modules of the workbench found in the same way.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import files
from ..core import PluginError

# Rooms that a study declares itself with, and that load nothing heavy; numbers may come out of NumPy.
_REAL = ("workbench.core", "workbench.claims", "numpy")
_ROOT = Path(__file__).parents[2]
_DEPTH = 8


@dataclass(frozen=True)
class Facts:
    """What can be said of a study without running it.

    Attributes:
        study: what it declares (`claims.Study`), or None.
        unread: why it could not be read, else "".
        description: what the module says after its title.
        needs: what the paper's own setting takes, in words.
        words: names of methods, measures and data that it uses, and the headings; for a search.
        outline: headings of the notebook.
    """

    study: Any
    unread: str
    description: str
    needs: tuple[str, ...]
    words: tuple[str, ...]
    outline: tuple[str, ...]


def facts(module: Path, notebook: Path) -> Facts:
    """Facts of a study by its two files.

    Raises:
        StoreError: a file cannot be read.
        PluginError: the module is no Python.
    """
    text = Text(module)
    study, unread = _declared(text)
    needs = _constant(text, "NEEDS")
    outline = headings(notebook) if notebook.is_file() else ()
    paragraphs = (ast.get_docstring(text.tree) or "").partition("\n")[2].strip()
    return Facts(study, unread, paragraphs, tuple(map(str, needs or ())), _words(text.tree, outline), outline)


def headings(notebook: Path) -> tuple[str, ...]:
    """Headings of a notebook's text cells, without their marks."""
    cells = json.loads(files.read_text(notebook))["cells"]
    texts = ("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return tuple(m[1].strip() for text in texts for m in re.finditer(r"^#{1,6}\s+(.+)$", text, re.MULTILINE))


def _declared(text: Text) -> tuple[Any, str]:
    try:
        return text.get("STUDY"), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _constant(text: Text, name: str) -> Any:
    try:
        return text.get(name)
    except LookupError:
        return None


def _words(tree: ast.Module, outline: tuple[str, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            room, _, inner = (node.module or "").removeprefix("workbench.").partition(".")
            if room in ("methods", "data", "metrics", "models", "probing"):
                names = [inner] if inner else [alias.name for alias in node.names]
                found |= dict.fromkeys(n.replace("_", " ").strip() for n in names if n)
    return (*found, *outline)


class Text:
    """The names at the top of a module, evaluated on demand from its text.

    Args:
        file: of the module; code that is installed here, never a stranger's.
        depth: how many modules were followed to it.

    Raises:
        PluginError: it is no Python.
    """

    def __init__(self, file: Path, depth: int = 0) -> None:
        try:
            self.tree = ast.parse(files.read_text(file))
        except SyntaxError as error:
            raise PluginError(f"{file.name} is no Python", given=f"line {error.lineno}: {error.msg}") from error
        self._file, self._depth = file, depth
        self._names: dict[str, Any] = {"__name__": file.stem, "__builtins__": builtins}
        self._waiting: set[str] = set()
        self._made: dict[str, ast.stmt] = {}
        for statement in self.tree.body:
            self._made |= dict.fromkeys(_bound(statement), statement)

    def get(self, name: str) -> Any:
        """The value of a name.

        Raises:
            LookupError: the module does not make it, or it rests on a module that would have to be imported.
        """
        if name in self._names:
            return self._names[name]
        if name not in self._made:
            raise LookupError(f"{self._file.name} has no plain {name}")
        if name in self._waiting:
            raise LookupError(f"{name} of {self._file.name} rests on itself")
        self._waiting.add(name)
        statement = self._made[name]
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._names[name] = self._imported(statement, name)
            return self._names[name]
        for node in ast.walk(statement):
            # A function may name what is made with its help: it is there by the time that the function is called.
            if isinstance(node, ast.Name) and node.id in self._made and node.id not in self._waiting:
                self.get(node.id)
        module = ast.Module([ast.parse("from __future__ import annotations").body[0], statement], [])
        exec(compile(module, str(self._file), "exec"), self._names)
        self._waiting.discard(name)
        return self._names[name]

    def _imported(self, statement: ast.Import | ast.ImportFrom, name: str) -> Any:
        alias = next(a for a in statement.names if (a.asname or a.name.partition(".")[0]) == name)
        if isinstance(statement, ast.Import):
            return importlib.import_module(self._light(alias.name if alias.asname else name))
        target = self._absolute(statement)
        if _is_light(target):
            return getattr(importlib.import_module(target), alias.name)
        if not target.startswith("workbench") or self._depth >= _DEPTH:
            raise LookupError(f"{name} comes from {target}")
        place = _ROOT.joinpath(*target.split("."))
        inner = place / f"{alias.name}.py"
        if inner.is_file():
            return _Names(Text(inner, self._depth + 1))
        file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        return Text(file, self._depth + 1).get(alias.name)

    def _light(self, name: str) -> str:
        if not _is_light(name):
            raise LookupError(f"{self._file.name} would have to import {name}")
        return name

    def _absolute(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        inside = self._file.relative_to(_ROOT) if self._file.is_relative_to(_ROOT) else Path(self._file.name)
        package = inside.parts[: len(inside.parts) - statement.level]
        return ".".join([*package, *filter(None, [statement.module])])


class _Names:
    """A module of the workbench that gives its names without being imported."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Any:
        try:
            return self._text.get(name)
        except LookupError as error:
            raise AttributeError(str(error)) from error


def _is_light(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names or any(
        name == r or name.startswith(f"{r}.") for r in _REAL
    )


def _bound(statement: ast.stmt) -> list[str]:
    """Names that a statement makes."""
    if isinstance(statement, ast.Assign):
        return [n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        return [statement.target.id]
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [a.asname or a.name.partition(".")[0] for a in statement.names]
    return []
