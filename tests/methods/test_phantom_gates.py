"""The gates of phantom faces: their arithmetic on made-up judges, and that a gate can be missed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.cli import data as command
from workbench.cli import main
from workbench.core import ParameterError
from workbench.data import phantom
from workbench.methods import phantom_gates as gates
from workbench.methods import phantom_speed
from workbench.models.faces import EXPRESSIONS
from workbench.models.pipeline import Embeddings

LIKE = gates.LikeReal(0.5, 0.1, 100, "made up")


@dataclass
class Found:
    boxes: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass
class MadeUp:
    """A judge of everything that answers what it is told."""

    answers: Any
    landmarker: Any = None

    def detect(self, pictures: list[np.ndarray]) -> list[Found]:
        return [Found(np.asarray(b, np.float32).reshape(-1, 4)) for b in self.answers]

    @property
    def detector(self) -> "MadeUp":
        return self

    def embed(self, pictures: np.ndarray) -> Embeddings:
        values = np.asarray(self.answers, np.float32)
        return Embeddings(values, np.ones(len(values), bool), ("",) * len(values))

    def landmarks(self, pictures: list[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        return self.answers(len(pictures))

    def predict(self, pictures: list[np.ndarray], boxes: np.ndarray) -> Any:
        return self.answers(len(pictures))


def judges(**parts: Any) -> gates.Judges:
    whole = {"pipeline": None, "attributes": None, "expressions": None} | parts
    return gates.Judges(**whole)


@pytest.fixture(scope="module")
def shown() -> gates.Shown:
    return gates.everyday(4, seed=1, size=64)


def test_overlap_by_hand() -> None:
    a = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 0, 0]])
    b = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [0, 0, 0, 0]])
    np.testing.assert_allclose(gates.overlap(a, b), [1, 1 / 3, 0, 0])


def test_detection_is_missed_when_two_of_a_hundred_are(shown: gates.Shown) -> None:
    exact = gates.detectable(judges(pipeline=Boxes(shown, 0)), shown)
    assert exact.verdict == "met"
    assert float(exact.figures["found at 64 px"]) == 1
    one_missing = gates.detectable(judges(pipeline=Boxes(shown, 1)), shown)
    assert one_missing.verdict == "missed"
    assert float(one_missing.figures["found at 160 px"]) == 15 / 16


@dataclass
class Boxes:
    """Finds the true boxes, but for the first few faces."""

    shown: gates.Shown
    missing: int

    @property
    def detector(self) -> "Boxes":
        return self

    def detect(self, pictures: list[np.ndarray]) -> list[Found]:
        true = self.shown.box * (len(pictures[0]) / 64)
        return [Found(true[k : k + 1] if k >= self.missing else true[:0]) for k in range(len(pictures))]


def test_landmarks_eight_per_cent_off_are_at_the_limit() -> None:
    scene = phantom.frontal(phantom.identities(6, seed=0, prefix="landmarks"))
    true = phantom.render(scene, 224, truth=("landmarks68", "box"))
    between = np.linalg.norm(true.landmarks68[:, 36] - true.landmarks68[:, 45], axis=1)[:, None]
    for off, verdict in ((0.079, "met"), (0.081, "missed")):
        moved = true.landmarks68 + np.stack([off * between, 0 * between], -1)
        made = judges(pipeline=MadeUp(true.box, MadeUp(lambda n, moved=moved: moved)))
        found = gates.placed(made, 6, seed=0)
        assert float(found.figures["nme"]) == pytest.approx(off, rel=1e-4)
        assert found.verdict == verdict


def test_recognition_by_made_up_embeddings(shown: gates.Shown) -> None:
    rng = np.random.default_rng(0)
    own = np.repeat(np.eye(8)[:4], 4, axis=0)
    perfect = gates.recognisable(judges(pipeline=MadeUp(own)), shown, LIKE)
    assert float(perfect.figures["auc"]) == 1
    assert perfect.figures["nonmated mean"] == 0
    assert perfect.verdict == "met"
    noise = rng.normal(size=(16, 8))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    blind = gates.recognisable(judges(pipeline=MadeUp(noise)), shown, LIKE)
    assert blind.verdict == "missed"
    first, second = np.triu_indices(16, 1)
    scores = (noise[first] * noise[second]).sum(1)
    same = first // 4 == second // 4
    wins = (scores[same][:, None] > scores[~same][None]).mean()
    assert float(blind.figures["auc"]) == pytest.approx(wins, abs=1e-6)
    assert blind.figures["nonmated deviation"] == pytest.approx(scores[~same].std(), rel=1e-4)


@dataclass
class Read:
    age: np.ndarray
    male: np.ndarray


def test_attributes_are_met_by_a_perfect_reader_and_missed_by_one_who_is_blind_to_one() -> None:
    people = phantom.identities(12, seed=0, prefix="attributes")
    truth = gates.seeds.rng("phantom", "gates", 0).uniform(5, 90, 12)
    gender = people.looks["gender"]
    box = np.tile([1.0, 1, 9, 9], (12, 1))

    def expressions(blind: str) -> Any:
        asked = iter(gates.EXPRESSIONS)

        def answer(n: int) -> np.ndarray:
            name = next(asked)
            return np.eye(7)[[EXPRESSIONS.index("sad" if name == blind else name)] * n]

        return answer

    for blind, verdict in (("", "met"), ("surprised", "missed")):
        whole = MadeUp(box)
        whole.detect = lambda pictures: [Found(box[:1])] * len(pictures)  # type: ignore[method-assign]
        made = judges(
            pipeline=whole, attributes=MadeUp(lambda n: Read(np.exp(truth / 20), gender)),
            expressions=MadeUp(expressions(blind)),
        )  # fmt: skip
        found = gates.read(made, 12, seed=0)
        assert float(found.figures["age"]) == pytest.approx(1.0)
        assert float(found.figures["gender"]) == 1.0
        assert found.verdict == verdict


def test_transfer_without_a_recogniser_is_not_measured() -> None:
    assert gates.transferred("", "").verdict == "not measured"
    assert "no folder of LFW" in gates.transferred("some", "").measured


def test_memory_is_seen_while_it_is_used() -> None:
    # The pictures that are returned are 2.3 MiB, and those of one chunk in double resolution are more.
    assert 2.3 < phantom_speed.added_memory(64) < 400


def test_another_process_draws_the_same_bits() -> None:
    assert phantom_speed.determinism().verdict == "met"


def test_only_the_table_between_the_markers_changes(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{command.BEGIN}\nold\n{command.END}\nafter\n")
    outcome = gates.Gate(1, "detectable", "much", "little", "missed", {})
    command.write(page, [outcome])
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{command.END}\nafter\n")
    assert "| 1 | detectable | **missed** | little | much |" in text
    assert "old" not in text
    page.write_text("no markers\n")
    with pytest.raises(ParameterError, match="no place for the table"):
        command.write(page, [outcome])


def test_options_of_gates_need_gates(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "phantom", "--quick"]) == 2
    assert "--quick goes with --gates" in capsys.readouterr().err
    assert main(["data", "lfw", "--gates"]) == 2
    assert "only phantom faces have gates" in capsys.readouterr().err
    assert main(["data", "phantom"]) == 0
    assert "people do not exist" in " ".join(capsys.readouterr().out.split())
