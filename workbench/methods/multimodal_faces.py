"""Presentations in colour, depth and infrared as a network with three streams takes them.

Phantom domains have their own depth noise, quantisation, infrared lamp, colours, light and instruments; holes in the
depth picture and ambient infrared are added here. Assumed, after arXiv 2302.05744: the infrared stream sees the
picture, its map of oriented gradients and its local gravitational force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core import ImageError, ParameterError, ShapeError, seeds
from ..data import phantom
from ..data.mmdg import Mmdg

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
# Millimetres behind the nearest point that a depth picture spans.
DEPTH_RANGE = 250.0
# Share of the depth picture without a measurement, and ambient infrared as a share of full scale.
FLAWS: Mapping[str, tuple[float, float]] = {
    "laboratory": (0.0, 0.0), "office": (0.03, 0.02), "street": (0.06, 0.12), "home": (0.08, 0.0),
}  # fmt: skip
CELL, ORIENTATIONS = 8, 9
_ARRAYS = ("rgb", "depth", "infrared", "attack", "species", "domain", "subjects")


@dataclass(frozen=True)
class Triples:
    """Presentations in three modalities.

    Attributes:
        rgb: ``uint8 (n, s, s, 3)``.
        depth: ``uint8 (n, s, s)``, near is bright, 0 where nothing was measured.
        infrared: ``uint8 (n, s, s)``.
        attack: ``bool (n,)``.
        species: ``str (n,)`` attack instrument species, ``""`` for bona fide presentations.
        domain: ``str (n,)``.
        subjects: ``str (n,)`` who stands before the camera; people of one domain are nobody of another.
        real: whether real people are shown.
    """

    rgb: Bytes
    depth: Bytes
    infrared: Bytes
    attack: Flags
    species: NDArray[np.str_]
    domain: NDArray[np.str_]
    subjects: NDArray[np.str_]
    real: bool = False

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in _ARRAYS}
        if len(set(lengths.values())) > 1:
            raise ShapeError("triples do not fit together", given=lengths, expected="equal lengths")

    def __len__(self) -> int:
        return len(self.rgb)

    def take(self, which: Flags | NDArray[np.int64]) -> Triples:
        """The triples at a mask or at indices."""
        return replace(self, **{name: getattr(self, name)[which] for name in _ARRAYS})


def joined(parts: Sequence[Triples]) -> Triples:
    """All of them, in order."""
    arrays = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _ARRAYS}
    return replace(parts[0], **arrays, real=any(p.real for p in parts))


def phantoms(domain: str, subset: str, people: int, images: int, *, size: int, seed: int) -> Triples:
    """Presentations of one phantom domain: every person live, and once with each instrument species there.

    Args:
        domain: one of `phantom.DOMAINS`.
        subset: ``"train"`` or ``"test"``; their people differ.
        people: how many.
        images: bona fide presentations of each.
        size: side of the pictures.
        seed: of all.
    """
    drawn = phantom.attack_detection(people, images, size=size, seed=seed, domains=(domain,), subsets=(subset,))
    known = drawn.samples.attributes
    attack = np.asarray(known["attack"], bool)
    holes, ambient = FLAWS[domain]
    rng = seeds.rng("multimodal", "flaws", domain, subset, seed)
    infrared = np.clip(drawn.nir + 255 * ambient, 0, 255).astype(np.uint8)
    return Triples(
        np.asarray(drawn.samples.images), with_holes(depth_pictures(drawn.depth), holes, rng), infrared, attack,
        np.where(attack, known["species"], ""), np.asarray(known["domain"], np.str_), drawn.samples.subjects,
    )  # fmt: skip


def depth_pictures(millimetres: NDArray[np.float32]) -> Bytes:
    """Depth ``(n, h, w)`` as 8 bits: 255 at the nearest point of each picture, 1 from `DEPTH_RANGE` behind it on."""
    seen = np.isfinite(millimetres)
    near = np.where(seen, millimetres, np.inf).min((1, 2), keepdims=True)
    with np.errstate(invalid="ignore"):
        scaled = 255 * (1 - (millimetres - near) / DEPTH_RANGE)
    return np.where(seen, np.clip(np.round(np.where(seen, scaled, 0)), 1, 255), 0).astype(np.uint8)


def with_holes(depth: Bytes, share: float, rng: np.random.Generator) -> Bytes:
    """Depth pictures with spots of a few pixels in which nothing was measured.

    Args:
        depth: ``uint8 (n, h, w)``.
        share: of the picture.
        rng: draws the spots.
    """
    if not share:
        return depth
    smooth = np.stack([cv2.GaussianBlur(z, (0, 0), 1.5) for z in rng.standard_normal(depth.shape).astype(np.float32)])
    lost = smooth <= np.quantile(smooth, share, axis=(1, 2), keepdims=True)
    return np.where(lost, 0, depth).astype(np.uint8)


def listed(opened: Mmdg, protocol: str, *, size: int) -> Triples:
    """A list of the benchmark, its pictures scaled to a square; what cannot be read is left out.

    Args:
        opened: the folder.
        protocol: e.g. ``"S-train"``.
        size: side of the pictures.

    Raises:
        ParameterError: no presentation of the list could be read.
    """
    sides = {m: opened.samples(protocol, modality=m) for m in ("rgb", "depth", "ir")}
    rows, kept = [], []
    for i in range(len(sides["rgb"])):
        try:
            rows.append([cv2.resize(s.images[i], (size, size), interpolation=cv2.INTER_AREA) for s in sides.values()])
        except ImageError:
            continue
        kept.append(i)
    if not rows:
        raise ParameterError(f"no presentation of {protocol} could be read", given=len(sides["rgb"]))
    rgb, depth, infrared = (np.stack(column).astype(np.uint8) for column in zip(*rows, strict=True))
    one, letter = sides["rgb"].subset(np.array(kept)), protocol.split("-")[0]
    attack = np.asarray(one.attributes["attack"], bool)
    subjects = np.array([f"{letter}/{s}" for s in one.subjects])
    species = np.where(attack, np.where(one.attributes["species"] == "", "attack", one.attributes["species"]), "")
    return Triples(
        rgb, depth[..., 0], infrared[..., 0], attack, species, np.full(len(rgb), letter), subjects, real=opened.real
    )  # fmt: skip


def inputs(triples: Triples) -> Tensor:
    """What the network takes, ``float32 (n, 3, 3, s, s)`` in [-1, 1]: modality before colour channel."""
    depth = np.repeat(triples.depth[..., None], 3, -1)
    seen = np.stack([triples.rgb, depth, infrared_channels(triples.infrared)], 1)
    return torch.from_numpy(np.ascontiguousarray(seen.transpose(0, 1, 4, 2, 3))).float() / 127.5 - 1


def without(x: Tensor, *modalities: int) -> Tensor:
    """Inputs whose streams ``modalities`` (2 depth, 3 infrared) are missing: zeros after normalisation (assumed)."""
    missing = x.clone()
    for m in modalities:
        missing[:, m - 1] = 0.0
    return missing


def with_noise(x: Tensor, share: float, patch: int, rng: np.random.Generator) -> Tensor:
    """Inputs in which a share of the depth stream's patches is uniform noise.

    Args:
        x: ``(n, 3, 3, s, s)``.
        share: of the patches, in every picture.
        patch: side of a patch.
        rng: draws patches and noise.
    """
    n, grid = len(x), x.shape[-1] // patch
    hit = rng.random((n, grid * grid)).argsort(1) < round(share * grid * grid)
    mask = torch.from_numpy(hit.reshape(n, 1, grid, grid)).repeat_interleave(patch, 2).repeat_interleave(patch, 3)
    noise = torch.from_numpy(rng.uniform(-1, 1, (n, 1, *x.shape[-2:])).astype(np.float32))
    corrupted = x.clone()
    corrupted[:, 1] = torch.where(mask, noise, x[:, 1])
    return corrupted


def infrared_channels(infrared: Bytes) -> Bytes:
    """The picture, its map of oriented gradients and its gravitational force, ``uint8 (n, s, s, 3)``."""
    maps = [(gradient_map(i), gravitational_force(i)) for i in infrared]
    scaled = [[m / max(float(m.max()), 1e-6) * 255 for m in pair] for pair in maps]
    return np.stack([np.stack([i, *pair], -1) for i, pair in zip(infrared, scaled, strict=True)]).astype(np.uint8)


def gradient_histograms(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean gradient magnitude of each cell of 8 pixels by orientation, ``(h / 8, w / 8, 9)`` (Dalal and Triggs 2005).

    Central differences, zero at the border; nine even bins of 180 degrees; nothing is interpolated or normalised.
    """
    p = picture.astype(np.float64)
    across, down = np.zeros_like(p), np.zeros_like(p)
    across[:, 1:-1] = p[:, 2:] - p[:, :-2]
    down[1:-1] = p[2:] - p[:-2]
    size = np.hypot(across, down)
    angle = np.rad2deg(np.arctan2(down, across)) % 180
    at = np.minimum((angle / (180 / ORIENTATIONS)).astype(np.int64), ORIENTATIONS - 1)
    voted = size[..., None] * (at[..., None] == np.arange(ORIENTATIONS))
    rows, columns = (n // CELL for n in p.shape)
    cells = voted[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL, ORIENTATIONS)
    found: NDArray[np.float64] = cells.mean((1, 3))
    return found


def gradient_map(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The histograms drawn: in each cell a stroke along the edges of each orientation, as strong as it is."""
    found, strokes = gradient_histograms(picture), _strokes()
    drawn = np.einsum("ijo,oyx->iyjx", found, strokes).reshape(found.shape[0] * CELL, found.shape[1] * CELL)
    rest = [(0, whole - part) for whole, part in zip(picture.shape, drawn.shape, strict=True)]
    return np.pad(drawn, rest)


def _strokes() -> NDArray[np.float64]:
    """A line through a cell for each orientation, at a right angle to the gradient: ``(9, 8, 8)``."""
    lines = np.zeros((ORIENTATIONS, CELL, CELL))
    along = np.linspace(-CELL / 2 + 1, CELL / 2 - 1, 2 * CELL)
    for k in range(ORIENTATIONS):
        edge = np.pi * (k + 0.5) / ORIENTATIONS + np.pi / 2
        at = (np.round(CELL // 2 + along * np.array([[np.sin(edge)], [np.cos(edge)]]))).astype(int)
        lines[k, at[0], at[1]] = 1
    return lines


def gravitational_force(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pattern of local gravitational force, 0 to pi / 2 (D. Bhattacharjee and H. Roy, TPAMI 2021).

    ``arctan(sqrt((X * Mx / X)^2 + (X * My / X)^2))``: ``*`` convolves with ``cos(t) / r^2`` and ``sin(t) / r^2`` over
    5 x 5 neighbours at distance ``r`` and angle ``t``; the picture is taken from 1 so that nothing is divided by 0.
    """
    offsets = np.arange(-2.0, 3.0)
    x, y = np.meshgrid(offsets, offsets)
    square = x**2 + y**2
    square[2, 2] = np.inf
    shares = [np.divide(side, square**1.5) for side in (x, y)]
    values = picture.astype(np.float64) + 1
    pulls = [cv2.filter2D(values, -1, k, borderType=cv2.BORDER_REFLECT_101) / values for k in shares]
    found: NDArray[np.float64] = np.arctan(np.hypot(*pulls))
    return found
