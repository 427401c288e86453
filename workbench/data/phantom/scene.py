"""What a picture shows besides the person: every factor is an array of its own and is changed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import ShapeError
from .factors import BY_NAME, FACTORS, check, choice
from .identity import Identities


@dataclass(frozen=True, eq=False)
class Scene:
    """A batch of ``n`` pictures to take.

    A factor of `FACTORS` is an attribute: ``scene.yaw`` is ``float32 (n,)`` degrees.

    Attributes:
        identity: who is shown, ``n`` people.
        factors: every factor's values, by name.
    """

    identity: Identities
    factors: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        for name in BY_NAME.keys() | self.factors.keys():
            if name in BY_NAME and name not in self.factors:
                raise ShapeError("a scene lacks a factor", given="none", expected=name, do="start from `frontal`")
            check(name, self.factors[name], len(self.identity))

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name in BY_NAME:
            return self.factors[name]
        raise AttributeError(f"a scene has no factor {name!r}")

    def __len__(self) -> int:
        return len(self.identity)

    def replace(self, **factors: Any) -> Scene:
        """The same pictures with some factors changed; all others stay to the bit.

        Args:
            **factors: one value for all pictures, or one each; a choice may be given by its name,
                ``mask="surgical"``; ``identity`` exchanges the people.

        Raises:
            UnknownNameError: no such factor or choice.
            ParameterError: out of range.
        """
        changed = dict(self.factors)
        identity = factors.pop("identity", self.identity)
        for name, value in factors.items():
            changed[name] = self._values(name, value)
        return Scene(identity, changed)

    def _values(self, name: str, value: Any) -> NDArray[Any]:
        if name not in BY_NAME:
            check(name, np.empty(0), 0)
        factor = BY_NAME[name]
        if factor.choices:
            named = np.asarray(value)
            if named.dtype.kind == "U":
                value = np.reshape([choice(name, str(v)) for v in named.ravel()], named.shape)
        given = np.asarray(value, factor.dtype)
        try:
            return np.broadcast_to(given, (len(self), *factor.shape)).copy()
        except ValueError:
            raise ShapeError(
                f"{name} does not fit", given=given.shape, expected=f"{factor.shape} or {(len(self), *factor.shape)}"
            ) from None

    def take(self, indices: Sequence[int] | NDArray[np.integer] | slice) -> Scene:
        """Some of the pictures; repeats are allowed."""
        at = np.arange(len(self))[indices]
        return Scene(self.identity.take(at), {n: v[at] for n, v in self.factors.items()})


def frontal(identity: Identities) -> Scene:
    """Passport pictures: frontal, neutral, even light, grey background, each person with their own looks."""
    n = len(identity)
    factors = {f.name: f.full(n) for f in FACTORS} | {n: v.copy() for n, v in identity.looks.items()}
    factors["sensor"] = factors["pattern"] = np.arange(n, dtype=np.int64)
    return Scene(identity, factors)


def swap_part(scene: Scene, part: str, donors: Identities) -> Scene:
    """The same pictures with one facial part of other people: eyes, nose, mouth or jaw.

    Everything else, the rest of the face included, stays as it was.

    Args:
        scene: the pictures.
        part: one of ``eyes nose mouth jaw``.
        donors: one person per picture.
    """
    return scene.replace(identity=scene.identity.with_part(part, donors))


def occlude(scene: Scene, part: str) -> Scene:
    """The same pictures with something opaque before the face: one of `OCCLUDERS`."""
    return scene.replace(occluder=part)


def join(scenes: Sequence[Scene]) -> Scene:
    """Several scenes as one."""
    if not scenes:
        raise ShapeError("no scenes to join", given=0, expected="1 or more")
    people = Identities.join([s.identity for s in scenes])
    return Scene(people, {n: np.concatenate([s.factors[n] for s in scenes]) for n in BY_NAME})
