"""The paper's numbers beside ours, each with the data that it was measured on: neither is ever taken for the other."""

from __future__ import annotations

from dataclasses import dataclass

from ..core import Estimate, Reported, Result

# A number that stands for nothing of ours must not look like one.
NOT_OURS = "no number of this run answers to it"


@dataclass(frozen=True)
class Beside:
    """One number that the paper reports, and what of a run answers to it.

    Attributes:
        metric: in this house's words.
        said: by the paper, with its unit; words where there is no number.
        dataset, place: what the paper measured it on, and where it says so.
        ours: with its interval and unit; None where no number of the run answers to it.
        ours_n: what ours rests on.
        ours_on: the run's data.
        key: name of ours; "" where there is none.
    """

    metric: str
    said: str
    dataset: str
    place: str
    ours: str | None
    ours_n: str
    ours_on: str
    key: str


def beside(result: Result) -> list[Beside]:
    """Every number that the paper reports."""
    data = measured_on(result)
    return [_beside(r, result, data) for r in result.reported]


def measured_on(result: Result) -> str:
    """The data of a run, in words."""
    data = result.environment.get("data") or result.parameters.get("data") or "data that the run does not name"
    return str(data)


def rests_on(estimate: Estimate) -> str:
    """Counts in words, e.g. ``"40 people, 2,640 mated"``."""
    return ", ".join(f"{v:,} {k}" for k, v in estimate.counts.items())


def _beside(reported: Reported, result: Result, data: str) -> Beside:
    ours = result.numbers.get(reported.key) if reported.key else None
    return Beside(
        reported.metric,
        reported.text if reported.value is None else f"{reported.value:g}{_unit(reported.unit)}",
        reported.dataset,
        reported.place,
        None if ours is None else f"{ours}{_unit(ours.unit)}",
        "" if ours is None else rests_on(ours),
        data,
        reported.key,
    )


def _unit(unit: str) -> str:
    return f" {unit}" if unit not in ("", "fraction") else ""
