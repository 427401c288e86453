"""InsightFace's pair files, which are pickles, read by a machine that can do nothing else.

No unpickler is called, neither Python's nor a subclass of it: the opcodes that such files need are carried out here
on bytes, numbers, lists and tuples. A name in the file is compared with a short list and never imported, so there is
no code that could run. What is accepted, from the packing scripts of ``deepinsight/insightface`` (``lfw2pack.py`` and
its kin) under Python 2 and 3, protocols 0 to 5:

- a picture: ``bytes``, Python 2's ``str``, Python 3's bytes in protocols 0 to 2 (Latin-1 text through
  ``_codecs.encode``), ``bytearray`` of protocol 5, or a ``uint8`` array as ``cv2.imencode`` returns it;
- labels: a list of ``bool``, of 0 and 1, or of NumPy's bools, or one NumPy array of bools.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import DataError
from .paths import read_bytes, sha256_bytes

_OPERATIONS = 64  # that a picture may cost; an array written by Python 2 needs 27


@dataclass(frozen=True)
class PairLimits:
    """What a pair file may cost; the largest published ones hold 14,000 pictures in 200 MB.

    Attributes:
        bytes: size of the file.
        pictures: how many.
    """

    bytes: int = 2 << 30
    pictures: int = 100_000


@dataclass(frozen=True)
class PairFile:
    """Content of a pair file.

    Attributes:
        pictures: ``2 n`` encoded pictures; 2i and 2i + 1 are pair i.
        mated: ``bool (n,)``.
        digest: SHA-256 of the file.
    """

    pictures: tuple[bytes, ...]
    mated: NDArray[np.bool_]
    digest: str


def read_pair_pickle(path: str | Path, *, limits: PairLimits | None = None) -> PairFile:
    """Pictures and labels of an InsightFace ``.bin``; nothing in the file is run.

    Args:
        path: the file.
        limits: refuse what is larger.

    Raises:
        DataError: it asks for anything else, is damaged, or its parts do not fit together.
        StoreError: unreadable or too large.
    """
    allowed = limits or PairLimits()
    data = read_bytes(path, limit=allowed.bytes)
    name = Path(path).name
    pictures, mated = _parts(_Machine(data, name, allowed).run(), name, allowed)
    return PairFile(pictures, mated, sha256_bytes(data))


def pair_pickle(pictures: Sequence[bytes], mated: Sequence[bool]) -> bytes:
    """What `read_pair_pickle` and InsightFace's own ``load_bin`` read.

    Protocol 3 is the oldest that has bytes; in protocol 2 each picture would become a text, half as large again, and
    a call of ``_codecs.encode``.
    """
    return pickle.dumps((list(pictures), [bool(m) for m in mated]), protocol=3)


def _refused(name: str, why: str, given: object) -> DataError:
    return DataError(
        f"{name} was refused: {why}",
        given=given,
        expected="a pickle of (list of encoded pictures, list of bools); nothing else in it is read or run, "
        "and there is no fallback that would",
        do="get the file from its publisher, or pack the pictures again with workbench.data.export",
    )


def _parts(thing: Any, name: str, limits: PairLimits) -> tuple[tuple[bytes, ...], NDArray[np.bool_]]:
    if not isinstance(thing, tuple | list) or len(thing) != 2 or not isinstance(thing[0], tuple | list):
        given = f"{type(thing).__name__} of {len(thing)}" if isinstance(thing, tuple | list) else type(thing).__name__
        raise _refused(name, "it is not a pair of two lists", given)
    if len(thing[0]) > limits.pictures:
        raise _refused(name, f"it holds more than {limits.pictures} pictures", len(thing[0]))
    pictures = tuple(p.data if isinstance(p, _Array) and p.kind == "u1" else p for p in thing[0])
    strange = [i for i, p in enumerate(pictures) if not isinstance(p, bytes) or not p]
    if strange:
        raise _refused(name, f"picture {strange[0]} is none", type(pictures[strange[0]]).__name__.lstrip("_"))
    labels = thing[1]
    if isinstance(labels, _Array) and labels.kind == "b1":
        mated = np.frombuffer(labels.data, np.uint8) != 0
    elif isinstance(labels, tuple | list) and all(isinstance(m, int) and m in (0, 1) for m in labels):
        mated = np.array([bool(m) for m in labels], np.bool_)
    else:
        raise _refused(name, "its labels are no list of bools", type(labels).__name__.lstrip("_"))
    if not len(mated) or len(pictures) != 2 * len(mated):
        raise _refused(name, "pictures and labels do not fit", f"{len(pictures)} pictures, {len(mated)} labels")
    return pictures, mated


@dataclass(frozen=True)
class _Name:
    """A module and a name in it, as text."""

    text: str


@dataclass
class _Array:
    """A NumPy array or, before its state is known, an empty one; ``kind`` is ``"u1"`` or ``"b1"``."""

    kind: str = ""
    data: bytes = b""


@dataclass(frozen=True)
class _Type:
    """A NumPy dtype."""

    kind: str


_SIZED = {
    b"U": (1, bytes), b"T": (4, bytes), b"C": (1, bytes), b"B": (4, bytes), b"\x8e": (8, bytes),
    b"\x96": (8, bytes), b"\x8c": (1, str), b"X": (4, str), b"\x8d": (8, str),
}  # fmt: skip
_NUMBERS = {b"K": (1, False), b"M": (2, False), b"J": (4, True)}
_PLAIN = {b"N": None, b"\x88": True, b"\x89": False}
_TUPLES = {b")": 0, b"\x85": 1, b"\x86": 2, b"\x87": 3}
_PUT = {b"q": 1, b"r": 4}
_GET = {b"h": 1, b"j": 4}
_SKIPPED = {b"\x80": 1, b"\x95": 8}
# What Python 2's repr of a text writes; any other escape is damage.
_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.|$)", re.DOTALL)
_SIGNS = {b"\\": b"\\", b"'": b"'", b'"': b'"', b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_BROKEN = (LookupError, ValueError, TypeError, OverflowError)


def _unescaped(found: re.Match[bytes]) -> bytes:
    sign: bytes = found[1]
    return bytes.fromhex(sign[1:].decode()) if len(sign) == 3 else _SIGNS[sign]


class _Machine:
    """The stack machine of pickle, with the few opcodes and the five names that a pair file needs."""

    def __init__(self, data: bytes, name: str, limits: PairLimits) -> None:
        self.data = data
        self.name = name
        self.most = _OPERATIONS * limits.pictures
        self.at = 0
        self.made = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.actions: dict[bytes, Callable[[], None]] = {
            b"(": lambda: self.marks.append(len(self.stack)),
            b"0": self._drop,
            b"]": lambda: self.stack.append([]),
            b"l": lambda: self.stack.append(self._marked()),
            b"t": lambda: self.stack.append(tuple(self._marked())),
            b"a": lambda: self._extend([self.stack.pop()]),
            b"e": lambda: self._extend(self._marked()),
            b"I": self._integer,
            b"L": lambda: self.stack.append(int(self._line().rstrip(b"L"))),
            b"\x8a": self._long,
            b"S": self._old_text,
            b"V": lambda: self.stack.append(self._line().decode("raw-unicode-escape")),
            b"c": lambda: self._named(self._line().decode(), self._line().decode()),
            b"\x93": self._named_by_stack,
            b"p": lambda: self._keep(int(self._line())),
            b"g": lambda: self.stack.append(self.memo[int(self._line())]),
            b"\x94": lambda: self._keep(len(self.memo)),
            b"R": self._call,
            b"b": self._build,
        }
        self.names: dict[str, Callable[..., Any] | None] = {"_codecs encode": self._encode, "numpy ndarray": None}
        self.names["numpy dtype"] = self._type
        for core in ("numpy.core", "numpy._core"):
            self.names[f"{core}.multiarray _reconstruct"] = lambda *_: _Array()
            self.names[f"{core}.multiarray scalar"] = self._scalar
            self.names[f"{core}.numeric _frombuffer"] = self._frombuffer

    def run(self) -> Any:
        """The object that the file describes."""
        try:
            for _ in range(self.most):
                code = self._take(1)
                if code == b".":
                    return self.stack.pop()
                self._step(code)
        except DataError:
            raise
        except _BROKEN as error:
            place = f"{str(error)[:200] or type(error).__name__} at byte {self.at}"
            raise _refused(self.name, "it is damaged", place) from error
        raise _refused(self.name, "it has too many parts", f"over {self.most} operations")

    def _step(self, code: bytes) -> None:
        if code in self.actions:
            self.actions[code]()
        elif code in _SIZED:
            width, kind = _SIZED[code]
            body = self._take(int.from_bytes(self._take(width), "little"))
            self.stack.append(body if kind is bytes else body.decode("utf-8", "surrogatepass"))
        elif code in _NUMBERS:
            width, signed = _NUMBERS[code]
            self.stack.append(int.from_bytes(self._take(width), "little", signed=signed))
        elif code in _PLAIN:
            self.stack.append(_PLAIN[code])
        elif code in _TUPLES:
            self.marks.append(len(self.stack) - _TUPLES[code])
            self.stack.append(tuple(self._marked()))
        elif code in _PUT:
            self._keep(int.from_bytes(self._take(_PUT[code]), "little"))
        elif code in _GET:
            self.stack.append(self.memo[int.from_bytes(self._take(_GET[code]), "little")])
        elif code in _SKIPPED:
            self._take(_SKIPPED[code])
        else:
            raise _refused(self.name, "it asks for more than pictures and bools", f"opcode {code!r}")

    def _take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise ValueError("it ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def _line(self) -> bytes:
        end = self.data.index(b"\n", self.at)
        line = self.data[self.at : end]
        self.at = end + 1
        return line

    def _marked(self) -> list[Any]:
        start = self.marks.pop()
        if not 0 <= start <= len(self.stack):
            raise ValueError("a mark lies outside the stack")
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise ValueError("something is appended to what is no list")
        self.stack[-1].extend(items)

    def _drop(self) -> None:
        self.stack.pop()

    def _keep(self, number: int) -> None:
        self.memo[number] = self.stack[-1]

    def _integer(self) -> None:
        line = self._line()
        self.stack.append({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))

    def _long(self) -> None:
        self.stack.append(int.from_bytes(self._take(self._take(1)[0]), "little", signed=True))

    def _old_text(self) -> None:
        """Python 2's ``str`` in protocol 0: quoted, with escapes."""
        line = self._line()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
            raise ValueError("a text has no quotes")
        self.stack.append(_ESCAPE.sub(_unescaped, line[1:-1]))

    def _named(self, module: str, name: str) -> None:
        text = f"{module} {name}"
        if text not in self.names:
            raise _refused(self.name, "it asks for more than pictures and bools", text[:200])
        self.stack.append(_Name(text))

    def _named_by_stack(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("a name is no text")
        self._named(module, name)

    def _call(self) -> None:
        arguments, name = self.stack.pop(), self.stack.pop()
        known = self.names.get(name.text) if isinstance(name, _Name) else None
        if known is None or not isinstance(arguments, tuple):
            raise ValueError("something is called that is no function")
        self.stack.append(known(*arguments))

    def _build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(state, tuple) or not isinstance(target, _Array | _Type):
            raise ValueError("a state is set on what has none")
        if isinstance(target, _Array):
            shape, kind, _, body = state[-4:]
            made = self._frombuffer(body, kind, shape)
            target.kind, target.data = made.kind, made.data

    def _encode(self, text: Any, encoding: Any) -> bytes:
        """Bytes as Python 3 writes them in protocols that have only text."""
        if not isinstance(text, str) or encoding != "latin1":
            raise ValueError("only Latin-1 text is turned into bytes")
        self.made += len(text)
        if self.made > len(self.data):
            # One long text, encoded again and again.
            raise _refused(self.name, "it unpacks to more than its size", f"over {len(self.data)} bytes")
        return text.encode("latin-1")

    def _type(self, kind: Any, *_: Any) -> _Type:
        text = kind.decode("latin-1") if isinstance(kind, bytes) else kind
        if not isinstance(text, str) or text not in ("u1", "b1"):
            given = text[:80] if isinstance(text, str) else type(text).__name__
            raise _refused(self.name, "it holds arrays of other kinds than uint8 and bool", given)
        return _Type(text)

    def _scalar(self, kind: Any, body: Any) -> bool:
        if kind != _Type("b1"):
            raise ValueError("a single number is no bool")
        return self._frombuffer(body, kind, (1,)).data != b"\0"

    def _frombuffer(self, body: Any, kind: Any, shape: Any, order: Any = "C") -> _Array:
        sizes = shape if isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape) else None
        if not isinstance(body, bytes) or not isinstance(kind, _Type) or sizes is None or math.prod(sizes) != len(body):
            raise ValueError("an array's shape does not fit its data")
        return _Array(kind.kind, body)
