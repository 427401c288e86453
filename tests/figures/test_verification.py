import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from workbench import files
from workbench.core import Estimate, Scores, Trials, Undefined
from workbench.figures import tables
from workbench.figures.evaluation import page, write_evaluation
from workbench.figures.verification import det_figure, score_figure
from workbench.methods.bands import Det
from workbench.methods.evaluation import Evaluation, of_scores


def scored(shift: float = 2.0, subjects: int = 10, title: str = "s.csv") -> Evaluation:
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(subjects), 3)
    reference, probe = np.triu_indices(len(subject), 1)
    codes = np.stack([subject[reference], subject[probe]], 1)
    mated = codes[:, 0] == codes[:, 1]
    values = rng.normal(0, 1, len(mated)) + np.where(mated, shift, 0)
    scores = Scores("m", Trials(reference, probe, mated, codes), values, np.ones(len(mated), bool))
    return of_scores(scores, title=title, resamples=20)


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return scored()


def texts(picture: Any) -> str:
    return " ".join(t.get_text() for t in picture.findobj(lambda a: hasattr(a, "get_text")))


def test_the_curve_stands_in_normal_deviates(found: Evaluation) -> None:
    picture = det_figure(found)
    axes = picture.axes[0]
    assert isinstance(found.det, Det)
    line = next(ln for ln in axes.get_lines() if ln.get_label() == "DET of m")
    assert np.allclose(line.get_xdata(), stats.norm.ppf(found.det.target))
    seen = found.det.fnmr > 0
    assert np.allclose(line.get_ydata()[seen], stats.norm.ppf(found.det.fnmr[seen]))
    low, high = axes.get_xlim()
    shown = [t.get_text() for t, at in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True) if low < at < high]
    assert shown == ["0.01", "0.05", "0.1", "0.2", "0.4"]
    assert axes.xaxis.get_ticklocs()[4] == pytest.approx(stats.norm.ppf(0.01))
    said = texts(picture)
    assert "95 % band over 10 capture subjects" in said
    assert f"EER {found.numbers['EER']}" in said
    assert "fewer than 30 false matches" in said


def test_figures_say_what_they_cannot_show(found: Evaluation) -> None:
    assert "No errors here" in texts(det_figure(scored(50.0)))
    trials = found.scores.trials
    none = of_scores(replace(found.scores, trials=trials.subset(trials.mated), values=found.scores.values[trials.mated],
                             acquired=found.scores.acquired[trials.mated]))  # fmt: skip
    assert "No DET curve: no non-mated trials" in texts(det_figure(none))
    assert "mated (30)" in texts(score_figure(none))
    n = len(trials)
    failed = of_scores(Scores("m", trials, np.full(n, np.nan), np.zeros(n, bool)))
    assert "every trial failed to acquire" in texts(score_figure(failed))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("draw", [det_figure, score_figure])
def test_figures_are_pictures_in_both_themes(found: Evaluation, draw: Any, dark: bool) -> None:
    picture = Image.open(io.BytesIO(draw(found, dark=dark).png())).convert("L")
    assert (picture.getpixel((2, 2)) < 60) == dark
    assert draw(found, dark=dark).svg() == draw(found, dark=dark).svg()


def test_scores_are_drawn_with_their_thresholds(found: Evaluation) -> None:
    picture = score_figure(found)
    lines = sorted(ln.get_xdata()[0] for ln in picture.axes[0].get_lines())
    assert lines == sorted(found.thresholds.values())
    said = texts(picture)
    for name in ("mated (30)", "non-mated (405)", "EER", "FMR 1e-1", "FMR 1e-2"):
        assert name in said
    assert "FMR 1e-3" not in said


def test_a_folder_holds_the_appendix(found: Evaluation, tmp_path: Path) -> None:
    extra = {"the same scores under other rules": {"nearest": Estimate(0.25, rule="nearest FMR")}}
    report = write_evaluation(tmp_path / "out", replace(found, further=extra))
    assert sorted(p.name for p in report.parent.iterdir()) == [
        "det.csv", "det.png", "det.svg", "numbers.csv", "numbers.json", "report.html", "scores.png", "scores.svg",
    ]  # fmt: skip
    read = files.from_json((report.parent / "numbers.json").read_text())
    assert read["numbers"] == dict(found.numbers)
    assert read["thresholds"] == dict(found.thresholds)
    rows = list(csv.DictReader((report.parent / "numbers.csv").open()))
    assert [r["measure"] for r in rows] == [*found.numbers, "nearest"]
    first = rows[0]
    eer = found.numbers["EER"]
    assert (float(first["value"]), float(first["low"]), float(first["high"])) == (eer.value, eer.low, eer.high)
    assert first["rule"] == eer.rule
    few = next(r for r in rows if r["measure"] == "FNMR at FMR 1e-6")
    assert (few["value"], few["undefined"]) == ("", "needs at least 1,000,000 non-mated trials")
    det = list(csv.DictReader((report.parent / "det.csv").open()))
    assert isinstance(found.det, Det)
    assert [float(r["fnmr"]) for r in det] == found.det.fnmr.tolist()
    assert [float(r["fnmr_high"]) for r in det] == found.det.high.tolist()
    text = report.read_text()
    assert "nearest FMR" in text
    assert "http" not in text
    assert "<script" not in text
    # A second time the files are replaced.
    assert write_evaluation(tmp_path / "out", found).read_text() != text


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    nasty = "<img src=x onerror=alert(1)>.csv"
    text = page(scored(title=nasty))
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text
    assert det_figure(scored(title=nasty)).svg()


def test_a_title_is_no_formula() -> None:
    found = scored(title=r"a$\frac$.csv")
    assert det_figure(replace(found, scores=replace(found.scores, arm="_$^$"))).svg()
    assert score_figure(found).svg()


def test_tables_say_why_there_is_no_number(found: Evaluation) -> None:
    rows = {name: cells for name, *cells in tables.rows(found)}
    assert rows["EER"][0] == f"{found.numbers['EER'].value:.4g}"
    assert rows["EER"][1].startswith("[")
    assert float(rows["EER"][2]) == pytest.approx(found.thresholds["EER"], rel=1e-3)
    assert rows["FNMR at FMR 1e-3"] == ["needs at least 1,000 non-mated trials", "", ""]
    few = scored(subjects=4)
    assert {name: cells for name, *cells in tables.rows(few)}["EER"][1] == "none"
    assert tables.reasons(few)[0].endswith("FNMR at FMR 1e-1: fewer than 5 capture subjects")
    assert isinstance(few.numbers["EER"].low, Undefined)
    assert json.loads(files.to_json(tables.plain(few)))["counts"]["subjects"] == 4
