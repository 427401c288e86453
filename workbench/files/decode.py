"""The one gate for pictures: bytes become upright sRGB ``uint8 (h, w, 3)``, or a named refusal.

The format is told from the bytes, never from a file's name. Rotation flags are applied, embedded colour
profiles are converted to sRGB, transparency is laid on mid-grey, 16-bit samples keep their upper 8 bits.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from ..core import ImageError, StoreError
from . import exif
from .containers import gif_size, png_fault, read_jpeg, sniff, webp_size
from .paths import inside, read_bytes

# Named one by one: `Image.open` would also try formats that are not read here, and would answer a bomb
# with a process-wide warning, which threads cannot turn into an error safely. `_check` refuses it instead.
_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}
BACKGROUND = (128, 128, 128)


@dataclass(frozen=True)
class Limits:
    """What a face picture may cost.

    Attributes:
        bytes: size of the file.
        pixels: width times height; 64 megapixels are a large camera's picture, and 192 MB as RGB.
        side: longer side.
        frames: frames or pages. Only the first is read; a GIF's others are not even looked for.
        scans: passes of a progressive JPEG; cameras and editors write about ten, and each costs a full
            decoding.
    """

    bytes: int = 64 << 20
    pixels: int = 64_000_000
    side: int = 20_000
    frames: int = 10_000
    scans: int = 100


LIMITS = Limits()

# Pillow's readers raise all of these on damaged input.
_DAMAGE = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, AttributeError,
    MemoryError, RuntimeError, AssertionError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


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
    kind = sniff(data)
    if kind is None:
        raise ImageError(
            f"{what} is in no format that is read here",
            given=f"{len(data)} bytes starting with {data[:8]!r}",
            expected="JPEG, PNG, WebP, BMP, PGM/PPM, TIFF or GIF",
            do="convert it to PNG or JPEG",
        )
    try:
        return _decode(kind, data, what, limits)
    except ImageError:
        raise
    except _DAMAGE as error:
        raise ImageError(
            f"{what} cannot be decoded",
            given=f"{kind}, {len(data)} bytes: {error or type(error).__name__}",
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
    paths: Iterable[str | Path], *, workers: int | None = 4, ahead: int = 32, limits: Limits = LIMITS
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
        """Where picture ``index`` lies.

        Raises:
            DataError: by now a link leads out of ``root``.
        """
        return inside(self.root, self.names[index])


@dataclass(frozen=True)
class EncodedImages:
    """Pictures in memory, decoded when asked for; a `core.Images`.

    Attributes:
        encoded: content of one picture file each.
        name: of what they came from, for messages.
    """

    encoded: tuple[bytes, ...]
    name: str

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        return decode_image(self.encoded[index], name=f"{index} of {self.name}")


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """A ``uint8 (h, w, 3)`` picture as PNG bytes, without any metadata."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, format="PNG")
    return out.getvalue()


def encode_jpeg(image: NDArray[np.uint8], *, quality: int = 95) -> bytes:
    """A ``uint8 (h, w, 3)`` picture as JPEG bytes (colour at half resolution, as usual), without any metadata."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, format="JPEG", quality=quality)
    return out.getvalue()


def _read_or_error(path: str | Path, limits: Limits) -> NDArray[np.uint8] | ImageError:
    try:
        return read_image(path, limits=limits)
    except ImageError as error:
        return error


def _decode(kind: str, data: bytes, what: str, limits: Limits) -> NDArray[np.uint8]:
    turn = 1
    if kind == "JPEG":
        jpeg = read_jpeg(data)
        turn = exif.orientation(jpeg.exif)
        _check_size(jpeg.size, what, limits)
        if jpeg.scans > limits.scans:
            raise ImageError(f"{what} has too many passes", given=jpeg.scans, expected=f"at most {limits.scans}")
        if jpeg.plain:
            return _turned(_plain_jpeg(data), turn)
        if fault := exif.tag_fault(jpeg.exif.removeprefix(b"Exif\0\0")):
            raise ValueError(fault)
    _check_container(kind, data, what, limits)
    with _READERS[kind](io.BytesIO(data)) as picture:
        _check_size(picture.size, what, limits)
        if kind in ("PNG", "WEBP"):
            _check_frames(getattr(picture, "n_frames", 1), what, limits)
            turn = exif.orientation(picture.info.get("exif", b""))
        # Pillow turns a TIFF by itself while loading.
        picture.load()
        return _turned(_rgb(picture, kind), turn)


def _check_container(kind: str, data: bytes, what: str, limits: Limits) -> None:
    """Refuse what Pillow's readers would already pay for when they only open it."""
    fault = ""
    if kind == "PNG":
        fault = png_fault(data)
    elif kind == "WEBP":
        _check_size(webp_size(data), what, limits)
    elif kind == "GIF":
        _check_size(gif_size(data), what, limits)
    elif kind == "TIFF":
        fault = exif.tag_fault(data)
        _check_frames(exif.pages(data, limits.frames), what, limits)
    if fault:
        raise ValueError(fault)


def _check_size(size: tuple[int, int], what: str, limits: Limits) -> None:
    width, height = size
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise ImageError(
            f"{what} has too many pixels",
            given=f"{width} x {height}",
            expected=f"at most {limits.pixels} pixels and {limits.side} on a side",
            do="shrink it, or pass larger Limits",
        )


def _check_frames(frames: int, what: str, limits: Limits) -> None:
    if frames > limits.frames:
        raise ImageError(f"{what} has too many frames", expected=f"at most {limits.frames}")


def _plain_jpeg(data: bytes) -> NDArray[np.uint8]:
    """OpenCV's decoder: the same pixels as Pillow's in half the time."""
    import cv2

    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        raise ValueError("the JPEG data are damaged")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, decoded), dtype=np.uint8)


def _turned(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Upright pixels for an Exif orientation, 1 to 8: where the stored first row and column lie."""
    if orientation in (5, 6, 7, 8):
        rgb = rgb.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        rgb = rgb[::-1]
    if orientation in (2, 3, 6, 7):
        rgb = rgb[:, ::-1]
    return np.ascontiguousarray(rgb)


def _rgb(picture: Image.Image, kind: str) -> NDArray[np.uint8]:
    if picture.mode == "F" or (picture.mode == "I" and kind == "TIFF"):
        raise ValueError(f"samples of kind {picture.mode!r} have no stated white; 8 or 16 bits are read")
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        return _upper_bits(picture)
    profile = picture.info.get("icc_profile")
    clear = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    if clear:
        layer = picture.convert("RGBA")
        colour = _to_srgb(layer.convert("RGB"), profile) if profile else layer.convert("RGB")
        below = Image.new("RGB", layer.size, BACKGROUND)
        return np.array(Image.composite(colour, below, layer.getchannel("A")), dtype=np.uint8)
    if profile:
        picture = _to_srgb(picture.convert("RGB") if picture.mode == "P" else picture, profile)
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"), dtype=np.uint8)


def _upper_bits(picture: Image.Image) -> NDArray[np.uint8]:
    deep = np.asarray(picture).astype(np.int64)
    grey = (deep.clip(0, 65535) >> 8).astype(np.uint8)
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        grey[deep == clear] = BACKGROUND[0]
    return np.repeat(grey[..., None], 3, axis=2)


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A damaged profile says nothing about the pixels: they are read as sRGB, as browsers do.
        return picture
    return converted or picture
