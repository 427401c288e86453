"""All bytes pass the files room: raw loaders appear nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

RAW = {
    "open",
    "Image.open",
    "cv2.imread",
    "cv2.imdecode",
    "torch.load",
    "np.load",
    "numpy.load",
    "np.fromfile",
    "np.loadtxt",
    "np.genfromtxt",
    "pickle.load",
    "pickle.loads",
    "joblib.load",
    "yaml.load",
    "onnx.load",
    "np.save",
    "np.savez",
    "torch.save",
}
METHODS = {"read_text", "read_bytes", "write_text", "write_bytes"}


def called(node: ast.Call) -> str:
    """Dotted name of what is called, as far as it is a plain name."""
    return ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""


def raw_calls(source: str) -> Iterator[str]:
    """Calls in a module's text that read or write bytes past the gate."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = called(node)
            method = isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
            ours = name.startswith("files.")
            if name in RAW or (method and not ours):
                yield f"{name} (line {node.lineno})"


def test_raw_loaders_are_called_in_the_files_room_only(repository: Path) -> None:
    package = repository / "workbench"
    found = [
        f"{file.relative_to(package).as_posix()}: {call}"
        for file in sorted(package.rglob("*.py"))
        if file.relative_to(package).parts[0] != "files"
        for call in raw_calls(file.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    ["open('x')", "torch.load(p)", "Path('x').read_text()", "np.load(p, allow_pickle=True)", "Image.open(p)"],
)
def test_a_raw_loader_is_noticed(line: str) -> None:
    assert list(raw_calls(line))


@pytest.mark.parametrize("line", ["files.read_text(p)", "files.read_image(p)", "data.open_dataset('phantom')"])
def test_the_gate_is_allowed(line: str) -> None:
    assert not list(raw_calls(line))
