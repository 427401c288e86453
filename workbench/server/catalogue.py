"""The studies as lists and pages show them; what was read of a file is kept until it changes."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import data as datasets
from .. import studies
from ..claims import PILLARS, Study
from ..core import UnknownNameError, WorkbenchError
from ..runs.identity import RUNTIME
from ..runs.parameters import Parameter, schema
from . import shapes
from .history import Past
from .shapes import Json, name_of

SCALES = ("smoke", "demo", "paper")


@dataclass(frozen=True)
class Entry:
    """One study.

    Attributes:
        slug, name: as a user and as a path has it.
        origin: distribution that brings it.
        place: its files, or None.
        title, pillar, version: of the study; empty where unread.
        facts: see `studies.Facts`, or None.
        parameters: of its notebook, by name.
        data: data sets that it can take, and whether the user must give a folder.
        error: why something of it cannot be read, or "".
    """

    slug: str
    name: str
    origin: str
    place: studies.Place | None
    title: str
    pillar: str
    version: str
    facts: studies.Facts | None
    parameters: Mapping[str, Parameter]
    data: tuple[tuple[str, bool], ...]
    error: str

    @property
    def study(self) -> Study | None:
        """What it declares."""
        return self.facts.study if self.facts is not None and isinstance(self.facts.study, Study) else None

    @property
    def scales(self) -> Mapping[str, Mapping[str, object]]:
        """Sizes by scale."""
        return self.study.scales if self.study else {}


class Catalogue:
    """All studies that are installed. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[object, Entry]] = {}
        self._data: list[str] | None = None

    def _data_sets(self) -> list[str]:
        """Names of all data sets, looked up once: what is installed later is known after a restart."""
        if self._data is None:
            self._data = datasets.names()
        return self._data

    def entries(self) -> dict[str, Entry]:
        """All studies by name, sorted by pillar and slug."""
        found = [self._entry(slug, place) for slug, place in studies.places().items()]
        order = {pillar: i for i, pillar in enumerate(PILLARS)}
        return {e.name: e for e in sorted(found, key=lambda e: (order.get(e.pillar, len(order)), e.pillar, e.slug))}

    def entry(self, name: str) -> Entry:
        """A study by its name or slug.

        Raises:
            UnknownNameError: there is none.
        """
        entries = self.entries()
        if name_of(name) not in entries:
            raise UnknownNameError("study", name, [e.slug for e in entries.values()])
        return entries[name_of(name)]

    def _entry(self, slug: str, place: studies.Place | WorkbenchError) -> Entry:
        if isinstance(place, WorkbenchError):
            return Entry(slug, name_of(slug), slug.partition("/")[0], None, slug, "", "", None, {}, (), place.what)
        mark = (place, _mark(place.module), _mark(place.notebook))
        with self._lock:
            kept = self._known.get(slug)
        if kept is None or kept[0] != mark:
            kept = (mark, _read(place, self._data_sets()))
            with self._lock:
                self._known[slug] = kept
        return kept[1]


def _mark(file: Path) -> tuple[int, int]:
    try:
        state = file.stat()
    except OSError:
        return (0, -1)
    return (state.st_mtime_ns, state.st_size)


def _read(place: studies.Place, known: list[str]) -> Entry:
    title, pillar, version, error = place.slug, "", "", ""
    facts, parameters = None, {}
    try:
        listed = studies.read(place)
        title, pillar, version = listed.title, listed.pillar, listed.version
        facts = studies.facts(place.module, place.notebook)
        if isinstance(facts.study, Study):
            title = facts.study.title
        parameters = {n: p for n, p in schema(place.notebook).items() if n != "out"}
    except (WorkbenchError, ValueError, SyntaxError) as problem:
        error = problem.what if isinstance(problem, WorkbenchError) else f"{type(problem).__name__}: {problem}"
    return Entry(
        place.slug, name_of(place.slug), place.origin, place, title, pillar, version, facts, parameters,
        _named_data(parameters.get("data"), known), error,
    )  # fmt: skip


def form(entry: Entry) -> list[Json]:
    """The fields of a study's run form."""
    return [shapes.parameter(p, entry.scales, n in RUNTIME) for n, p in entry.parameters.items()]


def summary(entry: Entry, runs: list[Past], seconds: Mapping[str, float | None], state: Json) -> Json:
    """What the list of studies says about one.

    Args:
        entry: the study.
        runs: its own.
        seconds: see `History.seconds`.
        state: see `State.of`.
    """
    study, facts = entry.study, entry.facts
    source = study.source if study else ""
    number = re.search(r"\d{4}\.\d{4,5}", source)
    unread = None if study else (facts.unread if facts else "") or entry.error or "it declares no STUDY"
    return {
        "name": entry.name, "slug": entry.slug, "title": entry.title, "source": source,
        "arxiv": number[0] if number else None, "pillar": entry.pillar, "version": entry.version,
        "origin": entry.origin, "words": list(facts.words) if facts else [],
        "claims": [shapes.claim(c) for c in study.claims] if study else [], "claims_unread": unread,
        "reported": [shapes.reported(r) for r in study.reported] if study else [], "state": state,
        "data": needed_data(entry, runs), "seconds": {s: seconds.get(s) for s in SCALES},
        "error": shapes.scrub(entry.error) or None,
    }  # fmt: skip


def _named_data(p: Parameter | None, known: list[str]) -> tuple[tuple[str, bool], ...]:
    """The data sets that the ``data`` parameter's words name, each with whether the user must give a folder."""
    if p is None:
        return ()
    words = f"{p.default} {p.help} {' '.join(str(c) for c in p.choices)}"

    def found(name: str, after: str) -> bool:
        return re.search(rf"(?<![\w-]){re.escape(name)}{after}", words) is not None

    return tuple((n, found(n, ":[A-Z]")) for n in known if found(n, r"(?![\w-])"))


def needed_data(entry: Entry, runs: list[Past]) -> list[Json]:
    """The data sets that a study can take, and whether they are there."""
    found: list[Json] = []
    for name, by_folder in entry.data:
        used = by_folder and any(path.exists() for path in _folders(name, runs))
        why = "a folder that was used before is there" if used else f"give its folder: data = {name}:FOLDER"
        found.append({"name": name, "there": True, "why": "built in"} if not by_folder else
                     {"name": name, "there": True if used else None, "why": why})  # fmt: skip
    return found


def _folders(name: str, runs: list[Past]) -> list[Path]:
    specs = [datasets.split(s) for past in runs for s in datasets.several(str(past.order.get("data", "")))]
    return [Path(path) for used, path in specs if used == name and path]
