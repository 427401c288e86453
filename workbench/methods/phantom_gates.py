"""Are phantom faces good enough? Seven gates, measured with models that were trained on real faces.

The limits are those that were asked for. The generator was improved with an eye on people of seeds 0, 1 and 2, so the
gates are measured on `SEED`, at whom nobody had looked. A gate that is missed stays missed: the table says by how much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import models
from ..core import Estimate, Scores, Trials, Undefined, seeds
from ..data import open_dataset, phantom
from ..data.protocols import every_pair
from ..metrics import landmarks
from ..metrics.resampling import of_units, proportion
from ..metrics.verification import auc, fold_accuracy
from .evaluation import deal_folds
from .verification import evaluate

Verdict = Literal["met", "missed", "not measured"]
Pictures = NDArray[np.uint8]
PEOPLE, IMAGES, FRONTAL, FACES = 60, 4, 100, 200
SEED = 20261127
EXPRESSIONS = ("happy", "surprised", "neutral")
LIMITS = {"found": 0.99, "nme": 0.08, "auc": 0.95, "age": 0.6, "gender": 0.85, "expression": 0.6, "transfer": 0.70}


@dataclass(frozen=True)
class LikeReal:
    """Non-mated comparison scores of real faces, to hold phantoms' against.

    Attributes:
        mean, deviation: of the scores.
        pairs: how many.
        source: what was measured, and when.
    """

    mean: float
    deviation: float
    pairs: int
    source: str


# All non-mated test pairs of View 1 through face-api's pipeline; `real_scores` measures it again.
LFW_VIEW1 = LikeReal(0.8354, 0.0369, 500, "LFW View 1 of digest 7116eec21f47, 2026-11-27")


@dataclass(frozen=True)
class Gate:
    """One gate's outcome.

    Attributes:
        number: 1 to 7.
        name: what is asked.
        required: the limit in words.
        measured: the figures in words.
        verdict: ``"met"``, ``"missed"`` or ``"not measured"``.
        figures: the figures by name.
    """

    number: int
    name: str
    required: str
    measured: str
    verdict: Verdict
    figures: dict[str, Any]


Progress = Callable[[str], None]


@dataclass(frozen=True)
class Judges:
    """The real models that look at phantoms."""

    pipeline: Any
    attributes: Any
    expressions: Any

    @staticmethod
    def load(device: str = "cpu") -> Judges:
        """face-api's models."""
        return Judges(
            models.default_pipeline(device=device),
            models.load("faceapi-age-gender", device=device),
            models.load("faceapi-expression", device=device),
        )

    def boxes(self, pictures: Pictures) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The best box of each picture ``(n, 4)``, and where there is one."""
        found = self.pipeline.detector.detect(list(pictures))
        there = np.array([len(f) > 0 for f in found])
        best = [f.boxes[0] if len(f) else np.zeros(4, np.float32) for f in found]
        return np.stack(best).astype(np.float32), there


def measure(
    judges: Judges, like: LikeReal, *, share: float = 1.0, seed: int = SEED, recogniser: str = "", lfw: str = "",
    progress: Progress = lambda what: None,
) -> list[Gate]:  # fmt: skip
    """Gates 1 to 5; speed and determinism are `phantom_speed`.

    Args:
        judges: the real models.
        like: real non-mated scores.
        share: of the sizes; below 1 for a quick look.
        seed: of the phantoms.
        recogniser: model trained on phantoms alone, for gate 5.
        lfw: folder of LFW, for gate 5.
        progress: is told what begins.
    """
    people, faces = max(4, round(PEOPLE * share)), max(12, round(FACES * share))
    progress("1 detectable, 3 recognisable")
    shown = everyday(people, seed)
    gates = [detectable(judges, shown), recognisable(judges, shown, like)]
    progress("2 landmarks")
    gates.insert(1, placed(judges, max(6, round(FRONTAL * share)), seed))
    progress("4 attributes")
    gates.append(read(judges, faces, seed))
    progress("5 transfer")
    gates.append(transferred(recogniser, lfw))
    return gates


@dataclass(frozen=True)
class Shown:
    """Everyday pictures with their truth."""

    scene: phantom.Scene
    pictures: Pictures
    box: NDArray[np.float32]


def everyday(people: int, seed: int, size: int = 224) -> Shown:
    """``IMAGES`` pictures of each person, heads turned by up to 30 degrees."""
    scene, _ = phantom.scenes(people, IMAGES, seed=seed, subset="test")
    scene = scene.replace(yaw=np.clip(scene.yaw, -30, 30))
    found = phantom.render(scene, size, truth=("box",))
    return Shown(scene, found.rgb, np.asarray(found.box))


def detectable(judges: Judges, shown: Shown) -> Gate:
    """Gate 1: at 160 px as well as at the pictures' size."""
    small = phantom.render(shown.scene, 160, truth=("box",))
    figures: dict[str, Any] = {}
    for size, pictures, truth in (
        (shown.pictures.shape[1], shown.pictures, shown.box), (160, small.rgb, np.asarray(small.box)),
    ):  # fmt: skip
        boxes, there = judges.boxes(pictures)
        good = there & (overlap(boxes, truth) >= 0.5)
        figures[f"found at {size} px"] = proportion(
            good, np.array(shown.scene.identity.names), "share of faces with a box of IoU >= 0.5", {"faces": len(good)}
        )
    words = "; ".join(f"{name} {estimate}" for name, estimate in figures.items())
    worst = min(float(e) for e in figures.values())
    return Gate(1, "detectable", ">= 0.99 with IoU >= 0.5", words, _verdict(worst >= LIMITS["found"]), figures)


def overlap(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of boxes ``x1 y1 x2 y2``, ``(n,)``."""
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.prod(np.clip(sides, 0, None), axis=1)
    whole = np.prod(a[:, 2:] - a[:, :2], axis=1) + np.prod(b[:, 2:] - b[:, :2], axis=1) - shared
    return np.where(whole > 0, shared / np.where(whole > 0, whole, 1), 0.0)


def placed(judges: Judges, people: int, seed: int) -> Gate:
    """Gate 2: landmarks in the detector's box, frontal passport pictures of 224 px."""
    scene = phantom.frontal(phantom.identities(people, seed=seed, prefix="landmarks"))
    shown = phantom.render(scene, 224, truth=("landmarks68",))
    boxes, there = judges.boxes(shown.rgb)
    true = np.asarray(shown.landmarks68, np.float64)[there]
    found = judges.pipeline.landmarker.landmarks(list(shown.rgb[there]), boxes[there]).astype(np.float64)
    errors = landmarks.face_errors(found, true, landmarks.normaliser(true, "inter-ocular"))
    error = landmarks.nme(errors, np.array(scene.identity.names)[there], by="inter-ocular")
    words = f"NME {error}, {int((~there).sum())} of {people} not found"
    met = float(error) <= LIMITS["nme"]
    return Gate(
        2, "landmarks", "NME <= 0.08 of the distance of outer eye corners", words, _verdict(met), {"nme": error}
    )


def recognisable(judges: Judges, shown: Shown, like: LikeReal) -> Gate:
    """Gate 3: all pairs of the everyday pictures."""
    found = judges.pipeline.embed(shown.pictures)
    trials = every_pair(np.array(shown.scene.identity.names), "phantom")
    values = found.compare(trials.reference, trials.probe)
    scores = Scores("phantom", trials, values, np.isfinite(values))
    area = auc(scores, resamples=200)
    other = scores.values[scores.acquired & ~scores.trials.mated]
    mean, deviation = float(other.mean()), float(other.std())
    figures = {
        "auc": area, "failures": found.failures, "nonmated mean": mean, "nonmated deviation": deviation,
        "real mean": like.mean, "real deviation": like.deviation,
    }  # fmt: skip
    words = (
        f"at {shown.pictures.shape[1]} px AUC {area}, {found.failures} of {len(shown.pictures)} not acquired; "
        f"non-mated {mean:.3f} +- {deviation:.3f}, "
        f"real {like.mean:.3f} +- {like.deviation:.3f}: {deviation / like.deviation:.2f} of the real spread"
    )
    return Gate(3, "recognisable", "AUC >= 0.95", words, _verdict(float(area) >= LIMITS["auc"]), figures)


def read(judges: Judges, faces: int, seed: int) -> Gate:
    """Gate 4: age, the gender axis with the looks that go with it, and three expressions."""
    rng = seeds.rng("phantom", "gates", seed)
    people = phantom.identities(faces, seed=seed, prefix="attributes")
    scene = phantom.frontal(people)
    age = _rank(judges, scene.replace(age=rng.uniform(5, 90, faces)))
    gender = _gender(judges, scene)
    right = _named(judges, phantom.frontal(people.take(range(max(6, faces // 5)))))
    figures = {"age": age, "gender": gender, **right}
    words = f"age: Spearman {age}; gender: AUC {gender}; " + ", ".join(f"{n} {e}" for n, e in right.items())
    met = float(age) >= LIMITS["age"] and float(gender) >= LIMITS["gender"]
    met = met and all(float(e) >= LIMITS["expression"] for e in right.values())
    limit = "Spearman >= 0.6, AUC >= 0.85, each of happy, surprised, neutral right in >= 0.6"
    return Gate(4, "attributes", limit, words, _verdict(met), figures)


def _looked_at(judges: Judges, scene: phantom.Scene, model: Any) -> tuple[Any, NDArray[np.int64]]:
    pictures = phantom.render(scene, 224).rgb
    boxes, there = judges.boxes(pictures)
    return model.predict(list(pictures[there]), boxes[there]), np.flatnonzero(there)


def _rank(judges: Judges, scene: phantom.Scene) -> Estimate:
    """Spearman's correlation of the true and the read age."""
    from scipy.stats import rankdata

    seen, at = _looked_at(judges, scene, judges.attributes)
    true, said = rankdata(scene.age[at]), rankdata(seen.age)

    def correlation(weights: NDArray[np.float64] | None) -> float | Undefined:
        if np.ptp(true) == 0 or np.ptp(said) == 0:
            return Undefined("all ranks are alike", {"faces": len(true)})
        covariance = np.cov(true, said, aweights=weights)
        return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))

    rule = "Spearman's rank correlation; resamples reweigh the ranks of all"
    return of_units(correlation, np.array(scene.identity.names)[at], rule, {"faces": len(at)}, unit="")


def _gender(judges: Judges, scene: phantom.Scene) -> Estimate:
    seen, at = _looked_at(judges, scene, judges.attributes)
    code, masculine = np.arange(len(at)), np.asarray(scene.gender[at] > 0)
    # Masculine faces stand for mated trials; the area under the curve is the same count of pairs in order.
    trials = Trials(code, code, masculine, np.stack([code, np.where(masculine, code, code + len(at))], 1))
    return auc(Scores("gender", trials, seen.male.astype(np.float64), np.ones(len(at), bool)), resamples=200)


def _named(judges: Judges, scene: phantom.Scene) -> dict[str, Estimate]:
    from ..models.faces import EXPRESSIONS as NAMES

    out = {}
    for name in EXPRESSIONS:
        seen, at = _looked_at(judges, scene.replace(movements=phantom.expression(name)), judges.expressions)
        right = np.argmax(seen, 1) == NAMES.index(name)
        who = np.array(scene.identity.names)[at]
        out[name] = proportion(right, who, "share of faces whose expression is named right", {"faces": len(at)})
    return out


def transferred(recogniser: str, lfw: str) -> Gate:
    """Gate 5: a recogniser that saw phantoms only, on LFW View 1."""
    name, limit = "transfer", "accuracy >= 0.70 on LFW View 1 (aim 0.85)"
    if not recogniser or not lfw:
        lacking = "no phantom-trained recogniser is given" if not recogniser else "no folder of LFW is given"
        return Gate(5, name, limit, lacking, "not measured", {})
    pipeline = models.default_pipeline(model=recogniser)
    scores = evaluate(open_dataset(f"lfw:{lfw}"), pipeline, protocol="view1-test").scores
    found = fold_accuracy(scores, deal_folds(scores.trials.mated, 10))
    return Gate(5, name, limit, f"accuracy {found}", _verdict(float(found) >= LIMITS["transfer"]), {"accuracy": found})


def real_scores(folder: str, judges: Judges) -> LikeReal:
    """Non-mated scores of LFW View 1's test pairs."""
    dataset = open_dataset(f"lfw:{folder}")
    samples, trials = dataset.samples("view1-test"), dataset.trials("view1-test")
    found = judges.pipeline.embed(samples.images)
    values = found.compare(trials.reference, trials.probe)[~trials.mated]
    good = values[np.isfinite(values)]
    return LikeReal(float(good.mean()), float(good.std()), len(good), f"LFW View 1, {dataset.digest[:12]}")


def _verdict(met: bool) -> Verdict:
    return "met" if met else "missed"
