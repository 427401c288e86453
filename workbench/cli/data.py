"""``workbench data``: what data sets there are; phantom faces and their gates."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from ..core import ParameterError
from .show import print_json, table

if TYPE_CHECKING:
    from ..methods.phantom_gates import Gate, Judges, LikeReal

REFUTED = 3
BEGIN, END = "<!-- phantom gates: begin -->", "<!-- phantom gates: end -->"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("name", nargs="?", default="", help="a data set to describe; without it all are listed")
    parser.add_argument("--json", action="store_true")
    gates = parser.add_argument_group("phantom faces only")
    gates.add_argument("--gates", action="store_true", help="measure whether phantom faces are good enough (minutes)")
    gates.add_argument("--quick", action="store_true", help="a fifth of the sizes")
    gates.add_argument("--lfw", default="", metavar="DIR", help="LFW, to compare scores with and to test transfer on")
    gates.add_argument(
        "--recogniser", default="phantom-recogniser-64", metavar="MODEL", help="trained on phantoms alone, for gate 5"
    )
    gates.add_argument("--device", default="cpu")
    gates.add_argument(
        "--write", type=Path, metavar="FILE", help="put the table between the markers of a Markdown file"
    )


def run(chosen: argparse.Namespace) -> int:
    """List, describe or measure; the exit code."""
    from .. import data

    if chosen.gates and chosen.name not in ("", "phantom"):
        raise ParameterError("only phantom faces have gates", given=chosen.name, do="workbench data phantom --gates")
    if chosen.gates:
        return _gates(chosen)
    for option in ("quick", "lfw", "write"):
        if getattr(chosen, option):
            raise ParameterError(f"--{option} goes with --gates", do="workbench data phantom --gates")
    names = [chosen.name] if chosen.name else data.names()
    rows = [(n, data.describe(n)) for n in names]
    if chosen.json:
        print_json([{"name": n, "what": d} for n, d in rows])
    else:
        table("data sets", ("name", "what it is"), rows)
    return 0


def _gates(chosen: argparse.Namespace) -> int:
    from ..methods import phantom_gates, phantom_speed

    def say(what: str) -> None:
        print(f"gate {what} ...", file=sys.stderr, flush=True)

    if chosen.write is not None:
        _split(chosen.write)
    judges = phantom_gates.Judges.load(chosen.device)
    found = phantom_gates.measure(
        judges, _real(chosen.lfw, judges), share=0.2 if chosen.quick else 1.0, recogniser=chosen.recogniser,
        lfw=chosen.lfw, progress=say,
    )  # fmt: skip
    say("6 speed, 7 determinism")
    found += [phantom_speed.speed(chosen.device), phantom_speed.determinism()]
    if chosen.write is not None:
        write(chosen.write, found, quick=chosen.quick)
    if chosen.json:
        print_json([vars(g) for g in found])
    else:
        rows = [(str(g.number), g.name, g.verdict, g.measured, g.required) for g in found]
        table("gates of phantom faces", ("", "gate", "verdict", "measured", "required"), rows)
    return REFUTED if any(g.verdict == "missed" for g in found) else 0


def _real(folder: str, judges: Judges) -> LikeReal:
    from ..methods import phantom_gates

    return phantom_gates.real_scores(folder, judges) if folder else phantom_gates.LFW_VIEW1


def _split(path: Path) -> tuple[str, str]:
    """What stands before and after the table in a file, markers included."""
    text = files.read_text(path)
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ParameterError("no place for the table", given=str(path), expected=f"lines {BEGIN} and {END}")
    return before + begin, end + after


def write(path: Path, gates: list[Gate], *, quick: bool = False) -> None:
    """Replace the table between the markers of a Markdown file; nothing else in it changes.

    Args:
        path: of the file.
        gates: the outcomes.
        quick: whether only a fifth of the sizes was measured.
    """
    before, after = _split(path)
    when, option = datetime.now(UTC).strftime("%Y-%m-%d"), " --quick" if quick else ""
    where = f"{platform.machine()}, {os.cpu_count()} cores"
    lines = [
        f"Measured {when} by `workbench data phantom --gates{option}` ({where}).",
        "",
        "| | gate | verdict | measured | required |",
        "|---|---|---|---|---|",
        *(f"| {g.number} | {g.name} | **{g.verdict}** | {g.measured} | {g.required} |" for g in gates),
    ]
    files.commit_text(path, before + "\n" + "\n".join(lines) + "\n" + after)
