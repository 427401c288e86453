"""RELIABILITY A2 and A3 for ONNX: one self-contained file, standard operators, nothing absurd."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import hostile_onnx
import numpy as np
import onnxruntime
import pytest

from workbench import files
from workbench.core import WeightsError


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with known content that hostile models point at, beside them and behind links."""
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / "secret"
    path.write_bytes(hostile_onnx.SECRET.tobytes())
    (folder / "link").symlink_to(path)
    os.link(path, folder / "hard")
    return path


def test_no_model_reaches_outside_its_file(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = secret.parent / "m.onnx"
    tried = 0
    for where, data in hostile_onnx.reaching_out(secret):
        path.write_bytes(data)
        for current in (secret.parent, secret.parent.parent, Path("/")):
            monkeypatch.chdir(current)
            with pytest.raises(WeightsError, match="keeps data in another file"):
                files.read_onnx(path)
        tried += 1
        assert where
    assert tried == 12


def test_the_corpus_would_reach_out_elsewhere(secret: Path) -> None:
    path = secret.parent / "m.onnx"
    path.write_bytes(dict(hostile_onnx.reaching_out(secret))["secret"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert np.array_equal(session.run(None, {"x": np.zeros(4, np.float32)})[0], hostile_onnx.SECRET)


@pytest.mark.parametrize(("name", "data"), list(hostile_onnx.foreign()), ids=lambda v: v if isinstance(v, str) else "")
def test_foreign_operators_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(WeightsError, match=r"foreign domain|reach outside"):
        files.check_onnx(data, name)


def test_bombs_are_refused_without_setting_them_off(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.monotonic()
    for name, data in hostile_onnx.bombs():
        assert len(data) < 200_000
        with pytest.raises(WeightsError, match=r"absurd size|sane cost"):
            files.check_onnx(data, name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert time.monotonic() - begin < 60


def test_a_plain_model_is_returned_as_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(hostile_onnx.plain().SerializeToString())
    data = files.read_onnx(path, sha256=files.sha256_file(path))
    assert data == path.read_bytes()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    assert np.array_equal(session.run(None, {"x": np.zeros(4, np.float32)})[0], hostile_onnx.SECRET)


def test_a_function_of_the_models_own_is_no_foreign_operator() -> None:
    helper = hostile_onnx.helper
    add = helper.make_node("Add", ["x", "x"], ["y"])
    function = helper.make_function("own", "f", ["x"], ["y"], [add], [helper.make_opsetid("", 17)])
    made = hostile_onnx.model([helper.make_node("f", ["x"], ["y"], domain="own")], functions=[function])
    made.opset_import.append(helper.make_opsetid("own", 1))
    files.check_onnx(made.SerializeToString(), "m")


def test_damage_is_refused_or_harmless(tmp_path: Path) -> None:
    data = hostile_onnx.plain().SerializeToString()
    for n in range(len(data)):
        for hurt in (data[:n], data[:n] + bytes([data[n] ^ 0x55]) + data[n + 1 :]):
            try:
                files.check_onnx(hurt, "m")
            except WeightsError:
                continue
    with pytest.raises(WeightsError, match="own format"):
        files.check_onnx(data[:4] + b"ORTM" + data[8:], "m")


def test_models_of_the_field_pass(shared: Path) -> None:
    for path in (shared / "models").glob("*.onnx"):
        assert files.read_onnx(path) == path.read_bytes()
