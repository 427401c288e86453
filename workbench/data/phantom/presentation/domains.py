"""Attack detection across domains: a domain is a capture device, a kind of light and some instrument species."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core import ParameterError, Samples, UnknownNameError, seeds
from ....files import sha256_bytes
from ..dataset import LICENCE
from ..population import SUBSETS, scenes
from ..scene import Scene
from .attacks import LIVE, Presentations, present

LIGHTS: Mapping[str, Mapping[str, Any]] = {
    "bright": {"ambient": 0.6, "light": 0.7},
    "dim": {"ambient": 0.28, "light": 0.35, "exposure": 1.2},
    "side": {"ambient": 0.3, "light": 0.95, "light_direction": (70.0, 15.0)},
    "warm": {"ambient": 0.4, "light": 0.6, "light_colour": (1.15, 1.0, 0.72)},
}


@dataclass(frozen=True)
class Domain:
    """Where and with what presentations are captured.

    Attributes:
        profile: capture device, one of `PROFILES`.
        light: one of `LIGHTS`.
        species: instruments that are used there.
    """

    profile: str
    light: str
    species: tuple[str, ...]


DOMAINS: Mapping[str, Domain] = {
    "laboratory": Domain("industrial", "bright", ("photo", "cut print", "resin mask", "monitor")),
    "office": Domain("webcam", "dim", ("halftone print", "monitor", "paper mask", "printed eyes")),
    "street": Domain("phone", "side", ("bent print", "phone", "silicone mask", "printed glasses")),
    "home": Domain("old phone", "warm", ("photo", "phone", "cut print", "printed mouth")),
}


@dataclass(frozen=True)
class AttackSet:
    """Bona fide and attack presentations of several domains, with disjoint people for training and testing.

    Attributes:
        samples: RGB pictures; attributes ``attack``, ``species``, ``domain``, ``profile``, ``subset``.
        depth: ``float32 (n, h, w)`` millimetres.
        nir: ``uint8 (n, h, w)``.
        artefact: ``bool (n, h, w)``.
    """

    samples: Samples
    depth: NDArray[np.float32]
    nir: NDArray[np.uint8]
    artefact: NDArray[np.bool_]

    def leave_out(self, domain: str) -> dict[str, NDArray[np.int64]]:
        """Indices of ``train`` and ``validation`` of the other domains, and of ``test`` of the one left out."""
        domains, subset = self.samples.attributes["domain"], self.samples.attributes["subset"]
        if domain not in set(domains.tolist()):
            raise UnknownNameError("domain", domain, sorted(set(map(str, domains.tolist()))))
        inside = domains == domain
        return {part: np.flatnonzero((subset == part) & (inside if part == "test" else ~inside)) for part in SUBSETS}


def attack_detection(
    subjects: int = 8,
    images: int = 2,
    *,
    size: int = 112,
    seed: int = 0,
    domains: Sequence[str] = tuple(DOMAINS),
    subsets: Sequence[str] = SUBSETS,
) -> AttackSet:
    """A set for training and testing attack detectors across domains.

    In each domain and subset every person is presented live ``images`` times, and once with each species there; an
    attacker shows the next person of the subset.

    Args:
        subjects: people in each subset of each domain, 2 or more.
        images: bona fide presentations of each.
        size: side of the pictures.
        seed: of all.
        domains: names of `DOMAINS`.
        subsets: of `SUBSETS`.
    """
    if subjects < 2 or images < 1:
        raise ParameterError("too few presentations", given=(subjects, images), expected="2 people, 1 picture or more")
    parts: list[tuple[str, str, Presentations, tuple[str, ...]]] = []
    for name in domains:
        if name not in DOMAINS:
            raise UnknownNameError("domain", name, DOMAINS)
        for subset in subsets:
            parts += _presented(name, subset, subjects, images, size, seed)
    return _joined(parts, seed)


def _presented(
    name: str, subset: str, subjects: int, images: int, size: int, seed: int
) -> list[tuple[str, str, Presentations, tuple[str, ...]]]:
    domain = DOMAINS[name]
    own = seeds.integer("phantom", "domain", name, seed) % 2**31
    scene, names = scenes(subjects, images, seed=own, subset=subset)
    scene = scene.replace(**LIGHTS[domain.light])
    live = present(scene, LIVE, size=size, seed=seed, profile=domain.profile)
    out = [(name, subset, live, tuple(f"{name}/{n}" for n in names))]
    first = np.arange(subjects) * images
    attacker, target = scene.take(first), scene.take(np.roll(first, -1))
    for species in domain.species:
        shown = present(_again(attacker, species), species, target=target, size=size, seed=seed, profile=domain.profile)
        out.append((name, subset, shown, tuple(f"{name}/{names[i]}/{species}" for i in first)))
    return out


def _again(scene: Scene, species: str) -> Scene:
    """The same scene, captured at another moment: the noise differs."""
    sensor = [seeds.integer("phantom", "moment", species, int(s)) for s in scene.sensor]
    return scene.replace(sensor=np.array(sensor, np.int64))


def _joined(parts: list[tuple[str, str, Presentations, tuple[str, ...]]], seed: int) -> AttackSet:
    shown = [p[2] for p in parts]
    rgb = np.concatenate([p.rgb for p in shown])
    ids = tuple(i for p in parts for i in p[3])
    counts = [len(p.rgb) for p in shown]
    # The capture subject is the attacker: who stands before the camera.
    people = np.array([f"{i.split('/')[0]}/{i.split('/')[1]}" for i in ids])
    attributes: dict[str, NDArray[Any]] = {
        "attack": np.concatenate([p.attack for p in shown]),
        "species": np.array([s for p in shown for s in p.species]),
        "domain": np.repeat([p[0] for p in parts], counts),
        "subset": np.repeat([p[1] for p in parts], counts),
        "profile": np.repeat([p.profile for p in shown], counts),
    }
    name = f"phantom/attacks-{seed}"
    samples = Samples(name, ids, people, rgb, attributes, LICENCE, False, sha256_bytes(rgb.tobytes()))
    depth, nir, artefact = (np.concatenate([getattr(p, a) for p in shown]) for a in ("depth", "nir", "artefact"))
    return AttackSet(samples, depth, nir, artefact)
