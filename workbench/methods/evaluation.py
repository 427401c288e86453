"""All that a paper's appendix says of one arm's verification scores: numbers, DET with bands, thresholds.

Sources of scores: a score file, a file of embeddings with a protocol, a data set with a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__, files, metrics
from ..core import Estimate, Number, ParameterError, Scores, Undefined
from ..data import Dataset
from ..data.embeddings import ALL_PAIRS, Embedded, embedding_trials, read_embeddings
from ..data.scorecolumns import NEEDED
from ..data.scorefiles import read_scores
from ..metrics import differentials
from ..metrics.rates import ErrorRates, Ranked
from .bands import Det, counted, grid, positions, resample

_EER_RULE = "EER: mean of FMR and FNMR at their smallest gap"
_AUC_RULE = "area under ROC, ties half"
FMRS = tuple(10.0**-k for k in range(1, 7))
RESAMPLES = 200


@dataclass(frozen=True)
class Evaluation:
    """One arm's scores, and what follows from them.

    Attributes:
        title: what was evaluated.
        scores: of all trials, failures to acquire included.
        numbers: by name, each with its rule, interval and counts.
        thresholds: score thresholds by name of the number that is taken there; those that are defined.
        det: the curve, or why there is none.
        counts: mated, nonmated, failures, and subjects where they are known.
        facts: where the scores come from.
        notes: what a reader must know.
        further: more tables of numbers by title, shown below the first, e.g. the same scores under other rules.
    """

    title: str
    scores: Scores
    numbers: Mapping[str, Estimate]
    thresholds: Mapping[str, Number]
    det: Det | Undefined
    counts: Mapping[str, int]
    facts: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    further: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)


def of_table(
    path: str | Path, *, protocol: str = "", folds: int = 0, resamples: int = RESAMPLES, seed: int = 0
) -> Evaluation:
    """Evaluate a score file, or embeddings under a protocol.

    Args:
        path: score file (see `data.scorefiles`), or ``.npz`` with ``embeddings`` and ``subjects``.
        protocol: for embeddings: ``"all-pairs"`` (the default) or a list of pairs.
        folds: deal so many where the protocol has none; 0 deals none.
        resamples: of the bootstrap; 0 gives no intervals.
        seed: of the bootstrap.

    Raises:
        StoreError, DataError: the file is absent, damaged or says what cannot be true.
        ParameterError: a protocol for scores, which are those of a protocol already.
    """
    file = Path(path)
    options: dict[str, Any] = {"folds": folds, "resamples": resamples, "seed": seed}
    if holds_embeddings(file):
        return of_embeddings(read_embeddings(file), protocol=protocol, **options)
    if protocol:
        raise ParameterError(
            f"{file.name} holds scores: who was compared with whom is said already",
            given=f"protocol {protocol}",
            do="leave the protocol out, or give embeddings",
        )
    found = read_scores(file)
    facts = {"scores": file.name, "sha256": found.digest, "samples": len(found.names)}
    told = of_scores(found.scores, title=file.name, subjects_known=found.subjects is not None, facts=facts, **options)
    if found.groups is None:
        return told
    return by_groups(told, found.groups, resamples=resamples if found.subjects is not None else 0, seed=seed)


def holds_embeddings(path: str | Path) -> bool:
    """Whether a table holds embeddings and not scores; looks at its names only."""
    file = Path(path)
    return file.suffix.lower() == ".npz" and not {*files.column_names(file)} & {*NEEDED}


def of_embeddings(embedded: Embedded, *, protocol: str = "", **options: Any) -> Evaluation:
    """Evaluate embeddings under a protocol, all trials in memory; arguments as in `of_table`."""
    scores = embedded.compare(embedding_trials(embedded, protocol))
    facts = {"embeddings": embedded.name, "sha256": embedded.digest, "protocol": protocol or ALL_PAIRS,
             "score": "cosine", "samples": len(embedded),
             "samples that failed to acquire": int((~embedded.acquired).sum())}  # fmt: skip
    return of_scores(scores, title=f"{embedded.name}, {Path(protocol or ALL_PAIRS).name}", facts=facts, **options)


def of_dataset(
    dataset: Dataset, pipeline: Any, *, protocol: str = "", folds: int = 0, resamples: int = RESAMPLES,
    seed: int = 0, progress: Callable[[int, int], None] | None = None,
) -> Evaluation:  # fmt: skip
    """Embed a data set's pictures, score its trials and evaluate them.

    Args:
        dataset: what to evaluate on.
        pipeline: a `models.Pipeline`.
        protocol: of the data set; its first if not given.
        folds: deal so many where the protocol has none; 0 deals none.
        resamples: of the bootstrap; 0 gives no intervals.
        seed: of the bootstrap.
        progress: called with how many pictures are done and how many there are.
    """
    # Only here: it loads torch, which scores in a file do not need.
    from .verification import evaluate

    found = evaluate(dataset, pipeline, protocol=protocol, progress=progress)
    facts = {
        "data set": dataset.name, "sha256": dataset.digest, "licence": dataset.licence, "pictures": found.pictures,
        "pictures per second": found.pictures / found.seconds, "environment": found.environment,
    }  # fmt: skip
    notes = () if dataset.real else ("The faces are synthetic: nothing follows for real people.",)
    title = f"{found.scores.trials.name}, {found.scores.arm}"
    return of_scores(found.scores, title=title, folds=folds, resamples=resamples, seed=seed, facts=facts, notes=notes)


def of_scores(
    scores: Scores, *, title: str = "", subjects_known: bool = True, folds: int = 0, resamples: int = RESAMPLES,
    seed: int = 0, facts: Mapping[str, object] | None = None, notes: tuple[str, ...] = (),
) -> Evaluation:  # fmt: skip
    """Numbers, thresholds and curve of one arm's scores; see `of_table`.

    Args:
        scores: one arm's.
        title: what was evaluated; the trials' name if not given.
        subjects_known: False where the trials' subject codes only tell mated from non-mated. There is then no
            interval, because trials that share a person cannot be told from trials that do not.
        folds: deal so many where the protocol has none; 0 deals none.
        resamples: of the bootstrap; 0 gives no intervals.
        seed: of the bootstrap.
        facts: where the scores come from.
        notes: what a reader must know.
    """
    ranked = Ranked(scores)
    counts = counted(ranked.counts, subjects_known)
    rates = ranked.rates() if scores.acquired.any() else Undefined("no trial has a score", counts)
    reachable = tuple(f for f in FMRS if counts["nonmated"] * f >= 1 - 1e-9)
    targets = grid(counts["nonmated"])

    def statistics(r: ErrorRates) -> NDArray[np.float64]:
        at = positions(r.fmr, np.array([*reachable, *targets]))
        return np.concatenate([[float(metrics.eer_of(r)), float(metrics.auc_of(r))], r.fnmr[at]])

    rules = {"EER": _EER_RULE, "AUC": _AUC_RULE, **{operating_point(f): _at_rule(f) for f in reachable}}

    def named(values: Sequence[Number]) -> dict[str, Estimate]:
        said = [f"{rule}; {ranked.rule}" for rule in rules.values()]
        return {n: Estimate(v, None, None, r, counts, "fraction") for n, v, r in zip(rules, values, said, strict=True)}

    if isinstance(rates, Undefined):
        none = Undefined(rates.reason, counts)
        det: Det | Undefined = none
        plain, thresholds = named([none] * len(rules)), {}
    else:
        drawn = resample(ranked, scores, statistics, subjects_known=subjects_known, resamples=resamples, seed=seed)
        det = drawn.det(rates, targets)
        values = named(statistics(rates)[: len(rules)].tolist())
        plain = {name: drawn.spread(estimate, k) for k, (name, estimate) in enumerate(values.items())}
        thresholds = _thresholds(rates, reachable)
    numbers = plain | {operating_point(f): _too_few(f, counts) for f in FMRS[len(reachable) :]}
    numbers |= {"d'": metrics.d_prime(scores), "accuracy": _accuracy(scores, folds, det), **_failures(scores, counts)}
    told = {**(facts or {}), "resamples": resamples, "seed": seed, "workbench": __version__}
    return Evaluation(title or scores.trials.name, scores, numbers, thresholds, det, counts, told, notes)


def under_other_rules(found: Evaluation, fmr: float) -> Evaluation:
    """The same scores under the rules by which published tables were made, as a further table.

    Args:
        found: an evaluation.
        fmr: operating point.
    """
    from ..metrics.compatibility import other_rules

    if not len(found.scores.trials):
        raise ParameterError("published rules need every score", given="all pairs by tiles, which keeps the highest")
    if isinstance(found.det, Undefined):
        return found
    table = {}
    for rule in other_rules(found.scores, fmr):
        ends = {"threshold": rule.threshold, "FMR reached": rule.fmr}
        said = "; ".join(f"{name} {v}" if isinstance(v, Undefined) else f"{name} {v:.4g}" for name, v in ends.items())
        table[rule.name] = Estimate(rule.fnmr, rule=f"{rule.words}; {said}", counts=found.counts, unit="fraction")
    return replace(found, further={**found.further, f"FNMR at FMR {fmr:g} under published rules": table})


def by_groups(found: Evaluation, groups: NDArray[np.str_], *, resamples: int = RESAMPLES, seed: int = 0) -> Evaluation:
    """Add error rates of each group at one threshold, and how far they lie apart.

    Args:
        found: an evaluation.
        groups: ``(n, 2)`` group of each trial's reference and probe; "" where it is not known.
        resamples: of capture subjects; 0 gives no intervals.
        seed: of the bootstrap.

    Returns:
        The threshold is that of the lowest FMR at which all groups together have 30 false matches.
    """
    counts = found.counts
    reached = [f for f in FMRS if f * counts["nonmated"] >= 30]
    if isinstance(found.det, Undefined) or not reached:
        return replace(found, notes=(*found.notes, "Too few non-mated trials to compare groups."))
    threshold = metrics.threshold_at_fmr(found.scores, reached[-1])
    origin = f"FMR <= {reached[-1]:g} on all these trials"
    sides = differentials.Groups(found.scores, groups[:, 0], groups[:, 1], float(threshold), origin)
    options = {"resamples": resamples, "seed": seed}
    rates = {f"FNMR of {g}": e for g, e in differentials.fnmr_by_group(sides, **options).items()}
    for (one, other), estimate in differentials.fmr_between_groups(sides, **options).items():
        rates[f"FMR of {one}" if one == other else f"FMR between {one} and {other}"] = estimate
    apart = {name: differentials.summary(sides, name, **options) for name in differentials.SUMMARIES}  # type: ignore[arg-type]
    return replace(found, further={**found.further, "groups": rates, "differentials between groups": apart})


def _too_few(fmr: float, counts: Mapping[str, int]) -> Estimate:
    few = Undefined(f"needs at least {round(1 / fmr):,} non-mated trials", counts)
    return Estimate(few, rule=_at_rule(fmr), counts=counts, unit="fraction")


def operating_point(fmr: float) -> str:
    """How a number is named: ``"FNMR at FMR 1e-3"``."""
    return f"FNMR at FMR 1e-{round(-np.log10(fmr))}"


def deal_folds(mated: NDArray[np.bool_], folds: int) -> NDArray[np.int64]:
    """Folds dealt in the order of the trials, to mated and to non-mated ones apart, so that each has both."""
    fold = np.empty(len(mated), np.int64)
    for kind in (mated, ~mated):
        fold[kind] = np.arange(int(kind.sum())) % folds
    return fold


def _at_rule(fmr: float) -> str:
    return f"FNMR at the largest attained FMR <= {fmr:g}"


def _thresholds(rates: ErrorRates, fmrs: tuple[float, ...]) -> dict[str, Number]:
    """As `metrics.eer_threshold` and `metrics.threshold_at_fmr`, from rates that are there already."""
    above = float(np.nextafter(rates.thresholds[-2], np.inf))
    equal = float(rates.thresholds[int(np.argmin(np.abs(rates.fmr - rates.fnmr)))])
    found: dict[str, Number] = {"EER": equal if np.isfinite(equal) else above}
    for fmr, at in zip(fmrs, positions(rates.fmr, np.array(fmrs)), strict=True):
        threshold = float(rates.thresholds[at])
        found[operating_point(fmr)] = threshold if np.isfinite(threshold) else above
    return found


def _accuracy(scores: Scores, folds: int, det: Det | Undefined) -> Estimate:
    if isinstance(det, Undefined):
        return Estimate(det, counts=det.counts, unit="fraction")
    if scores.trials.fold is not None or folds < 2:
        return metrics.fold_accuracy(scores)
    found = metrics.fold_accuracy(scores, deal_folds(scores.trials.mated, folds))
    return replace(found, rule=f"{found.rule}; the protocol has no folds: these were dealt in the order of the list")


def _failures(scores: Scores, counts: Mapping[str, int]) -> dict[str, Estimate]:
    share = scores.failures / len(scores.trials) if len(scores.trials) else Undefined("no trials", counts)
    rule = "share of trials in which a sample failed to acquire"
    return {"failures to acquire": Estimate(share, rule=rule, counts=counts, unit="fraction")}
