"""An attack detector's scores of phantom presentations, kept in the workbench's home, and its errors at a threshold.

Bona fide and attack presentations of all domains of `data.phantom`, of people that no built-in network was trained on.
They say how a detector does on phantoms. ``phantom-attacks`` was trained on the same cameras, lights and instruments
with other people; any other detector meets them for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

# Decided before any error was seen: what two cores draw and judge in a minute or two, at a size at which faces of dim
# rooms are found.
PEOPLE, IMAGES, SIZE, SEED = 8, 1, 160, 20261130
NAME = "phantom presentations"
SOURCE = (
    f"on phantom presentations ({PEOPLE} people in each of {len(phantom.DOMAINS)} domains, test subset, {SIZE} pixels, "
    f"seed {SEED}): this says nothing of photographs"
)
FINDER = "faceapi-ssd"
_NAMES = (phantom.LIVE, *phantom.SPECIES)
Progress = Callable[[int, int], None]


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
        failures: presentations in which no face was found; they are in no rate.
        tried: all presentations.
    """

    threshold: float
    by_species: dict[str, Estimate]
    apcer: Estimate
    bpcer: Estimate
    failures: int
    tried: int


def kept_scores(detector: models.AttackDetector) -> Presentations | None:
    """The scores if they were computed before."""

    def absent() -> dict[str, NDArray[Any]]:
        raise NotKeptError

    try:
        return _presentations(found_or_drawn(home() / "cache", _asked(detector), absent))
    except NotKeptError:
        return None


def scores(detector: models.AttackDetector, *, progress: Progress = lambda done, of: None) -> Presentations:
    """The scores, computed once for these weights and kept in the workbench's home.

    Args:
        detector: of `models.attack_detector`.
        progress: is told how far it is; what it raises ends the work.

    Returns:
        Presentations, higher is more bona fide: attack scores negated.
    """
    asked = _asked(detector)

    def draw() -> dict[str, NDArray[Any]]:
        finder = models.load(FINDER)
        parts = []
        for done, domain in enumerate(phantom.DOMAINS):
            progress(done, len(phantom.DOMAINS))
            shown = phantom.attack_detection(
                asked["people"], asked["images"], size=asked["size"], seed=asked["seed"], domains=(domain,),
                subsets=("test",),
            )  # fmt: skip
            parts.append(_judged(detector, finder, shown.samples))
        progress(len(parts), len(parts))
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return joined | {"subject": np.unique(joined["subject"], return_inverse=True)[1].astype(np.int64)}

    return _presentations(found_or_drawn(home() / "cache", asked, draw))


def errors_at(presentations: Presentations, threshold: float) -> ErrorsAt:
    """Errors where an attack score above ``threshold`` calls an attack, with 95 % intervals."""
    limit = Threshold.given(-threshold)
    each = apcer_by_species(presentations, limit)
    worst_first = sorted(each, key=lambda name: -_rate(each[name]))
    return ErrorsAt(
        threshold, {name: each[name] for name in worst_first}, apcer(presentations, limit),
        bpcer(presentations, limit), int((~presentations.responded).sum()), len(presentations),
    )  # fmt: skip


def gallery(size: int = 160) -> phantom.AttackSet:
    """A few presentations of two domains to look at, with depth and near-infrared."""
    return phantom.attack_detection(2, 1, size=size, seed=SEED, domains=("office", "laboratory"), subsets=("test",))


def _rate(estimate: Estimate) -> float:
    return float(estimate) if estimate.defined else -1.0


def _asked(detector: models.AttackDetector) -> dict[str, Any]:
    """All that the scores depend on."""
    networks = [[n.card.name, n.weights_digest, n.factor] for n in detector.networks]
    return {"what": "attack scores", "networks": networks, "finder": FINDER, "people": PEOPLE, "images": IMAGES,
            "size": SIZE, "seed": SEED, "domains": list(phantom.DOMAINS)}  # fmt: skip


def _judged(detector: models.AttackDetector, finder: Any, samples: Any) -> dict[str, NDArray[Any]]:
    pictures = [samples.images[i] for i in range(len(samples))]
    found = finder.detect(pictures)
    there = np.array([len(faces) > 0 for faces in found])
    values = np.zeros(len(pictures))
    at = np.flatnonzero(there)
    if len(at):
        boxes = np.stack([found[i].boxes[0] for i in at.tolist()])
        values[at] = detector.scores([pictures[i] for i in at.tolist()], boxes)
    species = [_NAMES.index(str(name)) for name in samples.attributes["species"]]
    return {
        "score": values, "found": there.astype(np.uint8), "species": np.array(species, np.int64),
        "subject": np.asarray(samples.subjects),
    }  # fmt: skip


def _presentations(stored: dict[str, NDArray[Any]]) -> Presentations:
    species = np.array(_NAMES)[stored["species"]]
    return Presentations.of_attack_scores(
        NAME, stored["score"], stored["species"] > 0, species, stored["subject"], stored["found"].astype(bool)
    )
