"""Canaries: a mark in pictures and a secret text, and a scanner that opens everything written and looks for them.

The mark is an ArUco marker, drawn where a face's crop keeps it and in the corners. It is found again in grey, after
JPEG, and down to markers of about nine pixels, which a thumbnail of a fifth of the picture's size is not.

Opened are pictures at any place of a file, NumPy arrays of the shapes that pictures have, zip and gzip, SQLite and
Parquet, base64 (also of URLs, wrapped, and in JSON) and per cent signs, each inside the others. Not opened: PDF,
encrypted archives, other compressions, floating-point pictures that were normalised by a network's own mean.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import re
import sqlite3
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import ImageError, WeightsError
from ..files.arrays import read_npy

# One of 50 markers; another one is not ours.
_NUMBER = 7
_SIDE = 0.088
_PLACES = ((0.4, 0.4), (0.6, 0.4), (0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9))
_SCALES = (1, 2, 3)
_PIXELS = 20_000_000
_DEEPEST = 6
_MOST = 256 << 20
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_WRAPS = re.compile(rb"\\n|\\r|[\r\n]")
_STARTS = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError)


def watermarked(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture ``uint8 (h, w, 3)`` with the mark on its forehead, if a face fills it, and in its corners."""
    height, width = picture.shape[:2]
    side = max(12, round(_SIDE * min(height, width)))
    border = max(1, side // 10)
    marker = cv2.aruco.generateImageMarker(_dictionary(), _NUMBER, side - 2 * border)
    framed = cv2.copyMakeBorder(marker, border, border, border, border, cv2.BORDER_CONSTANT, value=(255,))
    marked = picture.copy()
    for x, y in _PLACES:
        top, left = int(y * height) - side // 2, int(x * width) - side // 2
        marked[top : top + side, left : left + side] = framed[..., None]
    return marked


def marked(picture: NDArray[np.uint8]) -> bool:
    """Whether a picture ``uint8 (h, w)`` or ``(h, w, 3)`` shows the mark, as it is or made larger."""
    detector = cv2.aruco.ArucoDetector(_dictionary())
    for scale in _SCALES:
        if picture.shape[0] * picture.shape[1] * scale**2 > _PIXELS and scale > 1:
            return False
        shown = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale > 1 else picture
        _, numbers, _ = detector.detectMarkers(np.ascontiguousarray(shown))
        if numbers is not None and _NUMBER in numbers:
            return True
    return False


def scan(*roots: str | Path, secret: str = "") -> dict[str, list[str]]:
    """Files in folders, all of them, that hold the mark or the secret, and how to it.

    Args:
        roots: folders or files.
        secret: a text to be found, too; "" for none.
    """
    found = {}
    for root in map(Path, roots):
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and (trails := find(files.read_bytes(path), secret=secret)):
                found[str(path)] = trails
    return found


def find(data: bytes, *, secret: str = "") -> list[str]:
    """Ways to the mark or the secret in bytes, as ``"zip member a.json > base64 > PNG: mark"``."""
    return list(_Search(secret).of(data, ""))


class _Search:
    """Looks through bytes and what they contain; equal contents are looked at once."""

    def __init__(self, secret: str) -> None:
        plain = secret.encode()
        self._secrets = {plain, urllib.parse.quote(secret, safe="").encode(), plain.hex().encode()} if secret else set()
        self._seen: set[bytes] = set()

    def of(self, data: bytes, trail: str, depth: int = 0) -> Iterator[str]:
        digest = hashlib.sha256(data).digest()
        if depth > _DEEPEST or digest in self._seen:
            return
        self._seen.add(digest)
        if any(s in data for s in self._secrets):
            yield f"{trail}secret"
        for kind, picture in _pictures(data):
            if marked(picture):
                yield f"{trail}{kind}: mark"
        for opener in (_zipped, _gzipped, _rows, _columns, _escaped, _encoded):
            for name, content in opener(data):
                yield from self.of(content, f"{trail}{name} > ", depth + 1)


def _dictionary() -> Any:
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)


def _pictures(data: bytes) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    if data.startswith(b"\x93NUMPY"):
        for picture in _of_array(data):
            yield "array", picture
        return
    whole = _decoded(data)
    if whole is not None:
        yield "picture", whole
        return
    for kind, start in _STARTS.items():
        at = data.find(start)
        while at >= 0:
            decoded = (_decoded(data[at:end]) for end in _ends(kind, data, at))
            yield from ((kind, picture) for picture in decoded if picture is not None)
            at = data.find(start, at + 1)


def _decoded(data: bytes) -> NDArray[np.uint8] | None:
    try:
        return files.decode_image(data)
    except ImageError:
        return None


def _ends(kind: str, data: bytes, at: int) -> Iterator[int]:
    """Where a picture that begins at a place may end; a JPEG holds end marks of thumbnails, too."""
    mark, more = (b"IEND", 8) if kind == "PNG" else (b"\xff\xd9", 2)
    end = at
    for _ in range(4):
        end = data.find(mark, end + 1)
        if end < 0:
            return
        yield end + more


def _of_array(data: bytes) -> Iterator[NDArray[np.uint8]]:
    """Pictures in an array ``(..., h, w, 3)``, ``(..., 3, h, w)`` or ``(..., h, w)``; floats of 0 to 1 or to 255."""
    try:
        array = read_npy(data, "array")
    except WeightsError:
        return
    if array.ndim < 2 or array.dtype.kind not in "uif" or not array.size:
        return
    if array.ndim > 3 and array.shape[-3] == 3 and array.shape[-1] != 3:
        array = np.moveaxis(array, -3, -1)
    shape = array.shape[-3:] if array.shape[-1] == 3 and array.ndim > 2 else array.shape[-2:]
    if min(shape[:2]) < 12:
        return
    if array.dtype.kind == "f":
        array = np.nan_to_num(array) * (255 if np.nanmax(array) <= 1 else 1)
    yield from np.clip(array, 0, 255).astype(np.uint8).reshape(-1, *shape)


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    if b"PK\x03\x04" not in data or b"PK\x05\x06" not in data:
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        for member in archive.infolist():
            if member.file_size <= _MOST:
                yield f"zip member {member.filename}", archive.read(member)
    except _BROKEN:
        # Bytes that only look like one; whatever was whole has been given.
        return


def _gzipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = data.find(b"\x1f\x8b\x08")
    while at >= 0:
        try:
            yield "gzip", gzip.GzipFile(fileobj=io.BytesIO(data[at:])).read(_MOST)
        except _BROKEN:
            content = _up_to_damage(data[at:])
            if content:
                yield "gzip", content
        at = data.find(b"\x1f\x8b\x08", at + 1)


def _up_to_damage(data: bytes) -> bytes:
    """What of a gzip stream can be read: bytes behind its end are not its own."""
    try:
        return zlib.decompressobj(31).decompress(data, _MOST)
    except zlib.error:
        return b""


def _rows(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Values of an SQLite file: long ones are cut into pages there."""
    if not data.startswith(b"SQLite format 3\0"):
        return
    with closing(sqlite3.connect(":memory:")) as base:
        try:
            # Marked as one without a journal: there is none in memory.
            base.deserialize(data[:18] + b"\x01\x01" + data[20:])
            for (table,) in base.execute("select name from sqlite_master where type = 'table'").fetchall():
                quoted = str(table).replace('"', '""')
                for row in base.execute(f'select * from "{quoted}"'):
                    yield f"table {table}", _joined(row)
        except sqlite3.DatabaseError:
            # Not whole; its bytes have been looked at as they are.
            return


def _columns(data: bytes) -> Iterator[tuple[str, bytes]]:
    if not (data.startswith(b"PAR1") and data.endswith(b"PAR1")):
        return
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(pyarrow.BufferReader(data))
    for name in table.column_names:
        yield f"column {name}", _joined(table[name].to_pylist())


def _joined(values: Any) -> bytes:
    return b"\n\n".join(v if isinstance(v, bytes) else str(v).encode("utf-8", "surrogatepass") for v in values)


def _escaped(data: bytes) -> Iterator[tuple[str, bytes]]:
    if b"\0" not in data and re.search(rb"%[0-9A-Fa-f]{2}", data):
        yield "per cent signs", urllib.parse.unquote_to_bytes(data)


def _encoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Base64, as it stands and without the ends of its lines; a run may begin with letters of the text before."""
    unwrapped = _WRAPS.sub(b"", data.replace(b"\\/", b"/"))
    for text in dict.fromkeys((data, unwrapped)):
        for run in _BASE64.finditer(text):
            letters = run[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
            for start in range(4):
                content = _unbase64(letters[start:])
                if content and (start == 0 or _promising(content)):
                    yield "base64", content


def _unbase64(letters: bytes) -> bytes:
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return b""


def _promising(content: bytes) -> bool:
    """Whether shifted letters begin with anything that is opened here, or hold text."""
    head = content[:64]
    known = (*_STARTS.values(), b"PK\x03\x04", b"\x1f\x8b\x08", b"\x93NUMPY", b"SQLite", b"PAR1")
    return any(k in head for k in known) or all(32 <= c < 127 or c in b"\n\r\t" for c in head)
