"""What a notebook calls: begin, step, conclude."""

from __future__ import annotations

import html
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .. import files, studies
from ..core import Evidence, ParameterError, Result, ShapeError, seeds
from . import identity, journal, parameters, reuse
from .home import home

OUTCOME = "outcome.json"
SCORES = "scores.zip"
_MARKS = {"supported": "✓", "refuted": "✗", "undecided": "?", "not testable here": "–"}


class Run:
    """One run of a study, inside its notebook.

    Attributes:
        settings: resolved parameters as attributes.
        timings: seconds by step.
    """

    def __init__(self, slug: str, values: Mapping[str, Any]) -> None:
        self.slug = slug
        self.study = studies.load(slug).STUDY
        scale = self.study.scales[values["scale"]]
        filled = {k: scale[k] if v is None and k in scale else v for k, v in values.items()}
        self.parameters = filled
        self.settings = SimpleNamespace(**filled)
        self.folder = Path(values["out"]) if values["out"] else None
        self.timings: dict[str, float] = {}
        self._borrowed: dict[str, str] = {}
        self._code = identity.code_digest(studies.listing(slug).module, studies.listing(slug).notebook)
        self._store = reuse.store(self.folder, slug, self._code, given=identity.reads_files(filled))

    @property
    def answers(self) -> str:
        """File in which a chat model's answers are kept: in the run's folder, without one in the workbench's."""
        folder = self.folder or home() / "answers" / self.slug.replace("/", "--")
        return str(folder / "answers.sqlite")

    def step(self, function: Callable[..., Any], *arguments: Any, name: str = "", **options: Any) -> Any:
        """``function(*arguments, **options)``, or what was computed from equal arguments before.

        A run's folder keeps it, should the run be interrupted; so do folders of the study's other runs, and a live
        notebook on phantom faces until its kernel ends. The notebook's own functions are always computed.

        A value that says ``real`` of itself, or holds a dataclass that does, shows real people: it is written down
        only with ``show_faces``, and otherwise computed again.

        Args:
            function: a step of the study; it returns arrays, plain values and dataclasses of them.
            *arguments: of the function.
            name: of the step, for progress and timings; the function's own if not given.
            **options: of the function.
        """
        label = name or function.__name__
        start = (time.perf_counter(), _processor())
        key = self._key(function, arguments, options)
        found = self._store.find(label, key) if self._store and key else None
        if found is not None:
            self._borrowed |= {label: found.run} if found.run else {}
            self._note("step-kept", label, start, **({"run": found.run} if found.run else {}))
            return found.value
        self._note("step-start", label, start)
        value = function(*arguments, **options)
        writes = self.folder is not None and not getattr(self.settings, "show_faces", False)
        if self._store and key and not (writes and _shows_people(value)):
            self._store.keep(label, key, value)
        self._note("step-done", label, start)
        return value

    def _key(self, function: Any, arguments: tuple[Any, ...], options: Any) -> str:
        """Of all that a step's value depends on, hexadecimal; "" where it may be another the next time."""
        # A notebook's own function may have been edited, and a store of answers itself knows what is missing in it.
        live = self.folder is None
        texts = [a for a in (*arguments, *options.values()) if isinstance(a, str)]
        if function.__module__ == "__main__" or (live and self.answers in texts):
            return ""
        try:
            made_of = files.pack([f"{function.__module__}.{function.__qualname__}", self._code, arguments, options])
        except ShapeError:
            # Of a live notebook: a step may be given anything.
            if live:
                return ""
            raise
        return files.sha256_bytes(made_of)

    def _note(self, event: str, label: str, start: tuple[float, float], **more: str) -> None:
        seconds, processor = time.perf_counter() - start[0], _processor() - start[1]
        if event != "step-start":
            self.timings[label] = round(seconds, 3)
        if self.folder is not None:
            times = {"seconds": round(seconds, 3), "processor": round(processor, 3)}
            journal.write(self.folder, event, step=label, **times, **more)
        elif event == "step-kept":
            print(f"{label}: as computed before")

    def conclude(self, evidence: Evidence, **environment: object) -> Conclusion:
        """Verdicts on all claims; with ``out`` they are kept for the runner to commit.

        Args:
            evidence: what was measured.
            **environment: what was really used, e.g. ``provider=...``, and ``notes`` for the reader.
        """
        # The judge brings SciPy, which nobody needs who only looks at runs.
        from ..claims import judge

        notes = environment.pop("notes", ())
        verdicts = judge(self.study.claims, evidence, seed=seeds.integer("judge", int(self.settings.seed)) % 2**31)
        machine: dict[str, object] = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            **identity.packages(),
        }
        if self._borrowed:
            # Wall times among the numbers are those of that run, too.
            machine["steps of other runs"] = self._borrowed
        result = Result(
            self.slug,
            self.study.version,
            {"code": self._code},
            {k: v for k, v in self.parameters.items() if k not in identity.RUNTIME},
            evidence.numbers,
            verdicts,
            self.study.reported,
            machine | environment,
            self.timings,
            tuple(notes) if isinstance(notes, list | tuple) else (str(notes),),
        )
        if self.folder is not None:
            if evidence.scores:
                files.commit_bytes(self.folder / SCORES, files.pack(dict(evidence.scores)))
            files.commit_text(self.folder / OUTCOME, files.to_json(result))
        return Conclusion(result)


def _processor() -> float:
    """Seconds that all threads of this process and its ended children have computed."""
    return sum(os.times()[:4])


def _shows_people(value: object) -> bool:
    """Whether a step's value is, or holds, pictures of real people."""
    if isinstance(value, Mapping):
        return any(map(_shows_people, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_shows_people, value))
    if not is_dataclass(value) or isinstance(value, type):
        return False
    return getattr(value, "real", False) is True or any(_shows_people(getattr(value, f.name)) for f in fields(value))


class Conclusion:
    """A result that shows itself as the verdict table."""

    def __init__(self, result: Result) -> None:
        self.result = result

    def _repr_html_(self) -> str:
        return verdict_table(self.result)

    def __repr__(self) -> str:
        return "\n".join(f"{v.claim} {_MARKS[v.answer]} {v.answer}: {v.statement}" for v in self.result.verdicts)


def verdict_table(result: Result) -> str:
    """Claims, answers and reasons as an HTML table, with what the paper reports; everything is escaped."""
    left = "<td style='text-align:left'>"
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(v.claim)}</th>{left}{html.escape(v.statement)}</td>"
        f"<td>{_MARKS[v.answer]} <b>{html.escape(v.answer)}</b></td>{left}{html.escape(v.reason)}</td></tr>"
        for v in result.verdicts
    )
    head = "".join(f"<th scope='col'>{h}</th>" for h in ("Claim", "Statement", "Verdict here", "Why"))
    said = "".join(
        f"<li>{html.escape(r.text or f'{r.metric}: {r.value}')} ({html.escape(r.dataset)}; {html.escape(r.place)})</li>"
        for r in result.reported
    )
    title = f"<caption>Claims of {html.escape(result.study)} {html.escape(result.version)}</caption>"
    table = f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"{table}<p>The paper reports:</p><ul>{said}</ul>"


def begin(slug: str, namespace: Mapping[str, Any]) -> Run:
    """Start a run from a notebook's own parameters.

    Args:
        slug: of the study.
        namespace: ``globals()`` of the notebook; the study's parameters are picked out of it.

    Raises:
        ParameterError: a parameter does not fit, or is missing.
    """
    known = parameters.schema(studies.listing(slug).notebook)
    missing = [name for name in known if name not in namespace]
    if missing:
        raise ParameterError(f"parameters are missing: {', '.join(missing)}", do="run the parameters cell first")
    run = Run(slug, parameters.check({name: namespace[name] for name in known}, known))
    print(
        f"{slug} {run.study.version} · scale {run.settings.scale} · data {run.settings.data} · seed {run.settings.seed}"
    )
    return run
