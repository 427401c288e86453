"""The front end's own reasoning, without a browser: compiled as it is built, run by Node."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FRONT = Path(__file__).parents[2] / "extensions" / "jupyterlab-workbench"
MODULES = ("code", "form", "interval", "queue", "search", "words")


def node() -> str:
    """Node: the machine's own, or the one that comes with Playwright."""
    own = shutil.which("node")
    if own:
        return own
    playwright = pytest.importorskip("playwright", reason="front-end tests need node or playwright")
    return str(Path(playwright.__file__).parent / "driver" / "node")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the tests printed; a failed one fails here."""
    compiler = FRONT / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.is_file():
        pytest.skip("no TypeScript: run jlpm install in extensions/jupyterlab-workbench")
    made = tmp_path_factory.mktemp("front")
    changed = {"module": "commonjs", "outDir": str(made), "incremental": False, "declaration": False}
    project = made / "tsconfig.json"
    project.write_text(json.dumps({
        "extends": str(FRONT / "tsconfig.json"), "compilerOptions": changed,
        "include": [str(FRONT / "src" / f"{name}.ts") for name in MODULES],
    }))  # fmt: skip
    command = [node(), str(compiler), "--project", str(project)]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stdout
    tests = [str(p) for p in sorted((Path(__file__).parent / "logic").glob("*.test.mjs"))]
    done = subprocess.run(
        [node(), "--test", "--test-reporter=tap", *tests], capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "FRONT": str(made)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_logic_of_the_front_end(said: str) -> None:
    assert int(re.search(r"# pass (\d+)", said)[1]) >= 24  # type: ignore[index]


def test_names_of_pictures_are_the_same_names_in_python(said: str) -> None:
    quoted = json.loads(base64.b64decode(re.search(r"QUOTED (\S+)", said)[1]))  # type: ignore[index]
    names = [
        'a"b.png',
        "it's.png",
        "back\\slash.png",
        "líne\u2028end.png",
        "😀.png",
        "{x}.png",
        "\ud800.png",
        "x\n.png",
    ]
    assert [ast.literal_eval(text) for text in quoted] == names
