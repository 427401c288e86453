"""Presentation attack detection at a threshold, after ISO/IEC 30107-3.

``APCER_species = 1 - (1/N) sum Res_i``, ``Res_i`` 1 where attack presentation i of that species is classified as an
attack; ``BPCER = (1/N) sum Res_i`` over bona fide presentations; a system's APCER is the largest of its species'.
A presentation counts as bona fide when its score is at or above the threshold, as in bob.measure. IAPAR (impostor
attack presentation accept rate) was IAPMR in the 2017 edition; RIAPAR came with that of 2023. Definitions follow public
descriptions of the standard, whose text is not free.

Measures that search for a threshold stand in `attack_curves`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, ShapeError, Undefined
from .intervals import LEAST_SUBJECTS
from .presentations import PAD, Across, NonResponse, Presentations, Terms, Threshold, across_species, coded, rejoin
from .resampling import FEW, Interval, check_interval, exact, of_ratios, proportion
from .steps import Floats, shares

OVER = {"worst": "largest over the species", "pooled": "all species pooled", "mean": "mean over the species"}
IMPOSTOR = Terms("IAPAR", "FNMR", "impostor attack presentations", "mated presentations")


class Decided:
    """Presentations judged at one threshold: errors, the rate each belongs to, subjects, rule and counts."""

    def __init__(self, presentations: Presentations, threshold: Threshold, nonresponse: NonResponse) -> None:
        values, self.column, self.subjects, self.names, said = coded(presentations, nonresponse)
        self.counts = presentations.counts
        self.threshold = threshold
        limit = np.nan if isinstance(threshold.value, Undefined) else threshold.value
        accepted = values >= limit
        self.errors: NDArray[np.bool_] = np.where(self.column == 0, ~accepted, accepted)
        silent = [name for k, name in enumerate(self.names, 1) if not (self.column == k).any()]
        left = "no response at all from " + ", ".join(silent) if silent else ""
        self.rule = rejoin(threshold.rule(presentations.name), said, left)

    def column_rate(self, column: int, what: str, counts: Mapping[str, int], **options: Any) -> Estimate:
        """The error rate of bona fide presentations (column 0) or of one species."""
        rule = f"{what}; {self.rule}"
        if isinstance(self.threshold.value, Undefined):
            return Estimate(self.threshold.value, rule=rule, counts=counts, unit="fraction")
        mine = self.column == column
        return proportion(self.errors[mine], self.subjects[mine], rule, counts, **options)


def apcer_by_species(
    presentations: Presentations, threshold: Threshold, *, nonresponse: NonResponse = "exclude", terms: Terms = PAD,
    **options: Any,
) -> dict[str, Estimate]:  # fmt: skip
    """APCER of every species: its share of attack presentations that are taken for bona fide.

    Args:
        presentations: scores of one detector.
        threshold: and its origin.
        nonresponse: ``"exclude"`` or ``"attack"`` (see `presentations.coded`).
        terms: the errors' names.
        **options: ``interval`` (``"auto"``, ``"bootstrap"``, ``"wilson"``, ``"clopper-pearson"``, ``"none"``),
            ``resamples``, ``level``, ``seed`` of `resampling.proportion`.
    """
    decided = Decided(presentations, threshold, nonresponse)
    found = {}
    for k, name in enumerate(decided.names, 1):
        mine = decided.column == k
        counts = {
            "attacks": int(mine.sum()),
            "errors": int(decided.errors[mine].sum()),
            "subjects": len(np.unique(decided.subjects[mine])),
            "nonresponses": int((~presentations.responded[presentations.species == name]).sum()),
        }
        what = f"{terms.attack_error} of {terms.species} {name!r}: share of {terms.attacks} taken for bona fide"
        found[name] = decided.column_rate(k, what, counts, **options)
    return found


def apcer(
    presentations: Presentations, threshold: Threshold, *, across: Across = "worst",
    nonresponse: NonResponse = "exclude", terms: Terms = PAD, interval: Interval = "auto", **options: Any,
) -> Estimate:  # fmt: skip
    """APCER of the system: the largest of its species' (``across="worst"``), as the standard has it.

    Args:
        presentations: scores of one detector.
        threshold: and its origin.
        across: ``"pooled"`` and ``"mean"`` are habits of the literature and named so in the rule.
        nonresponse: as in `apcer_by_species`.
        terms: the errors' names.
        interval: as in `apcer_by_species`; the exact ones for the worst species are those of that species alone,
            its selection not accounted for.
        **options: of the bootstrap.
    """
    check_interval(interval)
    decided = Decided(presentations, threshold, nonresponse)
    what = f"{terms.attack_error}, {OVER.get(across, across)}"
    attacks = decided.column > 0
    worst = _worst(decided)
    if worst and across == "worst":
        what += f" ({decided.names[worst - 1]!r})"
    rule = f"{what}; {decided.rule}"
    if isinstance(threshold.value, Undefined):
        return Estimate(threshold.value, rule=rule, counts=decided.counts, unit="fraction")
    judged = decided.column == worst if across == "worst" and worst else attacks
    wrong, n = int(decided.errors[judged].sum()), int(judged.sum())
    if interval == "auto":
        few = min(wrong, n - wrong) < FEW or len(np.unique(decided.subjects[judged])) < LEAST_SUBJECTS
        interval = "clopper-pearson" if few and across != "mean" else "bootstrap"
    if interval in ("wilson", "clopper-pearson"):
        if across == "mean":
            raise ShapeError("a mean over species has no exact interval", given=interval, do="take the bootstrap")
        alone = "; interval of the worst species alone" if across == "worst" and len(decided.names) > 1 else ""
        level = options.get("level", 0.95)
        return exact(wrong, n, rule + alone, decided.counts, interval=interval, level=level)
    if interval == "none":
        options["resamples"] = 0
    return of_ratios(
        decided.errors[attacks], decided.column[attacks] - 1, max(1, len(decided.names)),
        lambda e, t: across_species(e, t, across), decided.subjects[attacks], rule, decided.counts, **options,
    )  # fmt: skip


def _worst(decided: Decided) -> int:
    """Column of the species with the highest rate, the first of equals; 0 without attacks."""
    there = [k for k in range(1, len(decided.names) + 1) if (decided.column == k).any()]
    rates = [float(decided.errors[decided.column == k].mean()) for k in there]
    return there[int(np.argmax(rates))] if there else 0


def bpcer(
    presentations: Presentations, threshold: Threshold, *, nonresponse: NonResponse = "exclude", terms: Terms = PAD,
    **options: Any,
) -> Estimate:  # fmt: skip
    """BPCER: share of bona fide presentations that are classified as attacks. Arguments as in `apcer_by_species`."""
    decided = Decided(presentations, threshold, nonresponse)
    mine = decided.column == 0
    counts = decided.counts | {"errors": int(decided.errors[mine].sum())}
    what = f"{terms.bonafide_error}: share of {terms.bonafide} classified as attacks"
    return decided.column_rate(0, what, counts, **options)


def _sum_of(
    presentations: Presentations, threshold: Threshold, across: Across, nonresponse: NonResponse, what: str,
    share: float, **options: Any,
) -> Estimate:  # fmt: skip
    """``share`` of (attack error + bona fide error), bootstrapped together."""
    decided = Decided(presentations, threshold, nonresponse)
    rule = f"{what}; {decided.rule}"
    if isinstance(threshold.value, Undefined):
        return Estimate(threshold.value, rule=rule, counts=decided.counts, unit="fraction")

    def combine(errors: Floats, tried: Floats) -> Floats:
        attack = across_species(errors[..., 1:], tried[..., 1:], across)
        return share * (attack + shares(errors[..., 0], tried[..., 0]))

    columns = 1 + len(decided.names)
    return of_ratios(
        decided.errors, decided.column, columns, combine, decided.subjects, rule, decided.counts, **options
    )  # fmt: skip


def acer(
    presentations: Presentations, threshold: Threshold, *, across: Across = "worst",
    nonresponse: NonResponse = "exclude", **options: Any,
) -> Estimate:  # fmt: skip
    """ACER ``= (APCER + BPCER) / 2``, which the standard deprecates and the literature reports.

    The threshold must be set on other data than it judges; its origin stands in the rule.

    Args:
        presentations: test scores.
        threshold: e.g. ``threshold_at_eer(validation)``.
        across: how the species become one APCER.
        nonresponse: as in `apcer_by_species`.
        **options: ``resamples``, ``level``, ``seed``.
    """
    what = f"ACER = (APCER + BPCER) / 2, APCER {OVER.get(across, across)}"
    return _sum_of(presentations, threshold, across, nonresponse, what, 0.5, **options)


def hter(
    presentations: Presentations, threshold: Threshold, *, nonresponse: NonResponse = "exclude", **options: Any
) -> Estimate:
    """HTER: mean of the share of all attacks accepted, species pooled, and of bona fide presentations rejected.

    Arguments as in `acer`.
    """
    what = "HTER = (share of attacks accepted, species pooled, + share of bona fide rejected) / 2"
    return _sum_of(presentations, threshold, "pooled", nonresponse, what, 0.5, **options)


def apnrr_by_species(presentations: Presentations, **options: Any) -> dict[str, Estimate]:
    """APNRR of every species: its share of attack presentations that get no response. Options of `proportion`."""
    found = {}
    for name in presentations.species_names:
        mine = presentations.species == name
        missing = ~presentations.responded[mine]
        counts = {"attacks": int(mine.sum()), "nonresponses": int(missing.sum())}
        rule = f"APNRR of species {name!r}: share of attack presentations without a response"
        found[name] = proportion(missing, presentations.subjects[mine], rule, counts, **options)
    return found


def bpnrr(presentations: Presentations, **options: Any) -> Estimate:
    """BPNRR: share of bona fide presentations that get no response. Options of `proportion`."""
    mine = presentations.bonafide
    missing = ~presentations.responded[mine]
    counts = {"bonafide": int(mine.sum()), "nonresponses": int(missing.sum())}
    rule = "BPNRR: share of bona fide presentations without a response"
    return proportion(missing, presentations.subjects[mine], rule, counts, **options)


def iapar(
    comparisons: Presentations, threshold: Threshold, *, passed: NDArray[np.bool_] | None = None,
    across: Across = "worst", **options: Any,
) -> Estimate:  # fmt: skip
    """IAPAR, formerly IAPMR: share of impostor attack presentations that are accepted as their target.

    The whole system's where ``passed`` says what its attack detector let through; that of the comparison otherwise.

    Args:
        comparisons: comparison scores with the target's reference: attacks by species, and bona fide mated ones
            beside them. A non-response is a rejection.
        threshold: of the comparison, e.g. that of FMR 0.001 on ordinary non-mated trials.
        passed: ``bool (n,)`` whether an attack detector let the presentation through, for the whole system; None
            for the comparison alone.
        across: the species' largest rate, their mean, or all pooled.
        **options: of `apcer`.
    """
    gated = _gated(comparisons, passed)
    return apcer(gated, threshold, across=across, nonresponse="attack", terms=_gate_terms(passed), **options)


def iapar_by_species(
    comparisons: Presentations, threshold: Threshold, *, passed: NDArray[np.bool_] | None = None, **options: Any
) -> dict[str, Estimate]:
    """IAPAR of every species; arguments as in `iapar`."""
    gated = _gated(comparisons, passed)
    return apcer_by_species(gated, threshold, nonresponse="attack", terms=_gate_terms(passed), **options)


def riapar(
    comparisons: Presentations, threshold: Threshold, *, passed: NDArray[np.bool_] | None = None,
    across: Across = "worst", **options: Any,
) -> Estimate:  # fmt: skip
    """RIAPAR ``= FNMR + IAPAR``: what a system lets in and keeps out at once, so that rejecting all is no merit.

    Arguments as in `iapar`; FNMR is the share of bona fide presentations rejected, non-responses included.
    """
    where = "" if passed is None else ", behind an attack detector"
    what = f"RIAPAR = FNMR + IAPAR{where}, IAPAR {OVER.get(across, across)}"
    return _sum_of(_gated(comparisons, passed), threshold, across, "attack", what, 1.0, **options)


def _gate_terms(passed: NDArray[np.bool_] | None) -> Terms:
    if passed is None:
        return IMPOSTOR
    return Terms("IAPAR behind an attack detector", "FNMR", IMPOSTOR.attacks, IMPOSTOR.bonafide)


def _gated(comparisons: Presentations, passed: NDArray[np.bool_] | None) -> Presentations:
    """Comparisons where what the detector stopped counts as rejected."""
    if passed is None:
        return comparisons
    if passed.shape != (len(comparisons),) or passed.dtype != bool:
        raise ShapeError(
            "passed does not fit", given=(passed.dtype, passed.shape), expected=f"bool ({len(comparisons)},)"
        )
    c = comparisons
    return Presentations(c.name, c.values, c.bonafide, c.species, c.subjects, c.responded & passed)
