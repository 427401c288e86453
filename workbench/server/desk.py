"""What the handlers ask: one place that knows studies, runs and jobs, and answers in plain JSON.

Everything here reads disks and tables, so handlers call it from threads.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ..claims import PILLARS
from ..core import BusyError, ParameterError, UnknownNameError
from ..runs import order, worker
from ..runs.home import home
from ..runs.queue import Job, Queue
from ..runs.staleness import Staleness
from . import catalogue, command, jobs
from .catalogue import Catalogue, Entry
from .history import History, Past
from .shapes import Json, at_home, counts, form_error, scrub

PAGE_RUNS = 20


class Desk:
    """Studies, runs and jobs of one home folder.

    Args:
        limits: jobs at a time by device.
        queue_limit: jobs that may wait.
        default_scale: of a run whose scale is not given.
        works: whether this process starts queued jobs.
        base: folder that relative paths of data are taken from.
        start: what runs a job; see `worker.command`.
    """

    def __init__(
        self, *, limits: Mapping[str, int] = worker.LIMITS, queue_limit: int = 200, default_scale: str = "demo",
        works: bool = True, base: Any = None, start: worker.Command = worker.command,
    ) -> None:  # fmt: skip
        self.limits, self.queue_limit, self.default_scale = dict(limits), queue_limit, default_scale
        self.works, self.base = works, base
        self.catalogue, self.history, self.staleness = Catalogue(), History(), Staleness()
        self.queue = Queue(home() / "queue.sqlite")
        self.worker = worker.Worker(self.queue, self.limits, command=start)
        self._ticking = threading.Lock()

    # Studies

    def studies(self) -> Json:
        """All studies."""
        return {"studies": self._summaries(), "pillars": list(PILLARS), "default_scale": self.default_scale}

    def board(self) -> Json:
        """All studies and their verdicts."""
        kept = ("name", "slug", "title", "pillar", "version", "state", "claims")
        shown = [{k: s[k] for k in kept} for s in self._summaries()]
        answers = counts(v["answer"] for s in shown for v in s["state"]["verdicts"])
        return {"studies": shown, "counts": answers, "statuses": counts(s["state"]["status"] for s in shown)}

    def _summaries(self) -> list[Json]:
        runs: dict[str, list[Past]] = {}
        for past in self.history.all():
            runs.setdefault(past.record.slug, []).append(past)
        active, unbegun = self._active(), self.queue.unbegun()
        self.staleness.look()
        return [
            self._summary(e, runs.get(e.slug, []), active.get(e.slug), unbegun.get(e.slug))
            for e in self.catalogue.entries().values()
        ]

    def _summary(self, entry: Entry, runs: list[Past], active: Job | None, unbegun: Job | None) -> Json:
        state = self._state(entry, runs, active, unbegun)
        return catalogue.summary(entry, runs, self.history.seconds(entry.slug, runs), state)

    def _active(self) -> dict[str, Job]:
        """The running or next job of each study."""
        found: dict[str, Job] = {}
        for job in sorted(self.queue.active(), key=lambda j: (j.state != "running", j.id)):
            found.setdefault(job.study, job)
        return found

    def _state(self, entry: Entry, runs: list[Past], job: Job | None, unbegun: Job | None) -> Json:
        """Where a study stands: by a job that waits or runs, else by its latest run, or a later job without."""
        latest = runs[0] if runs else None
        done = next((p for p in runs if p.record.status == "done"), None)
        status, reason = "never run", None
        if latest is not None:
            status = latest.record.status
            reason = self.why(latest, entry)
            if status == "done" and reason:
                status = "stale"
        at = latest.record.ended if latest else None
        if unbegun is not None and (unbegun.ended or 0) > (at or 0) and status != "running":
            status, at = "failed", unbegun.ended
            reason = scrub(" ".join(filter(None, [f"{unbegun.reason}:", (unbegun.problem or {}).get("given")])))
        if job is not None and (job.state == "running" or status != "running"):
            status, reason = job.state, None
        fraction = None
        if status == "running":
            told = job.progress.get("fraction") if job is not None else None
            fraction = told if job is not None else latest.progress.fraction if latest else None
        verdicts = done.verdicts if done else ()
        return {
            "status": status, "reason": reason, "run": latest.record.id if latest else None,
            "job": job.id if job else None, "at": at, "fraction": fraction,
            "verdicts": [{"claim": c, "answer": a} for c, a in verdicts], "counts": counts(a for _, a in verdicts),
        }  # fmt: skip

    def why(self, past: Past, entry: Entry | None) -> str | None:
        """Why a run is stale, failed, died or was stopped; None where there is nothing to say."""
        if past.record.status == "done":
            return "; ".join(self.stale(past, entry)) or None
        if past.problem is None:
            return None
        return scrub(" ".join(filter(None, [past.problem["what"] + ":", past.problem.get("given")])))

    def stale(self, past: Past, entry: Entry | None) -> list[str]:
        """Reasons why a committed run is not what it would be today."""
        if past.record.status != "done":
            return []
        if entry is None or entry.place is None:
            return ["the study is no longer there"]
        return self.staleness.reasons(entry.place, entry.version, past.identity, past.order, past.record.started)

    def page(self, name: str) -> Json:
        """The page of one study."""
        entry = self.catalogue.entry(name)
        runs = self.history.all(entry.slug)
        self.staleness.look()
        facts = entry.facts
        unbegun = self.queue.unbegun().get(entry.slug)
        return self._summary(entry, runs, self._active().get(entry.slug), unbegun) | {
            "description": facts.description if facts else "", "parameters": catalogue.form(entry),
            "default_scale": self.default_scale, "needs": list(facts.needs) if facts else [],
            "outline": list(facts.outline) if facts else [],
            "runs": self.run_summaries(runs[:PAGE_RUNS], looked=True),
        }  # fmt: skip

    def schema(self, name: str) -> Json:
        """The run form of a study."""
        entry = self._runnable(name)
        return {"study": entry.name, "slug": entry.slug, "default_scale": self.default_scale,
                "parameters": catalogue.form(entry)}  # fmt: skip

    def check(self, name: str, given: Mapping[str, object]) -> Json:
        """Whether parameters fit, and the same run in a shell."""
        entry = self._runnable(name)
        values = self._with_scale(given, entry)
        wrong = order.misfits(values, entry.parameters, self.base)
        if wrong:
            told = {str(n)[:100]: form_error(e) for n, e in wrong.items()}
            return {"ok": False, "errors": told, "parameters": None, "command": None, "papermill": None,
                    "seconds": None, "notes": []}  # fmt: skip
        values, _ = order.order(values, entry.parameters, self.base)
        resolved = {n: values.get(n, p.default) for n, p in entry.parameters.items()}
        runs = self.history.all(entry.slug)
        seconds = self.history.seconds(entry.slug, runs).get(str(resolved.get("scale")))
        return {
            "ok": True, "errors": {}, "parameters": resolved, "command": command.shell(entry, values),
            "papermill": command.papermill(entry, values), "seconds": seconds,
            "notes": command.notes(entry, resolved, runs),
        }  # fmt: skip

    def _runnable(self, name: str) -> Entry:
        entry = self.catalogue.entry(name)
        if entry.error or entry.place is None:
            raise BusyError(f"{entry.slug} cannot be read", given=scrub(entry.error), do="repair the study first")
        return entry

    def _with_scale(self, given: Mapping[str, object], entry: Entry) -> dict[str, object]:
        missing = "scale" in entry.parameters and "scale" not in given
        return {**given, "scale": self.default_scale} if missing else dict(given)

    # Runs

    def run_summaries(self, runs: list[Past], *, looked: bool = False) -> list[Json]:
        """Rows of the history."""
        if not looked:
            self.staleness.look()
        numbers, entries = self.queue.latest_of_runs(), self.catalogue.entries()
        by_slug = {e.slug: e for e in entries.values()}
        return [jobs.run_summary(p, numbers.get(p.key), self.stale(p, by_slug.get(p.record.slug))) for p in runs]

    def runs(self, *, study: str, status: str, limit: int, offset: int) -> Json:
        """The history, a page of it."""
        found = self.history.all(study.replace("--", "/"))
        if status:
            found = [p for p in found if p.record.status == status]
        shown = self.run_summaries(found[offset : offset + limit])
        return {"runs": shown, "total": len(found), "more": offset + limit < len(found)}

    def purge(self, name: str, run: str) -> Json:
        """Remove a run with everything that belongs to it."""
        size, numbers = self.history.purge(self.queue, name, run)
        return {"study": name, "run": run, "bytes": size, "jobs": numbers}

    # Jobs

    def add(self, study: str, given: Mapping[str, object]) -> Json:
        """Queue a run.

        Raises:
            ParameterError: some do not fit; `__cause__` holds them by name.
            FullError: too many wait.
        """
        entry = self._runnable(study)
        values = self._with_scale(given, entry)
        wrong = order.misfits(values, entry.parameters, self.base)
        if wrong:
            raise Misfits(entry.slug, wrong)
        checked, device = order.order(values, entry.parameters, self.base)
        job = self.queue.add(entry.slug, checked, device=device, origin="server", limit=self.queue_limit)
        return self._job(job)

    def restart(self, number: int) -> Json:
        """Queue an ended job again."""
        return self._job(order.restart(self.queue, number, origin="server", limit=self.queue_limit))

    def cancel(self, number: int) -> Json:
        """Cancel a job."""
        return self._job(worker.cancel(self.queue, number))

    def job(self, number: int) -> Json:
        """One job."""
        return self._job(self.queue.get(number))

    def _job(self, job: Job) -> Json:
        return self._jobs([job])[0]

    def _jobs(self, found: list[Job]) -> list[Json]:
        entries = {e.slug: e for e in self.catalogue.entries().values()}
        places = jobs.positions(self.queue.active())
        seconds: dict[str, dict[str, float | None]] = {}
        for slug in {j.study for j in found}:
            seconds[slug] = self.history.seconds(slug, self.history.all(slug))
        return [
            jobs.job(
                j, entries[j.study].title if j.study in entries else j.study, places.get(j.id),
                seconds[j.study].get(str(j.parameters.get("scale", ""))), self._answers(j),
            )
            for j in found
        ]  # fmt: skip

    def _answers(self, job: Job) -> dict[str, int]:
        if job.state != "done" or not job.run:
            return {}
        try:
            past = self.history.one(job.study.replace("/", "--"), job.run)
        except UnknownNameError:
            return {}
        return counts(a for _, a in past.verdicts)

    def jobs(self, *, since: int | None, state: str, study: str, limit: int, poll: float) -> Json:
        """Jobs, or those that changed."""
        cursor = self.queue.cursor()
        found = self.queue.jobs(state=state, study=study.replace("--", "/"), since=since, limit=limit)
        if since is not None and len(found) == limit:
            cursor = found[-1].changed
        return {
            "jobs": self._jobs(found), "cursor": cursor, "counts": self.queue.counts(), "limits": self.slots(),
            "works": self.works, "poll_seconds": poll, "store": at_home(home()),
        }  # fmt: skip

    def slots(self) -> Json:
        """Limits of the queue."""
        return {"queue": self.queue_limit, "devices": self.limits}

    def tick(self, cursor: int) -> tuple[int, list[Json]]:
        """Settle and start jobs, and say what changed since a cursor.

        Returns:
            The new cursor, and the data of the events.
        """
        with self._ticking:
            if self.works:
                self.worker.tick()
            else:
                worker.settle(self.queue)
        found = self.queue.jobs(since=cursor, limit=500)
        places = jobs.positions(self.queue.active()) if found else {}
        return (found[-1].changed if found else cursor), [jobs.event(j, places.get(j.id)) for j in found]


class Misfits(ParameterError):
    """Several parameters that do not fit, by name."""

    def __init__(self, slug: str, wrong: Mapping[str, ParameterError]) -> None:
        many = (
            f"{len(wrong)} parameters of {slug} do not fit" if len(wrong) > 1 else f"a parameter of {slug} does not fit"
        )
        self.wrong = {str(n)[:100]: form_error(e) for n, e in wrong.items()}
        first = next(iter(wrong.values()))
        super().__init__(many, given=first.what, expected=first.expected, do=first.do)
