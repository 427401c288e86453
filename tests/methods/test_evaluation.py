from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import roc_auc_score

from workbench import data, metrics
from workbench.core import DataError, Estimate, ParameterError, Scores, Trials, Undefined
from workbench.data.scorefiles import ScoreFile, write_scores
from workbench.methods import bands
from workbench.methods.evaluation import FMRS, deal_folds, of_scores, of_table


def people(subjects: int, samples: int = 3, seed: int = 0, fold: bool = False) -> Scores:
    """All pairs of some people's samples, with a score that depends on the people."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), samples)
    ease = rng.normal(0, 0.5, subjects)
    reference, probe = np.triu_indices(len(subject), 1)
    codes = np.stack([subject[reference], subject[probe]], 1)
    mated = codes[:, 0] == codes[:, 1]
    values = rng.normal(0, 1, len(mated)) + np.where(mated, 2.0 + ease[codes[:, 0]], 0)
    trials = Trials(reference, probe, mated, codes, np.arange(len(mated)) % 5 if fold else None, "people")
    return Scores("m", trials, values, np.ones(len(mated), bool))


def test_the_published_vectors_are_in_the_report() -> None:
    table, target = load_iris(return_X_y=True)
    mated, nonmated = table[target == 1, 0], table[target == 0, 0]
    kind = np.r_[np.ones(50, bool), np.zeros(50, bool)]
    codes = np.stack([np.arange(100), np.where(kind, np.arange(100), np.arange(100) + 1000)], 1)
    scores = Scores(
        "iris", Trials(np.arange(100), np.arange(100), kind, codes), np.r_[mated, nonmated], np.ones(100, bool)
    )
    found = of_scores(scores, resamples=0)
    assert float(found.numbers["EER"]) == pytest.approx(0.11)
    assert float(found.numbers["FNMR at FMR 1e-1"]) == pytest.approx(0.12)
    assert found.thresholds["FNMR at FMR 1e-1"] == pytest.approx(5.5)
    assert float(found.numbers["AUC"]) == pytest.approx(roc_auc_score(kind, scores.values))
    assert str(found.numbers["FNMR at FMR 1e-2"].value).startswith("undefined: needs at least 100 non-mated trials")
    assert found.numbers["EER"].low is None
    assert isinstance(found.det, bands.Det)
    assert found.det.low is None
    at = int(np.argmin(np.abs(found.det.target - 0.05)))
    assert (found.det.fmr[at], found.det.fnmr[at], found.det.threshold[at]) == pytest.approx((0.02, 0.42, 5.8))


def test_one_bootstrap_gives_the_intervals_of_every_measure() -> None:
    scores = people(12)
    found = of_scores(scores, resamples=60, seed=3)
    each = {
        "EER": metrics.eer(scores, resamples=60, seed=3),
        "AUC": metrics.auc(scores, resamples=60, seed=3),
        "FNMR at FMR 1e-1": metrics.fnmr_at_fmr(scores, 1e-1, resamples=60, seed=3),
        "FNMR at FMR 1e-2": metrics.fnmr_at_fmr(scores, 1e-2, resamples=60, seed=3),
    }
    for name, expected in each.items():
        assert found.numbers[name] == expected, name


def test_thresholds_are_those_of_the_measures() -> None:
    scores = people(12)
    # The highest score is a non-mated one: at FMR 1e-3 no score is high enough.
    values = scores.values.copy()
    values[np.flatnonzero(~scores.trials.mated)[:2]] = 99.0
    found = of_scores(Scores("m", scores.trials, values, scores.acquired), resamples=0)
    assert found.thresholds == {
        "EER": metrics.eer_threshold(found.scores),
        "FNMR at FMR 1e-1": metrics.threshold_at_fmr(found.scores, 1e-1),
        "FNMR at FMR 1e-2": metrics.threshold_at_fmr(found.scores, 1e-2),
    }
    upside_down = of_scores(
        Scores("m", scores.trials, -scores.trials.mated.astype(float), scores.acquired), resamples=0
    )
    assert upside_down.thresholds["FNMR at FMR 1e-1"] == np.nextafter(0.0, 1.0)


def test_the_band_is_a_slow_count_of_weighted_trials() -> None:
    scores = people(8)
    found = of_scores(scores, resamples=25, seed=1)
    assert isinstance(found.det, bands.Det)
    mated, values, codes = scores.trials.mated, scores.values, scores.trials.subjects
    drawn = []
    for times in metrics.intervals.multiplicities(8, 25, 1):
        weight = np.array([times[a] if a == b else times[a] * times[b] for a, b in codes])
        cuts = [*sorted(values), np.inf]
        over = [weight[~mated & (values >= t)].sum() / weight[~mated].sum() for t in cuts]
        under = [weight[mated & (values < t)].sum() / weight[mated].sum() for t in cuts]
        drawn.append([under[min(i for i, fmr in enumerate(over) if fmr <= t)] for t in found.det.target])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    assert np.allclose(found.det.low, low)
    assert np.allclose(found.det.high, high)


def test_the_curve_is_that_of_the_rates() -> None:
    scores = people(10)
    found = of_scores(scores, resamples=0)
    assert isinstance(found.det, bands.Det)
    for target, fnmr in zip(found.det.target, found.det.fnmr, strict=True):
        assert fnmr == float(metrics.fnmr_at_fmr(scores, float(target), resamples=0))
    assert found.det.target[0] == 1 / found.counts["nonmated"]
    assert found.det.fmr[0] == found.det.target[0]
    assert np.all(np.diff(found.det.fnmr) <= 0)


def test_numbers_do_not_hang_on_the_order_of_trials() -> None:
    scores = people(10)
    order = np.random.default_rng(0).permutation(len(scores.values))
    other = Scores("m", scores.trials.subset(order), scores.values[order], scores.acquired[order])
    one, two = of_scores(scores, resamples=20), of_scores(other, resamples=20)
    for name in ("EER", "AUC", "FNMR at FMR 1e-2"):
        assert one.numbers[name] == two.numbers[name]


def test_without_subjects_there_is_no_interval_and_none_is_faked(tmp_path: Path) -> None:
    scores = people(10)
    samples = np.arange(30)
    path = write_scores(tmp_path / "s.csv", ScoreFile(scores, samples, None))
    found = of_table(path, resamples=50)
    for name in ("EER", "AUC", "FNMR at FMR 1e-1"):
        estimate = found.numbers[name]
        assert estimate.value == of_scores(scores, resamples=0).numbers[name].value
        assert isinstance(estimate.low, Undefined)
        assert estimate.low.reason == bands.NO_SUBJECTS
        assert "subjects" not in estimate.counts
        assert "bootstrap" not in estimate.rule
    assert isinstance(found.det, bands.Det)
    assert isinstance(found.det.low, Undefined)
    assert "subjects" not in found.counts


def test_an_interval_that_cannot_see_is_not_shown() -> None:
    scores = people(8)
    apart = Scores("m", scores.trials, scores.trials.mated.astype(float), scores.acquired)
    found = of_scores(apart, resamples=20)
    assert float(found.numbers["EER"]) == 0.0
    assert found.numbers["EER"].low == Undefined(bands.CONSTANT, found.counts)
    few = of_scores(people(4), resamples=20)
    assert isinstance(few.numbers["EER"].low, Undefined)
    assert "fewer than 5" in few.numbers["EER"].low.reason


def broken(kind: str) -> Scores:
    scores = people(6)
    which = {
        "no mated trials": ~scores.trials.mated,
        "no non-mated trials": scores.trials.mated,
        "no mated": np.zeros(len(scores.values), bool),
        "no trial has a score": np.ones(len(scores.values), bool),
    }[kind]
    trials = scores.trials.subset(which)
    acquired = np.full(len(trials), kind != "no trial has a score")
    return Scores("m", trials, np.where(acquired, scores.values[which], np.nan), acquired)


@pytest.mark.parametrize("kind", ["no mated trials", "no non-mated trials", "no mated", "no trial has a score"])
def test_what_the_scores_cannot_answer_is_undefined(kind: str) -> None:
    found = of_scores(broken(kind), resamples=20, folds=5)
    assert isinstance(found.det, Undefined)
    for name, estimate in found.numbers.items():
        if name != "failures to acquire":
            assert isinstance(estimate.value, Undefined), name
    assert kind in str(found.numbers["EER"].value) or kind == "no mated"
    assert found.thresholds == {}


def test_failures_to_acquire_are_counted_and_rejected() -> None:
    scores = people(8)
    acquired = np.ones(len(scores.values), bool)
    acquired[np.flatnonzero(scores.trials.mated)[:6]] = False
    found = of_scores(Scores("m", scores.trials, np.where(acquired, scores.values, np.nan), acquired), resamples=0)
    assert found.counts["failures"] == 6
    assert float(found.numbers["failures to acquire"]) == 6 / len(acquired)
    assert float(found.numbers["FNMR at FMR 1e-1"]) >= 6 / 24
    assert "6 failures to acquire counted as rejections" in found.numbers["EER"].rule


def test_folds_are_the_protocols_or_dealt_and_said_to_be() -> None:
    kept = of_scores(people(6, fold=True), resamples=0, folds=10).numbers["accuracy"]
    assert kept == metrics.fold_accuracy(people(6, fold=True))
    assert isinstance(of_scores(people(6), resamples=0).numbers["accuracy"].value, Undefined)
    dealt = of_scores(people(6), resamples=0, folds=3).numbers["accuracy"]
    assert "these were dealt" in dealt.rule
    mated = np.tile([True, False], 30)
    fold = deal_folds(mated, 10)
    assert all(mated[fold == k].tolist() == [True, False] * 3 for k in range(10))


def test_rates_by_name_start_at_one_in_ten() -> None:
    assert pytest.approx(FMRS) == (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    # Exactly one thousand non-mated trials are enough for 1e-3.
    n = 1000
    codes = np.stack([np.zeros(n + 1), np.r_[0, np.arange(1, n + 1)]], 1).astype(np.int64)
    trials = Trials(np.zeros(n + 1, int), np.arange(n + 1), codes[:, 1] == 0, codes)
    found = of_scores(Scores("m", trials, np.linspace(1, 0, n + 1), np.ones(n + 1, bool)), resamples=0)
    assert found.numbers["FNMR at FMR 1e-3"].defined
    assert isinstance(found.numbers["FNMR at FMR 1e-4"], Estimate)
    assert "10,000" in str(found.numbers["FNMR at FMR 1e-4"])


def test_embeddings_and_their_scores_give_the_same_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    subjects = np.repeat([f"p{i}" for i in range(9)], 4)
    vectors = rng.normal(size=(9, 16))[np.repeat(np.arange(9), 4)] + rng.normal(size=(36, 16))
    np.savez(tmp_path / "e.npz", embeddings=vectors, subjects=subjects)
    found = of_table(tmp_path / "e.npz", protocol="all-pairs", resamples=20)
    assert found.counts == {"mated": 9 * 6, "nonmated": 36 * 35 // 2 - 54, "failures": 0, "subjects": 9}
    names, codes = np.unique(subjects, return_inverse=True)
    del codes
    path = write_scores(tmp_path / "s.npz", ScoreFile(found.scores, np.arange(36), names))
    assert of_table(path, resamples=20).numbers == found.numbers
    with pytest.raises(ParameterError, match="holds scores"):
        of_table(path, protocol="all-pairs")


def test_an_archive_of_neither_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", emb=np.zeros((2, 2)), subjects=np.zeros(2))
    with pytest.raises(DataError, match="no array 'embeddings'"):
        of_table(tmp_path / "x.npz")
    assert "x" not in data.names()
