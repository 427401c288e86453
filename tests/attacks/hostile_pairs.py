"""Makers of InsightFace ``.bin`` files: honest ones of every age, and such that carry code or ask for too much."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path

import numpy as np


class Command:
    """Unpickled, it runs a command that creates ``flag``."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch '{self.flag}'",)


def old_text(data: bytes) -> bytes:
    """Python 2's ``repr`` of a ``str``, as protocol 0 writes it."""
    return b"S" + repr(data)[1:].encode() + b"\n"


def old_array(data: bytes) -> bytes:
    """``numpy.uint8`` column as NumPy 1 wrote it under Python 2, protocol 2, without a memo."""
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    body = b"T" + struct.pack("<i", len(data)) + data
    return start + b"(K\x01J" + struct.pack("<i", len(data)) + b"K\x01\x86" + dtype + b"\x89" + body + b"tb"


def honest(pictures: list[bytes], mated: list[bool]) -> dict[str, bytes]:
    """Files that packing scripts have written, by what wrote them."""
    arrays = [np.frombuffer(p, np.uint8) for p in pictures]
    columns = [np.array(a).reshape(-1, 1) for a in arrays]
    numpy_bools = [np.bool_(m) for m in mated]
    made = {f"python 3, protocol {p}": pickle.dumps((pictures, mated), protocol=p) for p in range(6)}
    made |= {f"cv2.imencode, protocol {p}": pickle.dumps((columns, mated), protocol=p) for p in range(6)}
    made |= {f"read-only arrays, protocol {p}": pickle.dumps((arrays, mated), protocol=p) for p in range(6)}
    made |= {f"numpy bools, protocol {p}": pickle.dumps((pictures, numpy_bools), protocol=p) for p in range(6)}
    made |= {f"bool array, protocol {p}": pickle.dumps((pictures, np.array(mated)), protocol=p) for p in range(6)}
    made["zero and one"] = pickle.dumps((pictures, [int(m) for m in mated]))
    made["two lists"] = pickle.dumps([pictures, mated])
    labels0 = b"(l" + b"".join(b"I%02d\na" % m for m in mated)
    made["python 2, protocol 0"] = b"((l" + b"".join(old_text(p) + b"a" for p in pictures) + labels0 + b"t."
    labels2 = b"](" + b"".join(b"\x88" if m else b"\x89" for m in mated) + b"e"
    texts = b"".join(b"T" + struct.pack("<i", len(p)) + p for p in pictures)
    made["python 2, protocol 2"] = b"\x80\x02](" + texts + b"e" + labels2 + b"\x86."
    old = b"".join(old_array(p) for p in pictures)
    made["python 2, cv2.imencode"] = b"\x80\x02](" + old + b"e" + labels2 + b"\x86."
    return made


def text(said: str) -> bytes:
    """A text as protocol 1 and later write it."""
    return b"X" + struct.pack("<I", len(said.encode())) + said.encode()


def coded(flag: Path) -> dict[str, bytes]:
    """Files that carry code, by where it hides; each runs under ``pickle.loads``."""
    command = f"touch '{flag}'"
    line = text(command)
    return {
        "instead": pickle.dumps(Command(flag)),
        "third": pickle.dumps(([b"x", b"y"], [True], Command(flag)), protocol=2),
        "picture": pickle.dumps(([Command(flag), b"y"], [True])),
        "label": pickle.dumps(([b"x", b"y"], [Command(flag)])),
        "protocol 0": b"cos\nsystem\n(V" + command.encode() + b"\ntR.",
        "stack": b"\x8c\x02os\x8c\x06system\x93" + line + b"\x85R.",
        "instance": b"(" + line + b"ios\nsystem\n.",
        "object": b"(cos\nsystem\n" + line + b"o.",
        "thrown away": b"cos\nsystem\n" + line + b"\x85R0" + pickle.dumps(([b"x", b"y"], [True])),
        "eval": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93"
        + text(f"__import__('os').system({str(command)!r})")
        + b"\x85R.",
    }


def damaged(whole: bytes) -> dict[str, bytes]:
    """Files that are cut, mixed up or ask for far more than they hold."""
    encode = b"c_codecs\nencode\nq\x01" + text("\xff" * 50_000) + text("latin1") + b"\x86q\x04"
    deep = b"N" + b"\x85" * 100_000
    shape = (
        b"cnumpy.core.numeric\n_frombuffer\n(C\x04abcdcnumpy\ndtype\n"
        + text("u1")
        + b"\x85RJ\x00\x00\x00\x40\x85C\x01CtR."
    )
    return {
        "empty": b"",
        "text": b"not a pickle",
        "cut": whole[: len(whole) // 2],
        "giant bytes": b"\x8e" + struct.pack("<Q", 1 << 62) + b"x.",
        "negative": b"T" + struct.pack("<i", -5) + b"x.",
        "no mark": b"\x80\x02t.",
        "no memo": b"h\x07.",
        "append to none": b"NNa.",
        "called text": b"C\x01xN\x85R.",
        "encoded again": encode + b"0" + b"]" + b"h\x01h\x04Ra" * 200 + b".",
        "deep dtype": b"cnumpy\ndtype\n" + deep + b"\x85R.",
        "shape": shape,
        "objects": pickle.dumps(([np.array([None]), b"y"], [True])),
        "floats": pickle.dumps(([np.zeros(3, np.float32), b"y"], [True])),
        "float label": pickle.dumps(([b"x", b"y"], [1.0])),
        "label 2": pickle.dumps(([b"x", b"y"], [2])),
        "dictionary": pickle.dumps({"a": 1}),
        "three parts": pickle.dumps(([b"x", b"y"], [1], [True])),
        "odd": pickle.dumps(([b"x", b"y", b"z"], [True])),
        "nothing": pickle.dumps(([], [])),
        "empty picture": pickle.dumps(([b"", b"y"], [True])),
        "text picture": pickle.dumps((["x", "y"], [True])),
    }
