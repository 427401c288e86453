"""The study: what each claim compares, what a missing arm means, and what real data would need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.claims import judge
from workbench.core import DataError, Evidence, Verdict
from workbench.methods.tiny_vlm_words import CLOSED, INVALID
from workbench.studies import vlm_attributes as vlm
from workbench.testing.contracts import check_study


@pytest.fixture(scope="module")
def material() -> vlm.Material:
    return vlm.faces("phantom", "smoke", images=24, tests=60, scenes=12, seed=0)


def said(material: vlm.Material, arm: str, target: str, share: float, *, invalid: bool = False) -> vlm.Answered:
    """Answers of which a share is right; the others are the next class, or invalid."""
    true = material.test.labels[target]
    hit = np.random.default_rng(len(arm) + len(target)).random(len(true)) < share
    other = np.full(len(true), INVALID) if invalid else (true + 1) % len(CLOSED[target])
    return vlm.Answered(arm, target, np.where(hit, true, other))


def crowd(material: vlm.Material, described: float, plain: float) -> vlm.Addressed:
    rng, labels = np.random.default_rng(0), material.crowd_test.labels
    answers = [
        {t: np.where(rng.random(len(v)) < share, v, INVALID) for t, v in labels.items()} for share in (described, plain)
    ]
    return vlm.Addressed(answers[0], answers[1])


def told(material: vlm.Material, **shares: float) -> list[vlm.Answered]:
    return [said(material, a.replace("_", "-"), t, s) for a, s in shares.items() for t in vlm.TARGETS]


def verdicts(found: Evidence) -> dict[str, Verdict]:
    return {v.claim: v for v in judge(vlm.STUDY.claims, found, resamples=300)}


def test_the_study_keeps_its_contract() -> None:
    check_study("vlm-attributes")


def test_claims_follow_who_is_better(material: vlm.Material) -> None:
    good = told(material, fine_tuned=0.95, zero_shot=0.2, cnn=0.6)
    bad = told(material, fine_tuned=0.2, zero_shot=0.95, cnn=0.95)
    one = verdicts(vlm.evidence(material, good, crowd(material, 0.9, 0.3), merge="five"))
    other = verdicts(vlm.evidence(material, bad, crowd(material, 0.3, 0.9), merge="five"))
    for claim in ("C1", "C3", "C6"):
        assert (one[claim].answer, other[claim].answer) == ("supported", "refuted"), claim


def test_sex_shape_and_expression_are_compared_on_the_same_pictures(material: vlm.Material) -> None:
    for sex, expression, answer in ((0.95, 0.3, "supported"), (0.3, 0.95, "refuted")):
        shares = {"sex-shape": sex, "expression": expression, "age": 0.5, "skin tone": 0.5}
        found = vlm.evidence(
            material,
            [said(material, "fine-tuned", t, s) for t, s in shares.items()],
            crowd(material, 1, 0),
            merge="five",
        )
        assert verdicts(found)["C2"].answer == answer


def test_near_misses_of_age_are_forgiven_by_merging_and_blind_answers_are_not(material: vlm.Material) -> None:
    true = material.test.labels["age"]
    near = np.where(np.isin(true, (0, 3, 5, 7)), true + 1, true)
    blind = np.random.default_rng(0).integers(0, 9, len(true))
    answers = {}
    for name, ages in (("near", near), ("blind", blind)):
        rest = [said(material, "fine-tuned", t, 0.5) for t in vlm.TARGETS if t != "age"]
        found = vlm.evidence(
            material, [*rest, vlm.Answered("fine-tuned", "age", ages)], crowd(material, 1, 0), merge="five"
        )
        answers[name] = verdicts(found)["C4"].answer
    assert answers["near"] == "supported"
    assert answers["blind"] != "supported"


def test_invalid_answers_are_errors_and_are_counted(material: vlm.Material) -> None:
    answers = [said(material, "zero-shot", t, 0.5, invalid=True) for t in vlm.TARGETS]
    numbers = vlm.evidence(material, answers, crowd(material, 1, 0), merge="five").numbers
    for a in answers:
        invalid = float((a.said == INVALID).mean())
        assert 0.2 < invalid < 0.8
        assert float(numbers[f"accuracy, {a.target}: zero-shot"]) == pytest.approx(1 - invalid)
        assert float(numbers[f"invalid answers, {a.target}: zero-shot"]) == pytest.approx(invalid)


def test_a_missing_arm_makes_its_own_claim_untestable_and_no_other(material: vlm.Material) -> None:
    found = verdicts(
        vlm.evidence(material, told(material, fine_tuned=0.9, zero_shot=0.2), crowd(material, 0.9, 0.3), merge="five")
    )
    assert found["C1"].answer == "supported"
    assert found["C3"].answer == "not testable here"
    assert "was not trained" in found["C3"].reason
    assert found["C7"].answer == "not testable here"
    assert "no endpoint is configured" in found["C7"].reason
    nothing = verdicts(vlm.evidence(material, [], crowd(material, 0.9, 0.3), merge="five"))
    assert {nothing[c].answer for c in ("C1", "C2", "C3", "C4", "C5", "C7")} == {"not testable here"}


def test_an_endpoint_that_was_asked_about_some_pictures_joins_the_others(material: vlm.Material) -> None:
    asked = np.arange(60) < 40
    answers = told(material, fine_tuned=0.95, zero_shot=0.2)
    answers += [replace(said(material, "endpoint", t, 0.3), asked=asked) for t in vlm.TARGETS]
    found = vlm.evidence(material, answers, crowd(material, 1, 0), merge="five")
    verdict = verdicts(found)["C7"]
    assert verdict.answer == "supported"
    assert verdict.parts[0].effect is not None
    assert verdict.parts[0].effect.counts["units"] == 40
    assert found.numbers["accuracy, age: endpoint"].counts["samples"] == 40


def test_the_papers_setting_names_everything_that_is_missing() -> None:
    for data, scale in (("phantom", "paper"), ("fairface:x", "demo")):
        with pytest.raises(DataError, match="cannot run here") as caught:
            vlm.faces(data, scale, images=24, tests=24, scenes=12, seed=0)
        for part in ("fairface_label_train.csv", "AffectNet", "PaliGemma-3b-pt-224", "24 GB"):
            assert part in str(caught.value)


def test_no_generated_result_is_called_race(material: vlm.Material) -> None:
    found = vlm.evidence(
        material, told(material, fine_tuned=0.9, zero_shot=0.2, cnn=0.5), crowd(material, 1, 0), merge="five"
    )
    texts = [*found.numbers, *found.measurements, *found.untestable, *(c.statement for c in vlm.STUDY.claims)]
    assert not [t for t in texts if "race" in t.lower()]
    assert any("skin tone" in t for t in texts)


def test_every_step_runs_and_every_number_of_the_paper_has_its_counterpart(material: vlm.Material) -> None:
    start = vlm.pretrained(material, epochs=1, seed=0)
    tuned = vlm.specialists(start, material, epochs=1, tuning="lora", seed=0)
    assert set(tuned) == {*vlm.TARGETS, vlm.CROWD}
    answers = vlm.baselines(material, epochs=1, seed=0)
    for target in vlm.TARGETS:
        answers += [
            vlm.answers(a, m, material, target) for a, m in (("zero-shot", start), ("fine-tuned", tuned[target]))
        ]
    shown = vlm.addressed(tuned[vlm.CROWD], material)
    found = vlm.evidence(material, answers, shown, merge="three")
    assert all(r.key in found.numbers for r in vlm.STUDY.reported if r.key)
    commonest = np.bincount(material.train.labels["skin tone"]).argmax()
    majority = next(a for a in answers if (a.arm, a.target) == ("majority", "skin tone"))
    assert set(majority.said) == {commonest}
    assert set(found.measurements["accuracy after fine-tuning"]) == set(vlm.TARGETS)
