"""What dedicated networks say about the pictures that a chat model is asked about: decisions on pairs, sex and age.

Decisions follow LFW's rule: the threshold of each fold is the one that is best on the others. A face that was not found
is a rejection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import models
from ..core import Samples, Scores, Trials, seeds
from ..metrics import best_threshold
from ..models.pipeline import batches, pick
from . import chat_faces
from .chat_double import Taught, embedded

Floats = NDArray[np.float64]
TRAINED_HERE = "trained in this run"


@dataclass(frozen=True)
class Compared:
    """Decisions of a dedicated network on pairs.

    Attributes:
        scores: cosine of each pair, NaN where a face was not found.
        accepted: ``(n,)`` 1 or 0.
        fold: ``int64 (n,)`` the folds that the thresholds come from.
        name, provider, digest: of the network.
    """

    scores: Floats
    accepted: Floats
    fold: NDArray[np.int64]
    name: str
    provider: str
    digest: str

    def as_scores(self, trials: Trials) -> Scores:
        """For curves."""
        return Scores(self.name, trials, self.scores, np.isfinite(self.scores))


@dataclass(frozen=True)
class Readings:
    """Sex and age as a dedicated network reads them.

    Attributes:
        name: of the network.
        masculine: ``(n,)`` 1 or 0, NaN where no face was found.
        age: ``(n,)`` years, NaN where no face was found.
    """

    name: str
    masculine: Floats
    age: Floats


def compared(samples: Samples, trials: Trials, taught: Taught | None, model: str, seed: int) -> Compared:
    """Decisions of the network that was trained here, or of a model by its specification.

    Args:
        samples: phantoms with true landmarks for the network trained here; any pictures for a model.
        trials: who is compared.
        taught: the network trained here, or None.
        model: specification of the model where none was trained.
        seed: of the folds, where the trials have none.
    """
    if taught is not None:
        vectors = embedded(taught, chat_faces.aligned(samples)).astype(np.float64)
        scores = (vectors[trials.reference] * vectors[trials.probe]).sum(1)
        facts = ("CosFace CNN, 64 x 64", "torch float32 on CPU", TRAINED_HERE)
    else:
        pipeline = models.default_pipeline(model=model, choose="central")
        scores = pipeline.embed(samples.images).compare(trials.reference, trials.probe)
        facts = (model, pipeline.embedder.provider, pipeline.embedder.weights_digest)
    fold = folds_of(trials, seed)
    return Compared(scores, decided(scores, trials.mated, fold), fold, *facts)


def folds_of(trials: Trials, seed: int) -> NDArray[np.int64]:
    """The trials' own folds where there are two or more; else up to ten parts drawn by the seed."""
    if trials.fold is not None and len(np.unique(trials.fold)) > 1:
        return trials.fold
    count = max(2, min(10, len(trials) // 4))
    return np.asarray(seeds.rng("chat", "folds", seed).permutation(len(trials)) % count, np.int64)


def decided(scores: Floats, mated: NDArray[np.bool_], fold: NDArray[np.int64]) -> Floats:
    """1 where a score reaches the threshold that is best on the other folds; without a score 0."""
    values = np.where(np.isfinite(scores), scores, -np.inf)
    found = np.zeros(len(values))
    for number in np.unique(fold):
        here = fold == number
        found[here] = values[here] >= best_threshold(values[~here], mated[~here])
    return found


def readings(samples: Samples) -> Readings:
    """Sex and age: of phantoms by the shipped network that has seen phantoms only, of photographs by face-api's.

    Neither is DeepFace, which the paper compares with.
    """
    if not samples.real:
        name = "phantom-attributes, shipped"
        out = models.load("phantom-attributes", device="cpu").predict(chat_faces.aligned(samples))
        return Readings(name, (out["gender"] > 0).astype(np.float64), 50.0 * (out["age"].astype(np.float64) + 1))
    detector, reader = models.load("faceapi-ssd"), models.load("faceapi-age-gender")
    masculine, age = (np.full(len(samples), np.nan) for _ in range(2))
    for start, part in batches(samples.images, 32):
        pictures = [(start + i, p) for i, p in enumerate(part) if isinstance(p, np.ndarray)]
        found = detector.detect([p for _, p in pictures])
        there = [(at, p, f.boxes[pick(f, p.shape[:2], "central")])
                 for (at, p), f in zip(pictures, found, strict=True) if len(f)]  # fmt: skip
        if there:
            said = reader.predict([p for _, p, _ in there], np.stack([b for _, _, b in there]).astype(np.float32))
            places = [at for at, _, _ in there]
            masculine[places], age[places] = said.male >= 0.5, said.age
    return Readings("faceapi-age-gender", masculine, age)
