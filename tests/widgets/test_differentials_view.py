"""Rates of groups at one threshold: those of the metrics, each with its count, small ones said to be small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import traitlets

from workbench.core import DataError, Scores, ShapeError, Trials, UnknownNameError
from workbench.data import phantom
from workbench.metrics import differentials
from workbench.widgets import CurveExplorer, Differentials

GROUPS = np.array(["ash", "birch", "<b>cedar</b>"])


def population() -> tuple[Scores, np.ndarray]:
    """Eighteen people of three groups, and the group of each picture."""
    rng = np.random.default_rng(7)
    person = np.repeat(np.arange(18), 3)
    one, other = np.triu_indices(len(person), 1)
    subjects = np.stack([person[one], person[other]], 1)
    mated = subjects[:, 0] == subjects[:, 1]
    values = np.round(rng.normal(0, 0.2, len(one)) + np.where(mated, 0.5, 0.06 * (person[one] % 3)), 2)
    return Scores("cosine", Trials(one, other, mated, subjects), values, np.ones(len(one), bool)), GROUPS[person % 3]


def test_rates_are_those_of_the_metrics_at_every_threshold() -> None:
    scores, label = population()
    shown = Differentials(scores, label)
    for threshold in (-1.0, 0.1, 0.25, 0.4, 0.9):
        shown.comm.receive("update", {"threshold": threshold})
        groups = differentials.Groups(scores, label[scores.trials.reference], label[scores.trials.probe], threshold)
        fmr, fnmr = (f(groups, resamples=0) for f in (differentials.fmr_by_group, differentials.fnmr_by_group))
        assert [r["group"] for r in shown.rows] == sorted(GROUPS)
        for row in shown.rows:
            assert (row["fmr"], row["fnmr"]) == (float(fmr[row["group"]]), float(fnmr[row["group"]]))
            assert row["few_fmr"] == ("small" in fmr[row["group"]].rule)
            assert row["subjects"] == 6
        for said in shown.summaries:
            whole = differentials.summary(groups, said["name"], resamples=0)
            assert said["value"] == (pytest.approx(float(whole)) if whole.defined else None)


def test_intervals_come_at_rest_and_are_those_of_the_metrics() -> None:
    scores, label = population()
    shown = Differentials(scores, label, threshold=0.3)
    groups = differentials.Groups(scores, label[scores.trials.reference], label[scores.trials.probe], 0.3)
    exact = differentials.fmr_by_group(groups, resamples=200)
    for row, ends in zip(shown.rows, shown.rest["rows"], strict=True):
        assert ends["fmr"] == [exact[row["group"]].low, exact[row["group"]].high]
    at = [s["name"] for s in shown.summaries].index("GARBE")
    garbe = differentials.summary(groups, "GARBE", resamples=200)
    assert shown.rest["summaries"][at] == [garbe.low, garbe.high]
    shown.comm.receive("update", {"threshold": 0.2})
    assert shown.rest["threshold"] == 0.3
    shown.comm.receive("custom", {"ask": "intervals", "id": 1, "with": {}})
    assert shown.settle(20)
    assert shown.rest["threshold"] == 0.2


def test_one_slider_moves_both() -> None:
    scores, label = population()
    curves, groups = CurveExplorer(scores), Differentials(scores, label)
    traitlets.link((curves, "threshold"), (groups, "threshold"))
    curves.comm.receive("update", {"threshold": 0.22})
    assert groups.threshold == 0.22
    assert sum(r["mated"] for r in groups.rows) == curves.reading[0]["mated"]
    assert sum(r["false_nonmatches"] for r in groups.rows) == curves.reading[0]["false_nonmatches"]


def test_a_group_without_mated_trials_is_undefined_with_its_reason() -> None:
    scores, label = population()
    keep = ~(scores.trials.mated & (label[scores.trials.reference] == "ash"))
    fewer = Scores("s", scores.trials.subset(keep), scores.values[keep], scores.acquired[keep])
    shown = Differentials(fewer, label)
    row = next(r for r in shown.rows if r["group"] == "ash")
    assert row["fnmr"] is None
    assert row["why"] == "no mated trials"
    assert "FNMR undefined" in shown.static_html()
    assert "no mated trials" in shown.static_html()


def test_ratios_of_no_errors_are_undefined_with_their_reason() -> None:
    scores, label = population()
    shown = Differentials(scores, label, threshold=5.0)
    ratio = next(s for s in shown.summaries if s["name"] == "IR")
    assert (ratio["value"], ratio["why"]) == (None, "a group has no error")
    assert all(r["few_fmr"] for r in shown.rows)
    assert "IR (alpha 0.5) undefined: a group has no error" in shown.describe()


def test_an_attribute_of_the_samples_is_a_source() -> None:
    people = phantom.faces(6, 2, size=48, seed=5)
    one, other = np.triu_indices(len(people), 1)
    _, code = np.unique(people.subjects, return_inverse=True)
    subjects = np.stack([code[one], code[other]], 1)
    mated = subjects[:, 0] == subjects[:, 1]
    scores = Scores("s", Trials(one, other, mated, subjects), mated * 0.5, np.ones(len(one), bool))
    name = next(n for n, v in people.attributes.items() if v.ndim == 1 and _constant(v, code))
    shown = Differentials(scores, name, samples=people)
    assert shown.facts["by"] == name
    assert shown.facts["origin"] == "the data set's own labels"
    with pytest.raises(UnknownNameError, match="unknown attribute 'colour'"):
        Differentials(scores, "colour", samples=people)
    with pytest.raises(ShapeError, match="give samples"):
        Differentials(scores, name)


def _constant(values: np.ndarray, code: np.ndarray) -> bool:
    return all(len(np.unique(values[code == c])) == 1 for c in np.unique(code))


def test_a_score_file_with_groups_is_a_source_and_one_without_is_refused(tmp_path: Any) -> None:
    head, rows = "reference,probe,score,mated", ["a,b,0.9,1", "c,d,0.8,1", "a,e,0.2,0", "c,f,0.4,0"]
    (tmp_path / "plain.csv").write_text("\n".join([head, *rows]) + "\n")
    with pytest.raises(DataError, match="no groups"):
        Differentials(tmp_path / "plain.csv")
    labelled = [f"{row},{g},{g}" for row, g in zip(rows, "mfmf", strict=True)]
    (tmp_path / "g.csv").write_text("\n".join([f"{head},group_reference,group_probe", *labelled]) + "\n")
    shown = Differentials(tmp_path / "g.csv", threshold=0.3)
    assert [(r["group"], r["fmr"]) for r in shown.rows] == [("f", 1.0), ("m", 0.0)]
    assert "no intervals" in shown.rest["rule"]


@pytest.mark.parametrize("odd", [None, np.zeros((3, 2)), np.array(["a"]), 7])
def test_groups_that_do_not_fit_are_refused(odd: Any) -> None:
    with pytest.raises(ShapeError, match="groups do not fit"):
        Differentials(population()[0], odd)


def test_a_picture_property_is_no_group_of_people() -> None:
    scores, _ = population()
    with pytest.raises(ShapeError, match="a mated trial shows two groups"):
        Differentials(scores, np.array(["x", "y"])[np.arange(54) % 2])


def test_labels_are_left_out_where_they_are_not_known() -> None:
    scores, label = population()
    label = np.where(label == "ash", "", label)
    shown = Differentials(scores, label)
    assert [r["group"] for r in shown.rows] == ["<b>cedar</b>", "birch"]
    known = label != ""
    one, other = known[scores.trials.reference], known[scores.trials.probe]
    assert shown.facts["unknown"] == int((~(one & other)).sum())


@pytest.mark.parametrize("state", [{"threshold": float("nan")}, {"threshold": []}, {"rows": []}, {"facts": {}}])
def test_odd_traits_are_refused(state: dict[str, Any]) -> None:
    shown = Differentials(*population())
    name = next(iter(state))
    before = getattr(shown, name)
    shown.comm.receive("update", state)
    assert getattr(shown, name) == before
    assert shown.error


def test_the_card_has_every_group_with_its_numbers() -> None:
    card = Differentials(*population()).static_html()
    assert "data:image/png;base64," in card
    assert "&lt;b&gt;cedar&lt;/b&gt;" in card
    assert "<b>cedar" not in card
    for word in ("FDR", "GARBE", "IR", "geometric mean", "Groups: the data set&#x27;s own labels", "6 people"):
        assert word in card


def test_the_threshold_moves_by_keyboard_and_the_table_follows(bench: Any) -> None:
    shown = Differentials(*population(), threshold=0.3)
    view = bench.show(shown)
    view.get_by_role("img", name="FMR by group").wait_for()
    bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
    slide = view.get_by_role("slider", name="Threshold")
    for _ in range(3):
        slide.press("PageUp")
    bench.page.wait_for_function("[...window.models.values()][0].get('threshold') > 0.4")
    bench.page.wait_for_function(
        "(() => { const m = [...window.models.values()][0]; return m.get('rest').threshold === m.get('threshold'); })()"
    )
    row = view.get_by_role("row").filter(has_text="birch").first.inner_text()
    found = next(r for r in shown.rows if r["group"] == "birch")
    assert f"({found['false_matches']} of {found['nonmated']}" in row
    assert view.get_by_role("row").filter(has_text="<b>cedar</b>").count() == 1
    view.get_by_role("status").get_by_text("At threshold").wait_for()
    view.get_by_label("Threshold as a number").fill("0.2")
    view.get_by_label("Threshold as a number").press("Enter")
    bench.page.wait_for_function("[...window.models.values()][0].get('rest').threshold === 0.2")


def test_in_the_dark_and_nothing_left_behind(bench: Any) -> None:
    bench.dark()
    view = bench.show(Differentials(*population()))
    view.get_by_role("img", name="FNMR by group").wait_for()
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0]


def test_labels_of_a_table_are_taken_and_what_is_missing_is_not_known() -> None:
    scores, label = population()
    plain = label.astype(np.str_)
    plain[:6] = ""
    expected = Differentials(scores, plain)
    for missing in (None, float("nan"), ""):
        column = np.array([missing if not name else str(name) for name in plain], object)
        shown = Differentials(scores, column)
        assert shown.rows == expected.rows
        assert shown.facts["unknown"] == expected.facts["unknown"] > 0
    decades = np.where(plain == "ash", np.nan, 20.0)
    assert [row["group"] for row in Differentials(scores, decades).rows] == ["20.0"]
