import json
from pathlib import Path

import numpy as np
import pytest
import torch

from workbench import files, metrics, models
from workbench.core import Scores, UnknownNameError, WeightsError
from workbench.models.catalog import onnx_difference, torch_network
from workbench.models.engines import export_onnx
from workbench.models.networks.mobilefacenet import MobileFaceNet
from workbench.models.zoo._faceapi import ONNX_DIFFERENCE

BUILT_IN = [n for n in models.names() if n.startswith("faceapi")]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_network_agrees_with_its_onnx_export(name: str) -> None:
    card = models.card(name)
    assert card.licence == "MIT"
    assert onnx_difference(torch_network(name), card.input_size) < ONNX_DIFFERENCE


def test_bfloat16_keeps_embeddings() -> None:
    rng = np.random.default_rng(0)
    chips = np.repeat(np.repeat(rng.integers(0, 255, (4, 10, 10, 3)), 15, 1), 15, 2).astype(np.uint8)
    exact, fast = (models.load("faceapi-recogniser", backend=b, device="cpu") for b in ("torch", "torch-bf16"))
    one, other = exact.embed(chips), fast.embed(chips)
    assert (one * other).sum(1).min() > 0.999
    assert np.allclose(exact.embed(chips, batch=1), one, atol=1e-5)
    assert np.allclose(np.linalg.norm(one, axis=1), 1)


def test_names_get_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'faceapi-recogniser'"):
        models.load("faceapi-recognizer")


def test_weights_of_another_shape_name_the_tensor(tmp_path: Path) -> None:
    state = {k: v.numpy() for k, v in MobileFaceNet().state_dict().items()}
    state["conv1.conv.weight"] = np.zeros((64, 3, 5, 5), np.float32)
    files.write_tensors(tmp_path / "w.safetensors", state)
    with pytest.raises(WeightsError, match=r"conv1\.conv\.weight: \(64, 3, 5, 5\)"):
        models.load(f"mobilefacenet:{tmp_path / 'w.safetensors'}")


def test_an_onnx_embedder_needs_its_card(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "net.onnx"
    path.write_bytes(export_onnx(MobileFaceNet().eval(), (112, 96)))
    with pytest.raises(WeightsError, match="has no card"):
        models.load(f"onnx:{path}")
    card = models.card("mobilefacenet")
    fields = {"input_size": card.input_size, "template": card.template, "mean": card.mean, "scale": card.scale,
              "colour": "RGB", "dimension": 128, "licence": "none"}  # fmt: skip
    Path(f"{path}.card.json").write_text(json.dumps(fields))
    model = models.load(f"onnx:{path}", device="cpu")
    assert model.embed(np.zeros((2, 112, 96, 3), np.uint8)).shape == (2, 128)
    with pytest.raises(WeightsError, match="no gradients"):
        _ = model.network
    Path(f"{path}.card.json").write_text(json.dumps({k: v for k, v in fields.items() if k != "template"}))
    with pytest.raises(WeightsError, match="also template"):
        models.load(f"onnx:{path}")


def test_real_people_are_told_apart(shared: Path) -> None:
    from workbench import data

    dataset = data.open_dataset(f"lfw:{shared / 'data' / 'lfw-view1'}")
    trials = dataset.trials().subset(np.r_[0:40, 500:540])
    used = np.unique(np.r_[trials.reference, trials.probe])
    samples = dataset.samples().subset(used)
    found = models.default_pipeline(choose="central").embed(samples.images)
    assert found.failures <= 1
    values = found.compare(np.searchsorted(used, trials.reference), np.searchsorted(used, trials.probe))
    scores = Scores("m", trials, values, np.isfinite(values))
    assert float(metrics.auc(scores, resamples=0)) > 0.98


def test_a_picture_without_a_face_is_a_failure_to_acquire() -> None:
    found = models.default_pipeline().embed(np.full((1, 120, 120, 3), 90, np.uint8))
    assert found.failures == 1
    assert found.reasons == ("no face found",)
