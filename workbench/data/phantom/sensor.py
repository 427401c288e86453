"""From linear light to the picture that a sensor gives."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ... import files
from ...core import seeds


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
    if bool((t["blur"] * scale > 0.05).any()) or bool((t["motion"] != 0).any()):
        moved = zip(x, t["blur"].tolist(), t["motion"].tolist(), strict=True)
        x = torch.stack([_moved(_defocused(p, b * scale), mx * scale, my * scale) for p, b, (mx, my) in moved])
    x = x.clamp(0, 1)
    return torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.clamp(min=1e-8) ** (1 / 2.4) - 0.055)


def read_out(encoded: Tensor, t: dict[str, Tensor], seeds_of: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Resolution, noise, 8 bits and JPEG: ``uint8 (n, size, size, channels)``.

    Args:
        encoded: ``(n, channels, size, size)`` in [0, 1].
        t: ``resolution``, ``noise`` and ``jpeg``.
        seeds_of: of each picture's noise, ``(n,)``.
    """
    image = encoded.permute(0, 2, 3, 1).cpu().numpy().copy()
    size = image.shape[1]
    resolution, noise, jpeg = (t[k].cpu().numpy() for k in ("resolution", "noise", "jpeg"))
    for i, own in enumerate(image):
        few = max(4, round(float(resolution[i]) * size))
        if few < size:
            own = cv2.resize(own, (few, few), interpolation=cv2.INTER_AREA).reshape(few, few, -1)
        if noise[i] > 0:
            drawn = seeds.rng("noise", int(seeds_of[i])).standard_normal(own.shape, np.float32)
            own = own + noise[i] * drawn
        if few < size:
            own = cv2.resize(own, (size, size), interpolation=cv2.INTER_CUBIC).reshape(image[i].shape)
        image[i] = own
    quantised: NDArray[np.uint8] = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    for k in np.flatnonzero(jpeg):
        quantised[k] = compressed(quantised[k], int(jpeg[k]))
    return quantised


def compressed(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """A picture ``uint8 (h, w, 3)`` or ``(h, w, 1)`` after JPEG at a quality of 1 to 100."""
    channels = picture.shape[2]
    colour = np.repeat(picture, 3, 2) if channels == 1 else picture
    return files.decode_image(files.encode_jpeg(colour, quality=quality))[..., :channels]


def _defocused(image: Tensor, sigma: float) -> Tensor:
    """``(c, h, w)`` through a Gaussian of ``sigma`` pixels."""
    if sigma < 0.05:
        return image
    reach = max(1, int(np.ceil(3 * sigma)))
    steps = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    weights = torch.exp(-((steps / sigma) ** 2) / 2)
    weights = (weights / weights.sum())[None, None]
    padded = F.pad(image[:, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, weights[..., None, :]), weights[..., None])[:, 0]


def _moved(image: Tensor, right: float, down: float) -> Tensor:
    """``(c, h, w)`` averaged along a straight path that is centred on each pixel."""
    length = float(np.hypot(right, down))
    if length < 0.5:
        return image
    reach = int(np.ceil(length / 2))
    path = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for s in np.linspace(-0.5, 0.5, 8 * reach + 1):
        path[reach + round(s * down), reach + round(s * right)] += 1
    weights = torch.from_numpy(path / path.sum()).to(image)[None, None]
    return F.conv2d(F.pad(image[:, None], (reach,) * 4, mode="replicate"), weights)[:, 0]
