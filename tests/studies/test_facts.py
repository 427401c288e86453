"""What studies declare, read from their text: the same as importing them gives, and no framework loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import studies
from workbench.core import PluginError


@pytest.mark.parametrize("slug", studies.names())
def test_the_text_says_what_the_module_says(slug: str) -> None:
    place = studies.places()[slug]
    assert isinstance(place, studies.Place)
    found = studies.facts(place.module, place.notebook)
    assert found.unread == ""
    module = studies.load(slug)
    assert found.study == module.STUDY
    assert found.needs == tuple(getattr(module, "NEEDS", ()))
    listed = studies.listing(slug)
    assert (listed.module, listed.notebook) == (place.module, place.notebook)


def test_reading_all_studies_loads_no_framework() -> None:
    code = (
        "import json, sys; from workbench import studies\n"
        "for p in studies.places().values(): studies.facts(p.module, p.notebook)\n"
        "print(json.dumps([m for m in ('torch', 'onnxruntime', 'cv2', 'matplotlib', 'openai') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def read(tmp_path: Path, text: str) -> studies.Facts:
    module = tmp_path / "study.py"
    module.write_text(text)
    return studies.facts(module, tmp_path / "absent.ipynb")


def test_only_what_a_declaration_rests_on_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    found = read(
        tmp_path,
        '"""A paper.\n\nIts words.\n"""\nimport torch\nfrom pathlib import Path\n'
        f"Path({str(mark)!r}).touch()\nBEFORE = Path({str(mark)!r}).touch()\n"
        # Each names the other: the function is called when all is made.
        "def twice(x):\n    return x * 2 if x < 99 else NAMES\n"
        "BASE = 3\nNAMES = [twice(n) for n in range(BASE)]\n"
        "def heavy():\n    return torch\n"
        "STUDY = tuple(NAMES)\n",
    )
    assert (found.study, found.unread, found.description) == ((0, 2, 4), "", "Its words.")
    assert not mark.exists()


def test_what_would_need_a_framework_says_so(tmp_path: Path) -> None:
    found = read(tmp_path, "import torch\nSTUDY = torch.ones(3)\n")
    assert (found.study, found.unread) == (None, "LookupError: study.py would have to import torch")
    assert "has no plain STUDY" in read(tmp_path, "x = 1\n").unread
    assert "ZeroDivisionError" in read(tmp_path, "STUDY = 1 / 0\n").unread
    with pytest.raises(PluginError, match=r"study.py is no Python\n  given: line 1"):
        read(tmp_path, "def (:\n")
