"""The house keeps its order: imports go downwards, and naming the package loads nothing heavy."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FLOORS = [
    {"core"},
    {"files"},
    {"data", "models", "metrics", "probing"},
    {"methods"},
    {"claims"},
    {"studies"},
    {"runs"},
    {"figures"},
    {"widgets", "server", "doctor"},
    {"testing"},
    {"cli"},
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}


def rooms_imported(source: str, module: str) -> set[str]:
    """Rooms of the workbench that a module's text imports, anywhere in it."""
    package = module.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, node.module] if node.module else base)
            names = [stem, *(f"{stem}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            if parts[0] == "workbench" and len(parts) > 1 and parts[1] in FLOOR:
                found.add(parts[1])
    return found


def breaches(package: Path) -> Iterator[str]:
    """Imports that go upwards or sideways, as sentences."""
    for file in sorted(package.rglob("*.py")):
        inside = file.relative_to(package)
        room = inside.parts[0].removesuffix(".py")
        if room not in FLOOR:
            continue
        module = ".".join(["workbench", *inside.with_suffix("").parts])
        module = module if inside.name != "__init__.py" else module.removesuffix("__init__") + "_"
        for other in rooms_imported(file.read_text(), module) - {room}:
            if FLOOR[other] >= FLOOR[room] or (room == "metrics" and other != "core"):
                yield f"{inside.as_posix()} imports {other}"


def test_imports_go_downwards_only(repository: Path) -> None:
    assert list(breaches(repository / "workbench")) == []


def test_an_upward_import_is_noticed(tmp_path: Path) -> None:
    for room, line in {
        "core": "from workbench.files import decode_image",
        "metrics": "from ..files import read_text",
        "data": "def f():\n    import workbench.models.cards",
        "models": "from workbench import core",
    }.items():
        (tmp_path / room).mkdir()
        (tmp_path / room / "thing.py").write_text(line)
    assert list(breaches(tmp_path)) == [
        "core/thing.py imports files",
        "data/thing.py imports models",
        "metrics/thing.py imports files",
    ]


def test_every_room_has_a_floor(repository: Path) -> None:
    rooms = {
        p.name.removesuffix(".py")
        for p in (repository / "workbench").iterdir()
        if (p.is_dir() and (p / "__init__.py").exists()) or (p.suffix == ".py" and not p.stem.startswith("_"))
    }
    assert rooms - FLOOR.keys() == set()


@pytest.mark.parametrize("statement", ["import workbench", "import workbench.cli", "import workbench.studies"])
def test_naming_the_workbench_loads_nothing_heavy(statement: str) -> None:
    heavy = [
        "torch",
        "onnxruntime",
        "transformers",
        "ipywidgets",
        "papermill",
        "matplotlib",
        "cv2",
        "IPython",
    ]
    code = f"{statement}\nimport sys, json\nprint(json.dumps([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
