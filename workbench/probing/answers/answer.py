"""What a reply comes to: a value, a refusal, or nothing that can be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

Outcome = Literal["value", "refusal", "unparsed"]


@dataclass(frozen=True)
class Answer:
    """A parsed reply.

    Attributes:
        outcome: ``"value"``, ``"refusal"`` (the model declined) or ``"unparsed"`` (no answer that is clear).
        value: what was said; None unless the outcome is ``"value"``.
        why: the rule that decided, in a few words, for people who look.
    """

    outcome: Outcome
    value: Any = None
    why: str = ""


class Kind(Protocol):
    """A kind of answer that can be asked for."""

    def parse(self, text: str) -> Answer:
        """Read a reply; never raises, whatever the text."""
        ...

    def schema(self) -> dict[str, Any]:
        """The strict JSON schema that a model is asked to keep."""
        ...


def valued(value: Any, why: str) -> Answer:
    """An answer with a value."""
    return Answer("value", value, why)


def unparsed(why: str) -> Answer:
    """No answer, and the reason."""
    return Answer("unparsed", None, why)


def schema_of(properties: dict[str, Any]) -> dict[str, Any]:
    """A strict object: every property required, no other allowed."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
