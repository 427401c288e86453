import numpy as np
import pytest

from workbench.claims import Claim, Comparison, compare, judge
from workbench.core import Evidence, Measurements, Resampled, Scores, ShapeError, Trials, Undefined, UnknownNameError
from workbench.metrics.resampling import combined, resampled

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


def test_a_reason_says_what_was_taken_from_the_arm() -> None:
    against = compare(Comparison("area", "ours", 0.3), evidence(0.0))
    assert "(less 0.3), margin 0:" in against.reason
    for comparison in (Comparison("area", "ours", "theirs"), Comparison("area", "ours", 0.0)):
        assert "less" not in compare(comparison, evidence(0.0)).reason


def test_exchanging_the_arms_exchanges_the_verdict() -> None:
    assert compare(Comparison("area", "theirs", "ours"), evidence(-0.3)).answer == "refuted"
    assert compare(Comparison("area", "theirs", "ours", "greater"), evidence(-0.3)).answer == "supported"


def test_equal_arms_support_nothing() -> None:
    verdict = compare(Comparison("area", "theirs", "theirs"), evidence(0.0))
    assert verdict.answer == "not testable here"
    assert "cannot see the uncertainty" in verdict.reason


def _at(arm: str, value: float, people: int) -> Measurements:
    """Two alike units of each of some people; a third of the value is no round number in base two."""
    return Measurements(
        arm, np.repeat(np.linspace(value, value, people) / 3, 2), np.repeat(np.arange(people), 2)[:, None]
    )


@pytest.mark.parametrize("limit", [0.05, -0.05])
def test_an_interval_without_width_decides_nothing(limit: float) -> None:
    # None of six people is rejected: the share may still be a third, and no resample can show it.
    found = Evidence(measurements={"drop": {"mark": _at("mark", 0.0, 6), "other": _at("other", 0.3, 6)}})
    for comparison in (Comparison("drop", "mark", limit), Comparison("drop", "mark", "other", "greater", limit)):
        verdict = compare(comparison, found)
        assert verdict.answer == "not testable here"
        assert "cannot see the uncertainty" in verdict.reason
        assert verdict.effect is not None
        assert verdict.effect.defined


@pytest.mark.parametrize(("people", "answer"), [(6, "undecided"), (70, "undecided"), (80, "supported")])
def test_where_a_unit_has_bounds_enough_people_who_are_alike_decide(people: int, answer: str) -> None:
    # Of n people without one loss, 1 - 0.025 ** (1 / n) may lose all the same: a share of 0.05 from 72 people on.
    none = Measurements("mark", np.zeros(people), np.arange(people)[:, None], (0.0, 1.0))
    found = compare(Comparison("drop", "mark", 0.05), Evidence(measurements={"drop": {"mark": none}}))
    assert found.answer == answer
    assert found.effect is not None
    assert float(found.effect) == pytest.approx(-0.05)
    assert found.effect.high == pytest.approx(1 - 0.025 ** (1 / people) - 0.05)


@pytest.mark.parametrize(
    ("values", "answer"),
    [([0.0] * 6, "supported"), ([0, 0, 1e-7, 0, 0, 0], "supported"), ([0, 0, 1, 0, 0, 0], "refuted"),
     ([1.0] * 6, "refuted"), ([np.nan] * 6, "not testable here"), ([np.nan, 0, 0, 0, 0, 0], "supported")],
)  # fmt: skip
def test_what_is_said_of_each_unit_is_refuted_by_one(values: list[float], answer: str) -> None:
    units = Measurements("ours", np.array(values, float), np.arange(6)[:, None])
    comparison = Comparison("difference", "ours", 1e-5, every=True)
    assert str(comparison) == "difference: ours < 1e-05, each time"
    verdict = compare(comparison, Evidence(measurements={"difference": {"ours": units}}))
    assert verdict.answer == answer
    if answer != "not testable here":
        assert (": every unit lies" in verdict.reason) is (answer == "supported")
        assert (": not every unit" in verdict.reason) is (answer == "refuted")


def test_a_statistic_of_all_units_is_not_said_of_each() -> None:
    arms = {"ours": Resampled("ours", 0.0, np.zeros(400), "six people", {"subjects": 6})}
    for quantity, found in (("rate", Evidence(statistics={"rate": arms})), ("eer", Evidence())):
        with pytest.raises(ShapeError, match="says nothing of each"):
            compare(Comparison(quantity, "ours", 0.1, every=True), found)


def test_an_interval_that_only_rare_draws_would_widen_decides_nothing() -> None:
    draws = np.zeros(400)
    draws[:4] = 0.2
    arms = {"ours": Resampled("ours", 0.0, draws, "six people", {"subjects": 6})}
    verdict = compare(Comparison("rate", "ours", 0.01), Evidence(statistics={"rate": arms}))
    assert verdict.answer == "not testable here"
    assert "nearly every resample gives the same value" in verdict.reason


def test_scores_that_are_apart_in_every_resample_decide_nothing() -> None:
    subjects = np.r_[np.repeat(np.arange(12), 2).reshape(-1, 2), np.c_[np.arange(12), (np.arange(12) + 1) % 12]]
    n, mated = np.arange(24), subjects[:, 0] == subjects[:, 1]
    scores = Scores("ours", Trials(n, n, mated, subjects), np.where(mated, 1.0, 0.0), np.ones(24, bool))
    verdict = compare(Comparison("eer", "ours", 0.05), Evidence(scores={"ours": scores}))
    assert verdict.answer == "not testable here"
    assert "cannot see the uncertainty" in verdict.reason


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


def median(arm: str, values: np.ndarray, seed: int = 0) -> Resampled:
    """A statistic that is no mean: the value below which half of the weight lies."""
    order = np.argsort(values)

    def statistic(weights: np.ndarray | None) -> float:
        running = np.cumsum(np.ones(len(values)) if weights is None else weights[order])
        return float(values[order][np.searchsorted(running, running[-1] / 2)])

    return resampled(arm, statistic, SUBJECTS[:, 0], {"units": len(values)}, resamples=400, seed=seed)


def test_a_statistic_that_is_no_mean_is_compared_draw_by_draw() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 30)
    jitter = np.random.default_rng(1).normal(0, 0.01, 30)
    arms = {"ours": median("ours", noise - 0.1 + jitter), "theirs": median("theirs", noise)}
    found = compare(Comparison("median", "ours", "theirs"), Evidence(statistics={"median": arms}))
    # Unpaired, an interval ten times as wide as the difference would hold 0.
    assert found.answer == "supported"
    assert found.effect is not None
    assert (found.effect.low, found.effect.high) == pytest.approx((-0.1, -0.1), abs=0.03)
    assert "paired over 30 capture subjects" in found.effect.rule
    other = compare(Comparison("median", "theirs", "ours"), Evidence(statistics={"median": arms}))
    assert other.answer == "refuted"
    constant = compare(Comparison("median", "ours", 5.0), Evidence(statistics={"median": arms}))
    assert constant.answer == "supported"
    with pytest.raises(UnknownNameError, match="did you mean 'theirs'"):
        compare(Comparison("median", "ours", "their"), Evidence(statistics={"median": arms}))


def test_arms_of_other_draws_are_not_paired() -> None:
    with pytest.raises(ShapeError, match="resampled by different draws"):
        Evidence(statistics={"median": {"a": median("a", np.zeros(30)), "b": median("b", np.zeros(30), seed=1)}})


def test_statistics_combine_draw_by_draw_and_undefined_stays_so() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 30)
    one, other = median("one", noise), median("other", noise + 2, seed=1)
    both = combined("ratio", lambda v: v[0] / v[1], [one, other])
    assert both.value == pytest.approx(float(one.value) / float(other.value))
    assert both.drawn == pytest.approx(one.drawn / other.drawn)
    assert "seed 0 and" in both.draw
    none = Resampled("none", Undefined("no units"), np.full(400, np.nan), "nothing", {"subjects": 0})
    nothing = combined("sum", lambda v: v.sum(0), [one, none])
    verdict = compare(Comparison("x", "sum", 0.0), Evidence(statistics={"x": {"sum": nothing}}))
    assert verdict.answer == "not testable here"
    assert "no units" in verdict.reason


def test_a_statistic_says_what_was_drawn_where_it_is_not_people() -> None:
    times = resampled("fast", lambda w: float(np.average(np.arange(30.0), weights=w)), np.arange(30), {},
                      over="steps", resamples=50)  # fmt: skip
    half = combined("half", lambda v: v[0] / 2, [times])
    found = Evidence(statistics={"time": {"half": half}})
    verdict = compare(Comparison("time", "half", 20.0), found)
    assert verdict.answer == "supported"
    assert verdict.effect is not None
    assert "30 steps" in verdict.effect.rule
    assert "capture subjects" not in verdict.effect.rule
    # Beside a verdict they are counted by their own name, too.
    assert verdict.effect.counts == {"steps": 30}
    few = resampled("few", lambda w: 1.0, np.arange(3), {}, over="steps", resamples=50)
    assert (
        "fewer than 5 steps"
        in compare(Comparison("time", "few", 2.0), Evidence(statistics={"time": {"few": few}})).reason
    )
