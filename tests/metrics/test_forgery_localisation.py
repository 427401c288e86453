"""Where and when: masks against scikit-learn, segments by hand and against slow readings of both conventions."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score

from workbench.core import ShapeError, Undefined
from workbench.metrics import localisation as where


def test_masks_are_judged_as_by_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    maps, masks = rng.random((6, 5, 4)), rng.random((6, 5, 4)) < 0.4
    iou, f1 = where.mask_iou(maps, masks, 0.5), where.mask_f1(maps, masks, 0.5)
    for k in range(6):
        truth, guess = masks[k].ravel(), maps[k].ravel() >= 0.5
        assert iou[k] == pytest.approx(jaccard_score(truth, guess))
        assert f1[k] == pytest.approx(f1_score(truth, guess))
    people = np.arange(6)
    pixels = where.spatial_localisation(maps, masks, 0.5, people, over="pixels", resamples=50)
    assert float(pixels) == pytest.approx(jaccard_score(masks.ravel(), maps.ravel() >= 0.5))
    assert pixels.low < float(pixels) < pixels.high
    mean = where.spatial_localisation(maps, masks, 0.5, people, measure="f1", resamples=50)
    assert float(mean) == pytest.approx(f1.mean())
    assert "forged where map >= 0.5" in mean.rule


def test_images_without_any_area_are_left_out_and_counted() -> None:
    maps = np.zeros((8, 2, 2))
    masks = np.zeros((8, 2, 2), bool)
    maps[0, 0, 0] = maps[1, 0, :] = 1.0
    masks[0, 0, 0] = masks[1, 0, 0] = masks[2, 1, 1] = True
    assert where.mask_iou(maps, masks, 0.5)[:3].tolist() == [1.0, 0.5, 0.0]
    found = where.spatial_localisation(maps, masks, 0.5, np.arange(8))
    assert float(found) == 0.5
    assert found.counts["undefined"] == 5
    assert "fewer than 5 capture subjects" in str(found.low)
    empty = where.spatial_localisation(maps[3:], masks[3:], 0.5, np.arange(5))
    assert isinstance(empty.value, Undefined)
    assert isinstance(
        where.spatial_localisation(maps[3:], masks[3:], 0.5, np.arange(5), over="pixels").value, Undefined
    )
    # A score equal to the threshold is forged.
    assert where.mask_iou(np.full((1, 2, 2), 0.5), np.ones((1, 2, 2), bool), 0.5).tolist() == [1.0]


def test_segment_iou_by_hand() -> None:
    one = np.array([[0.0, 4.0], [2.0, 2.0]])
    other = np.array([[2.0, 6.0], [4.0, 5.0], [2.0, 2.0]])
    assert where.segment_iou(one, other) == pytest.approx(np.array([[2 / 6, 0, 0], [0, 0, 0]]))


def test_one_proposal_finds_one_segment_by_hand() -> None:
    truth = {"v": [[0.0, 10.0], [0.0, 8.0]]}
    proposals = {"v": [[0.0, 9.0, 0.9]]}
    # IoU 0.9 and 8/9 with both.
    assert float(where.temporal_ar(truth, proposals, 1, iou=[0.5], resamples=0)) == 0.5
    assert float(where.temporal_ar(truth, proposals, 1, iou=[0.5], convention="activitynet", resamples=0)) == 1.0
    assert float(where.temporal_ap(truth, proposals, 0.5, resamples=0)) == 0.5


def test_average_precision_by_hand() -> None:
    truth = {"a": [[0.0, 10.0], [20.0, 30.0]], "b": [], "c": [[5.0, 6.0]]}
    proposals = {
        "a": [[0.0, 10.0, 0.9], [0.0, 9.0, 0.8], [20.0, 28.0, 0.5]],
        "b": [[1.0, 2.0, 0.7]],
        "c": [[5.0, 6.0, 0.3]],
    }
    # In score order: hit, second on a taken segment, false alarm on a bona fide video, hit, hit.
    # Precision at the hits 1, 2/4, 3/5, raised from the right 1, 3/5, 3/5.
    ap = where.temporal_ap(truth, proposals, 0.5, resamples=0)
    assert float(ap) == pytest.approx((1 + 3 / 5 + 3 / 5) / 3)
    assert ap.counts == {"videos": 3, "segments": 3, "proposals": 5}
    # LAV-DF leaves out the step of the first proposal.
    lav = where.temporal_ap(truth, proposals, 0.5, convention="lav-df", resamples=0)
    assert float(lav) == pytest.approx((3 / 5 + 3 / 5) / 3)
    assert "IoU > 0.5" in lav.rule
    # The third segment of video a needs more than its 0.8.
    assert float(where.temporal_ap(truth, proposals, [0.5, 0.9], resamples=0)) == pytest.approx(
        ((1 + 3 / 5 + 3 / 5) / 3 + (1 + 2 / 5) / 3) / 2
    )
    assert float(where.temporal_ar(truth, proposals, 1, iou=[0.5], resamples=0)) == pytest.approx(2 / 3)
    assert float(where.temporal_ar(truth, proposals, 5, iou=[0.5], resamples=0)) == 1.0


def test_the_sign_at_an_iou_equal_to_the_limit() -> None:
    truth, proposals = {"v": [[0.0, 2.0], [9.0, 10.0]]}, {"v": [[0.0, 1.0, 0.5], [9.0, 10.0, 0.4]]}
    for convention, recall in (("activitynet", 1.0), ("one-to-one", 1.0), ("lav-df", 0.5)):
        found = where.temporal_ar(truth, proposals, 2, iou=[0.5], convention=convention, resamples=0)
        assert float(found) == recall


def slow_activitynet(truth: dict, proposals: dict, limit: float) -> float:
    ranked = sorted(((-p[2], v, k) for v, rows in proposals.items() for k, p in enumerate(rows)))
    free = {v: set(range(len(rows))) for v, rows in truth.items()}
    total, hits, points = sum(map(len, truth.values())), 0, []
    for n, (_, v, k) in enumerate(ranked, 1):
        best = sorted((-overlap(proposals[v][k], truth[v][t]), t) for t in free[v])
        if best and -best[0][0] >= limit:
            free[v].remove(best[0][1])
            hits += 1
        points.append((hits / total, hits / n))
    recalls = sorted({r for r, _ in points if r > 0})
    return sum((r - before) * max(p for q, p in points if q >= r)
               for before, r in zip([0.0, *recalls], recalls, strict=False))  # fmt: skip


def slow_lavdf(truth: dict, proposals: dict, limit: float) -> float:
    values = []
    for v in sorted(truth):
        rows = sorted(proposals[v], key=lambda p: -p[2])
        used: set[int] = set()
        for segment in truth[v]:
            near = [k for k, p in enumerate(rows) if overlap(p, segment) > limit and k not in used]
            used |= set(near[:1])
        values += [(p[2], k in used) for k, p in enumerate(rows)]
    values.sort(key=lambda pair: -pair[0])
    total, hits, curve = sum(map(len, truth.values())), 0, [(1.0, 0.0)]
    points = []
    for n, (_, hit) in enumerate(values, 1):
        hits += hit
        points.append((hits / total, hits / n))
    curve += points[::-1]
    best, area = 0.0, 0.0
    for (x, y), (after, _) in pairwise(curve):
        best = max(best, y)
        area += abs(after - x) * best
    return area


def overlap(one: list[float], other: list[float]) -> float:
    common = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    union = (one[1] - one[0]) + (other[1] - other[0]) - common
    return common / union if union > 0 else 0.0


@given(st.integers(0, 10**6), st.sampled_from([0.3, 0.5, 0.75]))
@settings(max_examples=80, deadline=None)
def test_both_conventions_equal_slow_readings(seed: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    truth, proposals = {}, {}
    scores = rng.permutation(40) / 40  # no equal scores: the order of equals is a convention
    for v in "abc":
        starts = rng.integers(0, 12, (rng.integers(0, 4), 1))
        truth[v] = np.hstack([starts, starts + rng.integers(1, 6, starts.shape)]).astype(float).tolist()
        begin = rng.integers(0, 12, (rng.integers(0, 6), 1))
        rows = np.hstack([begin, begin + rng.integers(1, 6, begin.shape)]).astype(float).tolist()
        proposals[v] = [[*row, float(scores[10 * "abc".index(v) + k])] for k, row in enumerate(rows)]
    if not sum(map(len, truth.values())):
        assert isinstance(where.temporal_ap(truth, proposals, limit).value, Undefined)
        assert isinstance(where.temporal_ar(truth, proposals, 2).value, Undefined)
        return
    ours = where.temporal_ap(truth, proposals, limit, resamples=0)
    assert float(ours) == pytest.approx(slow_activitynet(truth, proposals, limit))
    if sum(map(len, proposals.values())):
        lav = where.temporal_ap(truth, proposals, limit, convention="lav-df", resamples=0)
        assert float(lav) == pytest.approx(slow_lavdf(truth, proposals, limit))
    found = sum(
        any(overlap(p, t) >= limit for p in sorted(proposals[v], key=lambda p: -p[2])[:2])
        for v in truth
        for t in truth[v]
    )
    total = sum(map(len, truth.values()))
    recall = where.temporal_ar(truth, proposals, 2, iou=[limit], convention="activitynet", resamples=0)
    assert float(recall) == pytest.approx(found / total)
    house = where.temporal_ar(truth, proposals, 2, iou=[limit], resamples=0)
    assert float(house) <= float(recall) + 1e-12


def test_a_perfect_detector_and_its_interval() -> None:
    truth = {f"v{k}": [[float(k), k + 2.0]] for k in range(10)}
    proposals = {v: [[*rows[0], 0.5]] for v, rows in truth.items()}
    assert float(where.temporal_ap(truth, proposals, 0.95, resamples=0)) == pytest.approx(1.0)
    assert float(where.temporal_ap(truth, proposals, 0.95, convention="lav-df", resamples=0)) == pytest.approx(0.9)
    half = {v: rows for k, (v, rows) in enumerate(proposals.items()) if k % 2}
    for found in (where.temporal_ap(truth, half, 0.5), where.temporal_ar(truth, half, 1)):
        assert float(found) == pytest.approx(0.5)
        assert found.low < 0.5 < found.high
        assert "over 10 videos" in found.rule
    people = {v: k // 5 for k, v in enumerate(truth)}
    assert "fewer than 5 capture subjects" in str(where.temporal_ap(truth, half, 0.5, subjects=people).low)


def test_bad_input_teaches() -> None:
    with pytest.raises(ShapeError, match="proposals for videos without annotation"):
        where.temporal_ap({"a": []}, {"b": []}, 0.5)
    with pytest.raises(ShapeError, match="ends before it starts"):
        where.temporal_ap({"a": [[2.0, 1.0]]}, {}, 0.5)
    with pytest.raises(ShapeError, match="rows \\(start, end, score\\)"):
        where.temporal_ap({"a": []}, {"a": [[0.0, 1.0]]}, 0.5)
    with pytest.raises(ShapeError, match="unknown convention"):
        where.temporal_ap({"a": []}, {}, 0.5, convention="coco")
    with pytest.raises(ShapeError, match="an IoU limit is a fraction"):
        where.temporal_ap({"a": []}, {}, 50)
    with pytest.raises(ShapeError, match="N >= 1"):
        where.temporal_ar({"a": []}, {}, 0)
    with pytest.raises(ShapeError, match="maps and masks do not fit"):
        where.mask_iou(np.zeros((1, 2, 2)), np.zeros((1, 2, 3), bool), 0.5)
