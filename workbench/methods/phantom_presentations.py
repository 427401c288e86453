"""An attack detector's scores of phantom presentations, kept in the workbench's home, and its errors at a threshold.

Bona fide and attack presentations of all domains of `data.phantom`, of people that no built-in network was trained on.
They say how a detector does on phantoms. ``phantom-attacks`` was trained on the same cameras, lights and instruments
with other people; any other detector meets them for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import models
from ..core import Estimate
from ..data import phantom
from ..data.phantom.cache import found_or_drawn
from ..files.home import home
from ..metrics.attacks import apcer, apcer_by_species, bpcer
from ..metrics.presentations import Presentations, Threshold
from .attack_detection import ONLY_PHANTOMS

# Decided before any error was seen: what two cores draw and judge in a minute or two, at a size at which faces of dim
# rooms are found.
PEOPLE, IMAGES, SIZE, SEED = 8, 1, 160, 20261130
NAME = "phantom presentations"
SOURCE = (
    f"on phantom presentations ({PEOPLE} people in each of {len(phantom.DOMAINS)} domains, test subset, {SIZE} pixels, "
    f"seed {SEED}): this says nothing of photographs"
)
_SEEN = (
    f"; {ONLY_PHANTOMS} was trained on the same cameras, lights and instruments with other people, so that it does "
    "better here than a detector that meets them for the first time"
)
FINDER = "faceapi-ssd"
_NAMES = (phantom.LIVE, *phantom.SPECIES)
Progress = Callable[[int, int], None]
Stored = dict[str, NDArray[Any]]


def source(detector: str) -> str:
    """What the errors of a detector are worth, in words.

    Args:
        detector: its name.
    """
    return SOURCE + (_SEEN if detector == ONLY_PHANTOMS else "")


class NotKeptError(Exception):
    """The scores have not been computed yet."""


@dataclass(frozen=True)
class ErrorsAt:
    """Errors of an attack detector at one threshold.

    Attributes:
        threshold: a presentation is called an attack when its attack score is above.
        by_species: APCER of each species, the worst first.
        apcer: of the system: the worst species'.
        bpcer: of bona fide presentations.
        bonafide: how many of those it rests on.
        failures: presentations in which no face was found; they are in no rate.
        tried: all presentations.
    """

    threshold: float
    by_species: dict[str, Estimate]
    apcer: Estimate
    bpcer: Estimate
    bonafide: int
    failures: int
    tried: int


def kept_scores(detector: models.AttackDetector) -> Presentations | None:
    """The scores if all of them were computed before."""

    def absent() -> Stored:
        raise NotKeptError

    try:
        return _joined([found_or_drawn(home() / "cache", _asked(detector, d), absent) for d in phantom.DOMAINS])
    except NotKeptError:
        return None


def scores(
    detector: models.AttackDetector, *, progress: Progress = lambda done, of: None
) -> Presentations:  # fmt: skip
    """The scores, computed once for these weights and kept in the workbench's home, domain by domain.

    Args:
        detector: of `models.attack_detector`.
        progress: is told how many domains are done; what it raises ends the work.

    Returns:
        Presentations, higher is more bona fide: attack scores negated.
    """
    parts: list[Stored] = []
    for domain in phantom.DOMAINS:
        progress(len(parts), len(phantom.DOMAINS))
        draw = partial(_judged, detector, domain)
        parts.append(found_or_drawn(home() / "cache", _asked(detector, domain), draw))
    progress(len(parts), len(parts))
    return _joined(parts)


def errors_at(presentations: Presentations, threshold: float) -> ErrorsAt:
    """Errors where an attack score above ``threshold`` calls an attack, with 95 % intervals."""
    limit = Threshold.given(-threshold)
    each = apcer_by_species(presentations, limit)
    worst_first = sorted(each, key=lambda name: -_rate(each[name]))
    return ErrorsAt(
        threshold, {name: each[name] for name in worst_first}, apcer(presentations, limit),
        bpcer(presentations, limit), int((presentations.bonafide & presentations.responded).sum()),
        int((~presentations.responded).sum()), len(presentations),
    )  # fmt: skip


def gallery(size: int = 160) -> phantom.AttackSet:
    """A few presentations of two domains to look at, with depth and near-infrared."""
    return phantom.attack_detection(2, 1, size=size, seed=SEED, domains=("office", "laboratory"), subsets=("test",))


def _rate(estimate: Estimate) -> float:
    return float(estimate) if estimate.defined else -1.0


def _asked(detector: models.AttackDetector, domain: str) -> dict[str, Any]:
    """All that the scores of a domain depend on."""
    networks = [[n.card.name, n.weights_digest, n.factor] for n in detector.networks]
    return {"what": "attack scores", "networks": networks, "finder": FINDER, "people": PEOPLE, "images": IMAGES,
            "size": SIZE, "seed": SEED, "domain": domain}  # fmt: skip


def _judged(detector: models.AttackDetector, domain: str) -> Stored:
    samples = phantom.attack_detection(
        PEOPLE, IMAGES, size=SIZE, seed=SEED, domains=(domain,), subsets=("test",)
    ).samples  # fmt: skip
    pictures = [samples.images[i] for i in range(len(samples))]
    found = models.load(FINDER).detect(pictures)
    there = np.array([len(faces) > 0 for faces in found])
    values = np.zeros(len(pictures))
    at = np.flatnonzero(there)
    if len(at):
        boxes = np.stack([found[i].boxes[0] for i in at.tolist()])
        values[at] = detector.scores([pictures[i] for i in at.tolist()], boxes)
    species = [_NAMES.index(str(name)) for name in samples.attributes["species"]]
    return {
        "score": values, "found": there.astype(np.uint8), "species": np.array(species, np.int64),
        "subject": np.unique(samples.subjects, return_inverse=True)[1].astype(np.int64),
    }  # fmt: skip


def _joined(parts: list[Stored]) -> Presentations:
    # People of one domain are nobody of another.
    starts = np.cumsum([0, *(int(p["subject"].max()) + 1 for p in parts)])
    subject = np.concatenate([p["subject"] + start for p, start in zip(parts, starts[:-1], strict=True)])
    score, found, kind = (np.concatenate([p[name] for p in parts]) for name in ("score", "found", "species"))
    species = np.array(_NAMES)[kind]
    return Presentations.of_attack_scores(NAME, score, kind > 0, species, subject, found.astype(bool))
