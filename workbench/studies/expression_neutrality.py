"""Efficient Expression Neutrality Estimation with Application to Face Recognition Utility Prediction. arXiv:2402.05548.

Seven generated sets in their own styles stand for the paper's data sets, two small networks for HSEmotion's. The paper
calls an error of classification what is here a false neutral or a false non-neutral. Sizes and margins were fixed
before the first verdict was seen. After it nothing was changed, though networks trained for so short a time tell the
expressions of a third of the probes: classifiers on such features differ little, and C1, C2 and C3 may stay undecided.

On the user's own files (`methods.expression_pictures`) nothing is trained but the classifiers. The networks' own odds,
the expression distance and SER-FIQ are then left out: files say neither what their classes mean nor where dropout was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..claims import Claim, Comparison, Study
from ..core import DataError, Estimate, Evidence, ParameterError, Reported, Resampled, Undefined, seeds
from ..data import phantom
from ..methods import expression_faces as pictures
from ..methods import expression_networks as networks
from ..methods import expression_pictures as photographs
from ..methods import neutrality
from ..methods import neutrality_scoring as scoring
from ..methods.cores import side_by_side
from ..methods.expression_material import Described, Given, Material, Recognition, Seen
from ..methods.expression_networks import Trained
from ..metrics import spearman
from ..metrics.resampling import of_resampled
from ..metrics.two_class import TwoClass

Floats = NDArray[np.float64]
CLASSIFIERS, FEATURES = neutrality.CLASSIFIERS, neutrality.FEATURES
Networks = Mapping[str, Trained | Given]
Network = TypeVar("Network", Trained, Given)
ARMS = tuple(f"{c}, {f}" for c in CLASSIFIERS for f in FEATURES)
# Quality measures that are no classifier of the paper; "intensity" is the truth, which no system has.
BASELINES = ("own neutral, A", "own neutral, B", "own neutral, A+B", "expression distance", "embedding norm", "SER-FIQ",
             "random", "intensity")  # fmt: skip
LEAST_CORRELATION = 0.1
EER, BY_FEATURES, BY_INTENSITY = "EER in unseen sets", "EER by features", "EER by intensity"
PAUC, RANKS, CONTRAST = "pAUC of discarding", "rank correlation of classification and utility", "contrast with the SVM"

STUDY = Study(
    title="Efficient Expression Neutrality Estimation with Application to Face Recognition Utility Prediction",
    source="arXiv:2402.05548",
    pillar="recognition",
    version="1-A",
    claims=(
        Claim(
            "C1",
            "Random forest and AdaBoost tell neutral from non-neutral faces of unseen sets better than the SVM",
            tuple(Comparison(EER, tree, "svm") for tree in CLASSIFIERS[1:]),
        ),
        Claim(
            "C2",
            "The SVM predicts recognition utility better than random forest and AdaBoost",
            tuple(Comparison(PAUC, "svm", tree) for tree in CLASSIFIERS[1:]),
        ),
        Claim(
            "C3",
            "Discarding by any of the neutrality scores beats discarding at random",
            tuple(Comparison(PAUC, c, "random") for c in CLASSIFIERS),
        ),
        Claim(
            "C4",
            "Both networks' features together are at most one point of EER worse than either network's alone",
            tuple(Comparison(BY_FEATURES, "A+B", alone, margin=-0.01) for alone in ("A", "B")),
        ),
        Claim(
            "C5",
            "How well a score classifies does not order how useful it is: rank correlation below 0.5",
            (Comparison(RANKS, "classifiers and features", 0.5),),
        ),
        Claim(
            "C6",
            "Subtle expressions are where classification errs: a larger EER below intensity 0.3 than above 0.6",
            (Comparison(BY_INTENSITY, "subtle", "strong", "greater"),),
        ),
        Claim(
            "C7",
            "C1 and C2 as an interaction: relative to the SVM, trees gain in classification what utility denies them",
            tuple(Comparison(CONTRAST, tree, 0.0) for tree in CLASSIFIERS[1:]),
            ours=True,
        ),
    ),
    reported=(
        Reported("separation of neutral and non-neutral", "seven data sets", "abstract",
                 text="random forest and AdaBoost are best at telling neutral from non-neutral expressions"),
        Reported("utility prediction", "face recognition systems", "abstract",
                 text="the SVM is better at predicting face recognition utility"),
        Reported("best partial AUC of the EDC", "the paper's utility test, limit not confirmed",
                 "third-party summary", 0.0164, key="pAUC of discarding: svm"),
    ),
    scales={
        "smoke": {"sets": 3, "subjects": 6, "images": 5, "people": 12, "shots": 4, "tests": 6, "probes": 5,
                  "epochs": 1, "recogniser_epochs": 1, "trees": 20, "stumps": 10, "resamples": 200},
        "demo": {"sets": 7, "subjects": 40, "images": 10, "people": 200, "shots": 8, "tests": 100, "probes": 10,
                 "epochs": 6, "recogniser_epochs": 8, "trees": 300, "stumps": 200, "resamples": 1000},
        "paper": {"sets": 7, "subjects": 60, "images": 12, "people": 200, "shots": 10, "tests": 100, "probes": 10,
                  "epochs": 6, "recogniser_epochs": 8, "trees": 500, "stumps": 500, "resamples": 2000},
    },
)  # fmt: skip


@dataclass(frozen=True)
class Classified:
    """Scores of classifiers that never saw the set, and of those that saw all sets.

    Attributes:
        unseen: arm -> the scores of each set, by the classifier that was trained on the other sets.
        training: arm -> ``(sets,)`` AUC on the faces that the classifier was trained on.
        references, probes: arm -> scores of the utility test, by the classifier that was trained on all sets.
        maps: arm -> slope and offset of the logistic map to a quality from 0 to 100.
    """

    unseen: Mapping[str, tuple[Floats, ...]]
    training: Mapping[str, Floats]
    references: Mapping[str, Floats]
    probes: Mapping[str, Floats]
    maps: Mapping[str, tuple[float, float]]


def faces(
    data: str, scale: str, model: str = "", *, sets: int, subjects: int, images: int, people: int, shots: int,
    tests: int, probes: int, seed: int, device: str = "cpu",
) -> Material:  # fmt: skip
    """Pictures to learn from, sets to classify, and mated comparisons.

    Args:
        data: ``"phantom"``, or the user's data sets side by side, for which the sizes count nothing.
        scale: of the run; at the paper's, everything of its setting must be there.
        model: of the user's networks.
        sets: how many of `pictures.STYLES`.
        subjects: people of each set.
        images: pictures of each of them.
        people: to learn expressions and people from.
        shots: pictures of each of them.
        tests: people of the utility test.
        probes: of each of them.
        seed: of all.
        device: where faces are looked for.

    Raises:
        DataError: something is missing, which the message names, or the user's data do not fit.
    """
    if data != "phantom":
        return photographs.faces(data, model, paper=scale == "paper", device=device)
    if scale == "paper":
        raise DataError(
            "the paper's setting cannot run here", given=f"data {data!r}, scale {scale!r}",
            expected="; ".join(photographs.missing(0, False, "", paper=True)),
            do="use data='phantom' with scale 'smoke' or 'demo'; sizes may be raised one by one",
        )  # fmt: skip
    if model not in ("", "small"):
        raise ParameterError("phantom faces are read by networks that are trained here", given=model,
                             do="give data sets of your own too: data = expressions:FOLDER;...")  # fmt: skip
    if not 2 <= sets <= len(pictures.STYLES):
        raise ParameterError("leaving one set out needs another", given=sets, expected=f"2 to {len(pictures.STYLES)}")
    # Codes of people: a range for each set, which no two share.
    room = 1 + max(subjects, people, tests)
    styles = pictures.STYLES[-sets:]
    taken = tuple(pictures.faces(s, subjects, images, first=i * room, seed=seed) for i, s in enumerate(styles))
    who = phantom.identities(tests, seed=seed, prefix="utility")
    owner = np.repeat(np.arange(tests), probes)
    first = (len(styles) + 1) * room
    return Material(
        pictures.faces(pictures.WILD, people, shots, first=len(styles) * room, seed=seed), taken,
        pictures.taken(pictures.REFERENCE, who, first + np.arange(tests), seed=seed),
        pictures.taken(pictures.PROBE, who.take(owner), first + owner, seed=seed), owner,
    )  # fmt: skip


def trained(
    material: Material, model: str = "", *, epochs: int, recogniser_epochs: int, seed: int, device: str = "cpu"
) -> dict[str, Trained | Given]:
    """The expression networks A and B, and the recogniser: trained here, or the user's, checked."""
    if material.sources:
        return dict(photographs.given(model, device=device))
    lengths = {"recogniser": recogniser_epochs, "A": epochs, "B": epochs}
    tasks = [partial(networks.train, kind, material.train, epochs=n, seed=seed) for kind, n in lengths.items()]
    return dict(zip(lengths, side_by_side(tasks), strict=True))


def _only(kind: type[Network], known: Networks) -> dict[str, Network]:
    return {name: n for name, n in known.items() if isinstance(n, kind)}


def described(material: Material, known: Networks, *, seed: int, device: str = "cpu") -> Described:
    """Features and baselines of every face."""
    if material.sources:
        return photographs.described(material, _only(Given, known), device=device)
    ours = _only(Trained, known)
    groups = [*material.sets, material.references, material.probes]
    reads = [{kind: networks.read(ours[kind], g.images) for kind in ("A", "B")} for g in groups]
    seen = []
    for group, read in zip(groups, reads, strict=True):
        own = {kind: r.neutral for kind, r in read.items()}
        baselines = {f"own neutral, {kind}": odds for kind, odds in own.items()}
        baselines["own neutral, A+B"] = (own["A"] + own["B"]) / 2
        baselines["expression distance"] = -neutrality.expression_distance(group.images)
        baselines["intensity"] = -group.intensity
        if group is material.references or group is material.probes:
            found = networks.embed(ours["recogniser"], group.images, seed=seed)
            baselines |= {"embedding norm": found.norm, "SER-FIQ": found.stability, "random": np.zeros(len(group))}
        both = {kind: r.features for kind, r in read.items()}
        seen.append(Seen(both | {"A+B": np.concatenate([both["A"], both["B"]], 1)}, baselines))
    right = {k: float((r.logits.argmax(1) == material.probes.expression).mean()) for k, r in reads[-1].items()}
    return Described(tuple(seen[:-2]), seen[-2], seen[-1], right)


def classified(material: Material, known: Described, *, trees: int, stumps: int, seed: int) -> Classified:
    """Every classifier on every features: each set by what was learnt on the others, the probes by all sets."""
    tasks = [
        partial(_fitted, arm, left, material, known, trees=trees, stumps=stumps, seed=seed)
        for arm in ARMS
        for left in (*range(len(material.sets)), None)
    ]
    found = side_by_side(tasks)
    by_arm = {arm: found[i * (len(material.sets) + 1) :][: len(material.sets) + 1] for i, arm in enumerate(ARMS)}
    return Classified(
        {arm: tuple(f["unseen"] for f in some[:-1]) for arm, some in by_arm.items()},
        {arm: np.array([f["training"] for f in some]) for arm, some in by_arm.items()},
        {arm: some[-1]["references"] for arm, some in by_arm.items()},
        {arm: some[-1]["probes"] for arm, some in by_arm.items()},
        {arm: some[-1]["map"] for arm, some in by_arm.items()},
    )


def _fitted(
    arm: str, left: int | None, material: Material, known: Described, *, trees: int, stumps: int, seed: int
) -> dict[str, Any]:
    """One classifier without the set ``left``, and what it says of that set or, without one, of the utility test."""
    kind, features = arm.split(", ")
    rest = [i for i in range(len(material.sets)) if i != left]
    x = np.concatenate([known.sets[i].features[features] for i in rest])
    neutral = np.concatenate([material.sets[i].neutral for i in rest])
    fitted = neutrality.fit(kind, x, neutral, trees=trees, stumps=stumps, seed=seed)

    def said(seen: Seen) -> Floats:
        found = seen.features[features]
        return neutrality.score(kind, fitted, found) if len(found) else np.zeros(0)

    own = neutrality.score(kind, fitted, x)
    area = TwoClass(own, neutral, np.arange(len(own))).auc()
    told: dict[str, Any] = {"training": float(area)}
    if left is not None:
        return told | {"unseen": said(known.sets[left])}
    return told | {
        "references": said(known.references), "probes": said(known.probes),
        "map": neutrality.quality_map(own, neutral),
    }  # fmt: skip


def recognised(
    material: Material, known: Networks, *, fnmr: float, seed: int, device: str = "cpu"
) -> Recognition | None:
    """Mated and non-mated similarities, and the threshold that rejects ``fnmr`` of the mated ones.

    None where the user gave no comparisons or no recogniser.
    """
    if material.sources:
        found = photographs.recognised(material, _only(Given, known), device=device)
        if found is None:
            return None
        mated, nonmated = found
    else:
        shown = (material.references.images, material.probes.images)
        mated, nonmated = networks.compared(_only(Trained, known)["recogniser"], *shown, material.reference, seed=seed)
    rho = float(spearman(material.probes.strength[None], mated[None])[0])
    return Recognition(mated, nonmated, scoring.threshold_at_fnmr(mated, fnmr), rho)


def pair_qualities(material: Material, known: Described, found: Classified) -> dict[str, Floats]:
    """Quality of every comparison by every measure that is known: the lower of its two samples'."""
    sides = {arm: (found.references[arm], found.probes[arm]) for arm in ARMS}
    one, other = known.references.baselines, known.probes.baselines
    sides |= {b: (one[b], other[b]) for b in BASELINES if b in one and b in other}
    return {name: np.minimum(side[material.reference], probe) for name, (side, probe) in sides.items()}


def evidence(
    material: Material, known: Described, found: Classified, recognition: Recognition | None, *, resamples: int,
    seed: int,
) -> Evidence:  # fmt: skip
    """Errors in unseen sets and utility, arm beside arm on the same draws of people.

    Classification and utility are of different people: each has draws of its own.
    """
    drawn = {what: seeds.integer("expression-neutrality", what, seed) % 2**31 for what in ("classes", "utility")}
    said = dict(found.unseen) | {
        b: tuple(s.baselines[b] for s in known.sets) for b in BASELINES if b in known.sets[0].baselines
    }  # fmt: skip
    for truth in ("intensity", "random"):
        said.pop(truth, None)
    errors = {
        arm: scoring.unseen(arm, scores, material.sets, resamples=resamples, seed=drawn["classes"])
        for arm, scores in said.items()
    }
    untestable = _untestable(material, recognition)
    statistics = _classification(errors)
    if BY_INTENSITY not in untestable:
        statistics[BY_INTENSITY] = _by_intensity(material, found, resamples, drawn["classes"])
    numbers: dict[str, Estimate] = {}
    if recognition is not None:
        mated = scoring.mated_scores(recognition.mated, material.reference, material.probes.subjects)
        area = partial(scoring.utility, threshold=recognition.threshold, resamples=resamples, seed=drawn["utility"])
        qualities = pair_qualities(material, known, found)
        areas = {arm: area(arm, mated, q, ties="random") for arm, q in qualities.items()}
        statistics |= _usefulness(errors, areas)
        together = {arm: area(arm, mated, qualities[arm], ties="together") for arm in ARMS}
        numbers |= {
            f"{PAUC}, equal qualities together: {arm}": of_resampled(r, unit="fraction") for arm, r in together.items()
        }
        numbers |= _of_comparisons(material, found, recognition, qualities)
    else:
        numbers |= {f"{PAUC}: {c}": Estimate(Undefined(untestable[PAUC])) for c in CLASSIFIERS}
    numbers |= {
        f"{quantity}: {arm}": of_resampled(r, unit="fraction")
        for quantity, arms in statistics.items()
        for arm, r in arms.items()
    }
    return Evidence({}, {}, numbers | _plain(material, known, found), untestable, statistics)


def _over(values: Mapping[str, Resampled]) -> dict[str, Resampled]:
    """Each classifier's mean over features."""
    return {c: scoring.mean_of(c, [values[f"{c}, {f}"] for f in FEATURES]) for c in CLASSIFIERS}


def _classification(errors: Mapping[str, Resampled]) -> dict[str, dict[str, Resampled]]:
    """Errors of the paper's comparisons: means over features or over classifiers, and every single one."""
    return {
        EER: _over(errors) | dict(errors),
        BY_FEATURES: {f: scoring.mean_of(f, [errors[f"{c}, {f}"] for c in CLASSIFIERS]) for f in FEATURES},
    }


def _usefulness(
    errors: Mapping[str, Resampled], areas: Mapping[str, Resampled]
) -> dict[str, dict[str, Resampled]]:  # fmt: skip
    """Areas of discarding, alone and against errors of classification."""
    one, mean_errors, mean_areas = "classifiers and features", _over(errors), _over(areas)
    return {
        PAUC: mean_areas | dict(areas),
        RANKS: {one: scoring.rank_correlation(one, [errors[a] for a in ARMS], [areas[a] for a in ARMS])},
        CONTRAST: {
            tree: scoring.contrast(tree, mean_errors[tree], mean_errors["svm"], mean_areas[tree], mean_areas["svm"])
            for tree in CLASSIFIERS[1:]
        },
    }


def _by_intensity(
    material: Material, found: Classified, resamples: int, seed: int
) -> dict[str, Resampled]:  # fmt: skip
    """EER on both networks' features against subtle and against strong expressions of the same sets, mean over arms."""
    flags = scoring.by_intensity(material.sets, pictures.SUBTLE, pictures.STRONG)
    return {
        name: scoring.mean_of(name, [
            scoring.unseen(c, found.unseen[f"{c}, A+B"], material.sets, used, resamples=resamples, seed=seed)
            for c in CLASSIFIERS
        ])
        for name, used in zip(("subtle", "strong"), flags, strict=True)
    }  # fmt: skip


def _untestable(material: Material, recognition: Recognition | None) -> dict[str, str]:
    """What this data cannot measure, with the reason."""
    found = {}
    if not any(f.any() for f in scoring.by_intensity(material.sets, pictures.SUBTLE, pictures.STRONG)[0]):
        known = any(not np.isnan(f.intensity[~f.neutral]).all() for f in material.sets)
        found[BY_INTENSITY] = (
            "no set has neutral faces, subtle and strong expressions" if known else
            "no set says how strong its expressions are: its table has no intensities"
        )  # fmt: skip
    if recognition is None:
        what = "comparisons" if material.sources and material.compared is None else "recogniser"
        reason = f"no {what} given: a list ref, probe, mated and a recogniser are needed"
    elif np.isnan(recognition.correlation):
        reason = "whether expression changes the mated scores cannot be told: probes have no labels, or all the same"
    elif abs(recognition.correlation) < LEAST_CORRELATION:
        reason = (
            f"expression hardly changes the mated scores: rank correlation {recognition.correlation:.3f}, at least "
            f"{LEAST_CORRELATION:g} either way is needed"
        )
    else:
        return found
    return found | dict.fromkeys((PAUC, RANKS, CONTRAST), reason)


def _plain(material: Material, known: Described, found: Classified) -> dict[str, Estimate]:
    """Numbers without an interval: rates at the other fixed, orientation, failures."""
    numbers = {}
    for arm in ARMS:
        errors = scoring.AcrossSets(found.unseen[arm], material.sets)
        for limit in (0.01, 0.05):
            rule = f"mean over unseen sets, largest attained false neutral rate <= {limit:g}"
            name = f"false non-neutral rate at false neutral rate {limit:g}: {arm}"
            numbers[name] = Estimate(errors.miss_at(limit), rule=rule, counts=errors.counts, unit="fraction")
        numbers[f"lowest AUC on training faces: {arm}"] = Estimate(float(found.training[arm].min()), rule="orientation")
    numbers |= {
        f"accuracy of network {k} on the probes": Estimate(a, unit="fraction") for k, a in known.accuracy.items()
    }
    for name, reasons in material.failures.items():
        why = "; ".join(f"{n} {reason}" for reason, n in reasons.items()) or "every face was found"
        numbers[f"failures to acquire: {name}"] = Estimate(float(sum(reasons.values())), rule=f"pictures: {why}")
    return numbers


def _of_comparisons(
    material: Material, found: Classified, recognition: Recognition, qualities: Mapping[str, Floats]
) -> dict[str, Estimate]:  # fmt: skip
    """Numbers of the utility test without an interval."""
    rejected = float((recognition.mated < recognition.threshold).mean())
    given = material.compared
    probes = material.probes.subjects
    whose = probes if given is None else np.full(len(given.nonmated), -1)
    comparisons = np.r_[recognition.mated, recognition.nonmated]
    kind = np.arange(len(comparisons)) < len(recognition.mated)
    apart = TwoClass(comparisons, kind, np.r_[probes, whose]).eer()
    rule = "as many mated as non-mated comparisons" if given is None else "of the listed comparisons"
    how = "Spearman" if material.probes.graded else "Spearman; neutral or not, for want of intensities"
    numbers = {
        f"min rule against probe alone, rank correlation: {arm}": _correlation(qualities[arm], found.probes[arm])
        for arm in ARMS
    } | {
        "correlation of intensity and mated score": _spearman(recognition.correlation, how),
        "FNMR before discarding": Estimate(rejected, rule="at the threshold fixed beforehand", unit="fraction"),
        "EER of the recogniser": Estimate(apart, rule=rule, unit="fraction"),
    }
    if given is not None:
        rule = "count, a failure to acquire on either side"
        numbers["comparisons left out"] = Estimate(float(given.left_out), rule=rule)
        share = float(material.references.neutral.mean())
        numbers["neutral references"] = Estimate(share, rule="by their labels", unit="fraction")
    return numbers


def _correlation(one: Floats, other: Floats) -> Estimate:
    return _spearman(float(spearman(one[None], other[None])[0]))


def _spearman(found: float, rule: str = "Spearman") -> Estimate:
    return Estimate(Undefined("all values are equal, or not known") if np.isnan(found) else found, rule=rule)
