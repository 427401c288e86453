"""How sure a reply says that it is."""

from __future__ import annotations

import re
from typing import Any

from . import objects

SCHEMA: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 100}

_NUMBER = r"(-?\d{1,9}(?:[.,]\d{1,9})?)"
_SURE = r"(?:sure|confident|certain|confidence|certainty|sicher|sûre?|seguro|segura)"
_FORWARD = re.compile(
    rf"{_NUMBER}\s?(?:%|percent\b|per cent\b|prozent\b)\s?(?:(?:level of|certain|im|i am|that)\s)?{_SURE}\b"
    rf"|\b(?:confidence|certainty|konfidenz|confianza|confiance)(?:\s(?:level|score))?\s?(?:is|of|at|:|=|"
    rf"-\s)?\s?(?:about |around |approximately |~)?"
    rf"{_NUMBER}(?![\d.,]*\d)\s?(%|percent\b|(?:/|out of)\s?\d{{1,4}}\b)?"
)


class UnusableError(ValueError):
    """A confidence is out of range, or there are two, or its scale cannot be told."""


def of_object(value: Any) -> float | None:
    """A JSON confidence, integer 0 to 100, as 0 to 1; None where it is left out.

    Raises:
        UnusableError: anything else.
    """
    if value is None:
        return None
    whole = objects.integer(value)
    if whole is None or not 0 <= whole <= 100:
        raise UnusableError("confidence is not an integer from 0 to 100")
    return whole / 100


def of_text(said: str) -> float | None:
    """A confidence in plain text ("87 % sure", "confidence: 0.87", "confidence 8/10") as 0 to 1, or None.

    Raises:
        UnusableError: it is out of range, two are given, or the number may be of either scale ("confidence: 1").
    """
    found = {_fraction(m) for m in _FORWARD.finditer(said)}
    if len(found) > 1:
        raise UnusableError("two confidences")
    return found.pop() if found else None


def without(said: str) -> str:
    """Plain text without its confidences."""
    return _FORWARD.sub(" ", said)


def _fraction(match: re.Match[str]) -> float:
    percent, labelled, unit = match.groups()
    value = float((percent or labelled).replace(",", "."))
    if percent or (unit and unit[0] in "%p"):
        value = round(value / 100, 12)
    elif unit:
        whole = int(re.sub(r"\D", "", unit))
        value = value / whole if whole else -1.0
    elif value >= 2 and value == int(value):
        value = value / 100
    elif value in (1.0,) or value > 1:
        raise UnusableError("a confidence of unknown scale")
    if not 0 <= value <= 1:
        raise UnusableError("a confidence out of range")
    return value
