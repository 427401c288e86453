"""Populations by shares, and sets that are ready for identification, differentials and attributes."""

import numpy as np
import pytest

from workbench.core import ParameterError, UnknownNameError
from workbench.data import phantom
from workbench.data.protocols import stratified


def test_shares_are_dealt_to_the_person() -> None:
    people = phantom.skewed(phantom.identities(40), gender=(3, 1), melanin=(1, 1, 1, 1, 0))
    gender, melanin = people.looks["gender"], people.looks["melanin"]
    assert int((gender < 0).sum()) == 30
    assert np.histogram(melanin, np.linspace(0, 1, 6))[0].tolist() == [10, 10, 10, 10, 0]
    untouched = phantom.identities(40)
    np.testing.assert_array_equal(people.modes, untouched.modes)
    np.testing.assert_array_equal(people.looks["age"], untouched.looks["age"])
    # Seven by thirds: remainders go to the first of equals.
    sevenths = phantom.skewed(phantom.identities(7), age=(1, 1, 1)).looks["age"]
    assert sorted(np.histogram(sevenths, np.linspace(18, 75, 4))[0].tolist()) == [2, 2, 3]


def test_shares_that_make_no_sense_are_refused() -> None:
    people = phantom.identities(3)
    with pytest.raises(UnknownNameError, match="did you mean 'gender'"):
        phantom.skewed(people, gendre=(1, 1))
    for wrong in ((0, 0), (1, -1), ()):
        with pytest.raises(ParameterError, match="shares of age do not fit"):
            phantom.skewed(people, age=wrong)


def test_open_set_identification_enrols_half_and_searches_with_the_rest() -> None:
    found = phantom.identification(6, 3, enrolled=0.5, size=32)
    subjects = found.samples.subjects
    enrolled = set(subjects[found.references])
    assert len(found.references) == len(enrolled) == 3
    assert len(found.probes) == 18 - 3
    assert not set(found.references) & set(found.probes)
    np.testing.assert_array_equal(found.mated, [s in enrolled for s in subjects[found.probes]])
    closed = phantom.identification(4, 2, enrolled=1.0, size=32)
    assert closed.mated.all()
    with pytest.raises(ParameterError, match="2 pictures or more"):
        phantom.identification(4, 1)


def test_differentials_have_their_groups() -> None:
    samples, trials = phantom.differentials(12, 2, size=32)
    skin, gender = samples.attributes["skin_type"], samples.attributes["gender_group"]
    assert np.bincount(skin, minlength=7)[1:].tolist() == [4] * 6
    assert int((gender == "masculine").sum()) == 12
    assert trials.mated.any()
    assert not trials.mated.all()
    skewed, _ = phantom.differentials(12, 2, size=32, gender=(5, 1))
    assert int((skewed.attributes["gender_group"] == "feminine").sum()) == 20


def test_portraits_carry_all_that_is_known() -> None:
    samples = phantom.portraits(phantom.identities(2), 2, size=32)
    for name in ("age", "gender", "Smiling", "Eyeglasses", "skin_type", "landmarks5", "hair_length"):
        assert len(samples.attributes[name]) == 4
    assert samples.subjects.tolist() == ["subject-0000"] * 2 + ["subject-0001"] * 2


def test_the_parameter_vector_has_everything_once() -> None:
    scene, _ = phantom.scenes(2, 2, seed=3)
    values, names = phantom.parameters(scene)
    assert values.shape == (4, len(names))
    assert len(set(names)) == len(names)
    np.testing.assert_allclose(values[:, names.index("yaw")], scene.yaw)
    np.testing.assert_allclose(values[:, names.index("movements_8")], scene.movements[:, 8])
    np.testing.assert_allclose(values[:, names.index("jaw_width")], scene.identity.mode("jaw_width"))


def test_focal_length_by_hand() -> None:
    scene = phantom.frontal(phantom.identities(1)).replace(fill=0.5, distance=1140.0)
    # Half of 200 pixels are 228 mm at 1,140 mm: 100 px * 1140 / 228.
    assert phantom.focal_length(scene, 200)[0] == pytest.approx(500.0)


def test_strata_keep_their_shares() -> None:
    strata = np.repeat([5, 1, 7], [100, 40, 11])
    picked = stratified(strata, 30, "x", 0)
    assert len(set(picked.tolist())) == 30
    counts = [int((strata[picked] == s).sum()) for s in (5, 1, 7)]
    assert np.abs(np.array(counts) - 30 * np.array([100, 40, 11]) / 151).max() <= 1
    assert (picked == stratified(strata, 30, "x", 0)).all()
    assert (picked != stratified(strata, 30, "x", 1)).any()
    assert sorted(stratified(strata, 151, "x", 0).tolist()) == list(range(151))
