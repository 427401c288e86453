"""Ready sets of manipulated clips and of morphs, in the shapes that forgery and morphing measures take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core import ParameterError, Samples, UnknownNameError, seeds
from ....files import sha256_bytes
from ..dataset import LICENCE
from ..picture import render
from ..population import SUBSETS, scenes
from ..scene import Scene
from ..sensor import compressed
from ..sequences import sequence
from .attacks import Forged, edits, ideal_swaps, landmark_morphs, reenactments, swaps
from .traces import fingerprinted, upsampled

# Qualities that stand in for FaceForensics++'s video compression levels; JPEG, so without motion compensation.
COMPRESSION: Mapping[str, int] = {"raw": 0, "c23": 60, "c40": 25}
_SPLITS = dict(zip(("train", "val", "test"), SUBSETS, strict=True))


def _generated(target: Scene, donor: Scene, size: int) -> Forged:
    """A face as a generator makes it: an ideal swap, with an up-sampling grid and a fingerprint inside its mask."""
    swap = ideal_swaps(target, donor, size=size)
    traced = fingerprinted(upsampled(swap.rgb, "zero insertion"), 2.0)
    inside = swap.mask[..., None] > 0
    return Forged(np.where(inside, traced, swap.rgb), swap.mask, "generated", swap.contributors)


METHODS: Mapping[str, Callable[[Scene, Scene, int], Forged]] = {
    "FF-DF": _generated,
    "FF-F2F": lambda target, donor, size: reenactments(target, donor, size=size),
    "FF-FS": lambda target, donor, size: swaps(target, donor, size=size, blend="poisson"),
    "FF-NT": lambda target, donor, size: edits(target, "mouth", size=size, donor=donor.identity),
}


@dataclass(frozen=True)
class Manipulations:
    """Frames of pristine and manipulated clips.

    Attributes:
        samples: attributes ``attack``, ``label``, ``method``, ``video``, ``split``, ``compression`` as
            `data.deepfakebench` has them; `data.export` writes them in that layout.
        masks: ``float32 (n, h, w)``, 0 in pristine frames.
    """

    samples: Samples
    masks: NDArray[np.float32]


def manipulations(
    subjects: int = 4, frames: int = 4, *, size: int = 112, seed: int = 0, methods: Sequence[str] = tuple(METHODS),
    compression: Sequence[str] = ("raw", "c23"),
) -> Manipulations:  # fmt: skip
    """Clips of talking people, and what each method makes of them with the next person as donor.

    The methods stand in for FaceForensics++'s and carry its labels: generated faces for Deepfakes, re-enactment for
    Face2Face, blended swaps for FaceSwap, exchanged mouths for NeuralTextures.

    Args:
        subjects: people in each split, 2 or more.
        frames: of each clip.
        size: side of the frames, even.
        seed: of all.
        methods: any of `METHODS`.
        compression: any of `COMPRESSION`.
    """
    if subjects < 2 or frames < 1 or size % 2:
        raise ParameterError(
            "sizes do not fit", given=(subjects, frames, size), expected="2 people, 1 frame, even side"
        )
    for name in methods:
        if name not in METHODS:
            raise UnknownNameError("manipulation", name, METHODS)
    for level in compression:
        if level not in COMPRESSION:
            raise UnknownNameError("compression", level, COMPRESSION)
    rows: list[dict[str, Any]] = []
    for split, subset in _SPLITS.items():
        scene, _ = scenes(
            subjects, 1, seed=seed, subset=subset, vary=("pose", "light", "clothes", "background", "sensor")
        )
        clips = [sequence(scene.take([i]), "talking", frames, seed=seed + i) for i in range(subjects)]
        for i, clip in enumerate(clips):
            rows += _clip(clip, clips[(i + 1) % subjects], split, methods, compression, size)
    return _collected(rows, seed)


def _clip(
    target: Scene, donor: Scene, split: str, methods: Sequence[str], compression: Sequence[str], size: int
) -> list[dict[str, Any]]:
    who, other = target.identity.names[0], donor.identity.names[0]
    pristine = render(target, size).rgb
    found = [("FF-real", who, pristine, np.zeros(pristine.shape[:3], np.float32))]
    for name in methods:
        forged = METHODS[name](target, donor, size)
        found.append((name, f"{who}_{other}", forged.rgb, forged.mask))
    return [
        {"label": label, "video": f"{label}/{level}/{clip}", "split": split, "compression": level, "subject": who,
         "frame": k, "rgb": compressed(rgb[k], COMPRESSION[level]) if COMPRESSION[level] else rgb[k], "mask": mask[k]}
        for label, clip, rgb, mask in found for level in compression for k in range(len(rgb))
    ]  # fmt: skip


def _collected(rows: list[dict[str, Any]], seed: int) -> Manipulations:
    rgb = np.stack([r["rgb"] for r in rows])
    texts = {k: np.array([r[k] for r in rows]) for k in ("label", "video", "split", "compression")}
    attributes: dict[str, NDArray[Any]] = {"attack": texts["label"] != "FF-real", "method": texts["label"], **texts}
    ids = tuple(f"{r['video']}/{r['frame']:03d}" for r in rows)
    people = np.array([r["subject"] for r in rows])
    samples = Samples(
        f"phantom/manipulations-{seed}", ids, people, rgb, attributes, LICENCE, False, sha256_bytes(rgb.tobytes())
    )
    return Manipulations(samples, np.stack([r["mask"] for r in rows]))


@dataclass(frozen=True)
class MorphAttacks:
    """Morphs of pairs of people, and bona fide pictures of both to compare them with.

    Attributes:
        morphs: ``uint8 (m, h, w, 3)``.
        method: of each morph, ``m`` texts.
        contributors: ``(m, 2)`` names.
        references: ``uint8 (m, 2, h, w, 3)`` the pictures that were morphed.
        probes: ``uint8 (m, 2, p, h, w, 3)`` other pictures of the contributors, for
            `metrics.morphing.Morphs.values` ``(systems, morphs, subjects, probes)``.
    """

    morphs: NDArray[np.uint8]
    method: tuple[str, ...]
    contributors: NDArray[np.str_]
    references: NDArray[np.uint8]
    probes: NDArray[np.uint8]


def morph_attacks(
    pairs: int = 6, probes: int = 2, *, size: int = 224, seed: int = 0, alpha: float = 0.5, splice: bool = True
) -> MorphAttacks:
    """Passport-like morphs of people who resemble one another in gender and skin, as attackers choose partners.

    Args:
        pairs: how many morphs.
        probes: everyday pictures of each contributor.
        size: side of the pictures.
        seed: of the people.
        alpha: share of the second contributor.
        splice: see `landmark_morphs`.
    """
    if pairs < 1 or probes < 1:
        raise ParameterError("too few", given=(pairs, probes), expected="1 pair and 1 probe or more")
    pool, _ = scenes(4 * pairs + 4, 1, seed=seed, subset="test", vary=("clothes",))
    first, second = _partners(pool, pairs, seed)
    one, other = pool.take(first), pool.take(second)
    forged = landmark_morphs(one, other, alpha, size=size, splice=splice)
    shown = np.stack([render(s, size).rgb for s in (one, other)], 1)
    everyday, _ = scenes(len(pool), probes, seed=seed, subset="test")
    taken = np.stack([first, second], 1)[..., None] * probes + np.arange(probes)
    later = render(everyday.take(taken.ravel()), size).rgb.reshape(pairs, 2, probes, size, size, 3)
    return MorphAttacks(forged.rgb, (forged.method,) * pairs, np.array(forged.contributors), shown, later)


def _partners(pool: Scene, pairs: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Disjoint pairs of the nearest in gender, melanin and age, drawn from a random order."""
    looks = np.stack([pool.gender, 2 * pool.melanin, pool.age / 30], 1)
    free = list(seeds.rng("phantom", "morph partners", seed).permutation(len(pool)))
    first, second = [], []
    for _ in range(pairs):
        one = free.pop(0)
        other = min(free, key=lambda k: float(np.linalg.norm(looks[k] - looks[one])))
        free.remove(other)
        first.append(one)
        second.append(other)
    return np.array(first, np.int64), np.array(second, np.int64)
