"""Networks trained on phantom faces alone, and the populations that they are trained on.

``workbench models train NAME --out FILE`` trains one again. Nothing here has seen a photograph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core import UnknownNameError, seeds
from ..data import phantom
from ..models.networks.phantom import Trunk
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


# Sizes that two cores manage in half an hour each.
PLANS: Mapping[str, Plan] = {
    "phantom-recogniser-64": Plan(64, 128, 3000, 14, 9),
    "phantom-recogniser-112": Plan(112, 128, 1500, 12, 7),
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
    return scene.replace(
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


def training_chips(scene: phantom.Scene, size: int, report: Report) -> NDArray[np.uint8]:
    """Aligned chips ``uint8 (n, size + 2 MARGIN, ..., 3)``, rendered in parts."""
    parts = []
    for start in range(0, len(scene), 2048):
        cut, _ = phantom.chips(scene.take(slice(start, start + 2048)), size + 2 * MARGIN, margin=MARGIN)
        parts.append(cut)
        report(f"rendered {min(start + 2048, len(scene))} of {len(scene)}")
    return np.concatenate(parts)


def train(
    name: str, *, seed: int = 0, report: Report = lambda what: None, plan: Plan | None = None
) -> dict[str, NDArray[np.generic]]:
    """Train a network of `PLANS`; its tensors in half precision.

    Args:
        name: of the network.
        seed: of population, initialisation and order.
        report: is told how far it is.
        plan: another size, for tests.
    """
    if name not in PLANS:
        raise UnknownNameError("network trained on phantoms", name, PLANS)
    plan = plan or PLANS[name]
    scene = wild(plan.people, plan.images, seed=seed)
    labels = np.repeat(np.arange(plan.people), plan.images)
    chips = training_chips(scene, plan.size, report)
    network = Trunk(plan.size, plan.outputs)
    initialise(network, name, seed)
    start = seeds.rng("train", name, seed).standard_normal((plan.people, plan.outputs)).astype(np.float32)
    centres = nn.Parameter(torch.from_numpy(start))
    target = torch.from_numpy(labels)

    def loss(out: Tensor, at: NDArray[np.int64], progress: float) -> Tensor:
        # The margin grows: at first the classes only have to be told apart.
        return arcface_loss(out, centres, target[at], margin=0.4 * min(1.0, 2 * progress), scale=24.0)

    _fit(network, [*network.parameters(), centres], chips, plan, loss, seeds.rng("order", name, seed), report)
    return {k: _half(v) for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}


def _half(tensor: Tensor) -> NDArray[np.generic]:
    return np.asarray(tensor.detach().float().numpy().astype(np.float16))


def _fit(
    network: nn.Module, parameters: Sequence[nn.Parameter], chips: NDArray[np.uint8], plan: Plan,
    loss: Callable[[Tensor, NDArray[np.int64], float], Tensor], rng: np.random.Generator, report: Report,
) -> None:  # fmt: skip
    """AdamW with a one-cycle schedule; bfloat16 where the processor has it."""
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=1e-4)
    count = max(1, len(chips) // plan.batch)
    steps = plan.epochs * count
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    done = 0
    for epoch in range(plan.epochs):
        total = 0.0
        for at in np.array_split(rng.permutation(len(chips)), count):
            x = augmented(chips[at], plan.size, rng)
            with torch.autocast("cpu", torch.bfloat16):
                out = network(x.to(memory_format=torch.channels_last))
            value = loss(out.float(), at, done / steps)
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 5.0)
            optimiser.step()
            schedule.step()
            total += float(value.detach())
            done += 1
        report(f"epoch {epoch + 1} of {plan.epochs}: loss {total / count:.3f}")
    network.eval()


def augmented(chips: NDArray[np.uint8], size: int, rng: np.random.Generator) -> Tensor:
    """Shifted, mirrored, relit and greyed at random: ``float32 (n, 3, size, size)`` in [-1, 1].

    Args:
        chips: ``uint8 (n, size + 2 MARGIN, size + 2 MARGIN, 3)``.
        size: of the result.
        rng: draws.
    """
    n = len(chips)
    shift = rng.integers(0, 2 * MARGIN + 1, (n, 2))
    cut = np.stack([c[i : i + size, j : j + size] for c, (i, j) in zip(chips, shift, strict=True)])
    x = torch.from_numpy(cut).permute(0, 3, 1, 2).float() / 127.5 - 1

    def column(values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).reshape(n, -1, 1, 1)

    x = torch.where(column(rng.random(n)) < 0.5, x.flip(3), x)
    x = x * column(np.exp(rng.normal(0, 0.2, n))) + column(rng.normal(0, 0.15, n)) + column(rng.normal(0, 0.05, (n, 3)))
    grey = x.mean(1, keepdim=True).expand_as(x)
    return torch.where(column(rng.random(n)) < 0.2, grey, x).clamp(-1, 1)
