"""`Verify`: do two pictures show the same person, by which score, and how sure is that?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import files, models
from ..core import Undefined, WeightsError
from ..data import Dataset
from ..figures.comparison import OVERLAYS, comparison_figure, overlaid
from ..methods.known import Known, dataset_of, densities, known_scores, standing
from ..methods.outcome import Outcome, Pair, choices, compare_faces, decide
from ..methods.verification import explain_chips
from ..runs.home import home
from .base import Bench
from .face_input import FaceInput
from .finding import Face, embedder, finder
from .messages import Text, Whole, answers
from .recognisers import check_models
from .showing import Shown, card, figure, headless
from .work import Job, Worker

Shows = str | Path | NDArray[np.uint8] | FaceInput | None


class VerifyView(Bench):
    """The outcome of a comparison; made by `Verify`.

    Attributes:
        fmr: the operating point; one of `choices`.
        rows: for each model what its row shows.
        shown: counts up when there are other crops or maps to ask for.
        explained: whether there are maps.
        gathering: the share of the data set's scores that is computed; -1 where nothing is being computed.
    """

    front = "verify"
    sheets = ("verify",)
    writable = frozenset({"fmr"})

    fmr = t.Float().tag(sync=True)
    choices = t.List(t.Float()).tag(sync=True)
    rows = t.List().tag(sync=True)
    shown = t.Int(0).tag(sync=True)
    explained = t.Bool(False).tag(sync=True)
    gathering = t.Float(-1.0).tag(sync=True)
    results = t.Tuple()

    def __init__(self, specs: Sequence[str], on: str | Dataset, detector: str, device: str, **kwargs: Any) -> None:
        self._specs, self._on, self._detector, self._device = tuple(specs), on, detector, device
        self._pairs: list[Pair] = []
        self._maps: list[Any] = []
        self._known: dict[str, Known] = {}
        self._gatherer = Worker()
        wanted = kwargs.pop("fmr")
        super().__init__(**kwargs)
        points = choices([[*models.card(spec).operating_points] for spec in specs])
        self.choices = list(points)
        self.fmr = wanted if wanted is not None else 1e-2 if 1e-2 in points else points[-1]

    @answers()
    def hello(self) -> None:
        """Say that Python is there; meanwhile models load and the scores to compare with are fetched."""
        self.gather()

    def compare(self, reference: Face | None, probe: Face | None, *, both: bool) -> None:
        """Compare two faces; without ``both`` pictures there is nothing to compare."""

        def look(job: Job) -> list[Pair]:
            sides = [None if face is None else (face.picture, face.box, face.points) for face in (reference, probe)]
            found = []
            for i, spec in enumerate(self._specs if both else ()):
                job.progress(i, len(self._specs))
                found.append(compare_faces(embedder(spec, self._device), *sides))
            return found

        self.work("comparing", look, self._compared, quick=not both)

    def gather(self) -> None:
        """Fetch or compute the scores that comparisons are held against, beside other work."""
        missing = [spec for spec in self._specs if spec not in self._known]
        if not missing or self.gathering >= 0:
            return
        self.gathering = 0.0

        def fetch(job: Job) -> dict[str, Known]:
            faces = finder(self._detector, self._device)
            # The first run of a network is its slowest: it should not be a person's.
            faces.find(np.zeros((64, 64, 3), np.uint8))
            for spec in missing:
                model = embedder(spec, self._device)
                model.embed(np.zeros((2, *model.card.input_size, 3), np.uint8))
            folder = home() / "known"
            dataset, protocol, words = (
                dataset_of(self._on, folder) if isinstance(self._on, str) else (self._on, "", self._on.name)
            )
            found = {}
            for i, spec in enumerate(missing):
                pipeline = faces.pipeline(embedder(spec, self._device))

                def step(done: int, total: int, before: int = i) -> None:
                    job.progress(before * total + done, total * len(missing))

                found[spec] = known_scores(dataset, pipeline, folder, protocol=protocol, on=words, progress=step)
            return found

        self._gatherer.do(Job(fetch, self._gathered, self._not_gathered, self._report))

    @answers()
    def explain(self) -> None:
        """Compute what speaks for and against "same person" in every model's pair."""
        results, fmr = self.results, self.fmr

        def look(job: Job) -> list[Any]:
            found: list[Any] = []
            for i, (spec, outcome) in enumerate(zip(self._specs, results, strict=True)):

                def step(done: int, total: int, before: int = i) -> None:
                    job.progress(before * total + done, total * len(results))

                found.append(self._explained(spec, outcome, step))
            return found

        self.work("looking for what speaks for and against", look, lambda found: self._with_maps(found, fmr))

    @answers(model=Whole(0, 63), overlay=Text(10, ("none", *OVERLAYS)))
    def crops(self, model: int, overlay: str) -> tuple[Mapping[str, Any], list[bytes]]:
        """The aligned faces of a row that were acquired, with a map over them if there is one."""
        if model >= len(self.results):
            return {}, []
        outcome: Outcome = self.results[model]
        pictures = [*outcome.pair.chips]
        if overlay in OVERLAYS and outcome.maps is not None:
            name, colour = OVERLAYS[overlay]
            layers = getattr(outcome.maps, name)[0]
            pictures = [overlaid(chip, layer, colour) for chip, layer in zip(pictures, layers, strict=True)]
        return {}, [files.encode_png(p) for p in pictures]

    @answers(model=Whole(0, 63))
    def distribution(self, model: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """The histograms behind a row's chart: edges, mated, non-mated; nothing where no scores are known."""
        if model >= len(self._specs) or self._specs[model] not in self._known:
            return {"on": ""}, []
        known = self._known[self._specs[model]]
        shape = densities(known.scores)
        parts = [part.astype("<f4").tobytes() for part in (shape.edges, shape.mated, shape.nonmated)]
        return {"on": known.on, "real": known.real, **known.counts}, parts

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for all work; False when ``timeout`` seconds were not enough."""
        return super().settle(timeout) and self._gatherer.settle(timeout)

    def close(self) -> None:
        """End the work and the connection."""
        self._gatherer.stop()
        super().close()

    def _compared(self, found: list[Pair]) -> None:
        self._pairs, self._maps = found, [None] * len(found)
        self._conclude()
        if any(o.decision is None for o in self.results):
            self.gather()

    def _with_maps(self, found: list[Any], fmr: float) -> None:
        # Maps of another threshold explain another decision.
        if fmr == self.fmr:
            self._maps = found
        self._conclude()

    def _explained(self, spec: str, outcome: Outcome, step: Any) -> Any:
        if outcome.score is None or isinstance(outcome.threshold, Undefined):
            return "there is no decision to explain"
        try:
            return explain_chips(embedder(spec, self._device), outcome.pair.chips, outcome.threshold, progress=step)
        except WeightsError as error:
            return error.what

    def _gathered(self, found: dict[str, Known]) -> None:
        with self._changing:
            self.gathering = -1.0
            self._known |= found
            self._conclude()

    def _not_gathered(self, error: Exception) -> None:
        with self._changing:
            self.gathering = -1.0
            self.fail(error)

    def _report(self, share: float) -> None:
        self.gathering = share

    def _conclude(self) -> None:
        """Decide anew from the scores that there are."""
        found = []
        for spec, pair, maps in zip(self._specs, self._pairs, self._maps, strict=False):
            outcome = decide(embedder(spec, self._device), pair, self.fmr, self._known.get(spec))
            found.append(outcome if maps is None or isinstance(maps, str) else replace(outcome, maps=maps))
        with self.hold_sync():
            self.rows = [_row(o, m if isinstance(m, str) else "") for o, m in zip(found, self._maps, strict=True)]
            self.explained = any(m is not None for m in self._maps)
            self.shown += 1
        self.results = tuple(found)

    @t.validate("fmr")
    def _choice(self, proposal: Any) -> float:
        if proposal["value"] not in self.choices:
            known = ", ".join(f"{c:g}" for c in self.choices)
            raise t.TraitError(f"there is no threshold for FMR {proposal['value']:g}: choose one of {known}")
        return float(proposal["value"])

    @t.observe("fmr")
    def _moved(self, change: Any) -> None:
        # What speaks for and against hangs on the threshold.
        self._maps = [None] * len(self._pairs)
        self._conclude()


class Verify(Shown, ipywidgets.VBox):  # type: ignore[misc]
    """Two pictures, and whether they show the same person.

    ``Verify("a.jpg", "b.jpg")``, or ``Verify()`` and pictures dropped in.

    Args:
        reference: a file, ``uint8 (h, w, 3)`` RGB, or a `FaceInput`; None for an empty place.
        probe: likewise.
        models: specifications of embedders; a row for each.
        on: data set whose scores the score is shown among: a specification, or an open data set. ``"phantom"``: a few
            phantom faces, computed the first time and kept in the workbench's home.
        fmr: operating point. The threshold stands on the model's card, or is set on the scores of ``on``.
        real: whether arrays show real people, whose pictures stay out of saved notebooks.
        show_faces: let saved notebooks hold pictures of real people.
        samples: pictures to browse, see `FaceInput`.
        detector: see `models.load`.
        device: likewise.

    Attributes:
        score: of the first model, None after a failure to acquire or without two pictures.
        decision: ``"accepted"``, ``"rejected"``, ``"failure to acquire"`` or None.
        threshold: of the first model; None where it is undefined.
        fmr: may be set, to one of ``choices``.
        results: an `Outcome` for each model.
        reference, probe: the two `FaceInput`.
    """

    score = t.Float(None, allow_none=True)
    decision = t.Unicode(None, allow_none=True)
    threshold = t.Float(None, allow_none=True)
    fmr = t.Float()
    results = t.Tuple()

    def __init__(
        self, reference: Shows = None, probe: Shows = None, *, models: str | Sequence[str] = "faceapi-recogniser",
        on: str | Dataset = "phantom", fmr: float | None = None, real: bool = True, show_faces: bool = False,
        samples: Any = "phantom", detector: str = "faceapi-ssd", device: str = "auto",
    ) -> None:  # fmt: skip
        specs = check_models(models)
        options = {"real": real, "show_faces": show_faces, "samples": samples, "detector": detector, "device": device}
        self.reference = reference if isinstance(reference, FaceInput) else FaceInput(label="Reference", **options)
        self.probe = probe if isinstance(probe, FaceInput) else FaceInput(label="Probe", **options)
        self.view = VerifyView(specs, on, detector, device, fmr=fmr, label="Verification")
        self._show_faces = show_faces
        self._seen: Any = None
        inputs = ipywidgets.HBox([self.reference, self.probe], layout={"flex_flow": "row wrap"})
        super().__init__([inputs, self.view], fmr=self.view.fmr)
        self.view.observe(self._mirror, ["results", "fmr"])
        for place, shown in ((self.reference, reference), (self.probe, probe)):
            if shown is not None and not isinstance(shown, FaceInput):
                place.show(shown, real=real)
            place.observe(self._changed, ["face", "revision"])
        self._changed()

    @property
    def choices(self) -> tuple[float, ...]:
        """FMRs that `fmr` may be set to."""
        return tuple(self.view.choices)

    def explain(self) -> None:
        """Compute what speaks for and against; then ``results[i].maps``."""
        self.view.explain()

    def gather(self) -> None:
        """Compute the scores to compare with now, if they are not known yet; then ``results[i].known``."""
        self.view.gather()

    def describe(self) -> str:
        """The outcome by each model in a line."""
        if not self.results:
            return "needs a reference and a probe"
        return "; ".join(f"{o.model}: {o.sentence}" for o in self.results)

    def static_html(self) -> str:
        """The outcome, with the chart; faces where they may be shown."""
        if not self.results:
            return card("Verification", {"": self.describe()})
        if headless():
            self.gather()
        rows = {outcome.model: _words(outcome) for outcome in self.results}
        real = any(place.face is not None and place.face.real for place in (self.reference, self.probe))
        show = self._show_faces or not real
        drawn = comparison_figure(self.results, faces=show).png()
        note = "" if show else "The faces are left out; show_faces=True keeps them."
        return card(f"Verification at FMR {self.fmr:g}", rows, [figure(drawn, self.describe())], note=note)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for all work; False when ``timeout`` seconds were not enough."""
        return all(part.settle(timeout) for part in (self.reference, self.probe, self.view))

    def close(self) -> None:
        """End the work and the connections."""
        for box in self.children:
            for part in getattr(box, "children", (box,)):
                part.close()
        super().close()

    def _changed(self, change: Any = None) -> None:
        places = (self.reference, self.probe)
        seen = [(place.picture is None, place.face) for place in places]
        # A picture's face and its number come one after the other: the same pair is not compared twice.
        if self._seen is not None and all(a == b and x is y for (a, x), (b, y) in zip(self._seen, seen, strict=True)):
            return
        self._seen = seen
        self.view.compare(*(face for _, face in seen), both=not any(empty for empty, _ in seen))

    def _mirror(self, change: Any) -> None:
        first: Outcome | None = self.view.results[0] if self.view.results else None
        with self.hold_trait_notifications():
            self.fmr = self.view.fmr
            self.results = self.view.results
            self.score = None if first is None else first.score
            self.decision = None if first is None else first.decision
            self.threshold = None if first is None or isinstance(first.threshold, Undefined) else first.threshold

    @t.validate("fmr")
    def _choice(self, proposal: Any) -> float:
        if proposal["value"] != self.view.fmr:
            self.view.fmr = proposal["value"]
        return float(self.view.fmr)


def _words(outcome: Outcome) -> str:
    """The sentence of an outcome, and where its score lies among the known ones."""
    if outcome.known is None or outcome.score is None:
        return outcome.sentence
    return f"{outcome.sentence}; {standing(outcome.known, outcome.score)}"


def _row(outcome: Outcome, unexplained: str) -> dict[str, Any]:
    undefined = isinstance(outcome.threshold, Undefined)
    return {
        "model": outcome.model,
        "score": outcome.score,
        "threshold": None if undefined else float(outcome.threshold),
        "decision": outcome.decision or "",
        "reasons": list(outcome.pair.reasons),
        "words": _words(outcome),
        "known": outcome.known is not None,
        "real": outcome.known is not None and outcome.known.real,
        "unexplained": unexplained,
        "provider": outcome.provider,
    }
