"""Cross-domain averages: plain mean, every domain listed, nothing averaged away."""

import numpy as np
import pytest

from workbench.core import Estimate, ShapeError, Undefined
from workbench.metrics import domains


def test_the_mean_lists_every_domain_and_its_interval_by_hand() -> None:
    parts = {"msu": Estimate(0.1, 0.08, 0.13, "HTER"), "oulu": Estimate(0.3, 0.26, 0.34, "HTER")}
    found = domains.across_domains(parts)
    assert float(found.mean) == pytest.approx(0.2)
    assert found.mean.low == pytest.approx(0.2 - np.hypot(0.02, 0.04) / 2)
    assert found.mean.high == pytest.approx(0.2 + np.hypot(0.03, 0.04) / 2)
    assert found.worst == "oulu"
    assert "msu 0.1 [0.08, 0.13]" in found.mean.rule
    assert "leave one domain out" in found.mean.rule
    assert dict(found.domains) == parts


def test_an_undefined_domain_is_not_averaged_away() -> None:
    found = domains.across_domains({"a": Estimate(0.1), "b": Estimate(Undefined("no attacks"))})
    assert isinstance(found.mean.value, Undefined)
    assert "undefined on b" in str(found.mean.value)
    assert isinstance(domains.across_domains({}).mean.value, Undefined)


def test_a_negative_weight_turns_the_ends() -> None:
    found = domains.weighted_sum([Estimate(0.5, 0.4, 0.8), Estimate(0.2, 0.1, 0.5)], [1, -1], "difference")
    assert float(found) == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - np.hypot(0.1, 0.3))
    assert found.high == pytest.approx(0.3 + np.hypot(0.3, 0.1))
    assert domains.weighted_sum([Estimate(0.5)], [2], "r", constant=1.0).value == 2.0
    with pytest.raises(ShapeError, match="several levels"):
        domains.weighted_sum([Estimate(0.5, level=0.9), Estimate(0.5)], [1, 1], "r")


def test_the_recovered_interval_covers_the_truth() -> None:
    from workbench.metrics import wilson

    rng, hits = np.random.default_rng(0), 0
    rates, n = [0.05, 0.2, 0.4], 80
    for _ in range(300):
        errors = rng.binomial(n, rates)
        parts = {str(k): Estimate(e / n, *wilson(int(e), n)) for k, e in enumerate(errors)}
        mean = domains.across_domains(parts).mean
        hits += mean.low <= np.mean(rates) <= mean.high
    assert 276 <= hits <= 297
