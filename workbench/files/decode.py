"""The one gate for pictures: bytes become upright sRGB ``uint8 (h, w, 3)``, or a named refusal.

The format is told from the bytes, never from a file's name. Rotation flags are applied, embedded colour
profiles are converted to sRGB, transparency is laid on mid-grey, 16-bit grey keeps its upper 8 bits.
"""

from __future__ import annotations

import io
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from ..core import ImageError, StoreError
from .paths import read_bytes

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "PPM", "TIFF", "GIF")
BACKGROUND = (128, 128, 128)
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


@dataclass(frozen=True)
class Limits:
    """What a face picture may cost.

    Attributes:
        bytes: size of the file.
        pixels: width times height; 64 megapixels are a large camera's picture, and 192 MB as RGB.
        side: longer side.
        frames: frames of an animation; only the first is read.
    """

    bytes: int = 64 << 20
    pixels: int = 64_000_000
    side: int = 20_000
    frames: int = 10_000


LIMITS = Limits()


def decode_image(data: bytes, *, name: str = "", limits: Limits = LIMITS) -> NDArray[np.uint8]:
    """A picture as a person would see it.

    Args:
        data: content of a JPEG, PNG, WebP, BMP, PGM/PPM, TIFF or GIF file (its first frame).
        name: what to call it in errors.
        limits: refuse what is larger, before it is decoded.

    Returns:
        ``uint8 (h, w, 3)``, RGB, upright.

    Raises:
        ImageError: not one of these formats, damaged, cut short or over a limit.
    """
    what = f"picture {name!r}" if name else "picture"
    if len(data) > limits.bytes:
        raise ImageError(f"{what} is too large", given=f"{len(data)} bytes", expected=f"at most {limits.bytes}")
    kind = _sniff(data)
    if kind is None:
        raise ImageError(
            f"{what} is in no format that is read here",
            given=f"{len(data)} bytes starting with {data[:8]!r}",
            expected="JPEG, PNG, WebP, BMP, PGM/PPM, TIFF or GIF",
            do="convert it to PNG or JPEG",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[kind]) as picture:
                _check(picture, what, limits)
                return _upright(picture, what)
    except ImageError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError, Warning, IndexError,
            TypeError, KeyError, OverflowError, MemoryError, RuntimeError) as error:  # fmt: skip
        # Pillow's readers raise all of these on damaged input.
        raise ImageError(
            f"{what} cannot be decoded",
            given=f"{kind}, {len(data)} bytes: {error}",
            expected="a whole picture",
            do="fetch the file again or leave it out",
        ) from error


def read_image(path: str | Path, *, limits: Limits = LIMITS) -> NDArray[np.uint8]:
    """`decode_image` of a file.

    Raises:
        ImageError: unreadable, or as `decode_image`.
    """
    file = Path(path)
    try:
        data = read_bytes(file, limit=limits.bytes)
    except StoreError as error:
        raise ImageError(
            f"picture {file.name!r} cannot be read", given=error.given, expected="a readable picture file"
        ) from error
    return decode_image(data, name=file.name, limits=limits)


def read_images(
    paths: Iterable[str | Path], *, workers: int = 4, ahead: int = 32, limits: Limits = LIMITS
) -> Iterator[NDArray[np.uint8] | ImageError]:
    """Pictures in the order given, decoded in threads a bounded way ahead.

    A picture that is refused comes back as its `ImageError`, in its place, so that one bad file does not
    end the others.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        source = iter(paths)
        waiting: deque[Future[NDArray[np.uint8] | ImageError]] = deque(
            pool.submit(_read_or_error, path, limits) for path in islice(source, ahead)
        )
        while waiting:
            done = waiting.popleft()
            for path in islice(source, 1):
                waiting.append(pool.submit(_read_or_error, path, limits))
            yield done.result()


@dataclass(frozen=True)
class ImageFiles:
    """Pictures on disk, decoded when asked for; a `core.Images`.

    Attributes:
        root: folder that the names are below.
        names: relative paths, one per picture.
    """

    root: str
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        return read_image(self.path(index))

    def path(self, index: int) -> Path:
        """Where picture ``index`` lies."""
        return Path(self.root, self.names[index])


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """A ``uint8 (h, w, 3)`` picture as PNG bytes, without any metadata."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, format="PNG")
    return out.getvalue()


def _read_or_error(path: str | Path, limits: Limits) -> NDArray[np.uint8] | ImageError:
    try:
        return read_image(path, limits=limits)
    except ImageError as error:
        return error


def _sniff(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _check(picture: Image.Image, what: str, limits: Limits) -> None:
    width, height = picture.size
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise ImageError(
            f"{what} has too many pixels",
            given=f"{width} x {height}",
            expected=f"at most {limits.pixels} pixels and {limits.side} on a side",
            do="shrink it, or pass larger Limits",
        )
    frames = getattr(picture, "n_frames", 1)
    if frames > limits.frames:
        raise ImageError(f"{what} has too many frames", given=frames, expected=f"at most {limits.frames}")


def _upright(picture: Image.Image, what: str) -> NDArray[np.uint8]:
    picture.load()
    profile = picture.info.get("icc_profile")
    turned = ImageOps.exif_transpose(picture) or picture
    if turned.mode in ("I;16", "I;16B", "I;16L", "I"):
        grey = np.asarray(turned).astype(np.int64)
        return np.repeat((grey.clip(0, 65535) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if turned.mode == "F":
        raise ImageError(f"{what} holds floating-point values", expected="8 or 16 bits", do="convert it to PNG")
    if profile and turned.mode in ("RGB", "CMYK", "L"):
        turned = _to_srgb(turned, profile)
    if turned.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in turned.info:
        layer = turned.convert("RGBA")
        turned = Image.alpha_composite(Image.new("RGBA", layer.size, (*BACKGROUND, 255)), layer)
    return np.array(turned.convert("RGB"), dtype=np.uint8)


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A damaged profile says nothing about the pixels: they are read as sRGB, as browsers do.
        return picture
    return converted or picture
