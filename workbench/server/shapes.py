"""Values of the workbench as the plain JSON that `openapi.json` describes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..claims import Claim
from ..core import Estimate, Reported, Undefined, Verdict, WorkbenchError
from ..runs.home import home
from ..runs.parameters import COMMON, Parameter, describe

Json = dict[str, Any]


def name_of(slug: str) -> str:
    """A slug as paths have it: that of a plug-in has a slash."""
    return slug.replace("/", "--")


def scrub(text: str) -> str:
    """A sentence without the folders of this machine's user."""
    if not text:
        return ""
    for folder, word in ((home(), "HOME_OF_RUNS"), (Path.home(), "~")):
        if len(str(folder)) > 1:
            text = text.replace(str(folder), word)
    return text


def at_home(folder: Path) -> str:
    """A folder as its user says it: ``~`` is the user's own."""
    return f"~/{folder.relative_to(Path.home())}" if folder.is_relative_to(Path.home()) else str(folder)


def problem_parts(parts: Mapping[str, object]) -> Json:
    """What, given, expected, do; absent ones are null."""
    known = {k: scrub(str(parts[k])) for k in ("what", "given", "expected", "do") if parts.get(k) is not None}
    return {"what": "", "given": None, "expected": None, "do": None} | known


def form_error(error: WorkbenchError) -> Json:
    """An error in parts, for a field of a form."""
    parts = {"what": error.what, "given": error.given, "expected": error.expected, "do": error.do}
    return problem_parts(parts)


def claim(of: Claim) -> Json:
    """A claim with its comparisons in words."""
    return {"id": of.id, "statement": of.statement, "ours": of.ours, "parts": [str(p) for p in of.parts]}


def reported(of: Reported) -> Json:
    """A number or a finding of the paper."""
    return {"metric": of.metric, "dataset": of.dataset, "place": of.place, "value": of.value, "text": of.text,
            "unit": of.unit, "key": of.key}  # fmt: skip


def number(of: Estimate) -> Json:
    """An estimate; what is undefined is null and says why."""
    why = of.value
    return {
        "value": _plain(of.value), "low": _plain(of.low), "high": _plain(of.high), "level": of.level, "unit": of.unit,
        "rule": of.rule, "counts": dict(of.counts),
        "undefined": str(why).removeprefix("undefined: ") if isinstance(why, Undefined) else None, "text": str(of),
    }  # fmt: skip


def _plain(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def verdict(of: Verdict) -> Json:
    """A verdict with its parts."""
    return {"claim": of.claim, "statement": of.statement, "answer": of.answer,
            "effect": None if of.effect is None else number(of.effect), "reason": of.reason,
            "parts": [verdict(p) for p in of.parts]}  # fmt: skip


def counts(answers: Iterable[str]) -> dict[str, int]:
    """How often each answer was given."""
    return dict(sorted(Counter(answers).items()))


def parameter(of: Parameter, scales: Mapping[str, Mapping[str, object]], runtime: bool) -> Json:
    """One field of a run form."""
    sized = {scale: sizes[of.name] for scale, sizes in scales.items() if of.name in sizes}
    return {
        "name": of.name, "kind": of.kind, "default": of.default, "optional": of.optional,
        "choices": list(of.choices), "low": of.low, "high": of.high, "help": of.help, "allowed": describe(of),
        "by_scale": sized or None, "runtime": runtime, "common": of.name in COMMON,
    }  # fmt: skip
