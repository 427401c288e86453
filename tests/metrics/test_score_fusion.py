"""Fusion of arms: by hand, scikit-learn's regression, and where it was fitted."""

import numpy as np
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from workbench.core import Scores, ShapeError, Trials, Undefined
from workbench.metrics import auc, fmr_fnmr_at, threshold_at_fmr
from workbench.metrics import fusion as fuse


def arms(seed: int, n: int = 400, *, name: str = "dev", strengths: tuple[float, ...] = (1.0, 2.0)) -> list[Scores]:
    rng = np.random.default_rng(seed)
    reference, probe = np.arange(n), np.arange(n) + n
    people = np.stack(
        [np.arange(n) % 40, np.where(np.arange(n) % 3 == 0, np.arange(n) % 40, 50 + np.arange(n) % 37)], 1
    )
    trials = Trials(reference, probe, people[:, 0] == people[:, 1], people, None, name)
    return [
        Scores(f"a{i}", trials, rng.normal(s * trials.mated, 1.0) * 10**i + i, np.ones(n, bool))
        for i, s in enumerate(strengths)
    ]


def with_values(arm: Scores, values: np.ndarray, acquired: np.ndarray | None = None) -> Scores:
    good = np.ones(len(values), bool) if acquired is None else acquired
    return Scores(arm.arm, arm.trials, np.where(good, values, np.nan), good)


def test_plain_fusions_by_hand() -> None:
    base = arms(0, 3)
    first, second = with_values(base[0], np.array([1.0, 5, 2])), with_values(base[1], np.array([4.0, 3, 0]))
    assert fuse.plain_fusion("sum", 2).apply([first, second]).values.tolist() == [5, 8, 2]
    assert fuse.plain_fusion("max", 2).apply([first, second]).values.tolist() == [4, 5, 2]
    assert fuse.plain_fusion("min", 2).apply([first, second]).values.tolist() == [1, 3, 0]
    weighted = fuse.plain_fusion("sum", 2, weights=[0.5, 2]).apply([first, second])
    assert weighted.values.tolist() == [8.5, 8.5, 1]
    assert weighted.arm == "weighted sum of a0 + a1 (given)"


def test_normalised_fusions_are_fitted_on_one_set_and_applied_to_another() -> None:
    dev = arms(1)
    judged = [with_values(a, v) for a, v in zip(arms(2, 3, name="test"), ([0.0, 1, 2], [5.0, 6, 7]), strict=True)]
    for by in ("z", "min-max"):
        fitted = fuse.normalised_fusion(dev, "sum", by=by)
        shift = [a.values.mean() if by == "z" else a.values.min() for a in dev]
        scale = [a.values.std(ddof=1) if by == "z" else np.ptp(a.values) for a in dev]
        found = fitted.apply(judged)
        slow = [sum((a.values[i] - shift[k]) / scale[k] for k, a in enumerate(judged)) for i in range(3)]
        assert found.values.tolist() == pytest.approx(slow)
        assert found.arm == f"{by} sum of a0 + a1 (fitted on dev)"
        assert "the trials judged here" in fitted.apply(dev).arm
    largest = fuse.normalised_fusion(dev, "max", by="min-max").apply(dev)
    assert (largest.values.max(), largest.values.min() >= 0) == (1.0, True)


@pytest.mark.parametrize("prior", [0.5, 0.02])
def test_logistic_fusion_as_scikit_learn_fits_it(prior: float) -> None:
    dev = arms(3, 900, strengths=(1.0, 0.7, 1.3))
    fitted = fuse.logistic_fusion(dev, prior=prior)
    assert isinstance(fitted, fuse.Fusion)
    design, kind = np.stack([a.values for a in dev], axis=1), dev[0].trials.mated
    scale = design.std(axis=0)
    weight = np.where(kind, prior / kind.sum(), (1 - prior) / (~kind).sum()) * len(kind)
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=5000).fit(design / scale, kind, sample_weight=weight)
    assert fitted.weights == pytest.approx(model.coef_[0] / scale, rel=2e-4)
    assert fitted.offset + logit(prior) == pytest.approx(model.intercept_[0], rel=2e-4, abs=2e-4)
    test = arms(4, 900, name="test", strengths=(1.0, 0.7, 1.3))
    fused = fitted.apply(test)
    assert "fitted on dev" in fused.arm
    assert float(auc(fused, resamples=0)) > max(float(auc(a, resamples=0)) for a in test)


def test_the_same_arm_twice_shares_its_weight() -> None:
    dev = arms(5)
    alone, twice = fuse.logistic_fusion(dev[:1]), fuse.logistic_fusion([dev[0], dev[0]])
    assert isinstance(alone, fuse.Fusion)
    assert isinstance(twice, fuse.Fusion)
    assert twice.weights.tolist() == pytest.approx([alone.weights[0] / 2] * 2)


def test_no_finite_fusion_is_undefined() -> None:
    dev = arms(6, 60, strengths=(90.0, 1.0))
    found = fuse.logistic_fusion(dev)
    assert isinstance(found, Undefined)
    assert "no finite weights" in found.reason
    flat = [dev[1], with_values(dev[0], np.ones(60))]
    assert isinstance(fuse.logistic_fusion(flat), Undefined)


def test_a_trial_fails_where_any_arm_failed() -> None:
    dev = arms(7, 50)
    acquired = np.arange(50) != 4
    broken = [dev[0], with_values(dev[1], dev[1].values, acquired)]
    found = fuse.plain_fusion("max", 2).apply(broken)
    assert found.failures == 1
    assert not found.acquired[4]
    fitted = fuse.normalised_fusion(broken, "sum")
    assert fitted.shift[0] == pytest.approx(dev[0].values[acquired].mean())


def test_a_threshold_remembers_where_it_was_set() -> None:
    dev, test = arms(8)[0], arms(9, name="test")[0]
    point = fuse.threshold_on(dev, 0.05)
    assert isinstance(point, fuse.OperatingPoint)
    assert point.threshold == threshold_at_fmr(dev, 0.05)
    fmr, fnmr = fuse.rates_at(test, point, resamples=80)
    assert (float(fmr), float(fnmr)) == fmr_fnmr_at(test, point.threshold)
    for estimate in (fmr, fnmr):
        assert "largest attained FMR <= 0.05 on 'dev', T taken as fixed" in estimate.rule
        assert estimate.low < float(estimate) < estimate.high
    assert "an oracle threshold" in fuse.rates_at(dev, point, resamples=0)[0].rule
    rounded = with_values(test, test.values.round())
    on_it = fuse.OperatingPoint(1.0, "given", "nowhere")
    assert tuple(float(e) for e in fuse.rates_at(rounded, on_it, resamples=0)) == fmr_fnmr_at(rounded, 1.0)
    broken = with_values(test, test.values, np.arange(400) > 100)
    assert (float(fuse.rates_at(broken, point, resamples=0)[1])) == fmr_fnmr_at(broken, point.threshold)[1]
    one = Scores("m", test.trials.subset(test.trials.mated), test.values[test.trials.mated], np.ones(134, bool))
    assert isinstance(fuse.threshold_on(one, 0.1), Undefined)
    assert isinstance(fuse.rates_at(one, point)[0].value, Undefined)


def test_what_cannot_be_fused() -> None:
    dev, other = arms(10), arms(11, 300)
    shifted = Trials(dev[0].trials.reference + 1, dev[0].trials.probe, dev[0].trials.mated, dev[0].trials.subjects)
    elsewhere = Scores("x", shifted, dev[0].values, dev[0].acquired)
    for wrong in (
        lambda: fuse.plain_fusion("sum", 2).apply(dev[:1]),
        lambda: fuse.plain_fusion("sum", 2).apply([dev[0], other[1]]),
        lambda: fuse.plain_fusion("sum", 2).apply([dev[0], elsewhere]),
        lambda: fuse.plain_fusion("product", 2),
        lambda: fuse.plain_fusion("max", 2, weights=[1, 2]),
        lambda: fuse.plain_fusion("sum", 2, weights=[1]),
        lambda: fuse.normalised_fusion(dev, "sum", by="rank"),
        lambda: fuse.normalised_fusion([with_values(dev[0], np.ones(400))], "sum"),
        lambda: fuse.stacked([]),
    ):
        with pytest.raises(ShapeError):
            wrong()
