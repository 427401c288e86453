import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workbench import models
from workbench.core import ParameterError, UnknownNameError
from workbench.data import open_dataset, phantom
from workbench.data.phantom import identity, shape
from workbench.data.phantom.template import template


@pytest.fixture(scope="module")
def scene() -> phantom.Scene:
    return phantom.frontal(phantom.identities(3, seed=5))


def test_the_same_seed_gives_the_same_bits_in_another_process(scene: phantom.Scene) -> None:
    code = (
        "from workbench.data import phantom; from workbench.files import sha256_bytes;"
        "print(sha256_bytes(phantom.render(phantom.frontal(phantom.identities(3, seed=5)), 64).rgb.tobytes()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    from workbench.files import sha256_bytes

    assert done.stdout.strip() == sha256_bytes(phantom.render(scene, 64).rgb.tobytes())


def test_people_depend_on_their_own_name_only() -> None:
    many, few = phantom.identities(5, seed=1), phantom.identities(2, seed=1)
    assert np.array_equal(many.modes[:2], few.modes)
    assert not np.array_equal(phantom.identities(2, seed=2).modes, few.modes)


@pytest.mark.parametrize("factor", [f.name for f in phantom.FACTORS])
def test_one_factor_changes_and_the_others_stay(scene: phantom.Scene, factor: str) -> None:
    known = next(f for f in phantom.FACTORS if f.name == factor)
    now = getattr(scene, factor)
    changed = scene.replace(**{factor: np.where(now < (known.low + known.high) / 2, min(known.high, 5000), known.low)})
    for name, before in scene.factors.items():
        assert np.array_equal(before, changed.factors[name]) == (name != factor)
    back = changed.replace(**{factor: scene.factors[factor]})
    assert np.array_equal(phantom.render(back, 32).rgb, phantom.render(scene, 32).rgb)


# What shows only beside another factor.
_WITH = {
    "glasses_tint": {"glasses": "round"}, "glasses_colour": {"glasses": "round"}, "mask_colour": {"mask": "surgical"},
    "headwear_colour": {"headwear": "beanie"}, "lip_colour": {"lip_makeup": 1}, "eye_colour": {"eye_makeup": 1},
    "cheek_colour": {"cheek_makeup": 1}, "light2_direction": {"light2": 1}, "light2_colour": {"light2": 1},
    "light3_direction": {"light3": 1}, "light3_colour": {"light3": 1}, "sensor": {"noise": 0.1},
    "pattern": {"background": np.array([[0.1] * 3, [0.9] * 3])}, "hair_part": {"hair_fringe": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("factor", [f.name for f in phantom.FACTORS])
def test_every_factor_shows_in_the_picture(scene: phantom.Scene, factor: str) -> None:
    known = next(f for f in phantom.FACTORS if f.name == factor)
    start = scene.take([0]).replace(hair_length=0.3, hair_recession=0.0, **_WITH.get(factor, {}))
    first = start.replace(**{factor: known.low}) if known.default == known.high else start
    second = start.replace(**{factor: 77 if known.whole else known.high})
    one, two = (phantom.render(s, 64).rgb.astype(int) for s in (first, second))
    assert np.abs(one - two).max() > 4


def test_the_truth_fits_the_picture(scene: phantom.Scene) -> None:
    scene = scene.replace(hair_fringe=0.0, hair_length=0.3)
    found = phantom.render(scene, 160, truth=("landmarks68", "visible", "parsing", "box", "depth", "normals"))
    eyes = phantom.PARTS.index("eyes")
    for k in range(len(scene)):
        row, column = np.argwhere(found.parsing[k] == eyes).mean(0)
        middle = found.landmarks68[k, 36:48].mean(0)
        assert np.linalg.norm([column, row] - middle) < 2.5
        x0, y0, x1, y1 = found.box[k]
        assert np.all((found.landmarks68[k] >= [x0 - 1, y0 - 1]) & (found.landmarks68[k] <= [x1 + 1, y1 + 1]))
        assert found.visible[k, 17:].all()
        # The nose tip is nearer to the camera than the eyes and the chin are.
        depth = [found.depth[k, y, x] for x, y in found.landmarks68[k, [30, 27, 8, 39, 42]].astype(int)]
        assert depth[0] + 5 < min(depth[1:])
    shown = np.isfinite(found.depth)
    assert np.allclose(np.linalg.norm(found.normals[shown], axis=1), 1, atol=1e-4)


def test_subjects_right_eye_is_left_in_the_picture(scene: phantom.Scene) -> None:
    five = phantom.render(scene, 64, truth=("landmarks5",)).landmarks5
    assert np.all(five[:, 0, 0] < five[:, 1, 0])
    turned = phantom.render(scene.replace(yaw=30.0), 64, truth=("landmarks5",)).landmarks5
    assert np.all(turned[:, 2, 0] > five[:, 2, 0])


@pytest.mark.parametrize("part", ["eyes", "nose", "mouth"])
def test_an_exchanged_part_changes_there_only(scene: phantom.Scene, part: str) -> None:
    other = phantom.swap_part(scene, part, phantom.identities(3, seed=9))
    one, two = (phantom.render(s, 112).rgb.astype(int) for s in (scene, other))
    changed = np.abs(one - two).max(3) > 12
    assert changed.any(axis=(1, 2)).all()
    assert changed.mean() < 0.12


def test_a_hidden_part_is_hidden(scene: phantom.Scene) -> None:
    parsed = phantom.render(phantom.occlude(scene, "mouth"), 112, truth=("parsing",)).parsing
    assert (parsed == phantom.PARTS.index("occlusion")).any()
    assert not (parsed == phantom.PARTS.index("lips")).any()


def test_the_detector_finds_phantoms() -> None:
    samples = open_dataset("phantom", subjects=6, images=2).samples()
    found = models.load("faceapi-ssd", device="cpu").detect(list(samples))
    assert sum(len(f) > 0 for f in found) >= 11


def test_subsets_share_nobody() -> None:
    people = [set(phantom.scenes(4, 1, subset=s)[0].identity.names) for s in ("train", "validation", "test")]
    assert not people[0] & people[1]
    assert not people[1] & people[2]


def test_bad_factors_are_refused(scene: phantom.Scene) -> None:
    with pytest.raises(ParameterError, match="yaw is out of range"):
        scene.replace(yaw=120.0)
    with pytest.raises(UnknownNameError, match="did you mean 'yaw'"):
        scene.replace(jaw=3.0)
    with pytest.raises(UnknownNameError, match="did you mean 'nose'"):
        phantom.occlude(scene, "noose")


def test_a_population_is_found_again_by_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = phantom.faces(2, 2, size=32, cache=tmp_path)
    (stored,) = tmp_path.iterdir()

    def never(*given: object, **options: object) -> None:
        raise AssertionError("drawn again")

    with monkeypatch.context() as patched:
        patched.setattr("workbench.data.phantom.dataset.render", never)
        again = phantom.faces(2, 2, size=32, cache=tmp_path)
        with pytest.raises(AssertionError, match="drawn again"):
            phantom.faces(2, 2, size=32, seed=1, cache=tmp_path)
    assert again.digest == first.digest
    np.testing.assert_array_equal(again.attributes["landmarks5"], first.attributes["landmarks5"])
    # One bit of a picture is another: it is drawn anew, and the file is whole again.
    damaged = bytearray(stored.read_bytes())
    damaged[-40] ^= 1
    stored.write_bytes(bytes(damaged))
    assert phantom.faces(2, 2, size=32, cache=tmp_path).digest == first.digest
    stored.write_bytes(b"no tensors")
    assert phantom.faces(2, 2, size=32, cache=tmp_path).digest == first.digest
    assert stored.read_bytes() != b"no tensors"


def test_a_picture_alone_is_the_same_as_among_others() -> None:
    scene, _ = phantom.scenes(4, 5, seed=11)
    together = phantom.render(scene, 64).rgb
    for at in ([7], [3, 19], list(range(5, 18))):
        np.testing.assert_array_equal(phantom.render(scene.take(at), 64).rgb, together[at])


@pytest.mark.parametrize("mode", phantom.MODES)
def test_every_mode_of_identity_shows(mode: str) -> None:
    average = phantom.identities(1, seed=2).with_modes(**dict.fromkeys(phantom.MODES, 0.0))
    scene = phantom.frontal(average).replace(hair_length=0.3, hair_fringe=0.0, yaw=20.0, beard=0.0, moustache=0.0)
    changed = scene.replace(identity=average.with_modes(**{mode: 2.5}))
    one, two = (phantom.render(s, 96).rgb.astype(int) for s in (scene, changed))
    assert np.abs(one - two).max() > 2


def test_random_fields_move_the_front_as_much_as_the_named_modes() -> None:
    """The page says 4.4 mm, root mean square over the front, for either."""
    grid, model = template(), shape.head()
    count = model.mean.shape[0]
    theta, y = grid.theta[:count].numpy(), grid.place[:count, 1].numpy()
    front = (np.cos(theta) > 0.6) & (y < 70) & (y > -105)
    for names in (identity.SHAPE_FIELDS, identity.SHAPE_MODES):
        moved = model.basis.numpy()[[shape.COEFFICIENTS.index(n) for n in names]][:, front]
        assert np.sqrt((moved**2).sum(2).mean(1).sum()) == pytest.approx(4.4, abs=0.1)
