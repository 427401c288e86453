"""Classical classifiers of neutral against non-neutral on features, as in arXiv 2402.05548, and a quality 0 to 100.

Scores are higher for neutral faces. Non-neutral faces are the majority; as many are drawn as there are neutral ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..core import ShapeError, UnknownNameError, seeds

Floats = NDArray[np.float64]
CLASSIFIERS = ("svm", "random-forest", "adaboost")
FEATURES = ("A", "B", "A+B")


def balanced(neutral: NDArray[np.bool_], *names: str | int) -> NDArray[np.int64]:
    """Places of all of the rarer class and of as many drawn of the other, in order.

    Args:
        neutral: ``bool (n,)``.
        *names: of the draw, with its seed.

    Raises:
        ShapeError: one of the classes is not there.
    """
    kinds = [np.flatnonzero(neutral), np.flatnonzero(~neutral)]
    few = min(len(k) for k in kinds)
    if few == 0:
        raise ShapeError(
            "there is one class only to learn from", given=f"{len(kinds[0])} neutral of {len(neutral)} faces",
            expected="neutral and non-neutral faces", do="take more pictures, or other sets",
        )  # fmt: skip
    rng = seeds.rng("neutrality", "balanced", *names)
    return np.sort(np.concatenate([rng.permutation(k)[:few] for k in kinds]))


def fit(
    kind: str, features: NDArray[np.floating], neutral: NDArray[np.bool_], *, trees: int, stumps: int, seed: int
) -> Any:
    """A classifier out of scikit-learn.

    SVM: radial basis functions, C = 1, gamma ``"scale"``, features standardised with the statistics of training.
    Random forest: ``trees`` grown to the end. AdaBoost: ``stumps`` trees of depth 1.

    Args:
        kind: one of `CLASSIFIERS`.
        features: ``(n, d)``.
        neutral: ``bool (n,)``.
        trees: of the forest.
        stumps: of AdaBoost.
        seed: of the draw of the larger class and of the forest.
    """
    from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    if kind not in CLASSIFIERS:
        raise UnknownNameError("classifier", kind, CLASSIFIERS)
    drawn = seeds.integer("neutrality", kind, seed) % 2**31
    made = {
        "svm": lambda: make_pipeline(StandardScaler(), SVC(C=1.0, gamma="scale")),
        "random-forest": lambda: RandomForestClassifier(trees, random_state=drawn),
        "adaboost": lambda: AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=stumps,
                                               random_state=drawn),
    }  # fmt: skip
    at = balanced(neutral, seed)
    return made[kind]().fit(features[at], neutral[at])


def score(kind: str, fitted: Any, features: NDArray[np.floating]) -> Floats:
    """How neutral: signed distance (SVM), share of votes (forest), weighted sum of votes (AdaBoost).

    Args:
        kind: one of `CLASSIFIERS`.
        fitted: by `fit`.
        features: ``(n, d)``.

    Returns:
        ``float64 (n,)``, higher is more neutral.
    """
    if kind == "random-forest":
        # Leaves are pure, so a tree's probability is its vote.
        return np.asarray(fitted.predict_proba(features)[:, list(fitted.classes_).index(True)], np.float64)
    return np.asarray(fitted.decision_function(features), np.float64)


def ofiq_quality(total: NDArray[np.floating]) -> Floats:
    """OFIQ's expression neutrality: ``round(100 / (1 + exp(-(s + 5000) / 5000)))``.

    The constants belong to the raw sum of OFIQ's own AdaBoost model as OpenCV gives it, and to no other score.

    Args:
        total: raw sums.

    Returns:
        Whole numbers 0 to 100.
    """
    found: Floats = np.round(100 * expit((np.asarray(total, np.float64) + 5000) / 5000))
    return found


def quality_map(scores: Floats, neutral: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the logistic map from a score to a quality, fitted on scores of training.

    Classes are weighted alike and weights lightly regularised (C = 1 on standardised scores): scores of training are
    often told apart without an error, where nothing else is finite.

    Args:
        scores: ``(n,)``.
        neutral: ``bool (n,)``.
    """
    from sklearn.linear_model import LogisticRegression

    centre, scale = float(scores.mean()), float(scores.std()) or 1.0
    model = LogisticRegression(class_weight="balanced").fit(((scores - centre) / scale)[:, None], neutral)
    slope = float(model.coef_[0, 0]) / scale
    return slope, float(model.intercept_[0]) - slope * centre


def quality(scores: Floats, fitted: tuple[float, float]) -> Floats:
    """Quality 0 to 100 of scores ``(n,)``, not rounded: rounding would make ties."""
    found: Floats = 100 * expit(fitted[0] * scores + fitted[1])
    return found


def expression_distance(chips: NDArray[np.uint8]) -> Floats:
    """How far facial movements are from rest ``(n,)``, as the embedded attribute network reads them off chips.

    Stands in for NeutrEx (arXiv 2308.09963), the distance of a fitted 3-D face's expression from a neutral one; negate
    it for a quality.

    Args:
        chips: ``uint8 (n, 64, 64, 3)`` of phantoms, aligned.
    """
    from .. import models
    from ..data.phantom import MOVEMENTS

    said = models.load("phantom-attributes", device="cpu").predict(chips)
    moved = np.stack([said[m] for m in MOVEMENTS], 1).astype(np.float64)
    return np.asarray(np.linalg.norm(moved, axis=1), np.float64)
