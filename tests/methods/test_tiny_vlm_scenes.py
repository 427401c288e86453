"""Portraits, lessons without targets, and scenes in which one person alone is meant."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core import ShapeError
from workbench.data import phantom
from workbench.methods import tiny_vlm_scenes as scenes
from workbench.methods.tiny_vlm_words import CAPTION, CLOSED, MARKS, TARGETS, encode, question


@pytest.fixture(scope="module")
def known() -> scenes.Pictures:
    return scenes.portraits(60, "train", long_tailed=True, seed=0)


def test_portraits_have_a_code_of_every_closed_list(known: scenes.Pictures) -> None:
    assert known.images.shape == (60, 64, 64, 3)
    for target in TARGETS:
        codes = known.labels[target]
        assert codes.min() >= 0
        assert codes.max() < len(CLOSED[target])
    # A person keeps their sex-shape, age and skin tone from one picture to the other.
    for target in ("sex-shape", "age", "skin tone"):
        assert np.array_equal(known.labels[target][::2], known.labels[target][1::2])


def test_skin_tones_have_a_long_tail_where_asked_and_none_elsewhere(known: scenes.Pictures) -> None:
    tailed = np.sort(np.bincount(known.labels["skin tone"], minlength=6))[::-1]
    assert tailed[0] >= 4 * tailed[-1]
    even = scenes.portraits(24, "test", long_tailed=False, seed=0)
    assert np.bincount(even.labels["skin tone"], minlength=6).tolist() == [4] * 6


def test_people_of_training_and_test_are_different_people() -> None:
    train, test = (phantom.identities(3, seed=0, prefix=s) for s in ("train", "test"))
    assert not set(train.names) & set(test.names)
    assert not np.any(np.isin(train.texture, test.texture))
    pictures = [scenes.portraits(6, s, long_tailed=False, seed=0).images for s in ("train", "test")]
    assert not np.array_equal(*pictures)


def test_lessons_before_the_task_tell_nothing_about_targets(known: scenes.Pictures) -> None:
    swapped = scenes.Pictures(
        known.images, known.subjects, {t: v[::-1].copy() for t, v in known.labels.items()}, known.others
    )
    for epoch in range(3):
        one, other = (scenes.generic(k, 0)(epoch) for k in (known, swapped))
        assert one[1:] == other[1:]
    asked = {q for e in range(20) for q in scenes.generic(known, 0)(e)[1]}
    assert CAPTION in asked
    assert {question(t) for t in TARGETS} <= asked


def test_fine_tuning_asks_for_the_true_class(known: scenes.Pictures) -> None:
    which, asked, answered = scenes.about(known, "expression")(0)
    assert asked == [question("expression")] * 60
    assert answered == [CLOSED["expression"][known.labels["expression"][i]] for i in which]


def test_captions_and_all_questions_are_words_of_the_model(known: scenes.Pictures) -> None:
    encode(known.captions(), 8, end=True)
    encode([question(t, m) for t in TARGETS for m in ("", *MARKS)], 12)


def test_who_is_meant_alone_has_the_mark_and_is_shown_once(known: scenes.Pictures) -> None:
    shown = scenes.scenes(known, 80, "x", seed=0)
    assert shown.images.shape == (80, 64, 160, 3)
    marks = known.marks()
    for target, people, mark in zip(shown.target, shown.people, shown.mark, strict=True):
        assert known.subjects[target] == people[0]
        others = {int(p) for p in people} - {int(people[0])}
        assert len(others) in (1, 2)
        assert marks[target, mark]
    assert {len(set(p.tolist())) for p in shown.people} == {2, 3}
    edge = (64 - scenes.PERSON) // 2
    for i in range(5):
        middle = known.images[shown.target[i]][:, edge : edge + scenes.PERSON]
        places = [
            x
            for x in range(160 - scenes.PERSON + 1)
            if np.array_equal(shown.images[i][:, x : x + scenes.PERSON], middle)
        ]
        assert len(places) == 1


def test_nobody_else_in_the_scene_has_the_mark(monkeypatch: pytest.MonkeyPatch, known: scenes.Pictures) -> None:
    chosen: list[np.ndarray] = []
    beside = scenes._beside

    def noted(portraits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        chosen.append(np.array([np.flatnonzero((known.images == p).all((1, 2, 3)))[0] for p in portraits]))
        return beside(portraits, rng)

    monkeypatch.setattr(scenes, "_beside", noted)
    shown = scenes.scenes(known, 20, "x", seed=0)
    for pictures, mark in zip(chosen, shown.mark, strict=True):
        assert known.marks()[pictures, mark].sum() == 1


def test_without_a_description_the_question_says_nothing_about_who(known: scenes.Pictures) -> None:
    shown = scenes.scenes(known, 8, "x", seed=0)
    assert set(shown.questions("age", False)) == {question("age")}
    assert all(MARKS[m] in q for m, q in zip(shown.mark, shown.questions("age", True), strict=True))
    asked = [q for e in range(20) for q in scenes.addressed(shown, 0)(e)[1]]
    plain = sum(q.endswith("in the image") for q in asked) / len(asked)
    assert 0.2 < plain < 0.47


def test_sizes_that_do_not_fit_are_refused(known: scenes.Pictures) -> None:
    with pytest.raises(ShapeError, match="two pictures"):
        scenes.portraits(5, "train", long_tailed=False, seed=0)
    alone = scenes.Pictures(known.images[:4], known.subjects[:4], {}, {})
    with pytest.raises(ShapeError, match="three people"):
        scenes.scenes(alone, 2, "x", seed=0)
