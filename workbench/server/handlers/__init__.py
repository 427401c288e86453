"""The addresses of the interface and who answers there."""

from __future__ import annotations

from . import jobs, machine, runs, studies
from .base import Handler

BASE = "workbench/api"
_STUDY = r"(?P<study>[A-Za-z0-9][A-Za-z0-9._-]{0,127})"
_RUN = r"(?P<run>[A-Za-z0-9][A-Za-z0-9_-]{0,63})"
_JOB = r"(?P<job>[1-9][0-9]{0,8})"
_FIGURE = r"(?P<figure>[0-9]{1,4}-[0-9]{1,3}\.(?:png|jpeg|svg))"

# As in openapi.json, whose parameters are filled in by the patterns above.
ROUTES: tuple[tuple[str, type[Handler]], ...] = (
    ("/studies", studies.Studies),
    ("/studies/{study}", studies.Study),
    ("/studies/{study}/schema", studies.Schema),
    ("/studies/{study}/check", studies.Check),
    ("/studies/{study}/open", studies.Open),
    ("/jobs", jobs.Jobs),
    ("/jobs/{job}", jobs.Job),
    ("/jobs/{job}/restart", jobs.Restart),
    ("/jobs/{job}/log", jobs.Log),
    ("/runs", runs.Runs),
    ("/runs/{study}/{run}", runs.Run),
    ("/runs/{study}/{run}/report", runs.Report),
    ("/runs/{study}/{run}/figures/{figure}", runs.Figure),
    ("/compare", runs.Compare),
    ("/board", studies.Board),
    ("/status", machine.Status),
    ("/openapi.json", machine.OpenApi),
)


def handlers() -> list[tuple[str, type[Handler]]]:
    """Patterns below the server's base URL, and their handlers."""
    found: list[tuple[str, type[Handler]]] = []
    for path, handler in ROUTES:
        pattern = path.replace(".", r"\.").format(study=_STUDY, run=_RUN, job=_JOB, figure=_FIGURE)
        found.append((f"{BASE}{pattern}", handler))
    return [*found, (rf"{BASE}(?:/.*)?", machine.Missing)]
