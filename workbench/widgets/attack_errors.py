"""The errors of an attack detector at a threshold, measured on phantom presentations."""

from __future__ import annotations

from typing import Any

import traitlets as t

from ..core import Estimate
from ..methods import phantom_presentations as measured
from ..metrics.presentations import Presentations
from .base import Bench
from .messages import answers
from .work import Job


class AttackErrors(Bench):
    """APCER of each species, the worst first, and BPCER; a part of `SpoofCheck`.

    Args:
        load: gives the `models.AttackDetector`; it is called when it is needed.
        **kwargs: traits.

    Attributes:
        errors: `measured.ErrorsAt`, or None until the scores are there.
        threshold: of the attack score.
        table: rows of words.
        summary: APCER and BPCER in a line; "" until the scores are there.
    """

    front = "attack_errors"
    sheets = ("spoof_check",)

    errors = t.Instance(measured.ErrorsAt, allow_none=True, default_value=None)
    threshold = t.Float(0.5).tag(sync=True)
    table = t.List().tag(sync=True)
    summary = t.Unicode("").tag(sync=True)
    source = t.Unicode(measured.SOURCE).tag(sync=True)

    def __init__(self, load: Any, **kwargs: Any) -> None:
        self._load = load
        self._scores: Presentations | None = None
        super().__init__(**{"label": "Errors at this threshold", **kwargs})
        self.observe(lambda change: self._judge(), "threshold")

    @answers()
    def measure(self) -> None:
        """Compute the scores, or find them where they were kept."""

        def compute(job: Job) -> Presentations:
            return measured.scores(self._load(), progress=job.progress)

        self.work("drawing and judging phantom presentations; they are kept", compute, self._take)

    def find_kept(self) -> None:
        """Take the scores if they were computed before."""
        self.work(
            "", lambda job: measured.kept_scores(self._load()),
            lambda found: None if found is None else self._take(found), quick=True,
        )  # fmt: skip

    def _take(self, found: Presentations) -> None:
        self._scores, self.source = found, measured.source(self._load().name)
        self._put(measured.errors_at(found, self.threshold))

    def _judge(self) -> None:
        scores, threshold = self._scores, self.threshold
        if scores is not None:
            self.work("", lambda job: measured.errors_at(scores, threshold), self._put, quick=True)

    def _put(self, found: measured.ErrorsAt) -> None:
        with self.hold_sync():
            self.table = [row(f"APCER {name}", e, e.counts["attacks"]) for name, e in found.by_species.items()] + [
                row("BPCER", found.bpcer, found.bonafide)
            ]
            self.summary = summary(found)
            self.errors = found

    def describe(self) -> str:
        """The errors in a line."""
        return f"{self.summary}; {self.source}" if self.summary else f"not measured yet ({self.source})"


def summary(found: measured.ErrorsAt) -> str:
    """APCER of the worst species and BPCER, with intervals."""
    worst = next(iter(found.by_species), "no species")
    missing = (
        f"; no face was found in {found.failures} of {found.tried}, which no rate counts" if found.failures else ""
    )
    return (
        f"attack when the score is above {found.threshold:.3g}: APCER {percent(found.apcer)} (worst species: {worst}), "
        f"BPCER {percent(found.bpcer)}{missing}"
    )


def row(name: str, found: Estimate, tried: int) -> dict[str, Any]:
    """One line of the table."""
    share = float(found) if found.defined else None
    return {"name": name, "rate": percent(found), "share": share, "counts": f"{found.counts['errors']} of {tried}"}


def percent(found: Estimate) -> str:
    """A rate in per cent with its interval, or why there is none."""
    if not found.defined:
        return str(found.value)
    text = f"{100 * float(found):.3g} %"
    if isinstance(found.low, float) and isinstance(found.high, float):
        text += f" [{100 * found.low:.3g}, {100 * found.high:.3g}]"
    return text
