"""Recognisers with the thresholds of their cards, and faces as portraits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from .. import models
from ..core import ParameterError
from ..methods.portraits import Portrait, portrait
from .finding import Face, embedder

_LOADING = Lock()


@dataclass(frozen=True)
class Recogniser:
    """A recogniser and what its card says of decisions.

    Attributes:
        spec: as it was asked for.
        embedder: ready to run.
        threshold: at the FMR that was asked for, or None where the card states none.
        origin: what the threshold was measured on, "" without one.
    """

    spec: str
    embedder: Any
    threshold: float | None
    origin: str


@cache
def _landmarker(device: str) -> Any:
    return models.load("faceapi-landmarks68", device=device)


def recogniser(spec: str, *, fmr: float = 1e-2, device: str = "auto") -> Recogniser:
    """The recogniser of this name, loaded at the first call."""
    loaded = embedder(spec, device)
    threshold, origin = loaded.card.operating_points.get(fmr, (None, ""))
    return Recogniser(spec, loaded, threshold, origin)


def check_models(specs: str | Sequence[str]) -> tuple[str, ...]:
    """Names of recognisers, or one name, refused before anything is loaded where one is none.

    Raises:
        UnknownNameError: no such model.
        ParameterError: a model that gives no embeddings, or none at all.
    """
    specs = (specs,) if isinstance(specs, str) else tuple(specs)
    if not specs:
        raise ParameterError("no recogniser was given", expected="at least one model", do="see `workbench models`")
    for spec in specs:
        card = models.card(spec)
        if card.task != "embedding":
            raise ParameterError(f"{spec} is no recogniser", given=card.task, expected="a model that gives embeddings")
    return specs


def portrait_of(face: Face, *, device: str = "auto", size: int = 256) -> Portrait:
    """A face as a portrait of its own."""
    with _LOADING:
        landmarker = _landmarker(device)
    return portrait(face.picture, face.box, face.points, landmarker, size=size)
