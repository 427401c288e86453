"""Morphs of two portraits, and what recognisers make of them.

Landmark morphing as the morphing attack was introduced with (Ferrara, Franco, Maltoni, "The magic passport", IJCB
2014): both pictures are bent to the weighted mean of their landmarks and averaged with the same weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import ParameterError
from ..data.phantom import colour_transfer, hull_mask, morph_pictures, warp
from ..data.phantom.digital.warp import inner_face, to_bytes, with_border
from .portraits import Portrait, embed


@dataclass(frozen=True)
class MorphScores:
    """Scores of one recogniser along the way from one person to the other.

    Attributes:
        model: its name.
        shares: ``float64 (k,)`` of the second person in the morph, 0 to 1.
        scores: ``float64 (k, 2)`` of each morph against the first and the second contributor.
        threshold: decision threshold, or None where the card states none.
    """

    model: str
    shares: NDArray[np.float64]
    scores: NDArray[np.float64]
    threshold: float | None

    @property
    def fooled(self) -> NDArray[np.bool_] | None:
        """``bool (k,)``: both contributors are accepted (score >= threshold); None without a threshold."""
        return None if self.threshold is None else np.asarray((self.scores >= self.threshold).all(axis=1))


def morph(one: Portrait, other: Portrait, share: float, *, splice: bool = False) -> Portrait:
    """The morph of two portraits of one size.

    Args:
        one: first contributor.
        other: second contributor.
        share: of the second, 0 to 1.
        splice: the inner face alone is morphed and laid into the picture of the first with matched colours, so that no
            ghosts of hair and ears remain.

    Raises:
        ParameterError: the share is out of range, or the portraits differ in size.
    """
    if not 0 <= share <= 1:
        raise ParameterError("share is out of range", given=share, expected="0 to 1")
    size = len(one.picture)
    if other.picture.shape != one.picture.shape:
        raise ParameterError("portraits of two sizes", given=other.picture.shape, expected=one.picture.shape)
    mixed, middle = morph_pictures(one.picture, other.picture, one.points, other.points, share)
    if not splice:
        return Portrait(to_bytes(mixed), middle.astype(np.float32))
    back = warp(to_bytes(mixed), with_border(middle, size), with_border(one.points, size))
    mask = hull_mask(inner_face(one.points), size, feather=size / 24)
    matched = colour_transfer(back, one.picture.astype(np.float32), mask)
    laid = one.picture * (1 - mask[..., None]) + matched * mask[..., None]
    return Portrait(to_bytes(laid), one.points)


def along(
    one: Portrait, other: Portrait, embedder: Any, shares: NDArray[np.floating], *, threshold: float | None,
    references: tuple[Portrait, Portrait] | None = None, splice: bool = False,
) -> MorphScores:  # fmt: skip
    """Scores of morphs of two portraits against both contributors.

    Args:
        one: first contributor.
        other: second contributor.
        embedder: the recogniser.
        shares: ``(k,)`` of the second, 0 to 1.
        threshold: of the decision, or None.
        references: other portraits of the two, to compare with; None compares with the very pictures that were morphed,
            which flatters the attack.
        splice: see `morph`.
    """
    morphs = [morph(one, other, float(s), splice=splice) for s in shares]
    found = embed(embedder, morphs).astype(np.float64)
    sides = embed(embedder, list(references or (one, other))).astype(np.float64)
    return MorphScores(embedder.card.name, np.asarray(shares, np.float64), found @ sides.T, threshold)
