"""What comes back out of templates, models and training data: inversion, membership, likeness of pictures.

ISO/IEC 30136 asks whether a template can be inverted so that the result is accepted; membership inference asks whether
a model tells whom it was trained on (Shokri et al. 2017; Carlini et al. 2022 for the low end).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core import Estimate, Number, ShapeError, Undefined
from .resampling import of_units, proportion
from .steps import Steps

Floats = NDArray[np.float64]


def inversion_success(
    scores: Floats, threshold: float, subjects: NDArray[Any], *, origin: str, **options: Any
) -> Estimate:
    """Share of reconstructions that the system accepts as the person whose template was inverted.

    Args:
        scores: ``(n,)`` of each reconstruction against another picture of the person (type II), or against the
            inverted one (type I): say which in ``origin``.
        threshold: the system's own, at its FMR.
        subjects: ``(n,)``.
        origin: of the threshold and the kind of attack, in words.
        **options: of `resampling.proportion`.
    """
    if not np.all(np.isfinite(scores)):
        raise ShapeError("a score is not finite", do="a reconstruction without a face is minus 1, not NaN")
    counts = {"reconstructions": len(scores), "subjects": len(np.unique(subjects))}
    rule = f"share accepted, s >= T, T = {threshold:.6g} ({origin})"
    return proportion(scores >= threshold, subjects, rule, counts, **options)


def renewability(
    scores: Floats, threshold: float, subjects: NDArray[Any], *, origin: str = "given", **options: Any
) -> Estimate:
    """Share of renewed templates that still match the one they replaced (0 is wished for).

    Args:
        scores: ``(n,)`` of two templates of one picture under different keys.
        threshold: of the decision.
        subjects: ``(n,)``.
        origin: of the threshold, in words.
        **options: of `resampling.proportion`.
    """
    counts = {"templates": len(scores), "subjects": len(np.unique(subjects))}
    rule = f"share of renewed templates that match their predecessor, s >= T, T = {threshold:.6g} ({origin})"
    return proportion(scores >= threshold, subjects, rule, counts, **options)


def _pair(one: NDArray[Any], other: NDArray[Any]) -> tuple[Floats, Floats]:
    if one.shape != other.shape or one.dtype != np.uint8 or other.dtype != np.uint8 or one.ndim not in (2, 3):
        raise ShapeError(
            "two pictures of one size are compared",
            given=f"{one.dtype} {one.shape} and {other.dtype} {other.shape}",
            expected="uint8 (h, w) or (h, w, 3) twice",
        )
    return one.astype(np.float64), other.astype(np.float64)


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Number:
    """Peak signal-to-noise ratio in dB, peak 255; undefined for equal pictures, where it has no bound."""
    a, b = _pair(one, other)
    error = float(np.mean((a - b) ** 2))
    return (
        Undefined("the pictures are equal", {"pixels": a.size}) if error == 0 else 10 * float(np.log10(255**2 / error))
    )


def ssim(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Structural similarity (Wang et al. 2004): Gaussian window, sigma 1.5, 11 px, K1 0.01, K2 0.03, mean over colours.

    The border of five pixels, where the window does not fit, is left out.
    """
    a, b = _pair(one, other)
    if min(a.shape[:2]) < 11:
        raise ShapeError("a picture is smaller than the window", given=a.shape, expected="at least 11 x 11")
    planes = [(a, b)] if a.ndim == 2 else [(a[..., c], b[..., c]) for c in range(a.shape[2])]
    return float(np.mean([_ssim_plane(x, y) for x, y in planes]))


def _ssim_plane(x: Floats, y: Floats) -> float:
    def blur(v: Floats) -> Floats:
        return np.asarray(ndimage.gaussian_filter(v, 1.5, truncate=3.5))

    one, two = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = blur(x), blur(y)
    vx, vy, both = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    table = (2 * mx * my + one) * (2 * both + two) / ((mx * mx + my * my + one) * (vx + vy + two))
    return float(table[5:-5, 5:-5].mean())


def _membership(scores: Floats, member: NDArray[np.bool_], weights: Floats | None) -> tuple[Floats, Floats] | Undefined:
    steps = Steps(scores, member.astype(np.int64), 2)
    accepted, whole = steps.masses(weights)
    counts = {"members": int(member.sum()), "others": int((~member).sum())}
    if np.any(whole <= 0):
        return Undefined("no members" if whole[1] <= 0 else "nobody but members", counts)
    fpr, tpr = accepted / whole[:, None]
    return fpr[::-1], tpr[::-1]


def membership_auc(scores: Floats, member: NDArray[np.bool_], subjects: NDArray[Any], **options: Any) -> Estimate:
    """Area under the ROC of a membership attack; 0.5 is guessing.

    Args:
        scores: ``(n,)``, higher is more likely in the training data.
        member: ``bool (n,)``.
        subjects: ``(n,)`` whose data each is.
        **options: ``resamples``, ``level``, ``seed``.
    """

    def statistic(weights: Floats | None) -> Number:
        found = _membership(scores, member, weights)
        if isinstance(found, Undefined):
            return found
        fpr, tpr = (np.r_[v, 1.0] for v in found)
        return float(np.trapezoid(tpr, fpr))

    return of_units(statistic, subjects, "membership AUC, ties half", _members(member), **options)


def membership_advantage(scores: Floats, member: NDArray[np.bool_], subjects: NDArray[Any], **options: Any) -> Estimate:
    """Largest TPR - FPR over thresholds (Yeom et al. 2018): chosen on the data judged, so never below 0."""

    def statistic(weights: Floats | None) -> Number:
        found = _membership(scores, member, weights)
        return found if isinstance(found, Undefined) else float(np.max(found[1] - found[0]))

    rule = "membership advantage: largest TPR - FPR, threshold chosen on these data"
    return of_units(statistic, subjects, rule, _members(member), **options)


def membership_tpr(
    scores: Floats, member: NDArray[np.bool_], subjects: NDArray[Any], fpr: float, **options: Any
) -> Estimate:
    """TPR of a membership attack at the largest attained FPR not above ``fpr``: the low end tells most."""
    if not 0 <= fpr <= 1:
        raise ShapeError("a rate is a fraction", given=fpr, expected="0 <= FPR <= 1")

    def statistic(weights: Floats | None) -> Number:
        found = _membership(scores, member, weights)
        return found if isinstance(found, Undefined) else float(found[1][found[0] <= fpr].max())

    rule = f"membership TPR at the largest attained FPR <= {fpr:g}, s >= T"
    return of_units(statistic, subjects, rule, _members(member), **options)


def _members(member: NDArray[np.bool_]) -> dict[str, int]:
    return {"members": int(member.sum()), "others": int((~member).sum())}
