"""What a run is, said before it is done: everything that changes the answer, and nothing else."""

from __future__ import annotations

import ast
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import data as datasets
from .. import files, models, studies

# Every parameter that does not change the answer; all others are part of the identity.
RUNTIME = frozenset({"out", "show_faces", "consent"})
PACKAGES = ("numpy", "scipy", "torch", "onnxruntime-gpu", "onnxruntime", "opencv-python-headless", "pillow")


@dataclass(frozen=True)
class RunIdentity:
    """Frozen facts that change the answer.

    Attributes:
        study, version: which study.
        parameters: those that are not `RUNTIME`.
        data: digest of the user's data, or "" for phantom faces, which the code determines.
        weights: digest of the user's weights file, or "" for built-in ones.
        code: digest of the notebook, the study and every module of ours that it imports.
        packages: versions of what computes.
        machine: processor architecture.
    """

    study: str
    version: str
    parameters: Mapping[str, object]
    data: str
    weights: str
    code: str
    packages: Mapping[str, str]
    machine: str

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits."""
        return files.sha256_bytes(files.to_json(asdict(self)).encode())[:12]


def identify(slug: str, parameters: Mapping[str, object]) -> RunIdentity:
    """The identity of a run with these checked parameters."""
    listed = studies.listing(slug)
    data, used = _named(parameters)
    return RunIdentity(
        slug,
        listed.version,
        # Digests stand for the files: a folder that was moved is the same data.
        {k: v for k, v in parameters.items() if k not in RUNTIME}
        | {"data": ";".join(name for name, _ in data), "model": ";".join(name for name, _ in used)},
        _one([datasets.open_dataset(f"{name}:{path}").digest if path else "" for name, path in data]),
        _one([files.sha256_file(path) if path else "" for _, path in used]),
        code_digest(listed.module, listed.notebook),
        packages(),
        platform.machine(),
    )


def reads_files(parameters: Mapping[str, object]) -> bool:
    """Whether a run with these parameters reads data or weights of the user."""
    return any(path for kind in _named(parameters) for _, path in kind)


def _named(parameters: Mapping[str, object]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Names and paths of data sets and of models."""
    return (
        [datasets.split(s) for s in datasets.several(str(parameters.get("data", "")))],
        [models.split(s) for s in models.several(str(parameters.get("model", "")))],
    )


def _one(digests: list[str]) -> str:
    """The digest of several things in their order; of one thing its own."""
    return "".join(digests) if len(digests) < 2 else files.sha256_bytes("\n".join(digests).encode())


def packages() -> dict[str, str]:
    """Versions of the packages that compute, of those installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def code_digest(
    module: Path, notebook: Path, *, imports: Callable[[Path], list[Path]] | None = None,
    digest: Callable[[Path], str] = files.sha256_file,
) -> str:  # fmt: skip
    """One digest over a notebook, its study and all modules of the workbench below it.

    Args:
        module: file of the study.
        notebook: file of its notebook.
        imports: `imported`, or one that remembers.
        digest: of a file, or one that remembers.
    """
    seen: set[Path] = set()
    waiting = [module]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += (imports or imported)(file)
    parts = [
        (f.relative_to(studies.PACKAGE).as_posix() if f.is_relative_to(studies.PACKAGE) else f.name, f) for f in seen
    ]
    lines = [f"{name} {digest(file)}" for name, file in sorted(parts)]
    return files.sha256_bytes("\n".join([*lines, digest(notebook)]).encode())


def imported(file: Path) -> list[Path]:
    """Files of the workbench that a module imports anywhere, lazily loaded siblings of packages included."""
    return [found for parts in named(file) for found in files_of(parts)]


def named(file: Path) -> list[list[str]]:
    """What a module imports anywhere, as parts of dotted names; taken from its text."""
    inside = file.relative_to(studies.PACKAGE.parent) if file.is_relative_to(studies.PACKAGE) else Path(file.name)
    package = list(inside.parts[:-1])
    found: list[list[str]] = []
    for node in _statements(ast.parse(files.read_text(file)).body):
        if isinstance(node, ast.Import):
            found += [a.name.split(".") for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module or "").split(".")] if node.module else base
            found += [stem, *([*stem, a.name] for a in node.names)]
    return found


def _statements(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All statements, those inside others too; expressions, nine tenths of a tree, hold none."""
    for node in nodes:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, part, None)
            if isinstance(inner, list):
                yield from _statements(inner)


def files_of(parts: list[str]) -> list[Path]:
    """Files of the workbench behind a dotted name; none for other packages' names."""
    if not parts or parts[0] != "workbench" or len(parts) < 2:
        return []
    place = studies.PACKAGE.joinpath(*parts[1:])
    if place.with_suffix(".py").is_file():
        return [place.with_suffix(".py")]
    # A package hands out its modules lazily and finds some by their folder: all of them may be used.
    return sorted(place.rglob("*.py")) if (place / "__init__.py").is_file() else []
