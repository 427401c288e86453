"""The queue of jobs: one table under the workbench's home, the authority on what waits, runs and has ended.

Everybody who queues, starts or ends a job (the server, the command line, the job's own process) does it by one
conditional update. So a job is started once and ends once, whoever dies when::

    queued --claim--> queued, claimed --start--> running --finish--> done | failed | cancelled | lost
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from .. import files
from ..core import BusyError, FullError, UnknownNameError
from . import alive
from .home import home

State = Literal["queued", "running", "done", "failed", "cancelled", "lost"]
STATES: tuple[State, ...] = get_args(State)
NAME = "queue.sqlite"
VERSION = 1
_SCHEMA = """
create table jobs (
    id integer primary key autoincrement,
    study text not null, parameters text not null, device text not null, origin text not null,
    restarted_from integer, state text not null default 'queued', created real not null, started real, ended real,
    claim text, claimed real, claimer integer, claimer_birth text, host text,
    pid integer, birth text, cancel real,
    run text, fresh integer, reason text not null default '', problem text, progress text not null default '{}',
    changed integer not null
);
create index jobs_changed on jobs (changed);
create index jobs_state on jobs (state);
create table clock (now integer not null);
insert into clock values (0)
"""
_TICK = "(select now from clock)"
# The jobs that take a slot.
_BUSY = "(state = 'running' or (state = 'queued' and claim is not null))"


@dataclass(frozen=True)
class Job:
    """One run that was asked for.

    Attributes:
        id: counts up.
        study: its slug.
        parameters: as given.
        device: the slot that it takes: ``"cpu"`` or ``"gpu"``.
        origin: who asked: ``"server"`` or ``"command line"``.
        restarted_from: the job that it repeats, or None.
        state: see `State`; ``lost``: its process was gone and had left no word.
        created, started, ended: seconds since 1970, or None.
        claim, claimed, claimer, claimer_birth: who is about to start it, since when.
        host, pid, birth: the process that runs it; see `alive.birth`.
        cancel: when it was asked to end, or None.
        run: id of its run, once known.
        fresh: False where an earlier run of the same identity was found.
        reason: why it failed, was cancelled or is lost.
        problem: the same in parts: what, given, expected, do.
        progress: see `progress.Progress`.
        changed: cursor of its latest change.
    """

    id: int
    study: str
    parameters: Mapping[str, Any]
    device: str
    origin: str
    restarted_from: int | None
    state: State
    created: float
    started: float | None
    ended: float | None
    claim: str | None
    claimed: float | None
    claimer: int | None
    claimer_birth: str | None
    host: str | None
    pid: int | None
    birth: str | None
    cancel: float | None
    run: str | None
    fresh: bool | None
    reason: str
    problem: Mapping[str, str] | None
    progress: Mapping[str, Any] = field(default_factory=dict)
    changed: int = 0

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state not in ("queued", "running")

    @property
    def mark(self) -> str:
        """What its processes carry in their environment."""
        return f"{home()}:{self.id}"


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    for name in ("parameters", "progress", "problem"):
        values[name] = json.loads(values[name]) if values[name] else None
    values["fresh"] = None if values["fresh"] is None else bool(values["fresh"])
    return Job(**values)


class Queue:
    """The table of jobs. Threads may share one: each gets a connection of its own.

    Args:
        path: of the table; under the workbench's home if not given.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or home() / NAME
        self._own = threading.local()

    @property
    def _base(self) -> sqlite3.Connection:
        base: sqlite3.Connection | None = getattr(self._own, "base", None)
        if base is None:
            base = self._own.base = files.open_database(self.path, _SCHEMA, VERSION)
        return base

    def log(self, number: int) -> Path:
        """Where a job's process prints."""
        return self.path.parent / "jobs" / f"{number:d}.log"

    def get(self, number: int) -> Job:
        """One job.

        Raises:
            UnknownNameError: there is none of this number.
        """
        row = self._base.execute("select * from jobs where id = ?", (number,)).fetchone()
        if row is None:
            raise UnknownNameError("job", str(number), (), do="`workbench queue` lists them")
        return _job(row)

    def jobs(self, *, state: str = "", study: str = "", since: int | None = None, limit: int = 100) -> list[Job]:
        """Jobs, first those that wait or run, the newest first; with a cursor what changed after it, in that order."""
        order = "state in ('queued', 'running') desc, id desc" if since is None else "changed"
        rows = self._base.execute(
            f"select * from jobs where (? = '' or state = ?) and (? = '' or study = ?) and changed > ?"
            f" order by {order} limit ?",
            (state, state, study, study, -1 if since is None else since, limit),
        )
        return [_job(row) for row in rows]

    def active(self) -> list[Job]:
        """All that wait or run, in the order in which they start."""
        return [
            _job(r) for r in self._base.execute("select * from jobs where state in ('queued','running') order by id")
        ]

    def unbegun(self) -> dict[str, Job]:
        """The latest ended job of every study, where it failed before there was a run."""
        ended = "select max(id) from jobs where state not in ('queued', 'running') group by study"
        rows = self._base.execute(
            f"select * from jobs where id in ({ended}) and run is null and state in ('failed', 'lost')"
        )
        return {row["study"]: _job(row) for row in rows}

    def latest_of_runs(self) -> dict[str, int]:
        """The latest job of every ``study/run`` that jobs have begun."""
        rows = self._base.execute("select study || '/' || run, max(id) from jobs where run is not null group by 1")
        return {key: number for key, number in rows}

    def counts(self) -> dict[str, int]:
        """Jobs by state."""
        rows = self._base.execute("select state, count(*) from jobs group by state")
        return dict.fromkeys(STATES, 0) | {state: number for state, number in rows}

    def cursor(self) -> int:
        """Of the latest change."""
        return int(self._base.execute("select now from clock").fetchone()[0])

    def _update(self, setting: str, where: str, **values: object) -> bool:
        """Whether one row fitted and was changed."""
        with files.transaction(self._base) as base:
            base.execute("update clock set now = now + 1")
            done = base.execute(f"update jobs set {setting}, changed = {_TICK} where {where}", values)
            return done.rowcount == 1

    def add(
        self, study: str, parameters: Mapping[str, object], *, device: str = "cpu", origin: str = "command line",
        restarted_from: int | None = None, limit: int | None = None,
    ) -> Job:  # fmt: skip
        """Queue a run of checked parameters.

        Args:
            study: its slug.
            parameters: those that are not left to their defaults.
            device: see `Job`.
            origin: see `Job`.
            restarted_from: see `Job`.
            limit: most jobs that may wait.

        Raises:
            FullError: so many wait already.
        """
        text = json.dumps(dict(parameters), sort_keys=True, allow_nan=False)
        with files.transaction(self._base) as base:
            waiting = base.execute("select count(*) from jobs where state = 'queued'").fetchone()[0]
            if limit is not None and waiting >= limit:
                raise FullError("the queue is full", given=f"{waiting} jobs are waiting", expected=f"at most {limit}",
                                do="cancel some of them, or wait until they have run")  # fmt: skip
            base.execute("update clock set now = now + 1")
            done = base.execute(
                "insert into jobs (study, parameters, device, origin, restarted_from, created, changed)"
                f" values (?, ?, ?, ?, ?, ?, {_TICK})", (study, text, device, origin, restarted_from, time.time()),
            )  # fmt: skip
            number = int(done.lastrowid or 0)
        return self.get(number)

    def claim(self, limits: Mapping[str, int]) -> tuple[Job, str] | None:
        """Take the next job that has a free slot, for the caller to start; None where there is none.

        A job waits while another one of the same study and parameters runs: they would be the same run.

        Returns:
            The job and a token without which it cannot be started.
        """
        token = uuid.uuid4().hex
        with files.transaction(self._base) as base:
            taken = dict(base.execute(f"select device, count(*) from jobs where {_BUSY} group by device"))
            free = [d for d, most in limits.items() if taken.get(d, 0) < most]
            row = base.execute(
                f"select id from jobs j where state = 'queued' and claim is null and device in"
                f" ({', '.join('?' * len(free))}) and not exists (select 1 from jobs where {_BUSY}"
                " and study = j.study and parameters = j.parameters) order by id limit 1", free,
            ).fetchone()  # fmt: skip
            if row is None:
                return None
            me = os.getpid()
            base.execute(
                "update jobs set claim = ?, claimed = ?, claimer = ?, claimer_birth = ?, host = ? where id = ?",
                (token, time.time(), me, alive.birth(me), alive.HOST, row["id"]),
            )
        return self.get(row["id"]), token

    def release(self, job: Job) -> bool:
        """Give a claimed job back that was never started; a process that still comes with the old token is refused."""
        return self._update(
            "claim = null, claimed = null, claimer = null, claimer_birth = null, host = null",
            "id = :id and state = 'queued' and claim = :claim", id=job.id, claim=job.claim,
        )  # fmt: skip

    def reject(self, job: Job, reason: str) -> bool:
        """Say that the process that was to start a claimed job ended before it could."""
        return self._update(
            "state = 'failed', ended = :now, reason = :reason, claim = null",
            "id = :id and state = 'queued' and claim = :claim",
            id=job.id, claim=job.claim, now=time.time(), reason=reason,
        )  # fmt: skip

    def start(self, number: int, token: str, pid: int) -> bool:
        """Say that a process runs a job now; False where it must not: somebody else does, or it was cancelled."""
        return self._update(
            "state = 'running', started = :now, pid = :pid, birth = :birth, host = :host",
            "id = :id and state = 'queued' and claim = :token",
            id=number, token=token, now=time.time(), pid=pid, birth=alive.birth(pid), host=alive.HOST,
        )  # fmt: skip

    def begin(self, number: int, pid: int, run: str) -> None:
        """Say which run it is."""
        self._update("run = :run", "id = :id and state = 'running' and pid = :pid", id=number, pid=pid, run=run)

    def tell(self, number: int, pid: int, progress: Mapping[str, object]) -> None:
        """Say how far it is."""
        text = json.dumps(dict(progress), allow_nan=False)
        self._update("progress = :text", "id = :id and state = 'running' and pid = :pid", id=number, pid=pid, text=text)

    def finish(
        self, number: int, pid: int, birth: str, state: State, *, reason: str = "",
        problem: Mapping[str, str] | None = None, fresh: bool | None = None,
    ) -> bool:  # fmt: skip
        """Say how it ended; only the first word counts, and only about the process that ran it.

        Returns:
            Whether this was the first word.
        """
        return self._update(
            "state = :state, ended = :now, reason = :reason, problem = :problem, fresh = :fresh",
            "id = :id and state = 'running' and pid = :pid and birth = :birth",
            id=number, pid=pid, birth=birth, state=state, now=time.time(), reason=reason,
            problem=json.dumps(dict(problem)) if problem else None, fresh=fresh,
        )  # fmt: skip

    def cancel(self, number: int) -> Job:
        """Ask a job to end: one that waits is cancelled at once, of one that runs the process must still be ended.

        Raises:
            UnknownNameError: there is none of this number.
            BusyError: it has ended otherwise.
        """
        ended = self._update(
            "state = 'cancelled', ended = :now, cancel = :now, reason = 'cancelled before it started', claim = null",
            "id = :id and state = 'queued'", id=number, now=time.time(),
        )  # fmt: skip
        if not ended:
            self._update(
                "cancel = :now", "id = :id and state = 'running' and cancel is null", id=number, now=time.time()
            )
        job = self.get(number)
        if job.over and job.state != "cancelled":
            raise BusyError(f"job {number} has ended", given=job.state, expected="a queued or running job")
        return job

    def forget(self, study: str, run: str) -> list[int]:
        """Drop the ended jobs of a run with their logs; their numbers are not used again.

        Raises:
            BusyError: one of them runs.
        """
        with files.transaction(self._base) as base:
            rows = base.execute("select id, state from jobs where study = ? and run = ?", (study, run)).fetchall()
            busy = [r["id"] for r in rows if r["state"] in ("queued", "running")]
            if busy:
                raise BusyError(f"job {busy[0]} of this run is not over", do="cancel it first")
            base.execute("delete from jobs where study = ? and run = ?", (study, run))
        for row in rows:
            self.log(row["id"]).unlink(missing_ok=True)
        return [row["id"] for row in rows]
