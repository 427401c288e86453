import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from workbench import files
from workbench.core import DigestError, StoreError, WeightsError


class Evil:
    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> object:
        return (open, (str(self.flag), "w"))


def test_plain_tensors_load_from_every_format(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    files.write_tensors(tmp_path / "a.safetensors", {"w": array})
    np.savez(tmp_path / "a.npz", w=array)
    torch.save({"epoch": 3, "net_state_dict": {"w": torch.from_numpy(array)}}, tmp_path / "a.ckpt")
    for name, kind in (("a.safetensors", "safetensors"), ("a.npz", "npz"), ("a.ckpt", "torch")):
        weights = files.read_weights(tmp_path / name)
        assert weights.format == kind
        assert np.array_equal(weights.tensors["w"], array)


def test_code_in_weights_is_never_run(tmp_path: Path) -> None:
    flag = tmp_path / "ran"
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Evil(flag)))
    torch.save({"w": torch.zeros(1), "x": Evil(flag)}, tmp_path / "evil.pth")
    np.savez(tmp_path / "evil.npz", w=np.array([Evil(flag)], dtype=object))
    for name in ("evil.pkl", "evil.pth", "evil.npz"):
        with pytest.raises(WeightsError, match="no fallback"):
            files.read_weights(tmp_path / name)
    assert not flag.exists()


def test_a_header_that_asks_for_more_than_is_there_is_refused(tmp_path: Path) -> None:
    body = io.BytesIO()
    np.lib.format.write_array_header_1_0(body, {"descr": "<f8", "fortran_order": False, "shape": (50_000_000_000,)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("w.npy", body.getvalue())
    with pytest.raises(WeightsError, match="header does not fit"):
        files.read_weights(tmp_path / "bomb.npz")
    packed = tmp_path / "packed.pt"
    torch.save({"w": torch.zeros(100_000)}, tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for member in source.namelist():
            out.writestr(member, source.read(member))
    with pytest.raises(WeightsError, match="compressed"):
        files.read_weights(packed)


def test_another_digest_is_named(tmp_path: Path) -> None:
    files.write_tensors(tmp_path / "a.safetensors", {"w": np.zeros(2, np.float32)})
    with pytest.raises(DigestError, match="not the file that was expected"):
        files.read_weights(tmp_path / "a.safetensors", sha256="0" * 64)


def model(node: onnx.NodeProto, *initialisers: onnx.TensorProto) -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "g", [info("x", TensorProto.FLOAT, [1])], [info("y", TensorProto.FLOAT, None)], list(initialisers)
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_onnx_reaching_out_is_refused(tmp_path: Path) -> None:
    outside = helper.make_tensor("w", TensorProto.FLOAT, [1], [0.0])
    outside.ClearField("float_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../secret")
    huge = helper.make_tensor("s", TensorProto.INT64, [1], [10**11])
    cases = {
        "another file": model(helper.make_node("Add", ["x", "w"], ["y"]), outside),
        "absurd size": model(helper.make_node("ConstantOfShape", ["s"], ["y"]), huge),
        "foreign domain": model(helper.make_node("Evil", ["x"], ["y"], domain="evil.ops")),
    }
    for message, made in cases.items():
        path = tmp_path / "m.onnx"
        path.write_bytes(made.SerializeToString())
        with pytest.raises(WeightsError, match=message):
            files.read_onnx(path)
    path.write_bytes(b"not a model")
    with pytest.raises(WeightsError, match="not an ONNX model"):
        files.read_onnx(path)


def test_pack_and_unpack_keep_everything(tmp_path: Path) -> None:
    from workbench.data.pairs import Pairs

    thing = {
        "a": [1, 2.5, None, True, "x"],
        "p": Pairs(
            np.zeros((1, 2, 2, 3), np.uint8), np.ones((1, 2, 2, 3), np.uint8), np.array([True]), np.eye(2, dtype=int)
        ),
        "t": (np.float32(0.1), float("nan")),
    }
    again = files.unpack(files.pack(thing))
    assert again["a"] == thing["a"]
    assert np.array_equal(again["p"].probe, thing["p"].probe)
    assert isinstance(again["t"], tuple)
    assert files.pack(thing) == files.pack(again)
    with pytest.raises(StoreError, match="cannot be read"):
        files.unpack(files.pack(thing)[:-40])
