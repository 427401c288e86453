"""One threshold in all curves: exact at every step, drawn as the whole curve is, said in words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from workbench import files, metrics, runs
from workbench.core import DataError, ParameterError, Result, Scores, ShapeError, Trials, Undefined
from workbench.data import phantom
from workbench.figures.curves import det_points, roc_points, span, thinned
from workbench.metrics import quality
from workbench.runs import journal
from workbench.runs.session import SCORES
from workbench.widgets import CurveExplorer


def population(people: int = 12, seed: int = 3, *, arm: str = "cosine", shift: float = 0.5, lost: int = 0) -> Scores:
    """Every picture of a few people against every other; scores of two digits, so that many tie."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 4)
    one, other = np.triu_indices(len(person), 1)
    subjects = np.stack([person[one], person[other]], 1)
    mated = subjects[:, 0] == subjects[:, 1]
    values = np.round(rng.normal(0, 0.2, len(one)) + np.where(mated, shift, 0.0), 2)
    acquired = np.ones(len(one), bool)
    acquired[rng.permutation(len(one))[:lost]] = False
    return Scores(arm, Trials(one, other, mated, subjects), np.where(acquired, values, np.nan), acquired)


def asked(widget: Any, name: str, **fields: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What a question is answered with, buffers as float32."""
    widget.comm.take()
    widget.comm.receive("custom", {"ask": name, "id": 1, "with": fields})
    (said,) = [m for m in widget.comm.take() if m["data"]["method"] == "custom"]
    import base64

    return said["data"]["content"], [np.frombuffer(base64.b64decode(b), "<f4") for b in said["buffers"]]


def test_every_threshold_from_the_browser_equals_a_slow_count() -> None:
    scores = population(lost=40)
    shown = CurveExplorer(scores)
    values, mated = np.where(scores.acquired, scores.values, -np.inf), scores.trials.mated
    for threshold in [*np.unique(scores.values[scores.acquired]).tolist(), -3.0, 3.0, 0.1234567]:
        shown.comm.receive("update", {"threshold": threshold})
        (row,) = shown.reading
        assert shown.error == ""
        assert row["false_matches"] == sum(v >= threshold for v in values[~mated])
        assert row["false_nonmatches"] == sum(v < threshold for v in values[mated])
        assert (row["fmr"], row["fnmr"]) == metrics.fmr_fnmr_at(scores, threshold)
        assert (shown.fmr, shown.fnmr) == (row["fmr"], row["fnmr"])


def test_eer_auc_and_operating_points_are_those_of_the_metrics() -> None:
    scores = population(lost=7)
    shown = CurveExplorer(scores)
    assert shown.facts[0]["eer"] == float(metrics.eer(scores, resamples=0))
    assert shown.facts[0]["auc"] == float(metrics.auc(scores, resamples=0))
    assert shown.threshold == metrics.eer_threshold(scores)
    for fmr in (0.5, 0.1, 1e-2, 1e-3, 1e-6, 0.0):
        shown.choose_fmr(fmr)
        assert shown.threshold == metrics.threshold_at_fmr(scores, fmr)
        assert shown.fnmr == float(metrics.fnmr_at_fmr(scores, fmr, resamples=0))
    shown.choose_eer()
    assert shown.threshold == metrics.eer_threshold(scores)


def test_arms_are_compared_at_one_fmr_or_at_one_threshold() -> None:
    one, other = population(), population(seed=9, arm="other", shift=0.3)
    shown = CurveExplorer([one, other])
    shown.choose_fmr(0.02)
    assert shown.reading[1]["threshold"] == metrics.threshold_at_fmr(other, shown.fmr)
    assert shown.reading[1]["fmr"] <= shown.fmr
    shown.common = "threshold"
    assert [r["threshold"] for r in shown.reading] == [shown.threshold] * 2
    shown.common = "fmr"
    own = shown.reading[1]["threshold"]
    shown.comm.receive("update", {"arm": 1})
    assert shown.threshold == own
    assert shown.fmr == metrics.fmr_fnmr_at(other, own)[0]


def test_intervals_are_of_the_threshold_at_which_it_rests() -> None:
    scores = population()
    shown = CurveExplorer(scores, threshold=0.3)
    at_start = dict(shown.rest)
    assert at_start["threshold"] == 0.3
    assert "bootstrap over 12 capture subjects" in at_start["rule"]
    shown.comm.receive("update", {"threshold": 0.4})
    # While a person drags nothing slow is done; what is shown says so.
    assert shown.rest == at_start
    assert "[" not in shown.describe()
    asked(shown, "intervals")
    assert shown.settle(20)
    low, high = shown.rest["arms"][0]["fnmr"]
    assert low < shown.fnmr < high
    assert f"[{low:.4g}, {high:.4g}]" in shown.describe()


def test_without_people_there_are_no_intervals_and_that_is_said() -> None:
    shown = CurveExplorer((np.array([0.9, 0.8, 0.3]), [0.1, 0.4]), threshold=0.4)
    assert (shown.fmr, shown.fnmr) == (0.5, 1 / 3)
    assert "capture subjects" in shown.rest["rule"]
    assert shown.rest["arms"] == []
    assert "no intervals" in shown.static_html()


def test_equal_scores_have_a_chart_and_an_interval_that_says_what_it_is() -> None:
    shown = CurveExplorer((np.full(3, 0.5), np.full(4, 0.5)), threshold=0.5)
    assert (shown.fmr, shown.fnmr) == (1.0, 0.0)
    assert shown.facts[0]["low"] < shown.facts[0]["high"]
    people = population(6)
    alike = Scores("alike", people.trials, np.round(people.values) * 0 + 0.5, people.acquired)
    assert "similarity" not in CurveExplorer(alike, threshold=0.5).rest["rule"]


def test_one_kind_alone_has_a_reason_instead_of_curves() -> None:
    shown = CurveExplorer(([0.5, 0.6], []), threshold=0.55)
    assert isinstance(shown.fmr, Undefined)
    assert shown.fnmr == 0.5
    assert shown.facts[0]["why"] == "no non-mated trials"
    assert "FMR undefined" in shown.describe()
    assert "no non-mated trials" in shown.static_html()
    with pytest.raises(ParameterError, match="no such threshold"):
        shown.choose_fmr(0.1)


@pytest.mark.parametrize("kind", ["smooth", "tied", "clustered"])
def test_the_drawn_curve_is_the_exact_one_to_a_pixel(kind: str) -> None:
    rng = np.random.default_rng(0)
    nonmated, mated = rng.normal(0, 1, 100_000), rng.normal(2.2, 1, 20_000)
    if kind != "smooth":
        # Clusters are crowds in one column of the picture, with nothing in those beside it.
        nonmated, mated = np.round(nonmated, 1), np.round(mated, 1)
        jitter = 1e-4 if kind == "clustered" else 0.0
        nonmated, mated = (s + jitter * rng.normal(0, 1, len(s)) for s in (nonmated, mated))
    shown = CurveExplorer((mated, nonmated))
    rates = metrics.error_rates(shown._arms[0].scores)
    assert not isinstance(rates, Undefined)
    ends = span([rates]).fmr
    said, parts = asked(shown, "curves")
    assert said["arms"] == 1
    for (fmr, fnmr), scale, sides in (
        (det_points(rates, ends), lambda x: ndtri(np.clip(x, *ends)), ends),
        (roc_points(rates, ends), lambda x: np.log10(np.clip(x, ends[0], 1)), (ends[0], 1.0)),
    ):
        assert len(fmr) <= 2048
        assert np.any([np.array_equal(p, fmr.astype("<f4")) for p in parts])
        low, high = scale(np.array(sides))
        pixel = (high - low) / 1000
        at = np.linspace(low + pixel, high - pixel, 20_001)
        drawn = level(scale(fmr), fnmr, at)
        exact = [level(scale(rates.fmr[::-1]), rates.fnmr[::-1], at + shift) for shift in (-pixel, pixel)]
        assert np.all((exact[1] <= drawn) & (drawn <= exact[0]))


def level(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """What a curve is at places: it stays at a height until the next point."""
    return y[np.searchsorted(x, at, "right") - 1]


def test_thinning_keeps_the_extremes_of_any_curve() -> None:
    rng = np.random.default_rng(1)
    x, y = np.sort(rng.random(100_000)), rng.normal(0, 1, 100_000)
    kept = thinned(x, (0.0, 1.0), y)
    assert len(kept) <= 2048
    columns, drawn = np.floor(x * 512), np.floor(x[kept] * 512)
    for column in range(512):
        part, seen = y[columns == column], y[kept][drawn == column]
        assert (seen.min(), seen.max()) == (part.min(), part.max())


def test_bins_hold_every_score_once() -> None:
    scores = population(lost=20)
    _, parts = asked(CurveExplorer(scores), "curves")
    low, high = np.nanmin(scores.values), np.nanmax(scores.values)
    for part, kind in zip(parts[4:], (True, False), strict=True):
        some = scores.values[scores.acquired & (scores.trials.mated == kind)]
        assert part.sum() == pytest.approx(1, abs=1e-5)
        first = np.sum(some < low + (high - low) / len(part)) / len(some)
        assert part[0] == pytest.approx(first, abs=1e-6)


def test_error_versus_discard_is_that_of_the_metrics() -> None:
    scores = population()
    worth = np.random.default_rng(2).random(len(scores.trials))
    shown = CurveExplorer(scores, quality=worth, threshold=0.45)
    said, (shares, errors) = asked(shown, "discard")
    exact = quality.error_versus_discard(scores, worth, 0.45)
    assert said["why"] == ""
    assert not isinstance(exact, Undefined)
    # Few trials: nothing is thinned away.
    assert np.allclose(shares, exact.discarded)
    assert np.allclose(errors, exact.error)
    with pytest.raises(ShapeError, match="qualities do not fit"):
        CurveExplorer(scores, quality=worth[:-1])


def test_a_run_is_a_source_and_one_without_scores_says_so(home: Any) -> None:
    folder = home / "runs" / "tiny" / "one"
    journal.write(folder, "started")
    result = Result("tiny", "1-A", {}, {}, {}, ())
    files.commit_text(folder / "result.json", files.to_json(result))
    files.commit_text(folder / "order.json", '{"parameters": {}}')
    for source in (folder, result):
        with pytest.raises(DataError, match="this run kept no comparison scores"):
            CurveExplorer(source)
    files.commit_bytes(folder / SCORES, files.pack({"model": population(arm="model")}))
    for source in (folder, result):
        assert CurveExplorer(source).facts[0]["name"] == "model"
    assert runs.scores(folder)["model"].arm == "model"
    with pytest.raises(DataError, match="not scores, and the folder of its run is not to be found"):
        CurveExplorer(Result("other", "1-A", {}, {}, {}, ()))


def test_a_score_file_is_a_source(tmp_path: Any) -> None:
    (tmp_path / "s.csv").write_text("reference,probe,score,mated\na,b,0.9,1\na,c,0.2,0\nb,c,0.4,0\n")
    shown = CurveExplorer(tmp_path / "s.csv", threshold=0.4)
    assert (shown.fmr, shown.fnmr) == (0.5, 0.0)
    assert "s.csv" in shown.static_html()


@pytest.mark.parametrize(
    "odd", [3, "", [], {}, (np.zeros((2, 2)), np.zeros(3)), (["a"], ["b"]), ([np.nan], [0.0]), ([1.0], [np.inf])]
)
def test_what_is_no_scores_is_refused_in_words(odd: Any, tmp_path: Any) -> None:
    with pytest.raises((ShapeError, DataError)) as caught:
        CurveExplorer(tmp_path / "none" if odd == "" else odd)
    assert len(str(caught.value)) > 20


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"ask": "choose_fmr", "id": 1, "with": {"fmr": 1.5}}, "fmr is out of range"),
        ({"ask": "choose_fmr", "id": 1, "with": {"fmr": "1"}}, "fmr is no number"),
        ({"ask": "choose_fmr", "id": 1, "with": {}}, "other fields"),
        ({"ask": "pairs", "id": 1, "with": {"most": 10**6}}, "most is not to be had"),
        ({"ask": "reading", "id": 1, "with": {}}, "unknown question"),
    ],
)
def test_odd_questions_are_refused_in_words(question: Any, words: str) -> None:
    shown = CurveExplorer(population())
    shown.comm.receive("custom", question)
    assert words in shown.error


@pytest.mark.parametrize(
    "state",
    [{"threshold": float("nan")}, {"threshold": float("inf")}, {"threshold": "0.3"}, {"threshold": None}, {"arm": 1},
     {"arm": -1}, {"common": "x"}, {"reading": []}, {"facts": []}],
)  # fmt: skip
def test_odd_traits_are_refused_and_the_view_is_set_right(state: dict[str, Any]) -> None:
    shown = CurveExplorer(population())
    name = next(iter(state))
    before = getattr(shown, name)
    shown.comm.receive("update", state)
    assert getattr(shown, name) == before
    assert shown.error


def test_pairs_beside_the_threshold_are_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    people = phantom.faces(12, 4, size=48, seed=5)
    scores = population()
    shown = CurveExplorer(scores, samples=people, threshold=0.35)
    said, parts = asked_raw(shown, "pairs", most=2)
    rejected = [i for i in said["items"] if i["mated"] and not i["accepted"]]
    below = scores.values[scores.trials.mated & (scores.values < 0.35)]
    assert [i["score"] for i in rejected] == sorted(below)[::-1][:2]
    trial = int(rejected[0]["trial"])
    assert rejected[0]["names"] == [people.ids[scores.trials.reference[trial]], people.ids[scores.trials.probe[trial]]]
    assert len(parts) == 2 * len(said["items"])
    assert all(p.startswith(b"\xff\xd8") for p in parts)
    # Nothing of a picture is in what is saved.
    assert not any(isinstance(v, bytes | memoryview) for v in shown.get_state().values())
    assert "image/jpeg" not in shown.static_html()
    with pytest.raises(ShapeError, match="pictures that the samples do not have"):
        CurveExplorer(scores, samples=phantom.faces(2, 2, size=48, seed=5))


def asked_raw(widget: Any, name: str, **fields: Any) -> tuple[dict[str, Any], list[bytes]]:
    """The same, buffers as they are."""
    import base64

    widget.comm.take()
    widget.comm.receive("custom", {"ask": name, "id": 1, "with": fields})
    (said,) = [m for m in widget.comm.take() if m["data"]["method"] == "custom"]
    return said["data"]["content"], [base64.b64decode(b) for b in said["buffers"]]


def test_the_card_shows_the_curves_and_says_the_numbers() -> None:
    shown = CurveExplorer([population(arm="<b>x</b>"), population(seed=4, arm="$y$")], threshold=0.3)
    card = shown.static_html()
    assert "data:image/png;base64," in card
    assert "<b>x</b>" not in card
    assert "&lt;b&gt;x&lt;/b&gt;" in card
    assert f"EER {shown.facts[0]['eer']:.4g}" in card
    assert "accept when score &gt;= threshold" in card


def number(text: str) -> float:
    return float(re.sub(r"[^0-9.e-]", "", text))


def test_a_threshold_is_dragged_typed_and_chosen(bench: Any) -> None:
    scores = population(lost=9)
    other = population(seed=9, arm="<i>other</i>", shift=0.35)
    worth = np.random.default_rng(2).random(len(scores.trials))
    shown = CurveExplorer([scores, other], quality=worth, samples=phantom.faces(12, 4, size=64, seed=5))
    view = bench.show(shown)
    view.get_by_role("img", name="DET").wait_for()
    bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
    plot = view.get_by_role("img", name="Scores of cosine")
    plot.wait_for()
    plot.scroll_into_view_if_needed()
    area = plot.locator(".fw-field").bounding_box()
    start = shown.threshold
    y = area["y"] + area["height"] / 2
    bench.page.mouse.move(area["x"] + area["width"] * 0.5, y)
    bench.page.mouse.down()
    for share in (0.55, 0.6, 0.65, 0.7):
        bench.page.mouse.move(area["x"] + area["width"] * share, y)
    bench.page.mouse.up()
    low, high = shown.facts[0]["low"], shown.facts[0]["high"]
    want = low + (high - low) * 0.7
    bench.page.wait_for_function(f"Math.abs([...window.models.values()][0].get('threshold') - {want}) < 0.01")
    assert shown.threshold != start
    view.get_by_role("status").get_by_text(f"cosine at threshold {shown.threshold:.6g}"[:26]).wait_for()

    slide = view.get_by_role("slider", name="Threshold")
    before = shown.threshold
    slide.press("ArrowRight")
    bench.page.wait_for_function(f"[...window.models.values()][0].get('threshold') > {before}")
    view.get_by_label("Threshold as a number").fill("0.31")
    view.get_by_label("Threshold as a number").press("Enter")
    bench.page.wait_for_function("[...window.models.values()][0].get('threshold') === 0.31")
    bench.page.wait_for_function("[...window.models.values()][0].get('rest').threshold === 0.31")
    assert shown.threshold == 0.31
    row = view.get_by_role("row").nth(1).inner_text()
    assert f"({shown.reading[0]['false_matches']} of" in row
    assert "[" in row

    view.get_by_role("button", name="FMR at most 1 %").click()
    bench.page.wait_for_function(
        f"[...window.models.values()][0].get('threshold') === {metrics.threshold_at_fmr(scores, 0.01)}"
    )
    # A press on the DET chart takes its FMR, and shows the pairs beside the threshold.
    view.get_by_role("img", name="DET").scroll_into_view_if_needed()
    det = view.get_by_role("img", name="DET").bounding_box()
    bench.page.mouse.click(det["x"] + det["width"] * 0.5, det["y"] + det["height"] / 2)
    view.get_by_text("Mated, rejected: false non-matches").wait_for()
    assert shown.threshold in scores.values
    view.get_by_role("region", name="Mated, accepted").locator("img").first.wait_for()
    view.get_by_label("Arm whose threshold moves").select_option(label="<i>other</i>")
    view.get_by_role("img", name="Scores of <i>other</i>").wait_for()
    bench.page.wait_for_function("[...window.models.values()][0].get('rest').arm === 1")
    assert shown.arm == 1
    # The pairs that are open follow: they are those beside this threshold.
    nearest = view.get_by_role("region", name="Mated, accepted").locator(".fw-pair").first
    mated = other.values[other.trials.mated & other.acquired]
    typed = float(np.quantile(mated, 0.9)) + 1e-3
    assert shown.threshold != typed
    view.get_by_label("Threshold as a number").fill(str(typed))
    view.get_by_label("Threshold as a number").press("Enter")
    nearest.get_by_text(f"score {mated[mated >= typed].min():.6g}", exact=True).wait_for()


def test_it_is_readable_in_the_dark(bench: Any) -> None:
    bench.dark()
    shown = CurveExplorer([population(), population(seed=9, arm="other", shift=0.35)])
    view = bench.show(shown)
    view.get_by_role("img", name="Scores of cosine").wait_for()
    ink = view.locator(".fw-axis").first.evaluate("(e) => getComputedStyle(e).fill")
    assert ink.startswith("rgba(255, 255, 255")


def test_a_view_leaves_nothing_behind(bench: Any) -> None:
    view = bench.show(CurveExplorer(population()))
    view.get_by_role("img", name="Scores of cosine").wait_for()
    left = bench.page.evaluate("[...window.models.values()].map((m) => { m.end(); return m.listeners(); })")
    assert left == [0]
    assert bench.page.locator(".fw").count() == 0
