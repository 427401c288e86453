"""Tokens of plain text, with numbers in words turned into digits."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_DECADES = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
_SMALL = {w: n for n, w in enumerate((*_UNITS, *_TEENS))}
_WORD = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[\s-]({'|'.join(_UNITS[1:])}))?"
    rf"|({'|'.join((*_TEENS, *_UNITS))})|({'|'.join(_DECADES)}))\b"
)
_HUNDRED = re.compile(r"\b(?:a|1) hundred(?: and)?(?: (\d{1,2}))?\b")
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|\+/-|[^\w\s]|_")


@dataclass(frozen=True)
class Token:
    """A word, a number or a mark.

    Attributes:
        text: as written.
        number: its value; None for words and marks, NaN for digits that are no plain number ("1,000", "1.2.3").
        spaced: whether white space, or the start of the text, is before it.
    """

    text: str
    number: float | None
    spaced: bool


def digits(text: str) -> str:
    """The text with numbers in words as digits: "thirty-two" is "32", "twenties" is "20s"."""
    text = _WORD.sub(_value, text)
    return _HUNDRED.sub(lambda m: str(100 + int(m[1] or 0)), text)


def tokens(text: str) -> list[Token]:
    """Tokens of plain text."""
    found = []
    for match in _TOKEN.finditer(text):
        start = match.start()
        found.append(Token(match[0], _number(match[0]), start == 0 or text[start - 1].isspace()))
    return found


def _number(text: str) -> float | None:
    if not text[0].isdigit():
        return None
    if "," in text or text.count(".") > 1 or len(text) > 12:
        return float("nan")
    return float(text)


def _value(match: re.Match[str]) -> str:
    ten, unit, small, decade = match.groups()
    if ten:
        return str(20 + 10 * _TENS.index(ten) + (_SMALL[unit] if unit else 0))
    if decade:
        return f"{20 + 10 * _DECADES.index(decade)}s"
    return str(_SMALL[small])
