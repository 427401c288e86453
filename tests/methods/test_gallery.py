"""Galleries, their rankings and their own rates, against slow obvious versions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workbench import files
from workbench.core import DataError, ParameterError, ShapeError, StoreError, Undefined, UnknownNameError
from workbench.data.embeddings import read_embeddings
from workbench.methods.allpairs import Side
from workbench.methods.gallery import Gallery, gallery_of, read_gallery, write_gallery
from workbench.methods.leave_out import searches_within
from workbench.methods.search import ranking
from workbench.metrics.identification import fnir, fpir, threshold_at_fpir
from workbench.models.pipeline import Embeddings

MODEL: Any = SimpleNamespace(card=SimpleNamespace(name="toy", dimension=8), digest="a" * 64)


def unit(n: int, d: int = 8, seed: int = 0) -> np.ndarray:
    v = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def made(n: int = 5) -> Gallery:
    found = Embeddings(unit(n), np.ones(n, bool), ("",) * n)
    return gallery_of(MODEL, found, [f"r{i}" for i in range(n)], [f"s{i // 2}" for i in range(n)])


@pytest.mark.parametrize("k", [1, 7, 200])
def test_a_ranking_is_that_of_all_scores_sorted(k: int) -> None:
    rng = np.random.default_rng(3)
    vectors, subjects = unit(120), rng.integers(0, 30, 120)
    # Some look exactly alike, and some failed to acquire.
    vectors[60:90] = vectors[:30]
    acquired = rng.random(120) > 0.1
    probe = vectors[7]
    found = ranking(Side(vectors, subjects, acquired), probe, k)
    scores = [float(sum(float(a) * float(b) for a, b in zip(v, probe, strict=True))) for v in vectors]
    scores = [round(s, 12) if ok else -9.0 for s, ok in zip(scores, acquired, strict=True)]
    order = sorted((i for i in range(120) if acquired[i]), key=lambda i: (-scores[i], i))[:k]
    assert found.references.tolist() == order
    assert np.allclose(found.scores, [scores[i] for i in order], atol=1e-12)
    ranks = [
        1 + sum(acquired[j] and subjects[j] != subjects[i] and scores[j] >= scores[i] for j in range(120))
        for i in order
    ]  # fmt: skip
    assert found.ranks.tolist() == ranks


def test_who_looks_the_same_ties_and_both_lose() -> None:
    # 83 and 7 are no multiples of what a product takes at once: the last bits of some twins' scores differ in it.
    people = unit(83, 128, seed=1)
    side = Side(np.concatenate([people, people[:7], people]), np.arange(173))
    for probe in (*people[:5], *unit(1500, 128, seed=2)):
        found = ranking(side, probe, 1)
        best = found.references[0]
        assert best < 83
        assert found.ranks[0] == (3 if best < 7 else 2)


def test_a_ranking_of_nobody_is_empty_and_a_probe_must_fit() -> None:
    assert len(ranking(Side(np.zeros((0, 8), np.float32), np.zeros(0, np.int64)), unit(1)[0]).scores) == 0
    with pytest.raises(ShapeError, match="the probe does not fit"):
        ranking(Side(unit(3), np.arange(3)), unit(1, 4)[0])


def test_a_gallery_searched_for_its_own_people_by_hand() -> None:
    # Two people on the axes: scores within are 0.8 (first) and none (second has one sample), across 0.6 and 0.
    vectors = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0]], np.float32)
    found = searches_within(Side(vectors, np.array([0, 0, 1])))
    assert found.mated.tolist() == [True, True, False, False, False]
    assert np.allclose(found.mate[:2], 0.8)
    assert np.allclose(found.rival, [0, 0.6, 0, 0.6, 0.6])
    assert found.rank.tolist() == [1, 1, 0, 0, 0]
    assert found.gallery == 3
    assert fpir(found, 0.5).value == pytest.approx(2 / 3)
    assert fnir(found, 0.81).value == 1.0


@pytest.mark.parametrize("most", [1000, 40])
def test_searches_within_are_those_of_two_loops(most: int) -> None:
    rng = np.random.default_rng(9)
    n = 70
    vectors, subjects = unit(n, seed=4), rng.integers(0, 25, n)
    acquired = rng.random(n) > 0.15
    found = searches_within(Side(vectors, subjects, acquired), most=most)
    scores = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    probes = sorted({int(i) for i in np.linspace(0, n - 1, min(n, most))})
    mates, rivals = [], []
    for i in probes:
        others = [j for j in range(n) if j != i and acquired[i] and acquired[j]]
        same = [scores[i, j] for j in others if subjects[j] == subjects[i]]
        apart = [scores[i, j] for j in others if subjects[j] != subjects[i]]
        rivals.append(max(apart, default=-np.inf))
        if (subjects == subjects[i]).sum() > 1:
            mates.append(max(same, default=-np.inf))
    assert np.allclose(found.mate[found.mated], mates, atol=1e-6)
    assert np.allclose(found.rival[~found.mated], rivals, atol=1e-6)


def test_what_a_gallery_cannot_tell_is_undefined() -> None:
    alone = searches_within(Side(unit(6), np.arange(6)))
    assert isinstance(fnir(alone, 0.5).value, Undefined)
    assert not isinstance(fpir(alone, 0.5).value, Undefined)
    one = searches_within(Side(unit(3), np.zeros(3, np.int64)))
    assert isinstance(fpir(one, 0.5).value, Undefined)
    assert isinstance(threshold_at_fpir(one, 0.1), Undefined)
    assert len(searches_within(Side(np.zeros((0, 4), np.float32), np.zeros(0, np.int64)))) == 0


def test_names_stay_unique_and_people_are_enrolled_and_removed() -> None:
    found = Embeddings(unit(3), np.ones(3, bool), ("",) * 3)
    gallery = gallery_of(MODEL, found, ["Ann", "Ann", "Ann (2)"], ["Ann"] * 3)
    assert gallery.names.tolist() == ["Ann", "Ann (2)", "Ann (2) (2)"]
    grown = gallery.enrolled("  Ann ", unit(1, seed=5)[0])
    assert grown.names.tolist()[-1] == "Ann (3)"
    assert grown.subjects.tolist()[-1] == "Ann"
    assert len(grown.side) == 4
    assert len(gallery) == 3
    assert grown.without("Ann").names.tolist() == ["Ann (2)", "Ann (2) (2)", "Ann (3)"]
    with pytest.raises(UnknownNameError, match="unknown reference 'Bob'"):
        gallery.without("Bob")
    for name in ("", "   ", "x" * 201):
        with pytest.raises(ParameterError, match="a reference needs a name"):
            gallery.enrolled(name, unit(1)[0])


def test_a_gallery_comes_back_as_it_went(tmp_path: Path) -> None:
    gallery = replace(made(), acquired=np.array([1, 1, 0, 1, 1], bool))
    gallery.embeddings[2] = 0
    path = write_gallery(tmp_path / "g.npz", gallery)
    back = read_gallery(path, MODEL)
    assert back.names.tolist() == gallery.names.tolist()
    assert back.subjects.tolist() == gallery.subjects.tolist()
    assert back.acquired.tolist() == gallery.acquired.tolist()
    assert np.allclose(back.embeddings, gallery.embeddings, atol=1e-7)
    # Other tools of the workbench read it as embeddings.
    assert read_embeddings(path).model == f"toy {'a' * 64}"


def test_another_models_gallery_is_refused(tmp_path: Path) -> None:
    path = write_gallery(tmp_path / "g.npz", made())
    other: Any = SimpleNamespace(card=SimpleNamespace(name="other", dimension=8), digest="b" * 64)
    with pytest.raises(DataError, match=r"g.npz was made by another model\n  given: toy, digest aaaaaaaaaaaa, 8"):
        read_gallery(path, other)
    shorter: Any = SimpleNamespace(card=SimpleNamespace(name="toy", dimension=4), digest="a" * 64)
    with pytest.raises(DataError, match="another model"):
        read_gallery(path, shorter)


def test_hostile_galleries_are_refused_in_words(tmp_path: Path) -> None:
    good = {"embeddings": unit(2), "subjects": np.array(["a", "b"]), "names": np.array(["a", "b"]),
            "model": np.array([f"toy {'a' * 64}"] * 2)}  # fmt: skip
    odd: dict[str, tuple[dict[str, Any], str]] = {
        "no model": ({k: v for k, v in good.items() if k != "model"}, "does not say which model"),
        "two models": (good | {"model": np.array(["toy x", "toy y"])}, "several models"),
        "nan": (good | {"embeddings": np.full((2, 8), np.nan, np.float32)}, "no direction"),
        "twins": (good | {"names": np.array(["a", "a"])}, "names are not unique"),
        "long name": (good | {"names": np.array(["a", "b" * 900])}, "too long"),
        "more": (good | {"pixels": np.zeros(2)}, "not known here"),
    }
    for name, (arrays, words) in odd.items():
        path = tmp_path / f"{name}.npz"
        np.savez(path, **arrays)
        with pytest.raises(DataError, match=words):
            read_gallery(path, MODEL)
    objects = tmp_path / "objects.npz"
    np.savez(objects, **good | {"names": np.array([{"a": 1}, None], object)})
    with pytest.raises(DataError, match="Python objects"):
        read_gallery(objects, MODEL)
    files.commit_bytes(tmp_path / "cut.npz", objects.read_bytes()[:100])
    with pytest.raises(DataError):
        read_gallery(tmp_path / "cut.npz", MODEL)
    with pytest.raises(StoreError):
        read_gallery(tmp_path / "none.npz", MODEL)


def test_nobody_cannot_be_exported_and_a_name_must_end_right(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="nobody"):
        write_gallery(tmp_path / "g.npz", made(0))
    with pytest.raises(ParameterError, match=r"kept as \.npz"):
        write_gallery(tmp_path / "g.pkl", made())
