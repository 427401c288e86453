"""The contract checks: ours keep every promise, and each broken one is named."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from workbench import data, metrics, models, studies
from workbench.cli import main
from workbench.core import Estimate, NoTrialsError, Samples, Scores, Trials, Undefined
from workbench.data import phantom
from workbench.testing import contracts

OURS = [n for n in models.names() if models.card(n).files or n.startswith("faceapi")]


@pytest.mark.parametrize("spec", OURS)
def test_our_models_keep_the_contract(spec: str) -> None:
    contracts.check_model(spec)


@pytest.mark.parametrize(
    ("scores", "said"),
    [([0.2, 0.4, 1.7], "0.2 to 1.7, expected 0 to 1"), ([0.2, 0.4], r"float64 \(2,\), expected float64 \(3,\)")],
)
def test_attack_scores_that_are_none_are_named(scores: list[float], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = SimpleNamespace(scores=lambda images, boxes: np.array(scores))
    monkeypatch.setattr(models, "attack_detector", lambda spec, device: detector, raising=False)
    with pytest.raises(contracts.ContractError, match=said):
        contracts.check_model("phantom-attacks")


def test_attack_scores_do_not_depend_on_the_company(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = SimpleNamespace(scores=lambda images, boxes: np.full(len(images), 0.1 * len(images)))
    monkeypatch.setattr(models, "attack_detector", lambda spec, device: detector, raising=False)
    with pytest.raises(contracts.ContractError, match="a face alone has another score than in a batch"):
        contracts.check_model("phantom-attacks")


@pytest.mark.parametrize("slug", studies.names())
def test_our_studies_keep_the_contract(slug: str) -> None:
    contracts.check_study(slug)


def test_our_data_sets_keep_the_contract(shared: Path) -> None:
    contracts.check_dataset(data.open_dataset(f"lfw:{shared / 'data' / 'lfw-view1'}"))


def test_phantom_faces_keep_the_contract() -> None:
    contracts.check_dataset(phantom.open("", subjects=6, images=2, size=48))


@pytest.mark.parametrize("metric", [metrics.eer, metrics.auc, metrics.d_prime, lambda s: metrics.fnmr_at_fmr(s, 0.1)])
def test_our_measures_keep_the_contract(metric) -> None:
    contracts.check_metric(metric)


def test_a_data_set_of_labels_needs_no_trials_but_labels() -> None:
    def trials(protocol: str = "") -> Trials:
        raise NoTrialsError("labels only")

    fake = Fake()
    labelled = SimpleNamespace(
        **vars(fake), trials=trials, samples=lambda p: replace(fake.samples(p), attributes={"age": np.arange(3)})
    )
    contracts.check_dataset(labelled)
    with pytest.raises(contracts.ContractError, match="all: it has neither trials nor attributes"):
        contracts.check_dataset(SimpleNamespace(**vars(fake), trials=trials, samples=fake.samples))


@dataclass(frozen=True)
class Fake:
    """A data set of two people."""

    name: str = "fake"
    licence: str = "none needed"
    real: bool = False
    digest: str = "0"
    protocols: tuple[str, ...] = ("all",)
    reference: tuple[int, ...] = (0, 0)
    dtype: type = np.uint8

    def samples(self, protocol: str = "") -> Samples:
        return Samples(self.name, ("0", "1", "2"), np.array(["a", "a", "b"]), np.zeros((3, 8, 8, 3), self.dtype))

    def trials(self, protocol: str = "") -> Trials:
        subjects = np.array([[0, 0], [0, 1]])
        return Trials(np.array(self.reference), np.array([1, 2]), np.array([True, False]), subjects)


def test_a_whole_data_set_passes() -> None:
    contracts.check_dataset(Fake())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Fake(licence="", real=0), "breaks 2 promises"),
        (Fake(protocols=()), "protocols: given"),
        (Fake(reference=(0, 9)), "trials point at sample 9, there are 3"),
        (Fake(reference=(2, 0)), "mated where the samples show two people"),
        (Fake(reference=(1, 0)), "compared with itself"),
        (Fake(dtype=np.float32), "expected pictures uint8"),
    ],
)
def test_a_broken_data_set_is_told_everything(broken: Fake, said: str) -> None:
    with pytest.raises(contracts.ContractError, match=said):
        contracts.check_dataset(broken)


class FakeModel:
    """An embedder that is wrong in one way."""

    provider = "fake"

    def __init__(self, how: str) -> None:
        self.card = replace(models.card("faceapi-recogniser"), dimension=3)
        self.how = how

    def embed(self, chips: np.ndarray) -> np.ndarray:
        v = chips.reshape(len(chips), -1, 3).std(1).astype(np.float32)
        if self.how == "batch":
            v = v * np.array([len(chips), 1, 1], np.float32)
        if self.how == "same":
            v = np.ones_like(v)
        return v if self.how == "long" else v / np.linalg.norm(v, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("how", "said"), [("batch", "alone has another"), ("same", "same embedding"), ("long", "unit length")]
)
def test_a_broken_embedder_is_named(how: str, said: str) -> None:
    assert any(said in promise for promise in contracts._model(FakeModel(how)))


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (lambda x: np.full((len(x), 4), np.nan), "not finite"),
        (lambda x: np.ones((1, 4)), "for three pictures"),
        (lambda x: x.mean(axis=(2, 3)) - x.mean(), "alone has another output"),
    ],
)
def test_a_broken_network_is_named(engine, said: str) -> None:
    (promise,) = contracts._engine(engine, (16, 16))
    assert said in promise


def test_the_command_runs_the_self_test(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "check", "faceapi-expression", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "the same alone and in a batch" in report["self-test"]
    assert report["largest difference torch to ONNX"] < 1e-4


def test_a_broken_card_is_named() -> None:
    card = replace(models.card("faceapi-recogniser"), licence="", template=None, operating_points={1.5: (0.2, "")})
    assert len(list(contracts._card(card))) == 3


def test_a_broken_study_is_told_everything() -> None:
    study = studies.load("saliency").STUDY
    listed = replace(studies.listing("saliency"), title="No number")
    from workbench.runs.parameters import COMMON, schema

    known = schema(listed.notebook)
    known["seed"] = replace(known["seed"], help="", low=None)
    broken = SimpleNamespace(
        scales={"demo": {"size": 3, "seed": 1}}, claims=(replace(study.claims[0], parts=()),) * 2, reported=()
    )
    found = [*contracts._parameters(broken, known, (*COMMON, "gone")), *contracts._claims(broken, listed)]
    for said in ("arXiv", "gone missing", "'size' is no parameter", "'seed' has a default", "no comment", "no range",
                 "given twice", "compares nothing", "what did the paper report"):  # fmt: skip
        assert any(said in promise for promise in found), said


def ordered(scores: Scores) -> Estimate:
    return Estimate(float(scores.values[0]) if len(scores.values) else Undefined("none"), rule="first")


def raising(scores: Scores) -> Estimate:
    return Estimate(float(scores.values[scores.trials.mated].max()), rule="highest mated", counts={"n": 1})


def zero(scores: Scores) -> Estimate:
    return Estimate(float(len(scores.values)), rule="how many", counts={"n": 1})


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (ordered, "order of trials"),
        (ordered, "counts"),
        (raising, "raised ValueError"),
        (zero, "without trials: given 0"),
    ],
)
def test_a_broken_measure_is_told_everything(metric, said: str) -> None:
    with pytest.raises(contracts.ContractError, match=said):
        contracts.check_metric(metric)
