"""`Attributes`: what the workbench's models read off every face of a picture, each value with its stated error."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import models
from ..methods.readings import BRIGHT, DARK, MODELS, WIDTH, FaceReading, read_faces
from ..methods.readings_error import STATED
from .base import Bench
from .face_input import FaceInput
from .messages import Whole, answers
from .showing import Shown, card, figure
from .work import Job

_MEASURE = "a measure: exact by its definition"
_DEFINED: Mapping[str, str] = {
    "sharpness": f"variance of the Laplacian, face box at {WIDTH} pixels, squared grey levels; {_MEASURE}",
    "brightness": f"mean grey level of the face box, 0 to 255; {_MEASURE}",
    "clipped": f"share of pixels at most {DARK} or at least {BRIGHT}; {_MEASURE}",
    "between the eyes": "eye centres by faceapi-landmarks68, pixels of the picture",
}


class AttributesView(Bench):
    """The table of an `Attributes`: quantities down, faces across.

    Args:
        place: where the picture comes from.
        device: see `models.load`.

    Attributes:
        readings: one record per face, in the order of the picture's faces.
        table: the same as texts, with the stated errors.
        chosen: the face that is chosen in the picture.
        seconds: that reading took.
        cards: what to know of the models.
    """

    front = "attributes"
    sheets = ("attributes",)

    readings = t.Tuple()
    table = t.List().tag(sync=True)
    faces = t.Int(0).tag(sync=True)
    chosen = t.Int(-1).tag(sync=True)
    seconds = t.Float(0.0).tag(sync=True)
    cards = t.List().tag(sync=True)
    empty = t.Unicode("").tag(sync=True)

    def __init__(self, place: FaceInput, *, device: str = "auto", **kwargs: Any) -> None:
        self._place, self._device = place, device
        super().__init__(**{"label": "Attributes", "cards": model_cards(), **kwargs})
        t.dlink((place, "chosen"), (self, "chosen"))
        place.observe(lambda change: self.read(), "found")
        self.read()

    @answers(face=Whole(0, 10**6))
    def choose(self, face: int) -> None:
        """Choose a face of the picture."""
        self._place.chosen = face

    def read(self) -> None:
        """Read the picture's faces anew."""
        picture, found = self._place.picture, self._place.found
        if picture is None or found is None or not len(found):
            # It goes through `work` so that a slower reading of the picture before cannot come after it.
            nothing = "no picture" if picture is None else "no face found: nothing to read"
            self.work("", lambda job: None, lambda none: self._put((), 0.0, nothing), quick=True)
            return

        def look(job: Job) -> tuple[tuple[FaceReading, ...], float]:
            start = time.perf_counter()
            return read_faces(picture, found.boxes, device=self._device), time.perf_counter() - start

        self.work("reading faces", look, lambda seen: self._put(seen[0], seen[1], ""))

    def _put(self, readings: tuple[FaceReading, ...], seconds: float, empty: str) -> None:
        with self.hold_sync():
            self.faces, self.seconds, self.empty = len(readings), round(seconds, 3), empty
            self.table = table(readings) if readings else []
            self.readings = readings

    def describe(self) -> str:
        """The faces and what was read, in a line each."""
        if not self.readings:
            return str(self.empty)
        return "; ".join(f"face {i}: {summary(r)}" for i, r in enumerate(self.readings, 1))


class Attributes(Shown, ipywidgets.HBox):  # type: ignore[misc]
    """A picture, and what models read off each of its faces: age, gender presentation, expression, pose, quality.

    Values are as the models see them, not as people are; beside each stands the error that its card states, and the one
    measured on phantom faces.

    Args:
        shown: a picture as `FaceInput` takes it, or a `FaceInput`.
        device: see `models.load`.
        **kwargs: of the `FaceInput`.

    Attributes:
        readings: one `FaceReading` per face; observable.
        input: the `FaceInput`.
        view: the table.
    """

    readings = t.Tuple()

    def __init__(
        self, shown: FaceInput | str | Path | NDArray[np.uint8] | None = None, *, device: str = "auto", **kwargs: Any
    ) -> None:  # fmt: skip
        self.input = shown if isinstance(shown, FaceInput) else FaceInput(shown, **{"device": device, **kwargs})
        self.view = AttributesView(self.input, device=device)
        super().__init__([self.input, self.view])
        self.layout.flex_flow = "row wrap"
        t.dlink((self.view, "readings"), (self, "readings"))

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until the picture is found and read; False when ``timeout`` seconds were not enough for a step."""
        found: bool = self.input.settle(timeout)
        return found and self.view.settle(timeout)

    def describe(self) -> str:
        """The picture and its readings."""
        return f"{self.input.describe()}; {self.view.describe()}" if self.readings else self.input.describe()

    def static_html(self) -> str:
        """The table as words; the picture with its faces numbered where it may be shown."""
        if not self.readings:
            return card(self.view.label, {"": self.describe()})
        rows = {"": f"{self.input.describe()}; values as the models see them"} | {
            row["what"]: f"{' · '.join(row['values'])} ({row['error']})" for row in self.view.table
        }
        if not self.input.may_show:
            return card(self.view.label, rows, note="The picture is left out; show_faces=True keeps it.")
        from ..figures.faces import numbered

        shown = numbered(self.input.picture, np.array([r.box for r in self.readings]))
        return card(self.view.label, rows, [figure(shown.png(), f"{self.input.name}, faces numbered")])


def summary(reading: FaceReading) -> str:
    """One face in a line."""
    said = dict(texts(reading))
    return ", ".join(said[name] for name in ("age", "gender presentation", "expression", "yaw", "pitch", "roll"))


def texts(reading: FaceReading) -> list[tuple[str, str]]:
    """Quantities of one face and their values in words, with units."""
    best = max(reading.expression, key=lambda name: reading.expression[name])
    gender = "masculine" if reading.male >= 0.5 else "feminine"
    turn, good = reading.pose, reading.quality
    return [
        ("age", f"{reading.age:.0f} years"),
        ("gender presentation", f"{gender} ({max(reading.male, 1 - reading.male):.2f})"),
        ("expression", f"{best} ({reading.expression[best]:.2f})"),
        ("yaw", _turned(turn.yaw, "to the picture's right", "to the picture's left")),
        ("pitch", _turned(turn.pitch, "up", "down")),
        ("roll", _turned(turn.roll, "clockwise", "anticlockwise")),
        ("sharpness", f"{good.sharpness:.0f}"),
        ("brightness", f"{good.brightness:.0f}"),
        ("clipped", f"{100 * good.clipped:.1f} %"),
        ("between the eyes", f"{good.eyes:.0f} pixels"),
    ]


def table(readings: Sequence[FaceReading]) -> list[dict[str, Any]]:
    """Rows of quantity, values of all faces, and error."""
    columns = [texts(reading) for reading in readings]
    return [
        {"what": name, "values": [column[row][1] for column in columns], "error": error_of(name)}
        for row, (name, _) in enumerate(columns[0])
    ]


def error_of(name: str) -> str:
    """The stated error of a quantity in words."""
    if name in _DEFINED:
        return _DEFINED[name]
    found = STATED[name.removesuffix(" presentation")]
    percent = found.unit == "%"
    value, low, high = (100 * v if percent else v for v in (found.value, found.low, found.high))
    return f"{found.what} {value:.2g} [{low:.2g}, {high:.2g}] {found.unit} on phantoms; its card states none"


def model_cards() -> list[dict[str, Any]]:
    """What to know of each model: its card as pairs of words."""
    of: dict[str, list[str]] = {}
    for what, name in MODELS.items():
        of.setdefault(name, []).append(what)
    measured = next(iter(STATED.values())).source
    own = {"name": "pose", "of": "yaw, pitch, roll", "facts": [
        ["method", "the turn of phantoms' mean head that fits 68 landmarks best, seen from far away"],
        ["source", "workbench.methods.pose"], ["error measured on", measured],
    ]}  # fmt: skip
    return [_card_of(name, what, measured) for name, what in of.items()] + [own]


def _card_of(name: str, what: list[str], measured: str) -> dict[str, Any]:
    found = models.card(name)
    facts = [
        ["gives", found.output], ["takes", f"{found.input_size[0]} × {found.input_size[1]}, {found.crop}"],
        ["notes", found.notes], ["error", "not stated by its makers"], ["error measured on", measured],
        ["licence", found.licence], ["source", found.source],
    ]  # fmt: skip
    return {"name": name, "of": ", ".join(what), "facts": [fact for fact in facts if fact[1]]}


def _turned(degrees: float, above: str, below: str) -> str:
    rounded = round(degrees)
    return f"{abs(rounded)}° {above if rounded > 0 else below}" if rounded else "0°"
