"""`CurveExplorer`: DET, ROC, scores and error versus discard, with one threshold that moves through all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import traitlets as t
from numpy.typing import NDArray

from .. import files, metrics
from ..core import Estimate, ImageError, Number, ParameterError, Samples, Scores, ShapeError, Undefined
from ..metrics import ErrorRates
from ..metrics import quality as discards
from ..metrics.operating import Operating, Point, Redrawn
from ..metrics.rates import at_most
from ..metrics.resampling import FEW
from .base import Bench
from .messages import Number as Real
from .messages import Whole, answers
from .scores_given import scores_given
from .showing import card, figure, shrunk
from .work import Job, SupersededError, asked_by_browser

FEWEST_BINS, MOST_BINS = 24, 160
RESAMPLES = 200
NO_SUBJECTS = "no intervals: the scores do not say which capture subjects were compared"
_THUMBNAIL = 96


class Arm:
    """One arm with all that its curves and its thresholds need.

    Attributes:
        scores: as given.
        operating: sorted.
        rates: at every threshold, or why there are none.
        eer, auc: of the rates.
    """

    def __init__(self, scores: Scores) -> None:
        self.scores = scores
        self.operating = Operating(scores)
        self.rates = metrics.error_rates(scores)
        self.eer = self.rates if isinstance(self.rates, Undefined) else metrics.eer_of(self.rates)
        self.auc = self.rates if isinstance(self.rates, Undefined) else metrics.auc_of(self.rates)
        self._redrawn: Redrawn | None = None

    def threshold_at(self, fmr: float) -> float | None:
        """The lowest threshold whose FMR is not above ``fmr``, as `metrics.threshold_at_fmr` has it."""
        if isinstance(self.rates, Undefined):
            return None
        threshold = float(self.rates.thresholds[at_most(self.rates, fmr)])
        return threshold if np.isfinite(threshold) else float(np.nextafter(self.rates.thresholds[-2], np.inf))

    def eer_threshold(self) -> float | None:
        """Threshold of the equal error rate, where it is finite."""
        if isinstance(self.rates, Undefined):
            return None
        threshold = float(self.rates.thresholds[int(np.argmin(np.abs(self.rates.fmr - self.rates.fnmr)))])
        return threshold if np.isfinite(threshold) else None

    def intervals(self, threshold: float, job: Job) -> tuple[Estimate, Estimate]:
        """FMR and FNMR at a threshold with their intervals; people are drawn once."""
        going = partial(_going, job)
        self._redrawn = self._redrawn or Redrawn(self.operating, resamples=RESAMPLES, going=going)
        return self._redrawn.at(threshold, going)


class CurveExplorer(Bench):
    """Verification scores under a threshold that a person moves.

    ``CurveExplorer(scores)``, ``CurveExplorer([a, b])``, ``CurveExplorer((mated, nonmated))``,
    ``CurveExplorer("scores.csv")`` or ``CurveExplorer(run_folder)``. A comparison is accepted when
    ``score >= threshold``; failures to acquire are rejections.

    Args:
        given: see `scores_given`.
        quality: ``(n,)`` quality of each comparison, higher is better (see `metrics.quality.pair_quality`): adds
            error versus discard.
        samples: pictures that the trials' indices mean, to look at the pairs beside the threshold.
        **kwargs: traits, e.g. ``threshold=0.3``.

    Attributes:
        threshold: of the chosen arm, in its scores.
        arm: which arm that is.
        common: what the other arms share with it: ``"fmr"`` (the largest they attain that is not above its) or
            ``"threshold"``.
        fmr, fnmr: of the chosen arm; a number or `Undefined`.
        reading: of every arm: threshold, rates and counts of errors.
        rest: the intervals, with the threshold that they belong to.
    """

    front = "curves"
    sheets = ("chart", "curves")
    writable = frozenset({"threshold", "arm", "common"})

    threshold = t.Float(0.0).tag(sync=True)
    arm = t.Int(0).tag(sync=True)
    common = t.Enum(("fmr", "threshold"), "fmr").tag(sync=True)
    facts = t.List().tag(sync=True)
    axes = t.Dict().tag(sync=True)
    reading = t.List().tag(sync=True)
    rest = t.Dict().tag(sync=True)
    discards = t.Bool(False).tag(sync=True)
    fmr = t.Any(None)
    fnmr = t.Any(None)

    def __init__(
        self, given: Any, *, quality: NDArray[np.float64] | None = None, samples: Samples | None = None, **kwargs: Any
    ) -> None:  # fmt: skip
        found = scores_given(given)
        self._arms = [Arm(scores) for scores in found.arms]
        self._known, self._source, self._samples = found.subjects_known, found.source, samples
        self._quality = None if quality is None else self._check_quality(quality)
        self._discard: discards.Discard | Undefined | None = None
        self._check_samples()
        first = self._arms[kwargs["arm"] if kwargs.get("arm") in range(len(self._arms)) else 0]
        start = first.eer_threshold()
        middle = sum(first.operating.thresholds) / 2 if first.operating.thresholds else 0.0
        super().__init__(**{"label": "Curves", "threshold": middle if start is None else start, **kwargs})
        self.facts = [self._fact(arm) for arm in self._arms]
        self.axes = self._axes()
        self.discards = quality is not None
        self._move()

    @answers()
    def curves(self) -> tuple[Mapping[str, Any], list[bytes]]:
        """Of each arm FMR and FNMR of its DET and of its ROC, then its binned scores, mated and non-mated."""
        from ..figures.curves import det_points, roc_points

        parts: list[bytes] = []
        fmr = self.axes["fmr"]
        for arm in self._arms:
            if isinstance(arm.rates, ErrorRates):
                rows = (*det_points(arm.rates, (fmr[0], fmr[1])), *roc_points(arm.rates, (fmr[0], fmr[1])))
            else:
                rows = (np.zeros(0),) * 4
            parts += [_packed(row) for row in (*rows, *self._binned(arm))]
        return {"arms": len(self._arms)}, parts

    @answers(fmr=Real(0, 1))
    def choose_fmr(self, fmr: float) -> None:
        """Take the lowest threshold whose FMR is not above this."""
        self._choose(self._arms[self.arm].threshold_at(Real(0, 1).check("fmr", fmr)))

    @answers()
    def choose_eer(self) -> None:
        """Take the threshold of the equal error rate."""
        self._choose(self._arms[self.arm].eer_threshold())

    @answers()
    def intervals(self) -> None:
        """Compute what takes longer than a step of the slider: intervals, and error versus discard."""
        chosen, readings = self._arms[self.arm], [dict(r) for r in self.reading]
        now = {"threshold": self.threshold, "arm": self.arm, "common": self.common}

        def compute(job: Job) -> tuple[Any, list[tuple[Estimate, Estimate]]]:
            discard = None
            if self._quality is not None:
                discard = discards.error_versus_discard(chosen.scores, self._quality, now["threshold"])
            if not self._known:
                return discard, []
            return discard, [a.intervals(r["threshold"], job) for a, r in zip(self._arms, readings, strict=True)]

        def put(made: tuple[Any, list[tuple[Estimate, Estimate]]]) -> None:
            self._discard = made[0]
            self.rest = {
                **now,
                "arms": [{"fmr": _ends(fmr), "fnmr": _ends(fnmr)} for fmr, fnmr in made[1]],
                "rule": _rules(made[1]) or NO_SUBJECTS,
            }  # fmt: skip

        self.work("computing intervals", compute, put, quick=True)

    @answers()
    def discard(self) -> tuple[Mapping[str, Any], list[bytes]]:
        """The error-versus-discard curve at the threshold of the latest intervals: shares, then errors."""
        from ..figures.curves import thinned

        if not isinstance(self._discard, discards.Discard):
            reason = self._discard.reason if isinstance(self._discard, Undefined) else "no qualities were given"
            return {"why": reason}, []
        kept = thinned(self._discard.discarded, (0.0, 1.0), self._discard.error)
        return {"why": ""}, [_packed(self._discard.discarded[kept]), _packed(self._discard.error[kept])]

    @answers(most=Whole(1, 12))
    def pairs(self, most: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """The trials beside the threshold, of both kinds and on both sides, the nearest first; two pictures each."""
        chosen = self._arms[self.arm]
        items: list[dict[str, Any]] = []
        parts: list[bytes] = []
        for mated in (True, False):
            for accepted in (False, True):
                for trial in chosen.operating.nearest(self.threshold, mated=mated, accepted=accepted, most=most):
                    sides = (int(chosen.scores.trials.reference[trial]), int(chosen.scores.trials.probe[trial]))
                    names = [str(s) if self._samples is None else self._samples.ids[s] for s in sides]
                    score = float(chosen.scores.values[trial])
                    items.append({"trial": str(trial), "mated": mated, "accepted": accepted, "score": score,
                                  "names": names})  # fmt: skip
                    parts += [self._thumbnail(s) for s in sides] if self._samples is not None else []
        return {"items": items}, parts

    def describe(self) -> str:
        """The chosen arm at its threshold in a line."""
        chosen = self._arms[self.arm]
        counts = self.facts[self.arm]
        more = f" and {len(self._arms) - 1} more" if len(self._arms) > 1 else ""
        rates = ", ".join(f"{name} {self._said(self.arm, key)}" for name, key in (("FMR", "fmr"), ("FNMR", "fnmr")))
        return (
            f"{chosen.scores.arm}{more}, {counts['mated']:,} mated and {counts['nonmated']:,} non-mated trials; "
            f"at threshold {self.threshold:.6g} {rates}"
        )

    def static_html(self) -> str:
        """The curves as a figure, with every arm's numbers."""
        from ..figures.curves import Arm as Drawn
        from ..figures.curves import curves_figure

        chosen = self._arms[self.arm]
        order = [chosen, *(a for a in self._arms if a is not chosen)]
        points = {id(a): a.operating.at(r["threshold"]) for a, r in zip(self._arms, self.reading, strict=True)}
        drawn = [Drawn(a.scores.arm, a.rates, points[id(a)]) for a in order]
        kinds = [
            chosen.scores.values[chosen.scores.acquired & (chosen.scores.trials.mated == k)] for k in (True, False)
        ]
        png = curves_figure(drawn, kinds[0], kinds[1], self.threshold).png()
        rows = {fact["name"]: self._row(i, fact) for i, fact in enumerate(self.facts)}
        note = f"accept when score >= threshold; {self.rest.get('rule', '')}"
        if self._source:
            rows["scores of"] = self._source
        return card(self.label, rows, [figure(png, f"{self.label}: {self.describe()}")], note=note)

    def _row(self, index: int, fact: Mapping[str, Any]) -> str:
        rates = ", ".join(f"{name} {self._said(index, key)}" for name, key in (("FMR", "fmr"), ("FNMR", "fnmr")))
        if fact["why"]:
            return f"{fact['why']}; {rates}"
        failed = f", {fact['failures']:,} failures to acquire" if fact["failures"] else ""
        return (
            f"T = {self.reading[index]['threshold']:.6g}: {rates}; EER {fact['eer']:.4g}, AUC {fact['auc']:.4g}{failed}"
        )

    def _said(self, index: int, key: str) -> str:
        """A rate with its interval, if that is of this very threshold."""
        value = self.reading[index][key]
        if value is None:
            return "undefined"
        ends = self.rest["arms"][index][key] if self._rests() and self.rest["arms"] else None
        return f"{value:.4g}" + (f" [{ends[0]:.4g}, {ends[1]:.4g}]" if ends else "")

    def _rests(self) -> bool:
        return {k: self.rest.get(k) for k in ("threshold", "arm", "common")} == {
            "threshold": self.threshold, "arm": self.arm, "common": self.common,
        }  # fmt: skip

    def _choose(self, threshold: float | None) -> None:
        if threshold is None:
            rates = self._arms[self.arm].rates
            raise ParameterError(
                "there is no such threshold",
                given=str(rates) if isinstance(rates, Undefined) else "no finite threshold",
            )
        self.threshold = threshold

    @t.validate("threshold")
    def _finite(self, proposal: Any) -> float:
        if not np.isfinite(proposal["value"]):
            raise t.TraitError(f"a threshold is a finite number, not {proposal['value']}")
        return float(proposal["value"])

    @t.validate("arm")
    def _an_arm(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < len(self._arms):
            raise t.TraitError(f"there is no arm {proposal['value']}: there are {len(self._arms)}")
        return int(proposal["value"])

    @t.observe("arm")
    def _other_arm(self, change: Any) -> None:
        if self.reading and self.reading[self.arm]["threshold"] != self.threshold:
            # The same rates stay in view; the threshold is the other arm's own.
            self.threshold = self.reading[self.arm]["threshold"]
        elif self.reading:
            self._move()

    @t.observe("threshold", "common")
    def _move(self, change: Any = None) -> None:
        if not self.facts:
            return
        chosen = self._arms[self.arm].operating.at(self.threshold)
        points = [chosen if i == self.arm else self._beside(arm, chosen) for i, arm in enumerate(self._arms)]
        with self.hold_sync():
            self.fmr, self.fnmr = chosen.fmr, chosen.fnmr
            self.reading = [_reading(point) for point in points]
        if not asked_by_browser():
            # The browser asks for them itself when the pointer rests.
            self.intervals()

    def _beside(self, arm: Arm, chosen: Point) -> Point:
        """Where another arm works."""
        same = self.common == "threshold" or isinstance(chosen.fmr, Undefined)
        threshold = None if same else arm.threshold_at(float(chosen.fmr))
        return arm.operating.at(self.threshold if threshold is None else threshold)

    def _fact(self, arm: Arm) -> dict[str, Any]:
        mated = int(arm.scores.trials.mated.sum())
        low, high = arm.operating.thresholds or (0.0, 1.0)
        return {
            "name": arm.scores.arm, "mated": mated, "nonmated": len(arm.scores.trials) - mated,
            "failures": arm.scores.failures, "eer": _plain(arm.eer), "auc": _plain(arm.auc),
            "why": arm.rates.reason if isinstance(arm.rates, Undefined) else "",
            "low": low, "high": high if high > low else low + 1,
        }  # fmt: skip

    def _axes(self) -> dict[str, Any]:
        from ..figures.curves import span

        ends = span([a.rates for a in self._arms])
        return {"fmr": list(ends.fmr), "fnmr": list(ends.fnmr), "tmr": list(ends.tmr)}

    def _binned(self, arm: Arm) -> list[NDArray[np.float64]]:
        """Share of the mated and of the non-mated scores in each of equal bins from the lowest to the highest."""
        fact = self.facts[self._arms.index(arm)]
        scores = arm.scores
        kinds = [scores.values[scores.acquired & (scores.trials.mated == kind)] for kind in (True, False)]
        bins = int(np.clip(2 * np.sqrt(min(map(len, kinds))), FEWEST_BINS, MOST_BINS))
        ends = (fact["low"], fact["high"])
        return [np.histogram(some, bins, ends)[0] / max(1, len(some)) for some in kinds]

    def _check_quality(self, quality: NDArray[np.float64]) -> NDArray[np.float64]:
        values = np.asarray(quality, np.float64)
        for arm in self._arms:
            if values.shape != (len(arm.scores.trials),):
                raise ShapeError(
                    "qualities do not fit the trials", given=values.shape, expected=(len(arm.scores.trials),),
                    do="give one for each comparison: metrics.quality.pair_quality(reference, probe)",
                )  # fmt: skip
        if np.isnan(values).any():
            raise ShapeError("a quality is NaN", given=int(np.isnan(values).sum()), do="give the lowest instead")
        return values

    def _check_samples(self) -> None:
        trials = [a.scores.trials for a in self._arms]
        highest = max((int(max(x.reference.max(), x.probe.max())) for x in trials if len(x)), default=-1)
        if self._samples is not None and highest >= len(self._samples):
            raise ShapeError(
                "the trials name pictures that the samples do not have", given=highest, expected=len(self._samples)
            )

    def _thumbnail(self, sample: int) -> bytes:
        """A small picture, or nothing where it cannot be read."""
        if self._samples is None:
            return b""
        try:
            return files.encode_jpeg(shrunk(self._samples.images[sample], _THUMBNAIL), quality=80)
        except ImageError:
            return b""


def _going(job: Job) -> None:
    if job.superseded:
        raise SupersededError


def _packed(row: NDArray[np.float64]) -> bytes:
    return row.astype("<f4").tobytes()


def _plain(number: Number) -> float | None:
    return None if isinstance(number, Undefined) else float(number)


def _ends(estimate: Estimate) -> list[float] | None:
    ends = [estimate.low, estimate.high]
    return [float(e) for e in ends] if all(isinstance(e, float) for e in ends) else None  # type: ignore[arg-type]


def _rules(made: list[tuple[Estimate, Estimate]]) -> str:
    """How the intervals came about, each way once."""
    every = [e for pair in made for e in pair]
    ways = dict.fromkeys(e.rule.rpartition("; ")[2] for e in every if _ends(e))
    ways |= dict.fromkeys(f"no interval: {e.low.reason}" for e in every if isinstance(e.low, Undefined))
    few = f"rates with fewer than {FEW} errors or {FEW} others: "
    return "; ".join(few + way if "Clopper" in way and len(ways) > 1 else way for way in ways)


def _reading(point: Point) -> dict[str, Any]:
    return {
        "threshold": point.threshold, "fmr": _plain(point.fmr), "fnmr": _plain(point.fnmr),
        "false_matches": point.false_matches, "nonmated": point.nonmated,
        "false_nonmatches": point.false_nonmatches, "mated": point.mated,
    }  # fmt: skip
