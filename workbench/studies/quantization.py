"""Ef-QuantFace: Streamlined Face Recognition with Small Data and Low-Bit Precision. arXiv:2402.18163 (2024).

The paper's accuracy is a true accept rate at a false accept rate, here true (TMR) and false match rate (FMR).
It gives no code: the quantiser is that of QuantFace (arXiv 2206.10526), the evaluation-oriented loss that of EKD (arXiv
2206.02325); how the paper joins them is not confirmed.

Sizes and margins were fixed before the first verdict was seen; one point of TMR, where a claim names none. The learning
rate too: at the assumed 0.01 the training loss of other faces than these fell by 8 % in 60 steps, at the base work's
0.1 by 22 %, so 0.1 was taken for the short demo. After the first verdict nothing was changed, though with 40 people in
the test differences of TMR have intervals of two to ten points to either side, which leaves the claims undecided; with
160 (`tests_people`) C3, C4 and C7 were supported. The paper's epochs of the full set are out of reach here: their time
(C5) is that of a measured step times their number.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from ..claims import Claim, Comparison, Study
from ..core import DataError, Estimate, Evidence, Reported, Resampled, Scores, Undefined, WeightsError
from ..data import several
from ..methods import quantization as q
from ..methods import quantization_arms as arms_of
from ..methods import quantization_data as pictures
from ..methods import quantization_export as export
from ..methods import quantization_networks as networks
from ..methods import quantization_training as training
from ..methods.cores import side_by_side
from ..methods.quantization_arms import FP, FULL, HALF, Arm, named
from ..methods.quantization_data import Material
from ..methods.quantization_networks import Recogniser
from ..metrics import fnmr_at_fmr, fold_accuracy
from ..metrics.resampling import of_resampled
from ..models import split
from ..models.devices import resolve
from ..models.engines import export_onnx

FMR = 1e-3
TMR, AGAINST = "TMR at FMR 1e-3", "TMR at FMR 1e-3, small and full set"
DROP, TIME = "relative loss of TMR at W6A6", "time over that of the full set's epochs"
EXPORTED = named("KD-small", 8)
POINT, SAME = 0.01, 0.9999
NEEDS = (
    "a network in full precision: model='iresnet:PATH' or 'mobilefacenet:PATH', an ArcFace state dictionary",
    "pictures to fine-tune on: data='folder:PATH', PATH/<person>/<picture>, aligned chips of 112 x 112 (MS1MV2 or "
    "another training set as a folder of identities; its record files are not read); about 13,200 for the small set",
    "pair sets behind it: data='folder:PATH;insightface-bin:PATH/lfw.bin;...' (LFW, CFP-FP, AgeDB-30, CALFW, CPLFW); "
    "IJB-B and IJB-C in InsightFace's layout are not read by this version",
    "memory: 38 kB a picture, so 0.5 GB for 13,200 and 218 GB for MS1MV2's 5.8 million; batches of 128 of iResNet-50 "
    "take about 24 GB (measured: 1.5 GB for 8)",
    "time, of each of six arms: 13,200 pictures 16 times take 5 hours of one CPU core with MobileFaceNet and 40 with "
    "iResNet-50 (measured: 0.08 and 0.7 s a picture); a GPU (device='cuda') was not measured",
)


def _within(one: str, other: str) -> tuple[Comparison, Comparison]:
    return (
        Comparison(TMR, one, other, "greater", margin=-POINT),
        Comparison(TMR, other, one, "greater", margin=-POINT),
    )


STUDY = Study(
    title="Ef-QuantFace: Streamlined Face Recognition with Small Data and Low-Bit Precision",
    source="arXiv:2402.18163",
    pillar="recognition",
    version="1-A",
    claims=(
        Claim(
            "C1",
            "Small data suffice: at W6A6, fine-tuning on a twentieth of the pictures is at most one point worse",
            (Comparison(AGAINST, named("KD-small", 6), named("KD-full", 6), "greater", margin=-POINT),),
        ),
        Claim(
            "C2",
            "Fine-tuning is needed at W4A4; at W8A8 both, calibrated only and fine-tuned, are within a point of FP",
            (
                Comparison(TMR, named("KD-small", 4), named("PTQ", 4), "greater"),
                *_within(named("PTQ", 8), FP),
                *_within(named("KD-small", 8), FP),
            ),
        ),
        Claim(
            "C3",
            "The evaluation-oriented loss helps: at W4A4 on the small set, better than distance of embeddings alone",
            (Comparison(TMR, named("KD+EKD-small", 4), named("KD-small", 4), "greater"),),
        ),
        Claim(
            "C4",
            "Fewer bits are never more than one point better: full precision, W8A8, W6A6, W4A4",
            tuple(
                Comparison(TMR, more, less, "greater", margin=-POINT)
                for more, less in itertools.pairwise((FP, *(named("KD-small", bits) for bits in arms_of.BITS)))
            ),
        ),
        Claim(
            "C5",
            "The small set reaches C1's accuracy in a tenth of the time of the full set's epochs",
            (
                Comparison(AGAINST, named("KD-small", 6), named("KD-full", 6), "greater", margin=-POINT),
                Comparison(TIME, named("KD-small", 6), 0.1),
            ),
        ),
        Claim(
            "C6",
            "The smaller network loses more of its TMR from full precision to W6A6",
            (Comparison(DROP, HALF, FULL, "greater"),),
        ),
        Claim(
            "C7",
            "C1 at W4A4, where few bits hurt: at W6A6 these pictures may show nothing",
            (Comparison(AGAINST, named("KD-small", 4), named("KD-full", 4), "greater", margin=-POINT),),
            ours=True,
        ),
    ),
    reported=(
        Reported("TMR, best of the compressed models", "IJB-C; assumed: at FMR 1e-4, teacher iResNet", "abstract",
                 96.15, unit="percent"),
        Reported("pictures for fine-tuning", "of MS1M's 5.8 million", "abstract", text="up to 14,000, 440 times fewer"),
        *(
            Reported(f"TMR of {net}, {bits}", "IJB-C, QuantFace (another paper)", "its repository's plots", value,
                     unit="percent", key=f"{TMR}: {key}")
            for net, values in (("ResNet-100", (96.50, 96.09, 87.00)), ("ResNet-50", (95.74, 95.18, 90.72)),
                                ("ResNet-18", (93.56, 92.87, 92.36)), ("MobileFaceNet", (90.88, 89.21, 82.94)))
            for bits, key, value in zip(("FP32", "W8A8", "W6A6"), (FP, named("KD-small", 8), named("KD-full", 6)),
                                        values, strict=True)
        ),
        *(
            Reported(f"accuracy over folds of {net}, FP32 / W8A8 / W6A6", "AgeDB-30, QuantFace (another paper)",
                     "its repository's plots", text=f"{net}: {values} % (accuracy over folds)")
            for net, values in (("ResNet-100", "98.33 / 97.95 / 96.43"), ("MobileFaceNet", "95.62 / 94.37 / 91.77"))
        ),
        Reported("size, FP32 / W8A8 / W6A6", "ResNet-100, QuantFace", "its repository's plots",
                 text="261.2 / 65.3 / 49.0 MB"),
        Reported("size, FP32 / W8A8 / W6A6", "MobileFaceNet, QuantFace", "its repository's plots",
                 text="4.21 / 1.10 / 0.79 MB"),
    ),
    scales={
        "smoke": {"people": 12, "images": 6, "tests_people": 6, "shots": 4, "small_people": 4, "small_images": 4,
                  "epochs": 2, "steps": 6, "batch": 32, "moving": 3, "rate": 0.1, "constants": "small batch",
                  "resamples": 200},
        "demo": {"people": 120, "images": 16, "tests_people": 40, "shots": 12, "small_people": 12, "small_images": 8,
                 "epochs": 12, "steps": 60, "batch": 96, "moving": 30, "rate": 0.1, "constants": "small batch",
                 "resamples": 1000},
        "paper": {"people": 20000, "images": 1000, "tests_people": 40, "shots": 12, "small_people": 1650,
                  "small_images": 8, "epochs": 12, "steps": 1650, "batch": 128, "moving": 300, "rate": 0.01,
                  "constants": "published", "resamples": 1000},
    },
)  # fmt: skip


@dataclass(frozen=True)
class Check:
    """What must hold before anything is claimed.

    Attributes:
        cosine: ``float64 (s,)`` of the student of 16 bits with its teacher, for each picture of the small set.
        beyond: lowest such cosine of a test picture: some go beyond the ranges that were seen, and are cut off.
        resembling: people of the full set that look like somebody in the test sets; real pictures only.
        limit: from which cosine on they do, or why there is none.
    """

    cosine: NDArray[np.float64]
    beyond: float
    resembling: tuple[int, ...]
    limit: float


@dataclass(frozen=True)
class Integer:
    """The network of 8 bits as a file that computes with integers.

    Attributes:
        data: the ONNX file.
        layers: how many sum over integers, and how many in floating point.
        sizes: bytes of the files, by name.
        seconds: per picture, by name and pictures at a time; median of runs in turn, on one thread.
        agreement: with the simulated network.
        own: the simulated network's in single and in double precision: rounding decides there too.
        embeddings: ``float32 (m, d)`` of the test pictures by the file.
    """

    data: bytes
    layers: tuple[int, int]
    sizes: Mapping[str, int]
    seconds: Mapping[str, Mapping[int, float]]
    agreement: export.Agreement
    own: export.Agreement
    embeddings: NDArray[np.float32]


def faces(
    data: str, model: str, scale: str, *, people: int, images: int, tests_people: int, shots: int,
    small_people: int, small_images: int, seed: int,
) -> Material:  # fmt: skip
    """The full set, the small set and the test pictures; nobody of the test is in the others.

    Args:
        data: ``"phantom"``, or what to fine-tune on and the pair sets to judge on, with semicolons between them.
        model: ``""`` for phantom faces, else the network that is given.
        scale: of the run.
        people: of the full set.
        images: pictures of each.
        tests_people: of the test, phantom faces only.
        shots: pictures of each.
        small_people: of the small set.
        small_images: pictures of each.
        seed: of all.

    Raises:
        DataError: something that the paper's setting needs is missing; the message names it.
    """
    small = {"small_people": small_people, "small_images": small_images}
    sets = [] if data == "phantom" else several(data)
    if not (sets or model) and scale != "paper":
        return pictures.faces(people=people, images=images, tests=tests_people, shots=shots, seed=seed, **small)
    if len(sets) < 2 or not model:
        there = (model, sets, sets[1:], "", "")
        raise DataError(
            "the paper's setting needs files of yours", given=f"data {data!r}, model {model!r}",
            expected="; ".join(need for need, known in zip(NEEDS, there, strict=True) if not known),
            do="name them, or use data='phantom' without a model, scale 'smoke' or 'demo'",
        )  # fmt: skip
    return pictures.given(data, split(model)[0], people=people, images=images, seed=seed, **small)


def place(device: str, model: str) -> str:
    """Where networks run: small ones on the CPU, where a GPU would only wait for them.

    Raises:
        DeviceError: a GPU was asked for that this machine does not have.
    """
    return "cpu" if device == "auto" and not model else resolve(device)


def recognisers(material: Material, model: str, *, epochs: int, seed: int) -> dict[str, Recogniser]:
    """Networks in full precision by width: two that learn the full set, or the one that is given."""
    if model:
        return {FULL: networks.given(model)}
    widths = {FULL: networks.WIDTHS, HALF: (networks.WIDTHS[0] // 2, networks.WIDTHS[1] // 2)}
    tasks = [
        partial(networks.trained, material.train, material.labels, widths=w, epochs=epochs, seed=seed)
        for w in widths.values()
    ]
    return dict(zip(widths, side_by_side(tasks), strict=True))


def checked(material: Material, known: Mapping[str, Recogniser], *, device: str) -> Check:
    """The first check: in 16 bits a student is its teacher. And, for real pictures, whether sets may share people.

    Raises:
        WeightsError: it is not, on the very pictures that it was calibrated on.
    """
    teacher = known[FULL]
    network = teacher.network()
    small = material.train[material.small]
    student = q.freeze(training.calibrate(q.quantised(network, 16), teacher, small, device))
    own = training.embed(network, teacher, material.test, device)
    cosine, beyond = (
        np.einsum("nd,nd->n", training.embed(student, teacher, images, device).astype(np.float64), wanted)
        for images, wanted in ((small, training.embed(network, teacher, small, device)), (material.test, own))
    )
    if not cosine.min() > SAME:
        raise WeightsError(
            "a student of 16 bits is not its teacher", given=f"cosine {cosine.min():.6f}", expected=f"above {SAME}",
            do="check the network: something in it is quantised that should not be",
        )  # fmt: skip
    if not material.real:
        return Check(cosine, float(beyond.min()), (), 1.0)
    mated = arms_of.compared(material, FP, own)
    limit = float(np.median(mated.values[material.trials.mated & mated.acquired]))
    full = training.embed(network, teacher, material.train, device)
    alike = pictures.resembling(full, material.labels, own[material.acquired], limit)
    return Check(cosine, float(beyond.min()), tuple(alike), limit)


def fine_tuned(
    material: Material, known: Mapping[str, Recogniser], *, steps: int, batch: int, moving: int, rate: float,
    objective: str, weight: float, constants: str, ranges: str, repeats: int, seed: int, device: str,
) -> dict[str, Arm]:  # fmt: skip
    """Every arm: full precision, calibrated only, fine-tuned on the small and on the full set.

    Args:
        material: pictures.
        known: networks in full precision.
        steps: see `quantization_training.Plan`, as for the next five.
        batch: pictures of a step.
        moving: steps in which ranges move.
        rate: of learning.
        objective: of the arm with the evaluation-oriented loss.
        weight: of that loss.
        constants: of that loss, a name in `training.CONSTANTS`.
        ranges: how they follow from activations.
        repeats: fine-tunings of each arm.
        seed: of batches.
        device: where.
    """
    loss = training.CONSTANTS[constants]
    base = training.Plan(8, "kd", steps, batch, moving, rate, weight, ranges, loss)  # type: ignore[arg-type]
    wanted = arms_of.plans(base, objective=objective, full=_has_full(material), half=HALF in known)
    return arms_of.made(material, known, wanted, repeats=repeats, keep=EXPORTED, seed=seed, device=device)


def _has_full(material: Material) -> bool:
    """Whether the small set is small beside the full one."""
    return 2 * len(material.small) <= len(material.train)


def integer(material: Material, known: Mapping[str, Recogniser], arms: Mapping[str, Arm]) -> Integer:
    """The fine-tuned network of 8 bits as an integer ONNX file, beside the same network's file in full precision."""
    teacher = known[FULL]
    student = training.restored(teacher, dict(arms[EXPORTED].tuned.state), 8)
    size = (material.test.shape[1], material.test.shape[2])
    written = export.export_int8(student, size, picture=(teacher.mean, teacher.scale))
    files = {"fp32": export_onnx(teacher.network(), size), "int8": written.data}
    # Large networks are shown enough pictures to compare, not all.
    some = teacher.prepare(material.test if teacher.kind == "small" else material.test[:32])
    found = export.run(written.data, some)
    simulated = arms[EXPORTED].embeddings[0][: len(some)]
    at_once = (1, 64) if teacher.kind == "small" else (1,)
    times = {b: export.seconds_per_picture(files, some, batch=b) for b in at_once}
    with torch.inference_mode():
        doubly = student.double()(some.double()).numpy()
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return Integer(
        written.data, (written.integer, written.floating), {name: len(data) for name, data in files.items()},
        {name: {b: times[b][name] for b in at_once} for name in files}, export.agreement(found, simulated),
        export.agreement(doubly, simulated), (found / lengths).astype(np.float32),
    )  # fmt: skip


def evidence(
    material: Material, known: Mapping[str, Recogniser], check: Check, arms: Mapping[str, Arm], written: Integer, *,
    resamples: int, seed: int,
) -> Evidence:  # fmt: skip
    """Match rates, losses and times, arm beside arm on the same draws of people."""
    rates = {n: arms_of.match_rate(material, n, a, FMR, resamples=resamples, seed=seed) for n, a in arms.items()}
    statistics: dict[str, dict[str, Resampled]] = {TMR: rates}
    untestable = {}
    drops = {FULL: arms_of.relative_drop(FULL, rates[FP], rates[named("KD-small", 6)])}
    if HALF in known:
        drops[HALF] = arms_of.relative_drop(HALF, rates[f"{FP}, {HALF}"], rates[f"{named('KD-small', 6)}, {HALF}"])
    else:
        untestable[DROP] = "one network was given: a smaller one is needed beside it"
    statistics[DROP] = drops
    if _has_full(material):
        statistics[AGAINST] = {n: r for n, r in rates.items() if n.startswith(("KD-small", "KD-full"))}
        pair = [arms[named(f"KD-{s}", 6)] for s in ("small", "full")]
        share = arms_of.time_share("KD-small", *pair, resamples=resamples, seed=seed)
        statistics[TIME] = {named("KD-small", 6): share}
    else:
        few = f"{len(material.small)} of {len(material.train)} pictures are the small set: no full set is beside it"
        untestable |= {AGAINST: few, TIME: few}
    numbers = {
        f"{quantity}: {name}": of_resampled(r, unit="fraction")
        for quantity, by_arm in statistics.items() if quantity != AGAINST
        for name, r in by_arm.items()
    }  # fmt: skip
    numbers |= _plain(material, known, check, arms) | _measured(material, arms, written)
    return Evidence({}, {}, numbers, untestable, statistics)


def _plain(
    material: Material, known: Mapping[str, Recogniser], check: Check, arms: Mapping[str, Arm]
) -> dict[str, Estimate]:  # fmt: skip
    """Numbers without an interval over people: accuracies of folds, sizes, times and the checks of the pitfalls."""
    numbers: dict[str, Estimate] = {}
    for name, arm in arms.items():
        teacher = arms[f"{FP}, {HALF}" if HALF in name else FP].embeddings[0]
        near = arms_of.toward(arm.embeddings[0], teacher)
        numbers[f"mean cosine with full precision: {name}"] = Estimate(near, rule="test pictures")
        if len(arm.tuned.seconds):
            numbers[f"seconds of fine-tuning: {name}"] = Estimate(
                float(arm.tuned.seconds.sum()), rule="of the thread on a CPU, else wall clock", unit="s",
                counts={"steps": len(arm.tuned.seconds), "pictures": arm.pictures},
            )  # fmt: skip
        scores = arms_of.compared(material, name, arm.embeddings[0])
        for k, part in enumerate(material.sets):
            at = material.part == k
            folds = scores.trials.fold
            if folds is not None and folds[at].min() >= 0:
                here = Scores(name, scores.trials.subset(at), scores.values[at], scores.acquired[at])
                numbers[f"accuracy over folds, {part}: {name}"] = fold_accuracy(here)
    counted = q.size(known[FULL].network())
    for bits in (32, *arms_of.BITS):
        rule = f"{counted.weights} weights at {bits} bits"
        numbers[f"size: {bits} bits"] = Estimate(
            counted.megabytes(bits), rule=f"{rule}, {counted.others} other numbers at 32 bits", unit="MB"
        )
        numbers[f"size of the weights: {bits} bits"] = Estimate(counted.weight_megabytes(bits), rule=rule, unit="MB")
    last = arms[named("KD+EKD-small", 4)].tuned
    distinct = len(set(last.thresholds[-1, 0].tolist())) if last.thresholds.size else 0
    numbers["distinct thresholds of the student"] = Estimate(float(distinct), rule="last step of KD+EKD-small")
    active = float(last.active[-1]) if len(last.active) else Undefined("no step was made")
    numbers["pairs whose rank has a slope"] = Estimate(active, rule="|dr/dx| > 1e-3, last step", unit="fraction")
    for rule, lowest in (("calibration pictures", float(check.cosine.min())), ("test pictures", check.beyond)):
        numbers[f"lowest cosine of 16 bits with full precision, {rule}"] = Estimate(lowest, rule=rule)
    numbers["people of the full set that resemble a test picture"] = Estimate(
        float(len(check.resembling)), rule=f"cosine from {check.limit:.3f}, the median mated score, on"
    )
    return numbers


def _measured(material: Material, arms: Mapping[str, Arm], written: Integer) -> dict[str, Estimate]:
    """Facts about the integer file, on this machine."""
    numbers = {f"size of the ONNX file: {n}": Estimate(b / 1e6, rule="bytes on disk", unit="MB")
               for n, b in written.sizes.items()}  # fmt: skip
    for name, times in written.seconds.items():
        for batch, seconds in times.items():
            numbers[f"milliseconds per picture, {batch} at a time: {name}"] = Estimate(
                1000 * seconds, rule="ONNX Runtime, one thread, median of runs in turn", unit="ms"
            )
    for what, both in (
        ("integer and simulated network", written.agreement),
        ("simulated network in double precision and itself", written.own),
    ):
        told = {"lowest cosine": both.cosine.min(), "median cosine": np.median(both.cosine)}
        for which, cosine in told.items():
            numbers[f"{what}, {which}"] = Estimate(float(cosine), counts={"pictures": len(both.cosine)})
        rule = "of an entry, vectors of length 1"
        numbers[f"{what}, largest difference"] = Estimate(both.difference, rule=rule)
    if len(written.embeddings) == len(material.test):
        missed = fnmr_at_fmr(arms_of.compared(material, "integer file", written.embeddings), FMR, resamples=0)
        numbers[f"{TMR}: integer file"] = Estimate(1 - float(missed), rule=f"1 - {missed.rule}", unit="fraction")
    return numbers


def notes(material: Material, check: Check) -> list[str]:
    """What a reader of the verdicts must know."""
    told = ["4 and 6 bits are simulated; the file of 8 bits computes with integers"]
    if not material.real:
        return ["phantom faces: the people do not exist", "the networks were trained in this run", *told]
    if material.shared:
        told.append(f"WARNING: the sets share {'; '.join(material.shared)}: small data may seem to suffice")
    if check.resembling:
        told.append(
            f"WARNING: {len(check.resembling)} people of the full set resemble a test picture "
            f"(cosine from {check.limit:.3f} on): they may be the same people"
        )
    if material.failures:
        told.append(f"{material.failures} pictures to fine-tune on could not be read")
    return told
