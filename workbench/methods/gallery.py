"""A gallery of references: who is enrolled, by which model, and how it is kept without pictures."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import DataError, ParameterError, UnknownNameError
from ..data.embeddings import read_embeddings
from ..data.protocols import codes
from ..models.pipeline import Embeddings
from .allpairs import Side

LONGEST = 200


@dataclass(frozen=True)
class Gallery:
    """``n`` references of one model.

    Attributes:
        model: its name.
        digest: `models.Embedder.digest` of it: embeddings of another model are not comparable.
        embeddings: ``float32 (n, d)`` of unit length, 0 where not acquired.
        names: ``(n,)`` unique names of the references.
        subjects: ``(n,)`` who is shown.
        acquired: ``bool (n,)``; False is a failure to enrol.
    """

    model: str
    digest: str
    embeddings: NDArray[np.float32]
    names: NDArray[np.str_]
    subjects: NDArray[np.str_]
    acquired: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def failures(self) -> int:
        """How many failed to enrol."""
        return int((~self.acquired).sum())

    @cached_property
    def side(self) -> Side:
        """The references as one side of a comparison."""
        return Side(self.embeddings, codes(self.subjects), self.acquired)

    def enrolled(self, subject: str, embedding: NDArray[np.float32]) -> Gallery:
        """The gallery with one more reference; a person's second is named ``"Ann (2)"``.

        Raises:
            ParameterError: the name is empty or too long.
        """
        subject = subject.strip()
        if not 0 < len(subject) <= LONGEST:
            raise ParameterError(
                "a reference needs a name", given=subject[:80], expected=f"1 to {LONGEST} characters", do="type a name"
            )
        name = _free(subject, {*self.names.tolist()})
        return replace(
            self,
            embeddings=np.concatenate([self.embeddings, embedding[None].astype(np.float32)]),
            names=np.append(self.names, name),
            subjects=np.append(self.subjects, subject),
            acquired=np.append(self.acquired, True),
        )

    def without(self, name: str) -> Gallery:
        """The gallery without one reference.

        Raises:
            UnknownNameError: nobody has this name.
        """
        if name not in self.names:
            raise UnknownNameError("reference", name, self.names.tolist())
        keep = self.names != name
        return replace(
            self, embeddings=self.embeddings[keep], names=self.names[keep], subjects=self.subjects[keep],
            acquired=self.acquired[keep],
        )  # fmt: skip


def gallery_of(embedder: Any, found: Embeddings, names: list[str], subjects: list[str]) -> Gallery:
    """Embedded pictures as a gallery; of equal names the later ones are numbered.

    Args:
        embedder: a `models.Embedder`.
        found: what became of each picture.
        names: of the pictures.
        subjects: who is shown.
    """
    unique: dict[str, None] = {}
    for name in names:
        unique[_free(name, unique)] = None
    return Gallery(
        embedder.card.name, embedder.digest, found.values, np.array([*unique], np.str_), np.array(subjects, np.str_),
        found.acquired,
    )  # fmt: skip


def _free(name: str, taken: Container[str]) -> str:
    """The name, numbered if it is taken."""
    return next(n for i in count(1) if (n := name if i == 1 else f"{name} ({i})") not in taken)


def write_gallery(path: str | Path, gallery: Gallery) -> Path:
    """Write embeddings, names and the model as ``.npz``, without a pixel; `data.embeddings` reads it, too.

    Raises:
        ParameterError: nobody is enrolled, or the name ends otherwise.
        StoreError: it could not be written.
    """
    if Path(path).suffix.lower() != ".npz":
        raise ParameterError("a gallery is kept as .npz", given=Path(path).name, do="end the name with .npz")
    if not len(gallery):
        raise ParameterError("there is nobody in the gallery to export", do="enrol somebody first")
    return files.write_arrays(path, {
        "embeddings": gallery.embeddings, "subjects": gallery.subjects, "names": gallery.names,
        "acquired": gallery.acquired.astype(np.uint8),
        "model": np.full(len(gallery), f"{gallery.model} {gallery.digest}"),
    })  # fmt: skip


def read_gallery(path: str | Path, embedder: Any) -> Gallery:
    """Read what `write_gallery` wrote, if it was made by this model.

    Raises:
        StoreError: the file is absent or unreadable.
        DataError: it is damaged, no gallery, or another model's.
    """
    found = read_embeddings(path)
    name = Path(path).name
    if not found.model:
        raise DataError(
            f"{name} does not say which model made it", expected=f"an array 'model' that names {embedder.card.name}",
            do="export galleries from here; embeddings of unknown origin are not comparable",
        )  # fmt: skip
    model, _, digest = found.model.rpartition(" ")
    if digest != embedder.digest or found.embeddings.shape[1] != embedder.card.dimension:
        raise DataError(
            f"{name} was made by another model",
            given=f"{model[:80]}, digest {digest[:12]}, {found.embeddings.shape[1]} numbers",
            expected=f"{embedder.card.name}, digest {embedder.digest[:12]}, {embedder.card.dimension} numbers",
            do="open it with that model, or enrol its pictures anew",
        )
    longest = max((len(n) for n in (*found.names.tolist(), *found.subjects.tolist())), default=0)
    if longest > LONGEST + 20:
        raise DataError(f"{name} has a name that is too long", given=longest, expected=f"at most {LONGEST} characters")
    return Gallery(
        embedder.card.name, digest, found.embeddings.astype(np.float32), found.names, found.subjects, found.acquired
    )  # fmt: skip
