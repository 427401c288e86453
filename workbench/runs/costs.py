"""What a run has cost: time, memory, and which step took most of it."""

from __future__ import annotations

from dataclasses import dataclass

from . import journal
from .index import history
from .kept import Step, steps
from .progress import latest


@dataclass(frozen=True)
class Cost:
    """Of one whole run: start-up, notebook and figures included.

    Attributes:
        study, run, scale: which run it was.
        wall: seconds from its start to its last cell.
        processor: seconds that all threads of its kernel computed.
        peak: most bytes that its kernel held at a time.
        steps: in order; what is not in them is start-up, figures and intervals outside of steps.
    """

    study: str
    run: str
    scale: str
    wall: float
    processor: float
    peak: int
    steps: tuple[Step, ...]

    @property
    def slowest(self) -> Step | None:
        """The step that took longest; None without steps."""
        return max(self.steps, key=lambda s: s.seconds, default=None)

    def share(self, step: Step) -> float:
        """Of the wall time, 0 to 1."""
        return step.seconds / self.wall


def cost(study: str, scale: str | None = None) -> Cost | None:
    """Of the latest committed run of a study that went through in one go; None where there is none.

    A run that took steps from an interrupted one would look too cheap.

    Args:
        study: its slug.
        scale: of the run; any if not given.
    """
    for record in history(study):
        if record.status != "done" or (scale and record.scale != scale):
            continue
        events = latest(journal.read(record.folder))
        ends = [e for e in events if e["event"] == "executed" and "peak" in e]
        done = steps(record.folder)
        if ends and all(s.status == "done" for s in done):
            end = ends[-1]
            wall = float(end["at"]) - record.started
            return Cost(study, record.id, record.scale, wall, end["processor"], end["peak"], tuple(done))
    return None
