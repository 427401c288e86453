"""Pictures with their labels, lessons about them, and several people side by side with one who is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ..core import ShapeError, seeds
from ..data import phantom
from ..data.phantom.hair import greyness
from .tiny_vlm_training import Lessons
from .tiny_vlm_words import AGE_EDGES, CAPTION, CLOSED, HAIR, MARKS, OTHERS, SHIRTS, TARGETS, age_group, question

Codes = NDArray[np.int64]
SIZE, SCENE_WIDTH, PERSON = 64, 160, 52
# From one skin tone to the next rarer one.
TAIL = 0.6
# Share of lessons in pre-training that teach the form of an answer and nothing about pictures.
FORM = 0.1
_SHIRT_RGB = ((0.55, 0.04, 0.04), (0.05, 0.35, 0.07), (0.05, 0.09, 0.5), (0.6, 0.5, 0.05), (0.75, 0.75, 0.75))
# Eumelanin and phaeomelanin of black, brown, blond and red hair.
_HAIR = ((1.0, 0.05), (0.6, 0.3), (0.08, 0.1), (0.25, 0.95))
_VARY = ("pose", "light", "gaze", "background", "sensor")


@dataclass(frozen=True)
class Pictures:
    """Portraits and what is true of them.

    Attributes:
        images: ``uint8 (n, 64, 64, 3)``.
        subjects: ``int64 (n,)`` code of the person.
        labels: target -> ``int64 (n,)``, places in `CLOSED`.
        others: question of pre-training -> ``int64 (n,)``, places in `OTHERS`.
    """

    images: NDArray[np.uint8]
    subjects: Codes
    labels: Mapping[str, Codes]
    others: Mapping[str, Codes]

    def marks(self) -> NDArray[np.bool_]:
        """Which of `MARKS` each person has, ``(n, marks)``."""
        worn = [self.others[q] == 1 for q in ("are there glasses", "is there a mask", "is there a hat")]
        shirt = self.others["what is the shirt colour"]
        return np.stack([*worn, *(shirt == c for c in range(len(SHIRTS)))], 1)

    def captions(self) -> list[str]:
        """A sentence about each, without any target."""
        hair, shirt = (self.others[f"what is the {x} colour"] for x in ("hair", "shirt"))
        worn = self.marks()
        return [
            " ".join([HAIR[h], "hair", SHIRTS[s], "shirt", *(m for m, w in zip(MARKS[:3], row, strict=False) if w)])
            for h, s, row in zip(hair, shirt, worn, strict=True)
        ]


def portraits(count: int, subset: str, *, long_tailed: bool, seed: int) -> Pictures:
    """Two pictures each of people who do not exist, with targets dealt to people and to pictures.

    Args:
        count: pictures, an even number.
        subset: see `phantom.SUBSETS`; people of different subsets are different people.
        long_tailed: the k-th commonest skin tone is `TAIL` times as common as the one before; else all alike.
        seed: of all.
    """
    if count < 2 or count % 2:
        raise ShapeError("two pictures are taken of each person", given=count, expected="an even number of pictures")
    people, rng = count // 2, seeds.rng("vlm", "portraits", subset, seed, count)
    who = phantom.identities(people, seed=seed, prefix=subset)
    rank = seeds.rng("vlm", "tail", seed).permutation(len(CLOSED["skin tone"]))
    share = TAIL**rank if long_tailed else np.ones(len(rank))
    who = phantom.skewed(who, seed=seed, melanin=share.tolist())
    age = rng.uniform(AGE_EDGES[0], AGE_EDGES[-1] - 1, people)
    grown = age > 17
    hair = np.array(_HAIR)[rng.integers(len(_HAIR), size=people)]
    looks = {"age": age, "hair_dark": hair[:, 0], "hair_red": hair[:, 1]}
    looks |= {k: who.looks[k] * grown for k in ("beard", "moustache", "stubble")}
    who = replace(who, looks=dict(who.looks) | {k: v.astype(np.float32) for k, v in looks.items()})
    twice = np.repeat(np.arange(people), 2)
    names = [f"{who.names[i]}/{k % 2}" for k, i in enumerate(twice)]
    scene, shown = _dressed(phantom.varied(who.take(twice), _VARY, names, seed=seed), rng)
    labels = {
        "sex-shape": (scene.gender > 0).astype(np.int64),
        "age": age_group(scene.age),
        "expression": shown,
        "skin tone": phantom.fitzpatrick(torch.from_numpy(scene.melanin)).numpy() - 1,
    }
    return Pictures(phantom.render(scene, SIZE).rgb, twice.astype(np.int64), labels, _others(scene))


def _dressed(scene: phantom.Scene, rng: np.random.Generator) -> tuple[phantom.Scene, Codes]:
    """The same people with clothes, worn things and an expression, and the expression's code."""
    n = len(scene)
    expression = rng.integers(len(CLOSED["expression"]), size=n)
    movements = [phantom.expression(CLOSED["expression"][e], i)
                 for e, i in zip(expression, rng.uniform(0.6, 1.0, n), strict=True)]  # fmt: skip
    shirt = rng.integers(len(SHIRTS), size=n)
    worn = {
        "glasses": np.where(rng.random(n) < 0.25, rng.integers(1, 4, n), 0),
        "mask": np.where(rng.random(n) < 0.08, rng.integers(1, 4, n), 0),
        "headwear": np.where(rng.random(n) < 0.15, rng.integers(1, 3, n), 0),
    }
    clothes = np.array(_SHIRT_RGB)[shirt] * rng.uniform(0.8, 1.2, (n, 1))
    return scene.replace(movements=np.stack(movements), clothes=clothes, **worn), expression.astype(np.int64)


def _others(scene: phantom.Scene) -> dict[str, Codes]:
    grey = greyness(torch.from_numpy(scene.age), torch.from_numpy(scene.hair_grey)).numpy() > 0.5
    dark = np.array(_HAIR, np.float32)[:, 0]
    colour = np.abs(scene.hair_dark[:, None] - dark).argmin(1)
    shirts = np.array(_SHIRT_RGB)
    direction = scene.clothes / np.linalg.norm(scene.clothes, axis=1, keepdims=True)
    wanted = (shirts / np.linalg.norm(shirts, axis=1, keepdims=True)) @ direction.T

    def side(values: NDArray[np.floating], limit: float) -> Codes:
        return (1 + (values > limit).astype(np.int64)) - (values < -limit)

    return {
        "are there glasses": (scene.glasses > 0).astype(np.int64),
        "is there a mask": (scene.mask > 0).astype(np.int64),
        "is there a hat": (scene.headwear > 0).astype(np.int64),
        "where is the light": side(scene.light_direction[:, 0], 20),
        "where does the face look": side(scene.yaw, 8),
        "what is the hair colour": np.where(grey, HAIR.index("grey"), colour).astype(np.int64),
        "what is the shirt colour": wanted.argmax(0).astype(np.int64),
    }


def generic(known: Pictures, seed: int) -> Lessons:
    """Captions and questions about everything but the targets, one for each picture and epoch.

    A share of `FORM` asks for a target and is answered by a class drawn blindly: the model learns what an answer looks
    like, as a language model has from texts, and nothing about pictures.
    """
    captions, n = known.captions(), len(known.images)

    def lessons(epoch: int) -> tuple[Codes, list[str], list[str]]:
        rng = seeds.rng("vlm", "generic", seed, epoch)
        asked, answered = [], []
        for i in range(n):
            kind = rng.random()
            if kind < FORM:
                target = TARGETS[rng.integers(len(TARGETS))]
                asked.append(question(target))
                answered.append(CLOSED[target][rng.integers(len(CLOSED[target]))])
            elif kind < 0.3:
                asked.append(CAPTION)
                answered.append(captions[i])
            else:
                other = list(OTHERS)[rng.integers(len(OTHERS))]
                asked.append(other)
                answered.append(OTHERS[other][known.others[other][i]])
        return np.arange(n), asked, answered

    return lessons


def about(known: Pictures, target: str) -> Lessons:
    """One target of every picture."""
    answers = [CLOSED[target][c] for c in known.labels[target]]
    return lambda epoch: (np.arange(len(answers)), [question(target)] * len(answers), answers)


@dataclass(frozen=True)
class Scenes:
    """Two or three people side by side, one of whom is meant.

    Attributes:
        images: ``uint8 (n, 64, 160, 3)``.
        target: ``int64 (n,)`` the portrait that is meant.
        people: ``int64 (n, 3)`` subjects shown; the target's again where there are two.
        mark: ``int64 (n,)`` place in `MARKS` of what the target alone has.
        labels: target attribute -> ``int64 (n,)``.
    """

    images: NDArray[np.uint8]
    target: Codes
    people: Codes
    mark: Codes
    labels: Mapping[str, Codes]

    def questions(self, attribute: str, described: bool) -> list[str]:
        """About the person who is meant, or about nobody in particular."""
        return [question(attribute, MARKS[m] if described else "") for m in self.mark]


def scenes(known: Pictures, count: int, name: str, *, seed: int) -> Scenes:
    """Portraits side by side, each before its own background, in places that are drawn.

    Args:
        known: portraits of at least three people.
        count: scenes.
        name: of the set, for the seed.
        seed: of choice and places.
    """
    if len(np.unique(known.subjects)) < 3:
        raise ShapeError("a scene needs three people to choose from", given=len(np.unique(known.subjects)))
    rng, marks = seeds.rng("vlm", "scenes", name, seed), known.marks()
    images: list[NDArray[np.uint8]] = []
    target, people, mark = [], [], []
    while len(images) < count:
        chosen = rng.choice(len(known.images), int(rng.integers(2, 4)), replace=False)
        subjects = known.subjects[chosen]
        alone = np.flatnonzero(marks[chosen[0]] & ~marks[chosen[1:]].any(0))
        if len(np.unique(subjects)) < len(chosen) or not len(alone):
            continue
        images.append(_beside(known.images[chosen], rng))
        target.append(chosen[0])
        people.append([*subjects, subjects[0]][:3])
        mark.append(rng.choice(alone))
    at = np.array(target, np.int64)
    labels = {a: v[at] for a, v in known.labels.items()}
    return Scenes(np.stack(images), at, np.array(people, np.int64), np.array(mark, np.int64), labels)


def _beside(portraits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Middles of portraits in places drawn without overlap, on grey."""
    canvas = np.full((SIZE, SCENE_WIDTH, 3), 110, np.uint8)
    free = SCENE_WIDTH - PERSON * len(portraits)
    gaps = np.sort(rng.integers(0, free + 1, len(portraits)))
    edge = (SIZE - PERSON) // 2
    for place, (gap, i) in enumerate(zip(gaps, rng.permutation(len(portraits)), strict=True)):
        start = gap + PERSON * place
        canvas[:, start : start + PERSON] = portraits[i][:, edge : edge + PERSON]
    return canvas


def addressed(shown: Scenes, seed: int) -> Lessons:
    """One target of the person who is meant; a third of the questions do not say who that is."""

    def lessons(epoch: int) -> tuple[Codes, list[str], list[str]]:
        rng = seeds.rng("vlm", "addressed", seed, epoch)
        attributes = [TARGETS[a] for a in rng.integers(len(TARGETS), size=len(shown.images))]
        said = rng.random(len(attributes)) < 2 / 3
        asked = [question(a, MARKS[m] if s else "") for a, m, s in zip(attributes, shown.mark, said, strict=True)]
        answered = [CLOSED[a][shown.labels[a][i]] for i, a in enumerate(attributes)]
        return np.arange(len(attributes)), asked, answered

    return lessons
