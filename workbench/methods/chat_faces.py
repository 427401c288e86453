"""Pictures that a chat model is asked about: pairs in folds of people, labelled single faces, strata of real sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from .. import data as datasets
from ..core import DataError, ImageError, NoTrialsError, Samples, Trials, seeds
from ..data import phantom
from ..data.phantom.dataset import LICENCE
from ..data.protocols import codes, every_pair, stratified, subject_folds
from ..files import sha256_bytes
from ..models.pipeline import batches
from .chat_double import SIDE, Lessons

# Two everyday pictures of one person differ in these.
VARY = ("pose", "light", "expression", "gaze", "clothes", "background", "sensor")
EACH, MOST_FOLDS, LEAST_PEOPLE = 4, 10, 4
Codes = NDArray[np.int64]


def phantom_pairs(identities: int, pairs: int, *, size: int, seed: int) -> tuple[Samples, Trials]:
    """Four pictures each of people who do not exist, and as many mated as non-mated pairs in folds that share nobody.

    Args:
        identities: people, ten folds of them or fewer with four people each.
        pairs: of each kind.
        size: side of the pictures, pixels.
        seed: of all.

    Raises:
        DataError: so few people do not have so many pairs.
    """
    people = _dealt(phantom.identities(identities, seed=seed, prefix="test"), seed)
    samples = _portraits(people, EACH, size, seed, "phantom/pairs")
    every = every_pair(samples.subjects)
    folds = max(1, min(MOST_FOLDS, identities // LEAST_PEOPLE, pairs))
    fold = subject_folds(every, folds, "chat", seed)
    return samples, stratified_trials(replace(every, fold=fold, name="phantom/pairs"), pairs, seed)


def phantom_singles(count: int, *, size: int, seed: int) -> Samples:
    """One picture each of people who do not exist, aged evenly from 18 to 75; every third picture is out of focus.

    Attributes: ``age`` in completed years, ``masculine`` 0 or 1 by the sex-shape, ``skin_type`` 1 to 6.
    """
    people = _dealt(phantom.identities(count, seed=seed, prefix="single"), seed)
    return _portraits(people, 1, size, seed, "phantom/singles", blurred=1 / 3)


def lessons(people: int, images: int, *, size: int, seed: int) -> tuple[Lessons, Lessons]:
    """What the stand-in (whole pictures) and the dedicated network (aligned chips) learn from: the same pictures.

    An eighth as many other people, at least six, are held back for the threshold.
    """
    parts = []
    for subset, count in (("train", people), ("validation", max(6, people // 8))):
        shown = _portraits(
            _dealt(phantom.identities(count, seed=seed, prefix=subset), seed), images, size, seed, f"phantom/{subset}"
        )
        parts.append((shown, np.repeat(np.arange(count), images)))
    made = []
    for cut in (whole, aligned):
        (shown, who), (held, held_who) = parts
        made.append(Lessons(
            cut(shown), who, np.asarray(shown.attributes["masculine"], np.float32),
            np.asarray(shown.attributes["age"], np.float32), cut(held), held_who,
        ))  # fmt: skip
    return made[0], made[1]


def whole(samples: Samples) -> NDArray[np.uint8]:
    """Whole pictures, shrunk to the stand-in's input."""
    return np.stack([_small(image) for image in samples])


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def aligned(samples: Samples) -> NDArray[np.uint8]:
    """Chips of phantoms by their true landmarks, ``uint8 (n, 64, 64, 3)``."""
    matrices = phantom.chip_matrices(np.asarray(samples.attributes["landmarks5"], np.float32), SIDE)
    cut = [cv2.warpAffine(image, m, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
           for image, m in zip(samples, matrices, strict=True)]  # fmt: skip
    return np.stack(cut).astype(np.uint8)


def _dealt(people: Any, seed: int) -> Any:
    """The same people with ages spread evenly, so that every decade of life is there."""
    return phantom.skewed(people, seed=seed, age=(1.0,) * 6)


def _portraits(people: Any, images: int, size: int, seed: int, name: str, *, blurred: float = 0.0) -> Samples:
    who = np.repeat(np.arange(len(people)), images)
    names = [f"{people.names[i]}/{k:03d}" for i in range(len(people)) for k in range(images)]
    scene = phantom.varied(people.take(who), VARY, names, seed=seed)
    rng = seeds.rng("chat", "blur", name, seed)
    out_of_focus = rng.random(len(scene)) < blurred
    scene = scene.replace(blur=np.where(out_of_focus, rng.uniform(1, 3, len(scene)), scene.blur))
    shown = phantom.render(scene, size, truth=("landmarks5",))
    known: Mapping[str, NDArray[Any]] = {
        "age": np.floor(scene.age).astype(np.int64), "masculine": (scene.gender > 0).astype(np.int64),
        "skin_type": phantom.fitzpatrick(torch.from_numpy(scene.melanin)).numpy().astype(np.int64),
        "landmarks5": np.asarray(shown.landmarks5),
    }  # fmt: skip
    digest = sha256_bytes(shown.rgb.tobytes())
    subjects = np.array(scene.identity.names)
    return Samples(name, tuple(names), subjects, shown.rgb, known, LICENCE, False, digest)


@dataclass(frozen=True)
class Real:
    """A data set of the user's, as far as it can be asked about.

    Attributes:
        name: as it is opened; what a consent names.
        licence, digest, real: of the data set.
        pairs, trials: a stratified part of its trials, or None.
        singles: a stratified part of its labelled pictures, or None.
    """

    name: str
    licence: str
    digest: str
    real: bool
    pairs: Samples | None
    trials: Trials | None
    singles: Samples | None


def real_faces(spec: str, pairs: int, singles: int, seed: int) -> Real:
    """Pairs of a set that has people, labelled faces of UTKFace; each a part drawn by strata.

    Args:
        spec: ``lfw:FOLDER``, ``folder:FOLDER``, ``utkface:FOLDER`` or another set with trials.
        pairs: of each kind at most.
        singles: pictures at most.
        seed: of the drawing.

    Raises:
        DataError: the folder is not laid out as published, or has too little in it.
    """
    opened = datasets.open_dataset(spec)
    samples = opened.samples()
    try:
        trials = opened.trials()
    except NoTrialsError:
        return Real(opened.name, opened.licence, opened.digest, opened.real, None, None,
                    _labelled(opened.name, samples, singles, seed))  # fmt: skip
    part = stratified_trials(trials, pairs, seed)
    used, place = np.unique(np.concatenate([part.reference, part.probe]), return_inverse=True)
    n = len(part)
    part = replace(part, reference=place[:n].astype(np.int64), probe=place[n:].astype(np.int64))
    return Real(opened.name, opened.licence, opened.digest, opened.real, samples.subset(used), part, None)


def _labelled(name: str, samples: Samples, count: int, seed: int) -> Samples:
    """Labelled faces with this study's attributes; strata are ten years of age by label."""
    if not {"age", "gender"} <= samples.attributes.keys():
        raise DataError(f"{name} has neither pairs nor labels of age and gender", expected="lfw:, folder: or utkface:")
    # UTKFace: 0 is male.
    known = {"age": samples.attributes["age"], "masculine": (samples.attributes["gender"] == 0).astype(np.int64)}
    strata = 10 * (np.asarray(known["age"], np.int64) // 10) + np.asarray(known["masculine"])
    picked = stratified(strata, min(count, len(samples)), "chat", "singles", seed)
    return replace(samples, attributes=known).subset(picked)


def stratified_trials(trials: Trials, pairs: int, seed: int) -> Trials:
    """``pairs`` mated and as many non-mated trials, as many from each fold as from the next.

    Trials of fold -1, which lie in no fold, are left out; where folds are short of trials all have as few as the
    shortest.

    Raises:
        DataError: a fold has no trial of one kind.
    """
    fold = np.zeros(len(trials), np.int64) if trials.fold is None else trials.fold
    numbers = np.unique(fold[fold >= 0])
    cells = [(f, kind, np.flatnonzero((fold == f) & (trials.mated == kind))) for f in numbers for kind in (True, False)]
    short = min((len(c) for _, _, c in cells), default=0)
    each = min(pairs // max(1, len(numbers)), short)
    if each < 1:
        raise DataError(
            "there are too few pairs", given=f"{len(trials)} trials, {len(numbers)} folds, {pairs} of each kind wanted",
            expected="at least one mated and one non-mated pair in every fold",
        )  # fmt: skip
    drawn = [seeds.rng("chat", "pairs", int(f), int(kind), seed).permutation(c)[:each] for f, kind, c in cells]
    return trials.subset(np.sort(np.concatenate(drawn)))


def sharpness(samples: Samples) -> NDArray[np.float64]:
    """How much detail each picture has: variance of the Laplacian of its grey levels, 112 x 112, over their variance.

    A soft picture of the same face has less. It is a way to sort pictures of one set, not a quality measure of ISO/IEC
    29794-5. NaN where a file cannot be decoded.
    """
    values = []
    for _, part in batches(samples.images, 64):
        values += [np.nan if isinstance(image, ImageError) else _detail(image) for image in part]
    return np.array(values)


def _detail(image: NDArray[np.uint8]) -> float:
    grey = cv2.cvtColor(cv2.resize(image, (112, 112), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    level = grey.astype(np.float64)
    return float(cv2.Laplacian(level, cv2.CV_64F).var() / max(1e-9, level.var()))


def thirds(values: NDArray[np.float64]) -> Codes:
    """0, 1 or 2: the lowest, middle or highest third by rank; -1 for NaN."""
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    there = np.isfinite(values)
    return np.where(there, 3 * rank // max(1, int(there.sum())), -1).astype(np.int64)


def people(samples: Samples) -> Codes:
    """Capture subjects as numbers."""
    return codes(samples.subjects)
