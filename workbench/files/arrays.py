"""Archives and NumPy arrays whose stated sizes are checked before anything is allocated."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..core import WeightsError

LIMIT = 4 << 30
# NumPy parses headers with `ast` and, failing that, with `tokenize`.
_BROKEN_HEADER = (
    ValueError, LookupError, SyntaxError, EOFError, TypeError, MemoryError, RecursionError, AttributeError,
    tokenize.TokenError,
)  # fmt: skip
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, EOFError, RuntimeError, LookupError)


def refused(name: str, why: str, given: object) -> WeightsError:
    """The one way in which weights are refused."""
    return WeightsError(
        f"{name} was refused: {why}",
        given=given,
        expected="a plain table of tensors; code in weights is never run, there is no fallback that would",
        do="convert it where you trust it: safetensors.torch.save_file(state_dict, 'x.safetensors')",
    )


def members(data: bytes, name: str, *, ratio: int) -> zipfile.ZipFile:
    """An archive in memory whose stated sizes were checked; reading a member never yields more than stated.

    Raises:
        WeightsError: no whole archive, or its members claim more than ``ratio`` times the file's size.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except BROKEN_ZIP as error:
        raise refused(name, "it is not a whole archive", error) from error
    found = archive.infolist()
    size = sum(m.file_size for m in found)
    if size > min(max(ratio * len(data), 1 << 20), LIMIT):
        raise refused(name, "it unpacks to far more than its size", f"{size} out of {len(data)} bytes")
    if len({m.filename for m in found}) < len(found):
        raise refused(name, "two of its members have one name", f"{len(found)} members")
    return archive


def npy_header(stream: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type that a ``.npy`` header states; the stream then stands at the data.

    Raises:
        WeightsError: an object array or a damaged header.
    """
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(stream)
    except _BROKEN_HEADER as error:
        raise refused(name, "an array's header cannot be read", str(error)[:300]) from error
    if dtype.hasobject:
        raise refused(name, "it holds Python objects", str(dtype))
    return shape, fortran, dtype


def check_size(shape: tuple[int, ...], dtype: np.dtype[Any], size: int, name: str) -> None:
    """Raises `WeightsError` unless ``size`` bytes are what the header states."""
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != size:
        raise refused(name, "an array's header does not fit its data", f"{shape} {dtype}, {size} bytes")


def read_npy(data: bytes, name: str) -> NDArray[Any]:
    """One ``.npy`` array out of its bytes; the size its header states must be the size that is there.

    Raises:
        WeightsError: an object array, a damaged header, or a header that asks for other than is there.
    """
    stream = io.BytesIO(data)
    shape, fortran, dtype = npy_header(stream, name)
    body = memoryview(data)[stream.tell() :]
    check_size(shape, dtype, len(body), name)
    try:
        array = np.empty(shape, dtype, order="F" if fortran else "C")
    except (ValueError, TypeError, OverflowError) as error:
        raise refused(name, "an array's header cannot be read", error) from error
    if array.size and dtype.itemsize:
        array.ravel(order="K")[:] = np.frombuffer(body, dtype)
    return array
