"""Jobs and runs as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ..runs.queue import Job
from .history import Past
from .shapes import Json, counts, name_of, problem_parts, scrub

_EMPTY: Json = {"fraction": None, "cell": None, "cells": None, "step": None, "steps_done": 0, "line": None}


def positions(active: Iterable[Job]) -> dict[int, int]:
    """The place of each waiting job among those of its device, from 1."""
    found: dict[int, int] = {}
    seen: dict[str, int] = {}
    for job in active:
        if job.state == "queued":
            found[job.id] = seen[job.device] = seen.get(job.device, 0) + 1
    return found


def seconds(of: Job) -> float | None:
    """How long a job has run, or ran."""
    if of.started is None:
        return None
    return round(max(0.0, (of.ended or time.time()) - of.started), 1)


def job(of: Job, title: str, position: int | None, expected: float | None, answers: dict[str, int]) -> Json:
    """One job."""
    return {
        "id": of.id, "study": name_of(of.study), "slug": of.study, "title": title, "parameters": dict(of.parameters),
        "scale": str(of.parameters.get("scale", "")), "device": of.device, "state": of.state,
        "reason": scrub(of.reason) or None, "run": of.run, "fresh": of.fresh, "created": of.created,
        "started": of.started, "ended": of.ended, "seconds": seconds(of), "expected_seconds": expected,
        "position": position, "cancelling": of.cancel is not None and not of.over,
        "restarted_from": of.restarted_from, "origin": of.origin, "progress": _EMPTY | dict(of.progress),
        "counts": answers, "problem": problem_parts(of.problem) if of.problem else None, "changed": of.changed,
    }  # fmt: skip


def event(of: Job, position: int | None) -> Json:
    """What every open tab is told of a job: no path, no parameter, no picture."""
    return {
        "cursor": of.changed, "id": of.id, "study": name_of(of.study), "slug": of.study, "state": of.state,
        "reason": scrub(of.reason) or None, "run": of.run, "seconds": seconds(of), "position": position,
        "cancelling": of.cancel is not None and not of.over, "progress": _EMPTY | dict(of.progress),
    }  # fmt: skip


def run_summary(past: Past, number: int | None, stale: list[str]) -> Json:
    """A row of the history."""
    r = past.record
    return {
        "study": name_of(r.slug), "slug": r.slug, "run": r.id, "status": r.status, "scale": r.scale,
        "started": r.started, "ended": r.ended, "seconds": round(r.ended - r.started, 1), "job": number,
        "owner": past.owner or None if r.status == "running" else None,
        "fraction": past.progress.fraction, "step": past.progress.step,
        "counts": counts(a for _, a in past.verdicts), "stale": stale,
    }  # fmt: skip
