"""One interface for all attack detectors, and which one "auto" is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from workbench import models
from workbench.core import ParameterError, ShapeError, UnknownNameError, WeightsError
from workbench.data import phantom
from workbench.models.presentation import AttackNetwork, configured


def test_the_built_in_detector_says_what_its_network_says() -> None:
    scene, _ = phantom.scenes(2, 1, seed=5, subset="test")
    shown = list(phantom.present(scene, phantom.LIVE, size=100).rgb)
    detector = models.attack_detector("phantom-attacks", device="cpu")
    small = np.stack([cv2.resize(p, (64, 64), interpolation=cv2.INTER_AREA) for p in shown])
    logits = models.load("phantom-attacks", device="cpu").predict(small)["attack"].astype(np.float64)
    assert not detector.needs_boxes
    assert np.allclose(detector.scores(shown), 1 / (1 + np.exp(-logits)), atol=1e-6)
    boxes = np.array([[10, 10, 40, 40]] * 2, np.float32)
    assert np.array_equal(detector.scores(shown, boxes), detector.scores(shown))
    assert detector.regions(shown[0]).tolist() == [[0, 0, 100, 100]]
    assert detector.describe()["attack detector"] == "phantom-attacks"


def network(name: str, value: float, factor: float | None) -> AttackNetwork:
    """One that says ``value`` of everything, whatever it sees."""
    card = replace(models.card("minifasnet-v2"), name=name)
    engine = SimpleNamespace(provider="none", device="cpu")
    found = AttackNetwork(card, engine, None, name, attack=lambda out: out[:, 0], factor=factor)  # type: ignore[arg-type]
    found.engine = lambda x: np.full((len(x), 1), value)  # type: ignore[assignment]
    return found


def test_several_networks_count_alike() -> None:
    parts = [network("a", 0.1, None), network("b", 0.6, 2.0), network("c", 0.2, 3.0)]
    detector = models.AttackDetector("abc", parts[0].card, parts)
    image, box = np.zeros((200, 300, 3), np.uint8), np.array([100.0, 50, 119, 69])
    assert detector.needs_boxes
    assert detector.scores([image] * 3, np.tile(box, (3, 1)), batch=2) == pytest.approx([0.3] * 3)
    # 20 pixels about (110, 60), twice and three times.
    assert detector.regions(image, box).tolist() == [[0, 0, 300, 200], [90, 40, 131, 81], [80, 30, 141, 91]]
    assert detector.weights_digest == "a+b+c"
    assert detector.provider == "none"


def test_crops_keep_their_aliasing_and_whole_pictures_do_not() -> None:
    # Two of four columns are bright: bilinear sampling at a quarter of the size meets these two, a mean all four.
    shown = np.zeros((400, 400, 3), np.uint8)
    shown[:, 1::4] = shown[:, 2::4] = 200
    # 80 pixels about (200, 200) become 40 to 359.
    assert np.all(network("a", 0, 319 / 80).crop(shown, np.array([160, 160, 239, 239])) == 200)
    assert np.all(network("b", 0, None).crop(shown[:320, :320], None) == 100)


def test_what_does_not_fit_is_refused() -> None:
    detector = models.AttackDetector("b", models.card("minifasnet-v2"), [network("b", 0.6, 2.0)])
    image = np.zeros((50, 60, 3), np.uint8)
    with pytest.raises(ShapeError, match="b needs a face box"):
        detector.scores([image])
    with pytest.raises(ShapeError, match="one box per picture"):
        detector.scores([image], np.zeros((2, 4)))
    with pytest.raises(ShapeError, match="picture 0 has the wrong shape"):
        detector.scores([image[..., 0]], np.array([[1, 1, 9, 9]]))
    with pytest.raises(ShapeError, match="b takes other chips"):
        detector.networks[0].judge(image[None])


def test_only_attack_detectors_detect_attacks() -> None:
    with pytest.raises(ParameterError, match="faceapi-ssd does not detect attacks") as error:
        models.attack_detector("faceapi-ssd")
    assert "phantom-attacks" in str(error.value)
    with pytest.raises(UnknownNameError, match="did you mean 'minifasnet'"):
        models.attack_detector("minifasnets")


def test_auto_is_what_the_user_put_into_the_home_folder(home: Path) -> None:
    assert configured() == "phantom-attacks"
    assert models.attack_detector(device="cpu").name == "phantom-attacks"
    folder = home / "models"
    folder.mkdir()
    (folder / "facenet.pth").write_bytes(b"")
    (folder / "notMiniFASNetV2.pth").write_bytes(b"")
    assert configured() == "phantom-attacks"
    (folder / "4_0_0_80x80_MiniFASNetV1SE.pth").write_bytes(b"")
    assert configured() == f"minifasnet-v1se:{folder / '4_0_0_80x80_MiniFASNetV1SE.pth'}"
    (folder / "2.7_80x80_MiniFASNetV2.pth").write_bytes(b"")
    assert configured() == f"minifasnet:{folder}"
    # What is there and broken is said, not passed over.
    with pytest.raises(WeightsError, match=r"2\.7_80x80_MiniFASNetV2\.pth"):
        models.attack_detector(device="cpu")
