"""From pictures to embeddings: decode, detect, place landmarks, align, embed; batched, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core import ImageError, Images, ParameterError, ShapeError
from ..core.samples import Picked
from ..files import ImageFiles, read_images
from .alignment import align, five_points
from .cards import Card
from .detectors import Faces
from .embedders import Embedder
from .faces import Landmarker

Choose = Literal["largest", "central"]
CHOICES: tuple[Choose, ...] = ("largest", "central")


class DetectsFaces(Protocol):
    """What a pipeline needs of a detector."""

    provider: str

    def detect(self, images: Sequence[NDArray[np.uint8]], /) -> list[Faces]:
        """Faces in each picture, best first."""


@dataclass(frozen=True)
class Embeddings:
    """What became of each picture.

    Attributes:
        values: ``float32 (n, d)``, unit length; zero where nothing was acquired.
        acquired: ``bool (n,)``; False is a failure to acquire.
        reasons: why not, "" where acquired.
    """

    values: NDArray[np.float32]
    acquired: NDArray[np.bool_]
    reasons: tuple[str, ...]

    @property
    def failures(self) -> int:
        """How many pictures failed to acquire."""
        return int(np.sum(~self.acquired))

    def compare(self, reference: NDArray[np.int64], probe: NDArray[np.int64]) -> NDArray[np.float64]:
        """Cosine similarity of pairs, NaN where a side was not acquired.

        Args:
            reference: ``(n,)`` indices.
            probe: ``(n,)`` indices.
        """
        sides = self.values[reference].astype(np.float64) * self.values[probe]
        scores: NDArray[np.float64] = sides.sum(axis=1)
        scores[~(self.acquired[reference] & self.acquired[probe])] = np.nan
        return scores


@dataclass(frozen=True)
class Located:
    """Aligned chips of one batch.

    Attributes:
        chips: ``uint8 (k, h, w, 3)`` of the pictures in which a face was found.
        places: ``(k,)`` indices of those pictures in the batch.
        reasons: one per picture of the batch, "" where a face was found.
        boxes: ``float32 (k, 4)`` pixels.
        points: ``float32 (k, 5, 2)`` pixels.
    """

    chips: NDArray[np.uint8]
    places: NDArray[np.int64]
    reasons: tuple[str, ...]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]


class Pipeline:
    """Detector, landmarks, alignment and embedder as one.

    Args:
        detector: finds faces; its own landmarks are used where it gives five.
        landmarker: places 68 landmarks otherwise.
        embedder: the recogniser; its card says how a chip is cut.
        choose: which of several faces counts: the ``"largest"`` box, or the most ``"central"`` one.
    """

    def __init__(
        self,
        detector: DetectsFaces,
        landmarker: Landmarker,
        embedder: Embedder,
        *,
        choose: Choose = "largest",
    ) -> None:
        if choose not in CHOICES:
            raise ParameterError("choose names no rule", given=choose, expected=" or ".join(CHOICES))
        if embedder.card.template is None:
            raise ParameterError(f"{embedder.card.name} has no crop template", do="complete its card")
        self.detector = detector
        self.landmarker = landmarker
        self.embedder = embedder
        self.choose = choose

    def describe(self) -> dict[str, object]:
        """What really ran, for a result's environment."""
        return {
            "model": self.embedder.card.name,
            "provider": self.embedder.provider,
            "detector provider": self.detector.provider,
            "weights": self.embedder.weights_digest,
            "several faces": self.choose,
        }

    def locate(self, images: Sequence[NDArray[np.uint8] | ImageError]) -> Located:
        """Find and align one face in each picture."""
        reasons = [str(i.what) if isinstance(i, ImageError) else "" for i in images]
        whole = [(n, i) for n, i in enumerate(images) if not isinstance(i, ImageError)]
        faces = self.detector.detect([i for _, i in whole])
        kept: list[tuple[int, NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32] | None]] = []
        for (n, image), found in zip(whole, faces, strict=True):
            if len(found):
                best = pick(found, image.shape[:2], self.choose)
                kept.append((n, image, found.boxes[best], None if found.landmarks is None else found.landmarks[best]))
            else:
                reasons[n] = "no face found"
        pictures = [k[1] for k in kept]
        boxes = np.array([k[2] for k in kept], np.float32).reshape(-1, 4)
        if kept and all(k[3] is not None for k in kept):
            points = np.stack([k[3] for k in kept if k[3] is not None])
        else:
            points = five_points(self.landmarker.landmarks(pictures, boxes))
        return aligned(self.embedder.card, pictures, [k[0] for k in kept], boxes, points, reasons)

    def cut(self, images: Images, *, batch: int = 32) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Aligned chips of all pictures.

        Args:
            images: the pictures.
            batch: pictures held in memory at a time.

        Returns:
            Where each picture's chip lies among the chips ``(n,)``, -1 for a failure to acquire, and the chips
            ``uint8 (k, h, w, 3)``.
        """
        place = np.full(len(images), -1)
        chips = [np.zeros((0, *self.embedder.card.input_size, 3), np.uint8)]
        for start, part in batches(images, batch):
            found = self.locate(part)
            place[start + found.places] = sum(map(len, chips)) + np.arange(len(found.places))
            chips.append(found.chips)
        return place, np.concatenate(chips)

    def embed(
        self, images: Images, *, batch: int = 32, progress: Callable[[int, int], None] | None = None
    ) -> Embeddings:
        """An embedding for every picture, in order.

        Args:
            images: the pictures; files are decoded in threads, a batch ahead.
            batch: pictures held in memory at a time.
            progress: called with how many are done and how many there are.
        """
        values = np.zeros((len(images), self.embedder.card.dimension), np.float32)
        acquired = np.zeros(len(images), np.bool_)
        reasons: list[str] = []
        for start, part in batches(images, batch):
            located = self.locate(part)
            index = start + located.places
            values[index] = self.embedder.embed(located.chips)
            acquired[index] = True
            reasons += located.reasons
            if progress:
                progress(start + len(part), len(images))
        return Embeddings(values, acquired, tuple(reasons))


def aligned(
    card: Card, pictures: Sequence[NDArray[np.uint8]], places: Sequence[int], boxes: NDArray[np.float32],
    points: NDArray[np.float32], reasons: Sequence[str],
) -> Located:  # fmt: skip
    """Cut located faces as a card says; where landmarks are no face's, the reason is said instead.

    Args:
        card: of the embedder.
        pictures: ``k`` pictures with a face, ``uint8 (h, w, 3)``.
        places: index in the batch of each.
        boxes: ``float32 (k, 4)`` pixels.
        points: ``float32 (k, 5, 2)`` pixels.
        reasons: of the whole batch, "" where a face was found.
    """
    chips: list[NDArray[np.uint8]] = []
    good: list[int] = []
    said = list(reasons)
    for i, picture in enumerate(pictures):
        try:
            chips.append(align([picture], points[i : i + 1], card.template or (), card.input_size)[0])
            good.append(i)
        except ShapeError:
            said[places[i]] = "landmarks are not those of an upright face"
    return Located(
        np.stack(chips) if chips else np.zeros((0, *card.input_size, 3), np.uint8),
        np.array(places, np.int64)[good],
        tuple(said),
        boxes[good],
        points[good],
    )


def pick(faces: Faces, shape: tuple[int, int], rule: Choose) -> int:
    """Index of the face that counts, in a picture of ``shape`` (height, width)."""
    low, high = faces.boxes[:, :2], faces.boxes[:, 2:]
    if rule == "largest":
        return int(np.argmax(np.prod(high - low, axis=1)))
    centre = np.array(shape[::-1]) / 2
    return int(np.argmin(np.linalg.norm((low + high) / 2 - centre, axis=1)))


def batches(images: Images, size: int) -> Iterator[tuple[int, list[NDArray[np.uint8] | ImageError]]]:
    """Pictures in groups, each with the index of its first; what cannot be read is its own error."""
    part: list[NDArray[np.uint8] | ImageError] = []
    start = 0
    for image in _each(images, size):
        part.append(image)
        if len(part) == size:
            yield start, part
            start, part = start + size, []
    if part:
        yield start, part


def _each(images: Images, ahead: int) -> Iterator[NDArray[np.uint8] | ImageError]:
    paths = _paths(images)
    if paths is not None:
        yield from read_images(paths, ahead=2 * ahead)
        return
    for i in range(len(images)):
        try:
            yield images[i]
        except ImageError as error:
            yield error


def _paths(images: Images) -> list[Path] | None:
    if isinstance(images, ImageFiles):
        return [images.path(i) for i in range(len(images))]
    if isinstance(images, Picked):
        inner = _paths(images.images)
        return None if inner is None else [inner[int(i)] for i in images.indices]
    return None
