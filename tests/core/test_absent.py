from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.core.absent import absent


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "slow_grammar_for_a_test.py").write_text("there = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "slow_grammar_for_a_test"
    sys.modules.pop("slow_grammar_for_a_test", None)


def test_a_package_cannot_be_imported_within_and_can_afterwards(package: str) -> None:
    with absent(package), pytest.raises(ImportError):
        importlib.import_module(package)
    assert importlib.import_module(package).there


def test_after_an_error_it_can_be_imported_too(package: str) -> None:
    with pytest.raises(ZeroDivisionError), absent(package):
        1 / 0  # noqa: B018
    assert importlib.import_module(package).there


def test_what_is_there_already_stays(package: str) -> None:
    there = importlib.import_module(package)
    with absent(package):
        assert importlib.import_module(package) is there
    assert importlib.import_module(package) is there


@pytest.mark.parametrize("loaded", ["workbench.figures.report", "workbench.runs.child:tools()"])
def test_notebook_tools_come_without_the_grammar_of_addresses(loaded: str) -> None:
    """It takes most of a second to load, in each of the two processes of a run."""
    module, _, call = loaded.partition(":")
    asked = "print('nbformat' in sys.modules, 'rfc3987_syntax.syntax_helpers' in sys.modules)"
    code = [f"import sys, {module}", f"{module}.{call}" if call else "", asked]
    said = subprocess.run([sys.executable, "-c", "\n".join(code)], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "False"]
