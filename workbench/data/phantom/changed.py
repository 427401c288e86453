"""Pairs of chips whose difference is known: one part exchanged, or one part hidden."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pairs import Changed, Pairs
from .dataset import chip_matrices, chips
from .identity import PART_MODES, identities
from .picture import render
from .population import scenes
from .scene import Scene, occlude, swap_part
from .surface import PARTS as SURFACE_PARTS

PARTS = tuple(PART_MODES)


def swapped(count: int, *, size: int = 40, seed: int = 0) -> Changed:
    """The same picture with one facial part of another person; all else is equal."""
    scene, _ = scenes(count, 1, seed=seed + 1, subset="test", vary=("pose", "light"))
    donors = identities(count, seed=seed + 2, prefix="donor")
    parts = tuple(PARTS[i % len(PARTS)] for i in range(count))
    cut, masks = [], []
    for part in PARTS:
        at = [i for i, p in enumerate(parts) if p == part]
        changed = swap_part(scene.take(at), part, donors.take(at))
        cut.append(_cut(scene.take(at), changed, size))
        masks.append(_difference(scene.take(at), changed, part, cut[-1], size))
    order = np.argsort([i for p in PARTS for i, q in enumerate(parts) if q == p])
    before, after = (np.concatenate([c[k] for c in cut])[order] for k in (0, 1))
    subjects = np.stack([np.arange(count), np.arange(count) + count], 1)
    pairs = Pairs(before, after, np.zeros(count, bool), subjects)
    return Changed(pairs, np.concatenate(masks)[order], parts, before)


def _cut(scene: Scene, changed: Scene, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Chips of both renderings at the first one's alignment, so that nothing else moves."""
    shown, other = (render(s, 2 * size, truth=("landmarks5",)) for s in (scene, changed))
    matrices = chip_matrices(np.asarray(shown.landmarks5), size)
    return tuple(  # type: ignore[return-value]
        np.stack([cv2.warpAffine(i, m, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
                  for i, m in zip(r.rgb, matrices, strict=True)])
        for r in (shown, other)
    )  # fmt: skip


_PARSED = {"eyes": ("eyes", "brows"), "nose": ("nose",), "mouth": ("lips", "inner mouth")}


def _difference(scene: Scene, changed: Scene, part: str, chips: Any, size: int) -> NDArray[np.bool_]:
    """Union of the part in both parsing maps; the jaw, which no map names, is where the pictures differ."""
    if part == "jaw":
        return np.asarray(np.abs(chips[0].astype(int) - chips[1]).max(3) > 4)
    return _parsed(scene, part, scene, size) | _parsed(changed, part, scene, size)


def _parsed(scene: Scene, part: str, aligned_to: Scene, size: int) -> NDArray[np.bool_]:
    shown = render(scene, 2 * size, truth=("parsing",))
    five = render(aligned_to, 2 * size, truth=("landmarks5",)).landmarks5
    wanted = [SURFACE_PARTS.index(name) for name in _PARSED[part]]
    masks = np.isin(np.asarray(shown.parsing), wanted).astype(np.uint8) * 255
    matrices = chip_matrices(np.asarray(five), size)
    cut = [cv2.warpAffine(m, a, (size, size), flags=cv2.INTER_AREA) for m, a in zip(masks, matrices, strict=True)]
    return np.stack(cut) > 127


def hidden(count: int, *, size: int = 40, seed: int = 0) -> Changed:
    """Mated pairs whose probe has one part behind a block."""
    scene, _ = scenes(count, 2, seed=seed + 3, subset="test", vary=("light", "expression"))
    reference, probe = scene.take(np.arange(0, 2 * count, 2)), scene.take(np.arange(1, 2 * count, 2))
    parts = tuple(PARTS[i % 3] for i in range(count))
    columns: list[tuple[Any, ...]] = []
    for part in PARTS[:3]:
        at = [i for i, p in enumerate(parts) if p == part]
        first, _ = chips(reference.take(at), size)
        seen, behind = _cut(probe.take(at), occlude(probe.take(at), part), size)
        columns.append((first, seen, behind, _parsed(reference.take(at), part, reference.take(at), size)))
    order = np.argsort([i for p in PARTS[:3] for i, q in enumerate(parts) if q == p])
    first, seen, behind, masks = (np.concatenate([c[k] for c in columns])[order] for k in range(4))
    subjects = np.repeat(np.arange(count)[:, None], 2, 1)
    return Changed(Pairs(first, behind, np.ones(count, bool), subjects), masks, parts, seen)
