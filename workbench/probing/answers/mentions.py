"""Known phrases in a statement, each with whether it is denied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .plain import wordlist

_WORD = r"(?<![\w'-]){}(?![\w'-])"
_NOT = re.compile(
    _WORD.format(
        r"(?:not|no|never|neither|nor|without|hardly|unlikely|improbable|false|untrue|incorrect|wrong|nobody|nicht|"
        r"keine?[nrs]?|kaum|keinesfalls|keineswegs|niemals|nie|unwahrscheinlich|weder|pas|aucune?|jamais|guère|"
        r"peu probable|non|nunca|jamás|ning[uú]n[oa]?|tampoco|poco probable)"
    )
)
_PIECES = re.compile(
    r"[,:()\[\]|/]|\s-+\s|[.!]+(?:\s|$)|\b(?:because|since|due to|given that)\b|\band (?=(?:they|he|she|it|i)\b)"
)
_CONCLUDING = re.compile(r"^(?:so|therefore|thus|hence|indicating|suggesting|meaning|which means)\b")
# Before a phrase these change what it means: "east asian" is no kind of "asian" that was asked for.
_QUALIFIED = re.compile(
    r"(?:\b(?:east|eastern|south|southern|southeast|southeastern|north|northern|northeast|west|western|central|"
    r"middle|half|part|partly|mixed|non|anti|native|american|pre|quasi|less|more|than|other than|unlike|"
    r"resembles?|instead of|rather than|than an?|than|als (?:eine?|der|die)|"
    r"opposite of|"
    r"father of an?|mother of an?|dressed as an?|happily|sadly|angrily|fearfully)[\s-]+"
    # Whoever is behind, beside or in the hands of the person is somebody else.
    r"|\b(?:holding|carrying|behind|beside|next to|in front of|taken by|made by) (?:(?!is\b|are\b|was\b)\w+\s)*)$"
)
# A phrase may be followed by these; before any other word it may describe something else ("white shirt").
_AFTER = wordlist(
    "a an and are at based because by da dans de due en for from given has he her his i im in is it looking "
    "or on of out overall parce per photographed pictured pero porque she showing shown since so sur that the "
    "there these they this to und una une visible wearing was weil were which who with y et auf zu avec con "
    "across appear appears appearing both despite depicted displaying expression face facing group person "
    "individual people male female man woman boy girl skin tone ethnicity descent origin heritage ancestry "
    "race category class subject adult emotion emotions mood matches match best probably likely definitely rather "
    "clearly most does do did however aged attack presentation therefore thus hence captured detected here"
)
_FILLERS = re.compile(
    r"^(?:(?:i|we|they|these|those|it|this|that|the|answer|are|is|would|say|think|believe|be|faces|people|persons|images|pictures|"
    r"photos|two|both|clearly|likely|probably|definitely|so|therefore|my|guess|as|a|an|look|looks|appears?|to|seems?|he|she|"
    r"person|candidate|face|subject|shown|must|individual|most|very|es|ist|eine?|una?|une|c'est|est|sie|er)\s+)+"
)


@dataclass(frozen=True)
class Mention:
    """A phrase that a statement uses.

    Attributes:
        name: what the phrase stands for.
        denied: whether the statement says that it is not so.
    """

    name: str
    denied: bool


class Lexicon:
    """Phrases and what they stand for.

    Phrases match whole words, the longest at a place; spaces, hyphens and underscores are one. A phrase followed by a
    word that it may only describe, or preceded by one that changes it, is passed over.

    Args:
        phrases: name -> phrases that count anywhere in a statement.
        alone: name -> phrases that count only where they are all that a piece of a sentence says.
        spread: whether "not" denies everything in its piece ("not a man or a woman"); otherwise it belongs to one
            phrase after it, and anything else makes the statement unreadable.
    """

    def __init__(
        self,
        phrases: Mapping[str, Iterable[str]],
        *,
        alone: Mapping[str, Iterable[str]] | None = None,
        spread: bool = False,
    ) -> None:
        self._names = {joined(p): name for name, known in phrases.items() for p in known}
        self._alone = {joined(p): name for name, known in (alone or {}).items() for p in known}
        longest = sorted(self._names, key=len, reverse=True)
        words = "|".join(r"[\s_-]{1,3}".join(map(re.escape, phrase.split())) for phrase in longest)
        self._pattern = re.compile(_WORD.format(f"(?:{words})"))
        self._spread = spread

    def exact(self, text: str) -> str | None:
        """The name whose phrase the whole text is."""
        phrase = joined(text.strip(" .!,:;"))
        return self._names.get(phrase, self._alone.get(phrase))

    def find(self, clause: str) -> list[Mention] | None:
        """Phrases of a clause of plain text, or None where a negation cannot be told to belong to one of them."""
        found: list[Mention] = []
        loose = False
        for piece in filter(None, map(str.strip, _PIECES.split(clause))):
            here = self._in_piece(piece)
            if here is None:
                return None
            if here and loose and not _CONCLUDING.match(piece):
                return None
            negators = _NOT.findall(piece)
            if not here and negators and piece not in ("no", "non", "nein"):
                loose = True
            if not here and negators and found and len(piece.split()) <= 3:
                return None
            found += here
        return found

    def _in_piece(self, piece: str) -> list[Mention] | None:
        bare = _FILLERS.sub("", piece)
        name = self._alone.get(joined(bare))
        if name is not None:
            # What was taken off in front holds no negation; the phrase itself may.
            return [Mention(name, False)]
        matches = [m for m in self._pattern.finditer(piece) if _unqualified(piece, m)]
        if not matches:
            return []
        negators = [n for n in _NOT.finditer(piece) if not any(m.start() <= n.start() < m.end() for m in matches)]
        names = [self._names[joined(m[0])] for m in matches]
        if self._spread:
            return [Mention(name, bool(negators)) for name in names]
        return _told(matches, names, [n.start() for n in negators])


def joined(phrase: str) -> str:
    """A phrase with single spaces for spaces, hyphens and underscores, lower-case."""
    return " ".join(re.sub(r"[\s_-]+", " ", phrase.casefold()).split())


def agreed(mentions: Sequence[Mention]) -> set[str]:
    """Names that are affirmed."""
    return {m.name for m in mentions if not m.denied}


def _unqualified(piece: str, match: re.Match[str]) -> bool:
    rest = piece[match.end() :]
    following = re.match(r"\s*([^\W_]+|\S)?", rest)
    word = following[1] if following else None
    plain_end = word is None or word in _AFTER or not word[0].isalnum()
    return plain_end and not _QUALIFIED.search(piece[: match.start()])


def _told(matches: list[re.Match[str]], names: list[str], negators: list[int]) -> list[Mention] | None:
    """Give each negation to the next phrase after it; None where one is left over or two meet."""
    found = []
    before = 0
    for match, name in zip(matches, names, strict=True):
        count = sum(before <= n < match.start() for n in negators)
        if count > 1:
            return None
        found.append(Mention(name, count == 1))
        before = match.start()
    return None if any(n > matches[-1].start() for n in negators) else found
