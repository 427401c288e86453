"""Who is attacked, who sets the threshold and whom the watermark is learnt from: three groups that share nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import data as datasets
from .. import models
from ..core import DataError, seeds
from ..data import phantom
from ..data.protocols import codes

Images = NDArray[np.uint8]
Index = NDArray[np.int64]
# Side of a phantom's chip.
SIZE = 48


@dataclass(frozen=True)
class Material:
    """All pictures of a run; nobody is in two of the three groups.

    Attributes:
        name, licence, digest: of the data.
        real: whether real people are shown.
        model: the recogniser that the chips are cut for; "small": trained on phantoms in this run.
        train, labels: chips and codes of people, for the recogniser and the watermarks.
        others, strangers: chips that set the threshold, and codes of their people.
        references, probes: chips of the test.
        reference, probe: ``int64 (m,)`` the mated comparisons.
        subjects: ``int64 (n,)`` of the probes.
        failures: pictures left out because no face was found.
    """

    name: str
    licence: str
    digest: str
    real: bool
    model: str
    train: Images
    labels: Index
    others: Images
    strangers: Index
    references: Images
    probes: Images
    reference: Index
    probe: Index
    subjects: Index
    failures: int = 0


def phantoms(
    *, people: int, shots: int, others: int, tests: int, probes: int, references: int, seed: int
) -> Material:  # fmt: skip
    """Phantom faces in chips of 48 px; people of the three groups are different ones. Arguments as in `opened`."""
    sizes = {"train": (people, shots), "validation": (others, 3), "test": (tests, probes + references)}
    shown = {
        subset: phantom.faces(*size, size=SIZE, seed=seed, subset=subset, crop="aligned")
        for subset, size in sizes.items()
    }
    chips = {subset: np.asarray(s.images) for subset, s in shown.items()}
    train, (of_train, of_others, of_test) = shown["train"], (codes(s.subjects) for s in shown.values())
    enrolled, asked = split(of_test, probes, references, seed)
    reference, probe = mated(of_test[enrolled], of_test[asked])
    return Material(
        "phantom", train.licence, train.digest, False, "small", chips["train"], of_train, chips["validation"],
        of_others, chips["test"][enrolled], chips["test"][asked], reference, probe, of_test[asked],
    )  # fmt: skip


def split(subjects: Index, probes: int, references: int, seed: int) -> tuple[Index, Index]:
    """Places of references and of probes: of each person with two pictures or more, and no picture is both.

    Args:
        subjects: ``int64 (n,)`` codes.
        probes: most of each person; at most half of the pictures are probes.
        references: most of each person.
        seed: of the choice.
    """
    rng = seeds.rng("adversarial-watermark", "sides", seed)
    sides: tuple[list[int], list[int]] = ([], [])
    for person in np.unique(subjects):
        there = rng.permutation(np.flatnonzero(subjects == person))
        count = min(probes, len(there) // 2)
        if count:
            sides[0].extend(there[count : count + references].tolist())
            sides[1].extend(there[:count].tolist())
    return np.array(sides[0], np.int64), np.array(sides[1], np.int64)


def mated(references: Index, probes: Index) -> tuple[Index, Index]:
    """Every reference of a person with every probe: places of both sides.

    Args:
        references: ``int64 (r,)`` codes of people.
        probes: ``int64 (n,)``.
    """
    probe, reference = np.nonzero(probes[:, None] == references[None])
    return reference.astype(np.int64), probe.astype(np.int64)


def opened(
    data: str, model: str, *, people: int, shots: int, others: int, tests: int, probes: int, references: int, seed: int
) -> Material:  # fmt: skip
    """A data set's pictures; people with two pictures or more are tested first, the others set the threshold.

    Args:
        data: specification.
        model: specification of a recogniser.
        people: to learn from.
        shots: pictures of each, at most.
        others: people of the threshold, with at most three pictures each.
        tests: people of the test.
        probes: of each, at most; every probe is compared with every reference of its person.
        references: of each, at most.
        seed: of all choices.

    Raises:
        DataError: too few people.
    """
    dataset = datasets.open_dataset(data)
    samples = dataset.samples()
    subject = codes(samples.subjects)
    shuffled = seeds.rng("adversarial-watermark", "people", seed).permutation(int(subject.max()) + 1)
    several = np.bincount(subject)[shuffled] > 1
    tested, rest = shuffled[several][:tests], np.r_[shuffled[several][tests:], shuffled[~several]]
    if len(tested) < 2 or len(rest) < others + 2:
        raise DataError(
            f"{data} is too small for this study", given=f"{several.sum()} people with two pictures, {len(rest)} more",
            expected=f"2 people with two pictures or more, and {others + 2} others",
            do="give more people, or lower others",
        )  # fmt: skip
    groups = ((tested, probes + references), (rest[:others], 3), (rest[others : others + people], shots))
    picked = [np.concatenate([np.flatnonzero(subject == p)[:most] for p in group]) for group, most in groups]
    pipeline = models.default_pipeline(model=model, device="cpu", choose="central")
    cut = [pipeline.cut(samples.subset(at).images) for at in picked]
    code = [subject[at][place >= 0] for at, (place, _) in zip(picked, cut, strict=True)]
    chips = [found for _, found in cut]
    enrolled, asked = split(code[0], probes, references, seed)
    reference, probe = mated(code[0][enrolled], code[0][asked])
    return Material(
        samples.name, dataset.licence, dataset.digest, dataset.real, model, chips[2], code[2], chips[1], code[1],
        chips[0][enrolled], chips[0][asked], reference, probe, code[0][asked],
        int(sum((place < 0).sum() for place, _ in cut)),
    )  # fmt: skip
