"""Verification in one line: two pictures, or all pairs of a protocol."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files, models
from ..core import ParameterError, Scores
from ..data import Dataset
from .explain import Maps, Question, explain

Picture = str | Path | NDArray[np.uint8]


@dataclass(frozen=True)
class Compared:
    """Two pictures compared.

    Attributes:
        score: cosine of the embeddings, or None after a failure to acquire.
        threshold: what the score is held against.
        origin: where the threshold comes from.
        accepted: the decision, or None after a failure to acquire.
        reasons: of both pictures, "" where a face was acquired.
        chips: ``uint8 (2, h, w, 3)`` aligned faces, empty after a failure.
        maps: similarity and dissimilarity maps of both, if asked for.
        provider: what ran.
    """

    score: float | None
    threshold: float
    origin: str
    accepted: bool | None
    reasons: tuple[str, ...]
    chips: NDArray[np.uint8]
    maps: Maps | None
    provider: str


def verify(
    reference: Picture, probe: Picture, *, model: str = "faceapi-recogniser", fmr: float = 1e-2,
    threshold: float | None = None, device: str = "auto", maps: bool = False,
) -> Compared:  # fmt: skip
    """Do two pictures show the same person?

    Args:
        reference: a file, or ``uint8 (h, w, 3)`` RGB.
        probe: likewise.
        model: specification of the embedder.
        fmr: operating point; its threshold stands on the model's card.
        threshold: use this one instead.
        device: see `models.load`.
        maps: also explain the decision by FGGB.

    Raises:
        ImageError: a file is not a picture.
        ParameterError: the card has no threshold for this FMR, and none was given.
    """
    pipeline = models.default_pipeline(model=model, device=device)
    card = pipeline.embedder.card
    if threshold is None:
        if fmr not in card.operating_points:
            known = ", ".join(f"{k:g}" for k in card.operating_points) or "none"
            raise ParameterError(
                f"{card.name} has no threshold for FMR {fmr:g}", expected=f"one of: {known}", do="give a threshold"
            )
        threshold, origin = card.operating_points[fmr]
    else:
        origin = "given by the user"
    pictures = [files.read_image(p) if isinstance(p, str | Path) else p for p in (reference, probe)]
    # One by one: what is found in a picture must not hang on the other.
    located = [pipeline.locate([p]) for p in pictures]
    chips = np.concatenate([found.chips for found in located])
    reasons = tuple(reason for found in located for reason in found.reasons)
    provider = pipeline.embedder.provider
    if len(chips) < 2:
        return Compared(None, threshold, origin, None, reasons, chips, None, provider)
    score = compare_chips(pipeline.embedder, chips)
    found = explain_chips(pipeline.embedder, chips, threshold) if maps else None
    return Compared(score, threshold, origin, score >= threshold, reasons, chips, found, provider)


def compare_chips(embedder: Any, chips: NDArray[np.uint8]) -> float:
    """Cosine of two aligned faces ``uint8 (2, h, w, 3)``, summed in double precision."""
    one, other = embedder.embed(chips)
    return float(one.astype(np.float64) @ other)


def explain_chips(
    embedder: Any, chips: NDArray[np.uint8], threshold: float, *, progress: Callable[[int, int], None] | None = None
) -> Maps:
    """What speaks for and against "same person" in two aligned faces, by FGGB.

    Args:
        embedder: a `models.Embedder` with gradients.
        chips: ``uint8 (2, h, w, 3)``.
        threshold: of the decision that is explained.
        progress: called with how much is done and how much there is.

    Raises:
        WeightsError: the model is an ONNX file.
    """
    import torch

    prepared = embedder.prepare(chips).to(embedder.engine.device)
    mean = torch.from_numpy(embedder.mean_colour)
    return explain("fggb", Question(embedder.network, prepared[:1], prepared[1:], threshold, mean, progress=progress))


@dataclass(frozen=True)
class Evaluated:
    """A protocol's scores.

    Attributes:
        scores: of all trials, failures to acquire included.
        pictures, seconds: how many were embedded, in what time, decoding included.
        environment: what ran.
    """

    scores: Scores
    pictures: int
    seconds: float
    environment: dict[str, object]


def evaluate(
    dataset: Dataset, pipeline: Any, *, protocol: str = "", progress: Callable[[int, int], None] | None = None
) -> Evaluated:
    """Embed every picture of a protocol once, and score its trials.

    Args:
        dataset: what to evaluate on.
        pipeline: a `models.Pipeline`.
        protocol: of the data set; its first if not given.
        progress: called with how many pictures are done and how many there are.
    """
    samples, trials = dataset.samples(protocol), dataset.trials(protocol)
    start = time.perf_counter()
    found = pipeline.embed(samples.images, progress=progress)
    seconds = time.perf_counter() - start
    values = found.compare(trials.reference, trials.probe)
    scores = Scores(pipeline.embedder.card.name, trials, values, np.isfinite(values))
    return Evaluated(scores, len(samples), seconds, pipeline.describe())
