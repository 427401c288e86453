"""Morphs, swaps, re-enactment and edits, each with what was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ....core import ParameterError, ShapeError, UnknownNameError
from ..action_units import movements
from ..factors import LOOKS
from ..identity import PART_MODES, Identities
from ..picture import Rendering, render
from ..scene import Scene, swap_part
from .warp import colour_transfer, hull_mask, inner_face, to_bytes, warp, with_border

Blend = Literal["alpha", "poisson"]
# Difference of 8-bit values above which an edit counts as visible.
VISIBLE = 3


@dataclass(frozen=True)
class Forged:
    """Manipulated pictures.

    Attributes:
        rgb: ``uint8 (n, h, w, 3)``.
        mask: ``float32 (n, h, w)`` share of the manipulation in each pixel.
        method: its name.
        contributors: names of the people who contributed to each picture, the target first.
    """

    rgb: NDArray[np.uint8]
    mask: NDArray[np.float32]
    method: str
    contributors: tuple[tuple[str, ...], ...]

    @property
    def support(self) -> NDArray[np.bool_]:
        """``bool (n, h, w)`` where anything was changed."""
        return self.mask > 0


def _pair(one: Scene, other: Scene) -> tuple[tuple[str, str], ...]:
    if len(one) != len(other):
        raise ShapeError("scenes come in pairs", given=(len(one), len(other)), expected="as many of both")
    return tuple(zip(one.identity.names, other.identity.names, strict=True))


def _share(alpha: float) -> float:
    if not 0 <= alpha <= 1:
        raise ParameterError("alpha is out of range", given=alpha, expected="0 to 1")
    return float(alpha)


def _shown(scene: Scene, size: int) -> Rendering:
    return render(scene, size, truth=("landmarks68",))


def landmark_morphs(one: Scene, other: Scene, alpha: float = 0.5, *, size: int = 224, splice: bool = False) -> Forged:
    """Both pictures warped to the mean of their landmarks and averaged.

    Args:
        one: first contributors.
        other: second contributors.
        alpha: share of the second.
        size: side of the pictures.
        splice: only the inner face is a morph, laid into the first contributor's own picture with matched colours; no
            ghosts of hair and ears remain.
    """
    names, share = _pair(one, other), _share(alpha)
    first, second = _shown(one, size), _shown(other, size)
    out, masks = [], []
    for k in range(len(one)):
        a, b = np.asarray(first.landmarks68)[k], np.asarray(second.landmarks68)[k]
        morph, middle = morph_pictures(first.rgb[k], second.rgb[k], a, b, share)
        mask = np.ones((size, size), np.float32)
        if splice:
            back = warp(to_bytes(morph), with_border(middle, size), with_border(a, size))
            mask = hull_mask(inner_face(a), size, feather=size / 24)
            matched = colour_transfer(back, first.rgb[k], mask)
            morph = first.rgb[k] * (1 - mask[..., None]) + matched * mask[..., None]
        out.append(to_bytes(morph))
        masks.append(mask)
    return Forged(np.stack(out), np.stack(masks), "landmark morph" + (", spliced" if splice else ""), names)


def morph_pictures(
    one: NDArray[np.uint8], other: NDArray[np.uint8], a: NDArray[np.floating], b: NDArray[np.floating], alpha: float
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The morph of two square pictures, and its landmarks.

    Args:
        one: ``uint8 (s, s, 3)``.
        other: likewise.
        a: ``(68, 2)`` landmarks of the first.
        b: of the second.
        alpha: share of the second.
    """
    size = len(one)
    middle = (1 - alpha) * np.asarray(a, np.float64) + alpha * np.asarray(b, np.float64)
    whole = with_border(middle, size)
    warped = (warp(p, with_border(marks, size), whole) for p, marks in ((one, a), (other, b)))
    first, second = warped
    return ((1 - alpha) * first + alpha * second).astype(np.float32), middle


def ideal_morphs(one: Scene, other: Scene, alpha: float = 0.5, *, size: int = 224) -> Forged:
    """The person between two: modes and looks averaged, rendered in the first one's scene; no trace of processing."""
    names, share = _pair(one, other), _share(alpha)
    between = replace(
        one.identity, modes=((1 - share) * one.identity.modes + share * other.identity.modes).astype(np.float32)
    )
    looks = {k: (1 - share) * one.factors[k] + share * other.factors[k] for k in LOOKS}
    shown = render(one.replace(identity=between, **looks), size).rgb
    return Forged(shown, np.ones(shown.shape[:3], np.float32), "ideal morph", names)


def embedding_morphs(
    generate: Callable[[NDArray[np.float32]], NDArray[np.uint8]], one: NDArray[np.floating],
    other: NDArray[np.floating], alpha: float = 0.5,
) -> NDArray[np.uint8]:  # fmt: skip
    """Pictures that a generator makes between two vectors, on the great circle through them.

    Args:
        generate: vectors ``float32 (n, d)`` to pictures ``uint8 (n, h, w, 3)``.
        one: ``(n, d)``.
        other: ``(n, d)``.
        alpha: share of the second.
    """
    share = _share(alpha)
    if one.shape != other.shape or one.ndim != 2:
        raise ShapeError("vectors come in pairs", given=(one.shape, other.shape), expected="(n, d) twice")
    return generate(slerp(one, other, share).astype(np.float32))


def slerp(one: NDArray[np.floating], other: NDArray[np.floating], alpha: float) -> NDArray[np.float64]:
    """Spherical interpolation of vectors ``(n, d)``; their lengths go over linearly."""
    lengths = [np.linalg.norm(v, axis=1, keepdims=True) for v in (one, other)]
    a, b = (np.asarray(v, np.float64) / np.maximum(n, 1e-12) for v, n in zip((one, other), lengths, strict=True))
    angle = np.arccos(np.clip((a * b).sum(1, keepdims=True), -1, 1))
    small = angle < 1e-6
    safe = np.where(small, 1.0, np.sin(angle))
    first = np.where(small, 1 - alpha, np.sin((1 - alpha) * angle) / safe)
    second = np.where(small, alpha, np.sin(alpha * angle) / safe)
    return np.asarray((first * a + second * b) * ((1 - alpha) * lengths[0] + alpha * lengths[1]))


def swaps(target: Scene, donor: Scene, *, size: int = 224, blend: Blend = "alpha", transfer: bool = True) -> Forged:
    """The donor's inner face in the target's picture.

    Args:
        target: whose picture it is.
        donor: whose face is laid in.
        size: side of the pictures.
        blend: a feathered mask, or Poisson's equation (Perez et al. 2003) inside its hull.
        transfer: match the donor's colours to the target's first.
    """
    if blend not in ("alpha", "poisson"):
        raise UnknownNameError("blending", blend, ["alpha", "poisson"])
    names = _pair(target, donor)
    shown, given = _shown(target, size), _shown(donor, size)
    out, masks = [], []
    for k in range(len(target)):
        a, b = np.asarray(shown.landmarks68)[k], np.asarray(given.landmarks68)[k]
        face = warp(given.rgb[k], with_border(b, size), with_border(a, size))
        mask = hull_mask(inner_face(a), size, feather=size / 24)
        if transfer:
            face = colour_transfer(face, shown.rgb[k], mask)
        out.append(_blended(shown.rgb[k], face, mask, blend))
        masks.append(mask if blend == "alpha" else (mask > 0).astype(np.float32))
    return Forged(np.stack(out), np.stack(masks), f"face swap, {blend}", names)


def _blended(
    target: NDArray[np.uint8], face: NDArray[np.float32], mask: NDArray[np.float32], blend: str
) -> NDArray[np.uint8]:
    if blend == "alpha":
        return to_bytes(target * (1 - mask[..., None]) + face * mask[..., None])
    support = (mask > 0).astype(np.uint8) * 255
    left, top, wide, high = cv2.boundingRect(support)
    middle = (left + wide // 2, top + high // 2)
    cloned = cv2.seamlessClone(to_bytes(face), target, support, middle, cv2.NORMAL_CLONE)
    # The clone touches the hull's pixels only.
    return np.where((mask > 0)[..., None], cloned, target).astype(np.uint8)


def ideal_swaps(target: Scene, donor: Scene, *, size: int = 224) -> Forged:
    """The donor's identity in the target's pose, light, hair and background, rendered."""
    names = _pair(target, donor)
    face = replace(donor.identity, names=target.identity.names)
    kept = ("age", "gender", "melanin", "haemoglobin", "brow_density", "stubble", "beard", "moustache")
    changed = target.replace(identity=face, **{k: donor.factors[k] for k in kept})
    return _compared(target, changed, size, "ideal swap", names)


def reenactments(target: Scene, driver: Scene, *, size: int = 224, warped: bool = False) -> Forged:
    """The target moves as the driver does.

    Args:
        target: whose face it is.
        driver: whose movements, pose and gaze.
        size: side of the pictures.
        warped: bend the target's picture to the moved landmarks instead of rendering anew; teeth do not appear.
    """
    names = _pair(target, driver)
    moved = target.replace(**{k: driver.factors[k] for k in ("movements", "yaw", "pitch", "roll", "gaze")})
    if not warped:
        return _compared(target, moved, size, "re-enactment, ideal", names)
    shown, wanted = _shown(target, size), _shown(moved, size)
    out = []
    for k in range(len(target)):
        a, b = (with_border(np.asarray(r.landmarks68)[k], size) for r in (shown, wanted))
        out.append(to_bytes(warp(shown.rgb[k], a, b)))
    return Forged(np.stack(out), np.ones((len(target), size, size), np.float32), "re-enactment, warped", names)


EDITS = ("eyes", "nose", "mouth", "jaw", "make-up", "age", "glasses", "smile", "beard")


def edits(scene: Scene, kind: str, *, size: int = 224, donor: Identities | None = None) -> Forged:
    """One local attribute changed, and where it shows.

    Args:
        scene: the pictures.
        kind: one of `EDITS`; parts of the face come from ``donor``.
        size: side of the pictures.
        donor: one person for each picture, for parts of the face.
    """
    if kind not in EDITS:
        raise UnknownNameError("edit", kind, EDITS)
    if kind in PART_MODES:
        if donor is None:
            raise ParameterError("a part of the face needs a donor", given="none", expected="one person a picture")
        changed = swap_part(scene, kind, donor)
        names = tuple(zip(scene.identity.names, donor.names, strict=True))
        return _compared(scene, changed, size, f"edit, {kind}", names)
    return _compared(
        scene, scene.replace(**_edit(scene, kind)), size, f"edit, {kind}", tuple((n,) for n in scene.identity.names)
    )


def _edit(scene: Scene, kind: str) -> dict[str, Any]:
    if kind == "smile":
        smile = movements(smile=0.9, cheek_raise=0.7, lips_part=0.5)
        return {"movements": np.maximum(scene.movements, smile)}
    bare = scene.beard < 0.3
    changes: dict[str, dict[str, Any]] = {
        "make-up": {"lip_makeup": 1.0, "eye_makeup": 0.9, "cheek_makeup": 0.8},
        "age": {"age": np.where(scene.age < 50, scene.age + 35, scene.age - 35)},
        "glasses": {"glasses": np.where(scene.glasses == 0, 2, 0)},
        "beard": {"beard": np.where(bare, 0.9, 0.0), "moustache": np.where(bare, 0.9, 0.0)},
    }
    return changes[kind]


def _compared(before: Scene, after: Scene, size: int, method: str, names: tuple[tuple[str, ...], ...]) -> Forged:
    """The second picture where it differs from the first; the first one's pixels, noise included, elsewhere."""
    one, two = render(before, size).rgb, render(after, size).rgb
    visible = (np.abs(one.astype(int) - two).max(3) > VISIBLE).astype(np.uint8)
    grown = np.stack([cv2.dilate(m, np.ones((3, 3), np.uint8)) for m in visible])
    return Forged(np.where(grown[..., None] > 0, two, one), grown.astype(np.float32), method, names)
