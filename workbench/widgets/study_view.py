"""`StudyView`: a study's latest run: its verdicts against their limits, the paper's numbers beside ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import traitlets as t

from .. import runs, studies
from ..core import Estimate, Result, ShapeError, Undefined, UnknownNameError, Verdict
from ..figures.beside import NOT_OURS, beside, measured_on, rests_on
from .base import Bench
from .messages import Whole, answers
from .showing import card, figure

MARKS = {"supported": "✓", "refuted": "✗", "undecided": "?", "not testable here": "–"}
_ADVICE = {
    "never run": "Run it: workbench run {slug}",
    "running": "It is going on; Refresh shows how far it is.",
    "stale": "Code, data, weights or packages have changed since: run it again for what they say today.",
    "failed": "Mend what failed and run it again; finished steps are kept.",
    "out of memory": "Run it again with a smaller scale, or allow more with --memory; finished steps are kept.",
    "died": "Run it again; finished steps are kept.",
    "stopped": "Run it again; finished steps are kept.",
    "done": "",
}


class StudyView(Bench):
    """What a run of a study found.

    ``StudyView("saliency")`` takes the latest run, ``StudyView(folder)`` a certain one, ``StudyView(result)`` what a
    run has returned. Nothing is computed again: all numbers are those that the run committed.

    Args:
        given: a study's name, a run's folder, or a `Result`.
        **kwargs: traits.

    Attributes:
        slug: of the study.
        status: never run, running, done, stale, failed, out of memory, died or stopped.
        advice: what to do about it.
        result: the `Result` that is shown, or None.
        folder: of the run, or None.
        found: the result as plain values.
        steps: of the run, with their seconds; while it goes on, how far it is.
        figures: the heading above each figure of the run.
    """

    front = "study_view"
    sheets = ("chart", "curves", "study_view")

    slug = t.Unicode("").tag(sync=True)
    status = t.Unicode("").tag(sync=True)
    advice = t.Unicode("").tag(sync=True)
    found = t.Dict().tag(sync=True)
    steps = t.List().tag(sync=True)
    figures = t.List().tag(sync=True)
    result = t.Instance(Result, allow_none=True, default_value=None)
    folder = t.Instance(Path, allow_none=True, default_value=None)

    def __init__(self, given: str | Path | Result, **kwargs: Any) -> None:
        self._given = _checked(given)
        self._figures: list[runs.Figure] = []
        super().__init__(**kwargs)
        self.refresh()
        if "label" not in kwargs:
            self.label = f"Study {self.slug}"

    @answers()
    def refresh(self) -> None:
        """Look again at what lies in the run's folder."""
        state, note = _state(self._given)
        result = state.result
        with self.hold_sync():
            self.slug, self.status, self.folder, self.result = state.slug, state.status, state.folder, result
            trouble = runs.trouble(state.folder) if state.folder and state.status not in ("done", "stale") else ""
            parts = [
                f"It ended with: {trouble}." if trouble else "",
                _ADVICE[state.status].format(slug=state.slug),
                note,
            ]
            self.advice = " ".join(p for p in parts if p)
            self.steps = [] if state.folder is None else [_step(s) for s in runs.steps(state.folder)]
            self._figures = [] if state.folder is None or result is None else runs.figures(state.folder)
            self.figures = [f.after for f in self._figures]
            self.found = {} if result is None else _plain(result, state.at)

    @answers(index=Whole(0, 10_000))
    def figure(self, index: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """A figure of the run as PNG."""
        if index >= len(self._figures):
            raise ShapeError("there is no such figure", given=index, expected=f"0 to {len(self._figures) - 1}")
        return {"after": self._figures[index].after}, [self._figures[index].png]

    def describe(self) -> str:
        """The status, and each verdict in a word."""
        verdicts = self.result.verdicts if self.result else ()
        said = ", ".join(f"{v.claim} {v.answer}" for v in verdicts)
        return f"{self.slug}: {self.status}" + (f"; {said}" if said else "")

    def static_html(self) -> str:
        """The verdicts with their effects as a figure, the paper's numbers beside ours."""
        from ..figures.intervals import effects_figure

        rows = {"status": f"{self.status}. {self.advice}".strip()}
        if self.result is None:
            rows |= {s["name"]: s["status"] for s in self.steps}
            return card(self.label, rows)
        rows |= {f"{v.claim} {MARKS[v.answer]} {v.answer}": f"{v.statement}. {v.reason}" for v in self.result.verdicts}
        for r in self.found["reported"]:
            rows[f"paper, {r['place']}"] = f"{r['metric']}: {r['said']}, on {r['dataset']} — here: {_ours_said(r)}"
        rows |= {"data": str(self.found["data"]), "notes": "; ".join(self.result.notes)}
        note = "Dots are effects with their intervals; the shaded side of the limit supports the claim."
        png = figure(effects_figure(self.result).png(), self.describe())
        return card(self.label, {k: v for k, v in rows.items() if v}, [png], note=note)


def _checked(given: Any) -> str | Path | Result:
    if isinstance(given, Path | Result):
        return given
    if not isinstance(given, str):
        raise ShapeError("this is no study", given=type(given).__name__, expected="a name, a run's folder or a Result")
    if given in studies.names() or runs.history(given):
        return given
    if Path(given).is_dir():
        return Path(given)
    raise UnknownNameError("study", given, studies.names(), do="`workbench list` shows all")


def _state(given: str | Path | Result) -> tuple[runs.State, str]:
    """Where it stands, and what must be known of the result that is shown."""
    if isinstance(given, Result):
        of_it = [r for r in runs.history(given.study) if r.status == "done" and r.result == given]
        if not of_it:
            return runs.State(given.study, "done", None, given), "Its folder is not to be found: no figures, no steps."
        return runs.look(of_it[0].folder), ""
    if isinstance(given, Path):
        return runs.look(given), ""
    state = runs.state(given)
    earlier = runs.committed(given)
    if state.result is not None or earlier is None:
        return state, ""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(earlier.ended))
    known = runs.State(state.slug, state.status, state.folder, earlier.result, earlier.ended)
    return known, f"The numbers below are those of an earlier run, committed {when}."


def _step(step: runs.Step) -> dict[str, Any]:
    return {"name": step.name, "status": step.status, "seconds": step.seconds}


def _plain(result: Result, at: float) -> dict[str, Any]:
    """The result as plain values: numbers are finite, what is undefined is None with its reason."""
    return {
        "version": result.version, "title": _title(result.study), "data": measured_on(result),
        "when": time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at else "",
        "verdicts": [_verdict(v) for v in result.verdicts],
        "reported": [asdict(b) for b in beside(result)],
        "numbers": [{"name": n, "said": str(e), "unit": e.unit, "n": rests_on(e), "rule": e.rule}
                    for n, e in result.numbers.items()],
        "facts": [[name, [[str(k), str(v)] for k, v in facts.items()]] for name, facts in (
            ("Parameters", result.parameters), ("Seconds by step", result.timings),
            ("Environment", result.environment))],
        "notes": list(result.notes),
    }  # fmt: skip


def _title(slug: str) -> str:
    return studies.listing(slug).title if slug in studies.names() else ""


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "claim": verdict.claim, "statement": verdict.statement, "answer": verdict.answer,
        "mark": MARKS[verdict.answer], "reason": verdict.reason,
        "effect": _effect(verdict.effect), "limit": verdict.limit, "direction": verdict.direction,
        "parts": [_verdict(p) for p in verdict.parts],
    }  # fmt: skip


def _effect(effect: Estimate | None) -> dict[str, Any] | None:
    if effect is None or isinstance(effect.value, Undefined):
        return None
    ends = [e for e in (effect.low, effect.high) if isinstance(e, float)]
    return {
        "value": float(effect.value), "ends": ends if len(ends) == 2 else None, "n": rests_on(effect),
        "unit": effect.unit, "level": effect.level,
    }  # fmt: skip


def _ours_said(row: Mapping[str, Any]) -> str:
    return NOT_OURS if row["ours"] is None else f"{row['ours']} ({row['key']}), on {row['ours_on']}"
