"""Samples: the pictures of a data set and the people they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .errors import ShapeError


@runtime_checkable
class Images(Protocol):
    """Anything that gives picture ``i`` as ``uint8 (h, w, 3)``, upright, RGB.

    A ``uint8 (n, h, w, 3)`` array is one; so is a lazy list of files. Reading may raise
    `ImageError`, which callers count as a failure to acquire.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]: ...


@dataclass(frozen=True)
class Samples:
    """``n`` pictures of faces.

    Attributes:
        name: data set and subset, e.g. ``"lfw/view1"``.
        ids: ``n`` unique names, stable across runs and machines.
        subjects: ``n`` capture subjects; equal text means the same person.
        images: picture ``i`` as ``uint8 (h, w, 3)`` RGB.
        attributes: per-sample truth, each array of length ``n`` (``"yaw"``, ``"landmarks"``, ...).
        licence: terms of use, shown with every result.
        real: True where real people are shown; their pictures are not put into outputs unasked.
        digest: identifies content; part of a run's identity.
    """

    name: str
    ids: tuple[str, ...]
    subjects: NDArray[np.str_]
    images: Images
    attributes: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    licence: str = "unknown"
    real: bool = True
    digest: str = ""

    def __post_init__(self) -> None:
        n = len(self.ids)
        lengths = {"subjects": len(self.subjects), "images": len(self.images)}
        lengths |= {f"attributes[{k!r}]": len(v) for k, v in self.attributes.items()}
        for what, length in lengths.items():
            if length != n:
                raise ShapeError(
                    f"samples {self.name!r}: {what} has another length than ids",
                    given=length,
                    expected=n,
                )
        if len(set(self.ids)) != n:
            raise ShapeError(f"samples {self.name!r}: ids are not unique")

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return (self.images[i] for i in range(len(self)))

    def subset(self, indices: Sequence[int] | NDArray[np.integer], name: str = "") -> Samples:
        """The samples at ``indices``, in that order."""
        index = np.asarray(indices, dtype=np.int64)
        images = self.images
        picked = cast(Images, images[index]) if isinstance(images, np.ndarray) else Picked(images, index)
        return replace(
            self,
            name=name or self.name,
            ids=tuple(self.ids[i] for i in index),
            subjects=self.subjects[index],
            images=picked,
            attributes={k: v[index] for k, v in self.attributes.items()},
        )


@dataclass(frozen=True)
class Picked:
    """A lazy choice out of other images."""

    images: Images
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        return self.images[int(self.indices[index])]
