"""Linkability, inversion, membership and accounting against published vectors, libraries and counting."""

import numpy as np
import pytest
from scipy import integrate, stats
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.datasets import load_iris
from sklearn.metrics import roc_auc_score

from workbench.core import ShapeError, Undefined
from workbench.metrics import inversion, linkability, privacy

IRIS = load_iris()
NEG, POS = IRIS.data[IRIS.target == 0, 0], IRIS.data[IRIS.target == 1, 0]


@pytest.mark.parametrize(
    ("bins", "trapezoid", "whole"),
    [(10, 0.606581196581, 0.636581196581), (20, 0.669523809524, 0.689523809524), (100, 0.725714285714, 0.735714285714)],
)
def test_system_linkability_of_iris(bins: int, trapezoid: float, whole: float) -> None:
    assert float(linkability.system_linkability(POS, NEG, bins=bins, integral="trapezoid")) == pytest.approx(trapezoid)
    assert float(linkability.system_linkability(POS, NEG, bins=bins)) == pytest.approx(whole)


def test_the_ends_of_linkability() -> None:
    apart = np.linspace(5, 6, 50), np.linspace(0, 1, 50)
    assert float(linkability.system_linkability(*apart)) == pytest.approx(1.0)
    assert float(linkability.system_linkability(*apart, integral="trapezoid")) < 0.995
    assert float(linkability.system_linkability(POS, POS)) == 0.0
    assert float(linkability.maximal_linkability(POS, NEG)) == pytest.approx(0.831877241192)
    assert float(linkability.maximal_linkability(POS, POS)) == pytest.approx(0.0, abs=1e-12)
    assert isinstance(linkability.system_linkability(POS, NEG[:0]).value, Undefined)
    with pytest.raises(ShapeError, match="not finite"):
        linkability.maximal_linkability(POS, np.array([np.nan]))


def test_local_linkability_by_hand() -> None:
    found = linkability.local_linkability(np.array([0.0, 1.0, 3.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.0, 0.0, 0.0]))
    assert found.tolist() == [0.0, 0.0, 0.5, 1.0, 0.0]


def pictures() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    one = (127 + 80 * np.sin(np.arange(40)[:, None, None] / 5 + np.arange(36)[:, None] / 7 + np.arange(3))).astype(
        np.uint8
    )
    return one, np.clip(one + rng.normal(0, 12, one.shape), 0, 255).astype(np.uint8)


def test_likeness_of_pictures_is_scikit_images() -> None:
    one, other = pictures()
    assert inversion.psnr(one, other) == pytest.approx(peak_signal_noise_ratio(one, other))
    for a, b, axis in ((one, other, 2), (one[..., 0], other[..., 0], None)):
        theirs = structural_similarity(
            a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=axis, data_range=255
        )
        assert inversion.ssim(a, b) == pytest.approx(theirs, abs=1e-9)
    assert isinstance(inversion.psnr(one, one), Undefined)
    with pytest.raises(ShapeError, match="two pictures of one size"):
        inversion.ssim(one, other[:30])


def test_success_is_counted_with_its_threshold() -> None:
    found = inversion.inversion_success(
        np.array([0.1, 0.5, 0.9, 0.5]), 0.5, np.arange(4), origin="FMR 1e-3 on validation, type II"
    )
    assert float(found) == 0.75
    assert "type II" in found.rule
    assert "Clopper-Pearson" in found.rule
    assert float(inversion.renewability(np.array([0.1, 0.5]), 0.5, np.arange(2))) == 0.5


def test_membership_against_scikit_learn_and_counting() -> None:
    rng = np.random.default_rng(0)
    member = rng.random(300) < 0.5
    scores = np.round(rng.standard_normal(300) + member, 1)
    subjects = np.arange(300) // 3
    assert float(inversion.membership_auc(scores, member, subjects, resamples=0)) == pytest.approx(
        roc_auc_score(member, scores)
    )
    rates = [((scores[member] >= t).mean(), (scores[~member] >= t).mean()) for t in [*np.unique(scores), 99]]
    assert float(inversion.membership_advantage(scores, member, subjects, resamples=0)) == pytest.approx(
        max(t - f for t, f in rates)
    )
    for limit in (0.0, 0.01, 0.1):
        found = inversion.membership_tpr(scores, member, subjects, limit, resamples=0)
        assert float(found) == pytest.approx(max(t for t, f in rates if f <= limit))
    interval = inversion.membership_auc(scores, member, subjects, resamples=100)
    assert float(interval.low) < float(interval) < float(interval.high)
    assert isinstance(inversion.membership_auc(scores, np.ones(300, bool), subjects).value, Undefined)


def test_one_gaussian_step_against_its_exact_delta() -> None:
    # Balle and Wang 2018: the exact delta of one Gaussian mechanism; the bound must lie above, and not far.
    sigma, delta = 2.0, 1e-5
    bound = float(privacy.epsilon(sigma, 1, delta))

    def exact(eps: float) -> float:
        shift = 1 / (2 * sigma), eps * sigma
        return float(stats.norm.cdf(shift[0] - shift[1]) - np.exp(eps) * stats.norm.cdf(-shift[0] - shift[1]))

    assert exact(bound) <= delta
    assert exact(bound * 0.85) > delta


@pytest.mark.parametrize("order", [2, 5, 16])
def test_sampled_divergence_is_the_integral(order: int) -> None:
    sigma, rate = 1.3, 0.05

    def integrand(x: float) -> float:
        log0 = stats.norm.logpdf(x, 0, sigma)
        ratio = (1 - rate) + rate * np.exp(stats.norm.logpdf(x, 1, sigma) - log0)
        return float(np.exp(log0) * ratio**order)

    whole = integrate.quad(integrand, -30, 60, limit=400)[0]
    at = list(privacy.ORDERS).index(order)
    assert privacy.renyi_gaussian(sigma, 1, rate=rate)[at] == pytest.approx(np.log(whole) / (order - 1), rel=1e-6)


def test_more_steps_cost_more_and_more_noise_costs_less() -> None:
    one, many, noisy, rare = (
        float(privacy.epsilon(s, n, 1e-6, rate=r)) for s, n, r in ((1, 10, 1), (1, 100, 1), (4, 10, 1), (1, 10, 0.01))
    )
    assert noisy < one < many
    assert rare < one
    with pytest.raises(ShapeError, match="sigma > 0"):
        privacy.epsilon(0, 1, 1e-5)
