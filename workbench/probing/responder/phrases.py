"""Answers in words: the same values said in ways that differ from question to question, always alike for the same one.

Of ten questions three are answered plainly, three with a hedge, three with reasons and one with JSON in a fence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...core import seeds

NAME = "workbench-responder"
NOTE = "workbench responder, not a language model"
STYLES = ("plain",) * 3 + ("hedged",) * 3 + ("reasons",) * 3 + ("fence",)
_HEDGES = ("I may be wrong. ", "I judge by the faces alone. ", "It is hard to be sure. ",
           "This is what I see. ")  # fmt: skip
_SAYINGS: dict[str, tuple[str, ...]] = {
    "same": ("Yes, both pictures show the same person.", "These are the same person.",
             "The two faces belong to one and the same person.", "Same person."),
    "different": ("No, the pictures show two different people.", "They are not the same person.",
                  "These are different persons.", "The two faces belong to two different people."),
    "similarity": ("I would put the similarity at {similarity} out of 100.", "Similarity: {similarity}/100.",
                   "The similarity is {similarity} out of 100."),
    "match": ("Candidate {match} matches the first picture.", "The first picture shows candidate {match}.",
              "I choose candidate {match}."),
    "no match": ("None of the candidates matches the first picture.", "The person of the first picture is not there.",
                 "No candidate matches (0)."),
    "gender": ("The person looks like a {gender}.", "I see a {gender}.", "This appears to be a {gender}."),
    "age": ("The person is about {age} years old.", "I would say {age} years.", "Age: {age}."),
    "age_low": ("I would say between {age_low} and {age_high} years.", "The age range is {age_low}-{age_high}.",
                "Somewhere from {age_low} to {age_high} years old."),
    "expression": ("The expression is {expression}.", "The face looks {expression}.", "I would call it {expression}."),
    "attack": ("This looks like a presentation attack.", "I take this for an attack presentation.",
               "It is an attack."),
    "bona fide": ("This looks like a bona fide presentation.", "I take this for a live person, not an attack.",
                  "It is a bona fide presentation."),
}  # fmt: skip


def signed(text: str) -> str:
    """A text that says at its end who speaks."""
    return f"{text} ({NOTE})"


def phrase(values: Mapping[str, Any], remarks: Sequence[str], explained: str, names: Sequence[str]) -> str:
    """An answer in words.

    Args:
        values: by key.
        remarks: what else there is to say.
        explained: the reasons, for the style that gives them.
        names: of what the choice of words depends on: the question and the pictures' digests.
    """
    style = STYLES[seeds.integer("responder", "style", *names) % len(STYLES)]
    shown = {k: v for k, v in values.items() if k != "explanation"}
    if style == "fence":
        return signed("```json\n" + json.dumps(shown) + "\n```")
    said = " ".join([*_claims(shown, names), *remarks])
    if style == "hedged":
        said = _pick(_HEDGES, "hedge", names) + said
    elif style == "reasons":
        said = f"{explained} {said}"
    return signed(said)


def refusal(names: Sequence[str]) -> str:
    """Words of a model that would rather not."""
    return signed(_pick(
        ("I'm sorry, but I can't help with identifying or comparing people in pictures.",
         "I cannot assist with questions about the person in this picture, for reasons of privacy.",
         "I'm not able to make judgements about real people from their faces."), "refusal", names,
    ))  # fmt: skip


def undecided(names: Sequence[str]) -> str:
    """Words of a model that does not commit itself, and does not refuse either."""
    return signed(_pick(
        ("It is hard to say from this.", "I am not sure; it could be either way.",
         "The pictures are inconclusive."), "undecided", names,
    ))  # fmt: skip


def _claims(values: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    said: list[str] = []
    for key, value in values.items():
        if key == "people":
            said.append(_people(value))
            continue
        topic = {"same_person": ("different", "same"), "attack": ("bona fide", "attack")}.get(key)
        kind = topic[bool(value)] if topic else "no match" if key == "match" and value == 0 else key
        if kind in _SAYINGS:
            said.append(_pick(_SAYINGS[kind], kind, names).format(**values))
        elif isinstance(value, bool):
            said.append(f"{key.capitalize()}: {'yes' if value else 'no'}.")
    return said


def _people(people: Sequence[Mapping[str, Any]]) -> str:
    if not people:
        return "Nobody is to be seen."
    each = [
        f"{n}) " + ", ".join(str(p[k]) for k in ("gender", "age", "expression") if k in p)
        for n, p in enumerate(people, 1)
    ]
    return f"From left to right: {'; '.join(each)}."


def _pick(options: Sequence[str], topic: str, names: Sequence[str]) -> str:
    return options[seeds.integer("responder", "words", topic, *names) % len(options)]
