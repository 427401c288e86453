"""The arms of the study: who is calibrated or fine-tuned how, and what each gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Resampled, Scores, seeds
from ..metrics.resampling import combined, resampled
from ..metrics.tail_intervals import resampled_at_fmr
from .cores import side_by_side
from .quantization_data import Material
from .quantization_networks import Recogniser
from .quantization_training import Plan, Tuned, embed, restored, tune, untuned

FULL, HALF = "full width", "half width"
FP = "FP"
BITS = (8, 6, 4)


@dataclass(frozen=True)
class Arm:
    """What one arm gives.

    Attributes:
        embeddings: ``float32 (repeats, m, d)`` of the test pictures, of length 1.
        tuned: the first repeat's losses and times, without its tensors unless they are exported.
        pictures: how many it was calibrated and fine-tuned on.
    """

    embeddings: NDArray[np.float32]
    tuned: Tuned
    pictures: int


def named(what: str, bits: int) -> str:
    """``"KD-small W4A4"``."""
    return f"{what} W{bits}A{bits}"


def plans(base: Plan, *, objective: str, full: bool, half: bool) -> dict[str, tuple[Plan, bool, str]]:
    """How each arm is made, whether on the full set, and the width of its network.

    Args:
        base: what all share.
        objective: of the arm with the evaluation-oriented loss.
        full: whether there is a full set beside the small one.
        half: whether there is a smaller network.
    """
    made: dict[str, tuple[Plan, bool, str]] = {}
    for bits in BITS:
        made[named("PTQ", bits)] = (replace(base, bits=bits, objective=""), False, FULL)
        made[named("KD-small", bits)] = (replace(base, bits=bits, objective="kd"), False, FULL)
        if full and bits < 8:
            made[named("KD-full", bits)] = (replace(base, bits=bits, objective="kd"), True, FULL)
    made[named("KD+EKD-small", 4)] = (replace(base, bits=4, objective=objective), False, FULL)  # type: ignore[arg-type]
    if half:
        made[named("KD-small", 6) + f", {HALF}"] = (replace(base, bits=6, objective="kd"), False, HALF)
    return made


def made(
    material: Material, known: Mapping[str, Recogniser], wanted: Mapping[str, tuple[Plan, bool, str]], *,
    repeats: int, keep: str, seed: int, device: str,
) -> dict[str, Arm]:  # fmt: skip
    """Every arm, and the networks in full precision.

    Args:
        material: pictures.
        known: networks in full precision by width.
        wanted: by `plans`.
        repeats: how often each is fine-tuned, on other batches.
        keep: the arm whose tensors are kept.
        seed: of batches; arms of a set and a repeat see the same.
        device: where.
    """
    tasks: list[Any] = [
        partial(_one, material, known[width], plan, full, repeat, seed, device, name == keep and repeat == 0)
        for name, (plan, full, width) in wanted.items()
        for repeat in range(repeats)
    ]
    found = side_by_side(tasks) if device == "cpu" else [task() for task in tasks]
    nothing = untuned({})
    arms = {
        FP if width == FULL else f"{FP}, {width}": Arm(
            embed(teacher.network(), teacher, material.test, device)[None], nothing, 0
        )
        for width, teacher in known.items()
    }
    for i, (name, (_, full, _)) in enumerate(wanted.items()):
        some = found[i * repeats : (i + 1) * repeats]
        count = len(material.train) if full else len(material.small)
        arms[name] = Arm(np.stack([s[0] for s in some]), some[0][1], count)
    return arms


def _one(
    material: Material, teacher: Recogniser, plan: Plan, full: bool, repeat: int, seed: int, device: str, keep: bool
) -> tuple[NDArray[np.float32], Tuned]:
    at = slice(None) if full else material.small
    rng = seeds.rng("quantization", "tune", "full" if full else "small", repeat, seed)
    tuned = tune(teacher, material.train[at], material.labels[at], plan, rng, device)
    found = embed(restored(teacher, tuned.state, plan.bits), teacher, material.test, device)
    return found, tuned if keep else replace(tuned, state={})


def compared(material: Material, arm: str, embeddings: NDArray[np.float32]) -> Scores:
    """Cosines of all trials by one set of embeddings ``(m, d)``."""
    trials, acquired = material.trials, material.acquired
    there = acquired[trials.reference] & acquired[trials.probe]
    values = np.full(len(trials), np.nan)
    # A hundred thousand pairs at a time: whole products would be larger than the embeddings by far.
    for start in range(0, len(trials), 100_000):
        at = slice(start, start + 100_000)
        one, other = (embeddings[side[at]].astype(np.float64) for side in (trials.reference, trials.probe))
        values[at] = np.einsum("nd,nd->n", one, other)
    return Scores(arm, trials, np.where(there, values, np.nan), there)


def match_rate(material: Material, name: str, arm: Arm, fmr: float, *, resamples: int, seed: int) -> Resampled:
    """True match rate at a false match rate, mean over the repeats, with its resamples of people."""
    parts = [
        resampled_at_fmr(name, compared(material, name, e), fmr, resamples=resamples, seed=seed)
        for e in arm.embeddings
    ]  # fmt: skip
    found = combined(name, lambda v: np.asarray(1 - v.mean(0), np.float64), parts)
    return replace(found, counts=parts[0].counts)


def relative_drop(name: str, full: Resampled, few: Resampled) -> Resampled:
    """Share of the true match rate in full precision that few bits lose."""

    def lost(values: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            found: NDArray[np.float64] = (values[0] - values[1]) / np.where(values[0] > 0, values[0], np.nan)
        return found

    return combined(name, lost, [full, few])


def time_share(name: str, small: Arm, full: Arm, *, resamples: int, seed: int) -> Resampled:
    """Time of the small arm over that of the full set for as many epochs, from the measured time of a step.

    As many epochs of a set ``r`` times as large are ``r`` times as many steps.
    """
    parts = [
        resampled(f"{name}, {i}", partial(_mean, arm.tuned.seconds), np.arange(len(arm.tuned.seconds)),
                  {"steps": len(arm.tuned.seconds)}, over="fine-tuning steps",
                  resamples=resamples, seed=seed + i)
        for i, arm in enumerate((small, full))
    ]  # fmt: skip
    ratio = full.pictures / small.pictures
    return combined(name, lambda v: np.asarray(v[0] / (v[1] * ratio), np.float64), parts)


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
    return float(np.average(values, weights=weights))


def toward(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Mean cosine of two networks' embeddings ``(n, d)`` of the same pictures."""
    return float(np.einsum("nd,nd->n", one.astype(np.float64), other.astype(np.float64)).mean())
