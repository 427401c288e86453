"""An evaluation of all pairs of embeddings that are too many to hold: the low end exactly, by tiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..core import Estimate, Number, Scores, Trials, Undefined
from ..data.embeddings import Embedded
from ..data.protocols import codes
from ..metrics.rates import RULE
from ..metrics.tail import Tail
from .allpairs import AllPairs, Plan, Side, compare_all
from .bands import Det, grid
from .evaluation import FMRS, RESAMPLES, Evaluation, operating_point
from .scoring_job import open_job, run_job

# So many scores are kept and resampled: their part of all comparisons is the largest FMR that is answered.
KEPT = 1_000_000


def of_all_pairs(
    embedded: Embedded, *, job: str | Path | None = None, cluster: Any = None, device: str = "auto",
    resamples: int = RESAMPLES, seed: int = 0, progress: Callable[[int, int], None] | None = None,
) -> Evaluation:  # fmt: skip
    """Every two samples of a file of embeddings compared, in bounded memory.

    Args:
        embedded: of `data.embeddings.read_embeddings`.
        job: folder that keeps finished parts, so that a killed job goes on; None keeps none.
        cluster: a Dask client (see `scoring_job.connect`), with ``job`` only.
        device: see `models.devices.resolve`.
        resamples: of capture subjects; 0 gives no intervals.
        seed: of the bootstrap.
        progress: called with how much is done and how much there is.

    Returns:
        FNMR at low FMRs with thresholds and intervals, and the DET curve as far as the kept scores reach; measures
        that need all scores are undefined.
    """
    plan = _plan(embedded)
    if job is None:
        found = compare_all(plan, device=device, progress=progress)
    else:
        found = run_job(open_job(job, plan), device=device, cluster=cluster, progress=progress)
    facts = {"embeddings": embedded.name, "sha256": embedded.digest, "protocol": "all-pairs, by tiles",
             "score": "cosine, single precision", "samples": len(embedded), "resamples": resamples, "seed": seed,
             "scores kept": len(found.tail.highest), "workbench": __version__,
             "samples that failed to acquire": int((~embedded.acquired).sum())}  # fmt: skip
    return _evaluation(found, embedded.name, facts, resamples, seed)


def _plan(embedded: Embedded) -> Plan:
    side = Side(embedded.embeddings.astype(np.float32), codes(embedded.subjects), embedded.acquired)
    # With how much FMR a given number of kept scores comes depends on how many comparisons there are.
    return Plan(side, fmr=min(0.1, KEPT / max(1, Plan(side).nonmated)), spare=2.0)


def _evaluation(found: AllPairs, name: str, facts: dict[str, object], resamples: int, seed: int) -> Evaluation:
    tail = found.tail
    counts = {"mated": len(tail.mated), "nonmated": tail.nonmated, "failures": tail.failures,
              "subjects": int(found.plan.seen.sum())}  # fmt: skip
    numbers: dict[str, Estimate] = {}
    thresholds: dict[str, Number] = {}
    for fmr in FMRS:
        if fmr <= found.plan.fmr and fmr * tail.nonmated >= 1:
            numbers[operating_point(fmr)] = found.fnmr_at_fmr(fmr, resamples=resamples, seed=seed)
            thresholds[operating_point(fmr)] = found.threshold_at_fmr(fmr)
    for measure in ("EER", "AUC"):
        none = Undefined("needs every score; only the highest non-mated ones are kept", counts)
        numbers[measure] = Estimate(none, counts=counts, unit="fraction")
    empty = np.zeros(0, np.int64)
    trials = Trials(empty, empty, np.zeros(0, bool), np.zeros((0, 2), np.int64), None, f"{name}/all-pairs")
    scores = Scores(Path(name).stem, trials, np.zeros(0), np.zeros(0, bool))
    title = f"{name}, all {tail.nonmated + len(tail.mated):,} pairs"
    return Evaluation(title, scores, numbers, thresholds, _det(tail, found.plan.fmr), counts, facts)


def _det(tail: Tail, reach: float) -> Det | Undefined:
    """The curve as far as the kept scores reach, without a band."""
    targets = grid(tail.nonmated)
    targets = targets[targets <= reach]
    points = [(t, tail.threshold_at_fmr(t), tail.fnmr_at_fmr(t)) for t in targets]
    if not points or any(isinstance(v, Undefined) for p in points for v in p):
        return Undefined("no FMR is reached", tail.counts)
    target, threshold, fnmr = (np.array(c, dtype=np.float64) for c in zip(*points, strict=True))
    fmr = np.array([float(tail.fmr_at(float(t))) for t in threshold])
    return Det(target, fmr, fnmr, threshold, None, None, f"FNMR at the largest attained FMR not above each; {RULE}")
