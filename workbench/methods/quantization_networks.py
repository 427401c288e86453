"""The recognisers that are quantised: a small one with PReLU, and the user's iResNet or MobileFaceNet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import models
from ..core import DataError, UnknownNameError
from ..models.networks.iresnet import of_state
from ..models.networks.mobilefacenet import MobileFaceNet, load_state
from . import small_recogniser as small

SIZE, DIMENSION = 32, small.DIMENSION
# Channels of the two stages; half of them make the smaller network.
WIDTHS = (16, 32)
GIVEN = ("iresnet", "mobilefacenet")


class Residual(nn.Module):
    """Two convolutions with a PReLU between them, and the way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.act = nn.PReLU(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, width, h, w)`` to the same."""
        out: Tensor = x + self.second_norm(self.second(self.act(self.first_norm(self.first(x)))))
        return out


class SmallNetwork(nn.Module):
    """``(n, 3, 32, 32)`` in [-1, 1] to ``(n, 64)``, not normalised: two strided convolutions, each with a block."""

    def __init__(self, widths: tuple[int, int] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 3
        for width in widths:
            layers += [nn.Conv2d(inside, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)]
            layers.append(Residual(width))
            inside = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(inside * (SIZE // 4) ** 2, DIMENSION)

    def forward(self, x: Tensor) -> Tensor:
        """Prepared chips to raw embeddings."""
        out: Tensor = self.head(self.features(x).flatten(1))
        return out


@dataclass(frozen=True)
class Recogniser:
    """A network in full precision as arrays.

    Attributes:
        kind: ``"small"``, ``"iresnet"`` or ``"mobilefacenet"``.
        state: its tensors by name.
        mean, scale: pixels from 0 to 255 become ``(pixel - mean) * scale``.
        losses: mean training loss of each epoch; none where it was given.
        digest: of the weights that were given.
    """

    kind: str
    state: Mapping[str, NDArray[np.generic]]
    mean: float
    scale: float
    losses: tuple[float, ...] = ()
    digest: str = ""

    def network(self) -> nn.Module:
        """The network, in eval mode and frozen."""
        network: nn.Module
        if self.kind == "small":
            widths = [len(self.state[f"features.{i}.weight"]) for i in (0, 4)]
            network = SmallNetwork((widths[0], widths[1]))
        elif self.kind == "iresnet":
            network = of_state(self.state, self.kind)
        else:
            network = MobileFaceNet()
        load_state(network, self.state, self.kind)
        return network.eval().requires_grad_(False)

    def prepare(self, images: NDArray[np.uint8]) -> Tensor:
        """Chips ``uint8 (n, h, w, 3)`` as the network's input ``float32 (n, 3, h, w)``."""
        x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float()
        return (x - self.mean) * self.scale


def trained(
    images: NDArray[np.uint8], labels: NDArray[np.int64], *, widths: tuple[int, int], epochs: int, seed: int
) -> Recogniser:
    """The small network, trained with ArcFace loss.

    Args:
        images: ``uint8 (n, 32, 32, 3)``.
        labels: ``(n,)`` from 0.
        widths: channels of the stages.
        epochs: passes over the data.
        seed: of initialisation and order.
    """
    network = SmallNetwork(widths)
    losses = small.fit(network, f"quantization-{widths[0]}", images, labels, epochs=epochs, batch=96, seed=seed)
    return Recogniser("small", small.arrays(network), 127.5, 1 / 127.5, losses)


def given(spec: str) -> Recogniser:
    """The user's own network.

    Args:
        spec: ``"iresnet:PATH"`` or ``"mobilefacenet:PATH"``, a state dictionary.

    Raises:
        UnknownNameError: another model.
        WeightsError: the file does not fit the network.
    """
    name, _ = models.split(spec)
    if name not in GIVEN:
        raise UnknownNameError("network that can be quantised", name, GIVEN, do="give a state dictionary of one")
    loaded = models.load(spec, backend="torch", device="cpu")
    card = loaded.card
    return Recogniser(
        name, small.arrays(loaded.network), card.mean[0], card.scale[0], digest=loaded.weights_digest
    )  # fmt: skip


def fitting(images: NDArray[np.uint8], kind: str) -> NDArray[np.uint8]:
    """Chips of ArcFace's template as a network takes them: MobileFaceNet's template is the same, 8 pixels narrower.

    Args:
        images: ``uint8 (n, 112, 112, 3)``.
        kind: of `Recogniser`.

    Raises:
        DataError: pictures of another size, which are no such chips.
    """
    if images.shape[1:] != (112, 112, 3):
        raise DataError(
            "pictures are not aligned chips", given=f"{images.shape[1]} x {images.shape[2]}", expected="112 x 112",
            do="align them to ArcFace's template first, as InsightFace's training folders and .bin files are",
        )  # fmt: skip
    return images[:, :, 8:104] if kind == "mobilefacenet" else images
