"""The weights format of TensorFlow.js: a JSON manifest and raw bytes, partly quantised to ``uint8``.

A quantised tensor is ``value = q * scale + min``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DigestError, WeightsError

FOLDER = Path(__file__).parent / "weights" / "faceapi"


def digests() -> dict[str, str]:
    """SHA-256 by file name, from the list that is committed with the code."""
    lines = files.read_text(FOLDER / "SHA256SUMS").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def read_faceapi(model: str, expected: Mapping[str, str]) -> dict[str, NDArray[np.float32]]:
    """Tensors of one face-api model, after its digests are checked.

    Args:
        model: file stem, e.g. ``"face_recognition_model"``.
        expected: SHA-256 by file name.

    Raises:
        WeightsError: the files are not there.
        DigestError: they are not the files that were expected.
    """
    names = (f"{model}-weights_manifest.json", f"{model}.bin")
    content = []
    for name in names:
        if not (FOLDER / name).is_file():
            raise WeightsError(
                f"the weights {name} are not installed",
                expected="the files of npm package @vladmandic/face-api in the installed package",
                do="in a clone run `make demo`; otherwise install face-workbench again from its wheel",
            )
        data = files.read_bytes(FOLDER / name)
        if files.sha256_bytes(data) != expected[name]:
            raise DigestError(f"{name} is damaged", expected=f"SHA-256 {expected[name]}", do="install it again")
        content.append(data)
    return decode(json.loads(content[0]), content[1], model)


def decode(manifest: Any, data: bytes, name: str) -> dict[str, NDArray[np.float32]]:
    """Tensors of a manifest and its bytes, all as float32 in TensorFlow's layout.

    Raises:
        WeightsError: the bytes do not fit the manifest.
    """
    tensors: dict[str, NDArray[np.float32]] = {}
    offset = 0
    for entry in (w for group in manifest for w in group["weights"]):
        quantised = entry.get("quantization")
        dtype = np.dtype((quantised or entry)["dtype"]).newbyteorder("<")
        count = math.prod(entry["shape"])
        end = offset + count * dtype.itemsize
        if end > len(data):
            raise WeightsError(f"{name} ends within {entry['name']}", given=f"{len(data)} bytes", expected=end)
        raw = np.frombuffer(data[offset:end], dtype=dtype).astype(np.float32)
        if quantised:
            raw = raw * np.float32(quantised["scale"]) + np.float32(quantised["min"])
        tensors[entry["name"]] = raw.reshape(entry["shape"])
        offset = end
    if offset != len(data):
        raise WeightsError(f"{name} has bytes left over", given=len(data), expected=offset)
    return tensors
