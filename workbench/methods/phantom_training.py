"""Networks trained on phantom faces alone, and the populations that they are trained on.

``workbench models train NAME --out FILE`` trains one again. Nothing here has seen a photograph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import UnknownNameError, seeds
from ..data import phantom
from ..models.devices import resolve
from ..models.networks.phantom import NARROW, Autoencoder, Trunk
from .small_recogniser import arcface_loss, initialise

# Chips are rendered wider than the network's input, so that training can shift them.
MARGIN = 4
VARY = ("pose", "light", "expression", "gaze", "clothes", "background", "camera", "sensor", "make-up")
Report = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Attributes:
        size: side of its input.
        outputs: length of its answer.
        people, images: the population.
        epochs, batch: of the training.
    """

    size: int
    outputs: int
    people: int
    images: int
    epochs: int
    batch: int = 128


# Sizes that two cores manage in half an hour each; the shipped weights were trained so.
PLANS: Mapping[str, Plan] = {
    "phantom-recogniser-64": Plan(64, 128, 2500, 12, 22, 64),
    "phantom-recogniser-112": Plan(112, 128, 1000, 10, 22, 64),
    "phantom-attributes": Plan(64, 5 + len(phantom.MOVEMENTS), 1200, 8, 12),
    "phantom-attacks": Plan(64, 1, 100, 3, 24, 64),
    "phantom-autoencoder": Plan(64, 128, 900, 8, 14),
}


def wild(people: int, images: int, *, seed: int = 0, subset: str = "train") -> phantom.Scene:
    """Pictures of everyday and beyond: hair, beard and make-up change too, so that they are not taken for the person.

    Args:
        people: how many.
        images: pictures of each.
        seed: of the population.
        subset: see `phantom.scenes`.
    """
    scene, _ = phantom.scenes(people, images, seed=seed, vary=VARY, subset=subset)
    n = len(scene)
    rng = seeds.rng("phantom", "wild", subset, seed, n)

    def some(share: float) -> NDArray[np.bool_]:
        return rng.random(n) < share

    def mixed(name: str, share: float, drawn: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.where(some(share), drawn, scene.factors[name])

    masculine = scene.gender > 0
    worn = {
        "glasses": np.where(some(0.15), rng.integers(1, len(phantom.GLASSES), n), 0),
        "headwear": np.where(some(0.06), rng.integers(1, 3, n), 0),
    }
    uniform = rng.uniform(0, 1, (8, n))
    # Grain and moles tell phantoms apart and nobody else.
    other = rng.integers(0, 2**62, n)
    texture = np.where(some(0.7), other, scene.identity.texture)
    moles = np.where(some(0.7)[:, None, None], scene.identity.moles[rng.permutation(n)], scene.identity.moles)
    return scene.replace(
        identity=replace(scene.identity, texture=texture, moles=moles),
        yaw=np.clip(scene.yaw * 1.5, -60, 60),
        pitch=np.clip(scene.pitch * 1.2, -30, 30),
        hair_length=mixed("hair_length", 0.6, uniform[0]),
        hair_volume=mixed("hair_volume", 0.6, rng.normal(0, 0.8, n).clip(-2, 2)),
        hair_fringe=mixed("hair_fringe", 0.5, 0.9 * uniform[1]),
        hair_part=mixed("hair_part", 0.5, 2 * uniform[2] - 1),
        hair_dark=mixed("hair_dark", 0.2, uniform[3]),
        beard=np.where(masculine, mixed("beard", 0.3, uniform[4]), 0),
        moustache=np.where(masculine, mixed("moustache", 0.3, uniform[5]), 0),
        stubble=np.where(masculine, mixed("stubble", 0.5, uniform[6]), 0),
        lip_makeup=np.where(some(0.3), scene.lip_makeup, 0),
        eye_makeup=np.where(some(0.3), scene.eye_makeup, 0),
        cheek_makeup=np.where(some(0.3), scene.cheek_makeup, 0),
        age=np.clip(scene.age + rng.normal(0, 4, n), 12, 88),
        melanin=np.clip(scene.melanin + rng.normal(0, 0.05, n), 0, 1),
        haemoglobin=np.clip(scene.haemoglobin + rng.normal(0, 0.12, n), 0, 1),
        blur=np.where(some(0.4), 1.8 * uniform[7], scene.blur),
        resolution=np.where(some(0.25), rng.uniform(0.3, 1, n), 1),
        jpeg=np.where(some(0.4), rng.integers(30, 95, n), 0),
        **worn,
    )


def training_chips(scene: phantom.Scene, size: int, report: Report, device: str = "cpu") -> NDArray[np.uint8]:
    """Aligned chips ``uint8 (n, size + 2 MARGIN, ..., 3)``, rendered in parts."""
    parts = []
    for start in range(0, len(scene), 2048):
        cut, _ = phantom.chips(scene.take(slice(start, start + 2048)), size + 2 * MARGIN, margin=MARGIN, device=device)
        parts.append(cut)
        report(f"rendered {min(start + 2048, len(scene))} of {len(scene)}")
    return np.concatenate(parts)


def train(
    name: str, *, seed: int = 0, report: Report = lambda what: None, plan: Plan | None = None, device: str = "cpu"
) -> dict[str, NDArray[np.generic]]:
    """Train a network of `PLANS`; its tensors in half precision.

    Args:
        name: of the network.
        seed: of population, initialisation and order.
        report: is told how far it is.
        plan: another size, for tests.
        device: where pictures are rendered and the network learns.

    Raises:
        UnknownNameError: the network is not in `PLANS`.
        DeviceError: the device is not there.
    """
    if name not in PLANS:
        raise UnknownNameError("network trained on phantoms", name, PLANS)
    chosen, device = plan or PLANS[name], resolve(device)
    kind = "recogniser" if "recogniser" in name else name.removeprefix("phantom-")
    task = _TASKS[kind](chosen, seed, report, device)
    initialise(task.network, name, seed)
    _fit(task, chosen, seeds.rng("order", name, seed), report, device)
    return {k: _half(v) for k, v in task.network.state_dict().items() if not k.endswith("num_batches_tracked")}


@dataclass(frozen=True)
class Task:
    """What a network learns.

    Attributes:
        chips: ``uint8 (n, size + 2 MARGIN, size + 2 MARGIN, 3)``.
        target: what is true of them, ``(n, ...)``.
        network: is changed.
        loss: of outputs, their targets and the share of the training that is done.
        centres: ``(people, outputs)`` that are learned beside the network and then forgotten.
    """

    chips: NDArray[np.uint8]
    target: Tensor
    network: nn.Module
    loss: Callable[[Tensor, Tensor, float], Tensor]
    centres: nn.Parameter | None = None


def _recogniser(plan: Plan, seed: int, report: Report, device: str) -> Task:
    chips = training_chips(wild(plan.people, plan.images, seed=seed), plan.size, report, device)
    drawn = seeds.rng("train", "centres", plan.size, seed).standard_normal((plan.people, plan.outputs))
    # Short vectors turn quickly.
    centres = nn.Parameter(torch.from_numpy(0.1 * drawn.astype(np.float32)).to(device))

    def loss(out: Tensor, person: Tensor, progress: float) -> Tensor:
        # The margin comes late: at first the classes only have to be told apart.
        margin = 0.25 * min(1.0, max(0.0, 2.5 * (progress - 0.4)))
        return arcface_loss(out, centres, person, margin=margin, scale=20.0)

    target = torch.from_numpy(np.repeat(np.arange(plan.people), plan.images))
    return Task(chips, target, Trunk(plan.size, plan.outputs), loss, centres)


def attribute_targets(scene: phantom.Scene) -> NDArray[np.float32]:
    """What the attribute network says, ``(n, 5 + movements)``: age / 50 - 1, gender, melanin, yaw and pitch / 45."""
    columns = [scene.age / 50 - 1, scene.gender, scene.melanin, scene.yaw / 45, scene.pitch / 45]
    return np.concatenate([np.stack(columns, 1), scene.movements], 1).astype(np.float32)


def _attributes(plan: Plan, seed: int, report: Report, device: str) -> Task:
    scene = wild(plan.people, plan.images, seed=seed)
    rng = seeds.rng("train", "attributes", seed)
    # Ages from child to old, which adults' usual looks do not cover; pictures are not mirrored, so yaw keeps its sign.
    scene = scene.replace(age=rng.uniform(5, 88, len(scene)))
    chips = training_chips(scene, plan.size, report, device)
    network = Trunk(plan.size, plan.outputs, NARROW)
    return Task(chips, torch.from_numpy(attribute_targets(scene)), network, lambda out, true, _: F.mse_loss(out, true))


def _attacks(plan: Plan, seed: int, report: Report, device: str) -> Task:
    report("presenting people and instruments")
    side = plan.size + 2 * MARGIN
    shown = phantom.attack_detection(plan.people, plan.images, size=side, seed=seed, subsets=("train",))
    target = torch.from_numpy(shown.samples.attributes["attack"].astype(np.float32))
    network = Trunk(plan.size, plan.outputs, NARROW)

    def loss(out: Tensor, attack: Tensor, progress: float) -> Tensor:
        return F.binary_cross_entropy_with_logits(out[:, 0], attack)

    return Task(np.asarray(shown.samples.images), target, network, loss)


def _autoencoder(plan: Plan, seed: int, report: Report, device: str) -> Task:
    scene, _ = phantom.scenes(plan.people, plan.images, seed=seed)
    chips = training_chips(scene, plan.size, report, device)

    def loss(out: Tensor, shown: Tensor, progress: float) -> Tensor:
        return (out - centred(inside(shown))).abs().mean()

    return Task(chips, torch.from_numpy(chips), Autoencoder(plan.outputs), loss)


_TASKS: Mapping[str, Callable[[Plan, int, Report, str], Task]] = {
    "recogniser": _recogniser,
    "attributes": _attributes,
    "attacks": _attacks,
    "autoencoder": _autoencoder,
}


def _half(tensor: Tensor) -> NDArray[np.generic]:
    return np.asarray(tensor.detach().float().cpu().numpy().astype(np.float16))


def _fit(task: Task, plan: Plan, rng: np.random.Generator, report: Report, device: str) -> None:
    """AdamW with a one-cycle schedule; bfloat16 where the device has it."""
    network = task.network
    network.train().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    chips, target = torch.from_numpy(task.chips).to(device), task.target.to(device)
    parameters = [*network.parameters(), *([] if task.centres is None else [task.centres])]
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=1e-4)
    mirror = plan.outputs in (1, 128)

    def prepared(shown: Tensor) -> Tensor:
        if isinstance(network, Autoencoder):
            return centred(inside(shown))
        return augmented(shown, plan.size, rng, mirror=mirror)

    count = max(1, len(chips) // plan.batch)
    steps = plan.epochs * count
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    done = 0
    for epoch in range(plan.epochs):
        total = torch.zeros((), device=device)
        for part in np.array_split(rng.permutation(len(chips)), count):
            at = torch.from_numpy(part).to(device)
            x = prepared(chips[at])
            with torch.autocast(device.partition(":")[0], torch.bfloat16):
                out = network(x.to(memory_format=torch.channels_last))
            value = task.loss(out.float(), target[at], done / steps)
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 5.0)
            optimiser.step()
            schedule.step()
            total += value.detach()
            done += 1
        report(f"epoch {epoch + 1} of {plan.epochs}: loss {float(total) / count:.3f}")
    network.eval()


def inside(chips: Tensor) -> Tensor:
    """Chips ``(n, h, w, 3)`` without their margin."""
    return chips[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def centred(chips: Tensor) -> Tensor:
    """``uint8 (n, h, w, 3)`` as ``float32 (n, 3, h, w)`` in [-1, 1]."""
    return chips.permute(0, 3, 1, 2).float() / 127.5 - 1


def augmented(chips: Tensor, size: int, rng: np.random.Generator, *, mirror: bool = True) -> Tensor:
    """Moved, mirrored, relit and greyed at random: ``float32 (n, 3, size, size)`` in [-1, 1].

    Args:
        chips: ``uint8 (n, size + 2 MARGIN, size + 2 MARGIN, 3)``.
        size: of the result.
        rng: draws.
        mirror: half of them.
    """
    n = len(chips)
    x = _jittered(centred(chips), size, rng)

    def column(values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(x.device).reshape(n, -1, 1, 1)

    x = torch.where(column(rng.random(n)) < 0.5 * mirror, x.flip(3), x)
    x = x * column(np.exp(rng.normal(0, 0.2, n))) + column(rng.normal(0, 0.15, n)) + column(rng.normal(0, 0.07, (n, 3)))
    grey = x.mean(1, keepdim=True).expand_as(x)
    return torch.where(column(rng.random(n)) < 0.2, grey, x).clamp(-1, 1)


def _jittered(x: Tensor, size: int, rng: np.random.Generator) -> Tensor:
    """Chips turned, scaled and shifted as landmarks err: ``(n, 3, size, size)`` out of wider ones."""
    n, whole = len(x), x.shape[-1]
    scale = np.exp(rng.normal(0, 0.05, n)) * size / whole
    angle, shift = rng.normal(0, 0.05, n), rng.normal(0, 0.03, (n, 2))
    rows = [np.stack([scale * np.cos(angle), -scale * np.sin(angle), shift[:, 0]], 1),
            np.stack([scale * np.sin(angle), scale * np.cos(angle), shift[:, 1]], 1)]  # fmt: skip
    turn = torch.from_numpy(np.stack(rows, 1).astype(np.float32)).to(x.device)
    grid = F.affine_grid(turn, [n, 3, size, size], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
