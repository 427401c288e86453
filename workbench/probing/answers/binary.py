"""Two-sided questions: which side a reply's statements take."""

from __future__ import annotations

import re

from .mentions import Lexicon, agreed
from .statements import Clause

_YES = re.compile(r"^(?:yes|yeah|yep|yup|affirmative|true|correct|ja|oui|sí|si|はい|是|是的)\b")
_NO = re.compile(r"^(?:no|nope|negative|false|nein|non|いいえ|不是|不)\b")
_ECHO = re.compile(r"^[\s,.!:;-]*(?:(?:they|it|these|those|he|she) (?:are|is|do|does|match)(?: not)?)?[\s.!,-]*$")


class Sides:
    """A question with two answers, one of which is "yes".

    Args:
        yes, no: phrases that say either.
        yes_alone, no_alone: phrases that count only where a piece of a sentence says nothing else.
        asked: whether a bare "yes" answers the question as the workbench puts it. Where it does not, a bare "yes"
            counts only after a question that the reply repeats.
    """

    def __init__(
        self,
        yes: tuple[str, ...],
        no: tuple[str, ...],
        *,
        yes_alone: tuple[str, ...] = (),
        no_alone: tuple[str, ...] = (),
        asked: bool,
    ) -> None:
        self._lexicon = Lexicon({"yes": yes, "no": no}, alone={"yes": yes_alone, "no": no_alone})
        self._asked = asked

    def side(self, clauses: tuple[Clause, ...]) -> bool | None:
        """The side that every statement takes that takes one; None where none does or they differ.

        A bare "yes" or "no" further down answers nothing by itself, but may take back what stands above.
        """
        sides: set[bool] = set()
        further: set[bool] = set()
        for at, clause in enumerate(clauses):
            bare = self._bare(clause, first=at == 0)
            if bare is not None:
                sides.add(bare)
                continue
            if at and not clause.asked and self._asked:
                later = self._bare(clause, first=True)
                further |= set() if later is None else {later}
            text = _after_word(clause.text)
            taken = self._phrases(text)
            if taken is None:
                return None
            if taken and clause.doubtful:
                continue
            sides |= taken
            if taken and text != clause.text:
                # "No, they are the same person" contradicts itself, unless it answers another question.
                sides |= self._leading(clause)
        return sides.pop() if len(sides) == 1 and further <= sides else None

    def _phrases(self, text: str) -> set[bool] | None:
        mentions = self._lexicon.find(text)
        if mentions is None:
            return None
        return {(m.name == "yes") != m.denied for m in mentions}

    def _bare(self, clause: Clause, *, first: bool) -> bool | None:
        """What a bare "yes" or "no" comes to, if the clause is one."""
        word = _YES.match(clause.text) or _NO.match(clause.text)
        if not word or not _ECHO.match(clause.text[word.end() :]):
            return None
        said = _YES.match(clause.text) is not None
        if said == ("not" in clause.text[word.end() :].split()) and clause.text[word.end() :].strip(" .,!-"):
            return None
        polarity = self._polarity(clause.asked, first)
        return None if polarity is None else said == polarity

    def _leading(self, clause: Clause) -> set[bool]:
        polarity = self._polarity(clause.asked, True)
        return set() if polarity is None else {(_YES.match(clause.text) is not None) == polarity}

    def _polarity(self, asked: str, first: bool) -> bool | None:
        """Which side "yes" is on, given the question that was repeated."""
        if not asked:
            return True if self._asked and first else None
        text = asked.strip(" ?.:").replace("?", " ")
        mentions = self._lexicon.find(text) or []
        named = {m.name for m in mentions}
        return (named == {"yes"}) if len(named) == 1 and len(agreed(mentions)) == 1 else None


def _after_word(text: str) -> str:
    """The clause without a "yes," or "no," in front."""
    word = _YES.match(text) or _NO.match(text)
    if word and re.match(r"\s*[,.!:;-]", text[word.end() :]):
        return text[word.end() :].lstrip(" ,.!:;-")
    return text
