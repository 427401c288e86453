import numpy as np
import pytest

from workbench.core import Evidence, Measurements, Samples, Scores, ShapeError, Trials


def samples(n: int = 3) -> Samples:
    images = np.arange(n, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    return Samples("tiny", tuple("abc"[:n]), np.array(["p", "p", "q"][:n]), images, {"yaw": np.arange(n)})


def trials() -> Trials:
    pairs = np.array([[0, 1], [0, 2]])
    return Trials(pairs[:, 0], pairs[:, 1], np.array([True, False]), np.array([[0, 0], [0, 1]]))


def test_a_subset_takes_everything_along() -> None:
    part = samples().subset([2, 0])
    assert part.ids == ("c", "a")
    assert list(part.subjects) == ["q", "p"]
    assert part.images[0][0, 0, 0] == 2
    assert list(part.attributes["yaw"]) == [2, 0]


def test_a_lazy_subset_reads_only_what_is_asked() -> None:
    read = []

    class Lazy:
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> np.ndarray:
            read.append(index)
            return np.full((1, 1, 3), index, np.uint8)

    part = Samples("lazy", ("a", "b", "c"), np.array(["p"] * 3), Lazy()).subset([2, 1]).subset([1])
    assert part.images[0][0, 0, 0] == 1
    assert read == [1]


def test_samples_name_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"attributes\['age'\] has another length"):
        Samples("x", ("a",), np.array(["p"]), np.zeros((1, 2, 2, 3), np.uint8), {"age": np.zeros(2)})
    with pytest.raises(ShapeError, match="ids are not unique"):
        Samples("x", ("a", "a"), np.array(["p", "p"]), np.zeros((2, 2, 2, 3), np.uint8))


def test_mated_cannot_disagree_with_the_subjects() -> None:
    with pytest.raises(ShapeError, match="mated disagrees"):
        Trials(np.array([0]), np.array([1]), np.array([True]), np.array([[0, 1]]))


def test_scores_count_failures_and_refuse_nan_elsewhere() -> None:
    scores = Scores("m", trials(), np.array([0.5, np.nan]), np.array([True, False]))
    assert scores.failures == 1
    with pytest.raises(ShapeError, match="not finite on 1 acquired"):
        Scores("m", trials(), np.array([0.5, np.nan]), np.array([True, True]))


def test_arms_are_compared_on_the_same_trials_only() -> None:
    ok = np.array([True, True])
    one = Scores("a", trials(), np.array([1.0, 0.0]), ok)
    other = Scores("b", trials().subset(np.array([1, 0])), np.array([1.0, 0.0]), ok)
    with pytest.raises(ShapeError, match="scored on different trials"):
        Evidence(scores={"a": one, "b": other})
    units = np.array([[0], [1]])
    with pytest.raises(ShapeError, match="different units"):
        Evidence(
            measurements={
                "area": {
                    "a": Measurements("a", np.zeros(2), units),
                    "b": Measurements("b", np.zeros(2), units[::-1]),
                }
            }
        )
