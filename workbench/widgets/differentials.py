"""`Differentials`: error rates of groups at one threshold, and how far they lie apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import metrics
from ..core import DataError, Estimate, Number, Samples, Scores, ShapeError, Undefined, UnknownNameError
from ..data.scorefiles import read_scores
from ..metrics import differentials
from ..metrics.operating import Point
from .base import Bench
from .messages import answers
from .showing import card, figure
from .work import Job, SupersededError, asked_by_browser

RESAMPLES = 200
ALPHA = 0.5
IDEAL = {name: 0.0 if name == "GARBE" else 1.0 for name in differentials.SUMMARIES}
WITH_ALPHA = ("FDR", "IR", "GARBE")
_NO_PEOPLE = "no intervals: the scores do not say which capture subjects were compared"
Names = NDArray[np.str_]


class Differentials(Bench):
    """FMR and FNMR of every group at a threshold that is common to all (ISO/IEC 19795-10).

    ``Differentials(scores, groups)``, ``Differentials(scores, "gender", samples=samples)`` or
    ``Differentials("scores.csv")``. The groups are what the data set says of its people; nothing is guessed from
    faces. ``traitlets.link((curves, "threshold"), (differentials, "threshold"))`` lets one slider move both.

    Args:
        scores: one arm's, or a score file that has groups.
        groups: ``(n, 2)`` group of each trial's reference and probe; ``(m,)`` group of each sample, if the trials'
            indices mean samples; or the name of an attribute of ``samples``. "", None or NaN where it is not known.
        samples: whose attribute is meant.
        by: what the groups are, in a word.
        origin: where the labels come from.
        **kwargs: traits, e.g. ``threshold=0.3``.

    Attributes:
        threshold: accept when score >= threshold; by default that of the equal error rate of all.
        rows: of every group, rates and counts.
        summaries: FDR, IR, GARBE and the ratios; None with a reason where one is not defined.
        rest: the intervals, with the threshold that they belong to.
    """

    front = "differentials"
    sheets = ("chart", "curves")
    writable = frozenset({"threshold"})

    threshold = t.Float(0.0).tag(sync=True)
    facts = t.Dict().tag(sync=True)
    rows = t.List().tag(sync=True)
    summaries = t.List().tag(sync=True)
    rest = t.Dict().tag(sync=True)

    def __init__(
        self, scores: Scores | str | Path, groups: Any = None, *, samples: Samples | None = None, by: str = "",
        origin: str = "the data set's own labels", **kwargs: Any,
    ) -> None:  # fmt: skip
        self._known = True
        if isinstance(scores, str | Path):
            found = read_scores(scores)
            if found.groups is None and groups is None:
                raise DataError(
                    "this score file has no groups", given=Path(scores).name,
                    expected="columns group_reference and group_probe",
                )  # fmt: skip
            scores, self._known = found.scores, found.subjects is not None
            groups = found.groups if groups is None else groups
        if not isinstance(scores, Scores):
            raise ShapeError("these are no scores", given=type(scores).__name__, expected="Scores, or a score file")
        by = by or (groups if isinstance(groups, str) else "group")
        reference, probe = _sides(scores, groups, samples)
        start = metrics.eer_threshold(scores)
        threshold = float(start) if isinstance(start, float) and np.isfinite(start) else 0.0
        whole = differentials.Groups(scores, reference, probe, threshold)
        if not whole.names:
            raise DataError("no trial says its groups", given=by, expected="a label for the people compared")
        self._groups = whole
        within = (reference == probe) & (reference != "")
        self._within = _subset(whole, within)
        self._parts = differentials.within_groups(whole)
        super().__init__(**{"label": f"Differentials by {by}", "threshold": threshold, **kwargs})
        ends = [e for part in self._parts.values() if part.thresholds for e in part.thresholds]
        self.facts = {
            "by": by, "origin": origin, "arm": scores.arm, "low": min(ends, default=0.0),
            "high": max(ends, default=1.0),
            "unknown": int(((reference == "") | (probe == "")).sum()),
            "between": int(((reference != probe) & (reference != "") & (probe != "")).sum()),
            "alpha": ALPHA, "few": differentials.FEW_ERRORS,
        }  # fmt: skip
        self._move()

    @answers()
    def intervals(self) -> None:
        """Compute the intervals at the threshold that is set."""
        threshold = self.threshold

        def compute(job: Job) -> dict[str, Any]:
            return self._intervals(threshold, job)

        def put(made: dict[str, Any]) -> None:
            self.rest = made

        self.work("computing intervals", compute, put, quick=True)

    def describe(self) -> str:
        """How many groups, at which threshold, how far apart."""
        said = ", ".join(_said(s) for s in self.summaries[:3])
        names = ", ".join(r["group"] for r in self.rows)
        return f"{len(self.rows)} groups by {self.facts['by']} ({names}) at threshold {self.threshold:.6g}: {said}"

    def static_html(self) -> str:
        """Rates of the groups with intervals as a figure, and the summaries in words."""
        from ..figures.intervals import groups_figure

        rested = self.rest.get("threshold") == self.threshold
        listed: dict[str, list[tuple[str, Estimate]]] = {}
        for error, key in (("FMR", "fmr"), ("FNMR", "fnmr")):
            ends = [r[key] if rested else None for r in self.rest.get("rows", self.rows)]
            listed[error] = [
                (row["group"], _estimate(row, key, e)) for row, e in zip(self.rows, ends, strict=True)
            ]  # fmt: skip
        title = f"{self.facts['arm']}, T = {self.threshold:.6g} for all groups"
        png = groups_figure(listed, title).png()
        rows = {"": self.describe()}
        rows |= {row["group"]: _row_said(row) for row in self.rows}
        rows |= {
            s["name"]: f"{_said(s).removeprefix(s['name']).strip()} (alike: {s['ideal']:g})" for s in self.summaries
        }
        return card(self.label, rows, [figure(png, self.describe())], note=self._note())

    def _note(self) -> str:
        facts = self.facts
        words = {"unknown": "without a label are left out", "between": "between two groups are not counted"}
        left = [f"{facts[k]:,} trials {said}" for k, said in words.items() if facts[k]]
        small = f"small: fewer than {facts['few']} errors, the rate says little"
        said = [f"Groups: {facts['origin']}", small, *left]
        return "; ".join([*said, self.rest.get("rule", "")]).rstrip("; ")

    @t.validate("threshold")
    def _finite(self, proposal: Any) -> float:
        if not np.isfinite(proposal["value"]):
            raise t.TraitError(f"a threshold is a finite number, not {proposal['value']}")
        return float(proposal["value"])

    @t.observe("threshold")
    def _move(self, change: Any = None) -> None:
        if not self.facts:
            return
        points = {name: part.at(self.threshold) for name, part in self._parts.items()}
        with self.hold_sync():
            self.rows = [self._row(name, point) for name, point in points.items()]
            self.summaries = [_summary(name, v) for name, v in differentials.summaries_at(points).items()]
        if not asked_by_browser():
            self.intervals()

    def _row(self, name: str, point: Point) -> dict[str, Any]:
        subjects = self._parts[name].scores.trials.subjects
        return {
            "group": name, "fmr": _plain(point.fmr), "fnmr": _plain(point.fnmr), "false_matches": point.false_matches,
            "nonmated": point.nonmated, "false_nonmatches": point.false_nonmatches, "mated": point.mated,
            "subjects": len(np.unique(subjects)),
            "few_fmr": bool(point.nonmated) and point.false_matches < differentials.FEW_ERRORS,
            "few_fnmr": bool(point.mated) and point.false_nonmatches < differentials.FEW_ERRORS,
            "why": "; ".join(v.reason for v in (point.fmr, point.fnmr) if isinstance(v, Undefined)),
        }  # fmt: skip

    def _intervals(self, threshold: float, job: Job) -> dict[str, Any]:
        if not self._known:
            none: list[Any] = [{"fmr": None, "fnmr": None} for _ in self._parts]
            return {"threshold": threshold, "rows": none, "summaries": [""] * len(IDEAL), "rule": _NO_PEOPLE}
        within = replace(self._within, threshold=threshold)
        rates: list[dict[str, Estimate]] = []
        for measure in (differentials.fmr_by_group, differentials.fnmr_by_group):
            _going(job)
            rates.append(measure(within, resamples=RESAMPLES))
        summaries = []
        for name in differentials.SUMMARIES:
            _going(job)
            summaries.append(differentials.summary(within, name, resamples=RESAMPLES))  # type: ignore[arg-type]
        rows = [
            {"fmr": _ends(rates[0].get(g)), "fnmr": _ends(rates[1].get(g)), "why": _reasons(r.get(g) for r in rates)}
            for g in self._parts
        ]  # fmt: skip
        rule = f"95 % intervals: bootstrap over each group's capture subjects, {RESAMPLES} resamples"
        return {
            "threshold": threshold,
            "rows": rows,
            "summaries": [_ends(s) or _reasons([s]) for s in summaries],
            "rule": rule,
        }


def _sides(scores: Scores, groups: Any, samples: Samples | None) -> tuple[Names, Names]:
    """Groups of the references and of the probes."""
    trials = scores.trials
    if isinstance(groups, str):
        if samples is None:
            raise ShapeError(
                "an attribute is one of samples", given=groups, do="give samples=..., or the groups themselves"
            )
        if groups not in samples.attributes:
            raise UnknownNameError("attribute", groups, samples.attributes)
        groups = samples.attributes[groups]
    labels = _labels(groups)
    if labels.ndim == 2 and labels.shape == (len(trials), 2):
        return labels[:, 0], labels[:, 1]
    highest = int(max(trials.reference.max(), trials.probe.max())) if len(trials) else -1
    if labels.ndim != 1 or len(labels) <= highest:
        raise ShapeError(
            "groups do not fit the trials", given=labels.shape,
            expected=f"({len(trials)}, 2) for the trials, or one label for each of at least {highest + 1} samples",
        )  # fmt: skip
    return labels[trials.reference], labels[trials.probe]


def _labels(groups: Any) -> Names:
    """Labels as text; None and NaN, as tables have them for what is not known, are "" here."""
    given = np.asarray(groups)
    if given.dtype.kind not in "Of":
        return given.astype(np.str_)
    words = ["" if label is None or label != label else str(label) for label in given.reshape(-1).tolist()]
    return np.array(words, np.str_).reshape(given.shape)


def _subset(groups: differentials.Groups, which: NDArray[np.bool_]) -> differentials.Groups:
    scores = groups.scores
    some = Scores(scores.arm, scores.trials.subset(which), scores.values[which], scores.acquired[which])
    return differentials.Groups(some, groups.reference[which], groups.probe[which], groups.threshold, "set by hand")


def _summary(name: str, value: Number) -> dict[str, Any]:
    return {
        "name": name, "value": _plain(value), "why": value.reason if isinstance(value, Undefined) else "",
        "ideal": IDEAL[name], "alpha": ALPHA if name in WITH_ALPHA else None,
    }  # fmt: skip


def _estimate(row: dict[str, Any], key: str, ends: list[float] | None) -> Estimate:
    if row[key] is None:
        return Estimate(Undefined(row["why"]))
    return Estimate(row[key], ends[0], ends[1]) if ends else Estimate(row[key])


def _row_said(row: dict[str, Any]) -> str:
    parts = []
    for error, key, wrong, n in (
        ("FMR", "fmr", "false_matches", "nonmated"), ("FNMR", "fnmr", "false_nonmatches", "mated"),
    ):  # fmt: skip
        small = ", small" if row[f"few_{key}"] else ""
        said = "undefined" if row[key] is None else f"{row[key]:.4g} ({row[wrong]:,} of {row[n]:,}{small})"
        parts.append(f"{error} {said}")
    return f"{', '.join(parts)}; {row['subjects']:,} people" + (f"; {row['why']}" if row["why"] else "")


def _said(summary: dict[str, Any]) -> str:
    alpha = f" (alpha {summary['alpha']:g})" if summary["alpha"] is not None else ""
    value = f"undefined: {summary['why']}" if summary["value"] is None else f"{summary['value']:.4g}"
    return f"{summary['name']}{alpha} {value}"


def _going(job: Job) -> None:
    if job.superseded:
        raise SupersededError


def _plain(number: Number) -> float | None:
    return None if isinstance(number, Undefined) else float(number)


def _ends(estimate: Estimate | None) -> list[float] | None:
    ends = [] if estimate is None else [e for e in (estimate.low, estimate.high) if isinstance(e, float)]
    return ends if len(ends) == 2 else None


def _reasons(estimates: Any) -> str:
    """Why a rate has no interval."""
    said = [e.low.reason for e in estimates if e is not None and isinstance(e.low, Undefined)]
    return "; ".join(dict.fromkeys(said))
