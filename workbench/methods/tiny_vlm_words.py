"""Words of the tiny vision-language model: questions, closed lists, matching of answers, and tables of label groups.

Generated faces have a *skin tone* and a *sex-shape*; race is an annotation of people and is read from lists only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError, UnknownNameError

Codes = NDArray[np.int64]
INVALID = -1

# The renderer's range of age, 5 to 90 years, in nine steps; an edge belongs to the group above it.
AGE_EDGES = (5, 14, 24, 33, 43, 52, 62, 71, 81, 91)
CLOSED: Mapping[str, tuple[str, ...]] = {
    "sex-shape": ("feminine", "masculine"),
    "age": tuple(f"{low}-{high - 1}" for low, high in pairwise(AGE_EDGES)),
    "expression": ("neutral", "happy", "sad", "surprised", "disgusted", "angry"),
    "skin tone": ("very light", "light", "light brown", "brown", "dark brown", "very dark"),
}
TARGETS = tuple(CLOSED)
# What each coarser grouping joins, as places in the nine native groups; the same places serve FairFace's nine groups,
# where "five" is 0-9, 10-19, 20-39, 40-59 and 60+. The paper does not say how it merged.
MERGES: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "five": ((0, 1), (2,), (3, 4), (5, 6), (7, 8)),
    "three": ((0, 1, 2), (3, 4, 5), (6, 7, 8)),
}
# Published labels by data set and attribute; None has no class in the other lists and is left out.
MAPS: Mapping[str, Mapping[str, Mapping[str, str | None]]] = {
    "fairface": {
        "age": {"0-2": "0-2", "3-9": "3-9", "10-19": "10-19", "20-29": "20-29", "30-39": "30-39", "40-49": "40-49",
                "50-59": "50-59", "60-69": "60-69", "more than 70": "70+"},
        "gender": {"Male": "male", "Female": "female"},
        "race": {n: n for n in ("White", "Black", "Indian", "East Asian", "Southeast Asian", "Middle Eastern",
                                "Latino_Hispanic")},
        "race as in UTKFace": {"White": "White", "Black": "Black", "Indian": "Indian", "East Asian": "Asian",
                               "Southeast Asian": "Asian", "Middle Eastern": None, "Latino_Hispanic": None},
    },
    "utkface": {
        "gender": {"0": "male", "1": "female"},
        "race": {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": None},
    },
}  # fmt: skip
_FAIRFACE_AGES = (0, 3, 10, 20, 30, 40, 50, 60, 70)

HAIR = ("black", "brown", "blond", "red", "grey")
SHIRTS = ("red", "green", "blue", "yellow", "white")
SIDES = ("left", "front", "right")
# Question of pre-training -> its answers; none of them is a target.
OTHERS: Mapping[str, tuple[str, ...]] = {
    "are there glasses": ("no", "yes"),
    "is there a mask": ("no", "yes"),
    "is there a hat": ("no", "yes"),
    "where is the light": SIDES,
    "where does the face look": SIDES,
    "what is the hair colour": HAIR,
    "what is the shirt colour": SHIRTS,
}
CAPTION = "describe the image"
MARKS = ("glasses", "mask", "hat", *(f"{c} shirt" for c in SHIRTS))


def question(attribute: str, description: str = "") -> str:
    """What is asked about the one person, or about the person with ``description``, one of `MARKS`."""
    if attribute not in CLOSED:
        raise UnknownNameError("attribute", attribute, CLOSED)
    return f"what is the {attribute} of the person" + (f" with {description}" if description else " in the image")


def _words() -> tuple[str, ...]:
    texts = [question(a, m) for a in TARGETS for m in ("", *MARKS)] + [CAPTION, "hair", *OTHERS]
    texts += [answer for answers in (*CLOSED.values(), *OTHERS.values()) for answer in answers]
    return tuple(sorted({word for text in texts for word in text.split()}))


PAD, START, END = range(3)
VOCABULARY = ("<pad>", "<start>", "<end>", *_words())
_CODE = {word: code for code, word in enumerate(VOCABULARY)}


def encode(texts: Sequence[str], length: int, *, end: bool = False) -> Codes:
    """Texts as word tokens ``int64 (n, length)``, padded behind.

    Args:
        texts: of words in `VOCABULARY`.
        length: tokens of each.
        end: close each with the end token.

    Raises:
        UnknownNameError: a word that the model does not have.
        ShapeError: a text that is longer.
    """
    rows = np.full((len(texts), length), PAD, np.int64)
    for row, text in zip(rows, texts, strict=True):
        words = text.split()
        for word in words:
            if word not in _CODE:
                raise UnknownNameError("word", word, VOCABULARY)
        codes = [_CODE[w] for w in words] + [END] * end
        if len(codes) > length:
            raise ShapeError("a text is too long", given=f"{len(codes)} tokens: {text!r}", expected=f"up to {length}")
        row[: len(codes)] = codes
    return rows


def decode(tokens: NDArray[np.int64]) -> list[str]:
    """Tokens ``(n, t)`` as texts, each up to its end token."""
    texts = []
    for row in tokens:
        codes = row.tolist()
        texts.append(
            " ".join(VOCABULARY[c] for c in (codes[: codes.index(END)] if END in codes else codes) if c != PAD)
        )
    return texts


def normalised(text: str) -> str:
    """Lower case, without punctuation around words, single blanks."""
    return " ".join(re.sub(r"[^\w\s+-]|_", " ", text.lower()).split())


def match(text: str, closed: Sequence[str]) -> int:
    """The place of an answer in a closed list, or `INVALID`.

    The list's answers are looked for as whole words. One that lies inside a longer one ("light" in "very light") does
    not count, so an exact match comes first: it holds all others. An answer that names two classes is invalid.
    """
    said, answers = normalised(text), [normalised(c) for c in closed]
    spans = [(m.start(), m.end(), place) for place, a in enumerate(answers)
             for m in re.finditer(rf"(?<![\w-]){re.escape(a)}(?![\w-])", said)]  # fmt: skip
    whole = {p for s, e, p in spans if not any(a <= s and e <= b and b - a > e - s for a, b, _ in spans)}
    return whole.pop() if len(whole) == 1 else INVALID


def matched(texts: Sequence[str], closed: Sequence[str]) -> Codes:
    """`match` of every text, ``int64 (n,)``."""
    return np.array([match(t, closed) for t in texts], np.int64)


def mapped(labels: Sequence[str], dataset: str, attribute: str) -> list[str | None]:
    """Published labels as class names of `MAPS`; None where a label has no class.

    Raises:
        UnknownNameError: a data set, an attribute or a label that the table does not have.
    """
    table: Mapping[str, str | None] = MAPS.get(dataset, {}).get(attribute, {})
    if not table:
        raise UnknownNameError("label table", f"{dataset}, {attribute}", [f"{d}, {a}" for d in MAPS for a in MAPS[d]])
    for label in labels:
        if label not in table:
            raise UnknownNameError(f"label of {dataset}, {attribute}", label, table)
    return [table[label] for label in labels]


def fairface_age(years: NDArray[np.integer]) -> Codes:
    """FairFace's age group, 0 to 8, of whole years: what makes UTKFace's 0 to 116 comparable."""
    if len(years) and years.min() < 0:
        raise ShapeError("an age is negative", given=int(years.min()), expected="0 or more")
    return np.asarray(np.searchsorted(_FAIRFACE_AGES, years, side="right") - 1, np.int64)


def age_group(years: NDArray[np.floating]) -> Codes:
    """Group of the renderer's ages, 0 to 8."""
    return np.asarray(np.searchsorted(AGE_EDGES[1:-1], years, side="right"), np.int64)


def merge(codes: Codes, grouping: str) -> Codes:
    """Native age codes as codes of a coarser grouping; an invalid answer stays one."""
    if grouping not in MERGES:
        raise UnknownNameError("grouping of ages", grouping, MERGES)
    coarse = {native: place for place, group in enumerate(MERGES[grouping]) for native in group}
    return np.array([coarse.get(int(c), INVALID) for c in codes], np.int64)
