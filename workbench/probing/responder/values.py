"""The value of each key that is understood, and how an offered list of words is matched with it.

| key (and its other names) | value |
|---|---|
| same_person (same, is_same_person, same_identity) | whether the similarity reaches 50 |
| similarity (similarity_score) | 0 to 100, 50 at the eyes' threshold |
| match (candidate, best_match) | the most similar candidate's number, 0 where its similarity is below 50 |
| confidence | 0 to 100, of same_person, match, attack, gender or expression: the first of them that is asked with it |
| gender (sex) | man or woman |
| age; age_low, age_high | years; a range that widens with age: 3 + age / 10 years to both sides |
| expression (emotion) | the largest share |
| attack (is_attack, spoof, is_spoof) | whether P(attack) reaches 0.5 |
| kind (attack_kind) | "none" without an attack; kinds are not told apart |
| position | number from the left |
| explanation (reason, reasoning, rationale) | a sentence |
| ethnicity, race, group, ... | declined |
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from .view import Declined, View

_OTHER_NAMES = {
    "same": "same_person", "is_same_person": "same_person", "same_identity": "same_person",
    "similarity_score": "similarity", "candidate": "match", "best_match": "match", "sex": "gender",
    "emotion": "expression", "is_attack": "attack", "spoof": "attack", "is_spoof": "attack", "attack_kind": "kind",
    "reason": "explanation", "reasoning": "explanation", "rationale": "explanation",
}  # fmt: skip
_GROUPS = {"ethnicity", "ethnic", "race", "racial", "ancestry", "group", "nationality"}
_UNKNOWN = {"unknown", "unsure", "undecided", "uncertain", "cannot tell", "not sure", "other", "n/a"}
_MEANINGS: dict[object, set[str]] = {
    True: {"true", "yes", "same", "same person", "match", "mated", "attack", "spoof", "fake"},
    False: {"false", "no", "different", "different person", "different people", "no match", "non mated", "bona fide",
            "bonafide", "live", "real", "genuine"},
    "man": {"man", "male", "masculine", "m", "boy"},
    "woman": {"woman", "female", "feminine", "f", "girl"},
    "none": {"none", "bona fide", "bonafide", "live", "real", "genuine", "no attack", ""},
    "neutral": {"neutral", "neutrality"}, "happy": {"happy", "happiness", "joy"}, "sad": {"sad", "sadness"},
    "angry": {"angry", "anger"}, "fearful": {"fearful", "fear", "afraid"},
    "disgusted": {"disgusted", "disgust"}, "surprised": {"surprised", "surprise"},
}  # fmt: skip
PERCENT = {"confidence", "similarity"}


def plain(name: str) -> str:
    """A key or word in small letters, its parts apart by one space."""
    return re.sub(r"[\s_\-]+", " ", name).strip().lower()


def key_of(name: str) -> str:
    """The key that a property's name stands for, or its plain words."""
    snake = plain(name).replace(" ", "_")
    known = _OTHER_NAMES.get(snake, snake)
    return known if known in READERS else plain(name)


def is_group(name: str) -> bool:
    """Whether a name asks for ethnicity or another group of people."""
    return bool(_GROUPS & set(plain(name).split()))


def _gender(view: View) -> str:
    found = view.face().gender
    if found is None:
        raise Declined("I cannot tell the gender of this face.")
    return "man" if found >= 0.5 else "woman"


def _age(view: View) -> float:
    found = view.face().age
    if found is None:
        raise Declined("I cannot tell the age of this face.")
    return max(found, 0.0)


def age_range(age: float) -> tuple[int, int]:
    """Years to both sides of an age; older people's ranges are wider."""
    half = 3 + age / 10
    return max(0, math.floor(age - half)), math.ceil(age + half)


def _expression(view: View) -> str:
    shares = view.face().expression
    if not shares:
        raise Declined("I cannot tell the expression of this face.")
    return max(shares, key=lambda k: shares[k])


def _attack(view: View) -> float:
    found = view.face().attack
    if found is None:
        raise Declined("I have no model here that tells attacks.")
    return found


def _match(view: View) -> int:
    number, score = view.best()
    return number if score >= 50 else 0


def _sure(share: float) -> int:
    return round(100 * max(share, 1 - share))


_CONFIDENCE: dict[str, Callable[[View], int]] = {
    "same_person": lambda v: _sure(v.similarity() / 100),
    "match": lambda v: _sure(v.best()[1] / 100),
    "attack": lambda v: _sure(_attack(v)),
    "gender": lambda v: _sure(v.face().gender or 0.0) if _gender(v) else 0,
    "expression": lambda v: round(100 * max((v.face().expression or {_expression(v): 0.0}).values())),
}


def _confidence(view: View) -> int:
    for key, read in _CONFIDENCE.items():
        if key in view.asked:
            return read(view)
    raise Declined("I do not know whose confidence is asked for.")


def _explanation(view: View) -> str:
    said = [text for key, say in _EXPLAIN.items() if key in view.asked and (text := say(view))]
    return " ".join([*said, *view.remarks]) or "These are readings of small networks."


_EXPLAIN: dict[str, Callable[[View], str]] = {
    "same_person": lambda v: f"I measured a similarity of {round(v.similarity())} of 100 and take 50 for one person.",
    "match": lambda v: f"The best candidate has a similarity of {round(v.best()[1])} of 100 and 50 is needed.",
    "attack": lambda v: f"The attack detector gives it {round(100 * _attack(v))} of 100.",
    "gender": lambda v: "I go by a network that reads how a face presents.",
    "age": lambda v: "I go by a network that reads ages.",
    "age_low": lambda v: "I go by a network that reads ages.",
    "expression": lambda v: f"The expression network favours {_expression(v)}.",
}
READERS: dict[str, Callable[[View], object]] = {
    "same_person": lambda v: v.similarity() >= 50,
    "similarity": lambda v: round(v.similarity()),
    "match": _match,
    "confidence": _confidence,
    "gender": _gender,
    "age": lambda v: round(_age(v)),
    "age_low": lambda v: age_range(_age(v))[0],
    "age_high": lambda v: age_range(_age(v))[1],
    "expression": _expression,
    "attack": lambda v: _attack(v) >= 0.5,
    "kind": lambda v: "unknown" if _attack(v) >= 0.5 else "none",
    "position": lambda v: (v.person or 0) + 1,
    "explanation": _explanation,
}


def attribute(view: View, name: str) -> bool:
    """A yes-or-no attribute; False, with a remark, where it is not known."""
    face, words = view.face(), plain(name)
    if words in face.attributes:
        return face.attributes[words]
    if face.expression and words in face.expression:
        return face.expression[words] >= 0.5
    for word in ("man", "woman"):
        if words in _MEANINGS[word] and face.gender is not None:
            return _gender(view) == word
    view.remark(f"I have no model that tells {words!r}: false stands for not known.")
    return False


def choose(view: View, name: str, options: Sequence[object]) -> object:
    """The option that says what is seen; one that means "unknown" where it is not.

    Raises:
        Declined: no option fits and none means "unknown".
    """
    key = key_of(name)
    unknown = [o for o in options if isinstance(o, str) and plain(o) in _UNKNOWN]
    try:
        if key == "expression":
            return _choose_expression(view, options)
        if key == "position":
            return _choose_position(view, options)
        value = READERS[key](view) if key in READERS else attribute(view, name) if set(map(type, options)) == {bool} \
            else None  # fmt: skip
        if value is not None and (found := _option(key, value, options)) is not None:
            return found
        if key == "kind" and value == "unknown" and not unknown:
            return _first_kind(view, options)
    except Declined as reason:
        if not unknown:
            raise
        view.remark(reason.what)
        return unknown[0]
    if not unknown:
        raise Declined(f"I have no answer to {plain(name)!r} among those that are offered.")
    return unknown[0]


def _option(key: str, value: object, options: Sequence[object]) -> object:
    """The option that means a value, or None."""
    for option in options:
        if type(option) is type(value) and option == value:
            return option
        if isinstance(option, str) and plain(option) in _MEANINGS.get(value, {plain(str(value))}):
            return option
    if key == "age" and isinstance(value, int):
        ranges = [(low, high, o) for o in options if isinstance(o, str) for low, high in [_years(o)] if low <= high]
        near = [(max(low - value, value - high, 0), i) for i, (low, high, _) in enumerate(ranges)]
        return ranges[min(near)[1]][2] if near else None
    return None


def _years(option: str) -> tuple[float, float]:
    """First and last year of an age group; the first above the last where it names none."""
    numbers = [int(n) for n in re.findall(r"\d{1,3}", option)]
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    if len(numbers) != 1:
        return 1, 0
    if re.search(r"\+|more|over|above|older", option):
        return numbers[0], math.inf
    if re.search(r"less|under|below|younger", option):
        return 0, numbers[0]
    return (numbers[0], numbers[0] + 9) if re.search(r"\ds\b", option) else (numbers[0], numbers[0])


def _choose_expression(view: View, options: Sequence[object]) -> object:
    shares = view.face().expression or {_expression(view): 0.0}
    best: list[tuple[float, int]] = []
    for number, option in enumerate(options):
        named = [s for k, s in shares.items() if isinstance(option, str) and plain(option) in _MEANINGS.get(k, {k})]
        best += [(share, -number) for share in named]
    if not best:
        raise Declined("None of the expressions that are offered is one that I know.")
    return options[-max(best)[1]]


def _choose_position(view: View, options: Sequence[object]) -> object:
    at = view.face().centre / view.seen[0].width
    places = {"left": 0.0, "centre": 0.5, "center": 0.5, "middle": 0.5, "right": 1.0}
    known = [(abs(places[plain(o)] - at), i) for i, o in enumerate(options)
             if isinstance(o, str) and plain(o) in places]  # fmt: skip
    if known:
        return options[min(known)[1]]
    if (found := _option("position", (view.person or 0) + 1, options)) is not None:
        return found
    raise Declined("None of the positions that are offered is one that I know.")


def _first_kind(view: View, options: Sequence[object]) -> object:
    kinds = [o for o in options if not (isinstance(o, str) and plain(o) in _MEANINGS["none"])]
    if not kinds:
        raise Declined("I see an attack, and no kind of attack is offered.")
    view.remark("I have no model that tells kinds of attack apart: the kind is only the first that was offered.")
    return kinds[0]
