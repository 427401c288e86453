"""`SpoofCheck`: bona fide or attack, what the detector looked at, and how often it is wrong on phantoms."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import ipywidgets
import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import files, models
from ..core import ParameterError, ShapeError, UnknownNameError
from ..data import phantom
from ..files.home import home
from ..methods import phantom_presentations
from ..methods.attack_detection import caution
from ..methods.attack_maps import occlusion
from ..models.presentation import AttackDetector, configured
from .attack_errors import AttackErrors
from .base import Bench
from .face_input import FaceInput
from .finding import Face
from .messages import Text, Whole, answers
from .showing import Shown, card, picture, shrunk
from .work import Job, asked_by_browser

_LOADING = Lock()
# The rate is that of the pictures of the last seconds.
_SECONDS = 5.0


@cache
def _detector(spec: str, device: str) -> AttackDetector:
    found: AttackDetector = models.attack_detector(spec, device=device)
    return found


def detector(spec: str, device: str) -> AttackDetector:
    """The attack detector of this name, loaded at the first call."""
    with _LOADING:
        return _detector(spec, device)


class SpoofView(Bench):
    """Score, threshold and decision; a part of `SpoofCheck`.

    Args:
        place: where the picture comes from.
        model: see `models.attack_detector`.
        device: see `models.load`.
        **kwargs: traits.

    Attributes:
        score: attack score in [0, 1], None where nothing was judged.
        decision: ``"attack"``, ``"bona fide"`` or "".
        threshold: an attack is called above it.
        seconds: that judging took.
        rate: pictures a second in live mode, 0 otherwise.
        truth: what a phantom presentation is, "" where nobody knows.
        looked: how often a map was made; `map` of the picture that is shown.
        words: what the map shows, in words.
        channels: names and descriptions of what was captured besides the colours.
    """

    front = "spoof_check"
    sheets = ("spoof_check",)
    writable = frozenset({"threshold"})

    score = t.Float(None, allow_none=True).tag(sync=True)
    decision = t.Unicode("").tag(sync=True)
    threshold = t.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    model = t.Unicode("").tag(sync=True)
    note = t.Unicode("").tag(sync=True)
    facts = t.List().tag(sync=True)
    empty = t.Unicode("no picture").tag(sync=True)
    seconds = t.Float(0.0).tag(sync=True)
    rate = t.Float(0.0).tag(sync=True)
    live = t.Bool(False).tag(sync=True)
    truth = t.Unicode("").tag(sync=True)
    looked = t.Int(0).tag(sync=True)
    words = t.Unicode("").tag(sync=True)
    channels = t.List().tag(sync=True)
    shelf = t.Bool(False).tag(sync=True)

    def __init__(self, place: _Place, *, model: str, device: str, **kwargs: Any) -> None:
        self._place, self._device = place, device
        self._times: deque[float] = deque()
        self._given: tuple[NDArray[np.uint8], dict[str, NDArray[Any]]] | None = None
        self._set: phantom.AttackSet | None = None
        self._judged: Face | None = None
        self.map: NDArray[np.float32] | None = None
        self._extra: dict[str, NDArray[Any]] = {}
        spec = configured() if model == "auto" else model
        self._spec = spec
        known = models.card(spec)
        facts = [["gives", known.output], ["looks at", known.crop], ["notes", known.notes], ["licence", known.licence],
                 ["source", known.source]]  # fmt: skip
        super().__init__(**{
            "label": "Spoof check", "model": known.name, "note": _without_home(caution(known.name)), "live": place.live,
            "facts": [f for f in facts if f[1]], **kwargs,
        })  # fmt: skip
        place.observe(self._moved, ["face", "found"])
        self.observe(lambda change: self._decide(), "threshold")
        t.dlink((place, "live"), (self, "live"))
        self._judge(place.face)

    def load(self) -> AttackDetector:
        """The detector."""
        return detector(self._spec, self._device)

    @answers()
    def look(self) -> None:
        """Find out which parts of the picture spoke for an attack, and which against."""
        face = self._place.face
        if face is None:
            raise ShapeError("there is no face to look at", do="show one first")

        def occlude(job: Job) -> NDArray[np.float32]:
            return occlusion(self.load(), face.picture, face.box)

        self.work("covering one patch after the other", occlude, lambda found: self._mapped(face, found))

    @answers(width=Whole(16, 2048))
    def overlay(self, width: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """The map over the picture, at most ``width`` pixels wide."""
        from ..figures.attack_map import laid_over

        if self.map is None or self._judged is None:
            raise ShapeError("there is no map to see", do="press 'What it looked at' first")
        return {}, [_jpeg(laid_over(self._judged.picture, self.map), width)]

    @answers(name=Text(40), width=Whole(16, 2048))
    def channel(self, name: str, width: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """Depth or near-infrared as a picture."""
        if name not in self._extra:
            raise UnknownNameError("channel", name, self._extra)
        return {}, [_jpeg(channel_picture(name, self._extra[name]), width)]

    @answers()
    def bring(self) -> None:
        """Draw phantom presentations to browse."""
        self.work("drawing phantom presentations", lambda job: phantom_presentations.gallery(), self.offer)

    def offer(self, presentations: phantom.AttackSet) -> None:
        """Presentations to browse, with their depth and near-infrared."""
        self._set = presentations
        self._place.offer(presentations.samples)
        self.shelf = True

    def give(self, shown: NDArray[np.uint8], channels: dict[str, NDArray[Any]]) -> None:
        """What was captured with the picture that is shown next."""
        for name, values in channels.items():
            if values.shape != shown.shape[:2]:
                raise ShapeError(f"{name} does not fit the picture", given=values.shape, expected=shown.shape[:2])
        self._given = (shown, channels)

    def _moved(self, change: Any) -> None:
        face = self._place.face
        found = self._place.found
        if change["name"] == "found":
            # A face that is there is told by itself, and the one before may still stand.
            if found is not None and len(found):
                return
            face = None
        self._judge(face)

    def _judge(self, face: Face | None) -> None:
        if face is None:
            self.work("", lambda job: None, lambda none: self._put(None, None, 0.0), quick=True)
            return

        def score(job: Job | None) -> tuple[float, float]:
            known, start = self.load(), time.perf_counter()
            return float(known.scores([face.picture], face.box[None])[0]), time.perf_counter() - start

        if self._place.live and asked_by_browser():
            # In the thread that found the face: the webcam sends its next picture when this one is judged.
            try:
                self._put(face, *score(None))
                self._count()
            except Exception as error:
                self.fail(error)
            return
        self.work("judging", score, lambda said: self._put(face, *said))

    def _put(self, face: Face | None, score: float | None, seconds: float) -> None:
        with self.hold_sync():
            self._judged, self.map, self.words, self.looked = face, None, "", 0
            self.truth, self._extra = ("", {}) if face is None else self._known(face)
            self.channels = [{"name": n, "words": channel_words(n, v)} for n, v in self._extra.items()]
            self.seconds = round(seconds, 4)
            self.empty = "" if face is not None else self._nothing()
            self.score = None if score is None else round(score, 6)
            self._decide()

    def _nothing(self) -> str:
        return "no picture" if self._place.picture is None else "no face found: a failure to acquire, no decision"

    def _decide(self) -> None:
        self.decision = "" if self.score is None else "attack" if self.score > self.threshold else "bona fide"

    def _count(self) -> None:
        now = time.monotonic()
        self._times.append(now)
        while now - self._times[0] > _SECONDS:
            self._times.popleft()
        if len(self._times) > 1:
            self.rate = round((len(self._times) - 1) / (now - self._times[0]), 1)

    def _known(self, face: Face) -> tuple[str, dict[str, NDArray[Any]]]:
        """What a phantom presentation is, and what was captured with the picture."""
        if self._given is not None and self._given[0] is face.picture:
            return "", self._given[1]
        shown = self._set
        if shown is None or face.real or face.name not in shown.samples.ids:
            return "", {}
        at = shown.samples.ids.index(face.name)
        if not np.array_equal(shown.samples.images[at], face.picture):
            return "", {}
        kind = str(shown.samples.attributes["species"][at])
        return kind, {"depth": shown.depth[at], "near-infrared": shown.nir[at]}

    def _mapped(self, face: Face, found: NDArray[np.float32]) -> None:
        if self._judged is not face:
            return
        with self.hold_sync():
            self.map = found
            self.words = map_words(found)
            self.looked += 1

    def describe(self) -> str:
        """The decision in a line."""
        if self.score is None:
            return str(self.empty)
        truth = f"; in truth: {self.truth}" if self.truth else ""
        return f"{self.decision}: attack score {self.score:.3f}, threshold {self.threshold:.3g}, {self.model}{truth}"


class _Place(FaceInput):
    """A `FaceInput` whose pictures to browse may come later."""

    def offer(self, samples: Any) -> None:
        self._samples = samples
        self.shelf = True


class SpoofCheck(Shown, ipywidgets.HBox):  # type: ignore[misc]
    """A picture and its attack score, the decision at a threshold, and the detector's errors on phantoms.

    Args:
        shown: a file, or ``uint8 (h, w, 3)`` RGB; None for an empty place.
        model: see `models.attack_detector`.
        threshold: of the attack score; the detector's own if not given.
        depth: ``(h, w)`` millimetres captured with the picture ``shown``, infinite where nothing was measured.
        nir: ``uint8 (h, w)`` near-infrared, likewise.
        presentations: of `phantom.attack_detection`, to browse.
        live: let the webcam send pictures one after the other.
        device: see `models.load`.
        **kwargs: of the `FaceInput`.

    Attributes:
        score: attack score in [0, 1], higher is more attack; None where no face was found. Observable.
        decision: ``"attack"``, ``"bona fide"`` or "". Observable.
        threshold: may be set.
        errors: APCER and BPCER at the threshold, None until `measure` or a kept measurement. Observable.
    """

    score = t.Float(None, allow_none=True)
    decision = t.Unicode("")
    threshold = t.Float(0.5, min=0.0, max=1.0)
    errors = t.Any(None)

    def __init__(
        self, shown: str | Path | NDArray[np.uint8] | None = None, *, model: str = "auto",
        threshold: float | None = None, depth: NDArray[np.floating] | None = None,
        nir: NDArray[np.uint8] | None = None, presentations: phantom.AttackSet | None = None, live: bool = False,
        device: str = "auto", **kwargs: Any,
    ) -> None:  # fmt: skip
        self.input = _Place(samples=None, device=device, **{"live": live, **kwargs})
        self.view = SpoofView(self.input, model=model, device=device)
        self.rates = AttackErrors(self.view.load)
        self.view.threshold = AttackDetector.threshold if threshold is None else threshold
        if shown is None and not (depth is None and nir is None):
            raise ParameterError("depth and near-infrared belong to a picture", given="none", do="give it, too")
        super().__init__([self.input, ipywidgets.VBox([self.view, self.rates], layout={"flex": "1 1 360px"})])
        self.layout.flex_flow = "row wrap"
        for name in ("score", "decision"):
            t.dlink((self.view, name), (self, name))
        t.dlink((self.rates, "errors"), (self, "errors"))
        t.link((self.view, "threshold"), (self, "threshold"))
        t.dlink((self.view, "threshold"), (self.rates, "threshold"))
        if presentations is not None:
            self.view.offer(presentations)
        if shown is not None:
            self._show(
                shown, {k: v for k, v in {"depth": depth, "near-infrared": nir}.items() if v is not None}, kwargs
            )
        self.rates.find_kept()

    def _show(self, shown: Any, channels: dict[str, NDArray[Any]], options: Mapping[str, Any]) -> None:
        if channels:
            if not isinstance(shown, np.ndarray):
                raise ParameterError("depth and near-infrared need their picture as an array", given=str(shown))
            self.view.give(shown, channels)
        self.input.show(shown, real=bool(options.get("real", True)))

    def measure(self) -> None:
        """Measure the errors on phantom presentations: some minutes, once; they are kept."""
        self.rates.measure()

    def look(self) -> NDArray[np.float32]:
        """The map of what spoke for an attack (above 0) and against it, ``float32 (h, w)``."""
        self.view.look()
        if self.view.map is None:
            raise ShapeError("there is no map to see", do="wait until it is made")
        return self.view.map

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for the work that goes on; False when ``timeout`` seconds were not enough for a part of it."""
        return all([part.settle(timeout) for part in (self.input, self.view, self.rates)])

    def describe(self) -> str:
        """The picture and the decision."""
        return f"{self.input.describe()}; {self.view.describe()}" if self.score is not None else self.view.describe()

    def static_html(self) -> str:
        """Decision, errors, and pictures where they may be shown."""
        view = self.view
        rows = {"": view.describe(), "model": "; ".join(filter(None, [view.model, RGB_ONLY, view.note]))}
        rows |= {"errors": self.rates.describe()} | {
            r["name"]: f"{r['rate']} ({r['counts']})" for r in self.rates.table
        }
        if self.score is None or self.input.picture is None:
            return card(view.label, rows)
        if not self.input.may_show:
            return card(view.label, rows, note="The picture is left out; show_faces=True keeps it.")
        from ..figures.attack_map import laid_over

        shown = [picture(self.input.picture, self.input.name)]
        if view.map is not None:
            rows["looked at"] = view.words
            shown.append(
                picture(laid_over(self.input.picture, view.map), f"what the detector reacted to: {view.words}")
            )
        shown += [picture(channel_picture(n, v), n) for n, v in view._extra.items()]
        return card(view.label, rows, shown)


RGB_ONLY = "looks at the colours (RGB) alone; depth and near-infrared are for your eyes only"


def channel_picture(name: str, values: NDArray[Any]) -> NDArray[np.uint8]:
    """Depth or near-infrared as ``uint8 (h, w, 3)``."""
    from ..figures.attack_map import depth_picture, grey_picture

    return depth_picture(values) if name == "depth" else grey_picture(values)


def channel_words(name: str, values: NDArray[Any]) -> str:
    """What a channel shows."""
    if name != "depth":
        return "as the camera measured it"
    seen = values[np.isfinite(values)]
    return f"{seen.min():.0f} (light) to {seen.max():.0f} mm (dark)" if len(seen) else "nothing was measured"


def map_words(found: NDArray[np.float32]) -> str:
    """Where a map is strongest each way."""
    said = []
    for what, values in (("for an attack", found), ("for a bona fide presentation", -found)):
        top = float(values.max())
        if top > 0:
            y, x = np.unravel_index(int(values.argmax()), values.shape)
            share = (100 * (v + 0.5) / n for v, n in ((x, found.shape[1]), (y, found.shape[0])))
            said.append("strongest {}: {:.2f} of log-odds, {:.0f} % from the left, {:.0f} % from above".format(
                what, top, *share))  # fmt: skip
    return "; ".join(said) or "no patch changed the score"


def _without_home(text: str) -> str:
    """What is saved with a notebook names no folder of this machine."""
    return text.replace(str(home()), "$WORKBENCH_HOME")


def _jpeg(image: NDArray[np.uint8], width: int) -> bytes:
    most = round(width * max(image.shape[:2]) / image.shape[1])
    return files.encode_jpeg(shrunk(image, most), quality=90)
