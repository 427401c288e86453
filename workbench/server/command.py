"""The run of a form as one would type it in a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from os.path import exists

from .. import data as datasets
from .. import models
from ..runs.identity import RUNTIME
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


def notes(entry: Entry, resolved: Mapping[str, object], runs: list[Past]) -> list[str]:
    """What to know before such a run starts.

    Args:
        entry: the study.
        resolved: a value for every parameter, with paths as `order` makes them.
        runs: those of the study.
    """
    data = list(map(datasets.split, datasets.several(str(resolved.get("data", "")))))
    found = [] if data or "data" not in resolved else ["no data set is named; the run will fail"]
    for name, path in data:
        if name not in datasets.names():
            found.append(f"there is no data set {name!r}; the run will fail")
        elif not path and (name, True) in entry.data:
            found.append(f"{name} needs its folder, {name}:FOLDER; the run will fail")
        elif path and not exists(path):
            found.append(f"the folder of {name} is not there; the run will fail")
    for name, path in map(models.split, models.several(str(resolved.get("model", "")))):
        if path and not exists(path):
            found.append(f"the weights of {name} are not there; the run will fail")
    same = [p.record.status for p in runs if _same(p, resolved)]
    if "done" in same:
        found.append("it was run already: unless code or packages changed, the earlier result is found again")
    elif "running" in same:
        found.append("it is running now: the same run cannot be done twice at a time")
    elif same:
        found.append("it was begun already: its finished steps are taken over")
    return found


def _same(past: Past, wanted: Mapping[str, object]) -> bool:
    return all(past.order.get(k) == v for k, v in wanted.items() if k not in RUNTIME)
