"""Words: answers matched to closed lists, and label groups that are named in one table."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core import ShapeError, UnknownNameError
from workbench.methods import tiny_vlm_words as words

SEXES = ("male", "female")
RACES = ("White", "Black", "Indian", "East Asian", "Southeast Asian", "Middle Eastern", "Latino_Hispanic")


@pytest.mark.parametrize(
    ("text", "closed", "place"),
    [
        ("female", SEXES, 1),
        ("Female.", SEXES, 1),
        ("  the person is MALE\n", SEXES, 0),
        ("a female person", SEXES, 1),
        ("males", SEXES, words.INVALID),
        ("male or female", SEXES, words.INVALID),
        ("", SEXES, words.INVALID),
        ("I cannot tell", SEXES, words.INVALID),
        ("Asian", RACES, words.INVALID),
        ("East Asian", RACES, 3),
        ("Southeast Asian", RACES, 4),
        ("the person looks east asian, I think", RACES, 3),
        ("Asian", ("White", "Asian", "East Asian"), 1),
        ("an East Asian man", ("White", "Asian", "East Asian"), 2),
        ("very light", words.CLOSED["skin tone"], 0),
        ("light", words.CLOSED["skin tone"], 1),
        ("a light brown skin", words.CLOSED["skin tone"], 2),
        ("skin is very light", words.CLOSED["skin tone"], 0),
        ("light brown or brown", words.CLOSED["skin tone"], words.INVALID),
        ("14-23", words.CLOSED["age"], 1),
        ("114-23", words.CLOSED["age"], words.INVALID),
        ("about 14-23 years", words.CLOSED["age"], 1),
        ("14-235", words.CLOSED["age"], words.INVALID),
    ],
)
def test_an_answer_is_its_class_or_invalid(text: str, closed: tuple[str, ...], place: int) -> None:
    assert words.match(text, closed) == place


@pytest.mark.parametrize("attribute", words.TARGETS)
def test_every_class_is_matched_to_itself_alone_and_in_a_sentence(attribute: str) -> None:
    closed = words.CLOSED[attribute]
    assert words.matched(closed, closed).tolist() == list(range(len(closed)))
    assert words.matched([f"It is {c.upper()}!" for c in closed], closed).tolist() == list(range(len(closed)))


def test_texts_go_to_tokens_and_back() -> None:
    texts = ["brown hair red shirt glasses", "very light", ""]
    assert words.decode(words.encode(texts, 8, end=True)) == texts
    with pytest.raises(UnknownNameError, match="race"):
        words.encode(["race"], 4)
    with pytest.raises(ShapeError, match="too long"):
        words.encode(["very light"], 2, end=True)


def test_generated_faces_have_no_race() -> None:
    assert "race" not in words.VOCABULARY
    assert "race" not in words.CLOSED


def test_fairface_labels_are_those_of_its_lists() -> None:
    ages = list(words.MAPS["fairface"]["age"])
    assert ages == ["0-2", "3-9", *(f"{d}-{d + 9}" for d in range(10, 70, 10)), "more than 70"]
    assert words.mapped(["more than 70", "0-2"], "fairface", "age") == ["70+", "0-2"]
    assert words.mapped(RACES, "fairface", "race") == list(RACES)
    assert len(set(words.mapped(RACES, "fairface", "race"))) == 7
    with pytest.raises(UnknownNameError, match="70"):
        words.mapped(["70+"], "fairface", "age")


def test_utkface_has_its_codes_and_others_have_no_class() -> None:
    assert words.mapped(list("01234"), "utkface", "race") == ["White", "Black", "Asian", "Indian", None]
    assert words.mapped(["0", "1"], "utkface", "gender") == ["male", "female"]
    both = {v for v in words.MAPS["fairface"]["race as in UTKFace"].values() if v}
    assert both == {v for v in words.MAPS["utkface"]["race"].values() if v}
    assert words.mapped(["East Asian", "Southeast Asian", "Latino_Hispanic"], "fairface", "race as in UTKFace") == [
        "Asian", "Asian", None,
    ]  # fmt: skip
    with pytest.raises(UnknownNameError, match="'5'"):
        words.mapped(["5"], "utkface", "race")


def test_the_maps_agree_with_the_reader_of_utkface() -> None:
    from workbench.data import utkface

    assert tuple(words.MAPS["utkface"]["gender"].values()) == utkface.GENDERS
    named = tuple(v or "others" for v in words.MAPS["utkface"]["race"].values())
    assert named == utkface.RACES


def test_the_maps_agree_with_the_reader_of_fairface() -> None:
    from workbench.data import fairface

    assert tuple(words.MAPS["fairface"]["age"]) == fairface.AGES
    assert tuple(words.MAPS["fairface"]["gender"]) == fairface.GENDERS
    assert sorted(words.MAPS["fairface"]["race"]) == sorted(fairface.RACES)


def test_ages_from_0_to_116_fall_into_fairfaces_groups() -> None:
    lowest = {0: (0, 2), 1: (3, 9), 2: (10, 19), 7: (60, 69), 8: (70, 116)}
    for group, ends in lowest.items():
        assert words.fairface_age(np.array(ends)).tolist() == [group, group]
    assert np.all(np.diff(words.fairface_age(np.arange(117))) >= 0)
    with pytest.raises(ShapeError, match="negative"):
        words.fairface_age(np.array([-1]))


def test_the_renderers_ages_fall_into_the_group_that_their_name_says() -> None:
    for place, name in enumerate(words.CLOSED["age"]):
        low, high = (int(x) for x in name.split("-"))
        assert words.age_group(np.array([low, high + 0.9])).tolist() == [place, place]


def test_every_grouping_of_ages_joins_neighbours_and_forgets_none() -> None:
    for name, groups in words.MERGES.items():
        assert [n for group in groups for n in group] == list(range(9)), name
    assert words.merge(np.array([0, 1, 2, 3, 8, words.INVALID]), "five").tolist() == [0, 0, 1, 2, 4, words.INVALID]
    with pytest.raises(UnknownNameError, match="grouping"):
        words.merge(np.array([0]), "four")
