"""Outside packages by their entry points, in a fresh interpreter: prefixed, lazy, and visible when broken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = '''"""A paper of ours. arXiv:0000.00000."""
from workbench.claims import Study
STUDY = Study(title="A paper of ours", source="arXiv:0000.00000", pillar="recognition", version="1-A",
              claims=(), reported=(), scales={})
'''
DATASET = '''"""Three pictures that the plug-in brings.

More words.
"""
from workbench.data import phantom
def open(path="", **options):
    return phantom.open("", subjects=2, images=2, size=32)
'''
MODEL = '''"""A model that is the recogniser under another name."""
from dataclasses import replace
from workbench.models import card, load as load_model
CARD = replace(card("faceapi-recogniser"), name="outside/twin")
def load(path, device, backend):
    return load_model("faceapi-recogniser", device=device, backend=backend)
'''


@pytest.fixture
def site(tmp_path: Path) -> Path:
    package = tmp_path / "outside"
    package.mkdir()
    files = {"__init__": "", "study": STUDY, "dataset": DATASET, "model": MODEL, "broken": "raise RuntimeError('no')\n"}
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    info = tmp_path / "outside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    groups = {
        "workbench.studies": ("mine = outside.study", "broken = outside.broken"),
        "workbench.datasets": ("three = outside.dataset", "broken = outside.broken"),
        "workbench.models": ("twin = outside.model", "broken = outside.broken"),
    }
    text = "\n".join(f"[{group}]\n" + "\n".join(lines) for group, lines in groups.items())
    (info / "entry_points.txt").write_text(text + "\n")
    return tmp_path


def workbench(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    command = [sys.executable, "-m", "workbench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def test_plug_ins_are_listed_with_their_package_and_broken_ones_with_their_error(site: Path) -> None:
    listed = workbench(site, "list")
    assert listed.returncode == 0, listed.stderr
    assert "outside/mine" in listed.stdout
    assert "A paper of ours" in listed.stdout
    assert "saliency" in listed.stdout
    shown = workbench(site, "models")
    assert shown.returncode == 0, shown.stderr
    assert "outside/twin" in shown.stdout
    assert "faceapi-recogniser" in shown.stdout
    assert "outside/broken" in shown.stdout
    assert "RuntimeError: no" in shown.stdout
    data = workbench(site, "data")
    assert data.returncode == 0, data.stderr
    assert "outside/three" in data.stdout
    assert "Three pictures that the plug-in brings." in data.stdout


def test_a_plug_ins_model_and_data_set_are_used_by_name(site: Path) -> None:
    code = (
        "from workbench import data, models; from workbench.testing import contracts;"
        "contracts.check_dataset(data.open_dataset('outside/three')); contracts.check_model('outside/twin');"
        "print(models.load('outside/twin', device='cpu').card.dimension)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert found.stdout.strip().endswith("128"), found.stderr
    broken = workbench(site, "models", "show", "outside/broken")
    assert broken.returncode != 0
    assert "failed to load" in broken.stderr
    assert "repair or uninstall outside" in broken.stderr
