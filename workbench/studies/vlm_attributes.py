"""Exploring Vision Language Models for Facial Attribute Recognition: Emotion, Race, Gender, and Age. arXiv:2410.24148.

The paper says race, gender and emotion; the embedded faces have a skin tone, a sex-shape and an expression, and no
result of theirs is called race. Sizes and margins were fixed before the first verdict was seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..claims import Claim, Comparison, Study
from ..core import DataError, Estimate, Evidence, Measurements, Reported
from ..data.protocols import stratified
from ..methods import tiny_vlm_scenes as pictures
from ..methods import tiny_vlm_scoring as scoring
from ..methods import tiny_vlm_training as training
from ..methods import tiny_vlm_words as words
from ..methods.asked import Chat
from ..methods.cores import side_by_side
from ..methods.tiny_vlm import TrainedVLM
from ..methods.tiny_vlm_asked import about_pictures
from ..metrics import of_mean
from ..metrics.agreement import answer_rates, cohen_kappa
from ..metrics.attributes import of_classes

Codes = NDArray[np.int64]
TARGETS = words.TARGETS
CROWD = "people side by side"
# Every arm that a table may show; "endpoint" is a larger model behind an OpenAI-compatible endpoint.
ARMS = ("fine-tuned", "zero-shot", "cnn", "majority", "endpoint")
NEEDS = (
    "FairFace: fairface_label_train.csv and fairface_label_val.csv (file, age, gender, race, service_test) beside "
    "train/ and val/ with margin 0.25",
    "AffectNet: the official validation list and its pictures",
    "PaliGemma-3b-pt-224, or the published FaceScanPaliGemma checkpoints, in transformers format",
    "a GPU with 24 GB in bf16, or 12 GB in 4 bits",
)
_ABSENT = {
    "endpoint": "no endpoint is configured: no larger model was asked",
    "cnn": "the convolutional network was not trained in this run",
    "zero-shot": "the model was not asked before it was fine-tuned",
    "fine-tuned": "the model was not fine-tuned",
}
# What the fine-tuned model stands beside. Each pair is a quantity of its own, so that a missing arm leaves the others.
_BESIDE = {"accuracy": "zero-shot", "accuracy beside the network": "cnn", "accuracy beside an endpoint": "endpoint"}


def _each(prefix: str, against: str, margin: float = 0.0) -> tuple[Comparison, ...]:
    return tuple(Comparison(f"{prefix}, {a}", "fine-tuned", against, "greater", margin) for a in TARGETS)


STUDY = Study(
    title="Exploring Vision Language Models for Facial Attribute Recognition: Emotion, Race, Gender, and Age",
    source="arXiv:2410.24148",
    pillar="attributes",
    version="1-B",
    claims=(
        Claim("C1", "Fine-tuning beats the same model's zero-shot answers", _each("accuracy", "zero-shot")),
        Claim(
            "C2",
            "Sex-shape is easier than expression",
            (Comparison("accuracy after fine-tuning", "sex-shape", "expression", "greater"),),
        ),
        Claim(
            "C3",
            "The fine-tuned model is at most 2 points worse than a convolutional network on the same labels",
            _each("accuracy beside the network", "cnn", -0.02),
        ),
        Claim(
            "C4",
            "Coarser age groups raise accuracy by more than chance",
            (
                Comparison("age accuracy above chance", "merged", "native", "greater"),
                Comparison("age kappa", "merged", "native", "greater"),
            ),
        ),
        Claim(
            "C5",
            "After fine-tuning some skin tones are still recalled better than others",
            (Comparison("recall, best minus worst skin tone", "fine-tuned", 0.0, "greater"),),
        ),
        Claim(
            "C6",
            "Among two or three people, describing the one who is meant raises accuracy about them",
            (Comparison("accuracy about the person meant", "described", "not described", "greater"),),
        ),
        Claim(
            "C7",
            "The fine-tuned model beats a larger model that was not trained for the task",
            _each("accuracy beside an endpoint", "endpoint"),
        ),
    ),
    reported=(
        Reported("race accuracy", "FairFace, coarser groups", "abstract", 0.811),
        Reported("gender accuracy", "FairFace", "abstract", 0.958, key="accuracy, sex-shape: fine-tuned"),
        Reported("age-group accuracy", "FairFace, merged", "abstract", 0.80, key="accuracy, merged age: fine-tuned"),
        Reported("emotion accuracy", "AffectNet", "abstract", 0.594, key="accuracy, expression: fine-tuned"),
        Reported("race accuracy, seven classes", "FairFace", "Table 10, quoted by a third party", 0.757),
        Reported("race accuracy, ResNet-34 trained again", "FairFace", "Table 10, quoted by a third party", 0.72),
        Reported("class F1, best and worst", "FairFace", "third-party notes",
                 text="class F1 about 90 % for Black and about 60 % for Latino/Hispanic faces"),
    ),
    scales={
        "smoke": {"images": 48, "tests": 36, "epochs": 1, "tuning_epochs": 1, "network_epochs": 1, "scenes": 16},
        "demo": {"images": 2400, "tests": 600, "epochs": 5, "tuning_epochs": 4, "network_epochs": 8, "scenes": 1200},
        "paper": {"images": 65000, "tests": 10954, "epochs": 5, "tuning_epochs": 5, "network_epochs": 20,
                  "scenes": 5000},
    },
)  # fmt: skip


@dataclass(frozen=True)
class Material:
    """All pictures of a run; people of training and test are disjoint.

    Attributes:
        train, test: portraits; skin tones are long-tailed in training and even in the test.
        crowd, crowd_test: people side by side, out of the same portraits.
    """

    train: pictures.Pictures
    test: pictures.Pictures
    crowd: pictures.Scenes
    crowd_test: pictures.Scenes


@dataclass(frozen=True)
class Answered:
    """What one arm said about one target of every test picture.

    Attributes:
        arm: one of `ARMS`.
        target: one of `TARGETS`.
        said: ``int64 (n,)`` places in the closed list, -1 where an answer is invalid.
        texts: the answers as they came, or () where an arm gives no texts.
        asked: ``bool (n,)`` pictures that the arm was asked about, or None for all.
        refused: ``bool (n,)`` pictures about which it would not answer, or None; a refusal is not a wrong answer.
    """

    arm: str
    target: str
    said: Codes
    texts: tuple[str, ...] = ()
    asked: NDArray[np.bool_] | None = None
    refused: NDArray[np.bool_] | None = None

    @property
    def compared(self) -> NDArray[np.bool_]:
        """``(n,)`` pictures on which it stands beside other arms."""
        asked = np.ones(len(self.said), bool) if self.asked is None else self.asked
        return asked if self.refused is None else asked & ~self.refused


@dataclass(frozen=True)
class Addressed:
    """Answers about the person meant among several, each target of every scene.

    Attributes:
        described, plain: target -> ``int64 (n,)``, with and without the description.
    """

    described: Mapping[str, Codes]
    plain: Mapping[str, Codes]


def faces(data: str, scale: str, *, images: int, tests: int, scenes: int, seed: int) -> Material:
    """Portraits to learn from and to be tested on, and the same people side by side.

    Raises:
        DataError: other data, or the paper's scale; the message names what is missing.
    """
    if data != "phantom" or scale == "paper":
        raise DataError(
            "the paper's setting cannot run here",
            given=f"data {data!r}, scale {scale!r}",
            expected="; ".join(NEEDS),
            do="use data='phantom' with scale 'smoke' or 'demo'; sizes may be raised one by one",
        )
    train = pictures.portraits(images, "train", long_tailed=True, seed=seed)
    test = pictures.portraits(tests, "test", long_tailed=False, seed=seed)
    crowd = pictures.scenes(train, scenes, "train", seed=seed)
    return Material(train, test, crowd, pictures.scenes(test, max(12, tests // 2), "test", seed=seed))


def pretrained(material: Material, *, epochs: int, seed: int) -> TrainedVLM:
    """The model before any target was taught: captions, other questions, and the form of an answer."""
    train, lessons = material.train, pictures.generic(material.train, seed)
    return side_by_side([lambda: training.pretrain(train.images, lessons, epochs=epochs, seed=seed)])[0]


def specialists(
    start: TrainedVLM, material: Material, *, epochs: int, tuning: str, seed: int
) -> dict[str, TrainedVLM]:  # fmt: skip
    """Copies of the pre-trained model: one for each target, and `CROWD` for people side by side.

    Args:
        start: the pre-trained model.
        material: pictures to learn from.
        epochs: of each.
        tuning: ``"all"`` weights or ``"lora"``.
        seed: of orders and of LoRA's start.
    """
    train, crowd = material.train, material.crowd
    taught: dict[str, tuple[NDArray[np.uint8], training.Lessons]] = {
        t: (train.images, pictures.about(train, t)) for t in TARGETS
    }
    taught[CROWD] = (crowd.images, pictures.addressed(crowd, seed))
    # The longest first, so that no core waits at the end.
    order = (CROWD, *TARGETS)
    tasks = [
        partial(training.finetune, start, *taught[n], epochs=epochs, low_rank=tuning == "lora", seed=seed, name=n)
        for n in order
    ]
    return dict(zip(order, side_by_side(tasks), strict=True))


def answers(arm: str, model: TrainedVLM, material: Material, target: str) -> Answered:
    """What a model says about the test pictures."""
    texts = model.ask(material.test.images, [words.question(target)] * len(material.test.images))
    return Answered(arm, target, words.matched(texts, words.CLOSED[target]), tuple(texts))


def baselines(material: Material, *, epochs: int, seed: int) -> list[Answered]:
    """For each target a convolutional network on the same labels, and the commonest class of training."""
    train, test = material.train, material.test.images
    tasks = [
        partial(
            training.classifier, train.images, train.labels[t], len(words.CLOSED[t]), epochs=epochs, seed=seed, name=t
        )
        for t in TARGETS
    ]
    found = []
    for target, network in zip(TARGETS, side_by_side(tasks), strict=True):
        most = int(np.bincount(train.labels[target]).argmax())
        found += [
            Answered("cnn", target, network.predict(test)),
            Answered("majority", target, np.full(len(test), most, np.int64)),
        ]
    return found


def endpoint_answers(material: Material, chat: Chat, store: str, *, count: int, seed: int) -> list[Answered]:
    """What a larger model says about some of the test pictures; nothing where no endpoint is given.

    Args:
        material: the pictures.
        chat: whom to ask.
        store: file of the answers.
        count: pictures at most, drawn by strata of skin tone and sex-shape.
        seed: of the drawing.
    """
    if not chat.url:
        return []
    test = material.test
    strata = 2 * test.labels["skin tone"] + test.labels["sex-shape"]
    chosen = stratified(strata, min(count, len(strata)), "vlm", "endpoint", seed)
    found = []
    for target in TARGETS:
        codes, refused, texts = about_pictures(chat, target, test.images[chosen], store, dataset="phantom")
        said, no, asked = np.full(len(strata), words.INVALID), np.zeros(len(strata), bool), np.zeros(len(strata), bool)
        said[chosen], no[chosen], asked[chosen] = codes, refused, True
        found.append(Answered("endpoint", target, said, texts, asked, no))
    return found


def addressed(model: TrainedVLM, material: Material) -> Addressed:
    """What the model says about one of several people, asked with and without a description."""
    test = material.crowd_test
    said = [
        {t: words.matched(model.ask(test.images, test.questions(t, d)), words.CLOSED[t]) for t in TARGETS}
        for d in (True, False)
    ]
    return Addressed(said[0], said[1])


def evidence(material: Material, told: Sequence[Answered], crowd: Addressed, *, merge: str) -> Evidence:
    """Arm beside arm on the same test pictures.

    Args:
        material: the pictures.
        told: answers of every arm there is; arms that are missing make what needs them not testable.
        crowd: answers about one of several people.
        merge: which ages are joined, one of `words.MERGES`.
    """
    by = {(a.arm, a.target): a for a in told}
    measured: dict[str, dict[str, Measurements]] = {}
    untestable: dict[str, str] = {}
    for target in TARGETS:
        for name, arm in _BESIDE.items():
            _side_by_side(measured, untestable, material, by, f"{name}, {target}", ("fine-tuned", arm), target)
    _specialists(measured, untestable, material, by, merge)
    _crowded(measured, material, crowd)
    return Evidence({}, measured, _numbers(material, told, merge) | _crowd_numbers(measured), untestable)


Told = Mapping[tuple[str, str], Answered]
Measured = dict[str, dict[str, Measurements]]


def _units(material: Material, arm: str, values: NDArray[np.float64]) -> Measurements:
    return Measurements(arm, values, material.test.subjects[:, None])


def _right(material: Material, answer: Answered) -> NDArray[np.float64]:
    """1 or 0, NaN where the arm was not asked or refused."""
    values = scoring.right(answer.said, material.test.labels[answer.target])
    return np.where(answer.compared, values, np.nan)


def _side_by_side(
    measured: Measured, untestable: dict[str, str], material: Material, by: Told, quantity: str,
    arms: tuple[str, ...], target: str,
) -> None:  # fmt: skip
    missing = [a for a in arms if (a, target) not in by]
    if missing:
        untestable[quantity] = _ABSENT[missing[0]]
    else:
        measured[quantity] = {a: _units(material, a, _right(material, by[a, target])) for a in arms}


def _specialists(
    measured: Measured, untestable: dict[str, str], material: Material, by: Told, merge: str
) -> None:  # fmt: skip
    """What is asked of the fine-tuned models alone."""
    quantities = (
        "accuracy after fine-tuning",
        "age accuracy above chance",
        "age kappa",
        "recall, best minus worst skin tone",
    )
    if any(("fine-tuned", t) not in by for t in TARGETS):
        untestable |= dict.fromkeys(quantities, _ABSENT["fine-tuned"])
        return
    tuned, truth = {t: by["fine-tuned", t].said for t in TARGETS}, material.test.labels
    measured[quantities[0]] = {t: _units(material, t, scoring.right(tuned[t], truth[t])) for t in TARGETS}
    native = (tuned["age"], truth["age"])
    merged = (words.merge(native[0], merge), words.merge(native[1], merge))
    for quantity, values in ((quantities[1], scoring.above_chance), (quantities[2], scoring.kappa_units)):
        measured[quantity] = {n: _units(material, n, values(*p)) for n, p in (("merged", merged), ("native", native))}
    gap = scoring.recall_gap(tuned["skin tone"], truth["skin tone"], material.test.subjects)
    measured[quantities[3]] = {"fine-tuned": _units(material, "fine-tuned", gap)}


def _crowded(measured: Measured, material: Material, crowd: Addressed) -> None:
    test = material.crowd_test
    subjects = np.tile(test.people, (len(TARGETS), 1))
    measured["accuracy about the person meant"] = {
        arm: Measurements(arm, np.concatenate([scoring.right(said[t], test.labels[t]) for t in TARGETS]), subjects)
        for arm, said in (("described", crowd.described), ("not described", crowd.plain))
    }
    for t in TARGETS:
        measured[f"accuracy about the person meant, {t}"] = {
            arm: Measurements(arm, scoring.right(said[t], test.labels[t]), test.people)
            for arm, said in (("described", crowd.described), ("not described", crowd.plain))
        }


def _crowd_numbers(measured: Measured) -> dict[str, Estimate]:
    return {
        f"{quantity}: {arm}": of_mean(units, unit="fraction")
        for quantity, by_arm in measured.items()
        if quantity.startswith(("accuracy about", "recall,"))
        for arm, units in by_arm.items()
    }


def _numbers(material: Material, told: Sequence[Answered], merge: str) -> dict[str, Estimate]:
    numbers: dict[str, Estimate] = {}
    for a in told:
        keep = a.compared
        said, true, people = a.said[keep], material.test.labels[a.target][keep], material.test.subjects[keep]
        sets = {a.target: (said, true, len(words.CLOSED[a.target]))}
        if a.target == "age":
            # Classes are joined first; the mean of the joined classes' F1 would be another number.
            sets["merged age"] = (words.merge(said, merge), words.merge(true, merge), len(words.MERGES[merge]))
        for name, (codes, labels, k) in sets.items():
            with_invalid = scoring.with_invalid(codes, k)
            numbers[f"accuracy, {name}: {a.arm}"] = of_classes("accuracy", with_invalid, labels, k + 1, people)
            numbers[f"macro-F1, {name}: {a.arm}"] = scoring.macro_f1(codes, labels, k, people)
            numbers[f"kappa, {name}: {a.arm}"] = cohen_kappa(with_invalid, labels, k + 1, people)
        kinds = np.where(said == words.INVALID, "invalid", "answer")
        rate = answer_rates(kinds, people, unusable=("invalid",))["invalid"]
        numbers[f"invalid answers, {a.target}: {a.arm}"] = rate
        if a.refused is not None:
            asked, people = a.asked if a.asked is not None else a.compared | a.refused, material.test.subjects
            kinds = np.where(a.refused[asked], "refusal", "answer")
            rate = answer_rates(kinds, people[asked], unusable=("refusal",))["refusal"]
            numbers[f"refusals, {a.target}: {a.arm}"] = rate
        if a.arm == "fine-tuned":
            numbers |= _by_tone(a.target, said, true, material.test.labels["skin tone"][keep], people)
    return numbers


def _by_tone(target: str, said: Codes, true: Codes, tone: Codes, people: Codes) -> dict[str, Estimate]:
    """Accuracy of the fine-tuned model in each group of skin tone; of skin tone itself these are the recalls."""
    k = len(words.CLOSED[target])
    return {
        f"accuracy, {target}, skin tone {name}: fine-tuned": of_classes(
            "accuracy", scoring.with_invalid(said, k)[tone == g], true[tone == g], k + 1, people[tone == g]
        )
        for g, name in enumerate(words.CLOSED["skin tone"])
    }
