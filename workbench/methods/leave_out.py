"""Searches of a gallery for its own people: what a threshold does there, without any other pictures.

Every sample is a probe twice: among all other samples, where its subject stays enrolled (a mated search, if there is
another sample of it), and among the samples of all other subjects (a non-mated search).
"""

from __future__ import annotations

import numpy as np

from ..metrics.identification import Searches
from .allpairs import Side, finite_rows

ROWS = 512


def searches_within(side: Side) -> Searches:
    """Mated and non-mated searches of a gallery for each of its samples.

    Args:
        side: the gallery. A sample that failed to acquire is a mated search without a score, and finds nobody.

    Returns:
        The mated searches, then the non-mated ones. A gallery without two samples of one subject has no mated ones,
        one with a single subject no non-mated ones.
    """
    n = len(side)
    mate, rival = np.full(n, -np.inf), np.full(n, -np.inf)
    rank = np.zeros(n, np.int64)
    gallery = side.present
    vectors = finite_rows(side.embeddings, gallery).astype(np.float64)
    owners = side.subjects[gallery]
    for start in range(0, len(gallery), ROWS):
        rows = np.arange(start, min(start + ROWS, len(gallery)))
        # Single precision forgets in which order a product was summed: who looks the same ties, and a tie loses.
        scores = (vectors[rows] @ vectors.T).astype(np.float32)
        same = owners[rows, None] == owners
        own = np.where(same, scores, -np.inf)
        own[np.arange(len(rows)), rows] = -np.inf
        others = np.where(same, -np.inf, scores)
        at = gallery[rows]
        mate[at], rival[at] = own.max(axis=1), others.max(axis=1)
        rank[at] = 1 + (others >= own.max(axis=1)[:, None]).sum(axis=1)
    enrolled = np.bincount(side.subjects)[side.subjects] if n else np.zeros(0, np.int64)
    mated, alone = np.flatnonzero(enrolled >= 2), np.flatnonzero(enrolled < n)
    found = np.where(np.isneginf(mate), 0, rank)
    return Searches(
        np.arange(len(mated) + len(alone)) < len(mated),
        np.concatenate([mate[mated], np.full(len(alone), -np.inf)]),
        np.concatenate([found[mated], np.zeros(len(alone), np.int64)]),
        np.concatenate([rival[mated], rival[alone]]),
        np.concatenate([side.subjects[mated], side.subjects[alone]]),
        n,
    )
