"""Verification, similarity and identification: who is whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import Estimate, Scores, Trials
from ...metrics.decisions import false_match_rate, share, true_match_rate
from ...metrics.resampling import of_means
from ...metrics.verification import auc, eer
from .truth import SUBJECT, Truth, only
from .units import Answered, Found, How, Unit


def verification(replied: Sequence[Unit], truth: Truth, *, how: How, **_: Any) -> Found:
    """Same person or not: accuracy, TMR and FMR as decided, and what the confidence adds."""
    truth.need(SUBJECT, "verification")
    answered = Answered.of(replied)
    same, mated = np.array(answered.values("same_person"), bool), _mated(answered.units)
    numbers = answered.right(same == mated, how)
    numbers["TMR"] = true_match_rate(same, mated, answered.subjects.reshape(-1, 2), **how)
    numbers["FMR"] = false_match_rate(same, mated, answered.subjects.reshape(-1, 2), **how)
    calibration, bins = answered.calibration(same == mated, how)
    sure = np.array([np.nan if c is None else c for c in answered.values("confidence")], np.float64)
    # A model that is 80 % sure of different people holds the same person for 20 % likely.
    scores = _scores(np.where(same, sure, 1 - sure), mated, answered)
    return Found({**numbers, **_curve(scores, how), **calibration}, reliability=bins, scores=scores)


def similarity(replied: Sequence[Unit], truth: Truth, *, how: How, **_: Any) -> Found:
    """How similar, from 0 to 100: no decision, so curves alone."""
    truth.need(SUBJECT, "similarity")
    answered = Answered.of(replied)
    scores = _scores(np.array(answered.values("similarity"), np.float64), _mated(answered.units), answered)
    return Found(_curve(scores, how), scores=scores)


def _mated(units: Sequence[Unit]) -> NDArray[np.bool_]:
    pairs = [[only(r, n)[SUBJECT] for r, n in zip(u.rows, u.names, strict=True)] for u in units]
    return np.array([a == b for a, b in pairs], bool)


def _scores(values: NDArray[np.float64], mated: NDArray[np.bool_], answered: Answered) -> Scores:
    n = len(values)
    codes = np.unique(answered.subjects, return_inverse=True)[1].reshape(n, 2).astype(np.int64)
    at = np.arange(n)
    return Scores("model", Trials(at, at, mated, codes, name="asked pairs"), values, np.isfinite(values))


def _curve(scores: Scores, how: How) -> dict[str, Estimate]:
    return {"AUC": auc(scores, fta="exclude", **how), "EER": eer(scores, fta="exclude", **how)}


def identification(replied: Sequence[Unit], truth: Truth, *, how: How, **_: Any) -> Found:
    """Which candidate, or none: rank-1 rate beside chance, and what happens where the person is not there.

    Each question is a search of its own gallery; the probe's capture subject is resampled.
    """
    truth.need(SUBJECT, "identification")
    answered = Answered.of([replace(u, people=(only(u.rows[0], u.names[0])[SUBJECT],)) for u in replied])
    match = np.array(answered.values("match"), np.int64)
    mates = [_mates(u) for u in answered.units]
    mated = np.array([bool(m) for m in mates], bool)
    hits = np.array([said in m if m else said == 0 for said, m in zip(match, mates, strict=True)], bool)
    chances = [len(m) / (len(u.names) - 1) for m, u in zip(mates, answered.units, strict=True) if m]
    chance = np.array(chances, np.float64)
    people, counts = answered.subjects, {"mated": int(mated.sum()), "nonmated": int((~mated).sum())}
    numbers = answered.right(hits, how)
    rule = "share of mated searches in which the mate is named, of answered"
    numbers["rank-1 rate"] = share(hits[mated], people[mated], rule, counts, **how)
    rule = "mean over mated searches of mates over candidates: naming any candidate blindly"
    numbers["rank-1 rate by chance"] = of_means(chance, people[mated], rule, counts, **{**how, "resamples": 0})
    above = hits[mated] - chance
    numbers["rank-1 rate above chance"] = of_means(above, people[mated], "mean of hit minus chance", counts, **how)
    rule = "share of mated searches in which 'none of them' is said"
    numbers["none said, mated"] = share(match[mated] == 0, people[mated], rule, counts, **how)
    rule = "FPIR: share of non-mated searches in which a candidate is named, at the decision as it was said"
    numbers["FPIR"] = share(match[~mated] != 0, people[~mated], rule, counts, **how)
    calibration, bins = answered.calibration(hits, how)
    return Found({**numbers, **calibration}, reliability=bins)


def _mates(unit: Unit) -> set[int]:
    """Numbers, from 1, of the candidates that show the probe's person."""
    probe, *candidates = (only(r, n)[SUBJECT] for r, n in zip(unit.rows, unit.names, strict=True))
    return {k for k, who in enumerate(candidates, 1) if who == probe}
