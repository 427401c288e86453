"""A paper's claim as an object: what is better than what, on which quantity, by how much."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..core import ParameterError, Reported

Direction = Literal["less", "greater"]
PILLARS = ("recognition", "attributes", "probing", "spoofing")
SCALES = ("smoke", "demo", "paper")


@dataclass(frozen=True)
class Comparison:
    """One arm against another, or against a number.

    Attributes:
        quantity: name in `Evidence.measurements`, or a score statistic: ``"eer"``, ``"auc"``,
            ``"fnmr_at_fmr(1e-2)"``.
        arm: the arm that should win.
        against: the other arm's name, or a constant.
        direction: ``"less"``: ``arm - against < -margin``; ``"greater"``: ``arm - against > margin``.
        margin: how much better it must be; negative allows to be that much worse (non-inferiority).
        every: of each unit instead of their mean, as an identity says it: one that is otherwise refutes.
    """

    quantity: str
    arm: str
    against: str | float
    direction: Direction = "less"
    margin: float = 0.0
    every: bool = False

    def __str__(self) -> str:
        sign = "<" if self.direction == "less" else ">"
        text = f"{self.quantity}: {self.arm} {sign} {self.against}{', each time' if self.every else ''}"
        if self.margin > 0:
            return f"{text} by more than {self.margin:g}"
        return f"{text}, or at most {-self.margin:g} worse" if self.margin < 0 else text


@dataclass(frozen=True)
class Claim:
    """A claim is supported when all of its comparisons are.

    Attributes:
        id: ``"C1"``, ...
        statement: in words, as the paper means it.
        parts: its comparisons.
        ours: True where the claim is this project's own check, not the paper's.
    """

    id: str
    statement: str
    parts: tuple[Comparison, ...]
    ours: bool = False


@dataclass(frozen=True)
class Study:
    """What a study module declares, as its constant ``STUDY``.

    Attributes:
        title: of the paper.
        source: arXiv number or other identifier.
        pillar: recognition, attributes, probing or spoofing.
        version: two parts, ``"1-A"``: the number rises when results stop being comparable, the letter when
            the call changes.
        claims: in the order of the specification.
        reported: the paper's own numbers and findings.
        scales: sizes by scale; what a parameter of None means.
    """

    title: str
    source: str
    pillar: str
    version: str
    claims: tuple[Claim, ...]
    reported: tuple[Reported, ...]
    scales: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = [c.id for c in self.claims]
        problems = [
            (
                not re.fullmatch(r"[1-9]\d*-[A-Z]", self.version),
                f"version {self.version!r} is not like '1-A'",
            ),
            (self.pillar not in PILLARS, f"pillar {self.pillar!r} is none of {', '.join(PILLARS)}"),
            (len(set(ids)) != len(ids), f"claim ids are not unique: {', '.join(ids)}"),
            (not all(c.parts for c in self.claims), "a claim has no comparisons"),
            (
                set(self.scales) != set(SCALES),
                f"scales are {', '.join(self.scales)}, not {', '.join(SCALES)}",
            ),
            (
                len({frozenset(v) for v in self.scales.values()}) > 1,
                "the scales do not set the same parameters",
            ),
        ]
        for wrong, what in problems:
            if wrong:
                raise ParameterError(f"study {self.title!r} is declared wrongly: {what}")
