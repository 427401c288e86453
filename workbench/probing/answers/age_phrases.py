"""Ages in a statement: points and ranges, in years.

The table of decades, x being the tens: "20s" x0-x9, early x0-x3, mid x4-x6, late x7-x9. Teens are 13-19: early
13-14, mid 15-16, late 17-19. Months are twelfths. Open ends reach 0 or a cap.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from .numerals import Token, digits, tokens
from .plain import wordlist

_PARTS = {"early": (0, 3), "mid": (4, 6), "middle": (4, 6), "late": (7, 9)}
_TEENS = {"early": (13, 14), "mid": (15, 16), "middle": (15, 16), "late": (17, 19)}
_TEEN_WORDS = {"teen", "teens", "teenager", "teenage", "teenaged"}
_YEAR = {
    "year",
    "years",
    "yr",
    "yrs",
    "yo",
    "y",
    "jahre",
    "jahr",
    "jährige",
    "jähriger",
    "ans",
    "an",
    "años",
    "año",
    "岁",
    "歳",
    "才",
}
_MONTH = {"month", "months", "mo", "monate", "mois", "meses"}
_TO = {"-", "to", "until", "till", "through", "bis", "a", "à", "~"}
_AND = {"and", "und", "et", "y", "to", "-"}
_OLDER = {"older", "over", "above", "more", "up", "beyond", "upwards", "plus"}
_YOUNGER = {"younger", "under", "below", "less"}
_ABOVE = (
    ("over",),
    ("above",),
    ("past",),
    ("older", "than"),
    ("more", "than"),
    ("at", "least"),
    ("upwards", "of"),
    ("über",),
    ("mehr", "als"),
    ("plus", "de"),
    ("más", "de"),
)
_BELOW = (
    ("under",),
    ("below",),
    ("younger", "than"),
    ("less", "than"),
    ("at", "most"),
    ("up", "to"),
    ("no", "older", "than"),
    ("unter",),
    ("weniger", "als"),
    ("moins", "de"),
    ("menos", "de"),
)
_MARGINS = (
    *(("±",), ("+/-",), ("plus", "or", "minus"), ("give", "or", "take")),
    *((",", "plus", "or", "minus"), (",", "give", "or", "take")),
)
_NEGATORS = {"not", "no", "never", "neither", "nor", "nicht", "pas", "hardly", "isn"}
# Words that may stand before a number that has no unit.
_BEFORE = wordlist(
    "age aged ages is be about around approximately approx roughly say guess estimate estimated looks look "
    "appears seems maybe perhaps probably likely nearly almost circa ca as or and somewhere anywhere turned "
    "turning im edad alter âge range believe think exactly currently just between from at possibly either"
)
_LABELS = wordlist("age aged alter edad âge range estimate estimated guess answer years old group bracket apparent")
_AFTER = wordlist(
    "or and based because given since for with at on by as due from considering approximately range age "
    "bracket group perhaps maybe probably i he she old though although if this that is would s years here "
    "overall"
)
_PEOPLE = wordlist("man woman male female boy girl person adult individual child baby infant toddler white black asian")
_SPOKEN = _TEEN_WORDS | {"old", "age", "alt"}
_STOPS = set(".,;:!)(?]\"'—")
_NOT_AGES = wordlist(
    "ago apart later earlier younger older difference gap prior before after in experience together since"
)
_OTHER_SUBJECTS = re.compile(
    r"\b(?:confiden\w*|certain\w*|score|similarity|temperature|weigh\w*|height|tall|probability|percent\w*|resolution|iso|"
    r"quality|chance|likelihood|odds|bmi|pixels?|number of|(?:year|number|digits?) on|distance|size|page|figure)\b"
)


@dataclass(frozen=True)
class Age:
    """An age that a statement gives: ``low`` = ``high`` for a point, in years; ``ranged`` for a range."""

    low: float
    high: float
    ranged: bool


@dataclass(frozen=True)
class _Found:
    low: float
    high: float
    ranged: bool
    start: int
    end: int
    sure: bool
    months: bool = False


class UnusableError(ValueError):
    """A statement's numbers cannot be read as ages: reversed, above 120, or no plain numbers."""


def ages(clause: str, cap: float) -> set[Age]:
    """Ages in a clause of plain text, those that are denied left out.

    Args:
        clause: plain text.
        cap: the upper end of "60+", in years.

    Raises:
        UnusableError: a range is reversed, an age is above 120, or digits are no plain number.
    """
    words = tokens(digits(clause))
    if any(t.number is not None and math.isnan(t.number) for t in words):
        raise UnusableError("digits that are no plain number")
    foreign = _OTHER_SUBJECTS.search(clause) is not None
    found: set[Age] = set()
    at = 0
    while at < len(words):
        age = _expression(words, at, cap)
        if age is None:
            at += 1
            continue
        if _is_age(words, age, foreign) and not any(t.text in _NEGATORS for t in words[: age.start]):
            found.add(_checked(age))
        at = age.end
    return found


def _checked(age: _Found) -> Age:
    if age.low > age.high:
        raise UnusableError("a reversed range")
    if age.low < 0 or age.high > 120:
        raise UnusableError("an age below 0 or above 120")
    return Age(age.low, age.high, age.ranged)


def _text(words: list[Token], at: int) -> str:
    return words[at].text if 0 <= at < len(words) else ""


def _expression(words: list[Token], at: int, cap: float) -> _Found | None:
    """The longest expression that starts here."""
    bound = _bound(words, at, cap)
    if bound:
        return bound
    opened = _text(words, at) in ("between", "from", "zwischen", "entre", "von", "de")
    first = _atom(words, at + opened)
    if first is None:
        return None
    pair = _pair(words, at, opened, first)
    if pair:
        return pair
    return None if opened else _extended(words, first, cap)


def _pair(words: list[Token], at: int, opened: bool, first: _Found) -> _Found | None:
    """Two ages with "to", a dash, or "between ... and ...", or a decade's "early to mid"."""
    if _follows(words, first.end, ("-", "to", "-")):
        first = _moved(first, first.end + 1)
    joint = _text(words, first.end)
    between = opened and _text(words, at) in ("between", "zwischen", "entre")
    if joint == "up" and _text(words, first.end + 1) == "to":
        first = _moved(first, first.end + 1)
        joint = "to"
    if joint not in (_AND if between else _TO):
        return None
    second_at = first.end + 1
    while _text(words, second_at) in ("-", "his", "her", "their", "about", "around", "the", "maybe", "perhaps", "even"):
        second_at += 1
    second = _atom(words, second_at)
    if second is None:
        return None
    twelfth = 12 if second.months and not first.sure else 1
    sure = first.sure or second.sure
    low = first.low / twelfth
    return _Found(low, second.high, True, at, second.end, sure, second.months)


def _moved(found: _Found, end: int) -> _Found:
    return _Found(found.low, found.high, found.ranged, found.start, end, found.sure, found.months)


def _extended(words: list[Token], first: _Found, cap: float) -> _Found:
    """An age, and what may follow it: "+", "or older", "± 5"."""
    end = first.end
    here, there = _text(words, end), _text(words, end + 1)
    if first.ranged:
        return first
    for margin in _MARGINS:
        if _follows(words, end, margin):
            width = _atom(words, end + len(margin))
            if width and not width.ranged:
                low, high = first.low - width.low, first.low + width.low
                return _Found(low, high, True, first.start, width.end, first.sure or width.sure)
    if here in ("+", "plus") and not _numeric(words, end + 1):
        return _with_unit(words, _Found(first.low, _open(first.low, cap), True, first.start, end + 1, first.sure))
    if here in ("or", "and") and there in _OLDER:
        return _Found(first.low, _open(first.low, cap), True, first.start, end + 2, first.sure)
    if here in ("or", "and") and there in _YOUNGER:
        return _Found(0, first.low, True, first.start, end + 2, first.sure)
    return first


def _open(low: float, cap: float) -> float:
    return cap if low <= cap else -1.0


def _bound(words: list[Token], at: int, cap: float) -> _Found | None:
    """Open ranges: "over 60", "younger than 18"."""
    for phrases, above in ((_ABOVE, True), (_BELOW, False)):
        for phrase in phrases:
            if not _follows(words, at, phrase) or _text(words, at - 1) in _YEAR | _MONTH:
                continue
            start = at + len(phrase)
            if _follows(words, start, ("the", "age", "of")):
                start += 3
            atom = _atom(words, start)
            if atom is None or atom.ranged or _text(words, atom.end) in _TO:
                continue
            low, high = (atom.low, _open(atom.low, cap)) if above else (0.0, atom.low)
            return _Found(low, high, True, at, atom.end, atom.sure)
    return None


def _follows(words: list[Token], at: int, phrase: tuple[str, ...]) -> bool:
    return all(_text(words, at + i) == word for i, word in enumerate(phrase))


def _numeric(words: list[Token], at: int) -> bool:
    return at < len(words) and words[at].number is not None


def _atom(words: list[Token], at: int) -> _Found | None:
    """A number with or without its unit, a decade, or teens."""
    decade = _decade(words, at)
    if decade:
        return decade
    if not _numeric(words, at):
        return None
    value = words[at].number or 0.0
    return _with_unit(words, _Found(value, value, False, at, at + 1, False))


def _with_unit(words: list[Token], found: _Found) -> _Found:
    """Take in "years old", "-year-old", "years of age", "months"."""
    end = found.end
    if _text(words, end) == "-" and _text(words, end + 1) in _YEAR | _MONTH:
        end += 1
    unit = _text(words, end)
    if unit not in _YEAR | _MONTH:
        return found
    end += 1
    if (unit == "y" and _follows(words, end, ("/", "o"))) or (unit == "y" and _follows(words, end, (".", "o"))):
        end += 2
    elif unit == "y":
        # "30 y 40" is Spanish for "30 and 40".
        return found
    if _text(words, end) == "-" and _text(words, end + 1) == "old":
        end += 1
    if _text(words, end) in ("old", "alt"):
        end += 1
    elif _follows(words, end, ("of", "age")):
        end += 2
    per = 12 if unit in _MONTH else 1
    return _Found(found.low / per, found.high / per, found.ranged, found.start, end, True, per == 12)


def _decade(words: list[Token], at: int) -> _Found | None:
    """Decades and teens: "20s", "mid-thirties", "early to mid 30s", "late teens"."""
    parts: list[str] = []
    end = at
    while _text(words, end) in _PARTS:
        parts.append(_text(words, end))
        end += 1
        while _text(words, end) in ("-", "to"):
            end += 1
    if len(parts) > 2:
        return None
    if _text(words, end) in _TEEN_WORDS:
        spans = [_TEENS[p] for p in parts] or [(13, 19)]
        return _Found(spans[0][0], spans[-1][1], True, at, end + 1, True)
    stem = _stem(words, end)
    if stem is None:
        return None
    ten, end = stem
    spans = [_PARTS[p] for p in parts] or [(0, 9)]
    return _Found(ten + spans[0][0], ten + spans[-1][1], True, at, end, False)


def _stem(words: list[Token], at: int) -> tuple[float, int] | None:
    """Tens and end of "30s" or "30's"."""
    ten = words[at].number if at < len(words) else None
    if ten is None or ten % 10 or not 20 <= ten <= 110:
        return None
    end = at + 1
    if _text(words, end) == "'":
        end += 1
    return (ten, end + 1) if _text(words, end) == "s" and not words[end].spaced else None


def _is_age(words: list[Token], age: _Found, foreign: bool) -> bool:
    """Whether what stands around an expression lets it be an age."""
    before, after = _text(words, age.start - 1), _text(words, age.end)
    if _hyphened(words, age.start):
        raise UnusableError("a number with a minus sign")
    follows = after == "" or after in _STOPS or after in _AFTER or (after == "-" and words[age.end].spaced)
    if age.sure:
        spoken = follows or after in _PEOPLE or _text(words, age.end - 1) in _SPOKEN
        return spoken and after not in _NOT_AGES and before not in ("last", "past", "every", "for")
    decimal = not (float(age.low).is_integer() and float(age.high).is_integer())
    if foreign or not follows or (age.ranged and decimal):
        return False
    return _introduced(words, age, before)


def _hyphened(words: list[Token], at: int) -> bool:
    """Whether a number has a minus sign: a hyphen right before it, and nothing before that."""
    if _text(words, at - 1) != "-" or words[at].spaced or not _numeric(words, at):
        return False
    return words[at - 1].spaced


def _introduced(words: list[Token], age: _Found, before: str) -> bool:
    """Whether the word before an expression without a unit may stand before an age."""
    at = age.start - 1
    if before in ("", ",", "(", "~", "≈") or before in _BEFORE:
        return True
    if before in (":", "=", "-"):
        return _text(words, at - 1) in _LABELS | {")"}
    if before == "of":
        return _text(words, at - 1) in _LABELS
    if before in ("his", "her", "their"):
        return True
    if before == "s":
        return _text(words, at - 1) == "'"
    if before == "in":
        return (age.ranged and _text(words, age.end) != "range") or _text(words, at - 1) in ("is", "somewhere")
    if before == "the":
        return age.ranged and _text(words, age.end) in ("range", "age", "bracket", "group")
    return before == "years" and _text(words, at - 1) == "of"
