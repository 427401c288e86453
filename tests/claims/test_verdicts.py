import numpy as np
import pytest

from workbench.claims import Claim, Comparison, compare, judge
from workbench.core import Evidence, Measurements, UnknownNameError

SUBJECTS = np.arange(30)[:, None]


def evidence(difference: float, spread: float = 0.1) -> Evidence:
    noise = np.random.default_rng(0).normal(0, spread, 30)
    return Evidence(
        measurements={
            "area": {
                "ours": Measurements("ours", 0.5 + difference + noise, SUBJECTS),
                "theirs": Measurements("theirs", np.full(30, 0.5), SUBJECTS),
            }
        }
    )


@pytest.mark.parametrize(
    ("difference", "margin", "answer"),
    [(-0.3, 0.0, "supported"), (0.3, 0.0, "refuted"), (0.0, 0.0, "undecided"), (-0.3, 0.4, "refuted"),
     (0.02, -0.2, "supported")],
)  # fmt: skip
def test_three_answers_and_margins(difference: float, margin: float, answer: str) -> None:
    verdict = compare(Comparison("area", "ours", "theirs", "less", margin), evidence(difference))
    assert verdict.answer == answer


def test_a_verdict_says_what_its_interval_must_pass() -> None:
    for direction, margin, limit in (("less", 0.1, -0.1), ("greater", 0.1, 0.1), ("less", -0.2, 0.2), ("less", 0, 0)):
        verdict = compare(Comparison("area", "ours", "theirs", direction, margin), evidence(-0.3))
        assert (verdict.limit, verdict.direction) == (limit, direction)
        assert verdict.effect is not None
        passed = verdict.effect.high < limit if direction == "less" else verdict.effect.low > limit
        assert passed == (verdict.answer == "supported")


def test_exchanging_the_arms_exchanges_the_verdict() -> None:
    assert compare(Comparison("area", "theirs", "ours"), evidence(-0.3)).answer == "refuted"
    assert compare(Comparison("area", "theirs", "ours", "greater"), evidence(-0.3)).answer == "supported"


def test_equal_arms_support_nothing() -> None:
    assert compare(Comparison("area", "theirs", "theirs"), evidence(0.0)).answer == "undecided"


def test_what_cannot_be_tested_says_why() -> None:
    few = Evidence(measurements={"area": {"ours": Measurements("ours", np.zeros(3), SUBJECTS[:3])}})
    verdict = compare(Comparison("area", "ours", 1.0), few)
    assert verdict.answer == "not testable here"
    assert "fewer than 5 capture subjects" in verdict.reason
    nothing = Evidence(untestable={"mass": "no parts"})
    assert compare(Comparison("mass", "ours", 1.0), nothing).reason == "no parts"


def test_a_claim_needs_all_its_parts() -> None:
    good, bad = Comparison("area", "ours", "theirs"), Comparison("area", "ours", "theirs", "greater")
    claims = [Claim("C1", "x", (good, good)), Claim("C2", "x", (good, bad))]
    assert [v.answer for v in judge(claims, evidence(-0.3))] == ["supported", "refuted"]


def test_an_unknown_arm_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ours'"):
        compare(Comparison("area", "our", "theirs"), evidence(0.0))
