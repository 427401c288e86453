"""What is committed stays clean: no outputs, no machine's paths, no stubs, small files."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

# Written in pieces, so that this file does not find itself.
FORBIDDEN = {
    "a path of a development machine": re.compile("(/ho" + r"me/\w+/|/ro" + "ot/|/wo" + "rk/main|/Us" + r"ers/\w+/)"),
    "a registry's host": re.compile("registry" + r"\.npmjs|pypi\." + "org/simple|files" + r"\.pythonhosted"),
    "a secret": re.compile("sk" + r"-[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE" + " KEY"),
}
PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tiff", ".pgm"}


@pytest.fixture(scope="module")
def tracked(repository: Path) -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [repository / name for name in done.stdout.split("\0") if name and (repository / name).exists()]


def test_no_file_names_a_machine_a_registry_or_a_secret(tracked: list[Path]) -> None:
    found = [
        f"{file.name}:{number}: {what}"
        for file in tracked
        if file.suffix not in PICTURES
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]
    assert found == []


def test_no_photograph_and_no_large_file_is_committed(tracked: list[Path]) -> None:
    # Networks trained on phantoms come with the package, together at most 12 MB.
    weights = [f for f in tracked if f.suffix == ".safetensors" and f.parent.name == "phantom"]
    assert sum(f.stat().st_size for f in weights) <= 12_000_000
    large = [f.name for f in tracked if f.stat().st_size > 2_000_000 and f not in weights]
    pictures = [f.name for f in tracked if f.suffix.lower() in PICTURES]
    assert (large, pictures) == ([], [])


def test_notebooks_are_clean(repository: Path) -> None:
    notebooks = sorted((repository / "notebooks").rglob("*.ipynb"))
    assert notebooks
    for file in notebooks:
        code = [c for c in json.loads(file.read_text())["cells"] if c["cell_type"] == "code"]
        assert all(not c["outputs"] and c["execution_count"] is None for c in code), file
        tags = [t for c in code for t in c["metadata"].get("tags", [])]
        assert tags.count("parameters") == 1, file
        assert "injected-parameters" not in tags, file
        for cell in code:
            lines = [ln for ln in cell["source"] if not ln.startswith(("%", "!"))]
            kinds = {type(n) for n in ast.walk(ast.parse("".join(lines)))}
            assert not kinds & {ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}, file


def test_nothing_is_left_undone(repository: Path) -> None:
    undone = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + "XX|raise NotImplemented" + r"Error)\b")
    silent = re.compile(r"except( Exception| BaseException)?:\s*(pass|\.\.\.)?\s*$")
    found = [
        f"{file.relative_to(repository)}:{number}"
        for file in sorted((repository / "workbench").rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if undone.search(line) or silent.search(line)
    ]
    assert found == []


def test_modules_have_one_subject(repository: Path) -> None:
    long = {
        str(file.relative_to(repository)): lines
        for file in (repository / "workbench").rglob("*.py")
        if (lines := len(file.read_text().splitlines())) > 450
    }
    assert long == {}
