"""`FaceInput`: a picture of a face, from a file, the clipboard, a webcam, a data set or an array."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import data, files
from ..core import Samples, ShapeError, UnknownNameError
from .base import Bench
from .finding import Face, Found, finder, largest
from .messages import Number, Several, Text, Whole, answers
from .showing import card, picture, shrunk
from .work import Job

PAGE = 24
_THUMBNAIL = 96


class FaceInput(Bench):
    """A place for a picture, with its faces.

    ``FaceInput("me.jpg")``, ``FaceInput(array)`` or ``FaceInput()``, and a picture may be dropped, pasted, chosen,
    taken by webcam or picked from a data set. `face` is what other widgets observe.

    Args:
        shown: a file, or ``uint8 (h, w, 3)`` RGB; None for an empty place.
        samples: pictures to browse: a `Samples`, or a data set by its specification (``"lfw:FOLDER"``); by default a
            few phantom faces. None: nothing to browse.
        real: whether an array shows a real person; its picture is then kept out of saved notebooks.
        show_faces: let saved notebooks hold pictures of real people.
        detector: see `models.load`.
        device: likewise.
        **kwargs: traits, e.g. ``label="Reference"``.

    Attributes:
        face: the chosen `Face`, or None: no picture, or no face in it (a failure to acquire).
        picture: ``uint8 (h, w, 3)`` or None.
        found: all faces of the picture.
        chosen: index of the chosen face, -1 where there is none.
        name: where the picture comes from.
        live: whether the webcam may send pictures one after the other.
    """

    front = "face_input"
    sheets = ("face_input",)
    writable = frozenset({"chosen"})

    face = t.Instance(Face, allow_none=True, default_value=None)
    picture = t.Instance(np.ndarray, allow_none=True, default_value=None)
    found = t.Instance(Found, allow_none=True, default_value=None)
    chosen = t.Int(-1).tag(sync=True)
    name = t.Unicode("").tag(sync=True)
    size = t.List(t.Int()).tag(sync=True)
    boxes = t.List().tag(sync=True)
    points = t.List().tag(sync=True)
    revision = t.Int(0).tag(sync=True)
    shelf = t.Bool(False).tag(sync=True)
    live = t.Bool(False).tag(sync=True)

    def __init__(
        self, shown: str | Path | NDArray[np.uint8] | None = None, *, samples: Samples | str | None = "phantom",
        real: bool = True, show_faces: bool = False, detector: str = "faceapi-ssd", device: str = "auto",
        **kwargs: Any,
    ) -> None:  # fmt: skip
        self._detector, self._device, self._show_faces = detector, device, show_faces
        self._samples = samples
        self._subject, self._real = "", real
        super().__init__(**{"label": "Face", **kwargs})
        self.shelf = samples is not None
        if shown is not None:
            self.show(shown, real=real)

    def show(
        self, shown: str | Path | NDArray[np.uint8], *, name: str = "", subject: str = "", real: bool = True
    ) -> None:
        """Take a picture and find its faces.

        Args:
            shown: a file, or ``uint8 (h, w, 3)`` RGB.
            name: to show; the file's own name if not given.
            subject: who is shown.
            real: False where nobody real is shown.

        Raises:
            ImageError: the file is no picture.
            ShapeError: the array is none.
        """
        if isinstance(shown, str | Path):
            self._take(lambda: files.read_image(shown), name or Path(shown).name, subject, real)
            return
        if not isinstance(shown, np.ndarray) or shown.dtype != np.uint8 or shown.ndim != 3 or shown.shape[2] != 3:
            given = (shown.dtype, shown.shape) if isinstance(shown, np.ndarray) else type(shown).__name__
            raise ShapeError("this is no picture", given=given, expected="a file, or uint8 (h, w, 3) RGB")
        self._take(lambda: shown, name or "array", subject, real)

    @answers()
    def clear(self) -> None:
        """Take the picture away."""
        with self.hold_trait_notifications():
            self._put(None, None, "", "", True)

    @answers(buffers=1, name=Text(200))
    def take(self, name: str, buffers: list[bytes]) -> None:
        """A picture from the browser, encoded as its file was."""
        if len(buffers) != 1:
            raise ShapeError("no picture came with this", given=len(buffers), expected="one file")
        self._take(lambda: files.decode_image(buffers[0], name=name), name, "", True)

    @answers(box=Several(Number(), length=4))
    def correct(self, box: list[float]) -> None:
        """Put a face where the person says it is."""
        shown = self.picture
        if shown is None:
            raise ShapeError("there is no picture to correct", do="show one first")
        height, width = shown.shape[:2]
        x1, y1, x2, y2 = box
        if min(x1, y1, x2 - x1 - 8, y2 - y1 - 8, width - x2, height - y2) < 0:
            raise ShapeError("this is no box in the picture", given=box, expected=f"x1 y1 x2 y2 in {width} × {height}")
        boxes = np.array([box], np.float32)

        def place(job: Job) -> Found:
            return Found(boxes, np.ones(1, np.float32), finder(self._detector, self._device).points(shown, boxes))

        self.work("placing landmarks", place, lambda found: self._faces(found))

    @answers(width=Whole(16, 2048))
    def view(self, width: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """The picture for the browser, at most ``width`` pixels wide."""
        if self.picture is None:
            raise ShapeError("there is no picture to see", do="show one first")
        most = round(width * max(self.picture.shape[:2]) / self.picture.shape[1])
        return {}, [files.encode_jpeg(shrunk(self.picture, most), quality=90)]

    @answers(query=Text(200), page=Whole(0, 10**9))
    def browse(self, query: str, page: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """A page of the data set's pictures whose name or person contains ``query``."""
        samples = self._shelf()
        wanted = query.casefold()
        fits = [i for i, name in enumerate(samples.ids) if wanted in f"{name} {samples.subjects[i]}".casefold()]
        pages = max(1, -(-len(fits) // PAGE))
        page = min(page, pages - 1)
        here = fits[page * PAGE : (page + 1) * PAGE]
        items = [{"id": samples.ids[i], "subject": str(samples.subjects[i])} for i in here]
        thumbnails = [files.encode_jpeg(shrunk(samples.images[i], _THUMBNAIL), quality=80) for i in here]
        return {"items": items, "page": page, "pages": pages, "total": len(fits)}, thumbnails

    @answers(id=Text(1000))
    def pick(self, id: str) -> None:
        """A picture of the data set."""
        samples = self._shelf()
        if id not in samples.ids:
            raise UnknownNameError("picture", id, samples.ids)
        index = samples.ids.index(id)
        self._take(lambda: samples.images[index], id, str(samples.subjects[index]), samples.real)

    @property
    def real(self) -> bool:
        """Whether somebody real may be shown."""
        return self._real

    @property
    def may_show(self) -> bool:
        """Whether what is saved may hold the picture: nobody real is shown, or ``show_faces`` was given."""
        return not self._real or self._show_faces

    def describe(self) -> str:
        """The picture and its faces in a line."""
        if self.picture is None:
            return "no picture"
        count = len(self.boxes)
        return f"{self.name}, {self.size[0]} × {self.size[1]}, {count} face{'' if count == 1 else 's'}"

    def static_html(self) -> str:
        """The picture where it may be shown, and what was found."""
        if self.picture is None:
            return card(self.label, {"": "no picture"})
        rows = {"": self.describe()}
        if not self.may_show:
            return card(self.label, rows, note="The picture is left out; show_faces=True keeps it.")
        return card(self.label, rows, [picture(self.picture, f"{self.label}: {self.name}")])

    def _shelf(self) -> Samples:
        if self._samples is None:
            raise UnknownNameError("data set", "none", [], do="give samples=... to browse")
        if isinstance(self._samples, str):
            options = {"subjects": 24, "images": 2, "size": 224} if self._samples == "phantom" else {}
            self._samples = data.open_dataset(self._samples, **options).samples()
        return self._samples

    def _take(self, read: Any, name: str, subject: str, real: bool) -> None:
        def look(job: Job) -> tuple[NDArray[np.uint8], Found]:
            shown = read()
            job.progress(1, 3)
            return shown, finder(self._detector, self._device).find(shown)

        self.work("finding faces", look, lambda seen: self._put(seen[0], seen[1], name, subject, real))

    def _put(
        self, shown: NDArray[np.uint8] | None, found: Found | None, name: str, subject: str, real: bool
    ) -> None:  # fmt: skip
        with self.hold_sync():
            self._subject, self._real = subject, real
            self.picture, self.name = shown, name
            self.size = [] if shown is None else [shown.shape[1], shown.shape[0]]
            self._faces(found)
            # Last: who hears of a new picture finds its face, or none, but never that of the old one.
            self.revision += 1

    def _faces(self, found: Found | None) -> None:
        with self.hold_sync():
            self.found = found
            self.boxes = [] if found is None else [[round(float(v), 1) for v in box] for box in found.boxes]
            self.points = [] if found is None else [[[round(float(v), 1) for v in p] for p in f] for f in found.points]
            chosen = largest(found.boxes) if found is not None and len(found) else -1
            if chosen == self.chosen:
                self._choose()
            self.chosen = chosen

    @t.validate("chosen")
    def _within(self, proposal: Any) -> int:
        most = len(self.boxes) - 1
        if not -1 <= proposal["value"] <= most:
            raise t.TraitError(f"there is no face {proposal['value']}: the picture has {most + 1}")
        return int(proposal["value"])

    @t.observe("chosen")
    def _choose(self, change: Any = None) -> None:
        found, shown = self.found, self.picture
        if shown is None or found is None or not 0 <= self.chosen < len(found):
            self.face = None
            return
        i = self.chosen
        self.face = Face(shown, found.boxes[i], found.points[i], self.name, self._subject, self._real)
