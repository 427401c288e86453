"""What a reply states itself: no questions, no orders, no quotations, no conditions, no doubts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .refusals import refuses

_ROLE = re.compile(
    r"^\W{0,6}(?:system|assistant|user|human|developer|admin|administrator|instructions?|prompt|inst|im_start|task|"
    r"question|q|frage|pregunta|note to (?:the )?(?:ai|model))\b[^:>\])|\n]{0,20}[:>\])|]"
)
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,30}\b(?:previous|prior|above|earlier|preceding|all|your|other|any|the)\b"
    r".{0,30}\b(?:instructions?|prompts?|rules?|messages?|text|context|guidelines|everything|questions?|tasks?)\b"
    r"|\b(?:you (?:must|should|shall|have to|will|are to)|please|always|just|now|only|then|instead|and)\s"
    r"(?<!would just )(?<!would only )(?<!would then )"
    r"(?:answer|say|respond|reply|output|return|print|write|state)\b(?! is\b)\s*\S"
    r"|(?:^|[.;:!]\s)(?:answer|say|respond|reply|output|return|print|write|state)\b(?!\s*[:=-])(?! is\b)\s*\S"
    # Not "say": "he is, say, 34".
    r"|,\s(?:answer|respond|reply|output|return|print|write)\b(?!\s*[:=-])(?! is\b)\s*\S"
    r"|\b(?:new|updated|hidden|secret) instructions?\b|\bjailbreak\b|\bdeveloper mode\b"
)
_FIRST_PERSON = re.compile(r"\b(?:i|we)(?: \w+){0,3} (?:ignor|disregard|not follow)")
_REPORTED = re.compile(
    r"\b(?:text|signs?|caption|label|watermark|writing|words?|note|message|shirt|poster|banner|file ?name|overlay|"
    r"instructions?|prompt|image|picture|photo)\b.{0,40}"
    r"\b(?:says?|said|reads?|states?|stating|saying|reading|instructs?|telling|tells?|asks?|asking|claims?|claiming|written)\b"
    r"|\b(?:contains?|embedded|hidden|shows?) (?:the |a |an |some )?(?:text|words?|instructions?|sentence|phrase)\b"
    r"|\b(?:sign|placard|poster|banner|overlay|watermark|(?:sheet|piece) of paper)\s?:"
    # A model has no age: whoever is "99 years old" here is written in the picture.
    r"|\bi am (?:\w+ )?\d{1,3}[ -]?(?:years?|yrs?)\b"
    r"|\b(?:i was|i am|you|i have been) (?:told|asked|instructed|asking|want)\b|\bthe (?:question|task|prompt) is\b"
)
_ASKING = re.compile(
    r"^(?:are|is|do|does|did|can|could|would|should|who|what|how|which|whose|why|when|where|ist|sind|est-ce|determine|"
    r"decide|compare|classify|estimate)\b"
)
_FORCED = re.compile(r"\bif (?:i am |i )?(?:had to|have to|must|forced to?|were to|pressed)(?: \w+){0,4},?")
_CONDITION = re.compile(r"\b(?:whether|if|ob|unless|assuming|suppose|supposing|in case)\b.*")
_CONTRAST = re.compile(
    r";|,?\s*\b(?:but|however|although|though|nevertheless|nonetheless|yet|that said|still,|aber|jedoch|mais|"
    r"cependant|pero|sin embargo)\b,?"
)
_DOUBT = re.compile(
    r"\b(?:hard|difficult|impossible|tricky|challenging|not easy|too (?:dark|blurry|blurred|small|early)) to\b"
    r"|\bnot (?:\w+ |\d+ ?% ?)?(?:sure|certain|confident|clear|obvious|conclusive|possible to|enough)\b|"
    r"\b(?:unclear|unsure|"
    r"uncertain|inconclusive|ambiguous|undetermined|indeterminate|doubt|doubtful|insufficient|no idea|unknown)\b"
    r"|\bno (?:\w+ )?(?:evidence|proof|indication|reason|way)(?: \w+)? (?:that|to)\b|\bcan not (?:be|"
    r"\w+ (?:out|exclude))\b"
    r"|\b(?:rule[sd]?|ruling) \w{0,12} ?out\b|\bnothing\b.{0,20}\b(?:suggest|indicat|show|point|prov|speak|say)\w*"
    r"|\b(?:probabilit|chance|likelihood|odds)\w*\b.{0,60}\b[0-4]?\d(?:[.,]\d+)? ?(?:%|percent\b)"
    r"|\b[0-4]?\d(?:[.,]\d+)? ?(?:%|percent\b) ?(?:\w+ ){0,2}(?:probabilit|chance|likelihood|odds|likely)"
    r"|\b(?:probabilit|chance|likelihood|odds)\w*\b.{0,60}\b(?:is|are) (?:\w+ )?"
    r"(?:low|small|slim|minimal|negligible|zero|remote)\b"
    r"|\b(?:low|small|slim|little|minimal|negligible|zero|remote) (?:\w+ )?(?:probabilit|chance|likelihood|odds)"
    r"|\b(?:hard|difficult|tough|tricky) (?:one|call|case)\b"
    r"|\bcan not exclude\b|\b(?:i|we) (?:do|can|could) not (?:know|tell|say)\b|\b(?:or not|either way|both possible)\b"
    r"|\b(?:bezweifel\w*|bezweifl\w*|zweifle|unklar|unsicher|ungewiss|auszuschließen|ausschließen|auszuschliessen)\b"
    r"|\bnicht (?:\w+ )?(?:sicher|klar|eindeutig)\b|\bnichts\b.{0,20}\b(?:deutet|spricht|weist)\b"
    r"|\b(?:doute|doutons|incertain\w*|exclu\w*|exclure)\b|\brien\b|\bpas (?:\w+ )?(?:sûre?|certaine?|clair)\b"
    r"|\bimpossible de\b|\bunmöglich\b|\b(?:serait|es|wäre|sería) (?:faux|falsch|falso)\b|\bfalsch (?:ist|wäre)\b"
    r"|\b(?:dudo|dudamos|dudoso|incierto|descart\w+)\b|\bnada\b.{0,20}\b(?:indica|sugiere)\b"
    r"|\bno (?:\w+ )?(?:segur[oa]|claro|puedo decir)\b"
    r"|\b(?:toss-?up|50 ?[/-] ?50|fifty-fifty)\b"
)
_SOFT = re.compile(
    r"\b(?:could|might|may|maybe|perhaps|possibly|possible|would be|vielleicht|könnten?|möglicherweise|"
    r"eventuell|womöglich|peut-être|pourrai(?:t|ent)|possiblement|quizás?|tal vez|podrían?|posiblemente|puede que|"
    r"a lo mejor)\b"
)
# Turns that deny, or lay in another's mouth, without a word of negation near.
_TWISTED = re.compile(
    r"\b(?:anything but|far from|by no means|fail(?:s|ed)? to|would expect|expected|used to (?:be|think)|"
    r"(?:you|one|anyone|people) would (?:think|say)|former|formerly|"
    r"supposed(?:ly)?|alleged(?:ly)?|pretend\w*|claims?|claimed|claiming|mistaken|"
    r"some (?:say|people)|people say|others|photographer|happy to (?:help|assist|answer|try|look|compare|describe))\b"
)
_CONCEDED = re.compile(r"^(?:even )?(?:although|though|while|despite)\b[^,]*,")
_ENDS = re.compile(r"(?<=[.!?])(?=\s|$)|(?<=[。！？])|\n")
_FINAL = re.compile(
    r"^(?:so,? |therefore,? |hence,? |thus,? |in |my |the )*(final |overall )?"
    r"(?:answer|verdict|conclusion|decision|antwort|réponse|respuesta|答案|回答|答え)(?: is)?\s*(?:[:=]|-\s|"
    r"(?<=is)\s)\s*(.*)$"
)
_LABELLED = re.compile(r"^([^:=|]{1,60}?)\s*[:=]\s*((?:yes|no|true|false)\b.*)$")
_STEMS = ("ca.", "approx.", "e.g.", "i.e.", "no.", "yrs.", "yr.", "vs.", "etc.")


@dataclass(frozen=True)
class Clause:
    """A stretch of text that states something.

    Attributes:
        text: plain text.
        asked: the question just before it in the reply; "" when there is none.
        doubtful: it says "could", "maybe" or the like.
    """

    text: str
    asked: str = ""
    doubtful: bool = False


@dataclass(frozen=True)
class Said:
    """Everything that a reply states.

    Attributes:
        clauses: in the order of the text.
        kept: the sentences that the clauses are from, with doubts and refusals.
        finals: what stands on lines "Answer: ..."; those that say "final" only, where there are such.
        listed: the lines that are neither orders nor questions, uncut: for lists.
    """

    clauses: tuple[Clause, ...]
    kept: str
    finals: tuple[str, ...] = ()
    listed: str = ""


def stated(said: str) -> Said:
    """Cut plain text into what it states.

    Left out: questions, conditions ("if", "whether"), orders to answer something with the whole line they stand on,
    sentences that quote the picture or the prompt, clauses of doubt
    ("hard to say"), what is conceded ("although they look alike, ...") and clauses that refuse.
    """
    lines = [line for line in said.split("\n") if line.strip()]
    clauses: list[Clause] = []
    kept: list[str] = []
    listed: list[str] = []
    asked = ""
    for line in lines:
        sentences = _sentences(line)
        if any(map(_ordering, sentences)):
            asked = ""
            continue
        if _ROLE.match(line):
            asked = line
            continue
        if not any(_REPORTED.search(s) or s.endswith("?") for s in sentences):
            listed.append(line)
        for sentence in sentences:
            if _REPORTED.search(sentence):
                continue
            asked, sentence = _question(sentence, asked)
            if sentence:
                kept.append(sentence)
                clauses += _clauses(sentence, asked)
                asked = ""
    return Said(tuple(clauses), "\n".join(kept), _finals(lines), "\n".join(listed))


def _sentences(line: str) -> list[str]:
    """Sentences with their end marks; an abbreviation does not end one."""
    found: list[str] = []
    for part in _ENDS.split(line):
        part = part.strip()
        if found and found[-1].endswith(_STEMS):
            found[-1] += " " + part
        elif part:
            found.append(part)
    return found


def _ordering(sentence: str) -> bool:
    ordered = _ORDER.search(sentence) or (_ROLE.match(sentence) and _ORDER.search(sentence))
    return bool(ordered) and not _REPORTED.search(sentence) and not _FIRST_PERSON.search(sentence)


def _question(sentence: str, asked: str) -> tuple[str, str]:
    """The question in force, and what is left of the sentence to be read as a statement."""
    if sentence.rstrip(" )").endswith("?") or _ASKING.match(sentence):
        return sentence, ""
    if match := _LABELLED.match(sentence):
        return match[1], match[2]
    return asked, sentence


def _clauses(sentence: str, asked: str) -> list[Clause]:
    if _TWISTED.search(sentence):
        return []
    sentence = _CONDITION.sub(" ", _FORCED.sub(" ", _CONCEDED.sub(" ", sentence)))
    pieces = [piece.strip() for piece in _CONTRAST.split(sentence)]
    return [
        Clause(piece, asked if not at else "", _SOFT.search(piece) is not None)
        for at, piece in enumerate(pieces)
        if piece.strip(" .,!-") and not refuses(piece) and not _DOUBT.search(piece)
    ]


def _finals(lines: list[str]) -> tuple[str, ...]:
    found: list[tuple[bool, str]] = []
    for at, line in enumerate(lines):
        if match := _FINAL.match(line):
            below = lines[at + 1] if at + 1 < len(lines) else ""
            found.append((match[1] is not None, match[2].strip() or below))
    strong = [content for final, content in found if final]
    return tuple(strong or [content for _, content in found])
