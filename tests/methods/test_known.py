"""Scores to compare with: found again, never those of another model; thresholds from the card or from them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workbench.core import Scores, Trials, Undefined
from workbench.data.phantom import PhantomDataset
from workbench.methods.known import Kept, Known, dataset_of, densities, operating_threshold, standing
from workbench.methods.outcome import Pair, choices, compare_faces, decide
from workbench.models.pipeline import Embeddings


class Toy:
    """A pipeline that counts how often it embeds."""

    def __init__(self, digest: str = "a") -> None:
        self.embedder = SimpleNamespace(digest=digest, card=SimpleNamespace(name="toy"))
        self.runs = 0

    def describe(self) -> dict[str, object]:
        return {"model": "toy"}

    def embed(self, images: Any, *, batch: int = 32, progress: Any = None) -> Embeddings:
        self.runs += 1
        n = len(images)
        return Embeddings(np.full((n, 2), self.runs, np.float32), np.ones(n, bool), ("",) * n)


def known(mated: list[float], apart: list[float], failed: int = 0) -> Known:
    values = np.array([*mated, *apart, *[np.nan] * failed])
    kind = np.arange(len(values)) < len(mated)
    sides = np.stack([np.zeros(len(values), np.int64), (~kind).astype(np.int64)], 1)
    index = np.arange(len(values))
    return Known(Scores("toy", Trials(index, index, kind, sides), values, np.isfinite(values)), "toys", False)


def scored(*given: Any, **options: Any) -> Scores:
    return known(*given, **options).scores


def test_embeddings_are_found_again_and_damage_is_noticed(tmp_path: Path) -> None:
    images = np.zeros((3, 4, 4, 3), np.uint8)
    toy = Toy()
    first = Kept(toy, "d", tmp_path).embed(images)
    again = Kept(toy, "d", tmp_path).embed(images)
    assert toy.runs == 1
    assert np.array_equal(first.values, again.values)
    assert again.reasons == ("", "", "")
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-40])
    Kept(toy, "d", tmp_path).embed(images)
    assert toy.runs == 2


def test_other_pictures_and_other_models_are_not_mixed_up(tmp_path: Path) -> None:
    images = np.zeros((3, 4, 4, 3), np.uint8)
    one, other = Toy("a"), Toy("b")
    Kept(one, "d", tmp_path).embed(images)
    Kept(other, "d", tmp_path).embed(images)
    Kept(one, "e", tmp_path).embed(images)
    assert (one.runs, other.runs) == (2, 1)


def test_phantom_faces_are_few_and_all_their_pairs_are_compared(tmp_path: Path) -> None:
    dataset, protocol, words = dataset_of("phantom", tmp_path)
    assert isinstance(dataset, PhantomDataset)
    assert (protocol, words) == ("all-pairs", "phantom faces")
    assert not dataset.real


def test_all_pairs_of_phantoms_are_every_two_pictures_once() -> None:
    trials = PhantomDataset(subjects=3, images=2, size=64).trials("all-pairs")
    assert len(trials) == 15
    assert int(trials.mated.sum()) == 3
    assert len({(a, b) for a, b in zip(trials.reference.tolist(), trials.probe.tolist(), strict=True)}) == 15


def test_a_cards_threshold_comes_first_then_that_of_known_scores() -> None:
    card: Any = SimpleNamespace(name="toy", operating_points={1e-2: (0.7, "somewhere")})
    some = known([0.9, 0.8], [k / 10 for k in range(10)])
    assert operating_threshold(card, 1e-2, some) == (0.7, "somewhere")
    # Ten non-mated scores 0.0 to 0.9: at FMR 0.1 only the highest may be accepted.
    threshold, origin = operating_threshold(card, 0.1, some)
    assert threshold == pytest.approx(0.9)
    assert origin == "FMR <= 0.1 on toys, 10 non-mated trials"
    assert operating_threshold(card, 0.2, some)[0] == pytest.approx(0.8)
    few, _ = operating_threshold(card, 1e-3, some)
    assert isinstance(few, Undefined)
    assert few.reason == "FMR 0.001 needs at least 1,000 non-mated trials"
    none, _ = operating_threshold(card, 0.1, None)
    assert isinstance(none, Undefined)


def test_densities_are_counted_by_hand() -> None:
    shape = densities(scored([0.0, 1.0, 1.0, 1.0], [0.0, 0.4], failed=3), bins=4)
    assert shape.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert shape.mated.tolist() == [1, 0, 0, 3]
    assert shape.nonmated.tolist() == [2, 2, 0, 0]
    assert densities(scored([], [], failed=2)).mated.sum() == 0


def test_where_a_score_stands_is_counted() -> None:
    assert standing(known([0.9, 0.5], [0.1, 0.6, 0.7]), 0.6) == (
        "on toys, 2 of 3 non-mated trials score as high and 1 of 2 mated trials score lower"
    )
    assert "no mated trials" in standing(known([], [0.1]), 0.6)


def test_choices_are_what_the_cards_have() -> None:
    assert choices([[1e-2, 1e-1], [1e-3]]) == (0.1, 0.01, 0.001)
    assert choices([[], []]) == (0.1, 0.01)


@pytest.mark.parametrize(
    ("score", "decision"),
    [(0.7, "accepted"), (np.nextafter(0.7, 0), "rejected"), (None, "failure to acquire")],
)
def test_a_score_at_the_threshold_is_accepted(score: float | None, decision: str) -> None:
    card: Any = SimpleNamespace(name="toy", operating_points={1e-2: (0.7, "somewhere")})
    model: Any = SimpleNamespace(card=card, provider="none")
    reasons = ("", "") if score is not None else ("no face found", "")
    found = decide(model, Pair(np.zeros((0, 2, 2, 3), np.uint8), reasons, score), 1e-2)
    assert found.decision == decision
    assert found.sentence.startswith(decision)
    assert ("reference: no face found" in found.sentence) == (score is None)


def test_without_a_threshold_there_is_no_decision() -> None:
    card: Any = SimpleNamespace(name="toy", operating_points={})
    model: Any = SimpleNamespace(card=card, provider="none")
    chips = np.zeros((2, 2, 2, 3), np.uint8)
    found = decide(model, Pair(chips, ("", ""), 0.5), 1e-2)
    assert found.decision is None
    assert found.sentence == "score 0.5000, no decision: the card of toy has no threshold for FMR 0.01"
    # A failure to acquire is known without a threshold.
    assert decide(model, Pair(chips[:1], ("", "no face found"), None), 1e-2).decision == "failure to acquire"


def test_a_side_without_a_face_leaves_the_other_one_shown() -> None:
    template = ((4.0, 4.0), (12.0, 4.0), (8.0, 8.0), (5.0, 12.0), (11.0, 12.0))
    model: Any = SimpleNamespace(card=SimpleNamespace(template=template, input_size=(16, 16)))
    picture = np.full((16, 16, 3), 7, np.uint8)
    face = (picture, np.array([0, 0, 16, 16], np.float32), np.array(template, np.float32))
    found = compare_faces(model, None, face)
    assert found.reasons == ("no face found", "")
    assert found.score is None
    assert np.array_equal(found.chips, picture[None])
