"""The one registry: a folder of modules, and entry points of outside packages.

A contribution is found because its file is there; nothing is edited. Listing names imports nothing.
Outside names carry their package as prefix; a clash is an error; a plug-in that fails to load stays in
the list with its error.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .errors import PluginError, UnknownNameError


@dataclass(frozen=True)
class Entry:
    """One registered name and where it comes from.

    Attributes:
        name: as the user types it; ``"<package>/<name>"`` for a plug-in.
        target: ``"module"`` or ``"module:attribute"``, imported on first use.
        origin: distribution that provides it.
    """

    name: str
    target: str
    origin: str


class Registry:
    """Names of one kind of thing, found in a folder and in an entry-point group.

    Args:
        kind: what the things are, for messages: "study", "model", "dataset".
        package: package whose modules are the built-in things.
        group: entry-point group of outside packages, e.g. ``"workbench.studies"``.
    """

    def __init__(self, kind: str, package: str, group: str) -> None:
        self.kind = kind
        self.package = package
        self.group = group

    def entries(self) -> dict[str, Entry]:
        """All names, sorted; nothing is imported.

        Raises:
            PluginError: two plug-ins claim one name.
        """
        found = {e.name: e for e in self._folder()}
        # The name of a distribution is parsed each time that it is asked for.
        named = functools.cache(lambda dist: str(dist.name))
        for point in sorted(entry_points(group=self.group), key=lambda p: (p.name, p.value)):
            entry = _outside(point, named)
            if entry.name in found and found[entry.name] != entry:
                raise PluginError(
                    f"two plug-ins claim the {self.kind} {entry.name!r}",
                    given=f"{found[entry.name].target} and {entry.target}",
                    do="uninstall one of them, or ask its author to rename it",
                )
            found[entry.name] = entry
        return dict(sorted(found.items()))

    def load(self, name: str) -> Any:
        """The thing behind ``name``, imported now.

        Raises:
            UnknownNameError: no such name; the message lists near ones.
            PluginError: its import failed; the cause is chained.
        """
        entries = self.entries()
        if name not in entries:
            raise UnknownNameError(self.kind, name, entries)
        entry = entries[name]
        module, _, attribute = entry.target.partition(":")
        try:
            loaded = importlib.import_module(module)
            return getattr(loaded, attribute) if attribute else loaded
        except Exception as error:
            raise PluginError(
                f"the {self.kind} {name!r} of {entry.origin} failed to load",
                given=f"{type(error).__name__}: {error}",
                do=f"repair or uninstall {entry.origin}",
            ) from error

    def failures(self) -> dict[str, str]:
        """Names that do not load, with their errors; imports everything."""
        broken = {}
        for name in self.entries():
            try:
                self.load(name)
            except PluginError as error:
                broken[name] = str(error)
        return broken

    def _folder(self) -> Iterator[Entry]:
        spec = find_spec(self.package)
        places = spec.submodule_search_locations if spec else None
        for place in places or ():
            for file in sorted(Path(place).glob("*.py")):
                if not file.stem.startswith("_"):
                    yield Entry(slug(file.stem), f"{self.package}.{file.stem}", "face-workbench")


def slug(module: str) -> str:
    """The public name of a module: ``active_defense`` is ``active-defense``."""
    return module.replace("_", "-")


def parted(specs: str, known: Callable[[], Iterable[str]]) -> list[str]:
    """``"lfw:ONE;lfw:OTHER"`` as its specifications.

    A semicolon divides only where a known name follows, for a path may have one in it.

    Args:
        specs: specifications with semicolons between them.
        known: gives the names of what is specified. It is called only where there is a semicolon: looking names up
            reads what every installed package says of itself.
    """
    first, *others = specs.split(";")
    names, found = {*known()} if others else set(), [first]
    for part in others:
        if part.partition(":")[0].strip() in names:
            found.append(part.lstrip())
        else:
            found[-1] += f";{part}"
    return [spec for spec in found if spec]


def _outside(point: EntryPoint, named: Callable[[Distribution], str]) -> Entry:
    package = named(point.dist) if point.dist else point.module.partition(".")[0]
    return Entry(f"{package}/{point.name}", point.value, package)
