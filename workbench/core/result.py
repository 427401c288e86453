"""Evidence (the arms side by side) and Result (what a run commits)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .errors import ShapeError
from .trials import Measurements, Resampled, Scores
from .values import Estimate

Answer = Literal["supported", "refuted", "undecided", "not testable here"]
ANSWERS: tuple[Answer, ...] = ("supported", "refuted", "undecided", "not testable here")


@dataclass(frozen=True)
class Evidence:
    """What a study measured: arms on the same trials, and quantities on the same units.

    Attributes:
        scores: comparison scores by arm; all arms share one `Trials`.
        measurements: ``quantity -> arm -> Measurements``; all arms of a quantity share their units.
        numbers: further numbers by name, shown beside the paper's own.
        untestable: ``quantity -> reason`` for what this data cannot measure.
        statistics: ``quantity -> arm -> Resampled`` for what is no mean over units; all arms of a quantity share
            their draws.
    """

    scores: Mapping[str, Scores] = field(default_factory=dict)
    measurements: Mapping[str, Mapping[str, Measurements]] = field(default_factory=dict)
    numbers: Mapping[str, Estimate] = field(default_factory=dict)
    untestable: Mapping[str, str] = field(default_factory=dict)
    statistics: Mapping[str, Mapping[str, Resampled]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arms = list(self.scores.values())
        for other in arms[1:]:
            same = np.array_equal(arms[0].trials.reference, other.trials.reference) and np.array_equal(
                arms[0].trials.probe, other.trials.probe
            )
            if not same:
                raise ShapeError(
                    f"arms {arms[0].arm!r} and {other.arm!r} were scored on different trials",
                    do="score every arm on the same trials; that is what makes a paired test possible",
                )
        for quantity, by_arm in self.measurements.items():
            units = [m.subjects for m in by_arm.values()]
            if any(not np.array_equal(units[0], u) for u in units[1:]):
                raise ShapeError(f"the arms of {quantity!r} were measured on different units")
        for quantity, drawn in self.statistics.items():
            if len({(r.draw, r.drawn.shape) for r in drawn.values()}) > 1:
                raise ShapeError(
                    f"the arms of {quantity!r} were resampled by different draws",
                    do="resample every arm with the same subjects and seed; that is what makes a paired test possible",
                )


@dataclass(frozen=True)
class Reported:
    """A number that the paper reports, with its place in the paper.

    Attributes:
        metric: in this house's words, with its operating point.
        value: the number, or None where only a direction is reported.
        text: the finding in words, where there is no number.
        dataset: what it was measured on.
        place: "abstract", "Table 2", ...
        unit: "fraction", "percent", "s", ...
        key: name of the number in `Evidence.numbers` that answers to it, if there is one.
    """

    metric: str
    dataset: str
    place: str
    value: float | None = None
    text: str = ""
    unit: str = "fraction"
    key: str = ""


@dataclass(frozen=True)
class Verdict:
    """The answer to one claim, or to one part of one.

    Attributes:
        claim: "C1", ...
        statement: the claim in words.
        answer: one of the four answers; nothing is rounded up.
        effect: how much, with its interval; None where the claim was not testable.
        reason: why, in a sentence.
        parts: the verdicts of the comparisons that make up the claim.
        limit: of a comparison: the effect that its whole interval must pass; None for a claim of several.
        direction: of a comparison: ``"less"`` or ``"greater"``; the side of the limit that supports it.
    """

    claim: str
    statement: str
    answer: Answer
    effect: Estimate | None = None
    reason: str = ""
    parts: tuple[Verdict, ...] = ()
    limit: float | None = None
    direction: Literal["less", "greater", ""] = ""


@dataclass(frozen=True)
class Result:
    """The one record that a run commits.

    Attributes:
        study, version: which study, and its two-part version (number: comparability, letter: call).
        identity: frozen facts that change the answer (parameters, data, weights and code digests).
        parameters: resolved parameters, as plain values.
        numbers, verdicts, reported: what was measured, what it says, what the paper says.
        environment: machine, packages, the device and provider really used.
        timings: seconds by step.
        notes: what a reader must know, e.g. that the data are synthetic.
    """

    study: str
    version: str
    identity: Mapping[str, object]
    parameters: Mapping[str, object]
    numbers: Mapping[str, Estimate]
    verdicts: tuple[Verdict, ...]
    reported: tuple[Reported, ...] = ()
    environment: Mapping[str, object] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
