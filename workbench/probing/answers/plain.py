"""A reply as plain lower-case words: without markup, emoji, typographic marks and contractions."""

from __future__ import annotations

import html
import re
import unicodedata

_MARKS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–−﹘﹣－", "-"),
        **dict.fromkeys("—―", "—"),
        **dict.fromkeys("’‘‛ʼ´`＇", "'"),
        **dict.fromkeys("“”„‟«»「」『』＂", '"'),
        "…": ". ",
    }
)
_CONTRACTIONS = [
    (re.compile(r"\bcan(?:not|'?t)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\b(are|is|was|were|do|does|did|could|would|should|have|has|had|ai|must)n't\b"), r"\1 not"),
    (re.compile(r"\b(do|is|are|does|did)nt\b"), r"\1 not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\b(it|he|she|that|this|there|who|what)'s\b"), r"\1 is"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"\b(?:there is )?(?:no doubt|without (?:a |any )?doubt|not least)\b,?"), " "),
    (re.compile(r"\b(?:ohne (?:jeden )?zweifel|sans (?:aucun |le moindre )?doute|sin (?:ninguna )?duda)\b,?"), " "),
    (re.compile(r"\bno (?:dudo|hay duda|cabe duda)(?: de)?(?: que)?\b,?"), " "),
    (re.compile(r"\bone and the same\b"), "the same"),
]
_MARKUP = [
    (re.compile(r"~~[^~\n]{1,200}~~"), " "),
    (re.compile(r"[*\"]|__"), " "),
    (re.compile(r"(?<!\w)[_']|[_'](?!\w)"), " "),
    (re.compile(r"(?m)^[ \t]*(?:[>#+•·]+|-(?=[ \t]))[ \t]*"), ""),
]
_NUMBERED = re.compile(r"(?m)^[ \t]*(\d{1,2})[.)][ \t]+(?=\S)")


def plain(text: str) -> str:
    """Lower-case text with lines kept; digits are ASCII, contractions are written out ("isn't" is "is not").

    A character that is a number and not a digit ("½", "²") becomes the word "fraction", so that "2½" is not 21.
    Struck-through text is gone: it was taken back.
    """
    text = "".join(map(_character, text.translate(_MARKS)))
    text = unicodedata.normalize("NFKC", text).translate(_MARKS)
    text = re.sub(r"(?<=\d)[ \t]?—[ \t]?(?=\d)", "-", text).replace("—", ", ")
    text = html.unescape(_without_tags(text)).casefold()
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    for pattern, instead in _CONTRACTIONS:
        text = pattern.sub(instead, text)
    text = _without_list_numbers(text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def without_thoughts(text: str) -> str:
    """The text without ``<think>`` blocks; one that is not closed reaches to the end."""
    for tag in ("think", "thinking", "reasoning"):
        opened, closed = f"<{tag}>", f"</{tag}>"
        parts, at = [], 0
        while (start := text.find(opened, at)) >= 0:
            parts.append(text[at:start])
            end = text.find(closed, start)
            at = len(text) if end < 0 else end + len(closed)
        text = "".join(parts) + text[at:]
    return text


def wordlist(text: str) -> frozenset[str]:
    """The words of a text, each once."""
    return frozenset(text.split())


def _character(c: str) -> str:
    if c.isascii():
        return c if c >= " " or c in "\n\t" else "\n" if c == "\r" else " "
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category == "No":
        return " fraction "
    if category in ("Cf", "Cc", "Cs") or "\ufe00" <= c <= "\ufe0f":
        return ""
    return " " if category in ("So", "Sk") else c


def _without_tags(text: str) -> str:
    parts, at = [], 0
    while (start := text.find("<!--", at)) >= 0:
        parts.append(text[at:start])
        end = text.find("-->", start)
        at = len(text) if end < 0 else end + 3
    text = "".join(parts) + text[at:]
    text = re.sub(r"(?i)<(?:br|/p|/div|/li|/tr)[ /]{0,3}>", "\n", text)
    return re.sub(r"</?[a-zA-Z][^<>]{0,200}>", " ", text)


def _without_list_numbers(text: str) -> str:
    numbers = [int(n) for n in _NUMBERED.findall(text)]
    if len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1)):
        return _NUMBERED.sub("", text)
    return text
