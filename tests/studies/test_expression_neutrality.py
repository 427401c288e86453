"""The study: what each claim compares, and every pitfall of its sheet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from workbench.claims import judge
from workbench.core import DataError, Evidence, ParameterError, Verdict
from workbench.figures import expression_neutrality as figures
from workbench.methods import neutrality_scoring as scoring
from workbench.methods.expression_faces import EXPRESSIONS, Faces
from workbench.methods.expression_material import Described, Material, Recognition, Seen
from workbench.metrics.quality import error_versus_discard
from workbench.studies import expression_neutrality as study
from workbench.testing.contracts import check_study

SMOKE = study.STUDY.scales["smoke"]
SIZES = ("sets", "subjects", "images", "people", "shots", "tests", "probes")


@pytest.fixture(scope="module")
def run() -> tuple[Material, Described, study.Classified, Recognition, Evidence]:
    """The whole study at smoke scale."""
    material = study.faces("phantom", "smoke", **{k: SMOKE[k] for k in SIZES}, seed=0)
    networks = study.trained(material, epochs=1, recogniser_epochs=1, seed=0)
    known = study.described(material, networks, seed=0)
    found = study.classified(material, known, trees=20, stumps=10, seed=0)
    recognition = study.recognised(material, networks, fnmr=0.1, seed=0)
    return (
        material,
        known,
        found,
        recognition,
        study.evidence(material, known, found, recognition, resamples=50, seed=0),
    )


def set_of(name: str, people: int, images: int, first: int) -> Faces:
    """A set without pictures: a third neutral, the others at intensities from 0.1 to 1."""
    n, rng = people * images, np.random.default_rng(first)
    neutral = np.arange(n) % 3 == 0
    intensity = np.where(neutral, 0.0, rng.uniform(0.1, 1, n))
    shown = np.where(neutral, 0, rng.integers(1, len(EXPRESSIONS), n))
    return Faces(name, np.zeros((n, 1, 1, 3), np.uint8), first + np.repeat(np.arange(people), images), shown, intensity)


MATERIAL = Material(
    set_of("train", 2, 3, 0), (set_of("one", 30, 9, 100), set_of("two", 30, 9, 200)), set_of("refs", 40, 1, 300),
    set_of("probes", 40, 8, 300), np.repeat(np.arange(40), 8),
)  # fmt: skip


def verdicts(
    blur: Mapping[str, float], useful: Mapping[str, float], *, harm: float = 1.0, subtle: float = 0.0
) -> dict[str, Verdict]:  # fmt: skip
    """Verdicts where classifiers or features err and serve as said.

    Args:
        blur: spread of the scores of unseen sets by classifier or by features.
        useful: weight of the failures in the quality, by classifier.
        harm: how much intensity lowers mated scores.
        subtle: how much a subtle expression looks neutral.
    """
    rng, probes = np.random.default_rng(0), MATERIAL.probes
    mated = -harm * probes.intensity + rng.normal(0, 0.3, len(probes))
    unseen, quality, references = {}, {}, {}
    for arm in study.ARMS:
        kind, features = arm.split(", ")
        spread = blur.get(kind, 0.3) + blur.get(features, 0.0)
        unseen[arm] = tuple(
            f.neutral + subtle * (~f.neutral & (f.intensity < 0.3)) + rng.normal(0, spread, len(f))
            for f in MATERIAL.sets
        )
        quality[arm] = useful.get(kind, 1.0) * mated + rng.normal(0, 0.3, len(probes))
        references[arm] = np.full(40, 99.0)
    maps, training = dict.fromkeys(study.ARMS, (1.0, 0.0)), dict.fromkeys(study.ARMS, np.ones(3))
    found = study.Classified(unseen, training, references, quality, maps)

    def seen(faces: Faces, utility: bool) -> Seen:
        names = [b for b in study.BASELINES if utility or b not in ("embedding norm", "SER-FIQ", "random")]
        noise = {b: np.zeros(len(faces)) if b == "random" else rng.normal(0, 1, len(faces)) for b in names}
        return Seen({}, noise)

    known = Described(
        tuple(seen(f, False) for f in MATERIAL.sets), seen(MATERIAL.references, True), seen(probes, True), {"A": 0.5}
    )
    rho = float(study.spearman(probes.intensity[None], mated[None])[0])
    recognition = Recognition(mated, mated - 3, scoring.threshold_at_fnmr(mated, 0.1), rho)
    evidence = study.evidence(MATERIAL, known, found, recognition, resamples=60, seed=0)
    return {v.claim: v for v in judge(study.STUDY.claims, evidence)}


def answers(found: Mapping[str, Verdict], *claims: str) -> list[str]:
    return [found[c].answer for c in claims]


def test_the_study_keeps_its_contract() -> None:
    check_study("expression-neutrality")


def test_the_reversal_of_the_paper_is_seen_where_it_is_and_its_opposite_where_that_is() -> None:
    reversal = verdicts({"svm": 0.9, "random-forest": 0.2, "adaboost": 0.2}, {"svm": 2, "random-forest": 0.4,
                                                                              "adaboost": 0.4})  # fmt: skip
    assert answers(reversal, "C1", "C2", "C3", "C5", "C7") == ["supported"] * 5
    opposite = verdicts({"svm": 0.2, "random-forest": 0.9, "adaboost": 0.9}, {"svm": 0.4, "random-forest": 2,
                                                                              "adaboost": 2})  # fmt: skip
    assert answers(opposite, "C1", "C2", "C7") == ["refuted"] * 3


def test_an_order_that_is_the_same_twice_is_no_interaction_and_refutes_c5() -> None:
    same = verdicts({"svm": 0.8, "random-forest": 0.5, "adaboost": 0.2}, {"svm": 0.1, "random-forest": 0.7,
                                                                          "adaboost": 6})  # fmt: skip
    assert same["C5"].answer == "refuted"
    assert same["C1"].answer == "supported"
    assert answers(same, "C2", "C7") != ["supported", "supported"]


def test_scores_that_say_nothing_do_not_beat_discarding_at_random() -> None:
    assert verdicts({}, {"svm": 0.0})["C3"].answer != "supported"
    assert verdicts({}, {"svm": -2.0})["C3"].answer == "refuted"


def test_features_together_may_be_as_bad_as_one_point_and_no_worse() -> None:
    assert verdicts({"A": 0.3, "B": 0.3}, {})["C4"].answer == "supported"
    assert verdicts({"A+B": 0.6}, {})["C4"].answer == "refuted"


def test_subtle_expressions_are_harder_where_they_look_neutral() -> None:
    assert verdicts({}, {}, subtle=0.8)["C6"].answer == "supported"
    assert verdicts({}, {}, subtle=-0.8)["C6"].answer == "refuted"


def test_where_expression_changes_no_score_utility_is_untestable_and_classification_is_not() -> None:
    found = verdicts({}, {}, harm=0.0)
    assert answers(found, "C2", "C3", "C5", "C7") == ["not testable here"] * 4
    assert "hardly changes the mated scores" in found["C2"].reason
    assert "not testable here" not in answers(found, "C1", "C4", "C6")


def test_nobody_is_in_training_in_a_set_and_in_the_utility_test(run: tuple) -> None:
    material = run[0]
    groups = [material.train, *material.sets, material.probes]
    people = [set(g.subjects.tolist()) for g in groups]
    assert sum(map(len, people)) == len(set.union(*people))
    assert set(material.references.subjects) == people[-1]
    assert material.references.subjects[material.reference].tolist() == material.probes.subjects.tolist()


def test_a_constant_quality_gives_a_flat_curve_from_the_fnmr_that_was_fixed(run: tuple) -> None:
    material, known, found, recognition, evidence = run
    scores = scoring.mated_scores(recognition.mated, material.reference, material.probes.subjects)
    constant = study.pair_qualities(material, known, found)["random"]
    curve = error_versus_discard(scores, constant, recognition.threshold, ties="random")
    assert curve.error[:-1] == pytest.approx(float(evidence.numbers["FNMR before discarding"]))
    assert float(evidence.numbers["FNMR before discarding"]) == pytest.approx(0.1)


def test_every_classifier_is_oriented_neutral_is_high_on_the_faces_that_it_learnt_from(run: tuple) -> None:
    found = run[2]
    assert {arm: areas.shape for arm, areas in found.training.items()} == dict.fromkeys(study.ARMS, (4,))
    assert min(areas.min() for areas in found.training.values()) > 0.5


def test_with_neutral_references_the_lower_quality_is_nearly_always_the_probes(run: tuple) -> None:
    material, known, found, _, evidence = run
    both = study.pair_qualities(material, known, found)["intensity"]
    alone = known.probes.baselines["intensity"]
    assert np.corrcoef(both, alone)[0, 1] > 0.99
    assert all(f"min rule against probe alone, rank correlation: {arm}" in evidence.numbers for arm in study.ARMS)


def test_a_set_is_judged_by_a_classifier_that_never_saw_it(run: tuple) -> None:
    material, known, found, _, _ = run
    arm, last = "svm, A", len(material.sets) - 1
    x = np.concatenate([s.features["A"] for s in known.sets[:last]])
    neutral = np.concatenate([f.neutral for f in material.sets[:last]])
    svm = study.neutrality.fit("svm", x, neutral, trees=1, stumps=1, seed=0)
    expected = study.neutrality.score("svm", svm, known.sets[last].features["A"])
    assert found.unseen[arm][last] == pytest.approx(expected)


def test_every_number_of_the_paper_has_its_counterpart_and_no_error_is_called_a_match(run: tuple) -> None:
    evidence = run[4]
    assert all(r.key in evidence.numbers for r in study.STUDY.reported if r.key)
    rules = [f"{n} {e.rule}" for n, e in evidence.numbers.items() if n.startswith(("EER", "false non-neutral"))]
    assert len(rules) > 30
    assert not [r for r in rules if "match" in r and "recogniser" not in r]
    assert evidence.numbers["pAUC of discarding, equal qualities together: random-forest, A"].defined


def test_the_figures_name_their_axes(run: tuple) -> None:
    material, known, found, recognition, evidence = run
    drawn = figures.dets(material, found)
    assert drawn.get_supxlabel() == "false neutral rate [%]"
    assert drawn.get_supylabel() == "false non-neutral rate [%]"
    for picture in (
        figures.sets(material), figures.harm(material, recognition), figures.extremes(material, found, count=3),
        figures.discarding(material, known, found, recognition), figures.errors(evidence), figures.reversal(evidence),
    ):  # fmt: skip
        assert picture.png()[:4] == b"\x89PNG"
    assert "FNMR" in figures.discarding(material, known, found, recognition).axes[0].get_ylabel()


def test_the_papers_setting_names_everything_that_is_missing() -> None:
    sizes = {k: SMOKE[k] for k in SIZES}
    with pytest.raises(DataError, match="cannot run here") as caught:
        study.faces("phantom", "paper", **sizes, seed=0)
    for part in ("enet_b0_8_best_vgaf", "ref, probe, mated", "path, subject, label, intensity", "GPU", "ArcFace"):
        assert part in str(caught.value)
    with pytest.raises(ParameterError, match="networks that are trained here"):
        study.faces("phantom", "smoke", "hsemotion:b0.onnx", **sizes, seed=0)
    with pytest.raises(ParameterError, match="leaving one set out"):
        study.faces("phantom", "smoke", **(sizes | {"sets": 1}), seed=0)
