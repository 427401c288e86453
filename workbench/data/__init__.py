"""Who is in the data, and who is compared with whom.

>>> from workbench import data
>>> data.split("lfw:pictures/lfw")
('lfw', 'pictures/lfw')

``data.open_dataset("phantom")`` opens the embedded faces, ``"lfw:FOLDER"``, ``"folder:FOLDER"`` and
``"expressions:FOLDER"`` (pictures labelled in a CSV table) the user's own; ``"<package>/<name>"`` is a plug-in's. Where
a study takes several, they stand side by side: ``"expressions:ONE;expressions:OTHER"``. Nothing is downloaded. A module
that knows a published layout knows it both ways: ``data.export(samples, trials, "lfw", folder)`` writes it, and
``data.layouts()`` lists those that can.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from .. import files
from ..core import Registry, Samples, Trials, parted

REGISTRY = Registry("data set", "workbench.data", "workbench.datasets")
_INFRASTRUCTURE = {
    "embeddings",
    "listed",
    "pairs",
    "presentations",
    "protocols",
    "scorecolumns",
    "scorefiles",
    "writing",
}

__all__ = ["REGISTRY", "Dataset", "describe", "export", "layouts", "names", "open_dataset", "several", "split"]


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
        """Who is compared with whom; indices are into `samples` of the same protocol.

        Raises:
            NoTrialsError: the data set has labels, not pairs.
        """


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


def several(specs: str) -> list[str]:
    """``"expressions:ONE;expressions:OTHER"`` as its specifications."""
    return parted(specs, names)


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


def layouts() -> list[str]:
    """The built-in data sets whose layout can be written too; imports nothing."""
    return [n for n in names() if "/" not in n and _writes(n)]


def _writes(name: str) -> bool:
    text = _source(name)
    return any(isinstance(n, ast.FunctionDef) and n.name == "write" for n in ast.parse(text).body)


def export(samples: Samples, trials: Trials | None, layout: str, folder: str | Path, **options: Any) -> str:
    """Write samples to disk in a published layout, so that the layout's reader opens them.

    Args:
        samples: e.g. ``phantom.faces(4, 2, size=64)``; ``write`` of the layout's module says which attributes
            it needs.
        trials: who is compared with whom; None for layouts that have labels instead.
        layout: one of `layouts`.
        folder: new or empty.
        **options: ``encoding="png"`` (to the bit) or ``"jpeg"`` (quality 95); ``replace=True`` puts the new folder in
            the place of an older export; others are the layout's own.

    Returns:
        A specification that `open_dataset` takes, e.g. ``"lfw:FOLDER"``.

    Raises:
        UnknownNameError: no layout of this name can be written.
        DataError: samples or trials do not fit the layout.
        StoreError: the folder is not empty, or writing failed; there is then nothing new.
    """
    from ..core import UnknownNameError

    if layout not in layouts():
        raise UnknownNameError("layout", layout, layouts())
    return f"{layout}:{_module(layout).write(samples, trials, folder, **options)}"


def _module(name: str) -> Any:
    from importlib import import_module

    from ..core import UnknownNameError

    if name in names():
        builtin = name.replace("-", "_")
        if "/" not in name:
            return import_module(f".{builtin}", __name__)
        return REGISTRY.load(name)
    raise UnknownNameError("data set", name, names(), do="`workbench data` shows all")


def describe(name: str) -> str:
    """The first paragraph of a data set's documentation, read without importing it."""
    if name not in names():
        _module(name)
    text = ast.get_docstring(ast.parse(_source(name))) or ""
    return " ".join(text.split("\n\n")[0].split())


def _source(name: str) -> str:
    """Text of a data set's module; empty where there is none."""
    target = REGISTRY.entries()[name].target if name in REGISTRY.entries() else f"{__name__}.{name}"
    spec = find_spec(target.partition(":")[0])
    return files.read_text(spec.origin) if spec is not None and spec.origin is not None else ""
