"""An evaluation as tables of texts, for a terminal, a page and files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core import Estimate, Number, Undefined
from ..methods.evaluation import Evaluation


def plain(found: Evaluation) -> dict[str, object]:
    """All but the trials, for JSON."""
    return {
        "title": found.title, "numbers": found.numbers, "thresholds": found.thresholds, "counts": found.counts,
        "facts": found.facts, "notes": found.notes, "further": found.further,
    }  # fmt: skip


def rows(found: Evaluation) -> list[tuple[str, str, str, str]]:
    """For every number: its name, value, interval, and the threshold at which it was taken, as texts."""
    return [(n, number_text(e.value), interval_text(e), _threshold(found, n)) for n, e in found.numbers.items()]


def number_text(number: Number) -> str:
    """A number in four digits, or the reason why there is none."""
    return number.reason if isinstance(number, Undefined) else f"{number:.4g}"


def interval_text(estimate: Estimate) -> str:
    """``[low, high]``, ``none`` where `reasons` says why, or nothing where none was asked for."""
    if isinstance(estimate.low, Undefined):
        return "none"
    if estimate.low is None or estimate.high is None:
        return ""
    return f"[{estimate.low:.4g}, {number_text(estimate.high)}]"


def reasons(found: Evaluation) -> list[str]:
    """Why numbers have no interval, each reason once with the names of its numbers."""
    named: dict[str, list[str]] = {}
    for name, estimate in found.numbers.items():
        if isinstance(estimate.low, Undefined):
            named.setdefault(estimate.low.reason, []).append(name)
    return [f"no interval for {', '.join(names)}: {reason}" for reason, names in named.items()]


def common_rule(found: Evaluation) -> str:
    """How rates and intervals were taken, in words, for below a table."""
    return found.numbers["EER"].rule.partition("; ")[2]


def number_columns(found: Evaluation) -> dict[str, NDArray[np.generic]]:
    """Columns of ``numbers.csv``: an empty cell where there is no number, and the reason beside it."""
    listed = [("", n, e) for n, e in found.numbers.items()]
    listed += [(title, n, e) for title, table in found.further.items() for n, e in table.items()]
    cells = {
        "table": [t for t, _, _ in listed],
        "measure": [n for _, n, _ in listed],
        "value": [_cell(e.value) for _, _, e in listed],
        "low": [_cell(e.low) for _, _, e in listed],
        "high": [_cell(e.high) for _, _, e in listed],
        "level": [f"{e.level:g}" if e.low is not None else "" for _, _, e in listed],
        "threshold": [_cell(found.thresholds.get(n)) if not t else "" for t, n, _ in listed],
        "unit": [e.unit for _, _, e in listed],
        "undefined": [_reason(e) for _, _, e in listed],
        "rule": [e.rule for _, _, e in listed],
    }
    cells |= {
        k: [str(e.counts.get(k, "")) for _, _, e in listed] for k in ("mated", "nonmated", "failures", "subjects")
    }
    return {k: np.array(v, np.str_) for k, v in cells.items()}


def det_columns(found: Evaluation) -> dict[str, NDArray[np.generic]]:
    """Columns of ``det.csv``; those of the band are left out where there is none."""
    det = found.det
    if isinstance(det, Undefined):
        return {}
    columns: dict[str, NDArray[np.generic]] = {"target_fmr": det.target, "fmr": det.fmr, "fnmr": det.fnmr}
    if isinstance(det.low, np.ndarray) and isinstance(det.high, np.ndarray):
        columns |= {"fnmr_low": det.low, "fnmr_high": det.high}
    return columns | {"threshold": det.threshold}


def _threshold(found: Evaluation, name: str) -> str:
    return number_text(found.thresholds[name]) if name in found.thresholds else ""


def _cell(number: Number | None) -> str:
    return "" if number is None or isinstance(number, Undefined) else repr(float(number))


def _reason(estimate: Estimate) -> str:
    for number in (estimate.value, estimate.low):
        if isinstance(number, Undefined):
            return number.reason
    return ""
