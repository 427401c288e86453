import io

import numpy as np
import pytest
from PIL import Image

from workbench import files
from workbench.core import ImageError


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format=kind, **options)
    return out.getvalue()


GRADIENT = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF"])
def test_lossless_formats_come_back_exactly(kind: str) -> None:
    assert np.array_equal(files.decode_image(encoded(Image.fromarray(GRADIENT), kind)), GRADIENT)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_lossy_formats_come_back_nearly(kind: str) -> None:
    flat = np.full((16, 16, 3), (200, 40, 90), np.uint8)
    found = files.decode_image(encoded(Image.fromarray(flat), kind))
    assert found.shape == flat.shape
    assert np.abs(found.astype(int) - flat).max() <= 8


def test_a_rotated_photo_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees clockwise when shown
    found = files.decode_image(encoded(Image.fromarray(GRADIENT), "PNG", exif=exif))
    assert np.array_equal(found, np.rot90(GRADIENT, -1))


def test_grey_16_bit_and_transparency() -> None:
    deep = Image.fromarray(np.array([[0, 65535], [256, 32768]], np.uint16))
    assert files.decode_image(encoded(deep, "PNG"))[..., 0].tolist() == [[0, 255], [1, 128]]
    clear = Image.fromarray(np.zeros((2, 2, 4), np.uint8))
    assert np.all(files.decode_image(encoded(clear, "PNG")) == 128)
    assert files.decode_image(encoded(Image.new("CMYK", (2, 2)), "TIFF")).tolist() == [[[255] * 3] * 2] * 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no format"),
        (b"%!PS-Adobe-3.0 EPSF", "no format"),
        (b"\x89PNG\r\n\x1a\nrubbish", "cannot be decoded"),
        (encoded(Image.fromarray(GRADIENT), "PNG")[:-30], "cannot be decoded"),
        (encoded(Image.fromarray(np.zeros((64, 64, 3), np.uint8)), "JPEG")[:300], "cannot be decoded"),
    ],
)
def test_what_is_no_whole_picture_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        files.decode_image(data)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("L", (9000, 9000)), "PNG", compress_level=9)
    assert len(bomb) < 200_000
    with pytest.raises(ImageError, match="too many pixels"):
        files.decode_image(bomb)


def test_one_bad_file_does_not_end_the_others(tmp_path) -> None:
    for i in range(5):
        (tmp_path / f"{i}.png").write_bytes(encoded(Image.fromarray(GRADIENT + i), "PNG"))
    (tmp_path / "2.png").write_bytes(b"broken")
    found = list(files.read_images(sorted(tmp_path.iterdir()), ahead=2))
    assert [type(f) is ImageError for f in found] == [False, False, True, False, False]
    assert np.array_equal(found[4], GRADIENT + 4)
