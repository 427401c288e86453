"""RELIABILITY A4: every odd or hostile picture is decoded as a person would see it, or refused by name."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pictures
import pytest
from PIL import Image, ImageOps

from workbench import files
from workbench.core import ImageError

TABLE = list(pictures.cases())


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_a_picture_is_shown_as_a_person_sees_it_or_refused(case: pictures.Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        if case.pixels is None:
            with pytest.raises(ImageError, match=case.refusal):
                files.decode_image(case.data)
            return
        found = files.decode_image(case.data)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert found.flags.writeable
    assert found.shape == case.pixels.shape
    assert np.abs(found.astype(int) - case.pixels.astype(int)).max() <= case.within


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len({case.name for case in TABLE}) == len(TABLE) >= 100


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "PPM", "TIFF", "GIF"])
def test_a_picture_cut_anywhere_is_refused_or_still_the_same(kind: str) -> None:
    data = pictures.encoded(pictures.photo(24, 32), kind)
    whole = files.decode_image(data)
    for length in [*range(0, min(len(data), 200)), *range(200, len(data), 37)]:
        try:
            found = files.decode_image(data[:length])
        except ImageError:
            continue
        assert np.array_equal(found, whole), f"{length} of {len(data)} bytes gave another picture"


def test_one_changed_byte_of_a_png_is_always_noticed() -> None:
    data = pictures.encoded(pictures.photo(24, 32), "PNG")
    for place in range(len(data)):
        hurt = bytearray(data)
        hurt[place] ^= 0x41
        with pytest.raises(ImageError):
            files.decode_image(bytes(hurt))


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (16, 16), (33, 65), (250, 250)])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"quality": 20}]
)
def test_both_jpeg_decoders_give_the_same_pixels(size: tuple[int, int], options: dict[str, object]) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (*size, 3), dtype=np.uint8)
    data = pictures.encoded(noise, "JPEG", exif=pictures.exif(6), **options)
    pillow = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    assert np.array_equal(files.decode_image(data), np.asarray(pillow))


def test_limits_are_the_callers() -> None:
    data = pictures.encoded(pictures.RAMP, "PNG")
    for limits, message in (
        (files.Limits(bytes=20), "too large"),
        (files.Limits(pixels=34), "too many pixels"),
        (files.Limits(side=6), "too many pixels"),
    ):
        with pytest.raises(ImageError, match=message):
            files.decode_image(data, limits=limits)
    assert files.decode_image(data, limits=files.Limits(bytes=len(data), pixels=35, side=7)).shape == (5, 7, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_frames_are_counted_to_the_limit_only(kind: str) -> None:
    more = [Image.fromarray(pictures.photo() // n) for n in (2, 3, 4)]
    data = pictures.encoded(pictures.photo(), kind, save_all=True, append_images=more)
    assert files.decode_image(data, limits=files.Limits(frames=4)).shape == (48, 64, 3)
    with pytest.raises(ImageError, match="too many frames"):
        files.decode_image(data, limits=files.Limits(frames=3))
