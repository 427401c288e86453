"""The study: what each claim compares, and that what is claimed can be refuted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.claims import judge
from workbench.core import DataError, DeviceError, Evidence, WeightsError
from workbench.data.protocols import every_pair
from workbench.figures import quantization as figures
from workbench.methods import quantization as q
from workbench.methods import quantization_export as export
from workbench.methods import quantization_training as training
from workbench.methods.quantization_arms import FP, HALF, Arm, named, plans
from workbench.methods.quantization_data import Material
from workbench.studies import quantization as study
from workbench.testing.contracts import check_study

SMOKE = study.STUDY.scales["smoke"]
SIZES = ("people", "images", "tests_people", "shots", "small_people", "small_images")
TUNING = ("steps", "batch", "moving", "rate", "constants")
Everything = tuple[Material, dict, study.Check, dict, study.Integer, Evidence]


@pytest.fixture(scope="module")
def run() -> Everything:
    """The whole study at smoke scale."""
    material = study.faces("phantom", "", "smoke", **{k: SMOKE[k] for k in SIZES}, seed=0)
    known = study.recognisers(material, "", epochs=2, seed=0)
    check = study.checked(material, known, device="cpu")
    arms = study.fine_tuned(
        material, known, **{k: SMOKE[k] for k in TUNING}, objective="kd+ekd", weight=1.0, ranges="min-max", repeats=1,
        seed=0, device="cpu",
    )  # fmt: skip
    written = study.integer(material, known, arms)
    evidence = study.evidence(material, known, check, arms, written, resamples=50, seed=0)
    return material, known, check, arms, written, evidence


PEOPLE, SHOTS = 40, 6
NAMES = [FP, f"{FP}, {HALF}", *plans(training.Plan(8), objective="kd+ekd", full=True, half=True)]


def verdicts(run: Everything, noise: dict[str, float], *, slow: float = 1.0) -> dict[str, str]:
    """Answers where arms' embeddings of 40 people are blurred as said; 1.0 is the teacher's own blur."""
    rng = np.random.default_rng(0)
    person = np.repeat(rng.normal(size=(PEOPLE, 24)), SHOTS, 0)
    # All arms share most of their errors, as students of one teacher do.
    common = rng.normal(size=(PEOPLE * SHOTS, 24))
    names = np.repeat([f"p{i:03d}" for i in range(PEOPLE)], SHOTS)
    trials = every_pair(names)
    material = replace(
        run[0], test=np.zeros((len(names), 1, 1, 3), np.uint8), acquired=np.ones(len(names), bool), trials=trials,
        part=np.zeros(len(trials), np.int64), train=np.zeros((1920, 1, 1, 3), np.uint8), small=np.arange(96),
    )  # fmt: skip
    arms = {}
    for name in NAMES:
        found = person + noise.get(name, 1.0) * common + 0.002 * rng.normal(size=common.shape)
        unit = found / np.linalg.norm(found, axis=1, keepdims=True)
        seconds = np.full(60, 0.05) * (slow if "small" in name else 1) + np.arange(60) / 1e5
        tuned = replace(run[3][named("KD+EKD-small", 4)].tuned, seconds=seconds)
        arms[name] = Arm(unit[None].astype(np.float32), tuned, 96 if "small" in name else 1920)
    written = replace(run[4], embeddings=arms[FP].embeddings[0])
    found = study.evidence(material, run[1], run[2], arms, written, resamples=200, seed=0)
    return {v.claim: v.answer for v in judge(study.STUDY.claims, found)}


K, E = "KD-small", "KD+EKD-small"
PAPER = {named("PTQ", 4): 2.2, named(K, 4): 1.6, named("KD-full", 4): 1.65, named(E, 4): 1.3, named(K, 6): 1.05,
         named("KD-full", 6): 1.1, f"{FP}, {HALF}": 1.1, f"{named(K, 6)}, {HALF}": 1.5}  # fmt: skip


def test_the_study_keeps_its_contract() -> None:
    check_study("quantization")


def test_the_papers_findings_are_seen_where_they_are(run: Everything) -> None:
    assert verdicts(run, PAPER) == dict.fromkeys(("C1", "C2", "C3", "C4", "C5", "C6", "C7"), "supported")


@pytest.mark.parametrize(
    ("change", "claims"),
    [
        ({named("KD-full", 6): 0.6}, {"C1", "C5"}),
        ({named("KD-full", 4): 1.0}, {"C7"}),
        ({named("PTQ", 4): 1.2}, {"C2"}),
        ({named("PTQ", 8): 1.6}, {"C2"}),
        ({named("PTQ", 8): 0.6}, {"C2"}),
        ({named(E, 4): 3.0}, {"C3"}),
        ({named(K, 4): 0.6, named("KD-full", 4): 0.6, named(E, 4): 0.5}, {"C4"}),
        ({f"{FP}, {HALF}": 1.5, f"{named(K, 6)}, {HALF}": 1.4}, {"C6"}),
    ],
)
def test_each_claim_is_refuted_by_its_opposite_and_by_nothing_else(
    run: Everything, change: dict[str, float], claims: set[str]
) -> None:
    found = verdicts(run, PAPER | change)
    assert {c for c, answer in found.items() if answer == "refuted"} == claims


def test_a_small_set_whose_steps_are_three_times_as_slow_takes_more_than_a_tenth(run: Everything) -> None:
    found = verdicts(run, PAPER, slow=3.0)
    assert found["C5"] == "refuted"
    assert found["C1"] == "supported"


def test_nobody_of_the_test_is_in_the_full_set(run: Everything) -> None:
    material = run[0]
    assert material.shared == ()
    assert set(material.small.tolist()) <= set(range(len(material.train)))
    assert len(material.small) == 16
    seen = {image.tobytes() for image in material.train}
    assert not seen & {image.tobytes() for image in material.test}


def test_in_sixteen_bits_the_student_is_its_teacher_or_nothing_goes_on(
    run: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run[2].cosine.min() > 0.9999
    monkeypatch.setattr(q, "levels", lambda low, high, bits: ((high - low) / 65535, (high - low) * 0))
    with pytest.raises(WeightsError, match="16 bits is not its teacher"):
        study.checked(run[0], run[1], device="cpu")


def test_every_arm_starts_from_its_teacher_and_eight_bits_stay_nearest(run: Everything) -> None:
    numbers = run[5].numbers
    near = [float(numbers[f"mean cosine with full precision: {named('PTQ', b)}"]) for b in (8, 6, 4)]
    assert 1 > near[0] > near[1] > near[2]
    assert near[0] > 0.99
    assert set(run[3]) == set(NAMES)
    assert {n for n, arm in run[3].items() if arm.tuned.state} == {named(K, 8)}


def test_sizes_shrink_as_the_bits_do(run: Everything) -> None:
    sizes = [float(run[5].numbers[f"size of the weights: {b} bits"]) for b in (32, 8, 6, 4)]
    assert [sizes[0] / s for s in sizes] == pytest.approx([1, 4, 32 / 6, 8])
    assert run[4].sizes["int8"] < 0.35 * run[4].sizes["fp32"]


def test_the_integer_file_is_the_simulated_network(run: Everything) -> None:
    material, known, _, arms, written, evidence = run
    assert written.layers == (7, 0)
    again = export.run(written.data, known["full width"].prepare(material.test))
    assert export.agreement(again, arms[named(K, 8)].embeddings[0]).cosine.min() > 0.999
    name = "integer and simulated network"
    assert float(evidence.numbers[f"{name}, median cosine"]) > 0.99999
    assert evidence.numbers[f"{study.TMR}: integer file"].defined


def test_thresholds_of_the_batches_are_told_apart(run: Everything) -> None:
    seen = run[3][named(E, 4)].tuned.thresholds
    assert seen.shape == (6, 2, 5)
    assert np.all(np.diff(seen, axis=2) >= 0)
    assert float(run[5].numbers["pairs whose rank has a slope"]) > 0.01


def test_accuracy_is_a_match_rate_at_a_false_match_rate_wherever_it_is_named(run: Everything) -> None:
    assert all(r.key in run[5].numbers for r in study.STUDY.reported if r.key)
    ijbc = [r for r in study.STUDY.reported if "IJB-C" in r.dataset]
    assert len(ijbc) == 13
    assert all("TMR" in r.metric for r in ijbc)
    assert "FMR 1e-4" in ijbc[0].dataset
    assert figures.rates(run[5]).axes[0].get_ylabel() == "TMR at FMR 1e-3 [%]"


def test_the_figures_name_their_axes(run: Everything) -> None:
    material, known, _, arms, written, evidence = run
    for picture in (
        figures.faces(material, columns=3), figures.levels(known), figures.tuning(arms, dark=True),
        figures.scores(material, arms), figures.rates(evidence, dark=True), figures.integer(written),
    ):  # fmt: skip
        assert picture.png()[:4] == b"\x89PNG"
    assert [a.get_xlabel() for a in figures.integer(written).axes] == [
        "size of the ONNX file [kB]", "time per picture [ms], one thread",
    ]  # fmt: skip
    hidden = figures.faces(replace(material, real=True))
    assert "pictures hidden" in hidden.get_suptitle()


def test_the_papers_setting_names_everything_that_is_missing() -> None:
    sizes = {k: SMOKE[k] for k in SIZES}
    network, training, pairs = "model='iresnet:PATH'", "MS1MV2 or", "IJB-C in InsightFace's layout"
    for data, model, scale, missing in (
        ("phantom", "", "paper", {network, training, pairs}),
        ("folder:x", "iresnet:y", "paper", {pairs}),
        ("folder:x;lfw:z", "", "paper", {network}),
        # A network for photographs never sees phantom chips, and pictures of one's own never small networks.
        ("phantom", "iresnet:y", "demo", {training, pairs}),
        ("folder:x;lfw:z", "", "smoke", {network}),
    ):
        with pytest.raises(DataError, match="needs files of yours") as caught:
            study.faces(data, model, scale, **sizes, seed=0)
        for part in ("device='cuda'", "0.5 GB", "40 with iResNet-50"):
            assert part in str(caught.value)
        assert {part for part in (network, training, pairs) if part in str(caught.value)} == missing
    assert study.place("auto", "") == "cpu"
    with pytest.raises(DeviceError, match="unknown device"):
        study.place("tpu", "")
