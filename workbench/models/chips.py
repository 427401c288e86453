"""Models that look at aligned chips and say numbers, or faces: those that were trained on phantoms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError
from .cards import Card
from .detectors import prepare
from .engines import Engine


class ChipReader:
    """Reads named numbers off chips.

    Args:
        card: its card.
        engine: runs it.
        columns: what each output is.
        network: the torch module in float32, for gradients.
        weights_digest: identifies the weights.
    """

    def __init__(self, card: Card, engine: Engine, columns: Sequence[str], network: Any, weights_digest: str) -> None:
        self.card = card
        self.engine = engine
        self.provider = engine.provider
        self.columns = tuple(columns)
        self.network = network
        self.weights_digest = weights_digest

    def predict(self, chips: NDArray[np.uint8], *, batch: int = 64) -> dict[str, NDArray[np.float32]]:
        """Each column for every chip, ``float32 (n,)``; the card says in what units.

        Args:
            chips: ``uint8 (n, h, w, 3)`` RGB, aligned to the card's template.
            batch: chips per run of the network.

        Raises:
            ShapeError: chips of another size.
        """
        parts = [
            self.engine(prepare(chips[i : i + batch], self.card))
            for i in range(0, len(check_chips(chips, self.card)), batch)
        ]
        raw = np.concatenate(parts) if parts else np.zeros((0, len(self.columns)), np.float32)
        return {name: raw[:, i] for i, name in enumerate(self.columns)}


class FaceCodec:
    """Faces to latent vectors and back.

    Args:
        card: its card.
        network: with ``encoder`` and ``decoder``.
        device: where it runs.
        weights_digest: identifies the weights.
    """

    def __init__(self, card: Card, network: Any, device: str, weights_digest: str) -> None:
        self.card = card
        self.network = network.to(device)
        self.device = device
        self.provider = f"torch float32 on {device}"
        self.weights_digest = weights_digest

    def encode(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``uint8 (n, h, w, 3)`` to latent vectors ``float32 (n, d)``."""
        import torch

        x = torch.from_numpy(prepare(check_chips(chips, self.card), self.card)).to(self.device)
        with torch.inference_mode():
            return np.asarray(self.network.encoder(x).cpu().numpy(), np.float32)

    def decode(self, latent: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Latent vectors ``(n, d)`` to ``uint8 (n, h, w, 3)``."""
        import torch

        if latent.ndim != 2 or latent.shape[1] != self.card.dimension:
            raise ShapeError("latent vectors do not fit", given=latent.shape, expected=f"(n, {self.card.dimension})")
        with torch.inference_mode():
            shown = self.network.decoder(torch.from_numpy(np.asarray(latent, np.float32)).to(self.device))
        pictures = (shown.cpu().numpy().transpose(0, 2, 3, 1) + 1) * 127.5
        rounded: NDArray[np.uint8] = np.rint(np.clip(pictures, 0, 255)).astype(np.uint8)
        return rounded


def check_chips(chips: NDArray[np.uint8], card: Card) -> NDArray[np.uint8]:
    """Refuse chips of another size or type than the card's."""
    expected = (*card.input_size, 3)
    if chips.ndim != 4 or chips.shape[1:] != expected or chips.dtype != np.uint8:
        raise ShapeError(
            f"{card.name} takes other chips",
            given=f"{chips.dtype} {chips.shape}",
            expected=f"uint8 (n, {expected[0]}, {expected[1]}, 3)",
            do="cut them with workbench.models.align to the card's template",
        )
    return chips
