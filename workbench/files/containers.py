"""What a picture file says about itself, read from its bytes before any decoder sees them."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"P5", "PPM"),
    (b"P6", "PPM"),
    (b"P2", "PPM"),
    (b"P3", "PPM"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ALONE = {0x01, 0xD8, *range(0xD0, 0xD8)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def sniff(data: bytes) -> str | None:
    """The format's name as Pillow says it, or None for a format that is not read here."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


@dataclass
class Jpeg:
    """Facts from a JPEG's markers.

    Attributes:
        size: ``(width, height)``.
        scans: how many passes over the picture the file asks for.
        plain: whole, 8 bits, baseline or progressive, grey or YCbCr, no colour profile and no metadata
            other than ``exif``: any decoder of the libjpeg family gives the same pixels.
        exif: the Exif block, empty where there is none.
    """

    size: tuple[int, int] = (0, 0)
    scans: int = 0
    plain: bool = True
    exif: bytes = b""


def read_jpeg(data: bytes) -> Jpeg:
    """Walk a JPEG's markers; the entropy-coded data are skipped, not decoded (ITU-T T.81, annex B)."""
    found = Jpeg()
    place = 2
    while True:
        place = data.find(b"\xff", place)
        marker = data[place + 1] if 0 <= place < len(data) - 1 else None
        if marker is None or marker == 0xD9:
            found.plain &= marker == 0xD9 and found.scans > 0
            return found
        if marker in (0x00, 0xFF) or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        segment = data[place + 4 : place + 2 + length]
        _note(found, marker, segment)
        place += 2 + max(length, 2)
        if marker == 0xDA:
            found.scans += 1
            following = _NEXT_MARKER.search(data, place)
            place = following.start() if following else len(data)


def _note(found: Jpeg, marker: int, segment: bytes) -> None:
    if marker in _FRAMES:
        found.plain &= (
            marker in (0xC0, 0xC1, 0xC2) and found.size == (0, 0) and segment[:1] == b"\x08" and len(segment) >= 6
        )
        found.plain &= segment[5:6] in (b"\x01", b"\x03")
        found.size = int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[1:3], "big")
    elif marker == 0xE1 and segment.startswith(b"Exif\0\0") and not found.exif:
        found.exif = segment
    elif marker in (0xE1, 0xE2, 0xEE, 0xDC):
        # Other Exif or XMP, a colour profile or second picture, Adobe's colour switch, a late height.
        found.plain = False


def png_fault(data: bytes) -> str:
    """What is wrong with a PNG's chunks: lengths, check sums, the end; empty when nothing is."""
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(data):
            return f"cut short in chunk {kind!r}"
        if zlib.crc32(memoryview(data)[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return f"the check sum of chunk {kind!r} does not fit"
        if kind == b"IEND":
            return ""
        place = end
    return "cut short"


def webp_size(data: bytes) -> tuple[int, int]:
    """``(width, height)`` that a WebP file asks for (RFC 9649); its decoder allocates them at once."""
    if data[12:16] == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def gif_size(data: bytes) -> tuple[int, int]:
    """``(width, height)`` that a GIF's first frame needs; it may exceed the screen that the header states."""
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    flags = data[10] if len(data) > 10 else 0
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while place < len(data) and data[place] not in b",;":
        place += 1
        if data[place - 1] == 0x21:
            place += 1
            while place < len(data) and data[place]:
                place += 1 + data[place]
            place += 1
    if data[place : place + 1] != b",":
        return width, height
    x, y, w, h = (int.from_bytes(data[place + i : place + i + 2], "little") for i in (1, 3, 5, 7))
    return max(width, x + w), max(height, y + h)
