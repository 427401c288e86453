"""What a browser may ask of a widget: named questions with typed, bounded fields. Everything else is refused."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..core import ParameterError, UnknownNameError

# JavaScript's numbers are exact up to here; identifiers that may be larger cross as text.
EXACT = 2**53 - 1
MOST_BYTES = 32 * 2**20

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Whole:
    """An integer in ``[low, high]``."""

    low: int = 0
    high: int = EXACT

    def check(self, name: str, value: object) -> int:
        """The integer; a float without a fraction is one, because JavaScript has no other."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ParameterError(
                f"{name} is not to be had",
                given=_short(value),
                expected=f"a whole number from {self.low} to {self.high}",
            )
        return value


@dataclass(frozen=True)
class Number:
    """A finite number in ``[low, high]``."""

    low: float = -math.inf
    high: float = math.inf

    def check(self, name: str, value: object) -> float:
        """The number as a float."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ParameterError(f"{name} is no number", given=_short(value), expected="a finite number")
        if not self.low <= value <= self.high:
            raise ParameterError(f"{name} is out of range", given=value, expected=f"{self.low:g} to {self.high:g}")
        return float(value)


@dataclass(frozen=True)
class Text:
    """A text of at most ``longest`` characters, out of ``choices`` if there are any."""

    longest: int = 200
    choices: tuple[str, ...] = ()

    def check(self, name: str, value: object) -> str:
        """The text."""
        if not isinstance(value, str) or len(value) > self.longest:
            raise ParameterError(
                f"{name} is no text", given=_short(value), expected=f"at most {self.longest} characters"
            )
        if self.choices and value not in self.choices:
            raise UnknownNameError(name, value, self.choices)
        return value


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def check(self, name: str, value: object) -> bool:
        """The truth value."""
        if not isinstance(value, bool):
            raise ParameterError(f"{name} is neither true nor false", given=_short(value))
        return value


@dataclass(frozen=True)
class Several:
    """A list of at most ``longest`` items of one kind; ``length`` fixes how many."""

    item: Whole | Number | Text | Flag
    longest: int = 100
    length: int | None = None

    def check(self, name: str, value: object) -> list[Any]:
        """The items, each checked."""
        most = self.longest if self.length is None else self.length
        if not isinstance(value, list) or len(value) > most or (self.length is not None and len(value) != self.length):
            raise ParameterError(f"{name} is no list of the right length", given=_short(value), expected=most)
        return [self.item.check(f"{name}[{i}]", part) for i, part in enumerate(value)]


Field = Whole | Number | Text | Flag | Several


@dataclass(frozen=True)
class Question:
    """A question that a widget answers.

    Attributes:
        fields: what must be said with it, no more and no less.
        buffers: most buffers that may come with it.
        wish: it has something done and gives nothing back; then what went wrong before is over.
    """

    fields: Mapping[str, Field]
    buffers: int = 0
    wish: bool = False


def answers(*, buffers: int = 0, **fields: Field) -> Callable[[Handler], Handler]:
    """Mark a method as the answer to the question of its name.

    The method gets the checked fields by name, and ``buffers`` where there may be some. It returns None, a mapping of
    plain values, or such a mapping and a list of buffers.
    """

    def mark(method: Handler) -> Handler:
        wanted = {*fields, *(["buffers"] if buffers else [])}
        takes = set(inspect.signature(method).parameters) - {"self"}
        if takes != wanted:
            raise TypeError(f"{method.__name__} takes {sorted(takes)}, its question has {sorted(wanted)}")
        wish = inspect.signature(method, eval_str=True).return_annotation is None
        method.question = Question(fields, buffers, wish)  # type: ignore[attr-defined]
        return method

    return mark


def checked(question: Question, said: object, buffers: Sequence[Any]) -> dict[str, Any]:
    """The arguments of a question's method.

    Raises:
        ParameterError: a field is missing, too much, ill-typed or out of range, or the buffers are too many or large.
    """
    if not isinstance(said, dict) or set(said) != set(question.fields):
        given = sorted(map(str, said)) if isinstance(said, dict) else _short(said)
        raise ParameterError("a question has other fields", given=given, expected=sorted(question.fields))
    size = sum(memoryview(b).nbytes for b in buffers)
    if len(buffers) > question.buffers or size > MOST_BYTES:
        raise ParameterError(
            "a question carries too much",
            given=f"{len(buffers)} buffers, {size / 2**20:.1f} MB",
            expected=f"at most {question.buffers} buffers, {MOST_BYTES >> 20} MB together",
        )
    arguments = {name: field.check(name, said[name]) for name, field in question.fields.items()}
    return arguments | ({"buffers": [bytes(b) for b in buffers]} if question.buffers else {})


def _short(value: object) -> str:
    said = repr(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
    return said if len(said) <= 80 else f"{said[:77]}..."
