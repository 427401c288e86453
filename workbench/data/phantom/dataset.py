"""Phantom faces as a data set like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ...core import ParameterError, Samples, Trials
from ...files import sha256_bytes
from ..protocols import balanced, every_pair
from .cache import Arrays, found_or_drawn
from .picture import render
from .population import VARY, scenes
from .scene import Scene

LICENCE = "BSD-3-Clause; nobody is shown"
# Eyes, nose and mouth corners in a chip of side 1: most of the head is kept, as small recognisers like it.
CHIP = np.array([[0.34, 0.40], [0.66, 0.40], [0.50, 0.60], [0.37, 0.74], [0.63, 0.74]])
Crop = Literal["portrait", "aligned"]


def faces(
    subjects: int = 80,
    images: int = 16,
    *,
    size: int = 112,
    seed: int = 0,
    vary: Sequence[str] = VARY,
    subset: str = "train",
    crop: Crop = "portrait",
    device: str = "cpu",
    cache: str | Path = "",
) -> Samples:
    """Pictures of people who do not exist, with their truth as attributes.

    Args:
        subjects: how many people, named after their subset.
        images: pictures of each.
        size: side in pixels.
        seed: of people and pictures; nothing else is random.
        vary: groups of factors that are drawn.
        subset: ``"train"``, ``"validation"`` or ``"test"``, disjoint in people.
        crop: ``"portrait"`` shows the whole head; ``"aligned"`` is a chip placed by the true landmarks.
        device: where they are rendered.
        cache: folder in which the same pictures are found again the next time.
    """
    scene, names = scenes(subjects, images, seed=seed, vary=vary, subset=subset)

    def draw() -> Arrays:
        if crop == "aligned":
            cut, marks = chips(scene, size, device=device)
            return {"pictures": cut, "landmarks5": marks}
        shown = render(scene, size, device=device, truth=("landmarks5",))
        return {"pictures": shown.rgb, "landmarks5": np.asarray(shown.landmarks5)}

    asked = {"subjects": subjects, "images": images, "size": size, "seed": seed, "vary": list(vary), "subset": subset,
             "crop": crop, "device": device.partition(":")[0]}  # fmt: skip
    found = found_or_drawn(cache, asked, draw)
    pictures, five = found["pictures"], found["landmarks5"]
    attributes = {
        **{name: scene.factors[name] for name in ("yaw", "pitch", "age", "gender", "melanin")},
        "landmarks5": five,
    }
    return Samples(
        f"phantom/{subset}",
        tuple(names),
        np.array(scene.identity.names),
        pictures,
        attributes,
        LICENCE,
        False,
        sha256_bytes(pictures.tobytes()),
    )


def chips(
    scene: Scene, size: int, *, device: str = "cpu", margin: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Aligned chips of scenes, rendered at about twice their resolution.

    Args:
        scene: what is shown.
        size: side of a chip.
        device: where it is rendered.
        margin: pixels around the usual crop, on each side.

    Returns:
        ``uint8 (n, size, size, 3)`` and the five landmarks in them, ``float32 (n, 5, 2)``.
    """
    shown = render(scene, 2 * size, device=device, truth=("landmarks5",))
    five = shown.landmarks5 if shown.landmarks5 is not None else np.zeros((len(scene), 5, 2), np.float32)
    matrices = chip_matrices(five, size - 2 * margin)
    matrices[:, :, 2] += margin
    cut = [
        cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        for image, matrix in zip(shown.rgb, matrices, strict=True)
    ]
    placed = np.einsum("nij,nkj->nki", matrices[:, :, :2], five) + matrices[:, None, :, 2]
    return np.stack(cut), placed.astype(np.float32)


def chip_matrices(five: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """Similarity transforms ``(n, 2, 3)`` of true landmarks to `CHIP`, by complex least squares."""
    p, q = five.astype(np.float64) @ (1, 1j), (CHIP * size) @ (1, 1j)
    centred = p - p.mean(1, keepdims=True)
    a = (np.conj(centred) * (q - q.mean())).sum(1) / (np.abs(centred) ** 2).sum(1)
    t = q.mean() - a * p.mean(1)
    return np.stack([np.stack([a.real, -a.imag, t.real], 1), np.stack([a.imag, a.real, t.imag], 1)], 1)


@dataclass(frozen=True)
class PhantomDataset:
    """Phantom faces behind the interface of real data sets."""

    subjects: int = 20
    images: int = 8
    size: int = 160
    seed: int = 0
    subset: str = "test"
    cache: str = ""
    name: str = "phantom"
    licence: str = LICENCE
    real: bool = False
    protocols: tuple[str, ...] = ("verification", "all-pairs")

    @cached_property
    def _faces(self) -> Samples:
        return faces(self.subjects, self.images, size=self.size, seed=self.seed, subset=self.subset, cache=self.cache)

    @property
    def digest(self) -> str:
        """Of the pictures."""
        return self._faces.digest

    def samples(self, protocol: str = "") -> Samples:
        """All pictures."""
        self._check(protocol)
        return self._faces

    def trials(self, protocol: str = "") -> Trials:
        """As many mated as non-mated trials, drawn by a named seed; or every two pictures."""
        self._check(protocol)
        if protocol == "all-pairs":
            return every_pair(self._faces.subjects, "phantom/all-pairs")
        return balanced(self._faces.subjects, "phantom", self.seed)

    def _check(self, protocol: str) -> None:
        if protocol and protocol not in self.protocols:
            raise ParameterError(
                f"phantom has no protocol {protocol!r}", given=protocol, expected=", ".join(self.protocols)
            )
