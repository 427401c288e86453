"""Score normalisation with a cohort: z-, t-, zt-, s- and adaptive s-norm.

A cohort is a set of samples of people who take no part in the trials. What a reference (z) or a probe (t) scores
against it shows where its non-mated scores lie, and a score is then counted in their standard deviations
(Auckenthaler, Carey and Lloyd-Thomas 2000). A threshold on normalised scores holds for them only, so the arm's name
says how it was normalised.

Cohort scores are given as ``(samples, cohort)``: row ``i`` holds the scores of sample ``i``, as numbered by the trials.
Rows of samples that failed to acquire are never read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..core import Scores, ShapeError
from .steps import Floats

Codes = NDArray[np.int64]
BLOCK = 4096


def z_norm(scores: Scores, cohort: Floats) -> Scores:
    """``(s - mean) / deviation`` of what the trial's reference scores against the cohort.

    Args:
        scores: one arm's scores.
        cohort: ``(samples, cohort)``, two columns or more; the deviation divides by the cohort's size less 1.
    """
    return _named(scores, "z-norm", _counted(scores, cohort, scores.trials.reference), cohort)


def t_norm(scores: Scores, cohort: Floats) -> Scores:
    """``(s - mean) / deviation`` of what the trial's probe scores against the cohort, see `z_norm`."""
    return _named(scores, "t-norm", _counted(scores, cohort, scores.trials.probe), cohort)


def s_norm(scores: Scores, cohort: Floats) -> Scores:
    """Mean of z- and t-norm with one cohort (Kenny 2010): the same whichever sample is called the reference."""
    sides = [_counted(scores, cohort, side) for side in (scores.trials.reference, scores.trials.probe)]
    return _named(scores, "s-norm", (sides[0] + sides[1]) / 2, cohort)


def zt_norm(scores: Scores, z_cohort: Floats, t_cohort: Floats, between: Floats) -> Scores:
    """t-norm of z-normalised scores; what the probe scores against the t-cohort is z-normalised too.

    Args:
        scores: one arm's scores.
        z_cohort: ``(samples, z)`` of the references.
        t_cohort: ``(samples, t)`` of the probes.
        between: ``(t, z)`` scores of the t-cohort's members against the z-cohort.
    """
    if between.shape != (t_cohort.shape[1], z_cohort.shape[1]):
        raise ShapeError("the cohorts do not fit", given=between.shape, expected=(t_cohort.shape[1], z_cohort.shape[1]))
    centre, width = _moments(between, np.arange(len(between)))
    normal = z_norm(scores, z_cohort)
    values = _counted(normal, (t_cohort - centre) / width, scores.trials.probe)
    return _named(scores, "zt-norm", values, t_cohort)


def adaptive_s_norm(scores: Scores, cohort: Floats, top: int, *, chosen_by: Literal["own", "other"] = "own") -> Scores:
    """s-norm with the ``top`` cohort members that are most alike (Matejka et al. 2017).

    Args:
        scores: one arm's scores.
        cohort: ``(samples, cohort)``, the same members for references and probes.
        top: how many members; of equal scores the first members count.
        chosen_by: ``"own"``: the reference's statistics come from its own nearest members, the probe's from its own
            (AS-norm 1); ``"other"``: each side's come from the members nearest to the other side (AS-norm 2).
    """
    if not 2 <= top <= cohort.shape[-1]:
        raise ShapeError("too many or too few members", given=top, expected=f"2 <= top <= {cohort.shape[-1]}")
    if chosen_by not in ("own", "other"):
        raise ShapeError("unknown choice of members", given=chosen_by, expected="'own' or 'other'")
    _check(cohort, scores)
    values = np.full(len(scores.trials), np.nan)
    there = np.flatnonzero(scores.acquired)
    for start in range(0, len(there), BLOCK):
        trials = there[start : start + BLOCK]
        rows = cohort[scores.trials.reference[trials]], cohort[scores.trials.probe[trials]]
        nearest = [np.argsort(-row, axis=1, kind="stable")[:, :top] for row in rows]
        if chosen_by == "other":
            nearest.reverse()
        parts = [np.take_along_axis(row, near, axis=1) for row, near in zip(rows, nearest, strict=True)]
        normal = [(scores.values[trials] - p.mean(axis=1)) / _width(p, trials) for p in parts]
        values[trials] = (normal[0] + normal[1]) / 2
    return _named(scores, f"adaptive s-norm, top {top} by {chosen_by} side", values, cohort)


def _check(cohort: Floats, scores: Scores) -> None:
    if cohort.ndim != 2 or cohort.shape[1] < 2:
        raise ShapeError("a cohort has the wrong shape", given=cohort.shape, expected="(samples, two members or more)")
    most = max(int(side.max(initial=-1)) for side in (scores.trials.reference, scores.trials.probe))
    if most >= len(cohort):
        raise ShapeError(
            "the cohort lacks samples",
            given=f"{len(cohort)} rows",
            expected=f"a row for sample {most}, zeros if unused",
        )


def _width(rows: Floats, names: Codes) -> Floats:
    width: Floats = rows.std(axis=1, ddof=1)
    bad = ~(np.isfinite(width) & (width > 0))
    if bad.any():
        raise ShapeError(
            f"{int(bad.sum())} rows of the cohort have no deviation",
            given=f"row {int(names[bad][0])}",
            expected="finite scores that differ",
            do="take other cohort members, or say a failure by acquired=False",
        )
    return width


def _moments(cohort: Floats, used: Codes) -> tuple[Floats, Floats]:
    """Mean and deviation of each row in ``used``, others 0 and 1."""
    centre, width = np.zeros(len(cohort)), np.ones(len(cohort))
    for part in _parts(used):
        width[part] = _width(cohort[part], part)
        centre[part] = cohort[part].mean(axis=1)
    return centre, width


def _parts(used: Codes) -> Iterator[Codes]:
    for start in range(0, len(used), BLOCK):
        yield used[start : start + BLOCK]


def _counted(scores: Scores, cohort: Floats, side: Codes) -> Floats:
    _check(cohort, scores)
    centre, width = _moments(cohort, np.unique(side[scores.acquired]))
    counted: Floats = (scores.values - centre[side]) / width[side]
    return counted


def _named(scores: Scores, how: str, values: Floats, cohort: Floats) -> Scores:
    values = np.where(scores.acquired, values, np.nan)
    return Scores(f"{scores.arm}, {how} (cohort of {cohort.shape[1]})", scores.trials, values, scores.acquired)
