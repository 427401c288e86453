"""The scanner finds what it is to find, in everything that it says it opens, and nothing else."""

import base64
import gzip
import io
import json
import sqlite3
import urllib.parse
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from workbench import files
from workbench.data import phantom
from workbench.testing import canaries

FACE = phantom.render(phantom.frontal(phantom.identities(1)), 250).rgb[0]
MARKED = canaries.watermarked(FACE)
SECRET = "sk-canary/7f3a+91c2"


def png(picture: np.ndarray) -> bytes:
    return files.encode_png(picture)


def zipped(content: bytes, name: str = "a/b.bin", how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        archive.writestr("first", b"x")
        archive.writestr(name, content)
    return out.getvalue()


def array(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def sqlite(content: object, tmp_path: Path) -> bytes:
    with sqlite3.connect(tmp_path / "x.sqlite") as base:
        base.execute("pragma journal_mode=wal")
        base.execute("create table t (a, b)")
        base.execute("insert into t values (1, ?)", (content,))
    base.close()
    return (tmp_path / "x.sqlite").read_bytes()


def parquet(text: str, tmp_path: Path) -> bytes:
    files.write_columns(tmp_path / "x.parquet", {"a": np.array([text]), "b": np.array([1])})
    return (tmp_path / "x.parquet").read_bytes()


def notebook(content: bytes) -> bytes:
    # Wrapped as IPython wraps, behind JSON; and a widget's buffer without a kind.
    lines = base64.encodebytes(content).decode()
    state = {"buffers": [{"encoding": "base64", "data": base64.b64encode(content).decode()}]}
    return json.dumps({"outputs": [{"data": {"image/png": lines}}], "state": state}).encode()


def b64(content: bytes) -> bytes:
    return b"text,before:" + base64.b64encode(content) + b" and after"


def small_and_grey(picture: np.ndarray) -> np.ndarray:
    small = cv2.resize(picture, (125, 125), interpolation=cv2.INTER_AREA)
    return small.mean(2, keepdims=True).repeat(3, 2).astype(np.uint8)


WAYS: dict[str, Callable[[np.ndarray, Path], bytes]] = {
    "png": lambda p, t: png(p),
    "jpeg": lambda p, t: files.encode_jpeg(p, quality=75),
    "half the size, grey": lambda p, t: png(small_and_grey(p)),
    "inside other bytes": lambda p, t: b"head \xff\xd8\xff" + files.encode_jpeg(p) + b" tail" + png(FACE),
    "base64": lambda p, t: b64(png(p)),
    "base64 of URLs": lambda p, t: base64.urlsafe_b64encode(png(p)),
    "base64 behind letters": lambda p, t: b"abcdefghi" + base64.b64encode(png(p)),
    "data URL with per cent signs": lambda p, t: urllib.parse.quote(base64.b64encode(png(p)), safe="").encode(),
    "notebook": lambda p, t: notebook(png(p)),
    "zip": lambda p, t: zipped(png(p)),
    "zip in base64 in gzip": lambda p, t: gzip.compress(b64(zipped(files.encode_jpeg(p)))),
    "array": lambda p, t: array(p[None]),
    "array of floats, channels first": lambda p, t: zipped(array(np.float32(p / 255).transpose(2, 0, 1)[None])),
    "SQLite, over many pages": lambda p, t: sqlite(base64.b64encode(png(p)).decode(), t),
    "SQLite, bytes": lambda p, t: sqlite(png(p), t),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_mark_is_found_in(way: str, tmp_path: Path) -> None:
    found = canaries.find(WAYS[way](MARKED, tmp_path))
    assert found
    assert all(trail.endswith("mark") for trail in found)


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_without_the_mark_is_not_taken_for_one(way: str, tmp_path: Path) -> None:
    assert canaries.find(WAYS[way](FACE, tmp_path)) == []


def test_another_marker_is_not_ours() -> None:
    other = FACE.copy()
    marker = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), 8, 40)
    other[:50, :50] = 255
    other[5:45, 5:45] = marker[..., None]
    assert not canaries.marked(other)


@pytest.mark.parametrize(
    "hide",
    [
        lambda s, t: s.encode(), lambda s, t: base64.b64encode(s.encode()), lambda s, t: s.encode().hex().encode(),
        lambda s, t: urllib.parse.quote(s, safe="").encode(), lambda s, t: gzip.compress(s.encode()),
        lambda s, t: zipped(base64.b64encode(b"key: " + s.encode())), lambda s, t: sqlite(s, t),
        lambda s, t: parquet(s, t), lambda s, t: base64.b64encode(b"x" + b"y" * 30 + s.encode()),
    ],
)  # fmt: skip
def test_a_secret_is_found(hide: Callable[[str, Path], bytes], tmp_path: Path) -> None:
    data = hide(SECRET, tmp_path)
    assert [f for f in canaries.find(data, secret=SECRET) if f.endswith("secret")]
    assert canaries.find(data) == []
    assert canaries.find(data, secret="another-canary") == []


def test_a_folder_is_scanned_whole_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "page.html").write_bytes(b'<img src="data:image/png;base64,' + b64(png(MARKED)) + b'">')
    (tmp_path / "fine.png").write_bytes(png(FACE))
    (tmp_path / "broken.zip").write_bytes(zipped(png(MARKED), how=zipfile.ZIP_STORED)[:-30])
    found = canaries.scan(tmp_path)
    assert {Path(p).name for p in found} == {"page.html", "broken.zip"}
    assert found[str(tmp_path / "deep" / "er" / "page.html")] == ["base64 > picture: mark"]
