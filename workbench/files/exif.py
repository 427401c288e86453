"""Tag tables of TIFF and Exif, read just far enough to know what they ask for (TIFF 6.0, section 2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_ORIENTATION = 0x0112
_STRIPS = (0x0111, 0x0144)
_MOST_STRIPS = 1 << 20


def orientation(exif: bytes) -> int:
    """The orientation flag, 1 to 8, of an Exif block; 1 where it has none or is damaged."""
    block = exif.removeprefix(b"Exif\0\0")
    order = _order(block)
    for tag, kind, _, place in _entries(block, int.from_bytes(block[4:8], order), order):
        value = int.from_bytes(block[place : place + 2], order)
        if tag == _ORIENTATION and kind == 3 and 1 <= value <= 8:
            return value
    return 1


def tag_fault(block: bytes) -> str:
    """What is absurd about the first tag table of a TIFF or Exif block; empty when nothing is.

    Readers copy what each tag points at, and tags may all point at the same bytes, so that a file of a
    megabyte could ask for many gigabytes.
    """
    order = _order(block)
    claimed = 0
    for tag, kind, count, _ in _entries(block, int.from_bytes(block[4:8], order), order):
        claimed += _SIZES.get(kind, 1) * count
        if tag in _STRIPS and count > _MOST_STRIPS:
            return f"it claims {count} strips"
    return "its tags claim far more bytes than it has" if claimed > 2 * len(block) + 4096 else ""


def pages(data: bytes, limit: int) -> int:
    """How many pages a TIFF has, counted no further than one past ``limit``."""
    order = _order(data)
    place = int.from_bytes(data[4:8], order)
    count = 0
    while 0 < place < len(data) and count <= limit:
        count += 1
        after = place + 2 + 12 * int.from_bytes(data[place : place + 2], order)
        place = int.from_bytes(data[after : after + 4], order)
    return count


def _order(block: bytes) -> Literal["big", "little"]:
    return "big" if block[:2] == b"MM" else "little"


def _entries(block: bytes, place: int, order: Literal["big", "little"]) -> Iterator[tuple[int, int, int, int]]:
    """``(tag, kind, count, where its value lies)`` of each entry of the table at ``place``."""
    for entry in range(int.from_bytes(block[place : place + 2], order)):
        at = place + 2 + 12 * entry
        if at + 12 > len(block):
            return
        yield (
            int.from_bytes(block[at : at + 2], order),
            int.from_bytes(block[at + 2 : at + 4], order),
            int.from_bytes(block[at + 4 : at + 8], order),
            at + 8,
        )
