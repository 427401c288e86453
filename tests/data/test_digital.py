"""Digital attacks: warps, morphs, swaps, re-enactment, edits and the traces of processing."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from workbench import data
from workbench.core import ParameterError, ShapeError, UnknownNameError
from workbench.data import phantom
from workbench.data.phantom.digital.warp import colour_transfer, hull_mask, warp, with_border

SIZE = 128


@pytest.fixture(scope="module")
def one() -> phantom.Scene:
    return phantom.frontal(phantom.identities(2, seed=4))


@pytest.fixture(scope="module")
def other() -> phantom.Scene:
    return phantom.frontal(phantom.identities(2, seed=9))


@pytest.fixture(scope="module")
def marks(one: phantom.Scene) -> np.ndarray:
    return np.asarray(phantom.render(one, SIZE, truth=("landmarks68",)).landmarks68)


def test_a_warp_to_the_same_places_changes_nothing(one: phantom.Scene, marks: np.ndarray) -> None:
    picture = phantom.render(one, SIZE).rgb[0]
    points = with_border(marks[0], SIZE)
    np.testing.assert_allclose(warp(picture, points, points), picture, atol=0.5)


def test_a_warp_moves_a_mark_to_its_place_and_is_affine_between() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[29:32, 19:22] = 255
    source = with_border(np.array([[20.0, 30.0]]), 60)
    target = with_border(np.array([[36.0, 24.0]]), 60)
    moved = warp(picture, source, target)
    assert moved[24, 36, 0] > 250
    assert moved[30, 20, 0] == 0
    # An affine map by hand: twice as wide about the left edge.
    ramp = np.repeat(np.arange(60, dtype=np.uint8)[None, :, None], 60, 0).repeat(3, 2)
    square = np.array([[0.0, 0], [0, 59], [59, 0], [59, 59]])
    wider = warp(ramp, square * (0.5, 1), square)
    np.testing.assert_allclose(wider[30, :, 0], np.arange(60) / 2, atol=0.51)


def test_a_morphs_landmarks_are_the_mean(one: phantom.Scene, other: phantom.Scene) -> None:
    """A spot painted on a landmark of both pictures is one spot, at the mean, in the morph."""
    shown = [phantom.render(s, SIZE, truth=("landmarks68",)) for s in (one, other)]
    pictures, points = [], [np.asarray(r.landmarks68)[0] for r in shown]
    for r, p in zip(shown, points, strict=True):
        painted = np.zeros_like(r.rgb[0])
        cv2.circle(painted, tuple(int(v) for v in np.round(p[30])), 2, (255, 255, 255), -1)
        pictures.append(painted)
    morph, middle = phantom.morph_pictures(*pictures, *points, 0.5)
    np.testing.assert_allclose(middle, (points[0] + points[1]) / 2)
    bright = morph[..., 0] > 100
    row, column = np.argwhere(bright).mean(0)
    assert np.linalg.norm([column, row] - middle[30]) < 1.2


@pytest.mark.parametrize("splice", [False, True])
def test_the_ends_of_a_morph_are_the_contributors(one: phantom.Scene, other: phantom.Scene, splice: bool) -> None:
    first = phantom.landmark_morphs(one, other, 0.0, size=SIZE, splice=splice)
    np.testing.assert_allclose(first.rgb, phantom.render(one, SIZE).rgb, atol=2)
    if not splice:
        last = phantom.landmark_morphs(one, other, 1.0, size=SIZE)
        np.testing.assert_allclose(last.rgb, phantom.render(other, SIZE).rgb, atol=2)
    assert first.contributors[0] == (one.identity.names[0], other.identity.names[0])


def test_ideal_morphs_lie_between(one: phantom.Scene, other: phantom.Scene) -> None:
    ends = [phantom.ideal_morphs(one, other, a, size=64).rgb for a in (0.0, 1.0)]
    np.testing.assert_array_equal(ends[0], phantom.render(one, 64).rgb)
    half = phantom.ideal_morphs(one, other, 0.5, size=64).rgb.astype(float)
    whole = np.abs(ends[0].astype(float) - ends[1]).mean()
    for end in ends:
        assert 0.2 * whole < np.abs(half - end).mean() < 0.95 * whole


def test_great_circles_by_hand() -> None:
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])
    half = phantom.slerp(a, b, 0.5)
    np.testing.assert_allclose(half, [[1.5 / np.sqrt(2)] * 2])
    np.testing.assert_allclose(phantom.slerp(a, a, 0.3), a)
    seen = phantom.embedding_morphs(lambda v: np.rint(v * 100).astype(np.uint8).reshape(1, 1, 1, 2), a, b, 0.0)
    assert seen.ravel().tolist() == [100, 0]
    with pytest.raises(ParameterError, match="alpha is out of range"):
        phantom.embedding_morphs(lambda v: v, a, b, 1.5)


@pytest.mark.parametrize("blend", ["alpha", "poisson"])
def test_swaps_leave_the_rest_to_the_bit(one: phantom.Scene, other: phantom.Scene, blend: str) -> None:
    found = phantom.swaps(one, other, size=SIZE, blend=blend)
    target = phantom.render(one, SIZE).rgb
    outside = ~found.support
    np.testing.assert_array_equal(found.rgb[outside], target[outside])
    inside = found.mask > 0.9
    assert np.abs(found.rgb.astype(int) - target)[inside].mean() > 3
    assert np.all((found.mask > 0).mean(axis=(1, 2)) > 0.04)


def test_colour_transfer_gives_mean_and_deviation() -> None:
    rng = np.random.default_rng(1)
    picture, model = rng.uniform(60, 120, (32, 32, 3)), rng.normal(150, 12, (32, 32, 3)).clip(0, 255)
    mask = np.zeros((32, 32))
    mask[8:24, 8:24] = 1
    moved = colour_transfer(picture, model, mask)
    lab = [cv2.cvtColor((p / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[mask > 0] for p in (moved, model)]
    np.testing.assert_allclose(lab[0].mean(0), lab[1].mean(0), atol=0.5)
    np.testing.assert_allclose(lab[0].std(0), lab[1].std(0), atol=0.5)


def test_a_feathered_hull_falls_off_inside() -> None:
    points = np.array([[4.0, 4], [27, 4], [27, 27], [4, 27]])
    hard, soft = hull_mask(points, 32), hull_mask(points, 32, feather=4)
    assert hard.sum() == 24 * 24
    assert np.all(soft <= hard)
    assert soft[15, 15] == 1
    assert 0 < soft[15, 4] < soft[15, 5] < 1


@pytest.mark.parametrize("warped", [False, True])
def test_a_re_enactment_has_the_drivers_landmarks(one: phantom.Scene, warped: bool) -> None:
    driver = one.replace(movements=phantom.expression("surprised"), yaw=10.0)
    found = phantom.reenactments(one, driver, size=SIZE, warped=warped)
    wanted = phantom.render(driver, SIZE).rgb.astype(float)
    still = phantom.render(one, SIZE).rgb.astype(float)
    assert np.abs(found.rgb - wanted).mean() < 0.75 * np.abs(still - wanted).mean()
    if not warped:
        np.testing.assert_allclose(found.rgb, wanted, atol=4)


@pytest.mark.parametrize("kind", phantom.EDITS)
def test_an_edits_mask_is_where_the_picture_changed(one: phantom.Scene, other: phantom.Scene, kind: str) -> None:
    found = phantom.edits(one, kind, size=SIZE, donor=other.identity)
    before = phantom.render(one, SIZE).rgb
    changed = np.any(found.rgb != before, axis=3)
    assert changed.any(axis=(1, 2)).all()
    assert not (changed & ~found.support).any()
    visible = np.abs(found.rgb.astype(int) - before).max(3) > 3
    assert not (visible & ~found.support).any()


def test_edits_ask_for_what_they_need(one: phantom.Scene) -> None:
    with pytest.raises(ParameterError, match="needs a donor"):
        phantom.edits(one, "nose")
    with pytest.raises(UnknownNameError, match="did you mean 'smile'"):
        phantom.edits(one, "smiles")
    with pytest.raises(UnknownNameError, match="did you mean 'poisson'"):
        phantom.swaps(one, one, blend="poison")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="as many of both"):
        phantom.swaps(one, one.take([0]))
    with pytest.raises(ShapeError, match="not on a line"):
        warp(np.zeros((8, 8, 3), np.uint8), np.array([[0.0, 0], [1, 1], [2, 2]]), np.array([[0.0, 0], [1, 1], [2, 2]]))


def test_zero_insertion_leaves_a_replica_at_the_highest_frequency(one: phantom.Scene) -> None:
    """By hand: a constant c goes to c * (1 +- e) on alternate columns when the kernel's two sums differ.

    A 3 x 3 box over samples two apart covers one or two of them a direction: sums 1 x 4/9 ... 4 x 4/9 of c.
    """
    flat = np.full((1, 64, 64, 3), 50, np.uint8)
    made = phantom.upsampled(flat, "zero insertion")[0, 16:48, 16:48, 0].astype(float)
    assert sorted(set(np.unique(made))) == sorted({round(50 * 4 / 9 * k) for k in (1, 2, 4)})
    faces = phantom.render(one, 64).rgb
    power = {}
    for how in ("bilinear", "zero insertion"):
        grey = phantom.upsampled(faces, how)[0].mean(2)
        power[how] = np.abs(np.fft.fft2(grey - grey.mean()))[0, 32]
    assert power["zero insertion"] > 20 * power["bilinear"]


def test_a_fingerprint_is_one_pattern_of_its_strength() -> None:
    grey = np.full((3, 64, 64, 3), 128, np.uint8)
    first, second = phantom.fingerprinted(grey, 4.0, seed=1), phantom.fingerprinted(grey, 4.0, seed=2)
    np.testing.assert_array_equal(first[0], first[1])
    assert (first[0] - 128.0).std() == pytest.approx(4.0, rel=0.05)
    residual = [(f[0].astype(float) - 128).ravel() for f in (first, second)]
    assert abs(np.corrcoef(*residual)[0, 1]) < 0.05


def test_double_compression_leaves_gaps_in_the_histogram(one: phantom.Scene) -> None:
    """Coefficients quantised coarsely and then finely occupy few of the fine bins (Popescu and Farid 2004)."""

    def occupied(pictures: np.ndarray) -> float:
        luma = np.stack([cv2.cvtColor(p, cv2.COLOR_RGB2YCrCb)[..., 0] for p in pictures]).astype(np.float32) - 128
        count = SIZE // 8
        blocks = luma.reshape(-1, count, 8, count, 8).transpose(0, 1, 3, 2, 4).reshape(-1, 8, 8)
        coefficient = np.array([cv2.dct(b)[1, 1] for b in blocks])
        # Quality 95 has a step of 1 there; the first compression's was 7.
        counts = np.histogram(coefficient, np.arange(-35.5, 36))[0]
        return float((counts > 0).mean())

    faces = phantom.render(one.replace(noise=0.02), SIZE).rgb
    once, twice = phantom.twice_compressed(faces, 100, 95), phantom.twice_compressed(faces, 70, 95)
    assert occupied(twice) < 0.75 * occupied(once)
    shifted = phantom.twice_compressed(faces, 70, 95, shift=4)
    assert occupied(shifted) > occupied(twice)


def test_medians_and_resampling_by_other_hands() -> None:
    rng = np.random.default_rng(0)
    noisy = rng.integers(0, 255, (1, 9, 9, 3), np.uint8)
    middle = np.median(noisy[0, 3:6, 3:6].reshape(9, 3), axis=0)
    assert phantom.median_filtered(noisy)[0, 4, 4].tolist() == middle.tolist()
    smooth = np.repeat(np.linspace(10, 200, 32).astype(np.uint8)[None, None, :, None], 32, 1).repeat(3, 3)
    assert np.abs(phantom.resampled(smooth, 0.5).astype(int) - smooth)[:, 4:-4, 4:-4].max() <= 3
    refused = (
        lambda: phantom.median_filtered(noisy, 4),
        lambda: phantom.resampled(noisy, 9.0),
        lambda: phantom.twice_compressed(noisy, 0, 50),
        lambda: phantom.upsampled(noisy, "nearest"),  # nine is odd
    )
    for wrong in refused:
        with pytest.raises(ParameterError):
            wrong()
    with pytest.raises(ShapeError, match="these are no pictures"):
        phantom.median_filtered(noisy[0])


def test_manipulations_are_written_and_read_in_the_published_layout(tmp_path: Path) -> None:
    made = phantom.manipulations(2, 2, size=32, methods=("FF-DF", "FF-FS"), compression=("raw", "c23"))
    attributes = made.samples.attributes
    assert len(made.samples) == 3 * 2 * 3 * 2 * 2
    real = attributes["label"] == "FF-real"
    np.testing.assert_array_equal(attributes["attack"], ~real)
    assert not made.masks[real].any()
    assert made.masks[~real].any(axis=(1, 2)).all()
    people = {s: set(made.samples.subjects[attributes["split"] == s]) for s in ("train", "val", "test")}
    assert not people["train"] & people["test"]
    spec = data.export(made.samples, None, "deepfakebench", tmp_path / "set")
    read = data.open_dataset(spec).samples("test-c23")
    chosen = (attributes["split"] == "test") & (attributes["compression"] == "c23")
    assert len(read) == chosen.sum()
    assert sorted(read.attributes["label"].tolist()) == sorted(attributes["label"][chosen].tolist())
    ours = sorted(made.samples.images[int(i)].tobytes() for i in np.flatnonzero(chosen))
    assert sorted(np.asarray(p).tobytes() for p in read) == ours


def test_morph_attacks_pair_people_who_resemble_each_other() -> None:
    made = phantom.morph_attacks(3, 2, size=64)
    assert made.morphs.shape == (3, 64, 64, 3)
    assert made.references.shape == (3, 2, 64, 64, 3)
    assert made.probes.shape == (3, 2, 2, 64, 64, 3)
    assert len(set(made.contributors.ravel())) == 6
    looks = phantom.identities(16, prefix="test").looks
    gender = {f"test-{i:04d}": g for i, g in enumerate(looks["gender"])}
    for a, b in made.contributors:
        assert gender[a] * gender[b] > 0
    with pytest.raises(ParameterError, match="too few"):
        phantom.morph_attacks(0)
