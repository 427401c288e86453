"""What is known of a phantom picture agrees with the picture, and with itself."""

import numpy as np
import pytest
import torch

from workbench.core import ParameterError, UnknownNameError
from workbench.data import phantom
from workbench.data.phantom import skin


@pytest.fixture(scope="module")
def scene() -> phantom.Scene:
    people = phantom.identities(2, seed=8)
    return phantom.frontal(people).replace(hair_fringe=0.0, hair_length=0.3, mask=0)


def test_normals_are_those_of_the_depth(scene: phantom.Scene) -> None:
    found = phantom.render(
        scene.replace(distance=5000.0, beard=0.0), 256, truth=("depth", "normals", "parsing", "scale")
    )
    step = float(found.scale[0])
    smooth = found.depth[0]
    with np.errstate(invalid="ignore"):
        down, right = np.gradient(smooth)
    expected = np.stack([right / step, -down / step, np.ones_like(smooth)], -1)
    with np.errstate(invalid="ignore"):
        expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
    cheek = found.parsing[0] == phantom.PARTS.index("skin")
    flat = cheek & (found.normals[0][..., 2] > 0.7) & np.isfinite(expected).all(-1)
    agreement = (expected * found.normals[0]).sum(-1)[flat]
    assert flat.sum() > 3000
    assert np.median(agreement) > 0.99
    assert np.mean(agreement > 0.9) > 0.9


def test_albedo_times_shading_is_the_picture(scene: phantom.Scene) -> None:
    shown = phantom.render(scene.replace(exposure=0.7), 128, truth=("albedo", "shading", "depth"))
    linear = np.clip(shown.albedo * shown.shading, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    inside = np.isfinite(shown.depth)
    # The truth is one of a pixel's four samples; the picture is their mean.
    assert np.median(np.abs(encoded * 255 - shown.rgb)[inside]) < 2.0


def test_scale_measures_the_distance_between_the_eyes() -> None:
    people = phantom.identities(1)
    average = phantom.frontal(people.with_modes(**dict.fromkeys(phantom.MODES, 0.0))).replace(gender=0.0, age=30.0)
    for fill, size in ((0.4, 128), (0.8, 128), (0.8, 256)):
        shown = phantom.render(average.replace(fill=fill), size, truth=("landmarks5", "scale"))
        between = float(np.linalg.norm(shown.landmarks5[0, 0] - shown.landmarks5[0, 1])) * float(shown.scale[0])
        # The template's eyes are 30 mm from the middle, and no mode moves them.
        assert between == pytest.approx(60.0, abs=0.05)


def test_a_surface_place_keeps_its_uv_when_the_head_turns(scene: phantom.Scene) -> None:
    at = {}
    for yaw in (0.0, 20.0):
        shown = phantom.render(scene.replace(yaw=yaw), 256, truth=("uv", "landmarks68"))
        column, row = np.round(shown.landmarks68[0, 33]).astype(int)
        at[yaw] = shown.uv[0, row, column]
    assert np.linalg.norm(at[0.0] - at[20.0]) < 0.02
    assert np.isnan(shown.uv[0, 0, 0]).all()


def test_lids_brows_and_lips_carry_their_landmarks(scene: phantom.Scene) -> None:
    def marks(**factors: object) -> np.ndarray:
        return phantom.render(scene.replace(**factors), 256, truth=("landmarks68",)).landmarks68

    rest, shut = marks(), marks(movements=phantom.movements(blink=1.0))
    opening = np.abs(rest[:, 37, 1] - rest[:, 41, 1])
    assert np.all(np.abs(shut[:, 37, 1] - shut[:, 41, 1]) < 0.3 * opening)
    raised = marks(movements=phantom.movements(inner_brow_raise=1, outer_brow_raise=1))
    assert np.all(raised[:, 17:27, 1].mean(1) < rest[:, 17:27, 1].mean(1) - 2)
    brow = phantom.PARTS.index("brows")
    places = {}
    for height in (-2.0, 2.0):
        person = scene.identity.with_modes(brow_height=height)
        shown = phantom.render(scene.replace(identity=person), 256, truth=("landmarks68", "parsing"))
        rows, columns = np.nonzero(shown.parsing[0] == brow)
        near = np.abs(columns - shown.landmarks68[0, 19, 0]) < 1.5
        places[height] = rows[near].mean(), shown.landmarks68[0, 19, 1]
    painted, marked = (places[-2.0][k] - places[2.0][k] for k in (0, 1))
    # 8.8 mm on the template at 1.3 mm a pixel.
    assert painted > 4
    assert marked == pytest.approx(painted, abs=1.0)
    opened = marks(movements=phantom.movements(jaw_open=1.0))
    assert np.all(opened[:, 66, 1] - opened[:, 62, 1] > 4 * (rest[:, 66, 1] - rest[:, 62, 1]) + 3)


@pytest.mark.parametrize(
    ("worn", "hidden", "part"),
    [({"mask": "surgical"}, slice(48, 68), "mask"), ({"mask": "ffp2"}, slice(48, 68), "mask"),
     ({"mask": "bandana"}, slice(48, 68), "mask"), ({"glasses": "aviator", "glasses_tint": 0.95}, [37, 44], "glasses"),
     ({"headwear": "headscarf"}, [], "headwear"), ({"headwear": "cap"}, [], "headwear"),
     ({"headwear": "beanie"}, [], "headwear"), ({"occluder": "hand on mouth"}, [51, 57], "occlusion"),
     ({"occluder": "eyes"}, slice(36, 48), "occlusion")],
)  # fmt: skip
def test_what_is_worn_is_parsed_and_hides_landmarks(
    scene: phantom.Scene, worn: dict[str, object], hidden: object, part: str
) -> None:
    shown = phantom.render(scene.replace(**worn), 160, truth=("visible", "parsing", "landmarks68"))
    plain = phantom.render(scene, 160, truth=("visible", "parsing", "landmarks68"))
    count = (shown.parsing == phantom.PARTS.index(part)).sum(axis=(1, 2))
    assert np.all(count > 150)
    assert not (plain.parsing == phantom.PARTS.index(part)).any()
    assert not shown.visible[:, hidden].any()
    assert plain.visible[:, 17:].all()
    # The points themselves stay where anatomy has them.
    np.testing.assert_array_equal(shown.landmarks68, plain.landmarks68)


def test_near_infrared_hardly_sees_melanin(scene: phantom.Scene) -> None:
    light, dark = (
        phantom.render(scene.replace(melanin=m, noise=0), 96, truth=("nir", "parsing")) for m in (0.05, 0.95)
    )
    skin_there = light.parsing == phantom.PARTS.index("skin")
    nir = [r.nir[skin_there].mean() for r in (light, dark)]
    rgb = [r.rgb[skin_there].mean() for r in (light, dark)]
    assert rgb[1] < 0.6 * rgb[0]
    assert nir[1] > 0.85 * nir[0]


def test_every_skin_type_can_be_reached() -> None:
    steps = torch.linspace(0, 1, 60)
    assert sorted(set(skin.fitzpatrick(steps).tolist())) == [1, 2, 3, 4, 5, 6]
    # Red, green and blue all fall with melanin, blue most; green falls most with haemoglobin.
    tones = skin.reflectance(steps, torch.full((60,), 0.5))
    assert torch.all(tones.diff(dim=0) < 0)
    fall = (tones[-1] / tones[0]).tolist()
    assert fall[2] < fall[1] < fall[0]
    blood = skin.reflectance(torch.full((2,), 0.2), torch.tensor([0.0, 1.0]))
    assert int((blood[1] / blood[0]).argmin()) == 1


@pytest.mark.parametrize("factor", ["light", "light_direction", "albedo", "movements", "modes", "yaw", "pitch"])
def test_gradients_are_those_of_small_steps(scene: phantom.Scene, factor: str) -> None:
    one = scene.take([0]).replace(beard=0.0, moustache=0.0, stubble=0.0)
    # Light from the side, so that every turn of the surface shows.
    one = one.replace(light_direction=(60.0, 20.0), light=1.2, ambient=0.2)
    people = one.identity
    starts = {"modes": people.modes, "albedo": np.ones((1, 3), np.float32), **one.factors}
    start = torch.from_numpy(starts[factor]).clone()
    step = torch.zeros_like(start)
    at = {"movements": phantom.MOVEMENTS.index("smile"), "modes": phantom.MODES.index("cheek_full")}
    step.view(-1)[at.get(factor, 0)] = 1.0
    # A smooth weight on a cheek: outlines are not differentiated.
    marks = phantom.render(one, 64, truth=("landmarks68",)).landmarks68[0]
    x, y = (marks[2] + marks[30]) / 2
    row, column = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    weight = torch.exp(-(((row - y) / 3) ** 2 + ((column - x) / 3) ** 2) / 2)

    def loss(value: torch.Tensor) -> torch.Tensor:
        return (phantom.render_tensor(one, 64, **{factor: value}).double().mean(1)[0] * weight).sum()

    variable = start.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss(variable), variable)
    slope = float((gradient * step).sum())
    # Fine texture bends the curve: only small steps follow its tangent.
    size = 0.003
    with torch.no_grad():
        measured = float(loss(start + size * step) - loss(start - size * step)) / (2 * size)
    assert abs(slope) > 0.04
    assert slope == pytest.approx(measured, rel=0.03)


def test_unknown_factors_have_no_gradient(scene: phantom.Scene) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'light'"):
        phantom.render_tensor(scene, 64, lihgt=torch.zeros(2))


def test_attributes_follow_the_factors(scene: phantom.Scene) -> None:
    changed = scene.replace(
        age=70.0, gender=-1.0, glasses="round", headwear="cap", lip_makeup=1.0, movements=phantom.expression("happy")
    )
    found = phantom.attributes(changed)
    for name in ("Eyeglasses", "Wearing_Hat", "Wearing_Lipstick", "Smiling", "Bags_Under_Eyes"):
        assert found[name].all(), name
    for name in ("Male", "Young", "Bald", "Bangs"):
        assert not found[name].any(), name
    before = phantom.attributes(scene)
    assert not before["Eyeglasses"].any()
    assert {len(v) for v in before.values()} == {2}
    assert len(before) >= 28


def test_stereo_disparity_is_that_of_the_depth(scene: phantom.Scene) -> None:
    baseline, size = 60.0, 256
    shown = phantom.render(phantom.stereo(scene.take([0]), baseline=baseline), size, truth=("landmarks68", "scale"))
    left, right = shown.landmarks68
    np.testing.assert_allclose(left[:, 1], right[:, 1], atol=1e-3)
    middle = phantom.render(scene.take([0]), size, truth=("landmarks68", "depth"))
    distance = float(scene.distance[0])
    focal = float(scene.fill[0]) * size / 228.0 * distance
    for i in (36, 45, 57):
        column, row = np.round(middle.landmarks68[0, i]).astype(int)
        depth = middle.depth[0, row, column]
        # Off-axis cameras that converge on the head's plane: f B (1 / Z - 1 / D).
        expected = focal * baseline * (1 / depth - 1 / distance)
        assert left[i, 0] - right[i, 0] == pytest.approx(expected, abs=0.35)


def test_a_light_field_is_a_grid_of_views(scene: phantom.Scene) -> None:
    field = phantom.light_field(scene.take([0]), 3, baseline=10.0)
    assert len(field) == 9
    np.testing.assert_array_equal(field.viewpoint[4], [0, 0])
    np.testing.assert_array_equal(field.viewpoint[0], [-10, 10])
    np.testing.assert_array_equal(phantom.render(field.take([4]), 64).rgb, phantom.render(scene.take([0]), 64).rgb)
    with pytest.raises(ParameterError, match="views are out of range"):
        phantom.light_field(scene, 1)


@pytest.mark.parametrize("action", list(phantom.ACTIONS))
def test_clips_move_what_they_say_and_nothing_else(scene: phantom.Scene, action: str) -> None:
    clip = phantom.sequence(scene.take([0]), action, 50, seed=2)
    moving = {n for n, v in clip.factors.items() if np.any(v != v[:1])}
    allowed = {"yaw", "pitch", "roll", "movements", "sensor"} | ({"gaze"} if action == "turning" else set())
    assert {"movements", "sensor"} <= moving <= allowed
    names = {"talking": "jaw_open", "smiling": "smile", "blinking": "blink", "turning": "blink"}
    course = clip.movements[:, phantom.MOVEMENTS.index(names[action])]
    assert course.max() > 0.25
    assert course.min() == 0
    if action == "turning":
        assert np.ptp(clip.yaw) > 60
    again = phantom.sequence(scene.take([0]), action, 50, seed=2)
    np.testing.assert_array_equal(again.movements, clip.movements)
    # Motion is smooth: no frame jumps by more than a blink may.
    assert np.abs(np.diff(clip.movements, axis=0)).max() <= 0.41


def test_a_clip_needs_one_picture_and_a_known_action(scene: phantom.Scene) -> None:
    with pytest.raises(ParameterError, match="starts from one picture"):
        phantom.sequence(scene, "talking")
    with pytest.raises(UnknownNameError, match="did you mean 'talking'"):
        phantom.sequence(scene.take([0]), "walking")
