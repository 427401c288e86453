"""The order in which every kind of answer reads a reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import objects
from .answer import Answer, unparsed
from .plain import plain, without_thoughts
from .refusals import LIMIT, refuses
from .statements import Said, stated

_REFUSAL = "declined in words"


def read(text: str, of_object: Callable[[dict[str, Any]], Answer | None], of_text: Callable[[Said], Answer]) -> Answer:
    """Read a reply: its JSON if it has any, otherwise what it states.

    Args:
        text: the reply; the first 20,000 characters count, and longer ones are read as JSON only.
        of_object: reads one JSON object; None where it leaves the answer out.
        of_text: reads statements.

    Returns:
        The JSON's answer unless a line "Answer: ..." contradicts it; else that of such lines where they agree; else
        that of the statements. Without a value, a refusal where the text refuses.
    """
    shown = without_thoughts(text[:LIMIT])
    found = objects.find(shown)
    if found.broken:
        return _declined(found.outside) or unparsed(found.broken)
    if found.objects:
        return _from_objects(shown, found, of_object, of_text)
    if len(text) > LIMIT:
        return unparsed(f"longer than {LIMIT} characters, and not JSON")
    said = plain(shown)
    answer = _from_statements(stated(said), of_text)
    if answer.outcome != "value" and refuses(said):
        return Answer("refusal", None, _REFUSAL)
    return answer


def _declined(text: str) -> Answer | None:
    return Answer("refusal", None, _REFUSAL) if refuses(plain(text)) else None


def _from_objects(
    shown: str,
    found: objects.Found,
    of_object: Callable[[dict[str, Any]], Answer | None],
    of_text: Callable[[Said], Answer],
) -> Answer:
    answers = [of_object(o) for o in found.objects]
    first = answers[0]
    if any(a is None for a in answers) or first is None:
        return _declined(shown) or unparsed("the object leaves the answer out")
    if any(a != first for a in answers):
        return unparsed("objects that disagree")
    finals = stated(plain(found.outside)).finals
    if first.outcome == "value" and finals:
        final = _from_finals(finals, "", of_text)
        if final.outcome == "value" and not _agree(first.value, final.value):
            return unparsed("the object and the answer line disagree")
    return first


def _from_statements(said: Said, of_text: Callable[[Said], Answer]) -> Answer:
    if said.finals:
        return _from_finals(said.finals, said.kept, of_text)
    return of_text(said)


def _from_finals(finals: tuple[str, ...], kept: str, of_text: Callable[[Said], Answer]) -> Answer:
    answers = []
    for line in finals:
        inner = stated(line)
        answers.append(of_text(Said(inner.clauses, kept or inner.kept, (), inner.listed)))
    values = [a for a in answers if a.outcome == "value"]
    if not values:
        return answers[0]
    if any(a.value != values[0].value for a in values):
        return unparsed("answer lines that disagree")
    return Answer("value", values[0].value, "answer line: " + values[0].why)


def _agree(left: Any, right: Any) -> bool:
    """Whether two values say the same, as far as both say anything."""
    if isinstance(left, dict) and isinstance(right, dict):
        return all(left[k] in (None, "") or right[k] in (None, "") or left[k] == right[k] for k in left)
    return bool(left == right)
