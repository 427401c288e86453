"""Pictures to fine-tune on and to judge on: phantom faces, or the user's folder and pair sets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import data as datasets
from ..core import DataError, ImageError, Samples, Trials, seeds
from ..data import phantom
from ..data.phantom.dataset import LICENCE
from ..data.protocols import codes, every_pair
from ..files import sha256_bytes
from ..models.pipeline import batches
from .expression_faces import FILL, chips
from .quantization_networks import SIZE, fitting

Images = NDArray[np.uint8]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Material:
    """All pictures of a run.

    Attributes:
        name, licence, digest: of the data.
        real: whether real people are shown.
        train: chips ``uint8 (n, h, w, 3)`` of the full set.
        labels: ``int64 (n,)`` people of the full set, from 0.
        small: places of the small set in the full one.
        test: chips of the test pictures; those that failed to acquire are grey.
        acquired: ``bool (m,)``.
        trials: comparisons of test pictures.
        part: ``int64 (trials,)`` which of ``sets`` each belongs to.
        sets: names of the test sets.
        shared: what the full set and the test sets share, in words; nothing may be.
        failures: pictures of the full set that failed to acquire, and were left out.
    """

    name: str
    licence: str
    digest: str
    real: bool
    train: Images
    labels: Places
    small: Places
    test: Images
    acquired: NDArray[np.bool_]
    trials: Trials
    part: Places
    sets: tuple[str, ...]
    shared: tuple[str, ...] = ()
    failures: int = 0


def faces(
    *, people: int, images: int, tests: int, shots: int, small_people: int, small_images: int, seed: int
) -> Material:
    """Phantom faces of 32 pixels; test people are others.

    Args:
        people: of the full set.
        images: pictures of each.
        tests: people to judge on.
        shots: pictures of each.
        small_people: of the small set.
        small_images: pictures of each.
        seed: of all.

    Raises:
        DataError: somebody is in both.
    """
    drawn, names = [], []
    for subset, count, each in (("train", people, images), ("test", tests, shots)):
        scene, _ = phantom.scenes(count, each, seed=seed, subset=subset)
        drawn.append(chips(scene.replace(fill=FILL), SIZE))
        names.append(np.array(scene.identity.names))
    if both := shared(drawn[0], names[0], drawn[1], names[1]):
        raise DataError("the full set and the test set share people", given="; ".join(both))
    labels, trials = codes(names[0]), every_pair(names[1], "phantom/all-pairs")
    small = subset_of(labels, small_people, small_images, seed)
    digest = sha256_bytes(drawn[0].tobytes() + drawn[1].tobytes())
    return Material(
        "phantom", LICENCE, digest, False, drawn[0], labels, small, drawn[1], np.ones(len(drawn[1]), bool),
        trials, np.zeros(len(trials), np.int64), ("phantom",),
    )  # fmt: skip


def subset_of(labels: Places, people: int, images: int, seed: int) -> Places:
    """Places of a few pictures each of a few people, drawn; fewer where there are fewer."""
    rng = seeds.rng("quantization", "small", seed)
    chosen = rng.permutation(np.unique(labels))[:people]
    parts = [rng.permutation(np.flatnonzero(labels == p))[:images] for p in chosen]
    return np.sort(np.concatenate(parts)).astype(np.int64)


def given(
    data: str, kind: str, *, people: int, images: int, small_people: int, small_images: int, seed: int
) -> Material:
    """The user's pictures: aligned chips of 112 pixels.

    Args:
        data: specifications with semicolons between them: of the set to fine-tune on, and of the pair sets to judge on,
            e.g. ``"folder:PATH;insightface-bin:PATH/lfw.bin"``.
        kind: of the network, see `quantization_networks.fitting`.
        people: of the full set, at most.
        images: pictures of each, at most.
        small_people: of the small set.
        small_images: pictures of each.
        seed: of the choice.

    Raises:
        DataError: no pictures, no pair sets, or pictures of another size.
    """
    train, *specs = datasets.several(data)
    if not specs:
        raise DataError(
            "there is nothing to judge on", given=f"data={data!r}", do="name pair sets behind the set to fine-tune on",
            expected="folder:PATH;insightface-bin:PATH/lfw.bin;insightface-bin:PATH/agedb_30.bin",
        )  # fmt: skip
    opened = datasets.open_dataset(train)
    samples = opened.samples()
    samples = samples.subset(subset_of(codes(samples.subjects), people, images, seed))
    full, there = _read(samples, kind)
    parts = [_pairs(spec, kind) for spec in specs]
    test, acquired = np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])
    trials, part = _joined([(p[0], p[3]) for p in parts])
    names = samples.subjects[there]
    labels = codes(names)
    known = [n for p in parts for n in (p[0].subjects if not p[4] else np.full(len(p[0]), ""))]
    everything = [samples, *(p[0] for p in parts)]
    return Material(
        "; ".join(s.name for s in everything), "; ".join(dict.fromkeys(s.licence for s in everything)),
        sha256_bytes("\n".join(s.digest for s in everything).encode()), any(s.real for s in everything),
        full[there], labels,
        subset_of(labels, small_people, small_images, seed), test, acquired, trials, part,
        tuple(p[0].name for p in parts), tuple(shared(full[there], names, test[acquired], np.array(known)[acquired])),
        int((~there).sum()),
    )  # fmt: skip


_Part = tuple[Samples, Images, NDArray[np.bool_], Trials, bool]


def _pairs(spec: str, kind: str) -> _Part:
    """Pictures and trials of one pair set, and whether its people are nameless."""
    dataset = datasets.open_dataset(spec)
    samples = dataset.samples()
    cut, acquired = _read(samples, kind)
    return samples, cut, acquired, dataset.trials(), datasets.split(spec)[0] == "insightface-bin"


def _read(samples: Samples, kind: str) -> tuple[Images, NDArray[np.bool_]]:
    """Chips of pictures as a network takes them, grey ones for failures to acquire, and which are none."""
    found: list[Images | None] = []
    for _, part in batches(samples.images, 256):
        found += [None if isinstance(p, ImageError) else fitting(p[None], kind)[0] for p in part]
    good = np.array([f is not None for f in found], bool)
    if not good.any():
        raise DataError(f"{samples.name} has no picture that can be read", given=f"{len(found)} pictures")
    grey = np.full_like(next(f for f in found if f is not None), 128)
    return np.stack([grey if f is None else f for f in found]), good


def _joined(parts: list[tuple[Samples, Trials]]) -> tuple[Trials, Places]:
    """Trials of several sets as one list; nobody of one set is anybody of another."""
    places, people, joined = 0, 0, []
    for samples, trials in parts:
        joined.append(
            replace(trials, reference=trials.reference + places, probe=trials.probe + places,
                    subjects=trials.subjects + people)
        )  # fmt: skip
        places, people = places + len(samples), people + int(trials.subjects.max()) + 1
    folds = [t.fold if t.fold is not None else np.full(len(t), -1) for t in joined]
    sides = [np.concatenate([getattr(t, n) for t in joined]) for n in ("reference", "probe", "mated", "subjects")]
    name = " + ".join(t.name for t in joined)
    part = np.repeat(np.arange(len(joined)), [len(t) for t in joined]).astype(np.int64)
    return Trials(sides[0], sides[1], sides[2], sides[3], np.concatenate(folds), name), part


def shared(train: Images, who: NDArray[np.str_], test: Images, whom: NDArray[np.str_]) -> list[str]:
    """What two sets share, in words: names of people, and pictures that are equal to the bit.

    Args:
        train: chips of one.
        who: their people; "" where a set does not say who they are.
        test: chips of the other.
        whom: their people.
    """
    names = sorted(set(who.tolist()) & set(whom.tolist()) - {""})
    seen = {sha256_bytes(image.tobytes()) for image in train}
    equal = sum(sha256_bytes(image.tobytes()) in seen for image in test)
    told = [f"{len(names)} people by name, {names[0]!r} first"] if names else []
    return told + ([f"{equal} pictures, equal to the bit"] if equal else [])


def resembling(train: NDArray[np.float32], labels: Places, test: NDArray[np.float32], limit: float) -> list[int]:
    """People of the full set with a picture that is as similar to a test picture as ``limit``.

    ``.bin`` files do not say who is in them: this is a suspicion, not a proof.

    Args:
        train: ``(n, d)`` embeddings of the full set, of length 1.
        labels: ``(n,)`` its people.
        test: ``(m, d)`` embeddings of the test pictures.
        limit: cosine.
    """
    found: set[int] = set()
    for start in range(0, len(train), 1024):
        high = (train[start : start + 1024] @ test.T).max(1) >= limit
        found |= set(labels[start : start + 1024][high].tolist())
    return sorted(found)
