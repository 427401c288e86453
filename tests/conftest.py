"""Shared fixtures: no test reaches the network, and none needs data that a fresh clone lacks."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# `make test` says the same each time; `pytest --hypothesis-profile=explore` looks for new cases.
# No test is timed: what a busy machine does is no finding.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).parents[1]

TINY_MODULE = '''"""A tiny study. arXiv:0000.00001."""
from workbench.claims import Claim, Comparison, Study

CLAIMS = tuple(Claim(f"C{i}", f"thing {i}", (Comparison("x", "a", "b"),)) for i in (1, 2))
STUDY = Study(title="A tiny study", source="arXiv:0000.00001", pillar="probing", version="1-A", claims=CLAIMS,
              reported=(), scales={s: {} for s in ("smoke", "demo", "paper")})
'''
TINY_PARAMETERS = """scale: Literal["smoke", "demo", "paper"] = "demo"  # size
data: str = "phantom"  # phantom or lfw:FOLDER
model: str = ""
seed: int = 0  # [0, 9] of everything
out: str = ""
"""


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout that is under test."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with small real data and weights; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("WORKBENCH_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("no real data: set WORKBENCH_SHARED to a folder with data/ and models/")
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a workbench home of its own; the user's is never touched."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection off this machine is a failure, not a wait."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "local"
        if host not in ("local", "localhost", "::1") and not str(host).startswith("127."):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def tiny_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes a plug-in ``tiny`` with one study, ``tiny/thing``, whose notebook has the given cells of code.

    This process and its children see it; returns the package's folder.
    """
    site = tmp_path / "site"

    def made(*cells: str) -> Path:
        package = site / "tiny"
        (package / "probing").mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "thing.py").write_text(TINY_MODULE)
        head = {"source": "from typing import Literal", "metadata": {}}
        fields = {"source": TINY_PARAMETERS, "metadata": {"tags": ["parameters"]}}
        sources = [head, fields, *({"source": c, "metadata": {}} for c in cells)]
        code = [
            {"cell_type": "code", "outputs": [], "execution_count": None, "id": f"c{i}"} | s
            for i, s in enumerate(sources)
        ]
        notebook = {"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (package / "probing" / "thing.ipynb").write_text(json.dumps(notebook))
        info = site / "tiny-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[workbench.studies]\nthing = tiny.thing\n")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")])))
        monkeypatch.syspath_prepend(str(site))
        return package

    return made
