"""What the writers of published layouts share: a new folder, names that suit files, pictures as bytes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, ParameterError, Samples

MARK = "export.json"
SUFFIX = {"png": ".png", "jpeg": ".jpg"}
Encoding = Literal["png", "jpeg"]
_PART = re.compile(r"\w[\w.+-]*", re.ASCII)


@contextlib.contextmanager
def new_folder(layout: str, samples: Samples, folder: str | Path, replace: bool) -> Iterator[files.NewFolder]:
    """A folder that appears whole; `MARK` in it says what was exported, and under which terms.

    Raises:
        StoreError: something is there that may not be replaced, or writing failed.
    """
    with files.new_folder(folder, mark=MARK, replace=replace) as new:
        said = {"layout": layout, "name": samples.name, "licence": samples.licence, "real": samples.real}
        new.add(MARK, files.to_json(said | {"digest": samples.digest, "samples": len(samples)}, indent=1).encode())
        yield new


def encode(image: NDArray[Any], encoding: str) -> bytes:
    """A picture as file content.

    Args:
        image: ``uint8 (h, w, 3)`` RGB, or ``(h, w)``.
        encoding: ``"png"``, to the bit, or ``"jpeg"``, quality 95.
    """
    if encoding not in SUFFIX:
        raise ParameterError("unknown encoding", given=encoding, expected=" or ".join(SUFFIX))
    rgb = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise DataError(
            "a picture cannot be written",
            given=f"{image.dtype} {image.shape}",
            expected="uint8 (h, w, 3) or (h, w)",
            do="scale it to 0-255 yourself, and say how",
        )
    return files.encode_png(rgb) if encoding == "png" else files.encode_jpeg(rgb)


def path_part(text: str, what: str) -> str:
    """``text`` if it does as a folder's name and as a word in a list.

    Raises:
        DataError: letters, digits, ``_``, ``.``, ``+`` and ``-`` only, none of the last three first.
    """
    if len(text) > 200 or not _PART.fullmatch(text):
        raise DataError(
            f"this cannot be {what}", given=ascii(text[:80]), expected="letters, digits, _ . + -", do="rename it first"
        )
    return text


def numbers(names: Sequence[str]) -> list[int]:
    """Each name's how-manieth occurrence this is, from 1."""
    seen: dict[str, int] = {}
    counted = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        counted.append(seen[name])
    return counted


def attribute(samples: Samples, name: str, layout: str, expected: str) -> NDArray[Any]:
    """An attribute that a layout cannot do without.

    Raises:
        DataError: the samples do not have it.
    """
    if name not in samples.attributes:
        raise DataError(
            f"{layout} needs the attribute {name!r}",
            given=", ".join(sorted(samples.attributes)) or "no attributes",
            expected=f"{name}: {expected}",
            do="add it with dataclasses.replace(samples, attributes={...})",
        )
    return np.asarray(samples.attributes[name])
