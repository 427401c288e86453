"""``workbench costs``: what the latest runs took, and where it went."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from .. import studies
from .show import print_json, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("study", nargs="*", help="all when left out")
    parser.add_argument("--scale", choices=("smoke", "demo", "paper"), help="of runs at this scale only")
    parser.add_argument("--steps", action="store_true", help="a line for every step")
    parser.add_argument("--json", action="store_true")


def run(chosen: argparse.Namespace) -> int:
    """Print the table; the exit code."""
    from ..runs.costs import cost

    known = [studies.listing(name).slug for name in chosen.study] or studies.names()
    found = [c for slug in known if (c := cost(slug, chosen.scale)) is not None]
    if chosen.json:
        print_json([asdict(c) for c in found])
        return 0
    rows = []
    for c in found:
        head = (c.study, c.scale, f"{c.wall:.0f}", f"{c.processor:.0f}", f"{c.peak / 2**20:.0f}")
        slowest = c.slowest
        shown = c.steps if chosen.steps else (slowest,) if slowest else ()
        lines = [(s.name, f"{s.seconds:.1f}", f"{c.share(s):.0%}") for s in shown] or [("no steps", "", "")]
        if chosen.steps:
            rest = c.wall - sum(s.seconds for s in c.steps)
            lines.append(("outside of steps", f"{rest:.1f}", f"{rest / c.wall:.0%}"))
        rows += [(*(head if i == 0 else ("",) * len(head)), *line) for i, line in enumerate(lines)]
    missing = [slug for slug in known if slug not in {c.study for c in found}]
    columns = ("study", "scale", "wall, s", "processor, s", "peak, MiB", "step" if chosen.steps else "slowest step",
               "s", "share")  # fmt: skip
    table("costs of the latest runs that went through in one go", columns, rows)
    if missing:
        print(f"no such run yet: {', '.join(missing)}")
    return 0
