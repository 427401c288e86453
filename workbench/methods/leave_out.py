"""Searches of a gallery for its own people: what a threshold does there, without any other pictures.

Every sample is a probe twice: among all other samples, where its subject stays enrolled (a mated search, if there is
another sample of it), and among the samples of all other subjects (a non-mated search).
"""

from __future__ import annotations

import numpy as np

from ..metrics.identification import Searches
from .allpairs import Side, finite_rows

ROWS = 256


def searches_within(side: Side, *, most: int = 2000) -> Searches:
    """Mated and non-mated searches of a gallery for its own samples.

    Args:
        side: the gallery. A sample that failed to acquire is a mated search without a score, and finds nobody.
        most: samples that are searched for, spread evenly over all; each is searched for among all others.

    Returns:
        The mated searches, then the non-mated ones. A gallery without two samples of one subject has no mated ones,
        one with a single subject no non-mated ones.
    """
    n = len(side)
    gallery = side.present
    owners = side.subjects[gallery]
    vectors = finite_rows(side.embeddings, gallery).astype(np.float64)
    probes = np.unique(np.linspace(0, max(n - 1, 0), min(n, most)).astype(np.int64))
    mate, rival = np.full(n, -np.inf), np.full(n, -np.inf)
    rank = np.zeros(n, np.int64)
    there = np.flatnonzero(np.isin(gallery, probes))
    for start in range(0, len(there), ROWS):
        rows = there[start : start + ROWS]
        # Single precision forgets in which order a product was summed: who looks the same ties, and a tie loses.
        scores = (vectors[rows] @ vectors.T).astype(np.float32)
        same = owners[rows, None] == owners
        others = np.where(same, -np.inf, scores)
        own = np.where(same, scores, -np.inf)
        own[np.arange(len(rows)), rows] = -np.inf
        at, best = gallery[rows], own.max(axis=1)
        mate[at], rival[at] = best, others.max(axis=1)
        rank[at] = np.where(np.isneginf(best), 0, 1 + (others >= best[:, None]).sum(axis=1))
    enrolled = np.bincount(side.subjects)[side.subjects[probes]] if n else np.zeros(0, np.int64)
    mated, alone = probes[enrolled >= 2], probes[enrolled < n]
    return Searches(
        np.arange(len(mated) + len(alone)) < len(mated),
        np.concatenate([mate[mated], np.full(len(alone), -np.inf)]),
        np.concatenate([rank[mated], np.zeros(len(alone), np.int64)]),
        np.concatenate([rival[mated], rival[alone]]),
        np.concatenate([side.subjects[mated], side.subjects[alone]]),
        n,
    )
