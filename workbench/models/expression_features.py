"""Features of expression networks of HSEmotion's kind, on faces cut as the standard's implementation cuts them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..core import WeightsError
from .alignment import check_points, similarity, warp
from .cards import Card
from .chips import check_chips
from .detectors import prepare
from .engines import OnnxEngine

# BSI-OFIQ/OFIQ-Project: where five landmarks are brought in a picture of 616 px, and the part of it that is used.
OFIQ_616 = ((251.0, 272.0), (364.0, 272.0), (308.0, 336.0), (262.0, 402.0), (355.0, 402.0))
LEFT, TOP, WIDTH, HEIGHT = 144, 148, 328, 340
# Shorter outputs are classes: HSEmotion's networks know seven or eight, two more where they say valence and arousal.
LEAST = 16
_DO = (
    "export it again without its last layer: model.classifier = torch.nn.Identity(), then "
    "torch.onnx.export(model, torch.zeros(1, 3, 224, 224), ...) with a dynamic axis 0; 260 for enet_b2"
)


class ExpressionFeatures:
    """The vector before the last layer of an expression network.

    Args:
        card: its card; the input is square.
        engine: runs it.
        weights_digest: identifies the weights.
        batch: faces per run of the network.
    """

    def __init__(self, card: Card, engine: OnnxEngine, weights_digest: str, *, batch: int = 32) -> None:
        self.card = card
        self.engine = engine
        self.provider = engine.provider
        self.weights_digest = weights_digest
        self.batch = batch

    def cut(self, pictures: Sequence[NDArray[np.uint8]], points: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Faces as the network wants them, ``uint8 (n, h, w, 3)``.

        OFIQ's robust fit of the five landmarks is a plain least-squares one here, and its two interpolations are one.

        Args:
            pictures: ``uint8 (h, w, 3)``, one per face.
            points: ``(n, 5, 2)`` pixels, the subject's right eye first.

        Raises:
            ShapeError: landmarks that are swapped, mirrored or not finite.
        """
        height, width = self.card.input_size
        chips = np.empty((len(pictures), height, width, 3), np.uint8)
        found = np.asarray(points, np.float64).reshape(-1, 5, 2)
        check_points(found)
        for i, matrix in enumerate(crop_matrices(found, height, width)):
            chips[i] = warp(pictures[i], matrix, (height, width))
        return chips

    def features(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``uint8 (n, h, w, 3)`` chips as `cut` gives them to ``float32 (n, d)``.

        Raises:
            ShapeError: chips of another size.
            WeightsError: the network gave something that is not finite.
        """
        whole = check_chips(chips, self.card)
        parts = [self.engine(prepare(whole[i : i + self.batch], self.card)) for i in range(0, len(whole), self.batch)]
        found = np.concatenate(parts) if parts else np.zeros((0, self.card.dimension), np.float32)
        if not np.all(np.isfinite(found)):
            raise WeightsError(f"{self.card.name} gave features that are not finite", do="check its weights")
        return found


def crop_matrices(points: NDArray[np.floating], height: int, width: int) -> NDArray[np.float64]:
    """Affine maps ``(n, 2, 3)`` from pictures to OFIQ's crop, stretched to ``height`` and ``width``.

    Args:
        points: ``(n, 5, 2)`` pixels.
        height: of the chip.
        width: of the chip.
    """
    matrices = similarity(points, OFIQ_616)
    scale = np.array([width / WIDTH, height / HEIGHT])
    # Pixel centres, not corners, keep their places.
    matrices[:, :, 2] = matrices[:, :, 2] - (LEFT, TOP) + 0.5
    matrices *= scale[:, None]
    matrices[:, :, 2] -= 0.5
    return matrices


def read_shapes(engine: OnnxEngine, name: str) -> tuple[int, int, int]:
    """Side of the input, faces per run (1, or 0: any number) and length of the features of an ONNX file.

    Args:
        engine: its session.
        name: of the file, for messages.

    Raises:
        WeightsError: the input is no square RGB picture of a fixed size, or the output is no vector of features.
    """
    shape = engine.session.get_inputs()[0].shape
    fixed = [s if isinstance(s, int) else 0 for s in shape]
    if len(fixed) != 4 or fixed[0] > 1 or fixed[1] != 3 or not 0 < fixed[2] == fixed[3]:
        raise WeightsError(
            f"{name} takes no square picture of a fixed size", given=f"input {shape}",
            expected="(n, 3, 224, 224) of enet_b0 or (n, 3, 260, 260) of enet_b2: the size is read from the file",
            do="export it again with a dynamic axis 0, height and width fixed",
        )  # fmt: skip
    out = engine(np.zeros((max(1, fixed[0]), *fixed[1:]), np.float32)).shape
    if len(out) == 2 and out[1] < LEAST:
        wanted = "the vector before the last layer: 1280 numbers of enet_b0, 1408 of enet_b2"
        raise WeightsError(
            f"{name} ends in classes, not in features", given=f"{out[1]} numbers a face", expected=wanted, do=_DO
        )
    if len(out) != 2:
        raise WeightsError(f"{name} gives no vector a face", given=f"output {out}", expected="(n, d)", do=_DO)
    return fixed[2], fixed[0], out[1]
