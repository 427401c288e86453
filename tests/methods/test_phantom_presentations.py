"""Scores of phantom presentations are the detector's own, computed once and kept; errors are counts of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench import models
from workbench.data import phantom
from workbench.methods import phantom_presentations as measured
from workbench.metrics.presentations import Presentations


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "PEOPLE", 2)
    monkeypatch.setattr(measured, "IMAGES", 1)
    monkeypatch.setattr(measured, "SIZE", 112)
    monkeypatch.setattr(phantom, "DOMAINS", {"office": phantom.DOMAINS["office"]})


@pytest.mark.usefixtures("small")
def test_scores_are_the_detectors_and_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = models.attack_detector("phantom-attacks", device="cpu")
    assert measured.kept_scores(detector) is None
    heard: list[tuple[int, int]] = []
    found = measured.scores(detector, progress=lambda done, of: heard.append((done, of)))
    assert heard == [(0, 1), (1, 1)]
    shown = phantom.attack_detection(
        2, 1, size=measured.SIZE, seed=measured.SEED, domains=("office",), subsets=("test",)
    ).samples
    # phantom-attacks looks at whole pictures: no box is needed for the same scores.
    expected = detector.scores(list(shown.images))
    there = found.responded
    assert there.sum() >= 3
    assert np.allclose(-found.values[there], expected[there], atol=1e-9)
    assert found.bonafide.tolist() == (~shown.attributes["attack"]).tolist()
    kinds = ["" if s == "bona fide" else str(s) for s in shown.attributes["species"]]
    assert found.species.tolist() == kinds
    assert len(np.unique(found.subjects)) == len(np.unique(shown.subjects))

    def drawn(*_: object, **__: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(phantom, "attack_detection", drawn)
    again = measured.kept_scores(detector)
    assert again is not None
    assert np.array_equal(again.values, found.values)
    assert np.array_equal(measured.scores(detector).values, found.values)
    assert len(list((home / "cache").iterdir())) == 1
    # Other people, or other weights, are other scores.
    monkeypatch.setattr(measured, "SEED", 1)
    assert measured.kept_scores(detector) is None


@pytest.mark.usefixtures("small")
def test_a_domain_that_is_done_is_kept_and_people_of_two_domains_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = models.attack_detector("phantom-attacks", device="cpu")
    one = measured.scores(detector)
    monkeypatch.setattr(phantom, "DOMAINS", {"a": None, "b": None})
    drawn: list[str] = []

    def judged(detector: object, domain: str) -> dict[str, np.ndarray]:
        drawn.append(domain)
        return {"score": np.array([0.1, 0.9]), "found": np.array([1, 1], np.uint8),
                "species": np.array([0, 1], np.int64), "subject": np.array([0, 1], np.int64)}  # fmt: skip

    def stop(done: int, of: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(measured, "_judged", judged)
    with pytest.raises(KeyboardInterrupt):
        measured.scores(detector, progress=stop)
    assert measured.kept_scores(detector) is None
    found = measured.scores(detector)
    assert drawn == ["a", "b"]
    assert len(found) == 4 != len(one)
    assert len(np.unique(found.subjects)) == 4


def test_errors_by_hand_the_worst_species_first() -> None:
    scores = np.array([0.1, 0.6, 0.5, 0.2, 0.9, 0.5, 0.4, 0.7, 0.3, 0.8])
    kinds = np.array(["", "", "", "", "print", "print", "screen", "screen", "screen", "screen"])
    acquired = np.array([True] * 9 + [False])
    made = Presentations.of_attack_scores("t", scores, kinds != "", kinds, np.arange(10), acquired)
    found = measured.errors_at(made, 0.5)
    # An attack is called above 0.5: of bona fide 0.6 alone; 0.5 of the prints is let through, and 0.4, 0.3 of three.
    assert float(found.bpcer) == pytest.approx(1 / 4)
    assert {n: float(e) for n, e in found.by_species.items()} == pytest.approx({"screen": 2 / 3, "print": 1 / 2})
    assert list(found.by_species) == ["screen", "print"]
    assert float(found.apcer) == pytest.approx(2 / 3)
    assert (found.failures, found.tried, found.bonafide) == (1, 10, 4)


def test_what_progress_raises_ends_the_work_and_keeps_nothing(home: Path) -> None:
    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured.scores(models.attack_detector("phantom-attacks", device="cpu"), progress=stop)
    assert not (home / "cache").exists()


def test_a_detector_that_has_seen_phantoms_is_said_to_have_seen_them() -> None:
    assert "trained on the same cameras" in measured.source("phantom-attacks")
    assert "trained on" not in measured.source("minifasnet:FOLDER")
