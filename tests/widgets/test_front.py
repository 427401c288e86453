"""The front ends as text: joined into one module, run by Node, without markup or addresses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.core import DataError
from workbench.widgets import CurveExplorer
from workbench.widgets.modules import STATIC, bundle, styles


def node() -> str:
    """Node: the machine's own, or the one that comes with Playwright."""
    own = shutil.which("node")
    if own:
        return own
    playwright = pytest.importorskip("playwright", reason="front-end tests need node or playwright")
    return str(Path(playwright.__file__).parent / "driver" / "node")


def test_the_logic_of_the_front_ends() -> None:
    tests = [str(p) for p in sorted((Path(__file__).parent / "front").glob("*.test.mjs"))]
    done = subprocess.run([node(), "--test", *tests], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"pass (\d+)", done.stdout).group(1)) >= len(tests)  # type: ignore[union-attr]


def test_joined_modules_run_once_and_keep_their_names_apart(tmp_path: Path) -> None:
    (tmp_path / "count.js").write_text("let n = 0;\nexport function more() { return ++n; }\nconst same = 1;\n")
    (tmp_path / "left.js").write_text('import { more } from "./count.js";\nexport const same = more();\n')
    (tmp_path / "entry.js").write_text(
        'import { more as again } from "./count.js";\nimport { same } from "./left.js";\n'
        "const n = 10;\nexport default [same, again(), n];\n"
    )
    made = tmp_path / "made.mjs"
    made.write_text(bundle("entry", tmp_path))
    script = f"import found from {str(made)!r}; console.log(JSON.stringify(found));"
    said = subprocess.run([node(), "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[1,2,10]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('import x from "https://esm.sh/x";\n', "cannot be joined"),
        ('import { a } from "./entry.js";\n', "in a circle"),
        ("import * as all from './entry.js';\n", "cannot be joined"),
    ],
)
def test_other_imports_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "entry.js").write_text(text)
    with pytest.raises(DataError, match=words):
        bundle("entry", tmp_path)


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.js")), ids=lambda f: f.name)
def test_no_front_end_writes_markup_or_reaches_out(file: Path) -> None:
    text = file.read_text()
    for what in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "XMLHttpRequest"):
        assert what not in text, what
    assert not [a for a in re.findall(r"https?://[^\s\"']+", text) if a != "http://www.w3.org/2000/svg"]


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.css")), ids=lambda f: f.name)
def test_style_sheets_touch_only_their_own(file: Path) -> None:
    rules = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
    selectors = [s.strip() for block in re.findall(r"([^{}]+)\{", rules) for s in block.split(",")]
    assert [s for s in selectors if s and not s.startswith(("@", ".fw"))] == []
    assert "url(" not in rules
    assert "@import" not in rules


def test_a_widgets_own_sheets_do_not_reach_into_others(tmp_path: Path) -> None:
    (tmp_path / "bench.css").write_text(".fw { color: red; }\n")
    (tmp_path / "one.css").write_text(".fw-axis { color: blue; }\n")
    made = styles("one", ("one",), tmp_path)
    assert made.index(".fw {") < made.index(".fw-of-one {") < made.index(".fw-axis")
    assert made.rstrip().endswith("}")


def test_the_look_of_a_chart_stays_beside_every_other_widget(bench: Any) -> None:
    curves = CurveExplorer((np.linspace(0.5, 1, 40), np.linspace(0, 0.6, 40)))
    bench.show(curves)
    bench.page.locator(".fw-axis").first.wait_for()
    look = "(e) => { const s = getComputedStyle(e); return [s.stroke, s.fill, s.fontSize, s.display].join(); }"

    def seen() -> list[str]:
        return [str(e.evaluate(look)) for e in bench.page.locator(".fw-chart, .fw-axis, .fw-tick").all()]

    alone = seen()
    sheets = tuple(sorted(f.stem for f in STATIC.glob("*.css") if f.stem not in ("bench", *curves.sheets)))
    bench.page.add_style_tag(content=styles("another", sheets))
    assert len(alone) > 4
    assert seen() == alone
