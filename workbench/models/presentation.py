"""Presentation attack detection behind one interface: attack scores of faces, whatever network says them.

``models.attack_detector("auto")`` takes MiniFASNet where its weights lie in ``$WORKBENCH_HOME/models``, else the
built-in ``phantom-attacks``, and its ``name`` says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..core import ParameterError, ShapeError, WeightsError
from ..files.home import home
from . import REGISTRY, Backend, Card, card, load, split
from .chips import ChipReader, check_chips
from .detectors import check_images, prepare
from .engines import Engine

Floats = NDArray[np.float64]


def enlarged(box: NDArray[np.floating], shape: tuple[int, int], factor: float) -> tuple[int, int, int, int]:
    """A face box enlarged about its centre and moved into its picture, as Silent-Face-Anti-Spoofing does it.

    Sides keep their ratio. Where the picture is too small, both grow less.

    Args:
        box: ``x1 y1 x2 y2`` pixels.
        shape: height and width of the picture.
        factor: of both sides.

    Returns:
        ``x1, y1, x2, y2``; the last column and row are not included.

    Raises:
        ShapeError: the box is empty, not finite or outside the picture.
    """
    limit = np.array(shape[::-1])
    sides = np.asarray(box, np.float64)
    finite = bool(np.all(np.isfinite(sides)))
    if not finite or np.any(sides[2:] <= np.maximum(sides[:2], 0)) or np.any(sides[:2] >= limit):
        raise ShapeError("a face box is empty or outside its picture", given=sides.tolist(), expected=f"within {shape}")
    start, extent = np.trunc(sides[:2]), np.trunc(sides[2:] - sides[:2] + 1)
    whole = extent * min(factor, *((limit - 1) / extent))
    low = start + extent / 2 - whole / 2
    high = low + whole
    high -= np.minimum(low, 0)
    low = np.maximum(low, 0)
    low -= np.maximum(high - (limit - 1), 0)
    high = np.minimum(high, limit - 1)
    (x1, y1), (x2, y2) = np.maximum(low, 0).astype(int).tolist(), high.astype(int).tolist()
    return x1, y1, x2 + 1, y2 + 1


def logistic(outputs: NDArray[np.float32]) -> Floats:
    """Logits ``(n, 1)`` of an attack as its probability ``(n,)``."""
    shares: Floats = 1 / (1 + np.exp(-np.clip(outputs[:, 0].astype(np.float64), -500, 500)))
    return shares


class AttackNetwork:
    """One network and the part of a picture that it looks at.

    Args:
        card: its card.
        engine: runs it.
        network: the torch module in float32.
        weights_digest: identifies the weights.
        attack: the network's outputs ``(n, ...)`` as attack scores ``(n,)`` in [0, 1].
        factor: the face box is enlarged by; None looks at the whole picture.
    """

    def __init__(
        self, card: Card, engine: Engine, network: object, weights_digest: str,
        *, attack: Callable[[NDArray[np.float32]], Floats], factor: float | None,
    ) -> None:  # fmt: skip
        self.card = card
        self.engine = engine
        self.provider = engine.provider
        self.network = network
        self.weights_digest = weights_digest
        self.attack = attack
        self.factor = factor

    def region(self, image: NDArray[np.uint8], box: NDArray[np.floating] | None) -> tuple[int, int, int, int]:
        """What is looked at, ``x1, y1, x2, y2`` pixels with the last column and row not included."""
        if self.factor is None:
            return 0, 0, image.shape[1], image.shape[0]
        if box is None:
            raise ShapeError(f"{self.card.name} needs a face box", do="find faces with a detector of models.load")
        return enlarged(box, image.shape[:2], self.factor)

    def crop(self, image: NDArray[np.uint8], box: NDArray[np.floating] | None) -> NDArray[np.uint8]:
        """The network's input as a picture, ``uint8 (h, w, 3)`` RGB."""
        x1, y1, x2, y2 = self.region(image, box)
        # MiniFASNet was trained on crops sampled without smoothing; smooth ones turn a decision on its own samples.
        how = cv2.INTER_AREA if self.factor is None else cv2.INTER_LINEAR
        cut: NDArray[np.uint8] = cv2.resize(image[y1:y2, x1:x2], self.card.input_size[::-1], interpolation=how)
        return cut

    def judge(self, crops: NDArray[np.uint8], *, batch: int = 64) -> Floats:
        """Attack scores ``float64 (n,)`` of inputs ``uint8 (n, h, w, 3)`` as `crop` gives them.

        Raises:
            ShapeError: crops of another size.
            WeightsError: a score is not finite.
        """
        check_chips(crops, self.card)
        starts = range(0, len(crops), batch)
        parts = [self.attack(self.engine(prepare(crops[i : i + batch], self.card))) for i in starts]
        scores: Floats = np.concatenate(parts) if parts else np.zeros(0)
        if not np.all(np.isfinite(scores)):
            raise WeightsError(f"{self.card.name} gave a score that is not finite", do="check its weights")
        return scores


class AttackDetector:
    """Attack scores of faces: one network's, or the mean of several.

    A score lies in [0, 1]; higher is more attack. A face is called an attack when its score is above `threshold`. For
    MiniFASNet one half is stricter than what was published, which takes the largest of three classes: there, a face
    may be bona fide with less than half the votes (2 of 310 pictures of LFW View 1 differ).

    Args:
        name: as it can be loaded again.
        card: its card.
        networks: one or more.
    """

    threshold = 0.5

    def __init__(self, name: str, card: Card, networks: Sequence[AttackNetwork]) -> None:
        self.name = name
        self.card = card
        self.networks = tuple(networks)
        self.provider = "; ".join(dict.fromkeys(n.provider for n in networks))

    @property
    def needs_boxes(self) -> bool:
        """Whether faces have to be found first; otherwise whole pictures are looked at."""
        return any(n.factor is not None for n in self.networks)

    @property
    def weights_digest(self) -> str:
        """Of all networks, joined by "+"."""
        return "+".join(n.weights_digest for n in self.networks)

    def describe(self) -> dict[str, object]:
        """What really ran, for a result's environment."""
        names = ", ".join(n.card.name for n in self.networks)
        return {"attack detector": names, "provider": self.provider, "weights": self.weights_digest,
                "threshold": self.threshold}  # fmt: skip

    def scores(
        self, images: Sequence[NDArray[np.uint8]], boxes: NDArray[np.floating] | None = None, *, batch: int = 64
    ) -> Floats:
        """Attack scores ``float64 (n,)`` of one face per picture.

        Args:
            images: ``n`` pictures ``uint8 (h, w, 3)`` RGB; a picture with two faces is given twice.
            boxes: ``(n, 4)``, ``x1 y1 x2 y2`` pixels; None only where `needs_boxes` is False.
            batch: faces per run of a network.

        Raises:
            ShapeError: pictures or boxes do not fit.
        """
        scores: Floats = self.by_network(images, boxes, batch=batch).mean(axis=0)
        return scores

    def by_network(
        self, images: Sequence[NDArray[np.uint8]], boxes: NDArray[np.floating] | None = None, *, batch: int = 64
    ) -> Floats:
        """Each network's own scores, ``float64 (networks, n)``; arguments as in `scores`."""
        check_images(images)
        if boxes is not None and np.shape(boxes) != (len(images), 4):
            raise ShapeError("one box per picture is needed", given=np.shape(boxes), expected=(len(images), 4))
        each = [None] * len(images) if boxes is None else list(boxes)
        found = np.zeros((len(self.networks), len(images)))
        for start in range(0, len(images), batch):
            pairs = list(zip(images[start : start + batch], each[start : start + batch], strict=True))
            for row, network in zip(found, self.networks, strict=True):
                crops = np.stack([network.crop(image, box) for image, box in pairs])
                row[start : start + batch] = network.judge(crops, batch=batch)
        return found

    def regions(self, image: NDArray[np.uint8], box: NDArray[np.floating] | None = None) -> NDArray[np.int64]:
        """What each network looks at, ``(networks, 4)``: ``x1 y1 x2 y2`` pixels, the last ones not included."""
        return np.array([n.region(image, box) for n in self.networks], np.int64)


def attack_detector(spec: str = "auto", *, device: str = "auto", backend: Backend = "auto") -> AttackDetector:
    """An attack detector by name.

    Args:
        spec: ``"phantom-attacks"``, ``"minifasnet-v2:FILE"``, ``"minifasnet-v1se:FILE"``, ``"minifasnet:FOLDER"``
            (both, fused), a plug-in's name, or ``"auto"``: see `configured`.
        device: see `models.load`.
        backend: see `models.load`.

    Raises:
        UnknownNameError: no such model.
        ParameterError: the model is for another task.
        WeightsError, DigestError: the weights are absent, damaged, hostile or made for another network.
    """
    spec = configured() if spec == "auto" else spec
    task = card(spec).task
    found = load(spec, device=device, backend=backend) if task == "attack-detection" else None
    if isinstance(found, ChipReader) and found.columns == ("attack",):
        found = AttackNetwork(
            found.card, found.engine, found.network, found.weights_digest, attack=logistic, factor=None
        )
    if isinstance(found, AttackNetwork):
        found = AttackDetector(spec, found.card, (found,))
    if not isinstance(found, AttackDetector):
        known = [n for n in REGISTRY.entries() if "/" not in n and card(n).task == "attack-detection"]
        raise ParameterError(f"{split(spec)[0]} does not detect attacks", given=task, expected=" or ".join(known))
    return found


def configured() -> str:
    """The detector that ``"auto"`` stands for.

    MiniFASNet's files in ``$WORKBENCH_HOME/models``, under their published names: both fused, or the one that is
    there. Without any, ``"phantom-attacks"``.
    """
    folder = home() / "models"
    found = {name: path for name in ("minifasnet-v2", "minifasnet-v1se") if (path := minifasnet_file(folder, name))}
    if len(found) == 2:
        return f"minifasnet:{folder}"
    return next((f"{name}:{path}" for name, path in found.items()), "phantom-attacks")


def minifasnet_file(folder: Path, name: str) -> Path | None:
    """The weights of ``"minifasnet-v2"`` or ``"minifasnet-v1se"`` in a folder, told by their published ending.

    Raises:
        WeightsError: several files end so.
    """
    ending = re.compile(f"(^|_){name.replace('-', '')}" + r"\.(pth|pt|ckpt|safetensors|npz)$", re.IGNORECASE)
    found = sorted(p for p in folder.iterdir() if ending.search(p.name)) if folder.is_dir() else []
    if len(found) > 1:
        raise WeightsError(
            f"{folder.name} holds several files for {name}", given=", ".join(p.name for p in found),
            expected="one", do=f"name the file: {name}:FILE",
        )  # fmt: skip
    return found[0] if found else None
