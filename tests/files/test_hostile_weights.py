"""RELIABILITY A1, A2 and F9 for weights: bytes, not code; no more memory than the file holds; no swap."""

from __future__ import annotations

from pathlib import Path

import hostile_weights
import measured
import numpy as np
import pytest
import torch

from workbench import files
from workbench.core import DigestError, StoreError, WeightsError
from workbench.files import weights as gate


def test_code_is_refused_whatever_it_is_called(tmp_path: Path) -> None:
    flag = tmp_path / "ran"
    corpus = hostile_weights.coded(flag)
    for name, data in corpus.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(WeightsError, match="there is no fallback that would") as caught:
            files.read_weights(tmp_path / name)
        assert "safetensors" in (caught.value.do or "")
    assert not flag.exists()
    # The corpus is live: what it carries does run where somebody lets it.
    torch.load(tmp_path / "a.pth", weights_only=False)
    assert flag.exists()


def test_the_refusal_names_what_the_file_asked_for(tmp_path: Path) -> None:
    (tmp_path / "m.pt").write_bytes(hostile_weights.saved(torch.nn.Sequential()))
    with pytest.raises(WeightsError, match=r"GLOBAL torch\.nn\.modules\.container Sequential"):
        files.read_weights(tmp_path / "m.pt")


def test_small_files_cannot_ask_for_much(tmp_path: Path) -> None:
    corpus = hostile_weights.bombs()
    for name, data in corpus.items():
        (tmp_path / name).write_bytes(data)
    costs = files.run_limited(measured.cost_of_weights, str(tmp_path), memory=6 << 30, seconds=60)
    assert costs.keys() == corpus.keys()
    for name, (said, megabytes, seconds) in costs.items():
        assert "refused" in said or "holds no tensors" in said, name
        assert megabytes < 60, name
        assert seconds < 5, name


@pytest.mark.parametrize("kind", ["safetensors", "pt", "old.pt", "npz", "npy"])
def test_damage_gives_a_refusal_or_tensors_of_the_right_shape(tmp_path: Path, kind: str) -> None:
    array = np.arange(96, dtype=np.float32).reshape(8, 12)
    path = tmp_path / f"w.{kind}"
    if kind == "safetensors":
        files.write_tensors(path, {"w": array})
    elif kind == "npz":
        np.savez(path, w=array)
    elif kind == "npy":
        np.save(path, array)
    else:
        torch.save({"w": torch.from_numpy(array)}, path, _use_new_zipfile_serialization=kind == "pt")
    data = path.read_bytes()
    digest = files.sha256_bytes(data)
    cuts = [data[:n] for n in (*range(min(200, len(data))), *range(200, len(data), 61))]
    flips = [data[:n] + bytes([data[n] ^ 0x55]) + data[n + 1 :] for n in range(0, len(data), 23)]
    for hurt in cuts + flips:
        path.write_bytes(hurt)
        with pytest.raises(DigestError, match="not the file that was expected"):
            files.read_weights(path, sha256=digest)
        try:
            files.read_weights(path)
        except WeightsError:
            continue
    path.write_bytes(data)
    assert next(iter(files.read_weights(path, sha256=digest).tensors.values())).shape == (8, 12)


def test_the_bytes_that_were_hashed_are_the_bytes_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    files.write_tensors(path, {"w": np.zeros(2, np.float32)})
    digest = files.sha256_file(path)

    def swap(data: bytes) -> str:
        files.write_tensors(path, {"w": np.ones(2, np.float32)})
        return files.sha256_bytes(data)

    monkeypatch.setattr(gate, "sha256_bytes", swap)
    assert files.read_weights(path, sha256=digest).tensors["w"].tolist() == [0.0, 0.0]


def test_types_and_layouts_survive(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    kinds = (
        torch.float64,
        torch.float32,
        torch.float16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
    )
    tensors = {str(kind): torch.arange(6).reshape(2, 3).to(kind).T for kind in kinds}
    for new in (True, False):
        torch.save(tensors | {"b": torch.tensor([1.5]).bfloat16()}, path, _use_new_zipfile_serialization=new)
        found = files.read_weights(path).tensors
        assert found["b"].dtype == np.float32
        for kind in kinds:
            assert found[str(kind)].dtype.name == str(kind).removeprefix("torch.")
            assert np.array_equal(found[str(kind)], np.arange(6).reshape(2, 3).T)


def test_a_checkpoint_gives_its_largest_table(tmp_path: Path) -> None:
    torch.save(
        {"ema": {"w": torch.zeros(1)}, "net": {"state_dict": {"w": torch.ones(1), "b": torch.ones(1)}}}, tmp_path / "c"
    )
    assert sorted(files.read_weights(tmp_path / "c").tensors) == ["b", "w"]
    torch.save([torch.zeros(1)], tmp_path / "c")
    with pytest.raises(WeightsError, match="no table of named tensors"):
        files.read_weights(tmp_path / "c")


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "absent", "No such file"), (tmp_path, "not a plain file")):
        with pytest.raises(StoreError, match=reason):
            files.read_weights(path)


def test_weights_of_the_field_load(shared: Path) -> None:
    for name, tensors in (
        ("mobilefacenet-casia.ckpt", 333),
        ("2.7_80x80_MiniFASNetV2.pth", 334),
        ("4_0_0_80x80_MiniFASNetV1SE.pth", 370),
    ):
        assert len(files.read_weights(shared / "models" / name).tensors) == tensors
