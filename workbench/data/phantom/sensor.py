"""From linear light to the picture that a sensor gives."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ... import files
from .noise import normal


def develop(picture: Tensor, t: dict[str, Tensor]) -> Tensor:
    """Average, defocus, move and encode as sRGB in [0, 1]; differentiable.

    Args:
        picture: ``(n, 2 * size, 2 * size, 3)`` linear.
        t: ``blur`` and ``motion``, in pixels of a picture 112 wide.

    Returns:
        ``(n, 3, size, size)``.
    """
    x = F.avg_pool2d(picture.permute(0, 3, 1, 2), 2)
    scale = x.shape[-1] / 112
    x = _for_some(x, t["blur"] * scale > 0.05, lambda some, at: _defocused(some, t["blur"][at] * scale))
    x = _for_some(x, (t["motion"] != 0).any(1), lambda some, at: _moved(some, t["motion"][at] * scale))
    x = x.clamp(0, 1)
    return torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.clamp(min=1e-8) ** (1 / 2.4) - 0.055)


def _for_some(x: Tensor, chosen: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Change the chosen pictures."""
    at = chosen.nonzero()[:, 0]
    return x.index_copy(0, at, change(x.index_select(0, at), at)) if len(at) else x


def read_out(encoded: Tensor, t: dict[str, Tensor], seeds_of: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Resolution, noise, 8 bits and JPEG: ``uint8 (n, size, size, channels)``.

    Args:
        encoded: ``(n, channels, size, size)`` in [0, 1].
        t: ``resolution``, ``noise`` and ``jpeg``.
        seeds_of: of each picture's noise, ``(n,)``.
    """
    channels, size = encoded.shape[1:3]
    few = (t["resolution"] * size).round().clamp(4, size)
    noise = torch.zeros_like(encoded)
    if bool((t["noise"] > 0).any()):
        drawn = normal(seeds_of, channels * size * size, encoded.device).reshape(encoded.shape)
        noise = t["noise"][:, None, None, None] * drawn
    picture = _eight_bits((encoded + noise).permute(0, 2, 3, 1))
    for i in (few < size).nonzero()[:, 0].tolist():
        side = int(few[i])
        small = cv2.resize(_pixels(encoded[i]), (side, side), interpolation=cv2.INTER_AREA).reshape(side, side, -1)
        small = small + _pixels(noise[i])[:side, :side]
        grown = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC).reshape(size, size, -1)
        picture[i] = _eight_bits(torch.from_numpy(grown))
    for k in (t["jpeg"] != 0).nonzero()[:, 0].tolist():
        picture[k] = compressed(picture[k], int(t["jpeg"][k]))
    return picture


def _pixels(image: Tensor) -> NDArray[np.float32]:
    """``(channels, h, w)`` as OpenCV's ``(h, w, channels)``."""
    return np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())


def _eight_bits(image: Tensor) -> NDArray[np.uint8]:
    """[0, 1] as whole steps of 255."""
    return np.ascontiguousarray((image.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy())


def compressed(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """A picture ``uint8 (h, w, 3)`` or ``(h, w, 1)`` after JPEG at a quality of 1 to 100."""
    channels = picture.shape[2]
    colour = np.repeat(picture, 3, 2) if channels == 1 else picture
    return files.decode_image(files.encode_jpeg(colour, quality=quality))[..., :channels]


def _defocused(image: Tensor, sigma: Tensor) -> Tensor:
    """``(n, c, h, w)`` through Gaussians of ``sigma`` ``(n,)`` pixels, cut at three.

    Added up tap by tap: what a picture gets does not depend on those beside it, whose taps weigh nothing here.
    """
    own = (3 * sigma).ceil()
    reach = int(own.max())
    weights = [torch.exp(-((k / sigma) ** 2) / 2) * (k <= own) for k in range(reach + 1)]
    total = weights[0] + 2 * sum(weights[1:], start=torch.zeros_like(sigma))
    share = [(w / total)[:, None, None, None] for w in weights]
    for dim in (2, 3):
        pad = (0, 0, reach, reach) if dim == 2 else (reach, reach, 0, 0)
        padded, size = F.pad(image, pad, mode="replicate"), image.shape[dim]
        image = image * share[0]
        for k in range(1, reach + 1):
            sides = padded.narrow(dim, reach - k, size) + padded.narrow(dim, reach + k, size)
            image = torch.addcmul(image, sides, share[k])
    return image


def _moved(image: Tensor, motion: Tensor) -> Tensor:
    """``(n, c, h, w)`` averaged along straight paths ``(n, 2)`` that are centred on each pixel."""
    return torch.stack([_along(p, *way) for p, way in zip(image, motion.tolist(), strict=True)])


def _along(image: Tensor, right: float, down: float) -> Tensor:
    """``(c, h, w)`` averaged along one path."""
    length = float(np.hypot(right, down))
    if length < 0.5:
        return image
    reach = int(np.ceil(length / 2))
    path = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for s in np.linspace(-0.5, 0.5, 8 * reach + 1):
        path[reach + round(s * down), reach + round(s * right)] += 1
    weights = torch.from_numpy(path / path.sum()).to(image)[None, None]
    return F.conv2d(F.pad(image[:, None], (reach,) * 4, mode="replicate"), weights)[:, 0]
