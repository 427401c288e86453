"""The study on pictures and networks of the user's: folder, pair sets in ``.bin`` files, state dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from workbench import data as datasets
from workbench import files, models
from workbench.claims import judge
from workbench.core import DataError, Samples, UnknownNameError, WeightsError
from workbench.data import phantom
from workbench.data.protocols import balanced
from workbench.methods import quantization_data as pictures
from workbench.methods import quantization_networks as networks
from workbench.methods import quantization_training as training
from workbench.methods.small_recogniser import arrays
from workbench.models.networks import mobilefacenet
from workbench.models.networks.iresnet import DEPTHS, IResNet
from workbench.models.networks.mobilefacenet import MobileFaceNet
from workbench.runs.identity import identify
from workbench.runs.parameters import check, schema
from workbench.runs.process import absolute
from workbench.studies import listing
from workbench.studies import quantization as study
from workbench.testing.contracts import check_model


@pytest.fixture(scope="module")
def train() -> Samples:
    return phantom.faces(4, 3, size=112, subset="train")


@pytest.fixture(scope="module")
def _short() -> Iterator[None]:
    """A MobileFaceNet with five blocks for fifteen: its own learn too slowly for a test."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mobilefacenet, "SETTING", tuple((e, c, 1, s) for e, c, _, s in mobilefacenet.SETTING))
        yield


@pytest.fixture(scope="module")
def given(train: Samples, _short: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A folder of identities and two pair sets of phantoms, 112 pixels, in the published layouts; and networks."""
    root = tmp_path_factory.mktemp("given")
    for image, subject, name in zip(train, train.subjects, train.ids, strict=True):
        (root / "train" / subject).mkdir(parents=True, exist_ok=True)
        (root / "train" / subject / f"{Path(name).name}.png").write_bytes(files.encode_png(image))
    test = phantom.faces(5, 4, size=112, subset="test")
    pairs = balanced(test.subjects, "pairs", 0, most=8)
    bins = [
        datasets.export(test, pairs.subset(at), "insightface-bin", root / name, file=f"{name}.bin")
        for name, at in (("lfw", np.arange(12)), ("agedb_30", np.arange(12, 16)))
    ]
    torch.manual_seed(0)
    for name, network in (("mobilefacenet", MobileFaceNet()), ("iresnet", IResNet((2, 2, 2, 2)))):
        files.write_tensors(root / f"{name}.safetensors", arrays(network))
    folder = f"folder:{root / 'train'}"
    specs = {name: f"{name}:{root / name}.safetensors" for name in ("mobilefacenet", "iresnet")}
    return specs | {"data": ";".join([folder, *bins]), "train": folder, "shared": f"{folder};{bins[0]}; {folder}"}


SIZES = {"people": 5, "images": 4, "small_people": 2, "small_images": 2}


@pytest.mark.parametrize("kind", ["mobilefacenet", "iresnet"])
def test_a_folder_pair_sets_and_a_state_dictionary_become_a_run(given: dict[str, str], kind: str) -> None:
    material = pictures.given(given["data"], kind, **SIZES, seed=0)
    width = {"mobilefacenet": 96, "iresnet": 112}[kind]
    assert material.train.shape == (12, 112, width, 3)
    assert len(material.small) == 4
    assert material.real
    assert material.sets == ("insightface-bin/lfw", "insightface-bin/agedb_30")
    # The record names what was judged on, too, and both terms.
    assert material.name == "; ".join(("folder/train", *material.sets))
    assert material.licence.startswith("that of the user's pictures; that of the pictures' publisher")
    assert np.bincount(material.part).tolist() == [12, 4]
    # Ten folds, or none where there are fewer pairs.
    assert material.trials.fold is not None
    assert np.unique(material.trials.fold[:12]).tolist() == list(range(10))
    assert material.trials.fold[12:].tolist() == [-1] * 4
    # People of one file are nobody of the other, as the files do not say who they are.
    assert not set(material.trials.subjects[material.part == 0].ravel()) & set(
        material.trials.subjects[material.part == 1].ravel()
    )
    first = material.trials.reference[material.part == 1].min()
    assert first == 24
    recogniser = networks.given(given[kind])
    found = training.embed(recogniser.network(), recogniser, material.test[:3])
    assert found.shape == (3, {"mobilefacenet": 128, "iresnet": 512}[kind])


def test_a_pair_set_made_of_the_full_set_is_noticed(given: dict[str, str], train: Samples, tmp_path: Path) -> None:
    assert pictures.given(given["data"], "iresnet", **SIZES, seed=0).shared == ()
    by_name = pictures.given(given["shared"], "iresnet", **SIZES, seed=0)
    assert by_name.shared[0].startswith("4 people by name")
    pairs = balanced(train.subjects, "pairs", 0, most=10)
    hidden = datasets.export(train, pairs, "insightface-bin", tmp_path / "bin", file="lfw.bin")
    nameless = pictures.given(f"{given['train']};{hidden}", "iresnet", **SIZES, seed=0)
    assert nameless.shared == ("40 pictures, equal to the bit",)


def test_pictures_that_are_no_chips_and_models_that_cannot_learn_are_refused(
    given: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="not aligned chips"):
        networks.fitting(np.zeros((1, 250, 250, 3), np.uint8), "iresnet")
    with pytest.raises(DataError, match="nothing to judge on"):
        pictures.given(given["train"], "iresnet", **SIZES, seed=0)
    with pytest.raises(UnknownNameError, match="iresnet"):
        networks.given("faceapi-recogniser")
    files.write_tensors(tmp_path / "w.safetensors", {"layer1.0.conv1.weight": np.zeros((64, 64, 3, 3), np.float32)})
    with pytest.raises(WeightsError, match="no iResNet"):
        networks.given(f"iresnet:{tmp_path / 'w.safetensors'}")


def test_the_whole_study_runs_on_ones_own_network(given: dict[str, str]) -> None:
    model = given["mobilefacenet"]
    material = study.faces(
        given["data"], model, "paper", people=9, images=9, tests_people=5, shots=2, small_people=3,
        small_images=3, seed=0,
    )  # fmt: skip
    known = study.recognisers(material, model, epochs=1, seed=0)
    check = study.checked(material, known, device="cpu")
    arms = study.fine_tuned(
        material, known, steps=1, batch=8, moving=1, rate=0.01, objective="kd+ekd", weight=1.0, ranges="min-max",
        constants=str(study.STUDY.scales["paper"]["constants"]), repeats=1, seed=0, device="cpu",
    )  # fmt: skip
    # At the paper's scale the evaluation-oriented loss has its published thresholds: six rates down to 1e-6.
    assert arms[study.named("KD+EKD-small", 4)].tuned.thresholds.shape == (1, 2, 6)
    written = study.integer(material, known, arms)
    found = study.evidence(material, known, check, arms, written, resamples=20, seed=0)
    verdicts = {v.claim: v for v in judge(study.STUDY.claims, found)}
    # One network was given, and the folder holds few more pictures than the small set.
    assert {verdicts[c].answer for c in ("C1", "C5", "C6", "C7")} == {"not testable here"}
    assert all("no full set is beside it" in verdicts[c].reason for c in ("C1", "C5", "C7"))
    assert "smaller one is needed" in verdicts["C6"].reason
    assert 0 < float(found.numbers["accuracy over folds, insightface-bin/lfw: PTQ W8A8"]) <= 1
    assert "accuracy over folds, insightface-bin/agedb_30: FP" not in found.numbers
    assert written.layers[0] > 0
    # An untrained network: what rounding does grows from layer to layer, in the simulation itself too.
    assert written.agreement.cosine.min() > 0.95


def test_people_whom_the_sets_share_are_a_warning_of_the_run(given: dict[str, str]) -> None:
    material = pictures.given(given["shared"], "mobilefacenet", **SIZES, seed=0)
    known = study.recognisers(material, given["mobilefacenet"], epochs=1, seed=0)
    check = study.checked(material, known, device="cpu")
    told = study.notes(material, check)
    assert any(n.startswith("WARNING: the sets share 4 people by name") for n in told)
    # Their pictures are the very same, so they resemble themselves too.
    assert len(check.resembling) == 4
    assert any("4 people of the full set resemble a test picture" in n for n in told)


def test_an_iresnet_is_the_published_one(given: dict[str, str]) -> None:
    # arcface_torch's own counts, in millions.
    for depth, count in ((18, 24.03), (34, 34.14), (50, 43.59), (100, 65.15)):
        with torch.device("meta"):
            network = IResNet(DEPTHS[depth])
        assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(count, abs=0.02)
    names = set(files.read_weights(models.split(given["iresnet"])[1]).tensors)
    assert {"layer2.0.downsample.0.weight", "layer4.1.prelu.weight", "layer1.0.bn3.running_var", "fc.bias",
            "features.num_batches_tracked", "bn2.weight", "conv1.weight"} <= names  # fmt: skip
    assert not any("layer2.1.downsample" in n for n in names)
    check_model(given["iresnet"])
    chips = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3)).astype(np.uint8)
    recogniser = networks.given(given["iresnet"])
    own = training.embed(recogniser.network(), recogniser, chips)
    assert models.load(given["iresnet"], backend="torch", device="cpu").embed(chips) == pytest.approx(own, abs=1e-4)


def test_another_pair_set_under_the_same_name_is_another_run(given: dict[str, str], tmp_path: Path) -> None:
    folder, first, second = datasets.several(given["data"])
    pairs = tmp_path / "lfw.bin"
    found = []
    for spec in (first, second, first):
        pairs.write_bytes(Path(datasets.split(spec)[1]).read_bytes())
        order = {"data": f"{folder};insightface-bin:{pairs}", "model": given["iresnet"]}
        values = check(order, schema(listing("quantization").notebook))
        found.append(identify("quantization", values).id)
    assert found[0] == found[2] != found[1]


def test_paths_of_all_sets_hold_wherever_the_notebook_runs() -> None:
    said = absolute("folder:chips; insightface-bin:lfw.bin", Path("/data/ann"))
    assert said == "folder:/data/ann/chips;insightface-bin:/data/ann/lfw.bin"
