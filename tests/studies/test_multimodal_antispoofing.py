"""The study: what each claim compares, its splits, its conditions, and the benchmark's own lists."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from workbench import data
from workbench.claims import judge
from workbench.core import DataError, Evidence, ParameterError, Samples, Verdict
from workbench.data import phantom
from workbench.figures import multimodal_antispoofing as figures
from workbench.methods.multimodal_faces import Triples, depth_pictures, inputs
from workbench.methods.multimodal_training import Trained
from workbench.studies import multimodal_antispoofing as study
from workbench.testing.contracts import check_study

SMOKE = study.STUDY.scales["smoke"]
SIZES = ("targets", "people", "images", "tests", "identities", "shots", "size")
Run = tuple[study.Material, dict[str, tuple[Trained, ...]], study.Scored, Evidence]


def whole(source: str) -> Run:
    """All steps at smoke scale."""
    material = study.presentations(source, "smoke", **{k: SMOKE[k] for k in SIZES}, seed=0)
    trunk = study.pretrained(material, pretraining=2, seed=0)
    known = study.trained(material, trunk, steps=2, batch=8, samples=20, seed=0)
    found = study.scored(material, known, samples=20, seed=0)
    return material, known, found, study.evidence(material, known, found, resamples=20, seed=0)


@pytest.fixture(scope="module")
def run() -> Run:
    return whole("phantom")


def shown(domain: str, subset: str, people: int) -> Triples:
    """Presentations without pictures: each person twice live and once with each of four instruments."""
    n = 6 * people
    kind = np.arange(n) % 6
    species = np.array(["", "", "photo", "phone", "mask", "partial"])[kind]
    blank = np.zeros((n, 1, 1), np.uint8)
    names = np.array([f"{domain}/{subset}-{i // 6}" for i in range(n)])
    return Triples(np.zeros((n, 1, 1, 3), np.uint8), blank, blank, kind > 1, species, np.full(n, domain), names)


MATERIAL = study.Material(
    ("home", "office", "street"), ("home", "office"),
    study.pictures.joined([shown(d, "train", 20) for d in ("home", "office", "street")]),
    study.pictures.joined([shown(d, "test", 40) for d in ("home", "office")]),
    np.zeros((1, 1, 1, 3), np.uint8), np.zeros(1, np.int64),
)  # fmt: skip


def verdicts(
    spread: Mapping[str, float], *, noisy: Mapping[str, float] | None = None,
    missing: Mapping[str, float] | None = None, uneven: Mapping[str, float] | None = None, closed: float = 0.0,
) -> dict[str, Verdict]:  # fmt: skip
    """Verdicts where arms err as said.

    Args:
        spread: of the noise on perfect scores, by arm.
        noisy: further spread where depth is noise.
        missing: further spread without a modality.
        uneven: loss of the slowest modality where the others have 1.
        closed: change of the scores by the closed form.
    """
    rng, tests = np.random.default_rng(0), MATERIAL.tests()
    noise = [rng.normal(0, 1, len(t)) for t in tests]

    def scores(sd: float) -> tuple[np.ndarray, ...]:
        return tuple(t.attack + sd * z for t, z in zip(tests, noise, strict=True))

    def at(condition: str, arm: str) -> float:
        more = noisy if condition in study.NOISE else missing if condition in study.MISSING else None
        return spread.get(arm, 0.7) + (more or {}).get(arm, 0.0)

    table = {c: {arm: scores(at(c, arm)) for arm in study.ARMS} for c in study.CONDITIONS}
    beside = {arm: tuple(reversed(scores(at(study.COMPLETE, arm)))) for arm in study.ARMS}
    own = table[study.COMPLETE]["full"]
    found = study.Scored(
        table, beside, tuple(s + closed * rng.normal(0, 1, len(s)) for s in own),
        tuple(s + 0.05 * rng.normal(0, 1, len(s)) for s in own), {"full": np.array([0.1, 0.3])},
    )  # fmt: skip
    known = {}
    for arm in study.ARMS:
        losses = np.ones((3, 240)) * np.array([[(uneven or {}).get(arm, 1.5)], [1], [1]])
        losses = losses * rng.uniform(0.9, 1.1, losses.shape) if arm != "base" else np.zeros((3, 0))
        known[arm] = tuple(Trained(arm, {}, np.zeros((1, 4)), losses) for _ in MATERIAL.targets)
    evidence = study.evidence(MATERIAL, known, found, resamples=80, seed=0)
    return {v.claim: v for v in judge(study.STUDY.claims, evidence)}


def answers(found: Mapping[str, Verdict], *claims: str) -> list[str]:
    return [found[c].answer for c in claims]


def test_the_study_keeps_its_contract() -> None:
    check_study("multimodal-antispoofing")


def test_what_the_paper_says_is_seen_where_it_is_and_its_opposite_where_that_is() -> None:
    said = verdicts(
        {"base": 1.4, "adapter": 1.0, "u-adapter": 0.7, "full": 0.4}, noisy={"adapter": 2.0, "base": 2.0},
        missing={"base": 3.0, "full": 0.05}, uneven={"full": 1.05, "u-adapter": 3},
    )  # fmt: skip
    assert answers(said, "C1", "C2", "C3", "C4", "C5") == ["supported"] * 5
    opposite = verdicts(
        {"base": 0.4, "adapter": 0.7, "u-adapter": 1.0, "full": 1.4}, noisy={"u-adapter": 3.0},
        missing={"base": 0.05, "full": 4.0}, uneven={"full": 3, "u-adapter": 1.05},
    )  # fmt: skip
    assert answers(opposite, "C1", "C2", "C3", "C4", "C5") == ["refuted"] * 5


def test_equal_arms_are_no_gain() -> None:
    same = verdicts({})
    assert "supported" not in answers(same, "C1", "C2", "C4")


def test_a_balance_that_costs_more_than_a_point_does_not_support_c3() -> None:
    found = verdicts({"u-adapter": 0.4, "full": 1.2}, uneven={"full": 1.05, "u-adapter": 3})
    assert [p.answer for p in found["C3"].parts] == ["supported", "refuted"]
    assert found["C3"].answer == "refuted"


def test_the_closed_form_is_the_same_only_when_drawing_again_changes_as_much() -> None:
    assert verdicts({}, closed=0.01)["C6"].answer == "supported"
    assert verdicts({}, closed=0.4)["C6"].answer == "refuted"


def test_nobody_is_in_training_and_test_and_no_target_in_its_sources(run: Run) -> None:
    material = run[0]
    assert not set(material.train.subjects) & set(material.test.subjects)
    for target in material.targets:
        assert set(material.sources(target).domain) == set(material.domains) - {target}
    assert [set(t.domain) for t in material.tests()] == [{t} for t in material.targets]
    people = phantom.identities(6, seed=0, prefix="pretraining")
    assert not {s.split("/")[1] for s in material.train.subjects} & set(people.names)


def test_all_arms_start_alike_and_see_the_same_presentations(run: Run) -> None:
    """Adapters begin as nothing: the first cross-entropy of every arm is that of three plain streams."""
    _, known, _, _ = run
    first = np.array([[t.losses[0, 0] for t in known[arm]] for arm in study.ARMS])
    np.testing.assert_allclose(first, np.broadcast_to(first[:1], first.shape), rtol=1e-5)
    assert np.isnan(known["base"][0].losses[:, 1:]).all()
    assert np.isfinite(np.stack([known[a][0].losses for a in study.ARMS[1:]])).all()


def test_a_missing_modality_is_missing_for_every_arm_and_noise_is_the_same(run: Run) -> None:
    x = inputs(run[0].tests()[0])
    found = study.conditions(x, 0)
    assert tuple(found) == study.CONDITIONS
    assert torch.equal(found[study.COMPLETE], x)
    assert float(found["colour only"][:, 1:].abs().max()) == 0
    again = study.conditions(x, 0)
    assert all(torch.equal(found[c], again[c]) for c in study.CONDITIONS)
    changed = [float((found[c] != x).float().mean()) for c in study.NOISE]
    assert changed == sorted(changed)
    # What is noise at 25 % stays noise at 75 %.
    hit = [(found[c] != x)[:, 1] for c in study.NOISE]
    assert bool((hit[2] | ~hit[0]).all())


def test_scores_are_those_of_the_networks_and_higher_is_attack(run: Run) -> None:
    material, known, found, _ = run
    network = known["base"][1].network(material.network)
    with torch.no_grad():
        logits = network(inputs(material.tests()[1]), uncertainty="none").logits
    slow = (logits[:, 1] - logits[:, 0]).double().numpy()
    np.testing.assert_allclose(found.scores[study.COMPLETE]["base"][1], slow, rtol=1e-4, atol=1e-5)
    assert [len(s) for s in found.elsewhere["full"]] == [len(t) for t in reversed(material.tests())]


def test_the_threshold_of_the_other_rates_comes_from_people_of_other_targets(run: Run) -> None:
    numbers = run[3].numbers
    rule = numbers["BPCER at a foreign threshold, home: full"].rule
    assert "on 'other targets'" in rule
    assert "judged on 'home'" in rule
    for name in ("HTER", "ACER", "APCER of the worst species", "BPCER"):
        assert sum(n.startswith(f"{name} at a foreign threshold") for n in numbers) == 8


def test_one_target_has_no_foreign_threshold(run: Run) -> None:
    material, known, found, _ = run
    one = replace(material, targets=material.targets[:1])
    cut = study.Scored(
        {c: {a: s[:1] for a, s in arms.items()} for c, arms in found.scores.items()},
        {a: (np.zeros(0),) for a in study.ARMS}, found.closed[:1], found.again[:1], {},
    )  # fmt: skip
    evidence = study.evidence(one, {a: k[:1] for a, k in known.items()}, cut, resamples=20, seed=0)
    assert "a single target" in str(evidence.numbers["HTER at a foreign threshold, home: full"].value)


def test_every_number_of_a_bar_or_line_is_there(run: Run) -> None:
    numbers = run[3].numbers
    for arm in study.ARMS:
        for condition in study.CONDITIONS:
            assert figures._hter(condition, arm) in numbers
        assert f"{study.AUC}: {arm}" in numbers
    assert numbers[f"{study.HTER}: {study.CLOSED}"].defined
    assert all("equal error point" in e.rule for n, e in numbers.items() if n.startswith(("HTER:", "HTER,", "rise")))
    assert {n for n in numbers if n.startswith(study.SPREAD)} == {f"{study.SPREAD}: {a}" for a in study.ARMS[1:]}
    assert {n for n in numbers if n.startswith(study.UNEVEN)} == {f"{study.UNEVEN}: {a}" for a in study.ARMS[1:]}


def test_the_figures_name_their_axes(run: Run) -> None:
    material, known, found, evidence = run
    for picture in (figures.presentations(material, dark=True), figures.spoilt(material)):
        assert picture.png()[:4] == b"\x89PNG"
    assert [a.get_xlabel() for a in figures.closed_form(material, found).axes] == ["score with 20 samples [logit]"] * 2
    assert figures.scores(material, found).get_supxlabel() == "attack score [logit]"
    assert figures.errors(evidence).axes[0].get_ylabel() == "HTER, mean over targets [%]"
    assert figures.corruption(evidence).axes[0].get_xlabel() == "depth patches that are noise [%]"
    assert figures.balance(material, known, evidence).axes[0].get_ylabel() == "prototypical loss [nats]"


def test_pictures_of_real_people_are_shown_only_when_asked(run: Run) -> None:
    real = replace(run[0], train=replace(run[0].train, real=True), test=replace(run[0].test, real=True))
    for figure in (figures.presentations(real), figures.spoilt(real)):
        assert not figure.axes
        assert "show_faces" in figure.get_suptitle()
    assert figures.presentations(real, show=True).axes


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Phantom presentations as the benchmark's lists: two sets to learn from, one of them with a test list too."""
    parts, subsets = [], []
    for domain, subset in (("office", "train"), ("home", "train"), ("home", "test")):
        parts.append(phantom.attack_detection(2, 1, size=48, domains=(domain,), subsets=(subset,)))
        subsets += [subset] * len(parts[-1].samples)
    known = [p.samples.attributes for p in parts]
    domains = np.concatenate([k["domain"] for k in known])
    samples = Samples(
        "phantom/lists", tuple(i for p in parts for i in p.samples.ids),
        np.char.replace(np.concatenate([p.samples.subjects for p in parts]), "/", "-"),
        np.concatenate([p.samples.images for p in parts]),
        {
            "attack": np.concatenate([k["attack"] for k in known]), "set": np.where(domains == "office", "C", "S"),
            "subset": np.array(subsets), "depth": depth_pictures(np.concatenate([p.depth for p in parts])),
            "species": np.char.replace(np.concatenate([k["species"] for k in known]), " ", "-"),
            "nir": np.concatenate([p.nir for p in parts]),
        },
        parts[0].samples.licence, False,
    )  # fmt: skip
    return data.export(samples, None, "mmdg", tmp_path_factory.mktemp("lists") / "out")


def test_the_benchmarks_own_lists_run_from_end_to_end(lists: str) -> None:
    material, _, found, evidence = whole(lists)
    assert (material.domains, material.targets) == (("C", "S"), ("S",))
    assert material.train.real
    # What is said of the data is said of these data.
    assert (material.name, material.failures) == ("mmdg", 0)
    assert "the people are real" in material.licence
    assert not any("do not exist" in note or "could not be read" in note for note in material.notes)
    assert len(material.sources("S")) == 10
    assert material.train.rgb.shape[1:] == (40, 40, 3)
    assert set(material.test.species) == {"", "photo", "phone", "cut-print", "printed-mouth"}
    # Label 1 of a list is live: two of ten presentations.
    assert material.test.attack.tolist().count(False) == 2
    assert len(found.scores[study.COMPLETE]["full"][0]) == 10
    assert evidence.numbers["HTER: full"].defined


def test_a_picture_that_cannot_be_read_is_left_out(lists: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(lists.partition(":")[2], tmp_path / "copy"))
    line = (folder / "S-test.txt").read_text().splitlines()[0]
    (folder / line.split()[1]).write_bytes(b"broken")
    opened = study.mmdg.open(str(folder))
    assert len(study.pictures.listed(opened, "S-test", size=16)) == 9
    material = study.presentations(f"mmdg:{folder}", "smoke", **{k: SMOKE[k] for k in SIZES}, seed=0)
    assert material.failures == 1
    assert any("1 presentations could not be read" in note for note in material.notes)


def test_lists_that_do_not_suffice_say_what_does(lists: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(lists.partition(":")[2], tmp_path / "copy"))
    (folder / "C-train.txt").unlink()
    with pytest.raises(DataError, match=r"two train lists and a test list\n  given: S-train, S-test"):
        study.presentations(f"mmdg:{folder}", "smoke", **{k: SMOKE[k] for k in SIZES}, seed=0)


def test_lists_that_are_there_are_not_named_as_missing(lists: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(lists.partition(":")[2], tmp_path / "copy"))
    for complete in (False, True):
        with pytest.raises(DataError, match="vit_b_16") as caught:
            study.presentations(f"mmdg:{folder}", "paper", **{k: SMOKE[k] for k in SIZES}, seed=0)
        assert ("C-, P-, S- and W-train" in str(caught.value)) is not complete
        line = next(folder.glob("S-test*")).read_text()
        for letter in "CSW":
            for subset in ("train", "val", "test"):
                (folder / f"{letter}-{subset}.txt").write_text(line)


def test_the_papers_setting_names_everything_that_is_missing() -> None:
    sizes = {k: SMOKE[k] for k in SIZES}
    for source, scale in (("phantom", "paper"), ("wmca:x", "demo")):
        with pytest.raises(DataError, match="cannot run here") as caught:
            study.presentations(source, scale, **sizes, seed=0)
        for part in ("C-, P-, S- and W-train", "vit_b_16", "PADISI", "24 GB", "not measured", "VP-FAS"):
            assert part in str(caught.value)
    with pytest.raises(ParameterError, match="patches of 8"):
        study.presentations("phantom", "smoke", **(sizes | {"size": 42}), seed=0)
