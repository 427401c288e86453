"""Template pooling against a slow loop, by hand, and by what must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workbench.core import ShapeError
from workbench.metrics import templates as tp


def slow_ijb(
    features: NDArray[np.floating], flipped: NDArray[np.floating], templates: list[int], media: list[int],
    detector: NDArray[np.floating], *, flip: bool, norm: bool, score: bool,
) -> tuple[list[int], list[NDArray[np.floating]]]:  # fmt: skip
    """The five published steps, one image at a time."""
    images = []
    for i in range(len(features)):
        f = features[i] + flipped[i] if flip else features[i].copy()
        if not norm:
            f = f / np.sqrt((f * f).sum())
        images.append(f * detector[i] if score else f)
    names = sorted(set(templates))
    found = []
    for name in names:
        total = np.zeros(features.shape[1])
        for medium in sorted({m for t, m in zip(templates, media, strict=True) if t == name}):
            members = [images[i] for i in range(len(images)) if templates[i] == name and media[i] == medium]
            total += sum(members) / len(members)
        found.append(total / np.linalg.norm(total))
    return names, found


@pytest.fixture(scope="module")
def images() -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]
]:
    rng = np.random.default_rng(5)
    n = 120
    features, flipped = rng.normal(size=(2, n, 7)) * rng.uniform(0.5, 3, (2, n, 1))
    # Media numbers repeat in other templates, as they do in the published lists.
    return features, flipped, rng.choice([3, 8, 21, 40, 41], n), rng.integers(0, 6, n), rng.uniform(0.1, 1, n)


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("score", [True, False])
def test_every_setting_of_the_published_recipe(images: tuple, flip: bool, norm: bool, score: bool) -> None:
    features, flipped, templates, media, detector = images
    prepared = tp.image_features(
        features, flipped=flipped if flip else None, keep_norm=norm, detector=detector if score else None
    )
    pooled = tp.media_templates(prepared, templates, media)
    names, slow = slow_ijb(
        features, flipped, templates.tolist(), media.tolist(), detector, flip=flip, norm=norm, score=score
    )
    assert pooled.names.tolist() == names
    np.testing.assert_allclose(pooled.features, np.array(slow), rtol=0, atol=1e-13)
    assert pooled.images.tolist() == [int((templates == name).sum()) for name in names]


def test_a_long_video_counts_as_one_photograph() -> None:
    features = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    templates, media = np.zeros(4, int), np.array([5, 5, 5, 6])
    by_media = tp.media_templates(features, templates, media, unit=False)
    assert by_media.features.tolist() == [[1.0, 1.0]]
    assert tp.mean_templates(features, templates, unit=False).features.tolist() == [[0.75, 0.25]]
    weighted = tp.weighted_templates(features, templates, np.array([1.0, 0, 0, 3.0]), unit=False)
    assert weighted.features.tolist() == [[0.25, 0.75]]
    assert "weighted by quality, norm kept" in weighted.rule


def test_single_precision_stays_single_and_close(images: tuple) -> None:
    features, _, templates, media, _ = images
    exact = tp.media_templates(features, templates, media)
    single = tp.media_templates(features.astype(np.float32), templates, media)
    assert single.features.dtype == np.float32
    np.testing.assert_allclose(single.features, exact.features, atol=5e-7)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_order_of_images_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    features, quality = rng.normal(size=(n, 3)), rng.uniform(0.1, 1, n)
    templates, media, order = rng.integers(0, 5, n), rng.integers(0, 4, n), rng.permutation(n)
    for pool in (
        lambda o: tp.media_templates(features[o], templates[o], media[o]),
        lambda o: tp.weighted_templates(features[o], templates[o], quality[o]),
    ):
        first, second = pool(np.arange(n)), pool(order)
        assert first.names.tolist() == second.names.tolist()
        np.testing.assert_allclose(first.features, second.features, atol=1e-12)
    # Every image twice, in the same medium: nothing changes.
    twice = np.repeat(np.arange(n), 2)
    np.testing.assert_allclose(
        tp.media_templates(features[twice], templates[twice], media[twice]).features,
        tp.media_templates(features, templates, media).features,
        atol=1e-12,
    )


def test_an_image_that_failed_is_as_if_it_were_not_there(images: tuple) -> None:
    features, _, templates, media, _ = images
    acquired = np.ones(len(features), bool)
    acquired[[0, 7, 30]] = False
    broken = np.where(acquired[:, None], features, np.nan)
    found = tp.media_templates(broken, templates, media, acquired=acquired)
    without = tp.media_templates(features[acquired], templates[acquired], media[acquired])
    np.testing.assert_allclose(found.features, without.features, atol=1e-14)
    assert "3 images that failed to acquire left out" in found.rule
    with pytest.raises(ShapeError, match="features of 3 images are not finite"):
        tp.media_templates(broken, templates, media)


def test_scores_of_listed_pairs(images: tuple) -> None:
    features, _, templates, media, _ = images
    pooled = tp.media_templates(features, templates, media)
    subjects = np.array([1, 2, 1, 3, 2])
    reference, probe = np.array([3, 3, 41, 8]), np.array([21, 8, 40, 41])
    scores = tp.template_scores("m", pooled, reference, probe, subjects, name="ijbc/1:1")
    by_name = dict(zip(pooled.names.tolist(), pooled.features, strict=True))
    expected = [float(by_name[r] @ by_name[p]) for r, p in zip(reference.tolist(), probe.tolist(), strict=True)]
    assert scores.values.tolist() == pytest.approx(expected, abs=1e-14)
    assert scores.trials.mated.tolist() == [True, False, False, True]
    assert scores.trials.subjects.tolist() == [[1, 1], [1, 2], [2, 3], [2, 2]]
    with pytest.raises(ShapeError, match="1 labels disagree"):
        tp.template_scores("m", pooled, reference, probe, subjects, mated=np.array([True, True, False, True]))


def test_blocks_make_no_difference(images: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    features, _, templates, media, _ = images
    pooled = tp.media_templates(features, templates, media)
    rng = np.random.default_rng(0)
    reference, probe = rng.choice(pooled.names, (2, 50))
    whole = tp.template_scores("m", pooled, reference, probe, np.arange(5))
    for tile, sparse, block in ((2, 64, 7), (2, 0, 7), (1, 1, 1), (3, 2, 4)):
        for name, value in (("TILE", tile), ("SPARSE", sparse), ("BLOCK", block)):
            monkeypatch.setattr(tp, name, value)
        again = tp.template_scores("m", pooled, reference, probe, np.arange(5))
        np.testing.assert_allclose(again.values, whole.values, rtol=0, atol=1e-14)
    none = np.zeros(0, int)
    assert len(tp.template_scores("m", pooled, none, none, np.arange(5)).values) == 0


@pytest.mark.parametrize("spread", [1, 10**9])
def test_rows_are_found_by_number_near_and_far(spread: int) -> None:
    names = np.array([-3, 0, 7, 8, 30]) * spread
    pooled = tp.mean_templates(np.eye(5), names)
    assert pooled.rows(names[[4, 0, 0, 2]]).tolist() == [4, 0, 0, 2]
    for absent in (-4, -1, 6, 31, 10**6):
        with pytest.raises(ShapeError, match="1 templates are not there"):
            pooled.rows(np.array([7, absent]) * spread)
    with pytest.raises(ShapeError, match="2 templates"):
        tp.Templates(names[:0], np.zeros((0, 5)), names[:0], "").rows(np.array([0, 1]))


def test_a_template_without_images_fails_to_acquire() -> None:
    features = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    pooled = tp.media_templates(features, np.array([1, 2, 3]), np.zeros(3, int), acquired=np.array([True, False, True]))
    scores = tp.template_scores("m", pooled, np.array([1, 1, 1]), np.array([1, 2, 3]), np.array([1, 2, 3]))
    assert scores.acquired.tolist() == [True, False, False]
    assert scores.failures == 2


def test_what_does_not_fit_is_refused(images: tuple) -> None:
    features, _, templates, media, _ = images
    pooled = tp.media_templates(features, templates, media)
    with pytest.raises(ShapeError, match="template 4") as caught:
        tp.template_scores("m", pooled, np.array([3]), np.array([4]), np.arange(5))
    assert "40" in str(caught.value)
    for wrong in (
        lambda: tp.media_templates(features, templates[:-1], media),
        lambda: tp.media_templates(features, templates, media[:-1]),
        lambda: tp.image_features(features, flipped=features[:-1]),
        lambda: tp.image_features(features, detector=np.full(len(features), -1.0)),
        lambda: tp.weighted_templates(features, templates, np.zeros(len(features))),
        lambda: tp.template_scores("m", pooled, np.array([3]), np.array([8]), np.arange(4)),
        lambda: tp.image_features(np.arange(4)),
    ):
        with pytest.raises(ShapeError):
            wrong()
