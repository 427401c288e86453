"""The run of a form as one would type it in a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from .. import data as datasets
from ..runs.parameters import check
from ..runs.process import absolute
from .catalogue import Entry
from .history import Past


def shell(entry: Entry, values: Mapping[str, object]) -> str:
    """``workbench run`` with these values, quoted for a shell."""
    typed = [part for name, value in values.items() for part in ("-p", f"{name}={value}")]
    return shlex.join(["workbench", "run", entry.slug, *typed])


def papermill(entry: Entry, values: Mapping[str, object]) -> str:
    """Plain papermill on the copy that ``workbench notebooks notebooks`` writes.

    Text goes in raw: otherwise papermill makes numbers of what looks like numbers.
    """
    typed: list[str] = []
    for name, value in values.items():
        typed += ["-r" if isinstance(value, str) else "-p", name, str(value)]
    file = entry.slug.rpartition("/")[2]
    return shlex.join(["papermill", f"notebooks/{entry.pillar}/{file}.ipynb", "out.ipynb", *typed])


def notes(entry: Entry, resolved: Mapping[str, object], runs: list[Past], base: Path | None) -> list[str]:
    """What to know before such a run starts."""
    found = []
    for name, path in map(datasets.split, datasets.several(str(resolved.get("data", "")))):
        if name not in datasets.names():
            found.append(f"there is no data set {name!r}; the run will fail")
        elif path and not Path(absolute(f"{name}:{path}", base).partition(":")[2]).exists():
            found.append(f"the folder of {name} is not there; the run will fail")
    wanted = {k: v for k, v in check(resolved, entry.parameters).items()}
    if any(p.record.status == "done" and _same(p, wanted) for p in runs):
        found.append("it was run already: unless code or packages changed, the earlier result is found again")
    elif any(_same(p, wanted) for p in runs):
        found.append("it was begun already: its finished steps are taken over")
    return found


def _same(past: Past, wanted: Mapping[str, object]) -> bool:
    return all(past.order.get(k) == v for k, v in wanted.items())
