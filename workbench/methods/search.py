"""1:N search: exact by matrix products in bounded memory, or through an approximate index with its recall told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import ParameterError, ShapeError, WorkbenchError
from ..metrics.identification import Searches
from .allpairs import Side, finite_rows, pair_scores, spans

ROWS, COLUMNS = 1024, 8192
# Far above the rounding of a single-precision product of unit vectors.
NEAR = 1e-5


@dataclass(frozen=True)
class Candidates:
    """The nearest references of each probe.

    Attributes:
        scores: ``float32 (n, k)``, falling.
        references: ``int64 (n, k)``; of equal scores the lower index first.
    """

    scores: NDArray[np.float32]
    references: NDArray[np.int64]


def search(
    references: NDArray[np.float32], probes: NDArray[np.float32], k: int = 10, *, device: str = "auto"
) -> Candidates:
    """The ``k`` most similar references of every probe, exactly.

    Args:
        references: ``float32 (m, d)`` unit vectors; may be a memory map.
        probes: ``float32 (n, d)``.
        k: candidates per probe, at most ``m``.
        device: see `models.devices.resolve`.
    """
    from ..models import devices

    if references.ndim != 2 or probes.ndim != 2 or references.shape[1] != probes.shape[1]:
        raise ShapeError(
            "references and probes do not fit", given=(references.shape, probes.shape), expected="(m, d), (n, d)"
        )
    if not 1 <= k <= len(references):
        raise ParameterError("k does not fit the gallery", given=k, expected=f"1 to {len(references)}")
    place = devices.resolve(device)
    parts = [_search_rows(references, probes[i : i + ROWS], k, place) for i in range(0, len(probes), ROWS)]
    if not parts:
        return Candidates(np.zeros((0, k), np.float32), np.zeros((0, k), np.int64))
    return Candidates(np.concatenate([p.scores for p in parts]), np.concatenate([p.references for p in parts]))


def _search_rows(references: NDArray[np.float32], probes: NDArray[np.float32], k: int, device: str) -> Candidates:
    """One block of probes against all references; only what beats a probe's k-th best so far is looked at."""
    import torch

    left = torch.from_numpy(finite_rows(probes)).to(device)
    row = np.zeros(0, np.int64)
    score = np.zeros(0, np.float32)
    column = np.zeros(0, np.int64)
    floor = np.full((len(probes), 1), -np.inf, np.float32)
    out = torch.empty(len(probes), COLUMNS, device=device)
    for start in range(0, len(references), COLUMNS):
        block = finite_rows(references[start : start + COLUMNS])
        right = torch.from_numpy(block).to(device)
        scores = torch.mm(left, right.T, out=out if len(block) == COLUMNS else None)
        if start == 0 and len(block) >= k:
            floor = _kth(scores, k)
        at_row, at_column, values = _at_least(scores, floor)
        row, column = np.concatenate([row, at_row]), np.concatenate([column, at_column + start])
        score = np.concatenate([score, values])
        row, column, score = _best(row, column, score, k)
        if start + len(block) >= k:
            floor = np.maximum(floor, score.reshape(len(probes), k)[:, -1:])
    return Candidates(score.reshape(len(probes), k), column.reshape(len(probes), k))


def _kth(scores: Any, k: int) -> NDArray[np.float32]:
    """The k-th highest of each row, ``(n, 1)``."""
    import torch

    return np.asarray(torch.topk(scores, k, dim=1).values[:, -1:].cpu().numpy())


def _at_least(
    scores: Any, floor: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Rows, columns and values of scores at or above their row's floor."""
    import torch

    width = scores.shape[1]
    if scores.device.type == "cpu":
        table = scores.numpy()
        flat = np.flatnonzero(table >= floor)
        return flat // width, flat % width, table.reshape(-1)[flat]
    at = torch.nonzero(scores >= torch.from_numpy(floor).to(scores.device))
    values = scores[at[:, 0], at[:, 1]]
    return at[:, 0].cpu().numpy(), at[:, 1].cpu().numpy(), values.cpu().numpy()


def _best(
    row: NDArray[np.int64], column: NDArray[np.int64], score: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """The k best of each row, sorted."""
    order = np.lexsort((column, -score, row))
    row, column, score = row[order], column[order], score[order]
    first = np.searchsorted(row, row, side="left")
    keep = np.arange(len(row)) - first < k
    return row[keep], column[keep], score[keep]


def searches(references: Side, probes: Side, *, device: str = "auto") -> Searches:
    """What a search of every probe found, in bounded memory: the same as `searches_of_matrix` of all scores.

    Args:
        references: the gallery.
        probes: who is searched for.
        device: see `models.devices.resolve`.
    """
    from ..models import devices

    place = devices.resolve(device)
    n = len(probes)
    mate, rival, before = np.full(n, -np.inf), np.full(n, -np.inf), np.zeros(n, np.int64)
    gallery = references.present
    gallery = gallery[np.argsort(references.subjects[gallery], kind="stable")]
    for start in range(0, len(probes.present), ROWS):
        rows = probes.present[start : start + ROWS]
        mate[rows] = _best_mates(references, gallery, probes, rows)
        rival[rows], before[rows] = _against(references, gallery, probes, rows, mate[rows], place)
    mated = np.isin(probes.subjects, references.subjects)
    rank = np.where(mated & ~np.isneginf(mate), before + 1, 0)
    return Searches(mated, mate, rank, rival, probes.subjects, len(references))


def _best_mates(
    references: Side, gallery: NDArray[np.int64], probes: Side, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Best score of each probe's own references, minus infinity without any; ``gallery`` is sorted by subject."""
    low, high = (
        np.searchsorted(references.subjects[gallery], probes.subjects[rows], side=s) for s in ("left", "right")
    )
    owner, place = spans(low, high)
    best = np.full(len(rows), -np.inf)
    np.maximum.at(best, owner, pair_scores(probes, rows[owner], references, gallery[place]))
    return best


def _against(
    references: Side, gallery: NDArray[np.int64], probes: Side, rows: NDArray[np.int64], mate: NDArray[np.float64],
    device: str,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # fmt: skip
    """Best score of others, and how many of them reach the mate's score, for a block of probes.

    A product's last bits hang on what else is in it. So a score that comes close to the mate's is computed by itself,
    as the mate's was: who looks the same ties, and a tie loses.
    """
    import torch

    left = torch.from_numpy(finite_rows(probes.embeddings, rows)).to(device)
    found = ~np.isneginf(mate)
    close = np.where(found, NEAR * np.maximum(1.0, np.abs(mate)), 0.0)
    least = torch.from_numpy(np.where(found, mate - close, np.inf).astype(np.float32)).to(device)
    rival = torch.full((len(rows),), -torch.inf, device=device)
    before = np.zeros(len(rows), np.int64)
    for part, scores, row, column in _tiles(references, gallery, left, probes.subjects[rows]):
        scores[row, column] = -torch.inf
        best = scores.amax(dim=1)
        rival = torch.maximum(rival, best)
        # Rows in which nobody comes near the mate need no count, and most do not.
        contested = torch.nonzero(best >= least)[:, 0]
        near = scores[contested].cpu().numpy()
        who = contested.cpu().numpy()
        before[who] += (near >= (mate + close)[who, None]).sum(axis=1)
        at, there = np.nonzero(np.abs(near - mate[who, None]) < close[who, None])
        exact = pair_scores(probes, rows[who[at]], references, part[there])
        np.add.at(before, who[at], exact >= mate[who[at]])
    return rival.cpu().numpy().astype(np.float64), before


def _tiles(references: Side, gallery: NDArray[np.int64], left: Any, people: NDArray[np.int64]) -> Any:
    """Parts of the gallery, their scores with a block of probes, and the rows and columns of mated comparisons."""
    import torch

    out = torch.empty(len(left), COLUMNS, device=left.device)
    order = np.argsort(people, kind="stable")
    ranked = people[order]
    for start in range(0, len(gallery), COLUMNS):
        part = gallery[start : start + COLUMNS]
        right = torch.from_numpy(finite_rows(references.embeddings, part)).to(left.device)
        low, high = (np.searchsorted(ranked, references.subjects[part], side=s) for s in ("left", "right"))
        column, place = spans(low, high)
        row = order[place]
        scores = torch.mm(left, right.T, out=out if len(part) == COLUMNS else None)
        yield part, scores, *(torch.from_numpy(i).to(left.device) for i in (row, column))


@dataclass(frozen=True)
class Approximate:
    """Candidates of an approximate index, and how good they are.

    Attributes:
        candidates: what the index gave.
        recall: share of the exact candidates that it found, on the probes of the sample.
        sample: how many probes the recall was measured on.
        index: what it is, in words.
    """

    candidates: Candidates
    recall: float
    sample: int
    index: str


def search_approximately(
    references: NDArray[np.float32], probes: NDArray[np.float32], k: int = 10, *, links: int = 32, effort: int = 128,
    sample: int = 200,
) -> Approximate:  # fmt: skip
    """Candidates from FAISS's HNSW graph (arXiv 1603.09320), with its recall against exact search.

    Args:
        references: ``float32 (m, d)`` unit vectors.
        probes: ``float32 (n, d)``.
        k: candidates per probe.
        links: of each reference in the graph.
        effort: candidates looked at during building and search; more is slower and more exact.
        sample: probes on which the recall is measured, spread over all.

    Raises:
        WorkbenchError: FAISS is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise WorkbenchError(
            "approximate search needs FAISS", do="pip install 'face-workbench[scale]', or use exact search"
        ) from error
    index = faiss.IndexHNSWFlat(references.shape[1], links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = index.hnsw.efSearch = effort
    index.add(finite_rows(references))
    scores, found = index.search(finite_rows(probes), k)
    looked = np.unique(np.linspace(0, len(probes) - 1, min(sample, len(probes))).astype(int))
    exact = search(references, probes[looked], k, device="cpu").references
    hits = [len(np.intersect1d(a, b)) for a, b in zip(found[looked], exact, strict=True)]
    words = f"FAISS {faiss.__version__} HNSW, {links} links, effort {effort}"
    return Approximate(Candidates(scores, found.astype(np.int64)), sum(hits) / (k * len(looked)), len(looked), words)


@dataclass(frozen=True)
class Ranking:
    """The candidates of one search.

    Attributes:
        references: ``int64 (k,)``, best first; of equal scores the lower index first.
        scores: ``float64 (k,)``.
        ranks: ``int64 (k,)`` 1 + the number of other subjects' references at or above the score: a tie loses.
    """

    references: NDArray[np.int64]
    scores: NDArray[np.float64]
    ranks: NDArray[np.int64]


def ranking(references: Side, probe: NDArray[np.float32], k: int = 10) -> Ranking:
    """The ``k`` most similar references of one probe, or all where there are fewer.

    Args:
        references: the gallery.
        probe: ``float32 (d,)`` of unit length.
        k: how many candidates.
    """
    there = references.present
    if not len(there) or k < 1:
        return Ranking(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    if probe.shape != references.embeddings.shape[1:]:
        raise ShapeError("the probe does not fit", given=probe.shape, expected=references.embeddings.shape[1:])
    rough = references.embeddings[there] @ probe
    k = min(k, len(there))
    # A product's last bits hang on what else is in it: whoever comes near the last candidate is computed by himself.
    near = there[rough >= np.partition(rough, -k)[-k] - NEAR]
    alone = Side(probe[None], np.zeros(1, np.int64))
    scores = pair_scores(references, near, alone, np.zeros(len(near), np.int64))
    order = np.lexsort((near, -scores))
    near, scores = near[order], scores[order]
    subjects = references.subjects[near]
    others = (scores[None, :] >= scores[:k, None]) & (subjects[None, :] != subjects[:k, None])
    return Ranking(near[:k], scores[:k], 1 + others.sum(axis=1))
