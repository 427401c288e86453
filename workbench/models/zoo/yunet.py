"""YuNet face detector (OpenCV Zoo) from the user's own ONNX file: boxes and five landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import files
from ...core import DeviceError, ParameterError
from ..cards import Backend, Card

CARD = Card(
    name="yunet",
    task="detection",
    input_size=(0, 0),
    crop="whole picture at its own size",
    colour="BGR",
    output="boxes, scores and five landmarks",
    licence="that of the user's weights (MIT for OpenCV Zoo's)",
    source="the user's file: yunet:PATH",
    notes="Runs in OpenCV on the CPU.",
)


class YuNet:
    """OpenCV's detector on checked bytes."""

    def __init__(self, data: bytes, card: Card, *, threshold: float = 0.6) -> None:
        import cv2

        self.card = card
        self.provider = f"OpenCV {cv2.__version__} on CPU"
        model, nothing = np.frombuffer(data, np.uint8), np.zeros(0, np.uint8)
        self._net = cv2.FaceDetectorYN.create("onnx", model, nothing, (320, 320), threshold)

    def detect(self, images: Sequence[NDArray[np.uint8]], *, threshold: float | None = None) -> list[Any]:
        """Faces in each ``uint8 (h, w, 3)`` picture, best first."""
        from ..detectors import Faces, check_images

        check_images(images)
        found = []
        for image in images:
            self._net.setInputSize(image.shape[1::-1])
            rows = self._net.detect(np.ascontiguousarray(image[..., ::-1]))[1]
            rows = np.zeros((0, 15), np.float32) if rows is None else rows[np.argsort(-rows[:, 14])]
            rows = rows[rows[:, 14] >= (threshold or 0)]
            boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
            boxes = np.clip(boxes, 0, np.tile(image.shape[1::-1], 2)).astype(np.float32)
            found.append(Faces(boxes, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2)))
        return found


def load(path: str = "", device: str = "auto", backend: Backend = "auto") -> YuNet:
    """The detector.

    Args:
        path: the ``.onnx`` file.
        device: ``"auto"`` or ``"cpu"``.
        backend: ignored beyond ``"auto"``: OpenCV runs it.
    """
    if not path:
        raise ParameterError("yunet needs a file", expected="yunet:PATH", do="name the file")
    if device not in ("auto", "cpu") or backend != "auto":
        raise DeviceError("yunet runs in OpenCV on the CPU", given=f"{device}, {backend}", expected="cpu, auto")
    data = files.read_onnx(path)
    card = replace(CARD, files={Path(path).name: files.sha256_bytes(data)})
    return YuNet(data, card)
