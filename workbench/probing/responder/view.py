"""What is seen, as answers need it: the face that is meant, two faces compared, a probe among candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...core import WorkbenchError
from .eyes import Eyes, Face, cosine, similarity


class Declined(WorkbenchError):
    """A question that is not answered, with the reason for the asker."""


@dataclass(frozen=True)
class Seen:
    """One picture.

    Attributes:
        faces: left to right.
        width: of the picture, pixels.
    """

    faces: tuple[Face, ...]
    width: int

    @property
    def largest(self) -> Face | None:
        """The face that is meant where only one is asked for."""
        return max(self.faces, key=lambda f: f.area, default=None)


@dataclass(frozen=True)
class View:
    """Everything an answer is read from.

    Attributes:
        seen: the pictures in the order given.
        threshold: of the eyes.
        asked: names of the keys beside the one that is being answered.
        person: number of the face that is meant, among those of the first picture; None for its largest.
        remarks: what the answer should also say; grows.
    """

    seen: tuple[Seen, ...]
    threshold: float
    asked: tuple[str, ...] = ()
    person: int | None = None
    remarks: list[str] = field(default_factory=list)

    def face(self) -> Face:
        """The one whose attributes are asked for.

        Raises:
            Declined: there is none.
        """
        if not self.seen:
            raise Declined("I was given no picture.")
        if self.person is not None:
            return self.seen[0].faces[self.person]
        return self._largest(0)

    def _largest(self, picture: int) -> Face:
        found = self.seen[picture].largest
        if found is None:
            where = "the picture" if len(self.seen) == 1 else f"picture {picture + 1}"
            raise Declined(f"I see no face in {where}.")
        return found

    def people(self) -> list[View]:
        """One view for each face in the first picture, left to right."""
        if not self.seen:
            raise Declined("I was given no picture.")
        return [replace(self, person=i) for i in range(len(self.seen[0].faces))]

    def similarity(self) -> float:
        """Of the first two pictures' faces, or of the two largest in the only one: [0, 100], 50 at the threshold.

        Raises:
            Declined: there are no two faces, or one cannot be compared.
        """
        if len(self.seen) > 1:
            return self._compared(self._largest(0), self._largest(1))
        self.face()
        if len(self.seen[0].faces) < 2:
            raise Declined("I see only one face, and comparing takes two.")
        one, other = sorted(self.seen[0].faces, key=lambda f: -f.area)[:2]
        return self._compared(one, other)

    def best(self) -> tuple[int, float]:
        """Number (from 1) and similarity of the candidate that is most like the first picture's face.

        A candidate without a face is like nobody, and a remark.

        Raises:
            Declined: no probe's face, no candidates, or none of them has a face.
        """
        probe = self.face()
        if len(self.seen) < 2:
            raise Declined("I was given no candidates: the first picture is the probe, the others are candidates.")
        scores: list[tuple[float, int]] = []
        for number, picture in enumerate(self.seen[1:], 1):
            if picture.largest is None:
                self.remark(f"I see no face in candidate {number}.")
            else:
                scores.append((self._compared(probe, picture.largest), -number))
        if not scores:
            raise Declined("I see no face in any of the candidates.")
        score, number = max(scores)
        return -number, score

    def _compared(self, one: Face, other: Face) -> float:
        if one.embedding is None or other.embedding is None:
            raise Declined("I see a face that I cannot compare: its landmarks are not those of an upright face.")
        return similarity(cosine(one.embedding, other.embedding), self.threshold)

    def remark(self, text: str) -> None:
        """Something to say beside the answer, once."""
        if text not in self.remarks:
            self.remarks.append(text)


def view(eyes: Eyes, pictures: Sequence[NDArray[np.uint8]]) -> View:
    """What eyes see in pictures; faces are ordered left to right."""
    found = eyes.look(pictures)
    seen = tuple(
        Seen(tuple(sorted(faces, key=lambda f: f.centre)), picture.shape[1])
        for faces, picture in zip(found, pictures, strict=True)
    )
    return View(seen, eyes.match_threshold)
