"""Forgery on frames and videos against scikit-learn, hand-worked aggregation, keys and DeepfakeBench's habits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from workbench.core import ShapeError, Undefined
from workbench.metrics import deepfakebench as habit
from workbench.metrics import forgery
from workbench.metrics.forgery import Forgeries


def forgeries(values: list[float], forged: list[int], **more: object) -> Forgeries:
    return Forgeries("t", np.array(values, float), np.array(forged, bool), np.arange(len(values)), **more)


labelled = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: 0 < sum(f for _, f in rows) < len(rows)
)


@given(labelled)
@settings(max_examples=100, deadline=None)
def test_auc_and_ap_are_those_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    values, forged = [float(v) for v, _ in rows], [int(f) for _, f in rows]
    found = forgeries(values, forged)
    assert float(forgery.forgery_auc(found, resamples=0)) == pytest.approx(sk.roc_auc_score(forged, values))
    ap = sk.average_precision_score(forged, values)
    assert float(forgery.forgery_ap(found, resamples=0)) == pytest.approx(ap)
    right = sk.accuracy_score(forged, np.array(values) > 3)
    assert float(forgery.forgery_accuracy(found, 3.0, interval="none")) == pytest.approx(right)
    # A monotone transform changes none of them.
    bent = forgeries([v**3 for v in values], forged)
    for measure in (forgery.forgery_auc, forgery.forgery_ap, forgery.forgery_eer):
        assert float(measure(bent, resamples=0)) == pytest.approx(float(measure(found, resamples=0)))
    # The smallest gap over all reachable thresholds, counted slowly.
    bona, fake = [v for v, f in rows if not f], [v for v, f in rows if f]
    points = [(np.mean([v > t for v in bona]), np.mean([v <= t for v in fake])) for t in [-1, *range(8)]]
    gap = min(abs(a - b) for a, b in points)
    means = [(a + b) / 2 for a, b in points if abs(a - b) <= gap + 1e-12]
    assert min(abs(float(forgery.forgery_eer(found, resamples=0)) - m) for m in means) < 1e-9


def test_weights_of_the_bootstrap_act_like_copies() -> None:
    rng = np.random.default_rng(0)
    values, forged, times = rng.integers(0, 9, 40), rng.integers(0, 2, 40), rng.integers(0, 3, 40)
    ranking = forgery._Ranking(forgeries(values.tolist(), forged.tolist()))
    bonafide, hits = ranking.masses(times.astype(float))
    area = np.trapezoid(hits / hits[-1], bonafide / bonafide[-1])
    assert area == pytest.approx(sk.roc_auc_score(forged, values, sample_weight=times))


def test_aggregation_by_hand() -> None:
    videos = np.array(["b", "a", "a", "a", "b", "c"])
    frames = forgeries([0.2, 0.9, 0.1, 0.8, 0.4, 0.7], [0, 1, 1, 1, 0, 1], videos=videos)

    def values(*how: object, **more: object) -> list[float]:
        return forgery.to_videos(frames, *how, **more).values.tolist()  # type: ignore[arg-type]

    assert values("mean") == pytest.approx([0.6, 0.3, 0.7])
    assert values("median") == pytest.approx([0.8, 0.3, 0.7])
    assert values("max") == [0.9, 0.4, 0.7]
    assert values("share", threshold=0.5) == pytest.approx([2 / 3, 0, 1])
    assert values("share", threshold=0.8) == pytest.approx([1 / 3, 0, 0])  # an equal score does not say forged
    made = forgery.to_videos(frames, "median")
    assert made.forged.tolist() == [True, False, True]
    assert "median of frame scores" in forgery.forgery_auc(made, resamples=0).rule
    assert "on frames" in forgery.forgery_auc(frames, resamples=0).rule


def test_frames_without_a_score_are_left_out_and_counted() -> None:
    frames = Forgeries(
        "t", np.array([0.9, np.nan, np.nan, 0.1]), np.array([True, True, False, False]), np.array([7, 7, 8, 9]),
        np.array(["a", "a", "b", "c"]), np.array([True, False, False, True]),
    )  # fmt: skip
    videos = forgery.to_videos(frames, "mean")
    assert videos.values[[0, 2]].tolist() == [0.9, 0.1]
    assert videos.scored.tolist() == [True, False, True]
    assert "1 without a score left out" in forgery.forgery_auc(videos, resamples=0).rule
    assert videos.counts["failures"] == 1
    assert videos.subjects.tolist() == [7, 8, 9]


def test_a_video_with_two_labels_is_noticed_or_declared() -> None:
    frames = forgeries([0.1, 0.9], [0, 1], videos=np.array(["v", "v"]))
    with pytest.raises(ShapeError, match="1 videos hold forged and bona fide frames"):
        forgery.to_videos(frames, "max")
    partly = forgery.to_videos(frames, "max", label="any")
    assert partly.forged.tolist() == [True]
    assert "forged where any frame is" in partly.items


def test_the_key_of_a_video_is_its_whole_folder() -> None:
    paths = ["ff/DF/000_003/1.png", "ff/F2F/000_003/1.png", "c:\\ff\\DF\\000_003\\2.png"]
    assert forgery.video_keys(paths).tolist() == ["ff/DF/000_003", "ff/F2F/000_003", "c:/ff/DF/000_003"]
    assert forgery.video_keys(paths, key="parent").tolist() == ["000_003"] * 3
    with pytest.raises(ShapeError, match="names no folder"):
        forgery.video_keys(["1.png"])


def test_one_kind_only_is_undefined() -> None:
    found = forgeries([0.1, 0.2], [1, 1])
    for measure in (forgery.forgery_auc, forgery.forgery_ap, forgery.forgery_eer):
        assert isinstance(measure(found).value, Undefined)
    assert isinstance(forgery.forgery_accuracy(found, 0.5).value, Undefined)
    assert isinstance(habit.deepfakebench_metrics(found.values, found.forged, ["a/1", "b/1"])["eer"].value, Undefined)


def test_bad_input_teaches() -> None:
    with pytest.raises(ShapeError, match="not finite on 1 items"):
        forgeries([np.nan, 1.0], [0, 1])
    with pytest.raises(ShapeError, match="name no videos"):
        forgery.to_videos(forgeries([0.1], [0]), "mean")
    frames = forgeries([0.1], [0], videos=np.array(["v"]))
    with pytest.raises(ShapeError, match="a threshold belongs to 'share'"):
        forgery.to_videos(frames, "share")
    with pytest.raises(ShapeError, match="unknown aggregation"):
        forgery.to_videos(frames, "mode")
    with pytest.raises(ShapeError, match="differ in length"):
        habit.deepfakebench_metrics(np.zeros(2), np.zeros(2, bool), ["a/b"])


def test_the_interval_is_over_subjects() -> None:
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(24), 10)
    forged = person % 2 == 1
    values = rng.normal(0, 1, 24)[person] + forged + rng.normal(0, 0.1, 240)
    found = Forgeries("t", values, forged, person)
    by_person = forgery.forgery_auc(found, resamples=300)
    by_frame = forgery.forgery_auc(Forgeries("t", values, forged, np.arange(240)), resamples=300)
    assert by_person.high - by_person.low > 2 * (by_frame.high - by_frame.low)
    assert by_person.low < float(by_person) < by_person.high


def published(scores: np.ndarray, labels: np.ndarray, paths: list[str]) -> dict[str, float]:
    """DeepfakeBench's numbers, written anew with scikit-learn from its description."""

    def area_and_eer(y: list[int], s: list[float]) -> tuple[float, float]:
        if len(set(y)) < 2:
            return np.nan, np.nan
        fpr, tpr, _ = sk.roc_curve(y, s, pos_label=1)
        return sk.auc(fpr, tpr), fpr[np.nanargmin(np.absolute((1 - tpr) - fpr))]

    videos: dict[str, list[tuple[float, int]]] = {}
    for path, score, label in zip(paths, scores, labels, strict=True):
        videos.setdefault(path.split("/")[-2], []).append((float(str(score)), int(label)))
    means, kinds = [], []
    for frames in videos.values():
        total = 0.0
        for score, _ in frames:
            total += score
        means.append(total / len(frames))
        kinds.append(int(sum(label for _, label in frames) / len(frames)))
    area, error = area_and_eer(labels.tolist(), scores)
    video_area, video_error = area_and_eer(kinds, means)
    found = {"acc": np.mean((scores > 0.5) == labels), "auc": area, "eer": error, "video_auc": video_area}
    return found | {"video_eer": video_error, "ap": sk.average_precision_score(labels, scores)}


@given(st.integers(0, 10**6), st.sampled_from([np.float32, np.float64]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_deepfakebench_is_reproduced_to_the_last_digit(seed: int, dtype: type, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    video = rng.integers(0, 12, 80)
    labels = (video % 2).astype(int)
    scores = rng.random(80) * 0.8 + 0.2 * labels
    scores = (scores.round(1) if coarse else scores).astype(dtype)
    # With an odd seed some names repeat and mix forged and bona fide videos.
    paths = [f"set{rng.integers(0, 2)}/{v % 7 if seed % 2 else v:03d}/{k}.png" for k, v in enumerate(video)]
    theirs = published(scores, labels, paths)
    ours = habit.deepfakebench_metrics(scores, labels.astype(bool), paths)
    for name, value in theirs.items():
        if np.isnan(value):
            assert isinstance(ours[name].value, Undefined)
        elif name in ("eer", "video_eer", "acc"):
            assert float(ours[name]) == value, name
        else:
            assert float(ours[name]) == pytest.approx(value, abs=1e-14), name


def test_the_habit_and_the_house_differ_where_names_repeat() -> None:
    paths = ["DF/000_003/1.png", "F2F/000_003/1.png", "real/000/1.png", "real/001/1.png"]
    scores, forged = np.array([0.9, 0.2, 0.4, 0.1]), np.array([True, True, False, False])
    found = habit.deepfakebench_metrics(scores, forged, paths)
    assert float(found["video_auc"]) == 1.0
    assert "3 videos" in found["video_auc"].rule
    frames = Forgeries("t", scores, forged, np.arange(4), forgery.video_keys(paths))
    assert float(forgery.forgery_auc(forgery.to_videos(frames, "mean"), resamples=0)) == 0.75


def test_the_habit_takes_the_false_positive_rate_of_the_iris_vector() -> None:
    from sklearn.datasets import load_iris

    data, target = load_iris(return_X_y=True)
    scores, forged = data[target < 2, 0], target[target < 2] == 1
    assert habit.deepfakebench_eer(scores, forged) == pytest.approx(0.10)
    assert float(forgery.forgery_eer(Forgeries("iris", scores, forged, np.arange(100)), resamples=0)) == pytest.approx(
        0.11
    )
    assert float(forgery.forgery_auc(Forgeries("iris", scores, forged, np.arange(100)), resamples=0)) == pytest.approx(
        0.9326
    )
