"""The networks that are trained on phantom faces alone: a small residual trunk with what is read off it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Of recognisers, and of what is read off a face with less.
WIDE, NARROW = (32, 64, 128, 192), (24, 48, 96, 128)


class Residual(nn.Module):
    """Two convolutions and the way around them (arXiv 1512.03385)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, width, h, w)`` to the same."""
        inner = F.relu(self.first_norm(self.first(x)))
        return F.relu(x + self.second_norm(self.second(inner)))


class Trunk(nn.Module):
    """``(n, 3, size, size)`` in [-1, 1] to ``(n, outputs)``; a global depthwise convolution ends it.

    Args:
        size: side of the input, a multiple of 16.
        outputs: length of the answer.
        widths: channels of the four stages.
    """

    def __init__(self, size: int, outputs: int, widths: tuple[int, ...] = WIDE) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 3
        for i, width in enumerate(widths):
            layers += [nn.Conv2d(inside, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [Residual(width)] if i else []
            inside = width
        self.features = nn.Sequential(*layers)
        side = size // 2 ** len(widths)
        self.whole = nn.Conv2d(inside, inside, side, groups=inside, bias=False)
        self.norm = nn.BatchNorm2d(inside)
        self.head = nn.Linear(inside, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Prepared chips to raw outputs."""
        out: Tensor = self.head(self.norm(self.whole(self.features(x))).flatten(1))
        return out


class Decoder(nn.Module):
    """``(n, latent)`` to faces ``(n, 3, 64, 64)`` in [-1, 1], by nearest up-sampling and convolutions."""

    def __init__(self, latent: int, width: int = 96) -> None:
        super().__init__()
        self.width = width
        self.start = nn.Linear(latent, 4 * 4 * 2 * width)
        layers: list[nn.Module] = []
        inside = 2 * width
        for outside in (2 * width, width, width // 2, width // 4):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inside, outside, 3, 1, 1, bias=False)]
            layers += [nn.BatchNorm2d(outside), nn.ReLU()]
            inside = outside
        self.layers = nn.Sequential(*layers, nn.Conv2d(inside, 3, 3, 1, 1))

    def forward(self, z: Tensor) -> Tensor:
        """Latent vectors to pictures."""
        out: Tensor = torch.tanh(self.layers(F.relu(self.start(z)).reshape(len(z), 2 * self.width, 4, 4)))
        return out


class Autoencoder(nn.Module):
    """A narrow `Trunk` to 128 numbers and a `Decoder` back: ``(n, 3, 64, 64)`` to the same."""

    def __init__(self, latent: int = 128) -> None:
        super().__init__()
        self.encoder = Trunk(64, latent, NARROW)
        self.decoder = Decoder(latent)

    def forward(self, x: Tensor) -> Tensor:
        """Faces through their latent vectors."""
        out: Tensor = self.decoder(self.encoder(x))
        return out
