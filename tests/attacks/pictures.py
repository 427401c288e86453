"""Makers of odd and hostile picture files, each with the pixels or the refusal it must give."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

Pixels = NDArray[np.uint8]
RAMP: Pixels = (np.arange(5 * 7 * 3).reshape(5, 7, 3) * 2).astype(np.uint8)
GREY: Pixels = RAMP[..., 0].copy()


@dataclass(frozen=True)
class Case:
    """One file and what must come of it.

    Attributes:
        name: what it is.
        data: the file.
        pixels: the expected picture, or None where it must be refused.
        refusal: part of the expected message.
        within: largest allowed difference per sample; 0 where nothing is lossy.
    """

    name: str
    data: bytes
    pixels: Pixels | None = None
    refusal: str = ""
    within: int = 0


def encoded(picture: Image.Image | Pixels, kind: str, **options: object) -> bytes:
    """A picture as a file of the given kind."""
    out = io.BytesIO()
    made = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    made.save(out, format=kind, **options)
    return out.getvalue()


def photo(height: int = 48, width: int = 64) -> Pixels:
    """Something smooth that a lossy coder hardly changes."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    return np.stack([255 * x, 255 * y, 128 + 60 * np.sin(6 * x)], axis=-1).astype(np.uint8)


def three(grey: Pixels) -> Pixels:
    """Grey as RGB."""
    return np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with the right check sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(header: bytes, *chunks: bytes) -> bytes:
    """A PNG from its IHDR body and further chunks."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def exif(orientation: int) -> bytes:
    """An Exif block with nothing but an orientation."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def swapped_profile() -> bytes:
    """A display profile whose red and blue primaries are exchanged: converting must exchange them too."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return plain.replace(b"rXYZ", b"tmpX", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmpX", b"bXYZ", 1)


def webp_canvas(side: int) -> bytes:
    """A WebP header that asks for ``side`` x ``side`` pixels and brings none."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0" * 4 + (side - 1).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", len(body)) + body


def scan_bomb(scans: int) -> bytes:
    """A progressive JPEG whose last pass is repeated."""
    made = encoded(photo(), "JPEG", progressive=True)
    last = made.rindex(b"\xff\xda")
    return made[:-2] + made[last:-2] * scans + made[-2:]


def many_frames(count: int) -> bytes:
    """A GIF of ``count`` frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\x10\x20\x30\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * count + b"\x3b"


def wide_frame() -> bytes:
    """A GIF with a screen of one pixel and a first frame of four gigapixels, to be cleared after it."""
    return b"GIF89a\1\0\1\0\0\0\0" + b"!\xf9\4\x08\0\0\0\0" + b",\0\0\0\0\xff\xff\xff\xff\0\2\2\x44\1\0;"


def many_pages(count: int) -> bytes:
    """A TIFF of ``count`` pages without a tag."""
    return b"II*\0\x08\0\0\0" + b"".join(struct.pack("<HI", 0, 8 + 6 * (i + 1)) for i in range(count))


def tag_bomb() -> bytes:
    """A TIFF of a megabyte whose 65,000 tags each want half of it: 30 GB in all."""
    entries = b"".join(struct.pack("<HHII", tag, 7, 500_000, 8) for tag in range(65_000))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 65_000) + entries + bytes(300_000)


def cases() -> Iterator[Case]:
    """The whole table."""
    yield from _plain()
    yield from _turned()
    yield from _colour()
    yield from _odd()
    yield from _refused()


def _plain() -> Iterator[Case]:
    for kind in ("PNG", "BMP", "PPM", "TIFF"):
        yield Case(f"{kind} RGB", encoded(RAMP, kind), RAMP)
        yield Case(f"{kind} grey", encoded(GREY, kind), three(GREY))
        yield Case(f"{kind} 1x1", encoded(RAMP[:1, :1], kind), RAMP[:1, :1])
    yield Case("WebP lossless", encoded(RAMP, "WEBP", lossless=True), RAMP)
    yield Case("WebP lossy", encoded(photo(), "WEBP", quality=95), photo(), within=12)
    yield Case("GIF grey", encoded(GREY, "GIF"), three(GREY))
    yield Case("PNG interlaced", encoded(Image.fromarray(RAMP), "PNG", interlace=1), RAMP)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield Case(f"TIFF {compression}", encoded(RAMP, "TIFF", compression=compression), RAMP)
    for options in ({}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 2}, {"optimize": True}):
        yield Case(f"JPEG {options}", encoded(photo(), "JPEG", quality=95, **options), photo(), within=12)
    yield Case("JPEG grey", encoded(photo()[..., 0], "JPEG", quality=95), three(photo()[..., 0]), within=6)
    yield Case("JPEG 1x1", encoded(photo()[:1, :1], "JPEG", quality=95), photo()[:1, :1], within=6)
    yield Case("plain PGM", b"P2 3 1 255\n0 128 255\n", three(np.array([[0, 128, 255]])))
    yield Case("PGM with a comment", b"P5\n# by hand\n2 1\n255\n\x01\x02", three(np.array([[1, 2]])))
    yield Case("plain PPM", b"P3 1 1 255\n1 2 3\n", np.array([[[1, 2, 3]]], np.uint8))


def _turned() -> Iterator[Case]:
    for turn in range(1, 9):
        upright = np.asarray(ImageOps.exif_transpose(_flagged(RAMP, turn)))
        yield Case(f"PNG orientation {turn}", encoded(RAMP, "PNG", exif=exif(turn)), upright)
        yield Case(f"TIFF orientation {turn}", encoded(RAMP, "TIFF", tiffinfo={0x0112: turn}), upright)
        stored = np.asarray(Image.open(io.BytesIO(encoded(photo(), "JPEG", quality=95))))
        upright = np.asarray(ImageOps.exif_transpose(_flagged(stored, turn)))
        yield Case(f"JPEG orientation {turn}", encoded(photo(), "JPEG", quality=95, exif=exif(turn)), upright)
    yield Case("orientation 99", encoded(RAMP, "PNG", exif=exif(99)), RAMP)
    broken = b"Exif\0\0II*\0" + b"\xff" * 40
    yield Case("damaged Exif", encoded(photo(), "JPEG", quality=95, exif=broken), photo(), within=12)


def _flagged(pixels: Pixels, turn: int) -> Image.Image:
    made = Image.fromarray(pixels)
    made.getexif()[0x0112] = turn
    return made


def _colour() -> Iterator[Case]:
    deep = np.array([[0, 255, 256, 65535]], np.uint16)
    yield Case("PNG 16-bit grey", encoded(Image.fromarray(deep), "PNG"), three(deep >> 8))
    yield Case("TIFF 16-bit grey", encoded(Image.fromarray(deep), "TIFF"), three(deep >> 8))
    yield Case("PGM 16-bit", b"P5 4 1 65535\n" + deep.astype(">u2").tobytes(), three(deep >> 8))
    rgb16 = zlib.compress(b"\0" + np.array([0x1234, 0xABCD, 0xFFFF], ">u2").tobytes())
    deep_rgb = png(struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0), chunk(b"IDAT", rgb16))
    yield Case("PNG 16-bit RGB", deep_rgb, np.array([[[0x12, 0xAB, 0xFF]]], np.uint8))
    clear16 = zlib.compress(b"\0" + np.array([0x1234, 0x1235], ">u2").tobytes())
    header = struct.pack(">IIBBBBB", 2, 1, 16, 0, 0, 0, 0)
    keyed = png(header, chunk(b"tRNS", b"\x12\x34"), chunk(b"IDAT", clear16))
    yield Case("PNG 16-bit grey, one value clear", keyed, three(np.array([[128, 0x12]])))
    yield Case("PNG bilevel", encoded(Image.fromarray(GREY > 60), "PNG"), three((GREY > 60) * np.uint8(255)))
    alpha = np.dstack([RAMP, np.full(GREY.shape, 255, np.uint8)])
    alpha[0, :, 3] = 0
    over = RAMP.copy()
    over[0] = 128
    yield Case("PNG RGBA", encoded(alpha, "PNG"), over)
    yield Case("WebP RGBA", encoded(alpha, "WEBP", lossless=True, exact=True), over)
    half = np.array([[[200, 0, 100, 128]]], np.uint8)
    yield Case("PNG half clear", encoded(half, "PNG"), np.array([[[164, 64, 114]]], np.uint8), within=1)
    pair = np.dstack([GREY, alpha[..., 3]])
    yield Case(
        "PNG grey with alpha",
        encoded(Image.fromarray(pair, "LA"), "PNG"),
        three(np.where(over[..., 0] == 128, 128, GREY)),
    )
    palette = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    rainbow = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    yield Case("PNG palette", encoded(palette, "PNG"), rainbow)
    clear = np.array([[[128, 128, 128], [0, 255, 0], [64, 64, 192]]], np.uint8)
    yield Case("PNG palette with alpha", encoded(palette, "PNG", transparency=b"\0\xff\x80"), clear, within=1)
    first = np.array([[[128] * 3, [0, 255, 0], [0, 0, 255]]], np.uint8)
    yield Case("GIF palette, one clear", encoded(palette, "GIF", transparency=0), first)
    ink = np.zeros((2, 2, 4), np.uint8)
    ink[..., 0] = 255
    yield Case(
        "TIFF CMYK cyan", encoded(Image.fromarray(ink, "CMYK"), "TIFF"), np.full((2, 2, 3), (0, 255, 255), np.uint8)
    )
    cyan = np.full((16, 16, 4), (255, 0, 0, 0), np.uint8)
    shown = np.full((16, 16, 3), (0, 255, 255), np.uint8)
    yield Case("JPEG CMYK cyan", encoded(Image.fromarray(cyan, "CMYK"), "JPEG", quality=95), shown, within=4)
    flat = np.full((4, 4, 3), (250, 20, 20), np.uint8)
    blue = np.full((4, 4, 3), (20, 20, 250), np.uint8)
    yield Case("PNG with a colour profile", encoded(flat, "PNG", icc_profile=swapped_profile()), blue, within=12)
    seen = encoded(np.dstack([flat, np.full((4, 4), 255, np.uint8)]), "PNG", icc_profile=swapped_profile())
    yield Case("RGBA with a colour profile", seen, blue, within=12)
    yield Case("JPEG with a colour profile", encoded(flat, "JPEG", icc_profile=swapped_profile()), blue, within=12)
    yield Case("damaged colour profile", encoded(RAMP, "PNG", icc_profile=b"not a profile"), RAMP)


def _odd() -> Iterator[Case]:
    two = encoded(Image.fromarray(RAMP), "GIF", save_all=True, append_images=[Image.new("RGB", (7, 5))])
    yield Case("GIF of two frames", two, np.asarray(Image.open(io.BytesIO(two)).convert("RGB")))
    pages = encoded(RAMP, "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    yield Case("TIFF of two pages", pages, RAMP)
    moving = encoded(RAMP, "PNG", save_all=True, append_images=[Image.new("RGB", (7, 5))])
    yield Case("animated PNG", moving, RAMP)
    waving = encoded(RAMP, "WEBP", lossless=True, save_all=True, append_images=[Image.new("RGB", (7, 5))])
    yield Case("animated WebP", waving, RAMP)
    yield Case("GIF of 100,000 frames", many_frames(100_000), np.full((1, 1, 3), (16, 32, 48), np.uint8))
    yield Case("PNG with an archive behind", encoded(RAMP, "PNG") + b"PK\x03\x04" * 20, RAMP)
    yield Case("PNG with a script in a text", _with_text(b"<script>alert(1)</script>"), RAMP)


def _with_text(text: bytes) -> bytes:
    made = encoded(RAMP, "PNG")
    return made[:33] + chunk(b"tEXt", b"Comment\0" + text) + made[33:]


def _refused() -> Iterator[Case]:
    for name, start in {
        "empty": b"",
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "PDF": b"%PDF-1.7\n",
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        "HTML": b"<!doctype html><img>",
        "Photoshop": b"8BPS\0\1" + b"\0" * 40,
        "ICNS": b"icns\0\0\0\x10ic07",
        "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
        "bitmap PBM": b"P4 8 1\n\xff",
        "float PFM": b"Pf 1 1 -1\n\0\0\x80\x3f",
        "a pickle": b"\x80\x04\x95",
    }.items():
        yield Case(name, start, refusal="no format")
    whole = {kind: encoded(photo(), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "PPM", "TIFF", "GIF")}
    for kind, data in whole.items():
        yield Case(f"half a {kind}", data[: len(data) // 2], refusal="cannot be decoded")
        yield Case(f"{kind} of 12 bytes", data[:12], refusal="cannot be decoded")
    wide = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    yield Case("PNG bomb", png(wide, chunk(b"IDAT", zlib.compress(bytes(10**6)))), refusal="too many pixels")
    yield Case("PPM bomb", b"P6 100000 100000 255\n", refusal="too many pixels")
    yield Case("BMP bomb", _patched_bmp(), refusal="too many pixels")
    yield Case("GIF bomb", b"GIF89a\xff\xff\xff\xff\0\0\0;", refusal="(too many pixels|cannot be decoded)")
    yield Case("WebP bomb", webp_canvas(16_383), refusal="too many pixels")
    yield Case("JPEG bomb", _patched_jpeg(), refusal="too many pixels")
    yield Case("a line of 30,000 pixels", encoded(np.zeros((1, 30_000), np.uint8), "PNG"), refusal="too many pixels")
    yield Case("JPEG of 2,000 passes", scan_bomb(2000), refusal="too many passes")
    yield Case("GIF frame beyond its screen", wide_frame(), refusal="too many pixels")
    yield Case("TIFF of 20,000 pages", many_pages(20_000), refusal="too many frames")
    yield Case("TIFF whose tags all point at one place", tag_bomb(), refusal="claim far more bytes")
    yield Case("float TIFF", encoded(Image.fromarray(np.ones((2, 2), np.float32)), "TIFF"), refusal="no stated white")
    yield Case("32-bit TIFF", encoded(Image.fromarray(np.ones((2, 2), np.int32)), "TIFF"), refusal="no stated white")
    text = zlib.compress(bytes(20 << 20), 9)
    made = encoded(RAMP, "PNG")
    bomb = made[:33] + chunk(b"zTXt", b"Comment\0\0" + text) + made[33:]
    yield Case("PNG with 20 MB of text", bomb, refusal="cannot be decoded")
    flipped = bytearray(encoded(photo(), "PNG"))
    flipped[len(flipped) // 2] ^= 1
    yield Case("PNG with one bit flipped", bytes(flipped), refusal="check sum")


def _patched_bmp() -> bytes:
    made = bytearray(encoded(RAMP, "BMP"))
    made[18:26] = struct.pack("<ii", 50_000, 50_000)
    return bytes(made)


def _patched_jpeg() -> bytes:
    made = bytearray(encoded(photo(), "JPEG"))
    frame = made.index(b"\xff\xc0")
    made[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    return bytes(made)
