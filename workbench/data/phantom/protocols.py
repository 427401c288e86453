"""Populations that are balanced or skewed by any look, and sets that are ready for a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...core import ParameterError, Samples, Trials, UnknownNameError, seeds
from ...files import sha256_bytes
from ..protocols import balanced
from .celeba import attributes
from .dataset import LICENCE
from .factors import BY_NAME, FACTORS, LOOKS
from .identity import MODES, Identities, identities
from .picture import render
from .population import VARY, varied
from .scene import Scene
from .skin import fitzpatrick

Floats = NDArray[np.float32]
# Where a look's bins lie: adults' usual range, narrower than what the factor allows.
_RANGE = {"age": (18.0, 75.0), "gender": (-1.2, 1.2)}


def skewed(people: Identities, *, seed: int = 0, **shares: Sequence[float]) -> Identities:
    """The same people with looks dealt by shares: ``skewed(people, gender=(0.8, 0.2), melanin=(1, 1, 1))``.

    A look's range is cut into as many bins of equal width as there are shares. Counts follow the shares exactly, up to
    the largest remainders; within a bin values are uniform, and different looks are dealt independently.

    Args:
        people: who is dealt to.
        seed: of the dealing.
        **shares: of a look in `LOOKS`, zero or more each, not all zero.

    Raises:
        UnknownNameError: no such look.
        ParameterError: shares that are negative or all zero.
    """
    n = len(people)
    looks = dict(people.looks)
    for name, given in shares.items():
        if name not in LOOKS:
            raise UnknownNameError("look", name, LOOKS)
        share = np.asarray(given, float)
        if share.ndim != 1 or np.any(share < 0) or not share.sum() > 0:
            raise ParameterError(f"shares of {name} do not fit", given=given, expected="numbers from 0, not all 0")
        low, high = _RANGE.get(name, (BY_NAME[name].low, BY_NAME[name].high))
        edges = np.linspace(low, high, len(share) + 1)
        rng = seeds.rng("phantom", "skewed", name, seed, n)
        bins = rng.permutation(np.repeat(np.arange(len(share)), _counts(share / share.sum(), n)))
        looks[name] = rng.uniform(edges[bins], edges[bins + 1]).astype(np.float32)
    return replace(people, looks=looks)


def _counts(share: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Whole numbers that sum to ``n``, by largest remainders."""
    whole = np.floor(share * n).astype(np.int64)
    missing = n - int(whole.sum())
    whole[np.argsort(-(share * n - whole), kind="stable")[:missing]] += 1
    return whole


def portraits(
    people: Identities,
    images: int,
    *,
    size: int = 112,
    seed: int = 0,
    vary: Sequence[str] = VARY,
    name: str = "phantom",
) -> Samples:
    """Pictures of given people with every attribute that is known of them.

    Attributes: the looks, yaw, pitch, five landmarks, ``skin_type`` 1 to 6, and CelebA's binary ones.

    Args:
        people: who is shown.
        images: pictures of each: a template set.
        size: side of the pictures.
        seed: of the pictures.
        vary: groups of factors that are drawn.
        name: of the samples.
    """
    who = np.repeat(np.arange(len(people)), images)
    names = [f"{people.names[i]}/{k:03d}" for i in range(len(people)) for k in range(images)]
    scene = varied(people.take(who), vary, names, seed=seed)
    shown = render(scene, size, truth=("landmarks5",))
    known: dict[str, NDArray[Any]] = {k: scene.factors[k] for k in (*LOOKS, "yaw", "pitch")}
    known |= {
        "landmarks5": np.asarray(shown.landmarks5),
        "skin_type": fitzpatrick(torch.from_numpy(scene.melanin)).numpy(),
    }
    digest = sha256_bytes(shown.rgb.tobytes())
    subjects = np.array(scene.identity.names)
    return Samples(name, tuple(names), subjects, shown.rgb, known | attributes(scene), LICENCE, False, digest)


@dataclass(frozen=True)
class Identification:
    """Who is enrolled, and who searches.

    Attributes:
        samples: all pictures.
        references: ``int64 (r,)`` the enrolled pictures, one for each enrolled person.
        probes: ``int64 (p,)`` pictures that search; some of people who are not enrolled.
        mated: ``bool (p,)`` whether the probe's person is enrolled.
    """

    samples: Samples
    references: NDArray[np.int64]
    probes: NDArray[np.int64]
    mated: NDArray[np.bool_]


def identification(
    subjects: int = 40, images: int = 4, *, enrolled: float = 0.5, size: int = 112, seed: int = 0
) -> Identification:
    """Open-set identification: the first picture of a share of the people is enrolled, all others search.

    Args:
        subjects: people.
        images: pictures of each, 2 or more.
        enrolled: share of the people; 1 is closed-set.
        size: side of the pictures.
        seed: of all.
    """
    if images < 2 or not 0 < enrolled <= 1:
        raise ParameterError("sizes do not fit", given=(images, enrolled), expected="2 pictures or more, above 0 to 1")
    people = identities(subjects, seed=seed, prefix="test")
    samples = portraits(people, images, size=size, seed=seed, name="phantom/identification")
    count = max(1, round(enrolled * subjects))
    inside = np.zeros(subjects, bool)
    inside[seeds.rng("phantom", "enrolled", seed).permutation(subjects)[:count]] = True
    picture, owner = np.arange(subjects * images), np.repeat(np.arange(subjects), images)
    first = picture % images == 0
    probes = picture[~(first & inside[owner])]
    return Identification(samples, picture[first & inside[owner]], probes, inside[owner[probes]])


def differentials(
    subjects: int = 48, images: int = 3, *, size: int = 112, seed: int = 0, **shares: Sequence[float]
) -> tuple[Samples, Trials]:
    """Verification of a population that is balanced, or skewed by ``shares``, over gender axis and skin.

    Groups are in the samples' attributes ``gender_group`` (``feminine``, ``masculine``) and ``skin_type``.

    Args:
        subjects: people.
        images: pictures of each, 2 or more.
        size: side of the pictures.
        seed: of all.
        **shares: see `skewed`; two even halves of the gender axis and six even skin types if not given.
    """
    dealt = {"gender": (1.0, 1.0), "melanin": (1.0,) * 6} | shares
    people = skewed(identities(subjects, seed=seed, prefix="test"), seed=seed, **dealt)
    samples = portraits(people, images, size=size, seed=seed, name="phantom/differentials")
    groups = np.where(samples.attributes["gender"] > 0, "masculine", "feminine")  # type: ignore[operator]
    samples = replace(samples, attributes={**samples.attributes, "gender_group": groups})
    return samples, balanced(samples.subjects, "phantom", "differentials", seed)


def parameters(scene: Scene) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The whole parameter vector of each picture, ``(n, p)``, and the names of its entries.

    Identity modes, moles and every factor; seeds of texture, pattern and noise are among them.
    """
    n = len(scene)
    columns: list[NDArray[Any]] = [
        scene.identity.modes,
        scene.identity.moles.reshape(n, -1),
        scene.identity.texture[:, None],
    ]
    names = [
        *MODES,
        *(f"mole_{k}_{a}" for k in range(scene.identity.moles.shape[1]) for a in ("x", "y", "radius")),
        "texture",
    ]
    for factor in FACTORS:
        values = scene.factors[factor.name].reshape(n, -1)
        columns.append(values)
        names += [factor.name] if values.shape[1] == 1 else [f"{factor.name}_{i}" for i in range(values.shape[1])]
    return np.concatenate([c.astype(np.float64) for c in columns], 1), tuple(names)
