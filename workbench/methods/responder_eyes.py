"""Eyes for the responder: the workbench's own networks.

face-api finds faces, places landmarks, embeds, and reads age, gender and expression. Attacks are told face by face
by MiniFASNet where the user has its weights; else by the detector that has seen phantoms only and looks at whole
pictures, so that every face of one has the same score. ``mouth open`` is read off the landmarks and ``smiling`` off
the expression.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import models
from ..core import ParameterError, ShapeError
from ..files import sha256_bytes
from ..probing.responder import Face

if TYPE_CHECKING:
    from ..models.detectors import Faces

# The inner lips are apart by more than this share of their width.
MOUTH_OPEN = 0.25
# From this ratio of its sides on, a picture may be two portraits beside each other.
WIDE = 1.5
_INNER_LIPS = ((61, 67), (62, 66), (63, 65))
_CORNERS = (60, 64)


@dataclass(frozen=True)
class _Networks:
    pipeline: Any
    people: Any
    expression: Any
    attacks: models.AttackDetector


class ModelEyes:
    """Sees faces with real networks, loaded at the first look; one look at a time.

    Args:
        device: see `models.load`.
        model: the embedder.
        threshold: smallest cosine that counts as the same person; None takes the card's, at FMR 1e-2.
        attacks: the attack detector, see `models.attack_detector`.
        remembered: pictures whose faces are kept, by digest of their pixels.

    Raises:
        ParameterError: the card has no threshold and none was given.
    """

    def __init__(
        self, *, device: str = "auto", model: str = "faceapi-recogniser", threshold: float | None = None,
        attacks: str = "auto", remembered: int = 4096,
    ) -> None:  # fmt: skip
        known = models.card(model).operating_points
        if threshold is None and 1e-2 not in known:
            raise ParameterError(f"{model} has no threshold for FMR 0.01", do="give a threshold")
        self.match_threshold = known[1e-2][0] if threshold is None else threshold
        self._device, self._model, self._attacks, self._most = device, model, attacks, remembered
        self._lock = threading.Lock()
        self._networks: _Networks | None = None
        self._kept: OrderedDict[str, list[Face]] = OrderedDict()

    def look(self, pictures: Sequence[NDArray[np.uint8]], /) -> list[list[Face]]:
        """The faces in each picture, best first.

        Raises:
            WeightsError, DigestError: weights are absent or damaged; the message says which.
        """
        names = [sha256_bytes(repr(p.shape).encode() + p.tobytes()) for p in pictures]
        with self._lock:
            new = {name: p for name, p in zip(names, pictures, strict=True) if name not in self._kept}
            seen = dict(zip(new, self._see(list(new.values())), strict=True)) if new else {}
            found = [seen[name] if name in seen else self._kept[name] for name in names]
            for name, faces in zip(names, found, strict=True):
                self._kept[name] = faces
                self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found

    def _load(self) -> _Networks:
        if self._networks is None:
            self._networks = _Networks(
                models.default_pipeline(model=self._model, device=self._device),
                models.load("faceapi-age-gender", device=self._device),
                models.load("faceapi-expression", device=self._device),
                models.attack_detector(self._attacks, device=self._device),
            )
        return self._networks

    def _see(self, pictures: list[NDArray[np.uint8]]) -> list[list[Face]]:
        networks = self._load()
        detected = detect(networks.pipeline.detector, pictures)
        of = [i for i, faces in enumerate(detected) for _ in range(len(faces))]
        found: list[list[Face]] = [[] for _ in pictures]
        if not of:
            return found
        boxes = np.concatenate([faces.boxes for faces in detected]).astype(np.float32)
        whole = [pictures[i] for i in of]
        points = networks.pipeline.landmarker.landmarks(whole, boxes)
        embeddings = self._embed(networks.pipeline.embedder, whole, models.five_points(points))
        people = networks.people.predict(whole, boxes)
        shares = networks.expression.predict(whole, boxes)
        attacks = networks.attacks.scores(whole, boxes)
        for n, i in enumerate(of):
            expression = dict(zip(models.EXPRESSIONS, map(float, shares[n]), strict=True))
            found[i].append(Face(
                tuple(map(float, boxes[n])), embeddings[n], float(people.age[n]), float(people.male[n]), expression,  # type: ignore[arg-type]
                float(attacks[n]), {"mouth open": mouth_open(points[n]), "smiling": expression["happy"] >= 0.5},
            ))  # fmt: skip
        return found

    def _embed(
        self, embedder: Any, pictures: list[NDArray[np.uint8]], points: NDArray[np.float32]
    ) -> list[NDArray[np.float32] | None]:
        """One embedding per face, None where the landmarks are not those of an upright face."""
        card = embedder.card
        chips: dict[int, NDArray[np.uint8]] = {}
        for n, picture in enumerate(pictures):
            try:
                chips[n] = models.align([picture], points[n : n + 1], card.template, card.input_size)[0]
            except ShapeError:
                continue
        made = dict(zip(chips, embedder.embed(np.stack(list(chips.values()))), strict=True)) if chips else {}
        return [made.get(n) for n in range(len(pictures))]


def detect(detector: Any, pictures: list[NDArray[np.uint8]]) -> list[Faces]:
    """Faces in each picture; two portraits side by side are looked at once more with a border around them.

    A face that fills half of a picture is often missed: anchors were trained on smaller ones.
    """
    found: list[Faces] = detector.detect(pictures)
    again = [i for i, p in enumerate(pictures) if len(found[i]) < 2 and max(p.shape[:2]) >= WIDE * min(p.shape[:2])]
    if not again:
        return found
    edges = [min(pictures[i].shape[:2]) // 2 for i in again]
    framed = [cv2.copyMakeBorder(pictures[i], e, e, e, e, cv2.BORDER_CONSTANT, value=(128,) * 3)
              for i, e in zip(again, edges, strict=True)]  # fmt: skip
    for i, edge, faces in zip(again, edges, detector.detect(framed), strict=True):
        limit = np.tile(pictures[i].shape[1::-1], 2)
        boxes = np.clip(faces.boxes - edge, 0, limit).astype(np.float32)
        whole = np.all(boxes[:, 2:] - boxes[:, :2] >= 1, axis=1)
        if whole.sum() > len(found[i]):
            found[i] = models.Faces(boxes[whole], faces.scores[whole])
    return found


def mouth_open(points: NDArray[np.float32]) -> bool:
    """Whether the inner lips of 68 landmarks ``(68, 2)`` are apart by more than `MOUTH_OPEN` of their width."""
    gap = np.mean([np.linalg.norm(points[a] - points[b]) for a, b in _INNER_LIPS])
    width = float(np.linalg.norm(points[_CORNERS[0]] - points[_CORNERS[1]]))
    return bool(gap > MOUTH_OPEN * width)
