"""One comparison by one model: aligned faces, score, threshold, decision; a failure to acquire is no rejection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Number, Undefined
from ..models.pipeline import aligned
from .explain import Maps
from .known import Known, operating_threshold
from .verification import compare_chips

Answer = Literal["accepted", "rejected", "failure to acquire"]
# A face where it was found: picture ``uint8 (h, w, 3)``, box ``(4,)`` and landmarks ``(5, 2)`` in pixels.
Placed = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Pair:
    """Two faces as a model sees them.

    Attributes:
        chips: ``uint8 (k, h, w, 3)`` aligned faces of the sides that were acquired, the reference's first.
        reasons: of reference and probe, "" where a face was acquired.
        score: cosine of the embeddings, None after a failure to acquire.
    """

    chips: NDArray[np.uint8]
    reasons: tuple[str, str]
    score: float | None


@dataclass(frozen=True)
class Outcome:
    """What one model says of two faces.

    Attributes:
        model: its name.
        pair: the faces and their score.
        threshold: what the score is held against, or why there is none.
        origin: where the threshold comes from, "" where there is none.
        decision: None where the threshold is undefined.
        known: other scores of this model; None where there are none yet.
        maps: what speaks for and against, where that was asked.
        provider: what ran.
    """

    model: str
    pair: Pair
    threshold: Number
    origin: str
    decision: Answer | None
    known: Known | None = None
    maps: Maps | None = None
    provider: str = ""

    @property
    def score(self) -> float | None:
        """Of the pair."""
        return self.pair.score

    @property
    def sentence(self) -> str:
        """The outcome in words and numbers."""
        if self.decision == "failure to acquire":
            sides = zip(("reference", "probe"), self.pair.reasons, strict=True)
            return "failure to acquire: " + ", ".join(f"{side}: {why}" for side, why in sides if why)
        if isinstance(self.threshold, Undefined):
            return f"score {self.score:.4f}, no decision: {self.threshold.reason}"
        sign = "at or above" if self.decision == "accepted" else "below"
        return f"{self.decision}: score {self.score:.4f} is {sign} the threshold {self.threshold:.4f} ({self.origin})"


def embed_face(embedder: Any, face: Placed) -> tuple[NDArray[np.float32] | None, str]:
    """The embedding ``float32 (d,)`` of a face that was found already; None and why where it cannot be aligned."""
    picture, box, points = face
    cut = aligned(embedder.card, [picture], [0], box[None], points[None], [""])
    return (embedder.embed(cut.chips)[0] if len(cut.chips) else None), cut.reasons[0]


def compare_faces(embedder: Any, reference: Placed | None, probe: Placed | None) -> Pair:
    """Two faces that were found already, cut as the embedder wants them and compared.

    Args:
        embedder: a `models.Embedder`.
        reference: None where no face was found.
        probe: likewise.
    """
    chips: list[NDArray[np.uint8]] = []
    reasons: list[str] = []
    for side in (reference, probe):
        if side is None:
            reasons.append("no face found")
            continue
        picture, box, points = side
        cut = aligned(embedder.card, [picture], [0], box[None], points[None], [""])
        chips.extend(cut.chips)
        reasons.extend(cut.reasons)
    stacked = np.stack(chips) if chips else np.zeros((0, *embedder.card.input_size, 3), np.uint8)
    score = compare_chips(embedder, stacked) if len(chips) == 2 else None
    return Pair(stacked, (reasons[0], reasons[1]), score)


def decide(embedder: Any, pair: Pair, fmr: float, known: Known | None = None, maps: Maps | None = None) -> Outcome:
    """Hold a pair's score against the threshold at an FMR; ``score >= threshold`` accepts."""
    threshold, origin = operating_threshold(embedder.card, fmr, known)
    decision: Answer | None = None
    if pair.score is None:
        decision = "failure to acquire"
    elif not isinstance(threshold, Undefined):
        decision = "accepted" if pair.score >= threshold else "rejected"
    return Outcome(embedder.card.name, pair, threshold, origin, decision, known, maps, embedder.provider)


def choices(points: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """FMRs at which a decision may be asked: those that some card has, highest first; 0.1 and 0.01 if none has any."""
    known = {float(fmr) for some in points for fmr in some}
    return tuple(sorted(known or {0.1, 0.01}, reverse=True))
