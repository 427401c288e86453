"""The tables of a chat model's answers: accuracies, operating point, refusals, cost, and breakdowns by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Samples, Trials
from ..metrics import eer
from ..metrics.attributes import age_mae
from ..metrics.paired import mcnemar, over_folds
from . import chat_faces
from . import chat_scoring as scoring
from .asked import Replies
from .chat_dedicated import Compared, Readings

Numbers = dict[str, Estimate]
Codes = NDArray[np.int64]
CHAT, NETWORK = "chat model", "dedicated network"
VERIFICATION, SEX, AGE = "verification", "labelled sex/gender", "age range"
SEXES = ("labelled female", "labelled male")
SHARPNESS = ("least sharp third", "middle third", "sharpest third")


def of_pairs(samples: Samples, trials: Trials, replies: Replies, beside: Compared) -> Numbers:
    """Everything about verification."""
    said, mated, who = scoring.accepted(replies), trials.mated, trials.subjects
    hits = {over: scoring.right(said, mated, over_all=over == "all") for over in ("all", "answered")}
    network = (beside.accepted == mated).astype(np.float64)
    there = np.isfinite(said)
    found = _accuracies(hits, VERIFICATION, who)
    found |= {
        f"accuracy over all, {VERIFICATION}: {NETWORK}": scoring.binomial(network, "threshold best on the other folds"),
        f"accuracy over folds, {VERIFICATION}: {CHAT}": over_folds(hits["all"], beside.fold),
        f"accuracy over folds, {VERIFICATION}: {NETWORK}": over_folds(network, beside.fold),
        f"EER: {NETWORK}": eer(beside.as_scores(trials)),
        "McNemar's exact p-value, chat model and network": mcnemar(hits["all"] == 1, network == 1),
        "McNemar's mid-p-value, chat model and network": mcnemar(hits["all"] == 1, network == 1, variant="mid-p"),
        "McNemar's exact p-value over answered, chat model and network": mcnemar(
            hits["all"][there] == 1, network[there] == 1
        ),
        f"accuracy over what the chat model answered, {VERIFICATION}: {NETWORK}": scoring.binomial(
            np.where(there, network, np.nan), "threshold best on the other folds; pairs without an answer left out"
        ),
    }
    found |= scoring.operating_point(said, mated, who, CHAT)
    found |= scoring.operating_point(beside.accepted, mated, who, NETWORK)
    found |= scoring.outcomes(replies, who, VERIFICATION)
    found |= scoring.trust(replies, hits["answered"], who, CHAT)
    detail = chat_faces.sharpness(samples)
    least = chat_faces.thirds(np.minimum(detail[trials.reference], detail[trials.probe]))
    groups = {"less sharp picture": (SHARPNESS, least)}
    return found | scoring.breakdown(hits["answered"], groups, who, f"accuracy over answered, {VERIFICATION}")


def _accuracies(hits: Mapping[str, NDArray[np.float64]], task: str, who: Codes) -> Numbers:
    """Over all and over the answered, with the interval of a binomial and with that of people drawn again."""
    found: Numbers = {}
    for over, values in hits.items():
        rule = f"share right over {over}"
        found[f"accuracy over {over}, {task}: {CHAT}"] = scoring.binomial(values, rule)
        found[f"accuracy over {over}, {task}, people drawn again: {CHAT}"] = scoring.rate(values, who, rule)
    return found


def of_singles(samples: Samples, sex: Replies, age: Replies, beside: Readings | None) -> Numbers:
    """Everything about sex and age."""
    who, masculine = chat_faces.people(samples), np.asarray(samples.attributes["masculine"])
    years = np.asarray(samples.attributes["age"])
    said, ranges = scoring.accepted(sex), age.decided
    hits = {over: scoring.right(said, masculine, over_all=over == "all") for over in ("all", "answered")}
    within = {over: scoring.inside(ranges, years, over_all=over == "all") for over in ("all", "answered")}
    found = _accuracies(hits, SEX, who) | _accuracies(within, AGE, who)
    found |= scoring.age_numbers(ranges, years, who, CHAT)
    found |= scoring.outcomes(sex, who, SEX) | scoring.outcomes(age, who, AGE)
    groups = grouped(samples)
    width = ranges[:, 1] - ranges[:, 0]
    for what, values in ((SEX, hits["answered"]), (AGE, within["answered"])):
        found |= scoring.breakdown(values, groups, who, f"accuracy over answered, {what}")
    found |= scoring.mean_by_group(width, groups["age"], who, "width of the age range, age", "years")
    if beside is not None:
        found |= _read(beside, masculine, years, who)
    return found


def _read(beside: Readings, masculine: NDArray[Any], years: NDArray[Any], who: Codes) -> Numbers:
    there = np.isfinite(beside.age)
    return {
        f"accuracy over all, {SEX}: {beside.name}":
            scoring.binomial((beside.masculine == masculine).astype(np.float64), "share right; no face is wrong"),
        f"age MAE: {beside.name}": age_mae(beside.age[there], years[there].astype(np.float64), who[there]),
    }  # fmt: skip


def grouped(samples: Samples) -> dict[str, tuple[tuple[str, ...], Codes]]:
    """Groups of labelled faces: age decade, labelled sex, skin tone where it is known, and sharpness."""
    decade = np.asarray(samples.attributes["age"], np.int64) // 10
    there = np.unique(decade)
    groups: dict[str, tuple[tuple[str, ...], Codes]] = {
        "age": (tuple(f"{10 * d}-{10 * d + 9}" for d in there), np.searchsorted(there, decade)),
        "sex": (SEXES, np.asarray(samples.attributes["masculine"], np.int64)),
        "sharpness": (SHARPNESS, chat_faces.thirds(chat_faces.sharpness(samples))),
    }
    if "skin_type" in samples.attributes:
        tones = tuple(str(t) for t in range(1, 7))
        groups["skin type"] = (tones, np.asarray(samples.attributes["skin_type"], np.int64) - 1)
    return groups
