"""The real path of expression neutrality on phantom faces that were written as a user's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench import data, files, models
from workbench.claims import judge
from workbench.core import DataError, Evidence, ParameterError, Samples, Trials, UnknownNameError, WeightsError
from workbench.data import phantom
from workbench.figures import expression_neutrality as figures
from workbench.methods import expression_faces as pictures
from workbench.methods import expression_networks as networks
from workbench.methods import expression_pictures as photographs
from workbench.methods.expression_material import Described, Material, Seen
from workbench.methods.small_recogniser import initialise, prepare
from workbench.models.detectors import Faces as Detected
from workbench.models.engines import export_onnx
from workbench.models.pipeline import Pipeline
from workbench.runs.session import Run
from workbench.studies import expression_neutrality as study

RECOGNISER = "phantom-recogniser-64"
SIZES = dict.fromkeys(("sets", "subjects", "images", "people", "shots", "tests", "probes"), 0)
SEED = 5
HOUSE = models.default_pipeline


class Exported(nn.Module):
    """Features of a network of the study's own, which wants [-1, 1] instead of ImageNet's standardised pixels."""

    def __init__(self, network: networks.ExpressionNetwork) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225])[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return self.network.features(2 * (x * self.deviation + self.mean) - 1)


@dataclass(frozen=True)
class Written:
    """A user's files, and what is known of them.

    Attributes:
        data, model: specifications.
        parts: samples of each folder, with the true ``landmarks5``.
        trials: of the last one.
        networks: A and B.
    """

    data: str
    model: str
    parts: tuple[Samples, ...]
    trials: Trials
    networks: dict[str, networks.ExpressionNetwork]
    folder: Path


def portraits(name: str, people: int, each: int) -> Samples:
    """Portraits of one person after another; the first of each is neutral."""
    who = phantom.identities(people, seed=SEED, prefix=name).take(np.repeat(np.arange(people), each))
    n, rng = len(who), np.random.default_rng(len(name))
    neutral = np.arange(n) % each == 0
    shown = np.where(neutral, 0, rng.integers(1, len(pictures.EXPRESSIONS), n))
    intensity = np.where(neutral, 0.0, np.resize([0.2, 0.9, 0.5], n))
    moved = pictures.movements(shown, intensity, 0.5, rng)
    scene = phantom.varied(who, ("background",), [f"{name}/{i}" for i in range(n)], seed=SEED).replace(movements=moved)
    drawn = phantom.render(scene, 96, truth=("landmarks5",))
    label = np.array(pictures.EXPRESSIONS)[shown]
    return Samples(
        name, tuple(f"{name}/{i}" for i in range(n)), np.repeat([f"{name}-{i}" for i in range(people)], each),
        drawn.rgb, {"label": label, "intensity": intensity, "landmarks5": np.asarray(drawn.landmarks5)},
        phantom.open("").licence, False, name,
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Two sets, comparisons of six neutral references with three probes each, and networks A and B."""
    folder = tmp_path_factory.mktemp("user")
    parts = (portraits("ck", 5, 4), portraits("mug", 5, 4), portraits("test", 6, 4))
    subjects = np.repeat(np.arange(6), 4)
    mated = [(4 * p, 4 * p + k) for p in range(6) for k in (1, 2, 3)]
    others = [(4 * p, (4 * p + 5) % 24) for p in range(6)]
    reference, probe = np.array(mated + others).T
    sides = np.stack([subjects[reference], subjects[probe]], 1)
    trials = Trials(reference, probe, sides[:, 0] == sides[:, 1], sides)
    specs = [
        data.export(p, trials if p.name == "test" else None, "expressions", folder / p.name) for p in parts
    ]  # fmt: skip
    made = {}
    for kind in "AB":
        network = networks.fresh(kind)
        assert isinstance(network, networks.ExpressionNetwork)
        initialise(network, "test", kind)
        made[kind] = network.eval()
        (folder / f"{kind}.onnx").write_bytes(export_onnx(Exported(network), (64, 64)))
    model = f"hsemotion:{folder / 'A.onnx'};hsemotion:{folder / 'B.onnx'};{RECOGNISER}"
    return Written(";".join(specs), model, parts, trials, made, folder)


class TrueLandmarks:
    """Knows the pictures that were written; of others it says that there is no face."""

    provider = "the truth"

    def __init__(self, parts: Sequence[Samples]) -> None:
        self.known = {
            np.asarray(image).tobytes(): points
            for part in parts
            for image, points in zip(part, part.attributes["landmarks5"], strict=True)
        }

    def detect(self, images: Sequence[NDArray[np.uint8]], /) -> list[Detected]:
        found = []
        for image in images:
            points = self.known.get(image.tobytes())
            n = int(points is not None)
            five = np.zeros((0, 5, 2), np.float32) if points is None else np.asarray(points, np.float32)[None]
            found.append(Detected(np.tile(np.float32([0, 0, 90, 90]), (n, 1)), np.ones(n, np.float32), five))
        return found


@pytest.fixture(scope="module", autouse=True)
def true_landmarks(written: Written) -> Iterator[None]:
    """The house's pipeline with a detector that does not err, so that numbers can be foreseen."""
    parts = [models.load(n, device="cpu") for n in ("faceapi-landmarks68", RECOGNISER)]
    made = Pipeline(TrueLandmarks(written.parts), *parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "default_pipeline", lambda **options: made)
        # Every set in several batches, the last of them not full.
        patch.setattr(photographs, "BATCH", 7)
        yield


@pytest.fixture(scope="module")
def done(written: Written, true_landmarks: None) -> tuple[Material, Described, study.Classified, Any, Evidence]:
    """The whole study on the files as they were written."""
    material = faces(written)
    return material, *whole(written, material)


def faces(written: Written, *, spec: str = "", model: str | None = None, scale: str = "smoke") -> Material:
    model = written.model if model is None else model
    return study.faces(spec or written.data, scale, model, **SIZES, seed=0)


def whole(
    written: Written, material: Material, model: str | None = None
) -> tuple[Described, study.Classified, Any, Evidence]:  # fmt: skip
    model = written.model if model is None else model
    known = study.trained(material, model, epochs=1, recogniser_epochs=1, seed=0)
    described = study.described(material, known, seed=0)
    found = study.classified(material, described, trees=12, stumps=6, seed=0)
    recognition = study.recognised(material, known, fnmr=0.2, seed=0)
    evidence = study.evidence(material, described, found, recognition, resamples=50, seed=0)
    return described, found, recognition, evidence


def answers(evidence: Evidence) -> dict[str, str]:
    return {v.claim: v.answer for v in judge(study.STUDY.claims, evidence)}


def in_memory(written: Written) -> tuple[Material, Described]:
    """The same study without files: true landmarks, torch networks."""
    cut = models.load(written.model.split(";")[0], device="cpu").cut

    def seen(part: Samples) -> Seen:
        chips = prepare(cut(list(part), part.attributes["landmarks5"]))
        with torch.inference_mode():
            a, b = (written.networks[k].features(chips).numpy() for k in "AB")
        return Seen({"A": a, "B": b, "A+B": np.concatenate([a, b], 1)}, {})

    def shown(part: Samples, first: int) -> pictures.Faces:
        codes = np.array([pictures.EXPRESSIONS.index(str(v)) for v in part.attributes["label"]])
        subjects = first + np.unique(part.subjects, return_inverse=True)[1]
        return pictures.Faces(part.name, np.asarray(part.images), subjects, codes, part.attributes["intensity"])

    sets = [shown(p, 10 * i) for i, p in enumerate(written.parts)]
    mated = written.trials.mated
    people, reference = np.unique(written.trials.reference[mated], return_inverse=True)
    probes = written.trials.probe[mated]
    test, what = sets[2], [seen(p) for p in written.parts]
    sides = [photographs._taken(test, at, "side") for at in (people, probes)]
    pools = [Seen({k: v[at] for k, v in what[2].features.items()}, {}) for at in (people, probes)]
    material = Material(test, (sets[0], sets[1]), sides[0], sides[1], reference)
    return material, Described((what[0], what[1]), pools[0], pools[1], {})


def test_what_was_written_is_what_is_studied(written: Written, done: tuple) -> None:
    material = done[0]
    assert [f.name for f in material.sets] == ["ck", "mug"]
    assert material.real
    assert (len(material.train), len(material.references), len(material.probes)) == (0, 6, 18)
    assert sum(material.failures["test"].values()) == 0 == material.compared.left_out
    expected, _ = in_memory(written)
    for found, truth in zip([*material.sets, material.references, material.probes],
                            [*expected.sets, expected.references, expected.probes], strict=True):  # fmt: skip
        assert found.neutral.tolist() == truth.neutral.tolist()
        assert found.intensity == pytest.approx(truth.intensity)
        assert [found.names[c] for c in found.expression] == [truth.names[c] for c in truth.expression]
        people = [np.unique(f.subjects, return_inverse=True)[1].tolist() for f in (found, truth)]
        assert people[0] == people[1]
    assert material.reference.tolist() == np.repeat(np.arange(6), 3).tolist()
    groups = [set(f.subjects.tolist()) for f in (*material.sets, material.probes)]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 16


def test_files_give_the_features_and_the_errors_that_memory_gives(written: Written, done: tuple) -> None:
    _, described, found, _, evidence = done
    expected, known = in_memory(written)
    for one, other in zip([*described.sets, described.references, described.probes],
                          [*known.sets, known.references, known.probes], strict=True):  # fmt: skip
        for name in study.FEATURES:
            assert one.features[name] == pytest.approx(other.features[name], abs=1e-3)
    memory = study.classified(expected, known, trees=12, stumps=6, seed=0)
    for arm in ("svm, A", "svm, B", "svm, A+B"):
        for one, other in zip(found.unseen[arm], memory.unseen[arm], strict=True):
            assert one == pytest.approx(other, abs=1e-2)
        assert found.probes[arm] == pytest.approx(memory.probes[arm], abs=1e-2)
        error = study.scoring.unseen(arm, memory.unseen[arm], expected.sets, resamples=50, seed=0)
        assert float(evidence.numbers[f"{study.EER}: {arm}"]) == pytest.approx(float(error.value))


def test_similarities_are_the_pipelines(written: Written, done: tuple) -> None:
    """Every listed comparison, against the house's own way from pictures to scores."""
    mated, nonmated = done[3].mated, done[3].nonmated
    embeddings = models.default_pipeline().embed(written.parts[2].images)
    expected = embeddings.compare(written.trials.reference, written.trials.probe)
    assert mated == pytest.approx(expected[written.trials.mated], abs=1e-5)
    assert nonmated == pytest.approx(expected[~written.trials.mated], abs=1e-5)
    norms = done[1].probes.baselines["embedding norm"]
    recogniser = models.load(RECOGNISER, device="cpu")
    card, points = recogniser.card, written.parts[2].attributes["landmarks5"]
    chips = models.align(list(written.parts[2]), points, card.template, card.input_size)
    with torch.inference_mode():
        lengths = recogniser.network(recogniser.prepare(chips)).norm(dim=1).numpy()
    assert norms == pytest.approx(lengths[written.trials.probe[written.trials.mated]], rel=0.02)


def test_a_whole_real_study_has_verdicts_and_pictures(done: tuple) -> None:
    material, described, found, recognition, evidence = done
    assert "not testable here" not in {answers(evidence)[c] for c in ("C1", "C4", "C6")}
    assert all(r.key in evidence.numbers for r in study.STUDY.reported if r.key)
    assert float(evidence.numbers["neutral references"]) == 1
    assert evidence.numbers["EER of the recogniser"].defined
    assert set(described.probes.baselines) == {"random", "intensity", "embedding norm"}
    legend = figures.errors(evidence).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == list(study.FEATURES)
    for picture in (
        figures.sets(material), figures.harm(material, recognition), figures.extremes(material, found, count=3),
        figures.dets(material, found), figures.discarding(material, described, found, recognition),
        figures.errors(evidence), figures.reversal(evidence),
    ):  # fmt: skip
        assert picture.png()[:4] == b"\x89PNG"


def test_people_are_hidden_unless_they_are_asked_for(done: tuple, tmp_path: Path) -> None:
    material, _, found, _, _ = done
    hidden = [figures.sets(material, columns=2), figures.extremes(material, found, count=1)]
    assert all(np.ptp(a.images[0].get_array()) == 0 for figure in hidden for a in figure.axes)
    shown = [figures.sets(material, columns=2, show=True), figures.extremes(material, found, count=1, show=True)]
    assert all(np.ptp(a.images[0].get_array()) > 0 for figure in shown for a in figure.axes)
    for show, kept in ((False, 0), (True, 1)):
        out = tmp_path / str(show)
        values = {"scale": "smoke", "data": "expressions:x", "model": "", "seed": 0, "out": str(out)}
        Run("expression-neutrality", values | {"show_faces": show}).step(lambda: material, name="faces")
        assert len(list(out.rglob("*.zip"))) == kept


def rewritten(written: Written, tmp_path: Path, name: str, change: Any) -> str:
    """The user's data with one folder changed; ``change`` takes samples, trials (or None) and gives them."""
    specs = written.data.split(";")
    for i, part in enumerate(written.parts):
        if part.name == name:
            samples, trials = change(part, written.trials if name == "test" else None)
            specs[i] = data.export(samples, trials, "expressions", tmp_path / name)
    return ";".join(specs)


def test_without_intensities_only_c6_is_not_testable(written: Written, tmp_path: Path) -> None:
    specs = ";".join(
        data.export(
            replace(p, attributes={"label": p.attributes["label"]}), written.trials if p.name == "test" else None,
            "expressions", tmp_path / p.name,
        )
        for p in written.parts
    )  # fmt: skip
    material = faces(written, spec=specs)
    _, _, recognition, evidence = whole(written, material)
    assert answers(evidence)["C6"] == "not testable here"
    assert "no intensities" in evidence.untestable[study.BY_INTENSITY]
    assert "neutral or not" in evidence.numbers["correlation of intensity and mated score"].rule
    # The labels alone say whether expression hurts.
    strength = (~material.probes.neutral).astype(float)
    assert material.probes.strength.tolist() == strength.tolist()
    assert figures.harm(material, recognition).png()[:4] == b"\x89PNG"


def test_neutral_faces_need_no_intensity() -> None:
    def graded(intensity: list[float], expression: list[int]) -> pictures.Faces:
        n = len(intensity)
        return pictures.Faces("x", np.zeros((n, 1, 1, 3), np.uint8), np.zeros(n, np.int64), np.array(expression),
                              np.array(intensity))  # fmt: skip

    assert graded([np.nan, 0.04, 0.7], [0, 0, 2]).strength.tolist() == [0, 0.04, 0.7]
    assert graded([0.04, 0.2, np.nan], [0, 1, 2]).strength.tolist() == [0, 1, 1]
    assert np.isnan(graded([np.nan], [-1]).strength).all()
    assert [graded([np.nan, 0.5], [0, 1]).shown(i) for i in (0, 1)] == ["neutral", "happy 0.50"]


def test_without_comparisons_or_a_recogniser_nothing_is_said_about_utility(written: Written) -> None:
    two = ";".join(written.data.split(";")[:2])
    nobody = written.model.rsplit(";", 1)[0]
    for spec, model, what in ((two, written.model, "comparisons"), (written.data, nobody, "recogniser")):
        material = faces(written, spec=spec, model=model)
        described, found, recognition, evidence = whole(written, material, model)
        assert recognition is None
        said = answers(evidence)
        assert [said[c] for c in ("C2", "C3", "C5", "C7")] == ["not testable here"] * 4
        assert "not testable here" not in {said[c] for c in ("C1", "C4", "C6")}
        assert f"no {what} given" in evidence.untestable[study.PAUC]
        assert all(r.key in evidence.numbers for r in study.STUDY.reported if r.key)
        for picture in (
            figures.sets(material), figures.harm(material, recognition), figures.extremes(material, found, count=3),
            figures.discarding(material, described, found, recognition), figures.reversal(evidence),
        ):  # fmt: skip
            assert picture.png()[:4] == b"\x89PNG"


def test_pairs_without_labels_of_expressions_make_utility_untestable(written: Written, tmp_path: Path) -> None:
    part = written.parts[2]
    for i, image in enumerate(part):
        files.commit_bytes(tmp_path / str(part.subjects[i]) / f"{i}.png", files.encode_png(image))
    spec = ";".join([*written.data.split(";")[:2], f"folder:{tmp_path}"])
    material = faces(written, spec=spec)
    assert np.isnan(material.probes.strength).all()
    _, _, recognition, evidence = whole(written, material)
    assert np.isnan(recognition.correlation)
    assert "probes have no labels" in evidence.untestable[study.PAUC]
    assert answers(evidence)["C2"] == "not testable here"
    assert evidence.numbers[f"{study.PAUC}: svm"].defined
    assert figures.harm(material, recognition).png()[:4] == b"\x89PNG"


def test_failures_to_acquire_are_counted_and_their_comparisons_left_out(written: Written, tmp_path: Path) -> None:
    def blank(samples: Samples, trials: Trials | None) -> tuple[Samples, Trials | None]:
        images = np.array(samples.images)
        # A probe of a mated and of a non-mated comparison, and a reference of three mated ones and a non-mated one.
        images[[1, 4]] = 90
        return replace(samples, images=images), trials

    specs = rewritten(written, tmp_path, "test", blank)
    specs = specs.replace(
        written.data.split(";")[0], data.export(written.parts[0], None, "expressions", tmp_path / "ck")
    )
    damaged = sorted((tmp_path / "ck").rglob("*.png"))[1]
    damaged.write_bytes(damaged.read_bytes()[:60])
    material = faces(written, spec=specs)
    assert material.failures["test"] == {"no face found": 2}
    assert sum(material.failures["ck"].values()) == 1
    assert "no face found" not in material.failures["ck"]
    assert len(material.sets[0]) == 19
    lost = np.isin(written.trials.reference, [1, 4]) | np.isin(written.trials.probe, [1, 4])
    assert material.compared.left_out == lost.sum() == 6
    assert len(material.probes) == (~lost & written.trials.mated).sum()
    _, _, recognition, evidence = whole(written, material)
    assert float(evidence.numbers["failures to acquire: test"]) == 2
    assert "2 no face found" in evidence.numbers["failures to acquire: test"].rule
    assert float(evidence.numbers["failures to acquire: ck"]) == 1
    assert evidence.numbers["failures to acquire: mug"].rule.endswith("every face was found")
    assert float(evidence.numbers["comparisons left out"]) == 6
    assert len(recognition.mated) == len(material.probes)
    assert material.notes == [
        "no face was found in 3 pictures; they are not part of any number",
        "6 comparisons were left out for that",
    ]


def test_where_no_face_is_found_at_all_the_set_is_named(written: Written, tmp_path: Path) -> None:
    def blank(samples: Samples, trials: Trials | None) -> tuple[Samples, Trials | None]:
        return replace(samples, images=np.full_like(np.asarray(samples.images), 90)), trials

    with pytest.raises(DataError, match="the set mug has one class only"):
        faces(written, spec=rewritten(written, tmp_path / "a", "mug", blank))
    with pytest.raises(DataError, match="test has no mated comparison that can be made"):
        faces(written, spec=rewritten(written, tmp_path / "b", "test", blank))


def test_nobody_may_be_in_two_data_sets(written: Written, tmp_path: Path) -> None:
    def shared(samples: Samples, trials: Trials | None) -> tuple[Samples, Trials | None]:
        return replace(samples, subjects=np.where(samples.subjects == "test-2", "ck-0", samples.subjects)), trials

    with pytest.raises(DataError, match=r"test and ck share capture subjects\n  given: 'ck-0'\n(.|\n)*nobody of the"):
        faces(written, spec=rewritten(written, tmp_path / "a", "test", shared))

    def neighbours(samples: Samples, trials: Trials | None) -> tuple[Samples, Trials | None]:
        return replace(samples, subjects=np.char.replace(samples.subjects, "mug", "ck")), trials

    with pytest.raises(DataError, match=r"mug and ck share capture subjects\n  given: 'ck-0', 'ck-1', 'ck-2'"):
        faces(written, spec=rewritten(written, tmp_path / "b", "mug", neighbours))


def test_a_set_of_one_class_is_named(written: Written, tmp_path: Path) -> None:
    def happy(samples: Samples, trials: Trials | None) -> tuple[Samples, Trials | None]:
        return replace(samples, attributes={"label": np.full(len(samples), "happy")}), trials

    with pytest.raises(DataError, match=r"the set ck has one class only\n  given: 0 neutral of 20 faces"):
        faces(written, spec=rewritten(written, tmp_path, "ck", happy))


def test_what_is_missing_is_named_and_nothing_else(written: Written) -> None:
    first, second, test = written.data.split(";")
    a, b, recogniser = written.model.split(";")
    cases = [
        (first, written.model, "smoke", {photographs.SETS}),
        (f"{first};{second}", "", "smoke", {photographs.NETWORKS}),
        (f"{first};{second}", a, "demo", {photographs.NETWORKS}),
        (test, written.model, "demo", {photographs.SETS}),
        (f"{first};{second}", written.model, "paper", {photographs.COMPARISONS, photographs.TIME}),
        (written.data, f"{a};{b}", "paper", {photographs.RECOGNISER, photographs.TIME}),
        (f"{first};{second}", recogniser, "paper", {photographs.NETWORKS, photographs.COMPARISONS, photographs.TIME}),
    ]
    everything = [getattr(photographs, n) for n in ("SETS", "NETWORKS", "RECOGNISER", "COMPARISONS", "TIME")]
    for spec, model, scale, lacks in cases:
        with pytest.raises(DataError, match=r"cannot run here|not complete") as caught:
            faces(written, spec=spec, model=model, scale=scale)
        assert {part for part in everything if part in str(caught.value)} == lacks
    assert faces(written, scale="paper").name == "expressions/ck; expressions/mug; expressions/test"


def test_files_that_do_not_fit_are_refused(written: Written, tmp_path: Path) -> None:
    a, b, recogniser = written.model.split(";")
    for model in (f"{a};{b};{a}", f"{a};{b};{recogniser};{recogniser}", f"{a};{b};faceapi-ssd"):
        with pytest.raises(ParameterError, match="the models do not fit this study"):
            faces(written, model=model)
    test = data.export(written.parts[2], written.trials, "expressions", tmp_path / "again")
    with pytest.raises(DataError, match=r"several data sets have comparisons\n.*expressions:.*expressions:"):
        faces(written, spec=f"{written.data};{test}")
    labelled = replace(written.parts[0], attributes={"age": np.full(20, 30), "gender": np.zeros(20)})
    spec = data.export(labelled, None, "utkface", tmp_path / "utkface")
    with pytest.raises(DataError, match="does not say which expressions it shows"):
        faces(written, spec=f"{written.data};{spec}")
    with pytest.raises(UnknownNameError, match="affectnet"):
        faces(written, spec="affectnet:x")
    logits = export_onnx(written.networks["A"], (64, 64))
    (tmp_path / "logits.onnx").write_bytes(logits)
    with pytest.raises(WeightsError, match="ends in classes"):
        faces(written, model=f"hsemotion:{tmp_path / 'logits.onnx'};{b}")


def test_the_houses_own_detector_finds_the_same_faces(written: Written) -> None:
    first = written.parts[0]
    found, source = photographs._located(
        photographs.opened(written.data)[0][0], np.arange(8), np.unique(first.subjects),
        HOUSE(device="cpu"), failures := {},
    )  # fmt: skip
    assert sum(failures["ck"].values()) == 8 - len(found)
    assert len(found) >= 7
    true = first.attributes["landmarks5"][source.places]
    eyes = np.linalg.norm(true[:, 1] - true[:, 0], axis=1)
    assert (np.linalg.norm(source.points - true, axis=2).mean(1) / eyes).max() < 0.15
