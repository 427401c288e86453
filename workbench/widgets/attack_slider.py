"""`AttackSlider`: how small a change of a picture moves a recogniser's score, and whether others are fooled too."""

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
from ..figures.portraits import attack_figure
from ..methods.perturbation import GOALS, Perturbed, attack
from ..methods.portraits import Portrait, embed
from .base import Bench
from .face_input import FaceInput
from .finding import Face
from .messages import answers
from .recognisers import Recogniser, check_models, portrait_of, recogniser
from .showing import Shown, card, figure
from .work import Job

BUDGETS = (0, 1, 2, 4, 8, 16)
AMPLIFIED = 8


class AttackView(Bench):
    """One portrait under attack; `AttackSlider` puts it below its inputs.

    Attributes:
        step: index into `BUDGETS`.
        goal: ``"evade"`` lowers the score, ``"impersonate"`` raises it.
        rows: ``[budget, psnr in dB or None, score of each model]``, one for each budget that was tried.
        thresholds: of each model, or None.
        names: of the models; the first is the one that is attacked.
    """

    front = "attack_slider"
    sheets = ("lines",)
    writable = frozenset({"step", "goal"})

    step = t.Int(0, min=0, max=len(BUDGETS) - 1).tag(sync=True)
    budgets = t.List(list(BUDGETS)).tag(sync=True)
    goal = t.Enum(GOALS, "evade").tag(sync=True)
    rows = t.List().tag(sync=True)
    names = t.List().tag(sync=True)
    thresholds = t.List().tag(sync=True)
    ready = t.Bool(False).tag(sync=True)
    revision = t.Int(0).tag(sync=True)

    def __init__(self, models: tuple[str, ...], fmr: float, steps: int, device: str, **kwargs: Any) -> None:
        self._models, self._fmr, self._steps, self._device = models, fmr, steps, device
        self._sides: tuple[Portrait, Portrait] | None = None
        self._tried: dict[tuple[str, int], tuple[Perturbed, list[float]]] = {}
        super().__init__(**kwargs)
        self.names = list(models)

    @property
    def now(self) -> tuple[Perturbed, list[float]] | None:
        """The attacked picture and the models' scores at this budget and goal, or None while they are not there."""
        return self._tried.get((self.goal, BUDGETS[self.step]))

    def faces(self, probe: Face | None, reference: Face | None) -> None:
        """Take the face to change and the one to compare it with."""
        if probe is None or reference is None:
            # It goes through `work` so that an attack on the faces before cannot end after it.
            self.work("", lambda job: None, lambda none: self._without(), quick=True)
            return

        def cut(job: Job) -> list[Portrait]:
            return [portrait_of(f, device=self._device) for f in (probe, reference)]

        def take(made: list[Portrait]) -> None:
            self._tried.clear()
            self._sides = (made[0], made[1])
            self.attack()

        self.work("cutting portraits", cut, take)

    def _without(self) -> None:
        self._tried.clear()
        with self.hold_sync():
            self._sides, self.ready, self.rows = None, False, []
            self.revision += 1

    def attack(self) -> None:
        """Compute what is missing for this goal up to this budget."""
        sides, goal = self._sides, self.goal
        if sides is None:
            return
        wanted = [b for b in BUDGETS[: self.step + 1] if (goal, b) not in self._tried]

        def compute(job: Job) -> tuple[list[Recogniser], dict[tuple[str, int], tuple[Perturbed, list[float]]]]:
            known = [recogniser(spec, fmr=self._fmr, device=self._device) for spec in self._models]
            made: dict[tuple[str, int], tuple[Perturbed, list[float]]] = {}
            for i, budget in enumerate(wanted):

                def progress(done: int, total: int, before: int = i) -> None:
                    job.progress(before * total + done, len(wanted) * total)

                found = attack(
                    *sides, known[0].embedder, goal=goal, budget=budget, steps=self._steps, progress=progress
                )
                scores = [
                    float(np.dot(*embed(k.embedder, [found.portrait, sides[1]]).astype(np.float64))) for k in known
                ]
                made[goal, budget] = (found, scores)
            return known, made

        self.work("attacking", compute, lambda made: self._take(*made))

    def _take(
        self, known: list[Recogniser], made: Mapping[tuple[str, int], tuple[Perturbed, list[float]]]
    ) -> None:  # fmt: skip
        self._tried |= made
        with self.hold_sync():
            self.thresholds = [k.threshold for k in known]
            self._show()

    def _show(self) -> None:
        tried = [(b, self._tried[self.goal, b]) for b in BUDGETS if (self.goal, b) in self._tried]
        self.rows = [
            [b, round(p.psnr, 2) if np.isfinite(p.psnr) else None, [round(s, 4) for s in scores]]
            for b, (p, scores) in tried
        ]
        self.ready = self.now is not None
        self.revision += 1

    @t.observe("step", "goal")
    def _moved(self, change: Any) -> None:
        if self.now is None:
            self.attack()
        else:
            self._show()

    @answers()
    def view(self) -> tuple[Mapping[str, Any], list[bytes]]:
        """The reference, the picture before and after, and the difference made visible, as PNG."""
        now = self.now
        if now is None or self._sides is None:
            raise ShapeError("there is nothing to see", expected="two pictures with a face", do="show both first")
        probe, reference = self._sides
        after = now[0].portrait.picture
        difference = np.clip(128 + AMPLIFIED * (after.astype(np.int64) - probe.picture), 0, 255).astype(np.uint8)
        return {"amplified": AMPLIFIED}, [
            files.encode_png(p) for p in (reference.picture, probe.picture, after, difference)
        ]


class AttackSlider(Shown, ipywidgets.VBox):  # type: ignore[misc]
    """A perturbation's budget against the score: of the recogniser that is attacked, and of others that are not.

    ``AttackSlider("probe.jpg", "reference.jpg")``. The attack is projected gradient descent in the maximum norm
    (Madry et al. 2018) on the first model; scores are those of the 8-bit picture.

    Args:
        probe: what is changed: a file or ``uint8 (h, w, 3)``.
        reference: what it is compared with.
        models: the first is attacked, the others show whether the attack transfers.
        fmr: operating point; its thresholds stand on the models' cards.
        steps: of gradient descent.
        real: whether arrays show real people.
        show_faces: let saved notebooks hold pictures of real people.
        device: see `models.load`.

    Attributes:
        budget: most levels (of 255) by which a value may differ, one of `BUDGETS`.
        goal: ``"evade"`` or ``"impersonate"``.
        scores: of each model at this budget, by name.
        probe, reference: the `FaceInput`s.
        view: the `AttackView`.
    """

    budget = t.Enum(BUDGETS, 0)
    goal = t.Enum(GOALS, "evade")
    scores = t.Dict()

    def __init__(
        self, probe: str | Path | NDArray[np.uint8] | None = None,
        reference: str | Path | NDArray[np.uint8] | None = None, *,
        models: str | Sequence[str] = ("faceapi-recogniser", "phantom-recogniser-112"), fmr: float = 1e-2,
        steps: int = 10, real: bool = True, show_faces: bool = False, device: str = "auto", **kwargs: Any,
    ) -> None:  # fmt: skip
        chosen = check_models(models)
        self._show_faces = show_faces
        options: dict[str, Any] = {"real": real, "show_faces": show_faces, "device": device}
        self.probe = FaceInput(probe, label="Probe", **options)
        self.reference = FaceInput(reference, label="Reference", **options)
        self.view = AttackView(chosen, fmr, steps, device, label="Attack")
        super().__init__([ipywidgets.HBox([self.probe, self.reference]), self.view], **kwargs)
        t.link((self, "budget"), (self.view, "step"), transform=(BUDGETS.index, BUDGETS.__getitem__))
        t.link((self, "goal"), (self.view, "goal"))
        self.view.observe(self._scored, "revision")
        for place in (self.probe, self.reference):
            place.observe(self._again, "face")
        self._again()

    def _again(self, change: Any = None) -> None:
        self.view.faces(self.probe.face, self.reference.face)

    def _scored(self, change: Any) -> None:
        now = self.view.now
        self.scores = {} if now is None else dict(zip(self.view.names, now[1], strict=True))

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for faces and scores."""
        return all(part.settle(timeout) for part in (self.probe, self.reference, self.view))

    def describe(self) -> str:
        """The scores at this budget."""
        if not self.scores:
            return "two pictures with a face are needed"
        said = ", ".join(f"{name} {score:.3f}" for name, score in self.scores.items())
        return f"{self.goal}, budget {self.budget} of 255: {said}"

    def static_html(self) -> str:
        """Scores over the budget, and the pictures where they may be shown."""
        now = self.view.now
        if now is None:
            return card("Attack slider", {"": self.describe()})
        faces = [f for f in (self.probe.face, self.reference.face) if f is not None]
        hidden = any(f.real for f in faces) and not self._show_faces
        budgets = [row[0] for row in self.view.rows]
        scores = {n: [row[2][i] for row in self.view.rows] for i, n in enumerate(self.view.names)}
        before = self.view._sides[0].picture if self.view._sides else None
        pictures = None if hidden or before is None else (before, now[0].portrait.picture)
        drawn = attack_figure(budgets, scores, self.view.thresholds[0], self.view.names[0], pictures)
        note = "The pictures are left out; show_faces=True keeps them." if hidden else ""
        return card("Attack slider", {"": self.describe()}, [figure(drawn.png(), self.describe())], note=note)
