"""`Identify`: who of a gallery is it, if anybody?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import traitlets as t

from ..core import ParameterError
from ..figures.candidates import candidates_figure
from .face_input import FaceInput
from .gallery_input import Given
from .identify_view import IdentifyView
from .recognisers import check_models
from .showing import Shown, card, figure, headless, picture
from .verify import Shows


class Identify(Shown, ipywidgets.VBox):  # type: ignore[misc]
    """A gallery of references, and a probe that is searched for.

    ``Identify("folder/")``, ``Identify("lfw:FOLDER", "who.jpg")``, or ``Identify()`` and faces enrolled one by one.

    Args:
        gallery: a folder with one folder per person, a data set's specification, an exported ``.npz``, `Samples`, a
            `Gallery` or a list of ``(name, picture)``; None is empty.
        probe: a file, ``uint8 (h, w, 3)`` RGB or a `FaceInput`; None for an empty place.
        model: specification of the embedder.
        rates_on: what FPIR and FNIR are estimated on: ``"gallery"``, ``"phantom"`` or a data set's specification.
            By default the gallery, if it holds five people and two references of one, and phantom faces otherwise.
        threshold: on the score; by default that of an FPIR of 0.1 where the rates are estimated.
        k: how many candidates are returned.
        real: whether a probe that is an array shows a real person.
        show_faces: let saved notebooks hold pictures of real people.
        samples: pictures to browse, see `FaceInput`.
        detector: see `models.load`.
        device: likewise.

    Attributes:
        candidates: tuple of `Candidate`, best first.
        decision: ``"identified"`` (a candidate's score is at or above the threshold), ``"not identified"``,
            ``"failure to acquire"`` or None.
        threshold: may be set; None where the data cannot give one.
        gallery: names of the references.
        rates: FPIR and FNIR at the threshold as `Estimate`, by name.
        probe: the `FaceInput`.
    """

    candidates = t.Tuple()
    decision = t.Unicode(None, allow_none=True)
    threshold = t.Float(None, allow_none=True)
    gallery = t.Tuple()
    rates = t.Dict()

    def __init__(
        self, gallery: Given = None, probe: Shows = None, *, model: str = "faceapi-recogniser", rates_on: str = "",
        threshold: float | None = None, k: int = 10, real: bool = True, show_faces: bool = False,
        samples: Any = "phantom", detector: str = "faceapi-ssd", device: str = "auto",
    ) -> None:  # fmt: skip
        if not 1 <= k <= 100:
            raise ParameterError("k is no length of a candidate list", given=k, expected="1 to 100")
        check_models(model)
        options = {"real": real, "show_faces": show_faces, "samples": samples, "detector": detector, "device": device}
        self.probe = probe if isinstance(probe, FaceInput) else FaceInput(label="Probe", **options)
        self.view = IdentifyView(model, rates_on, threshold, k, detector, device, label="Identification")
        self._show_faces = show_faces
        self._seen: Any = None
        super().__init__([self.probe, self.view])
        self.view.observe(self._mirror, ["candidates", "decision", "threshold", "gallery", "estimates"])
        self.view.open_gallery(gallery)
        if probe is not None and not isinstance(probe, FaceInput):
            self.probe.show(probe, real=real)
        self.probe.observe(self._changed, ["face", "revision"])
        self._changed()

    def enrol(self, name: str) -> None:
        """Put the current probe into the gallery under a name."""
        self.view.enrol(name)

    def remove(self, name: str) -> None:
        """Take a reference out of the gallery."""
        self.view.remove(name)

    def export(self, path: str | Path) -> Path:
        """Write the gallery as ``.npz``: embeddings, names and the model's digest, no pixels."""
        return self.view.export(path)

    def load(self, path: str | Path) -> None:
        """Replace the gallery by an exported one.

        Raises:
            DataError: the file is damaged, no gallery, or another model's; the gallery stays as it was.
        """
        self.view.load(path)

    def describe(self) -> str:
        """The decision in a line."""
        failed = f", {self.view.failures} failed to enrol" if self.view.failures else ""
        said = self.view.said or "no probe"
        return f"{len(self.gallery)} references{failed}; {said}"

    def static_html(self) -> str:
        """Decision, candidates and rates; faces where they may be shown."""
        if headless():
            self.view.estimate()
        rows = {"": self.describe()}
        rows |= {
            f"{row['name']} at this threshold": f"{row['words']}, on {self.view.origin}" for row in self.view.rates
        }
        pictures = []
        if self.candidates:
            names = [f"{c.rank}. {c.name}" for c in self.candidates]
            drawn = candidates_figure(names, [c.score for c in self.candidates], self.threshold)
            words = "; ".join(f"{c.rank}. {c.name} {c.score:.4f}" for c in self.candidates)
            pictures.append(figure(drawn.png(), f"candidates: {words}"))
        face = self.probe.face
        hidden = face is not None and face.real and not self._show_faces
        if face is not None and not hidden:
            pictures.insert(0, picture(face.picture, "probe"))
        note = "The probe is left out; show_faces=True keeps it." if hidden else ""
        return card("Identification", rows, pictures, note=note)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for all work; False when ``timeout`` seconds were not enough."""
        return self.probe.settle(timeout) and self.view.settle(timeout)

    def close(self) -> None:
        """End the work and the connections."""
        for part in self.children:
            part.close()
        super().close()

    def _changed(self, change: Any = None) -> None:
        seen = (self.probe.picture is None, self.probe.face)
        # A picture's face and its number come one after the other: one probe is searched for once.
        if self._seen is None or self._seen[0] != seen[0] or self._seen[1] is not seen[1]:
            self._seen = seen
            self.view.look(seen[1], empty=seen[0])

    def _mirror(self, change: Any) -> None:
        view = self.view
        with self.hold_trait_notifications():
            self.candidates, self.rates = view.candidates, view.estimates
            self.decision = view.decision or None
            self.threshold = view.threshold
            self.gallery = () if view.gallery is None else tuple(view.gallery.names.tolist())

    @t.validate("threshold")
    def _within(self, proposal: Any) -> float | None:
        if proposal["value"] != self.view.threshold:
            self.view.threshold = proposal["value"]
        threshold: float | None = self.view.threshold
        return threshold

    @t.observe("threshold")
    def _moved(self, change: Any) -> None:
        # None comes past the validator.
        if self.threshold is None and self.view.threshold is not None:
            self.view.threshold = None
