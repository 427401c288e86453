"""What `Identify` shows and does: candidates, threshold and its rates, the gallery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import files
from ..core import Estimate, ParameterError, Undefined
from ..data.protocols import codes
from ..methods.allpairs import Side
from ..methods.gallery import Gallery, read_gallery, write_gallery
from ..methods.known import dataset_of, known_embeddings
from ..methods.leave_out import searches_within
from ..methods.outcome import embed_face
from ..methods.search import ranking
from ..metrics import LEAST_SUBJECTS
from ..metrics.identification import Searches, fnir, fpir, threshold_at_fpir
from ..runs.home import home
from .base import Bench
from .face_input import PAGE
from .finding import Face, embedder, finder
from .gallery_input import Given, Thumbnails, opened
from .messages import Several, Text, Whole, answers
from .work import Job, Worker, asked_by_browser

TARGETS = (0.1, 0.05, 0.01)
OWN = "gallery"


@dataclass(frozen=True)
class Candidate:
    """One reference that a search returned.

    Attributes:
        name: of the reference.
        subject: who is shown.
        score: of the comparison.
        rank: 1 + the number of other people's references at or above the score: a tie loses.
        above: whether the score is at or above the threshold; None without one.
    """

    name: str
    subject: str
    score: float
    rank: int
    above: bool | None


class IdentifyView(Bench):
    """Candidates, threshold and gallery; made by `Identify`.

    Attributes:
        threshold: what scores are held against; None where it is undefined.
        target: the FPIR that the threshold is set for; 0 where it was set by hand.
        targets: what may be chosen.
        rows: the candidates as they are shown.
        said: the outcome in words.
        decision: see `Identify`; "" where there is none.
        rates: FPIR and FNIR in words.
        origin: what they were estimated on.
        size, failures: references, and those that failed to enrol.
        span: lowest and highest threshold worth setting.
        ready: whether the probe has an embedding, which can be enrolled.
        shown: counts up when there are other candidates or references.
    """

    front = "identify"
    sheets = ("identify",)
    writable = frozenset({"threshold", "target"})

    threshold = t.Float(None, allow_none=True).tag(sync=True)
    target = t.Float(TARGETS[0]).tag(sync=True)
    targets = t.List(list(TARGETS)).tag(sync=True)
    rows = t.List().tag(sync=True)
    decision = t.Unicode("").tag(sync=True)
    said = t.Unicode("").tag(sync=True)
    rates = t.List().tag(sync=True)
    origin = t.Unicode("").tag(sync=True)
    size = t.Int(0).tag(sync=True)
    failures = t.Int(0).tag(sync=True)
    span = t.List([-1.0, 1.0]).tag(sync=True)
    ready = t.Bool(False).tag(sync=True)
    shown = t.Int(0).tag(sync=True)
    candidates = t.Tuple()
    estimates = t.Dict()
    gallery = t.Instance(Gallery, allow_none=True)

    def __init__(
        self, model: str, rates_on: str, threshold: float | None, k: int, detector: str, device: str, **kwargs: Any
    ) -> None:
        self._model, self._rates_on, self._k = model, rates_on, k
        self._detector, self._device = detector, device
        self._given = threshold
        self._face: Face | None = None
        self._probe: NDArray[np.float32] | None = None
        self._reason = ""
        self._searches: Searches | None = None
        self._setting = self._estimating = False
        self._thumbnails = Thumbnails()
        self.real = True
        self._estimated_on = ""
        self._estimator, self._rater = Worker(), Worker()
        super().__init__(**kwargs)
        if threshold is not None:
            self._set(threshold, 0.0)

    @property
    def embedder(self) -> Any:
        """The model, loaded at the first call."""
        return embedder(self._model, self._device)

    @property
    def pipeline(self) -> Any:
        """Detector, landmarks and model."""
        return finder(self._detector, self._device).pipeline(self.embedder)

    @answers()
    def hello(self) -> None:
        """Say that Python is there; what is estimated is looked up meanwhile."""
        self.estimate()

    def open_gallery(self, given: Given) -> None:
        """Take a gallery, and enrol its pictures."""

        def enrol(job: Job) -> tuple[Gallery, Thumbnails, bool]:
            return opened(given, self.pipeline, home() / "known", job.progress)

        def take(found: tuple[Gallery, Thumbnails, bool]) -> None:
            self._thumbnails, self.real = found[1:]
            self._take(found[0])

        self.work("enrolling", enrol, take)

    def look(self, face: Face | None, *, empty: bool) -> None:
        """Search for a face; without one it is a failure to acquire, unless the place is empty."""

        def embed(job: Job) -> tuple[NDArray[np.float32] | None, str]:
            if face is None:
                return None, "" if empty else "no face found"
            return embed_face(self.embedder, (face.picture, face.box, face.points))

        def take(found: tuple[NDArray[np.float32] | None, str]) -> None:
            self._face = face
            self._probe, self._reason = found
            self._conclude()
            self._estimate_if_needed()

        self.work("searching", embed, take, quick=empty)

    @answers(name=Text(200))
    def enrol(self, name: str) -> None:
        """Put the probe into the gallery under a name."""
        if self._probe is None or self._face is None or self.gallery is None:
            raise ParameterError("there is no face to enrol", do="give a probe with a face first")
        grown = self.gallery.enrolled(name, self._probe)
        self._thumbnails.keep(str(grown.names[-1]), self._face.picture)
        self._take(grown)

    @answers(name=Text(240))
    def remove(self, name: str) -> None:
        """Take a reference out of the gallery."""
        if self.gallery is not None:
            self._take(self.gallery.without(name))

    @answers(query=Text(200), page=Whole(0, 10**9))
    def listing(self, query: str, page: int) -> dict[str, Any]:
        """A page of the references whose name or person contains ``query``."""
        gallery = self.gallery
        pairs = [] if gallery is None else [*zip(gallery.names.tolist(), gallery.subjects.tolist(), strict=True)]
        wanted = query.casefold()
        fits = [i for i, pair in enumerate(pairs) if wanted in " ".join(pair).casefold()]
        pages = max(1, -(-len(fits) // PAGE))
        page = min(page, pages - 1)
        here = fits[page * PAGE : (page + 1) * PAGE]
        items = [
            {"name": pairs[i][0], "subject": pairs[i][1], "enrolled": bool(gallery is None or gallery.acquired[i])}
            for i in here
        ]
        return {"items": items, "page": page, "pages": pages, "total": len(fits)}

    @answers(names=Several(Text(240), longest=64))
    def thumbnails(self, names: list[str]) -> tuple[Mapping[str, Any], list[bytes]]:
        """Small pictures of references, of those that have one."""
        found = [self._thumbnails.jpeg(name) for name in names]
        return {"has": [p is not None for p in found]}, [p for p in found if p is not None]

    @answers()
    def packed(self) -> tuple[Mapping[str, Any], list[bytes]]:
        """The gallery as a file: embeddings, names and the model, no pixels."""
        with files.temporary_folder() as folder:
            path = Path(folder) / "gallery.npz"
            self.export(path)
            return {"name": path.name}, [files.read_bytes(path)]

    @answers(buffers=1)
    def unpacked(self, buffers: list[bytes]) -> None:
        """A gallery out of a file that the browser sends."""
        if len(buffers) != 1:
            raise ParameterError("no file came with this", given=len(buffers), expected="one file")
        with files.temporary_folder() as folder:
            self.load(files.commit_bytes(Path(folder) / "gallery.npz", buffers[0]))

    def export(self, path: str | Path) -> Path:
        """Write the gallery as ``.npz``."""
        if self.gallery is None:
            raise ParameterError("there is nobody in the gallery to export", do="enrol somebody first")
        return write_gallery(path, self.gallery)

    def load(self, path: str | Path) -> None:
        """Replace the gallery by an exported one of the same model."""
        gallery = read_gallery(path, self.embedder)
        self._thumbnails, self.real = Thumbnails(), True
        self._take(gallery)

    def estimate(self) -> None:
        """Search the gallery, or other faces, for their own people: what thresholds and rates come from."""
        gallery = self.gallery
        if self._searches is not None or self._estimating or gallery is None or not len(gallery):
            return
        self._estimating = True
        source = self._source(gallery)

        def search(job: Job) -> tuple[Searches, str]:
            side = gallery.side
            words = "this gallery, each reference searched for among the others"
            if source != OWN:
                dataset, protocol, on = dataset_of(source, home() / "known")
                samples = dataset.samples(protocol)
                found = known_embeddings(samples, self.pipeline, home() / "known", progress=job.progress)
                side, words = Side(found.values, codes(samples.subjects), found.acquired), on
            return searches_within(side), words

        def take(found: tuple[Searches, str]) -> None:
            with self._changing:
                self._estimating = False
                if self.gallery is not gallery and source == OWN:
                    self.estimate()
                    return
                self._searches, self.origin = found
                self._estimated_on = source
                self._estimated()

        def failed(error: Exception) -> None:
            with self._changing:
                self._estimating = False
                self.fail(error)

        self._estimator.do(Job(search, take, failed, lambda share: None))

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for all work; False when ``timeout`` seconds were not enough."""
        return super().settle(timeout) and self._estimator.settle(timeout) and self._rater.settle(timeout)

    def close(self) -> None:
        """End the work and the connection."""
        for worker in (self._estimator, self._rater):
            worker.stop()
        super().close()

    def _source(self, gallery: Gallery) -> str:
        """What rates are estimated on: the gallery if it can answer, phantom faces otherwise, unless somebody said."""
        if self._rates_on:
            return self._rates_on
        people, often = np.unique(gallery.subjects, return_counts=True)
        return OWN if len(people) >= LEAST_SUBJECTS and often.max() >= 2 else "phantom"

    def _take(self, gallery: Gallery) -> None:
        with self._changing, self.hold_sync():
            stale = self._source(gallery) == OWN or self._estimated_on == OWN
            self.gallery, self.size, self.failures = gallery, len(gallery), gallery.failures
            if stale:
                self._searches, self.estimates, self.rates = None, {}, []
            self._conclude()
        self._estimate_if_needed()

    def _estimate_if_needed(self) -> None:
        """Estimate what is quick to have, what somebody looks at, and what a decision hangs on."""
        quick = self.gallery is not None and self._source(self.gallery) == OWN
        if quick or asked_by_browser() or (self._probe is not None and self.threshold is None):
            self.estimate()

    def _estimated(self) -> None:
        """The searches are there: set the threshold, if nobody has, and say the rates."""
        searches = self._searches
        if searches is None:
            return
        scores = np.concatenate([searches.rival, searches.mate])
        scores = scores[np.isfinite(scores)]
        if len(scores):
            self.span = [float(np.floor(scores.min() * 100) / 100), 1.0]
        if self._given is not None:
            self._set(self._given, 0.0)
        elif self.target > 0:
            found = threshold_at_fpir(searches, self.target)
            self._set(None if isinstance(found, Undefined) else found, self.target)
        self._conclude()
        self._rate()

    def _set(self, threshold: float | None, target: float) -> None:
        self._setting = True
        try:
            with self.hold_sync():
                self.threshold, self.target = threshold, target
        finally:
            self._setting = False

    def _rate(self) -> None:
        searches, threshold = self._searches, self.threshold
        if searches is None:
            return

        def count(job: Job) -> dict[str, Estimate]:
            if threshold is None:
                none = Estimate(Undefined("there is no threshold", searches.counts), counts=searches.counts)
                return {"FPIR": none, "FNIR": none}
            options = {"resamples": 400}
            return {"FPIR": fpir(searches, threshold, **options), "FNIR": fnir(searches, threshold, **options)}

        def take(found: dict[str, Estimate]) -> None:
            with self._changing:
                self.estimates = found
                self.rates = [_rate_row(name, estimate) for name, estimate in found.items()]

        self._rater.do(Job(count, take, self.fail, lambda share: None))

    def _conclude(self) -> None:
        gallery, probe = self.gallery, self._probe
        found: list[Candidate] = []
        if gallery is not None and probe is not None:
            ranked = ranking(gallery.side, probe, self._k)
            for i, score, rank in zip(ranked.references, ranked.scores, ranked.ranks, strict=True):
                above = None if self.threshold is None else bool(score >= self.threshold)
                found.append(Candidate(str(gallery.names[i]), str(gallery.subjects[i]), float(score), int(rank), above))
        with self.hold_sync():
            self.rows = [
                {"name": c.name, "subject": c.subject, "score": c.score, "rank": c.rank, "above": c.above}
                for c in found
            ]  # fmt: skip
            self.ready = probe is not None
            self.decision, self.said = self._decided(found)
            self.shown += 1
        self.candidates = tuple(found)

    def _decided(self, found: list[Candidate]) -> tuple[str, str]:
        if self._probe is None:
            return ("failure to acquire", f"failure to acquire: {self._reason}") if self._reason else ("", "")
        if not found:
            return "", "nobody is enrolled"
        if self.threshold is None:
            return "", f"best candidate {found[0].name}, score {found[0].score:.4f}; no threshold, no decision"
        above = [c for c in found if c.above]
        if not above:
            best = found[0]
            return "not identified", f"not identified: best score {best.score:.4f} is below {self.threshold:.4f}"
        more = f" and {len(above) - 1} more" if len(above) > 1 else ""
        return "identified", (
            f"identified: {above[0].name}{more} at or above {self.threshold:.4f}, score {above[0].score:.4f}"
        )

    @t.validate("threshold")
    def _finite(self, proposal: Any) -> float | None:
        value = proposal["value"]
        if value is not None and not -1.0 <= value <= 1.0:
            raise t.TraitError(f"a threshold on a cosine lies from -1 to 1: {value}")
        return None if value is None else float(value)

    @t.validate("target")
    def _offered(self, proposal: Any) -> float:
        if proposal["value"] not in (0.0, *TARGETS):
            raise t.TraitError(f"an FPIR is one of {', '.join(map(str, TARGETS))}: {proposal['value']}")
        return float(proposal["value"])

    @t.observe("threshold")
    def _moved(self, change: Any) -> None:
        if not self._setting:
            self._given = self.threshold
            self._set(self.threshold, 0.0)
            self._conclude()
            self._rate()

    @t.observe("target")
    def _aimed(self, change: Any) -> None:
        if not self._setting and self.target > 0:
            self._given = None
            self._estimated()


def _rate_row(name: str, estimate: Estimate) -> dict[str, Any]:
    kind = "nonmated" if name == "FPIR" else "mated"
    searches = f"{estimate.counts[kind]:,} {'non-mated' if name == 'FPIR' else 'mated'} searches"
    if isinstance(estimate.value, Undefined):
        return {"name": name, "words": f"undefined: {estimate.value.reason} ({searches})"}
    words = f"{estimate.value:.4g}"
    if isinstance(estimate.low, float) and isinstance(estimate.high, float):
        words += f" (95 % interval {estimate.low:.4g} to {estimate.high:.4g})"
    return {"name": name, "words": f"{words}, {searches} of {estimate.counts['gallery']:,} references"}
