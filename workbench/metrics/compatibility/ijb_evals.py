"""insightface's ``_evaluation_/ijb`` scripts ``ijb_evals.py`` and ``ijb_1n.py``: strict rank rules, a flag reversed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core import ShapeError
from ..templates import Templates, Vectors, image_features, media_templates
from .folded import Floats

Codes = NDArray[np.int64]


def ijb_evals_templates(
    features: Vectors, flipped: Vectors, detector: Vectors, templates: Codes, media: Codes, *,
    use_norm_score: bool = False, use_detector_score: bool = True, use_flip_test: bool = True,
) -> Templates:  # fmt: skip
    """Templates under the script's flags; here ``use_norm_score=True`` (N1) **removes** the norm of an image's feature.

    So its N0 is N1 of ``eval_ijbc.py``.
    """
    prepared = image_features(
        features,
        flipped=flipped if use_flip_test else None,
        keep_norm=not use_norm_score,
        detector=detector if use_detector_score else None,
    )
    return media_templates(prepared, templates, media)


def ijb_evals_threshold(nonmated: Floats, far: float) -> float:
    """The k-th highest non-mated score, ``k = int(N far)``, at least 1; accept when ``s > T``."""
    return _ranked(nonmated, max(int(len(nonmated) * far), 1))


def ijb_1n_threshold(nonmated: Floats, far: float) -> float:
    """The k-th highest non-mated score, ``k = ceil(N far)``; accept when ``s > T``.

    Where ``far`` is 0 the script's index is -1, the lowest score; here too.
    """
    return _ranked(nonmated, int(np.ceil(len(nonmated) * far)))


def _ranked(nonmated: Floats, k: int) -> float:
    if not len(nonmated):
        raise ShapeError("no non-mated scores", expected="at least one")
    return float(np.sort(nonmated)[::-1][k - 1])


@dataclass(frozen=True)
class IjbEvalsSearch:
    """What ``evaluation_1N`` prints.

    Attributes:
        top: share of mated probes with the mate among the first 1, 5 and 10; NumPy's sort decides between equal scores.
        thresholds: ``(f,)`` at each target.
        tpirs: ``(f,)`` share of mated probes whose mate beats every other reference and the threshold, both strictly.
    """

    top: tuple[float, float, float]
    thresholds: Floats
    tpirs: Floats


def ijb_evals_search(
    scores: Floats, probe_subjects: Codes, reference_subjects: Codes, fars: tuple[float, ...] = (0.01, 0.1)
) -> IjbEvalsSearch:
    """``evaluation_1N``: the threshold is set on the best scores of the probes whose subject is not enrolled.

    Args:
        scores: ``(probes, references)``.
        probe_subjects: ``int64 (probes,)``.
        reference_subjects: ``int64 (references,)``, each once: of a subject's references only the first is its mate.
        fars: targets.
    """
    if scores.shape != (len(probe_subjects), len(reference_subjects)):
        raise ShapeError("scores do not fit", given=scores.shape, expected="(probes, references)")
    if len(np.unique(reference_subjects)) != len(reference_subjects):
        raise ShapeError("a subject is enrolled twice", expected="one reference for each subject, as in IJB")
    same = probe_subjects[:, None] == reference_subjects
    mated = same.any(axis=1)
    if mated.all() or not mated.any():
        raise ShapeError("probes of one kind only", expected="mated and non-mated probes")
    own, mate = same[mated], scores[mated][same[mated]]
    order = np.argsort(scores[mated], axis=1)[:, ::-1]
    place = np.argmax(np.take_along_axis(own, order, axis=1), axis=1)
    first = mate > np.where(own, -np.inf, scores[mated]).max(axis=1)
    best = scores[~mated].max(axis=1)
    thresholds = np.array([ijb_evals_threshold(best, far) for far in fars])
    tpirs = np.array([np.mean(first & (mate > t)) for t in thresholds])
    top = (float(np.mean(place < 1)), float(np.mean(place < 5)), float(np.mean(place < 10)))
    return IjbEvalsSearch(top, thresholds, tpirs)
