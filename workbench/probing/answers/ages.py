"""Answers about age: a point or a range, in years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core import ParameterError
from . import objects
from .age_phrases import Age, UnusableError, ages
from .answer import Answer, schema_of, unparsed, valued
from .reading import read
from .statements import Said

_OLDEST = 120.0
_YEARS: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": _OLDEST}


@dataclass(frozen=True)
class AgeYears:
    """An age, ``{"age": float}`` in years, 0 to 120.

    JSON: ``age``. In words: one age ("I'd say 32", "thirty-two years old", "aged 7 months" is 7/12), in years where
    no unit is given. A range, two ages, or a number with another unit is no answer.
    """

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for."""
        return schema_of({"age": _YEARS})

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        if found.get("age") is None:
            return None
        age = _years(found["age"])
        return unparsed("age is not a number from 0 to 120") if age is None else valued({"age": age}, "JSON")

    def _of_text(self, said: Said) -> Answer:
        try:
            found = _all_ages(said, _OLDEST)
        except UnusableError as error:
            return unparsed(str(error))
        if len(found) != 1:
            return unparsed("two ages" if found else "no age")
        age = found.pop()
        return unparsed("a range, not an age") if age.ranged else valued({"age": age.low}, "one age")


@dataclass(frozen=True)
class AgeRange:
    """A range of ages, ``{"age_low": float, "age_high": float}`` in years, 0 <= low <= high <= 120, ends included.

    JSON: ``age_low`` and ``age_high``. In words: see the table in `age_phrases`. An age inside the range may be
    given beside it; an age alone, two ranges, or a reversed range is no answer.

    Attributes:
        cap: upper end of "60+" and "over 60", in years, at most 120.
    """

    cap: float = 100.0

    def __post_init__(self) -> None:
        if not 0 < self.cap <= _OLDEST:
            raise ParameterError("the cap is no age", given=self.cap, expected="above 0, at most 120 years")

    def parse(self, text: str) -> Answer:
        """Read a reply."""
        return read(text, self._of_object, self._of_text)

    def schema(self) -> dict[str, Any]:
        """The JSON to ask for; that low is not above high cannot be said in it."""
        return schema_of({"age_low": _YEARS, "age_high": _YEARS})

    def _of_object(self, found: dict[str, Any]) -> Answer | None:
        if found.get("age_low") is None and found.get("age_high") is None:
            return None
        low, high = _years(found.get("age_low")), _years(found.get("age_high"))
        if low is None or high is None or low > high:
            return unparsed("age_low and age_high are not a range within 0 to 120")
        return valued({"age_low": low, "age_high": high}, "JSON")

    def _of_text(self, said: Said) -> Answer:
        try:
            found = _all_ages(said, self.cap)
        except UnusableError as error:
            return unparsed(str(error))
        ranges = [a for a in found if a.ranged]
        if len(ranges) != 1:
            return unparsed("two ranges" if ranges else "no range")
        low, high = ranges[0].low, ranges[0].high
        if any(not low <= a.low <= high for a in found):
            return unparsed("an age outside the range")
        return valued({"age_low": low, "age_high": high}, "one range")


def _years(value: Any) -> float | None:
    number = objects.number(value)
    return number if number is not None and 0 <= number <= _OLDEST else None


def _all_ages(said: Said, cap: float) -> set[Age]:
    return {age for clause in said.clauses for age in ages(clause.text, cap)}
