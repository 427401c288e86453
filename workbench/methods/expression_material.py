"""What the study of expression neutrality hands from step to step: pictures, what networks say of them, comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..data.phantom.dataset import LICENCE
from .expression_faces import Faces

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """Where the pictures of a set lie, and the faces in them.

    Attributes:
        spec: of the data set.
        places: ``int64 (n,)`` of the pictures in its samples.
        points: ``float32 (n, 5, 2)`` landmarks in pixels.
    """

    spec: str
    places: NDArray[np.int64]
    points: NDArray[np.float32]


@dataclass(frozen=True)
class Compared:
    """Comparisons of the user's, as places among the faces of their source.

    Attributes:
        references: ``int64 (references,)``, each once.
        probes: ``int64 (probes,)`` of each mated comparison.
        nonmated: ``int64 (k, 2)`` reference and probe.
        left_out: comparisons that are missing because one of their pictures failed to acquire.
    """

    references: NDArray[np.int64]
    probes: NDArray[np.int64]
    nonmated: NDArray[np.int64]
    left_out: int = 0


@dataclass(frozen=True)
class Material:
    """All pictures of a run; nobody is in two of them.

    Attributes:
        train: what the networks learn from; empty where networks are given.
        sets: of different styles, for the classifiers.
        references, probes: mated comparisons; phantoms have one neutral reference of each person.
        reference: ``int64 (probes,)`` place of each probe's reference.
        name, licence, digest: of the data.
        real: whether real people are shown.
        sources: of the sets, and last of what is compared; empty for phantoms. ``images`` are then thumbnails.
        compared: places in the last source; None where non-mated comparisons are drawn, or nothing is compared.
        failures: by set, how many pictures failed to acquire for which reason.
    """

    train: Faces
    sets: tuple[Faces, ...]
    references: Faces
    probes: Faces
    reference: NDArray[np.int64]
    name: str = "phantom"
    licence: str = LICENCE
    digest: str = ""
    real: bool = False
    sources: tuple[Source, ...] = ()
    compared: Compared | None = None
    failures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """What a reader of the result must know of the data."""
        if not self.sources:
            return ["phantom faces: the people do not exist",
                    "networks A and B and the recogniser were trained in this run"]  # fmt: skip
        lost = sum(sum(reasons.values()) for reasons in self.failures.values())
        said = [f"no face was found in {lost} pictures; they are not part of any number"] if lost else []
        left = self.compared.left_out if self.compared is not None else 0
        return [*said, f"{left} comparisons were left out for that"] if left else said


@dataclass(frozen=True)
class Given:
    """A network of the user's.

    Attributes:
        kind: ``"A"``, ``"B"`` or ``"recogniser"``.
        spec: as it is loaded.
        digest: of its weights.
        provider: what runs it.
    """

    kind: str
    spec: str
    digest: str
    provider: str


@dataclass(frozen=True)
class Seen:
    """What is known of the faces of one set before any classifier of neutrality.

    Attributes:
        features: of `neutrality.FEATURES`, ``float32 (n, d)``.
        baselines: quality measures as far as they are known, ``(n,)``; higher is better.
    """

    features: Mapping[str, NDArray[np.float32]]
    baselines: Mapping[str, Floats]


@dataclass(frozen=True)
class Described:
    """Everything that networks say.

    Attributes:
        sets: of each set.
        references, probes: of the utility test.
        accuracy: of the expression networks on the probes, by network, where they say expressions.
    """

    sets: tuple[Seen, ...]
    references: Seen
    probes: Seen
    accuracy: Mapping[str, float]


@dataclass(frozen=True)
class Recognition:
    """What the recogniser says, with the threshold that stays while comparisons are discarded.

    Attributes:
        mated: ``(probes,)`` similarities.
        nonmated: ``(k,)`` similarities with another person's reference.
        threshold: rejects the wanted share of the mated comparisons.
        correlation: Spearman's, of expression strength and mated similarity; NaN where it is not defined.
    """

    mated: Floats
    nonmated: Floats
    threshold: float
    correlation: float
