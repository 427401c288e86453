"""Embedders: aligned chips become vectors whose dot product is the comparison score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import WeightsError
from .cards import Card
from .chips import check_chips
from .detectors import prepare
from .engines import Engine


class Embedder:
    """A recogniser.

    Args:
        card: its card.
        engine: runs it.
        network: the torch module in float32, for methods that need gradients; None for ONNX files.
        weights_digest: identifies the weights.
    """

    def __init__(self, card: Card, engine: Engine, network: Any = None, weights_digest: str = "") -> None:
        self.card = card
        self.engine = engine
        self.provider = engine.provider
        self.weights_digest = weights_digest
        self._network = network

    @property
    def network(self) -> Any:
        """The torch module: ``float32 (n, 3, h, w)`` as `prepare` gives it, to raw embeddings ``(n, d)``.

        Raises:
            WeightsError: the model is an ONNX file, which has no gradients.
        """
        if self._network is None:
            raise WeightsError(
                f"{self.card.name} has no gradients",
                given="an ONNX model",
                expected="a model with a torch network",
                do="use a method that needs scores only (corr-rise, occlusion), or weights for torch",
            )
        return self._network

    @property
    def digest(self) -> str:
        """What makes embeddings comparable, as SHA-256: the weights and how a face is put into them."""
        card = self.card
        parts = [
            self.weights_digest,
            card.input_size,
            card.template,
            card.colour,
            card.mean,
            card.scale,
            card.dimension,
        ]
        return files.sha256_bytes(files.to_json(parts).encode())

    @property
    def mean_colour(self) -> NDArray[np.float32]:
        """Mid-grey in the network's scale, ``float32 (3,)``."""
        return prepare(np.full((1, 1, 1, 3), 128, np.uint8), self.card)[0, :, 0, 0]

    def prepare(self, crops: NDArray[np.uint8]) -> Any:
        """``uint8 (n, h, w, 3)`` chips as the network's input, a torch tensor ``(n, 3, h, w)``."""
        import torch

        return torch.from_numpy(prepare(check_chips(crops, self.card), self.card))

    def embed(self, crops: NDArray[np.uint8], *, batch: int = 64) -> NDArray[np.float32]:
        """Vectors of unit length.

        Args:
            crops: ``uint8 (n, h, w, 3)`` RGB, aligned to the card's template.
            batch: chips per run of the network.

        Returns:
            ``float32 (n, d)``.

        Raises:
            ShapeError: chips of another size.
            WeightsError: the network gave a zero or non-finite vector.
        """
        chips = check_chips(crops, self.card)
        parts = [self.engine(prepare(chips[i : i + batch], self.card)) for i in range(0, len(chips), batch)]
        if not parts:
            return np.zeros((0, self.card.dimension), np.float32)
        raw = np.concatenate(parts)
        if raw.shape != (len(chips), self.card.dimension):
            raise WeightsError(
                f"{self.card.name} gave embeddings of another shape",
                given=raw.shape,
                expected=(len(chips), self.card.dimension),
                do="correct the card's dimension",
            )
        length = np.linalg.norm(raw, axis=1, keepdims=True)
        if not np.all(np.isfinite(length)) or np.any(length == 0):
            raise WeightsError(f"{self.card.name} gave a zero or non-finite embedding", do="check its weights")
        return np.asarray(raw / length, dtype=np.float32)
