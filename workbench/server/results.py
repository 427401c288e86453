"""One run in full, and several side by side."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .. import files
from ..core import ParameterError, Result, WorkbenchError
from ..figures.page import NAME as REPORT
from . import shapes
from .catalogue import Entry
from .history import Past
from .pictures import pictures
from .shapes import Json

# A negative number, alone or before its interval.
_PLAIN = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_NUMBER = re.compile(rf"{_PLAIN}(?: \[{_PLAIN}, {_PLAIN}\])?")


def run_result(past: Past, summary: Json, entry: Entry | None) -> Json:
    """Everything about a run; what is not there yet is empty."""
    result, broken = _read(past)
    problem = past.problem or broken
    shown = [{"name": p.name, "type": p.type, "title": p.title, "bytes": p.size} for p in pictures(past.record.folder)]
    timings = result.timings if result else past.timings
    return {
        "summary": summary, "title": entry.title if entry else past.record.slug,
        "version": result.version if result else str(past.identity.get("version", "")),
        "parameters": plain(result.parameters if result else {k: v for k, v in past.order.items() if k != "out"}),
        "numbers": [{"name": n, **shapes.number(e)} for n, e in result.numbers.items()] if result else [],
        "verdicts": [shapes.verdict(v) for v in result.verdicts] if result else [],
        "reported": [shapes.reported(r) for r in result.reported] if result else [],
        "environment": plain(result.environment) if result else {}, "identity": plain(past.identity),
        "timings": [{"step": step, "seconds": took} for step, took in timings.items()],
        "notes": list(result.notes) if result else [], "figures": shown,
        "report": (past.record.folder / REPORT).is_file(),
        "problem": shapes.problem_parts(problem) if problem else None,
    }  # fmt: skip


def _read(past: Past) -> tuple[Result | None, dict[str, str] | None]:
    try:
        return past.result(), None
    except WorkbenchError as error:
        return None, {"what": error.what, "given": str(error.given)}


def plain(values: Mapping[str, Any]) -> Json:
    """A mapping as plain JSON, whatever it holds."""
    found: Json = json.loads(files.to_json(dict(values)))
    return found


def compare(chosen: Sequence[tuple[Past, Json]]) -> Json:
    """Runs side by side.

    Args:
        chosen: two or more committed runs with their rows of the history.

    Raises:
        ParameterError: one of them has no result.
    """
    results: list[Result] = []
    for past, _ in chosen:
        result, broken = _read(past)
        if result is None:
            raise ParameterError(f"{past.key} has no result to compare", given=(broken or {}).get("what") or
                                 past.record.status, do="compare runs that are done")  # fmt: skip
        results.append(result)
    comparable, why = _comparable(results)
    labels = _labels([past for past, _ in chosen])
    return {
        "runs": [{"summary": row, "version": r.version, "label": label}
                 for (_, row), r, label in zip(chosen, results, labels, strict=True)],
        "comparable": comparable, "why": why,
        "parameters": _table([plain(r.parameters) for r in results]),
        "numbers": _numbers(results), "verdicts": _verdicts(results),
        "environment": _table([plain(r.environment) for r in results]), "figures": _figures([p for p, _ in chosen]),
    }  # fmt: skip


def _comparable(results: Sequence[Result]) -> tuple[bool, str | None]:
    if len({r.study for r in results}) > 1:
        return False, "they are runs of different studies"
    numbers = sorted({r.version.partition("-")[0] for r in results})
    if len(numbers) > 1:
        return False, f"versions {' and '.join(numbers)} of the study measure different things"
    return True, None


def _labels(runs: Sequence[Past]) -> list[str]:
    short = [f"{p.record.scale} {p.record.id[:4]}".strip() for p in runs]
    return [s if short.count(s) == 1 else p.key for s, p in zip(short, runs, strict=True)]


def _names(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for table in tables for name in table))


def _table(tables: Sequence[Mapping[str, Any]]) -> list[Json]:
    rows = []
    for name in _names(tables):
        values = [t.get(name) for t in tables]
        rows.append({"name": name, "values": values, "differs": any(v != values[0] for v in values[1:])})
    return rows


def _numbers(results: Sequence[Result]) -> list[Json]:
    rows = []
    for name in _names([r.numbers for r in results]):
        found = [r.numbers.get(name) for r in results]
        unit = next(e.unit for e in found if e is not None)
        rows.append({"name": name, "unit": unit, "values": [None if e is None else shapes.number(e) for e in found]})
    return rows


def _verdicts(results: Sequence[Result]) -> list[Json]:
    by_run = [{v.claim: v for v in r.verdicts} for r in results]
    rows = []
    for claim in _names(by_run):
        found = [verdicts.get(claim) for verdicts in by_run]
        statement = next(v.statement for v in found if v is not None)
        answers = [None if v is None else v.answer for v in found]
        rows.append({"claim": claim, "statement": statement, "answers": answers,
                     "reasons": [None if v is None else v.reason for v in found],
                     "changed": len(set(answers)) > 1})  # fmt: skip
    return rows


def _figures(runs: Sequence[Past]) -> list[Json]:
    by_run = [{p.name: p for p in pictures(run.record.folder)} for run in runs]
    return [
        {"name": name, "title": next(b[name].title for b in by_run if name in b), "runs": [name in b for b in by_run]}
        for name in _names(by_run)
    ]


def rows(table: Json) -> list[list[str]]:
    """A comparison as rows of text: head, parameters that differ, verdicts, numbers."""
    found = [["what", "name", *(r["label"] for r in table["runs"])]]
    found += [["run", "id", *(r["summary"]["run"] for r in table["runs"])]]
    found += [["run", "study", *(r["summary"]["slug"] for r in table["runs"])]]
    found += [["run", "version", *(r["version"] for r in table["runs"])]]
    found += [["parameter", p["name"], *map(_said, p["values"])] for p in table["parameters"] if p["differs"]]
    found += [["verdict", v["claim"], *(a or "" for a in v["answers"])] for v in table["verdicts"]]
    found += [["number", n["name"], *(v["text"] if v else "" for v in n["values"])] for n in table["numbers"]]
    return found


def _said(value: object) -> str:
    return "" if value is None else str(value)


def as_csv(table: Json) -> str:
    """A comparison as CSV; no cell is taken for a formula by a spreadsheet, and a number stays one."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in rows(table):
        writer.writerow(
            [f"'{c}" if c[:1] in ("=", "+", "-", "@", "\t") and not _NUMBER.fullmatch(c) else c for c in row]
        )
    return out.getvalue()


def as_markdown(table: Json) -> str:
    """A comparison as a Markdown table; no cell ends the row or becomes markup."""
    head, *body = [[_escaped(cell) for cell in row] for row in rows(table)]
    lines = [head, ["---"] * len(head), *body]
    note = "" if table["comparable"] else f"\nNot comparable: {_escaped(table['why'])}.\n"
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + note


def _escaped(cell: str) -> str:
    for mark in "\\`*_<>[]|":
        cell = cell.replace(mark, f"\\{mark}")
    return " ".join(cell.split())
