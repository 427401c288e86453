"""Makers of weights files that carry code, or that ask for far more memory than they hold."""

from __future__ import annotations

import io
import json
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch


class Payload:
    """Unpickled, it creates ``flag``."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.flag,)


def npy_header(shape: str, descr: str = "'<f8'") -> bytes:
    """A ``.npy`` header that says what it likes, without data."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def saved(thing: object, **options: object) -> bytes:
    """What ``torch.save`` writes."""
    out = io.BytesIO()
    torch.save(thing, out, **options)
    return out.getvalue()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return out.getvalue()


def repacked(data: bytes, change: Callable[[str, bytes], bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive with its members changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return archive({n: change(n, source.read(n)) for n in source.namelist()}, compression)


def tangled() -> dict[str, object]:
    """Forty dictionaries, each holding the next one twice."""
    inner: dict[str, object] = {"end": 1}
    for _ in range(40):
        inner = {"a": inner, "b": inner}
    return inner


def circular() -> dict[str, object]:
    """A dictionary that holds itself."""
    ring: dict[str, object] = {"n": 1}
    ring["self"] = ring
    return ring


def wide() -> dict[str, object]:
    """Five dictionaries, each holding the next one three hundred times."""
    inner: dict[str, object] = {"end": 1}
    for _ in range(5):
        inner = {str(i): inner for i in range(300)}
    return inner


def big_bytearray(name: bytes) -> bytes:
    """A torch checkpoint whose pickle asks for ``bytearray(2 GiB)``, which torch's safe loader allows."""
    code = b"\x80\x02" + name + b"\x8a\x08" + struct.pack("<q", 2 << 30) + b"\x85R."
    pickletools.dis(code, out=io.StringIO())
    return repacked(saved({"w": torch.zeros(1)}), lambda n, b: code if n.endswith("data.pkl") else b)


def coded(flag: Path) -> dict[str, bytes]:
    """Files that carry code, by name."""
    bad = Payload(flag)
    objects = io.BytesIO()
    np.save(objects, np.array([bad], dtype=object), allow_pickle=True)
    return {
        "a.pkl": pickle.dumps(bad),
        "a.pth": saved({"w": torch.zeros(1), "extra": bad}),
        "whole-model.pt": saved(torch.nn.Sequential(torch.nn.Linear(1, 1))),
        "old.pth": saved({"w": torch.zeros(1), "extra": bad}, _use_new_zipfile_serialization=False),
        "pairs.bin": pickle.dumps(([b"jpeg"], [True], bad), protocol=2),
        "object.npy": objects.getvalue(),
        "object.npz": archive({"w.npy": objects.getvalue()}),
        "a.joblib": pickle.dumps({"x": bad}, protocol=4),
        "a.yaml": b"!!python/object/apply:os.system ['touch x']\n",
        "a.mat": b"MATLAB 5.0 MAT-file" + b" " * 105 + b"\0\1IM",
        "a.h5": b"\x89HDF\r\n\x1a\n" + b"\0" * 64,
    }


def bombs() -> dict[str, bytes]:
    """Small files that ask for gigabytes or for ever, by name."""
    zeros = saved({"w": torch.zeros(2_000_000)})
    view = torch.zeros(1).expand(1 << 40)
    shared = torch.zeros(1 << 16, dtype=torch.bfloat16)
    half = struct.pack("<Q", 1 << 40)
    header = json.dumps({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
    return {
        "giant.npy": npy_header(f"({50 * 10**9},)"),
        "negative.npy": npy_header("(-1,)") + bytes(8),
        "negative-empty.npy": npy_header("(0, -5)"),
        "overflow.npy": npy_header(f"({1 << 62}, {1 << 62}, 0)"),
        "deep.npy": npy_header("(" * 2000 + ")" * 2000),
        "nested.npy": npy_header("(1,)", "[('a', '<f8', (1000000000,))]"),
        "giant.npz": archive({"w.npy": npy_header(f"({50 * 10**9},)")}),
        "deflated.npz": archive({"w.npy": npy_header("(64000000,)") + bytes(512 << 20)}, zipfile.ZIP_DEFLATED),
        "deflated.pt": repacked(zeros, lambda _, b: b, zipfile.ZIP_DEFLATED),
        "view.pt": saved({"w": view}),
        "meta.pt": saved({"w": torch.zeros(1 << 20, device="meta")}),
        "shared.pt": saved({f"w{i}": shared for i in range(1000)}),
        "bytearray.pt": big_bytearray(b"c__builtin__\nbytearray\n"),
        "bytearray-4.pt": big_bytearray(b"\x8c\x0b__builtin__\x8c\x09bytearray\x93"),
        "wide.pt": saved(wide()),
        "tangled.pt": saved(tangled()),
        "circular.pt": saved(circular()),
        "old-giant.pt": saved({"w": torch.zeros(4)}, _use_new_zipfile_serialization=False).replace(
            b"K\x04", b"\x8a\x08" + struct.pack("<q", 10**12)
        ),
        "header.safetensors": half + b"{}",
        "claim.safetensors": struct.pack("<Q", len(header)) + header,
        "empty.safetensors": struct.pack("<Q", 2) + b"{}",
        "short-storage.pt": repacked(saved({"w": torch.zeros(1 << 20)}), lambda n, b: b[:4] if n.endswith("/0") else b),
        "protocol-4.pt": saved({"w": torch.zeros(1)}, pickle_protocol=4),
        "sparse.pt": saved({"w": torch.zeros(4, 4).to_sparse()}),
    }
