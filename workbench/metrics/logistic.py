"""Logistic regression of mated on one or more scores, each kind weighted by a prior: log-likelihood ratios."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from ..core import ShapeError, Undefined
from .steps import Floats

STEPS = 100


def fit_logistic(values: Floats, mated: NDArray[np.bool_], prior: float = 0.5) -> tuple[Floats, float] | Undefined:
    """Weights and offset that make ``values @ weights + offset`` log-likelihood ratios (natural logarithm).

    They minimise the cross-entropy in which the mated scores together weigh ``prior``, the non-mated ones the rest
    (Brümmer and du Preez 2006). Nothing is regularised; Newton's method with halved steps.

    Args:
        values: ``(n, k)`` finite.
        mated: ``bool (n,)``.
        prior: of mated, between 0 and 1.

    Returns:
        Undefined where no finite weights are best: one kind only, constant scores, or kinds that can be told apart
        without an error.
    """
    if values.ndim != 2 or mated.shape != (len(values),) or not np.isfinite(values).all():
        raise ShapeError("scores do not fit", given=(values.shape, mated.shape), expected="finite (n, k) and (n,)")
    if not 0 < prior < 1:
        raise ShapeError("a prior is a probability", given=prior, expected="0 < prior < 1")
    counts = {"mated": int(mated.sum()), "nonmated": int((~mated).sum())}
    if not all(counts.values()):
        return Undefined("scores of one kind only", counts)
    centre, scale = values.mean(axis=0), values.std(axis=0)
    if np.any(scale == 0):
        return Undefined("all scores of an arm are equal", counts)
    design = np.c_[(values - centre) / scale, np.ones(len(values))]
    weight = np.where(mated, prior / counts["mated"], (1 - prior) / counts["nonmated"])
    found = _newton(design, mated, weight, float(logit(prior)))
    fitted = None if found is None else design @ found
    if found is None or fitted is None or fitted[mated].min() >= fitted[~mated].max() - 1e-9 * np.ptp(fitted):
        return Undefined("mated and non-mated scores can be told apart without an error: no finite weights", counts)
    slopes = found[:-1] / scale
    return slopes, float(found[-1] - slopes @ centre)


def _newton(design: Floats, mated: NDArray[np.bool_], weight: Floats, shift: float) -> Floats | None:
    """The minimum of the weighted cross-entropy, or None where it is not reached."""
    sign = np.where(mated, 1.0, -1.0)

    def loss(at: Floats) -> float:
        return float(weight @ np.logaddexp(0.0, -sign * (design @ at + shift)))

    at = np.zeros(design.shape[1])
    now = loss(at)
    for _ in range(STEPS):
        chance = expit(design @ at + shift)
        gradient = design.T @ (weight * (chance - mated))
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        decrement = float(gradient @ step)
        if decrement <= 1e-22:
            return at
        size = 1.0
        while (new := loss(at - size * step)) > now - 1e-4 * size * decrement:
            size /= 2
            if size < 1e-10:
                # Rounding leaves nothing to gain: near the minimum if the gain in sight is tiny.
                return at if decrement < 1e-12 else None
        at, now = at - size * step, new
    return None
