"""What ``workbench probe --truth`` prints: answers held against a table of what is true."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core import DataError
from .show import print_json, table

if TYPE_CHECKING:
    from ..core import Estimate
    from ..methods.probed import Scored, Told, Truth
    from ..probing import Question, Record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is needed for scores."""
    parser.add_argument(
        "--truth", type=Path, metavar="FILE",
        help="table with the column picture, and subject, age, gender, species, ...: print scores; without IMAGE, of "
        "what the store holds, and nothing is asked",
    )  # fmt: skip
    parser.add_argument("--group", default="", metavar="COLUMN", help="of the truth: scores of each group, too")
    parser.add_argument("--options", default="", metavar="A,B,...", help="that a stored group: question offered")
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap over people; 0: no intervals")


def show(chosen: argparse.Namespace, questions: Sequence[Question], records: Sequence[Record]) -> None:
    """Print the scores of what was just asked."""
    from ..methods import probed

    _print(chosen, probed.told_of(questions, records), probed.read_truth(chosen.truth))


def of_store(chosen: argparse.Namespace) -> int:
    """Print the scores of everything that the store holds of a task.

    Raises:
        DataError: there is no such store, or nothing of this task in it.
    """
    from .. import probing
    from ..methods import probed

    if not chosen.store.is_file():
        raise DataError("there is no store of answers", given=chosen.store, do="name it with --store, or give pictures")
    with probing.Store(chosen.store) as store:
        replies = probed.told(store, chosen.task, _options(chosen))
        if not replies:
            tasks = sorted({r.task for r in store})
            raise DataError(f"the store holds no answers to {chosen.task}", given=", ".join(tasks) or "nothing",
                            do="give --task")  # fmt: skip
    _print(chosen, replies, probed.read_truth(chosen.truth))
    return 0


def _options(chosen: argparse.Namespace) -> list[str]:
    return [o.strip() for o in chosen.options.split(",") if o.strip()]


def _print(chosen: argparse.Namespace, replies: Sequence[Told], truth: Truth) -> None:
    from ..methods import probed

    asked: dict[tuple[str, str, int, str], list[Told]] = {}
    for reply in replies:
        asked.setdefault((reply.model, reply.wording, reply.attempt, reply.settings), []).append(reply)
    found = [
        probed.score(chosen.task, some, truth, group=chosen.group, options=_options(chosen), resamples=chosen.resamples)
        for some in asked.values()
    ]
    changes = _changes(chosen, replies, truth)
    if chosen.json:
        print_json({"scores": [_plain(s) for s in found], "consistency": changes})
        return
    for scored in found:
        _table(scored)
        if len({s.settings for s in found}) > 1:
            print(f"settings: {scored.settings}")
    for change, numbers in changes.items():
        table(f"{chosen.task} under another {change}", _HEAD, _rows(numbers))


_HEAD = ("measure", "value and 95 % interval", "rule")


def _changes(chosen: argparse.Namespace, replies: Sequence[Told], truth: Truth) -> dict[str, dict[str, Estimate]]:
    """Consistency under every change that the answers have."""
    from ..methods.probed.changes import CHANGES, comparable, consistency

    found: dict[str, dict[str, Estimate]] = {}
    for change in CHANGES:
        if comparable(chosen.task, change):
            numbers = consistency(chosen.task, replies, change, truth=truth, resamples=chosen.resamples)
            if numbers["both answered"].counts["pairs"]:
                found[change] = numbers
    return found


def _table(scored: Scored) -> None:
    counts = ", ".join(f"{n} {what}" for what, n in scored.counts.items())
    table(f"{scored.title}: {counts}", _HEAD, _rows(scored.numbers))
    for group, numbers in scored.groups.items():
        table(f"{scored.title}: {group}", _HEAD, _rows(numbers))
    if scored.confusion is not None:
        rows = [(label, *(f"{n:g}" for n in row)) for label, row in zip(scored.labels, scored.confusion, strict=True)]
        table("truth in rows, answers in columns", ("", *scored.labels), rows)
    if scored.reliability:
        bins = [(f"({b.low:g}, {b.high:g}]", str(b.answers), f"{b.confidence:.3g}", f"{b.accuracy:.3g}")
                for b in scored.reliability if b.answers]  # fmt: skip
        table("confidence beside accuracy", ("confidence", "answers", "mean confidence", "accuracy"), bins)
    for note in scored.notes:
        print(note)


def _rows(numbers: Mapping[str, Estimate]) -> list[tuple[str, str, str]]:
    return [(name, str(e), e.rule) for name, e in numbers.items()]


def _plain(scored: Scored) -> dict[str, object]:
    return {
        "title": scored.title, "counts": scored.counts, "numbers": scored.numbers, "groups": scored.groups,
        "labels": scored.labels, "confusion": None if scored.confusion is None else scored.confusion.tolist(),
        "reliability": scored.reliability, "notes": scored.notes, "settings": scored.settings,
    }  # fmt: skip
