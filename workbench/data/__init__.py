"""Who is in the data, and who is compared with whom.

>>> from workbench import data
>>> data.split("lfw:pictures/lfw")
('lfw', 'pictures/lfw')

``data.open_dataset("phantom")`` opens the embedded faces, ``"lfw:FOLDER"`` and ``"folder:FOLDER"`` the user's
own; ``"<package>/<name>"`` is a plug-in's. Nothing is downloaded.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from .. import files
from ..core import Registry, Samples, Trials

REGISTRY = Registry("data set", "workbench.data", "workbench.datasets")
_INFRASTRUCTURE = {"embeddings", "pairs", "protocols", "scorecolumns", "scorefiles"}

__all__ = ["REGISTRY", "Dataset", "describe", "names", "open_dataset", "split"]


@runtime_checkable
class Dataset(Protocol):
    """Pictures of people and the protocols on them.

    Attributes:
        name: as it is opened, without the path.
        licence: terms of use.
        real: True where real people are shown.
        digest: over names and contents.
        protocols: names that `samples` and `trials` know; the first is the default.
    """

    name: str
    licence: str
    real: bool
    digest: str
    protocols: tuple[str, ...]

    def samples(self, protocol: str = "") -> Samples:
        """The pictures that a protocol uses."""

    def trials(self, protocol: str = "") -> Trials:
        """Who is compared with whom; indices are into `samples` of the same protocol."""


def names() -> list[str]:
    """All data set names, built in and plugged in; imports nothing."""
    return [n for n in _entries() if n not in _INFRASTRUCTURE]


def _entries() -> list[str]:
    packages = {p.parent.name for p in Path(__file__).parent.glob("*/__init__.py")}
    return sorted(packages | REGISTRY.entries().keys())


def split(spec: str) -> tuple[str, str]:
    """``"lfw:FOLDER"`` as name and path; the path is "" where there is none."""
    name, _, path = spec.partition(":")
    return name, path


def open_dataset(spec: str, **options: Any) -> Dataset:
    """A data set by its specification.

    Args:
        spec: a name of `names`, with ``:PATH`` where the data are the user's.
        **options: what the data set takes, e.g. ``subjects`` and ``seed`` for phantom faces.

    Raises:
        UnknownNameError: no such data set; the nearest names are in the message.
        DataError: the folder is not laid out as published.
    """
    name, path = split(spec)
    opened: Dataset = _module(name).open(path, **options)
    return opened


def _module(name: str) -> Any:
    from importlib import import_module

    from ..core import UnknownNameError

    if name in names():
        builtin = name.replace("-", "_")
        if "/" not in name:
            return import_module(f".{builtin}", __name__)
        return REGISTRY.load(name)
    raise UnknownNameError("data set", name, names(), do="`workbench data list` shows all")


def describe(name: str) -> str:
    """The first paragraph of a data set's documentation, read without importing it."""
    if name not in names():
        _module(name)
    target = REGISTRY.entries()[name].target if name in REGISTRY.entries() else f"{__name__}.{name}"
    spec = find_spec(target.partition(":")[0])
    if spec is None or spec.origin is None:
        return ""
    text = ast.get_docstring(ast.parse(files.read_text(spec.origin))) or ""
    return " ".join(text.split("\n\n")[0].split())
