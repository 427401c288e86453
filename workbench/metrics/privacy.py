"""Differential-privacy accounting of the Gaussian mechanism by Renyi divergence.

Mironov 2017 (arXiv 1702.07476): a Gaussian mechanism of noise multiplier sigma has Renyi divergence
``alpha / (2 sigma^2)``, composition adds up. Mironov, Talwar and Zhang 2019 (arXiv 1908.10530) for Poisson sampling at
whole orders. From Renyi to (epsilon, delta): Canonne, Kamath and Steinke 2020 (arXiv 2004.00010), proposition 12.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from ..core import Estimate, ShapeError

ORDERS = np.r_[np.arange(2, 65), 80, 96, 128, 256, 512].astype(np.float64)


def renyi_gaussian(sigma: float, steps: int, *, rate: float = 1.0) -> NDArray[np.float64]:
    """Renyi divergences of ``steps`` compositions at ``ORDERS``.

    Args:
        sigma: noise over sensitivity, above 0.
        steps: how many times the mechanism runs.
        rate: each record takes part with this probability, independently (Poisson sampling); 1: always.
    """
    if sigma <= 0 or steps < 1 or not 0 < rate <= 1:
        raise ShapeError(
            "these settings describe no Gaussian mechanism",
            given=f"sigma {sigma}, steps {steps}, rate {rate}",
            expected="sigma > 0, steps >= 1, 0 < rate <= 1",
        )
    if rate == 1:
        return np.asarray(steps * ORDERS / (2 * sigma**2))
    return steps * np.array([_sampled(int(order), sigma, rate) for order in ORDERS])


def _sampled(order: int, sigma: float, rate: float) -> float:
    """``log sum_k C(a, k) (1-q)^(a-k) q^k exp((k^2 - k) / (2 sigma^2)) / (a - 1)``."""
    k = np.arange(order + 1)
    choose = gammaln(order + 1) - gammaln(k + 1) - gammaln(order - k + 1)
    terms = choose + (order - k) * np.log1p(-rate) + k * np.log(rate) + (k * k - k) / (2 * sigma**2)
    return float(logsumexp(terms) / (order - 1))


def epsilon(sigma: float, steps: int, delta: float, *, rate: float = 1.0) -> Estimate:
    """Epsilon at ``delta``: an upper bound, the best of ``ORDERS``.

    Args:
        sigma: noise over sensitivity.
        steps: how many times the mechanism runs.
        delta: in (0, 1); well below one over the number of people.
        rate: of Poisson sampling; 1: every record every time.
    """
    if not 0 < delta < 1:
        raise ShapeError("delta is a probability", given=delta, expected="0 < delta < 1")
    divergence = renyi_gaussian(sigma, steps, rate=rate)
    bound = divergence + np.log1p(-1 / ORDERS) - (np.log(delta) + np.log(ORDERS)) / (ORDERS - 1)
    best = int(np.argmin(bound))
    rule = (
        f"epsilon at delta {delta:g}, Gaussian mechanism, sigma {sigma:g}, {steps} steps, Poisson rate {rate:g}; "
        f"upper bound by Renyi order {ORDERS[best]:g}"
    )
    return Estimate(max(0.0, float(bound[best])), rule=rule, counts={"steps": steps})
