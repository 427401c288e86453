"""What one comparison is held against: a model's scores on a data set, computed once and found again.

The embeddings of a data set's pictures are kept in a folder under what they depend on: the pictures, the model, the
detector and the code's version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__, files, metrics
from ..core import Images, Number, Samples, Scores, StoreError, Undefined
from ..data import Dataset, open_dataset
from ..models.cards import Card
from ..models.pipeline import Embeddings
from .verification import evaluate

# Three pictures of 24 people who do not exist: 72 mated and 2,484 non-mated pairs, in well under a minute.
PHANTOMS = {"subjects": 24, "images": 3, "size": 160}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Known:
    """Scores of one model on one data set.

    Attributes:
        scores: of all trials, failures to acquire included.
        on: the data set, in words.
        real: whether real people are shown.
    """

    scores: Scores
    on: str
    real: bool

    @property
    def counts(self) -> dict[str, int]:
        """Mated and non-mated trials, and failures to acquire."""
        mated = self.scores.trials.mated
        return {"mated": int(mated.sum()), "nonmated": int((~mated).sum()), "failures": self.scores.failures}


@dataclass(frozen=True)
class Densities:
    """Histograms of scores that integrate to one; zero where there are no scores of a kind.

    Attributes:
        edges: ``float32 (k + 1,)``.
        mated, nonmated: ``float32 (k,)``.
    """

    edges: NDArray[np.float32]
    mated: NDArray[np.float32]
    nonmated: NDArray[np.float32]


class Kept:
    """A pipeline whose embeddings of one set of pictures are found again the next time.

    Args:
        pipeline: a `models.Pipeline`.
        digest: of the pictures.
        folder: where embeddings are kept; made if it is not there.
    """

    def __init__(self, pipeline: Any, digest: str, folder: str | Path) -> None:
        self.embedder = pipeline.embedder
        self.describe: Callable[[], dict[str, object]] = pipeline.describe
        self._pipeline = pipeline
        asked = [digest, pipeline.embedder.digest, pipeline.describe(), __version__]
        self._path = Path(folder) / f"embeddings-{files.sha256_bytes(files.to_json(asked).encode())[:24]}.zip"

    def embed(self, images: Images, *, progress: Progress | None = None) -> Embeddings:
        """As `models.Pipeline.embed`; what was stored and is damaged is computed anew."""
        stored = self._stored()
        if stored is not None and len(stored.values) == len(images):
            return stored
        found: Embeddings = self._pipeline.embed(images, batch=8, progress=progress)
        files.commit_bytes(self._path, files.pack(found))
        return found

    def _stored(self) -> Embeddings | None:
        if not self._path.is_file():
            return None
        try:
            stored = files.unpack(files.read_bytes(self._path))
        except StoreError:
            return None
        return stored if isinstance(stored, Embeddings) else None


def dataset_of(spec: str, folder: str | Path) -> tuple[Dataset, str, str]:
    """A data set, the protocol that is used of it, and its name in words.

    Args:
        spec: see `data.open_dataset`; ``"phantom"`` is a few phantom faces, every two of which are compared.
        folder: where drawn pictures are kept.
    """
    if spec == "phantom":
        return open_dataset(spec, **PHANTOMS, cache=str(folder)), "all-pairs", "phantom faces"
    dataset = open_dataset(spec)
    return dataset, "", dataset.name


def known_scores(
    dataset: Dataset, pipeline: Any, folder: str | Path, *, protocol: str = "", on: str = "",
    progress: Progress | None = None,
) -> Known:  # fmt: skip
    """A model's scores on a protocol.

    Args:
        dataset: what is compared.
        pipeline: a `models.Pipeline`.
        folder: where embeddings are kept.
        protocol: of the data set; its first if not given.
        on: the data set in words; its name if not given.
        progress: called with how many pictures are done and how many there are.
    """
    kept = Kept(pipeline, f"{dataset.digest} {protocol}", folder)
    found = evaluate(dataset, kept, protocol=protocol, progress=progress)
    return Known(found.scores, on or dataset.name, dataset.real)


def known_embeddings(
    samples: Samples, pipeline: Any, folder: str | Path, *, progress: Progress | None = None
) -> Embeddings:  # fmt: skip
    """Embeddings of pictures, kept if the pictures have a digest."""
    if not samples.digest:
        found: Embeddings = pipeline.embed(samples.images, batch=8, progress=progress)
        return found
    return Kept(pipeline, samples.digest, folder).embed(samples.images, progress=progress)


def densities(scores: Scores, bins: int = 60) -> Densities:
    """Histograms of the mated and non-mated scores over the range of both, in bins of one width."""
    values = scores.values[scores.acquired]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1e-3, bins + 1)
    found = []
    for kind in (True, False):
        some = scores.values[scores.acquired & (scores.trials.mated == kind)]
        heights = np.histogram(some, edges)[0] / (max(len(some), 1) * np.diff(edges))
        found.append(heights.astype(np.float32))
    return Densities(edges.astype(np.float32), found[0], found[1])


def operating_threshold(card: Card, fmr: float, known: Known | None) -> tuple[Number, str]:
    """The threshold of a model at an FMR, and where it comes from.

    The card's own where it has one; otherwise the lowest threshold whose FMR on known scores is not above ``fmr``.
    """
    if fmr in card.operating_points:
        return card.operating_points[fmr]
    if known is None:
        return Undefined(f"the card of {card.name} has no threshold for FMR {fmr:g}"), ""
    counts = known.counts
    if counts["nonmated"] * fmr < 1 - 1e-9:
        return Undefined(f"FMR {fmr:g} needs at least {round(1 / fmr):,} non-mated trials", counts), ""
    origin = f"FMR <= {fmr:g} on {known.on}, {counts['nonmated']:,} non-mated trials"
    return metrics.threshold_at_fmr(known.scores, fmr), origin


def standing(known: Known, score: float) -> str:
    """Where a score lies among known ones, as a sentence."""
    fmr, fnmr = metrics.fmr_fnmr_at(known.scores, score)
    counts = known.counts
    parts = [
        f"no {kind} trials to compare with" if isinstance(share, Undefined)
        else f"{round(share * counts[key]):,} of {counts[key]:,} {kind} trials score {how}"
        for kind, key, share, how in (
            ("non-mated", "nonmated", fmr, "as high"),
            ("mated", "mated", fnmr, "lower or not at all" if counts["failures"] else "lower"),
        )
    ]  # fmt: skip
    return f"on {known.on}, " + " and ".join(parts)
