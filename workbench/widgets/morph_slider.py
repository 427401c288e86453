"""`MorphSlider`: two faces, their morph, and what every recogniser says of it against both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import files
from ..core import ShapeError
from ..figures.portraits import morph_figure
from ..methods.morphing import MorphScores, along, morph
from ..methods.portraits import Portrait
from .base import Bench
from .face_input import FaceInput
from .finding import Face
from .messages import Number, answers
from .recognisers import check_models, portrait_of, recogniser
from .showing import Shown, card, figure
from .work import Job

SHARES = np.linspace(0, 1, 11)


class MorphView(Bench):
    """The morph of two portraits; `MorphSlider` puts it below its inputs.

    Attributes:
        share: of the second person in the morph, 0 to 1.
        splice: only the inner face is morphed.
        scores: one per recogniser: name, threshold, and rows ``[share, score against one, score against the other]``.
        ready: whether there are two faces.
    """

    front = "morph_slider"
    sheets = ("lines",)
    writable = frozenset({"share", "splice"})

    share = t.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    splice = t.Bool(False).tag(sync=True)
    scores = t.List().tag(sync=True)
    ready = t.Bool(False).tag(sync=True)
    revision = t.Int(0).tag(sync=True)
    found = t.Tuple()

    def __init__(self, models: tuple[str, ...], fmr: float, device: str, **kwargs: Any) -> None:
        self._models, self._fmr, self._device = models, fmr, device
        self._sides: tuple[Portrait, Portrait] | None = None
        super().__init__(**kwargs)

    def faces(self, one: Face | None, other: Face | None) -> None:
        """Take two faces, and score their morphs."""
        if one is None or other is None:
            # It goes through `work` so that morphs of the faces before cannot come after it.
            self.work("", lambda job: None, lambda none: self._without(), quick=True)
            return
        splice = self.splice

        def score(job: Job) -> tuple[tuple[Portrait, Portrait], list[MorphScores]]:
            sides = (portrait_of(one, device=self._device), portrait_of(other, device=self._device))
            found = []
            for i, spec in enumerate(self._models):
                job.progress(i, len(self._models))
                r = recogniser(spec, fmr=self._fmr, device=self._device)
                found.append(along(*sides, r.embedder, SHARES, threshold=r.threshold, splice=splice))
            return sides, found

        self.work("scoring morphs", score, self._take)

    def _without(self) -> None:
        with self.hold_sync():
            self._sides, self.ready, self.found, self.scores = None, False, (), []

    def _take(self, made: tuple[tuple[Portrait, Portrait], list[MorphScores]]) -> None:
        with self.hold_sync():
            self._sides, self.found = made[0], tuple(made[1])
            self.scores = [
                {"name": f.model, "threshold": f.threshold,
                 "rows": [[round(float(v), 4) for v in (s, *pair)] for s, pair in zip(f.shares, f.scores, strict=True)]}
                for f in made[1]
            ]  # fmt: skip
            self.ready = True
            self.revision += 1

    def picture(self, share: float | None = None) -> NDArray[np.uint8]:
        """The morph at ``share``, or at the slider's, ``uint8 (s, s, 3)``.

        Raises:
            ShapeError: there are not two faces.
        """
        if self._sides is None:
            raise ShapeError("there is nothing to morph", expected="two pictures with a face", do="show both first")
        return morph(*self._sides, self.share if share is None else share, splice=self.splice).picture

    @answers(share=Number(0, 1))
    def view(self, share: float) -> tuple[Mapping[str, Any], list[bytes]]:
        """The first portrait, the morph at a share and the second, as PNG.

        The share comes with the question: the slider's own arrives after it.
        """
        shown = self.picture(share)
        assert self._sides is not None
        one, other = self._sides
        return {"share": share}, [files.encode_png(p) for p in (one.picture, shown, other.picture)]


class MorphSlider(Shown, ipywidgets.VBox):  # type: ignore[misc]
    """Two faces, a slider between them, and the scores of every recogniser against both contributors.

    ``MorphSlider("a.jpg", "b.jpg")``. Scores are against the very pictures that were morphed, which flatters the
    attack: with other pictures of the same people they are lower.

    Args:
        one: first contributor: a file or ``uint8 (h, w, 3)``.
        other: second contributor.
        models: recognisers, see `models.names`.
        fmr: operating point; its thresholds stand on the models' cards.
        real: whether arrays show real people.
        show_faces: let saved notebooks hold pictures of real people.
        device: see `models.load`.

    Attributes:
        share: of the second person in the morph, 0 to 1.
        scores: `methods.morphing.MorphScores` of each recogniser, at eleven shares.
        one, other: the `FaceInput`s.
        view: the `MorphView`.
    """

    share = t.Float(0.5, min=0.0, max=1.0)
    scores = t.Tuple()

    def __init__(
        self, one: str | Path | NDArray[np.uint8] | None = None, other: str | Path | NDArray[np.uint8] | None = None, *,
        models: str | Sequence[str] = "faceapi-recogniser", fmr: float = 1e-2, real: bool = True,
        show_faces: bool = False, device: str = "auto", **kwargs: Any,
    ) -> None:  # fmt: skip
        chosen = check_models(models)
        self._show_faces = show_faces
        options: dict[str, Any] = {"real": real, "show_faces": show_faces, "device": device}
        self.one = FaceInput(one, label="First person", **options)
        self.other = FaceInput(other, label="Second person", **options)
        self.view = MorphView(chosen, fmr, device, label="Morph")
        super().__init__([ipywidgets.HBox([self.one, self.other]), self.view], **kwargs)
        t.link((self, "share"), (self.view, "share"))
        t.dlink((self.view, "found"), (self, "scores"))
        for place in (self.one, self.other):
            place.observe(self._again, "face")
        self.view.observe(self._again, "splice")
        self._again()

    def _again(self, change: Any = None) -> None:
        self.view.faces(self.one.face, self.other.face)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for faces and scores."""
        return all(part.settle(timeout) for part in (self.one, self.other, self.view))

    def describe(self) -> str:
        """Who accepts the morph at this share."""
        if not self.scores:
            return "two pictures with a face are needed"
        at = int(np.argmin(np.abs(SHARES - self.share)))
        said = []
        for found in self.scores:
            fooled = found.fooled
            verdict = "no threshold" if fooled is None else "accepts it as both" if fooled[at] else "does not"
            said.append(f"{found.model} {found.scores[at, 0]:.2f} and {found.scores[at, 1]:.2f} ({verdict})")
        return f"morph of {SHARES[at]:.0%}: " + "; ".join(said)

    def static_html(self) -> str:
        """Scores along the way, and the pictures where they may be shown."""
        if not self.scores:
            return card("Morph slider", {"": self.describe()})
        faces = [f for f in (self.one.face, self.other.face) if f is not None]
        hidden = any(f.real for f in faces) and not self._show_faces
        drawn = morph_figure(self.scores, self.share, None if hidden else self.view.picture())
        note = "The pictures are left out; show_faces=True keeps them." if hidden else ""
        return card("Morph slider", {"": self.describe()}, [figure(drawn.png(), self.describe())], note=note)
