"""Sheets of phantom faces show what they say."""

import numpy as np
import pytest

from workbench.core import ShapeError
from workbench.data import phantom
from workbench.figures import phantom as figures


@pytest.fixture(scope="module")
def person() -> phantom.Scene:
    return phantom.frontal(phantom.identities(1, seed=2)).replace(hair_dark=0.2, hair_length=0.4, hair_recession=0.0)


def test_a_sheet_holds_every_picture_and_its_label() -> None:
    pictures = np.stack([np.full((8, 8, 3), v, np.uint8) for v in (10, 20, 30)])
    figure = figures.sheet(pictures, ["a", "b", "c"], columns=2, title="three")
    shown = [axes for axes in figure.axes if axes.images]
    assert [int(axes.images[0].get_array()[0, 0, 0]) for axes in shown] == [10, 20, 30]
    assert [axes.get_title() for axes in shown] == ["a", "b", "c"]
    assert figure.get_suptitle() == "three"
    with pytest.raises(ShapeError, match="one label for each picture"):
        figures.sheet(pictures, ["a"])


@pytest.mark.parametrize("factor", [f.name for f in phantom.FACTORS])
def test_every_factor_can_be_shown(person: phantom.Scene, factor: str) -> None:
    figure = figures.factor_figure(person, factor, steps=3, size=32)
    pictures = [np.asarray(axes.images[0].get_array()).astype(int) for axes in figure.axes if axes.images]
    assert len(pictures) >= 3
    assert any(np.abs(p - pictures[0]).max() > 4 for p in pictures[1:])
    assert figure.get_suptitle().startswith(factor)


def test_the_truth_and_the_attacks_have_all_their_panels(person: phantom.Scene) -> None:
    titles = [axes.get_title() for axes in figures.truth_figure(person, size=48, dark=True).axes]
    assert {
        "picture and landmarks",
        "near-infrared",
        "depth in mm",
        "normals",
        "parsing",
        "albedo",
        "shading",
        "UV",
    } <= set(titles)
    shown = figures.attack_figure(person, person, size=32)
    assert len([axes for axes in shown.axes if axes.images]) == 3 * (1 + len(phantom.SPECIES))
