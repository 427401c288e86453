"""Numbers that say what they are: an estimate with its interval and rule, or *undefined* with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import ShapeError


@dataclass(frozen=True)
class Undefined:
    """The answer to a question that the data cannot answer.

    Attributes:
        reason: why, as a sentence fragment ("no mated trials").
        counts: what there was, e.g. ``{"mated": 0, "nonmated": 12}``.
    """

    reason: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def __float__(self) -> float:
        raise ShapeError(
            "an undefined value was used as a number",
            given=str(self),
            expected="a defined value",
            do="test with isinstance(x, Undefined) and show the reason instead",
        )

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        counts = ", ".join(f"{k} {v}" for k, v in self.counts.items())
        return f"undefined: {self.reason}" + (f" ({counts})" if counts else "")


@dataclass(frozen=True)
class Estimate:
    """A measured number, with everything needed to read it.

    Attributes:
        value: the number, or why there is none.
        low, high: ends of the interval, both None where none was computed.
        rule: definition in words: sign, ties, interpolation, threshold origin, interval method.
        counts: what it rests on, e.g. ``{"mated": 500, "subjects": 960, "failures": 3}``.
        unit: "fraction", "score", "px", "seconds", ...; "" for a pure number.
        level: confidence level of the interval.
    """

    value: float | Undefined
    low: float | Undefined | None = None
    high: float | Undefined | None = None
    rule: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    unit: str = ""
    level: float = 0.95

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if isinstance(number, float) and math.isnan(number):
                raise ShapeError(
                    f"an estimate's {name} is NaN",
                    expected="a number, or Undefined with a reason",
                    do="return Undefined(reason, counts) where the measure is not defined",
                )

    @property
    def defined(self) -> bool:
        """Whether there is a number."""
        return not isinstance(self.value, Undefined)

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        if isinstance(self.value, Undefined):
            return str(self.value)
        text = f"{self.value:.4g}"
        if isinstance(self.low, float) and isinstance(self.high, float):
            text += f" [{self.low:.4g}, {self.high:.4g}]"
        return text


Number = float | Undefined
