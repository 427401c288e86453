"""Explainable Face Verification via Feature-Guided Gradient Backpropagation. arXiv:2403.04549 (FG 2024).

The paper says genuine and impostor; here these are mated and non-mated. Sizes and margins were fixed before
the first verdict was seen. C7, an identity, was about a mean; it is about every pair since an interval without a width
decides nothing, which asks more of it.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import data as datasets
from .. import models
from ..claims import Claim, Comparison, Study
from ..core import DataError, Estimate, Evidence, Measurements, Reported, Samples, Scores, Trials, seeds
from ..data.pairs import Changed, Pairs
from ..data.protocols import balanced, subject_folds
from ..methods import deletion as perturbation
from ..methods import small_recogniser as small
from ..methods.explain import METHODS, Maps, Question, embed, explain, fggb_signed
from ..metrics import area, eer, eer_threshold, mass_ratio, mass_share, of_mean, pointing, spearman

ARMS = tuple(METHODS)
_OURS = "phantom faces only: real photographs do not tell which part differs"

STUDY = Study(
    title="Explainable Face Verification via Feature-Guided Gradient Backpropagation",
    source="arXiv:2403.04549",
    pillar="probing",
    version="2-A",
    claims=(
        Claim(
            "C1",
            "FGGB's dissimilarity maps find what rejects a non-mated pair better than score gradient or chance",
            (
                Comparison("deletion area, non-mated", "fggb", "score-gradient"),
                Comparison("deletion area, non-mated", "fggb", "random"),
                Comparison("deletion area, non-mated", "fggb", "corr-rise", margin=-0.05),
            ),
        ),
        Claim(
            "C2",
            "FGGB's similarity maps find what accepts a mated pair better than chance and than the centre",
            (
                Comparison("deletion area, mated", "fggb", "random"),
                Comparison("deletion area, mated", "fggb", "centre"),
                Comparison("insertion area, mated", "fggb", "random", "greater"),
                Comparison("insertion area, mated", "fggb", "centre", "greater"),
            ),
        ),
        Claim(
            "C3",
            "Normalising every channel's gradient map makes the maps better",
            (
                Comparison("deletion area, non-mated", "fggb", "fggb-unnormalised"),
                Comparison("deletion area, mated", "fggb", "fggb-unnormalised"),
            ),
        ),
        Claim(
            "C4",
            "Where one facial part was exchanged, the dissimilarity map points at that part",
            (
                Comparison("mass ratio in the changed part", "fggb", 1.5, "greater"),
                Comparison("pointing at the changed part", "fggb", "corr-rise", "greater", margin=-0.05),
            ),
            ours=True,
        ),
        Claim(
            "C5",
            "Where an object hides a part of the probe, similarity mass inside that part falls",
            (Comparison("similarity mass in the hidden part", "hidden", "seen"),),
            ours=True,
        ),
        Claim(
            "C6",
            "With the last layers re-initialised the map becomes another one",
            (Comparison("rank correlation with the original", "re-initialised", 0.5),),
            ours=True,
        ),
        Claim(
            "C7",
            "Exchanging the pictures exchanges the maps",
            (Comparison("difference after the exchange", "fggb", 1e-5, every=True),),
            ours=True,
        ),
    ),
    reported=(
        Reported(
            "deletion and insertion areas, similarity and dissimilarity maps",
            "LFW, CPLFW, CALFW with ArcFace, AdaFace, MobileFaceNet",
            "abstract",
            text="superior to current explainable verification methods, strongest on dissimilarity maps; "
            "the table's values could not be confirmed",
        ),
    ),
    scales={
        "smoke": {"identities": 8, "pairs": 6, "epochs": 1, "steps": 5, "masks": 24},
        "demo": {"identities": 48, "pairs": 40, "epochs": 12, "steps": 11, "masks": 300},
        "paper": {"identities": 80, "pairs": 200, "epochs": 12, "steps": 21, "masks": 500},
    },
)


@dataclass(frozen=True)
class Material:
    """All pictures of a run; the people of the splits are disjoint.

    Attributes:
        name, licence, digest: of the data.
        real: whether real people are shown.
        train, labels: chips and classes for the small recogniser; empty where the model is given.
        validation: pairs for the threshold.
        test: pairs that are explained.
        swapped: pairs that differ in one part, or None.
        hidden: pairs whose probe has one part hidden, or None.
        failures: pairs left out because a picture failed to acquire.
    """

    name: str
    licence: str
    digest: str
    real: bool
    train: NDArray[np.uint8]
    labels: NDArray[np.int64]
    validation: Pairs
    test: Pairs
    swapped: Changed | None
    hidden: Changed | None
    failures: int = 0


@dataclass(frozen=True)
class Model:
    """The recogniser that is explained: trained here, or loaded by its specification.

    Attributes:
        spec: ``"small"`` or a model specification.
        trained: the small recogniser's weights, or None.
        digest: of the weights.
        provider: what runs it.
    """

    spec: str
    trained: small.Trained | None
    digest: str
    provider: str


@dataclass(frozen=True)
class Decision:
    """How the model decides.

    Attributes:
        threshold: EER threshold of the validation pairs.
        validation, test: cosine scores.
    """

    threshold: float
    validation: NDArray[np.float64]
    test: NDArray[np.float64]


@dataclass(frozen=True)
class Explained:
    """One arm's maps and what they are worth.

    Attributes:
        arm: name of the method.
        maps: of the test pairs.
        seconds: per pair.
        deletion, insertion: ``float64 (n, steps)``; similarity maps on mated, dissimilarity on non-mated pairs.
    """

    arm: str
    maps: Maps
    seconds: float
    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]


def faces(data: str, model: str, *, identities: int, pairs: int, seed: int) -> Material:
    """Pictures to train on, to set the threshold on, and to explain."""
    if data == "phantom" and model in ("", "small"):
        return _phantom(identities, pairs, seed)
    return _real(data, model or "faceapi-recogniser", pairs, seed)


def _phantom(identities: int, pairs: int, seed: int) -> Material:
    from ..data import phantom

    train = phantom.faces(identities, 8, size=40, seed=seed, subset="train", crop="aligned")
    labels = np.unique(train.subjects, return_inverse=True)[1].astype(np.int64)
    people = max(6, pairs // 2 + 4)
    validation = phantom.faces(people, 4, size=40, seed=seed, subset="validation", crop="aligned")
    test = phantom.faces(people, 4, size=40, seed=seed, subset="test", crop="aligned")
    return Material(
        "phantom", train.licence, train.digest, False, np.asarray(train.images), labels,
        _pairs(validation, balanced(validation.subjects, "saliency", seed, most=4 * pairs)),
        _pairs(test, balanced(test.subjects, "saliency", seed, most=pairs)),
        phantom.swapped(pairs, seed=seed), phantom.hidden(max(6, pairs // 2), seed=seed),
    )  # fmt: skip


def _pairs(samples: Samples, trials: Trials) -> Pairs:
    images = np.asarray(samples.images)
    return Pairs(images[trials.reference], images[trials.probe], trials.mated, trials.subjects)


def _real(data: str, model: str, pairs: int, seed: int) -> Material:
    """Pairs of a data set, divided so that validation and test share nobody."""
    dataset = datasets.open_dataset(data)
    samples, trials = dataset.samples(), dataset.trials()
    fold = subject_folds(trials, 2, "saliency", seed)
    rng, parts = seeds.rng("saliency", "pairs", seed), []
    for number, most in ((0, 4 * pairs), (1, pairs)):
        picked = [np.flatnonzero((fold == number) & (trials.mated == kind)) for kind in (True, False)]
        if min(len(p) for p in picked) < 2:
            wanted = "mated and non-mated trials of two disjoint groups of people"
            raise DataError(f"{data} is too small for this study", given=f"{len(trials)} trials", expected=wanted)
        parts.append(trials.subset(np.sort(np.concatenate([rng.permutation(p)[:most] for p in picked]))))
    used = np.unique(np.concatenate([t for p in parts for t in (p.reference, p.probe)]))
    pipeline = models.default_pipeline(model=model, choose="central")
    place = np.full(len(samples), -1)
    place[used], chips = pipeline.cut(samples.subset(used).images)
    cut, failures = [], 0
    for part in parts:
        good = (place[part.reference] >= 0) & (place[part.probe] >= 0)
        kept = part.subset(good)
        failures += int((~good).sum())
        cut.append(Pairs(chips[place[kept.reference]], chips[place[kept.probe]], kept.mated, kept.subjects))
    empty = np.zeros((0, 1, 1, 3), np.uint8)
    return Material(
        samples.name, dataset.licence, dataset.digest, dataset.real, empty, np.zeros(0, np.int64), cut[0], cut[1],
        None, None, failures,
    )  # fmt: skip


def recogniser(material: Material, model: str, *, epochs: int, seed: int) -> Model:
    """The model to explain: trained on the phantom training people, or loaded."""
    if len(material.train):
        trained = small.train(material.train, material.labels, epochs=epochs, seed=seed)
        return Model("small", trained, "trained in this run", f"torch {torch.__version__} float32 on CPU")
    spec = model or "faceapi-recogniser"
    loaded = models.load(spec, backend="torch", device="cpu")
    return Model(spec, None, loaded.weights_digest, loaded.provider)


def _question(model: Model, pairs: Pairs, threshold: float, seed: int, masks: int) -> Question:
    if model.trained is not None:
        network: Any = model.trained.network()
        inputs = [small.prepare(p) for p in (pairs.reference, pairs.probe)]
        mean, layer = torch.zeros(3), network.features
    else:
        loaded = models.load(model.spec, backend="torch", device="cpu")
        network = loaded.network.requires_grad_(False)
        inputs = [loaded.prepare(p) for p in (pairs.reference, pairs.probe)]
        mean, layer = torch.from_numpy(loaded.mean_colour), getattr(network, "body", None)
    # 8 px, as on the sheet, up to chips of 64 px, then in proportion: 8 px at 150 cost 1,296 runs per picture.
    patch = max(8, inputs[0].shape[3] // 8)
    return Question(network.eval(), inputs[0], inputs[1], threshold, mean, layer, seed, masks, patch)


def _cosine(question: Question) -> NDArray[np.float64]:
    with torch.inference_mode():
        sides = [
            torch.cat([embed(question.network, x) for x in torch.split(p, 64)])
            for p in (question.reference, question.probe)
        ]
    return np.asarray((sides[0] * sides[1]).sum(1).numpy(), dtype=np.float64)


def decision(material: Material, model: Model) -> Decision:
    """The EER threshold of the validation pairs, and the scores of both splits."""
    values = [_cosine(_question(model, p, 0.0, 0, 1)) for p in (material.validation, material.test)]
    threshold = eer_threshold(_scores("model", material.validation, values[0]))
    return Decision(float(threshold), values[0], values[1])


def _scores(arm: str, pairs: Pairs, values: NDArray[np.float64]) -> Scores:
    n = np.arange(len(values))
    return Scores(arm, Trials(n, n, pairs.mated, pairs.subjects), values, np.ones(len(values), bool))


def explained(
    arm: str, material: Material, model: Model, decided: Decision, *, steps: int, masks: int, seed: int
) -> Explained:
    """One arm's maps of the test pairs, and its deletion and insertion curves."""
    pairs = material.test
    question = _question(model, pairs, decided.threshold, seed, masks)
    start = time.perf_counter()
    maps = _in_batches(arm, question)
    seconds = (time.perf_counter() - start) / len(pairs.mated)
    chosen = np.where(pairs.mated[:, None, None, None], maps.similarity, maps.dissimilarity)
    runs = [
        perturbation.curves(
            question.network, question.reference, question.probe, chosen, pairs.mated, decided.threshold,
            question.mean, steps=steps, insertion=insertion, seed=seed,
        )
        for insertion in (False, True)
    ]  # fmt: skip
    return Explained(arm, maps, seconds, runs[0], runs[1])


def _in_batches(arm: str, q: Question, size: int = 20) -> Maps:
    parts = [
        explain(arm, q, reference=q.reference[i : i + size], probe=q.probe[i : i + size], seed=q.seed + i)
        for i in range(0, len(q.reference), size)
    ]
    return Maps(np.concatenate([p.similarity for p in parts]), np.concatenate([p.dissimilarity for p in parts]))


@dataclass(frozen=True)
class Controls:
    """Checks with a known answer; what the data cannot give is None.

    Attributes:
        ratio: ``arm -> (n,)`` dissimilarity mass in the changed part over its area.
        points: ``arm -> (n,)`` whether the dissimilarity map's peak lies in the changed part.
        swap_maps: ``(n, h, w)`` FGGB's dissimilarity maps of the exchanged parts.
        hidden: ``"hidden"`` and ``"seen"`` -> ``(n,)`` similarity mass in the hidden part.
        checked: ``(n,)`` test pairs that the last two checks took; they need no more.
        correlation: ``(n,)`` rank correlation with a re-initialised network's map.
        exchange: ``(n,)`` largest difference after exchanging the pictures, over the map's largest value.
    """

    ratio: dict[str, NDArray[np.float64]] | None
    points: dict[str, NDArray[np.float64]] | None
    swap_maps: NDArray[np.float32] | None
    hidden: dict[str, NDArray[np.float64]] | None
    checked: NDArray[np.int64]
    correlation: NDArray[np.float64]
    exchange: NDArray[np.float64]


def controls(material: Material, model: Model, decided: Decision, *, masks: int, seed: int) -> Controls:
    """Part swaps, hidden parts, re-initialisation and exchange."""
    ratio = points = hidden = swap_maps = None
    if material.swapped is not None:
        question = _question(model, material.swapped.pairs, decided.threshold, seed, masks)
        found = {a: _in_batches(a, question).dissimilarity.mean(1) for a in ("fggb", "corr-rise", "score-gradient")}
        ratio = {a: mass_ratio(m, material.swapped.masks) for a, m in found.items()}
        points = {a: pointing(m, material.swapped.masks) for a, m in found.items()}
        swap_maps = found["fggb"]
    if material.hidden is not None:
        hidden = _hidden_mass(material.hidden, model, decided, seed)
    question = _question(model, material.test, decided.threshold, seed, masks)
    n = len(material.test.mated)
    checked = np.unique(np.linspace(0, n - 1, min(20, n)).astype(int))
    part = replace(question, reference=question.reference[checked], probe=question.probe[checked])
    sides = fggb_signed(part)
    return Controls(ratio, points, swap_maps, hidden, checked, _reinitialised(part, sides[0]), _exchanged(part, *sides))


def _hidden_mass(changed: Changed, model: Model, decided: Decision, seed: int) -> dict[str, NDArray[np.float64]]:
    mass = {}
    for name, probe in (("hidden", changed.pairs.probe), ("seen", changed.control)):
        pairs = Pairs(changed.pairs.reference, probe, changed.pairs.mated, changed.pairs.subjects)
        maps = _in_batches("fggb", _question(model, pairs, decided.threshold, seed, 1))
        mass[name] = mass_share(maps.similarity[:, 0], changed.masks)
    return mass


def _reinitialised(q: Question, before: Tensor) -> NDArray[np.float64]:
    fresh = copy.deepcopy(q.network)
    weights = list(fresh.parameters())
    generator = torch.Generator().manual_seed(seeds.integer("saliency", "re-initialise", q.seed))
    with torch.no_grad():
        for weight in [w for w in weights if w.dim() > 1][-2:]:
            weight.normal_(0.0, float(weight.std()), generator=generator)
    after = fggb_signed(replace(q, network=fresh))[0]
    return spearman(before.numpy(), after.numpy())


def _exchanged(q: Question, one: Tensor, other: Tensor) -> NDArray[np.float64]:
    swapped = fggb_signed(replace(q, reference=q.probe, probe=q.reference))
    gap = torch.stack([(one - swapped[1]).abs(), (other - swapped[0]).abs()]).amax((0, 2, 3))
    return np.asarray((gap / one.abs().amax((1, 2)).clamp(min=1e-12)).numpy(), dtype=np.float64)


def evidence(material: Material, decided: Decision, arms: Sequence[Explained], checks: Controls) -> Evidence:
    """Everything measured, arm beside arm, on the same pairs."""
    pairs = material.test
    axis = np.linspace(0, 1, arms[0].deletion.shape[1])
    measured: dict[str, dict[str, Measurements]] = {}
    for kind, mask in (
        ("mated", pairs.mated),
        ("non-mated", ~pairs.mated),
        ("pooled", np.ones_like(pairs.mated)),
    ):
        for name in ("deletion", "insertion"):
            measured[f"{name} area, {kind}"] = {
                a.arm: Measurements(a.arm, area(axis, getattr(a, name)[mask]), pairs.subjects[mask]) for a in arms
            }
    subjects = pairs.subjects[checks.checked]
    measured["rank correlation with the original"] = {
        "re-initialised": Measurements("re-initialised", checks.correlation, subjects)
    }
    measured["difference after the exchange"] = {"fggb": Measurements("fggb", checks.exchange, subjects)}
    untestable = _known(measured, material, checks)
    numbers = {"EER of the model, test pairs": eer(_scores("model", pairs, decided.test))}
    for quantity, by_arm in measured.items():
        for arm, units in by_arm.items():
            numbers[f"{quantity}: {arm}"] = of_mean(units)
    for a in arms:
        numbers[f"seconds per pair: {a.arm}"] = Estimate(a.seconds, rule="wall clock, maps of both pictures", unit="s")
    numbers["pairs left out: failure to acquire"] = Estimate(float(material.failures), rule="count, both splits")
    return Evidence({"model": _scores("model", pairs, decided.test)}, measured, numbers, untestable)


def _known(measured: dict[str, dict[str, Measurements]], material: Material, checks: Controls) -> dict[str, str]:
    """Add what the phantom truth allows; returns what is not testable on this data."""
    if material.swapped is None or material.hidden is None or checks.ratio is None or checks.points is None:
        names = (
            "mass ratio in the changed part",
            "pointing at the changed part",
            "similarity mass in the hidden part",
        )
        return dict.fromkeys(names, _OURS)
    swapped, hidden = material.swapped.pairs.subjects, material.hidden.pairs.subjects
    for name, values in (("mass ratio in", checks.ratio), ("pointing at", checks.points)):
        measured[f"{name} the changed part"] = {a: Measurements(a, v, swapped) for a, v in values.items()}
    for part in sorted(set(material.swapped.parts)):
        at = np.array([p == part for p in material.swapped.parts])
        measured[f"mass ratio in the changed {part}"] = {
            "fggb": Measurements("fggb", checks.ratio["fggb"][at], swapped[at])
        }
    measured["similarity mass in the hidden part"] = {
        a: Measurements(a, v, hidden) for a, v in (checks.hidden or {}).items()
    }
    return {}
