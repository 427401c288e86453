"""`PhantomStudio`: every factor of a phantom face as a control, rendered as it moves, with the code that makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import files
from ..core import ParameterError, UnknownNameError
from ..data import phantom
from ..figures.phantom import LAYERS, layer_picture
from .base import Bench
from .messages import EXACT, Number, Several, Text, Whole, answers
from .showing import card, picture
from .work import Job

_BY_NAME = {f.name: f for f in phantom.FACTORS}


class PhantomStudio(Bench):
    """A person who does not exist, and every knob of the picture.

    ``PhantomStudio()`` or ``PhantomStudio(person=7)``. What was set is in `scene` and, as Python, in `code`.

    Args:
        person: seed of the person.
        size: side of the picture, 64 to 512 pixels.
        **kwargs: traits.

    Attributes:
        person: the seed, as text: it may be larger than JavaScript's numbers are exact. May be set.
        values: the factors that differ from a passport picture, as plain values; large numbers as text.
        layer: what is shown: the colour picture, or one of its truths.
        code: Python that renders the very picture.
        rgb: ``uint8 (s, s, 3)``, the colour picture as it is rendered last.
    """

    front = "phantom_studio"
    sheets = ("phantom_studio",)
    writable = frozenset({"layer"})

    person = t.Unicode("0").tag(sync=True)
    values = t.Dict().tag(sync=True)
    controls = t.List().tag(sync=True)
    layers = t.List(list(LAYERS)).tag(sync=True)
    layer = t.Enum(LAYERS, LAYERS[0]).tag(sync=True)
    code = t.Unicode("").tag(sync=True)
    revision = t.Int(0).tag(sync=True)
    rgb = t.Instance(np.ndarray, allow_none=True, default_value=None)

    def __init__(self, *, person: int = 0, size: int = 224, **kwargs: Any) -> None:
        if not 64 <= size <= 512:
            raise ParameterError("size is out of range", given=size, expected="64 to 512 pixels")
        self._size, self._begun = size, False
        self._shown: NDArray[np.uint8] | None = None
        first = str(_number(str(person), "person"))
        super().__init__(**{"label": "Phantom studio", "person": first, **kwargs})
        self.controls = [_control(f) for f in phantom.FACTORS]
        self._begun = True
        self._begin()

    @property
    def scene(self) -> phantom.Scene:
        """The picture's scene, for `phantom.render`."""
        return self._scene

    @answers(seed=Text(20))
    def choose(self, seed: str) -> None:
        """Another person, all factors as on a passport picture of theirs."""
        known = str(_number(seed, "person"))
        if known == self.person:
            self._begin()
        self.person = known

    @answers(name=Text(40), start=Whole(0, 63), values=Several(Number(), longest=64))
    def change(self, name: str, start: int, values: list[float]) -> None:
        """Set a factor's values from place ``start`` of its flat list on."""
        factor = _factor(name)
        whole = np.array(self._scene.factors[name], np.float64 if factor.dtype is np.float32 else factor.dtype)
        flat = whole.reshape(-1)
        if not values or start + len(values) > flat.size:
            raise ParameterError(f"{name} has {flat.size} values", given=f"{len(values)} from place {start}")
        flat[start : start + len(values)] = values
        self._put(self._scene.replace(**{name: whole}))

    @answers(name=Text(40), seed=Text(20))
    def seed(self, name: str, seed: str) -> None:
        """Set a factor that is a seed; as text, because it may be larger than JavaScript's numbers are exact."""
        _factor(name)
        self._put(self._scene.replace(**{name: _number(seed, name)}))

    @answers(name=Text(40))
    def reset(self, name: str) -> None:
        """Set one factor, or with ``""`` all of them, as on a passport picture."""
        names = [_factor(name).name] if name else list(_BY_NAME)
        self._put(self._scene.replace(**{n: self._start.factors[n] for n in names}))

    @answers(seed=Text(20))
    def surprise(self, seed: str) -> None:
        """Draw pose, light, expression and the rest at random, from a named seed."""
        people = self._start.identity
        self._put(phantom.varied(people, phantom.VARY, ["studio"], seed=_number(seed, "seed")))

    @answers()
    def view(self) -> tuple[Mapping[str, Any], list[bytes]]:
        """The layer that is chosen, as PNG."""
        if self._shown is None:
            raise ParameterError("nothing is rendered yet", do="wait a moment")
        return {}, [files.encode_png(self._shown)]

    @t.validate("person")
    def _a_seed(self, proposal: Any) -> str:
        try:
            return str(_number(proposal["value"], "person"))
        except ParameterError as error:
            # traitlets takes back what a validator refused by a `TraitError` alone.
            raise t.TraitError(str(error)) from error

    @t.observe("person")
    def _begin(self, change: Any = None) -> None:
        if self._begun:
            self._start = phantom.frontal(phantom.identities(1, seed=int(self.person)))
            self._put(self._start)

    @t.observe("layer")
    def _relayer(self, change: Any) -> None:
        if self._begun:
            self._put(self._scene)

    def _put(self, scene: phantom.Scene) -> None:
        """Take a scene and render it; while it is rendered a newer one may come, which is then rendered instead."""
        self._scene = scene
        self.values = _differences(self._start, scene)
        self.code = self._code()
        layer, size = self.layer, self._size

        def draw(job: Job) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
            rgb = phantom.render(scene, size).rgb[0]
            return rgb, rgb if layer == LAYERS[0] else layer_picture(scene, layer, size)

        def show(drawn: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
            self.rgb, self._shown = drawn
            self.revision += 1

        self.work("rendering", draw, show, quick=True)

    def _code(self) -> str:
        lines = [
            "from workbench.data import phantom",
            "",
            f"person = phantom.identities(1, seed={int(self.person)})",
            "scene = phantom.frontal(person)",
        ]
        if self.values:
            said = ", ".join(f"{n}={_python(n, self._scene)}" for n in self.values)
            lines.append(f"scene = scene.replace({said})")
        return "\n".join([*lines, f"rgb = phantom.render(scene, {self._size}).rgb[0]"])

    def describe(self) -> str:
        """The person and what was set."""
        changed = ", ".join(self.values) or "nothing"
        return f"person {self.person}; changed from a passport picture: {changed}"

    def static_html(self) -> str:
        """The picture and its code: nobody is shown, so nothing is left out."""
        shown = [] if self.rgb is None else [picture(self.rgb, f"phantom face, person {self.person}")]
        return card(self.label, {"": self.describe(), "code": self.code.replace("\n", " ⏎ ")}, shown)


def _factor(name: str) -> phantom.Factor:
    if name not in _BY_NAME:
        raise UnknownNameError("phantom factor", name, _BY_NAME)
    return _BY_NAME[name]


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) >= 2**63:
        raise ParameterError(f"{name} is no seed", given=text, expected="a whole number from 0 to 2**63 - 1")
    return int(text)


def _control(factor: phantom.Factor) -> dict[str, Any]:
    """What the browser must know of a factor."""
    size = int(np.prod(factor.shape, initial=1))
    # Colours that cannot be lighter than white get a colour field; others a slider for each value.
    colour = factor.shape[-1:] == (3,) and factor.high == 1
    kind = "choice" if factor.choices else "seed" if factor.high > EXACT else "colour" if colour else "number"
    if factor.name == "movements":
        parts = [m.replace("_", " ") for m in phantom.MOVEMENTS]
    elif colour:
        parts = [str(i + 1) for i in range(size // 3)] if size > 3 else [""]
    elif size == 2:
        parts = ["right", "down" if factor.name in ("shift", "motion") else "up"]
    else:
        parts = ["red", "green", "blue"] if size == 3 else [""]
    default = [] if kind == "seed" else np.asarray(factor.full(1)[0], np.float64).reshape(-1).tolist()
    return {
        "name": factor.name, "group": factor.group, "meaning": factor.meaning, "low": factor.low,
        "high": min(factor.high, float(EXACT)), "kind": kind, "whole": factor.whole, "parts": parts,
        "choices": list(factor.choices), "default": default,
    }  # fmt: skip


def _differences(start: phantom.Scene, scene: phantom.Scene) -> dict[str, Any]:
    """Factors of one picture that are not as in the other; values as flat lists, seeds as text."""
    changed = [n for n in _BY_NAME if not np.array_equal(start.factors[n], scene.factors[n])]
    return {n: _plain(n, scene.factors[n][0]) for n in changed}


def _plain(name: str, value: NDArray[Any]) -> Any:
    if _BY_NAME[name].high > EXACT:
        return str(int(value))
    return [round(float(v), 6) for v in np.asarray(value, np.float64).reshape(-1)]


def _python(name: str, scene: phantom.Scene) -> str:
    """A factor's value as Python, to the bit."""
    factor, value = _BY_NAME[name], scene.factors[name][0]
    if factor.choices:
        return repr(factor.choices[int(value)])
    number: Callable[[Any], str] = (lambda v: str(int(v))) if factor.dtype is np.int64 else (lambda v: repr(float(v)))
    return _nested(value, number)


def _nested(value: NDArray[Any], number: Callable[[Any], str]) -> str:
    if np.ndim(value) == 0:
        return number(value)
    return f"[{', '.join(_nested(v, number) for v in value)}]"
