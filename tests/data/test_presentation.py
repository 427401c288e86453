"""Attacks on presentation: what physics says of prints, screens and masks in colour, depth and near-infrared."""

import numpy as np
import pytest
import torch

from workbench.core import ParameterError, ShapeError, UnknownNameError
from workbench.data import phantom
from workbench.data.phantom.presentation import media, profiles


@pytest.fixture(scope="module")
def scene() -> phantom.Scene:
    people = phantom.identities(2, seed=3)
    return phantom.frontal(people).replace(hair_fringe=0.0, melanin=0.3)


@pytest.fixture(scope="module")
def other() -> phantom.Scene:
    return phantom.frontal(phantom.identities(2, seed=4))


def off_plane(depth: np.ndarray, where: np.ndarray, *, scale: float) -> float:
    """Standard deviation of depth about its best plane, in millimetres.

    A plane's inverse depth is linear in the picture; a millimetre of depth is ``1 / z^2`` of it.
    """
    rows, columns = np.nonzero(where)
    z = depth[where].astype(float)
    a = np.stack([rows, columns, np.ones(len(rows))], 1)
    fitted, *_ = np.linalg.lstsq(a, 1 / z, rcond=None)
    return float(np.std((1 / z - a @ fitted) * z**2) * scale)


@pytest.mark.parametrize(
    ("species", "flat"), [("photo", True), ("monitor", True), ("phone", True), ("bent print", False)]
)
def test_flat_instruments_are_planes(scene: phantom.Scene, other: phantom.Scene, species: str, flat: bool) -> None:
    shown = phantom.present(scene, species, target=other, size=96)
    for k in range(2):
        away = off_plane(shown.depth[k], shown.artefact[k], scale=1.0)
        # The sensor's own noise is 1 mm at a metre; a photo may roll up by a tenth of a bend.
        assert (away < 2.0) == flat, away


def test_a_live_face_is_no_plane(scene: phantom.Scene) -> None:
    live = phantom.present(scene, phantom.LIVE, size=96)
    face = phantom.render(scene, 96, truth=("parsing",)).parsing == phantom.PARTS.index("skin")
    assert off_plane(live.depth[0], face[0], scale=1.0) > 8
    assert not live.attack.any()
    assert not live.artefact.any()
    assert live.species == (phantom.LIVE,) * 2


def test_near_infrared_tells_paper_and_screens_from_skin(scene: phantom.Scene) -> None:
    skin = phantom.render(scene, 96, truth=("parsing",)).parsing == phantom.PARTS.index("skin")
    found = {s: phantom.present(scene, s, size=96) for s in (phantom.LIVE, "photo", "halftone print", "monitor")}
    mean = {s: float(p.nir[p.artefact if p.attack.any() else skin].mean()) for s, p in found.items()}
    assert mean["monitor"] < 0.35 * mean[phantom.LIVE]
    # A dye print is all but blank paper; carbon black keeps the picture.
    assert mean["photo"] > mean["halftone print"] > mean[phantom.LIVE]
    inside = {s: p.nir[0][24:72, 30:66].astype(float) for s, p in found.items()}
    assert inside["photo"].std() < 0.5 * inside["halftone print"].std()


@pytest.mark.parametrize("species", ["photo", "halftone print", "phone", "monitor", "silicone mask"])
def test_the_target_is_shown_and_not_the_attacker(scene: phantom.Scene, other: phantom.Scene, species: str) -> None:
    light, dark = (
        phantom.present(scene, species, target=other.replace(melanin=m), size=96).rgb[:, 44:64, 36:60].mean()
        for m in (0.05, 0.95)
    )
    assert light > 1.5 * dark
    pale, tanned = (
        phantom.present(scene.replace(melanin=m), species, target=other, size=96).rgb[:, 52:60, 44:52].mean()
        for m in (0.05, 0.95)
    )
    assert pale == pytest.approx(tanned, rel=0.05)


def test_cut_eyes_are_alive(scene: phantom.Scene, other: phantom.Scene) -> None:
    shown = phantom.present(scene, "cut print", target=other, size=160)
    live = phantom.present(scene, phantom.LIVE, size=160)
    eyes = phantom.render(scene, 160, truth=("landmarks5",)).landmarks5[:, :2]
    for k in range(2):
        for x, y in np.round(eyes[k]).astype(int):
            assert not shown.artefact[k, y, x]
            assert shown.depth[k, y, x] == pytest.approx(live.depth[k, y, x], abs=3)
            assert shown.artefact[k, y + 16, x]
            assert shown.depth[k, y + 16, x] < live.depth[k, y + 16, x] - 15


def test_masks_lie_on_the_attackers_head(scene: phantom.Scene, other: phantom.Scene) -> None:
    live = phantom.present(scene, phantom.LIVE, size=96)
    for species in ("resin mask", "silicone mask", "paper mask"):
        shown = phantom.present(scene, species, target=other, size=96)
        share = shown.artefact.mean(axis=(1, 2))
        assert np.all((share > 0.1) & (share < 0.35))
        there = shown.artefact & np.isfinite(live.depth)
        apart = live.depth[there] - shown.depth[there]
        assert 0 < np.median(apart) < 15


@pytest.mark.parametrize("species", ["printed eyes", "printed mouth", "printed glasses"])
def test_partial_attacks_leave_the_rest_alive(scene: phantom.Scene, other: phantom.Scene, species: str) -> None:
    shown = phantom.present(scene, species, target=other, size=96)
    live = phantom.present(scene, phantom.LIVE, size=96)
    assert np.all((shown.artefact.mean(axis=(1, 2)) > 0.02) & (shown.artefact.mean(axis=(1, 2)) < 0.2))
    np.testing.assert_array_equal(shown.depth[~shown.artefact], live.depth[~shown.artefact])
    difference = np.abs(shown.rgb.astype(int) - live.rgb).max(3)
    near = np.zeros_like(shown.artefact)
    near[:, 1:-1, 1:-1] = shown.artefact[:, 1:-1, 1:-1]
    for axis, step in ((1, 1), (1, -1), (2, 1), (2, -1)):
        near |= np.roll(shown.artefact, step, axis) | np.roll(shown.artefact, 2 * step, axis)
    assert difference[~near].max() <= 2


def test_stripes_average_to_one_and_show_where_they_are_resolved() -> None:
    x = torch.arange(0, 3.0, 0.01)
    y = torch.zeros_like(x) + 0.44
    fine = media.striped(x, y, torch.full_like(x, 1e-3), 0.3)
    # A point sees one stripe at most, and its own colour only.
    assert float((fine > 0.5).sum(-1).max()) == 1
    coarse = media.striped(x, y, torch.full_like(x, 0.6), 0.3)
    np.testing.assert_allclose(coarse.numpy(), 1.0, atol=1e-4)
    # A window of half a period by hand: red is lit from 0.08/3 for 0.28, so half a period from 0 sees all of it.
    half = media.striped(torch.tensor([0.25 * 0.3]), torch.tensor([0.0]), torch.tensor([0.5 * 0.3]), 0.3)
    rows = (0.25 + 0.13) / 0.5 / 0.88
    assert float(half[0, 0]) == pytest.approx(0.28 / 0.5 * 3 / 0.84 * rows, rel=1e-4)


def test_moire_comes_from_sampling_and_goes_with_resolution() -> None:
    """The beat of a 0.27 mm raster and a sensor step is where the difference of their frequencies says."""

    def spectrum(step: float) -> tuple[np.ndarray, np.ndarray]:
        x = torch.arange(512) * step
        light = media.striped(x, torch.full_like(x, 0.1), torch.full_like(x, step), 0.27)[:, 1].double().numpy()
        return np.fft.rfftfreq(512, step), np.abs(np.fft.rfft(light - light.mean())) / 512

    step = 0.25
    frequency, power = spectrum(step)
    beat = abs(1 / 0.27 - 1 / step)
    assert frequency[np.argmax(power)] == pytest.approx(beat, abs=2 * frequency[1])
    assert power.max() > 0.02
    # Whole periods in a sensor cell: nothing is left to beat.
    assert spectrum(0.54)[1].max() < 1e-3


def test_halftone_dots_have_their_pitch_and_their_area() -> None:
    size, step, dots = 256, 0.04, 2.0
    axis = torch.arange(size) * step
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    shares = torch.zeros(size, size, 4)
    shares[..., 2] = 0.3  # yellow, whose screen is not turned
    inks = media.halftoned(shares, x, y, torch.full_like(x, step), dots)
    assert float(inks[..., 2].mean()) == pytest.approx(0.3, abs=0.02)
    assert float(inks[..., :2].max()) == 0
    power = np.abs(np.fft.rfft(inks[size // 2, :, 2].numpy() - 0.3))
    frequency = np.fft.rfftfreq(size, step)
    assert frequency[np.argmax(power[1:]) + 1] == pytest.approx(dots, abs=2 * frequency[1])


def test_inks_by_hand() -> None:
    bare, near = media.inked(torch.zeros(1, 4), "carbon")
    assert bare[0].tolist() == pytest.approx(media.PAPER)
    assert float(near[0]) == pytest.approx(media.PAPER_NIR)
    black = torch.tensor([[0.0, 0, 0, 1]])
    carbon, dye = (float(media.inked(black, kind)[1][0]) for kind in ("carbon", "dye"))
    assert carbon == pytest.approx(0.82 * 0.12)
    assert dye == pytest.approx(0.82 * 0.90)
    half, _ = media.inked(torch.tensor([[0.5, 0, 0, 0]]), "dye")
    assert half[0].tolist() == pytest.approx(
        [p * (0.5 + 0.5 * i) for p, i in zip(media.PAPER, media.INKS[0], strict=True)]
    )


def test_the_same_seed_gives_the_same_attack(scene: phantom.Scene) -> None:
    one, again, else_ = (phantom.present(scene, "phone", size=64, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.rgb, again.rgb)
    np.testing.assert_array_equal(one.depth, again.depth)
    assert np.any(one.artefact != else_.artefact)
    alone = phantom.present(scene.take([1]), "phone", size=64, seed=1)
    np.testing.assert_array_equal(alone.nir[0], one.nir[1])


def test_devices_differ(scene: phantom.Scene) -> None:
    pictures = {p: phantom.present(scene, phantom.LIVE, size=64, profile=p).rgb.astype(int) for p in phantom.PROFILES}
    names = list(pictures)
    for i, one in enumerate(names):
        for other_name in names[i + 1 :]:
            assert np.abs(pictures[one] - pictures[other_name]).mean() > 2
    exact = np.full((1, 4, 4), 1000.0, np.float32)
    said = profiles.measured_depth(exact, phantom.PROFILES["old phone"], np.array([5]))
    assert np.all(said % 4 == 0)
    assert 0 < np.abs(said - 1000).mean() < 30


def test_unknown_instruments_are_named(scene: phantom.Scene) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'photo'"):
        phantom.present(scene, "foto")
    with pytest.raises(UnknownNameError, match="did you mean 'webcam'"):
        phantom.present(scene, "photo", profile="webcan")
    with pytest.raises(ShapeError, match="one target for each picture"):
        phantom.present(scene, "photo", target=scene.take([0]))


def test_domains_can_be_left_out() -> None:
    data = phantom.attack_detection(2, 1, size=32, domains=("laboratory", "street"))
    attributes, people = data.samples.attributes, data.samples.subjects
    assert len(data.samples) == 2 * 3 * (2 + 2 * 4)
    parts = data.leave_out("street")
    assert set(attributes["domain"][parts["test"]]) == {"street"}
    assert set(attributes["domain"][parts["train"]]) == {"laboratory"}
    assert not set(people[parts["train"]]) & set(people[parts["validation"]])
    assert not set(people[parts["train"]]) & set(people[parts["test"]])
    for part in parts.values():
        assert set(attributes["attack"][part]) == {True, False}
    assert set(attributes["species"][parts["test"]]) == {phantom.LIVE, *phantom.DOMAINS["street"].species}
    np.testing.assert_array_equal(attributes["attack"], attributes["species"] != phantom.LIVE)
    assert data.depth.shape == data.nir.shape == data.artefact.shape == (60, 32, 32)
    with pytest.raises(UnknownNameError, match="domain"):
        data.leave_out("home")
    with pytest.raises(ParameterError, match="too few presentations"):
        phantom.attack_detection(1)
