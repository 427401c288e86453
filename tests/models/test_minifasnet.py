"""MiniFASNet: its layers by hand, its crop by hand, its files strictly, its answers on the published samples."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from workbench import files, models
from workbench.core import ParameterError, ShapeError, WeightsError
from workbench.models.networks.minifasnet import Bottleneck, MiniFASNetV1SE, MiniFASNetV2
from workbench.models.presentation import enlarged
from workbench.models.zoo._minifasnet import attack_share, named_factor
from workbench.testing.contracts import check_model

PUBLISHED = {"minifasnet-v2": "2.7_80x80_MiniFASNetV2.pth", "minifasnet-v1se": "4_0_0_80x80_MiniFASNetV1SE.pth"}
NETWORKS: dict[str, Callable[[], nn.Module]] = {"minifasnet-v2": MiniFASNetV2, "minifasnet-v1se": MiniFASNetV1SE}


class Payload:
    """Unpickled, it creates ``flag``."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.flag,)


def saved(thing: object) -> bytes:
    """What ``torch.save`` writes."""
    out = io.BytesIO()
    torch.save(thing, out)
    return out.getvalue()


def state(name: str) -> dict[str, torch.Tensor]:
    """Random weights under the published names, as a network on several GPUs saves them; activations stay moderate."""
    generator = torch.Generator().manual_seed(1)
    network = NETWORKS[name]()
    with torch.no_grad():
        for parameter in network.parameters():
            spread = max(1, parameter[0].numel()) ** -0.5
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread + float(parameter.ndim == 1))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 1
        network(torch.rand((16, 3, 80, 80), generator=generator) * 255)
    return {f"module.{k}": v for k, v in network.state_dict().items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both files, with random weights."""
    for name, file in PUBLISHED.items():
        (tmp_path / file).write_bytes(saved(state(name)))
    return tmp_path


def pictures(n: int = 5) -> tuple[list[np.ndarray], np.ndarray]:
    """Smooth pictures of several sizes, and a box in each."""
    rng = np.random.default_rng(3)
    shown = [np.kron(rng.integers(0, 256, (6 + i, 5, 3)), np.ones((20, 20, 1))).astype(np.uint8) for i in range(n)]
    return shown, np.array([[20 + 5 * i, 30, 60 + 4 * i, 80] for i in range(n)], np.float32)


# The layers


def slow_block(block: Bottleneck, x: np.ndarray) -> np.ndarray:
    """A bottleneck of one picture ``(c, h, w)`` with stride 1, number by number."""
    p = {k: v.double().numpy() for k, v in block.state_dict().items()}

    def norm(v: np.ndarray, name: str) -> np.ndarray:
        out = np.empty_like(v)
        for c in range(len(v)):
            scale = p[f"{name}.weight"][c] / np.sqrt(p[f"{name}.running_var"][c] + 1e-5)
            out[c] = (v[c] - p[f"{name}.running_mean"][c]) * scale + p[f"{name}.bias"][c]
        return out

    def mixed(v: np.ndarray, name: str) -> np.ndarray:
        weight = p[f"{name}.weight"]
        return np.array([sum(w[i, 0, 0] * v[i] for i in range(len(v))) for w in weight])

    def bent(v: np.ndarray, name: str) -> np.ndarray:
        return np.array([np.where(c > 0, c, p[f"{name}.weight"][i] * c) for i, c in enumerate(v)])

    wide = bent(norm(mixed(x, "conv.conv"), "conv.bn"), "conv.prelu")
    filtered = np.zeros_like(wide)
    for c, row, column in np.ndindex(*wide.shape):
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if 0 <= row + dy < wide.shape[1] and 0 <= column + dx < wide.shape[2]:
                    k = p["conv_dw.conv.weight"][c, 0, dy + 1, dx + 1]
                    filtered[c, row, column] += k * wide[c, row + dy, column + dx]
    out = norm(mixed(bent(norm(filtered, "conv_dw.bn"), "conv_dw.prelu"), "project.conv"), "project.bn")
    if "se_module.fc1.weight" in p:
        mean = out.mean((1, 2))[:, None, None]
        inner = np.maximum(norm(mixed(mean, "se_module.fc1"), "se_module.bn1"), 0)
        out = out / (1 + np.exp(-norm(mixed(inner, "se_module.fc2"), "se_module.bn2")))
    return x + out


@pytest.mark.parametrize("squeeze", [False, True])
def test_a_bottleneck_is_what_a_slow_one_is(squeeze: bool) -> None:
    block = Bottleneck(8, 5, 8, squeeze=squeeze).eval()
    generator = torch.Generator().manual_seed(0)
    for key, value in block.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            value.copy_(torch.rand(value.shape, generator=generator) + (0.2 if "var" in key else -0.4))
    x = torch.randn(2, 8, 6, 7, generator=generator)
    with torch.inference_mode():
        found = block(x).numpy()
    for one, wanted in zip(found, x.double().numpy(), strict=True):
        assert np.allclose(one, slow_block(block, wanted), atol=1e-5)


def test_the_networks_have_their_published_size() -> None:
    counts = {
        n: sum(p.numel() for k, p in made().named_parameters() if "se_module" not in k) for n, made in NETWORKS.items()
    }
    # Millions, from the authors' table; V1SE is V1 and its squeezing modules.
    assert round(counts["minifasnet-v2"] / 1e6, 3) == 0.435
    assert round(counts["minifasnet-v1se"] / 1e6, 3) == 0.414


def test_channels_are_weighed_at_the_end_of_each_stage_of_v1se() -> None:
    squeezed = {k.partition(".se_module")[0] for k in MiniFASNetV1SE().state_dict() if "se_module" in k}
    assert squeezed == {"conv_3.model.3", "conv_4.model.5", "conv_5.model.1"}
    assert not [k for k in MiniFASNetV2().state_dict() if "se_module" in k]


def test_the_score_is_all_that_is_not_bona_fide() -> None:
    logits = np.log(np.array([[1, 2, 1], [1, 8, 7], [1e-9, 1, 1e-9]], np.float32))
    assert np.allclose(attack_share(logits), [1 / 2, 1 / 2, 2e-9], rtol=1e-5)
    assert attack_share(np.array([[-200, 300, -400], [200, -300, -400]], np.float32)).tolist() == pytest.approx([0, 1])


# The crop

CROPS = {
    # 20 x 40 pixels about (110, 120), 54 x 108 when enlarged.
    "inside": ((100, 100, 119, 139), (400, 300), (83, 66, 138, 175)),
    "fractions are cut off": ((100.75, 100.75, 119.75, 139.75), (400, 300), (83, 66, 138, 175)),
    "moved right and down": ((0, 0, 19, 39), (400, 300), (0, 0, 55, 109)),
    # Ends at 317 and 434; the last pixels are 299 and 399.
    "moved left and up": ((280, 360, 299, 399), (400, 300), (245, 291, 300, 400)),
    # 49 / 40 is all that fits: 24.5 x 49 about (20, 30).
    "grows less": ((10, 10, 29, 49), (50, 50), (7, 0, 33, 50)),
    # 73.5 x 49 about (100, 30).
    "grows less to both sides": ((70, 10, 129, 49), (50, 200), (63, 0, 137, 50)),
}


@pytest.mark.parametrize("case", CROPS)
def test_crops_by_hand(case: str) -> None:
    box, shape, wanted = CROPS[case]
    assert enlarged(np.array(box, np.float32), shape, 2.7) == wanted


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (9, 5, 5, 9), (50, 5, 60, 9), (-9, 5, -1, 9), (np.nan, 5, 9, 9)])
def test_a_box_without_a_face_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(ShapeError, match="empty or outside its picture"):
        enlarged(np.array(box), (40, 50), 2.7)


def test_a_box_that_sticks_out_is_cut_like_any_other() -> None:
    x1, y1, x2, y2 = enlarged(np.array([-10, -10, 30, 45]), (40, 50), 4.0)
    assert 0 <= x1 < x2 <= 50
    assert 0 <= y1 < y2 <= 40


def test_the_network_sees_blue_first_and_bytes_as_they_are(folder: Path) -> None:
    detector = models.attack_detector(f"minifasnet:{folder}", device="cpu")
    seen: list[np.ndarray] = []
    for network in detector.networks:
        network.engine = lambda x, seen=seen: seen.append(x) or np.zeros((len(x), 3), np.float32)  # type: ignore[assignment]
    image = np.full((300, 400, 3), (250, 100, 7), np.uint8)
    assert detector.scores([image], np.array([[150, 100, 200, 160]])).tolist() == [pytest.approx(2 / 3)]
    assert [x.shape for x in seen] == [(1, 3, 80, 80)] * 2
    assert all((x == np.array([7, 100, 250], np.float32)[None, :, None, None]).all() for x in seen)


def test_a_file_name_says_its_crop() -> None:
    assert [named_factor(f, 9) for f in PUBLISHED.values()] == [2.7, 4]
    assert named_factor("folder_80x80_/1_80x80_MiniFASNetV2.pth", 9) == 1
    assert named_factor("weights.pth", 9) == 9


# The files


@pytest.mark.parametrize("name", PUBLISHED)
def test_random_weights_load_and_run(name: str, folder: Path) -> None:
    spec = f"{name}:{folder / PUBLISHED[name]}"
    check_model(spec)
    torch_one, onnx_one = (models.attack_detector(spec, device="cpu", backend=b) for b in ("torch", "onnx"))
    images, boxes = pictures()
    scores = torch_one.scores(images, boxes)
    assert scores.dtype == np.float64
    assert ((scores > 0) & (scores < 1)).all()
    assert np.ptp(scores) > 1e-3
    assert np.allclose(scores, onnx_one.scores(images, boxes), atol=1e-4)
    assert "ONNX" in onnx_one.provider
    assert np.allclose(scores, torch_one.scores(images, boxes, batch=2), atol=1e-5)
    assert torch_one.scores([], np.zeros((0, 4))).shape == (0,)
    assert torch_one.card.licence == "Apache-2.0"
    assert list(torch_one.card.files.values()) == [torch_one.weights_digest]


def test_every_tensor_has_a_say() -> None:
    """A layer that is loaded and never run would not be noticed by its name."""
    for name, made in NETWORKS.items():
        network = made().eval()
        network.load_state_dict({k.removeprefix("module."): v for k, v in state(name).items()})
        network(torch.rand(2, 3, 80, 80) * 255).square().sum().backward()
        silent = [k for k, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert silent == []


def changed(**tensors: torch.Tensor | None) -> dict[str, torch.Tensor]:
    given = {**state("minifasnet-v2"), **{k.replace("__", "."): v for k, v in tensors.items()}}
    return {k: v for k, v in given.items() if v is not None}


BROKEN = {
    "missing": (changed(module__prob__weight=None), r"no tensor 'prob\.weight'"),
    "left over": (changed(module__more__weight=torch.zeros(3)), r"1 further tensors, 'more\.weight' first"),
    "of another shape": (changed(module__prob__weight=torch.zeros(2, 128)), r"prob\.weight: \(2, 128\)"),
    "of the other network": (state("minifasnet-v1se"), r"does not fit MiniFASNetV2"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_tensor_that_does_not_fit_is_named(what: str, tmp_path: Path) -> None:
    tensors, message = BROKEN[what]
    (tmp_path / "w.pth").write_bytes(saved(tensors))
    with pytest.raises(WeightsError, match=message):
        models.load(f"minifasnet-v2:{tmp_path / 'w.pth'}", device="cpu")


def test_code_in_weights_is_not_run(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    (tmp_path / "w.pth").write_bytes(saved({**state("minifasnet-v2"), "extra": Payload(flag)}))
    with pytest.raises(WeightsError, match="asks for more than tensors"):
        models.load(f"minifasnet-v2:{tmp_path / 'w.pth'}", device="cpu")
    assert not flag.exists()


def test_weights_that_are_not_numbers_give_no_score(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(saved(changed(module__prob__weight=torch.full((3, 128), float("nan")))))
    detector = models.attack_detector(f"minifasnet-v2:{tmp_path / 'w.pth'}", device="cpu")
    with pytest.raises(WeightsError, match="not finite"):
        detector.scores(*pictures(1))


def test_a_folder_holds_both(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    fused = models.attack_detector(f"minifasnet:{folder}", device="cpu")
    images, boxes = pictures()
    alone = [
        models.attack_detector(f"{n}:{folder / f}", device="cpu").scores(images, boxes) for n, f in PUBLISHED.items()
    ]
    assert np.allclose(fused.by_network(images, boxes), alone, atol=1e-6)
    assert np.allclose(fused.scores(images, boxes), (alone[0] + alone[1]) / 2, atol=1e-6)
    assert set(fused.card.files) == set(PUBLISHED.values())
    with pytest.raises(WeightsError, match="no weights of minifasnet-v2"):
        models.load(f"minifasnet:{tmp_path_factory.mktemp('empty')}")
    (folder / "other_MiniFASNetV2.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError, match="several files for minifasnet-v2"):
        models.load(f"minifasnet:{folder}")


@pytest.mark.parametrize("spec", ["minifasnet", "minifasnet-v2", "minifasnet-v1se"])
def test_without_a_file_the_error_says_how_to_name_it(spec: str) -> None:
    with pytest.raises(ParameterError, match=f"expected: {spec}:F"):
        models.load(spec)


# The published samples


@pytest.fixture(scope="module")
def samples(shared: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The three pictures and the box of the workbench's own face detector."""
    folder = shared / "data" / "antispoof-samples"
    if not folder.is_dir() or not all((shared / "models" / f).is_file() for f in PUBLISHED.values()):
        pytest.skip("no samples of Silent-Face-Anti-Spoofing, or not its weights")
    finder = models.load("faceapi-ssd", device="cpu")
    read = {n: files.read_image(folder / f"image_{n}.jpg") for n in ("T1", "F1", "F2")}
    return {n: (image, finder.detect([image])[0].boxes[0]) for n, image in read.items()}


def test_the_published_samples_are_told_apart(shared: Path, samples: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    fused = models.attack_detector(f"minifasnet:{shared / 'models'}", device="cpu")
    images, boxes = [s[0] for s in samples.values()], np.stack([s[1] for s in samples.values()])
    each = fused.by_network(images, boxes)
    for scores in (*each, fused.scores(images, boxes)):
        assert dict(zip(samples, scores > fused.threshold, strict=True)) == {"T1": False, "F1": True, "F2": True}
    backend = models.attack_detector(f"minifasnet:{shared / 'models'}", device="cpu", backend="onnx")
    assert np.allclose(each, backend.by_network(images, boxes), atol=1e-4)


def test_a_box_a_little_off_does_not_change_the_fused_decision(
    shared: Path, samples: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    """Centre moved by up to 10 % of the box, each side scaled by up to 15 %: what two face detectors differ by."""
    fused = models.attack_detector(f"minifasnet:{shared / 'models'}", device="cpu")
    rng = np.random.default_rng(0)
    for name, (image, box) in samples.items():
        centre, side = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        centres = centre + rng.uniform(-0.1, 0.1, (40, 2)) * side
        sides = side * rng.uniform(0.85, 1.15, (40, 2))
        moved = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
        assert set((fused.scores([image] * 40, moved) > fused.threshold).tolist()) == {name != "T1"}
