"""The study: what each claim compares, what a missing arm means, and what real data would need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench.claims import judge
from workbench.core import ConsentError, DataError, Evidence, Verdict
from workbench.methods.asked import Chat
from workbench.methods.tiny_vlm_asked import question
from workbench.methods.tiny_vlm_words import CLOSED, INVALID, age_group
from workbench.probing.responder import BlankEyes, Responder
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


def test_an_endpoint_is_asked_about_a_stratified_part_and_a_refusal_is_not_a_wrong_answer(
    material: vlm.Material, tmp_path: Path
) -> None:
    store = str(tmp_path / "answers.sqlite")
    with Responder(BlankEyes(), refuse_direct=0.3) as server:
        chat = Chat(server.url, "workbench-responder")
        found = {a.target: a for a in vlm.endpoint_answers(material, chat, store, count=40, seed=0)}
        assert server.counters.requests == 160
        again = vlm.endpoint_answers(material, chat, store, count=40, seed=0)
        assert server.counters.requests == 160
    for one in again:
        np.testing.assert_array_equal(one.said, found[one.target].said)
    asked = found["age"].asked
    assert asked is not None
    assert int(asked.sum()) == 40
    strata = 2 * material.test.labels["skin tone"] + material.test.labels["sex-shape"]
    share = np.abs(np.bincount(strata[asked], minlength=12) - np.bincount(strata, minlength=12) * 40 / 60)
    assert share.max() <= 1
    # Blank eyes tell what they see from the mean colour, by the rule in their description.
    mean = material.test.images.reshape(60, -1, 3).mean(1)
    clear = np.abs(mean - 127.5).min(1) > 3
    expected = {"sex-shape": mean[:, 2] >= 127.5, "expression": mean[:, 0] >= 127.5,
                "age": age_group(18 + mean[:, 1] / 255 * 60)}  # fmt: skip
    for target, wanted in expected.items():
        a = found[target]
        assert a.refused is not None
        assert 3 < a.refused.sum() < 25
        assert (a.said[a.refused] == INVALID).all()
        at = asked & ~a.refused & clear
        difference = a.said[at].astype(int) - wanted[at].astype(int)
        # A group's border may lie between a mean and its JPEG.
        assert (difference == 0).mean() > (0.85 if target == "age" else 0.99), target
    evidence = vlm.evidence(material, [*told(material, fine_tuned=0.9, zero_shot=0.3), *found.values()],
                            crowd(material, 1, 0), merge="five")  # fmt: skip
    for target, a in found.items():
        assert a.refused is not None
        numbers, answered = evidence.numbers, int((asked & ~a.refused).sum())
        assert float(numbers[f"refusals, {target}: endpoint"]) == pytest.approx(a.refused.sum() / 40)
        assert numbers[f"accuracy, {target}: endpoint"].counts["samples"] == answered
        units = evidence.measurements[f"accuracy beside an endpoint, {target}"]["endpoint"].values
        assert int(np.isfinite(units).sum()) == answered
    # The responder knows no skin tones: that is an answer that cannot be used, and no refusal of ours.
    assert verdicts(evidence)["C7"].answer != "not testable here"


def test_without_an_endpoint_nobody_is_asked(material: vlm.Material, tmp_path: Path) -> None:
    assert vlm.endpoint_answers(material, Chat(), str(tmp_path / "a.sqlite"), count=40, seed=0) == []
    assert not (tmp_path / "a.sqlite").exists()
    with pytest.raises(ConsentError, match="nobody has agreed"):
        vlm.endpoint_answers(material, Chat("https://chat.example.org/v1", "m"), str(tmp_path / "a"), count=12, seed=0)


def test_every_target_has_a_question_whose_answers_are_places_in_its_list() -> None:
    said = {
        "sex-shape": {"A woman.": 0, "Man": 1},
        "age": {"About 30 years old.": 2, "I would say 75.": 7},
        "expression": {"The face looks happy.": 1, "Answer: disgusted": 4},
        "skin tone": {"very light": 0, "Answer: light brown": 2},
    }
    for target, texts in said.items():
        prompt, (_, read) = question(target)
        for text, place in texts.items():
            answer = prompt.kind.parse(text)
            assert answer.outcome == "value", (target, text, answer)
            assert read(answer.value) == (place,)


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
