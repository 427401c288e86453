"""Search in blocks, against the whole matrix."""

import numpy as np
import pytest

from workbench.core import ParameterError, ShapeError
from workbench.methods import search as room
from workbench.methods.allpairs import Side
from workbench.metrics import identification as idn


def unit(n: int, d: int, seed: int) -> np.ndarray:
    v = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return v / np.linalg.norm(v, axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROWS", 7)
    monkeypatch.setattr(room, "COLUMNS", 16)


@pytest.mark.parametrize("k", [1, 5, 30])
def test_exact_search_is_the_sorted_matrix(k: int) -> None:
    references, probes = unit(100, 8, 0), unit(23, 8, 1)
    found = room.search(references, probes, k, device="cpu")
    scores = probes @ references.T
    assert np.array_equal(found.references, np.argsort(-scores, axis=1, kind="stable")[:, :k])
    assert np.allclose(found.scores, -np.sort(-scores, axis=1)[:, :k], atol=1e-6)


def test_of_equal_references_the_lower_index_comes_first() -> None:
    references = np.tile(np.eye(4, dtype=np.float32), (20, 1))
    found = room.search(references, np.eye(4, dtype=np.float32), 5, device="cpu")
    assert found.references.tolist() == [[i, i + 4, i + 8, i + 12, i + 16] for i in range(4)]


def test_searches_in_blocks_are_those_of_the_matrix() -> None:
    rng = np.random.default_rng(5)
    owners, probers = rng.integers(0, 15, 60), rng.integers(0, 30, 40)
    centres = rng.standard_normal((30, 8))
    sides = []
    for owner, lost in ((owners, 6), (probers, 5)):
        v = centres[owner] + rng.standard_normal((len(owner), 8))
        # Few values make ties.
        v = np.round(v).astype(np.float32)
        acquired = np.ones(len(owner), bool)
        acquired[rng.permutation(len(owner))[:lost]] = False
        sides.append(Side(v, owner, acquired))
    matrix = (sides[1].embeddings @ sides[0].embeddings.T).astype(np.float64)
    matrix[:, ~sides[0].acquired] = -np.inf
    matrix[~sides[1].acquired] = -np.inf
    slow = idn.searches_of_matrix(matrix, probers, owners)
    fast = room.searches(sides[0], sides[1], device="cpu")
    for name in ("mated", "mate", "rank", "rival", "subjects"):
        assert np.array_equal(getattr(slow, name), getattr(fast, name)), name
    assert slow.counts == fast.counts


def test_copies_of_the_mate_tie_and_so_win() -> None:
    references, probes = unit(400, 128, 4), unit(50, 128, 5)
    references[:50] += probes
    # Copies under other people's names, in other tiles and columns.
    references[-50:] = references[:50]
    sides = Side(references, np.arange(400)), Side(probes, np.arange(50))
    assert (room.searches(*sides, device="cpu").rank == 2).all()


def test_an_approximate_index_tells_its_recall() -> None:
    pytest.importorskip("faiss")
    references, probes = unit(3000, 32, 2), unit(40, 32, 3)
    lazy, eager = (room.search_approximately(references, probes, 10, links=4, effort=e) for e in (4, 400))
    exact = room.search(references, probes, 10, device="cpu").references
    hits = [len(set(a) & set(b)) for a, b in zip(lazy.candidates.references.tolist(), exact.tolist(), strict=True)]
    assert lazy.recall == pytest.approx(sum(hits) / 400)
    assert lazy.recall < eager.recall <= 1
    assert "HNSW" in lazy.index


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ParameterError, match="1 to 5"):
        room.search(unit(5, 4, 0), unit(2, 4, 0), 6)
    with pytest.raises(ShapeError, match="do not fit"):
        room.search(unit(5, 4, 0), unit(2, 3, 0), 1)
    broken = unit(5, 4, 0)
    broken[2, 1] = np.nan
    with pytest.raises(ShapeError, match="given: row 2"):
        room.search(broken, unit(2, 4, 0), 1, device="cpu")
