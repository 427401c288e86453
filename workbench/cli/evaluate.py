"""``workbench evaluate``: error rates of score files, of embeddings, of a data set with a model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import files
from ..core import ParameterError
from .show import print_json, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "data", help="scores.csv|.parquet|.npz|.npy, embeddings.npz, lfw:FOLDER, folder:FOLDER, phantom"
    )
    parser.add_argument("--protocol", default="", help="of the data set; for embeddings all-pairs or a list of pairs")
    parser.add_argument("--model", default="faceapi-recogniser")
    parser.add_argument("--detector", default="faceapi-ssd")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--folds", type=int, help="deal so many where there are none (data sets: 10)")
    parser.add_argument("--resamples", type=int, default=200, help="of the bootstrap over people; 0: no intervals")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--job", type=Path, metavar="DIR", help="all pairs of embeddings by tiles, parts kept there")
    parser.add_argument("--workers", type=int, default=0, help="processes of a Dask cluster on this machine, for --job")
    parser.add_argument("--scheduler", default="", help="address of a Dask scheduler, for --job")
    parser.add_argument("--rules", type=float, metavar="FMR", help="also FNMR there under the published rules")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report.html, numbers.csv, det.csv, figures")
    parser.add_argument("--json", action="store_true")


def run(chosen: argparse.Namespace) -> int:
    """Evaluate, print, write; the exit code."""
    from ..methods import evaluation

    if chosen.resamples < 0:
        raise ParameterError("resamples are counted", given=chosen.resamples, expected="0 or more")
    options = {"protocol": chosen.protocol, "resamples": chosen.resamples, "seed": chosen.seed}
    if not files.is_table(chosen.data):
        _no_job(chosen)
        found = _of_dataset(chosen, options | {"folds": 10 if chosen.folds is None else chosen.folds})
    elif evaluation.holds_embeddings(chosen.data):
        found = _of_embeddings(chosen, options)
    else:
        _no_job(chosen)
        found = evaluation.of_table(chosen.data, folds=chosen.folds or 0, **options)
    if chosen.rules is not None:
        found = evaluation.under_other_rules(found, chosen.rules)
    below = []
    if chosen.out:
        from ..figures.evaluation import write_evaluation

        below = [f"report: {write_evaluation(chosen.out, found)}"]
    from ..figures import tables

    if chosen.json:
        print_json(tables.plain(found))
        return 0
    counts = ", ".join(f"{v:,} {k}" for k, v in found.counts.items()).replace("nonmated", "non-mated")
    table(f"{found.title}: {counts}", ("measure", "value", "95 % interval", "threshold"), tables.rows(found))
    for title, further in found.further.items():
        table(title, ("measure", "value", "rule"), [(n, str(e), e.rule) for n, e in further.items()])
    print("\n".join((tables.common_rule(found), *tables.reasons(found), *found.notes, *below)))
    return 0


def _no_job(chosen: argparse.Namespace) -> None:
    if chosen.job is not None or chosen.workers or chosen.scheduler:
        raise ParameterError(
            "a job compares all pairs of embeddings", given=chosen.data, expected="embeddings.npz",
            do="leave --job, --workers and --scheduler out",
        )  # fmt: skip


def _of_embeddings(chosen: argparse.Namespace, options: Mapping[str, Any]) -> Any:
    """All pairs by tiles where a job is asked for or they are too many to hold; else all trials in memory."""
    from ..data import embeddings
    from ..methods import evaluation

    every = chosen.protocol in ("", embeddings.ALL_PAIRS)
    if chosen.job is not None and not every:
        raise ParameterError("a job compares all pairs", given=f"protocol {chosen.protocol}", expected="all-pairs")
    if chosen.job is None and (chosen.workers or chosen.scheduler):
        raise ParameterError("a cluster works for a job", do="name the job's folder with --job DIR")
    embedded = embeddings.read_embeddings(chosen.data)
    if chosen.job is None and not (every and embedded.pairs > embeddings.MOST_PAIRS):
        return evaluation.of_embeddings(embedded, folds=chosen.folds or 0, **options)
    return _all_pairs(chosen, embedded)


def _all_pairs(chosen: argparse.Namespace, embedded: Any) -> Any:
    from ..methods import scoring_job
    from ..methods.evaluation_allpairs import of_all_pairs

    def progress(done: int, of: int) -> None:
        if sys.stderr.isatty() or done == of:
            print(f"\r{done:,} of {of:,}", end="\n" if done == of else "", file=sys.stderr, flush=True)

    client = None
    if chosen.workers or chosen.scheduler:
        client = scoring_job.connect(chosen.scheduler, workers=chosen.workers or 2)
    try:
        return of_all_pairs(
            embedded, job=chosen.job, cluster=client, device=chosen.device, resamples=chosen.resamples,
            seed=chosen.seed, progress=progress,
        )  # fmt: skip
    finally:
        if client is not None:
            client.shutdown()


def _of_dataset(chosen: argparse.Namespace, options: Mapping[str, Any]) -> Any:
    from .. import data, models
    from ..methods.evaluation import of_dataset

    dataset = data.open_dataset(chosen.data)
    pipeline = models.default_pipeline(
        model=chosen.model, detector=chosen.detector, device=chosen.device, choose="central"
    )

    def progress(done: int, of: int) -> None:
        if sys.stderr.isatty() or done == of:
            print(f"\r{done} of {of} pictures", end="\n" if done == of else "", file=sys.stderr, flush=True)

    found = of_dataset(dataset, pipeline, progress=progress, **options)
    print(
        f"{found.facts['pictures per second']:.1f} pictures per second; {pipeline.embedder.provider}", file=sys.stderr
    )
    return found
