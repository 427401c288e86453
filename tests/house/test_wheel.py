"""The wheel in a folder without the repository: everything that a user does works from what it carries."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with the wheel inside; other packages are borrowed, nothing is fetched."""
    from hatchling.builders.wheel import WheelBuilder

    place = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(place), versions=["standard"])
    site = place / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def run(installed: Path, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    empty = installed.parent / "empty"
    empty.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR", "OMP_NUM_THREADS")}
    environment = {
        **kept, "HOME": str(empty), "PYTHONPATH": str(installed), "COLUMNS": "200",
        "WORKBENCH_HOME": str(installed.parent / "home"),
    }  # fmt: skip
    command = [sys.executable, "-m", "workbench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=empty, env=environment, timeout=timeout)


def test_the_wheel_carries_what_it_needs_and_no_more(installed: Path) -> None:
    names = {str(p.relative_to(installed)) for p in installed.rglob("*") if p.is_file()}
    assert "workbench/_notebooks/probing/saliency.ipynb" in names
    assert any(n.startswith("workbench/models/weights/faceapi/face_recognition_model") for n in names)
    assert "face_workbench-0.1.0.dist-info/licenses/LICENSE" in names
    assert "workbench/server/openapi.json" in names
    data = "face_workbench-0.1.0.data/data/"
    front = data + "share/jupyter/labextensions/@face-workbench/jupyterlab/"
    assert {f"{front}{name}" for name in ("package.json", "install.json", "static/style.js")} <= names
    assert f"{front}schemas/@face-workbench/jupyterlab/plugin.json" in names
    assert f"{data}etc/jupyter/jupyter_server_config.d/face_workbench.json" in names
    assert [n for n in names if n.startswith(f"{front}static/remoteEntry.")]
    # A build for development has source maps; node_modules and a second copy have no place in the wheel.
    assert not [n for n in names if n.endswith(".map") or "node_modules" in n or n.startswith("workbench/labextension")]
    assert not [n for n in names if n.startswith(("tests", "benchmarks", "notebooks")) or "__pycache__" in n]
    where = subprocess.run(
        [sys.executable, "-c", "import workbench; print(workbench.__file__)"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed)}, cwd=installed.parent,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(installed)


def test_a_source_archive_makes_the_same_wheel_without_node(installed: Path, tmp_path: Path) -> None:
    from hatchling.builders.sdist import SdistBuilder

    (archive,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    (source,) = (f for f in tmp_path.iterdir() if f.is_dir())
    assert not [f for f in source.rglob("*") if f.name in ("node_modules", "lib", ".yarn", ".ipynb_checkpoints")]
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "made")], cwd=source,
        env={"PATH": str(tmp_path / "nothing"), "HOME": str(tmp_path)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "made").glob("*.whl")
    with zipfile.ZipFile(wheel) as made:
        assert set(made.namelist()) == {
            p.relative_to(installed).as_posix() for p in installed.rglob("*") if p.is_file()
        }


def test_jupyter_finds_both_extensions_of_the_wheel(installed: Path) -> None:
    prefix = installed / "face_workbench-0.1.0.data" / "data"
    paths = {
        "JUPYTER_PATH": str(prefix / "share" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(prefix / "etc" / "jupyter"),
        "PYTHONPATH": str(installed),
    }
    said = {
        command: subprocess.run(
            [sys.executable, "-m", *command.split()],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=installed.parent,
            env={**os.environ, **paths},
        )
        for command in ("jupyter labextension list", "jupyter server extension list")
    }
    front, server = (re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr) for done in said.values())
    assert re.search(r"@face-workbench/jupyterlab v0\.1\.0 enabled +OK \(python, face-workbench\)", front), front
    assert re.search(r"workbench 0\.1\.0 +OK", server), server


def test_a_user_of_the_wheel_lists_copies_and_runs(installed: Path) -> None:
    listed = run(installed, "list")
    assert listed.returncode == 0, listed.stderr
    assert "saliency" in listed.stdout
    copied = run(installed, "notebooks", "mine")
    assert copied.returncode == 0, copied.stderr
    assert (installed.parent / "empty" / "mine" / "probing" / "saliency.ipynb").is_file()
    sizes = [f"-p={p}" for p in ("identities=4", "pairs=4", "steps=3", "masks=8")]
    ran = run(installed, "run", "saliency", "--scale", "smoke", *sizes)
    assert ran.returncode in (0, 3), ran.stderr
    assert "committed" in ran.stdout
    (report,) = (installed.parent / "home").rglob("report.html")
    assert report.stat().st_size > 50_000
    board = run(installed, "board", "--json")
    assert '"done"' in board.stdout
    again = run(installed, "runs", "--json")
    assert '"smoke"' in again.stdout
