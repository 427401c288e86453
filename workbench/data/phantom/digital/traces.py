"""What generators and processing leave in pictures: pure functions of ``uint8 (n, h, w, 3)``."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ....core import ParameterError, ShapeError, UnknownNameError, seeds
from ..sensor import compressed
from .warp import to_bytes

Pictures = NDArray[np.uint8]
UPSAMPLING = ("nearest", "bilinear", "zero insertion")


def _checked(pictures: Pictures) -> Pictures:
    if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
        raise ShapeError(
            "these are no pictures", given=f"{pictures.dtype} {pictures.shape}", expected="uint8 (n, h, w, 3)"
        )
    return pictures


def upsampled(pictures: Pictures, how: str, *, factor: int = 2) -> Pictures:
    """Averaged down by a factor, and up again as a generator's last layers do.

    Args:
        pictures: ``uint8 (n, h, w, 3)``, sides divisible by ``factor``.
        how: ``"nearest"``, ``"bilinear"``, or ``"zero insertion"`` with a 3 x 3 kernel, as a transposed convolution of
            stride 2 whose kernel is not learned well: its rows and columns alternate (Odena et al. 2016).
        factor: of the sampling.
    """
    if how not in UPSAMPLING:
        raise UnknownNameError("up-sampling", how, UPSAMPLING)
    _, height, width, _ = _checked(pictures).shape
    if height % factor or width % factor or factor < 2:
        raise ParameterError("sides are not divisible", given=(height, width), expected=f"multiples of {factor}")
    out = []
    for picture in pictures:
        small = cv2.resize(picture, (width // factor, height // factor), interpolation=cv2.INTER_AREA).astype(
            np.float32
        )
        if how == "zero insertion":
            spread = np.zeros(picture.shape, np.float32)
            spread[::factor, ::factor] = small * factor**2
            out.append(cv2.blur(spread, (factor + 1, factor + 1), borderType=cv2.BORDER_REFLECT_101))
            continue
        flag = cv2.INTER_NEAREST if how == "nearest" else cv2.INTER_LINEAR
        out.append(cv2.resize(small, (width, height), interpolation=flag))
    return np.stack([to_bytes(p) for p in out])


def fingerprinted(pictures: Pictures, strength: float = 2.0, *, seed: int = 0) -> Pictures:
    """A fixed high-pass pattern on all pictures, as each generator has its own (Marra et al. 2019).

    Args:
        pictures: ``uint8 (n, h, w, 3)``.
        strength: standard deviation in 8-bit steps.
        seed: of the generator.
    """
    height, width = _checked(pictures).shape[1:3]
    noise = seeds.rng("phantom", "fingerprint", seed).standard_normal((height, width, 3)).astype(np.float32)
    high = noise - cv2.GaussianBlur(noise, (0, 0), 1.5)
    pattern = high / high.std() * strength
    return to_bytes(pictures + pattern)


def twice_compressed(pictures: Pictures, first: int, second: int, *, shift: int = 0) -> Pictures:
    """JPEG at one quality and at another again; with a shift the second grid of blocks lies elsewhere.

    Args:
        pictures: ``uint8 (n, h, w, 3)``.
        first: quality, 1 to 100.
        second: likewise.
        shift: pixels right and down, 0 to 7.
    """
    if not 0 <= shift <= 7 or not (1 <= first <= 100 and 1 <= second <= 100):
        raise ParameterError(
            "compression is out of range", given=(first, second, shift), expected="1 to 100; shift 0 to 7"
        )
    out = []
    for picture in _checked(pictures):
        once = np.roll(compressed(picture, first), (shift, shift), (0, 1))
        out.append(np.roll(compressed(once, second), (-shift, -shift), (0, 1)))
    return np.stack(out)


def median_filtered(pictures: Pictures, side: int = 3) -> Pictures:
    """Each pixel's median over ``side * side``; an odd number from 3."""
    if side < 3 or side % 2 == 0:
        raise ParameterError("a median's window is odd", given=side, expected="3, 5, 7 ...")
    return np.stack([cv2.medianBlur(p, side) for p in _checked(pictures)]).astype(np.uint8)


def resampled(pictures: Pictures, factor: float) -> Pictures:
    """Up or down by a factor with cubic interpolation, and back."""
    if not 0.1 <= factor <= 4:
        raise ParameterError("factor is out of range", given=factor, expected="0.1 to 4")
    height, width = _checked(pictures).shape[1:3]
    to = (max(4, round(width * factor)), max(4, round(height * factor)))
    there = (cv2.resize(p, to, interpolation=cv2.INTER_CUBIC) for p in pictures)
    return np.stack([cv2.resize(p, (width, height), interpolation=cv2.INTER_CUBIC) for p in there]).astype(np.uint8)
