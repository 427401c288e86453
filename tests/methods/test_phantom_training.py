"""Networks on phantom faces: targets by hand, training that learns, and the weights that come with the package."""

from pathlib import Path

import numpy as np
import pytest
import torch

from workbench import models
from workbench.cli import main
from workbench.core import ShapeError, UnknownNameError
from workbench.data import phantom
from workbench.methods import phantom_training as training
from workbench.models.cards import PHANTOM_CHIP
from workbench.models.networks.mobilefacenet import load_state
from workbench.models.networks.phantom import Trunk
from workbench.models.zoo import _phantom

OURS = [n for n in models.names() if n.startswith("phantom-")]


def test_models_and_data_mean_the_same_chip_and_the_same_movements() -> None:
    np.testing.assert_array_equal(PHANTOM_CHIP, phantom.CHIP)
    assert _phantom.MOVEMENTS == phantom.MOVEMENTS


def test_attribute_targets_by_hand() -> None:
    scene = phantom.frontal(phantom.identities(2)).replace(age=75.0, gender=-1.0, melanin=0.5, yaw=90.0, pitch=-22.5)
    found = training.attribute_targets(scene.replace(movements=phantom.movements(smile=0.25)))
    np.testing.assert_allclose(found[0, :5], [0.5, -1, 0.5, 2, -0.5])
    assert found[0, 5 + phantom.MOVEMENTS.index("smile")] == pytest.approx(0.25)


def test_wild_pictures_keep_the_person_and_change_the_hair() -> None:
    scene = training.wild(3, 8, seed=1)
    for person in range(3):
        own = scene.take(range(8 * person, 8 * person + 8))
        assert np.ptp(own.identity.modes, axis=0).max() == 0
        assert np.ptp(own.gender) == 0
        assert len(set(own.hair_length.tolist())) > 3
        assert len(set(own.identity.texture.tolist())) > 3
    again = training.wild(3, 8, seed=1)
    np.testing.assert_array_equal(scene.jpeg, again.jpeg)


def test_centred_chips_are_the_usual_ones() -> None:
    scene = phantom.frontal(phantom.identities(2))
    wide = training.training_chips(scene, 64, lambda what: None)
    assert wide.shape == (2, 72, 72, 3)
    inner = (training.centred(training.inside(torch.from_numpy(wide))).numpy().transpose(0, 2, 3, 1) + 1) * 127.5
    usual, five = phantom.chips(scene, 64)
    # Rendered at 144 and at 128 pixels, cut at the same places.
    assert np.abs(inner - usual).mean() < 4
    np.testing.assert_allclose(five[0].mean(0), (phantom.CHIP * 64).mean(0), atol=1e-3)


@pytest.mark.parametrize("name", ["phantom-attributes", "phantom-autoencoder", "phantom-attacks"])
def test_a_small_plan_learns(name: str) -> None:
    said: list[str] = []
    plan = training.PLANS[name]
    small = training.Plan(plan.size, plan.outputs, 2, 1 if name == "phantom-attacks" else 8, 6, 8)
    tensors = training.train(name, plan=small, report=said.append)
    losses = [float(s.rsplit(" ", 1)[1]) for s in said if "loss" in s]
    assert len(losses) == 6
    assert min(losses[3:]) < losses[0]
    assert {str(t.dtype) for t in tensors.values()} == {"float16"}
    assert all(np.isfinite(t).all() for t in tensors.values())


def test_a_small_recogniser_draws_its_people_together() -> None:
    plan = training.Plan(64, 128, 4, 8, 20, 8)
    tensors = training.train("phantom-recogniser-64", plan=plan)
    network = Trunk(64, 128)
    load_state(network, {k: v.astype(np.float32) for k, v in tensors.items()}, "trained")
    chips = training.training_chips(training.wild(4, 8), 64, lambda what: None)
    with torch.no_grad():
        found = torch.nn.functional.normalize(
            network.eval()(training.centred(training.inside(torch.from_numpy(chips))))
        ).numpy()
    who = np.repeat(np.arange(4), 8)
    first, second = np.triu_indices(32, 1)
    scores, same = (found[first] * found[second]).sum(1), who[first] == who[second]
    assert scores[same].mean() > scores[~same].mean() + 0.3


def test_unknown_networks_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'phantom-attributes'"):
        training.train("phantom-atributes")
    assert main(["models", "train", "phantom-attributes"]) == 2
    assert "name a file for the weights" in capsys.readouterr().err
    # A number that no machine has.
    assert main(["models", "train", "phantom-attributes", "--device", "cuda:99", "--out", str(tmp_path / "w")]) == 1
    assert "device 'cuda:99' is not on this machine" in capsys.readouterr().err


def test_shipped_weights_are_those_of_their_cards_and_small() -> None:
    assert len(OURS) == 5
    folder = _phantom.FOLDER
    assert sum(f.stat().st_size for f in folder.glob("*.safetensors")) <= 12_000_000
    for name in OURS:
        card = models.card(name)
        assert card.licence == "BSD-3-Clause"
        assert f"workbench models train {name}" in card.source
        models.load(name, device="cpu")


@pytest.mark.parametrize("size", [64, 112])
def test_the_recognisers_tell_new_phantoms_apart(size: int) -> None:
    scene, _ = phantom.scenes(20, 3, subset="test")
    chips, _ = phantom.chips(scene, size)
    model = models.load(f"phantom-recogniser-{size}", device="cpu")
    found = model.embed(chips)
    who = np.array(scene.identity.names)
    first, second = np.triu_indices(len(who), 1)
    scores, same = (found[first] * found[second]).sum(1), who[first] == who[second]
    wins = (scores[same][:, None] > scores[~same][None]).mean()
    assert wins > 0.9


def test_the_attribute_network_reads_new_phantoms() -> None:
    scene, _ = phantom.scenes(40, 1, subset="test")
    scene = scene.replace(age=np.linspace(10, 85, 40))
    chips, _ = phantom.chips(scene, 64)
    reader = models.load("phantom-attributes", device="cpu")
    said = reader.predict(chips)
    for name, truth in (("age", scene.age), ("gender", scene.gender), ("melanin", scene.melanin), ("yaw", scene.yaw)):
        assert np.corrcoef(said[name], truth)[0, 1] > 0.7, name
    with pytest.raises(ShapeError, match="takes other chips"):
        reader.predict(chips[:, :32])


def test_the_attack_detector_finds_attacks_by_new_people() -> None:
    shown = phantom.attack_detection(3, 2, size=64, seed=77)
    test = shown.samples.attributes["subset"] == "test"
    said = models.load("phantom-attacks", device="cpu").predict(np.asarray(shown.samples.images)[test])["attack"]
    attack = shown.samples.attributes["attack"][test]
    assert (said[attack][:, None] > said[~attack][None]).mean() > 0.8


def test_the_codec_gives_faces_back() -> None:
    scene, _ = phantom.scenes(12, 1, subset="test")
    chips, _ = phantom.chips(scene, 64)
    codec = models.load("phantom-autoencoder", device="cpu")
    latent = codec.encode(chips)
    assert latent.shape == (12, 128)
    back = codec.decode(latent)
    error = np.abs(back.astype(float) - chips).mean()
    assert error < 0.6 * np.abs(chips - chips.mean(0)).mean()
    with pytest.raises(ShapeError, match="latent vectors do not fit"):
        codec.decode(latent[:, :5])
